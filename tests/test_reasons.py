"""Reasons that a model writes: read, checked against the context, repaired, journaled, used by samples."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.openai_server import Asked, Reply, Server, serve

NAMES = ("Ida Holm", "Olaf Berg", "Runa Kvist", "Egil Storm", "Tove Lind", "Per Dahl")


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    path = tmp_path / "story_qa.jsonl"
    rows = [
        {"instruction": f"Who kept lighthouse {n} at Kelm?", "answer": name} for n, name in enumerate(NAMES)
    ]
    path.write_text("".join(json.dumps(one) + "\n" for one in rows))
    return path


def told(asked: Asked) -> tuple[str, str, str]:
    """The text, question and answer that a model was asked about."""
    text = "\n".join(one["content"] for one in asked.body["messages"])
    found = [
        re.search(rf"<{tag} (\w+)>\n(.*?)\n</{tag} \1>", text, re.S) for tag in ("text", "question", "answer")
    ]
    assert all(found)
    return tuple(one[2] for one in found)  # type: ignore[return-value, union-attr]


def good(asked: Asked) -> Reply:
    """Quotes the sentence that states the answer."""
    text, _, answer = told(asked)
    at = text.index(answer)
    start = max(text.rfind(mark, 0, at) for mark in (". ", "\n")) + 1
    end = text.index(".", at) + 1
    return Reply(f'Quote: "{text[start:end].strip()}"\nSo: it was {answer} who kept it\nAnswer: {answer}')


@pytest.fixture
def server(monkeypatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serve(good) as running:
        yield running


def rows_of(out: Path, config: str) -> list[dict[str, object]]:
    path = max((out / "dataset/data" / config).rglob("*.parquet"))
    found: list[dict[str, object]] = pq.read_table(path).to_pylist()
    return found


def asking(server: Server) -> tuple[str, ...]:
    return (
        *("--reasons", "model", "--reasons-engine", "openai", "--reasons-model", "tiny"),
        *("--reasons-option", f"base_url={server.url}"),
    )


def test_samples_reason_in_the_words_of_a_model(tmp_path: Path, command, server, pairs) -> None:
    out = tmp_path / "run"
    base = ("--pairs", pairs, "--out", out, "--words", "120", "--lengths", "1k", "--answers", "reasoned")
    done = command("run", *base, *asking(server))
    assert done.returncode == 0, done.stderr
    assert "reasons: 6 contexts of 6 with some" in done.stdout
    for row in rows_of(out, "composer"):
        (step,) = row["reasons"]
        assert row["context"][step["start"] : step["end"]] == step["quote"]
        assert row["answer"] in step["quote"] and row["answer"] in step["says"]
        assert row["reasons_model"] == "tiny"
    for row in rows_of(out, "composer-chat-1k"):
        asked, said = (turn["content"] for turn in row["messages"])
        (step,) = row["reasons"]
        quote = asked[step["start"] : step["end"]]
        assert f"“{quote}” {step['says']}\n\nAnswer: {row['answer']}" in said
        assert f"ocument {step['document']} " in said or f"ocument {step['document']}:" in said
        assert asked.rindex(f"Document [{step['document']}]:", 0, step["start"]) == asked.rindex(
            "Document [", 0, step["start"]
        )
    # What is there is not asked for again, and plain samples know nothing of it.
    count = len(server.asked)
    done = command("assemble", out, "--answers", "plain", "--lengths", "1k")
    assert done.returncode == 0, done.stderr
    assert len(server.asked) == count
    assert all(row["messages"][-1]["content"] == row["answer"] for row in rows_of(out, "composer-chat-1k"))
