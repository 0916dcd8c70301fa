"""Every command, killed at random moments and given again, until it comes to the end.

Usage: python -m benchmarks.kills [KILLS]    (100 by default, some minutes)

Then its outcome is compared, byte for byte, with that of a run that nobody killed, and the folder for
temporary files is looked into. Servers and the Hub are those of the tests, on loopback.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path

from tests.batch_server import serve_batches
from tests.hub.server import LocalHub
from tests.openai_server import Asked, Reply, serve

_SMALL = ("--words", "120", "--lengths", "1k,500")
_VARIES = {"manifest.json", ".checks", ".lock", ".context-synthesis", "journal", "damaged.jsonl"}
_PLACES = ("the reef", "Varrow", "the old pier", "Almarosa", "the sandbanks")
_PEOPLE = ("pilot", "widow Brandt", "harbour master", "boy from the mill", "teacher", "smith", "doctor")
_ROUND = 6  # kills before a command is left to end


def told(asked: Asked) -> Reply:
    """The pair's answer in a context, or the reasons for it; every fifth pair takes a second try."""
    if "Quote:" in (first := asked.body["messages"][0]["content"]):
        return reasoned(first, len(asked.body["messages"]) > 2)
    number = next((n for n in reversed(range(40)) if f"lighthouse {n}?" in asked.text), 0)
    if number % 5 == 0 and len(asked.body["messages"]) < 3:
        return Reply("Context: too short.", delay=0.01)
    stated = f"Keeper {number} Holm kept lighthouse {number}."
    return Reply(f"Context: {told_around(stated, 8)}", delay=0.01)


def reasoned(asked: str, again: bool) -> Reply:
    """The sentence that has the answer; every fourth pair takes a second try."""
    number = next((n for n in range(40) if f"lighthouse {n}?" in asked), 0)
    quote = f"Keeper {number} Holm kept lighthouse {number if again or number % 4 else 'none'}."
    said = f'Quote: "{quote}"\nSo: it was Keeper {number} Holm.\nAnswer: Keeper {number} Holm'
    return Reply(said, delay=0.01)


def told_around(stated: str, sentences: int) -> str:
    """A text of which no sentence stands twice, with one in the middle."""
    told = [
        f"In the {n}th week {n * n + 3} boats came past {place}, and the {who} wrote down the wind."
        for n, (place, who) in enumerate(zip(_PLACES * 9, _PEOPLE * 9, strict=False), start=4)
    ][: 2 * sentences]
    return " ".join([*told[:sentences], stated, *told[sentences:]])


@dataclass
class Scenario:
    """Commands, given one after the other, that make what is in ``made`` from what is there already."""

    name: str
    commands: list[list[str]]
    made: Path
    before: Callable[[], object] = lambda: None
    environment: dict[str, str] = field(default_factory=dict)


class Place:
    """Where the scenarios take place: a folder, with one of its own for temporary files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        rows = [{"instruction": f"Who kept lighthouse {n}?", "answer": f"Keeper {n} Holm"} for n in range(24)]
        self.pairs = self._write("story_qa.jsonl", rows)
        self.contexts = self._write(
            "known.jsonl", [row | {"context": f"{row['answer']}. " * 40} for row in rows]
        )

    @cached_property
    def finished(self) -> Path:
        """A run that came to its end."""
        out = self.folder / "finished"
        self.give(["run", "--pairs", str(self.pairs), "--out", str(out), *_SMALL], {})
        return out

    def _write(self, name: str, rows: list[dict[str, str]]) -> Path:
        path = self.folder / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    def start(self, command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        """Begin a command in a process of its own."""
        around = {**os.environ, "TMPDIR": str(self.temporary), "HF_HUB_OFFLINE": "1", "NO_PROXY": "127.0.0.1"}
        return subprocess.Popen(
            [sys.executable, "-m", "builder.cli", *command],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=around | environment,
        )

    def give(self, command: list[str], environment: dict[str, str]) -> None:
        """Give a command and wait for its end, which must be a good one."""
        process = self.start(command, environment)
        _, said = process.communicate(timeout=300)
        assert process.returncode == 0, said.decode()[-2000:]

    def kill(self, command: list[str], environment: dict[str, str], after: float) -> bool:
        """Kill a command after so many seconds; False if it had ended by then, well."""
        process = self.start(command, environment)
        try:
            _, said = process.communicate(timeout=after)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return process.returncode == -signal.SIGKILL
        assert process.returncode == 0, said.decode()[-2000:]
        return False


def contents(folder: Path) -> dict[str, bytes]:
    """The files that must be the same, by name."""
    if folder.is_file():
        return {folder.name: folder.read_bytes()}
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not set(path.relative_to(folder).parts) & _VARIES
    }


def scenarios(place: Place, stack: ExitStack) -> list[Scenario]:
    """One for each command."""
    out, chats = place.folder / "out", place.folder / "chats.jsonl"

    def fresh() -> None:
        shutil.rmtree(out, ignore_errors=True)
        chats.unlink(missing_ok=True)

    def beside() -> None:
        fresh()
        assert place.finished.is_dir()

    def copied() -> None:
        fresh()
        shutil.copytree(place.finished, out)

    server = stack.enter_context(serve(told))
    batches = stack.enter_context(serve_batches(told, looks=1))
    hub = stack.enter_context(LocalHub())
    pairs = ["--pairs", str(place.pairs), "--out", str(out)]
    talks = [*pairs, *_SMALL, "--model", "tiny", "--option"]
    key = {"OPENAI_API_KEY": "none"}
    reasons = ["--reasons", "model", "--answers", "reasoned"]
    submit = ["batch", "submit", *talks, f"base_url={batches.url}", "--option", "poll_seconds=0.01"]

    def again() -> None:
        fresh()
        server.asked.clear()

    export = [
        "export",
        str(place.folder / "finished"),
        str(chats),
        "--config",
        "composer-chat-1k",
        "--overwrite",
    ]
    publish = ["publish", str(out), ""]
    online = {**hub.environment(place.folder / "hub"), "HF_HUB_OFFLINE": "0"}
    online["TMPDIR"] = str(place.temporary)
    names = count(1)

    def elsewhere() -> None:
        copied()
        publish[2] = f"ada/lights-{next(names)}"

    return [
        Scenario("run", [["run", *pairs, *_SMALL]], out, fresh),
        Scenario("assemble", [["assemble", str(out), "--lengths", "700,1k"]], out, copied),
        Scenario(
            "import", [["import", str(place.contexts), "--out", str(out), "--lengths", "1k"]], out, fresh
        ),
        Scenario("report", [["report", str(out)]], out, copied),
        Scenario("export", [export], chats, beside),
        Scenario(
            "run openai",
            [["run", *talks, f"base_url={server.url}", "--engine", "openai", *reasons]],
            out,
            again,
            key,
        ),
        Scenario("batch", [submit, ["batch", "fetch", str(out), "--wait"]], out, fresh, key),
        Scenario("publish", [publish], out, elsewhere, online),
    ]


def suffer(place: Place, scenario: Scenario, kills: int, chance: random.Random) -> int:
    """Kill a scenario's commands so often; how many rounds came to the unharmed outcome.

    Raises:
        AssertionError: one did not, or a command ended badly, or something was left behind.
    """
    scenario.before()
    began = time.monotonic()
    for command in scenario.commands:
        place.give(command, scenario.environment)
    usual = (time.monotonic() - began) / len(scenario.commands)
    unharmed, left, rounds = contents(scenario.made), kills, 0
    while left > 0:
        scenario.before()
        for command in scenario.commands:
            for _ in range(min(left, _ROUND // len(scenario.commands))):
                left -= place.kill(command, scenario.environment, chance.uniform(0.1, 1.1) * usual)
            place.give(command, scenario.environment)
        found = contents(scenario.made)
        odd = [name for name in {*found, *unharmed} if found.get(name) != unharmed.get(name)]
        assert not odd, f"{scenario.name}: {', '.join(sorted(odd))} differ from a run that nobody killed"
        behind = [path.name for path in place.temporary.iterdir()]
        assert not behind, f"{scenario.name}: {', '.join(behind)} was left among temporary files"
        rounds += 1
    return rounds


def main() -> None:
    """As many kills as were asked for, over all scenarios."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    chance, tally = random.Random(14), Counter[str]()
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        place = Place(Path(scratch))
        everything = scenarios(place, stack)
        for number, scenario in enumerate(everything):
            share = kills // len(everything) + (number < kills % len(everything))
            try:
                rounds = suffer(place, scenario, share, chance)
            except AssertionError as error:
                tally["failed"] += 1
                print(f"FAILED {scenario.name}: {error}", flush=True)
                continue
            tally["killed"] += share
            print(f"{scenario.name}: {share} kills, {rounds} times the unharmed bytes", flush=True)
    print(dict(tally))
    sys.exit(1 if tally["failed"] else 0)


if __name__ == "__main__":
    main()
