"""What a benchmark is called and where its rows are: ``hf://...?split=test&columns=input,answers``.

Knows how the address is written; reads nothing but the description of the source.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

from synthesis.data import content_hash
from synthesis.errors import ConfigError
from synthesis.sources import resolve

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_CHOICES = ("config", "split", "columns")


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A benchmark: ``columns`` are those whose text counts, all of them when there are none."""

    name: str
    source: str
    config: str | None = None
    split: str = "train"
    columns: tuple[str, ...] = ()

    def digest(self) -> str:
        """A hash of what it consists of: the files' SHA-256, or the commit on the Hub.

        Raises:
            SourceError: the source cannot be found or read.
        """
        found = resolve.describe(self.source, self.config, self.split, None)
        files = sorted(one["sha256"] for one in found.get("files", ()))
        what = [files, found.get("revision"), found["name"] if not files else "", found.get("path")]
        return content_hash(self.name, what, self.config, self.split, self.columns)


def parse_benchmark(name: str, source: str) -> Benchmark:
    """``SOURCE[?config=...&split=...&columns=a,b]`` under a name.

    Raises:
        ConfigError: the name or what follows the question mark cannot be used.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r} cannot name a benchmark; use letters, digits, '.', '_' and '-', "
            "as in --benchmark longbench=FILE"
        )
    place, _, choices = str(source).partition("?")
    try:
        pairs = parse_qsl(choices, keep_blank_values=True, strict_parsing=True) if choices else []
    except ValueError:
        pairs = [(choices, "")]
    chosen = dict(pairs)
    wrong = [key for key, value in pairs if key not in _CHOICES or not value.strip()]
    if wrong or not place.strip() or len(chosen) < len(pairs):
        raise ConfigError(
            f"the benchmark {name} is given as {source!r}; write SOURCE, or SOURCE?split=test, "
            f"with any of {', '.join(_CHOICES)} once and '&' between them"
        )
    return Benchmark(
        name,
        place.strip(),
        chosen.get("config"),
        chosen.get("split", "train"),
        tuple(column.strip() for column in chosen.get("columns", "").split(",") if column.strip()),
    )
