"""A launch file of recipes/scale tried for real: one task is killed and done again alone.

Usage: python benchmarks/many_machines.py slurm|ray [--pairs 400] [--tasks 4] [--partition main]

Slurm or Ray must run already (`ray start --head`), on Linux, with its tasks on this machine. What they
make is compared, byte for byte, with what one process makes of the same pairs.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
FILES = {"slurm": "slurm.py", "ray": "ray_cluster.py"}


def holders(path: Path) -> list[int]:
    """The processes that have a file open."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if entry.resolve() == path:
                found.append(int(entry.parts[2]))
        except OSError:
            continue
    return found


def parent(pid: int) -> int:
    """The process that began another."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def written(out: Path) -> Counter[str]:
    """How often each pair was written, over all journals."""
    lines = (line for file in out.glob("journal/tasks/*/contexts.jsonl") for line in file.open("rb"))
    return Counter(json.loads(line)["pair_id"] for line in lines if line.endswith(b"\n"))


def launch(kind: str, config: Path, given: argparse.Namespace) -> subprocess.Popen[bytes]:
    """Start a launch file."""
    command = [
        sys.executable,
        f"recipes/scale/{FILES[kind]}",
        config,
        "--tasks",
        str(given.tasks),
        "--workers",
        "2",
    ]
    if kind == "slurm":
        command += ["--partition", given.partition, "--cpus", "1", "--memory", "1", "--time", "00:20:00"]
    if kind == "ray":
        command += ["--memory", "1"]
    log = (config.parent / "said.txt").open("ab")
    return subprocess.Popen([str(part) for part in command], cwd=ROOT, stdout=log, stderr=log)


def working(kind: str, launched: subprocess.Popen[bytes]) -> bool:
    """Whether a launch is not over yet."""
    if kind != "slurm" or launched.poll() is None:
        return launched.poll() is None
    queued = subprocess.run(["squeue", "-h", "-n", "contexts", "-o", "%r"], capture_output=True, text=True)
    # The job that adds up the statistics waits for ever where a task failed.
    return any("Dependency" not in line for line in queued.stdout.splitlines())


def main() -> None:
    """Parse, launch, kill, launch again, compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kind", choices=FILES)
    parser.add_argument("--pairs", type=int, default=400)
    parser.add_argument("--tasks", type=int, default=4)
    parser.add_argument("--partition", default="main")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = (
            {"instruction": f"Who kept light {n}?", "answer": f"Keeper {n} Holm"} for n in range(given.pairs)
        )
        (folder / "story_qa.jsonl").write_text("\n".join(map(json.dumps, rows)))
        run = [sys.executable, "-m", "builder.cli", "run"]
        asked = ["--pairs", str(folder / "story_qa.jsonl"), "--words", "1000", "--lengths", "2k"]
        began = time.monotonic()
        subprocess.run(
            [*run, *asked, "--out", str(folder / "one")], cwd=ROOT, check=True, stdout=subprocess.DEVNULL
        )
        print(f"one process: {time.monotonic() - began:.0f} s", flush=True)
        config = folder / "many.toml"
        config.write_text(
            (folder / "one" / "run.toml").read_text().replace(str(folder / "one"), str(folder / "many"))
        )

        task = folder / "many" / "journal" / "tasks" / f"00001-of-{given.tasks:05d}"
        launched, killed = launch(given.kind, config, given), 0
        while working(given.kind, launched):
            contexts = task / "contexts.jsonl"
            if not killed and contexts.exists() and contexts.read_bytes().count(b"\n") >= 5:
                for pid in holders(task / ".lock"):
                    # Ray's actor, too, as when the machine is gone: it would wait for its child for ever.
                    for one in [parent(pid), pid] if given.kind == "ray" else [pid]:
                        os.kill(one, signal.SIGKILL)
                    killed = len(written(folder / "many"))
                    print(
                        f"task 1 killed, {contexts.read_bytes().count(bytes([10]))} of its contexts written"
                    )
            time.sleep(0.05)
        before = {one.name: one.stat().st_mtime_ns for one in task.parent.glob("*/contexts.jsonl")}
        done = {one.name for one in (folder / "many-logs" / "completions").glob("*")}
        print(f"first launch over; complete: {sorted(done)}", flush=True)
        again = launch(given.kind, config, given)
        while working(given.kind, again):
            time.sleep(0.2)
        done = {one.name for one in (folder / "many-logs" / "completions").glob("*")}
        print(f"second launch over; complete: {sorted(done)}")
        assert before.keys() == {one.name for one in task.parent.glob("*/contexts.jsonl")}
        times = written(folder / "many")
        print(f"{len(times)} pairs, written {sorted(set(times.values()))} times")
        subprocess.run(
            [*run, str(folder / "many" / "run.toml")], cwd=ROOT, check=True, stdout=subprocess.DEVNULL
        )
        one, many = (
            {p.relative_to(d): p.read_bytes() for p in (d / "dataset").rglob("*") if p.is_file()}
            for d in (folder / "one", folder / "many")
        )
        print("the same dataset, byte for byte" if one == many else "ANOTHER DATASET")
        if one != many or not killed or set(times.values()) != {1}:
            print((folder / "said.txt").read_text(errors="replace")[-3000:])
            sys.exit(1)


if __name__ == "__main__":
    main()
