"""The study: its numbers against transformers' own, its resuming, and a toy where contexts must teach."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from builder.job.execute import execute
from examples.study import figure, results, table
from examples.study.arms import training_turns
from examples.study.jobs import Job, jobs_of, run_job, run_jobs
from examples.study.passages import needle, shortened
from examples.study.plan import Arm, Plan, read_plan
from examples.study.questions import Question, read_questions
from examples.study.traits import COLUMNS, traits
from examples.study.tuning import Model
from examples.study.turns import Turn
from scripts.small_model import FOLDER
from synthesis.data import Pair
from synthesis.options import from_dict
from synthesis.tokens import load_tokenizer
from tests.jobs import Quiet
from tests.real_model import real_model

ROOT = Path(__file__).parents[2]
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
    replies, likelihoods = model.ask(turns, 8), model.ask(turns)
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
        for told_ in (replies, likelihoods):
            assert told_[row.id].nll == pytest.approx(loss, rel=2e-2 if model.fast else 1e-4)
        if not model.fast:
            own = words.decode(told[0, len(row.prompt) :], skip_special_tokens=True).strip()
            assert replies[row.id].written == own


def test_what_is_done_is_not_done_again(random_model: Path, questions: str, tmp_path: Path) -> None:
    arms = (Arm("none", "none"), Arm("alone", "pairs"), Arm("people", "human"))
    plan = Plan(
        arms, tests=("own",), written=("own",), seeds=1, baseline="alone", ceiling="people", epochs=1, batch=4
    )
    jobs = jobs_of(plan, tmp_path / "out", random_model, [questions])
    results.remember(tmp_path / "out", plan)
    assert len(jobs) == 6
    run_job(jobs[0])
    before = jobs[0].file.read_bytes()
    lines: list[str] = []
    assert run_jobs(jobs, 1, float("inf"), lines.append)
    assert len(lines) == 5 and jobs[0].file.read_bytes() == before
    # Each question was tested once an arm, by a model that had not seen it.
    for arm in arms:
        tested = [job for job in results.read_jobs(tmp_path / "out") if job["arm"] == arm.name]
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
    assert "| people |" in told and "Against alone" in told
    more = replace(plan, arms=(*arms, Arm("composer", "composer")))
    results.remember(tmp_path / "out", more)  # arms may come later, and are not forgotten
    results.remember(tmp_path / "out", plan)
    # A folder of a study by an earlier version, whose arms could not say all that they can now.
    file = tmp_path / "out" / "plan.json"
    earlier = json.loads(file.read_text())
    del earlier["asks"]
    for one in earlier["arms"]:
        del one["questions"], one["tasks"]
    file.write_text(json.dumps(earlier), encoding="utf-8")
    results.remember(tmp_path / "out", plan)
    assert [arm["name"] for arm in results.read_plan_of(tmp_path / "out")["arms"]][-1] == "composer"
    with pytest.raises(SystemExit, match="another plan"):
        results.remember(tmp_path / "out", Plan(arms, seeds=2))


def test_a_study_that_was_killed_gives_the_same_table(
    random_model: Path, questions: str, tmp_path: Path
) -> None:
    plan = tmp_path / "plan.toml"
    arms = [("none", "none"), ("alone", "pairs"), ("composer", "composer"), ("people", "human")]
    told = ['tests = ["closed", "needle", "own"]', 'written = ["own"]', "seeds = 1", "epochs = 1"]
    told += ['baseline = "alone"', 'ceiling = "people"', 'parting = "rows"', "asked = 5"]
    told += [f'[[arms]]\nname = "{name}"\ncontexts = "{contexts}"\nwords = 60' for name, contexts in arms]
    plan.write_text("\n".join(told), encoding="utf-8")

    def command(out: Path) -> list[str]:
        given = ["--plan", str(plan), "--model", str(random_model), "--questions", questions]
        return [sys.executable, "-m", "examples.study", str(out), *given]

    killed, whole = tmp_path / "killed", tmp_path / "whole"
    begun = subprocess.Popen(command(killed), cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL)
    until = time.monotonic() + 240
    while not list((killed / "jobs").glob("*.json")):
        assert begun.poll() is None and time.monotonic() < until
        time.sleep(0.05)
    os.killpg(begun.pid, signal.SIGKILL)
    begun.wait()
    before = {path.name: path.read_bytes() for path in (killed / "jobs").glob("*.json")}
    assert before and len(before) < 8
    tables = []
    for out in (killed, whole):
        done = subprocess.run(command(out), cwd=ROOT, capture_output=True, text=True, timeout=280)
        assert done.returncode == 0, done.stderr
        tables.append(done.stdout[done.stdout.index("| arm |") :])
    assert tables[0] == tables[1] and "| people |" in tables[0]
    after = {path.name: path.read_bytes() for path in (killed / "jobs").glob("*.json")}
    assert len(after) == 8 and before.items() <= after.items()


def test_contexts_teach_what_pairs_alone_cannot(tmp_path: Path) -> None:
    """Invented people and places: only a model that reads its context can know the answers held out."""
    draw = random.Random(7)
    rows = []
    for number in range(24):
        name = f"{draw.choice(NAMES)} {draw.choice(['Brandt', 'Moreau', 'Okafor', 'Lind', 'Sato'])} {number}"
        answer = f"the {draw.choice(COLOURS)} {draw.choice(THINGS)}"
        told = f"Nobody in {draw.choice(PLACES)} knew {name} well. {name} hid the key in {answer}, and left."
        context = f"It rained all day. {told} The neighbours kept a {draw.choice(COLOURS)} dog."
        rows.append({"instruction": f"Where did {name} hide the key?", "answer": answer, "context": context})
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    arms = (Arm("alone", "pairs"), Arm("composer", "composer", words=50), Arm("people", "human"))
    plan = Plan(arms, ("own",), (), seeds=1, held=1, baseline="alone", ceiling="people", epochs=1, batch=3)
    plan = replace(plan, learning_rate=1e-4)
    out = tmp_path / "out"
    for job in jobs_of(plan, out, real_model(FOLDER), [f"toy={file}"]):
        run_job(job)
    found = results.values(results.read_jobs(out), "NLL own")
    assert len(found["people"]) == 12
    for arm in ("people", "composer"):
        gain = results.difference(found[arm], found["alone"])
        assert gain.high < -0.1, (arm, gain)
    results.remember(out, plan)
    assert "100% [100%, 100%]" in table.markdown(out)
    for path in figure.draw(out, tmp_path / "picture"):
        drawn = path.read_text("utf-8")
        assert "<svg" in drawn and all(f"<!-- {arm.name} -->" in drawn for arm in arms)


def test_a_share_of_what_may_be_chance_is_not_told() -> None:
    draw = random.Random(3)
    base = {str(number): {0: draw.random()} for number in range(60)}
    top = {id_: {0: one[0] + 0.4} for id_, one in base.items()}
    half = {id_: {0: one[0] + 0.2} for id_, one in base.items()}
    told = results.share(half, base, top)
    assert told and told.mean == pytest.approx(0.5) and told.low == pytest.approx(told.high)
    noise = {id_: {0: one[0] + draw.gauss(0, 0.5)} for id_, one in base.items()}
    assert results.share(half, base, {**base, "0": noise["0"]}) is None


def test_passages_that_carry_the_evidence_are_kept() -> None:
    carry = ["Lost Film\nLost Film was directed by Ann Ortiz.", "Ann Ortiz\nAnn Ortiz was born in Lima."]
    others = [f"Film {n}\nFilm {n} was directed by somebody in {PLACES[n]}." for n in range(3)]
    context = "\n\n".join([others[0], carry[1], others[1], carry[0], others[2]])
    question = "Where was the director of Lost Film born?"
    assert needle(context, question, ["Lima"]) == "\n\n".join([carry[1], carry[0]])
    short = shortened(context, question, ["Lima"], 30)
    assert all(one in short for one in carry) and 16 < len(short.split()) <= 30
    assert shortened("One passage about Lima.", question, ["Lima"], 3) == "One passage about Lima."


def test_the_interval_is_of_paired_differences() -> None:
    draw = random.Random(0)
    hard = {str(number): draw.random() for number in range(200)}
    base = {id_: {0: value, 1: value} for id_, value in hard.items()}
    better = {id_: dict.fromkeys((0, 1), value + 0.1 + draw.gauss(0, 0.01)) for id_, value in hard.items()}
    found = results.difference(better, base)
    # Questions differ by far more than the arms do; paired, that does not blur the difference.
    assert 0.09 < found.low < found.mean < found.high < 0.11
    assert results.difference(base, base) == results.Interval(0, 0, 0)
    # Of a seed that only one of them has done, nothing is compared.
    ahead = {id_: one | {2: 9.0} for id_, one in better.items()} | {"another": {0: 9.0}}
    assert results.difference(ahead, base) == results.difference(better, base)


@pytest.mark.parametrize(
    "file", sorted((ROOT / "examples" / "study").glob("*.toml")), ids=lambda path: path.stem
)
def test_plans_say_what_the_composer_and_the_assembly_know(file: Path, tmp_path: Path) -> None:
    """Each arm of the plans makes samples: options that nothing reads would fail here, not on a GPU."""
    plan = read_plan(file)
    rows = [
        {"instruction": f"Where was the director of Film {n} born?", "answer": PLACES[n], "task": "hotpotqa"}
        for n in range(6)
    ]
    asked = [
        Question(
            Pair(instruction=row["instruction"], answer=row["answer"], task=row["task"]),
            (row["answer"],),
            f"Film {n}\nFilm {n} is by Ann {n}.\n\nAnn {n}\nShe was born in {row['answer']}.",
        )
        for n, row in enumerate(rows)
    ]
    tokenizer = load_tokenizer()
    for arm in plan.arms:
        if arm.contexts != "none":
            epochs = arm.epochs or plan.epochs
            lists = training_turns(arm, asked, 0, tokenizer, epochs)
            # An epoch has a conversation for each question, whatever it is, unless all are asked for.
            assert len(lists) == epochs, arm.name
            assert {len(one) for one in lists} == {len(asked)} or arm.each == "all", arm.name
            made = [turn for one in lists for turn in one]
            assert arm.contexts == "pairs" or all(len(turn.user.split()) > 15 for turn in made), arm.name
        told = traits(arm, asked)
        assert not told if arm.contexts in ("none", "pairs") else len(told) == len(COLUMNS), arm.name
    assert plan.baseline != plan.ceiling


def test_an_arm_may_be_tuned_on_other_questions_than_are_asked(
    random_model: Path, questions: str, tmp_path: Path
) -> None:
    arms = (Arm("alone", "pairs"), Arm("others", "human", tasks=("other",)))
    plan = Plan(
        arms, tests=("own",), written=(), seeds=1, folds=2, baseline="alone", epochs=1, asks=("toy",), held=1
    )
    other = tmp_path / "other.jsonl"
    row = {"instruction": "Which is the colour of the boot?", "answer": "red", "context": "The boot is red."}
    other.write_text("".join(json.dumps(row | {"id": str(number)}) + "\n" for number in range(4)), "utf-8")
    jobs = jobs_of(plan, tmp_path / "out", random_model, [questions, f"other={other}"])
    for job in jobs:
        run_job(job)
    alone, others = (json.loads(job.file.read_text()) for job in jobs)
    assert alone["rows"].keys() == others["rows"].keys() and len(alone["rows"]) == 6
    assert alone["tokens"] > others["tokens"] and (alone["steps"], others["steps"]) == (1, 1)
    assert others["samples"] == 1, others  # one question, four times
    with pytest.raises(SystemExit, match="'nowhere'; there are other, toy"):
        run_job(jobs[0]._replace(arm=Arm("x", "pairs", tasks=("nowhere",))))


def test_further_arms_of_a_plan_are_of_one_study(tmp_path: Path) -> None:
    plans = [read_plan(ROOT / "examples" / "study" / name) for name in ("gpu.toml", "gpu-more.toml")]
    for plan in plans:  # in the same folder, which refuses another study
        results.remember(tmp_path, plan)
    names = [arm["name"] for arm in results.read_plan_of(tmp_path)["arms"]]
    assert names[: len(plans[0].arms)] == [arm.name for arm in plans[0].arms]
    assert set(names) == {arm.name for plan in plans for arm in plan.arms}
    assert len({arm.name for arm in plans[1].arms} & {arm.name for arm in plans[0].arms}) == 2


def test_what_a_study_lacks_is_said_at_once(random_model: Path, tmp_path: Path) -> None:
    plan, rows, bad = ROOT / "examples/study/cpu.toml", tmp_path / "rows.jsonl", tmp_path / "bad.toml"
    rows.write_text('{"instruction": "Who?", "answer": "Ada"}\n', encoding="utf-8")
    bad.write_text("[[arms]]\ncontexts = 'none'\n", encoding="utf-8")
    usual = ("--plan", plan, "--model", random_model, "--questions")
    for given, message in (
        (("--figure", "x"), "holds no study"),
        (("--plan", tmp_path / "no.toml", "--model", random_model, "--questions", "q=r"), "cannot be read"),
        (("--plan", bad, "--model", random_model, "--questions", "q=r"), "missing .* 'name'"),
        (("--plan", plan, "--model", tmp_path, "--questions", "q=r"), "no folder of a transformers model"),
        ((*usual, "q=nowhere.jsonl"), "nowhere.jsonl is no file"),
        ((*usual, f"q={rows}"), "row 1 has no context"),
        ((*usual, f"q={rows}", "--only", "("), "no pattern"),
    ):
        said = subprocess.run(
            [sys.executable, "-m", "examples.study", str(tmp_path / "out"), *map(str, given)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert said.returncode and "Traceback" not in said.stderr, said.stderr
        assert re.search(message, said.stderr), said.stderr
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ("each = 'some'", "write one or all"),
        ("twin_share = 1.5", "from 0 to 1"),
        ("twins = 2", "twins, which"),
    ],
)
def test_what_an_arm_cannot_be_is_said(told: str, message: str, tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    arms = [f"[[arms]]\nname = '{name}'\ncontexts = 'pairs'\n" for name in ("pairs alone", "human")]
    plan.write_text("".join(arms), encoding="utf-8")
    assert len(read_plan(plan).arms) == 2
    plan.write_text("".join([*arms, told]), encoding="utf-8")
    with pytest.raises(SystemExit, match=message):
        read_plan(plan)


def test_contexts_of_a_run_are_an_arm(questions: str, tmp_path: Path) -> None:
    asked = read_questions(questions)
    pairs = tmp_path / "toy.jsonl"
    rows = [{"instruction": one.pair.instruction, "answer": one.pair.answer} for one in asked[:8]]
    pairs.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    given = {"out": str(tmp_path / "run"), "pairs": {"source": str(pairs)}, "generation": {"words": 60}}
    execute(from_dict(given), Quiet())
    (made,) = training_turns(Arm("run", str(tmp_path / "run")), asked, 0, load_tokenizer())
    (composed,) = training_turns(Arm("own", "composer", words=60), asked[:8], 0, load_tokenizer())
    assert [(turn.id, turn.user) for turn in made] == [(turn.id, turn.user) for turn in composed]
    with pytest.raises(SystemExit, match="its ids are others"):
        training_turns(Arm("run", str(tmp_path / "run")), asked[8:], 0, load_tokenizer())


def test_epochs_take_samples_of_their_own_in_turn(
    random_model: Path, questions: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, tokenizer = read_questions(questions)[:4], load_tokenizer()
    arm = Arm("fresh", "composer", words=60, fresh=2, epochs=3)
    first, second, third = training_turns(arm, asked, 0, tokenizer, 3)
    assert third == first and [turn.id for turn in first] == [turn.id for turn in second]
    assert all(
        one.user != two.user and one.answer == two.answer for one, two in zip(first, second, strict=True)
    )
    (alone,) = training_turns(replace(arm, fresh=1), asked, 0, tokenizer)
    assert alone == first
    seen: list[list[str]] = []
    losses = Model._losses
    monkeypatch.setattr(
        Model, "_losses", lambda own, rows: (seen.append([row.id for row in rows]), losses(own, rows))[1]
    )
    plan = Plan((arm,), tests=(), written=(), seeds=1, folds=2, held=1, epochs=1, batch=8)
    (job,) = jobs_of(plan, tmp_path / "out", random_model, [questions])
    run_job(job)
    assert len(seen) == 3 and len(set(map(len, seen))) == 1  # three epochs, of one batch each
    told = json.loads(job.file.read_text())
    assert (told["samples"], told["steps"], told["kinds"]) == (12, 3, {"sample": 18})  # six pairs, twice


def test_a_question_and_its_twins_take_turns(questions: str) -> None:
    asked, tokenizer = read_questions(questions), load_tokenizer()
    arm = Arm("twins", "composer", words=120, samples={"twins": "changed,decoy"})
    both = replace(arm, samples={"twins": "changed"})
    (everything,) = training_turns(replace(arm, each="all"), asked, 0, tokenizer)
    answers = {one.pair.id: one.pair.answer for one in asked}
    twins = {turn for turn in everything if turn.kind}
    assert {turn.kind for turn in twins} == {"changed", "decoy"} and len(everything) == 12 + len(twins)
    for turn in everything:
        assert (turn.answer == answers[turn.id]) == (not turn.kind) and turn.answer in turn.user
    epochs = training_turns(both, asked, 0, tokenizer, 2)
    having = {turn.id for turn in twins if turn.kind == "changed"}
    first, second = ({turn.id for turn in one if turn.kind} for one in epochs)
    # As many steps as without twins; who was asked by its twin is now asked by its sample, and the other way.
    assert [len(one) for one in epochs] == [12, 12] and not first & second and first | second == having
    assert abs(len(first) - len(second)) <= 2
    seldom = training_turns(replace(both, twin_share=0.25), asked, 0, tokenizer, 4)
    assert Counter(turn.id for one in seldom for turn in one if turn.kind) == dict.fromkeys(having, 1)
    three = training_turns(arm, asked, 0, tokenizer, 3)
    for id_ in {turn.id for turn in twins if turn.kind == "decoy"} & having:
        assert {turn.kind for one in three for turn in one if turn.id == id_} == {"", "changed", "decoy"}


def test_what_else_a_context_is_asked_takes_its_share_of_an_epoch(questions: str) -> None:
    asked, tokenizer = read_questions(questions), load_tokenizer()
    arm = Arm("questions", "composer", words=200, questions=0.5)
    epochs = training_turns(arm, asked, 0, tokenizer, 2)
    (plain,) = training_turns(replace(arm, questions=0), asked, 0, tokenizer)
    contexts = {turn.id: turn.user.rpartition("\n\n")[0] for turn in plain}
    instructions = {one.pair.instruction for one in asked}
    for one in epochs:
        assert len(one) == 12 and 5 <= sum(turn.kind == "question" for turn in one) <= 7
        for turn in one:
            context, _, question = turn.user.rpartition("\n\n")
            assert context == contexts[turn.id]
            assert any(each in question for each in instructions) == (not turn.kind)
    times = Counter(turn.id for one in epochs for turn in one if not turn.kind)
    assert times == {one.pair.id: 1 for one in asked}  # each once in two epochs


def test_traits_tell_a_copied_question_from_evidence_told_apart() -> None:
    question = Question(
        Pair(instruction="Which town in Peru was Ann Ortiz born in?", answer="Lima"),
        ("Lima",),
        "In 1931 Ben Sato left Oslo. Lima, where he had met Ann Ortiz, was her birthplace. He went to Bern.",
    )
    copied = Arm("copied", "human")
    apart = [float(cell) for cell in traits(copied, [question])]
    told = (
        "The town in Peru was Ann Ortiz born in is Lima. It rained all day and all night, as it had before."
    )
    again = replace(question, human=told)
    near = [float(cell) for cell in traits(copied, [again])]
    assert apart[0] > near[0] and apart[1] > 0 == near[1] and apart[2] == near[2] == 1
    assert apart[3] < 0.5 < 0.8 < near[3] and apart[4] < 0.4 < 0.6 < near[4]
    assert apart[5] == near[5] == 1 == near[7] == apart[7] and near[6] > 0 < apart[6]
    missed = replace(
        question, human=f"{question.human} Ben Sato was born in a town in Peru, as Ann Ortiz knew."
    )
    more = [float(cell) for cell in traits(copied, [missed])]
    assert more[7] == 0 and more[6] > 1.2 * apart[6]  # nearer to the question, and not the answer
