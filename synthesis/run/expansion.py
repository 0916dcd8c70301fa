"""Contexts longer than one reply: an outline, then section by section with what went before in view.

``expand`` is the work of such a pair; ``expands`` says for which lengths it is one;
``realised`` compares what was written with what was asked for. The published scripts ask
for the whole length at once and never count a word (section 3 of arXiv 2502.15592 names
expansion as the way to longer contexts; the procedure here is ours).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from synthesis.data import Completion, Context, Pair, Prompt, Rejected
from synthesis.gate.faults import AnswerFact, Fault, fault_of, inspect, is_told
from synthesis.gate.thresholds import NO_THRESHOLDS, Thresholds
from synthesis.prompts import next_prompt, step_template
from synthesis.run.conversations import Work
from synthesis.run.outline import (
    Point,
    Section,
    checked_outline,
    outline_prompt,
    own_outline,
    placed,
    points_of,
    told,
)
from synthesis.run.repair import Answered, Checked, Reader, ask, held_to
from synthesis.text.sentences import sentences
from synthesis.text.words import count_words

_ENOUGH = 0.7  # of a section's words; what is lacking is spread over the sections that follow
_STRETCH = 1.25  # of a reply's words: rather one that is somewhat longer than a very short second
_FEWEST = 50
_PLAN_LINE = 60  # words
_MOST_PIECES = 6  # of a section, from a model that writes far less than it is asked for
_TAIL_WORDS, _TAIL_CHARACTERS = 300, 2400
_OFF = 0.2
_HEADING = re.compile(r"\A(?:#{1,6}[^\n]*|\*\*[^\n]{1,100}\*\*|(?:section|part)\s+\d[^\n]{0,100})\n+", re.I)
_OPENS = "Nothing is written yet; this section opens the text."
_ENDS = "- It is the last section: bring the text to its end."
_GOES_ON = "- More follows after it: end in the middle of things, without looking back or summing up."


def expands(words: int, section_words: int) -> bool:
    """Whether a context of so many words takes sections; 0 section words never do."""
    return bool(section_words) and words > 2 * section_words


def section_count(words: int, section_words: int) -> int:
    """How many sections a context of so many words has."""
    return -(-words // section_words)


def longest_reply(words: int, section_words: int) -> int:
    """The most words of one reply: a section, or the plan of all of them."""
    return max(round(_STRETCH * section_words), _PLAN_LINE * section_count(words, section_words))


def expand(
    pair: Pair,
    prompt: Prompt,
    read: Reader,
    repairs: int,
    section_words: int,
    least: Thresholds = NO_THRESHOLDS,
) -> Work[Context | Rejected]:
    """The work of one pair whose context is longer than one reply.

    Args:
        pair: what the context is for.
        prompt: what would ask for all of it at once; the steps quote it, and its ``words``
            are the length to reach.
        read: takes a reply for a part of a text. A short one is no failure: what a section lacks
            is asked for as its continuation.
        repairs: how often each reply may be asked for again.
        section_words: about how long a reply may be.
        least: the lowest scores of the whole.

    Returns:
        A context whose ``template`` says how it was planned, or the rejection of a section that
        could not be had or of a whole that does not carry the answer, with what was written.
    """
    points = points_of(pair)
    words = int(prompt.variables["words"])
    count = section_count(words, section_words)
    planned = yield from ask(
        outline_prompt(prompt, points, count),
        lambda reply: checked_outline(reply, count),
        repairs,
        "all lines of the plan",
    )
    if planned.failed:
        return planned.rejected(prompt, where="the outline")
    sections = placed(planned.value or own_outline(count), len(points))
    writer = _Writer(pair, prompt, read, repairs, points, sections, least)
    outcome = yield from writer.write(Manuscript(words, section_words), planned.attempts)
    if isinstance(outcome, Rejected):
        return outcome
    plan = "plan" if planned.value else "our plan"
    return replace(outcome, template=f"{prompt.template}, {plan} of {len(sections)} sections")


@dataclass(frozen=True, slots=True)
class Manuscript:
    """The pieces written so far; ``words`` are asked for in all, ``reply`` in one reply."""

    words: int
    reply: int
    pieces: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All of it."""
        return "\n\n".join(self.pieces)

    @property
    def written(self) -> int:
        """How many words there are."""
        return sum(map(count_words, self.pieces))

    @property
    def full(self) -> bool:
        """Whether the length asked for is reached."""
        return self.written >= self.words

    def target(self, left: int) -> int:
        """Words for the next of ``left`` sections: its share of what is lacking."""
        return max((self.words - self.written) // left, _FEWEST)

    def tail(self) -> str:
        """The end of what is written, for whoever goes on."""
        text = self.text[-_TAIL_CHARACTERS * 4 :]
        words = [match.start() for match in re.finditer(r"\S+", text)]
        start = words[-_TAIL_WORDS] if len(words) > _TAIL_WORDS else 0
        return text[max(start, len(text) - _TAIL_CHARACTERS) :].strip()


def portion(target: int, written: int, reply: int) -> tuple[int, bool]:
    """How many words to ask of the next reply for a section, and whether that completes it.

    Args:
        target: words for the section.
        written: words that it has.
        reply: words that a reply is asked for, give or take.

    Returns:
        0 words if the section has enough.
    """
    if written and written >= _ENOUGH * target:
        return 0, True
    lacking = max(target - written, _FEWEST)
    return (lacking, True) if lacking <= _STRETCH * reply else (reply, False)


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes the sections of one plan."""

    pair: Pair
    prompt: Prompt
    read: Reader
    repairs: int
    points: tuple[Point, ...]
    sections: tuple[Section, ...]
    least: Thresholds

    def write(self, draft: Manuscript, attempts: int) -> Work[Context | Rejected]:
        """All sections, then the whole as one context; ``attempts`` replies were there before."""
        asked: list[Answered[Context]] = []
        for number, section in enumerate(self.sections):
            left = len(self.sections) - number
            # What exceeds the length is left out, but for what must be told and for the end.
            if draft.full and left > 1 and not section.points:
                continue
            target, begun, ends = draft.target(left), draft.written, False
            for _ in range(_MOST_PIECES):
                size, completes = portion(target, draft.written - begun, draft.reply)
                if not size or ends:
                    break
                goes_on, ends = draft.written > begun, completes and left == 1
                answered = yield from self._piece(draft, number, size, goes_on, ends)
                attempts += answered.attempts
                if answered.value is None:
                    if not answered.failed and (goes_on or _is_dispensable(answered, section)):
                        break
                    where = f"section {number + 1} of {len(self.sections)}"
                    return answered.rejected(self.prompt, where=where, attempts=attempts, text=draft.text)
                asked.append(answered)
                draft = replace(draft, pieces=(*draft.pieces, answered.value.text))
        return self._whole(draft.text, asked, attempts)

    def _piece(
        self, draft: Manuscript, number: int, size: int, goes_on: bool, ends: bool
    ) -> Work[Answered[Context]]:
        """One reply for a section: its text or, if it ``goes_on``, more of it."""
        points = [self.points[n] for n in self.sections[number].points]
        if goes_on:
            points = [one for one in points if one.fact and not is_told(one.fact, draft.text)]
        prompt = self._section_prompt(draft, number, size, goes_on, ends, points)
        facts = [one.fact for one in points if one.fact]
        what = f"section {number + 1}, about {size} words,"
        return ask(prompt, lambda reply: self._checked(reply, prompt, draft, facts, ends), self.repairs, what)

    def _section_prompt(
        self, draft: Manuscript, number: int, size: int, goes_on: bool, ends: bool, points: Sequence[Point]
    ) -> Prompt:
        *system, brief = self.prompt.messages
        which = f"section {number + 1} of {len(self.sections)} (“{self.sections[number].title}”)"
        if goes_on:
            which = f"the continuation of {which}, which is not told to its end yet"
        before = f"The text so far ends like this:\n\n<text>\n{draft.tail()}\n</text>"
        listed = [f"- It tells {one.say}." for one in points]
        filled = step_template("section").fill(
            {
                "brief": brief.content,
                "plan": told(self.sections),
                "before": before if draft.pieces else _OPENS,
                "which": which,
                "words": size,
                "points": "\n".join([*listed, _ENDS if ends else _GOES_ON]),
            }
        )
        step = ("section", number, len(draft.pieces))
        return next_prompt(
            self.prompt, step, (*system, *filled), step="section", section=number + 1, words=size
        )

    def _checked(
        self, reply: Completion, prompt: Prompt, draft: Manuscript, facts: Sequence[AnswerFact], ends: bool
    ) -> Checked[Context]:
        cut = reply.finish_reason == "length"
        if cut:  # what it has up to its last sentence is as good as any section
            reply = replace(reply, finish_reason="stop", text=_whole_sentences(reply.text))
        outcome = self.read(reply, prompt)
        if isinstance(outcome, Rejected):
            return Checked(None, (fault_of(outcome, reply, prompt),))
        text = _HEADING.sub("", outcome.text)
        outcome = replace(outcome, text=text, words=count_words(text))
        # The plan and what stands before it may well come up in a section.
        brief = replace(prompt, messages=self.prompt.messages)
        context, found, scores = inspect(outcome, self.pair, brief, among=facts, before=draft.text)
        if cut and ends:
            say = "- It was cut off before its end. Bring the text to its end within the words asked for."
            found += (Fault("length", "the last section was cut off", say, fatal=False, stage="generate"),)
        return Checked(context, found, scores.overall)

    def _whole(self, text: str, asked: Sequence[Answered[Context]], attempts: int) -> Context | Rejected:
        first = next(answered.value for answered in asked if answered.value)
        context = replace(
            first, text=text, words=count_words(text), fingerprint=self.prompt.fingerprint, attempts=attempts
        )
        found = held_to(self.least, inspect(context, self.pair, self.prompt))
        if found.value is None or not found.usable:
            most = max(asked, key=lambda answered: answered.attempts)
            return replace(most, faults=found.faults).rejected(self.prompt, attempts=attempts, text=text)
        return found.value


def _is_dispensable(answered: Answered[Context], section: Section) -> bool:
    """Whether a section may be left out: it only repeats, and has nothing that must be told."""
    return not section.points and all(fault.name == "repeat" for fault in answered.faults if fault.fatal)


def _whole_sentences(text: str) -> str:
    """A text up to the end of its last whole sentence."""
    spans = sentences(text)
    return text[: spans[-2][1]] if len(spans) > 1 else text


@dataclass(frozen=True, slots=True)
class Realised:
    """How ``contexts`` came out: ``mean`` is their words by those asked for.

    ``off`` counts those over 20 % longer or shorter than asked.
    """

    contexts: int = 0
    mean: float = 0.0
    off: int = 0


def realised(words: Iterable[int], asked: int) -> Realised:
    """Compare the words of contexts with the words that each was asked for.

    Args:
        words: one count per context, such as ``Context.words``.
        asked: above 0.
    """
    count = total = off = 0
    for one in words:
        count += 1
        total += one
        off += abs(one - asked) > _OFF * asked
    return Realised(count, round(total / (count * asked), 4) if count else 0.0, off)
