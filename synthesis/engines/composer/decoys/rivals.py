"""False leads for evidence in steps: the same relation of another, another relation of the same, denials.

Each says in triples what its sentence says, so that it can be shown that the answer stays the only one
(``stating.proof``). Knows the steps of one pair; not where in a text anything stands.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from synthesis.engines.composer.decoys.lives import year_for
from synthesis.engines.composer.grammar.invent import draws
from synthesis.engines.composer.grammar.words import ORDINALS
from synthesis.engines.composer.lexicon import words
from synthesis.engines.composer.reading.answers import asked_nouns, kind
from synthesis.engines.composer.stating.proof import answers
from synthesis.engines.composer.stating.statements import Statement
from synthesis.engines.composer.stating.steps.bridges import KIN, MADE, relation
from synthesis.engines.composer.stating.steps.links import Link
from synthesis.engines.composer.stating.steps.naming import Namer, kind_of
from synthesis.engines.composer.stating.steps.plan import Steps
from synthesis.text.finder import AnswerFinder

_DENIALS = (
    "It is sometimes said that {said}, but there is nothing in it.",
    "It was a mistake, though one that has been copied more than once, that {said}.",
    "Nobody who looked into it found that {said}.",
)
_ONE_OF = re.compile(r"\{s\} (?:is|was) an? ")
_FORMATS = (
    (re.compile(r"^\d{1,2} [A-Z][a-z]+ \d{4}$"), "date"),
    (re.compile(r"^[A-Z][a-z]+ \d{1,2}, \d{4}$"), "date_us"),
    (re.compile(r"^[A-Z][a-z]+ \d{4}$"), "month_year"),
    (re.compile(r"^1\d{3}$|^20\d{2}$"), "year"),
    (re.compile(r"^\d{1,3}$"), "number"),
    (re.compile(r"^\d{1,3},\d{3}$"), "big"),
    (re.compile(r"^\$\d[\d,]*$"), "money"),
)


class _Relation(NamedTuple):
    """A line of the list of relations."""

    name: str
    cues: frozenset[str]
    slot: str
    forms: tuple[str, ...]


@cache
def _relations() -> dict[str, tuple[_Relation, ...]]:
    found: dict[str, list[_Relation]] = {}
    for line in words("relations"):
        sort, name, cues, slot, *forms = (part.strip() for part in line.split("|"))
        found.setdefault(sort, []).append(_Relation(name, frozenset(cues.split()), slot, tuple(forms)))
    return {sort: tuple(relations) for sort, relations in found.items()}


class Rivals:
    """The false leads of one pair, told as they are asked for; none of them makes another answer right."""

    def __init__(self, steps: Steps, instruction: str, answer: str, rng: random.Random) -> None:
        self._steps = steps
        self._rng = rng
        self._question = frozenset(re.findall(r"\w+", instruction.casefold()))
        self._instruction, self._answer = instruction, answer
        self._namer = Namer(" ".join((instruction, answer, *steps.names)), rng)
        self._holds = AnswerFinder(answer if len(answer) < 200 else "")
        self._told = {triple for link in steps.told for triple in link.says}
        #: What is told of anybody, in the order of telling.
        self._lives = [triple for link in steps.told for triple in link.says]
        self._others: dict[str, str] = {}
        self._right = answers(steps.query, self._told)

    def decoys(self, each: int) -> list[Statement]:
        """About ``each`` for a step: another relation of the same, the same relation of another, in turn."""
        found: list[Statement] = []
        for turn in range(each):
            if turn % 2 == 0:
                found += self._otherwise()
            else:
                found += (list(self._beside()) if turn % 4 == 1 else []) or list(self._elsewhere())
        return found

    def denials(self, count: int) -> list[Statement]:
        """Statements that something false of a step is not so."""
        found = []
        for at in range(count):
            wrong = self.wrong(self._steps.told[at % len(self._steps.told)])
            if wrong is not None:
                said = wrong.clause(wrong.forms[0])
                text = self._rng.choice(_DENIALS).format(said=said)
                triples = tuple(triple._replace(denied=True) for triple in wrong.says)
                found += self._kept(Statement(text, "", says=triples))
        return found

    def mistaken(self, link: Link) -> Statement | None:
        """A step as it was told before it was put right."""
        wrong = self.wrong(link)
        if wrong is None:
            return None
        told = tuple(triple._replace(revised=True) for triple in wrong.says)
        return next(iter(self._kept(Statement(wrong.tell(self._rng), "", says=told))), None)

    def wrong(self, link: Link) -> Link | None:
        """A step with something else in the place of what it tells; None where its kind is not known."""
        if link.each:
            return None
        if link.subject in self._steps.names and link.role == "bridge" and link.relation != "called":
            return link.about({link.subject: self._like(link.subject)})
        slot = self._slot(link)
        value = self._value(slot, link.value) if slot else ""
        return link.about({link.value: value}) if value else None

    # --- the same of others, and other things of the same

    def _beside(self) -> Iterator[Statement]:
        """Somebody who has to do with the same thing otherwise, and what is asked of that one instead."""
        last = self._steps.told[-1]
        for link in self._steps.told[:-1]:
            kin = KIN if link.relation in KIN else MADE if link.relation in MADE else None
            slot = self._slot(last)
            if kin is None or slot is None or link.subject != last.subject:
                continue
            others = [head for head in kin if head not in {*self._question, link.relation, "founder"}]
            head = self._rng.choice(others)
            rival = self._namer.fresh(head if head in KIN else "person", "person")
            near = relation(head, rival, link.value)
            far = last.about({last.subject: rival, last.value: self._value(slot, last.value)})
            for one in (near, far):
                yield from self._kept(Statement(one.tell(self._rng), "", says=one.says))

    def _alike(self, link: Link) -> Iterator[Statement]:
        """Of another one of the properties by which the answer is described, and nothing else of them."""
        sort = kind(self._instruction, self._answer)
        head = "person" if sort == "person" else (asked_nouns(self._instruction) or ["thing"])[-1]
        if not _ONE_OF.match(link.forms[0]) or (sort != "person" and kind_of(head) == "thing"):
            return
        # "center" and "album" are said to be nobody's.
        other = link.about({link.subject: self._fresh("person" if sort == "person" else kind_of(head), head)})
        for one in self._kept(Statement(other.tell(self._rng), "", says=other.says)):
            yield one
            self._others[other.subject] = "person" if sort == "person" else kind_of(head)

    def _elsewhere(self) -> Iterator[Statement]:
        """Every step again, of others: a chain that starts from nothing the question names."""
        others = {name: self._like(name) for name in self._steps.names}
        for link in self._steps.told:
            replaced = dict(others)
            if link.subject not in replaced:
                sort = self._kind_of_side(link)
                if self._says_the_answer(link.subject):
                    yield from self._alike(link)
                    continue
                if sort is None:
                    continue
                replaced[link.subject] = others.setdefault(link.subject, self._fresh(sort))
            if link.value not in replaced:
                slot = self._slot(link)
                value = self._value(slot, link.value) if slot else ""
                if not value:
                    continue
                replaced[link.value] = value
            other = link.about(replaced)
            yield from self._kept(Statement(other.tell(self._rng), "", says=other.says))

    def _otherwise(self) -> Iterator[Statement]:
        """Something else about each thing that the steps speak of."""
        for name in (*self._subjects(), *self._others):
            other = self._relation(self._steps.names.get(name) or self._others.get(name) or self._guess(name))
            if other is None:
                continue
            value = self._of(name, other)
            link = Link(name, other.name, value, other.forms)
            if value:
                yield from self._kept(Statement(link.tell(self._rng), "", says=link.says))

    def _of(self, name: str, relation: _Relation) -> str:
        """What a thing may have by a relation; a year fits its life as far as it is told."""
        year = year_for(f"{relation.name} {relation.forms[0]}", name, self._lives, self._rng)
        if relation.slot != "year" or year is None:
            return self._value(relation.slot, "")
        return "" if self._says_the_answer(year) else year

    def _subjects(self) -> list[str]:
        """What has a name in the steps and is not the answer, the invented first."""
        ends = [link.subject for link in self._steps.told]
        ends += [link.value for link in self._steps.told if link.sort]
        return [name for name in dict.fromkeys(ends) if not self._says_the_answer(name)]

    def _relation(self, sort: str) -> _Relation | None:
        known = _relations()
        told = {triple.relation for triple in self._told}
        general = self._rng.random() < 0.2 or sort not in known
        fit = [
            one
            for one in known["any" if general else sort]
            if one.name not in told and not one.cues & self._question
        ]
        return self._rng.choice(fit) if fit else None

    # --- kinds and values

    def _says_the_answer(self, name: str) -> bool:
        return name.casefold() in self._answer.casefold() or self._holds(name)

    def _guess(self, name: str) -> str:
        """What kind of thing a name is: from the noun before it ("the cutler X"), or from its step."""
        called = re.search(rf"\b(?:the|an?) (?:[\w-]+ )?([\w-]+) {re.escape(name)}\b", self._instruction)
        if called and (sort := kind_of(called[1])) != "thing":
            return sort
        for link in self._steps.told:
            if name == link.value and link.sort:
                return link.sort
            if name == link.subject:
                return self._kind_of_side(link) or "any"
        return "any"

    def _kind_of_side(self, link: Link) -> str | None:
        """What the things compared are, from the question's noun or from what is told of them."""
        for noun in asked_nouns(self._instruction)[-1:]:
            if (sort := kind_of(noun)) != "thing":
                return sort
        said = f"{link.relation} {link.forms[0]}"
        if re.search(
            r"\b(?:his|her|himself|herself|born|died|age at death|papers|living as|is from|nationality)\b",
            said,
        ):
            return "person"
        if re.search(r"\b(?:came out|released|published)\b", said):
            return "work"
        return "org" if re.search(r"\b(?:founded|formed|created|established)\b", said) else None

    def _slot(self, link: Link) -> str | None:
        """The slot that another value of a step is drawn from."""
        value = link.value
        if link.value in self._steps.names:
            return None
        if link.sort:
            return {"place": "town", "thing": None}.get(link.sort, link.sort)
        for pattern, slot in _FORMATS:
            if pattern.match(value):
                return slot
        if value in ORDINALS:
            return "ordinal"
        for name, slot in (
            ("countries", "country"),
            ("nationalities", "nationality"),
            ("languages", "language"),
        ):
            if value in words(name):
                return slot
        if value.casefold() != self._answer.strip().casefold():
            return None
        sort = kind(self._instruction, self._answer)
        if sort in ("person", "place"):
            return "town" if sort == "place" else "person"
        nouns = asked_nouns(self._instruction)
        return {"org": "org", "work": "work"}.get(kind_of(nouns[-1])) if nouns else None

    def _value(self, slot: str, own: str) -> str:
        """Another value of that slot: not the answer, and not the step's own."""
        for _ in range(12):
            value = (
                self._namer.draw(slot)
                if slot in ("person", "work", "org", "town")
                else draws()[slot](self._rng)
            )
            if value != own and not self._says_the_answer(value):
                return value
        return ""

    def _like(self, name: str) -> str:
        """Another name of an invented one's kind."""
        if self._steps.names[name] == "alias":
            return self._namer.draw("town", "alias")
        for link in self._steps.told:
            if link.subject == name and link.relation in KIN:
                return self._namer.fresh(link.relation, "person")
        return self._fresh(self._steps.names[name], name.split()[-1])

    def _fresh(self, sort: str, head: str = "") -> str:
        listed = {"person": "person", "work": "film", "org": "company", "place": "town"}
        return self._namer.fresh(listed.get(sort) or head or "place")

    def _kept(self, statement: Statement) -> list[Statement]:
        """The statement, if it neither holds the answer nor changes it."""
        if self._holds(statement.text):
            return []
        if answers(self._steps.query, self._told.union(statement.says)) != self._right:
            return []
        self._told.update(statement.says)
        self._lives += statement.says
        return [statement]
