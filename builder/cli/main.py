"""``context-synthesis``: the command line. Parses, calls, prints; everything else is elsewhere.

Only the standard library and typer are imported until a command runs.
"""

from __future__ import annotations

import gc
import importlib
import sys
from typing import Annotated

import typer

from builder.cli.base import app
from synthesis.errors import UsageError
from synthesis.keys import holds_key, without_keys

# Importing a module registers its commands, in the order that --help shows.
_MODULES = (
    "run",
    "tune",
    "import_",
    "score",
    "evaluate",
    "report",
    "show",
    "compare",
    "publish",
    "export",
    "batch",
)
for _module in _MODULES:
    importlib.import_module(f"builder.cli.{_module}")


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        from synthesis import __version__

        typer.echo(f"context-synthesis {__version__}")
        raise typer.Exit


def main() -> None:
    """Entry point of the ``context-synthesis`` command."""
    # Text of any script must print whatever the terminal's encoding is.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    # Before anything is read: no message, ours or the parser's, can then repeat a key.
    if odd := next(filter(holds_key, sys.argv[1:]), ""):
        typer.echo(
            f"error: an argument ({without_keys(odd)}) holds what looks like a key; keys are read from "
            "the environment (OPENAI_API_KEY, HF_TOKEN, or what --option api_key_env=NAME names)",
            err=True,
        )
        sys.exit(UsageError.exit_code)
    from synthesis.storage import sweep_scratch

    # Most of what a job makes is freed as it goes: circles are looked for less often.
    gc.set_threshold(100_000, 50, 100)
    sweep_scratch()  # what a process that was killed has left
    app()
