"""Whether, and where, a text states an answer: the one place that says so.

Both are compared in their canonical terms (``synthesis.text.numbers.canonical_terms``), so number
words and digits, units, percent, dates in any order, accents, case, articles, light inflection and
punctuation make no difference. What counts:

- a phrase where its terms stand one behind the other, with or without what it has in brackets or
  quotation marks; a list also where each of its parts is told;
- numbers and dates where each of them is told, with what they count nearby. Less than was asked
  (no unit, no year) does not count, more (a unit, a day) does;
- nothing for an answer without a word.

A paraphrase is not recognised, nor is yes or no anything but the word. Knows nothing of scores.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, takewhile
from typing import Final

from synthesis.text.answers import listed, read_answer, variants
from synthesis.text.numbers import canonical_terms, canonical_terms_with_spans, keys
from synthesis.text.words import is_solid, split_words

_ORDINARY: Final = frozenset(split_words("yes no true false none unknown unanswerable"))
_WORD = re.compile(r"\w+")
_REACH: Final = 8  # terms on either side of a number among which that stands what it counts
_REACH_BYTES: Final = 160

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class AnswerForms:
    """What states an answer: any of ``wholes``; or a form of each of ``parts``, all ``counted`` near.

    Forms are terms with blanks around them, as a haystack has them.
    """

    wholes: tuple[bytes, ...] = ()
    parts: tuple[tuple[bytes, ...], ...] = ()
    counted: frozenset[bytes] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.wholes or self.parts)


def haystack(terms: Iterable[str]) -> bytes:
    """The canonical terms of a text as the forms of answers are looked for in them."""
    return f" {' '.join(terms)} ".encode("utf-8", "surrogatepass")


@lru_cache(maxsize=256)
def answer_forms(answer: str) -> AnswerForms:
    """What states an answer; false where nothing can, as it has no word."""
    taken = read_answer(answer)
    if taken.kind == "numeric":
        nouns = (term for term in taken.rest if not term[0].isdigit())
        counted = frozenset(term.encode("utf-8", "surrogatepass") for term in nouns)
        return AnswerForms(
            wholes=_forms((answer,)) if counted else (),
            parts=tuple(tuple(_form(key.split()) for key in keys(amount)) for amount in taken.amounts),
            counted=counted,
        )
    if taken.kind == "summary":
        return AnswerForms(wholes=_forms((answer,)))
    return AnswerForms(
        wholes=_forms(variants(answer)), parts=tuple(_forms(variants(part)) for part in listed(answer))
    )


def _forms(texts: Iterable[str]) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys(_form(found) for text in texts if (found := canonical_terms(text))))


def _form(terms: list[str]) -> bytes:
    # A single character of a script without blanks stands inside pairs of them.
    if len(terms) == 1 and len(terms[0]) == 1 and is_solid(terms[0]):
        return terms[0].encode("utf-8", "surrogatepass")
    return haystack(terms)


def states(text: str, answer: str) -> bool:
    """Whether a text states an answer. Both may be any texts."""
    wanted = answer_forms(answer)
    return bool(wanted) and stated_in(haystack(canonical_terms(text)), wanted)


def stated_in(words: bytes, wanted: AnswerForms) -> bool:
    """The same of a haystack, for those who look for many answers in one text."""
    if any(form in words for form in wanted.wholes):
        return True
    if not wanted.parts or not all(any(form in words for form in part) for part in wanted.parts):
        return False
    return not wanted.counted or wanted.counted <= _around(words, wanted)


def _around(words: bytes, wanted: AnswerForms) -> set[bytes]:
    """The terms that stand near any of the parts of an answer, with no other number between."""
    found: set[bytes] = set()
    for form in (form for part in wanted.parts for form in part):
        for start, end in _occurrences(words, form):
            before = words[max(0, start - _REACH_BYTES) : start].split(b" ")
            after = words[end : end + _REACH_BYTES].split(b" ")
            for near in (reversed(before[-_REACH:]), after[:_REACH]):
                found.update(takewhile(lambda term: not term.isdigit(), near))
    return found


def _occurrences(words: bytes, form: bytes) -> Iterator[Span]:
    # Terms next to each other share the blank between them.
    at = words.find(form)
    while at >= 0:
        yield at, at + len(form)
        at = words.find(form, at + max(1, len(form) - 1))


def places(text: str, answer: str) -> list[Span]:
    """Where a text states an answer: character spans, in order; none where it does not."""
    wanted = answer_forms(answer)
    found = list(canonical_terms_with_spans(text)) if wanted else []
    words = haystack(term for term, _, _ in found)
    if not found or not stated_in(words, wanted):
        return []
    forms = [form for form in wanted.wholes if form in words]
    forms = forms or [form for part in wanted.parts for form in part]
    # Where each term begins in the haystack, behind its blank.
    starts = list(
        accumulate((len(term.encode("utf-8", "surrogatepass")) + 1 for term, _, _ in found), initial=1)
    )
    spans = set()
    for form in forms:
        for start, end in _occurrences(words, form):
            first = bisect_right(starts, start + form.startswith(b" ")) - 1
            last = bisect_right(starts, end - 1 - form.endswith(b" ")) - 1
            spans.add((found[first][1], found[last][2]))
    return sorted(spans)


def is_ordinary(answer: str) -> bool:
    """Whether any text holds an answer by chance: yes, no, a choice letter, nothing at all."""
    plain = _WORD.findall(unicodedata.normalize("NFKC", answer).casefold())
    if len(plain) == 1 and (plain[0] in _ORDINARY or (len(plain[0]) == 1 and "a" <= plain[0] <= "z")):
        return True
    return not answer_forms(answer)


def answer_key(answer: str) -> str:
    """One string for all spellings of an answer; empty for an ordinary one."""
    if is_ordinary(answer):
        return ""
    wanted = answer_forms(answer)
    numeric = wanted.counted or not wanted.wholes
    forms = [b"".join(sorted(part)) for part in wanted.parts] if numeric else wanted.wholes[:1]
    return b"|".join((*forms, *sorted(wanted.counted))).decode("utf-8", "surrogatepass")
