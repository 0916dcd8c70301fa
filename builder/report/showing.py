"""``show``: one row of a dataset as pieces of text that know what they are, for a terminal or a notebook.

Reads any config, ours or not, with plain ``datasets``. Knows nothing of colours.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, NamedTuple, TypeAlias

from builder.export.source import config_names, measured_with
from builder.folder.place import Place, find_place
from builder.folder.versions import check_sound
from builder.report import twins
from builder.report.page import plain
from synthesis.data import Message
from synthesis.errors import SourceError, UsageError
from synthesis.sources.hub import dataset_table
from synthesis.tokens import load_tokenizer
from synthesis.wording import counted

PieceKind: TypeAlias = Literal["text", "evidence", "border", "gap"]
AROUND = 400  # characters of a long text that are shown on each side of what is marked


class ShownPiece(NamedTuple):
    """A run of text. ``note`` is what a piece of evidence states."""

    text: str
    kind: PieceKind = "text"
    note: str = ""


class _Mark(NamedTuple):
    """``text[start:end]`` is evidence for ``note``, or a border, said in words, stands before ``start``."""

    start: int
    end: int
    note: str
    kind: PieceKind = "evidence"


@dataclass(frozen=True, slots=True)
class Shown:
    """A row: facts about it, and its texts under their headings.

    In a notebook it is HTML; as text, evidence stands between ⟦ and ⟧.
    """

    place: str
    facts: Sequence[tuple[str, str]]
    parts: Sequence[tuple[str, Sequence[ShownPiece]]]

    def __str__(self) -> str:
        lines = [self.place, *(f"{name}: {told}" for name, told in self.facts)]
        for heading, pieces in self.parts:
            lines += ["", f"[{heading}]", "".join(map(_as_text, pieces))]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        facts = " · ".join(f"{html.escape(name)} {html.escape(told)}" for name, told in self.facts)
        parts = ""
        for heading, pieces in self.parts:
            inner = "".join(map(_as_html, pieces))
            parts += f"<h4>{html.escape(heading)}</h4><div style='white-space:pre-wrap'>{inner}</div>"
        return f"<div><b>{html.escape(self.place)}</b><br><small>{facts}</small>{parts}</div>"


def _as_text(piece: ShownPiece) -> str:
    if piece.kind == "evidence":
        return f"⟦{piece.text}⟧"
    return f"\n--- {piece.text} ---\n" if piece.kind == "border" else piece.text


def _as_html(piece: ShownPiece) -> str:
    text = html.escape(piece.text)
    if piece.kind == "evidence":
        # Both colours are set, so that it can be read on a dark page, too.
        style = "background:#fbe3bd;color:#22262b"
        return f"<mark style='{style}' title='{html.escape(piece.note, quote=True)}'>{text}</mark>"
    if piece.kind == "border":
        return f"<div style='opacity:.65;border-top:1px solid'>{text}</div>"
    return f"<span style='opacity:.65'>{text}</span>" if piece.kind == "gap" else text


def show(
    source: str,
    row: int | str = 0,
    *,
    config: str | None = None,
    split: str = "train",
    rendered: bool = False,
    tokenizer: str | None = None,
    full: bool = False,
) -> Shown:
    """One row of a run, a dataset folder or a dataset on the Hub.

    Args:
        source: a run's folder, a dataset folder, or ``OWNER/NAME[@REVISION]``.
        row: its number from 0, as ``datasets`` counts, or an id of it or its pair, of which the
            beginning is enough.
        config: the first chat config by default, else the first one.
        split: of the config.
        rendered: a conversation as the chat template of ``tokenizer`` writes it for a model.
        tokenizer: the one the samples were measured with by default.
        full: texts whole; otherwise what is far from evidence and from borders is left out.

    Raises:
        SourceError: there is no such dataset, config or row.
        UsageError: ``rendered`` is asked of a row that is no conversation.
    """
    place = find_place(source)
    names = config_names(place)
    chosen = config or next((name for name in names if "-chat-" in name), names[0])
    if chosen not in names:
        raise SourceError(f"{place.name} has no config '{chosen}'. It has: {', '.join(names)}.")
    if place.folder is not None:
        check_sound(place.folder, chosen)
    number, values = _find(place, chosen, split, row)
    where = f"{place.name}, {chosen}, row {number}"
    if rendered:
        turns = _turns(values)
        if not turns:
            raise UsageError(f"{where} is no conversation, so it cannot be rendered. Name a chat config.")
        parts = [
            ("as the model reads it", _rendered(turns, values, tokenizer or measured_with(place, chosen)))
        ]
    else:
        parts = [*_parts(values), *_beside(values, place, chosen, split)]
    shown = [(heading, pieces if full else list(_shortened(pieces))) for heading, pieces in parts]
    return Shown(plain(where), _facts(values), shown)


def _beside(
    values: Mapping[str, Any], place: Place, config: str, split: str
) -> Iterator[tuple[str, list[ShownPiece]]]:
    """What a twin differs in from its sample, and what would be a wrong reply."""
    twin, name = str(values.get("twin") or ""), str(values.get("twin_of") or "")
    if twin and name and values.get("changes") is not None:
        try:
            _, sample = _find(place, config, split, name)
        except SourceError:  # it was left out
            sample = {}
        lines = list(twins.changes(values, sample or None))
        heading = f"twin {twins.kind_of(twin)}: what differs from {name}"
        yield plain(heading), [ShownPiece("\n".join(lines))]
    if lines := list(twins.wrong(values)):
        yield "wrong replies", [ShownPiece("\n".join(lines))]


def _find(place: Place, config: str, split: str, row: int | str) -> tuple[int, Mapping[str, Any]]:
    table = dataset_table(place.at, place.name, config, split, None, place.revision)
    rows: Iterator[tuple[int, Any]] = ((one.line - 1, one.value) for one in table.rows())
    number = int(row) if isinstance(row, int) or re.fullmatch(r"[0-9]{1,9}", row) else None
    count = 0
    if number is not None:
        rows = islice(rows, number, None) if 0 <= number < _MOST_ROWS else iter(())
    for at, values in rows:
        count = at + 1
        if number is not None or any(
            str(values.get(key) or "").startswith(str(row)) for key in ("id", "pair_id")
        ):
            return at, values
    if number is not None:
        raise SourceError(
            f"{place.name}: '{config}' has no row {number} in its split '{split}'; rows count from 0."
        )
    told = f"none of {counted(count, 'row')} of '{config}' has an id that begins with '{row}'"
    raise SourceError(f"{place.name}: {told}. Give a row's number, or another config with --config.")


def _turns(values: Mapping[str, Any]) -> list[Message]:
    turns = values.get("messages", values.get("prompt"))
    if not isinstance(turns, list) or not all(isinstance(one, Mapping) for one in turns):
        return []
    return [Message(str(one.get("role")), str(one.get("content") or "")) for one in turns]


def _facts(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The columns that hold a name or a number, in their order."""
    told = []
    for name, value in values.items():
        if (
            isinstance(value, bool)
            or value is None
            or value == ""
            or name == "metadata"
            or _PLACE.search(name)
        ):
            continue
        if isinstance(value, float):
            told.append((name, f"{value:.3f}"))
        elif isinstance(value, int):
            told.append((name, f"{value:,}"))
        elif isinstance(value, str) and len(value) <= 80 and name not in _TEXTS:
            told.append((name, plain(value)))
    return told


_MOST_ROWS = 10**9
_PLACE = re.compile(r"_(start|end)$")  # what these say is marked in the text
_TEXTS = ("instruction", "answer", "context", "reason", "text")


def _parts(values: Mapping[str, Any]) -> Iterator[tuple[str, list[ShownPiece]]]:
    turns = _turns(values)
    for number, turn in enumerate(turns):
        first_user = turn.role == "user" and all(one.role != "user" for one in turns[:number])
        yield turn.role, _cut(turn.content, _marks(values, turn.content) if first_user else [])
    if turns:
        if "prompt" in values and values.get("answer"):
            yield "answer", [ShownPiece(plain(str(values["answer"])))]
        return
    for name in _TEXTS:
        if values.get(name):
            text = str(values[name])
            yield name, _cut(text, _marks(values, text) if name == "context" else [])
    steps = [one for one in values.get("reasons") or () if isinstance(one, Mapping) and one.get("quote")]
    if steps:
        yield "reasons", [piece for number, one in enumerate(steps, 1) for piece in _step(number, one)]


def _step(number: int, step: Mapping[str, Any]) -> Iterator[ShownPiece]:
    yield ShownPiece(f"{number}. ")
    yield ShownPiece(plain(str(step["quote"])), "evidence")
    yield ShownPiece(f" {plain(str(step.get('says') or ''))}\n")


def _marks(values: Mapping[str, Any], text: str) -> list[_Mark]:
    """Evidence, and the borders of the pair's own context among other documents."""
    spans = [one for one in values.get("evidence") or () if isinstance(one, Mapping)]
    marks = [_Mark(one["start"], one["end"], str(one.get("what") or "")) for one in spans]
    start, end = values.get("evidence_start"), values.get("evidence_end")
    documents = values.get("documents") or ()
    if isinstance(start, int) and isinstance(end, int) and end > start:
        told = (
            f"its own context, one of {len(documents)} documents" if len(documents) > 1 else "its own context"
        )
        marks += [_Mark(start, start, told, "border"), _Mark(end, end, "end of its own context", "border")]
    return sorted(one for one in marks if 0 <= one.start <= one.end <= len(text))


def _cut(text: str, marks: Sequence[_Mark]) -> list[ShownPiece]:
    pieces, at = [], 0
    for mark in marks:
        start = max(at, mark.start)  # spans may overlap
        if start > at:
            pieces.append(ShownPiece(plain(text[at:start])))
            at = start
        if mark.kind == "border":
            pieces.append(ShownPiece(mark.note, "border"))
        elif mark.end > at:
            pieces.append(ShownPiece(plain(text[at : mark.end]), "evidence", plain(mark.note)))
            at = mark.end
    return [*pieces, ShownPiece(plain(text[at:]))] if at < len(text) else pieces


def _rendered(turns: Sequence[Message], values: Mapping[str, Any], tokenizer: str) -> list[ShownPiece]:
    text = load_tokenizer(tokenizer).render(turns, add_generation_prompt=turns[-1].role == "user")
    user = next((one.content for one in turns if one.role == "user"), "")
    # A template may trim what it is given; then nothing is marked rather than the wrong words.
    at = text.find(user) if user else -1
    marks = _marks(values, user) if at >= 0 else []
    return _cut(text, [one._replace(start=one.start + at, end=one.end + at) for one in marks])


def _shortened(pieces: Sequence[ShownPiece]) -> Iterator[ShownPiece]:
    for number, piece in enumerate(pieces):
        text, first, last = piece.text, number == 0, number == len(pieces) - 1
        if piece.kind != "text" or len(text) <= 3 * AROUND:
            yield piece
            continue
        head, tail = text[:AROUND], text[-AROUND:]
        # At either end of a conversation stands what is asked.
        if first and last:
            head, tail = text[: 2 * AROUND], text[-AROUND:]
        yield ShownPiece(head)
        yield ShownPiece(f"\n[... {len(text) - len(head) - len(tail):,} characters ...]\n", "gap")
        yield ShownPiece(tail)
