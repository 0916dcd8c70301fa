"""Writing the text: paragraphs of sentences drawn from the bank, with the facts among them.

Knows how a paragraph is put together, how facts are led up to, and how to come out at
the right number of words. It does not know where facts come from or what the plan is.
"""

from __future__ import annotations

import random
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from synthesis.data import Evidence
from synthesis.engines.composer.prose.about import about
from synthesis.engines.composer.prose.bank import Bank
from synthesis.engines.composer.prose.deck import Deck
from synthesis.engines.composer.prose.facts import Fact, Feed
from synthesis.engines.composer.prose.guard import Guard
from synthesis.engines.composer.prose.plan import FILLERS, IMPERSONAL, RECIPES, STAGES, Beat
from synthesis.engines.composer.prose.scene import TOPIC, Scene
from synthesis.engines.composer.prose.templates import SentenceTemplate, expand
from synthesis.engines.composer.prose.world import Person, World

#: Kinds that may end a text, or fill it up to an exact length, and speak of no one.
ENDINGS = ("close", "place", "close", "place", "close", "small")

_SENTENCE = re.compile(r'(?<=[.?!:"]) ')

#: Words from one mention of what the question is about to the next, at least and at most, in a text of
#: so many words; in shorter ones they are closer.
MENTION, MENTIONED_IN, CLOSEST = (110, 240), 1200, 0.4

#: Words allowed for leading up to a fact even where room is short.
LEAD = 14

#: No sentence that leads up to a fact has fewer words than this.
SHORT = 5

#: The same for a group of facts in a short text.
COMPACT_LEAD = 13


@dataclass(frozen=True, slots=True)
class Telling:
    """A sentence or a fact. ``what`` is set for evidence; ``alone`` gives it a paragraph."""

    text: str
    what: str = ""
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Finished text; ``spans`` are positions in it."""

    text: str
    spans: tuple[Evidence, ...]


def lay_out(pieces: Iterable[Telling]) -> Paragraph:
    """Join pieces with spaces, and those that stand alone with blank lines."""
    text, spans, alone = "", [], False
    for piece in pieces:
        if text:
            text += "\n\n" if piece.alone or alone else " "
        if piece.what:
            spans.append(Evidence(len(text), len(text) + len(piece.text), piece.what))
        text += piece.text
        alone = piece.alone
    return Paragraph(text, tuple(spans))


class Writer:
    """Writes paragraphs and counts words; ``written`` is what there is so far."""

    def __init__(
        self,
        bank: Bank,
        rng: random.Random,
        scene: Scene,
        feed: Feed,
        topics: list[str],
        guard: Guard,
        topical: bool = False,
    ) -> None:
        """``topics`` are what the question is about; they are spoken of in turn, all through the text.

        With ``topical`` they are what facts are wanted for, more often than not.
        """
        self.written = 0
        self._scene = scene
        self._feed = feed
        self._guard = guard
        self._rng = rng
        self._topics = deque(topics)
        self._topical = topical
        self._spacing = max(CLOSEST, min(1.0, feed.words / MENTIONED_IN)) * (0.5 if topical else 1)
        self._mention = self._spacing * MENTION[0]
        self._seen: set[str] = set()
        # In a short text no sentence comes twice, not even in other words.
        self._used: set[int] = set()
        self._sparing = False
        self._decks = {kind: Deck(lines, rng) for kind, lines in bank.kinds.items()}
        self.enter(scene.world)

    def enter(self, world: World) -> None:
        """Go to another setting: its own sentences are to be used."""
        self._setting = list(world.lines.get("place", ()))
        self._rng.shuffle(self._setting)

    def _later(self) -> float:
        """When the question's subject is to be spoken of again, in words of the text."""
        low, high = MENTION
        return self.written + self._spacing * (low + (high - low) * self._rng.random())

    # --- sentences ----------------------------------------------------------------------

    def say(self, kind: str, most: int, least: int = 1, tries: int = 12) -> str | None:
        """A new sentence of ``least`` to ``most`` words, or None if none was found."""
        deck = self._decks.get(kind)
        if deck is None:
            return None
        for _ in range(tries):
            text = self._try(deck.draw(), most, least)
            if text is not None:
                return text
        return None

    def _try(self, template: SentenceTemplate, most: int, least: int = 1) -> str | None:
        scene = self._scene
        if template.low > most or (template.company and not scene.has_company):
            return None
        if ("sky" in template.slots and scene.sky_used) or (self._sparing and id(template) in self._used):
            return None
        mark = scene.mark()
        scene.sentence()
        text = expand(template, scene)
        if TOPIC in text:
            text = text.replace(TOPIC, self._topics[0])
        count = len(text.split())
        parts = _SENTENCE.split(text)
        if least <= count <= most and self._seen.isdisjoint(parts) and self._guard.clean(text):
            self._seen.update(parts)
            self._used.add(id(template))
            self.written += count
            return text
        scene.reset(mark)
        return None

    def _step(self, kind: str, stage: str, focus: Person | None, most: int) -> str | None:
        """One entry of a recipe."""
        if kind == "plot" and focus is not None:
            lines = focus.lines.get(stage, [])
            return self._try(lines.pop(), most) if lines else None
        if kind == "setting":
            if self._setting and (text := self._try(self._setting.pop(), most)):
                return text
            kind = "place"
        return self.say(kind, most)

    # --- paragraphs ---------------------------------------------------------------------

    def heading(self, kind: str, beat: Beat, room: int) -> Paragraph | None:
        """The line that opens a section, where the genre has such lines."""
        if kind not in self._decks:
            return None
        cast = self._scene.world.cast
        self._scene.begin(None if beat.focus is None else cast[beat.focus], None)
        mark = self._scene.mark()
        text = expand(self._decks[kind].draw(), self._scene)
        count = len(text.split())
        # A heading may come again in another chapter, so it is not held against what was said.
        if count > room or not self._guard.clean(text):
            self._scene.reset(mark)
            return None
        self.written += count
        return Paragraph(text, ())

    def paragraph(self, beat: Beat, target: int, room: int) -> Paragraph:
        """About ``target`` words for a beat, and never more than ``room`` unless evidence is due."""
        scene, start = self._scene, self.written
        self._feed.begin()
        cast = scene.world.cast
        focus = None if beat.focus is None else cast[beat.focus]
        scene.begin(focus, self._company(focus, [cast[i] for i in beat.others]))
        recipes = RECIPES[beat.stage]
        recipe = deque(recipes[int(self._rng.random() * len(recipes))])
        if self._feed.dense and focus is not None:
            # The story's bones alone: the room belongs to facts.
            recipe = deque(k for i, k in enumerate(recipe) if i == 0 or k in ("intro", "plot"))
        fillers = FILLERS[beat.stage]
        pieces: list[Telling] = []
        misses = 0
        while misses < 4:
            left = room - (self.written - start)
            # A plot is told before anything else: without it, later paragraphs make no sense.
            telling = "plot" in recipe
            # Half a sentence over is as good as half a sentence under.
            if left < 5 or (self.written - start > target - 9 and not telling):
                break
            kind = recipe.popleft() if recipe else fillers[int(self._rng.random() * len(fillers))]
            text = self._step(kind, beat.stage, focus, left)
            if text is None:
                misses += 1
                continue
            pieces.append(Telling(text))
            if beat.stage not in IMPERSONAL and "plot" not in recipe:
                group = self._feed.due(self.written, room - (self.written - start) - 12)
                pieces += self.tell(group, room - (self.written - start), beat.stage)
                self._add(pieces, self._speak("spoken", room - (self.written - start) - 4), room)
        return lay_out(pieces)

    def compact(self, groups: list[list[Fact]], most: int) -> Iterator[Paragraph]:
        """The start of a story, and a paragraph for each group of facts; about ``most`` words with them."""
        scene = self._scene
        self._sparing = True
        owed = sum(fact.words for group in groups for fact in group) + COMPACT_LEAD * len(groups)
        scene.begin(None, None)
        pieces: list[Telling] = []
        self._add(pieces, self.say("open", most - self.written - owed), 0)
        if most - self.written - owed > 60:
            self._add(pieces, self._step("setting", "open", None, 26), 0)
        if pieces:
            yield lay_out(pieces)
        person = scene.world.cast[0]
        for index, group in enumerate(groups):
            scene.begin(person, None)
            pieces = []
            share = (most - self.written - owed) // (len(groups) - index)
            stage = STAGES[min(index * len(STAGES) // len(groups), len(STAGES) - 1)]
            kinds = ["intro", "plot"] if index == 0 else ["plot"] if index % 2 else ["work"]
            for kind in kinds:
                spare = most - self.written - owed if index == 0 else share
                if spare >= 12:
                    self._add(pieces, self._step(kind, stage, person, spare), 0)
            words = sum(fact.words for fact in group)
            owed -= words + COMPACT_LEAD
            pieces += self.tell(group, words + COMPACT_LEAD, stage)
            yield lay_out(pieces)

    def _company(self, focus: Person | None, others: list[Person]) -> Person | None:
        """Somebody else for the paragraph, mostly one whom pronouns tell apart."""
        if focus is None or not others:
            return None
        apart = [person for person in others if person.female != focus.female]
        choices = apart if apart and self._rng.random() < 0.85 else others
        return choices[int(self._rng.random() * len(choices))]

    def tell(self, group: list[Fact], room: int, stage: str = "") -> list[Telling]:
        """Say what facts are wanted for, state them word for word, and sometimes what came of it."""
        if not group:
            return []
        room -= sum(fact.words for fact in group)
        pieces: list[Telling] = []
        # The text must have a reason to know such things; what is no evidence has it as often.
        leading = self._sparing and self._topical and self._chance(0.6)
        spoken = self._speak("topic", room if leading else room - LEAD)
        room = self._add(pieces, spoken, room)
        first, last = about(group[0].text), about(group[-1].text)
        if spoken is None or not leading:
            # Better a few words over than a fact out of nowhere; the ending makes up for a few.
            for most in (room, LEAD) if SHORT <= room < LEAD else (max(room, LEAD),):
                if text := self._led(stage, first, most):
                    room = self._add(pieces, text, room)
                    break
        for index, fact in enumerate(group):
            # What was read out together needs few words between; a long list, hardly any but in its middle.
            halfway = len(group) > 3 and index == len(group) // 2
            if index and (self._chance(0.3 if len(group) <= 3 else 0.1) or halfway):
                room = self._add(pieces, self.say("next", room), room)
            pieces.append(Telling(fact.text, fact.what, fact.own_paragraph))
            self.written += fact.words
        self._scene.interrupted()
        if self._scene.has_focus and self._chance(0.5):
            text = self._tied("use", stage, last, room) if self._chance(0.65) else None
            self._add(pieces, text or self.say("after", room), room)
        return pieces

    def _led(self, stage: str, subject: str, most: int) -> str | None:
        """What leads up to a fact: why it is wanted, or that somebody comes upon it."""
        text = self._tied("need", stage, subject, most) if self._chance(0.7) else None
        if text is None:
            text = self.say("lead" if self._scene.has_focus and self._chance(0.75) else "notice", most)
        return text

    def _tied(self, kind: str, stage: str, subject: str, most: int) -> str | None:
        """What a fact has to do with what the focus person wants, in words that fit both if there are any."""
        if not self._scene.has_focus:
            return None
        # A day's work is a paragraph's kind too, and no work that a fact is about.
        sorts = (stage if stage in STAGES else "", subject)
        fitting = [name for name in (f"{kind} {sort}" for sort in sorts) if name in self._decks]
        return self.say(self._choose([*fitting, kind]), most)

    def _speak(self, kind: str, room: int) -> str | None:
        """A sentence about the next of the question's subjects, if it is time for one."""
        if not self._topics or self.written < self._mention:
            return None
        if text := self.say(kind, room):
            self._topics.rotate(-1)
            self._mention = self._later()
        return text

    def _chance(self, share: float) -> bool:
        return self._rng.random() < share

    def _choose(self, names: list[str]) -> str:
        return names[int(self._rng.random() * len(names))]

    def _add(self, pieces: list[Telling], text: str | None, room: int) -> int:
        if text is None:
            return room
        pieces.append(Telling(text))
        return room - len(text.split())

    # --- coming out right ---------------------------------------------------------------

    def ending(self, left: int, slack: int) -> list[Telling]:
        """Sentences of ``left`` words together, or up to ``slack`` fewer."""
        pieces: list[Telling] = []
        for turn in range(60):
            if left <= slack:
                break
            kind = ENDINGS[turn % len(ENDINGS)]
            if left > 30:
                text = self.say("place" if left > 60 and kind == "small" else kind, left - 9)
            else:
                # Exactly what is missing; failing that, a part of it that leaves a sentence's worth.
                text = self.say(kind, left, max(1, left - slack), 24)
                if text is None and turn % 3 == 2:
                    text = self.say("small", left - 2)
            left = self._add(pieces, text, left)
        return pieces

    def brief(self, left: int, slack: int) -> list[Telling]:
        """All the evidence with ``left`` words around it, for texts too short for a story."""
        self._scene.begin(None, None)
        facts = self._feed.rest()
        pieces: list[Telling] = []
        if left > 34:
            left = self._add(pieces, self.say("open", left - 20), left)
        if left > 12:
            left = self._add(pieces, self.say("notice", left - 4), left)
        elif facts:
            lead = self.say("notice", left, left, 60) or self.say("tag", left, left, 40)
            left = self._add(pieces, lead or self.say("tag", left), left)
        for index, fact in enumerate(facts):
            if index and left > 16:
                left = self._add(pieces, self.say("next", left - 8), left)
            pieces.append(Telling(fact.text, fact.what, fact.own_paragraph))
            self.written += fact.words
        return pieces + self.ending(left, slack)
