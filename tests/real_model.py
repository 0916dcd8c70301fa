"""A real chat model through the whole pipeline, for the suites of engines; it is small, and weak.

SmolLM2-135M-Instruct (``scripts/small_model.py`` gets it; the make targets call that) loops, restates
and forgets what it was asked, which is what the gate is for. So nothing here asks that its texts be good:
every pair has to come to an end that is told, nothing may be asked twice, and what is kept has to be a text.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builder.job.execute import Summary, execute
from scripts.small_model import FOLDER, GGUF
from synthesis.coherence.gain import gain
from synthesis.data import Rejected
from synthesis.engines.base import Engine, LikelihoodEngine
from synthesis.options import RunConfig, override
from synthesis.run.judge import JUDGING, Verdict, judge_batch
from synthesis.tokens import load_tokenizer
from tests.jobs import Quiet

PAIRS = {
    "What colour is the door of Tomas Brenner's bakery?": "dark green",
    "Where does Lena Okafor keep the key of the boathouse?": "under the blue flowerpot",
    "How many goats does Pavel Dvorak own?": "seventeen goats",
    "Who repaired the clock of Saint Anne's church?": "Ingrid Solberg",
    "When did the ferry to Marsk Island stop running?": "in March 1962",
}
BRIEF = replace(JUDGING, max_tokens=120)
LONG = {"words": 120, "section_words": 50, "repairs": 0}
CONTEXT = (
    "Marsk Island lies an hour off the coast. Until March 1962 a ferry went there twice a day; then the "
    "company sold the boat, and the ferry stopped running. Since then the islanders row."
)


def real_model(name: str) -> Path:
    """The folder of the transformers library, or the GGUF, in this environment."""
    path = Path(sys.prefix) / "smollm2" / name
    if not path.exists():
        pytest.fail(f"{path} is missing: run these tests by their make target, which gets it")
    return path


def transformers_folder() -> str:
    """For transformers and vLLM."""
    return str(real_model(FOLDER))


def gguf() -> str:
    """For llama.cpp."""
    return str(real_model(GGUF))


def run(
    out: Path, engine: str, model: str, options: Mapping[str, Any], limit: int = 5, **more: Any
) -> Summary:
    """The whole job on the first ``limit`` pairs."""
    source = out.parent / "pairs.jsonl"
    rows = [{"instruction": asked, "answer": told} for asked, told in PAIRS.items()]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    made = {
        "out": str(out),
        "pairs.source": str(source),
        "pairs.limit": limit,
        "generation.engine": engine,
        "generation.model": model,
        "generation.options": dict(options),
        "generation.words": 50,
        "generation.template": "short",
        "generation.max_tokens": 90,
        "generation.repairs": 1,
        "samples.lengths": ("1k",),
        "samples.tokenizer": "embedded",
        **{f"generation.{name}": value for name, value in more.items()},
    }
    return execute(override(RunConfig(), made), Quiet())


def records(out: Path, kind: str) -> list[dict[str, Any]]:
    """Lines of the run's journal."""
    path = out / "journal" / f"{kind}.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def assert_runs_resume_and_repair(
    folder: Path, engine: str, model: str, options: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Two of five pairs, then all, then nothing new; the contexts that were kept."""
    out = folder / "run"
    first = run(out, engine, model, options, limit=2)
    assert first.contexts + first.rejected == 2
    begun = records(out, "contexts") + records(out, "rejected")
    whole = run(out, engine, model, options)
    assert whole.counts.settled == 2 and whole.contexts + whole.rejected == 5
    assert whole.usage.replies > first.usage.replies > 0 and whole.usage.output_tokens
    ended = records(out, "contexts") + records(out, "rejected")
    assert all(line in ended for line in begun)
    again = run(out, engine, model, options)
    assert again.counts.settled == 5 and again.usage == whole.usage

    # It does not write five texts without a fault at once; what it gets is told, and bounded.
    assert 5 < sum(line["attempts"] for line in ended) <= whole.usage.replies <= 5 * 2
    contexts = records(out, "contexts")
    for line in contexts:
        assert line["words"] >= 10 and not line["text"].lower().startswith("context:")
        assert "<|im_" not in line["text"]
    assert all(line["reason"] for line in records(out, "rejected"))
    _opens(whole)
    return contexts


def _opens(summary: Summary) -> None:
    from datasets import load_dataset

    if summary.contexts:
        rows = load_dataset(str(summary.dataset.path), split="train")
        assert len(rows) == summary.contexts
        assert all(load_tokenizer(None).count(text) > 10 for text in rows["context"])


def assert_expands(folder: Path, engine: str, model: str, options: Mapping[str, Any]) -> None:
    """A context in sections: an outline first, then reply by reply, each recorded."""
    out = folder / "long"
    made = run(out, engine, model, options, limit=1, **LONG)
    (ended,) = records(out, "contexts") + records(out, "rejected")
    assert made.usage.replies >= 2, ended
    if made.contexts:
        assert "sections" in ended["template"]
    again = run(out, engine, model, options, limit=1, **LONG)
    assert again.usage == made.usage


def assert_gains(engine: LikelihoodEngine) -> None:
    """The context that states the answer helps, and the log-probability says which answer it states."""
    asked = "When did the ferry to Marsk Island stop running?"
    stated = gain(CONTEXT, asked, "in March 1962", engine)
    other = gain(CONTEXT.replace("March 1962", "the year of the flood"), asked, "in March 1962", engine)
    wrong = gain(CONTEXT, asked, "in August 1971", engine)
    assert stated.answer > max(0.0, other.answer) + 0.5
    assert stated.logprob > max(other.logprob, wrong.logprob) + 0.5


def assert_judges(engine: Engine) -> None:
    """A verdict, or a rejection that says why there is none; never a crash, and in order."""
    asked = "When did the ferry to Marsk Island stop running?"
    triples = [(CONTEXT, asked, "in March 1962"), (CONTEXT, "Who rows?", "the islanders")]
    found = list(judge_batch(triples, engine, sampling=BRIEF, repairs=1))
    assert len(found) == 2
    for one in found:
        if isinstance(one, Rejected):
            assert one.stage in ("judge", "generate") and one.reason
        else:
            assert isinstance(one, Verdict) and 0 <= one.overall <= 1 and one.reason
