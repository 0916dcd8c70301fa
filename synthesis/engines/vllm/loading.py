"""Starting vLLM and stopping it.

vLLM's engine runs in processes of its own. Told to, they end with ``stop``; when this process is
killed outright nobody tells them, so a small watcher does (they would keep the GPU's memory, and
the run that resumes could not have it).
"""

from __future__ import annotations

import importlib.util
import inspect
import multiprocessing
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from synthesis.engines.vllm.backends import Backend, load
from synthesis.engines.vllm.trouble import VLLMLog, explain_load, explain_lora, explain_unknown, open_log
from synthesis.errors import EngineError, MissingExtraError

_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)  # those vLLM makes room for

# Waits for process $1 to be gone, then ends the others: politely, then for certain.
_WATCH = (
    'while kill -0 "$1" 2>/dev/null; do sleep 1; done; shift; '
    'kill -TERM "$@" 2>/dev/null; sleep 5; kill -KILL "$@" 2>/dev/null'
)


@dataclass(frozen=True, slots=True)
class RunningModel:
    """A running vLLM, the adapter for its requests, and where its log begins."""

    backend: Backend
    name: str
    lora_request: Any
    log: VLLMLog
    watcher: subprocess.Popen[bytes] | None = field(repr=False)

    def stop(self) -> None:
        """End vLLM's processes and wait for them."""
        self.backend.stop()
        if self.watcher is not None:
            self.watcher.kill()
            self.watcher.wait()


def require_vllm() -> None:
    """Raise MissingExtraError if vLLM is not installed. Does not import it."""
    if importlib.util.find_spec("vllm") is None:
        raise MissingExtraError("vllm", "vllm", "the engine 'vllm'")


def start(model: str, arguments: Mapping[str, Any], lora: str | None, lora_rank: int) -> RunningModel:
    """Load the model.

    Args:
        model: a folder or an id on the Hub.
        arguments: of vLLM's ``EngineArgs``; those that are not given have vLLM's defaults.
        lora: an adapter's folder or id on the Hub.
        lora_rank: its rank.

    Raises:
        ConfigError: vLLM does not know one of the arguments.
        EngineError: the model or the adapter cannot be loaded.
    """
    # Nothing about a run goes to vLLM's makers unless the user has said so.
    os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
    log = open_log()
    with log.gathering():
        return _started(model, arguments, lora, lora_rank, log)


def _started(
    model: str, arguments: Mapping[str, Any], lora: str | None, lora_rank: int, log: VLLMLog
) -> RunningModel:
    try:
        import vllm
        from vllm.lora.request import LoRARequest
        from vllm.platforms import current_platform
    except ImportError as error:
        raise EngineError(
            f"vLLM is installed but cannot be imported ({error}); reinstall it together with the torch it "
            'was built for: pip install --force-reinstall "context-synthesis[vllm]"'
        ) from error
    known = {item.name for item in fields(vllm.EngineArgs)} | set(inspect.signature(vllm.LLM).parameters)
    if unknown := sorted(arguments.keys() - known):
        raise explain_unknown(unknown, known)
    given = {"use_tqdm_on_load": False, **arguments}
    if current_platform.is_cpu():
        # On CPUs a seeded request dies of chunked prefill (its generator "does not use offset").
        given.setdefault("enable_chunked_prefill", False)
    if lora:
        room = next((rank for rank in _RANKS if rank >= lora_rank), lora_rank)
        given |= {"enable_lora": True, "max_lora_rank": room}

    before = set(multiprocessing.active_children())
    try:
        backend = load(model, given)
    except _load_errors() as error:
        raise explain_load(model, error, log, given) from error
    children = set(multiprocessing.active_children()) - before
    watcher = _watch([child.pid for child in children if child.pid is not None])
    request = LoRARequest("adapter", 1, lora) if lora else None
    running = RunningModel(backend, model, request, log, watcher)
    if lora:
        _add_lora(running, lora)
    return running


def _load_errors() -> tuple[type[Exception], ...]:
    """What vLLM raises when it cannot do what it is asked; some refusals are bare asserts."""
    import vllm.exceptions
    from huggingface_hub.errors import HfHubHTTPError

    own = getattr(vllm.exceptions, "VLLMError", ValueError)  # since 0.32
    return own, HfHubHTTPError, OSError, ValueError, TypeError, RuntimeError, ImportError, AssertionError


def seeds_are_safe(config: Any) -> bool:
    """Whether requests may carry seeds of their own; see ``start``."""
    from vllm.platforms import current_platform

    return not (current_platform.is_cpu() and config.scheduler_config.enable_chunked_prefill)


def own_defaults(config: Any) -> dict[str, Any]:
    """What the model's makers set of the draw besides temperature and top-p, from vLLM's ``ModelConfig``."""
    known = config.get_diff_sampling_param()
    return {name: known[name] for name in ("top_k", "min_p", "repetition_penalty") if name in known}


def _add_lora(running: RunningModel, lora: str) -> None:
    # Now rather than with the first prompt, where a wrong adapter would end vLLM as a whole.
    try:
        running.backend.add_lora(running.lora_request)
    except Exception as error:  # what vLLM's process reports arrives as just that
        running.stop()
        raise explain_lora(lora, error, running.log) from error


def _watch(pids: list[int]) -> subprocess.Popen[bytes] | None:
    if not pids or os.name != "posix":
        return None
    quiet = subprocess.DEVNULL
    command = ["sh", "-c", _WATCH, "watch-vllm", str(os.getpid()), *map(str, pids)]
    # In a session of its own, so that what ends our process group does not end it first.
    return subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)
