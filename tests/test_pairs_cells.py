"""What stands in a cell is kept, spelled out or rejected with a reason: never dropped without a word."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from synthesis.data import Pair, Rejected
from synthesis.errors import SourceError
from synthesis.sources.pairs import read_pairs


def outcomes(folder: Path, *rows: object, **options: Any) -> list[Pair | Rejected]:
    path = folder / "data.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return list(read_pairs(path, **options))


def pairs_of(folder: Path, *rows: object, **options: Any) -> list[tuple[str, str]]:
    found = outcomes(folder, *rows, **options)
    assert [one for one in found if isinstance(one, Rejected)] == []
    return [(one.instruction, one.answer) for one in found if isinstance(one, Pair)]


def reason(folder: Path, row: object, **options: Any) -> str:
    good = {"instruction": "Is it?", "answer": "It is"}
    _, bad = outcomes(folder, good, row, **options)
    assert isinstance(bad, Rejected)
    return bad.reason


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (12, "12"),
        (4.5, "4.5"),
        (True, "yes"),
        (["one", 2, "three"], "one\n2\nthree"),
        ({"text": "inside"}, "inside"),
        (["", "two"], "two"),
    ],
)
def test_an_input_of_any_kind_is_kept(tmp_path: Path, given: object, text: str) -> None:
    row = {"instruction": "Do.", "input": given, "output": "a"}
    assert pairs_of(tmp_path, row) == [(f"Do.\n\n{text}", "a")]


@pytest.mark.parametrize("given", [None, "", [], [""], " "])
def test_an_empty_input_is_none(tmp_path: Path, given: object) -> None:
    assert pairs_of(tmp_path, {"instruction": "Do.", "input": given, "output": "a"}) == [("Do.", "a")]


@pytest.mark.parametrize(
    ("given", "said"), [({"a": 1}, "input is not text but an object"), ([["a"]], "a list of other lists")]
)
def test_an_input_that_is_no_text_is_a_reason(tmp_path: Path, given: object, said: str) -> None:
    assert said in reason(tmp_path, {"instruction": "Do.", "input": given, "output": "a"})


COLOURS = ["red", "green", "blue"]
ARC = {"text": COLOURS, "label": ["1", "2", "3"]}


@pytest.mark.parametrize(
    ("choices", "answer", "text", "first"),
    [
        (COLOURS, 1, "green", "A. red"),
        (COLOURS, "1", "green", "A. red"),
        (COLOURS, "C", "blue", "A. red"),
        (COLOURS, "(c)", "blue", "A. red"),
        (COLOURS, "b.", "green", "A. red"),
        (COLOURS, [2], "blue", "A. red"),
        (ARC, "3", "blue", "1. red"),
        (ARC, 1, "red", "1. red"),  # a label comes before a place
        ({"A": "red", "B": "green"}, "B", "green", "A. red"),
        (["4", "8", "1"], 1, "8", "A. 4"),  # a number beside texts is a place
        ([{"text": "red"}, {"text": "green"}], 0, "red", "A. red"),
    ],
)
@pytest.mark.parametrize("column", ["choices", "Options"])
def test_choices_are_spelled_out_for_an_answer_that_names_one(
    tmp_path: Path, column: str, choices: object, answer: object, text: str, first: str
) -> None:
    ((instruction, told),) = pairs_of(tmp_path, {"question": "Which?", column: choices, "answer": answer})
    assert told == text
    assert instruction.startswith(f"Which?\n\n{first}\n") and text in instruction


@pytest.mark.parametrize(
    ("choices", "answer"),
    [(COLOURS, "green"), (COLOURS, "A colour of grass"), ([3, 5, 7], 5), (["a"], "A"), ([], 1), ("red", 0)],
)
def test_an_answer_in_words_stays_as_it_is(tmp_path: Path, choices: object, answer: object) -> None:
    row = {"question": "Which?", "choices": choices, "answer": answer}
    assert pairs_of(tmp_path, row) == [("Which?", str(answer))]


@pytest.mark.parametrize(
    ("answer", "said"), [(3, "names none of the 3"), (-1, "names none"), ([0, 2], "names 2 choices")]
)
def test_a_choice_that_is_not_there_is_a_reason(tmp_path: Path, answer: object, said: str) -> None:
    assert said in reason(tmp_path, {"question": "Which?", "choices": COLOURS, "answer": answer})


def test_labels_of_a_table_come_out_as_names(tmp_path: Path) -> None:
    from datasets import ClassLabel, Dataset, Features, Value

    features = Features({"question": Value("string"), "answer": ClassLabel(names=["red", "green"])})
    rows = {"question": ["q1", "q2", "q3"], "answer": [0, 1, -1]}
    Dataset.from_dict(rows, features=features).to_parquet(tmp_path / "train.parquet")
    (tmp_path / "README.md").write_text(
        "---\nconfigs:\n- config_name: default\n  data_files: train.parquet\n---\n"
    )
    for source in (tmp_path / "train.parquet", tmp_path):  # ours, and through datasets
        first, second, third = read_pairs(source)
        assert isinstance(first, Pair) and isinstance(second, Pair) and isinstance(third, Rejected)
        assert (first.answer, second.answer) == ("red", "green")
        assert third.reason == "answer is missing (null)"


def test_what_remains_of_a_cell_stands_in_the_metadata(tmp_path: Path) -> None:
    squad = {"text": ["a", "b"], "answer_start": [3, 9]}
    found = outcomes(
        tmp_path,
        {"question": "q1", "answers": squad},
        {"question": "q2", "answers": ["a", "b", 2.5]},
        {"question": {"text": "q3", "lang": "en"}, "answer": "a"},
        {"question": "q4", "answers": ["a"]},
    )
    kept = [dict(pair.metadata) for pair in found if isinstance(pair, Pair)]
    assert json.loads(kept[0].pop("answers")) == {"text": ["b"], "answer_start": [3, 9]}
    assert json.loads(kept[1].pop("answers")) == ["b", 2.5]
    assert json.loads(kept[2].pop("question")) == {"lang": "en"}
    assert kept == [{}, {}, {}, {}]


def chat(*said: object) -> list[dict[str, object]]:
    return [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(said)]


@pytest.mark.parametrize(
    "content",
    [
        [{"type": "text", "text": "r?"}],
        [{"type": "text", "value": "r?"}],
        [{"type": "text", "content": "r?"}],
        [{"type": "text", "text": {"value": "r?", "annotations": []}}],
        [{"type": "input_text", "text": "r?"}],
        [{"type": "text", "text": "r"}, {"type": "text", "value": "?"}],
        ["r", "?"],
        {"type": "text", "text": "r?"},
    ],
)
def test_parts_of_a_turn_are_text_however_written(tmp_path: Path, content: object) -> None:
    assert pairs_of(tmp_path, {"messages": chat(content, "a")}) == [("r?", "a")]


@pytest.mark.parametrize("content", [[], None, 5, [{"type": "image_url", "text": "x"}], [{"type": "text"}]])
def test_parts_that_are_no_text_are_a_reason(tmp_path: Path, content: object) -> None:
    assert reason(tmp_path, {"messages": chat(content, "a")}) == "chat turn has content that is not text"


LONG = chat("q1", "a1", "q2", "a2", "q3", "a3")


@pytest.mark.parametrize(
    ("turns", "wanted"),
    [
        ("first", [("q1", "a1")]),
        ("last", [("q3", "a3")]),
        ("every", [("q1", "a1"), ("q2", "a2"), ("q3", "a3")]),
    ],
)
@pytest.mark.parametrize(
    "row",
    [
        {"messages": LONG},
        {"messages": [{"role": "system", "content": "Be brief."}, *LONG]},
        {"messages": [*LONG, {"role": "user", "content": "q4"}]},  # nobody answered that one
        {"prompt": LONG[:-1], "completion": LONG[-1:]},
        {"instruction": "q3", "output": "a3", "history": [["q1", "a1"], ["q2", "a2"]]},
    ],
)
def test_exchanges_of_a_chat_can_be_taken(
    tmp_path: Path, row: dict[str, Any], turns: str, wanted: list[tuple[str, str]]
) -> None:
    assert "history" in row or "turns (user" in reason(tmp_path, row)
    assert pairs_of(tmp_path, row, turns=turns) == wanted


def test_of_every_exchange_each_has_its_own_outcome(tmp_path: Path) -> None:
    row = {"nr": 7, "messages": chat("q1", "a1", "q2", "", "q1", "a1", "q3", "a3")}
    found = outcomes(tmp_path, row, turns="every", columns={"id": "nr"})
    assert [one.id if isinstance(one, Pair) else one.reason for one in found] == [
        "7-1",
        "answer is empty",
        "7-4",
    ]


@pytest.mark.parametrize(
    ("history", "said"),
    [([["q", "a"]], "has a history of 1 exchange"), ("earlier", "not a list"), ([["q"]], "of two texts")],
)
def test_a_history_is_not_dropped(tmp_path: Path, history: object, said: str) -> None:
    assert said in reason(tmp_path, {"instruction": "q", "output": "a", "history": history})


@pytest.mark.parametrize("history", [None, [], ""])
def test_an_empty_history_is_none(tmp_path: Path, history: object) -> None:
    assert pairs_of(tmp_path, {"instruction": "q", "output": "a", "history": history}) == [("q", "a")]


@pytest.mark.parametrize("completion", [chat("", "a")[1:], "a", 5])
def test_a_prompt_of_turns_is_a_chat(tmp_path: Path, completion: object) -> None:
    prompt = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "q"}]
    (pair,) = outcomes(tmp_path, {"id": "x", "prompt": prompt, "completion": completion})
    assert isinstance(pair, Pair)
    assert (pair.instruction, pair.answer) == ("q", "5" if completion == 5 else "a")
    assert pair.metadata == {"system": "Be brief.", "id": "x"}


def test_a_wrong_choice_of_turns_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="--turns 'all' is not known.*one, first, last or every"):
        outcomes(tmp_path, {"messages": LONG}, turns="all")
