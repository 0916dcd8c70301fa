"""An engine that answers each prompt by looking at it, as a model would; for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random

from synthesis.data import Completion, Prompt
from synthesis.engines.base import BaseEngine, PromptSource, Sampling
from synthesis.errors import EngineError
from synthesis.text.words import split_words

Say = Callable[[Prompt], str | Completion]


class PretendModel(BaseEngine):
    """Says what ``say`` makes of a prompt; breaks down when it should give reply ``fail_after``.

    ``window`` prompts are pulled before the first is answered, last first. ``asked`` are the
    prompts answered, in order.
    """

    name = "pretend"

    def __init__(self, say: Say, *, window: int = 1, fail_after: int = 10**9, model: str = "p-1") -> None:
        self.model, self.say, self.window, self.fail_after = model, say, window, fail_after
        self.asked: list[Prompt] = []

    def complete(self, prompts: PromptSource, sampling: Sampling) -> Iterator[Completion]:
        waiting: list[Prompt] = []
        while True:
            while len(waiting) < self.window and (prompt := prompts.pull()) is not None:
                waiting.append(prompt)
            if not waiting:
                return
            yield self._reply(waiting.pop())

    def stream(self, prompt: Prompt, sampling: Sampling) -> Iterator[str]:
        yield self._reply(prompt).text

    def _reply(self, prompt: Prompt) -> Completion:
        if len(self.asked) >= self.fail_after:
            raise EngineError("the pretended model broke down; start it again")
        self.asked.append(prompt)
        said = self.say(prompt)
        if isinstance(said, str):
            said = Completion(prompt.id, said)
        counted = sum(len(message.content.split()) for message in prompt.messages)
        return replace(said, prompt_id=prompt.id, prompt_tokens=counted, output_tokens=len(said.text.split()))


def last(prompt: Prompt) -> str:
    """The last thing said to the model."""
    return prompt.messages[-1].content


def is_repair(prompt: Prompt) -> bool:
    """Whether the model is asked again."""
    return "cannot be used yet" in last(prompt)


# Words that no pair of the tests asks about or answers with.
_WHO = split_words("porter widow glazier cousin warden singer pilot weaver smith cooper drover thatcher")
_WHICH = split_words("quiet muddy narrow patient stubborn crooked pale distant wooden hollow sullen plain")
_WHAT = split_words("ladder kettle lantern fence barrow ledger cellar wagon chimney orchard hedge anvil")
_DID = split_words("painted carried lost sold hid weighed borrowed watched dropped measured polished buried")
_WHERE = split_words("canal meadow ford quarry market chapel bakery stable causeway hill copse pasture")
_WHEN = split_words("dusk noon dawn harvest midsummer nightfall lent easter thaw")


def prose(words: int, key: str = "") -> str:
    """So many words of plain sentences, no two alike, each its own for ``key``."""
    made: list[str] = []
    rng = Random(f"{words} {key}")
    while len(made) < words:
        who, which, what, did, where, other, when = map(
            rng.choice, (_WHO, _WHICH, _WHAT, _DID, _WHERE, _WHICH, _WHEN)
        )
        made += f"At {when} the {which} {who} {key} {did} a {other} {what} behind that {where}.".split()
    return " ".join(made[: max(words - 1, 0)]) + " onward."
