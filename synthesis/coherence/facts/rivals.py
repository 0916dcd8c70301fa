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
from functools import cache
from importlib.resources import files
from operator import mul

from synthesis.coherence.background import COMMON_WEIGHT, weight
from synthesis.coherence.facts.candidates import Candidate
from synthesis.coherence.facts.field import Field
from synthesis.coherence.facts.passages import spaced
from synthesis.coherence.facts.values import countries_in
from synthesis.text.words import terms

_ALONE = 1.0  # log-odds of an answer that nothing else stands beside
MOST = 24  # candidates that are compared

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


def kind_asked(question: str) -> str:
    """What kind of thing a question asks for, one of ``ASKS``."""
    found = [(match.start(), name) for name, cue in _ASKS if (match := cue.search(question))]
    return min(found)[1] if found else "other"


def describe(field: Field, candidate: Candidate) -> list[float]:
    """The candidate's numbers, in the order of ``FEATURES``."""
    passages, text, held = field.passages, field.passages.text, field.held
    rows = {number for number, _, _ in candidate.at}
    standing = [
        max((field.own[n] for n in rows), default=0.0),
        max((field.titled[n] for n in rows), default=0.0),
        max((field.passage[passages.sentences[n].passage] for n in rows), default=0.0),
        max((field.led[n] for n in rows), default=0.0),
        _nearness(field, candidate),
    ]
    words = candidate.words.split()
    shape = dict.fromkeys(_SHAPES, 0.0)
    shape[("one word", "two words", "three words", "more words")[min(len(words), 4) - 1]] = 1.0
    shape["common word"] = float(all(weight(w) <= COMMON_WEIGHT for w in words))
    shape["country"] = float(bool(countries_in(words)))
    shape["title"] = float(candidate.words in passages.titles)
    shape["several times"] = float(len(rows) > 1)
    opening = 0
    for number, start, end in candidate.at[:8]:
        sentence = passages.sentences[number]
        opening += start == sentence.start
        before = text[max(sentence.start, start - 24) : start]
        last = before.split()[-1] if before.strip() else ""
        if (cue := _BEFORE.get(last.lower().strip('("“,'))) is not None:
            shape[f"after {cue}"] = 1.0
        following = text[end : min(sentence.end, end + 24)].split()
        if not held[number].isdisjoint(terms(last)):
            shape["asked before"] = 1.0
        if following and not held[number].isdisjoint(terms(following[0])):
            shape["asked behind"] = 1.0
        shape["quoted"] = max(shape["quoted"], float(before[-1:] in ('"', "“")))
        behind = text[end : end + 2]
        shape["brackets behind"] = max(shape["brackets behind"], float(behind == " ("))
        shape["comma behind"] = max(shape["comma behind"], float(behind[:1] == ","))
    shape["opens a sentence only"] = float(opening == min(len(candidate.at), 8))
    figure = words[0]
    if figure[0].isdigit() or len(words) > 1 and words[1][0].isdigit():
        shape["full date"] = float(len(words) > 2)
        shape["year"] = float(len(words) == 1 and len(figure) == 4 and figure[0] in "12")
        shape["small figure"] = float(len(words) == 1 and len(figure) < 3)
        shape["large figure"] = float(len(words) == 1 and len(figure) > 4)
    return [*standing, *shape.values()]


def _nearness(field: Field, candidate: Candidate) -> float:
    """How near in its sentence the candidate stands to what is asked, 0..1."""
    best = 0.0
    for number, start, _ in candidate.at[:4]:
        sentence = field.passages.sentences[number]
        if not field.held[number]:
            continue
        words = sentence.words.split()
        mine = len(spaced(field.passages.text[sentence.start : start]).split())
        near = sum(
            field.weights[w] / (1 + abs(i - mine) / 4) for i, w in enumerate(words) if w in field.held[number]
        )
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
    sentences = field.passages.sentences
    ranked = []
    for place, candidate in enumerate(found):
        if candidate.words in asked or candidate.words in answer or answer in candidate.words:
            continue
        near = max(
            max(field.titled[n], 0.5 * field.passage[sentences[n].passage], field.led[n]) + 0.1 * field.own[n]
            for n, _, _ in candidate.at
        )
        ranked.append((-near, place))
    return [found[place] for _, place in sorted(ranked)[:MOST]]


def standing(mine: float, others: Sequence[float]) -> tuple[float, float]:
    """How far ahead of the others a value is: against their logarithmic sum, and how many it passes."""
    top = max((mine, *others))
    ahead = mine - top - math.log(math.fsum(math.exp(o - top) for o in (mine, *others)))
    passed = sum((mine > o) + 0.5 * (mine == o) for o in others)
    return max(ahead, -8.0), (passed + 1) / (len(others) + 2)


def place_among(field: Field, mine: Candidate, others: Sequence[Candidate], kind: str) -> float:
    """Log-odds that the answer is the one asked for rather than another candidate."""
    if not others:
        return _ALONE
    if not mine.at:
        return 0.0
    fitted = weights()
    wanted = fitted.asked[kind]
    worth = [
        math.fsum(map(mul, fitted.every, numbers)) + math.fsum(map(mul, wanted, numbers[len(_STANDING) :]))
        for numbers in (describe(field, candidate) for candidate in (mine, *others))
    ]
    ahead, share = standing(worth[0], worth[1:])
    return fitted.bias + fitted.ahead * ahead + fitted.share * share
