"""A source and what to take of it in one text: ``SOURCE?config=NAME&split=NAME&columns=A,B``.

For pairs, and for what has no options of its own beside it: a benchmark, a corpus of distractors. Knows how
the address is written and what stands behind it, not what the rows are for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote_plus

from synthesis.errors import SourceError
from synthesis.sources import resolve
from synthesis.sources.hub import hub_tables, redact
from synthesis.sources.rows import SourceTable

_CHOICES: Final = ("config", "split", "columns")
# A question mark is a wildcard of globs, too. Choices begin with the first that a name and "=" follow.
_CHOSEN: Final = re.compile(r"(.*?)\?(\w+=.*|config|split|columns)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Address:
    """Where rows are; ``columns`` are those to read of them, which ones is open when there are none."""

    place: str
    config: str | None = None
    split: str = "train"
    columns: tuple[str, ...] = ()

    def tables(self, revision: str | None = None) -> list[SourceTable]:
        """Its tables in reading order; a Hub dataset's at ``revision`` (a commit) if that is given.

        Raises:
            SourceError: there is nothing, or it cannot be reached.
        """
        hub = resolve.hub_of(self.place)
        if hub and revision:
            return hub_tables(replace(hub, revision=revision), self.config, self.split, None)
        return resolve.tables(self.place, self.config, self.split, None)

    def describe(self) -> dict[str, Any]:
        """What is there, as ``synthesis.sources.pairs.describe_source`` says it; columns are not part of it.

        Raises:
            SourceError: it cannot be found or read.
        """
        return resolve.describe(self.place, self.config, self.split, None)

    def contents(self) -> tuple[object, ...]:
        """What changes when the rows do: the files' SHA-256 or the Hub's commit, and what is taken.

        JSON-able. The same files at another place have the same.

        Raises:
            SourceError: it cannot be found or read.
        """
        found = self.describe()
        files = sorted(one["sha256"] for one in found.get("files", ()))
        what = [files, found.get("revision"), found["name"] if not files else "", found.get("path")]
        return what, self.config, self.split, self.columns


def parse_address(source: str | Path) -> Address:
    """The address that a text stands for. A local path of that very name wins over choices.

    Values are written as in a URL where they hold ``%``, ``+``, ``&`` or, in a column, a comma
    (``%25``, ``%2B``, ``%26``, ``%2C``). ``~`` is the home folder.

    Raises:
        SourceError: it is empty, or what follows the question mark cannot be used.
    """
    text = resolve.as_text(source).strip()
    there = os.path.exists(text)  # noqa: PTH110 (Path.exists raises where choices make a name too long)
    match = None if there else _CHOSEN.fullmatch(text)
    place, choices = (match[1].strip(), match[2]) if match else (text, "")
    parts = [part.partition("=")[::2] for part in choices.split("&") if part]
    chosen = {key: _values(key, written) for key, written in parts}
    usable = all(key in _CHOICES and all(values) for key, values in chosen.items())
    if not place or not usable or len(chosen) < len(parts):
        raise SourceError(
            f"it is given as {redact(text)!r}; write SOURCE, or SOURCE?split=test, with any of "
            f"{', '.join(_CHOICES)} once and '&' between them."
        )
    (config,), (split,) = chosen.get("config", (None,)), chosen.get("split", ("train",))
    return Address(place, config, split, chosen.get("columns", ()))


def address_of(source: str | Path, config: str | None = None, split: str = "train") -> Address:
    """The address of pairs, whose config and split may stand beside the source or behind it.

    Raises:
        SourceError: what follows the question mark cannot be used, or says something else.
    """
    text = resolve.as_text(source)
    if "?" not in text:
        return Address(text, config, split)
    with errors_about("the source"):
        found = parse_address(text)
    if found.columns:
        raise SourceError(
            f"{redact(text)} names columns behind the source; those of pairs are given as "
            "--column instruction=NAME --column answer=NAME."
        )
    for flag, beside, behind in (
        ("--pairs-config", config, found.config),
        ("--split", None if split == "train" else split, None if found.split == "train" else found.split),
    ):
        if beside and behind and beside != behind:
            raise SourceError(f"{redact(text)} says otherwise than {flag} {beside}. Give only one of them.")
    return replace(found, config=config or found.config, split=split if split != "train" else found.split)


def _values(key: str, written: str) -> tuple[str, ...]:
    several = written.split(",") if key == "columns" else [written]
    return tuple(unquote_plus(one).strip() for one in several)


@contextmanager
def errors_about(whose: str) -> Iterator[None]:
    """Say of an error about a source whose it is, and how what it advises is written in an address.

    ``whose`` begins the message, as in ``the corpus``.
    """
    try:
        yield
    except SourceError as error:
        text = f"{whose} cannot be read: {error}"
        if "--pairs-config" in text or "--split" in text:
            text += " Here both stand behind the source: 'SOURCE?config=NAME&split=NAME'."
        # "from None": what lies behind it may carry a request, and with it a token.
        raise SourceError(text) from None
