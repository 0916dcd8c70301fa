"""Figures of the whole job: start-up, real pairs, memory against number of pairs, kills.

    python benchmarks/spine.py [startup] [real] [memory] [kills]

Prints one line per figure. ``real`` needs the paper's seed pairs beside the repository
(``../shared/data``) and says so where they are absent.
"""

from __future__ import annotations

import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
SEEDS = ROOT.parent / "shared" / "data" / "seed_instruction"

# The command line, followed by the peak of this very process in kB: a child's ru_maxrss
# would include its parent's.
_MEASURED = """
import sys
from builder.cli.main import app
try:
    app(sys.argv[1:])
finally:
    status = open("/proc/self/status").read()
    print("VmHWM", status.split("VmHWM:")[1].split()[0])
"""


def main(chosen: list[str]) -> None:
    """Run the parts asked for, all by default."""
    parts = {"startup": startup, "real": real, "memory": memory, "kills": kills}
    for name in chosen or list(parts):
        parts[name]()


def startup() -> None:
    """Seconds until help is printed and the package imported."""
    python = [sys.executable, "-c"]
    bare = _median([*python, "pass"])
    print(f"python itself                    {bare:.3f} s")
    print(f"import synthesis                 {_median([*python, 'import synthesis']):.3f} s")
    print(
        f"context-synthesis --help         {_median([sys.executable, '-m', 'builder.cli', '--help']):.3f} s"
    )


def real() -> None:
    """The 800 real pairs to a finished folder with 8k samples."""
    if not SEEDS.exists():
        print(f"real: skipped, there is no {SEEDS}")
        return
    with tempfile.TemporaryDirectory() as folder:
        seconds, peak, said = _run("--pairs", SEEDS, "--out", Path(folder) / "run", "--lengths", "8k")
        print(f"800 real pairs, 8k samples       {seconds:.1f} s, peak {peak / 1024:.0f} MiB")
        print(f"                                 {said}")


def memory() -> None:
    """Peak memory with 800 and with 8,000 pairs."""
    peaks = {}
    for count in (800, 8000):
        with tempfile.TemporaryDirectory() as folder:
            pairs = write_pairs(Path(folder) / "pairs.jsonl", count)
            seconds, peaks[count], _ = _run(
                "--pairs", pairs, "--out", Path(folder) / "run", "--lengths", "8k"
            )
            print(f"{count:5,} pairs                      {peaks[count] / 1024:.0f} MiB, {seconds:.1f} s")
    print(f"ratio                            {peaks[8000] / peaks[800]:.3f}")


def kills(times: int = 30) -> None:
    """Runs killed at random moments and resumed, compared with one that was left alone."""
    chance = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        options = [
            "--pairs",
            str(write_pairs(base / "pairs.jsonl", 300)),
            "--words",
            "500",
            "--lengths",
            "2k,4k",
        ]
        began = time.monotonic()
        _command(*options, "--out", base / "whole", PYTHONHASHSEED="1")
        whole = time.monotonic() - began
        expected = _bytes(base / "whole")
        killed, equal = 0, 0
        for number in range(times):
            out = base / f"run{number}"
            # Two kills in a row: a resumed run must be as safe as a fresh one.
            for _ in range(2):
                process = _start(*options, "--out", out, PYTHONHASHSEED=str(number))
                time.sleep(chance.uniform(0.2, whole))
                process.kill()
                process.communicate()
                killed += process.returncode == -signal.SIGKILL
            _command(*options, "--out", out, PYTHONHASHSEED=str(number + 1))
            equal += _bytes(out) == expected
        print(f"killed and resumed               {equal} of {times} folders byte-identical ({killed} kills)")


def write_pairs(path: Path, count: int) -> Path:
    """So many pairs: the bundled ones over and over, each with its number."""
    from itertools import cycle, islice

    rows = [json.loads(line) for line in (ROOT / "examples" / "pairs.jsonl").open(encoding="utf-8")]
    with path.open("w", encoding="utf-8") as file:
        for number, row in enumerate(islice(cycle(rows), count)):
            row = {**row, "instruction": f"{row['instruction']} (file {number})"}
            file.write(json.dumps(row) + "\n")
    return path


def _run(*options: object) -> tuple[float, int, str]:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, "run", *map(str, options)],
        capture_output=True, text=True, cwd=ROOT, check=True,
    )  # fmt: skip
    *said, last = done.stdout.strip().splitlines()
    return time.monotonic() - began, int(last.split()[1]), said[0] if said else ""


def _start(*options: object, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "builder.cli", "run", *map(str, options)],
        cwd=ROOT, env={**os.environ, **environment},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def _command(*options: object, **environment: str) -> None:
    process = _start(*options, **environment)
    if process.wait():
        raise SystemExit(f"the run failed: {options}")


def _bytes(out: Path) -> dict[str, bytes]:
    found = (out / "dataset").rglob("*.parquet")
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(found)}


def _median(command: list[str]) -> float:
    def once() -> float:
        began = time.perf_counter()
        subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        return time.perf_counter() - began

    once()
    return statistics.median(once() for _ in range(7))


if __name__ == "__main__":
    main(sys.argv[1:])
