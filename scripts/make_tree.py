"""Writes the tree of modules into docs/architecture.md: each file with the first line of its docstring.

Usage: python scripts/make_tree.py [--check]
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- tree: scripts/make_tree.py -->\n", "<!-- end of the tree -->\n"
PACKAGES = ("synthesis", "builder", "space")
COLUMN = 28
# Folders without modules, and what is in them.
DATA = {
    "synthesis/engines/composer/banks": "Sentences of each genre; README.md there says how they are written.",
    "synthesis/prompts/templates": "The texts of the prompts.",
}


def said(path: Path) -> str:
    """The first line of a module's docstring."""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]


def line(depth: int, name: str, text: str) -> str:
    """One line of the tree, its text in the second column."""
    return f"{'  ' * depth}{name}".ljust(COLUMN) + (f" {text}" if text else "")


def branch(folder: Path, depth: int) -> Iterator[str]:
    """A folder's line, then those of its modules, then its folders."""
    init = folder / "__init__.py"
    text = said(init) if init.exists() else DATA.get(str(folder.relative_to(ROOT)), "")
    yield line(depth, f"{folder.name}/", text).rstrip()
    for path in sorted(folder.glob("*.py")):
        if path != init:
            yield line(depth + 1, path.name, said(path)).rstrip()
    for path in sorted(folder.iterdir()):
        if path.is_dir() and (any(path.glob("*.py")) or str(path.relative_to(ROOT)) in DATA):
            yield from branch(path, depth + 1)


def tree() -> str:
    """All packages, fenced."""
    lines = [text for package in PACKAGES for text in branch(ROOT / package, 0)]
    return "```\n" + "\n".join(lines) + "\n```\n"


if __name__ == "__main__":
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    made = before + BEGIN + tree() + END + after
    if sys.argv[1:] == ["--check"]:
        sys.exit("docs/architecture.md is behind: run python scripts/make_tree.py" if made != page else 0)
    PAGE.write_text(made, encoding="utf-8")
