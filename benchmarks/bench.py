"""Every part of the product beside the least that does the same, in one table: what `make bench` runs.

    python -m benchmarks.bench [--quick] [--parts job,server,assembly,folder,loading,page,peers] [--markdown]

A floor is a plain script that does the least that is needed, measured in the same run and by turns
with ours, as other jobs of the machine weigh on both; a ratio is ours over it, by the medians. Spread is
(most - least) / median. ``--quick`` is smaller and leaves the peers out. What cannot be had (a
peer that does not install) is a line that says why, and not the end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import serving, spine

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table: seconds of each run of an arm, those of its floor, and what there is to say."""

    part: str
    arm: str
    took: Sequence[float] = ()
    floor: Sequence[float] = ()
    note: str = ""

    def cells(self) -> tuple[str, ...]:
        """What stands in the table: part, arm, seconds, spread, ratio, note."""
        if not self.took:
            return self.part, self.arm, "", "", "", self.note
        middle = statistics.median(self.took)
        spread = f"{(max(self.took) - min(self.took)) / middle:.0%}" if len(self.took) > 1 else ""
        ratio = f"{middle / statistics.median(self.floor):.2f}" if self.floor else ""
        return self.part, self.arm, f"{middle:.2f} s", spread, ratio, self.note


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done."""

    quick: bool
    folder: Path

    def of(self, full: int, quick: int) -> int:
        """One of two numbers."""
        return quick if self.quick else full


def job(size: Size) -> Iterator[Line]:
    """The whole job of the composer, as the command line does it, in processes of their own."""
    count = size.of(800, 150)
    pairs = spine.write_pairs(size.folder / "pairs.jsonl", count)
    ours, floor, steps = [], [], dict[str, float]()
    for turn in range(2):
        began = time.perf_counter()
        done = _python("-m", "benchmarks.plain_job", pairs, size.folder / f"plain{turn}")
        floor.append(time.perf_counter() - began)
        steps = json.loads(done.splitlines()[-1])
        began = time.perf_counter()
        _python("-m", "builder.cli", "run", "--pairs", pairs, "--out", size.folder / f"run{turn}", "--quiet")
        ours.append(time.perf_counter() - began)
    told = ", ".join(f"{name} {seconds:.1f}" for name, seconds in steps.items())
    yield Line("job", f"plain script, {count} pairs", floor, (), f"{told} s; the rest is Python's start")
    yield Line("job", f"run, {count} pairs, 8k samples", ours, floor, "one core; scores and texts in Python")


def server(size: Size) -> Iterator[Line]:
    """The openai engine against a ragged server on this machine: a plain script, the engine, the run."""
    prompts, places = size.of(2000, 400), size.of(256, 128)
    pairs = size.folder / "asked.jsonl"
    serving.write_pairs(pairs, prompts)
    clean: dict[str, Any] = {}

    def command(code: str) -> Callable[[serving.SlowServer], list[str]]:
        return lambda one: [sys.executable, "-c", code, one.url, str(places), str(prompts)]

    arms = {
        f"plain script, {prompts} prompts, {places} at once": (clean, command(PLAIN)),
        "engine": (clean, command(serving.ENGINE)),
        "run with its journal": (clean, None),
        "engine, 19 % faults": (serving.ORDINARY, command(serving.ENGINE)),
        "run, 19 % faults": (serving.ORDINARY, None),
    }
    taken: dict[str, list[serving.Took]] = {name: [] for name in arms}
    for turn in range(size.of(2, 1)):
        for number, (name, (faults, make)) in enumerate(arms.items()):
            out = size.folder / f"served{turn}-{number}"
            asked = make or (lambda one, out=out: serving.loop_command(one, pairs, out, places))
            taken[name].append(asyncio.run(serving.one(faults, asked))[0])
    floor = [took.seconds for took in next(iter(taken.values()))]
    for name, took in taken.items():
        told = f"{took[0].cpu:.1f} CPU-s, {took[0].megabytes} MB"
        if failed := [one.status for one in took if one.status]:
            told += f"; exit {failed[0]}"
        seconds = [one.seconds for one in took]
        yield Line("server", name, seconds, () if seconds == floor else floor, told)


PLAIN = """
import asyncio, sys
from openai import AsyncOpenAI
url, places, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
say = "What is the ferry of pier number {} called? " + "Write a long text. " * 60
async def main():
    client, room = AsyncOpenAI(base_url=url, api_key="none", max_retries=0), asyncio.Semaphore(places)
    async def ask(n):
        async with room:
            asked = [{"role": "user", "content": say.format(n)}]
            got = await client.chat.completions.create(model="m", messages=asked, max_tokens=4000)
            return got.choices[0].message.content
    assert all(await asyncio.gather(*map(ask, range(count))))
asyncio.run(main())
"""


def assembly(size: Size) -> Iterator[Line]:
    """Contexts to samples of 32k, against tokenizing each once and writing the same rows."""
    from benchmarks import assembly as measured
    from synthesis.tokens import load_tokenizer

    count = size.of(400, 150)
    held = [
        measured.measure(load_tokenizer(None), count, 2000, "32k", "random") for _ in range(size.of(2, 1))
    ]
    one = held[0]
    told = (
        f"floor is tokenizing {one.tokenizing:.1f} s and writing {one.writing:.1f} s; "
        f"{one.full} of {one.samples} full, peak {one.peak:.0f} MiB"
    )
    yield Line(
        "assembly",
        f"{count} samples of 32k",
        [one.took for one in held],
        [one.tokenizing + one.writing for one in held],
        told,
    )


def folder(size: Size) -> Iterator[Line]:
    """Rows to a dataset folder, against the same rows written as Parquet, and by `datasets`."""
    import datasets
    import pyarrow as pa
    import pyarrow.parquet as pq

    from benchmarks.assembly import OnDisk, invent
    from builder.folder.build import ConfigData, build_folder
    from builder.folder.schema import arrow_schema, raw_row

    datasets.disable_progress_bars()
    count = size.of(2000, 800)
    invent(size.folder / "contexts.jsonl", count, 2000)
    rows = [raw_row(*item, None) for item in OnDisk(size.folder / "contexts.jsonl")]
    took: dict[str, list[float]] = {"floor": [], "ours": [], "datasets": []}
    for turn in range(size.of(3, 2)):
        with _timed(took["floor"]):
            table = pa.Table.from_pylist(rows, schema=arrow_schema("raw"))
            pq.write_table(table, size.folder / "floor.parquet", compression="zstd")
        made = size.folder / f"folder{turn}"
        with _timed(took["ours"]):
            build_folder(made, [ConfigData("raw", "raw", lambda: iter(rows), "id")], facts={"engine": "none"})
        with _timed(took["datasets"]):
            datasets.Dataset.from_list(rows).to_parquet(size.folder / "theirs.parquet")
    small = _size(made) / _size(size.folder / "theirs.parquet")
    yield Line("folder", f"pyarrow, {count} rows of 2,000 words", took["floor"])
    yield Line(
        "folder",
        "ours: checked, hashed, card, statistics",
        took["ours"],
        took["floor"],
        f"{small:.2f} of the bytes that `datasets` writes",
    )
    yield Line("folder", "datasets' to_parquet", took["datasets"], took["floor"])


def loading(size: Size) -> Iterator[Line]:
    """`load_dataset` of a finished folder and all its rows, against the same files read by pyarrow."""
    made = size.folder / "loaded"
    pairs = spine.write_pairs(size.folder / "few.jsonl", size.of(300, 150))
    _python("-m", "builder.cli", "run", "--pairs", pairs, "--out", made, "--lengths", "8k", "--quiet")
    told = [json.loads(_python("-c", LOADING, made / "dataset")) for _ in range(size.of(3, 2))]

    def each(arm: str) -> list[float]:
        return [one[arm] for one in told]

    yield Line("loading", "pyarrow, all rows of the 8k config", each("floor"))
    yield Line(
        "loading",
        "load_dataset, all rows, nothing cached",
        each("load_dataset"),
        each("floor"),
        "it writes the rows as Arrow first",
    )
    yield Line(
        "loading", "datasets' Parquet reader, streaming, to the first row", each("plain"), each("floor_first")
    )
    yield Line(
        "loading",
        "load_dataset, streaming, to the first row",
        each("first"),
        each("floor_first"),
        "beside that reader it parses the card",
    )


LOADING = """
import json, os, sys, tempfile, time
from pathlib import Path
import pyarrow.parquet as pq
import datasets
datasets.disable_progress_bars()
folder, took = Path(sys.argv[1]), {}
(name,) = [path.name for path in (folder / "data").iterdir() if "chat" in path.name]
files = sorted((folder / "data" / name).rglob("*.parquet"))
def timed(arm, work):
    began = time.perf_counter()
    work()
    took[arm] = time.perf_counter() - began
def load():
    with tempfile.TemporaryDirectory() as cache:
        for row in datasets.load_dataset(str(folder), name, split="train", cache_dir=cache):
            pass
def first():
    next(iter(datasets.load_dataset(str(folder), name, split="train", streaming=True)))
def plain():
    paths = [str(path) for path in files]
    next(iter(datasets.load_dataset("parquet", data_files=paths, split="train", streaming=True)))
timed("floor", lambda: [len(pq.read_table(path).to_pylist()) for path in files])
timed("load_dataset", load)
timed("floor_first", lambda: next(pq.ParquetFile(files[0]).iter_batches(batch_size=1)).to_pylist())
plain(), first()  # what both import at the first call is not measured
timed("plain", plain)
timed("first", first)
print(json.dumps(took), flush=True)
os._exit(0)  # a stream that is not read to its end reads ahead, and would abort
"""


def page(size: Size) -> Iterator[Line]:
    """A visitor who presses the button, against the same functions called in this process."""
    import httpx

    from benchmarks import space
    from synthesis import Context, Pair, assemble, score, synthesize
    from tests.space_server import serving as served

    turns = size.of(7, 3)
    with served() as url:
        pressed = space.button(httpx.get(f"{url}config", timeout=60).json())
        asyncio.run(space.crowd(url, pressed, 1))  # it makes the other documents, for all who follow
        alone = [asyncio.run(space.crowd(url, pressed, 1))[0] for _ in range(turns)]
        many = asyncio.run(space.crowd(url, pressed, size.of(20, 8)))
    asked = [Pair(instruction=f"Where was crate {n} sent?", answer=f"To depot {n}") for n in range(12)]
    others = [(pair, one) for pair, one in zip(asked, synthesize(asked), strict=True)]
    kept = [(pair, one) for pair, one in others if isinstance(one, Context)]
    floor: list[float] = []
    for turn in range(turns):
        pair = Pair(instruction=f"Where was crate 1{turn} sent?", answer=f"To depot 1{turn}")
        with _timed(floor):
            context = next(iter(synthesize([pair])))
            assert isinstance(context, Context)
            score(context.text, pair.instruction, pair.answer)
            next(iter(assemble([(pair, context), *kept], "8k")))
    yield Line("page", "the same functions, in process", floor)
    yield Line("page", "an 8k sample complete, alone", [one.whole for one in alone], floor)
    yield Line("page", "first text, alone", [one.first for one in alone], floor)
    yield Line("page", f"{len(many)} visitors at once, complete", [one.whole for one in many], floor)


def peers(size: Size) -> Iterator[Line]:
    """Other tools against such a server; the floor is our run."""
    from benchmarks import peers as others

    for one in others.measured(size.folder, size.folder / "peers", size.of(400, 200), 64):
        yield Line("peers", one.arm, one.took, one.ours, one.note)


PARTS: dict[str, Callable[[Size], Iterator[Line]]] = {
    "job": job,
    "server": server,
    "assembly": assembly,
    "folder": folder,
    "loading": loading,
    "page": page,
    "peers": peers,
}


class _timed:  # noqa: N801 - reads as a statement
    """Adds the seconds that a block took to a list."""

    def __init__(self, taken: list[float]) -> None:
        self._taken = taken

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._taken.append(time.perf_counter() - self._began)


def _python(*arguments: object) -> str:
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, arguments[:3]))}: {done.stderr.strip()[-600:]}")
    return done.stdout


def _size(path: Path) -> int:
    files = [path] if path.is_file() else path.rglob("*.parquet")
    return sum(file.stat().st_size for file in files)


def _told(lines: Sequence[Line], markdown: bool) -> str:
    head = ("part", "arm", "median", "spread", "x floor", "")
    cells = [head, *(line.cells() for line in lines)]
    if markdown:
        cells.insert(1, ("---",) * len(head))
        return "\n".join("| " + " | ".join(row) + " |" for row in cells)
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


def main() -> int:
    """Measure what was asked for, and print the table; 1 if a part failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="smaller, without the peers")
    parser.add_argument("--parts", default="")
    parser.add_argument("--markdown", action="store_true")
    chosen = parser.parse_args()
    names = (
        chosen.parts.split(",") if chosen.parts else [n for n in PARTS if n != "peers" or not chosen.quick]
    )
    if unknown := set(names) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    lines, failed = [], False
    for name in names:
        print(f"{name} ...", file=sys.stderr, flush=True)
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as scratch:
            try:
                lines += PARTS[name](Size(chosen.quick, Path(scratch)))
            except Exception as error:  # the others are still worth having
                failed = True
                lines.append(Line(name, "failed", note=f"{type(error).__name__}: {error}"[:300]))
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    print(_told(lines, chosen.markdown))
    print(
        f"{time.strftime('%Y-%m-%d')}, {platform.machine()}, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}"
    )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
