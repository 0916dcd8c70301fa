"""A small run, written as rows for reinforcement learning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from builder.export.write import export
from builder.job.execute import execute
from synthesis.options import RunConfig, override
from tests.jobs import Quiet


def write_rl_rows(folder: Path, name: str = "rl.parquet", **changes: Any) -> Path:
    """The file: six bundled pairs in samples of 512 tokens, unless told otherwise."""
    told = {
        "out": str(folder / "run"),
        "generation.words": 100,
        "samples.lengths": ("512",),
        "samples.header": "Document {n}:\n",
        "pairs.limit": 6,
    }
    execute(override(RunConfig(), told | changes), Quiet())
    chats = "composer-chat-512"
    export(folder / "run", folder / name, format="rl", config=chats)
    return folder / name
