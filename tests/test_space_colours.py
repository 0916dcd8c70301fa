"""The page's colours, light and dark, against WCAG AA: text 4.5 to 1, what must be told apart 3 to 1."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.contrast import contrast

CSS = (Path(__file__).parent.parent / "space/view/page.css").read_text(encoding="utf-8")
TEXT = [
    *(("ink", ground) for ground in ("paper", "sheet", "mark", "empty")),
    *(("soft", ground) for ground in ("paper", "sheet", "mark")),
    *(("accent", ground) for ground in ("paper", "sheet", "mark")),
    *(("bad", ground) for ground in ("paper", "sheet")),
    ("paper", "ink"),
]
MARKS = [
    *(("evidence", ground) for ground in ("paper", "sheet", "empty", "mark")),
    *(("rim", ground) for ground in ("paper", "empty")),
    *(("edge", ground) for ground in ("paper", "sheet")),
    ("ink", "rim"),  # a slider's knob on its track
]


def colours(scheme: str) -> dict[str, str]:
    block = re.search(rf"^{re.escape(scheme)} {{(.*?)^}}", CSS, re.S | re.M)
    assert block
    return dict(re.findall(r"--cs-(\w+): (#\w{6});", block[1]))


@pytest.mark.parametrize("scheme", [":root", ".dark"])
@pytest.mark.parametrize(
    ("front", "ground", "least"), [(*one, 4.5) for one in TEXT] + [(*one, 3.0) for one in MARKS]
)
def test_it_can_be_read(scheme, front, ground, least) -> None:
    known = colours(scheme)
    assert contrast(known[front], known[ground]) >= least
