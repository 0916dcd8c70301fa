"""Word lists are read in one way, by who writes and who reads sentences."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthesis.text.lists import entries, sections

LISTED = "# of what\n\nabove\n[one]\n  b c \n# not this\na\n\n[two]\n[one]\nd\n"


def test_entries_keep_their_order_without_comments_and_blanks(tmp_path: Path) -> None:
    (tmp_path / "listed.txt").write_text(LISTED, "utf-8")
    assert entries(tmp_path / "listed.txt") == ("above", "[one]", "b c", "a", "[two]", "[one]", "d")


def test_sections_hold_what_stands_below_their_names(tmp_path: Path) -> None:
    (tmp_path / "listed.txt").write_text(LISTED, "utf-8")
    assert sections(tmp_path / "listed.txt") == {"one": ("b c", "a", "d"), "two": ()}


def test_a_list_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        entries(tmp_path / "none.txt")
