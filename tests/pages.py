"""For tests of the pages we write: texts that are hard on a page, and what a browser would see of one."""

from __future__ import annotations

from collections import defaultdict
from html.parser import HTMLParser
from typing import Any

NASTY = [
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "\"><svg onload=alert(1)> ' --> ]]> </textarea></style></title>",
    "{{ 7 * 7 }} {% raw %} {# note #}",
    "\x00\x1b[31m\u202egnp.exe\u202c \ufffe",
    "مرحبا שלום 👩🏽‍🚀",
    "a" * 5_000,
]


class Page(HTMLParser):
    """What a browser would see: elements, attributes, tables, and text by element."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.open: list[str] = []
        self.text: defaultdict[str, list[str]] = defaultdict(list)
        self._table: list[list[str]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)
        if tag == "table":
            self._table = []
            self.tables[dict(attrs).get("aria-label") or ""] = self._table
        if tag == "tr":
            self._table.append([])
        if tag in ("td", "th"):
            self._table[-1].append("")
        if tag in ("dd", "mark", "h1", "li", "div"):
            self.text[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        inner = self.open[-1] if self.open else ""
        if inner in ("td", "th"):
            self._table[-1][-1] += data
        elif inner in self.text:
            self.text[inner][-1] += data
