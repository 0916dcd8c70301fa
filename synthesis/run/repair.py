"""Replies that cannot be used are asked for again, with what was wrong with them.

``repaired`` is the work of a pair whose context is one reply. A reply is asked for again
when it has a fault (``synthesis.gate.faults`` has the rule) or scores below the thresholds of the run.
One with small faults is shown to the model with what is wrong; one that is better written
from the start is asked for anew, by another seed, and not shown: models copy what they see. The best of all
attempts is kept, or rejected if it cannot be used. Engines that record where they put the evidence
are taken at their word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from synthesis.data import Completion, Context, Message, Pair, Prompt, Rejected
from synthesis.gate.faults import Fault, Inspected, fault_of, inspect
from synthesis.gate.replies import without_thinking
from synthesis.gate.thresholds import NO_THRESHOLDS, Thresholds
from synthesis.prompts import next_prompt, step_template
from synthesis.run.conversations import Work

T = TypeVar("T")
_MOST_SHOWN = 16_000  # characters of a reply that the model sees again
_ASKED = re.compile(r"; asked (\d+) times\Z")
_SAME = "; the same reply twice"


class Checked(NamedTuple, Generic[T]):
    """What a reply holds, if it can be read, what is wrong with it, and how good it is (0..1)."""

    value: T | None
    faults: tuple[Fault, ...] = ()
    score: float = 0.0

    @property
    def usable(self) -> bool:
        """Whether there is something in it that nothing fatal is said against."""
        return self.value is not None and not any(fault.fatal for fault in self.faults)

    @property
    def rank(self) -> tuple[bool, int, float, int]:
        """Greater for the better of two replies: what can be read, fatal faults, score, all faults."""
        fatal = sum(fault.fatal for fault in self.faults)
        said = sum(fault.points for fault in self.faults)
        return self.value is not None, -fatal, self.score, -said


Check: TypeAlias = Callable[[Completion], Checked[T]]
Reader: TypeAlias = Callable[[Completion, Prompt], Context | Rejected]
"""Takes a reply for a context, or does not: ``parse`` with its engine's names filled in."""


@dataclass(frozen=True, slots=True)
class Answered(Generic[T]):
    """What came of asking.

    ``value`` is the best that could be used, None if nothing could. ``faults`` are those of
    the ``best`` reply, or of the one for which the engine failed. ``attempts`` counts the replies;
    ``same`` tells that the engine repeated itself.
    """

    value: T | None
    faults: tuple[Fault, ...]
    best: Completion
    attempts: int
    same: bool = False

    def rejected(self, prompt: Prompt, *, where: str = "", attempts: int = 0, text: str = "") -> Rejected:
        """The rejection of a work that ended here.

        Args:
            prompt: what names the work.
            where: the part of the work, for the reason.
            attempts: all replies of the work, if there were more than those asked for here.
            text: what the work had written, if not the best reply.
        """
        fault = next((one for one in self.faults if one.fatal), self.faults[0])
        reason = fault.reason + (f"; in {where}" if where else "")
        if self.same:
            reason += _SAME
        elif self.attempts > 1:
            reason += f"; asked {self.attempts} times"
        total = attempts or self.attempts
        return Rejected(
            prompt.pair_id, fault.stage, reason, text or self.best.text, prompt.fingerprint, total
        )

    @property
    def failed(self) -> bool:
        """Whether the engine failed, so that the work ends and is asked for at the next run."""
        return self.best.finish_reason == "error"


def repaired(
    pair: Pair, prompt: Prompt, read: Reader, repairs: int, least: Thresholds = NO_THRESHOLDS
) -> Work[Context | Rejected]:
    """The work of one pair: one reply, asked for again up to ``repairs`` times."""
    what = f"the whole text, about {prompt.variables['words']} words,"
    answered = yield from ask(prompt, lambda reply: checked(pair, reply, prompt, read, least), repairs, what)
    if answered.value is None:
        return answered.rejected(prompt)
    return replace(answered.value, attempts=answered.attempts)


def checked(
    pair: Pair, completion: Completion, prompt: Prompt, read: Reader, least: Thresholds = NO_THRESHOLDS
) -> Checked[Context]:
    """The context of a reply, its evidence located, and what is wrong with it."""
    outcome = read(completion, prompt)
    if isinstance(outcome, Rejected):
        return Checked(None, (fault_of(outcome, completion, prompt),))
    if outcome.evidence_source == "exact":
        return Checked(outcome)
    return held_to(least, inspect(outcome, pair, prompt))


def held_to(least: Thresholds, found: Inspected) -> Checked[Context]:
    """What was found in a whole text, with a fault more if only its score is too low."""
    context, faults, scores = found
    if not any(fault.fatal for fault in faults) and (low := least.fault(scores)):
        faults += (low,)
    return Checked(context, faults, scores.overall)


def ask(prompt: Prompt, check: Check[T], repairs: int, what: str) -> Work[Answered[T]]:
    """Ask until a reply has no fault, at most ``repairs`` times again; keep the best.

    A reply that comes twice is not asked for a third time. A failed engine ends the asking:
    its reply is worth asking for at the next run instead.

    Args:
        prompt: what is asked first.
        check: reads a reply.
        repairs: how often to ask again.
        what: what is to be written again, for the model.
    """
    current, best = prompt, None
    said, renewed = "", False
    for attempt in range(1, repairs + 2):
        completion = yield current
        found = check(completion)
        if completion.finish_reason == "error":
            return Answered(None, found.faults, completion, attempt)
        if not found.faults:
            return Answered(found.value, (), completion, attempt)
        # Of equals the first is kept where one can be used, and the last is told of where none can.
        if best is None or (found.rank, not found.usable) > (best[0].rank, False):
            best = found, completion
        same = attempt > 1 and completion.text.strip() == said
        # An engine that does not vary gives the same anew, too, but has not been told yet what is wrong.
        if attempt > repairs or (same and not renewed):
            break
        said, renewed = completion.text.strip(), not same and any(fault.anew for fault in found.faults)
        if renewed:
            current = next_prompt(prompt, ("anew", attempt), prompt.messages)
        else:
            current = repair_prompt(prompt, attempt, "" if same else said, found.faults, what)
    assert best is not None  # at least one reply was checked
    kept, completion = best
    return Answered(kept.value if kept.usable else None, kept.faults, completion, attempt, same)


def repair_prompt(prompt: Prompt, attempt: int, reply: str, faults: Sequence[Fault], what: str) -> Prompt:
    """The prompt that asks again: the first messages, the reply (or none), and what was wrong with it.

    Only the reply just judged is shown, so a conversation does not grow with the attempts.
    """
    listed = "\n".join(dict.fromkeys(fault.say for fault in faults))
    ((_, note),) = step_template("repair").fill({"faults": listed, "what": what})
    shown = shortened(without_thinking(reply).strip(), _MOST_SHOWN)
    *rest, asked = prompt.messages
    # Chats take turns: without a reply to show, the note belongs to the message before it.
    turns = (
        (asked, Message("assistant", shown), Message("user", note))
        if shown
        else (Message(asked.role, f"{asked.content}\n\n{note}"),)
    )
    return next_prompt(prompt, ("repair", attempt), (*rest, *turns))


def shortened(text: str, most: int) -> str:
    """A text without its middle, if it has over ``most`` characters."""
    if len(text) <= most:
        return text
    return f"{text[: most // 2].rstrip()}\n\n[…]\n\n{text[-(most // 2) :].lstrip()}"


def may_be_asked_again(rejected: Rejected, repairs: int) -> bool:
    """Whether a rejected work had fewer repairs than are allowed now, and an engine that varies."""
    if rejected.reason.endswith(_SAME) or not rejected.attempts:
        return False
    asked = _ASKED.search(rejected.reason)
    return (int(asked[1]) if asked else 1) <= repairs
