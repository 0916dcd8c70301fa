"""Likelihoods of answers under conditions, with a real model: in their order, and asked for once."""

from __future__ import annotations

import json
from collections import defaultdict
from itertools import islice
from pathlib import Path
from statistics import fmean

import pytest

from builder.folder.schema import raw_row
from synthesis import read_pairs, synthesize
from synthesis.engines.transformers import TransformersEngine
from synthesis.errors import ConfigError
from synthesis.evaluation import evaluate
from synthesis.evaluation.results import Tally
from tests.test_evaluation import write_questions
from tests.torch.models import TRAINED, save_copying_model

ALL = "full,closed,oracle,none-evidence"


class Counted(TransformersEngine):
    """Counts what it is asked to score."""

    scored = 0

    def loglikelihood(self, requests):
        def counted():
            for request in requests:
                self.scored += 1
                yield request

        return super().loglikelihood(counted())


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A base model, which has no chat template, and expects what it has read."""
    return save_copying_model(tmp_path_factory.mktemp("models") / "copying")


def test_the_more_of_the_evidence_the_likelier_the_answer(tmp_path, folder) -> None:
    source = write_questions(tmp_path / "questions.jsonl")
    lines = source.read_text().splitlines()
    spelled = [line.replace('"answers"', '"evidence": "was born in", "answers"') for line in lines]
    source.write_text("\n".join(spelled))
    engine = Counted(str(folder), dtype="float32")
    try:
        tally, found = Tally(), defaultdict(list)
        asked = {"conditions": ALL, "lengths": "own,300", "likelihood": True, "replies": False}
        for one in evaluate(source, engine, folder=tmp_path / "log", **asked):
            tally.add(one)
            assert one.loglikelihood is not None and one.loglikelihood[1] > 0 and not one.scores
            found[one.variant.condition, one.variant.length].append(
                -one.loglikelihood[0] / one.loglikelihood[1]
            )
        nll = {key: fmean(values) for key, values in found.items()}
        assert nll["oracle", 0] < nll["full", 0] < nll["closed", 0]
        # To this model a word is the likelier the greater its share of what was read.
        assert nll["full", 0] < nll["full", 300] < nll["none-evidence", 300]
        assert nll["full", 0] < nll["none-evidence", 0]
        shares = {
            (one.condition, one.length): one.value
            for one in tally.shares(lambda mark: -mark.nll if mark.nll else None)
        }
        assert shares["full", 300] < shares["full", 0] and 0 < shares["full", 0] < 1
        count = engine.scored
        again = list(evaluate(source, engine, folder=tmp_path / "log", **asked))
        assert engine.scored == count == 6 * 5
        assert sum(one.loglikelihood[0] for one in again) == pytest.approx(
            sum(mark.loglikelihood[0] for marks in tally.marks.values() for mark in marks.values())
        )
    finally:
        engine.close()


def test_a_trained_model_reads_the_evidence_of_the_composer(tmp_path) -> None:
    """Small as it is, it copies what it finds: with the evidence an answer is likely, without it is not."""
    pairs = list(islice(read_pairs(Path(__file__).parents[2] / "examples" / "pairs.jsonl"), 4))
    rows = zip(pairs, synthesize(pairs, words=120), strict=True)
    path = tmp_path / "raw.jsonl"
    path.write_text("".join(json.dumps(raw_row(pair, context, None)) + "\n" for pair, context in rows))
    engine, tally = TransformersEngine(str(TRAINED), dtype="float32"), Tally()
    try:
        for one in evaluate(path, engine, conditions=ALL, likelihood=True, replies=False):
            tally.add(one)
    finally:
        engine.close()
    nll = {variant.condition: tally.nll(variant).value for variant in tally.variants()}
    assert max(nll["oracle"], nll["full"]) + 1 < min(nll["closed"], nll["none-evidence"]), nll
    full, without = tally.shares(lambda mark: None if mark.nll is None else -mark.nll)
    assert full.value > 0.5 > without.value


def test_replies_and_likelihoods_of_a_chat_model(tmp_path, engine) -> None:
    source = write_questions(tmp_path / "questions.jsonl")
    found = list(evaluate(source, engine, conditions="full,closed", likelihood=True, max_tokens=4))
    assert len(found) == 10
    assert all(one.loglikelihood and one.finish_reason in ("stop", "length") and one.scores for one in found)


def test_an_engine_without_likelihoods_says_so(tmp_path) -> None:
    from synthesis.engines.base import BaseEngine

    class Mute(BaseEngine):
        name = model = "mute"

        def complete(self, prompts, sampling):
            return iter(())

        def stream(self, prompt, sampling):
            return iter(())

    with pytest.raises(ConfigError, match="gives no likelihood"):
        list(evaluate(write_questions(tmp_path / "q.jsonl"), Mute(), likelihood=True))
