"""Questions to an engine, replies back: the one loop of a run, with one reply a prompt.

Replies are recorded as they arrive, and one that is recorded is not asked for again. Prompts are made
while others are being answered. Knows nothing of files of predictions, nor of how good an answer is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import NamedTuple

from synthesis.data import Completion, Pair, Prompt, content_hash
from synthesis.engines.base import BaseEngine, Sampling
from synthesis.engines.serving.failures import Kind
from synthesis.errors import ConfigError
from synthesis.evaluation.ahead import made_ahead
from synthesis.evaluation.asking import Case, Cases
from synthesis.evaluation.replies import Allowance, ReplyLog
from synthesis.evaluation.store import QuestionStore
from synthesis.run.batches import journaled
from synthesis.run.budget import NO_BUDGET, Budget
from synthesis.run.conversations import Conversations, Work, converse

_TEMPLATE = "question"
_AHEAD = 64  # questions whose prompts are made before they are asked for
_MOST_READY = 256  # known replies that wait to be handed on


class CaseReply(NamedTuple):
    """What an engine said to the cases of one question that are asked in the same words.

    ``known`` tells that it was recorded before, or said to another question in these words.
    """

    cases: tuple[Case, ...]
    completion: Completion
    fingerprint: str
    known: bool


class Questioner:
    """An engine that questions are put to, and how: greedily unless ``sampling`` says otherwise."""

    def __init__(self, engine: BaseEngine, sampling: Sampling) -> None:
        """``sampling.max_tokens`` is overridden by how long each question's reply may be.

        Raises:
            ConfigError: the engine is no language model.
        """
        if engine.free:
            raise ConfigError(
                f"engine '{engine.name}' is no language model and answers no questions; use openai, vllm, "
                "transformers or batch"
            )
        self.engine, self.sampling = engine, sampling

    def prompt(self, case: Case, most: int) -> Prompt:
        """The prompt of a case, named by all that its reply depends on."""
        by = self.engine.part_for(case.question.id, self.sampling.seed)
        drawn = replace(self.sampling, max_tokens=most)
        name = content_hash(case.messages, by.name, by.model, drawn.to_dict(), dict(by.settings))
        words = {"words": 0}  # prompts for contexts say how many
        return Prompt(name, case.question.id, _TEMPLATE, words, case.messages, name)

    def prompts(self, cases: Sequence[Case], most: int) -> list[tuple[Prompt, tuple[Case, ...]]]:
        """The prompts of a question's cases; cases that are asked in the same words share one."""
        together: dict[str, tuple[Prompt, list[Case]]] = {}
        for case in cases:
            prompt = self.prompt(case, most)
            together.setdefault(prompt.fingerprint, (prompt, []))[1].append(case)
        return [(prompt, tuple(found)) for prompt, found in together.values()]

    def replies(
        self,
        questions: QuestionStore,
        cases: Cases,
        log: ReplyLog | None = None,
        budget: Budget = NO_BUDGET,
        on_reply: Callable[[Completion], object] = lambda _: None,
    ) -> Iterator[CaseReply]:
        """Every reply as it comes; those that are recorded first among them. ``error`` is one, too.

        Raises:
            EngineError: the engine failed as a whole.
        """
        # What a batch engine has sent is to be found again by whoever goes on.
        engine = journaled(self.engine, log.folder) if log is not None else self.engine
        for group in questions.groups():
            most = questions.most[group.start]
            drawn = replace(self.sampling, max_tokens=most)
            made = (self.prompts(found, most) for found in cases.of(group))
            with closing(made_ahead(made, _AHEAD)) as ahead:
                todo = _Todo((pair for prompts in ahead for pair in prompts), log)
                while True:
                    works = Conversations(todo, _one_reply, bounds=Allowance(budget, log), tray=log)
                    given = todo.given
                    for done in converse(engine, works, drawn, on_reply):
                        prompt, completion = done.outcome
                        if completion.detail.startswith(Kind.EMPTY.value):
                            # An engine takes it for a failure; here it is what the model has to say.
                            completion = replace(completion, finish_reason="stop")
                            if log is not None:
                                log.keep(prompt, completion)
                        yield CaseReply(done.pair.metadata["cases"], completion, prompt.fingerprint, False)
                        for same in todo.waiting(prompt):
                            yield CaseReply(same, completion, prompt.fingerprint, True)
                        yield from todo.known()
                    yield from todo.known()
                    if todo.given == given:
                        break


class _Todo:
    """Prompts whose replies are not recorded; it is dry while too many that are wait to be handed on.

    Of questions that are put in the same words, as many are without a context, one is asked: the others wait
    for its reply, which is the one that is recorded.
    """

    def __init__(self, prompts: Iterable[tuple[Prompt, tuple[Case, ...]]], log: ReplyLog | None) -> None:
        self._prompts, self._log = iter(prompts), log
        self._ready: deque[CaseReply] = deque()
        self._waiting: dict[str, list[tuple[Case, ...]]] = {}
        self.given = 0

    def pull(self) -> tuple[Pair, Prompt] | None:
        """The next that is to be asked."""
        while len(self._ready) < _MOST_READY and (found := next(self._prompts, None)) is not None:
            self.given += 1
            prompt, cases = found
            if prompt.fingerprint in self._waiting:
                self._waiting[prompt.fingerprint].append(cases)
                continue
            known = self._log.find(prompt) if self._log is not None else None
            if known is None:
                question = cases[0].question
                about = {"cases": cases}
                self._waiting[prompt.fingerprint] = []
                return Pair(question.id, question.instruction, question.answer, metadata=about), prompt
            self._ready.append(CaseReply(cases, known, prompt.fingerprint, True))
        return None

    def waiting(self, prompt: Prompt) -> list[tuple[Case, ...]]:
        """Those that waited for the reply to a prompt, which has come."""
        return self._waiting.pop(prompt.fingerprint, [])

    def known(self) -> Iterator[CaseReply]:
        """Recorded replies that were come by."""
        while self._ready:
            yield self._ready.popleft()


def _one_reply(_: Pair, prompt: Prompt) -> Work[tuple[Prompt, Completion]]:
    completion = yield prompt
    return prompt, completion
