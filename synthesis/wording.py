"""Numbers in words that every part of the tool uses alike."""

from __future__ import annotations


def counted(number: int, one: str, more: str = "") -> str:
    """How many of what: 1 pair, 2 pairs; ``more`` is a plural that takes more than an s."""
    return f"{number:,} {one if number == 1 else more or one + 's'}"


def readable_size(size: float) -> str:
    """A number of bytes: 950 B, 12.3 kB, 4.5 MB."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
