"""Requests as a visitor makes them, and the moments of what becomes of each."""

from __future__ import annotations

import pytest

from space import handlers
from space.handlers import Moment
from space.making.sessions import Run

ASKED = {"instruction": "Who kept the Harrow light in 1911?", "answer": "Ilse Brandt", "task": "story_qa"}


@pytest.fixture(autouse=True)
def at_once(monkeypatch) -> None:
    """Without the pause that lets the eye follow."""
    monkeypatch.setattr(handlers, "STEP", 0)


def moments(run: Run | None = None, token: str | None = None, **changes: object) -> list[Moment]:
    return list(handlers.synthesize({**ASKED, "length": "500w", **changes}, run or Run(), token))
