"""Lines, JSON Lines and CSV out of a binary stream, in memory bounded by one row.

Decodes UTF-8 (with or without a byte order mark) and nothing else: text in another
encoding is an error that says where it starts and how to convert the file.
Knows nothing of paths, compression or what the columns mean.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from synthesis.errors import SourceError
from synthesis.sources.rows import PREVIEW, ROW_LIMIT, Row, parse_json

# csv refuses longer fields; the limit belongs to the whole process, so it is only raised.
FIELD_LIMIT = 4 * 1024 * 1024


class Line(NamedTuple):
    """A line with its ending. ``cut`` is its length in bytes if it was too long to keep whole."""

    number: int
    text: str
    cut: int = 0


def wrong_encoding(name: str, line: int, offset: int, encoding: str) -> SourceError:
    """The error for bytes that are not UTF-8."""
    return SourceError(
        f"{name}: line {line} (byte {offset}) is not UTF-8; it looks like {encoding}. "
        f"Convert the file first, for example: iconv -f {encoding} -t UTF-8 IN > OUT"
    )


def check_start(name: str, head: bytes) -> bytes:
    """``head`` (a file's first bytes) without its byte order mark; refuses UTF-16 and UTF-32."""
    if head.startswith(b"\xef\xbb\xbf"):
        return head[3:]
    if head.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        raise wrong_encoding(name, 1, 0, "UTF-32")
    # Without a mark, UTF-16 of mostly Latin text has a zero in every second byte.
    sample = head[:64]
    zeros = len(sample) >= 4 and (not any(sample[1::2]) or not any(sample[::2]))
    if zeros or head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise wrong_encoding(name, 1, 0, "UTF-16")
    return head


def read_lines(handle: BinaryIO, name: str) -> Iterator[Line]:
    """The lines of a stream; one longer than ``ROW_LIMIT`` bytes comes cut.

    Raises:
        SourceError: At the first line that is not UTF-8.
    """
    number = offset = 0
    while data := handle.readline(ROW_LIMIT):
        number += 1
        size = len(data)
        if size == ROW_LIMIT and not data.endswith(b"\n"):
            size += _skip_line(handle)
        if number == 1:
            data = check_start(name, data)
        cut = size if size > ROW_LIMIT else 0
        try:
            # A cut may fall inside a character.
            text = data.decode("utf-8", "ignore" if cut else "strict")
        except UnicodeDecodeError as error:
            # A mark at the start of the file was taken off before decoding.
            where = offset + size - len(data) + error.start
            raise wrong_encoding(name, number, where, "LATIN1") from None
        yield Line(number, text, cut)
        offset += size


def _skip_line(handle: BinaryIO) -> int:
    skipped = 0
    while data := handle.readline(1 << 20):
        skipped += len(data)
        if data.endswith(b"\n"):
            break
    return skipped


def too_long(size: int) -> str:
    """Why a row of ``size`` bytes is refused."""
    return f"row is too long: {size:,} bytes, the limit is {ROW_LIMIT:,}"


def read_jsonl(handle: BinaryIO, name: str) -> Iterator[Row]:
    """One row per line that is not blank."""
    for line in read_lines(handle, name):
        raw = line.text[:PREVIEW].strip("\r\n")
        if line.cut:
            yield Row(line.number, None, raw, too_long(line.cut))
        elif line.text.strip():
            value, error = parse_json(line.text)
            if error and "\0" in line.text:
                error = "row holds NUL bytes"
            yield Row(line.number, value, raw, error)


def read_csv(handle: BinaryIO, name: str, delimiter: str = "") -> Iterator[Row]:
    """One row per record after the header; every value is a string, a missing one None.

    Without a ``delimiter`` the header decides: whichever of comma, semicolon and tab it
    has most of. ``line`` is where a record starts. Of two columns with one name the
    first counts.
    """
    csv.field_size_limit(max(csv.field_size_limit(), FIELD_LIMIT))
    lines = _CsvLines(read_lines(handle, name))
    first = next((line for line in lines if line.strip()), "")
    # Strict: text after a closing quote, or a quote never closed, is an error and not a guess.
    reader = csv.reader(lines, delimiter=delimiter or max(",;\t", key=first.count), strict=True)
    # The header may run over several lines, so the reader has to see its first one again.
    lines.again = first
    skipped = lines.number - 1
    try:
        header = [cell.strip() for cell in next(reader, [])]
    except csv.Error as error:
        raise SourceError(f"{name}: the header line is broken CSV ({error}). Correct it.") from None
    while True:
        start = skipped + reader.line_num + 1
        lines.cut = 0
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            reason = too_long(lines.cut) if lines.cut else f"broken CSV: {error}"
            yield Row(start, None, lines.last[:PREVIEW].strip("\r\n"), _explain(reason))
            continue
        if record:
            yield _csv_row(start, header, record, lines.cut)


def _explain(reason: str) -> str:
    if "unexpected end of data" in reason:
        return "broken CSV: a quote is never closed, the rest of the file stands inside it"
    if "field larger than" in reason:
        return f"field is too long: more than {FIELD_LIMIT:,} characters (or a quote is never closed)"
    return reason


def _csv_row(line: int, header: list[str], record: list[str], cut: int) -> Row:
    values: dict[str, str | None] = {}
    for position, column in enumerate(header):
        if column and column not in values:
            values[column] = record[position] if position < len(record) else None
    if cut:
        return Row(line, values, "", too_long(cut))
    if len(record) > len(header) and any(record[len(header) :]):
        reason = f"row has {len(record)} fields, the header has {len(header)} (unquoted delimiter?)"
        return Row(line, values, "", reason)
    return Row(line, values)


class _CsvLines:
    """Text lines for ``csv.reader``, which has no way to pass on that a line was cut."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self.lines = lines
        self.number = self.cut = 0
        self.again = self.last = ""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.again:
            text, self.again = self.again, ""
            return text
        line = next(self.lines)
        self.number, self.last = line.number, line.text
        self.cut = max(self.cut, line.cut)
        return line.text
