"""`make bench` itself: a part is measured beside its floor, and one that cannot be is a line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import bench, peers
from tests.programs import run_python


def test_a_part_is_told_beside_its_floor() -> None:
    done = run_python("-m", "benchmarks.bench", "--quick", "--parts", "folder", "--markdown")
    assert done.returncode == 0, done.stderr
    head, rule, *rows = [line for line in done.stdout.splitlines() if line.startswith("|")]
    assert "x floor" in head and set(rule) <= set("| -")
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert [row[0] for row in cells] == ["folder"] * 3
    assert [bool(row[4]) for row in cells] == [False, True, True]  # the floor has no ratio
    assert all(row[2].endswith(" s") for row in cells)


def test_a_part_that_breaks_is_a_line_and_a_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(size: bench.Size) -> list[bench.Line]:
        raise OSError("the disk went away")

    monkeypatch.setitem(bench.PARTS, "job", broken)
    monkeypatch.setitem(bench.PARTS, "page", lambda size: [bench.Line("page", "an arm", [2.0, 4.0], [1.0])])
    monkeypatch.setattr(sys, "argv", ["bench", "--quick", "--parts", "job,page"])
    assert bench.main() == 1
    told = capsys.readouterr().out
    assert "OSError: the disk went away" in told
    assert "3.00 s" in told and "67%" in told and "3.00" in told.split("67%")[1]


def test_a_peer_that_does_not_install_is_told_why(tmp_path: Path) -> None:
    # A folder that is no package: pip refuses it without asking anybody.
    assert "pyproject.toml" in peers._installed(tmp_path / "environment", str(tmp_path))
    assert not (tmp_path / "environment" / "installed").exists()
