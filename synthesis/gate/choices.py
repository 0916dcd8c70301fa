"""What a question offers to choose from, and which of it a reply chooses. Mostly English.

A reply that names all that is offered has chosen nothing, nor has one that only says what it is not. Knows
nothing of what else an answer may be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from synthesis.text.numbers import canonical_terms
from synthesis.text.sentences import sentences
from synthesis.text.words import split_words

_LONGEST: Final = 20_000  # characters of a question or reply that are looked at
_MOST: Final = 26
_GLANCE: Final = 20  # characters behind a clause that tell how it goes on
_LABEL = re.compile(r"(?:^|(?<=\s))\(?([A-Za-z]|\d{1,2})[).:]\s+(?=\S)")
_BULLET = re.compile(r"^\s*[-*•–]\s+(?=\S)", re.MULTILINE)
_OR = re.compile(
    r"\s*,?\s+or\s+(?:(?:is|was|did|does|by|in|to|with|of)\s+(?:it\s+)?)?|\s*/\s*", re.IGNORECASE
)
_AND = re.compile(r"\s*,?\s+and\s+|\s*,\s+", re.IGNORECASE)
_COMMA = re.compile(r"\s*,\s+")
_HEAD = re.compile(r"^.*(?:[:;—]|\b(?:either|whether|between|among)\b)\s*", re.IGNORECASE | re.DOTALL)
_ASKING = re.compile(
    r"\A\s*(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should)\s+(?:it\s+)?",
    re.IGNORECASE,
)
_OF = re.compile(
    r"\b(?:which|who|whom|what|one|two) (?:one )?of(?: the two)?[:,]?\s+|\bbetween\s+|\bout of\s+",
    re.IGNORECASE,
)
_ASKS = re.compile(r"\b(?:who|whom|whose|which|what|when|where|why|how)\b", re.IGNORECASE)
_CAPITALS = re.compile(
    r"[A-Z0-9“\"][^\s,]*(?:\s+(?:(?:of|the|de|von|van|and|for|in)\s+)?[A-Z0-9“\"][^\s,]*)*"
)
_SPARE: Final = 2  # words that may stand around an option that is taken whole
_ALL = frozenset(("both", "both of them", "both are", "all", "all of them", "all of the above", "all three"))
_SMALL = frozenset(
    split_words("the a an of in on at to for by and or it is was he she his her its from with")
)

# What bounds a clause, what of one is denied, and behind what stands only what is compared with.
_BORDER = re.compile(
    r"[,;:()—\n]|\s-\s|\b(?:but|so|therefore|thus|hence|while|whereas|although|though)\b", re.I
)
_DENIED = re.compile(r"\b(?:not|never|neither|nor|cannot)\b|n['’]t\b", re.IGNORECASE)
_BESIDE = re.compile(
    r"\b(?:rather than|instead of|as opposed to|unlike|than|before|after|over|compared|without)\b",
    re.IGNORECASE,
)
_ENDS = re.compile(
    r"\b(?:so|therefore|thus|hence|in conclusion|which means|answer is|answer:)(?=\W|$)", re.IGNORECASE
)
# An option alone decides at the end of a sentence, or where its reason follows.
_REASON = re.compile(r"\W*(?:\Z|(?:since|because|as|not|given|for|who|which)\b)", re.IGNORECASE)
_RANKS = re.compile(r"(?:\w{3,}er|\w{3,}est|first|last|1st|more|most|less|least|worse|better|best|worst)\Z")
_NEITHER_WORD = frozenset(split_words("other either neither whether never their after after all another"))


# A label as a reply names it: alone in its clause, as "option B", or as "the answer is B".
_NAMED_LABEL = re.compile(
    r"\s*(?:(?:the )?(?:correct |right )?(?:answer|option|choice)(?: is)?\s*)?([A-Z]|\d{1,2})[.\s*]*\Z"
    r"|.*\b(?:answer is|answer:|option|choice)\s+([A-Z]|\d{1,2})\b",
    re.DOTALL | re.IGNORECASE,
)


class OfferedChoice(NamedTuple):
    """What a question offers: ``options`` as it writes them, and the place of the right one (-1: all).

    ``labels`` are what the options are called, if anything: A, B, C.
    """

    options: tuple[str, ...]
    right: int
    labels: tuple[str, ...] = ()


def offer_of(question: str, answer: str) -> OfferedChoice | None:
    """What a question offers to choose from, if the answer is one of it, its label, or all of it."""
    wanted = canonical_terms(answer)
    if len(question) > _LONGEST:
        return None
    question = _plain(question)
    marks = list(_LABEL.finditer(question))
    labels = tuple(one[1].casefold() for one in marks)
    if len(labels) > 1 and _in_turn(labels):
        options = _between(question, [(one.start(), one.end()) for one in marks])
        named = answer.strip().strip(".():").casefold()
        held = [n for n, option in enumerate(options) if wanted == canonical_terms(option)]
        if named in labels or len(held) == 1:
            return OfferedChoice(options, labels.index(named) if named in labels else held[0], labels)
    if not wanted:
        return None
    everything = " ".join(answer.casefold().split()).strip(" .!") in _ALL
    for options in _lists(question, answer):
        if everything:
            apart = [one for one in options if one.split()[0].casefold() not in ("both", "all", "neither")]
            return OfferedChoice(tuple(apart), -1) if len(apart) > 1 else None
        held = [n for n, option in enumerate(options) if _has(canonical_terms(option), wanted)]
        if len(held) == 1:
            return OfferedChoice(options, held[0])
    return None


def _plain(text: str) -> str:
    """A text without runs of blanks, which some patterns would walk over again and again."""
    return re.sub(r"\n{3,}", "\n\n", "\n".join(" ".join(line.split()) for line in text.splitlines()))


def _has(terms: Sequence[str], wanted: Sequence[str]) -> bool:
    return f" {' '.join(wanted)} " in f" {' '.join(terms)} "


def _lists(question: str, answer: str) -> Iterator[tuple[str, ...]]:
    """The lists of options that a question may mean, the plainest first."""
    bullets = list(_BULLET.finditer(question))
    if len(bullets) > 1:
        yield _between(question, [(one.start(), one.end()) for one in bullets])
    for start, end in sentences(question):
        said = question[start:end].strip().rstrip("?.! ")
        if _OR.search(said):
            yield from _alternatives(said, answer)
        for found in islice(_OF.finditer(said), 3):
            pieces = [piece for piece in _AND.split(said[found.end() :]) if piece.strip()]
            if len(pieces) > 1:
                yield _trimmed(pieces[:_MOST], answer)


def _in_turn(labels: Sequence[str]) -> bool:
    """Whether labels are A, B, C or 1, 2, 3."""
    numbers = [int(one) if one.isdigit() else ord(one.casefold()) - ord("a") + 1 for one in labels]
    return numbers == list(range(1, len(numbers) + 1))


def _between(text: str, marks: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    """What stands behind each mark, up to the next one or the end of its paragraph."""
    ends = [*(start for start, _ in marks[1:]), len(text)]
    told = (text[start:end] for (_, start), end in zip(marks, ends, strict=True))
    return tuple(one.partition("\n\n")[0].strip().strip(";,").strip() for one in told)


def _alternatives(said: str, answer: str) -> Iterator[tuple[str, ...]]:
    """The pieces around the last "or" of a sentence, and those before it that commas join to them."""
    pieces = _OR.split(said)
    opening = _ASKING.sub("", _HEAD.sub("", pieces[0]) or pieces[0], count=1)
    *before, first = _COMMA.split(opening)
    found = [first, *pieces[1:]]
    for piece in reversed(before):
        if _ASKS.search(piece):
            break
        found.insert(0, piece)
    # What is asked may stand behind: "Was it A or B, and when?"
    found[-1] = _COMMA.split(found[-1])[0]
    yield _trimmed([piece for piece in found if piece.strip()][-_MOST:], answer)


def _trimmed(pieces: Sequence[str], answer: str) -> tuple[str, ...]:
    """Options without what else the first and the last of the pieces hold."""
    size = len(answer.split())
    options = list(pieces)
    for place in {0, len(pieces) - 1}:
        words = pieces[place].split()
        runs = list(_CAPITALS.finditer(pieces[place])) if answer[:1].isupper() else []
        if runs and (len(words) > size + _SPARE or runs[-1 if place == 0 else 0].start() > 0):
            # A verb that opens a question has a capital letter, too, and no option behind it is lower.
            options[place] = runs[-1][0] if place == 0 else runs[0][0]
        elif len(words) > size + _SPARE:
            options[place] = " ".join(words[-size:] if place == 0 else words[:size])
    return tuple(options)


def chooses(reply: str, offer: OfferedChoice, question: str) -> bool | None:
    """Whether a reply chooses what is right; None where the options cannot be told apart by their words."""
    reading = _Reading(_plain(reply[:_LONGEST]), offer, question)
    return reading.choice() == offer.right if reading.readable else None


class _Clause(NamedTuple):
    """A part of a sentence, behind its ``border``, and the options it takes.

    ``bare``: it is one option and no more. ``takes_all``: it joins all of them. ``after``: how it goes on.
    """

    said: str
    border: str
    named: frozenset[int]
    bare: bool
    takes_all: bool
    after: str


class _Reading:
    """A reply, with the options that its clauses take."""

    def __init__(self, reply: str, offer: OfferedChoice, question: str) -> None:
        self._reply = reply
        told = [{t for t in canonical_terms(option) if t not in _SMALL} for option in offer.options]
        shared = {
            t for n, one in enumerate(told) for m, other in enumerate(told) if n != m for t in one & other
        }
        self._telling = [one - shared for one in told]
        self._labels = offer.labels
        self._ranks = {t for t in canonical_terms(question) if _RANKS.match(t) and t not in _NEITHER_WORD}
        options = set[str]().union(*told)
        self._ranks -= options
        self._options = options

    @property
    def readable(self) -> bool:
        """Whether each option has a word of its own, or a label."""
        return all(self._telling) or bool(self._labels)

    def choice(self) -> int | None:
        """The place of the option that is chosen, -1 for all of them, None for nothing."""
        read = [self._clauses(self._reply[a:b]) for a, b in sentences(self._reply)]
        single = [clause for clauses in read for clause in clauses if len(clause.named) == 1]
        for rule in (self._ends, self._ranked, self._bare):
            decided = {option for clause in single if rule(clause) for option in clause.named}
            if len(decided) == 1:
                return decided.pop()
        every = {option for clause in single for option in clause.named}
        if len(every) == 1:
            return every.pop()
        of_all = any(clause.takes_all for clauses in read for clause in clauses)
        return -1 if not every and of_all else None

    @staticmethod
    def _ends(clause: _Clause) -> bool:
        return bool(_ENDS.search(clause.border + clause.said))

    def _ranked(self, clause: _Clause) -> bool:
        return not self._ranks.isdisjoint(canonical_terms(clause.said))

    @staticmethod
    def _bare(clause: _Clause) -> bool:
        return clause.bare and bool(_REASON.match(clause.after))

    def _clauses(self, said: str) -> list[_Clause]:
        """The clauses of a sentence with the options that each takes; lists of options are one clause."""
        found: list[_Clause] = []
        borders = [*_BORDER.finditer(said), None]
        start, border = 0, ""
        for one in borders:
            clause = said[start : one.start() if one else len(said)]
            beside = _BESIDE.search(clause)
            kept = clause[: beside.start()] if beside else clause
            named = set() if _DENIED.search(kept) else self._named(kept)
            rest = [term for term in canonical_terms(kept) if term not in self._options | _SMALL]
            if len(named) > 1:
                # What commas join to a list is part of it: "A, B and C".
                while found and found[-1].bare and border.strip() == ",":
                    named |= found[-1].named
                    border = found.pop().border
            takes_all = len(named) == len(self._telling) > 1 and not _OR.search(f" {kept} ")
            after = said[one.start() : one.start() + _GLANCE] if one else ""
            found.append(
                _Clause(kept, border, frozenset(named), len(named) == 1 and not rest, takes_all, after)
            )
            if one:
                start, border = one.end(), one[0]
        return found

    def _named(self, clause: str) -> set[int]:
        held = set(canonical_terms(clause))
        label = _NAMED_LABEL.match(clause) if self._labels else None
        if label and (called := (label[1] or label[2]).casefold()) in self._labels:
            return {self._labels.index(called)}
        return {n for n, own in enumerate(self._telling) if own and 2 * len(own & held) >= len(own)}
