"""What a benchmark is called and where its rows are. Reads nothing but the description of the source."""

from __future__ import annotations

import re
from dataclasses import dataclass

from synthesis.data import content_hash
from synthesis.errors import ConfigError
from synthesis.sources.address import Address, errors_about, parse_address

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A benchmark; the text of its address' columns counts, of all of them when there are none."""

    name: str
    address: Address

    def __str__(self) -> str:
        return f"the benchmark {self.name}"

    def digest(self) -> str:
        """A hash of what it consists of: the files' SHA-256, or the commit on the Hub.

        Raises:
            SourceError: the source cannot be found or read.
        """
        with errors_about(str(self)):
            return content_hash(self.name, *self.address.contents())


def parse_benchmark(name: str, source: str) -> Benchmark:
    """``SOURCE[?config=...&split=...&columns=a,b]`` under a name.

    Raises:
        ConfigError: the name cannot be used.
        SourceError: what follows the question mark cannot.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r} cannot name a benchmark; use letters, digits, '.', '_' and '-', "
            "as in --benchmark longbench=FILE"
        )
    with errors_about(f"the benchmark {name}"):
        return Benchmark(name, parse_address(source))
