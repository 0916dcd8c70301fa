"""Ordinary pairs, each in a form of its own: a manual, a lesson, a phrase book, a repository's notes."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest
from datasets import load_dataset
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from builder.cli.main import app
from synthesis.coherence import score_context
from synthesis.data import Context, Pair
from synthesis.engines.composer import compose
from synthesis.engines.composer.forms.choose import tell
from synthesis.engines.composer.reading.kinds import read_ordinary
from synthesis.tasks import TASKS

_FILE = Path(__file__).parent / "data" / "everyday.jsonl"
EVERYDAY = [json.loads(line) for line in _FILE.read_text(encoding="utf-8").splitlines()]
ENGLISH = [pair for pair in EVERYDAY if pair["kind"] != "other"]
IDS = [pair["instruction"][:40] for pair in ENGLISH]
#: What an answer told as a clause of the question must not become.
NONSENSE = (
    "What 17 is",
    " is * ",
    "What is on record is this",
    ",,",
    ". .",
    "..,",
    "\x01",
    "to put to ",
)


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize(
    "pair", [one for one in ENGLISH if one["set"] != "held"], ids=lambda one: one["instruction"][:40]
)
def test_the_kind_of_a_pair_is_told_by_its_form(pair) -> None:
    kind = read_ordinary(pair["instruction"], pair["answer"]).kind
    # A definition is an explanation, and some questions of each kind are stated well as they are.
    assert kind in ({"definition": "explain"}.get(pair["kind"], pair["kind"]), "question")


@pytest.mark.parametrize("question", [
    ("Who wrote the hymn that Nina Sayers sang?", "Arvid Holm"),
    ("Which film came out first, The Long Quay or Salt Road?", "Salt Road"),
    ("Are both villages in the same country?", "no"),
    ("What is a summary of the government report?", "The agency spent more than it had. " * 20),
    ("Name the capital of Peru.", "Lima"),
])  # fmt: skip
def test_questions_keep_their_usual_statements(question) -> None:
    assert tell(*question, random.Random(0), random.Random(0)) is None


@pytest.mark.parametrize("pair", ENGLISH, ids=IDS)
def test_an_ordinary_answer_stands_in_its_form_line_for_line(pair) -> None:
    for words in (120, 400):
        draft = compose(pair["instruction"], pair["answer"], words=words, seed=3)
        again = compose(pair["instruction"], pair["answer"], words=words, seed=3)
        assert draft == again
        told = "\n".join(draft.text[one.start : one.end] for one in draft.evidence)
        if draft.form not in ("", "quoted"):
            # Each line as it is; a sentence of a longer line may have been told by itself.
            at = 0
            for line in lines(pair["answer"]):
                for word in line.split():
                    at = told.index(word, at) + len(word)
            assert all(one.start < one.end <= len(draft.text) for one in draft.evidence)
        assert not [mark for mark in NONSENSE if mark in told.replace(pair["answer"], "")]
        count = len(draft.text.split())
        assert count <= words * 1.03 + 1 or count <= len(told.split()) + 40
        assert count >= words * 0.97 - 1


@pytest.mark.parametrize(
    "pair", [one for one in ENGLISH if one["kind"] == "code"], ids=lambda one: one["instruction"]
)
def test_code_keeps_its_lines_in_a_block(pair) -> None:
    draft = compose(pair["instruction"], pair["answer"], words=300)
    assert pair["answer"] in draft.text
    assert draft.form == "repository"


def test_a_list_is_told_item_by_item_with_other_work_between() -> None:
    answer = (
        "1. Fill the pan.\n2. Light the stove and wait for the steam.\n"
        "3. Put in the rice and a spoon of salt.\n4. Stir it once and cover it well."
    )
    draft = compose("How do I cook rice?", answer, words=900)
    assert len(draft.evidence) == 4
    assert all("cooking rice" in draft.text[one.start : one.end] for one in draft.evidence)
    between = draft.text[draft.evidence[0].end : draft.evidence[-1].start]
    assert "the handbook" in between.casefold()


def test_the_sums_around_a_sum_are_right_and_are_others() -> None:
    draft = compose("What is 17 * 23?", "391", words=3000)
    found = draft.text.splitlines()
    sums = [
        (a, b, int(found[at + 1]))
        for at, line in enumerate(found[:-1])
        for a, star, b in [line.partition(" * ")]
        if star and found[at + 1].isdigit()
    ]
    figures = [(int(a.split()[-1]), int(b.split()[0].strip(",")), made) for a, b, made in sums]
    assert len(figures) > 2
    assert all(a * b == made for a, b, made in figures)
    assert [(a, b) for a, b, made in figures if made == 391] == [(17, 23)]


@pytest.mark.parametrize(
    ("instruction", "answer"),
    [
        ("Кто написал роман?", "Лев Толстой"),
        ("Qual è la capitale d'Italia?", "Roma"),
        ("How come?", "Nobody ever said."),
    ],
)
def test_what_no_form_fits_is_quoted_and_said_to_need_a_model(instruction: str, answer: str) -> None:
    draft = compose(instruction, answer, words=200)
    told = " ".join(draft.text[one.start : one.end] for one in draft.evidence)
    assert draft.form == "quoted"
    assert answer.rstrip(".") in told
    assert instruction.rstrip("?") in told


def test_a_plan_counts_the_pairs_that_need_a_model(tmp_path) -> None:
    pairs = tmp_path / "pairs.jsonl"
    rows = [
        ("Кто написал роман?", "Лев Толстой"),
        ("Who wrote the hymn?", "Arvid Holm"),
        ("What is 2 + 5?", "7"),
    ]
    lines = [json.dumps({"instruction": question, "answer": answer}) for question, answer in rows]
    pairs.write_text("\n".join(lines), encoding="utf-8")
    done = CliRunner().invoke(app, ["plan", "--pairs", str(pairs), "--out", str(tmp_path / "run")])
    assert done.exit_code == 0, done.output
    assert "1 pair is of a kind that needs a model" in " ".join(done.output.split())


@pytest.mark.parametrize("telling", ["narrative", "entries"])
def test_a_plan_says_of_every_genre_what_the_run_then_does(tmp_path, telling) -> None:
    pairs = tmp_path / "pairs.jsonl"
    asked = [("Кто написал роман?", "Лев Толстой"), ("Who wrote the hymn?", "Arvid Holm")]
    rows = [
        {"task": task.name, "instruction": f"{question} {task.name}", "answer": answer}
        for task in TASKS
        for question, answer in asked
    ]
    pairs.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    out, small = tmp_path / "run", ["--words", "60", "--lengths", "1k", "--seed", "7"]
    given = ["--pairs", str(pairs), "--out", str(out), *small, "--option", f"telling={telling}"]
    plan = CliRunner().invoke(app, ["plan", *given])
    assert CliRunner().invoke(app, ["run", *given]).exit_code == 0
    forms = load_dataset(str(out / "dataset"), "composer", split="train")["form"]
    quoted = list(forms).count("quoted")
    assert quoted >= len(TASKS) and len(forms) == len(rows)
    assert f"{quoted} pairs are of a kind that needs a model" in " ".join(plan.output.split())


def test_a_plan_says_how_many_words_long_summaries_take(tmp_path) -> None:
    told = [
        json.loads(line) for line in Path("examples/pairs.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    rows = [row for row in told if row["task"] == "news_summary"] + told[:3]
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    def said(words: int) -> str:
        given = ["plan", "--pairs", str(pairs), "--out", str(tmp_path / "run"), "--words", str(words)]
        done = CliRunner().invoke(app, given)
        assert done.exit_code == 0, done.output
        return " ".join(done.output.split())

    found = re.search(
        r"([\d,]+) pairs have answers too long for contexts.* about --words ([\d,]+)", said(200)
    )
    assert found is not None and int(found[1]) == len(rows) - 3
    enough = int(found[2].replace(",", ""))
    assert "too long for contexts" not in said(enough)
    for row in rows[:-3]:
        text = compose(row["instruction"], row["answer"], words=enough, genre="news").text
        pair = Pair(instruction=row["instruction"], answer=row["answer"])
        assert "pasted answer" not in [
            leak.kind for leak in score_context(pair, Context(pair.id, text)).leaks
        ]


def test_code_is_no_pasted_summary_and_prose_still_is() -> None:
    checks = "".join(f"    check_{n}(rows, limit=10 + {n})\n" for n in range(12))
    code = f"def total(rows):\n{checks}    return rows\n"
    prose = "The barge was late on Monday. The crew had slept in the mill. Nobody paid for lost grain. "
    for answer, pasted in (
        (code, False),
        (prose + "A new captain came aboard in May. The old one bought the mill and its pond.", True),
    ):
        text = f"It was a wet year in the valley, and the book shows it.\n\n{answer}\n\nThe rest is lost."
        pair = Pair(instruction="What does the book show of the wet year?", answer=answer)
        leaks = score_context(pair, Context(pair.id, text)).leaks
        assert ("pasted answer" in [leak.kind for leak in leaks]) == pasted


def test_what_one_hand_wrote_keeps_its_name_and_the_form_is_introduced() -> None:
    body = "The gate is broken again. The dog has left through it twice. Please send the smith."
    answer = f"Dear Ms Hale,\n\n{body}\n\nYours,\nA. Roe"
    draft = compose("Write a letter about a broken gate.", answer, words=1500, seed=2)
    assert draft.form == "letters"
    assert "letter book" in draft.text[: draft.evidence[-1].start]
    told = " ".join(draft.text[one.start : one.end] for one in draft.evidence)
    assert len(set(re.findall(r"(\w+)(?:'s draft| sat down)", told))) <= 1


HEADS = ("Write ", "How do I ", "Sort as a or b: ", "Translate ", "Solve ", "What is ", "Wie ", "请", "")
ODD = ["2 + 2", ": x", "“a”", "'b c'", "`f(x)`", "\n- a\n- b", "a, b, c"]
PARTS = st.one_of(st.text(max_size=40), st.sampled_from(ODD))


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(HEADS), PARTS, PARTS, PARTS)
def test_any_ordinary_pair_is_served(head: str, first: str, second: str, answer: str) -> None:
    draft = compose(f"{head}{first} {second}", answer, words=60)
    assert draft.text
    told = "".join(draft.text[one.start : one.end] for one in draft.evidence)
    if draft.form not in ("", "steps") and answer.isascii() and answer.isalnum():
        assert answer in told
