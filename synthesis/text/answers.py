"""Which kind of answer this is, and what it consists of. Knows nothing of the texts that may state it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from synthesis.text.numbers import Quantity, quantities
from synthesis.text.sentences import sentences
from synthesis.text.words import split_words, terms

KINDS = ("span", "numeric", "yes/no", "summary")

_POLAR_WORDS = split_words(
    "yes no yeah nope true false oui non si sí sì ja nein doch nee sim não nao tak nie да нет evet "
    "hayır نعم لا हाँ नहीं 是 是的 不是 否 对 不对 不 はい いいえ 네 예 아니요 아니오"
)
# Words that may stand around a number without making the answer a phrase.
_HEDGES = frozenset(
    split_words(
        "about around approximately roughly nearly almost over under more less than at least most in on of "
        "by from to since until early late mid circa ca only exactly some it was were is are there total"
    )
)
_LONG = 25
_SUMMED_UP = 12  # terms of an answer where a summary is asked for
_POLAR_LENGTH = 20
_NUMERIC_LENGTH = 120
_MAX_NOUNS = 2


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer taken apart.

    ``parts`` are the term sequences that must be found, each with its alternatives (a
    list answer has several parts); ``amounts`` are its numbers and dates; ``sentences``
    are the term lists of a summary's sentences; ``rest`` are terms beside the amounts.
    """

    text: str
    kind: str
    terms: tuple[str, ...]
    parts: tuple[tuple[tuple[str, ...], ...], ...] = ()
    amounts: tuple[Quantity, ...] = ()
    rest: tuple[str, ...] = ()
    sentences: tuple[tuple[str, ...], ...] = ()


def _bare(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text.casefold()).strip()


_POLAR = frozenset(map(_bare, _POLAR_WORDS))


def _outside(text: str, amounts: tuple[Quantity, ...]) -> str:
    pieces, last = [], 0
    for amount in amounts:
        pieces.append(text[last : amount.start])
        last = amount.end
    return " ".join([*pieces, text[last:]])


def _is_numeric(text: str, amounts: tuple[Quantity, ...]) -> bool:
    """A number or date, perhaps hedged, perhaps followed by what is counted."""
    if not amounts:
        return False
    before = re.findall(r"[^\W\d_]+", text[: amounts[0].start])
    if any(word.casefold() not in _HEDGES and word.casefold() not in ("the", "a") for word in before):
        return False
    after = re.findall(r"[^\W\d_]+", _outside(text, amounts)[amounts[0].start :])
    nouns = [w for w in after if w.casefold() not in _HEDGES and w.casefold() not in ("the", "and", "a")]
    return len(nouns) <= _MAX_NOUNS and not any(w[0].isupper() for w in nouns)


def kind_of(text: str) -> str:
    """``span``, ``numeric``, ``yes/no`` or ``summary``."""
    return _kind(text, len(terms(text)), _amounts(text))


def _amounts(text: str) -> tuple[Quantity, ...]:
    """The numbers and dates of a text that is short enough to be one of them."""
    return tuple(quantities(text)) if len(text) < _NUMERIC_LENGTH else ()


def _kind(text: str, length: int, amounts: tuple[Quantity, ...]) -> str:
    if len(text) < _POLAR_LENGTH and _bare(text) in _POLAR:
        return "yes/no"
    if _is_numeric(text, amounts):
        return "numeric"
    return "summary" if length > _LONG else "span"


# Each is tried once at a place from which it cannot be tried again, however many marks there are.
_BRACKETED = re.compile(r"(?<!\s)\s*\([^()]*\)")
_NICKNAME = re.compile(r"(?:\"[^\"”]*[\"”]|“[^\"“”]*[\"”])\s*")
_MARKER = re.compile(r"\s*(?:\d{1,3}[.)]|[-*•–])\s+")
_BETWEEN = re.compile(r"[,;、，](?:\s*(?:and|or)(?=\s))?|\sand(?=\s)")


def variants(text: str) -> tuple[str, ...]:
    """The texts that name the same thing: with and without brackets and nicknames."""
    return tuple(dict.fromkeys((text, _BRACKETED.sub("", text), _NICKNAME.sub("", text))))


def listed(text: str) -> tuple[str, ...]:
    """The parts of a list of two or more, which may be told in several places; else nothing.

    Of an answer of several lines each line is a part, without the number or dot it begins with; of
    several sentences, each of them.
    """
    lines = tuple(line for line in map(_unmarked, text.splitlines()) if terms(line))
    if len(lines) < 2:
        lines = tuple(text[a:b] for a, b in sentences(text) if len(terms(text[a:b])) > 1)
    pieces = lines if len(lines) > 1 else tuple(piece for piece in _BETWEEN.split(text) if terms(piece))
    return pieces if 1 < len(pieces) <= _LONG else ()


def _unmarked(line: str) -> str:
    # At the beginning alone: looked for everywhere, blanks would be walked over once for each of them.
    marker = _MARKER.match(line)
    return line[marker.end() :] if marker else line


def _alternatives(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(dict.fromkeys(form for one in variants(text) if (form := tuple(terms(one)))))


def read_answer(text: str, summary: bool = False) -> Answer:
    """Take an answer apart; any text is accepted, an empty one is a ``span`` without parts.

    ``summary``: a summary was asked for, so that a few sentences are one already.
    """
    pieces = [terms(text[a:b]) for a, b in sentences(text)]
    flat = tuple(term for piece in pieces for term in piece)
    amounts = _amounts(text)
    kind = _kind(text, len(flat), amounts)
    if summary and kind == "span" and len(flat) >= _SUMMED_UP:
        kind = "summary"
    if kind == "summary":
        told = (tuple(dict.fromkeys(piece)) for piece in pieces)
        return Answer(text, kind, flat, sentences=tuple(t for t in told if len(t) > 2))
    if kind == "numeric":
        rest = tuple(t for t in terms(_outside(text, amounts)) if t not in _HEDGES)
        return Answer(text, kind, flat, amounts=amounts, rest=rest)
    return Answer(text, kind, flat, parts=tuple(map(_alternatives, (text, *listed(text)))) if flat else ())
