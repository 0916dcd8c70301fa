"""A language model as judge of a context: four grades and a reason, or an error record.

Stands beside the score and never goes into it. The rubric is ``templates/judge.txt``: each
grade is a whole number from 0 to 4, given here as a quarter of it. The sample is data to the
judge: it stands between marks made from its own hash, which no text in it holds. A reply that
is not as asked is asked for again with what was wrong; one that stays so gives no verdict.

Knows nothing of the lexical score, of files, or of which engine it is: any that follows
instructions will do.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import TypeAlias, cast

from synthesis.data import Completion, Pair, Prompt, Rejected, content_hash
from synthesis.engines.base import Engine, Sampling
from synthesis.errors import ConfigError, EngineError
from synthesis.judge.verdicts import GRADES, Verdict, read_verdict
from synthesis.parsing import count_words
from synthesis.prompts import step_template
from synthesis.repair import ask
from synthesis.work import Conversations, Work, converse

__all__ = ["GRADES", "JUDGING", "Triple", "Verdict", "judge", "judge_batch"]

JUDGING = Sampling(temperature=0.0, top_p=1.0, max_tokens=2048)
"""How a verdict is drawn: the likeliest one, with some room for a model that thinks first."""

# An early row that takes long holds back the verdicts after it; so many of them may wait.
_MOST_AHEAD = 4096
_WHAT = "the JSON object"

Triple: TypeAlias = tuple[str, str, str]


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
    if getattr(engine, "free", False):
        raise ConfigError(
            f"engine '{engine.name}' is no language model and cannot judge; use openai, vllm or transformers"
        )
    return _in_order(_Numbered(triples, engine, sampling), engine, sampling, repairs)


def _in_order(
    rows: _Numbered, engine: Engine, sampling: Sampling, repairs: int
) -> Iterator[Verdict | Rejected]:
    # Conversations hand on whatever their works return; only their type speaks of contexts.
    begin = cast("Callable[[Pair, Prompt], Work]", partial(_verdict, repairs=repairs))
    ended: dict[int, Verdict | Rejected] = {}
    while not rows.over:
        for finished in converse(engine, Conversations(rows, begin), sampling):
            ended[finished.pair.metadata["row"]] = cast("Verdict | Rejected", finished.outcome)
            while rows.given in ended:
                outcome = ended.pop(rows.given)
                rows.given += 1
                yield outcome


class _Numbered(Iterator[tuple[Pair, Prompt]]):
    """Triples as numbered pairs with their prompts.

    Runs dry for the moment while too many verdicts wait for that of an earlier row; has more
    once they are ``given``.
    """

    def __init__(self, triples: Iterable[Triple], engine: Engine, sampling: Sampling) -> None:
        self._triples = iter(triples)
        self._by = (engine.name, engine.model, sampling.to_dict(), dict(getattr(engine, "settings", {})))
        self._taken = 0
        self.given = 0
        self.over = False

    def __next__(self) -> tuple[Pair, Prompt]:
        if self._taken - self.given >= _MOST_AHEAD:
            raise StopIteration
        try:
            triple = next(self._triples)
        except StopIteration:
            self.over = True
            raise
        prompt = _prompt(triple, self._by)
        pair = Pair(prompt.pair_id, triple[1], triple[2], metadata={"row": self._taken})
        self._taken += 1
        return pair, prompt


def _prompt(triple: Triple, asked_of: tuple[object, ...]) -> Prompt:
    """What the judge is asked first; ``asked_of`` is all else that a reply depends on."""
    template = step_template("judge")
    told = dict(zip(("context", "instruction", "answer"), triple, strict=True))
    messages = template.fill({**told, "mark": _mark(triple)})
    fingerprint = content_hash(template.text, triple, asked_of)
    del told["context"]  # it is in the messages
    variables = {**told, "words": count_words(triple[0])}
    return Prompt(fingerprint, content_hash(*triple)[:16], template.name, variables, messages, fingerprint)


def _mark(triple: Triple) -> str:
    """A code that no text of the triple holds, and nobody who wrote one could foresee."""
    mark = content_hash(*triple)[:12]
    while any(mark in text for text in triple):
        mark = content_hash(mark)[:12]
    return mark


def _verdict(
    pair: Pair, prompt: Prompt, *, repairs: int
) -> Generator[Prompt, Completion, Verdict | Rejected]:
    """The work of one row: a reply, asked for again up to ``repairs`` times."""
    words = prompt.variables["words"]
    answered = yield from ask(prompt, lambda reply: read_verdict(reply, words), repairs, _WHAT)
    if answered.value is None:
        return answered.rejected(prompt)
    return replace(answered.value, attempts=answered.attempts)
