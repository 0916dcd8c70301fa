"""The order of events: which stage of whose story each paragraph tells.

Knows stages, their order for one person, how the stories of several people interleave,
and which kinds of sentence a paragraph of each stage is made of. It does not know any
sentence, nor the pair.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

#: A person's story, in order. Each stage takes at least one paragraph of its own.
STAGES = ("aim", "block", "turn", "end")

#: Paragraphs between them: the room itself, ordinary work, two people meeting.
BETWEEN = ("place", "work", "meet", "work", "meet")

#: What a paragraph of a stage is made of; "plot" is the focus person's own next sentence
#: for that stage, "setting" one of the setting's sentences, all else kinds of the bank.
RECIPES: dict[str, tuple[tuple[str, ...], ...]] = {
    "open": (("open", "setting", "place"), ("open", "place", "setting"), ("open", "setting", "setting")),
    # In the middle of things: settings have more sentences than there are openings.
    "enter": (("setting", "open", "place"), ("setting", "open", "setting")),
    "aim": (
        ("intro", "plot", "plot", "aim"),
        ("intro", "trait", "plot", "plot"),
        ("intro", "aim", "plot", "plot"),
    ),
    "block": (
        ("begin", "plot", "plot", "block"),
        ("plot", "plot", "block", "mind"),
        ("block", "plot", "plot"),
    ),
    "turn": (("begin", "plot", "plot", "turn"), ("plot", "plot", "turn", "mind"), ("turn", "plot", "plot")),
    "end": (("plot", "plot", "end"), ("begin", "plot", "plot", "end")),
    "work": (("begin", "work", "work", "mind"), ("work", "trait", "work", "mind"), ("begin", "mind", "work")),
    "meet": (("meet", "talk", "talk"), ("begin", "meet", "talk"), ("meet", "talk", "mind")),
    "place": (("setting", "place", "place"), ("place", "setting", "place")),
}

#: What makes a paragraph longer when its recipe is used up.
FILLERS: dict[str, tuple[str, ...]] = {
    "open": ("place", "setting"),
    "enter": ("place", "setting"),
    "place": ("place",),
    "aim": ("work", "trait", "mind"),
    "block": ("work", "mind", "work"),
    "turn": ("work", "mind"),
    "end": ("mind", "work"),
    "work": ("work", "mind"),
    "meet": ("talk", "mind", "work"),
}

#: Stages that speak of no one in particular.
IMPERSONAL = frozenset(("open", "enter", "place"))

#: Words a paragraph comes to, on average.
PARAGRAPH = 82


@dataclass(frozen=True, slots=True)
class Beat:
    """One paragraph: its ``stage``, the index of its ``focus`` person, who else is there."""

    stage: str
    focus: int | None = None
    others: tuple[int, ...] = ()


def cast_size(words: int) -> int:
    """How many people a chapter of that many words can do justice to: 1 to 9."""
    return max(1, min(9, round((words / PARAGRAPH - 1) / 5.4)))


def plan(rng: random.Random, people: int, words: int, order: str = "woven") -> list[Beat]:
    """The paragraphs of one chapter of about ``words`` words, in order.

    Every person's stages keep their order; what lies between is filled with work,
    meetings and the place. When there is room for less, the middle stages go first.
    ``order`` says how the stories of several people lie: ``woven`` (staggered and
    interleaved), ``phases`` (everybody's first stage, then everybody's second) or
    ``items`` (one person's whole story, then the next).
    """
    room = max(2, round(words / PARAGRAPH))
    # A text with a fixed order of its parts begins at the beginning.
    opening = "enter" if order == "woven" and rng.random() < 0.5 else "open"
    events: list[tuple[float, str, int | None]] = [(-1.0, opening, None)]
    for person in range(people):
        at = 0.34 * (person + 0.5 * rng.random()) / people
        for index, stage in enumerate(STAGES):
            if order == "phases":
                at = index + 0.9 * (person + 0.5 * rng.random()) / people
            elif order == "items":
                at = person + 0.25 * index
            events.append((at, stage, person))
            at += 0.1 + 0.2 * rng.random()
    middle = [event for event in events if event[1] in ("block", "turn")]
    while len(events) > room and middle:
        events.remove(middle.pop(int(rng.random() * len(middle))))
    last = max(at for at, _, _ in events)
    for extra in range(room - len(events)):
        at = last * (0.08 + 0.88 * rng.random())
        events.append((at, BETWEEN[extra % len(BETWEEN)], None))
    events.sort(key=lambda event: event[0])
    return _with_company(rng, events[: max(room, 2)], keep=order == "items")


def _with_company(rng: random.Random, events: list[tuple[float, str, int | None]], keep: bool) -> list[Beat]:
    """Give paragraphs without a person of their own somebody who is there by then.

    With ``keep`` that is whoever was spoken of last, otherwise rather someone else.
    """
    present: list[int] = []
    beats: list[Beat] = []
    for _, stage, focus in events:
        if stage == "meet" and len(present) < 2:
            stage = "work"
        if focus is None and stage not in IMPERSONAL:
            if not present:
                stage = "place"
            else:
                # Not the one just spoken of, where there is a choice.
                before = beats[-1].focus
                choices = [p for p in present if (p == before) == keep] or present
                focus = choices[int(rng.random() * len(choices))]
        others = tuple(person for person in present if person != focus)
        beats.append(Beat(stage, focus, others))
        if stage == "aim" and focus is not None:
            present.append(focus)
        elif stage == "end" and focus is not None and len(present) > 2:
            present.remove(focus)
    return beats
