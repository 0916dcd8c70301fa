"""Bodies of replies as the client reads them: unpacked by us, and no longer than they may be.

A server that never ends, or a small packed body that unpacks to gigabytes, must not fill the
memory. Knows nothing of what is in a body.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar
from typing import Any

ROOM = 4_000_000
"""Bytes of any reply, whatever it was asked for."""
PER_TOKEN = 250
"""Bytes for a token: escaped characters, and what servers say of each besides."""
UNPACKED = "gzip, deflate"
"""What a server may pack a body with."""

most: ContextVar[int] = ContextVar("most", default=256_000_000)
"""Bytes of the reply that is being waited for, at most."""


class BodyError(Exception):
    """A body that is longer than it may be, or packed in a way that was not offered."""


def bounded(response: Any) -> None:
    """Have a reply of the client's transport, of which nothing was read, end with an error at its bound.

    Args:
        response: changed in place.
    """
    coding = response.headers.get("content-encoding", "identity").strip().casefold()
    if coding not in ("identity", "", "gzip", "x-gzip", "deflate"):
        raise BodyError(f"the body is packed with '{coding}', which was not asked for")
    if coding not in ("identity", ""):
        del response.headers["content-encoding"]  # by us, as the client would without a bound
    kind = _Async if hasattr(response.stream, "__aiter__") else _Sync
    response.stream = _made(kind, response.stream)(response.stream, _Reader(coding, most.get()))


class _Reader:
    """Unpacks and counts."""

    def __init__(self, coding: str, most: int) -> None:
        self._coding, self._left, self._most = coding, most, most
        # 32: whichever of the two headers stands there.
        self._inflate = zlib.decompressobj(32 + zlib.MAX_WBITS) if coding not in ("identity", "") else None

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """What a piece of the body holds."""
        rest = chunk
        while rest:
            piece, rest = (rest, b"") if self._inflate is None else self._unpacked(rest)
            self._left -= len(piece)
            if self._left < 0:
                raise BodyError(f"the body has more than {self._most:,} bytes, more than was asked for")
            yield piece

    def _unpacked(self, rest: bytes) -> tuple[bytes, bytes]:
        assert self._inflate is not None
        try:
            piece = self._inflate.decompress(rest, 1_000_000)
        except zlib.error as error:
            raise BodyError(f"the body cannot be unpacked ({error})") from None
        return piece, self._inflate.unconsumed_tail


class _Stream:
    def __init__(self, inner: Any, reader: _Reader) -> None:
        self._inner, self._reader = inner, reader


class _Async(_Stream):
    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._inner:
            for piece in self._reader.pieces(chunk):
                yield piece

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Sync(_Stream):
    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._inner:
            yield from self._reader.pieces(chunk)

    def close(self) -> None:
        self._inner.close()


_classes: dict[tuple[type, type], type] = {}


def _made(kind: type[_Stream], inner: Any) -> type:
    """The class with the transport's own base, which its client insists on."""
    name = "AsyncByteStream" if kind is _Async else "SyncByteStream"
    base = next(one for one in type(inner).__mro__ if one.__name__ == name)
    return _classes.setdefault((kind, base), type(kind.__name__, (kind, base), {}))
