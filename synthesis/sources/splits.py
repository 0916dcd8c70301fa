"""Which files of a folder are of which split, by the names of files and folders, as ``datasets`` has it.

Works on names alone: opens nothing, and knows nothing of cards.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import PurePosixPath
from typing import Any, Final, NamedTuple

from synthesis.errors import SourceError

# What in a name stands for a split, in the order of the splits.
_KEYWORDS: Final = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test", "testing", "eval", "evaluation"),
}
_SHARD: Final = re.compile(r"data/(?P<split>[^/]+)-\d{5}-of-\d{5}[^/]*\.[^/]*")
_BETWEEN: Final = r"[-._ 0-9]"
_SHOWN: Final = 5


class ChosenFiles(NamedTuple):
    """The names to read, in order, and those left out: name -> its split, "" where it has none."""

    read: list[str]
    left: Mapping[str, str]


def choose_split(folder: str, names: Sequence[str], split: str) -> ChosenFiles:
    """The files of a split among ``names``, which are paths below ``folder`` with slashes.

    Shards (``data/SPLIT-00000-of-00001.parquet``) decide first, then folders named by a split, then
    files; with none of them, all are ``train``. Case does not matter, so that ``Test.jsonl`` is never
    taken for training.

    Raises:
        SourceError: there is no file of that split.
    """
    splits = splits_of(names)
    read = [name for name in names if split in splits[name]]
    if read:
        left = {name: found[0] if found else "" for name, found in splits.items() if split not in found}
        return ChosenFiles(read, left)
    there = dict.fromkeys(one for found in splits.values() for one in found)
    known = [one for one in _KEYWORDS if one in there] + [one for one in there if one not in _KEYWORDS]
    if known == ["train"]:
        raise SourceError(
            f"{folder} has no split '{split}': nothing in it is named by a split. Leave --split out."
        )
    told = "; ".join(f"{one}: {_some([n for n in names if one in splits[n]])}" for one in known)
    rest = [name for name in names if not splits[name]]
    raise SourceError(
        f"{folder} has no split '{split}'. By the names of its files it has {told}"
        + (f"; without a split: {_some(rest)}" if rest else "")
        + f". Name one with --split {' or '.join(known)}, or give a single file."
    )


def splits_of(names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Each file's splits; none for a file that is left out because others are named by one."""
    shards = {name: found["split"] for name in names if (found := _SHARD.fullmatch(name))}
    if shards:
        return {name: (shards[name],) if name in shards else () for name in names}
    for named in (_by_folders, _by_file):
        each = {name: named(name) for name in names}
        if any(each.values()):
            return each
    return dict.fromkeys(names, ("train",))


def tell_files(source: Mapping[str, Any]) -> str:
    """A line on what of a described source was read and what was not; empty where all was."""
    left: Mapping[str, str] = source.get("left_out") or {}
    if not left:
        return ""
    read = [one["path"] for one in source["files"]]
    others = [f"{name} ({split})" if split else name for name, split in left.items()]
    return f"read of {source['name']}: {_some(read)}; left out by the split: {_some(others)}"


def _by_folders(name: str) -> tuple[str, ...]:
    parents = PurePosixPath(name).parts[:-1]
    return tuple(
        split
        for split, keywords in _KEYWORDS.items()
        if any(_pattern(word, folder=True).fullmatch(part) for word in keywords for part in parents)
    )


def _by_file(name: str) -> tuple[str, ...]:
    base = PurePosixPath(name).name
    return tuple(
        split
        for split, keywords in _KEYWORDS.items()
        if any(_pattern(word, folder=False).fullmatch(base) for word in keywords)
    )


@cache
def _pattern(keyword: str, folder: bool) -> re.Pattern[str]:
    """A folder may be named by the keyword alone; something has to follow it in a file's name."""
    behind = f"(?:{_BETWEEN}.*)" + ("?" if folder else "")
    return re.compile(f"(?:.*{_BETWEEN})?{keyword}{behind}", re.IGNORECASE | re.DOTALL)


def _some(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more:,} more" if more > 0 else "")
