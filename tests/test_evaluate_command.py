"""``evaluate`` as a command: what it writes, what it says, and how it goes on after ``kill -9``."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from builder.cli.main import app
from builder.folder.figures.style import key_of
from synthesis.evaluation.questions import ContextQuestion, Prediction, Variant
from synthesis.evaluation.results import Tally
from tests.openai_helpers import quick_and_clean  # noqa: F401 - a fixture for all tests
from tests.openai_server import Reply, serve
from tests.programs import running
from tests.test_evaluation import look_up, write_questions

ROOT = Path(__file__).parent.parent
ALL = ("--condition", "full,closed,oracle,none-evidence", "--lengths", "own,256", "--depth", "0,1")


def command(source, out, server, *more) -> list[str]:
    base = [
        "evaluate",
        "--questions",
        str(source),
        "--out",
        str(out),
        "--engine",
        "openai",
        "--model",
        "tiny",
    ]
    return [*base, "--option", f"base_url={server.url}", *more]


def call(source, out, server, *more, code=0) -> str:
    done = CliRunner().invoke(app, command(source, out, server, *more))
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture(autouse=True)
def key(monkeypatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")


def test_predictions_scores_table_and_figures(tmp_path) -> None:
    source, out = write_questions(tmp_path / "towns.jsonl"), tmp_path / "out"
    with serve(look_up) as server:
        told = call(source, out, server, *ALL)
        files = {
            name: (out / name).read_bytes() for name in ("predictions.jsonl", "scores.json", "scores.md")
        }
        count = len(server.asked)
        again = call(source, out, server, *ALL)
        assert len(server.asked) == count, "everything was answered"
    assert files == {name: (out / name).read_bytes() for name in files}
    assert "35 asked" in told and "0 asked" in again
    lines = [json.loads(line) for line in files["predictions.jsonl"].splitlines()]
    assert len(lines) == 8 * 5
    assert lines[0] == {
        "id": lines[0]["id"],
        "task": "towns",
        "condition": "full",
        "length": None,
        "depth": None,
        "stands_at": None,
        "reply": "Lisbon",
        "answers": ["Lisbon"],
        "scores": {"f1": 1.0, "exact-match": 1.0, "contains": 1.0},
        "finish_reason": "stop",
    }
    facts = json.loads(files["scores.json"])
    means = {
        (one["condition"], one["length"], one["depth"]): one["score"]["value"] for one in facts["conditions"]
    }
    assert means == {
        ("full", None, None): 1.0,
        ("full", 256, 0.0): 1.0,
        ("full", 256, 1.0): 1.0,
        ("none-evidence", None, None): 0.0,
        ("none-evidence", 256, 0.0): 0.0,
        ("none-evidence", 256, 1.0): 0.0,
        ("oracle", None, None): 1.0,
        ("closed", None, None): 0.0,
    }
    # Over the evidence alone, which is only located, it is asked the very same as over the context as it is.
    assert [one["value"] for one in facts["shares"]] == [1.0] * 2 + [0.0] * 3
    assert [one["length"] for one in facts["shares"]] == [256, 256, 0, 256, 256]
    assert "oracle: 5 questions asked over the whole context" in told
    assert [(one["length"], one["low"], one["mean"]) for one in facts["depths"]] == [
        (256, 0, 1.0),
        (256, 0.8, 1.0),
    ]
    assert "share of what the evidence gives" in told
    for name in ("conditions.png", "depth-by-length.png"):
        assert key_of(out / "figures" / name)


def test_what_is_known_of_the_scores_stands_beside_them(tmp_path) -> None:
    source, out = write_questions(tmp_path / "towns.jsonl"), tmp_path / "out"
    with source.open("a", encoding="utf-8") as file:
        file.write('{"context": "Nothing."}\n')
    with serve(look_up) as server:
        told = call(source, out, server)
        page = (out / "scores.md").read_text(encoding="utf-8")
        (note,) = (line for line in page.splitlines() if line.startswith("- "))
        assert "no questions: 1 row, the first: towns.jsonl:" in note and note[2:] in told
        assert sorted(path.name for path in (out / "answers").iterdir()) == ["replies.jsonl"]
        call(source, out, server)
    assert page == (out / "scores.md").read_text(encoding="utf-8")


def test_a_plan_asks_nothing_and_writes_nothing(tmp_path) -> None:
    source, out = write_questions(tmp_path / "towns.jsonl"), tmp_path / "out"
    with serve(look_up) as server:
        told = call(source, out, server, "--plan", "--price", "1,2", "--rate", "100", "--max-tokens", "10")
        assert not server.asked and not out.exists()
        call(source, out, server, "--max-tokens", "10", "--limit", "2", "--quiet")
        rest = call(source, out, server, "--plan", "--max-tokens", "10")
    assert "5 questions in the form 'table'" in told
    assert "prompts: 0 answered, 5 to ask" in told and "at most 50 out" in told and "time: at most" in told
    assert "prompts: 2 answered, 3 to ask" in rest


def test_killed_at_any_moment_it_asks_nothing_twice(tmp_path) -> None:
    source, out = write_questions(tmp_path / "towns.jsonl"), tmp_path / "out"
    reached, go_on = threading.Event(), threading.Event()

    def script(asked):
        if asked.number == 7:
            reached.set()
            return Reply(text="too late", until=go_on)
        return look_up(asked)

    options = ("--condition", "full,closed,none-evidence", "--option", "concurrency=1")
    with serve(script) as server:
        line = ("-m", "builder.cli", *command(source, out, server, *options))
        with running(*line, heard=False, OPENAI_API_KEY="none"):
            assert reached.wait(120), "the first process never came so far"
        go_on.set()
        call(source, out, server, *options)
        texts = [one.text for one in server.asked]
    assert len(texts) == 16, "seven replies were there, the eighth prompt alone is asked again"
    assert sorted(set(texts)) == sorted([*texts[:7], *texts[8:]])
    assert len((out / "predictions.jsonl").read_text().splitlines()) == 15


def test_a_budget_ends_it_and_a_higher_one_goes_on(tmp_path) -> None:
    source, out = write_questions(tmp_path / "towns.jsonl"), tmp_path / "out"
    with serve(lambda asked: Reply(text="Oslo")) as server:
        options = ("--option", "concurrency=1")
        told = call(source, out, server, *options, "--max-total-tokens", "80", code=1)
        assert len(server.asked) == 2 and "3 answers missing" in told
        call(source, out, server, *options, "--max-total-tokens", "800")
        assert len(server.asked) == 5


def test_what_is_in_the_way_is_left_alone(tmp_path) -> None:
    source, out = write_questions(tmp_path / "towns.jsonl"), tmp_path / "out"
    out.mkdir()
    (out / "thesis.tex").write_text("mine")
    with serve(look_up) as server:
        assert "thesis.tex" in call(source, out, server, code=2)
        assert "known: " in call(source, tmp_path / "o", server, "--form", "xyz", code=2)
        assert "was not found" in call(tmp_path / "none.jsonl", tmp_path / "o", server, code=2)
        assert "Known: question, context, answers" in call(
            source, tmp_path / "o", server, "--column", "no=x", code=2
        )
        assert "check --option" in call(source, tmp_path / "o", server, "--option", "no=1", code=2)
        assert not server.asked
    assert [one.name for one in out.iterdir()] == ["thesis.tex"] and not (tmp_path / "o").exists()


def test_a_dataset_of_several_configs_says_how_to_name_one(tmp_path) -> None:
    made = ["run", "--out", str(tmp_path / "run"), "--limit", "2", "--words", "60", "--lengths", "512,1k"]
    assert CliRunner().invoke(app, made).exit_code == 0
    with serve(look_up) as server:
        for more in ((), ("--pairs-config", "nosuch")):
            told = call(tmp_path / "run", tmp_path / "out", server, *more, code=2)
            assert "with --pairs-config: composer-chat-512, composer-chat-1k" in told


def test_questions_are_read_before_a_model_is_loaded(tmp_path) -> None:
    line = ["evaluate", "--questions", str(tmp_path / "none.jsonl"), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, [*line, "--engine", "vllm", "--model", "none/such"])
    assert done.exit_code == 2 and "none.jsonl was not found" in done.output


def tally(**columns: list[float]) -> Tally:
    """Scores of some questions by condition."""
    made = Tally()
    for condition, values in columns.items():
        for place, value in enumerate(values):
            question = ContextQuestion(context="c", instruction=f"{place}?", answers=("a",))
            variant = Variant(condition.replace("_", "-"))
            made.add(Prediction(question, variant, "a", scores={"f1": value}, place=place))
    return made


def test_the_share_is_of_what_the_evidence_gives() -> None:
    many = tally(full=[1, 0, 1, 1] * 25, oracle=[1, 1, 1, 1] * 25, closed=[0, 0, 1, 0] * 25)
    (share,) = many.shares()
    assert share.value == pytest.approx(0.5 / 0.75) and share.questions == 100
    assert share.low is not None and share.high is not None
    assert 0.5 < share.low < share.value < share.high < 0.8
    mean = many.mean(Variant("full"))
    assert mean is not None and mean.low < mean.value == 0.75 < mean.high


def test_there_is_no_share_of_nothing() -> None:
    (share,) = tally(full=[1, 0], oracle=[0, 0], closed=[0, 1]).shares()
    assert (share.value, share.low, share.high) == (None, None, None)
    (unsure,) = tally(full=[1, 0, 0, 0], oracle=[1, 0, 0, 0], closed=[0, 0, 0, 0]).shares()
    assert unsure.value == 1.0 and unsure.low is None, "a third of the samples are without evidence"
    assert tally(full=[1.0]).shares() == []


def test_a_share_leaves_out_what_is_asked_alike_over_the_evidence_alone() -> None:
    made = Tally()
    for name, score in (("full", 1.0), ("oracle", 1.0), ("closed", 0.0)):
        for place in range(4):
            # The evidence of the first two is only located.
            asked = f"{place}" if place < 2 and name != "closed" else f"{place} {name}"
            question = ContextQuestion(context="c", instruction=f"{place}?", answers=("a",))
            made.add(
                Prediction(question, Variant(name), "a", scores={"f1": score}, fingerprint=asked, place=place)
            )
    (share,) = made.shares()
    assert share.questions == 2 and made.shown_whole() == 2


def test_replies_that_were_cut_off_are_told_where_they_are_many(tmp_path) -> None:
    source = write_questions(tmp_path / "towns.jsonl")
    with serve(lambda asked: replace(look_up(asked), finish="length")) as server:
        told = call(source, tmp_path / "cut", server)
    assert "cut off at their longest: 5 of 5 replies" in told and "--max-tokens" in told
    with serve(look_up) as server:
        assert "cut off" not in call(source, tmp_path / "whole", server)


def test_only_questions_with_all_three_are_compared() -> None:
    made = tally(full=[1, 1, 0], oracle=[1, 1, 1], closed=[0, 0])
    (share,) = made.shares()
    assert share.questions == 2 and share.value == 1.0
