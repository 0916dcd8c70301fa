"""What of a question is asked of the answer itself, and what names the thing that it starts from. English.

"Who wrote the film that Anna Berg shot?": of the answer is asked that it wrote, less so a film; the
question starts from Anna Berg. Knows nothing of contexts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from synthesis.coherence.background import COMMON_WEIGHT, FUNCTION_WEIGHT, weight
from synthesis.text.words import split_words, terms

_TOKEN = re.compile(r"[^\W_][\w'’.-]*|[?!.,;:\"“”()]")
_ASKING = frozenset(
    word + rest
    for word in split_words("who whom whose which what when where how why")
    for rest in ("", "'s", "’s")
)
_HELPING = frozenset(split_words("is was are were did does do has have had can could will would"))
_ARTICLES = ("the", "a", "an")
_STARTS_WITHIN = 2  # words before the one that asks, for it to open the question
_HEAD, _HEAD_BEHIND = 5, 4  # words that may name the kind: of "which ...", of "who is the ..."
_VERB_WITHIN = 6
_FADE = 2  # what stands so many words further counts half
_HALF_A_NAME = 0.5


class Focus(NamedTuple):
    """Terms with their weights.

    ``near`` is asked of the answer, more the nearer it stands to the word that asks; ``kind`` are the
    words that say what it should be ("which Swiss driver"); ``start`` are the names that the question starts
    from, or its rarer words where it is written without capitals.
    """

    near: dict[str, float]
    kind: frozenset[str]
    start: dict[str, float]


class _Word(NamedTuple):
    lower: str
    terms: Sequence[str]
    name: bool
    small: bool

    @property
    def tells(self) -> bool:
        return not (self.name or self.small)


@lru_cache(maxsize=64)
def read_focus(question: str) -> Focus:
    """Any text is accepted, an empty one too."""
    words = _words(question)
    asking = [place for place, word in enumerate(words) if word.lower in _ASKING]
    near: dict[str, float] = {}
    kind: list[str] = []
    if asking:
        opens = asking[0] <= _STARTS_WITHIN
        at = asking[0] if opens else asking[-1]
        behind = words[at + 1 :]
        _count(near, behind)
        if not opens:
            _count(near, words[:at][::-1])
        kind = _kind(words[at].lower, behind)
        _count(near, _last_words(behind), fade=False)
    else:
        _count(near, words, fade=False)
    start = {
        term: max(weight(term), _HALF_A_NAME)
        for word in words
        if word.name
        for term in word.terms
        if weight(term) > FUNCTION_WEIGHT
    }
    if not start:
        rare = (term for word in words for term in word.terms if weight(term) > COMMON_WEIGHT)
        start = {term: weight(term) for term in rare if term not in kind}
    return Focus(near, frozenset(term for term in kind if weight(term) > FUNCTION_WEIGHT), start)


def _words(question: str) -> list[_Word]:
    found, before = [], "."
    for token in _TOKEN.findall(question):
        if token[0].isalnum():
            held = terms(token)
            name = (token[0].isupper() and before not in ".!?") or token[0].isdigit()
            name = name and token.lower() not in _ASKING
            small = all(weight(term) <= FUNCTION_WEIGHT for term in held)
            found.append(_Word(token.lower(), held, name, small))
        before = token
    return found


def _count(near: dict[str, float], words: Sequence[_Word], fade: bool = True) -> None:
    told = (word for word in words if word.tells)
    for place, word in enumerate(told):
        for term in word.terms:
            value = max(weight(term), COMMON_WEIGHT) / (1 + place / _FADE if fade else 1)
            near[term] = max(near.get(term, 0.0), value)


def _kind(asks: str, behind: Sequence[_Word]) -> list[str]:
    """The terms of "which *Swiss driver* finished", "who is the *operator* of"."""
    if asks not in ("which", "what", "who"):
        return []
    place, found = 0, list[str]()
    if asks != "who":
        while place < min(_HEAD, len(behind)) and not behind[place].small:
            found += behind[place].terms
            place += 1
    if found or place >= len(behind) or behind[place].lower not in _HELPING:
        return found
    rest = behind[place + 1 :]
    while rest and rest[0].lower in _ARTICLES:
        rest = rest[1:]
    for word in rest[:_HEAD_BEHIND]:
        if word.small:
            break
        found += word.terms
    return found


def _last_words(behind: Sequence[_Word]) -> Sequence[_Word]:
    """As in "when was the director of Blue *born*": what stands behind the last name."""
    if not any(word.lower in _HELPING for word in behind[:_VERB_WITHIN]):
        return ()
    names = [place for place, word in enumerate(behind) if word.name]
    return behind[names[-1] + 1 :] if names else ()
