"""The word under which a question would be filed in an index. Knows a string and its language."""

from __future__ import annotations

import re

from synthesis.engines.composer.lexicon import word_class

_CLASSES = {"de": "german", "fr": "french", "es": "spanish"}
_WORD = re.compile(r"[^\W\d_]{4,}")
# Characters of questions and orders; what stands between them is mostly what is asked about.
_ASKING = re.compile(
    r"[的是了在和与为吗呢什么怎样如何哪几多少谁请写一个句用把被从到给我你他它她这那有没不说明解释翻译成介绍列出举关于话，。？！、：；“”\s]+"
)
_LEAST, _MOST = 2, 8


def keyword(question: str, answer: str, language: str) -> str:
    """One telling word of the question that the answer does not have; empty where there is none."""
    low = answer.casefold()
    if language == "zh":
        found = [part for part in _ASKING.split(question) if _LEAST <= len(part) <= _MOST]
    else:
        small = word_class(_CLASSES[language])
        found = [word for word in _WORD.findall(question) if word.casefold() not in small]
        if language == "de":  # nouns have capitals
            found = [word for word in found[1:] if word[0].isupper()] or found
    found = [word for word in found if word.casefold() not in low]
    return max(found, key=len, default="")
