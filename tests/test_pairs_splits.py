"""Folders with files of several splits: what is read and what is left out, as ``datasets`` has it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthesis.errors import SourceError
from synthesis.sources.pairs import describe_source, read_pairs
from synthesis.sources.splits import splits_of, tell_files


def fill(folder: Path, *names: str) -> Path:
    """A file of one pair each, whose answer is the file's name."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"question": f"Where is {name}?", "answer": name}) + "\n", "utf-8")
    return folder


def read(folder: Path, split: str = "train", **options: str) -> set[str]:
    return {pair.answer for pair in read_pairs(folder, split=split, **options)}


@pytest.mark.parametrize(
    ("names", "train"),
    [
        (("train.jsonl", "test.jsonl"), {"train.jsonl"}),
        (("train.jsonl", "dev.jsonl", "notes.jsonl"), {"train.jsonl"}),
        (("Train.jsonl", "TEST.jsonl"), {"Train.jsonl"}),
        (("train/a.jsonl", "test/a.jsonl"), {"train/a.jsonl"}),
        (("my-train/a.jsonl", "my-eval-2/a.jsonl", "b.jsonl"), {"my-train/a.jsonl"}),
        (("qa_train_0.jsonl", "qa_validation_0.jsonl"), {"qa_train_0.jsonl"}),
        (("train/test.jsonl", "test/train.jsonl"), {"train/test.jsonl"}),  # folders come before files
        (("a.jsonl", "trains.jsonl", "contest.jsonl"), {"a.jsonl", "trains.jsonl", "contest.jsonl"}),
        (("data/train-00000-of-00001.jsonl", "data/test-00000-of-00001.jsonl", "x.jsonl"), None),
        (("data/extra-00000-of-00001.jsonl", "data/train-00000-of-00001.jsonl"), None),
        (("train.jsonl", "__MACOSX/train.jsonl"), {"train.jsonl"}),
    ],
)
def test_only_train_is_read_of_a_folder(
    tmp_path: Path, names: tuple[str, ...], train: set[str] | None
) -> None:
    wanted = train or {"data/train-00000-of-00001.jsonl"}
    assert read(fill(tmp_path, *names)) == wanted


def test_the_other_splits_can_be_asked_for_and_what_is_left_out_is_told(tmp_path: Path) -> None:
    folder = fill(tmp_path, "train.jsonl", "test.jsonl", "val.jsonl", "notes.jsonl")
    assert read(folder, "test") == {"test.jsonl"}
    assert read(folder, "validation") == {"val.jsonl"}
    found = describe_source(folder, split="test")
    assert [Path(one["path"]).name for one in found["files"]] == ["test.jsonl"]
    assert found["left_out"] == {"notes.jsonl": "", "train.jsonl": "train", "val.jsonl": "validation"}
    told = tell_files(found)
    assert (
        "test.jsonl; left out" in told and "notes.jsonl, train.jsonl (train), val.jsonl (validation)" in told
    )
    assert tell_files(describe_source(folder / "test.jsonl")) == ""


@pytest.mark.parametrize(
    ("names", "split", "said"),
    [
        (
            ("test.jsonl", "bees.jsonl"),
            "train",
            r"test: test\.jsonl; without .*: bees\.jsonl.*split test",
        ),
        (("train.jsonl", "test.jsonl"), "dev", r"has no split 'dev'.*--split train or test"),
        (("bees.jsonl",), "test", r"nothing in it is named by a split"),
    ],
)
def test_a_split_that_is_not_there(tmp_path: Path, names: tuple[str, ...], split: str, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        read(fill(tmp_path, *names), split)


WORDS = ["train", "training", "test", "eval", "dev", "val", "valid", "validation", "bees", "testimony", "x"]
PART = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).flatmap(
    lambda words: st.sampled_from(["-", "_", ".", " ", "7", ""]).map(lambda between: between.join(words))
)
SHARD = st.sampled_from(WORDS).map(lambda word: f"data/{word}-00000-of-00002")
NAME = st.one_of(
    PART, st.tuples(PART, PART).map("/".join), st.tuples(PART, PART, PART).map("/".join), SHARD
).map(lambda name: name + ".jsonl")


@settings(max_examples=60)
@given(st.lists(NAME, min_size=1, max_size=4, unique=True))
def test_splits_are_those_of_datasets(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    from datasets.data_files import DataFilesDict, get_data_patterns

    folder = tmp_path_factory.mktemp("folder")
    try:
        fill(folder, *names)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):  # a name that another has as its folder
        return
    patterns = get_data_patterns(str(folder))
    theirs: dict[str, set[str]] = {name: set() for name in names}
    for split, files in DataFilesDict.from_patterns(patterns, base_path=str(folder)).items():
        for file in files:
            theirs[Path(file).relative_to(folder).as_posix()].add(str(split))
    assert {name: set(found) for name, found in splits_of(names).items()} == theirs


CARD = """---
configs:
- config_name: easy
  default: true
  data_files:
  - split: train
    path: a.jsonl
  - split: test
    path: b.jsonl
- config_name: hard
  data_files: c/*.jsonl
---
# Riddles
"""


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_card_with_a_byte_order_mark_counts(tmp_path: Path, mark: str) -> None:
    folder = fill(tmp_path / "riddles", "a.jsonl", "b.jsonl", "c/d.jsonl", "train.jsonl")
    (folder / "README.md").write_text(mark + CARD, "utf-8")
    assert read(folder) == {"a.jsonl"}
    assert read(folder, "test") == {"b.jsonl"}
    assert read(folder, config="hard") == {"c/d.jsonl"}
    with pytest.raises(SourceError, match="medium"):
        read(folder, config="medium")


def test_a_card_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    folder = fill(tmp_path / "riddles", "train.jsonl")
    (folder / "README.md").write_bytes(CARD.encode() + b"\xff")
    with pytest.raises(SourceError, match="README.md is not UTF-8 text .byte"):
        read(folder)
