"""What went wrong inside vLLM, said with the settings that help.

vLLM works in processes of its own; all that an exception says on our side is "see above". The
reason is in vLLM's log, which is kept in a file instead of on the screen and read when something
fails. Whoever sets one of vLLM's own logging variables gets vLLM's own logging, and messages here
then only know what the exception says. Works on text; knows nothing of how vLLM is started.
"""

from __future__ import annotations

import atexit
import difflib
import functools
import json
import os
import re
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from synthesis.errors import ConfigError, EngineError

_SETTINGS, _PREFIX = "VLLM_LOGGING_CONFIG_PATH", "context-synthesis-vllm-"  # ours are files called so
_THEIRS = ("VLLM_LOGGING_LEVEL", _SETTINGS, "VLLM_CONFIGURE_LOGGING")
# The last line of a traceback, with or without the prefix of a log line before it.
_CAUSE = re.compile(r"^(?:.*\]\s)?((?:\w+\.)*\w*(?:Error|Exception|Interrupt)): (.+)$", re.M)
_LONGEST = 600
# What pydantic puts around the sentence that matters.
_WRAPPING = re.compile(
    r"\d+ validation errors? for \w+|Value error, | ?\[type=[^\]]*\]|For further \S+ visit \S+"
)

_OPTIONS = "generation.options"
_RESUME = "then run again to go on from what is done"

# Sizes in vLLM's messages: the longest reply that fits, what is free of the memory, requests at once.
_FITS = re.compile(r"maximum model length is (\d+)")
_FREE = re.compile(r"\(([\d.]+)/([\d.]+) GiB\)")
_AT_ONCE = re.compile(r"with (\d+) dummy requests")
_SHARE, _LESS = 0.9, 0.05  # vLLM's usual share of the memory, and a step down from it
_NOTHING: Mapping[str, Any] = MappingProxyType({})

_CACHE_SMALL = ("kv cache is needed", "no available memory for the cache", "on kv cache allocation")
_FULL = (
    "out of memory",
    "outofmemory",
    "free memory on device",
    "cannot allocate memory",
    "defaultcpuallocator",
)
_TOO_LONG = ("greater than the derived max_model_len",)
_TOO_FEW_DEVICES = ("world size", "gpus", "number of available devices", "must be divisible by tensor")
_NO_MODEL = (
    "repository not found",
    "repositorynotfound",
    "not a valid model identifier",
    "invalid repository id",
    "hfvalidationerror",
    "couldn't connect",
    "cannot find the requested files",
    "gated",
    "config.json",
)


@dataclass(frozen=True, slots=True)
class VLLMLog:
    """The log from ``start`` (bytes) on; ``path`` is None where vLLM logs in its own way."""

    path: Path | None
    start: int = 0

    def cause(self) -> str:
        """The first error since ``start``, as ``Type: message``; empty if none is known.

        The first is the reason, those after it are of processes that noticed.
        """
        found = _CAUSE.search(self._text())
        return f"{found[1]}: {found[2]}"[:_LONGEST] if found else ""

    def hint(self) -> str:
        """Where to read more. From now on the file outlives this process."""
        if self.path is None or not self._text():
            return "vLLM's own log says more"
        _kept.add(self.path)
        return f"vLLM's log: {self.path}"

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """Meanwhile the standard error goes to the log; that of processes started meanwhile for good.

        vLLM and its libraries warn there of what no user can change, before they know where to log.
        """
        try:
            kept = os.dup(2) if self.path is not None else None
        except OSError:  # there is none
            kept = None
        if self.path is None or kept is None:
            yield
            return
        with self.path.open("ab") as file:
            os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            if sys.stderr is not None:
                sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)

    def _text(self) -> str:
        if self.path is None or not self.path.is_file():
            return ""
        with self.path.open("rb") as file:
            file.seek(self.start)
            return file.read().decode("utf-8", "replace")


_kept: set[Path] = set()


def open_log() -> VLLMLog:
    """The log from here on. Has to be called before ``vllm`` is imported to have an effect."""
    path = _path()
    return VLLMLog(path, path.stat().st_size if path and path.is_file() else 0)


@functools.cache
def _path() -> Path | None:
    """The log file of this process; one for all engines, since vLLM sets up logging once."""
    if Path(os.environ.get(_SETTINGS, "")).name.startswith(_PREFIX):
        del os.environ[_SETTINGS]  # that of the process of ours which began this one
    if any(name in os.environ for name in _THEIRS):
        return None
    handle, name = tempfile.mkstemp(prefix=_PREFIX, suffix=".log")
    os.close(handle)
    path = Path(name)
    settings = path.with_suffix(".json")
    settings.write_text(json.dumps(_logging_config(path)), encoding="utf-8")
    # Through the environment, because vLLM's processes read it, too.
    os.environ[_SETTINGS] = str(settings)
    atexit.register(_tidy, os.getpid(), path, settings)
    return path


def _logging_config(path: Path) -> dict[str, object]:
    line = "%(asctime)s %(levelname)s %(process)d [%(name)s] %(message)s"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"plain": {"format": line}},
        "handlers": {
            "file": {
                "class": "logging.FileHandler",
                "filename": str(path),
                "formatter": "plain",
                "delay": True,
            }
        },
        "loggers": {"vllm": {"handlers": ["file"], "level": "INFO", "propagate": False}},
    }


def _tidy(owner: int, path: Path, settings: Path) -> None:
    if os.getpid() != owner:  # a fork must not take its parent's files away
        return
    settings.unlink(missing_ok=True)
    if path not in _kept:
        path.unlink(missing_ok=True)


def explain_load(
    model: str, error: BaseException, log: VLLMLog, sizes: Mapping[str, Any] = _NOTHING
) -> EngineError:
    """Why the model is not running; ``sizes`` are the arguments that it was given."""
    cause = _cause(error, log)
    advice = _advice(cause, error, sizes)
    return EngineError(f"vLLM could not start model '{model}' ({cause}). {advice}, {_RESUME}; {log.hint()}")


def explain_death(
    model: str, error: BaseException, log: VLLMLog, sizes: Mapping[str, Any] = _NOTHING
) -> EngineError:
    """Why vLLM stopped in the middle of its work; ``sizes`` are those that it ran with."""
    cause = _cause(error, log)
    advice = (
        _memory_advice(cause, sizes) or f"If this model or device cannot do what {_OPTIONS} asks, change that"
    )
    return EngineError(
        f"vLLM stopped while it ran model '{model}' ({cause}). {advice}, {_RESUME}; {log.hint()}"
    )


def explain_lora(lora: str, error: BaseException, log: VLLMLog) -> EngineError:
    """Why the adapter does not fit."""
    return EngineError(
        f"vLLM could not load the adapter '{lora}' ({_cause(error, log)}). Check {_OPTIONS}.lora (a "
        f"folder or an id on the Hub, made for this model) and {_OPTIONS}.lora_rank (its rank, 'r' in its "
        f"adapter_config.json), {_RESUME}; {log.hint()}"
    )


def explain_unknown(unknown: Sequence[str], known: Collection[str]) -> ConfigError:
    """Which arguments vLLM does not know, and what may have been meant."""
    near = {name: difflib.get_close_matches(name, known, n=1) for name in unknown}
    told = [
        f"'{name}' (did you mean '{found[0]}'?)" if found else f"'{name}'" for name, found in near.items()
    ]
    return ConfigError(
        f"vLLM has no engine argument {', '.join(told)}; correct {_OPTIONS}. "
        "They are named as in vLLM's EngineArgs"
    )


def _cause(error: BaseException, log: VLLMLog) -> str:
    said = log.cause() or f"{type(error).__name__}: {error}"
    return " ".join(_WRAPPING.sub(" ", " ".join(said.split())).split())


def _advice(cause: str, error: BaseException, sizes: Mapping[str, Any]) -> str:
    memory = _memory_advice(cause, sizes)
    if memory:
        return memory
    if _holds(cause, _TOO_LONG):
        return f"Set {_OPTIONS}.max_model_len to what the model reads, or leave it out"
    if _holds(cause, _TOO_FEW_DEVICES):
        return (
            f"Set {_OPTIONS}.tensor_parallel_size times pipeline_parallel_size to the number of GPUs; "
            "tensor_parallel_size must divide the model's attention heads"
        )
    if isinstance(error, OSError) or _holds(cause, _NO_MODEL):
        return (
            "Check --model (generation.model): a folder with config.json, weights and tokenizer, or an id on "
            "the Hub in full (owner/name). For a gated one accept its terms and set HF_TOKEN; without a "
            "network download it first"
        )
    return f"Check --model and {_OPTIONS}"


def _memory_advice(cause: str, sizes: Mapping[str, Any]) -> str:
    """Which settings to lower, and to what, as far as the message or what is set says; else empty."""
    share = sizes.get("gpu_memory_utilization") or _SHARE
    if _holds(cause, _CACHE_SMALL):
        fits, fixed = _FITS.search(cause), "kv_cache_memory_bytes"
        room = fixed if sizes.get(fixed) else f"gpu_memory_utilization{_to(_raised(share))}"
        return (
            f"What the weights leave cannot hold one reply of full length: lower {_OPTIONS}.max_model_len"
            f"{_to(fits and fits[1])} (prompt and reply together; it need not be more than a prompt plus "
            f"generation.max_tokens), raise {room}, or spread the model with "
            "tensor_parallel_size"
        )
    if _holds(cause, _FULL):
        free, at_once = _FREE.search(cause), _AT_ONCE.search(cause)
        lower = (
            float(free[1]) / float(free[2]) if free and "free memory on device" in cause.lower() else share
        )
        seqs, tokens, longest = (
            sizes.get(name) for name in ("max_num_seqs", "max_num_batched_tokens", "max_model_len")
        )
        seqs = int(at_once[1]) if at_once else seqs
        return (
            f"The memory is full: lower {_OPTIONS}.gpu_memory_utilization{_to(_lowered(lower))} (other "
            f"programs use the rest), max_num_seqs{_to(_half(seqs))} (replies at once), "
            f"max_model_len{_to(_half(longest))}, or for scoring max_num_batched_tokens{_to(_half(tokens))}; "
            "or spread the model with tensor_parallel_size, or load it with quantization"
        )
    return ""


def _to(value: object) -> str:
    return f" to {value}" if value else ""


def _half(size: Any) -> int:
    return size // 2 if isinstance(size, int) else 0


def _lowered(share: float) -> float:
    return max(0.0, round(share - _LESS, 2))


def _raised(share: float) -> float:
    return round(min(share + _LESS, 0.98), 2) if share < 0.97 else 0.0


def _holds(text: str, signs: Sequence[str]) -> bool:
    lowered = text.lower()
    return any(sign in lowered for sign in signs)
