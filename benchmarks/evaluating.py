"""Questions answered per second by ``evaluate``, beside the engine alone on the same prompts, in turn.

A server in a process of its own takes a fixed time for each reply. ``python -m benchmarks.evaluating``
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from synthesis.data import Prompt
from synthesis.engines import make_engine
from synthesis.engines.base import Items, Sampling
from synthesis.evaluation import evaluate
from synthesis.evaluation.questions import ContextQuestion

QUESTIONS, PLACES, DELAY, ROUNDS = 512, 64, 0.5, 3
WORDS = 1500  # of a context
COMMON = [
    f"{first}{last}"
    for first in ("ba", "de", "ki", "lo", "mu", "ra", "su", "ti")
    for last in ("n", "r", "lden", "st")
]

SERVER = f"""
import sys, time
from tests.openai_server import Reply, serve
with serve(lambda asked: Reply(text="the answer", delay={DELAY})) as server:
    print(server.url, flush=True)
    sys.stdin.read()
"""


@contextmanager
def served() -> Iterator[str]:
    """The server's address, while the block lasts."""
    process = subprocess.Popen([sys.executable, "-c", SERVER], stdin=-1, stdout=-1, text=True)
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.wait()


def questions() -> list[ContextQuestion]:
    """Questions, each over a context of its own."""
    made = []
    for number in range(QUESTIONS):
        chance = random.Random(number)
        lines = (" ".join(chance.choices(COMMON, k=10)) for _ in range(WORDS // 10))
        filler = " ".join(f"{line.capitalize()}." for line in lines)
        text = f"{filler} The clerk of case {number} was Name{number}."
        question = f"Who was the clerk of case {number}?"
        made.append(
            ContextQuestion(
                context=text, instruction=question, answers=(f"Name{number}",), own=(0, len(text))
            )
        )
    return made


def alone(url: str, prompts: list[Prompt]) -> float:
    """Replies per second of the engine, with all prompts made before."""
    engine = make_engine("openai", "tiny", base_url=url, concurrency=PLACES, api_key_env="PATH")
    began = time.perf_counter()
    count = sum(1 for _ in engine.complete(Items(prompts), Sampling(0.0, 1.0, 512)))
    rate = count / (time.perf_counter() - began)
    engine.close()
    return rate


def evaluated(url: str, asked: list[ContextQuestion], lengths: str) -> float:
    """Answers per second of an evaluation that records its replies, reading the questions included."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        found = evaluate(
            asked,
            "openai",
            model="tiny",
            base_url=url,
            concurrency=PLACES,
            api_key_env="PATH",
            lengths=lengths,
            folder=Path(folder),
        )
        count = sum(1 for _ in found)
        return count / (time.perf_counter() - began)


def main() -> None:
    """Measure and print."""
    from synthesis.evaluation.conditions import asked as messages

    made = questions()
    prompts = [
        Prompt(one.id, one.id, "question", {"words": 0}, messages(one, one.context), one.id) for one in made
    ]
    with served() as url:
        alone(url, prompts[:PLACES])  # the server's first replies are slower
        for lengths in ("own", "4k"):
            for _ in range(ROUNDS):
                engine, whole = alone(url, prompts), evaluated(url, made, lengths)
                print(f"{lengths}: engine {engine:.1f}/s, evaluate {whole:.1f}/s, ratio {whole / engine:.2f}")


if __name__ == "__main__":
    main()
