"""A chat template tried on short conversations before it is used, in a process that bounds what it may take.

A template is somebody's program: it may recurse, loop for hours or fill the memory, and none of that can
be stopped from inside. What it writes says how it wants to be given a turn's text, and whether it prints it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from synthesis.errors import TokenizerError
from synthesis.tokens.template_code import write_turns

SECONDS: Final = 10
"""Of computing, for all conversations together: a usual template takes a few milliseconds."""

MEMORY: Final = 2 * 2**30
_PATIENCE: Final = 300  # seconds of waiting, on a machine that does other things
_MOST_WRITTEN: Final = 1_000_000  # characters
_ASKED: Final = ("Quillon asks for the ledger", "where Brenn stood.")
_TOLD: Final = ("Ostrava answers that", "Wessel has it.")
_FILLER: Final = "The harbour lay quiet that morning, and nobody spoke of it.\n" * 400


class TemplateTrial(NamedTuple):
    """What came of the trial: whether turns have to be given in ``parts``, and what is wrong, if anything."""

    parts: bool
    trouble: str


@lru_cache(maxsize=64)
def try_template(source: str, special: tuple[tuple[str, str], ...]) -> TemplateTrial:
    """Render conversations with a template and look for their words.

    Raises:
        TokenizerError: it takes more time or memory than is reasonable.
    """
    if source == _own_template():
        return TemplateTrial(False, "")
    plain, parted = _rendered(source, special)
    trouble = _trouble(plain)
    return TemplateTrial(True, "") if trouble and not _trouble(parted) else TemplateTrial(False, trouble)


@cache
def _own_template() -> str:
    return Path(__file__).with_name("chat_template.jinja").read_text(encoding="utf-8")


def _trouble(outcomes: list[dict[str, str]]) -> str:
    """What is wrong with what a template made of the conversations."""
    for outcome in outcomes:
        if "error" in outcome:
            return f"cannot render a user turn followed by an assistant turn: {outcome['error']}"
        text = outcome["text"].casefold()
        if "'type':" in text or '"type":' in text:
            return "prints the parts of a turn as they are in Python"
        for who, words in (("user", _ASKED), ("assistant", _TOLD)):
            if any(each.casefold() not in text for each in words):
                return f"does not print what the {who} says"
    return ""


def _rendered(source: str, special: tuple[tuple[str, str], ...]) -> list[list[dict[str, str]]]:
    """For turns as text and in parts: the outcome of each conversation."""
    job = json.dumps({"source": source, "special": dict(special), "seconds": SECONDS})
    paths = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    done = subprocess.run(
        [sys.executable, "-c", f"from {__name__} import main; main()"],
        input=job.encode("ascii"),
        capture_output=True,
        timeout=_PATIENCE,
        env={**os.environ, "PYTHONPATH": paths},
        check=False,
    )
    if done.returncode:
        raise TokenizerError(
            f"the chat template takes more than {SECONDS} s or {MEMORY // 2**30} GiB to render a short "
            "conversation, or fails in a way that ends the process. Choose another tokenizer."
        )
    outcomes: list[list[dict[str, str]]] = json.loads(done.stdout)
    return outcomes


def conversation(middle: str, parts: bool) -> list[dict[str, Any]]:
    """A user turn and an assistant turn whose words can be found again, with ``middle`` in them."""
    said = (("user", middle.join((f"{_ASKED[0]} ", _ASKED[1]))), ("assistant", " ".join(_TOLD)))
    return [{"role": role, "content": as_parts(text) if parts else text} for role, text in said]


def as_parts(text: str) -> list[dict[str, str]]:
    """A turn's text as the list of parts that some templates want."""
    return [{"type": "text", "text": text}]


def main() -> None:
    """In the other process: read a template, write what it makes of each conversation."""
    job = json.loads(sys.stdin.read())
    _bound(job["seconds"])
    outcomes = [[_outcome(job, middle, parts) for middle in ("", _FILLER)] for parts in (False, True)]
    sys.stdout.write(json.dumps(outcomes))


def _outcome(job: Mapping[str, Any], middle: str, parts: bool) -> dict[str, str]:
    try:
        text = write_turns(job["source"], job["special"], conversation(middle, parts))
    except TokenizerError as error:
        return {"error": str(error)}
    return {"text": text} if len(text) <= _MOST_WRITTEN else {"error": "it writes far more than it is given"}


def _bound(seconds: int) -> None:
    try:
        import resource
    except ModuleNotFoundError:  # not on every system
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    spent = int(resource.getrusage(resource.RUSAGE_SELF).ru_utime) + 1  # on starting
    resource.setrlimit(resource.RLIMIT_CPU, (spent + seconds, spent + seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
