r"""How much a context helps a language model: log-likelihood gain, in nats per token.

Stands beside the score and never goes into it. For a context ``c``, an instruction ``i`` and
an answer ``a`` of ``n`` tokens, with ``p`` the model's probability:

    answer       (log p(a | c, i) - log p(a | i)) / n
    instruction  (log p(i | c) - log p(i)) / its tokens
    windows[k]   (log p(a | c, i) - log p(a | c without window k, i)) / n
    logprob      log p(a | c, i) / n

The model reads plain text, laid out by ``_before_instruction`` and ``_before_answer`` and
nowhere else; a missing context leaves nothing behind:

    {context}\n\nInstruction: {instruction}\n\nAnswer: {answer}

Instruction and answer begin with the blank after the colon, so that a token never spans the
seam. Both terms of a difference are over the same tokens; what an engine does otherwise is an
error. What is asked about one context follows one another, so that an engine that remembers what it
has read reads it once. Knows nothing of models: any ``LikelihoodEngine`` will do, best in float32: in
bfloat16 the difference of two such sums is off by more than many a context adds.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice, pairwise

from synthesis.coherence.scoring import window_spans
from synthesis.engines.base import Engine, LikelihoodEngine, LogLikelihood
from synthesis.errors import ConfigError, EngineError, UsageError

_TOGETHER = 16  # triples of one context that are asked about together
_HOPELESS = 5  # triples in a row whose gain cannot be had: then it is not the triples


@dataclass(frozen=True, slots=True)
class Gain:
    """What a context adds, in nats per token; above 0 where it helps, below where it misleads.

    ``windows`` says what is lost without each window of ``window_spans``, in their order
    (empty unless asked for); ``tokens`` is the answer's length for the model. ``logprob`` is the
    answer's log-probability after context and instruction, the first term of ``answer``: it tells
    a wrong answer better than the difference does, which is large where the answer was unlikely
    anyway, but says nothing of what the model knew before.
    """

    answer: float
    instruction: float
    windows: tuple[float, ...]
    tokens: int
    logprob: float


def gain(
    context: str, instruction: str, answer: str, engine: LikelihoodEngine, *, windows: bool = False
) -> Gain:
    """How much likelier the context makes the answer and the instruction.

    Args:
        context: the background text; without one every gain is 0.
        instruction: what is asked.
        answer: what should follow.
        engine: one that offers ``loglikelihood`` (transformers, vllm, some servers).
        windows: leave out each window in turn as well, at the cost of one more reading of
            the context for each (half of one with ``transformers``, which keeps what stands
            before the window).

    Raises:
        ConfigError: the engine offers no likelihood.
        UsageError: instruction or answer is empty.
        EngineError: the text cannot be scored, or its tokens differ between the two terms.
    """
    (found,) = gain_batch([(context, instruction, answer)], engine, windows=windows)
    return found


def gain_batch(
    triples: Iterable[tuple[str, str, str]], engine: LikelihoodEngine, *, windows: bool = False
) -> Iterator[Gain]:
    """``gain`` for many (context, instruction, answer) triples, in order.

    Triples are taken as far ahead as the engine takes requests, and only those are kept.

    Raises:
        ConfigError, UsageError, EngineError: as ``gain``.
    """
    can_score(engine)
    under_way: deque[tuple[int, int]] = deque()  # triples of each group, and windows of their context

    def requests() -> Iterator[tuple[str, str]]:
        for group in _about_one_context(triples):
            cuts = _cuts(group[0][0]) if windows else []
            under_way.append((len(group), len(cuts[1:])))
            yield from _requests(group, cuts)

    scores = iter(engine.loglikelihood(requests()))
    for first in scores:
        count, parts = under_way.popleft()
        found = [first, *islice(scores, count * (4 + parts) - 1)]
        for place in range(count):
            # Each asks for two things without the context, then with it, then for one without each window.
            without = found[4 * count + place :: count]
            yield _gain([*found[2 * place :][:2], *found[2 * (count + place) :][:2], *without])


def gains_or_errors(
    triples: Iterable[tuple[str, str, str]], engine: Engine, *, windows: bool = False
) -> Iterator[Gain | EngineError]:
    """``gain_batch``, but where the engine fails at one triple and can score the next, the error is given.

    The engine takes triples ahead of what it has scored and may fail at any of them. Then the
    first that waits is scored alone, which tells whether it was the one, and the rest go on.

    Raises:
        ConfigError, UsageError: as ``gain``.
        EngineError: the engine cannot score one triple after the other, or failed as a whole.
    """
    able, given = can_score(engine), iter(triples)
    ahead: deque[tuple[str, str, str]] = deque()

    def source() -> Iterator[tuple[str, str, str]]:
        yield from list(ahead)  # those of an attempt that failed come again
        for triple in given:
            ahead.append(triple)
            yield triple

    failed = 0
    while True:
        try:
            for found in gain_batch(source(), able, windows=windows):
                ahead.popleft()
                failed = 0
                yield found
            return
        except EngineError:
            if not ahead:
                raise
            triple = ahead.popleft()
        alone: Gain | EngineError
        try:
            alone = gain(*triple, able, windows=windows)
            failed = 0
        except EngineError as error:
            failed += 1
            if failed == _HOPELESS:
                raise
            alone = error
        yield alone


def can_score(engine: Engine) -> LikelihoodEngine:
    """The engine, known to offer likelihoods.

    Raises:
        ConfigError: it does not.
    """
    if isinstance(engine, LikelihoodEngine):
        return engine
    raise ConfigError(
        f"engine '{engine.name}' gives no likelihood, so there is no gain; use transformers, vllm, or openai "
        "with a server that scores text"
    )


def _about_one_context(triples: Iterable[tuple[str, str, str]]) -> Iterator[list[tuple[str, str, str]]]:
    """Triples that follow one another and share their context, some at a time."""
    for _, alike in groupby(triples, key=lambda triple: triple[0]):
        while group := list(islice(alike, _TOGETHER)):
            yield group


def _requests(group: Sequence[tuple[str, str, str]], cuts: Sequence[int]) -> Iterator[tuple[str, str]]:
    """For a group with one context its prefixes and continuations, each sharing most with the one before.

    First those without the context, two for each triple, then those with it, then one for each triple
    without each window. One at a time, since each holds the context.
    """
    context = group[0][0]
    texts = []
    for _, instruction, answer in group:
        asked, told = instruction.strip(), answer.strip()
        if not asked or not told:
            missing = "answer" if asked else "instruction"
            raise UsageError(f"a gain is a mean over tokens, and the {missing} has none; leave this row out")
        texts.append((asked, told))
    for text in ("", context):
        for asked, told in texts:
            yield _before_instruction(text), f" {asked}"
            yield _before_answer(text, asked), f" {told}"
    # From the last: what stands before a window was then read with the request before.
    for start, end in reversed(list(pairwise(cuts))):
        for asked, told in texts:
            yield _before_answer(context[:start] + context[end:], asked), f" {told}"


def _cuts(context: str) -> list[int]:
    """Where the windows of ``window_spans`` meet, and both ends; marks at the borders belong to a window."""
    starts = [start for start, _ in window_spans(context)]
    return [0, *starts[1:], len(context)] if starts else []


def _before_instruction(context: str) -> str:
    text = context.strip()
    return f"{text}\n\nInstruction:" if text else "Instruction:"


def _before_answer(context: str, instruction: str) -> str:
    return f"{_before_instruction(context)} {instruction}\n\nAnswer:"


def _gain(scores: Sequence[LogLikelihood]) -> Gain:
    """From a triple's scores of ``_requests``, in its order."""
    asked, told, asked_here, told_here, *without = scores
    return Gain(
        answer=_difference(told_here, told),
        instruction=_difference(asked_here, asked),
        windows=tuple(_difference(told_here, left) for left in reversed(without)),
        tokens=len(told.logprobs),
        logprob=math.fsum(told_here.logprobs) / len(told_here.logprobs),
    )


def _difference(one: LogLikelihood, other: LogLikelihood) -> float:
    """Mean over the tokens of how much likelier ``one`` is, in nats.

    Raises:
        EngineError: the tokens are not the same, or there are none, or a number is not finite.
    """
    count = len(one.logprobs)
    # A server that only echoes knows no ids; then at least their number must agree.
    if one.token_ids != other.token_ids or len(other.logprobs) != count or not count:
        raise EngineError(
            f"the engine split the same text into different tokens after different prefixes ({count} and "
            f"{len(other.logprobs)}), so the two cannot be compared; use an engine that is given token "
            "ids (transformers, vllm, or a vLLM server)"
        )
    if not all(map(math.isfinite, (*one.logprobs, *other.logprobs))):
        raise EngineError(
            "the engine gave a log-likelihood that is not a finite number; with transformers or vllm set "
            "the option dtype to bfloat16 or float32"
        )
    return math.fsum((*one.logprobs, *(-value for value in other.logprobs))) / count
