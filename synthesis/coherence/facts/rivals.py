"""Which of the names or figures of a context is asked for: the answer beside the others of its kind.

Each candidate is described by where it stands (how much of what is asked its sentence, its passage and a
sentence that leads to its passage hold) and by its shape beside the question's word. What these weigh is
fitted (``verifier.json``, made by ``scripts/train_verifier.py``). Knows nothing of the score's other parts.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from operator import mul

from synthesis.coherence.background import COMMON_WEIGHT, weight
from synthesis.coherence.facts.candidates import Candidate
from synthesis.coherence.facts.field import Field
from synthesis.coherence.facts.values import countries_in
from synthesis.text.words import terms

_ALONE = 1.0  # log-odds of an answer that nothing else stands beside
MOST = 24  # candidates that are compared
_LOOKED_AT, _AROUND = 8, 24  # places of one, and characters on either side of each
_QUOTES = ('"', "“")

_THINGS = {
    "person": "actor|actress|singer|player|director|author|writer|king|queen|president|person|man|woman|poet|"
    "artist|member|star|comedian|rapper|character|driver|explorer|politician|musician|composer|wife|husband|"
    "father|mother|son|daughter|brother|sister|coach",
    "time": "year|date|day|month|century|decade",
    "place": "country|city|state|town|county|place|village|island|nation|region|province|continent|location|"
    "district|river|mountain",
    "count": "number",
    "work": "film|movie|song|album|book|novel|series|show|play|magazine|single|game|poem|opera|episode",
    "group": "company|band|team|club|organi[sz]ation|group|school|university|college|party|league|network|"
    "label|agency|army|airline",
}
_OUTRIGHT = {
    "person": r"who|whom|whose",
    "time": "when",
    "place": "where",
    "count": "how (?:many|much|long|old|far|tall|big|large|high)",
}


def _cue(kind: str, things: str) -> re.Pattern[str]:
    outright = f"{_OUTRIGHT[kind]}|" if kind in _OUTRIGHT else ""
    return re.compile(rf"\b(?:{outright}(?:which|what)\b[^,?]{{0,50}}\b(?:{things}))\b", re.IGNORECASE)


_ASKS = tuple((kind, _cue(kind, things)) for kind, things in _THINGS.items())
ASKS = ("person", "time", "place", "count", "work", "group", "other")
_BEFORES = {
    "place": "in at near from",
    "with": "with",
    "maker": "by actor actress director singer",
    "of": "of",
    "and": "and",
    "called": "called named",
    "is": "is was are were",
    "to": "to",
    "as": "as",
    "on": "on",
    "for": "for",
}
_BEFORE = {word: kind for kind, words in _BEFORES.items() for word in words.split()}
_SHAPES = (
    "one word", "two words", "three words", "more words", "opens a sentence only", "common word", "country",
    "title", "quoted", "brackets behind", "comma behind", "full date", "year", "small figure", "large figure",
    "several times",
    "asked before",
    "asked behind", *(f"after {name}" for name in _BEFORES),
)  # fmt: skip
_STANDING = ("sentence", "sentence and title", "passage", "led to", "nearness")
FEATURES = (*_STANDING, *_SHAPES)
_PLACE = {shape: place for place, shape in enumerate(_SHAPES)}
_LENGTH = tuple(_PLACE[name] for name in ("one word", "two words", "three words", "more words"))
_AFTER = {word: _PLACE[f"after {kind}"] for word, kind in _BEFORE.items()}
_COMMON, _COUNTRY, _TITLE, _SEVERAL = (
    _PLACE[name] for name in ("common word", "country", "title", "several times")
)
_OPENS, _ASKED_BEFORE, _ASKED_BEHIND = (
    _PLACE[name] for name in ("opens a sentence only", "asked before", "asked behind")
)
_QUOTED, _BRACKETS, _COMMA = (_PLACE[name] for name in ("quoted", "brackets behind", "comma behind"))
_DATE, _YEAR, _SMALL, _LARGE = (
    _PLACE[name] for name in ("full date", "year", "small figure", "large figure")
)


def kind_asked(question: str) -> str:
    """What kind of thing a question asks for, one of ``ASKS``."""
    found = [(match.start(), name) for name, cue in _ASKS if (match := cue.search(question))]
    return min(found)[1] if found else "other"


def describe(field: Field, candidate: Candidate) -> list[float]:
    """The candidate's numbers, in the order of ``FEATURES``."""
    shape = _shape(field, candidate)
    return [*_standing(field, candidate), *(float(place in shape) for place in range(len(_SHAPES)))]


def _standing(field: Field, candidate: Candidate) -> tuple[float, ...]:
    rows = {number for number, _, _ in candidate.at}
    if not rows:
        return (0.0,) * len(_STANDING)
    sentences = field.passages.sentences
    return (
        max(field.own[n] for n in rows),
        max(field.titled[n] for n in rows),
        max(field.passage[sentences[n].passage] for n in rows),
        max(field.led[n] for n in rows),
        _nearness(field, candidate),
    )


def _shape(field: Field, candidate: Candidate) -> set[int]:
    """Which of ``_SHAPES`` the candidate has, as their places."""
    text, sentences, held = field.passages.text, field.passages.sentences, field.held
    found = set(_own_shape(candidate.words))
    if candidate.words in field.titles:
        found.add(_TITLE)
    if any(number != candidate.at[0][0] for number, _, _ in candidate.at):
        found.add(_SEVERAL)
    opening = 0
    for number, start, end in candidate.at[:_LOOKED_AT]:
        sentence, asked = sentences[number], held[number]
        opening += start == sentence.start
        before = text[max(sentence.start, start - _AROUND) : start]
        split = before.split()
        last = split[-1] if split else ""
        if (cue := _AFTER.get(last.lower().strip('("“,'))) is not None:
            found.add(cue)
        if asked:
            following = text[end : min(sentence.end, end + _AROUND)].split(None, 1)
            if not asked.isdisjoint(terms(last)):
                found.add(_ASKED_BEFORE)
            if following and not asked.isdisjoint(terms(following[0])):
                found.add(_ASKED_BEHIND)
        if before[-1:] in _QUOTES:
            found.add(_QUOTED)
        behind = text[end : end + 2]
        if behind == " (":
            found.add(_BRACKETS)
        if behind[:1] == ",":
            found.add(_COMMA)
    if opening == min(len(candidate.at), _LOOKED_AT):
        found.add(_OPENS)
    return found


@lru_cache(maxsize=4096)
def _own_shape(said: str) -> frozenset[int]:
    """What the words of a candidate tell, wherever it stands."""
    words = said.split()
    found = {_LENGTH[min(len(words), 4) - 1]}
    if all(weight(w) <= COMMON_WEIGHT for w in words):
        found.add(_COMMON)
    if countries_in(words):
        found.add(_COUNTRY)
    return frozenset(found | _figure_shape(words))


def _figure_shape(words: Sequence[str]) -> set[int]:
    figure, alone = words[0], len(words) == 1
    if not (figure[0].isdigit() or (not alone and words[1][0].isdigit())):
        return set()
    found = {_DATE} if len(words) > 2 else set()
    if alone and len(figure) == 4 and figure[0] in "12":
        found.add(_YEAR)
    if alone and len(figure) < 3:
        found.add(_SMALL)
    if alone and len(figure) > 4:
        found.add(_LARGE)
    return found


def _nearness(field: Field, candidate: Candidate) -> float:
    """How near in its sentence the candidate stands to what is asked, 0..1."""
    best = 0.0
    for number, start, _ in candidate.at[:4]:
        if not field.held[number]:
            continue
        mine = len(terms(field.passages.text[field.passages.sentences[number].start : start]))
        near = sum(field.weights[w] / (1 + abs(i - mine) / 4) for i, w in field.at[number])
        best = max(best, near / field.total)
    return min(1.0, best)


@dataclass(frozen=True, slots=True)
class Weights:
    """What the numbers of a candidate weigh: for every question, and besides for each kind asked.

    ``ahead``, ``share`` and ``bias`` turn the answer's place among the others into log-odds that it is right.
    """

    every: tuple[float, ...]
    asked: dict[str, tuple[float, ...]]
    ahead: float
    share: float
    bias: float


@cache
def weights() -> Weights:
    """The fitted weights."""
    data = json.loads(
        files("synthesis.coherence.facts").joinpath("verifier.json").read_text(encoding="utf-8")
    )
    asked = {kind: tuple(values) for kind, values in data["asked"].items()}
    return Weights(tuple(data["every"]), asked, **data["standing"])


def chosen(field: Field, found: Sequence[Candidate], asked: str, answer: str) -> list[Candidate]:
    """The candidates that are compared: those nearest to what is asked.

    Those that the question or the answer holds are none.
    """
    near = [
        max(titled, 0.5 * field.passage[sentence.passage], led) + 0.1 * own
        for sentence, titled, led, own in zip(
            field.passages.sentences, field.titled, field.led, field.own, strict=True
        )
    ]
    ranked = [
        (-max([near[n] for n, _, _ in candidate.at]), place)
        for place, candidate in enumerate(found)
        if not (candidate.words in asked or candidate.words in answer or answer in candidate.words)
    ]
    return [found[place] for _, place in sorted(ranked)[:MOST]]


def standing(mine: float, others: Sequence[float]) -> tuple[float, float]:
    """How far ahead of the others a value is: against their logarithmic sum, and how many it passes."""
    top = max((mine, *others))
    ahead = mine - top - math.log(math.fsum(math.exp(o - top) for o in (mine, *others)))
    passed = sum((mine > o) + 0.5 * (mine == o) for o in others)
    return max(ahead, -8.0), (passed + 1) / (len(others) + 2)


def _worth(field: Field, candidate: Candidate, every: Sequence[float], wanted: Sequence[float]) -> float:
    """The candidate's numbers by their weights; the sums are exact, and most numbers are 0."""
    shape = _shape(field, candidate)
    first = len(_STANDING)
    return math.fsum(
        (*map(mul, every, _standing(field, candidate)), *(every[first + place] for place in shape))
    ) + math.fsum(wanted[place] for place in shape)


def place_among(field: Field, mine: Candidate, others: Sequence[Candidate], kind: str) -> float:
    """Log-odds that the answer is the one asked for rather than another candidate."""
    if not others:
        return _ALONE
    if not mine.at:
        return 0.0
    fitted = weights()
    wanted = fitted.asked[kind]
    worth = [_worth(field, candidate, fitted.every, wanted) for candidate in (mine, *others)]
    ahead, share = standing(worth[0], worth[1:])
    return fitted.bias + fitted.ahead * ahead + fitted.share * share
