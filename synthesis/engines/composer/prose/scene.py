"""What a slot means at this point of the text: who is spoken of, where, and when.

Keeps track of who was mentioned last, so that a pronoun is used only where it can be
understood and a name everywhere else. It does not choose sentences.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeAlias

from synthesis.engines.composer.prose.bank import Bank
from synthesis.engines.composer.prose.deck import Deck
from synthesis.engines.composer.prose.templates import Sequence, expand_options
from synthesis.engines.composer.prose.world import DAYS, NUMBERS, PARTS, PRONOUNS, SKIES, Clock, Person, World
from synthesis.errors import UsageError

#: Stands where a topic will be; replaced after all templates are done.
TOPIC = "\ue000"

Mark: TypeAlias = tuple[bool, bool, int, bool, frozenset[str], int]


class Scene:
    """The ink of the running text (see ``grammar.Ink``)."""

    def __init__(self, bank: Bank, rng: random.Random, world: World, clock: Clock) -> None:
        self.random: Callable[[], float] = rng.random
        self.bank = bank
        self.clock = clock
        self._ties: Deck[Sequence] = Deck(bank.rules["tie"], rng)
        self._met: frozenset[str] = frozenset()  # full names already given
        self._section = 0
        self.enter(world)

    def enter(self, world: World) -> None:
        """Begin a new stretch of text in another setting."""
        self.world = world
        self._sky = self._choose(SKIES[self.clock.season])
        self.begin(None, None)
        self._when = self._moment("when_first")

    def begin(self, focus: Person | None, other: Person | None) -> None:
        """Begin a paragraph about ``focus``; ``other`` is who else may appear in it."""
        self._p, self._q = focus, other
        self._p_live = self._q_live = False
        self._since_name = 0
        self._when_used = False
        self.sky_used = False  # the weather is worth one mention in a paragraph
        self.values = self._around()
        if focus is not None:
            self.values |= focus.values
        spots = self.world.lines["spot"]
        self.values["spot"] = self._fixed(spots[int(self.random() * len(spots))].nodes)

    def _around(self) -> dict[str, str]:
        """What is true of everyone just now: the setting and the time."""
        clock = self.clock
        return {
            **self.world.values,
            "month": clock.month,
            "season": clock.season,
            "year": str(clock.year),
            "part": PARTS[clock.part],
            "day": DAYS[clock.day % 7],
            "topic": TOPIC,
        }

    @property
    def has_focus(self) -> bool:
        """Whether the paragraph is about a person."""
        return self._p is not None

    @property
    def has_company(self) -> bool:
        """Whether it may speak of a second one."""
        return self._q is not None

    def pass_time(self) -> None:
        """Move the clock on by some hours or days, and prepare what ``{when}`` says about it."""
        clock, drawn = self.clock, self.random()
        if drawn < 0.4 and clock.part < 2:
            clock.move(0, clock.part + 1)
            self._when = self._moment(f"when_that_{PARTS[clock.part]}")
            return
        days = 1 if drawn < 0.62 else 2 + int(self.random() * 4) if drawn < 0.88 else 7
        clock.move(days, int(self.random() * 3))
        self._sky = self._choose(SKIES[clock.season])
        self.values = self._around()
        self._when = self._moment("when_next" if days == 1 else "when_days" if days < 7 else "when_week")

    def value(self, name: str) -> str:
        """The text of a slot: a fixed value, a reference, a number, or one of the bank's rules.

        Raises:
            UsageError: nothing of that name exists.
        """
        text = self.values.get(name)
        if text is not None:
            return text
        if name in NUMBERS:
            return NUMBERS[name](self.random(), self.clock.year)
        maker = _MAKERS.get(name)
        if maker is not None:
            return maker(self)
        options = self.bank.rules.get(name)
        if options is None:
            raise UsageError(
                f"The {self.bank.genre} bank uses {{{name}}}, which nothing fills. Define a rule or fix it."
            )
        return expand_options(options, self)

    # --- who is meant -------------------------------------------------------------------

    def sentence(self) -> None:
        """A new template begins: decide whether the focus may still go by a pronoun."""
        self._since_name += 1
        same = self._p is not None and self._q is not None and self._p.female == self._q.female
        if (self._q_live and same) or (self._since_name > 3 and self.random() < 0.6):
            self._p_live = False

    def interrupted(self) -> None:
        """Other people's names were just mentioned: pronouns need a name again."""
        self._p_live = self._q_live = False

    def mark(self) -> Mark:
        """The state that an unused sentence must not change; see ``reset``."""
        return (self._p_live, self._q_live, self._since_name, self._when_used, self._met, self._section)

    def reset(self, mark: Mark) -> None:
        """Go back to a ``mark``."""
        (
            self._p_live,
            self._q_live,
            self._since_name,
            self._when_used,
            self._met,
            self._section,
        ) = mark

    def _name(self, person: Person) -> str:
        if person.full in self._met:
            return person.short
        self._met |= {person.full}
        return person.full

    def _focus(self, case: str) -> str:
        person = self._p
        if person is None:
            raise UsageError(f"A sentence about no one in particular uses a person ({case}).")
        if self._p_live and case != "name":
            return PRONOUNS[person.female][case]
        self._p_live = True
        self._since_name = 0
        return self._named(person, case)

    def _other(self, case: str) -> str:
        person = self._q
        if person is None or self._p is None:
            raise UsageError(f"A sentence without a second person uses one ({case}).")
        apart = person.female != self._p.female
        if case == "themself" or (self._q_live and apart and case != "name"):
            return PRONOUNS[person.female][case]
        self._q_live = True
        return self._named(person, case)

    def _named(self, person: Person, case: str) -> str:
        if case == "themself":
            return PRONOUNS[person.female][case]
        name = self._name(person)
        return f"{name}'s" if case in ("their", "theirs") else name

    def _full(self) -> str:
        assert self._p is not None
        self._met |= {self._p.full}
        self._p_live, self._since_name = True, 0
        return self._p.full

    def _tie(self) -> str:
        assert self._p is not None and self._q is not None
        key = frozenset((self._p.full, self._q.full))
        if key not in self.world.ties:
            self.world.ties[key] = self._fixed(self._ties.draw())
        return self.world.ties[key]

    # --- when, where, how many ----------------------------------------------------------

    def _time(self) -> str:
        if self._when_used:
            return self._phrase("later")
        self._when_used = True
        return self._when

    def _moment(self, rule: str) -> str:
        """A phrase of time as it stands within a sentence; ``{When}`` raises it again."""
        phrase = self._phrase(rule)
        return phrase[:1].lower() + phrase[1:]

    def _phrase(self, rule: str) -> str:
        return expand_options(self.bank.rules[rule], self)

    def _weather(self) -> str:
        self.sky_used = True
        return self._phrase(f"sky_{self._sky}")

    def _fixed(self, nodes: Sequence) -> str:
        return expand_options((nodes,), self)

    def _choose(self, items: tuple[str, ...]) -> str:
        return items[int(self.random() * len(items))]

    def _next_section(self) -> str:
        self._section += 1
        return str(self._section)


def _reference(refer: Callable[[Scene, str], str], case: str) -> Callable[[Scene], str]:
    return lambda scene: refer(scene, case)


_MAKERS: dict[str, Callable[[Scene], str]] = {
    "p": _reference(Scene._focus, "name"),
    "q": _reference(Scene._other, "name"),
    "full": Scene._full,
    "q_role": lambda scene: scene._q.values["role"] if scene._q else "",
    "q_aim": lambda scene: scene._q.values["aim"] if scene._q else "",
    "q_matter": lambda scene: scene._q.values["matter"] if scene._q else "",
    "tie": Scene._tie,
    "when": Scene._time,
    "sky": Scene._weather,
    "section": Scene._next_section,
    **{case: _reference(Scene._focus, case) for case in PRONOUNS[True]},
    **{f"q_{case}": _reference(Scene._other, case) for case in PRONOUNS[True]},
}

#: Every slot that has a meaning in sentences without being a rule.
SLOTS = frozenset(
    (
        *_MAKERS,
        *("town", "other_town", "far_town", "year", "month", "season", "part", "day", "spot", "topic"),
        *("role", "home", "belonging", "habit", "from_town", "aim", "matter", "house", "name", "room"),
    )
)
