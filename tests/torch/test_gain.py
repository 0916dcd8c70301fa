"""The gain with a real model: a context with the answer against others, through engine and command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from builder.job.scoring import gain_engine
from synthesis.coherence import window_spans
from synthesis.coherence.gain import gain, gain_batch
from synthesis.engines.transformers import TransformersEngine
from tests.torch.models import TRAINED, save_copying_model

ROOT = Path(__file__).parents[2]
ASKED, TOLD = "Who mended the clock?", "Ilse Brandt"
WITH = "In Varrow the clock was mended by Ilse Brandt, and nobody else."
WITHOUT = "In Varrow the clock was mended by a stranger, and nobody else."


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return save_copying_model(tmp_path_factory.mktemp("models") / "copying")


@pytest.fixture(scope="module")
def copying(folder) -> Iterator[TransformersEngine]:
    """A model that expects what it has read, as trained models do to some extent."""
    made = TransformersEngine(str(folder))
    yield made
    made.close()


def test_a_context_with_the_answer_gains_and_more_than_one_without(copying) -> None:
    stated, other, none = (gain(context, ASKED, TOLD, copying) for context in (WITH, WITHOUT, ""))
    assert stated.answer > max(0, other.answer) + 1
    assert none.answer == 0 and none.instruction == 0
    assert stated.instruction > 0 and other.instruction > 0  # both speak of the clock
    assert stated.tokens == other.tokens > 1


def test_the_terms_are_those_of_the_definition(copying) -> None:
    """Worked out from the engine's own likelihoods, one request at a time."""

    def mean(prefix: str, text: str) -> float:
        (scored,) = copying.loglikelihood([(prefix, text)])
        return sum(scored.logprobs) / len(scored.logprobs)

    found = gain(WITH, ASKED, TOLD, copying)
    told = f"Instruction: {ASKED}\n\nAnswer:"
    assert found.answer == pytest.approx(
        mean(f"{WITH}\n\n{told}", f" {TOLD}") - mean(told, f" {TOLD}"), abs=1e-5
    )
    assert found.instruction == pytest.approx(
        mean(f"{WITH}\n\nInstruction:", f" {ASKED}") - mean("Instruction:", f" {ASKED}"), abs=1e-5
    )


def test_the_window_that_states_the_answer_is_missed_most(copying) -> None:
    filler = "Nobody came that year and the road was empty. " * 20
    context = f"{filler}{WITH} {filler}"
    spans = window_spans(context)
    found = gain(context, ASKED, TOLD, copying, windows=True)
    assert len(found.windows) == len(spans) > 3
    start, end = spans[found.windows.index(max(found.windows))]
    assert "Ilse Brandt" in context[start:end]


def test_many_are_like_one_by_one(copying) -> None:
    triples = [(WITH, ASKED, TOLD), (WITHOUT, ASKED, TOLD), ("", ASKED, TOLD), (WITH * 9, TOLD, ASKED)]
    together = list(gain_batch(iter(triples), copying, windows=True))
    for found, triple in zip(together, triples, strict=True):
        alone = gain(*triple, copying, windows=True)
        assert found.answer == pytest.approx(alone.answer, abs=1e-5)
        assert found.windows == pytest.approx(alone.windows, abs=1e-5)


def test_the_command(folder, tmp_path) -> None:
    """Gains beside the score; a row too long for the model says so and costs no other its gain."""
    path = tmp_path / "rows.jsonl"
    rows = [
        {"instruction": ASKED, "answer": TOLD, "context": context}
        for context in (WITH, "clock " * 5000, WITHOUT)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    words = ["score", path, "--gain", "transformers", "--gain-windows", "--model", folder]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "builder.cli", *map(str, words)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )
    first, second, third = map(json.loads, done.stdout.splitlines())
    assert first["gain"] > max(0, third["gain"]) + 1
    assert first["window_gains"] == [first["gain"]]
    assert "max_model_len" in second["gain_error"] and "gain" not in second
    assert "mean gain +" in done.stderr and "1 without" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_gain_is_measured_in_float32_unless_told_otherwise(folder) -> None:
    for options, dtype in (({}, "float32"), ({"dtype": "bfloat16"}, "bfloat16")):
        with closing(gain_engine("transformers", str(folder), options)) as made:
            assert made.settings["dtype"] == dtype


def test_a_trained_model_gains_from_what_states_the_answer() -> None:
    engine = TransformersEngine(str(TRAINED))
    stated, other = (gain(context, ASKED, TOLD, engine) for context in (WITH, WITHOUT))
    engine.close()
    assert stated.answer > other.answer


def test_what_a_run_requires_is_asked_of_a_real_model(folder, tmp_path) -> None:
    from builder.job.filtering import KeptContexts
    from synthesis.data import Context, Evidence, Pair
    from synthesis.options import RunConfig, override
    from synthesis.run.journal import Journal

    asked = {"engine": "transformers", "model": str(folder), "gain": 0.01, "evidence": 0.01}
    config = override(RunConfig(), {f"require.{name}": value for name, value in asked.items()})
    pair = Pair(instruction=ASKED, answer=TOLD)
    at = WITH.index(TOLD)
    evidence = (Evidence(at, at + len(TOLD), "answer"),)
    rows = [
        (pair, Context(pair.id, WITH, evidence, fingerprint="0" * 32)),
        (pair, Context(pair.id, WITHOUT, fingerprint="1" * 32)),
    ]
    for _ in range(2):
        with Journal(tmp_path) as journal:
            kept = KeptContexts(config, rows, lambda name, steps: lambda: None, journal)
            assert list(kept.kept) == rows[:1]
            (dropped,) = kept.dropped()
            assert dropped.stage == "require" and dropped.reason.partition(":")[0] in ("gain", "evidence")
            lines = (tmp_path / "required.jsonl").read_text().splitlines()
            assert len(lines) == 4
