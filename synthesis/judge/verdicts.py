"""The judge's reply: the verdict it holds, or what is wrong with it.

A reply is one JSON object with four grades, whole numbers from 0 to 4, and a reason. Where it
leaves a choice (two objects, a key twice) there is no verdict: one of the two may be quoted
from the text that is graded. Knows nothing of asking again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from synthesis.data import Completion
from synthesis.parsing import without_thinking
from synthesis.repair import Fault, Judged

GRADES = ("sufficient", "contradiction", "self_contained", "leak")
_BEST = 4
_SHOWN = 40  # characters of a value that is not a grade


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a model says of a context; each grade is 0, 0.25, 0.5, 0.75 or 1.

    Attributes:
        sufficient: the answer follows from the context; 1 is best.
        contradiction: the context says otherwise; 0 is best.
        self_contained: it can be understood on its own; 1 is best.
        leak: it betrays the instruction and the answer; 0 is best.
        reason: the model's own words.
        attempts: replies it took.
    """

    sufficient: float
    contradiction: float
    self_contained: float
    leak: float
    reason: str
    attempts: int = 1

    @property
    def overall(self) -> float:
        """The worst of the four, 1 being best: no grade makes up for another."""
        return min(self.sufficient, 1 - self.contradiction, self.self_contained, 1 - self.leak)


def read_verdict(completion: Completion, words: int) -> Judged[Verdict]:
    """The verdict that a reply holds, and what is wrong with the reply.

    An object with something around it (a code fence, a remark) is a verdict with a fault: worth
    asking again, and kept if the model cannot do without.

    Args:
        completion: the reply.
        words: length of the context, for the record of one that the engine could not take.
    """
    if fault := _unfinished(completion, words):
        return Judged(None, (fault,))
    text = without_thinking(completion.text)
    start = text.find("{")
    if start < 0:
        return Judged(None, (_fault("form", "the reply holds no JSON object"),))
    try:
        found, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError) as error:  # figures of absurd length and depth are theirs, too
        return Judged(None, (_fault("form", f"the reply's JSON cannot be read: {error}"),))
    verdict, faults = _grades(found)
    around = text[:start] + text[end:]
    if "{" in around or "}" in around:
        # Which of them is the verdict? One may be quoted from the context.
        return Judged(None, (_fault("form", "the reply holds more than one JSON object"),))
    if around.strip():
        what = "there are words or marks around the JSON object, a code fence perhaps"
        faults += (_fault("form", what, fatal=False),)
    return Judged(verdict, faults)


def _unfinished(completion: Completion, words: int) -> Fault | None:
    reason, detail = completion.finish_reason, completion.detail or "no detail given"
    if reason == "error":
        what = f"{detail} (a context of {words:,} words)"
        return Fault("error", what, "", stage="generate")
    if reason == "refusal":
        say = "- It declines. Nobody is advised or answered here; a text is graded. Grade it."
        return Fault("refusal", detail, say, stage="generate")
    if reason == "length":
        what = "the reply was cut off; raise max_tokens"
        return Fault("length", what, "- It was cut off before its end. Be brief.", stage="generate")
    return None


def _grades(found: Mapping[str, Any]) -> tuple[Verdict | None, tuple[Fault, ...]]:
    faults = []
    for name in (*GRADES, "reason"):
        if name not in found:
            faults.append(_fault("key", f'the key "{name}" is missing'))
        elif name == "reason":
            if not isinstance(found[name], str) or not found[name].strip():
                faults.append(_fault("reason", f'"reason" is {_shown(found[name])} instead of a sentence'))
        elif not _is_grade(found[name]):
            what = f'"{name}" is {_shown(found[name])} instead of a whole number from 0 to {_BEST}'
            faults.append(_fault("scale", what))
    if faults:
        return None, tuple(faults)
    grades = {name: found[name] / _BEST for name in GRADES}
    return Verdict(**grades, reason=_plain(found["reason"])), ()


def _is_grade(value: object) -> bool:
    # True is 1 to Python, and 4.0 is what some models write for 4.
    return not isinstance(value, bool) and isinstance(value, int | float) and value in range(_BEST + 1)


def _shown(value: object) -> str:
    text = _plain(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _plain(text: str) -> str:
    """One line, without the lone surrogates that JSON can spell and UTF-8 cannot."""
    return " ".join(text.encode("utf-8", "replace").decode("utf-8").split())


def _fault(name: str, what: str, *, fatal: bool = True) -> Fault:
    return Fault(name, what, f"- {what[0].upper()}{what[1:]}.", fatal=fatal, stage="judge")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose keys stand there once; else which of two grades is meant?"""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for n, (key, _) in enumerate(pairs) if key in dict(pairs[:n]))
        raise ValueError(f'the key "{twice}" stands there twice')
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_once)
