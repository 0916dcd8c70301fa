"""docs/extending.md is followed to the letter in a copy of the project, and what it adds is there."""

from __future__ import annotations

import inspect
import json
import re
import shutil
import textwrap
from pathlib import Path

import pytest

from tests import test_engine_serving
from tests.programs import run_python
from tests.real_texts import OWN

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")


def edits() -> list[tuple[str, str, str]]:
    """Of each diff of the page: the file, the lines as they are, and as they shall be."""
    found = []
    for indent, block in re.findall(r"^( *)```diff\n(.*?)^ *```", PAGE, re.MULTILINE | re.DOTALL):
        first, *lines = [line.removeprefix(indent) for line in block.splitlines()]
        old = "".join(f"{line[1:]}\n" for line in lines if line[:1] != "+")
        new = "".join(f"{line[1:]}\n" for line in lines if line[:1] != "-")
        found.append((first.removeprefix("+++ "), old, new))
    return found


@pytest.fixture(scope="module")
def extended(tmp_path_factory) -> Path:
    """A copy of the project in which all of the page has been done."""
    copy = tmp_path_factory.mktemp("extended")
    for name in ("synthesis", "builder", "examples", "scripts"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dataset_card.md", "pyproject.toml"):
        shutil.copy(ROOT / name, copy)
    for name, old, new in edits():
        path = copy / name
        before = path.read_text("utf-8") if path.exists() else ""
        assert before.count(old) == 1 if old else not before, (
            f"docs/extending.md no longer fits {name}:\n{old}"
        )
        path.write_text(before.replace(old, new) if old else new, encoding="utf-8")
    banks = copy / "synthesis" / "engines" / "composer" / "banks"
    shutil.copy(banks / "story.txt", banks / "letters.txt")
    # "In seventy lines": what stands between the two marks of that test.
    source = inspect.getsource(test_engine_serving)
    head = source[source.index("import itertools") : source.index("from tests.engine_contract")]
    engine = source[source.index("FINISH = ") : source.index("# ---- a server of that protocol")]
    (copy / "synthesis" / "engines" / "anthropic.py").write_text(
        "from __future__ import annotations\n" + head.replace("import pytest\n", "") + engine,
        encoding="utf-8",
    )
    return copy


def run(copy: Path, *arguments: object) -> str:
    """What a command of the copy prints."""
    done = run_python(*arguments, folder=copy, PYTHONPATH=str(copy), HF_HUB_OFFLINE="1", COLUMNS="200")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def made(extended) -> Path:
    """A run of the copy: pairs of a task that wants the new genre, and the new distractors."""
    small = ("--limit", "24", "--words", "120", "--lengths", "1k", "--task", "letter_qa")
    out = extended / "run"
    run(
        extended,
        "-m",
        "builder.cli",
        "run",
        "--pairs",
        OWN,
        "--out",
        out,
        *small,
        "--distractors",
        "semantic",
    )
    return out


def rows(out: Path, config: str) -> list[dict[str, object]]:
    import pyarrow.parquet as pq

    (path,) = (out / "dataset" / "data" / config).rglob("*.parquet")
    found: list[dict[str, object]] = pq.read_table(path).to_pylist()
    return found


def test_the_page_is_about_six_things() -> None:
    assert len(re.findall(r"^## ", PAGE, re.MULTILINE)) == 6
    assert len(edits()) >= 10


def test_an_engine(extended) -> None:
    code = """
        from synthesis.engines import engine_names, make_engine
        assert "anthropic" in engine_names()
        made = make_engine("anthropic", "some-model", base_url="http://127.0.0.1:9/v1")
        print(made.name, made.model)
        """
    assert run(extended, "-c", textwrap.dedent(code)).split() == ["messages", "some-model"]


def test_a_way_to_choose_distractors(extended, made) -> None:
    samples = rows(made, "composer-chat-1k")
    assert {row["distractors"] for row in samples} == {"semantic"}
    assert all(len(row["documents"]) > 1 for row in samples)  # type: ignore[arg-type]
    code = """
        from synthesis import Context, Pair, assemble
        said = ["The harbour lights were lit. ", "The harbour light was lit. ", "Xyloquip zzyzx. "]
        pairs = [Pair(instruction=f"Who was number {n}?", answer=f"Keeper {n} Holm") for n in range(3)]
        items = [(pair, Context(pair.id, text * 30)) for pair, text in zip(pairs, said)]
        first, *_ = assemble(items, 300, distractors="semantic", depth="start")
        print(pairs[1].id in first.documents, pairs[2].id in first.documents)
        """
    assert run(extended, "-c", textwrap.dedent(code)).split() == ["True", "False"]


def test_a_genre(extended, made) -> None:
    assert {row["task"] for row in rows(made, "composer")} == {"letter_qa"}
    asked = rows(made, "composer-chat-1k")[0]["messages"][0]["content"]  # type: ignore[index]
    assert asked.startswith("Here are some letters.")
    code = (
        "from synthesis.engines.composer import compose\nprint(compose('Who came?', 'Ada', genre='letters'))"
    )
    assert "Ada" in run(extended, "-c", code)


def test_a_column(made) -> None:
    found = rows(made, "composer")
    assert all(0 < row["variety"] <= 1 for row in found)  # type: ignore[operator]
    assert "| `variety` | double | different words" in (made / "dataset" / "README.md").read_text("utf-8")


def test_a_format(extended, made, tmp_path) -> None:
    target = tmp_path / "rows.jsonl"
    run(
        extended,
        "-m",
        "builder.cli",
        "export",
        made,
        target,
        "--format",
        "alpaca",
        "--config",
        "composer-chat-1k",
    )
    lines = [json.loads(line) for line in target.read_text("utf-8").splitlines()]
    assert len(lines) == len(rows(made, "composer-chat-1k"))
    assert all(set(line) == {"id", "instruction", "output"} for line in lines)


def test_a_benchmark_and_a_metric(extended, tmp_path) -> None:
    row = {"tale": "Ann hid a coin.", "ask": "What is hidden?", "word": "coin"}
    (tmp_path / "hard.jsonl").write_text(f"{json.dumps(row)}\n{json.dumps({'tale': 'x'})}\n")
    code = f"""
        from pathlib import Path
        from synthesis.evaluation.forms import form_of
        from synthesis.evaluation.metrics import score
        from synthesis.evaluation.questions import Prediction, QuestionSource, Variant
        source = QuestionSource({str(tmp_path)!r})
        form = form_of(source)
        one, bad = form.read(source)
        said = Prediction(one, Variant("full"), "A coin.")
        (path,) = form.write(Path({str(tmp_path / "out")!r}), "m", [said])
        print(form.name, one.id, bad.pair_id, score(one.metric, "A coin.", one.answers), path.read_text())
        """
    told = run(extended, "-c", textwrap.dedent(code)).split(maxsplit=4)
    assert told[:4] == ["riddles", "hard-1", "hard.jsonl:2", "1.0"]
    assert json.loads(told[4]) == {"hard-1": "A coin."}
