"""Stop while a run waits in line: it means that run, and no other."""

from __future__ import annotations

from space import handlers  # noqa: E402
from space.handlers import Moment  # noqa: E402
from space.making import rows, sessions  # noqa: E402
from space.making.sessions import Run, Runs  # noqa: E402
from space.tabs.parts import pieces  # noqa: E402


def test_a_run_stopped_in_line_begins_stopped() -> None:
    runs = Runs()
    runs.expect("anna", "syn")
    runs.expect("anna", "compare")
    assert runs.stop("anna", "syn")
    with runs.new("anna", "syn") as first, runs.new("anna", "compare") as other:
        assert first.stopped and not other.stopped
    with runs.new("anna", "syn") as next_one:
        assert not next_one.stopped


def test_stop_with_nothing_in_line_means_no_later_run() -> None:
    runs = Runs()
    runs.expect("anna", "syn")
    with runs.new("anna", "syn"):
        pass
    assert not runs.stop("anna", "syn")
    runs.expect("anna", "syn")
    with runs.new("anna", "syn") as later:
        assert not later.stopped


def test_pressing_again_takes_an_earlier_stop_back() -> None:
    runs = Runs()
    runs.expect("anna", "syn")
    runs.stop("anna", "syn")
    runs.expect("anna", "syn")
    with runs.new("anna", "syn") as run:
        assert not run.stopped


def test_those_who_never_come_are_forgotten(monkeypatch) -> None:
    monkeypatch.setattr(sessions, "_MOST_WAITING", 2)
    runs = Runs()
    for name in ("anna", "ben", "cleo"):
        runs.expect(name, "syn")
    assert [runs.stop(name, "syn") for name in ("anna", "ben", "cleo")] == [False, True, True]


def test_a_stopped_run_writes_nothing_and_leaves_what_stood_there() -> None:
    run = Run()
    run.stop()
    (moment,) = handlers.synthesize({"instruction": "a", "answer": "b"}, run)
    assert moment == Moment("stopped", moment.note) and "nothing was written" in moment.note
    said, *others = pieces("syn", moment, begun=False)
    assert "Stopped" in said and all("__type__" in other for other in others)


def test_a_stopped_batch_says_that_no_row_was_begun() -> None:
    run = Run()
    run.stop()
    (board,) = rows.work('{"instruction": "Who?", "answer": "Ilse"}', {"length": "500w"}, run)
    assert board.stage == "stopped" and "1 not begun" in board.note
