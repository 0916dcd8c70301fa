"""Give every command odd options and damaged files, and look for anything but an answer or a sentence.

A try draws a command line and files from its number alone, runs the command in this process in a folder of
its own, and fails on a traceback, on a planted key in what was printed or written, and after a minute.

    python scripts/fuzz.py --tries 5000            # half an hour or more on two cores
    python scripts/fuzz.py --only 1234             # one try again, with what it printed
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_origin

KEY = "sk-proj-f0zz1234f0zz5678f0zz9012"
_TOKENIZER = Path(__file__).parent.parent / "synthesis" / "tokens"
_LONG = "x" * 300
# Values that somebody may give to anything.
_ODD = [
    *("", " ", "-1", "0", "1", "2.5", "nan", "inf", "1e999", "9" * 30, "true", "null", "[", "{", "[1]", "{}"),
    *(
        "a",
        "a=b",
        "=",
        "a=",
        "=b",
        "a,b",
        "é",
        "\U0001f600",
        "\udcff",
        "\x1b[31m",
        "a\nb",
        _LONG,
        "../x",
        "~",
    ),
    *(".", "%", "80%", "{n}", "}", "{{ x }}", "[bold]", "hf://", "hf://datasets/o/n", "o/n", "o/n@v1"),
    *("s3://x/y", "?split=a", "x?config=a", "*", "[a]", "a::b", "a:b", "/dev/null", "/", "a/b/c", KEY),
    *(f"k={KEY}", "1k", "1k:0.5"),
]
_ROWS = [
    {"instruction": f"Who kept lighthouse number {n}?", "answer": f"Keeper {n} Holm", "task": "t"}
    for n in range(4)
]
_CHAT = [{"role": "user", "content": "It was Holm.\n\nWho?"}, {"role": "assistant", "content": "Holm"}]
FILES = {
    "pairs.jsonl": "".join(json.dumps(row) + "\n" for row in _ROWS),
    "pairs.json": json.dumps(_ROWS, indent=1),
    "pairs.csv": "question,answer,context\nWho?,Holm,Holm kept it.\nWhere?,Varrow,\n",
    "chats.jsonl": json.dumps({"messages": _CHAT}),
    "scored.jsonl": json.dumps({"question": "Who?", "answer": "Holm", "context": "Holm kept the light."}),
    "run.toml": """[pairs]
source = "pairs.jsonl"
[generation]
words = 60
section_words = 0
[samples]
lengths = ["512"]
""",
    "template.txt": "Write {words} words.\n{instruction}\n{answer}\n",
    "README.md": "---\nconfigs:\n- config_name: a\n  data_files: pairs.jsonl\n---\n# A\n",
}
_DEEP = 3000
# What is put into a text that is damaged.
_BITS = [
    *("\0", "\ud800", "\udcff", "\ufeff", '"', "{", "}", "[" * _DEEP, '{"a":' * _DEEP, "- " * _DEEP, "null"),
    *("NaN", "9" * 5000, "1e9999", "\r", "\n", "\n\n", ",", "---\n", "*a", "&a [*a]", "!!python/object:x"),
    *("true", "-", "''", KEY, "{% for a in b %}", "{{ 1/0 }}", "\udc80\udcfe"),
]
COMMANDS = [
    *("run", "run", "run", "plan", "assemble", "score", "score", "report", "import", "import", "export"),
    *("export", "publish", "publish-space", "batch submit", "batch status", "batch fetch", "batch cancel"),
]


class Hang(Exception):
    """A try took longer than it may."""


def main() -> None:
    """Run tries and say what failed."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--tries", type=int, default=5000)
    asked.add_argument("--start", type=int, default=0)
    asked.add_argument("--only", type=int)
    asked.add_argument("--seconds", type=int, default=60, help="that a try may take")
    given = asked.parse_args()
    numbers = range(given.start, given.start + given.tries) if given.only is None else [given.only]
    failed, began = 0, time.monotonic()
    with Fuzz(given.seconds) as fuzz:
        for done, number in enumerate(numbers, 1):
            outcome = fuzz.attempt(number)
            if outcome.trouble:
                failed += 1
                print(f"--- try {number}: {outcome.command}\n{outcome.trouble}", flush=True)  # noqa: T201
            if given.only is not None:
                print(outcome.command, outcome.printed, sep="\n")  # noqa: T201
            if done % 250 == 0:
                print(f"{done:,} tries, {failed} failed, {time.monotonic() - began:.0f} s", flush=True)  # noqa: T201
    sys.exit(1 if failed else 0)


class Outcome:
    """What one try did."""

    def __init__(self, command: list[str], printed: str, trouble: str) -> None:
        self.command, self.printed, self.trouble = command, printed, trouble


class Fuzz:
    """Tries in a temporary folder, with one finished run to copy. Use as a context manager."""

    def __init__(self, seconds: int) -> None:
        self._seconds = seconds

    def __enter__(self) -> Fuzz:
        self._home = Path.cwd()
        self._root = Path(tempfile.mkdtemp(prefix="fuzz-"))
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            os.environ.pop(name, None)
            os.environ.pop(name.upper(), None)
        os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HOME": str(self._root / "home"), "COLUMNS": "120"}
        os.environ |= {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
        os.chdir(self._root)
        self._fill(self._root)
        ended = self._call(["run", "run.toml", "--out", "made", "--limit", "3"])
        if ended:
            raise RuntimeError(ended)
        return self

    def __exit__(self, *_: object) -> None:
        os.chdir(self._home)
        shutil.rmtree(self._root, ignore_errors=True)

    def attempt(self, number: int) -> Outcome:
        """The try of that number, in a folder of its own."""
        chance = random.Random(number)
        place = self._root / "try"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        os.chdir(place)
        self._fill(place)
        shutil.copytree(self._root / "made", place / "made")
        for _ in range(chance.choice([0, 0, 1, 1, 2])):
            files = sorted(one for one in place.rglob("*") if one.is_file() and one.name != "tokenizer.json")
            # Each kind of file alike: there are many more tables than cards.
            kind = chance.choice(sorted({one.suffix for one in files}))
            damage(chance, chance.choice([one for one in files if one.suffix == kind]))
        command = command_line(chance)
        trouble = self._call(command)
        if not trouble and KEY in self.printed:
            trouble = "the key was printed"
        if not trouble and not any(KEY in one for one in command):
            return Outcome(command, self.printed, "")
        if not trouble:
            held = [one for one in place.rglob("*") if one.is_file() and KEY.encode() in one.read_bytes()]
            trouble = f"the key stands in {held}" if held else ""
        return Outcome(command, self.printed, trouble)

    def _fill(self, place: Path) -> None:
        for name, text in FILES.items():
            (place / name).write_text(text, "utf-8")
        shutil.copytree(_TOKENIZER, place / "tokens", ignore=shutil.ignore_patterns("*.py", "__*"))

    def _call(self, command: list[str]) -> str:
        """Run a command; what went wrong, if anything did."""
        from builder.cli.main import main as commands

        out = io.TextIOWrapper(io.BytesIO(), "utf-8", errors="replace")
        err = io.TextIOWrapper(io.BytesIO(), "utf-8", errors="replace")
        trouble = ""
        sys.argv = ["context-synthesis", *command]
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), _time_limit(self._seconds):
            try:
                commands()
            except SystemExit as ended:
                trouble = "" if ended.code in (0, 1, 2, None) else f"exit code {ended.code}"
            except BaseException:
                trouble = traceback.format_exc(limit=-6)
        self.printed = ""
        for stream in (out, err):
            stream.flush()
            self.printed += stream.buffer.getvalue().decode("utf-8", "replace")  # type: ignore[attr-defined]
        if not trouble and "Traceback (most recent call last)" in self.printed:
            trouble = self.printed[-2000:]
        return trouble


@contextlib.contextmanager
def _time_limit(seconds: int) -> Iterator[None]:
    def ring(*_: object) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def command_line(chance: random.Random) -> list[str]:
    """A command with what it needs, sensible or not, and some options."""
    command = chance.choice(COMMANDS)
    words = command.split()
    name = words[-1]
    sources = [
        *FILES,
        ".",
        "made",
        "made/dataset",
        "made/journal",
        "*.jsonl",
        "o/n",
        "pairs.jsonl?split=test",
    ]
    if name in ("run", "plan", "submit"):
        words += chance.choice([["run.toml"], ["--pairs", _draw(chance, sources)], []])
        if "run.toml" not in words:
            words += ["--words", "60", "--section-words", "0", "--lengths", "512"]
        words += ["--limit", "3"] if chance.random() < 0.9 else []
        words += ["--out", chance.choice(["made", "fresh", "fresh"])]
    elif name in ("assemble", "report", "status", "fetch", "cancel"):
        words += [_draw(chance, ["made", "made/dataset", "."])]
    elif name in ("score", "import"):
        words += [_draw(chance, sources)]
        words += ["--out", chance.choice(["fresh", "fresh", "made"])] if name == "import" else []
    elif name == "export":
        formats = ["messages", "prompt-completion", "sharegpt", "longalign", "packed", "packed"]
        words += [_draw(chance, ["made"]), _draw(chance, ["x.jsonl", "x.parquet"])]
        words += ["--config", "composer-chat-512", "--format", _draw(chance, formats)]
    else:
        words += [_draw(chance, ["made"])] if name == "publish" else []
        words += [_draw(chance, ["o/n"]), "--dry-run"]
    for _ in range(chance.choice([0, 1, 1, 2, 3])):
        words += _option(chance, words[: len(command.split())])
    return words


def _draw(chance: random.Random, usual: list[str]) -> str:
    return chance.choice(usual if chance.random() < 0.8 else _ODD)


def _option(chance: random.Random, command: list[str]) -> list[str]:
    """An option that the command has, with a value."""
    flags = _flags(command)
    if not flags:
        return []
    flag, takes, usual = chance.choice(flags)
    return [flag, _draw(chance, usual)] if takes else [flag]


def _flags(command: list[str]) -> list[tuple[str, bool, list[str]]]:
    """Flag, whether it takes a value, and usual values, of all options of a command."""
    import typer

    from builder.cli.base import app
    from synthesis.options import run_settings

    usual = {one.flag.split("/")[0]: _usual(one) for one in run_settings()}
    found: Any = typer.main.get_command(app)
    for word in command:
        found = found.commands.get(word) if hasattr(found, "commands") else None
        if found is None:
            return []
    return [
        (flag, not one.is_flag, usual.get(flag) or _ODD)
        for one in found.params
        if one.param_type_name == "option"
        for flag in one.opts + one.secondary_opts
        if flag not in ("--help", "--wait", "--watch", "--words")
    ]


def _usual(one: Any) -> list[str]:
    """Values that an option admits, or nearly."""
    about = one.option
    if one.flag == "--option":
        return [
            "seed=1",
            "base_url=http://127.0.0.1:9/v1",
            'extra_body={"a":1}',
            "api_key_env=X",
            "concurrency=2",
        ]
    if one.flag == "--engine":
        return ["composer", "composer", "openai", "batch", "imported"]
    if one.flag == "--tokenizer":
        return ["embedded", "tokens", "tokens", "made", "."]
    if get_origin(one.kind) is dict:
        return [about.example, "answer=answer", "x=y", "x=pairs.jsonl"]
    if about.choices:
        return list(about.choices)
    if one.kind in (int, float) or about.part:
        return ["0", "1", "2", "0.5", "3", "overall=0.5", "100"]
    return [
        about.example or "x",
        str(one.default),
        "1k",
        "a,b",
        "same-task",
        "none",
        "template.txt",
        "pairs.jsonl",
    ]


def damage(chance: random.Random, path: Path) -> None:
    """Change a file as crashes, editors and other tools do."""
    data = path.read_bytes()
    at = chance.randrange(len(data) + 1)
    match chance.randrange(7):
        case 0:
            data = data[:at]
        case 1:
            bit = chance.choice(_BITS).encode("utf-8", "surrogatepass")
            data = data[:at] + bit + data[at:]
        case 2:
            data = bytes(
                byte ^ (1 << chance.randrange(8)) if place == at else byte for place, byte in enumerate(data)
            )
        case 3:
            data = b""
        case 4:
            data = data[:at] + data[at + chance.randrange(200) :]
        case 5:
            data = chance.choice(_BITS).encode("utf-8", "surrogatepass")
        case _:
            lines = data.splitlines(keepends=True)
            data = b"".join(lines + lines[: chance.randrange(len(lines) + 1)])
    path.write_bytes(data)


if __name__ == "__main__":
    main()
