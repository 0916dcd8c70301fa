"""The engine that runs a model of the transformers library in this process.

Synchronous throughout: no thread, no event loop, nothing that outlives an iterator. Knows
nothing of files, budgets or parsing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from synthesis.data import Completion, Prompt
from synthesis.engines.base import BaseEngine, LogLikelihood, PromptSource, Sampling
from synthesis.engines.transformers.decoder import Decoder
from synthesis.engines.transformers.drawing import Shaping
from synthesis.engines.transformers.likelihood import Scorer
from synthesis.engines.transformers.loading import ModelSource, load
from synthesis.engines.transformers.texts import Encoder, Pieces, Request, decode
from synthesis.engines.transformers.writing import take_batch, write
from synthesis.errors import ConfigError, EngineError

_AHEAD = 4  # batches' worth of prompts to find neighbours in length among


class TransformersEngine(BaseEngine):
    """Writes with a model on this machine: CPU, one GPU, several, or a ZeroGPU Space.

    Prompts of similar length go through the model together. A request that is done leaves
    its batch at once and its completion is yielded then. Where a batch does not fit in the
    GPU's memory, it is halved, and so are those that follow.

    Each request draws from a stream of its own, seeded with ``Sampling.seed`` and the prompt's
    id, so neighbours, order and batch size do not matter, nor does torch's global state. That
    holds up to rounding: padding changes a logit's last bits, and with them, rarely, a token.
    ``temperature`` 0 takes the likeliest token. The model's own defaults (its
    ``generation_config.json``) for the three settings of the draw below hold where they are not set.

    On ZeroGPU make the engine at import time with ``device="cuda"``, and call ``complete``,
    ``stream`` and ``loglikelihood`` inside a function (or generator) that ``spaces.GPU`` wraps:
    all work happens in the caller's thread.

    Args:
        model: a folder, or an id on the Hub.
        device: ``auto`` (every GPU there is, else the CPU), ``cpu``, ``cuda``, ``cuda:1``, ``mps``, or
            a strategy of accelerate's device map (``balanced``, ``sequential``).
        dtype: ``auto`` (as the model was saved), ``bfloat16``, ``float16`` or ``float32``.
        batch_size: prompts at once, at most.
        batch_tokens: tokens of a batch at most, padding and longest possible replies included;
            what bounds the cache. A prompt that is longer runs alone.
        max_model_len: tokens of prompt and reply together; by default the model's own window.
        revision: branch, tag or commit on the Hub.
        adapter: a LoRA (folder or Hub id), merged into the model; needs the package ``peft``.
        chat_template_kwargs: variables of the model's chat template, as in
            ``{"enable_thinking": False}``.
        begin_with_marker: begin each reply as its prompt asks for (``Context:``), by putting that into
            the model's mouth. By default where it comes to stand exactly where the model would
            begin; true also for a model that thinks first, which is led past its thinking by that.
        top_k: draw from so many likeliest tokens only; 0 for all.
        min_p: draw only from tokens at least so likely, as a share of the likeliest one's probability.
        repetition_penalty: divide (multiply, below 0) the logits of tokens that stand in the prompt or
            reply already by this; 1 for none.
        trust_remote_code: run code that comes with the model. Only for models you have read.

    Raises:
        ConfigError: a setting cannot be used, or the model cannot be loaded.
        MissingExtraError: torch, transformers or accelerate is not installed.
    """

    name = "transformers"
    in_process = True
    has_tunings = True

    def __init__(
        self,
        model: str = "",
        *,
        device: str = "auto",
        dtype: str = "auto",
        batch_size: int = 8,
        batch_tokens: int = 65536,
        max_model_len: int | None = None,
        revision: str | None = None,
        adapter: str | None = None,
        chat_template_kwargs: Mapping[str, Any] | None = None,
        begin_with_marker: bool | None = None,
        top_k: int | None = None,
        min_p: float | None = None,
        repetition_penalty: float | None = None,
        trust_remote_code: bool = False,
    ) -> None:
        _check(batch_size=batch_size, batch_tokens=batch_tokens, max_model_len=max_model_len)
        wished = Shaping.wished(top_k, min_p, repetition_penalty)
        loaded = load(ModelSource(model, device, dtype, revision, adapter, trust_remote_code))
        chat = dict(chat_template_kwargs or {})
        self._runtime: _Runtime | None = _Runtime(
            Decoder(loaded.model),
            Encoder(loaded.tokenizer, model, max_model_len or loaded.window, chat, begin_with_marker),
            loaded.tokenizer,
            loaded.ends,
            Shaping.of(loaded.model.generation_config, wished),
        )
        self._rows, self._batch_tokens, self._ahead = batch_size, batch_tokens, _AHEAD * batch_size
        self.model = model
        self.revision = loaded.revision
        shaping = {
            "dtype": "" if dtype == "auto" else dtype,
            "max_model_len": max_model_len,
            "revision": revision,
            "adapter": adapter,
            "chat_template_kwargs": chat,
        }
        self.settings = {name: value for name, value in shaping.items() if value} | wished
        if begin_with_marker is not None:
            self.settings["begin_with_marker"] = begin_with_marker

    def __repr__(self) -> str:
        return f"TransformersEngine({self.model!r})"

    def complete(self, prompts: PromptSource, sampling: Sampling) -> Iterator[Completion]:
        """Yield each completion as it finishes, in any order.

        Prompts are taken from the consumer's thread, at most four batches ahead of what was
        yielded. A source that runs dry is asked again after every batch.

        Raises:
            ConfigError: the model has no chat template.
            EngineError: a single prompt does not fit in memory, or the model gives no numbers.
        """
        runtime, waiting = self._open(), list[Request]()
        while True:
            pulled = False
            while len(waiting) < self._ahead and (prompt := prompts.pull()) is not None:
                pulled = True
                request = runtime.encoder.request(prompt, sampling)
                if isinstance(request, str):
                    yield Completion(prompt.id, "", "error", detail=request)
                else:
                    waiting.append(request)
            if waiting:
                batch = take_batch(waiting, self._rows, self._batch_tokens)
                for asked, tokens in self._replies(runtime, batch, sampling):
                    yield runtime.completion(asked, tokens, sampling)
            elif not pulled:
                return

    def stream(self, prompt: Prompt, sampling: Sampling) -> Iterator[str]:
        """Text deltas of one reply; a reply that reaches ``max_tokens`` just ends.

        Raises:
            ConfigError: the model has no chat template.
            EngineError: the prompt is too long, or does not fit in memory.
        """
        import torch

        runtime = self._open()
        request = runtime.encoder.request(prompt, sampling)
        if isinstance(request, str):
            raise EngineError(request)
        pieces = Pieces(runtime.tokenizer)
        try:
            if request.opening:
                yield request.opening
            for (step,) in write(runtime.decoder, [request], sampling, runtime.ends, runtime.shaping):
                if step.token not in runtime.ends and (text := pieces.add(step.token)):
                    yield text
        except torch.OutOfMemoryError as error:
            raise _too_big(request) from error
        if text := pieces.rest():
            yield text

    def loglikelihood(self, requests: Iterable[tuple[str, str]]) -> Iterator[LogLikelihood]:
        """For each (prefix, continuation), in order: the continuation's token log-probabilities.

        The two are tokenized apart, so a continuation has the same ``token_ids`` after any
        prefix. Text that a request shares with the one before it, from the start, is read
        once: put requests about one context next to each other.

        Raises:
            EngineError: a prefix is empty, a text is longer than the model reads, or memory
                does not suffice.
        """
        runtime = self._open()
        scorer = Scorer(runtime.decoder)
        for prefix, continuation in requests:
            before, after = runtime.encoder.pieces(prefix, continuation)
            yield LogLikelihood(tuple(after), scorer.score(before, after))

    def tunings(self) -> Sequence[Mapping[str, Any]]:
        """Half as many prompts at once, and two, four and eight times as many."""
        tried = {max(1, int(self._rows * factor)) for factor in (0.5, 2, 4, 8)}
        return [{"batch_size": one} for one in sorted(tried - {self._rows})]

    def close(self) -> None:
        """Free the model. Safe to call twice; the engine cannot be used afterwards."""
        if self._runtime is not None:
            import torch

            self._runtime = None
            torch.cuda.empty_cache()

    def _open(self) -> _Runtime:
        if self._runtime is None:
            raise EngineError(f"the engine for '{self.model}' was closed; make a new one to go on")
        return self._runtime

    def _replies(
        self, runtime: _Runtime, batch: list[Request], sampling: Sampling
    ) -> Iterator[tuple[Request, list[int]]]:
        """Each request of a batch with its tokens, halving the batch as often as memory demands."""
        import torch

        rest = batch
        while rest:
            part, rest = rest[: self._rows], rest[self._rows :]
            tokens: list[list[int]] = [[] for _ in part]
            left = dict(enumerate(part))
            try:
                for steps in write(runtime.decoder, part, sampling, runtime.ends, runtime.shaping):
                    for row, token, last in steps:
                        tokens[row].append(token)
                        if last:
                            yield left.pop(row), tokens[row]
                continue
            except torch.OutOfMemoryError as error:
                if len(part) == 1:
                    raise _too_big(part[0]) from error
            # Outside of the handler, so that nothing of the failed call is held any more.
            torch.cuda.empty_cache()
            self._rows = len(part) // 2
            rest = [*left.values(), *rest]


@dataclass(frozen=True, slots=True)
class _Runtime:
    """What an open engine works with."""

    decoder: Decoder
    encoder: Encoder
    tokenizer: Any
    ends: frozenset[int]
    shaping: Shaping

    def completion(self, request: Request, tokens: list[int], sampling: Sampling) -> Completion:
        """The completion that a request's tokens make."""
        stopped = tokens[-1] in self.ends
        detail = ""
        if not stopped:
            reached = (
                "max_tokens" if request.limit == sampling.max_tokens else "the end of the model's window"
            )
            detail = f"the reply reached {reached}"
        return Completion(
            request.prompt_id,
            request.opening + decode(self.tokenizer, tokens[:-1] if stopped else tokens),
            "stop" if stopped else "length",
            prompt_tokens=len(request.ids),
            output_tokens=len(tokens),
            detail=detail,
        )


def _too_big(request: Request) -> EngineError:
    return EngineError(
        f"out of memory with a single prompt of {len(request.ids):,} tokens and a reply of up to "
        f"{request.limit:,}: lower generation.max_tokens (--max-tokens) or generation.options.max_model_len, "
        "use dtype bfloat16 or a smaller --model; then run again to go on from what is done"
    )


def _check(batch_size: int, batch_tokens: int, max_model_len: int | None) -> None:
    for name, value in (("batch_size", batch_size), ("batch_tokens", batch_tokens)):
        if not isinstance(value, int) or value < 1:
            raise ConfigError(f"generation.options.{name} is {value!r}; give a whole number from 1")
    if max_model_len is not None and (not isinstance(max_model_len, int) or max_model_len < 2):
        raise ConfigError(
            f"generation.options.max_model_len is {max_model_len!r}; give the tokens of prompt and reply"
        )
