"""The one boundary between the run and whatever writes text.

An engine gets prompts and yields completions as each finishes, in any order. Retries
and batching stay inside it; it knows nothing of files, budgets or parsing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Protocol, runtime_checkable

from synthesis.data import Completion, Prompt


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a reply is drawn. ``max_tokens`` bounds the reply; ``seed`` is the run's seed."""

    temperature: float = 0.7
    top_p: float = 0.95
    max_tokens: int = 8192
    seed: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for fingerprints and manifests."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class LogLikelihood:
    """Log-probabilities (nats) of the continuation's tokens, in order."""

    token_ids: tuple[int, ...]
    logprobs: tuple[float, ...]


@runtime_checkable
class Engine(Protocol):
    """What every engine offers; see ``LikelihoodEngine`` for an optional part.

    An engine whose replies depend on more than model and sampling also has ``settings``,
    a mapping of JSON-able values: they are part of every prompt's fingerprint. One that is
    no language model and takes no tokens has ``free = True``. One whose single reply can have any
    length has ``writes_any_length = True``: it is never asked for an outline and sections.
    """

    name: str
    model: str

    def complete(self, prompts: Iterable[Prompt], sampling: Sampling) -> Iterator[Completion]:
        """Pull prompts lazily; yield each completion as it finishes.

        A source may run dry for the moment and have more once completions were taken (a reply
        may call for another prompt). An engine that keeps several prompts in flight asks an
        exhausted source again after each completion it yields, until none is in flight; one
        that does not is given the rest in another round.
        """
        ...

    def stream(self, prompt: Prompt, sampling: Sampling) -> Iterator[str]:
        """Text deltas of one reply."""
        ...

    def close(self) -> None:
        """Free what the engine holds. Safe to call twice."""
        ...


@runtime_checkable
class LikelihoodEngine(Engine, Protocol):
    """An engine that can also score text."""

    def loglikelihood(self, requests: Iterable[tuple[str, str]]) -> Iterator[LogLikelihood]:
        """For each (prefix, continuation): the continuation's token log-probabilities."""
        ...
