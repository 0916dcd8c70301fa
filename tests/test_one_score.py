"""One context has one score: in a run, to ``score``, a filter, asking again, the report and the page."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builder.folder.reading import batches
from builder.folder.versions import Manifest, read_manifests
from builder.job.execute import execute
from builder.job.filtering import KeptContexts
from builder.job.scoring import score_source
from builder.report.collect import raw_part
from space.datasets.browse import entry, table
from space.datasets.location import Place
from space.making.inputs import read_inputs
from space.making.results import as_record, make_result
from space.view.dataset import draw_entry
from synthesis.coherence import score, score_context
from synthesis.coherence.scoring import SCORE_VERSION
from synthesis.data import Context, Evidence, Pair
from synthesis.engines.base import Sampling
from synthesis.gate.faults import inspect
from synthesis.gate.thresholds import Thresholds
from synthesis.options import RunConfig, override
from synthesis.prompts import build_prompt, load_template
from synthesis.run.candidates import Mark
from synthesis.run.job import make_job
from synthesis.run.journal import Journal
from synthesis.run.retry import rows_to_retry
from tests.jobs import Quiet

LEAST = 0.95


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> RunConfig:
    folder = tmp_path_factory.mktemp("runs") / "run"
    changes = {"out": str(folder), "generation.words": 400, "samples.lengths": ("2k",)}
    made = override(RunConfig(), changes)
    execute(made, Quiet())
    return made


@pytest.fixture(scope="module")
def rows(config: RunConfig) -> list[dict[str, Any]]:
    return _rows(config, "composer")


def _rows(config: RunConfig, name: str) -> list[dict[str, Any]]:
    dataset = Path(config.out) / "dataset"
    return [row for batch in batches(_manifest(config, name).paths(dataset)) for row in batch.to_pylist()]


def _manifest(config: RunConfig, name: str) -> Manifest:
    return read_manifests(Path(config.out) / "dataset")[name][-1]


def test_a_run_knows_the_evidence_that_its_engine_recorded(rows: list[dict[str, Any]]) -> None:
    blind = [score(row["context"], row["instruction"], row["answer"]).overall for row in rows]
    known = [row["coherence"] for row in rows]
    assert all(a <= b for a, b in zip(blind, known, strict=True))
    assert sum(a < b - 0.05 for a, b in zip(blind, known, strict=True)) >= 1


def test_score_gives_what_the_run_gave(config: RunConfig, rows: list[dict[str, Any]]) -> None:
    lines = list(score_source(config.out, reasons=True))
    parts = ("support", "relevance", "uniqueness", "leaks", "verified")
    for line, row in zip(lines, rows, strict=True):
        assert (line["overall"], line["kind"]) == (row["coherence"], row["answer_kind"])
        assert [line[part] for part in parts] == [row[part] for part in parts]
    lowest = raw_part(Path(config.out) / "dataset", _manifest(config, "composer")).lowest
    told = {row["id"]: line["explanation"] for row, line in zip(rows, lines, strict=True)}
    assert [list(low.reasons) for low in lowest] == [told[low.row["id"]] for low in lowest]


def test_a_filter_and_asking_again_take_the_same(config: RunConfig, rows: list[dict[str, Any]]) -> None:
    low = {row["id"] for row in rows if row["coherence"] < LEAST}
    assert 0 < len(low) < len(rows)
    with Journal(Path(config.out) / "journal") as journal:
        filtering = override(config, {"filters.min_overall": LEAST})
        kept = KeptContexts(filtering, journal.current_contexts(), lambda *_: lambda: None, journal)
        assert {dropped.pair_id for dropped in kept.dropped()} == low
        job = replace(make_job(config), sampling=Sampling(seed=7))
        asked = {
            row.row.id
            for row in rows_to_retry(job, journal, Thresholds(overall=LEAST))
            if isinstance(row.row, Pair) and row.state == "stale"
        }
        assert asked == low


def test_the_page_shows_the_same(config: RunConfig, rows: list[dict[str, Any]]) -> None:
    place = Place("run", folder=Path(config.out) / "dataset")
    with Journal(Path(config.out) / "journal") as journal:
        contexts = {pair.id: (pair, context) for pair, context in journal.current_contexts()}
    polar = [row for row in rows if row["answer_kind"] == "yes/no"]
    assert len(polar) > 5
    for row in polar:
        pair, context = contexts[row["id"]]
        inputs = read_inputs(instruction=pair.instruction, answer=pair.answer, task="generic", length="500w")
        record = as_record(make_result(inputs, context, None, 0.0))
        assert record["coherence"]["overall"] == row["coherence"]
    for name in ("composer", "composer-chat-2k"):
        found = table(place, name)
        shown = 0
        for number, listed in enumerate(found.rows[:12]):
            texts = entry(found, number)
            assert texts.evidence_source == "exact"
            score_there = re.search(r"\b([01]\.\d\d)\b", draw_entry("row", number, texts).verdict)
            assert score_there and listed.coherence is not None
            shown += score_there[1] == f"{int(listed.coherence * 100) / 100:.2f}"
        assert shown == 12, name


TOLD = (
    "The mill at Orle was built by Ida Holm. Her brother kept the books.\n\n"
    "Long after, in another valley, Ida Holm was born at Vik, as her letters say. Nobody asked why.\n\n"
    "Of the town of Vik it is said that it lies beside a lake."
)
PAIR = Pair(instruction="Where was the builder of the mill at Orle born?", answer="Vik")


def _evidence(text: str) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(text.index(told), text.index(told) + len(told), "told")
        for told in ("The mill at Orle was built by Ida Holm.", "Ida Holm was born at Vik")
    )


def test_only_what_an_engine_recorded_is_known() -> None:
    recorded = Context(PAIR.id, TOLD, _evidence(TOLD), evidence_source="exact")
    plain = score(TOLD, PAIR.instruction, PAIR.answer)
    known = score(TOLD, PAIR.instruction, PAIR.answer, recorded.evidence)
    assert known.overall > plain.overall
    assert score_context(PAIR, recorded).coherence == known
    for source in ("located", "none"):
        assert score_context(PAIR, replace(recorded, evidence_source=source)).coherence == plain
    assert score_context(PAIR, replace(recorded, evidence=())).coherence == plain


def test_candidates_are_compared_by_the_same_and_keep_what_was_recorded() -> None:
    recorded = Context(PAIR.id, TOLD, _evidence(TOLD), evidence_source="exact")
    prompt = build_prompt(
        PAIR, load_template("narrative"), words=60, engine="e", model="m", sampling=Sampling(), settings={}
    )
    found = inspect(recorded, PAIR, prompt)
    assert found.context == recorded
    assert found.coherence.overall == score_context(PAIR, recorded).coherence.overall


def test_marks_of_another_version_of_the_score_are_made_again(tmp_path: Path) -> None:
    config = override(RunConfig(), {"out": str(tmp_path), "generation.words": 60})
    names = [f"{number}" * 32 for number in (1, 2)]
    with Journal(tmp_path / "journal") as journal:
        for name, text, old in zip(names, ("It rained.", TOLD), (0.9, 0.1), strict=True):
            journal.add(Context(PAIR.id, text, fingerprint=name), PAIR, mark=Mark(0, old, 1))
        job = replace(make_job(config), candidates=2)
        ranks = [job._rank(name, journal) for name in names]
        assert ranks[0] < ranks[1], "by the score as it is now"
        marks = [journal.find_context(name)[2] for name in names]
        assert [mark.scoring for mark in marks if mark] == [SCORE_VERSION] * 2
        size = (tmp_path / "journal" / "contexts.jsonl").stat().st_size
        assert [job._rank(name, journal) for name in names] == ranks
        assert (tmp_path / "journal" / "contexts.jsonl").stat().st_size == size
    with Journal(tmp_path / "journal") as journal:
        assert [journal.find_context(name)[2] for name in names] == marks
