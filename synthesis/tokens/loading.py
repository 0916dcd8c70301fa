"""Where a tokenizer's files are and what they hold: embedded, a folder, the Hub, transformers.

Reads files and hands their text to ``synthesis.tokens.tokenizer``; counts nothing itself.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from synthesis.errors import MissingExtraError, TokenizerError
from synthesis.proxies import check_proxies
from synthesis.tokens.tokenizer import EMBEDDED, Tokenizer, build_tokenizer, special_tokens_of

_HERE: Final = Path(__file__).parent
_WANTED: Final = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
    "chat_template.json",
)


def load_tokenizer(name: str | None = None, *, revision: str | None = None) -> Tokenizer:
    """The tokenizer called ``name``.

    Args:
        name: ``None`` or ``"embedded"`` for the one that ships with this package, a local
            folder that holds ``tokenizer.json``, or a model id on the Hub (only the
            tokenizer's files are downloaded).
        revision: a branch, tag or commit on the Hub.

    Raises:
        TokenizerError: it does not exist, cannot be reached or cannot be read.
        MissingExtraError: it has no ``tokenizer.json`` and transformers is not installed.
    """
    if name is None or name == EMBEDDED:
        return embedded()
    folder = _locate(name, revision)
    if (folder / "tokenizer.json").is_file():
        return _from_folder(name, folder)
    return _from_transformers(name, folder, revision)


@cache
def embedded() -> Tokenizer:
    """The tokenizer that ships with the package, loaded once per process."""
    return _from_folder(EMBEDDED, _HERE)


def _locate(name: str, revision: str | None) -> Path:
    """The folder that holds the tokenizer's files, downloading only those where it is a Hub id.

    Raises:
        TokenizerError: there is no such folder or repository, or it cannot be reached.
    """
    path = Path(name).expanduser()
    if os.path.isdir(path):  # noqa: PTH112 (Path.is_dir raises for a name that no file can have)
        return path
    if os.path.isfile(path):  # noqa: PTH113 (as above)
        raise TokenizerError(f"{name} is a file. Name the folder that holds tokenizer.json.")
    odd = len(name) > 255 or "\\" in name or not name.strip()
    if odd or name.count("/") > 1 or name.startswith((".", "/", "~")):
        raise TokenizerError(
            f"there is no tokenizer folder {name[:300]!r}. Name a folder that holds tokenizer.json, "
            'a model id such as "Qwen/Qwen2.5-7B-Instruct", or "embedded".'
        )
    return _download(name, revision)


def _download(name: str, revision: str | None) -> Path:
    # Not in the package's import: the Hub client is only needed for a Hub id.
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    check_proxies()
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=list(_WANTED)))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        at = f" at revision {revision!r}" if revision else ""
        detail = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise TokenizerError(
            f"the tokenizer {name!r}{at} cannot be fetched from the Hub: {detail.rstrip('.')}. "
            "Check the name, your access (hf auth login) and the connection, or name a local folder."
        ) from error


def _from_folder(name: str, folder: Path) -> Tokenizer:
    """The tokenizer whose ``tokenizer.json`` lies in ``folder``, with the chat template beside it.

    Raises:
        TokenizerError: a file is damaged.
    """
    config = _json(folder / "tokenizer_config.json")
    special = special_tokens_of(_json(folder / "special_tokens_map.json")) | special_tokens_of(config)
    definition = _text(folder / "tokenizer.json")
    return build_tokenizer(name, definition, _template(folder, config), special)


def _template(folder: Path, config: Mapping[str, Any]) -> str | None:
    """The chat template: a file of its own wins over the one inside the config."""
    alone = folder / "chat_template.jinja"
    if alone.is_file():
        return _text(alone)
    found = _json(folder / "chat_template.json").get("chat_template", config.get("chat_template"))
    if isinstance(found, list):  # several named templates; plain chat is called "default"
        named = [one for one in found if isinstance(one, Mapping) and one.get("name") == "default"]
        found = named[0].get("template") if named else None
    return found if isinstance(found, str) else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TokenizerError(
            f"{path} cannot be read as UTF-8 text: {error}. Download the tokenizer again."
        ) from None


def _json(path: Path) -> dict[str, Any]:
    """A JSON object from a file, empty where there is no such file."""
    if not path.is_file():
        return {}
    try:
        loaded = json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise TokenizerError(f"{path} is not JSON: {error}. Download the tokenizer again.") from error
    if not isinstance(loaded, dict):
        raise TokenizerError(f"{path} does not hold a JSON object. Download the tokenizer again.")
    return loaded


def _from_transformers(name: str, folder: Path, revision: str | None) -> Tokenizer:
    """A tokenizer without ``tokenizer.json``, converted by transformers.

    Raises:
        MissingExtraError: transformers is not installed.
        TokenizerError: transformers cannot load it, or only in a form without character offsets.
    """
    try:
        transformers = importlib.import_module("transformers")
    except ImportError as error:
        raise MissingExtraError(
            "transformers", "local", f"tokenizer {name!r}, which has no tokenizer.json,"
        ) from error
    source = str(folder) if Path(name).expanduser().is_dir() else name
    try:
        loaded = transformers.AutoTokenizer.from_pretrained(source, revision=revision)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise TokenizerError(
            f"transformers cannot load the tokenizer {name!r}: {error} "
            "Name a folder or model that holds tokenizer.json."
        ) from error
    backend = getattr(loaded, "backend_tokenizer", None)
    if backend is None:
        raise TokenizerError(
            f"the tokenizer {name!r} exists only in a slow form that gives no character offsets. "
            "Name a model of the same family that holds tokenizer.json."
        )
    special = special_tokens_of(loaded.special_tokens_map)
    template = loaded.chat_template if isinstance(loaded.chat_template, str) else None
    return build_tokenizer(name, backend.to_str(), template, special)
