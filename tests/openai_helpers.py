"""What the tests of the OpenAI-compatible engine share besides the server."""

from __future__ import annotations

import threading

import pytest

from synthesis.data import Message, Prompt
from synthesis.engines.base import Sampling
from synthesis.engines.openai import OpenAIEngine
from tests.openai_server import Reply

SAMPLING = Sampling(temperature=0.3, top_p=0.9, max_tokens=700, seed=5)
KEY = "sk-very-secret-4711"


@pytest.fixture(autouse=True)
def quick_and_clean(monkeypatch):
    """Short delays, no settings from outside, and no thread of ours left behind."""
    monkeypatch.setattr("synthesis.engines.serving.pace.FIRST_DELAY", 0.01)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    yield
    assert not running_threads()


def running_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "engine-session"]


def make_prompt(number: int, text: str = "") -> Prompt:
    said = text or f"prompt {number}"
    return Prompt(f"id-{number}", f"pair-{number}", "t", {}, (Message("user", said),), f"id-{number}")


def prompts(count: int) -> list[Prompt]:
    return [make_prompt(number) for number in range(count)]


def engine(server, **options) -> OpenAIEngine:
    return OpenAIEngine("tiny", base_url=server.url, **options)


def once(fault: Reply):
    """A script that fails the first request only."""
    return lambda asked: fault if asked.number == 0 else None
