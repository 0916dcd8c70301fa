"""Text of tokens as they come. Knows nothing of who writes them."""

from __future__ import annotations

from typing import Any

_UNFINISHED = "\ufffd"  # what a decoder shows for bytes that are no character yet


def decode(tokenizer: Any, ids: list[int]) -> str:
    """The text of tokens, without special ones and exactly as written."""
    text: str = tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return text


class Pieces:
    """Text deltas: what is given out, joined, is the text of all tokens.

    A token's text can depend on the one before it (a leading space, bytes of one character),
    so each delta is the difference of two decodings that share the last delta's tokens.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._context: list[int] = []  # the tokens of the last delta
        self._fresh: list[int] = []  # those after it

    def add(self, token: int) -> str:
        """What a further token adds; empty while a character is unfinished."""
        self._fresh.append(token)
        delta = self._delta()
        if not delta or delta.endswith(_UNFINISHED):
            return ""
        self._context, self._fresh = self._fresh, []
        return delta

    def rest(self) -> str:
        """What was held back, at the end."""
        delta = self._delta()
        self._context, self._fresh = self._fresh, []
        return delta

    def _delta(self) -> str:
        known = decode(self._tokenizer, self._context)
        return decode(self._tokenizer, self._context + self._fresh)[len(known) :]
