"""Odd options and damaged files give an answer or a sentence: a few tries of ``scripts/fuzz.py``."""

from __future__ import annotations

from tests.programs import run_python


def test_no_try_ends_in_a_traceback() -> None:
    done = run_python("scripts/fuzz.py", "--tries", "25", "--seconds", "500")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
