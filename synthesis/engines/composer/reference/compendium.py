"""The whole of one context told in entries: those that were planned, in their places, and others between.

Knows how many words there are and how many an entry takes; not which sentences there are.
"""

from __future__ import annotations

import random
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from synthesis.data import Evidence
from synthesis.engines.composer.prose.deck import Deck
from synthesis.engines.composer.prose.facts import Planned
from synthesis.engines.composer.prose.guard import Guard
from synthesis.engines.composer.prose.writer import Paragraph
from synthesis.engines.composer.reference.kinds import kind_called
from synthesis.engines.composer.reference.names import Names
from synthesis.engines.composer.reference.pieces import Entry, referring
from synthesis.engines.composer.reference.sentences import NUMBERED, FactLine, Filling, lines
from synthesis.engines.composer.reference.things import Thing, invented

#: Words of an entry, at least and at most; in a short text they are fewer.
SIZE = (40, 92)

#: Words from one mention of what the question is about to the next.
MENTION = (70, 170)

#: Words from one turn that is the kind of book's own to the next, on average.
OWN_TURNS = 110

#: How an entry sends a reader to another one, by the number of words.
SEE = ("See", "See also", "See also under", "Compare the entry on", "More is said of this under")

#: From this many words on a book may say what it is.
FIRST_PAGE = 160

#: Below this many words around the evidence there is no room for entries.
LEAST = 46


class Plainly(NamedTuple):
    """What is told of the pair: ``names`` stand in every statement, no ``figures`` but the statements'."""

    names: bool
    figures: bool


class Compendium:
    """Writes one text; ``planned`` are its statements as they stand in it, known beforehand."""

    def __init__(
        self,
        entries: Sequence[Entry],
        question: str,
        topics: Sequence[str],
        bans: Guard,
        supply: Names,
        words: int,
        kind: str,
        plainly: Plainly,
        rng: random.Random,
    ) -> None:
        """``topics`` are what the question is about."""
        self._plainly = plainly
        self._kind = kind_called(kind)
        self._head = rng.choice(self._kind.heads)
        self._turn = 0.0
        self._number = int(rng.random() * 900)
        self._rng = rng
        self._words = words
        self._bans = bans
        self._asked = frozenset(question.casefold().replace("?", " ").split())
        self._supply = supply
        self._seen: set[str] = set()
        self._used: dict[str, set[str]] = {}
        self._told: deque[Thing] = deque(maxlen=12)
        self._topics = deque(topics)
        self._written = 0
        self._mention = self._later()
        self._slack = min(words // 100, 12)
        self._decks: dict[str, Deck[FactLine]] = {}
        self._entries = [self._placed(entry, plainly.names) for entry in entries]
        self._sorts = Deck(self._wanted(), rng)
        self._ready = self._invented(words)
        self.planned = [
            Planned(entry.place, piece.statement) for entry in self._entries for piece in entry.pieces
        ]

    def _wanted(self) -> list[str]:
        """Kinds of entries that are to stand beside the evidence: mostly its own."""
        own = [entry.thing.sort for entry in self._entries if entry.needed]
        others = ("person", "org", "place", self._rng.choice(("film", "book", "song")))
        own = [{"any": others[at % 4], "site": "org"}.get(sort, sort) for at, sort in enumerate(own)]
        return [*own, *own, *others]

    def _invented(self, words: int) -> deque[Thing]:
        """Who and what else has an entry, named before anything is told, so that others may speak of them."""
        count = 1 + words // 50
        things = deque(invented(self._sorts.draw(), self._supply, self._rng) for _ in range(min(count, 40)))
        self._know(things)
        return things

    def _know(self, things: deque[Thing]) -> None:
        for thing in things:
            if thing.sort in self._supply.entered:
                self._supply.entered[thing.sort].append(thing.name)

    def _placed(self, entry: Entry, named: bool) -> Entry:
        """The statements of an entry in their order, in the words in which they stand there."""
        pieces = [one for one in entry.pieces if not one.statement.what]
        evident = [one for one in entry.pieces if one.statement.what]
        revised = [one for one in pieces if one.needed]
        leads = [one for one in pieces if not one.needed]
        order = [*revised, *evident]
        for lead in leads:
            order.insert(int(self._rng.random() * (len(order) + 1)), lead)
        if entry.headed:
            order.sort(key=lambda one: not one.statement.what)
        opening = entry.headed or self._rng.random() < 0.3
        told = [
            referring(entry, one, named or (at == 0 and opening), self._rng) for at, one in enumerate(order)
        ]
        return replace(entry, pieces=told)

    # --- the text

    def paragraphs(self) -> Iterator[Paragraph]:
        """A paragraph for each entry: its heading, then its sentences; first, perhaps, what the book is."""
        left = deque(self._entries)
        if self._words >= FIRST_PAGE and self._kind.begins and self._rng.random() < 0.7:
            nobody = Thing("", "any", 1900, 1980)
            if found := self._one(self._kind.begins, nobody, 30, set(), False):
                yield Paragraph(found[1], ())
        while True:
            owed = sum(_size(entry) for entry in left if entry.needed)
            room = self._words - self._written - owed
            due = left and (left[0].place * self._words <= self._written + 20 or room < LEAST + 24)
            if due:
                entry = left.popleft()
                if not entry.needed and room < _size(entry) + 20:
                    continue
                room += _size(entry) if entry.needed else 0
            elif room >= LEAST:
                entry = Entry(self._another(), 0.0)
            else:
                return
            target = max(self._target(), _size(entry) + 12)
            last = not any(one.needed for one in left) and room - target < LEAST + 24
            yield self._entry(entry, room if last else max(min(target, room - 16), _size(entry)), last)
            if last:
                if (room := self._words - self._written) >= 20:
                    # Hardly anything can be said of what is the answer without saying the answer.
                    yield self._entry(Entry(self._another(), 0.0), room, True)
                return

    def _target(self) -> int:
        low, high = SIZE
        most = max(low + 4, min(high, self._words // 4))
        return low + int(self._rng.random() * (most - low))

    def _another(self) -> Thing:
        if not self._ready:
            self._ready = deque(invented(self._sorts.draw(), self._supply, self._rng) for _ in range(12))
            self._know(self._ready)
        return self._ready.popleft()

    def _entry(self, entry: Entry, words: int, last: bool) -> Paragraph:
        """Of about that many words; if it is the last, of just as many, or a few less."""
        thing = entry.thing
        self._told.append(thing)
        start = self._written
        heading = self._heading(entry)
        self._written += len(heading.split()) + sum(len(one.statement.text.split()) for one in entry.pieces)
        end = start + words
        pool = self._pool(thing)
        facts: list[tuple[float, str]] = []
        opened = bool(entry.headed)
        used = self._used.setdefault(thing.name, set())
        if not thing.given and (
            lead := self._one(lines(f"lead {thing.sort}"), thing, end - self._written, used, True)
        ):
            facts.append((0, lead[1]))
            opened = True
            if str(thing.values.get("born", "-")) in lead[1]:
                used.add("born")
        misses = 0
        while misses < (40 if last else 6):
            if misses == 20:
                used.clear()
            room = end - self._written
            if room <= (self._slack if last else 5):
                break
            least = 1
            if last and room <= 26:
                # Exactly what is missing; failing that, a part of it that leaves a sentence's worth.
                least = max(1, room - self._slack)
                if misses % 3 == 2 and room > 14:
                    least, room = 1, room - 7
            fact = self._passing(thing, room) if self._written >= self._mention and opened else None
            fact = fact or self._one(pool, thing, room, used, not opened, least)
            if fact is None:
                misses += 1
                continue
            facts.append(fact if opened else (0, fact[1]))
            opened = True
        also = self._see_also(entry, end - self._written) if last else ""
        told = in_order([text for _, text in sorted(facts, key=lambda one: one[0])])
        return self._laid_out(entry, heading, told, also)

    def _heading(self, entry: Entry) -> str:
        """The heading with what parts it from the entry."""
        self._number += 1 + int(self._rng.random() * 4)
        form = self._head.removeprefix("+ ")
        head = form.replace("{n}", str(self._number)).replace("{title}", entry.title)
        return head.replace("?.", ".").replace("!.", "!") + (" " if form != self._head else "\n")

    def _laid_out(self, entry: Entry, heading: str, facts: list[str], also: str) -> Paragraph:
        """The statements among the facts, and at last where else to look."""
        rng, pieces = self._rng, entry.pieces
        open_ = entry.headed or not facts
        places = sorted(
            0 if open_ and not at else min(1 if facts else 0, len(facts)) + int(rng.random() * len(facts))
            for at in range(len(pieces))
        )
        text, spans = heading, []
        at = 0
        for index in range(len(facts) + 1):
            while at < len(pieces) and places[at] == index:
                statement = pieces[at].statement
                begin = text.index(entry.title) if entry.headed and not at else len(text)
                text += statement.text + " "
                if statement.what:
                    spans.append(Evidence(begin, len(text) - 1, statement.what))
                at += 1
            if index < len(facts):
                text += facts[index] + " "
        return Paragraph((text + also).rstrip(), tuple(spans))

    def _see_also(self, entry: Entry, room: int) -> str:
        """Where else to look, in just as many words, if it can be."""
        others = (*self._told, *self._ready)
        names = [one.name for one in others if one.name not in entry.title and not one.given][:16]
        best = ""
        for opening in SEE:
            for name in names:
                text = f"{opening} {name}."
                count = len(text.split())
                if count == room or count < room and room - count < room - len(best.split()):
                    best = text
        text = best
        if not text:
            return ""
        self._written += len(text.split())
        return text

    # --- sentences

    def _pool(self, thing: Thing) -> Deck[FactLine]:
        """The lines for a thing; of what the pair speaks of nothing that bears on the question."""
        name = f"{thing.sort} {thing.given}"
        if name not in self._decks:
            found = [
                line
                for sort in ((thing.sort, "any") if thing.given and thing.sort != "any" else (thing.sort,))
                for line in (*lines(sort), *self._kind.lines)
                if not (thing.given and (line.invented or line.cues & self._asked))
            ]
            self._decks[name] = Deck(found, self._rng)
        return self._decks[name]

    def _one(
        self,
        pool: Deck[FactLine] | Sequence[FactLine],
        thing: Thing,
        room: int,
        used: set[str],
        opening: bool,
        least: int = 1,
        also: str = "",
    ) -> tuple[float, str] | None:
        """A new sentence of ``least`` to ``room`` words, and when in the thing's life it is."""
        if not len(pool):
            return None
        for _ in range(14):
            line = pool.draw() if isinstance(pool, Deck) else pool[int(self._rng.random() * len(pool))]
            own = line in self._kind.lines
            if line.about in used or (own and self._written < self._turn):
                continue
            turn = int(self._rng.random() * len(line.forms))
            if opening and (not line.opens[turn] or line.when > 4):
                continue
            if thing.given and self._plainly.figures and not NUMBERED.isdisjoint(line.forms[turn]):
                continue
            filling = Filling(thing, line, self._supply, self._rng.random, also)
            filling.again = not opening
            text = filling.fill(line.forms[turn])
            if text is None or text in self._seen:
                continue
            count = len(text.split())
            if least <= count <= room and self._bans.clean(text):
                self._seen.add(text)
                used.add(line.about)
                if own:
                    self._turn = self._written + OWN_TURNS * (0.5 + self._rng.random())
                self._written += count
                return (line.when or 1 + 8 * self._rng.random(), text)
        return None

    def _passing(self, thing: Thing, room: int) -> tuple[float, str] | None:
        """What the question is about, in an entry about something else."""
        topic = next((one for one in self._topics if one.casefold() not in thing.name.casefold()), "")
        sort = "any" if thing.sort == "site" else thing.sort
        if not topic or thing.name in topic:
            return None
        found = self._one(lines(f"also {sort}"), thing, room, set(), False, also=topic)
        if found:
            self._topics.rotate(-1)
            self._mention = self._later()
        return found

    def _later(self) -> float:
        low, high = MENTION
        return self._written + max(0.4, min(1.0, self._words / 900)) * (
            low + (high - low) * self._rng.random()
        )


_YEAR = re.compile(r"(?<![\d,.$£€-])(?:1[0-9]\d\d|20[0-3]\d)(?![\d,.]?\d)")


def in_order(told: Sequence[str]) -> list[str]:
    """Sentences about one thing, those with years in the order of these; the first stays the first."""
    years = [_YEAR.search(text) for text in told]
    dated = [at for at, year in enumerate(years) if year and at]
    found = list(told)
    for at, text in zip(dated, sorted((told[at] for at in dated), key=_first_year), strict=True):
        found[at] = text
    return found


def _first_year(text: str) -> int:
    year = _YEAR.search(text)
    return int(year[0]) if year else 0


def _size(entry: Entry) -> int:
    """Words of an entry that has nothing but what is planned of it."""
    return len(entry.title.split()) + 2 + sum(len(one.statement.text.split()) for one in entry.pieces)
