"""Reading pairs: every kind of bad row, and every kind of source that cannot be used."""

from __future__ import annotations

import gzip
import json
import os
import random
import tempfile
import tracemalloc
from pathlib import Path

import pytest

from synthesis.data import Pair, Rejected
from synthesis.errors import SourceError
from synthesis.sources.pairs import read_pairs
from tests.pair_files import GOOD, error_of, one_bad, only_pairs, write_jsonl
from tests.programs import run_python

# --- bad rows --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ([1, 2], "not an object but a list"),
        ("text", "not an object but text"),
        (None, "not an object but null"),
        ({"instruction": "q"}, "answer is missing (no column answer, output"),
        ({"answer": "a"}, "instruction is missing"),
        ({"instruction": None, "answer": "a"}, "instruction is missing (null)"),
        ({"instruction": "q", "answer": None}, "answer is missing (null)"),
        ({"instruction": " \n", "answer": "a"}, "instruction is empty"),
        ({"instruction": "q", "answer": ""}, "answer is empty"),
        ({"instruction": 5, "answer": "a"}, "instruction is not text but a number"),
        ({"instruction": "q", "answer": {"x": 1}}, "answer is not text but an object"),
        ({"instruction": "q", "answer": []}, "answer is an empty list"),
        ({"instruction": "q", "answer": float("inf")}, "not a finite number"),
        ({"instruction": "q" * 200_001, "answer": "a"}, "instruction is too long: 200,001 characters"),
        ({"instruction": "q", "answer": "a" * 1_000_001}, "answer is too long: 1,000,001 characters"),
        ({"instruction": "q\0", "answer": "a"}, "NUL"),
        ({"instruction": "q", "answer": "\ud83d"}, "answer holds a lone surrogate"),
        ({"instruction": "q", "answer": "a", "by": "\udc00"}, "column 'by' holds a lone surrogate"),
        (GOOD | {"task": "else"}, "duplicate of data.jsonl:1"),
    ],
)
def test_bad_rows_are_rejected_and_reading_goes_on(tmp_path: Path, row: object, reason: str) -> None:
    bad = one_bad(tmp_path / "data.jsonl", row)
    assert reason in bad.reason
    assert bad.text == json.dumps(row)[:200]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"instruction": "q", "answer": "a"', "broken JSON"),
        (b"{'instruction': 'q'}", "broken JSON"),
        (b'{"instruction": "q", "answer": "a"} {"x": 1}', "Extra data"),
        (b'{"instruction": "q\0", "answer": "a"}', "NUL"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"instruction": "q", "answer": ' + b"9" * 5_000 + b"}", "broken JSON"),
    ],
)
def test_broken_lines_are_rejected(tmp_path: Path, line: bytes, reason: str) -> None:
    path = tmp_path / "data.jsonl"
    good = json.dumps(GOOD).encode()
    path.write_bytes(good + b"\r\n\n  \n" + line + b"\n" + good.replace(b"bees", b"cats"))
    first, bad, last = read_pairs(path)
    assert isinstance(first, Pair) and isinstance(last, Pair) and isinstance(bad, Rejected)
    assert bad.pair_id == "data.jsonl:4"
    assert reason in bad.reason
    assert bad.text == line[:200].decode()


def test_numbers_beyond_floats_do_not_stop_a_run(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    good = json.dumps(GOOD)
    path.write_text(good + '\n{"question": "q", "answer": 1e99999999999999999999}\n')
    assert [type(outcome) for outcome in read_pairs(path)] == [Pair, Rejected]


def test_duplicates_name_the_earlier_row_across_files(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", {"question": "q", "answer": "a"}, GOOD)
    write_jsonl(
        tmp_path / "b.jsonl",
        {"question": "q", "answer": "b"},
        {"query": GOOD["instruction"], "output": "Ondine"},
    )
    *_, last = read_pairs(tmp_path)
    assert isinstance(last, Rejected)
    assert (last.pair_id, last.reason) == (
        "b.jsonl:2",
        "duplicate of a.jsonl:2 (same instruction and answer)",
    )


def test_chosen_ids_must_be_there_and_differ(tmp_path: Path) -> None:
    rows = [{"question": f"q{i}", "answer": "a", "nr": nr} for i, nr in enumerate(["x", "x", None])]
    first, second, third = read_pairs(write_jsonl(tmp_path / "data.jsonl", *rows), columns={"id": "nr"})
    assert isinstance(first, Pair) and first.id == "x"
    assert isinstance(second, Rejected) and "duplicate id 'x'" in second.reason
    assert isinstance(third, Rejected) and "id is missing" in third.reason


def test_csv_with_ragged_rows_and_line_breaks(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(b'question,answer\r\n"one\r\nline",a\r\nx,b,c\r\n\r\nonly\r\n"last ""q""",d\r\n')
    first, many, few, last = read_pairs(path)
    assert isinstance(first, Pair) and first.instruction == "one\r\nline"
    assert isinstance(many, Rejected) and many.pair_id == "data.csv:4" and "3 fields" in many.reason
    assert isinstance(few, Rejected) and few.pair_id == "data.csv:6" and "answer is missing" in few.reason
    assert isinstance(last, Pair) and last.instruction == 'last "q"'


def test_csv_quotes_that_do_not_match_are_rejected(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text('question,answer\n"x" y,a\nq,a\n"open,b\nz,c\n')
    stray, good, unclosed = read_pairs(path)
    assert isinstance(stray, Rejected) and stray.pair_id == "data.csv:2" and "broken CSV" in stray.reason
    assert isinstance(good, Pair) and good.instruction == "q"
    assert isinstance(unclosed, Rejected) and unclosed.pair_id == "data.csv:4"
    assert "a quote is never closed" in unclosed.reason


def test_semicolons_are_seen_in_the_header(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("\nquestion;answer\nOne, two?;a\n")
    assert only_pairs(path)[0].instruction == "One, two?"


@pytest.mark.parametrize("name", ["big.jsonl", "big.csv", "big.json"])
def test_a_huge_answer_is_rejected_within_a_few_times_its_size(tmp_path: Path, name: str) -> None:
    size = 50_000_000
    path = tmp_path / name
    first, last = ('{"question": "q", "answer": "a"}', '{"question": "z", "answer": "a"}')
    opening, closing = '{"question": "big", "answer": "', '"}'
    if name == "big.csv":
        first, last, opening, closing = ("question,answer\nq,a", "z,a", 'big,"', '"')
    start, between, end = ("[", ",\n", "]") if name == "big.json" else ("", "\n", "\n")
    path.write_text(start + first + between + opening + "x" * size + closing + between + last + end)
    tracemalloc.start()
    try:
        outcomes = list(read_pairs(path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [type(outcome) for outcome in outcomes] == [Pair, Rejected, Pair]
    assert isinstance(outcomes[1], Rejected) and "too long" in outcomes[1].reason
    assert len(outcomes[1].text) <= 200
    assert peak < 5 * size


# --- whole sources -----------------------------------------------------------------------------------------


def test_not_found_suggests_near_names(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "hotpotqa.jsonl", GOOD)
    assert f"Did you mean {tmp_path / 'hotpotqa.jsonl'}?" in error_of(tmp_path / "hotpotqq.jsonl")
    assert f"there is no {tmp_path / 'no'}" in error_of(tmp_path / "no" / "where" / "x.jsonl")


def test_a_missing_file_is_not_taken_for_a_hub_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sets").mkdir()
    assert "was not found" in error_of("sets/one.jsonl")
    assert "was not found" in error_of("sets/one")
    assert "was not found" in error_of("one")


def test_sources_without_readable_files(tmp_path: Path) -> None:
    assert "holds no file with a known suffix" in error_of(tmp_path)
    (tmp_path / "notes.txt").write_text("x")
    assert "the suffix '.txt'" in error_of(tmp_path / "notes.txt")
    assert "No file matches" in error_of(str(tmp_path / "*.txt"))
    (tmp_path / "state.json").write_text("{}")
    assert "save_to_disk" in error_of(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf"])
def test_empty_files(tmp_path: Path, content: bytes) -> None:
    for name in ("a.jsonl", "a.json", "a.csv"):
        (tmp_path / name).write_bytes(content)
        assert "is empty: it has no rows" in error_of(tmp_path / name)
    (tmp_path / "a.json").write_text("[]")
    assert "is empty" in error_of(tmp_path / "a.json")


def test_no_pair_at_all_tells_the_first_reason(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", {"question": "q", "answer": ""})
    outcomes: list[object] = []
    with pytest.raises(
        SourceError, match="all 1 rows were rejected, the first being a.jsonl:1: answer is empty"
    ):
        outcomes.extend(read_pairs(path))


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv"])
@pytest.mark.parametrize(
    ("encoding", "said"),
    [("utf-16", "UTF-16"), ("utf-16-le", "UTF-16"), ("utf-16-be", "UTF-16"), ("utf-32", "UTF-32")],
)
def test_wide_encodings_are_refused(tmp_path: Path, name: str, encoding: str, said: str) -> None:
    path = tmp_path / name
    path.write_bytes('{"question": "q", "answer": "a"}\n'.encode(encoding))
    message = error_of(path)
    assert f"{name}: line 1 (byte 0) is not UTF-8; it looks like {said}" in message
    assert f"iconv -f {said} -t UTF-8" in message


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_latin1_is_refused_with_its_place(tmp_path: Path, bom: bytes) -> None:
    good = json.dumps(GOOD).encode()
    lines = bom + good + b"\n" + '{"question": "Où?", "answer": "à"}\n'.encode("latin-1")
    offset = lines.index(b"\xf9")
    (tmp_path / "a.jsonl").write_bytes(lines)
    assert f"a.jsonl: line 2 (byte {offset}) is not UTF-8; it looks like LATIN1" in error_of(
        tmp_path / "a.jsonl"
    )
    array = bom + b"[" + lines.removeprefix(bom).replace(b"}\n{", b"},\n{") + b"]"
    (tmp_path / "a.json").write_bytes(array)
    assert f"line 2 (byte {array.index(0xF9)})" in error_of(tmp_path / "a.json")


def test_damaged_files(tmp_path: Path) -> None:
    packed = gzip.compress(
        b"".join(json.dumps(GOOD | {"n": random.Random(i).random()}).encode() for i in range(99))
    )
    (tmp_path / "a.jsonl.gz").write_bytes(packed[:-20])
    assert "damaged compressed data" in error_of(tmp_path / "a.jsonl.gz")
    (tmp_path / "a.parquet").write_bytes(b"PAR1 not really")
    assert "not a readable Parquet file" in error_of(tmp_path / "a.parquet")


@pytest.mark.parametrize(
    "text", ['[{"question": "q", "answer": "a"}, {"question": ', '[{"a": 1} {"b": 2}]', "[{]", "[1, 2"]
)
def test_a_broken_array_is_an_error_not_a_silent_end(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    message = error_of(tmp_path / "a.json")
    assert "a.json: broken JSON in the element at line 1" in message
    assert "JSON Lines" in message


def test_json_files_that_are_json_lines_or_single_objects(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "a.json", GOOD, {"question": "q"}, {"question": "q", "answer": "a"})
    assert [type(outcome) for outcome in read_pairs(path)] == [Pair, Rejected, Pair]
    path.write_text(json.dumps(GOOD, indent=2))
    assert len(only_pairs(path)) == 1
    path.write_text("broken {\n" + json.dumps(GOOD))
    assert [type(outcome) for outcome in read_pairs(path)] == [Rejected, Pair]


def test_permission_denied() -> None:
    # Not tmp_path, whose parents another user may not enter.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = write_jsonl(Path(folder, "a.jsonl"), GOOD)
        path.chmod(0)
        if os.geteuid() != 0:
            assert "permission denied" in error_of(path)
            return
        code = (
            "import os\nfrom synthesis import errors\nfrom synthesis.sources import pairs\nos.setuid(65534)\n"
            f"try: list(pairs.read_pairs({str(path)!r}))\n"
            "except errors.SourceError as error: print(error)"
        )
        result = run_python("-c", code)
        assert "a.jsonl: permission denied. Make it readable" in result.stdout, result.stderr
