"""A ``.json`` file value by value: one long array, JSON Lines by another name, or objects in a row.

An array is read through a sliding buffer, so that memory is bounded by one element.
Knows nothing of paths or of what the values mean.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, BinaryIO

from synthesis.errors import SourceError
from synthesis.sources.rows import DECODER, PREVIEW, Row
from synthesis.sources.text import check_start, read_jsonl, wrong_encoding

_CHUNK = 1 << 16
_SPACE = " \t\r\n"
# An element of an array is read whole before it can be judged; beyond this we give up.
_ELEMENT_LIMIT = 256 * 1024 * 1024


def read_json(opened: Callable[[], AbstractContextManager[BinaryIO]], name: str) -> Iterator[Row]:
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


def _goes_on(text: str) -> bool:
    try:
        DECODER.decode(text)
    except json.JSONDecodeError as error:
        return error.pos >= len(text.rstrip())
    except (RecursionError, ValueError):
        return False
    return False


def _array(buffer: _Buffer) -> Iterator[Row]:
    buffer.skip()
    if buffer.peek() == "]":
        return
    while True:
        yield buffer.row()
        mark = buffer.peek()
        if mark == "]":
            return
        if mark != ",":
            raise buffer.broken("expected ',' or ']'" if mark else "the file ends inside the array")
        buffer.skip()


def _concatenated(buffer: _Buffer) -> Iterator[Row]:
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
            raise wrong_encoding(self.name, line, where, "LATIN1") from None
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

    def row(self) -> Row:
        """The next value, with the line it starts on."""
        self.peek()
        value, end = self._value()
        row = Row(self.line, value, self.text[self.at : min(end, self.at + PREVIEW)])
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
