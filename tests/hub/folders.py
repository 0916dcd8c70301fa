"""Small dataset folders for tests of what is done with them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from builder.folder.build import ConfigData, FolderResult, build_folder
from builder.folder.schema import Kind, chat_row, raw_row, rejected_row
from synthesis.data import Context, Evidence, Message, Pair, Rejected, Sample, content_hash

FACTS = {"engine": "composer", "model": "", "template": "story", "seed": 3, "license": "cc-by-4.0"}


def raw(count: int, word: str = "clock") -> list[dict[str, Any]]:
    """Rows of a raw config; another ``word`` gives other contexts for the same pairs."""
    rows = []
    for number in range(count):
        pair = Pair(instruction=f"Who mended it in town {number}?", answer=f"Ada {number}")
        text = f"In town {number} Ada {number} mended the {word}. " * 5
        context = Context(
            pair.id, text, (Evidence(0, 8, "Ada"),), 45, 60, "composer", "", "story", 3, "exact"
        )
        rows.append(raw_row(pair, context, None))
    return rows


def chat(count: int) -> list[dict[str, Any]]:
    """Rows of a chat config."""
    messages = (Message("user", "Long text. Who?"), Message("assistant", "Ada"))
    return [
        chat_row(Sample(f"s{n}", f"p{n}", messages, 99, 128, 0.5, (0, 9), (f"p{n}",), "random", "generic"))
        for n in range(count)
    ]


def rejected(count: int) -> list[dict[str, Any]]:
    """Rows of a rejected config."""
    return [rejected_row(Rejected(f"p{number}", "parse", "too short", "x")) for number in range(count)]


def config(name: str, rows: Sequence[dict[str, Any]], kind: Kind = "raw", **details: Any) -> ConfigData:
    """One config to build."""
    return ConfigData(name, kind, lambda: iter(rows), content_hash(list(rows)), details)


def build(folder: Path, *configs: ConfigData, **facts: Any) -> FolderResult:
    """Build or rebuild a folder."""
    return build_folder(folder, configs, facts={**FACTS, **facts})


def usual(folder: Path, name: str = "m", rows: int = 4, word: str = "clock") -> FolderResult:
    """A folder with one config of each kind."""
    return build(
        folder,
        config(name, raw(rows, word)),
        config(f"{name}-chat-8k", chat(3), "chat"),
        config(f"{name}-rejected", rejected(2), "rejected"),
    )
