"""Rows out of the bytes of a text file: JSON Lines, CSV, JSON value by value.

Memory is bounded by one row.
"""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, BinaryIO, NamedTuple

from synthesis.errors import SourceError
from synthesis.sources.rows import DECODER, PREVIEW, ROW_LIMIT, SourceRow, parse_json
from synthesis.wording import counted

# csv refuses longer fields; the limit belongs to the whole process, so it is only raised.
FIELD_LIMIT = 4 * 1024 * 1024
_CHUNK = 1 << 16
_SPACE = " \t\r\n"
# An element of an array is read whole before it can be judged; beyond this we give up.
_ELEMENT_LIMIT = 256 * 1024 * 1024
# No encoding of text has these.
_BINARY = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f]")


class Line(NamedTuple):
    """A line with its ending. ``cut`` is its length in bytes if it was too long to keep whole."""

    number: int
    text: str
    cut: int = 0


def wrong_encoding(name: str, line: int, offset: int, encoding: str, data: bytes = b"") -> SourceError:
    """The error for bytes that are not UTF-8; ``data`` are some of them."""
    if _BINARY.search(data):
        return SourceError(
            f"{name}: line {line} (byte {offset}) is not text but binary data. Give a file in one of "
            "the formats that can be read, or download this one again."
        )
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


def read_lines(
    handle: BinaryIO,
    name: str,
    offset: int = 0,
    stop: int | None = None,
    before: Callable[[], int] = lambda: 0,
) -> Iterator[Line]:
    """The lines of a stream; one longer than ``ROW_LIMIT`` bytes comes cut.

    Of a stream that stands at the byte ``offset``, behind so many lines ``before``, those that begin
    before the byte ``stop``; they are numbered from 1.

    Raises:
        SourceError: At the first line that is not UTF-8.
    """
    number = 0
    while (stop is None or offset < stop) and (data := handle.readline(ROW_LIMIT)):
        number += 1
        size = len(data)
        if size == ROW_LIMIT and not data.endswith(b"\n"):
            size += _skip_line(handle)
        if offset == 0:
            data = check_start(name, data)
        cut = size if size > ROW_LIMIT else 0
        try:
            # A cut may fall inside a character.
            text = data.decode("utf-8", "ignore" if cut else "strict")
        except UnicodeDecodeError as error:
            # A mark at the start of the file was taken off before decoding.
            where = offset + size - len(data) + error.start
            raise wrong_encoding(name, before() + number, where, "LATIN1", data[:4096]) from None
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


def read_jsonl(handle: BinaryIO, name: str) -> Iterator[SourceRow]:
    """One row per line that is not blank."""
    return rows_of_lines(read_lines(handle, name))


def rows_of_lines(lines: Iterable[Line]) -> Iterator[SourceRow]:
    """The same of lines that have been read."""
    for line in lines:
        raw = line.text[:PREVIEW].strip("\r\n")
        if line.cut:
            yield SourceRow(line.number, None, raw, too_long(line.cut))
        elif line.text.strip():
            value, error = parse_json(line.text)
            if error and "\0" in line.text:
                error = "row holds NUL bytes"
            yield SourceRow(line.number, value, raw, error)


def read_csv(handle: BinaryIO, name: str, delimiter: str = "") -> Iterator[SourceRow]:
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
            yield SourceRow(start, None, lines.last[:PREVIEW].strip("\r\n"), _explain(reason))
            continue
        if record:
            yield _csv_row(start, header, record, lines.cut)


def _explain(reason: str) -> str:
    if "unexpected end of data" in reason:
        return "broken CSV: a quote is never closed, the rest of the file stands inside it"
    if "field larger than" in reason:
        return f"field is too long: more than {FIELD_LIMIT:,} characters (or a quote is never closed)"
    return reason


def _csv_row(line: int, header: list[str], record: list[str], cut: int) -> SourceRow:
    values: dict[str, str | None] = {}
    for position, column in enumerate(header):
        if column and column not in values:
            values[column] = record[position] if position < len(record) else None
    if cut:
        return SourceRow(line, values, "", too_long(cut))
    if len(record) > len(header) and any(record[len(header) :]):
        reason = (
            f"row has {counted(len(record), 'field')}, the header has {len(header)} (unquoted delimiter?)"
        )
        return SourceRow(line, values, "", reason)
    return SourceRow(line, values)


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


def read_json(opened: Callable[[], AbstractContextManager[BinaryIO]], name: str) -> Iterator[SourceRow]:
    """Rows of a ``.json`` file; ``opened`` is called again where the file must be read anew.

    Raises:
        SourceError: If an array or a pretty-printed object is broken: nothing after the
            break can be trusted.
    """
    with opened() as handle:
        buffer = _Buffer(handle, name)
        if buffer.peek() == "[":
            yield from _array(buffer)
            return
    with opened() as handle:
        first = handle.readline(_CHUNK).removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    # A first line that is a whole value means JSON Lines; so does one that is broken in
    # itself, as opposed to one that merely goes on in the next line.
    if first.endswith("\n") and _goes_on(first):
        with opened() as handle:
            yield from _concatenated(_Buffer(handle, name))
        return
    with opened() as handle:
        yield from read_jsonl(handle, name)


def read_json_lines(opened: Callable[[], AbstractContextManager[BinaryIO]], name: str) -> Iterator[SourceRow]:
    """Rows of a ``.jsonl`` file; one that is an array of rows after all is read as that.

    Raises:
        SourceError: As ``read_json``.
    """
    with opened() as handle:
        whole = is_array(handle)
    with opened() as handle:
        yield from _array(_Buffer(handle, name)) if whole else read_jsonl(handle, name)


def is_array(handle: BinaryIO) -> bool:
    """Whether the first line begins an array that goes on behind it, or is one and the only line."""
    first = handle.readline(_CHUNK).removeprefix(b"\xef\xbb\xbf")
    while first and not first.strip():
        first = handle.readline(_CHUNK)
    if not first.lstrip().startswith(b"["):
        return False
    text = first.decode("utf-8", "replace")
    if not text.endswith("\n") or _goes_on(text):
        return True
    return parse_json(text)[1] == "" and not handle.read(_CHUNK).strip()


def _goes_on(text: str) -> bool:
    try:
        DECODER.decode(text)
    except json.JSONDecodeError as error:
        return error.pos >= len(text.rstrip())
    except (RecursionError, ValueError):
        return False
    return False


def _array(buffer: _Buffer) -> Iterator[SourceRow]:
    """The elements of an array, and of further arrays behind it."""
    buffer.peek()
    while True:
        buffer.skip()
        if buffer.peek() != "]":
            yield from _elements(buffer)
        buffer.skip()
        mark = buffer.peek()
        if not mark:
            return
        if mark != "[":
            raise buffer.broken("something other than an array follows the array")


def _elements(buffer: _Buffer) -> Iterator[SourceRow]:
    while True:
        yield buffer.row()
        mark = buffer.peek()
        if mark == "]":
            return
        if mark != ",":
            raise buffer.broken("expected ',' or ']'" if mark else "the file ends inside the array")
        buffer.skip()


def _concatenated(buffer: _Buffer) -> Iterator[SourceRow]:
    while buffer.peek():
        yield buffer.row()


class _Buffer:
    """The undecoded part of a stream, with a place in it and that place's line number."""

    def __init__(self, handle: BinaryIO, name: str) -> None:
        self.handle, self.name = handle, name
        self.decode = codecs.getincrementaldecoder("utf-8")()
        self.text, self.at, self.line = "", 0, 1
        self.offset, self.ended = 0, False

    def fill(self) -> None:
        """Read on, by as much as is pending: then decoding a long element again stays linear."""
        data = self.handle.read(max(_CHUNK, len(self.text) - self.at))
        clean = check_start(self.name, data) if self.offset == 0 else data
        self.ended = not data
        held = len(self.decode.getstate()[0])
        try:
            fresh = self.decode.decode(clean, final=self.ended)
        except UnicodeDecodeError as error:
            line = (
                self.line + self.text.count("\n", self.at) + clean[: max(0, error.start - held)].count(b"\n")
            )
            where = self.offset - held + len(data) - len(clean) + error.start
            raise wrong_encoding(self.name, line, where, "LATIN1", data[:4096]) from None
        self.offset += len(data)
        self.text, self.at = self.text[self.at :] + fresh, 0

    def peek(self) -> str:
        """The next character that is not space, or nothing at the end."""
        while True:
            while self.at < len(self.text):
                if self.text[self.at] not in _SPACE:
                    return self.text[self.at]
                self.line += self.text[self.at] == "\n"
                self.at += 1
            if self.ended:
                return ""
            self.fill()

    def skip(self) -> None:
        """Step over the character ``peek`` saw."""
        self.at += 1

    def row(self) -> SourceRow:
        """The next value, with the line it starts on."""
        self.peek()
        value, end = self._value()
        row = SourceRow(self.line, value, self.text[self.at : min(end, self.at + PREVIEW)])
        self.line += self.text.count("\n", self.at, end)
        self.at = end
        return row

    def _value(self) -> tuple[Any, int]:
        while True:
            try:
                value, end = DECODER.raw_decode(self.text, self.at)
                # A number at the very end of the buffer may have more digits to come.
                if end < len(self.text) or self.ended or isinstance(value, dict | list | str):
                    return value, end
            except json.JSONDecodeError as error:
                near_end = error.pos >= len(self.text) - 12 or error.msg.startswith("Unterminated")
                if self.ended or not near_end:
                    raise self.broken(error.msg) from None
            except RecursionError:
                raise self.broken("nested too deeply") from None
            except ValueError as error:
                raise self.broken(str(error)) from None
            if len(self.text) - self.at > _ELEMENT_LIMIT:
                raise self.broken(f"an element of more than {_ELEMENT_LIMIT:,} characters")
            self.fill()

    def broken(self, why: str) -> SourceError:
        """The error for JSON that cannot be read past this point."""
        return SourceError(
            f"{self.name}: broken JSON in the element at line {self.line}: {why}. Nothing after it can be "
            "read. Correct the file, or write it as JSON Lines (.jsonl), where one bad row costs one row."
        )
