"""Model and tokenizer from a folder or the Hub, checked; every way this fails has a message.

Knows nothing of prompts and replies.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthesis.errors import ConfigError, MissingExtraError

_DTYPES = ("auto", "bfloat16", "float16", "float32")
_STRATEGIES = ("auto", "balanced", "balanced_low_0", "sequential")  # of accelerate
_PURPOSE = "engine 'transformers'"
_SAID = 400  # characters of the library's own message


@dataclass(frozen=True, slots=True)
class ModelSource:
    """Where a model comes from and how it is loaded."""

    model: str
    device: str
    dtype: str
    revision: str | None
    adapter: str | None
    trust_remote_code: bool


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model ready to use.

    ``ends`` are the tokens that end a reply; ``window`` the tokens it was made to read, None
    where its configuration does not say; ``revision`` the commit on the Hub, empty for folders.
    """

    model: Any
    tokenizer: Any
    ends: frozenset[int]
    window: int | None
    revision: str


def load(source: ModelSource) -> Loaded:
    """Get a model, on its device and in evaluation mode.

    Raises:
        MissingExtraError: torch, transformers or accelerate is not installed.
        ConfigError: a setting cannot be used, or there is no such model.
    """
    if not source.model:
        raise ConfigError(f"{_PURPOSE} needs a model: name a folder or an id on the Hub with --model")
    if source.dtype not in _DTYPES:
        raise ConfigError(
            f"generation.options.dtype is '{source.dtype}'; choose one of: {', '.join(_DTYPES)}"
        )
    for package in ("torch", "transformers", "accelerate"):
        _require(package)
    device = _device(source.device)
    _check_folder(source.model, "model '{}' (--model)", "config.json")
    if source.adapter:
        _check_folder(source.adapter, "adapter '{}' (generation.options.adapter)", "adapter_config.json")
    with _quiet():
        return _load(source, device)


def _load(source: ModelSource, device: str) -> Loaded:
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, AutoTokenizer

    where = {"revision": source.revision, "trust_remote_code": source.trust_remote_code}
    try:
        tokenizer = AutoTokenizer.from_pretrained(source.model, **where)
        model, report = AutoModelForCausalLM.from_pretrained(
            source.model, dtype=source.dtype, device_map=device, output_loading_info=True, **where
        )
        if source.adapter:
            model = _with_adapter(model, source.adapter)
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError) as error:
        raise ConfigError(_why_not(source, error)) from error
    missing = sorted(report["missing_keys"])
    if missing:
        raise ConfigError(
            f"the files of model '{source.model}' lack {len(missing)} weights of {type(model).__name__} "
            f"({missing[0]}, ...): they are incomplete, or belong to another kind of model than one that "
            "writes text; download them again or name another --model"
        )
    # We bound lengths ourselves and say so; the library would only warn.
    tokenizer.model_max_length = int(1e30)
    config = model.config.get_text_config()
    return Loaded(
        model=model.eval(),
        tokenizer=tokenizer,
        ends=_ends(model, tokenizer),
        window=getattr(config, "max_position_embeddings", None),
        revision=getattr(model.config, "_commit_hash", None) or "",
    )


def _ends(model: Any, tokenizer: Any) -> frozenset[int]:
    """The tokens that end a reply: chat models often have two, known in different places."""
    found: set[int] = set()
    for known in (model.generation_config.eos_token_id, model.config.eos_token_id, tokenizer.eos_token_id):
        found |= {known} if isinstance(known, int) else set(known or ())
    return frozenset(found)


def _with_adapter(model: Any, adapter: str) -> Any:
    try:
        peft = importlib.import_module("peft")
    except ImportError as error:
        raise ConfigError(
            "generation.options.adapter needs the package 'peft', which is not installed. "
            "Install it with: pip install peft"
        ) from error
    # Merged, the model is of its own class again and as fast as without.
    return peft.PeftModel.from_pretrained(model, adapter).merge_and_unload()


def _require(package: str) -> None:
    try:
        importlib.import_module(package)
    except ImportError as error:
        raise MissingExtraError(package, "local", _PURPOSE) from error


def _device(asked: str) -> str:
    """What to give accelerate as device map."""
    import torch

    here = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if asked == "auto":
        # On a GPU accelerate spreads what one cannot hold; on the CPU there is nothing to spread.
        return "auto" if here["cuda"] else "mps" if here["mps"] else "cpu"
    kind = asked.partition(":")[0]
    if asked in _STRATEGIES or here.get(kind):
        return asked
    present = ", ".join(name for name, is_here in here.items() if is_here)
    problem = "is not available here" if kind in here else "is not a device"
    raise ConfigError(f"generation.options.device: '{asked}' {problem}; use auto or one of: {present}")


def _check_folder(name: str, what: str, holds: str) -> None:
    """Tell a mistyped path from an id on the Hub before anything is asked of the Hub."""
    path = Path(name).expanduser()
    looks_local = name.startswith((".", "/", "~")) or name.count("/") > 1 or "\\" in name
    if (path / holds).is_file() or not (looks_local or path.exists()):
        return
    if path.exists():
        raise ConfigError(f"{what.format(name)} has no {holds}; name the folder that holds it")
    beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, beside, n=1)
    hint = f"did you mean '{path.parent / near[0]}'?" if near else "check the path, or name an id on the Hub"
    raise ConfigError(f"{what.format(name)}: there is no such folder; {hint}")


def _why_not(source: ModelSource, error: Exception) -> str:
    said = " ".join(str(error).split())[:_SAID].rstrip(".") or type(error).__name__
    at = f" at revision '{source.revision}'" if source.revision else ""
    with_adapter = f" with adapter '{source.adapter}'" if source.adapter else ""
    return (
        f"model '{source.model}'{at}{with_adapter} cannot be loaded: {said}. "
        "Check --model (a folder or Hub id of a model that writes text), its access (hf auth login) and "
        "the connection."
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the library's progress bars, which are as they were afterwards."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
