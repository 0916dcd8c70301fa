"""A disk that is full, wherever in a run: one sentence, nothing lost, the same bytes once there is room."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.kills import contents
from tests.programs import run_python

LIMITED = """
import resource, sys
most = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
from builder.cli.main import main
main()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on the size of files")
def test_wherever_the_disk_is_full(tmp_path: Path, write_pairs, command) -> None:
    pairs, out = write_pairs(5), tmp_path / "run"
    options = ["run", "--pairs", str(pairs), "--words", "60", "--lengths", "500", "--out", str(out)]
    whole = tmp_path / "whole"
    assert command(*options[:-1], whole).returncode == 0
    sizes = [path.stat().st_size for path in whole.rglob("*") if path.is_file()]
    kept = 0
    for most in sorted({0, *(size - 1 for size in sizes if size > 1)})[:: max(1, len(sizes) // 4)]:
        done = run_python("-c", LIMITED, most, *options)
        assert done.returncode == 1, (most, done.stdout, done.stderr)
        (said,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
        assert "no room left to write" in said and "Traceback" not in done.stderr
        journal = out / "journal" / "contexts.jsonl"
        found = journal.read_bytes().count(b"\n") if journal.is_file() else 0
        assert found >= kept
        kept = found
    assert command(*options).returncode == 0
    assert contents(out) == {
        name: content if name != "run.toml" else content.replace(str(whole).encode(), str(out).encode())
        for name, content in contents(whole).items()
    }


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on the size of files")
def test_no_room_for_temporary_files(tmp_path: Path) -> None:
    script = """
import resource
from synthesis import Pair, assemble
from synthesis.data import Context
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
pairs = [Pair(f"p{n}", f"What is {n}?", "a thing") for n in range(20)]
list(assemble([(pair, Context(pair.id, f"{pair.id} is a thing. " * 400)) for pair in pairs], "8k"))
"""
    done = run_python("-c", script, TMPDIR=str(tmp_path))
    last = done.stderr.strip().splitlines()[-1]
    assert "StorageError: no room left to write temporary files" in last and str(tmp_path) in last, (
        done.stderr
    )
