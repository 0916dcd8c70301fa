"""Every file of a run's folder, damaged in every way, before every command.

Usage: python -m benchmarks.damage [PART OF A FILE'S NAME]    (some minutes; tests run a part of all cases)

A command either does what it does on the undamaged folder, to the byte, or says in a sentence why not.
"""

from __future__ import annotations

import json
import logging
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from typer.testing import CliRunner

from builder.cli.main import app

OPTIONS = ("--words", "60", "--lengths", "500,300")
# What tells of the last run, or who holds the folder; it differs from run to run.
_TELLS = ("dataset/README.md", "dataset/figures/")
_VARIES = ("manifest.json", ".lock", ".context-synthesis", "damaged.jsonl", "report")


def flip(content: bytes, chance: random.Random) -> bytes:
    """One bit of one byte."""
    place = chance.randrange(len(content))
    return content[:place] + bytes([content[place] ^ 1 << chance.randrange(8)]) + content[place + 1 :]


def cut(content: bytes, chance: random.Random) -> bytes:
    """The end is gone."""
    return content[: chance.randrange(1, len(content))]


def merge(content: bytes, chance: random.Random) -> bytes:
    """The first two lines are one."""
    return content.replace(b"\n", b"", 1)


def nuls(content: bytes, chance: random.Random) -> bytes:
    """A stretch of it is zero, as after a power cut."""
    place = chance.randrange(len(content))
    return content[:place] + b"\0" * len(content[place : place + 50]) + content[place + 50 :]


def double(content: bytes, chance: random.Random) -> bytes:
    """It is there twice."""
    return content + content


def newer(content: bytes, chance: random.Random) -> bytes:
    """A version after this one wrote it."""
    if content.startswith(b"# context-synthesis current"):
        return content.replace(b"current 1", b"current 2", 1)
    first, *rest = content.splitlines(keepends=True)
    if first.startswith(b"{") and first.endswith(b"}\n"):
        record = json.loads(first)
        record.pop("check", None)
        body = json.dumps({**record, "novel": [1]}).encode()[:-1]
        first = b'%s,"check":"2-%08x"}\n' % (body, crc32(b"2", crc32(body)))
    elif first == b"{\n":
        first = b'{\n  "novel": [1],\n'
    else:
        first = b"novel = 1\n" + first
    return first + b"".join(rest)


def empty(content: bytes, chance: random.Random) -> bytes:
    """Nothing is in it."""
    return b""


DAMAGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (flip, cut, merge, nuls, double, newer, empty)
DELETED = "deleted"
COMMANDS = ("run", "plan", "assemble", "report", "export", "publish", "score")


@dataclass(frozen=True)
class Case:
    """One file, one damage (a number of ``DAMAGES``, or the last for a file that is gone), one seed."""

    file: str
    damage: int
    seed: int = 0

    def __str__(self) -> str:
        name = DAMAGES[self.damage].__name__ if self.damage < len(DAMAGES) else DELETED
        return f"{self.file}-{name}"

    def apply(self, folder: Path) -> None:
        """Damage the file."""
        path = folder / self.file
        if self.damage == len(DAMAGES):
            path.unlink()
        else:
            content = path.read_bytes()
            path.write_bytes(DAMAGES[self.damage](content, random.Random(f"{self}{self.seed}")))


class Bench:
    """A finished run in ``folder``, made once and put back before each case."""

    def __init__(
        self,
        folder: Path,
        pairs: Path,
        more: tuple[str, ...] = OPTIONS,
        commands: tuple[str, ...] = COMMANDS,
    ) -> None:
        self.run = folder / "run"
        self._kept = folder / "kept"
        self._out = folder / "out"
        self._options = ("--pairs", str(pairs), "--out", str(self.run), *more)
        self._good: dict[str, object] = {}
        code, said = self.invoke("run")
        assert code == 0, said
        self.invoke("report")
        shutil.rmtree(self._kept, ignore_errors=True)
        shutil.copytree(self.run, self._kept)
        for command in commands:
            self.restore()
            self._good[command] = self.outcome(command, self.invoke(command))

    def files(self) -> list[str]:
        """The files of the folder that hold anything."""
        found = (path for path in self._kept.rglob("*") if path.is_file() and path.stat().st_size)
        return sorted(path.relative_to(self._kept).as_posix() for path in found)

    def restore(self) -> None:
        """The folder as the run left it."""
        shutil.rmtree(self.run)
        shutil.copytree(self._kept, self.run)

    def invoke(self, command: str) -> tuple[int, str]:
        """Exit code and output of a command.

        Raises:
            AssertionError: it ended with a traceback.
        """
        shutil.rmtree(self._out, ignore_errors=True)
        self._out.mkdir()
        dataset = self.run / "dataset"
        first = next(iter(sorted(dataset.glob("data/*/*/*.parquet"))), dataset / "data/gone.parquet")
        arguments = {
            "run": ("run", *self._options),
            "plan": ("plan", *self._options),
            "assemble": ("assemble", self.run),
            "report": ("report", self.run, "--out", self._out / "report"),
            "export": ("export", self.run, self._out / "chat.jsonl", "--config", "composer-chat-500"),
            "publish": ("publish", self.run, "owner/name", "--dry-run"),
            "score": ("score", first, "--explain"),
        }[command]
        done = CliRunner().invoke(app, [*map(str, arguments)])
        error = done.exception
        assert error is None or isinstance(error, SystemExit), f"{type(error).__name__}: {error}"
        return done.exit_code, done.output

    def outcome(self, command: str, said: tuple[int, str]) -> object:
        """What of a command must be the same whatever became of the folder."""
        if command in ("plan", "publish", "score"):
            return said[1]
        folder = self._out if command in ("report", "export") else self.run
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
            and not (folder == self.run and set(path.relative_to(folder).parts) & {*_VARIES})
            and path.parent.name != "journal"
        }

    def check(self, case: Case, command: str) -> str:
        """Damage the file, give the command, and tell how it went: ``same``, or the sentence.

        Raises:
            AssertionError: neither.
        """
        self.restore()
        case.apply(self.run)
        code, output = self.invoke(command)
        if code == 0:
            made = self.outcome(command, (code, output))
            good = self._good[command]
            if command == "plan" and made != good:  # which tells what it would do again
                assert "damaged" in output or " new, " in output, output
                return output.splitlines()[0]
            if command == "publish" and case.file.startswith(_TELLS) and made != good:
                return output.splitlines()[-1]  # which lists what it would send
            assert made == good, f"{case}: {command} succeeded with another outcome: {_differing(made, good)}"
            return "same"
        assert code in (1, 2), output
        lines = [line for line in output.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1 and "Traceback" not in output, output
        return lines[0]


def _differing(made: object, good: object) -> str:
    if not isinstance(made, dict) or not isinstance(good, dict):
        return f"{made!r}, not {good!r}"[:2000]
    return ", ".join(name for name in sorted({*made, *good}) if made.get(name) != good.get(name))


def write_pairs(path: Path, count: int) -> Path:
    """So many pairs, a row that is none, and one whose context is too long for 300 tokens."""
    rows = [{"instruction": f"Who kept lighthouse {n}?", "answer": f"Keeper {n} Holm"} for n in range(count)]
    rows += [{"instruction": "A question without an answer?"}]
    rows += [{"instruction": "Who went along? " + "It was a long way. " * 50, "answer": "Ada Brandt"}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def cases(bench: Bench) -> Iterator[Case]:
    """Every file, every damage."""
    for file in bench.files():
        for damage in range(len(DAMAGES) + 1):
            yield Case(file, damage)


def main() -> None:
    """All cases, with what each came to."""
    logging.raiseExceptions = False  # what libraries log to the runner's closed streams
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        wanted = sys.argv[1] if len(sys.argv) > 1 else ""
        bench = Bench(folder, write_pairs(folder / "story_qa.jsonl", 5))
        tally = {"same": 0, "told": 0, "wrong": 0}
        for case in (case for case in cases(bench) if wanted in case.file):
            for command in COMMANDS:
                try:
                    found = bench.check(case, command)
                except AssertionError as error:
                    tally["wrong"] += 1
                    print(f"WRONG {case} {command}: {error}"[:600], flush=True)
                    continue
                tally["same" if found == "same" else "told"] += 1
                if found != "same":
                    print(f"{case} {command}: {found}"[:300], flush=True)
        print(tally)
        sys.exit(1 if tally["wrong"] else 0)


if __name__ == "__main__":
    main()
