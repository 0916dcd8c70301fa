"""A benchmark from its files to what its scorer reads, by the command and a server on loopback."""

from __future__ import annotations

import json

from tests.openai_helpers import quick_and_clean  # noqa: F401 - a fixture for all tests
from tests.openai_server import Asked, Reply, serve
from tests.test_benchmarks import RULER, SCROLLS, lines, longbench, rows_of


def answer(asked: Asked) -> Reply:
    return Reply(text="<think>Who?</think>\nAnn did.\nSo it was Bob." if "Ann" in asked.text else "Bob")


def test_longbench_by_the_command(tmp_path, command) -> None:
    base = tmp_path / "LongBench"
    lines(
        base / "data/hotpotqa.jsonl", [longbench(), longbench(_id="a2", context="x " * 3000), {"input": "?"}]
    )
    lines(base / "data/triviaqa_e.jsonl", [longbench(_id="e1")])
    lines(base / "data/lcc.jsonl", [longbench("lcc")])
    prompts = tmp_path / "prompts.json"
    prompts.write_text('{"hotpotqa": "Read {context} and say: {input}"}')
    out = tmp_path / "out"
    with serve(answer) as server:
        options = ("--questions", base, "--engine", "openai", "--model", "org/tiny", "--out", out)
        where = ("--option", f"base_url={server.url}", "--condition", "full,closed", "--window", "500")
        of_it = ("--tasks", "hotpotqa,triviaqa_e", "--prompts", prompts)
        done = command("evaluate", *options, *where, *of_it)
    assert done.returncode == 0, done.stderr
    assert "wording of 2 questions: prompts.json" in done.stdout
    assert "wording of 1 question: our own" in done.stdout
    assert "no questions: 1 row, the first: data/hotpotqa.jsonl:3: " in done.stdout
    sent = {asked.text for asked in server.asked}
    assert {"Read Ann did. and say: Who?", "Read  and say: Who?"} <= sent
    (cut,) = [text for text in sent if text.startswith("Read x x")]
    assert cut.endswith("x x  and say: Who?") and len(cut) < 3000, "cut in the middle"

    written = out / "predictions"
    assert rows_of(written / "full/pred/tiny/hotpotqa.jsonl") == [
        {"pred": "Ann did.\nSo it was Bob.", "answers": ["Ann"], "all_classes": None, "length": 3},
        {"pred": "Bob", "answers": ["Ann"], "all_classes": None, "length": 3},
    ]
    assert rows_of(written / "closed/pred_e/tiny/triviaqa.jsonl")[0]["pred"] == "Bob"
    facts = json.loads((out / "scores.json").read_text())
    tasks = facts["conditions"][0]["tasks"]
    assert facts["form"] == "longbench"
    # Of "Ann did" for "Ann": one of two words. The second line counts in neither: F1 of hotpotqa takes it.
    assert tasks["triviaqa_e"]["value"] == round(2 / 3, 4)
    assert tasks["hotpotqa"]["value"] == round((2 * (1 / 6) / (1 / 6 + 1)) / 2, 4)


def test_hidden_answers_are_written_and_not_scored(tmp_path, command) -> None:
    for task in ("qasper", "quality"):
        lines(tmp_path / f"zs/{task}/test.jsonl", [SCROLLS | {"output": None}])
    with serve(answer) as server:
        options = (
            "--questions",
            tmp_path / "zs",
            "--engine",
            "openai",
            "--model",
            "m",
            "--out",
            tmp_path / "o",
        )
        done = command("evaluate", *options, "--option", f"base_url={server.url}")
    assert done.returncode == 0, done.stderr
    assert "without a score, as the answer is kept hidden: 2 questions" in done.stdout
    told = json.loads((tmp_path / "o/scores.json").read_text())["conditions"][0]
    assert (told["questions"], told["failed"], told["score"], told["tasks"]) == (2, 0, None, {})
    said = json.loads((tmp_path / "o/predictions/full/m/preds_quality.json").read_text())
    assert said == {"q1": "Ann did.\nSo it was Bob."}


def test_rulers_needles_are_told_by_depth_and_length(tmp_path, command) -> None:
    for length, place in ((4096, 100), (8192, 7000)):
        row = RULER | {"length": length - 40, "token_position_answer": place}
        lines(tmp_path / f"ruler/{length}/niah_single_1/validation.jsonl", [row])
    options = ("--questions", tmp_path / "ruler", "--model", "m", "--out", tmp_path / "o", "--condition")
    with serve(lambda asked: Reply(text="7" if "It is 7" in asked.text else "?")) as server:
        engine = ("--engine", "openai", "--option", f"base_url={server.url}")
        done = command("evaluate", *options, "full,oracle,none-evidence", *engine)
    assert done.returncode == 0, done.stderr
    facts = json.loads((tmp_path / "o/scores.json").read_text())
    scores = {one["condition"]: one["score"]["value"] for one in facts["conditions"]}
    assert scores == {"full": 1.0, "oracle": 1.0, "none-evidence": 0.0}
    assert [(one["length"], one["low"], one["mean"]) for one in facts["depths"]] == [
        (4096, 0, 1),
        (8192, 0.8, 1),
    ]
    assert (tmp_path / "o/predictions/full/m/8192/pred/niah_single_1.jsonl").exists()
