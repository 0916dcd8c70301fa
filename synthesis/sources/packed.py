"""Files that are packed, by what their first bytes say: opened where possible, else named for what they are.

A name may be wrong (a download that the client unpacked on the way), so the bytes decide. Knows nothing
of rows.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final, cast

from synthesis.errors import SourceError

PACKINGS: Final = (".gz", ".bz2", ".xz", ".lzma", ".zst", ".lz4", ".zip")
"""What may stand behind the suffix of a text file."""

_HEAD: Final = 512
# First bytes -> what they mean, and what to do with such a file.
_FOREIGN: Final = (
    (b"version https://git-lfs", "a pointer of Git LFS, not the data", "Fetch the data with: git lfs pull"),
    (b"/annex/objects/", "a pointer of git-annex, not the data", "Fetch the data with: git annex get"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "Unpack it and give the file in it"),
    (b"Rar!\x1a\x07", "a RAR archive", "Unpack it and give the file in it"),
    (b"ARROW1", "an Arrow file", "Write it with Dataset.to_parquet or Dataset.to_json"),
    (b"SQLite format 3\0", "an SQLite database", "Export its rows as JSON Lines or CSV"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", "Export its rows as JSON Lines or CSV"),
    (b"%PDF-", "a PDF document", "Write its rows as JSON Lines or CSV"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document", "Export its rows as CSV"),
    (b"\xff\x06\0\0sNaPpY", "packed with Snappy", "Unpack it and give the file in it"),
    (b"\x1f\x9d", "packed with compress", "Unpack it (uncompress) and give the file in it"),
    (b"\x80\x04\x95", "a Python pickle", "Write its rows as JSON Lines"),
    (b"<!DOCTYPE html", "a web page", "Download the data itself, not the page that shows it"),
    (b"<!doctype html", "a web page", "Download the data itself, not the page that shows it"),
    (b"<html", "a web page", "Download the data itself, not the page that shows it"),
)
_KNOWN: Final = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x5d\0\0", "lzma"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
)
DAMAGED: Final = (gzip.BadGzipFile, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)
"""What the unpackers raise for damaged data, besides ``OSError``."""


def without_packing(name: str) -> str:
    """A file's name without the suffix of what packed it."""
    found = next((one for one in PACKINGS if name.lower().endswith(one)), "")
    return name[: len(name) - len(found)]


@contextmanager
def unpacked(
    opened: Callable[[], BinaryIO], name: str, member: str = "", parquet: bool = False
) -> Iterator[BinaryIO]:
    """A file as its plain bytes, whatever packed it; ``member`` is the one to read of a zip archive.

    ``parquet`` says that it is expected to be a Parquet file, which is refused otherwise.

    Raises:
        SourceError: it is something that holds no rows for us, as its first bytes say.
    """
    with opened() as raw:
        kind = _packing(_head(raw), name, parquet)
        if not kind:
            yield raw
            return
        with _opener(kind, name, member)(raw) as plain:
            # All readers read ahead in what they unpack; none can step back in it.
            buffered = io.BufferedReader(cast(io.RawIOBase, plain))
            _refuse_foreign(buffered.peek(_HEAD)[:_HEAD], name, parquet)
            yield cast(BinaryIO, buffered)


def is_packed(opened: Callable[[], BinaryIO], name: str) -> bool:
    """Whether a text file's first bytes are those of a packing.

    Raises:
        SourceError: as ``unpacked``.
    """
    with opened() as raw:
        return bool(_packing(_head(raw), name, parquet=False))


def _head(raw: BinaryIO) -> bytes:
    head = raw.read(_HEAD)
    raw.seek(0)
    return head


def _packing(head: bytes, name: str, parquet: bool) -> str:
    kind = next((kind for magic, kind in _KNOWN if head.startswith(magic)), "")
    if not kind:
        _refuse_foreign(head, name, parquet)
    return kind


def _refuse_foreign(head: bytes, name: str, parquet: bool) -> None:
    """Refuse a file whose first bytes say that it is no text and no table.

    Raises:
        SourceError: saying what it is and what to do.
    """
    if head[257:262] == b"ustar":
        raise SourceError(f"{name} is a tar archive. Unpack it and give the folder.")
    if head.startswith(b"PAR1") and not parquet:
        raise SourceError(f"{name} is a Parquet file. Give it the suffix .parquet.")
    for magic, what, advice in _FOREIGN:
        if head.startswith(magic):
            raise SourceError(f"{name} is {what}. {advice}.")
    packed = next((kind for magic, kind in _KNOWN if head.startswith(magic)), "")
    if packed:
        raise SourceError(f"{name} is packed twice, inside with {packed}. Unpack it once and give that.")


def _opener(kind: str, name: str, member: str) -> Callable[[BinaryIO], BinaryIO]:
    def in_lzma(raw: BinaryIO) -> BinaryIO:
        return cast(BinaryIO, lzma.LZMAFile(raw))  # noqa: SIM115 (whoever asked for it closes it)

    def in_arrow(raw: BinaryIO) -> BinaryIO:
        import pyarrow as pa

        return cast(BinaryIO, pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), kind))

    def in_zip(raw: BinaryIO) -> BinaryIO:
        archive = zipfile.ZipFile(raw)
        found = member or _only_member(archive, name)
        if archive.getinfo(found).flag_bits & 1:
            raise SourceError(
                f"{name}: {found} is encrypted. Unpack it with its password and give that file."
            )
        return cast(BinaryIO, archive.open(found))

    openers: dict[str, Callable[[BinaryIO], BinaryIO]] = {
        "gzip": lambda raw: cast(BinaryIO, gzip.GzipFile(fileobj=raw, mode="rb")),
        "bzip2": lambda raw: cast(BinaryIO, bz2.BZ2File(raw)),
        "xz": in_lzma,
        "lzma": in_lzma,
        "zstd": in_arrow,
        "lz4": in_arrow,
        "zip": in_zip,
    }
    return openers[kind]


def _only_member(archive: zipfile.ZipFile, name: str) -> str:
    found = _files(archive)
    if len(found) == 1:
        return found[0]
    what = f"{len(found)} files ({', '.join(found[:3])}, ...)" if found else "no file"
    raise SourceError(f"{name} is a zip archive that holds {what}. Unpack it and give the file or folder.")


def _files(archive: zipfile.ZipFile) -> list[str]:
    return sorted(
        one.filename
        for one in archive.infolist()
        if not one.is_dir() and not one.filename.startswith("__MACOSX/") and not one.filename.startswith(".")
    )


def zip_members(opened: Callable[[], BinaryIO], name: str) -> list[str]:
    """The files in a zip archive, sorted.

    Raises:
        SourceError: it is none, or is damaged.
    """
    try:
        with opened() as raw, zipfile.ZipFile(raw) as archive:
            return _files(archive)
    except zipfile.BadZipFile as error:
        raise SourceError(f"{name}: damaged zip archive ({error}). Download it again.") from None
