"""Which of the names or figures of a context is asked for: the answer beside the others of its kind.

Each candidate is described by where it stands (how much of what is asked its sentence, its passage and a
sentence that leads to its passage hold, and what of it is asked of the answer itself) and by its shape beside
the question's word. What these weigh is fitted (``verifier.json``, made by ``scripts/train_verifier.py``).
Knows nothing of the score's other parts.
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
from synthesis.coherence.facts.chain import NOTHING, Chain
from synthesis.coherence.facts.field import Field
from synthesis.coherence.facts.kinds import fits, is_figure, is_month_or_day
from synthesis.coherence.facts.passages import Said
from synthesis.coherence.facts.values import countries_in
from synthesis.text.words import terms

_ALONE = 1.0  # log-odds of an answer that nothing else stands beside
MOST = 16  # candidates that are compared
_LOOKED_AT, _AROUND = 4, 24  # places of one, and characters on either side of each
_JUST_BEFORE = 3  # terms
_QUOTES = ('"', "“")

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
    "figure", "asked inside", "some common words", "a place's", "a body's", "like a person's", "initial",
    "capitals", "joined", "does", "has", "in brackets", "is one",
)  # fmt: skip
_STANDING = (
    "sentence", "sentence and title", "passage", "led to", "nearness",
    "relation", "nearness of the relation", "relation just before",
    "asked of it", "asked of it near", "strongest near", "kind near", "start", "start leads", "chain",
    "kind inside", "kind told of it", "fits", "month or day",
)  # fmt: skip
STANDING = len(_STANDING)
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
_IS_FIGURE, _ASKED_INSIDE, _SOME_COMMON = (
    _PLACE[name] for name in ("figure", "asked inside", "some common words")
)
_NAMED = tuple(
    (_PLACE[name], re.compile(pattern))
    for name, pattern in (
        (
            "a place's",
            r"(?:Stadium|Castle|Bridge|Tower|Hall|Museum|University|College|School|Church|Airport|Hotel|Cent(?:re|er)"
            r"|Theat(?:re|er)|Palace|Park|Island|River|Lake|Mountain|Valley|County|City|Town|Village|Street|Road"
            r"|Avenue|State|Kingdom|Republic|Empire|America|Africa|Europe|Asia|Coast|Bay|Sea|Ocean|District|Province"
            r"|Territory|Beach|Square|House)s?\Z",
        ),
        (
            "a body's",
            r"(?:Record|Corporation|Company|Club|Band|Bank|Airline|Group|Association|League|Picture|Studio|Press"
            r"|Orchestra|Committee|Council|Court|Congress|Parliament|Senate|Party|Union|Government|Army|Navy|Force"
            r"|Agency|Department|Ministry|Office|Team|Board|Commission|Network|Chart|Foundation|Society|Institute"
            r"|Award|Serie|Cup|Championship|Bowl|Game|Festival|Act|Constitution|Treaty|War|Battle|Revolution"
            r"|Prize|Conference)s?\Z",
        ),
        ("initial", r"\b[A-Z]\."),
        ("capitals", r"\A[A-Z]{2,5}\Z"),
        ("joined", r" (?:of|the|and|for|in) "),
    )
)
_PERSONS = _PLACE["like a person's"]
_NO_PERSONS = (_PLACE["a place's"], _PLACE["a body's"], _PLACE["joined"])
_BEHIND = re.compile(
    r"(?P<has>['’]s\b)|(?P<one>,? (?:is|was|,) (?:an?|the) )"
    r"|(?P<does> (?:[a-z]+ed|is|was|has|had|were|are|became|won|wrote|sang|took|made|gave|led|began|came|went"
    r"|found|held|met|left|lost|built)\b)"
)
_TOLD_BEHIND = {"has": _PLACE["has"], "one": _PLACE["is one"], "does": _PLACE["does"]}
_IN_BRACKETS = _PLACE["in brackets"]


def describe(chain: Chain, candidate: Candidate) -> list[float]:
    """The candidate's numbers, in the order of ``FEATURES``."""
    stands, shape = _look(chain, candidate)
    return [*stands, *(float(place in shape) for place in range(len(_SHAPES)))]


def _look(chain: Chain, candidate: Candidate) -> tuple[tuple[float, ...], set[int]]:
    """The numbers of ``_STANDING``, and which of ``_SHAPES`` the candidate has, as their places."""
    field = chain.field
    text, sentences, titled = field.passages.text, field.passages.sentences, field.titled
    words = candidate.words.split()
    first, start, end = candidate.at[0]
    rows = {first} if len(candidate.at) == 1 else {number for number, _, _ in candidate.at}
    found = set(_own_shape(candidate.words, text[start:end]))
    if not field.rare.isdisjoint(words):
        found.add(_ASKED_INSIDE)
    if candidate.words in field.titles:
        found.add(_TITLE)
    if len(rows) > 1:
        found.add(_SEVERAL)
    opening, places = 0, candidate.at[:_LOOKED_AT]
    near = telling = beside = before = 0.0
    weights_of = field.weights
    of_it: tuple[float, ...] = NOTHING
    for number, start, end in places:
        sentence, held, relation = sentences[number], field.at[number], field.related[number]
        opening += start == sentence.start
        ahead = text[max(sentence.start, start - _AROUND) : start]
        if ahead and (cue := _AFTER.get(ahead.rsplit(None, 1)[-1].lower().strip('("“,'))) is not None:
            found.add(cue)
        last = ahead[-1:]
        if last == "(":
            found.add(_IN_BRACKETS)
        elif last in _QUOTES and last:
            found.add(_QUOTED)
        behind = text[end : end + 2]
        if behind == " (":
            found.add(_BRACKETS)
        elif behind[:1] == ",":
            found.add(_COMMA)
        if (told := _BEHIND.match(text, end, sentence.end)) is not None:
            found.add(_TOLD_BEHIND[told.lastgroup or ""])
        if not held and not relation:
            if begun := chain.start[number]:
                of_it = (*of_it[:4], max(of_it[4], begun), *of_it[5:])
            if (led := chain.led[sentence.passage]) > of_it[5]:
                of_it = (*of_it[:5], led, of_it[6])
            continue
        mine = _terms_before(candidate, sentence, text, start)
        after = mine + len(words)
        told_here = chain.beside(number, mine, after)
        of_it = told_here if of_it is NOTHING else tuple(map(max, of_it, told_here))
        close = 0.0
        for place, term in held:
            close += weights_of[term] / (1 + abs(place - mine) / 4)
            if place == mine - 1:
                found.add(_ASKED_BEFORE)
            elif place == after:
                found.add(_ASKED_BEHIND)
        near = max(near, close / field.total)
        for place in relation:
            telling = 1.0
            beside = max(beside, 1 / (1 + (mine - place if place < mine else max(1, place - after + 1)) / 3))
            if 0 < mine - place <= _JUST_BEFORE:
                before = 1.0
    if opening == len(places):
        found.add(_OPENS)
    if len(rows) == 1:
        stands = (field.own[first], titled[first], field.passage[sentences[first].passage], field.led[first])
    else:
        stands = (
            max([field.own[n] for n in rows]),
            max([titled[n] for n in rows]),
            max([field.passage[sentences[n].passage] for n in rows]),
            max([field.led[n] for n in rows]),
        )
    month = is_month_or_day(words)
    fit = fits(chain.closer, words, _IS_FIGURE in found, month, _COUNTRY in found)
    own = (*chain.of_kind(candidate.words), fit, float(month))
    return (*stands, min(1.0, near), telling, beside, before, *of_it, *own), found


def _terms_before(candidate: Candidate, sentence: Said, text: str, start: int) -> int:
    """How many terms of a sentence stand before a place of a candidate."""
    words = candidate.words
    at = sentence.words.find(words) if candidate.found else -1
    if at < 0 or sentence.words.find(words, at + 1) >= 0:
        return len(terms(text[sentence.start : start]))
    return sentence.words.count(" ", 0, at)  # it is the only place: no need to read the words again


@lru_cache(maxsize=4096)
def _own_shape(said: str, written: str) -> frozenset[int]:
    """What the words of a candidate tell, wherever it stands: its terms, and as it is written."""
    words = said.split()
    found = {_LENGTH[min(len(words), 4) - 1]}
    common = sum(weight(word) <= COMMON_WEIGHT for word in words)
    if common:
        found.add(_COMMON if common == len(words) else _SOME_COMMON)
    if countries_in(words):
        found.add(_COUNTRY)
    found.update(place for place, pattern in _NAMED if pattern.search(written))
    if not common and len(words) in (2, 3) and not words[0][0].isdigit() and found.isdisjoint(_NO_PERSONS):
        found.add(_PERSONS)
    return frozenset(found | _figure_shape(words))


def _figure_shape(words: Sequence[str]) -> set[int]:
    figure, alone = words[0], len(words) == 1
    if not is_figure(words):
        return set()
    found = {_IS_FIGURE, _DATE} if len(words) > 2 else {_IS_FIGURE}
    if alone and len(figure) == 4 and figure[0] in "12":
        found.add(_YEAR)
    if alone and len(figure) < 3:
        found.add(_SMALL)
    if alone and len(figure) > 4:
        found.add(_LARGE)
    return found


@dataclass(frozen=True, slots=True)
class Weights:
    """What the numbers of a candidate weigh: for every question, and besides for each kind asked.

    ``ahead``, ``many``, ``apart`` and ``bias`` turn the answer's place among the others into log-odds that it
    is right.
    """

    every: tuple[float, ...]
    asked: dict[str, tuple[float, ...]]
    ahead: float
    many: float
    apart: float
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


def standing(mine: float, others: Sequence[float], alike: Sequence[bool]) -> tuple[float, float, float]:
    """Where a value stands among others: ahead of them all, how many they are, and ahead of the next alike.

    ``alike`` says of each of the others whether it is of the same sort, a figure or a name.
    """
    top = max((mine, *others))
    ahead = mine - top - math.log(math.fsum(math.exp(o - top) for o in (mine, *others)))
    next_best = max((o for o, same in zip(others, alike, strict=True) if same), default=mine - 1.0)
    return max(ahead, -8.0), math.log(len(others) + 1), max(-3.0, min(3.0, mine - next_best))


def alike(candidates: Sequence[Candidate]) -> list[bool]:
    """Of each candidate but the first: whether it is a figure or a name as the first is."""
    first, *others = (is_figure(candidate.words.split()) for candidate in candidates)
    return [one is first for one in others]


def _worth(chain: Chain, candidate: Candidate, standing: Sequence[float], shapes: Sequence[float]) -> float:
    """The candidate's numbers by their weights; the sums are exact, and most numbers are 0."""
    stands, shape = _look(chain, candidate)
    return math.fsum([*map(mul, standing, stands), *map(shapes.__getitem__, shape)])


@cache
def _weights_for(kind: str) -> tuple[Sequence[float], Sequence[float]]:
    """What the numbers of ``_STANDING`` and of ``_SHAPES`` weigh where such a kind is asked for."""
    fitted = weights()
    shapes = zip(fitted.every[STANDING:], fitted.asked[kind], strict=True)
    return fitted.every[:STANDING], [every + wanted for every, wanted in shapes]


def place_among(chain: Chain, mine: Candidate, others: Sequence[Candidate], kind: str) -> float:
    """Log-odds that the answer is the one asked for rather than another candidate."""
    if not others:
        return _ALONE
    if not mine.at:
        return 0.0
    fitted, (stands, shapes) = weights(), _weights_for(kind)
    worth = [_worth(chain, candidate, stands, shapes) for candidate in (mine, *others)]
    ahead, many, apart = standing(worth[0], worth[1:], alike((mine, *others)))
    return fitted.bias + fitted.ahead * ahead + fitted.many * many + fitted.apart * apart
