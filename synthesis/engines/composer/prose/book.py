"""The whole of one narrative: chapters until the words are used up, or facts first where there are few words.

Knows the world, the plan, the writer and the feed of facts; not what is asked, nor what a fact says.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from math import ceil

from synthesis.engines.composer.prose.bank import load_bank
from synthesis.engines.composer.prose.facts import Fact, Feed
from synthesis.engines.composer.prose.guard import Guard
from synthesis.engines.composer.prose.plan import Beat, cast_size, plan
from synthesis.engines.composer.prose.scene import Scene
from synthesis.engines.composer.prose.world import Clock, Supply
from synthesis.engines.composer.prose.writer import LEAD, Paragraph, Writer, lay_out

#: Words of one chapter: one setting and its people.
CHAPTER = 2600

#: Below this many words around the evidence there is no room for people.
BRIEF = 80

#: The same for each statement of evidence, and what leading up to one takes on average.
BRIEF_EACH, LEAD_EACH = 16, 12

#: How much of its words a text with near misses leaves to its story.
STORY_SHARE = 0.75

#: As many facts are told in one paragraph where they are what is left at the end.
MANY = 3

#: Words kept back for the last sentences.
ENDING = 26


class Story:
    """The whole of one context: chapters until the words are used up."""

    def __init__(
        self,
        rng: random.Random,
        genre: str,
        words: int,
        feed: Feed,
        subjects: list[str],
        bans: Guard,
        facts_first: bool = False,
        topical: bool = False,
    ) -> None:
        bank = load_bank(genre)
        self._facts_first = facts_first
        self._rng = rng
        self._words = words
        self._feed = feed
        self._order = bank.meta.get("order", "woven")
        self._headed: set[str] = set()
        self._slack = min(words // 100, 12)
        self._supply = Supply(bank, rng, bans.names)
        first, last = (int(year) for year in bank.meta.get("years", "1920-1998").split("-"))
        year = first + int(rng.random() * (last - first))
        # Nobody reads in 1931 of what came about in 1957.
        clock = Clock(max(year, feed.latest and feed.latest + year % 4), int(rng.random() * 330))
        feed.until = clock.year
        self._budget = words - feed.pending
        self._chapters = max(1, round(self._budget / CHAPTER))
        self._told_share = STORY_SHARE if topical else 1.0
        people = cast_size(int(self._told_share * self._budget) // self._chapters)
        self._scene = Scene(bank, rng, self._supply.world(people, clock.year), clock)
        self._writer = Writer(bank, rng, self._scene, feed, subjects, bans, topical)

    def paragraphs(self) -> Iterator[Paragraph]:
        """One after the other, as they are asked for."""
        if groups := self._feed.groups() if self._facts_first else []:
            yield from self._short(groups)
            return
        around = self._words - self._feed.owed
        if around < max(BRIEF, BRIEF_EACH * self._feed.untold):
            yield lay_out(self._writer.brief(around, self._slack))
            return
        for chapter in range(self._chapters):
            if chapter:
                self._move_on()
            left = self._words - self._writer.written
            end = self._writer.written + left // (self._chapters - chapter)
            yield from self._chapter(end, last=chapter == self._chapters - 1)

    def _short(self, groups: list[list[Fact]]) -> Iterator[Paragraph]:
        """Facts in company, and of a story what there is room for."""
        writer = self._writer
        if heading := writer.heading("head_open", Beat("open"), self._words // 16):
            yield heading
        yield from writer.compact(groups, self._words - ENDING // 2)
        if pieces := writer.ending(self._words - writer.written, self._slack):
            yield lay_out(pieces)

    def _move_on(self) -> None:
        """Some months later, another place."""
        clock = self._scene.clock
        clock.move(20 + int(self._rng.random() * 150), 0)
        world = self._supply.world(len(self._scene.world.cast), clock.year)
        self._scene.enter(world)
        self._writer.enter(world)

    def _chapter(self, end: int, last: bool) -> Iterator[Paragraph]:
        rng = self._rng
        end -= ENDING if last else 0
        room = self._room(end)
        beats = plan(rng, len(self._scene.world.cast), int(room * self._told_share), self._order)
        self._headed = set()
        for index, beat in enumerate(beats):
            room = self._room(end)
            if room < 34:
                break
            share = room / (len(beats) - index) * (0.75 + 0.5 * rng.random())
            yield from self._told(beat, min(140, max(40, int(share))), room)
            self._scene.pass_time()
        while (room := self._room(end)) > 130:
            someone = int(rng.random() * len(self._scene.world.cast))
            yield from self._told(
                Beat(("work", "place")[room % 2], someone if room % 2 == 0 else None), 90, room
            )
        if last:
            yield from self._finish()

    def _room(self, end: int) -> int:
        """Words left for narrative and distractors; evidence keeps its place."""
        left = end - self._writer.written
        kept = self._feed.pending + LEAD_EACH * self._feed.untold
        return left - kept * left // max(1, self._words - self._writer.written)

    def _told(self, beat: Beat, target: int, room: int) -> Iterator[Paragraph]:
        start = self._writer.written
        kind = "head_item" if self._order == "items" and beat.stage == "aim" else f"head_{beat.stage}"
        if kind == "head_item" or kind not in self._headed:
            self._headed.add(kind)
            if heading := self._writer.heading(kind, beat, room // 4):
                yield heading
        room -= self._writer.written - start
        paragraph = self._writer.paragraph(beat, target, room)
        if paragraph.text:
            yield paragraph

    def _groups(self, facts: list[Fact]) -> list[list[Fact]]:
        """The facts of a paragraph each: of many, two or three, or a long answer would stand in one piece."""
        if len(facts) <= MANY:
            return [facts] if facts else []
        room = self._words - ENDING - self._writer.written - sum(fact.words for fact in facts)
        size = ceil(len(facts) / max(1, min(len(facts) // 2, room // LEAD)))
        return [facts[start : start + size] for start in range(0, len(facts), size)]

    def _finish(self) -> Iterator[Paragraph]:
        """What evidence is left, and sentences for exactly the words that are missing."""
        writer = self._writer
        rest = self._feed.rest()
        groups = self._groups(rest)
        for index, group in enumerate(groups, 1):
            self._scene.begin(self._scene.world.cast[0], None)
            rest = rest[len(group) :]
            owed = sum(fact.words for fact in rest) + LEAD * (len(groups) - index)
            yield lay_out(writer.tell(group, self._words - writer.written - owed))
        self._scene.begin(None, None)
        if pieces := writer.ending(self._words - writer.written, self._slack):
            yield lay_out(pieces)
