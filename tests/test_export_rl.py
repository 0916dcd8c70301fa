"""Rows for reinforcement learning: complete, true to the samples, the same in both kinds of file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import datasets
import pytest

from builder.export.rl import COLUMNS, rl_row
from builder.export.source import Conversation
from builder.export.write import export
from synthesis.data import Message
from synthesis.errors import SourceError, UsageError
from synthesis.evaluation.rewards import answer_reward, citation_reward
from tests.jobs import Quiet


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from builder.job.execute import execute
    from synthesis.options import RunConfig, override

    out = tmp_path_factory.mktemp("rl") / "run"
    changes = {"out": str(out), "generation.words": 120, "samples.lengths": ("1k",), "pairs.limit": 40}
    execute(override(RunConfig(), changes), Quiet())
    return out


def test_rows_are_true_to_their_samples(run: Path, tmp_path: Path) -> None:
    for suffix in ("jsonl", "parquet"):
        export(run, tmp_path / f"rl.{suffix}", format="rl")
    rows = [json.loads(line) for line in (tmp_path / "rl.jsonl").read_text(encoding="utf-8").splitlines()]
    loaded = datasets.load_dataset("parquet", data_files=str(tmp_path / "rl.parquet"), split="train")
    assert loaded.to_list() == rows and list(rows[0]) == list(COLUMNS)
    samples = datasets.load_dataset(str(run / "dataset"), "composer-chat-1k", split="train")
    for row, sample in zip(rows, samples, strict=True):
        *before, last = sample["messages"]
        assert row["prompt"] == before and row["answer"] == last["content"]
        # Nothing that the model is shown is the answer as such: it is not in the conversation's turns.
        assert row["prompt"][-1]["role"] == "user"
        assert row["reward_model"] == {"style": "rule", "ground_truth": row["answer"]}
        assert row["gold_documents"] == [sample["pair_id"]]
        assert [sample["documents"][number - 1] for number in row["gold_numbers"]] == row["gold_documents"]
        content = before[-1]["content"]
        for piece, told in zip(row["evidence"], sample["evidence"], strict=True):
            assert content[piece["start"] : piece["end"]] == content[told["start"] : told["end"]]
        told = json.loads(row["info"])
        assert told == {name: row["extra_info"][name] for name in told} and told["checker"] == row["checker"]
        assert {name: row[name] for name in ("tokens", "budget", "depth", "task")} == {
            name: sample[name] for name in ("tokens", "budget", "depth", "task")
        }
    assert len({row["checker"] for row in rows}) >= 4
    # Who answers right and points to the right document gets everything, and another's answer nothing.
    columns = {name: [row[name] for row in rows] for name in COLUMNS}
    right = [f"Answer: {row['answer']} {row['gold_numbers']}" for row in rows]
    short = [n for n, row in enumerate(rows) if row["checker"] != "f1"]
    assert set(answer_reward([row["answer"] for row in rows], **columns)) == {1.0}
    assert [answer_reward(right, **columns)[n] for n in short] == [1.0] * len(short)
    assert set(citation_reward(right, **columns)) == {1.0}
    assert set(answer_reward(["Nobody knows [99]."] * len(rows), **columns)) < {
        0.0,
        *[n / 100 for n in range(9)],
    }
    assert set(citation_reward(["Nobody knows [99]."] * len(rows), **columns)) == {0.0}


def test_a_sample_of_others_has_what_can_be_known() -> None:
    turns = (Message("system", "Be brief."), Message("user", "Who?"), Message("assistant", "Ada"))
    row = rl_row(Conversation("x", turns, {"answers": ["Ada", "Ada Byron"], "task": None}))
    assert row["aliases"] == ["Ada Byron"] and row["data_source"] == "context-synthesis"
    assert [turn["role"] for turn in row["prompt"]] == ["system", "user"]
    assert row["gold_documents"] == row["gold_numbers"] == row["evidence"] == []
    with pytest.raises(UsageError, match="Sample x has an empty answer"):
        rl_row(Conversation("x", (*turns[:2], Message("assistant", " "))))


@pytest.mark.parametrize(
    "known", [{"twin": "removed"}, {"distractors": "same-task+abstain"}, {"twin": "changed"}, {}]
)
def test_where_a_refusal_is_right_it_is_checked_as_one(known: dict[str, str]) -> None:
    turns = (Message("user", "Who?"), Message("assistant", "These documents do not tell it."))
    row = rl_row(Conversation("x", turns, known))
    refuses = known not in ({}, {"twin": "changed"})
    assert (row["checker"] == row["answer_type"] == "refusal") is refuses
    assert (row["twin"], row["twin_of"], row["model"]) == (known.get("twin", ""), "", "")
    assert json.loads(row["info"])["checker"] == row["extra_info"]["checker"] == row["checker"]
    assert answer_reward(["The passages do not mention it."], [row["answer"]], [row["checker"]]) == [
        float(refuses)
    ]


def test_a_folder_of_prompts_alone_says_what_it_has(run: Path, tmp_path: Path) -> None:
    from builder.job.execute import reassemble
    from synthesis.options import load_config, override

    alone = tmp_path / "alone"
    shutil.copytree(run, alone)
    shutil.rmtree(alone / "dataset")
    changes = {"out": str(alone), "samples.kinds": ("rl",), "samples.lengths": ("1k",)}
    reassemble(override(load_config(run / "run.toml"), changes), Quiet())
    for config, told in ((None, "has no conversations with answers"), ("composer-rl-1k", "has no answers")):
        with pytest.raises(SourceError, match=f"{told}. 'composer-rl-1k' holds prompts.*--kind chat,rl"):
            export(alone, tmp_path / "none.jsonl", format="messages", config=config)


def test_a_config_of_a_folder_holds_what_an_export_writes(run: Path, tmp_path: Path) -> None:
    """Made beside the chat config, or alone; plain datasets opens it, show shows it, the card tells of it."""
    from builder.job.execute import reassemble
    from builder.report.showing import show
    from synthesis.options import load_config, override

    folder = run / "dataset"
    saved = load_config(run / "run.toml")
    before = {path: path.read_bytes() for path in folder.rglob("*.parquet")}
    for kinds, length in ((("chat", "rl"), "1k"), (("rl",), "2k")):
        config = override(
            saved, {"samples.kinds": kinds, "samples.lengths": (length,), "samples.answers": "cited"}
        )
        config = override(config, {"samples.answers": "plain"}) if length == "1k" else config
        made = {one.name: one for one in reassemble(config, Quiet()).dataset.configs}
        assert made[f"composer-rl-{length}"].kind == "rl" and made[f"composer-rl-{length}"].rows == 40
        assert (f"composer-chat-{length}" in made) == ("chat" in kinds)
        again = {one.name: one.built for one in reassemble(config, Quiet()).dataset.configs}
        assert not any(again.values())
    # What was there before is as it was.
    assert all(path.read_bytes() == content for path, content in before.items())
    export(run, tmp_path / "rl.jsonl", format="rl", config="composer-chat-1k")
    rows = [json.loads(line) for line in (tmp_path / "rl.jsonl").read_text(encoding="utf-8").splitlines()]
    loaded = datasets.load_dataset(str(folder), "composer-rl-1k", split="train")
    assert loaded.to_list() == rows
    alone = datasets.load_dataset(str(folder), "composer-rl-2k", split="train")
    assert [row["answer"] for row in alone] == [row["answer"] for row in rows]
    assert all("quote what shows it" in row["prompt"][0]["content"] for row in alone)
    shown = str(show(str(run), 3, config="composer-rl-1k"))
    assert f"[answer]\n{rows[3]['answer']}" in shown and "⟦" in shown and "checker" in shown
    assert "<|turn|>assistant" in str(show(str(run), 3, config="composer-rl-1k", rendered=True))
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "GRPOTrainer" in card and "**rl**" in card and "config_name: composer-rl-1k" in card
