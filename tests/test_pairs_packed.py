"""Packed files are read by what their bytes say; what cannot be read is named for what it is."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from synthesis.data import Pair
from synthesis.errors import SourceError
from synthesis.sources.pairs import describe_source, read_pairs

ROWS = [{"question": f"Where is shelf {n}?", "answer": f"Room {n}"} for n in range(40)]
LINES = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
ARRAY = json.dumps(ROWS, indent=1).encode()
CSV = b"question,answer\n" + b"".join(f"{row['question']},{row['answer']}\n".encode() for row in ROWS)


def in_arrow(codec: str) -> Callable[[bytes], bytes]:
    def pack(data: bytes) -> bytes:
        import pyarrow as pa

        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, codec) as stream:
            stream.write(data)
        return sink.getvalue().to_pybytes()

    return pack


def in_zip(data: bytes, name: str = "inside.jsonl") -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("__MACOSX/._inside", b"x")
        archive.writestr(name, data)
    return sink.getvalue()


def in_tar(data: bytes) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        entry = tarfile.TarInfo("inside.jsonl")
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return sink.getvalue()


PACK: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    ".zst": in_arrow("zstd"),
    ".lz4": in_arrow("lz4"),
    ".zip": in_zip,
}


def answers(path: Path) -> list[str]:
    found = list(read_pairs(path))
    return [one.answer if isinstance(one, Pair) else one.reason for one in found]


def error_of(path: Path) -> str:
    with pytest.raises(SourceError) as caught:
        list(read_pairs(path))
    assert "iconv" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("packing", PACK)
@pytest.mark.parametrize(("name", "plain"), [("b.jsonl", LINES), ("b.json", ARRAY), ("b.csv", CSV)])
def test_packed_files_are_read(tmp_path: Path, packing: str, name: str, plain: bytes) -> None:
    path = tmp_path / (name + packing)
    path.write_bytes(PACK[packing](plain))
    assert answers(path) == [row["answer"] for row in ROWS]
    misnamed = tmp_path / name  # as a client leaves it that unpacks nothing, or names nothing
    misnamed.write_bytes(PACK[packing](plain))
    assert answers(misnamed) == [row["answer"] for row in ROWS]


def test_a_file_that_was_unpacked_on_its_way_is_read(tmp_path: Path) -> None:
    path = tmp_path / "b.jsonl.gz"
    path.write_bytes(LINES)
    assert len(answers(path)) == 40


def test_two_packed_files_in_one_are_read_to_the_end(tmp_path: Path) -> None:
    for packing in (".gz", ".bz2", ".xz", ".zst"):
        path = tmp_path / f"b.jsonl{packing}"
        middle = len(LINES) // 2
        path.write_bytes(PACK[packing](LINES[:middle]) + PACK[packing](LINES[middle:]))
        assert len(answers(path)) == 40, packing


def test_a_zip_archive_is_like_a_folder(tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("riddles.jsonl", LINES)
        archive.writestr("more/fables.csv", b"question,answer\nq,a\n")
        archive.writestr("notes.txt", b"nothing")
    found = [one for one in read_pairs(path) if isinstance(one, Pair)]
    assert len(found) == 41 and {one.task for one in found} == {"riddles", "fables"}
    assert [Path(one["path"]).name for one in describe_source(path)["files"]] == ["all.zip"]


@pytest.mark.parametrize("packing", PACK)
def test_damaged_ones_say_so(tmp_path: Path, packing: str) -> None:
    path = tmp_path / f"b.jsonl{packing}"
    packed = PACK[packing](LINES)
    path.write_bytes(packed[: len(packed) * 2 // 3])
    assert "damaged" in error_of(path) and "again" in error_of(path)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git lfs pull"),
        (b"/annex/objects/SHA256E-s1--0.jsonl\n", "git annex get"),
        (b"7z\xbc\xaf\x27\x1c\0\x04", "7z archive"),
        (b"Rar!\x1a\x07\x01\0", "RAR archive"),
        (b"ARROW1\0\0\xff", "an Arrow file"),
        (b"SQLite format 3\0\x10", "SQLite"),
        (b"\x89HDF\r\n\x1a\n\0", "HDF5"),
        (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
        (b"PAR1\x15\x04", "suffix .parquet"),
        (b"\x80\x04\x95\x10\0", "pickle"),
        (b"<!DOCTYPE html>\n<html>", "web page"),
        (in_tar(LINES), "tar archive"),
        (gzip.compress(in_tar(LINES)), "tar archive"),
        (gzip.compress(gzip.compress(LINES)), "packed twice"),
        (in_zip(b"<xml/>", "xl/workbook.xml") + b"", "broken JSON"),
        (bytes(range(1, 32)) * 20 + b"\xff\xfe\xfd", "not text but binary"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "b.jsonl"
    path.write_bytes(data)
    assert said in error_of(path)


def test_a_pointer_in_place_of_a_table_is_named(tmp_path: Path) -> None:
    path = tmp_path / "b.parquet"
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    assert "git lfs pull" in error_of(path)


def test_an_archive_with_a_password_is_named(tmp_path: Path) -> None:
    data = bytearray(in_zip(LINES))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # of every entry: it is encrypted
        at = -1
        while (at := data.find(mark, at + 1)) >= 0:
            data[at + place] |= 1
    path = tmp_path / "b.zip"
    path.write_bytes(data)
    assert "encrypted" in error_of(path)


@pytest.mark.parametrize(
    "data",
    [ARRAY, json.dumps(ROWS).encode(), json.dumps(ROWS).encode() + b"\n", b"\xef\xbb\xbf\n \n" + ARRAY],
)
def test_an_array_under_the_name_of_lines_is_read(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "b.jsonl"
    path.write_bytes(data)
    assert answers(path) == [row["answer"] for row in ROWS]


def test_a_line_that_is_an_array_costs_one_row(tmp_path: Path) -> None:
    path = tmp_path / "b.jsonl"
    path.write_bytes(b"[1, 2]\n" + LINES)
    assert answers(path) == ["row is not an object but a list", *(row["answer"] for row in ROWS)]


def test_rows_behind_an_array_are_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    path.write_bytes(ARRAY + b'\n[{"question": "q", "answer": "a"}]\n')
    assert answers(path) == [*(row["answer"] for row in ROWS), "a"]
    path.write_bytes(ARRAY + b'\n{"question": "q", "answer": "a"}\n')
    assert "follows the array" in error_of(path)
