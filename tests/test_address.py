"""The one way to write a source together with what to take of it, for benchmarks and corpora alike."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthesis.assembly.corpus import open_corpus
from synthesis.errors import SourceError
from synthesis.gate.contamination import parse_benchmark, read_benchmarks
from synthesis.sources.address import Address, errors_about, parse_address

NAMES = st.text(st.characters(exclude_categories=("Cs",)), min_size=1).filter(
    lambda text: text == text.strip()
)


@pytest.mark.parametrize(
    ("source", "meant"),
    [
        ("x.jsonl", Address("x.jsonl")),
        ("  x.jsonl ", Address("x.jsonl")),
        ("ORG/NAME@v1", Address("ORG/NAME@v1")),
        (
            "ORG/NAME@v1?config=qa&split=test&columns=question, answers",
            Address("ORG/NAME@v1", "qa", "test", ("question", "answers")),
        ),
        ("hf://datasets/O/N/x.csv?columns=a", Address("hf://datasets/O/N/x.csv", columns=("a",))),
        ("x ?split=a%20b&config=x+y&", Address("x", "x y", "a b")),
        ("x?split=a,b", Address("x", split="a,b")),
        ("x?columns=a%2Cb,c%26d,e%3D", Address("x", columns=("a,b", "c&d", "e="))),
        ("x.csv?columns=Who was it?,Why?", Address("x.csv", columns=("Who was it?", "Why?"))),
        ("x?columns=a=b", Address("x", columns=("a=b",))),
        ("x?columns=" + "a" * 5000, Address("x", columns=("a" * 5000,))),  # longer than a file's name can be
        # A question mark that no name and "=" follow is a wildcard.
        ("part-?.jsonl", Address("part-?.jsonl")),
        ("year=200?/part-?", Address("year=200?/part-?")),
        ("part-??.csv?columns=a", Address("part-??.csv", columns=("a",))),
        ("part-?config.jsonl", Address("part-?config.jsonl")),
    ],
)
def test_what_an_address_means(source: str, meant: Address) -> None:
    assert parse_address(source) == meant


@given(NAMES, NAMES, st.lists(NAMES, min_size=1), st.sampled_from([quote, quote_plus]))
def test_every_name_can_be_written(config: str, split: str, columns: list[str], written) -> None:
    listed = ",".join(written(column, safe="") for column in columns)
    found = parse_address(
        f"x?columns={listed}&split={written(split, safe='')}&config={written(config, safe='')}"
    )
    assert found == Address("x", config, split, tuple(columns))


@pytest.mark.parametrize(
    "source",
    ["", " ", "?split=a", "x?splitt=a", "x?column=a", "x?split", "x?split=", "x?split=%20", "x?columns=a,,b"]
    + ["x?split=a&split=b", "x?split=a&config", "x?split=a&=b", "x?split=a?config=b&columns="],
)
def test_what_no_address_is(source: str) -> None:
    with pytest.raises(SourceError, match="it is given as .* any of config, split, columns once and '&'"):
        parse_address(source)


def test_a_token_is_never_shown() -> None:
    with pytest.raises(SourceError, match=r"token=\[token\]"):
        parse_address("ORG/NAME?token=hf_thisIsNotARealToken")


def test_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert parse_address("~/a.jsonl?split=b") == Address(f"{tmp_path}/a.jsonl", split="b")
    assert parse_address(Path("hf://datasets/O/N?config=c")) == Address("hf://datasets/O/N", "c")
    odd = tmp_path / "x?columns=body.jsonl"
    assert parse_address(odd) == Address(f"{tmp_path}/x", columns=("body.jsonl",))
    odd.touch()
    assert parse_address(odd) == Address(str(odd))


@pytest.mark.parametrize("end", ["", "?columns=body"])
def test_a_wildcard_works_for_a_corpus_and_a_benchmark(tmp_path: Path, end: str) -> None:
    column = "body" if end else "text"
    for name in "ab":
        (tmp_path / f"part-{name}.csv").write_text(f"{column}\nwords of {name}\n")
    (tmp_path / "part-10.csv").write_text("other\nnot meant\n")
    source = f"{tmp_path}/part-?.csv{end}"
    assert [text for _, text in open_corpus(source)] == ["words of a", "words of b"]
    (index,) = read_benchmarks([parse_benchmark("b", source)], 3).indexes
    assert (index.rows, len(index.hashes)) == (2, 2)


def test_contents_are_those_of_the_files_and_what_is_taken(tmp_path: Path) -> None:
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    for path in (one, two):
        path.write_text('{"text": "a"}\n')
    contents = parse_address(one).contents()
    assert parse_address(two).contents() == contents
    assert parse_address(f"{one}?columns=text").contents() != contents
    assert parse_address(one).describe()["files"][0]["path"] == str(one)
    one.write_text('{"text": "b"}\n')
    assert parse_address(one).contents() != contents


def test_errors_say_whose_the_source_is(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n')
    with pytest.raises(SourceError) as caught, errors_about("the corpus"):
        parse_address(f"{tmp_path}/a.jsonl?split=test").tables()
    said = str(caught.value)
    assert said.startswith("the corpus cannot be read: ") and "has no configs or splits" in said
    assert said.endswith("Here both stand behind the source: 'SOURCE?config=NAME&split=NAME'.")
    assert caught.value.__suppress_context__, "what lies behind it may carry a token"
    with pytest.raises(SourceError, match="was not found") as caught, errors_about("the benchmark b"):
        parse_address(tmp_path / "b.jsonl").tables()
    assert str(caught.value).startswith("the benchmark b cannot be read: ")
    assert "SOURCE?" not in str(caught.value)
