"""Replies that cannot be used are asked for again, with what was wrong with them.

``repaired`` is the work of a pair whose context is one reply. A reply is asked for again
when it does not parse, is cut off, refuses, echoes the pair, or misses facts of the answer;
after the last attempt the best that can be used is kept, else the pair is rejected with the
last text (``synthesis.gate.faults`` has the rule). Engines that record where they put the evidence
are taken at their word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from synthesis.data import Completion, Context, Message, Pair, Prompt, Rejected
from synthesis.gate.faults import Fault, fault_of, inspect
from synthesis.gate.parsing import without_thinking
from synthesis.prompts import next_prompt, step_template
from synthesis.run.conversations import Work

T = TypeVar("T")
_MOST_SHOWN = 16_000  # characters of a reply that the model sees again
_ASKED = re.compile(r"; asked (\d+) times\Z")
_SAME = "; the same reply twice"


class Checked(NamedTuple, Generic[T]):
    """What a reply holds, if it can be used, and what is wrong with it."""

    value: T | None
    faults: tuple[Fault, ...] = ()


Check: TypeAlias = Callable[[Completion], Checked[T]]
Reader: TypeAlias = Callable[[Completion, Prompt], Context | Rejected]
"""Takes a reply for a context, or does not: ``parse`` with its engine's names filled in."""


@dataclass(frozen=True, slots=True)
class Answered(Generic[T]):
    """What came of asking.

    ``value`` is the best that could be used, None if nothing could. ``faults`` are those of
    what is kept, else of the last reply. ``attempts`` counts the replies; ``same`` tells that
    the engine repeated itself.
    """

    value: T | None
    faults: tuple[Fault, ...]
    last: Completion
    attempts: int
    same: bool = False

    def rejected(self, prompt: Prompt, *, where: str = "", attempts: int = 0, text: str = "") -> Rejected:
        """The rejection of a work that ended here.

        Args:
            prompt: what names the work.
            where: the part of the work, for the reason.
            attempts: all replies of the work, if there were more than those asked for here.
            text: what the work had written, if not the last reply.
        """
        fault = next((one for one in self.faults if one.fatal), self.faults[0])
        reason = fault.reason + (f"; in {where}" if where else "")
        if self.same:
            reason += _SAME
        elif self.attempts > 1:
            reason += f"; asked {self.attempts} times"
        total = attempts or self.attempts
        return Rejected(
            prompt.pair_id, fault.stage, reason, text or self.last.text, prompt.fingerprint, total
        )

    @property
    def failed(self) -> bool:
        """Whether the engine failed, so that the work ends and is asked for at the next run."""
        return self.last.finish_reason == "error"


def repaired(pair: Pair, prompt: Prompt, read: Reader, repairs: int) -> Work[Context | Rejected]:
    """The work of one pair: one reply, asked for again up to ``repairs`` times."""
    what = f"the whole text, about {prompt.variables['words']} words,"
    answered = yield from ask(prompt, lambda reply: checked(pair, reply, prompt, read), repairs, what)
    if answered.value is None:
        return answered.rejected(prompt)
    return replace(answered.value, attempts=answered.attempts)


def checked(pair: Pair, completion: Completion, prompt: Prompt, read: Reader) -> Checked[Context]:
    """The context of a reply, its evidence located, and what is wrong with it."""
    outcome = read(completion, prompt)
    if isinstance(outcome, Rejected):
        return Checked(None, (fault_of(outcome, completion, prompt),))
    if outcome.evidence_source == "exact":
        return Checked(outcome)
    return Checked(*inspect(outcome, pair, prompt))


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
    current, best = prompt, Checked[T](None)
    said: str | None = None
    for attempt in range(1, repairs + 2):
        completion = yield current
        found = check(completion)
        if completion.finish_reason == "error":
            return Answered(None, found.faults, completion, attempt)
        if not found.faults:
            return Answered(found.value, (), completion, attempt)
        if _usable(found) and (not _usable(best) or _weight(found) < _weight(best)):
            best = found
        same = completion.text.strip() == said
        if same or attempt > repairs:
            break
        said = completion.text.strip()
        current = repair_prompt(prompt, attempt, said, found.faults, what)
    kept = best if _usable(best) else Checked[T](None, found.faults)
    return Answered(kept.value, kept.faults, completion, attempt, same)


def repair_prompt(prompt: Prompt, attempt: int, reply: str, faults: Sequence[Fault], what: str) -> Prompt:
    """The prompt that asks again: the first messages, the reply, and what was wrong with it.

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


def _usable(found: Checked[T]) -> bool:
    return found.value is not None and not any(fault.fatal for fault in found.faults)


def _weight(found: Checked[T]) -> int:
    """How much there is to say against a reply."""
    return sum(fault.say.count("\n") + 1 for fault in found.faults)
