"""Whether a comparison, or a yes or no, follows from what the context states of its two sides.

Where one of the values cannot be read, nothing is decided. Knows nothing of scores.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from typing import NamedTuple

from synthesis.coherence.facts import values
from synthesis.coherence.facts.amounts import Amount, amounts
from synthesis.coherence.facts.asked import Asked, held, read
from synthesis.coherence.facts.denied import claimed, denied, negated, taken_back
from synthesis.coherence.facts.passages import GOES_ON, Passages, Said, spaced
from synthesis.coherence.facts.values import countries_in
from synthesis.coherence.facts.verbs import base
from synthesis.text.answers import Answer
from synthesis.text.words import split_words, terms, terms_with_spans

_YES = frozenset(split_words("yes yeah true oui si sí sì ja sim da да はい 是 是的 对"))
_LEAST = 3  # terms that a question must have for one sentence to answer it
_FIRST = 8  # sentences about a side in which what is said of it may stand


class Decision(NamedTuple):
    """``follows``: the answer follows (True), the opposite does (False), or it can't be told (None).

    ``known`` is how many of the two sides' values were found. ``sure`` is False where it was told by
    words that one side has and the other has not. ``places`` are where the values stand.
    """

    follows: bool | None
    known: int
    sure: bool
    why: str
    places: tuple[tuple[int, int], ...] = ()


def decide(passages: Passages, question: str, answer: Answer) -> Decision | None:
    """None where the question compares nothing."""
    polar = answer.kind == "yes/no"
    asked = read(question, polar, passages.titles)
    if asked is None:
        return None
    said = re.sub(r"\W+", "", answer.text.casefold()) in _YES
    if polar and asked.form in ("one", "same"):
        # One sentence may say it outright.
        one = _one(passages, held(question))
        if one is not None:
            return one._replace(follows=(one.follows is not asked.negated) == said)
        if asked.form == "one":
            return None
    hints = frozenset(spaced(question).split()).difference(*(side.split() for side in asked.sides))
    subjects = [_about(passages, side, asked.role, hints) for side in asked.sides]
    about = [told for _, told in subjects]
    if polar:
        found = _polar(passages, asked, about)
        if asked.form == "both" and found.follows is None:
            # One thing may have two names in it: "the model of A and B".
            found = _one(passages, held(question)) or found
        if (asked.what in ("country", "continent") or not found.sure) and not all(
            _opened(*subject) for subject in subjects
        ):
            why = "a passage lacks its opening, so that what it tells may be of other things"
            return found._replace(follows=None, sure=False, why=why)
        return found._replace(follows=None if found.follows is None else found.follows == said)
    mine = spaced(answer.text)
    if not mine.strip():
        return None
    chosen = [mine == side or mine in side or side in mine for side in asked.sides]
    if chosen[0] == chosen[1]:
        # Neither side, or both: no verdict of this question.
        return Decision(False, 0, asked.form == "order", "the answer is neither of them")
    found = _order(passages, asked, about) if asked.form == "order" else _which(passages, asked, about)
    return found._replace(follows=None if found.follows is None else found.follows == chosen[0])


def _about(passages: Passages, side: str, role: str, hints: frozenset[str]) -> tuple[str, list[Said]]:
    """A side, or who made it, and the sentences about that which mean what they tell."""
    own = _meant(passages, passages.about(side, hints))
    if not role:
        return side, own
    for name in values.makers(_shown(passages, own), role):
        if found := _meant(passages, passages.about(spaced(name))):
            return spaced(name), found
    return side, []


def _meant(passages: Passages, told: Sequence[Said]) -> list[Said]:
    return [one for one in told if not taken_back(passages.text, one.start, one.end)]


def _opened(subject: str, told: Sequence[Said]) -> bool:
    """Whether the first sentence names its subject.

    A passage that has lost its opening goes on to name countries, but of this and that.
    """
    words = subject.split()
    return bool(told) and 2 * sum(f" {word} " in told[0].words for word in words) >= len(words)


def _shown(passages: Passages, told: Sequence[Said]) -> list[str]:
    """The sentences as they are written, without what they put another thing in the place of."""
    return [claimed(passages.shown(sentence)) for sentence in told]


def _date(told: list[str], what: str) -> values.Day | int | None:
    if what == "birth":  # a bridge may be older than another, too
        return values.birth(told) or values.start(told, "found")
    if what == "death":
        return values.death(told)
    if what == "life":
        born, died = values.birth(told), values.death(told)
        return died[0] - born[0] if born and died else None
    return values.start(told, what)


def _places(told: Sequence[Sequence[Said]]) -> tuple[tuple[int, int], ...]:
    return tuple((s[0].start, s[0].end) for s in told if s)


def _order(passages: Passages, asked: Asked, about: list[list[Said]]) -> Decision:
    """``follows`` here: it is the first side."""
    first, second = (_date(_shown(passages, told), asked.what) for told in about)
    known = (first is not None) + (second is not None)
    if first is None or second is None or first == second:
        return Decision(None, known, True, f"the two {asked.what} dates were not both found")
    smaller = first < second  # type: ignore[operator]
    why = f"{_said(first)} and {_said(second)} were compared"
    return Decision(smaller != asked.most, known, True, why, _places(about))


def _more(passages: Passages, amount: Amount, about: list[list[Said]]) -> Decision | None:
    """``follows`` here: it is the first side. None where no amount is told of either ("more famous")."""
    first, second = (amounts(_shown(passages, told), amount) for told in about)
    if not first and not second:
        return None
    unit = next((unit for unit in first if unit in second and first[unit] != second[unit]), None)
    if unit is None:
        return Decision(None, bool(first) + bool(second), False, "the two amounts were not both found")
    why = f"{first[unit]} and {second[unit]} {unit}".rstrip() + " were compared"
    return Decision((first[unit] > second[unit]) == amount.most, 2, True, why, _places(about))


def _said(value: values.Day | int) -> str:
    return str(value if isinstance(value, int) else value[0])


def _polar(passages: Passages, asked: Asked, about: list[list[Said]]) -> Decision:
    """``follows`` here: it is yes."""
    if asked.form == "both":
        return _both(passages, asked, about)
    told = [_shown(passages, one) for one in about]
    found: list[frozenset[str]] = []
    for one, side in zip(told, asked.sides, strict=True):
        if asked.what == "country":
            found.append(values.country(one))
        elif asked.what == "continent":
            found.append(values.continent(one))
        elif asked.what in ("birth", "death", "release", "publish", "found"):
            day = _date(one, asked.what)
            found.append(frozenset() if day is None or isinstance(day, int) else frozenset((str(day[0]),)))
        elif asked.what:
            found.append(frozenset(spaced(n) for n in values.makers(one, asked.what)[:2]))
        else:
            found.append(values.names(one, side))
    known = sum(map(bool, found))
    if known < 2:
        return Decision(None, known, True, "the two values were not both found")
    same = bool(found[0] & found[1])
    shown = " and ".join(", ".join(sorted(f)).strip() or "nothing" for f in found)
    sure = bool(asked.what)
    why = f"{shown} were compared" if sure else "the names told of each were compared"
    return Decision(same != asked.negated, known, sure, why, _places(about))


def _one(passages: Passages, asked: Sequence[str]) -> Decision | None:
    """``follows`` here: it is yes. One sentence (with what it goes on from) must hold all that is asked."""
    wanted = set(map(base, asked))
    if len(wanted) < _LEAST:
        return None
    before: set[str] = set()
    for sentence in passages.sentences:
        words = set(map(base, sentence.words.split()))
        goes_on = bool(GOES_ON.match(passages.text, sentence.start))
        if wanted <= (words | before if goes_on else words):
            denies = denied(passages.text, sentence.start, _said_by(passages, sentence, wanted), sentence.end)
            why = "one sentence denies it" if denies else "one sentence says it"
            return Decision(not denies, 1, True, why, ((sentence.start, sentence.end),))
        before = words
    return None


def _said_by(passages: Passages, sentence: Said, wanted: Set[str]) -> int:
    """Up to where a sentence has told all that is wanted of it, as a place in the text."""
    ends = (end for term, _, end in terms_with_spans(passages.shown(sentence)) if base(term) in wanted)
    return sentence.start + max(ends, default=0)


def _share(passages: Passages, held: Sequence[str], told: Sequence[Said]) -> float:
    """How much of what is said stands in one sentence about a side, negated sentences left out."""
    wanted = set(countries_in(held))
    plain = [t for t in held if not countries_in((t,))]
    total = len(plain) + len(wanted)
    if not total:
        return 0.0
    decades = {t[:3] for t in plain if re.fullmatch(r"\d{3}0s?", t)}
    best = 0.0
    for said in _shown(passages, told[:_FIRST]):
        if negated(said):
            continue
        sequence = terms(said)
        words = set(sequence)
        there = wanted & set(countries_in(sequence))
        years = {w[:3] for w in words if re.fullmatch(r"\d{4}s?", w)} & decades
        told_of = sum(t in words or t[:3] in years for t in plain) + len(there)
        best = max(best, told_of / total)
    return best


def _both(passages: Passages, asked: Asked, about: list[list[Said]]) -> Decision:
    shares = [_share(passages, asked.held, told) for told in about]
    known = sum(map(bool, about))
    if known < 2 or not asked.held:
        return Decision(None, known, False, "the two sides were not both found")
    why = "what is said of the two was looked for with each"
    if min(shares) >= 1:
        return Decision(True, known, True, why, _places(about))
    if min(shares) >= 0.5:
        return Decision(True, known, False, why, _places(about))
    if max(shares) >= 1:
        return Decision(False, known, False, why, _places(about))
    return Decision(None, known, False, why)


def _which(passages: Passages, asked: Asked, about: list[list[Said]]) -> Decision:
    """``follows`` here: it is the first side."""
    if asked.amount is not None and (found := _more(passages, asked.amount, about)) is not None:
        return found
    first, second = (_share(passages, asked.held, told) for told in about)
    known = sum(map(bool, about))
    if known < 2 or abs(first - second) < 0.34:
        return Decision(None, known, False, "neither side stands out")
    return Decision(first > second, known, False, "what is asked was looked for with each", _places(about))
