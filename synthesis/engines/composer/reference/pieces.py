"""Which entry each statement belongs to: what it is about, and how it may refer to that.

Knows the evidence, its false leads and the pair's names; nothing of other entries.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from synthesis.engines.composer.grammar.wording import upper_first
from synthesis.engines.composer.grammar.words import PREPOSITIONS, core
from synthesis.engines.composer.lexicon import word_class, words
from synthesis.engines.composer.prose.facts import Planned
from synthesis.engines.composer.reading.answers import kind as sort_of
from synthesis.engines.composer.reading.topics import topics
from synthesis.engines.composer.reference.names import Names
from synthesis.engines.composer.reference.recognising import MARK
from synthesis.engines.composer.reference.things import NOUNS, Thing, another, spoken_of
from synthesis.engines.composer.stating.statements import Statement
from synthesis.engines.composer.stating.steps.plan import Steps, subjects
from synthesis.text.finder import AnswerFinder

#: What a second entry of the same thing is headed.
_FURTHER = ("{name}: additions", "{name}, supplement", "{name} (continued)", "Further on {name}")


@dataclass(slots=True)
class Standing:
    """A statement of an entry; ``needed`` if it must be told."""

    statement: Statement
    needed: bool


@dataclass(slots=True)
class Entry:
    """What is planned of an entry: its thing, the statements in it, and the share of the text it stands at.

    ``heading`` is empty where it is the thing's name; with ``headed`` evidence begins with the heading, as
    that is the answer.
    """

    thing: Thing
    place: float
    pieces: list[Standing] = field(default_factory=list)
    heading: str = ""
    headed: bool = False

    @property
    def title(self) -> str:
        """The line above the entry."""
        return self.heading or self.thing.title

    @property
    def needed(self) -> bool:
        """Whether it holds what must be told."""
        return any(piece.needed for piece in self.pieces)


def entries_of(
    planned: Sequence[Planned],
    steps: Steps | None,
    question: str,
    answer: str,
    supply: Names,
    rng: random.Random,
) -> list[Entry]:
    """An entry for each thing that planned statements are about, in the order of their places.

    Two pieces of evidence never share an entry. Empty where it is not known what one is about.
    """
    states = AnswerFinder(answer if len(answer) < 200 else "")
    known = dict(steps.names) if steps else {}
    named = [*known, *names_of(question, answer)]
    if not steps:
        whole = [_whole(one, question) for one in topics(question) if not one[:1].isdigit()]
        named += [one for one in whole if _telling(one)]
    groups: dict[str, list[Planned]] = {}
    spelt: dict[str, str] = {}
    for one in sorted(planned, key=lambda one: not one.statement.what):
        name = _about(one.statement, named, [*known], groups, states, question)
        if not name and (one.statement.what or any(triple.revised for triple in one.statement.says)):
            return []
        if not name:
            continue
        # "Late Bus" in quotation marks or not is the same.
        name = spelt.setdefault(re.sub(r"[^\w ]", "", name).casefold(), name)
        groups.setdefault(name, []).append(one)
    found: list[Entry] = []
    for name, told in groups.items():
        said = " ".join(
            one.statement.text
            for one in told
            if not one.statement.says or one.statement.says[0].relation != "called"
        )
        if any(one.statement.what for one in told) or name in known or name in question:
            asked = "person" if sort_of(question, answer) == "person" and states(name) else ""
            thing = spoken_of(name, known.get(name, asked), question, said, supply, rng)
        else:
            thing = another(name, said, supply, rng)
        at: list[Entry] = []
        for one in told:
            needed = bool(one.statement.what) or any(triple.revised for triple in one.statement.says)
            piece = Standing(one.statement, needed)
            evident = [entry for entry in at if any(other.statement.what for other in entry.pieces)]
            if at and not (one.statement.what and len(evident) == len(at)):
                rng.choice(at).pieces.append(piece)
                continue
            heading = rng.choice(_FURTHER).format(name=thing.title) if at else ""
            headed = bool(states(thing.title)) or answer.strip(" .").casefold() == name.casefold()
            thing.answers = headed
            at.append(Entry(thing, one.place, [piece], heading, headed and bool(one.statement.what)))
        found += at
    return sorted(found, key=lambda entry: entry.place)


_JOINED = re.compile(
    r"^((?:[A-Z][\w'.’-]+ )+[A-Z][\w'.’-]+) (?:on|in|at|from|by|with|for)(?: the)? (?:[A-Z]\S+ )+[A-Z]\S+$"
)
_TIMES = frozenset(word.casefold() for name in ("months", "weekdays") for word in words(name))


def names_of(question: str, answer: str) -> list[str]:
    """What a question calls by name, whole titles first."""
    found: dict[str, None] = {}
    for name in subjects(question, answer):
        # "Ada Marsh on the Marl Ferry" is two; "Playing with Fire" is one.
        if _TIMES.intersection(name.casefold().split()[:1]):
            continue
        both = _JOINED.match(name)
        found.setdefault((both[1] if both else name).strip(" ?!,;:"))
    for name in topics(question):
        plain = re.match(r"[A-Z]|\d.*[A-Z]", name) and not re.search(r"[.:?!] |\?", name) and len(name) > 3
        if (
            plain
            and not _TIMES.intersection(name.casefold().split()[:1])
            and not any(name in one for one in found)
        ):
            found.setdefault(name)
    return list(found)


def _telling(topic: str) -> bool:
    """Whether there is an entry under such a topic: "the heart muscle", not "the word" or "the u.s"."""
    bare = re.sub(r"^(?:the|an?) ", "", topic, flags=re.I)
    if re.search(r"[A-Z]", bare) and len(bare) > 3:
        return True
    telling = [word for word in bare.split() if len(word) > 3 and core(word) not in _VAGUE]
    return len(telling) > 1 and "." not in bare


_VAGUE = word_class("empty_heads") | frozenset(
    ["word", "words", "thing", "things", "people", "world", "with"]
)


def _whole(topic: str, question: str) -> str:
    """A topic with what follows it in the question, where that is little: ``the song in the last scene``."""
    at = question.find(topic) if topic.startswith("the ") else -1
    rest = question[at:].strip(" ?.!") if at >= 0 else topic
    return (
        rest
        if len(rest.split()) <= 7
        and core(rest.split()[-1]) not in PREPOSITIONS
        and not re.search(r"[.?!:]|\b(?:is|was|are|were|did|do)\b", rest)
        else topic
    )


def _holds(text: str, name: str) -> bool:
    """Whether a text has a name as whole words, in whatever case."""
    low, at = text.casefold(), -1
    name = name.casefold()
    while (at := low.find(name, at + 1)) >= 0:
        end = at + len(name)
        if not (at and low[at - 1].isalnum()) and not (end < len(low) and low[end].isalnum()):
            return True
    return False


def _about(
    one: Statement,
    named: list[str],
    invented: list[str],
    taken: dict[str, list[Planned]],
    states: AnswerFinder,
    question: str,
) -> str:
    """The name that a statement's entry has: of evidence rather one of the question's that has none yet."""
    text = one.text
    inside = [name for name in named if _holds(text, name)]
    fit = [name for name in inside if not states(name)]
    subject = ""
    if one.says:
        first = one.says[0]
        subject = first.value if first.relation == "called" and first.value in inside else first.subject
        if subject in question and subject in text and subject[:1].isupper():
            return subject
        if one.what and subject in invented:
            for name in fit:
                if name not in taken and name not in invented:
                    return name
        if subject in fit or (not one.what and subject not in inside and not states(subject)):
            return subject
    free = [name for name in fit if name not in taken or not one.what]
    if free or fit:
        return (free or fit)[0]
    return subject or (named[0] if named and not states(named[0]) else "")


def referring(entry: Entry, piece: Standing, named: bool, rng: random.Random) -> Standing:
    """The piece as it stands in its entry: unless it must be ``named``, its subject may go by less."""
    thing, text = entry.thing, piece.statement.text
    if named or rng.random() < 0.2:
        return piece
    bare = text.removeprefix("The ") if not thing.name.startswith("The ") else text
    if not bare.startswith(thing.name + " "):
        return _by_noun(thing, piece, rng)
    rest = bare[len(thing.name) :]
    if thing.name in rest or thing.short in rest:
        return piece
    if thing.human:
        known = thing.female is not None and rng.random() < 0.6
        called = ("She" if thing.female else "He") if known else upper_first(thing.short)
    else:
        called = (
            "It"
            if re.match(r" (?:is|was|has|had|[a-z]+(?:s|ed))\b", rest) and " are " not in rest
            else thing.name
        )
    return Standing(replace(piece.statement, text=called + rest), piece.needed)


_SHORTENED = re.compile(rf"(?<![\w”\"]){MARK}(?=[ .,])")
_NAMED = re.compile(rf"(?:the (?:[a-z]+ )?)?(?:film |song |novel |album )?[\"“]?{MARK}[\"”]?(?=[ .,])")


def _by_noun(thing: Thing, piece: Standing, rng: random.Random) -> Standing:
    """The piece with ``the film`` for the name of one, inside the sentence, or with a surname."""
    text = piece.statement.text
    marked = text.replace(thing.name, MARK)
    if thing.human and thing.short != thing.name and text.count(thing.short) == 1:
        told = _SHORTENED.sub(thing.short.replace("\\", ""), marked).replace(MARK, thing.name)
        return Standing(replace(piece.statement, text=told), piece.needed)
    nouns = thing.nouns or (NOUNS.get(thing.sort, ()) if thing.sort in ("film", "song", "book") else ())
    if not nouns or marked.count(MARK) != 1:
        return piece
    noun = rng.choice(nouns)
    told = _NAMED.sub(noun, marked)
    if told == marked or f"{noun}, a" in told or f"{noun} is a" in told:
        return piece
    return Standing(replace(piece.statement, text=upper_first(told)), piece.needed)
