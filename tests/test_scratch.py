"""Temporary folders: gone with their block, after a kill with the next start, and never somebody else's."""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path

import pytest

from synthesis.storage import scratch_folder, sweep_scratch


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_it_is_gone_with_its_block(temporary: Path) -> None:
    with scratch_folder() as folder:
        (folder / "file").write_text("x")
        assert folder.parent == temporary
    assert not list(temporary.iterdir())


def test_what_a_killed_process_left_is_swept_and_what_is_in_use_stays(temporary: Path) -> None:
    ready, say = os.pipe()
    pid = os.fork()
    if pid == 0:
        with scratch_folder() as folder:
            (folder / "file").write_text("x")
            os.write(say, b"!")
            signal.pause()
    assert os.read(ready, 1) == b"!"
    left = set(temporary.iterdir())
    assert len(left) == 2
    with scratch_folder() as own:  # which sweeps as it begins
        assert left < set(temporary.iterdir())
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        sweep_scratch()
        assert not left & set(temporary.iterdir())
        assert own.is_dir()
    assert not list(temporary.iterdir())


def test_what_only_looks_like_ours_stays(temporary: Path) -> None:
    elsewhere = temporary / "elsewhere"
    elsewhere.mkdir()
    (temporary / "context-synthesis-scratch-1").symlink_to(elsewhere)
    (temporary / "context-synthesis-vllm-1.log").write_text("x")
    (temporary / "context-synthesis-scratch-2").mkdir()  # killed before it was swept to the end
    sweep_scratch()
    assert {path.name for path in temporary.iterdir()} == {
        "elsewhere", "context-synthesis-scratch-1", "context-synthesis-vllm-1.log",
    }  # fmt: skip
