"""A language model as judge of a context: four grades and a reason, or an error record.

Stands beside the score and never goes into it. The rubric is the template ``judge``: each
grade is a whole number from 0 to 4, given here as a quarter of it. The sample is data to the
judge: it stands between marks made from its own hash, which no text in it holds. A reply that
is not as asked is asked for again with what was wrong; one that stays so gives no verdict.

Knows nothing of the lexical score, of files, or of which engine it is: any that follows
instructions will do.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias

from synthesis.data import Completion, Pair, Prompt, Rejected, content_hash
from synthesis.engines.base import BaseEngine, Engine, Sampling, adopted
from synthesis.errors import ConfigError, EngineError
from synthesis.gate.faults import Fault
from synthesis.gate.replies import without_thinking
from synthesis.prompts import mark_of, step_template
from synthesis.run.conversations import Conversations, Work, converse
from synthesis.run.repair import Checked, ask
from synthesis.text.words import count_words

GRADES = ("sufficient", "contradiction", "self_contained", "leak")
JUDGING = Sampling(temperature=0.0, top_p=1.0, max_tokens=2048)
"""How a verdict is drawn: the likeliest one, with some room for a model that thinks first."""
_BEST = 4
_SHOWN = 40  # characters of a value that is not a grade
# An early row that takes long holds back the verdicts after it; so many of them may wait.
_MOST_AHEAD = 4096
_WHAT = "the JSON object"
_OPENING = '{"reason":'  # as the template shows the object
Triple: TypeAlias = tuple[str, str, str]


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


def judge(
    context: str,
    instruction: str,
    answer: str,
    engine: Engine,
    *,
    sampling: Sampling = JUDGING,
    repairs: int = 2,
) -> Verdict:
    """What a model says of one context.

    Args:
        context: the background text, as long as the engine's model takes.
        instruction: what is asked.
        answer: the answer that should follow from the context.
        engine: a language model; the composer is none.
        sampling: how replies are drawn; ``max_tokens`` has to hold a model's reasoning, too.
        repairs: how often a reply that cannot be read is asked for again.

    Raises:
        ConfigError: the engine is no language model.
        EngineError: no reply could be read, or the engine failed; the message says why.
    """
    (outcome,) = judge_batch([(context, instruction, answer)], engine, sampling=sampling, repairs=repairs)
    if isinstance(outcome, Rejected):
        raise EngineError(
            f"no verdict by engine '{engine.name}', model '{engine.model}': {outcome.reason}; "
            "try again, or use a stronger model or one with a longer context window"
        )
    return outcome


def judge_batch(
    triples: Iterable[Triple], engine: Engine, *, sampling: Sampling = JUDGING, repairs: int = 2
) -> Iterator[Verdict | Rejected]:
    """``judge`` for many (context, instruction, answer) triples, in their order.

    Triples are taken as far ahead as the engine takes prompts, and a text is kept until its
    verdict is there. One that cannot be judged (no readable reply, too long for the model)
    is a ``Rejected`` of stage ``judge`` or ``generate`` with the last reply as its text.

    Raises:
        ConfigError: the engine is no language model.
        EngineError: the engine failed as a whole.
    """
    engine = adopted(engine)
    if engine.free:
        raise ConfigError(
            f"engine '{engine.name}' is no language model and cannot judge; use openai, vllm or transformers"
        )
    return _in_order(_Numbered(triples, engine, sampling), engine, sampling, repairs)


def read_verdict(completion: Completion, words: int) -> Checked[Verdict]:
    """The verdict that a reply holds, and what is wrong with the reply.

    An object with something around it (a code fence, a remark) is a verdict with a fault: worth
    asking again, and kept if the model cannot do without.

    Args:
        completion: the reply.
        words: length of the context, for the record of one that the engine could not take.
    """
    if fault := _unfinished(completion, words):
        return Checked(None, (fault,))
    text = without_thinking(completion.text)
    start = text.find("{")
    if start < 0:
        return Checked(None, (_fault("form", "the reply holds no JSON object"),))
    try:
        found, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError) as error:  # figures of absurd length and depth are theirs, too
        return Checked(None, (_fault("form", f"the reply's JSON cannot be read: {error}"),))
    verdict, faults = _grades(found)
    around = text[:start] + text[end:]
    if "{" in around or "}" in around:
        # Which of them is the verdict? One may be quoted from the context.
        return Checked(None, (_fault("form", "the reply holds more than one JSON object"),))
    if around.strip():
        what = "there are words or marks around the JSON object, a code fence perhaps"
        faults += (_fault("form", what, fatal=False),)
    return Checked(verdict, faults)


def _in_order(
    rows: _Numbered, engine: Engine, sampling: Sampling, repairs: int
) -> Iterator[Verdict | Rejected]:
    ended: dict[int, Verdict | Rejected] = {}
    for finished in converse(engine, Conversations(rows, partial(_verdict, repairs=repairs)), sampling):
        ended[finished.pair.metadata["row"]] = finished.outcome
        while rows.given in ended:
            outcome = ended.pop(rows.given)
            rows.given += 1
            yield outcome


class _Numbered:
    """Triples as numbered pairs with their prompts.

    A source that is dry while too many verdicts wait for that of an earlier row, and has more
    once they are ``given``.
    """

    def __init__(self, triples: Iterable[Triple], engine: BaseEngine, sampling: Sampling) -> None:
        self._triples = iter(triples)
        self._by = (engine.name, engine.model, sampling.to_dict(), dict(engine.settings))
        self._taken = 0
        self.given = 0

    def pull(self) -> tuple[Pair, Prompt] | None:
        """The next row, if it may be taken already."""
        if self._taken - self.given >= _MOST_AHEAD:
            return None
        if (triple := next(self._triples, None)) is None:
            return None
        prompt = _prompt(triple, self._by)
        pair = Pair(prompt.pair_id, triple[1], triple[2], metadata={"row": self._taken})
        self._taken += 1
        return pair, prompt


def _prompt(triple: Triple, asked_of: tuple[object, ...]) -> Prompt:
    """What the judge is asked first; ``asked_of`` is all else that a reply depends on."""
    template = step_template("judge")
    told = dict(zip(("context", "instruction", "answer"), triple, strict=True))
    messages = template.fill({**told, "mark": mark_of(*triple)})
    fingerprint = content_hash(template.text, triple, asked_of)
    del told["context"]  # it is in the messages
    variables = {**told, "words": count_words(triple[0])}
    name = content_hash(*triple)[:16]
    return Prompt(fingerprint, name, template.name, variables, messages, fingerprint, _OPENING)


def _verdict(pair: Pair, prompt: Prompt, *, repairs: int) -> Work[Verdict | Rejected]:
    """The work of one row: a reply, asked for again up to ``repairs`` times."""
    words = prompt.variables["words"]
    answered = yield from ask(prompt, lambda reply: read_verdict(reply, words), repairs, _WHAT)
    if answered.value is None:
        return answered.rejected(prompt)
    return replace(answered.value, attempts=answered.attempts)


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
