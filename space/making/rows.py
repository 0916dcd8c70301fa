"""A visitor's JSONL, row by row: checked first, then written, scored and placed one after the other.

Every line keeps its number and ends as done, rejected with a reason, or not done because the
visitor stopped; what is done stays, whatever comes after. The composer only: twenty replies of a
model take longer than anybody waits for a page. Knows nothing of Gradio, HTML and files to take away.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from space.making import processes
from space.making.inputs import (
    HALF,
    LENGTHS,
    MOST_ANSWER,
    MOST_INSTRUCTION,
    InputError,
    Inputs,
    read_inputs,
)
from space.making.sessions import Run
from space.making.writing import Unmade, bundled, compose, surround, tokenizer
from synthesis.coherence import score_context
from synthesis.data import Coherence, Context, Pair, Rejected, Sample
from synthesis.errors import ContextSynthesisError, SourceError
from synthesis.sources.pairs import read_pairs
from synthesis.storage import scratch_folder
from synthesis.tasks import task_of
from synthesis.wording import counted

MOST_ROWS: Final = 20
MOST_BYTES: Final = 2_000_000
BATCH_LENGTHS: Final = {name: label for name, label in LENGTHS.items() if name not in ("16k", "32k")}
"""Twenty samples of 16k tokens would keep a free CPU, shared with other visitors, busy for a minute."""

_ELSEWHERE = "on your own machine `context-synthesis run --pairs FILE` has no such limit"
# So that a file without a single good row still gets a reason for each of its lines: a source
# of pairs in which there is none at all is otherwise refused as a whole.
_ANCHOR: Final = Pair(instruction="The last row.", answer="Added by the page; left out again.")


@dataclass(frozen=True, slots=True)
class Made:
    """What came of a row. ``sample`` is None where only a context of some words was asked for."""

    pair: Pair
    context: Context
    sample: Sample | None
    coherence: Coherence


@dataclass(frozen=True, slots=True)
class BatchRow:
    """One row of the file; ``number`` is its line, from 1, and ``source`` that line's text.

    ``stage`` is ``waiting``, ``writing``, ``done``, ``rejected`` or ``left`` (the visitor stopped).
    ``note`` says why a row was rejected.
    """

    number: int
    source: str
    stage: str = "waiting"
    note: str = ""
    pair: Pair | None = None
    inputs: Inputs | None = None
    made: Made | None = None
    rejected: Rejected | None = None


@dataclass(frozen=True, slots=True)
class Board:
    """One moment of a batch. ``stage`` is ``writing``, ``done``, ``stopped`` or ``problem``."""

    stage: str
    note: str
    lines: tuple[BatchRow, ...] = ()


def work(text: Any, settings: dict[str, Any], run: Run) -> Iterator[Board]:
    """Everything a batch shows, from the checked rows to the last one done.

    Args:
        text: JSON Lines as the visitor gave them, unchecked.
        settings: ``length``, ``distractors``, ``depth`` and ``seed`` for all rows, unchecked.
        run: asked between two rows whether to go on.
    """
    try:
        lines = processes.call(read_lines, text, settings)
    except ContextSynthesisError as error:
        yield Board("problem", str(error))
        return
    for place, line in enumerate(lines):
        if run.stopped:
            break
        if line.stage != "waiting":
            continue
        lines[place] = replace(line, stage="writing")
        yield Board("writing", f"Line {line.number}: {_progress(lines)}", tuple(lines))
        lines[place] = _tried(line)
    left = [replace(line, stage="left") if line.stage == "waiting" else line for line in lines]
    stopped = any(line.stage == "left" for line in left)
    yield Board("stopped" if stopped else "done", _progress(left), tuple(left))


def read_lines(text: Any, settings: dict[str, Any]) -> list[BatchRow]:
    """The rows of a file, each ``waiting`` or ``rejected`` with the reason.

    Raises:
        InputError: the file as a whole cannot be used, or a setting cannot.
    """
    whole = _within_limits(text)
    sources = {number: line for number, line in enumerate(whole.split("\n"), 1) if line.strip()}
    if len(sources) > MOST_ROWS:
        raise InputError(
            f"There are {len(sources):,} rows; this page takes {MOST_ROWS}. Leave some out; {_ELSEWHERE}."
        )
    # What is wrong with a setting is wrong for every row: told once, before any of them.
    if str(settings.get("length") or "") not in BATCH_LENGTHS:
        raise InputError(f"There is no length {str(settings.get('length'))[:20]!r}. Choose one of the list.")
    read_inputs(instruction="x", answer="x", **settings)
    if not any(line.strip().startswith("{") and line.strip().endswith("}") for line in sources.values()):
        raise InputError(
            "None of the lines is a JSON object. Write each row as one line, such as "
            '{"instruction": "Who?", "answer": "Ada"}; CSV, or an object over several lines, is none.'
        )
    outcomes = dict(zip(sources, _outcomes(whole), strict=True))
    return [_line(number, sources[number], outcome, settings) for number, outcome in outcomes.items()]


def example() -> str:
    """Six bundled pairs of different tasks as JSON Lines, the last row spoilt to show what then happens."""
    chosen = [bundled()[number] for number in (0, 12, 25, 36, 47)]
    rows = [{"task": pair.task, "instruction": pair.instruction, "answer": pair.answer} for pair in chosen]
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in [*rows, {"instruction": "No answer?"}])


def decoded(content: bytes) -> str:
    """The text of a visitor's file.

    Raises:
        InputError: it is too large, no text, or none in UTF-8; nothing is replaced or left out.
    """
    if len(content) > MOST_BYTES:
        raise InputError(
            f"The file takes more than {MOST_BYTES / 1e6:.0f} MB, which is all this page takes. "
            f"Choose a smaller one; {_ELSEWHERE}."
        )
    if content.startswith((b"PAR1", b"\x1f\x8b", b"PK", b"%PDF")) or b"\0" in content:
        raise InputError(
            "The file is not text in UTF-8, but packed, in UTF-16 or of another kind. Save it as JSON Lines "
            "in UTF-8."
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"Line {line} of the file is not UTF-8, as in files saved as Latin-1 or Windows-1252. "
            "Save it in UTF-8: letters would be lost."
        ) from None


def _within_limits(text: Any) -> str:
    if not isinstance(text, str) or not text.strip():
        raise InputError("There are no rows. Paste JSON Lines, choose a file, or take the example.")
    size = len(text.encode("utf-8", "replace"))
    if size > MOST_BYTES:
        raise InputError(
            f"The rows take {size / 1e6:.1f} MB; this page takes {MOST_BYTES / 1e6:.0f} MB. "
            f"Shorten them; {_ELSEWHERE}."
        )
    if half := HALF.search(text):
        line = text.count("\n", 0, half.start()) + 1
        raise InputError(f"Line {line} holds half of a character, as a text does that was cut. Delete it.")
    if text.lstrip().startswith("[") and _is_array(text):
        raise InputError("This is one JSON array. Write its objects one to a line, without the brackets.")
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _is_array(text: str) -> bool:
    try:
        return isinstance(json.loads(text), list)
    except (ValueError, RecursionError):  # several lines, each of its own
        return False


def _outcomes(whole: str) -> list[Pair | Rejected]:
    """What each row that is not blank is, in order."""
    anchor = json.dumps({"instruction": _ANCHOR.instruction, "answer": _ANCHOR.answer})
    with scratch_folder() as folder:
        # The name of the file is the task of rows that name none.
        path = Path(folder) / "generic.jsonl"
        path.write_bytes(f"{whole}\n{anchor}\n".encode("utf-8", "replace"))
        try:
            return list(read_pairs(path))[:-1]
        except SourceError as error:
            said = str(error).replace(str(path), "they").replace(str(path.parent), "they")
            raise InputError(f"The rows cannot be read: {said}") from None


def _line(number: int, source: str, outcome: Pair | Rejected, settings: dict[str, Any]) -> BatchRow:
    if isinstance(outcome, Rejected):
        reason = outcome.reason.replace("generic.jsonl:", "line ")
        return _refused(BatchRow(number, source), replace(outcome, pair_id=f"line {number}", reason=reason))
    kind = task_of(outcome.task).name
    line = BatchRow(number, source, pair=outcome)
    try:
        inputs = read_inputs(instruction=outcome.instruction, answer=outcome.answer, task=kind, **settings)
    except InputError as error:
        return _refused(line, Rejected(outcome.id, "pairs", str(error), source))
    if len(outcome.instruction) > MOST_INSTRUCTION or len(outcome.answer) > MOST_ANSWER:
        return _refused(line, Rejected(outcome.id, "pairs", "too many blanks around the texts", source))
    # A row's texts are never changed; what is typed into the form loses the blanks around it.
    return replace(line, inputs=replace(inputs, instruction=outcome.instruction, answer=outcome.answer))


def _refused(line: BatchRow, why: Rejected) -> BatchRow:
    return replace(line, stage="rejected", note=why.reason, rejected=why)


def _tried(line: BatchRow) -> BatchRow:
    """A waiting row done or rejected, whatever becomes of it: the others go on."""
    try:
        return processes.call(_worked, line)
    except processes.WorkError as error:
        pair_id = line.pair.id if line.pair else ""
        return _refused(line, Rejected(pair_id, "synthesis", str(error), line.source))


def _worked(line: BatchRow) -> BatchRow:
    """A waiting row done, or rejected by the composer or the assembly."""
    pair, inputs = line.pair, line.inputs
    if pair is None or inputs is None:  # only rejected rows lack them
        raise TypeError(f"line {line.number} has nothing to write from")
    try:
        written = compose(inputs)
        sample = surround(inputs, written)
    except Unmade as error:
        return _refused(line, Rejected(pair.id, "synthesis", str(error), line.source))
    context = replace(written, tokens=tokenizer().count(written.text))
    coherence = score_context(pair, context).coherence
    if sample is not None:  # the task keeps the name that the row gives it
        sample = replace(sample, task=pair.task, coherence=coherence.overall)
    return replace(line, stage="done", made=Made(pair, context, sample, coherence))


def _progress(lines: Sequence[BatchRow]) -> str:
    count = {stage: sum(line.stage == stage for line in lines) for stage in ("done", "rejected", "left")}
    told = f"{count['done']} of {counted(len(lines), 'row')} done"
    told += f", {count['rejected']} rejected" if count["rejected"] else ""
    told += f", {count['left']} not begun when you stopped" if count["left"] else ""
    return f"{told}."
