"""The card of a dataset folder, as far as it says which files are of which config and split.

``datasets`` reads a card itself, but overlooks one that begins with a byte order mark.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from synthesis.errors import SourceError

_FRONT_MATTER: Final = re.compile(r"\A\s*---[ \t]*\r?\n(.*?)^---", re.DOTALL | re.MULTILINE)
_CONFIGS: Final = re.compile(r"^configs[ \t]*:", re.MULTILINE)
_MARK: Final = "\ufeff"


def lists_configs(folder: Path) -> bool:
    """Whether a folder's card lists configs."""
    return _CONFIGS.search(_header(folder)) is not None


def overlooked_files(folder: Path, config: str | None) -> dict[str, Any] | None:
    """Split -> patterns of a config, where the card has a mark that hides it from ``datasets``; else None.

    Raises:
        SourceError: the card is no YAML, or has no such config.
    """
    if not _text(folder).startswith(_MARK) or not lists_configs(folder):
        return None
    found = _configs(folder)
    names = list(found)
    if config is None and len(names) == 1:
        config = names[0]
    if config is None:
        config = next((name for name, one in found.items() if one.get("default") is True), None) or (
            "default" if "default" in found else None
        )
    if config not in found:
        asked = f"has no config '{config}'" if config else "has several configs"
        raise SourceError(f"{folder} {asked}. Name one of {', '.join(names) or 'none'} with --pairs-config.")
    return _patterns(found[config].get("data_files"), folder)


def _configs(folder: Path) -> dict[str, dict[str, Any]]:
    import yaml  # type: ignore[import-untyped]

    try:
        header = yaml.safe_load(_header(folder))
        listed = header["configs"]
        return {str(one.get("config_name", "default")): one for one in listed}
    except (yaml.YAMLError, RecursionError, TypeError, KeyError, AttributeError, ValueError):
        raise SourceError(
            f"{folder / 'README.md'}: the configs in its header cannot be read. Mend the header, or give one "
            "of the folder's files."
        ) from None


def _patterns(files: Any, folder: Path) -> dict[str, Any]:
    from datasets.data_files import sanitize_patterns

    try:
        return dict(sanitize_patterns(files))
    except (TypeError, ValueError):
        raise SourceError(
            f"{folder / 'README.md'}: a config in its header names no files that can be read (data_files). "
            "Mend the header, or give one of the folder's files."
        ) from None


def _header(folder: Path) -> str:
    found = _FRONT_MATTER.search(_text(folder).removeprefix(_MARK))
    return found[1] if found else ""


def _text(folder: Path) -> str:
    card = folder / "README.md"
    try:
        return card.read_text("utf-8") if card.is_file() else ""
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{card} is not UTF-8 text (byte {error.start}), so its configs cannot be told. Mend it, or give "
            "one of the folder's files."
        ) from None
    except OSError as error:
        raise SourceError(f"{card} cannot be read: {error.strerror or error}. Make it readable.") from None
