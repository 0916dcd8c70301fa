"""An engine that replies as told, in any order, with any failure; for tests."""

from __future__ import annotations

from collections.abc import Iterator

from synthesis.data import Completion, Prompt
from synthesis.engines.base import BaseEngine, PromptSource, Sampling
from synthesis.errors import EngineError
from tests.pretend import prose


class ScriptedEngine(BaseEngine):
    """Replies with a text that states the answer.

    ``window`` prompts are pulled before the first reply and answered last first;
    ``fail_after`` replies it breaks down; ``replies`` overrides replies by instruction.
    """

    name = "scripted"

    def __init__(
        self,
        model: str = "scripted-1",
        window: int = 1,
        fail_after: int | None = None,
        replies: dict[str, Completion] | None = None,
    ) -> None:
        self.model = model
        self.asked: list[str] = []
        self.most_waiting = 0
        self.closed = False
        self._window, self._fail_after, self._replies = window, fail_after, replies or {}
        self._given = 0

    def complete(self, prompts: PromptSource, sampling: Sampling) -> Iterator[Completion]:
        waiting: list[Prompt] = []
        while (prompt := prompts.pull()) is not None:
            self.asked.append(prompt.pair_id)
            waiting.append(prompt)
            self.most_waiting = max(self.most_waiting, len(waiting))
            if len(waiting) >= self._window:
                yield self._reply(waiting.pop())
        while waiting:
            yield self._reply(waiting.pop())

    def stream(self, prompt: Prompt, sampling: Sampling) -> Iterator[str]:
        yield self._reply(prompt).text

    def close(self) -> None:
        self.closed = True

    def _reply(self, prompt: Prompt) -> Completion:
        if self._fail_after is not None and self._given >= self._fail_after:
            raise EngineError("the scripted engine broke down; start it again")
        self._given += 1
        asked, answer = prompt.variables["instruction"], prompt.variables["answer"]
        if asked in self._replies:
            scripted = self._replies[asked]
            return Completion(prompt.id, scripted.text, scripted.finish_reason, detail=scripted.detail)
        opening = f"Context: On {asked.rstrip('?')} opinions differed for years. {prose(40, prompt.pair_id)}"
        return Completion(prompt.id, f"{opening} In the end it was plain: {answer}. {prose(35, asked[:9])}")
