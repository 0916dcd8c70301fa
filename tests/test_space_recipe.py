"""The way out of the page: code, a command line and records that give the very same text."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from space import handlers
from space.making import engines, models, recipe
from space.making.inputs import read_inputs
from space.making.results import as_record, chat_record, json_text
from tests.space_requests import ASKED, at_once, moments  # noqa: F401 - a fixture for all tests

ROOT = Path(__file__).parent.parent


REQUESTS = [
    {"length": "500w"},
    {"length": "500w", "mode": "needle", "seed": 5, "task": "generic"},
    {"length": "4k", "depth": 0.3},
    {"length": "4k", "distractors": "random", "seed": 2},
    {"length": "4k", "distractors": "none"},
    {
        "length": "4k",
        "instruction": 'Which "mark\'s" \\n {x} $HOME `ls` is meant? \u00e9\u6771',
        "answer": "it's 'so'",
    },
]


@pytest.mark.parametrize("changes", REQUESTS, ids=lambda changes: "-".join(map(str, changes.values()))[:20])
def test_the_code_gives_the_very_text(changes, tmp_path, monkeypatch, capsys) -> None:
    result = moments(**changes)[-1].result
    monkeypatch.chdir(tmp_path)
    exec(compile(recipe.python_code(result.inputs), "page", "exec"), {})
    assert capsys.readouterr().out == result.text + "\n"


@pytest.mark.parametrize("changes", [REQUESTS[1], REQUESTS[5]], ids=["context", "hostile"])
def test_the_command_line_gives_the_very_text(changes, tmp_path) -> None:
    result = moments(**changes)[-1].result
    scripts = str(Path(sys.executable).parent)
    done = subprocess.run(
        ["sh", "-e"],
        input=recipe.command_line(result.inputs),
        cwd=tmp_path,
        env={
            **os.environ,
            "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "HF_HUB_OFFLINE": "1",
        },
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    made = tmp_path / "runs" / "from-the-page"
    journal = "\n".join(path.read_text(encoding="utf-8") for path in (made / "journal").glob("*.jsonl"))
    lines = [json.loads(line) for line in journal.splitlines() if line]
    assert any(result.context.text in value for line in lines for value in strings(line))
    if result.sample is not None:
        import datasets

        name = f"composer-chat-{result.inputs.length}"
        rows = datasets.load_dataset(
            str(made / "dataset"), name, split="train", cache_dir=str(tmp_path / "cache")
        )
        assert result.text in [row["messages"][0]["content"] for row in rows]


def strings(value: object) -> list[str]:
    """All texts inside a JSON value."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for part in inner for text in strings(part)]


def test_code_for_a_model_names_the_variable_and_not_the_key() -> None:
    inputs = models.settled_model(
        read_inputs(**ASKED, engine="providers", template="{instruction} {answer} {words}")
    )
    for text in (recipe.python_code(inputs), recipe.command_line(inputs)):
        assert "HF_TOKEN" in text and engines.PROVIDERS_URL in text and engines.PROVIDERS_MODEL in text
        assert "my_template.txt" in text
    compile(recipe.python_code(inputs), "page", "exec")


def test_records_hold_what_was_shown() -> None:
    result = moments(length="4k")[-1].result
    record = json.loads(json_text(as_record(result)))
    assert record["sample"]["messages"][0]["content"] == result.text
    assert record["sample"]["messages"][1] == {"role": "assistant", "content": ASKED["answer"]}
    place = record["evidence"][0]
    assert "Ilse Brandt" in record["context"][place["start"] : place["end"]]
    alone = chat_record(moments(length="500w")[-1].result)
    assert alone["messages"][0]["content"].count(ASKED["instruction"]) == 1
    assert json_text({"x": "\ud800"}).encode("utf-8")


def test_the_opening_sample_is_worth_opening_with() -> None:
    opening = handlers.opening()
    assert opening.verdict.coherence.overall > 0.9
    assert len(opening.evidence) >= 3 and opening.sample.tokens >= 0.995 * 8192
