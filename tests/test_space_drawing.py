"""What the page draws of a result: text that stays text, the reader, the strip."""

from __future__ import annotations

import re
import tempfile
from html.parser import HTMLParser
from pathlib import Path

from space import handlers
from space.handlers import Moment
from space.tabs import synthesize
from space.view import html
from space.view.drawing import code, draw, draw_own_score, draw_result, status
from space.view.reader import reader
from space.view.strip import MOST_CELLS, make_cells
from tests.space_requests import ASKED, at_once, moments  # noqa: F401 - a fixture for all tests

HOSTILE = "<script>alert(1)</script> <img src=x onerror=alert(2)> {{constructor}} ${alert(3)} `x` \\"
HOSTILE += " \" ' & \ud800 \x00"


class Elements(HTMLParser):
    """The elements and attributes a browser would see."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def test_hostile_text_stays_text() -> None:
    shown = HOSTILE.replace("\ud800", "\ufffd").replace("\x00", "\ufffd")
    parsed = Elements(html.text(HOSTILE))
    assert (parsed.tags, parsed.text) == ([], shown)
    assert not re.search(r"[{}$<>`]", html.text(HOSTILE))


def test_a_hostile_pair_cannot_reach_the_page_as_markup() -> None:
    whole = HOSTILE.replace("\ud800", "")
    (*_, last) = moments(instruction=whole, answer=f'{whole} "><b onclick=x>', length="4k")
    assert last.result is not None
    pieces = [*draw("syn", last), code("syn", last.result), status("problem", HOSTILE)]
    scored = handlers.score_own(whole, whole, whole * 5)
    for markup in [*pieces, *draw_own_score("own", scored)]:
        parsed = Elements(markup)
        assert not {"script", "img", "iframe", "style"} & set(parsed.tags)
        assert not [name for name, _ in parsed.attributes if name.startswith("on")]
        assert "${" not in markup and "{{" not in markup


def test_the_reader_loses_no_word_and_marks_what_it_should() -> None:
    text = "One two.\n\nThree four five.\nSix.\n\n\n\nSeven eight."
    marks = [(4, 15), (20, 24)]  # the first spans two paragraphs
    markup = reader("p", text, marks, places=[0, 10, 43, 999])
    parsed = Elements(markup)
    assert "".join(parsed.text.split()) == "".join(text.split())
    assert "".join(re.findall(r"<mark[^>]*>(.*?)</mark>", re.sub(r"<i .*?</i>", "", markup))) == (
        text[4:8] + text[10:15] + text[20:24]
    )
    assert markup.count("<mark") == markup.count("</mark>") == 3
    assert [value for name, value in parsed.attributes if name == "id"] == ["p-text", "p-0", "p-1", "p-2"]


def test_growing_texts_continue_one_another() -> None:
    drawn = [draw("syn", moment).text for moment in moments(length="1000w") if moment.stage == "writing"]
    assert all(later.startswith(earlier) for earlier, later in zip(drawn, drawn[1:], strict=False))


def test_the_strip_leads_to_places_that_are_there() -> None:
    drawn = draw_result("syn", moments(length="8k")[-1].result)
    jumps = re.findall(r'data-jump="([^"]+)"', drawn.strip)
    assert 20 < len(jumps) <= MOST_CELLS
    assert all(f'id="{name}"' in drawn.text for name in jumps)
    assert drawn.strip.count('tabindex="0"') == 1


def test_cells_cover_the_text_and_find_the_evidence() -> None:
    windows = [(at * 10, at * 10 + 10, at / 200) for at in range(200)]
    cells = make_cells(windows, [(1000, 1004)])
    assert len(cells) == MOST_CELLS
    assert (cells[0].start, cells[-1].end) == (0, 2000)
    assert all(a.end == b.start for a, b in zip(cells, cells[1:], strict=False))
    (held,) = [cell for cell in cells if cell.evidence]
    assert held.start <= 1000 < held.end
    assert make_cells([], []) == []


def test_nothing_of_a_run_before_stays_beside_a_failure() -> None:
    from space.tabs.parts import pieces

    for begun in (False, True):
        drawn = pieces("syn", Moment("problem", "No."), begun=begun)
        assert "No." in drawn[0] and drawn[1:] == list(draw("syn", Moment("problem", "No.")))[1:]
    aside = synthesize._aside(Moment("problem", "No."), begun=False)
    assert aside[0] is None and "next result" in aside[1]
    # What was taken back in line did not fail.
    kept = pieces("syn", Moment("stopped", "Out of the line."), begun=False)
    assert all(not isinstance(piece, str) for piece in kept[1:])


def test_no_message_tells_where_files_lie_for_a_while() -> None:
    place = Path(tempfile.gettempdir())
    for path in (
        place / "context-synthesis-ab_1" / "manifests" / "x.json",
        place / "gradio" / "f3" / "x.json",
    ):
        told = html.text(html.without_places(f"The file '{path}' cannot be read."))
        assert str(place) not in told and "x.json" in told
        assert str(place) not in status("problem", f"'{path}' is gone")
    mine = f"'{place / 'my-run'}' is not a folder"
    assert html.without_places(mine) == mine
