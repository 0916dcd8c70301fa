"""The plan of a long context: its sections, and which point each of them tells.

A plan is one numbered line per section. A model's lines are read generously; which section
tells what is completed and evened out here, so that every point has a place and no two share
one without need. Knows nothing of how sections are written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from synthesis.coherence.reading import read_question
from synthesis.data import Completion, Pair, Prompt
from synthesis.gate.faults import AnswerFact, Fault, facts_of
from synthesis.gate.replies import without_thinking
from synthesis.prompts import next_prompt, step_template
from synthesis.run.repair import Checked
from synthesis.wording import counted

_LINE = re.compile(r"^[ \t>*_#|-]*(?:section\s+)?(\d{1,3})[*_]{0,2}\s*[.):|\-–—]+\s*(\S.*)$", re.I | re.M)
_POINT = re.compile(r"\bP\s?(\d{1,3})\b")
_MENTION = re.compile(r"[(\[]?\bP\s?\d{1,3}(?:[\s,;&]+P\s?\d{1,3})*\b[)\]]?")
_MOST_TITLE, _MOST_HAPPENS = 100, 400  # characters
_MOST_SECTIONS = 2  # times as many as asked for
_DRESS = " \t*_#\"“”'|–—-"

# What a text of this kind is made of (section 3 of arXiv 2502.15592), for plans that no model made.
_OPENING = ("Beginnings", "the place, and the people whom the text is about, are introduced")
_MIDDLE = (
    ("Daily life", "how and where these people live and work, told through one ordinary day"),
    ("Aims", "what each of them is after, and why it matters to them"),
    ("Obstacles", "what stands in the way, and how they try to get past it"),
    ("Relations", "how they stand to one another: who trusts, helps or opposes whom"),
    ("Others", "other people and places, with figures and dates of their own that are easily confused"),
    ("A turn", "something changes, and plans have to change with it"),
    ("Records", "what was written down at the time, by whom, and what became of it"),
)
_CLOSING = ("What remained", "how matters came to rest, and what was left behind")


class Point(NamedTuple):
    """Something a section has to tell, in words for the model; ``fact`` is what can be looked for."""

    say: str
    fact: AnswerFact | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A line of the plan; ``points`` are positions in the list of points."""

    title: str
    happens: str = ""
    points: tuple[int, ...] = ()


def points_of(pair: Pair) -> tuple[Point, ...]:
    """What must be told: the facts of the answer, and, for a short one, what is asked about."""
    question = read_question(pair.instruction, pair.answer)
    facts = facts_of(question)
    if question.answer.kind == "summary":
        return tuple(Point(f"“{fact.text}”", fact) for fact in facts)
    ground = Point("what the request asks about: the subjects it names, and how they are connected")
    if not facts:
        return (ground, Point(f"what makes “{pair.answer.strip()}” the right response"))
    return (ground, *(Point(f"what makes “{fact.text}” the right response", fact) for fact in facts))


def outline_prompt(prompt: Prompt, points: Sequence[Point], count: int) -> Prompt:
    """Asks for a plan of ``count`` sections for what ``prompt`` asks for."""
    *system, brief = prompt.messages
    listed = "\n".join(f"P{number}: {point.say}" for number, point in enumerate(points, 1))
    words = round(int(prompt.variables["words"]) / count)
    filled = step_template("outline").fill(
        {"brief": brief.content, "count": count, "words": words, "points": listed}
    )
    asked = next_prompt(prompt, "outline", (*system, *filled), step="outline", sections=count)
    return replace(asked, opening="")  # it begins with a number


def checked_outline(reply: Completion, count: int) -> Checked[tuple[Section, ...]]:
    """The sections of a reply that was asked for ``count`` of them."""
    if told := reply.declined:
        say = "- It declines. Only a plan for a piece of background reading is asked for."
        return Checked(None, (Fault(reply.finish_reason, told, say, stage="generate"),))
    found = read_outline(reply.text)[: _MOST_SECTIONS * count]
    if len(found) >= count:
        return Checked(found)
    what = f"{counted(len(found), 'numbered line')} where {count} were asked"
    say = f'- It has {len(found)} lines of the form "number. title | what happens | point", not {count}.'
    # Fewer, longer sections are a plan, too.
    usable = len(found) >= max(2, count // 2)
    fault = Fault("outline", what, say, fatal=not usable, stage="parse")
    return Checked(found if usable else None, (fault,))


def read_outline(text: str) -> tuple[Section, ...]:
    """The sections named in a reply; none if it has no numbered lines."""
    return tuple(
        section for match in _LINE.finditer(without_thinking(text)) if (section := _section(match[2])).title
    )


def _section(line: str) -> Section:
    points = tuple(int(number) - 1 for number in _POINT.findall(line))
    plain = _MENTION.sub("", line)
    fields = plain.split("|") if "|" in plain else re.split(r"\s[–—-]\s|:\s", plain, maxsplit=1)
    title, *happens = (field.strip(_DRESS) for field in fields)
    return Section(title[:_MOST_TITLE], " ".join(filter(None, happens))[:_MOST_HAPPENS], points)


def own_outline(count: int) -> tuple[Section, ...]:
    """A plan that needs no model: what every text of this kind is made of."""
    middle = (Section(*_MIDDLE[n % len(_MIDDLE)]) for n in range(count - 2))
    numbered = (
        replace(section, title=f"{section.title} ({n // len(_MIDDLE) + 1})") if n >= len(_MIDDLE) else section
        for n, section in enumerate(middle)
    )
    return (Section(*_OPENING), *numbered, Section(*_CLOSING))[:count]


def placed(sections: Sequence[Section], points: int) -> tuple[Section, ...]:
    """The sections with every point in exactly one of them, as evenly spread as numbers allow.

    A wish of the plan is kept while the section has room; the others go, in order, to the
    emptiest section nearest to where an even spread would have them.
    """
    room = -(-points // len(sections))
    held: list[list[int]] = [[] for _ in sections]
    wished = {point: n for n, section in reversed([*enumerate(sections)]) for point in section.points}
    for point in range(points):
        if (n := wished.get(point)) is not None and len(held[n]) < room:
            held[n].append(point)
    for point in sorted(set(range(points)).difference(*held)):
        even = (point + 0.5) * len(sections) / points - 0.5
        best = min(range(len(sections)), key=lambda n: (len(held[n]), abs(n - even), n))
        held[best].append(point)
    return tuple(
        replace(section, points=tuple(sorted(mine))) for section, mine in zip(sections, held, strict=True)
    )


def told(sections: Sequence[Section]) -> str:
    """The plan as lines for the model."""
    return "\n".join(
        f"{number}. {section.title}" + (f": {section.happens}" if section.happens else "")
        for number, section in enumerate(sections, 1)
    )
