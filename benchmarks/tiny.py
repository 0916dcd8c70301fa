"""Tiny pairs by the thousand, from pairs to a finished dataset: rows a second, and memory.

Usage: python benchmarks/tiny.py [--pairs 10000,100000] [--words 100] [--length 1k] [--workers 1]

Contexts are the composer's, of about 100 words, one sample of 1k tokens for each. Seconds of the processor
are told beside those of the clock: on a machine with other work only the former mean something. The peak
is that of the process that writes, and of the largest of its helpers where there are several.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
_ASKED = (
    ("Where was crate {n} sent?", "To depot {n}"),
    ("Who signed for parcel {n} at the customs house?", "Clerk Number {n}"),
    ("How many barrels did barge {n} carry?", "{more}"),
    ("When was the lock of canal {n} opened?", "In {year}, by mayor {n}"),
    ("What is the ferry of pier {n} called?", "Swallow {n}"),
)
_MEASURED = """
import resource, sys
from builder.cli.main import app
try:
    app(sys.argv[1:])
finally:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    peak = int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])
    helpers = used[1].ru_maxrss if sys.argv[-1] != "1" else 0
    print(sum(one.ru_utime + one.ru_stime for one in used), peak, helpers)
"""


def write_pairs(path: Path, count: int) -> None:
    """So many pairs, no two with the same answer."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            told = {"n": number, "more": 100 + number, "year": 1500 + number % 400}
            asked, said = (text.format(**told) for text in _ASKED[number % len(_ASKED)])
            file.write(json.dumps({"instruction": asked, "answer": said}) + "\n")


def main() -> None:
    """Print a line for each number of pairs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", default="10000,100000")
    parser.add_argument("--words", default="100")
    parser.add_argument("--length", default="1k")
    parser.add_argument("--workers", default="1")
    asked = parser.parse_args()
    for count in map(int, asked.pairs.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            pairs, out = Path(folder) / "pairs.jsonl", Path(folder) / "run"
            write_pairs(pairs, count)
            options = [
                "--pairs",
                str(pairs),
                "--out",
                str(out),
                "--quiet",
                "--words",
                asked.words,
                "--lengths",
                asked.length,
                "--workers",
                asked.workers,
            ]
            began = time.monotonic()
            done = subprocess.run(
                [sys.executable, "-c", _MEASURED, "run", *options],
                capture_output=True, text=True, cwd=ROOT, check=False,
            )  # fmt: skip
            seconds = time.monotonic() - began
            if done.returncode:
                raise SystemExit(done.stderr[-2000:])
            spent, peak, helpers = map(float, done.stdout.split()[-3:])
            kept = json.loads((out / "manifest.json").read_text())["counts"]["contexts"]
        print(
            f"{count:9,} pairs, {kept:,} contexts: {count / spent:6.1f} a second of a processor "
            f"({spent:.0f} s), {count / seconds:6.1f} a second ({seconds:.0f} s), peak {peak / 1024:.0f} MiB"
            + (f" and {helpers / 1024:.0f} MiB for a helper" if helpers else ""),
            flush=True,
        )
    print(f"{platform.machine()}, Python {platform.python_version()}, {asked.workers} process(es)")


if __name__ == "__main__":
    main()
