"""Rows for preference learning: true to their samples, one for each wrong reply."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import datasets
import pytest

from builder import load
from builder.export.preference import COLUMNS, preference_rows
from builder.export.source import Conversation
from builder.export.write import export
from builder.folder.statistics import measure_chat
from builder.folder.versions import read_manifests
from builder.job.execute import execute
from synthesis.data import Message
from synthesis.errors import SourceError, UsageError
from synthesis.options import RunConfig, override
from tests.jobs import Quiet


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("preference") / "run"
    changes = {
        "out": str(out),
        "generation.words": 150,
        "samples.lengths": ("1k",),
        "samples.twins": ("removed", "changed", "decoy"),
        "pairs.limit": 30,
    }
    execute(override(RunConfig(), changes), Quiet())
    return out


def test_rows_are_true_to_their_samples(run: Path, tmp_path: Path) -> None:
    for suffix in ("jsonl", "parquet"):
        export(run, tmp_path / f"rows.{suffix}", format="preference")
    rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
    loaded = datasets.load_dataset("parquet", data_files=str(tmp_path / "rows.parquet"), split="train")
    assert loaded.to_list() == rows and list(rows[0]) == list(COLUMNS)
    table = datasets.load_dataset(str(run / "dataset"), "composer-chat-1k", split="train")
    samples = {sample["id"]: sample for sample in table}
    contexts = datasets.load_dataset(str(run / "dataset"), "composer", split="train")
    raw = {row["id"]: (row["instruction"], row["context"]) for row in contexts}
    assert len({row["id"] for row in rows}) == len(rows) == sum(len(one["wrong"]) for one in samples.values())
    kinds = Counter((row["twin"], row["rejected_source"]) for row in rows)
    # Each twin has its mirror: what is right for one is wrong for the other.
    assert kinds["removed", "twin"] == kinds["", "refusal"] > 5
    assert kinds["changed", "twin"] == kinds["", "twin"] > 5
    assert kinds["", "decoy"] >= kinds["decoy", "decoy"] > 0
    for row in rows:
        sample = samples[row["id"].rpartition("-")[0]]
        assert [*row["prompt"], *row["chosen"]] == sample["messages"]
        assert row["chosen"] != row["rejected"] and row["rejected"][0]["role"] == "assistant"
        asked = row["prompt"][-1]["content"]
        own = asked[sample["evidence_start"] : sample["evidence_end"]]
        short = [turn["content"] for turn in row["short_prompt"]]
        assert bool(short) is (row["twin"] != "removed")
        if short:  # the document of the evidence, and all around the documents
            opening, closing = short[-1].split(own)
            assert opening + own + closing == short[-1] and len(short[-1]) < len(asked)
            assert asked.startswith(opening) and asked.endswith(closing)
            instruction, context = raw[sample["pair_id"]]
            assert instruction in closing and len(opening + closing) < len(instruction) + 400
            assert row["twin"] or own == context
        for name in ("chosen", "rejected"):
            for place in row[f"{name}_places"]:
                assert asked[place["start"] : place["end"]] == row[name][0]["content"]
        if row["rejected_source"] == "decoy" and not row["twin"]:
            assert row["rejected_places"]
        assert row["changes"] == sample["changes"]
        if row["twin"]:
            assert row["group"] == row["twin_of"]
            was = samples[row["twin_of"]]["messages"][0]["content"]
            for change in reversed(row["changes"]):
                now = asked[change["start"] : change["end"]]
                was = was[: change["was_start"]] + now + was[change["was_end"] :]
            assert was == asked
        else:
            assert row["group"] == sample["id"] and not row["changes"]


def test_a_config_has_its_twins_beside_its_samples(run: Path) -> None:
    table = datasets.load_dataset(str(run / "dataset"), "composer-chat-1k", split="train")
    last = ""
    for sample in table:
        last = last if sample["twin"] else sample["id"]
        assert sample["twin_of"] == (last if sample["twin"] else "")
    rejected = datasets.load_dataset(str(run / "dataset"), "composer-rejected", split="train")
    told = {(row["pair_id"], row["reason"].partition(":")[0]) for row in rejected if row["stage"] == "twin"}
    made = {(sample["pair_id"], sample["twin"]) for sample in table if sample["twin"]}
    assert not told & made and len(told | made) == 3 * sum(not sample["twin"] for sample in table)


def test_twins_made_when_loading_are_those_of_the_run(run: Path, tmp_path: Path) -> None:
    twins = ("removed", "changed", "decoy")
    loaded = load(run / "dataset", "composer", length="1k", twins=twins, cache_dir=str(tmp_path))
    published = datasets.load_dataset(str(run / "dataset"), "composer-chat-1k", split="train")
    assert loaded.to_list() == published.to_list()


def test_each_depth_counts_once(run: Path) -> None:
    (manifest,) = [
        one for one in read_manifests(run / "dataset")["composer-chat-1k"] if one.config == "composer-chat-1k"
    ]
    table = datasets.load_dataset(str(run / "dataset"), "composer-chat-1k", split="train")
    alone = sum(not one["twin"] and len(one["documents"]) > 1 for one in table)
    assert measure_chat(run / "dataset", manifest).depth.count == alone > 10


def test_a_document_without_its_evidence_is_not_what_is_to_be_cited(run: Path, tmp_path: Path) -> None:
    export(run, tmp_path / "rl.jsonl", format="rl")
    rows = [json.loads(line) for line in (tmp_path / "rl.jsonl").read_text(encoding="utf-8").splitlines()]
    table = datasets.load_dataset(str(run / "dataset"), "composer-chat-1k", split="train")
    for row, sample in zip(rows, table, strict=True):
        assert bool(row["gold_documents"]) == (sample["twin"] != "removed")


def test_samples_without_twins_are_refused_with_the_way_to_make_them() -> None:
    turns = (Message("user", "Who?"), Message("assistant", "Ada"))
    with pytest.raises(UsageError, match="--twins removed,changed,decoy"):
        list(preference_rows(Conversation("x", turns)))
    assert list(preference_rows(Conversation("x", turns, {"wrong": []}))) == []


def test_wrong_guesses_without_a_context_are_rejected_beside_the_answer(run: Path, tmp_path: Path) -> None:
    table = datasets.load_dataset(str(run / "dataset"), "composer-chat-1k", split="train")
    first, second, third = [one for one in table if not one["twin"]][:3]

    def said(sample: dict, reply: str, score: float, condition: str = "closed") -> str:
        line = {"id": sample["pair_id"], "condition": condition, "reply": reply, "scores": {"f1": score}}
        return json.dumps(line)

    lines = [
        *(said(first, " Somebody else.\n", 0.0), said(second, "right", 1.0)),
        said(third, "with its context", 0.0, "full"),
    ]
    (tmp_path / "predictions.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    export(run, tmp_path / "plain.jsonl", format="preference")
    export(run, tmp_path / "rows.jsonl", format="preference", guesses=tmp_path)
    plain, rows = [
        [json.loads(line) for line in (tmp_path / name).read_text(encoding="utf-8").splitlines()]
        for name in ("plain.jsonl", "rows.jsonl")
    ]
    (more,) = [row for row in rows if row not in plain]
    assert len(rows) == len(plain) + 1 and more["rejected_source"] == "closed-book"
    assert more["id"] == f"{first['id']}-closed-book" and more["prompt"] == first["messages"][:1]
    assert more["rejected"][0]["content"] == "Somebody else." and not more["rejected_places"]
    with pytest.raises(UsageError, match="'messages' has no use for them"):
        export(run, tmp_path / "m.jsonl", format="messages", guesses=tmp_path)
    for text, message in (("{", "line 1 is no prediction"), (lines[1], "has no wrong answer")):
        (tmp_path / "bad.jsonl").write_text(text, encoding="utf-8")
        with pytest.raises(SourceError, match=message):
            export(run, tmp_path / "x.jsonl", format="preference", guesses=tmp_path / "bad.jsonl")
    with pytest.raises(SourceError, match="cannot be read"):
        export(run, tmp_path / "x.jsonl", format="preference", guesses=tmp_path / "none.jsonl")


def test_a_config_without_a_wrong_reply_leaves_no_file(run: Path, tmp_path: Path) -> None:
    plain = override(RunConfig(), {"out": str(tmp_path / "plain"), "generation.words": 100, "pairs.limit": 3})
    execute(override(plain, {"samples.lengths": ("512",)}), Quiet())
    with pytest.raises(UsageError, match="'composer-chat-512' has what the format 'preference'"):
        export(tmp_path / "plain", tmp_path / "rows.parquet", format="preference")
    assert not (tmp_path / "rows.parquet").exists()
