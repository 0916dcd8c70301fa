"""The engine's settings: checked before any work, and which of them shape a reply.

Knows names and ranges; what vLLM itself refuses is found when the model is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from synthesis.errors import ConfigError

_OPTIONS = "generation.options"
_COUNTS = (
    "max_num_seqs",
    "tensor_parallel_size",
    "pipeline_parallel_size",
    "data_parallel_size",
    "lora_rank",
)
# Fields of SamplingParams that the engine sets itself, or that would change what comes back.
_OURS = frozenset(
    {"temperature", "top_p", "max_tokens", "seed", "n", "output_kind", "prompt_logprobs", "detokenize"}
)
# Arguments of vLLM that change what a model writes. All others place or pace the work, and may
# differ between a run and its resumption without making a row stale.
_SHAPING = frozenset(
    {
        "quantization",
        "quantization_config",
        "dtype",
        "kv_cache_dtype",
        "revision",
        "code_revision",
        "tokenizer",
        "tokenizer_mode",
        "tokenizer_revision",
        "hf_overrides",
        "hf_config_path",
        "load_format",
        "model_impl",
        "logits_processors",
    }
)


def check_options(
    model: str, numbers: Mapping[str, Any], arguments: Mapping[str, Any], sampling: Mapping[str, Any]
) -> None:
    """Raise ConfigError for what cannot be meant.

    Args:
        model: must be there.
        numbers: settings with a range, by name; None for vLLM's own default.
        arguments: passed through to vLLM.
        sampling: further sampling parameters.
    """
    if not model:
        raise ConfigError(
            "the engine 'vllm' needs a model: name a folder or an id on the Hub with --model "
            "(generation.model)"
        )
    for name in _COUNTS:
        if numbers[name] is not None and (type(numbers[name]) is not int or numbers[name] < 1):
            raise ConfigError(f"{_OPTIONS}.{name} is {numbers[name]!r}; give a whole number, 1 or more")
    share, longest = numbers["gpu_memory_utilization"], numbers["max_model_len"]
    if share is not None and (type(share) not in (int, float) or not 0 < share <= 1):
        raise ConfigError(f"{_OPTIONS}.gpu_memory_utilization is {share!r}; give a share above 0, at most 1")
    if longest is not None and (type(longest) is not int or longest < 1):
        raise ConfigError(
            f"{_OPTIONS}.max_model_len is {longest!r}; give a number of tokens, or leave it out"
        )
    if "hf_token" in arguments:
        raise ConfigError(
            f"{_OPTIONS}.hf_token would be written to disk with the run; leave it out and set the "
            "environment variable HF_TOKEN"
        )
    taken = sorted(_OURS & sampling.keys())
    if taken:
        raise ConfigError(
            f"{_OPTIONS}.sampling_params sets {', '.join(taken)}, which the engine sets itself; leave it out"
        )


def read_template(path: str | None) -> str | None:
    """The text of a chat template."""
    if not path:
        return None
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{_OPTIONS}.chat_template {path} cannot be read as UTF-8 text: {error}; give the path of a "
            "Jinja file"
        ) from None


def shaping(arguments: Mapping[str, Any], **own: Any) -> dict[str, Any]:
    """The settings that replies depend on, without those left at their default."""
    passed = {name: value for name, value in arguments.items() if name in _SHAPING and value != "auto"}
    return passed | {name: value for name, value in own.items() if value not in (None, {}, "")}
