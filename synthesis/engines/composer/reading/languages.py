"""Which language a text is in, of those the composer can write: by script and function words.

A closed class of small words for each language is enough for a question of a few words; nothing
is learnt and nothing is loaded. Knows languages that it can tell but not write, so that Italian is
not taken for Spanish.
"""

from __future__ import annotations

import re
from functools import cache

from synthesis.engines.composer.lexicon import word_class

#: The languages whose sentences we have, beside English.
WRITTEN = ("de", "fr", "es", "zh")

_CLASSES = {
    "en": "english",
    "de": "german",
    "fr": "french",
    "es": "spanish",
    "it": "italian",
    "pt": "portuguese",
    "nl": "dutch",
}
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_KANA_OR_HANGUL = re.compile(r"[\u3040-\u30ff\uac00-\ud7af]")
# Letters that one of the languages has and the others with the same words mostly have not.
_LETTERS = (("de", "ßäöü"), ("fr", "êçœâîôûëï"), ("es", "¿¡ñ"), ("pt", "ãõ"))
_SAMPLE = 2000


@cache
def _words(language: str) -> frozenset[str]:
    return word_class(_CLASSES[language])


def language_of(text: str) -> str:
    """``en``, ``de``, ``fr``, ``es`` or ``zh``; empty for any other and where nothing tells.

    Latin script without any word or letter that tells counts as English when it is plain ASCII.
    """
    sample = text[:_SAMPLE].casefold()
    letters = sum(map(str.isalpha, sample))
    if not letters:
        return "en" if sample.strip() else ""
    if len(_HAN.findall(sample)) * 2 > letters and not _KANA_OR_HANGUL.search(sample):
        return "zh"
    if sum(1 for char in sample if char.isalpha() and char < "ɐ") * 2 < letters:
        return ""
    tokens = [part for word in _WORD.findall(sample) for part in _parts(word)]
    counts = {language: sum(token in _words(language) for token in tokens) for language in _CLASSES}
    for language, marks in _LETTERS:
        counts[language] += any(mark in sample for mark in marks)
    best = max(counts, key=lambda language: counts[language])
    if not counts[best]:
        return "en" if sample.isascii() else ""
    return best if best == "en" or best in WRITTEN else ""


def _parts(word: str) -> tuple[str, ...]:
    """A word, and both sides of an elision: ``l'Australie`` has an article of French."""
    head, mark, tail = word.replace("’", "'").partition("'")
    return (word, head + "e" if head in ("l", "d", "qu", "c", "n", "j") else head, tail) if mark else (word,)
