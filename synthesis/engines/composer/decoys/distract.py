"""Endless distracting facts: the same type as the evidence, about other, invented subjects.

Two sources are mixed: the evidence itself with every name, date and figure replaced, and
patterns for the kind of answer. A sentence is dropped when it holds the answer or speaks of
anybody the question names. Knows nothing of how much of it a text needs.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

from synthesis.engines.composer.decoys.patterns import names_in, swapped
from synthesis.engines.composer.grammar.invent import Pattern, facts
from synthesis.engines.composer.grammar.wording import squash, trimmed
from synthesis.engines.composer.grammar.words import core
from synthesis.engines.composer.reading.answers import PERSON_NOUNS, kind
from synthesis.engines.composer.reading.topics import STOPWORDS
from synthesis.engines.composer.stating.statements import Statement, state
from synthesis.text.finder import AnswerFinder

_KINDS = ("person", "place", "date", "numeric", "sentence", "span", "yes_no")
_PATTERNS_OF = {
    "person": ("person",),
    "place": ("place",),
    "date": ("date",),
    "numeric": ("numeric",),
    "span": ("span", "person"),
    "sentence": ("sentence",),
    "yes_no": ("yes_no",),
}
# Words of the question that say which slot a fact of the same type must have.
_CUES = (
    (r"for a living|\bjobs?\b|occupation|profession|\bwork as\b", ("occupation", "a_occupation")),
    (
        r"\bnovel|\bbook|\bfilm|\bmovie|\bsong|\balbum|\bplay\b|\bseries|\bshow\b|\bpainting|\bpoem|\btitle",
        ("work",),
    ),
    (r"\bcompany|\bband|\bteam|\bclub|\borgani[sz]ation|\bcollege|\buniversity|\bagency|\bnetwork", ("org",)),
    (r"\blanguage", ("language",)),
    (r"\banimal|\bpet\b|\bdog\b|\bbird\b", ("animal", "a_animal")),
    (r"\bnationality", ("nationality",)),
    (r"\bcountry|\bnation\b", ("country",)),
    (r"\bhow long\b", ("duration", "hours", "days", "weeks", "years")),
    (r"\bhow old\b|\bage\b", ("age",)),
    (r"\bhow much\b|[$€£]", ("money", "money_m")),
    (r"\bwhy\b|\breason", ("reason",)),
)
# The invented facts end with 1998 unless the pair itself speaks of a later year.
_LATE = re.compile(r"(?<![\d,.$€£])(?:1999|20[0-4]\d)(?![,.]?\d)")
# A pattern that keeps more words of one event than this reads as a rival account of it.
_KEPT_WORDS = 4
_MADE = re.compile(
    r"\b(?:Mount|Lake|River|Cape|Isle|Fell|Bay|Gulf|Sea|Tower|Bridge|Hotel|Tunnel|Street|Castle|Canal"
    r"|Church|Abbey|Arcade|Museum|Mill|Mills)\b"
)
_ONE_OF = re.compile(r"(?:\S+ ){1,4}(?:is|was) an? ")
_SITED = re.compile(r"\b(?:lies|lie|is located|are located|is situated|flows) ")
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_REPORTING = re.compile(
    r"\b(?:report|agency|agencies|fiscal|audit|federal|government|program|programme|department|act|budget)\b",
    re.IGNORECASE,
)


def distract(
    instruction: str,
    answer: str,
    rng: random.Random,
    told: Sequence[Statement] | None = None,
    full: bool = False,
) -> Iterator[str]:
    """Facts of the evidence's type about other subjects, without end.

    Args:
        instruction: the question or task.
        answer: its answer; no sentence yielded states it (``synthesis.text.states``) or contains
            it, compared casefolded and without articles and punctuation.
        rng: the only source of variety; it must not be shared with another iterator.
        told: the evidence, where it is not the usual statement of the pair.
        full: whether those that are full of names and figures come more often.

    Yields:
        One complete declarative sentence at a time.
    """
    own, near, far, evidence = _sources(instruction, answer, rng, told)
    near += facts("told") * (2 * full)
    holds = Holder(instruction, answer)
    dated = _LATE.search(instruction) or _LATE.search(answer)
    # A pattern with a single gap soon repeats itself.
    share = 0.4 if all(pattern.gaps > 1 for pattern in own) else 0.12
    unit = rng.random
    while True:
        draw = unit()
        pool: Sequence[Pattern]
        if own and draw < share:
            pool = own
        elif draw < 0.85:
            pool = near
        else:
            pool = far
        sentence = pool[int(unit() * len(pool))].fill(rng)
        if sentence in evidence or holds(sentence):
            continue
        if dated or not _LATE.search(sentence):
            yield sentence


def _sources(
    instruction: str, answer: str, rng: random.Random, told: Sequence[Statement] | None
) -> tuple[list[Pattern], tuple[Pattern, ...], tuple[Pattern, ...], frozenset[str]]:
    """Patterns made of the evidence, of its kind, and of all other kinds, and the evidence itself."""
    sort = kind(instruction, answer)
    if sort == "summary":
        genre = "report" if len(_REPORTING.findall(answer[:6000])) > 4 else "news"
        other = "news" if genre == "report" else "report"
        return [], facts(genre), (*facts(genre), *facts(other)), frozenset()
    evidence = state(instruction, answer, rng) if told is None else told
    statements = [statement.text for statement in evidence]
    own = [
        pattern
        for text in statements
        if (pattern := swapped(text, answer, sort, instruction)) is not None
        and _general(text, trimmed(answer.strip()), pattern)
    ]
    near = tuple(pattern for name in _PATTERNS_OF[sort] for pattern in facts(name))
    near += facts("told")
    far = tuple(pattern for name in _KINDS if name not in _PATTERNS_OF[sort] for pattern in facts(name))
    asked = instruction[:2000].casefold() + (" $" if re.match(r"[$€£]", answer.strip()) else "")
    wanted = {slot for cue, slots in _CUES if re.search(cue, asked) for slot in slots}
    cued = tuple(pattern for pattern in (*near, *far) if pattern.slots & wanted)
    # What is asked for by name counts twice as much as the rest of its kind.
    return own, near + cued + cued if len(cued) > 3 else near, far, frozenset(statements)


def _general(statement: str, answer: str, pattern: Pattern) -> bool:
    """Whether a pattern tells a kind of fact rather than one event with other names in it.

    That somebody wrote the hymn that somebody sang may be true of many; a pattern that keeps a
    whole scene (the ferry, the new bridge, the chimney) would be a rival account of the evidence.
    """
    if _MADE.search(statement) and pattern.slots & {"person", "first"}:
        return False  # a mountain's name is typed as a person's, but nobody is higher by 300 metres
    people = pattern.slots & {"person", "person_f", "person_m", "first"}
    if people and _ONE_OF.match(statement) and not PERSON_NOUNS.intersection(map(core, statement.split())):
        return False  # nor is anybody a shopping centre
    if people and _SITED.search(statement):
        return False
    told = statement.replace(answer, " ").split()
    scene = [word for word in told if word[:1].islower() and len(word) > 2 and core(word) not in STOPWORDS]
    return len(scene) <= _KEPT_WORDS + (len(pattern.slots) > 2)


def normalised(text: str) -> str:
    """Casefolded, without articles and punctuation, single blanks."""
    bare = re.sub(r"[^\w\s]+", "", text.casefold())
    return " ".join(_ARTICLES.sub(" ", bare).replace("_", " ").split())


class Holder:
    """Tells whether a sentence gives the answer away or names a subject of the question."""

    __slots__ = ("_answer", "_names", "_states")

    def __init__(self, instruction: str, answer: str) -> None:
        # No sentence made here is nearly as long, so a longer answer cannot be inside one.
        text = squash(answer) if len(answer) < 2000 else ""
        self._answer = normalised(text)
        self._states = AnswerFinder(text)
        names = names_in(instruction[:2000])
        self._names = re.compile(r"\b(?:" + "|".join(map(re.escape, names)) + r")\b") if names else None

    def __call__(self, sentence: str) -> bool:
        """Whether the sentence must not be used."""
        if (self._names and self._names.search(sentence)) or self._states(sentence):
            return True
        if not self._answer:
            return False
        told = normalised(sentence)
        # A very short answer is looked for as a word: "no" stands inside too many others.
        return self._answer in told if len(self._answer) > 2 else f" {self._answer} " in f" {told} "
