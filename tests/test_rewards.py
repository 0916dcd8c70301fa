"""Rewards: what is right however it is said, and what is wrong however close it looks."""

from __future__ import annotations

import pytest

from synthesis.assembly.twins.removing import REFUSALS
from synthesis.errors import ConfigError
from synthesis.evaluation.rewards import (
    CHECKERS,
    answer_reward,
    check,
    checker_for,
    citation_reward,
    cited,
    compute_score,
    final_answer,
)

TYPES = [
    ("Yes", "yes/no", "choice"),
    ("no.", "yes/no", "choice"),
    ("true", "yes/no", "choice"),
    ("oui", "yes/no", "exact"),
    ("1931", "number", "numeric"),
    ("3 May 1931", "number", "numeric"),
    ("about 12 km", "number", "numeric"),
    ("Ada Byron", "name", "exact"),
    ("red, green and blue", "list", "set"),
    ("because the mill had been sold to his cousin long before", "text", "f1"),
]


@pytest.mark.parametrize(("answer", "kind", "checker"), TYPES)
def test_an_answer_s_type_and_checker(answer: str, kind: str, checker: str) -> None:
    assert checker_for(answer) == (kind, checker)
    # Whatever the checker, the answer itself is right, led and thought of or not.
    for reply in (answer, f"<think>No, 7?</think>\nAnswer: {answer} [3]", f"So it is \\boxed{{{answer}}}"):
        assert check(checker, reply, [answer]) == 1.0


RIGHT = [
    ("choice", "Yes, both were.", "yes"),
    ("choice", "No", "no."),
    ("numeric", "It was on 3 May 1931.", "1931"),
    ("numeric", "1931-05-03", "May 3rd, 1931"),
    ("numeric", "a hundred and five", "105"),
    ("numeric", "2,500,000 kilometres", "2.5 million km"),
    ("exact", "The Ada Byron", "Ada Byron"),
    ("set", "blue, green and red", "red, green and blue"),
]
WRONG = [
    ("choice", "No, both were not.", "yes"),
    ("choice", "Yes or no?", "no"),
    ("choice", "Maybe", "yes"),
    ("numeric", "1931 or 1932", "1931"),
    ("numeric", "1931", "3 May 1931"),
    ("numeric", "4 May 1931", "3 May 1931"),
    ("numeric", "12 miles", "12 km"),
    ("numeric", "none", "12"),
    ("exact", "Ada Byron or Ben Byron", "Ada Byron"),
    ("exact", "", "Ada"),
    ("set", "yellow and black", "red, green and blue"),
]


@pytest.mark.parametrize(("checker", "reply", "answer"), RIGHT)
def test_right_is_right_however_it_is_said(checker: str, reply: str, answer: str) -> None:
    assert check(checker, reply, [answer]) == 1.0
    assert check(checker, reply, ["something else entirely", answer]) == 1.0


@pytest.mark.parametrize(("checker", "reply", "answer"), WRONG)
def test_wrong_is_wrong_however_close_it_looks(checker: str, reply: str, answer: str) -> None:
    assert check(checker, reply, [answer]) == 0.0


def test_some_of_a_list_is_some_of_the_reward() -> None:
    assert check("set", "blue and red", ["red, green and blue"]) == pytest.approx(0.8)
    assert 0 < check("f1", "the mill had been sold", ["because the mill had been sold long before"]) < 1


def test_a_tolerance_is_a_share_of_the_number() -> None:
    assert check("numeric", "104", ["100"], 0.05) == 1.0 and check("numeric", "106", ["100"], 0.05) == 0.0
    assert check("numeric", "104", ["100"]) == 0.0
    # A date is never nearly right.
    assert check("numeric", "4 May 1931", ["3 May 1931"], 0.5) == 0.0


def test_the_answer_of_a_reply() -> None:
    assert final_answer("Answer: Ben\nNo.\n**Answer:** Ada [2]\nBecause.") == "Ada"
    assert final_answer("<think>Answer: Ben</think>Ada") == "Ada"
    assert final_answer("First \\boxed{Ben}, then \\boxed{Ada}. Answer: Cleo") == "Ada"
    assert final_answer("  ") == ""


def test_as_trainers_call_it() -> None:
    turns = [[{"role": "assistant", "content": "Answer: Ada [2]"}], "Ben"]
    columns = {"answer": ["Ada", "Ada"], "checker": ["exact", "exact"], "prompt": ["?", "?"]}
    assert answer_reward(turns, **columns) == [1.0, 0.0]
    assert answer_reward(turns, **columns, aliases=[[], ["Ben"]], tolerance=[0.0, 0.0]) == [1.0, 1.0]
    with pytest.raises(ValueError, match="zip"):
        answer_reward(turns, answer=["Ada"], checker=["exact", "exact"])
    gold = [[2], [1]]
    assert citation_reward(turns, gold_numbers=gold) == [1.0, 0.0]
    assert citation_reward(["[1, 2] and document 7"], gold_numbers=[[2, 7]]) == [pytest.approx(0.8)]
    assert cited("<think>[9]</think> see [1; 2], Documents 3") == {1, 2, 3}
    assert compute_score("context-synthesis/x", "It was 1931.", "1931", None) == 1.0
    told = {"checker": "exact", "aliases": ["Ben"], "tolerance": None}
    assert compute_score("context-synthesis/x", "Ben", "Ada", told) == 1.0


def test_a_checker_that_is_not_there_is_named() -> None:
    with pytest.raises(
        ConfigError, match="no checker 'fuzzy'; choose one of: choice, numeric, set, exact, f1"
    ):
        check("fuzzy", "a", ["a"])
    assert all(check(name, "", ["a"]) == check(name, "a", []) == 0.0 for name in CHECKERS)


@pytest.mark.parametrize(
    "reply",
    [
        *REFUSALS,
        "Answer: I cannot determine that from the documents.",
        "The passages don’t mention her nickname.",
        "There is no information about this in the text.",
        "<think>Is it Bob?</think>Not enough information.",
        "It isn't stated.",
        "Unknown.",
    ],
)
def test_a_refusal_is_right_in_any_words(reply: str) -> None:
    """And needs no citation; an answer is wrong there, and so is one behind a refusal."""
    row = {"answer": ["The documents do not say."], "checker": ["refusal"]}
    assert answer_reward([reply], **row) == [1.0]
    assert citation_reward([reply], [[]], ["refusal"]) == [1.0]
    assert answer_reward([f"{reply} But it is probably Egypt."], **row) == [0.0]


@pytest.mark.parametrize(
    "reply",
    ["Egypt", "No", "yes", "", "1915", "The Georgia Peach\n\n[5] “She did not say so.”", "Not Ada: Ben"],
)
def test_an_answer_is_wrong_where_a_refusal_is_right(reply: str) -> None:
    assert check("refusal", reply, ["The documents do not say."]) == 0.0


def test_nothing_to_cite_is_told_from_unknown_evidence() -> None:
    assert citation_reward(["Egypt [2]"], [[]], ["refusal"]) == [0.0]
    assert citation_reward(["Egypt"], [[]], ["exact"]) == citation_reward(["Egypt"], [[]]) == [0.0]


def test_a_refusal_in_another_language_is_right_word_for_word() -> None:
    assert check("refusal", "Das steht nirgends.", ["Das steht nirgends"]) == 1.0
    assert check("refusal", "Oslo", ["Das steht nirgends"]) == 0.0
