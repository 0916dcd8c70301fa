"""Passages put word for word between marks, and found again: quotes that a text gives of a document."""

from __future__ import annotations

import re
from typing import Final

_MARKS: Final = (("\u201c", "\u201d"), ("\u00ab", "\u00bb"), ("\u300c", "\u300d"), ("\u2039", "\u203a"))
_OF: Final = "|".join(f"{left}[^{left}{right}]*{right}" for left, right in _MARKS)
_QUOTE: Final = re.compile(_OF)
_LISTED: Final = re.compile(rf"(?:\s*\n\[\d{{1,4}}\] (?:{_OF})[ \t]*)+\s*\Z")


def quoted(text: str) -> str:
    """The text between marks of which it holds none itself, so that it is found again whole."""
    for left, right in _MARKS:
        if left not in text and right not in text:
            return f"{left}{text}{right}"
    return ""


def quotes(text: str) -> list[str]:
    """What stands between marks in a text, in order."""
    return [match.group()[1:-1] for match in _QUOTE.finditer(text)]


def without_quotes(text: str) -> str:
    """The text's own words."""
    return _QUOTE.sub(" ", text)


def without_listed(text: str) -> str:
    """The text without lines of quotes at its end, each behind its document's number in brackets."""
    return _LISTED.sub("", text)
