"""The one boundary between the run and whatever writes text.

An engine pulls prompts and yields completions as each finishes, in any order. Retries
and batching stay inside it; it knows nothing of files, budgets or parsing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeAlias, TypeVar, runtime_checkable

from synthesis.data import Completion, Prompt, content_hash

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


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


class Source(Protocol[T_co]):
    """Gives one item at a time, and may be dry for the moment."""

    def pull(self) -> T_co | None:
        """The next item; None if there is none now.

        There may be more once completions were taken (a reply may call for another prompt). With
        nothing in flight that could bring any, None means that it is over.
        """
        ...


PromptSource: TypeAlias = Source[Prompt]


@runtime_checkable
class Listener(Protocol):
    """A source of prompts that wants to hear of each reply before its turn to be yielded comes."""

    def arrived(self, completion: Completion) -> None:
        """Told of a reply as soon as it is there, perhaps from a thread of the engine's."""
        ...


class Items(Generic[T]):
    """The items of an iterable as a source, pulled lazily; it is over when they are."""

    def __init__(self, items: Iterable[T]) -> None:
        self._items = iter(items)

    def pull(self) -> T | None:
        """The next item, if any is left."""
        return next(self._items, None)


@runtime_checkable
class Engine(Protocol):
    """What every engine offers; see ``LikelihoodEngine`` for an optional part, ``BaseEngine`` for traits."""

    name: str
    model: str

    def complete(self, prompts: PromptSource, sampling: Sampling) -> Iterator[Completion]:
        """Pull prompts as there is room for them; yield each completion as it finishes.

        A source may be dry for the moment. An engine that keeps several prompts in flight pulls
        again after each completion it yields, until none is in flight; one that ends earlier is
        given the rest in another round.
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


class BaseEngine(ABC):
    """An engine with its traits, which say what a run may expect of it. All of ours derive from it.

    Traits are of the class, so that they can be read before an engine is made; ``settings`` is of
    the engine.
    """

    name: str
    model: str
    settings: Mapping[str, Any] = {}
    """What replies depend on besides model and sampling: JSON-able, part of every fingerprint."""

    free: ClassVar[bool] = False
    """It is no language model and takes no tokens."""
    writes_any_length: ClassVar[bool] = False
    """One reply has whatever length is asked for; it is never asked for an outline and sections."""
    outlives_process: ClassVar[bool] = False
    """What was asked is answered elsewhere, in hours or days, whether or not this process waits."""

    in_process: ClassVar[bool] = False
    """It holds a model on this machine's device, and room for one."""

    for_contexts: ClassVar[frozenset[str]] = frozenset()
    """Options that say how a context is to be, and nothing where questions are written."""

    has_tunings: ClassVar[bool] = False
    """It has settings that may be worth trying for speed; see ``tunings``."""

    workers: int = 1
    """Processes that it may write with if it computes itself; what it writes is the same with any number."""

    def tunings(self) -> Sequence[Mapping[str, Any]]:
        """Settings worth trying in place of this engine's, for speed; none of them changes what is asked.

        Each is a few options of the engine. May start the engine, to know what it has settled on.
        """
        return ()

    @property
    def trouble(self) -> str:
        """Why no reply comes, while the engine goes on trying; empty as long as replies come."""
        return ""

    def part_for(self, pair_id: str, seed: int) -> BaseEngine:
        """Who answers the prompts of a pair in a run of this seed: itself, unless it is several."""
        return self

    def writers(self, pair_id: str, seed: int) -> Sequence[str]:
        """What those are called who write for a pair in a run of this seed; "" for an engine that is one."""
        return ("",)

    def part(self, writer: str) -> BaseEngine:
        """The engine behind one of the names of ``writers``."""
        return self

    def turns(self, count: int) -> Sequence[int]:
        """Which of a pair's ``writers`` has each of so many candidates, by their places."""
        return (0,) * count

    def needs_model(self, prompt: Prompt) -> bool:
        """Whether the prompt's pair is of a kind that takes a model, which this engine is not."""
        return False

    def words_needed(self, prompt: Prompt) -> int:
        """About how many words would let the answer be told in parts; 0 where as many are asked for."""
        return 0

    @abstractmethod
    def complete(self, prompts: PromptSource, sampling: Sampling) -> Iterator[Completion]:
        """See ``Engine.complete``."""

    @abstractmethod
    def stream(self, prompt: Prompt, sampling: Sampling) -> Iterator[str]:
        """See ``Engine.stream``."""

    def close(self) -> None:
        """Nothing is held."""
        return


class Adopted(BaseEngine):
    """An engine that is no ``BaseEngine``, with the traits that most have."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.name, self.model = engine.name, engine.model

    def complete(self, prompts: PromptSource, sampling: Sampling) -> Iterator[Completion]:
        """What the engine completes."""
        return self._engine.complete(prompts, sampling)

    def stream(self, prompt: Prompt, sampling: Sampling) -> Iterator[str]:
        """What the engine streams."""
        return self._engine.stream(prompt, sampling)

    def close(self) -> None:
        """Close the engine."""
        self._engine.close()


def adopted(engine: Engine) -> BaseEngine:
    """The engine itself if it tells its traits, else one around it."""
    return engine if isinstance(engine, BaseEngine) else Adopted(engine)


def request_seed(seed: int, prompt_id: str) -> int:
    """A 31-bit seed for one request, from the run's seed and the prompt's identity."""
    return int(content_hash(seed, prompt_id)[:8], 16) >> 1


def encodable(text: str) -> str:
    """The text without what UTF-8 cannot hold: a lone surrogate becomes a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")
