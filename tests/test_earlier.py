"""A run's folder made by an earlier version: everything still reads it, and nothing in it is made again.

``tests/data/earlier`` was made before the options were fields of tables, by
``run --pairs pairs10.jsonl --words 200 --lengths 1k --out run``.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import builder.job.rows
from builder import ContextSynthesis, load
from builder.export.write import export
from builder.job.execute import plan
from builder.job.rows import RunRows
from builder.report.write import report
from synthesis.data import Pair
from synthesis.engines.base import Sampling
from synthesis.engines.composer.engine import Composer
from synthesis.options import RunConfig, from_dict, load_config, override
from synthesis.prompts import build_prompt, load_template
from synthesis.run.journal import Journal
from synthesis.tokens import load_tokenizer
from tests.jobs import Quiet

DATA = Path(__file__).parent / "data"
LATER = ["contamination", "attempts", "verified", "answer_kind"]
"""Columns that came after the first."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(DATA / "earlier", tmp_path / "run", ignore=shutil.ignore_patterns("pairs10.jsonl"))
    return tmp_path / "run"


@pytest.fixture
def lacking(folder: Path) -> Path:
    """The same without the later columns."""
    (path,) = (folder / "dataset/data/composer/1.0.0").glob("*.parquet")
    pq.write_table(pq.read_table(path).drop_columns(LATER), path)
    manifest = folder / "dataset/manifests/composer/1.0.0.json"
    content = json.loads(manifest.read_text())
    content["schema"] = {name: kind for name, kind in content["schema"].items() if name not in LATER}
    content["files"][0]["bytes"] = content["bytes"] = path.stat().st_size
    content["files"][0]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    manifest.write_text(json.dumps(content))
    return folder


def published(folder: Path, config: str) -> list[dict[str, object]]:
    (path,) = (folder / f"dataset/data/{config}").glob("*/*.parquet")
    rows: list[dict[str, object]] = pq.read_table(path).to_pylist()
    return rows


def config_of(folder: Path) -> RunConfig:
    saved = load_config(folder / "run.toml")
    return override(saved, {"out": str(folder), "pairs.source": str(DATA / "earlier/pairs10.jsonl")})


def ids(config: RunConfig, folder: Path) -> dict[str, str]:
    with Journal(folder / "journal") as journal:
        rows = RunRows(config, journal, load_tokenizer(None), Quiet())
        return {one.name: one.content_id for one in rows.configs()}


def test_versions_are_those_of_before(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told apart from a change of the rows themselves, which raises their version."""
    monkeypatch.setattr(builder.job.rows, "ROWS_VERSION", 5)
    manifests = (folder / "dataset/manifests").rglob("*.json")
    before = {
        one["config"]: one["content_id"] for one in (json.loads(path.read_text()) for path in manifests)
    }
    config = config_of(folder)
    assert ids(config, folder) == before
    changed = override(config, {"samples.refusal": "Nothing says so."})
    assert ids(changed, folder) == before | {
        name: made for name, made in ids(changed, folder).items() if name != "composer"
    }
    assert ids(changed, folder)["composer-chat-1k"] != before["composer-chat-1k"]


def test_fingerprints_are_those_of_before() -> None:
    pair = Pair(instruction="Who mended the clock?", answer="Ilse Brandt", task="story_qa")
    template = replace(load_template("narrative"), text="a template")
    prompt = build_prompt(
        pair, template, words=200, engine="openai", model="m", sampling=Sampling(), settings={"a": 1}
    )
    assert prompt.fingerprint == "66e3b502d4732153be6ce9dac5b9aae4"


def test_what_is_written_is_settled_until_the_composer_writes_otherwise(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = plan(config_of(folder)).counts
    assert (counts.settled, counts.stale, counts.new) == (0, 10, 0)
    monkeypatch.setattr(Composer, "model", "composer-1")
    counts = plan(config_of(folder)).counts
    assert (counts.settled, counts.stale, counts.new) == (10, 0, 0)


def test_it_runs_again(folder: Path, command) -> None:
    options = ("--pairs", DATA / "earlier/pairs10.jsonl", "--out", folder)
    done = command("run", folder / "run.toml", *options)
    assert done.returncode == 0, done.stderr
    assert "10 contexts, 0 rejected" in done.stdout
    more = command("assemble", folder, "--lengths", "700")
    assert more.returncode == 0, more.stderr
    assert len(published(folder, "composer-chat-700")) == 10


@pytest.mark.parametrize("which", ["folder", "lacking"])
def test_it_loads_and_assembles(which: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    made = request.getfixturevalue(which)
    cache = tmp_path / "cache"
    whole = load(made, "composer-chat-1k", cache_dir=cache)
    assert [row["id"] for row in whole] == [row["id"] for row in published(made, "composer-chat-1k")]
    assert set(load(made, "composer", cache_dir=cache).column_names) >= {"id", "context"}
    rows = load(made, "composer", length="1k", cache_dir=cache)
    assert rows.num_rows == 10
    assert {row["pair_id"] for row in rows} == {row["pair_id"] for row in whole}
    other = ContextSynthesis(str(made), "composer", length="700", distractors="random", cache_dir=str(cache))
    assert sum(1 for _ in other.as_streaming_dataset("train")) == 10


@pytest.mark.parametrize("which", ["folder", "lacking"])
def test_it_is_exported_and_reported(which: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    made = request.getfixturevalue(which)
    assert export(made, tmp_path / "chat.jsonl", format="messages").samples == 10
    assert report(made, tmp_path / "report").page.is_file()


def test_a_run_goes_on_where_columns_are_lacking(lacking: Path, command) -> None:
    done = command("run", lacking / "run.toml", "--pairs", DATA / "earlier/pairs10.jsonl", "--out", lacking)
    assert done.returncode == 0, done.stderr
    again = command("run", lacking / "run.toml", "--pairs", DATA / "earlier/pairs10.jsonl", "--out", lacking)
    assert "nothing changed" in again.stdout


def test_a_table_of_before_is_read() -> None:
    assert from_dict({"samples": {"lengths": ["1k"]}}).samples.refusal
