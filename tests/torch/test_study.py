"""The study: its numbers against transformers' own, its resuming, and a toy where contexts must teach."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from examples.study import table
from examples.study.arms import Turn
from examples.study.jobs import Job, jobs_of, run_job, run_jobs
from examples.study.marks import contains, exact, f1
from examples.study.plan import Arm, Plan
from examples.study.tuning import Model
from scripts.small_model import FOLDER
from tests.real_model import real_model

NAMES = ["Ada", "Ben", "Cleo", "Dora", "Emil", "Fay", "Gus", "Hal"]
COLOURS = ["red", "blue", "green", "yellow", "white", "black", "brown", "grey"]
THINGS = ["teapot", "flowerpot", "saddle", "violin", "boot", "lantern", "clock", "basket"]
PLACES = ["Rome", "Oslo", "Bern", "Lima", "Kyiv", "Cork"]


@pytest.fixture
def questions(tmp_path: Path) -> str:
    """A file of 12 questions, each with a context that answers it."""
    draw = random.Random(1)
    rows = []
    for number in range(12):
        name, place = f"{draw.choice(NAMES)} {number}", draw.choice(PLACES)
        context = f"Many people travelled. {name} lives in {place}. Others stayed where they were."
        rows.append({"instruction": f"Where does {name} live?", "answer": place, "context": context})
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return f"toy={file}"


def test_likelihoods_and_answers_are_transformers_own(random_model: Path) -> None:
    turns = [
        Turn(str(number), "word " * (5 + 9 * number) + "Who?", answer)
        for number, answer in enumerate(["Ada", "Ben and Cleo", "nobody at all", "x"])
    ]
    model = Model(random_model, 0)
    nll, written = model.nll(turns), model.write(turns, 8)
    plain = AutoModelForCausalLM.from_pretrained(random_model, dtype=torch.float32)
    words = AutoTokenizer.from_pretrained(random_model)
    for row in model.encode(turns):
        ids = torch.tensor([row.prompt + row.answer])
        with torch.inference_mode():
            logits = plain(ids).logits[0, len(row.prompt) - 1 : -1]
            loss = torch.nn.functional.cross_entropy(logits, torch.tensor(row.answer)).item()
            prompt = torch.tensor([row.prompt])
            told = plain.generate(
                prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=8, do_sample=False
            )
        # Where the processor multiplies in bfloat16, a batch differs from a row in the third digit.
        assert nll[row.id] == pytest.approx(loss, rel=2e-2 if model.fast else 1e-4)
        if not model.fast:
            own = words.decode(told[0, len(row.prompt) :], skip_special_tokens=True).strip()
            assert written[row.id] == own


def test_what_is_done_is_not_done_again(
    random_model: Path, questions: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arms = (Arm("none", "none"), Arm("alone", "pairs"), Arm("people", "human"))
    plan = Plan(
        arms, tests=("own",), written=("own",), seeds=1, baseline="alone", ceiling="people", epochs=1, batch=4
    )
    jobs = jobs_of(plan, tmp_path / "out", random_model, [questions])
    table.remember(tmp_path / "out", plan)
    assert len(jobs) == 6
    run_job(jobs[0])
    before = jobs[0].file.read_bytes()
    lines: list[str] = []
    assert run_jobs(jobs, 1, float("inf"), lines.append)
    assert len(lines) == 5 and jobs[0].file.read_bytes() == before
    # Each question was tested once an arm, by a model that had not seen it.
    for arm in arms:
        tested = [job for job in table.read_jobs(tmp_path / "out") if job["arm"] == arm.name]
        assert (
            sum(len(job["rows"]) for job in tested)
            == 12
            == len({id_ for job in tested for id_ in job["rows"]})
        )
    again = Job(*jobs[1][:1], tmp_path / "again", *jobs[1][2:])
    run_job(again)
    first, second = (json.loads(job.file.read_text()) for job in (jobs[1], again))
    assert first["rows"] == second["rows"] and first["loss"] == second["loss"]
    told = table.markdown(tmp_path / "out")
    assert "| people |" in told and "Against alone" in told and "100%" in told
    with pytest.raises(SystemExit, match="another plan"):
        table.remember(tmp_path / "out", Plan(arms, seeds=2))


def test_contexts_teach_what_pairs_alone_cannot(tmp_path: Path) -> None:
    """Invented people and places: only a model that reads its context can know the answers held out."""
    draw = random.Random(7)
    rows = []
    for number in range(32):
        name = f"{draw.choice(NAMES)} {draw.choice(['Brandt', 'Moreau', 'Okafor', 'Lind', 'Sato'])} {number}"
        answer = f"the {draw.choice(COLOURS)} {draw.choice(THINGS)}"
        told = f"Nobody in {draw.choice(PLACES)} knew {name} well. {name} hid the key in {answer}, and left."
        context = f"It rained all day. {told} The neighbours kept a {draw.choice(COLOURS)} dog."
        rows.append({"instruction": f"Where did {name} hide the key?", "answer": answer, "context": context})
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    arms = (Arm("alone", "pairs"), Arm("composer", "composer", words=50), Arm("people", "human"))
    plan = Plan(arms, ("own",), (), seeds=1, held=1, baseline="alone", ceiling="people", epochs=2, batch=4)
    out = tmp_path / "out"
    for job in jobs_of(plan, out, real_model(FOLDER), [f"toy={file}"]):
        run_job(job)
    found = table.values(table.read_jobs(out), "NLL own")
    assert len(found["people"]) == 16
    for arm in ("people", "composer"):
        gain = table.difference(found[arm], found["alone"])
        assert gain.high < -0.1, (arm, gain)


def test_the_interval_is_of_paired_differences() -> None:
    draw = random.Random(0)
    hard = {str(number): draw.random() for number in range(200)}
    base = {id_: [value, value] for id_, value in hard.items()}
    better = {id_: [value + 0.1 + draw.gauss(0, 0.01)] * 2 for id_, value in hard.items()}
    found = table.difference(better, base)
    # Questions differ by far more than the arms do; paired, that does not blur the difference.
    assert 0.09 < found.low < found.mean < found.high < 0.11
    assert table.difference(base, base) == table.Difference(0, 0, 0)


def test_marks_are_those_of_question_answering() -> None:
    assert f1("the Rome Opera", ["Rome"]) == pytest.approx(2 / 3)
    assert f1("Oslo", ["Rome", "Oslo"]) == exact("oslo.", ["Oslo"]) == 1
    assert f1("", ["Rome"]) == exact("Bern", ["Rome"]) == 0
    assert contains("It is in Rome, they say", ["Rome"]) == 1
