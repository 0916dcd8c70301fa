"""The text itself: paragraphs, evidence marked, places to jump to, the pair's own context set apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from space.view import html
from synthesis.data import content_hash

Span = tuple[int, int]


def reader(
    area: str,
    text: str,
    marks: Sequence[Span] = (),
    *,
    own: Span | None = None,
    asked: int | None = None,
    places: Sequence[int] = (),
    growing: bool = False,
) -> str:
    """A scrolling region with the text.

    Args:
        area: prefix of the ids inside, one per place on the page.
        text: what to show; blank lines separate paragraphs.
        marks: evidence, in order, not overlapping.
        own: the span to set apart from what surrounds it; None for all of it.
        asked: where the documents end and the instruction begins.
        places: offsets that get the ids ``<area>-0``, ``<area>-1``, ...
        growing: leave the last element open, so that the next, longer text begins with this one
            and only what is new travels to the browser.
    """
    if not text:
        return f'<div class="cs-reader cs-empty" id="{area}-text"><p>{_EMPTY}</p></div>'
    first, last = own or (0, len(text))
    end = len(text) if asked is None else asked
    pins = _pins(area, text, marks, places)
    parts = []
    for start, stop in _paragraphs(text):
        kind = "cs-own" if start < last and stop > first else "cs-ask" if start >= end else "cs-other"
        parts.append(f'<p class="{kind}">' if own else "<p>")
        parts.append(_marked(text, start, stop, pins))
        parts.append("</p>")
    if growing:
        return _head(area) + "".join(parts[:-1])
    return _head(area, f' data-done="{content_hash(text, marks)[:12]}"') + "".join(parts) + "</div>"


_EMPTY = "The context appears here, with its evidence highlighted."


def _head(area: str, flag: str = "") -> str:
    return f'<div class="cs-reader" id="{area}-text" role="region" tabindex="0" aria-label="Text"{flag}>'


def _paragraphs(text: str) -> Iterator[Span]:
    start = 0
    while start < len(text):
        stop = text.find("\n\n", start)
        stop = len(text) if stop < 0 else stop
        if text[start:stop].strip():
            yield start, stop
        start = stop + 2


class _Pins:
    """What happens at which offset: HTML to put in, in the order of the text."""

    def __init__(self, found: list[tuple[int, str]], marks: Sequence[Span]) -> None:
        self.found = found
        self.next = 0
        self.marks = marks
        self.mark = 0


def _pins(area: str, text: str, marks: Sequence[Span], places: Sequence[int]) -> _Pins:
    anchors = [
        (min(place, len(text)), f'<i id="{area}-{number}" class="cs-pin"></i>')
        for number, place in enumerate(places)
    ]
    return _Pins(anchors, sorted(marks))


def _marked(text: str, start: int, stop: int, pins: _Pins) -> str:
    """One paragraph: anchors at their offsets, evidence in ``<mark>``; marks never cross paragraphs."""
    cuts: list[tuple[int, int, str]] = []
    while pins.next < len(pins.found) and pins.found[pins.next][0] < stop:
        at, anchor = pins.found[pins.next]
        cuts.append((max(at, start), 1, anchor))
        pins.next += 1
    number = pins.mark
    while number < len(pins.marks) and pins.marks[number][0] < stop:
        begin, end = pins.marks[number]
        if end > start:
            cuts += [(max(begin, start), 2, '<mark class="cs-evidence">'), (min(end, stop), 0, "</mark>")]
        if end > stop:
            break  # goes on in the next paragraph
        number += 1
    pins.mark = number
    out, at = [], start
    for place, _, code in sorted(cuts, key=lambda cut: cut[:2]):
        out += [html.text(text[at:place]), code]
        at = place
    return "".join([*out, html.text(text[at:stop])])
