"""Samples that several processes make: the same, in order, and no process left behind."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from builder.cli.main import app
from synthesis.assembly.documents import Documents
from synthesis.assembly.options import make_options
from synthesis.assembly.production import Assembly
from synthesis.data import Context, Evidence, Pair
from synthesis.errors import SourceError, StorageError
from synthesis.options import SamplesConfig
from synthesis.processes import spread, streamed
from synthesis.tokens import load_tokenizer
from tests.assembly_texts import prose
from tests.programs import running
from tests.scale_pipeline import content

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="one process does the work elsewhere")
ROOT = Path(__file__).parent.parent


def test_results_come_in_order_from_several_processes() -> None:
    made = list(spread(range(40), lambda job: (job, os.getpid()), 3))
    assert [job for job, _ in made] == list(range(40))
    assert len({pid for _, pid in made}) == 3 and os.getpid() not in {pid for _, pid in made}
    assert list(spread(range(4), lambda job: os.getpid(), 1)) == [os.getpid()] * 4
    assert list(spread([], lambda job: job, 3)) == []
    assert [len(text) for text in spread([300_000] * 9, lambda size: "x" * size, 2)] == [300_000] * 9


def test_results_of_jobs_that_are_pulled_come_in_order_from_several_processes() -> None:
    """Pulled a few ahead, though there may be none for the moment; the first job is done in this process."""
    given: list[int] = []
    taken: list[int] = []

    def pull() -> tuple[int, str] | None:
        # Of the second half there is none before the first has nearly come back.
        if len(given) == 60 or (len(given) == 30 and len(taken) < 29):
            return None
        given.append(len(given))
        return given[-1], "x" * 300_000

    pids = []
    for number, pid, text in streamed(pull, lambda job: (job[0], os.getpid(), job[1]), 3):
        taken.append(number)
        pids.append(pid)
        assert len(text) == 300_000
    assert taken == list(range(60))
    assert pids[0] == os.getpid() and len(set(pids[1:])) == 3 and os.getpid() not in pids[1:]
    some = iter((7, 8))
    alone = list(streamed(lambda: next(some, None), lambda job: (job, os.getpid()), 1))
    assert alone == [(7, os.getpid()), (8, os.getpid())]
    assert list(streamed(lambda: None, lambda job: job, 3)) == []


@pytest.mark.parametrize(("wrong", "error"), [(5, SourceError), (7, StorageError)])
def test_what_goes_wrong_with_a_pulled_job_is_told_in_its_place(wrong, error) -> None:
    def work(job: int) -> int:
        if job == 5:
            raise SourceError("gone")
        if job == 7:
            os.kill(os.getpid(), signal.SIGKILL)
        return job

    jobs = iter([0, 1, 2, 3, 4, wrong, *range(10, 40)])
    found = []
    with pytest.raises(error, match="gone|exit code -9"):
        for one in streamed(lambda: next(jobs, None), work, 2):
            found.append(one)
    assert found == [0, 1, 2, 3, 4]


class Odd(Exception):
    """One that cannot be made again of its message."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(one + two)


@pytest.mark.parametrize(
    ("error", "expected", "text"),
    [(SourceError("gone"), SourceError, "gone"), (Odd("a", "b"), RuntimeError, "Odd: ab")],
)
def test_what_goes_wrong_in_one_is_told(error, expected, text) -> None:
    def work(job: int) -> int:
        if job == 5:
            raise error
        return job

    found = []
    with pytest.raises(expected, match=text):
        for one in spread(range(9), work, 2):
            found.append(one)
    assert found == [0, 1, 2, 3, 4]


def test_a_process_that_is_ended_from_outside_is_told() -> None:
    def work(job: int) -> int:
        if job == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return job

    with pytest.raises(StorageError, match=r"exit code -9.*--workers"):
        list(spread(range(9), work, 2))


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def ended(pids: list[int]) -> bool:
    """Whether they all end in the time that a busy machine may take."""
    until = time.monotonic() + 60
    while any(map(alive, pids)) and time.monotonic() < until:
        time.sleep(0.01)
    return not any(map(alive, pids))


def test_nobody_stays_where_the_results_are_not_wanted_any_more() -> None:
    made = spread(range(100), lambda job: os.getpid(), 2)
    pids = [next(made), next(made)]
    made.close()
    assert ended(pids)


def test_nobody_stays_where_the_first_process_is_killed() -> None:
    code = (
        "import os, time\nfrom synthesis.processes import spread\n"
        "for pid in spread(range(10**6), lambda job: os.getpid(), 3):\n    print(pid, flush=True)"
    )
    with running("-c", code) as first:
        assert first.stdout
        pids = [int(first.stdout.readline()) for _ in range(3)]
        assert all(map(alive, pids))
        first.kill()
    assert ended(pids)


@pytest.mark.parametrize(
    "asked",
    [
        {"distractors": "random", "twins": ("removed", "changed")},
        {"distractors": "same-task", "max_reuse": 3, "abstain": 0.2},
        {"distractors": "lexical", "keychain": 2},
        {"oversize": "trim", "header": "Document {n}:\n", "depth": "end"},
    ],
    ids=lambda asked: ",".join(asked),
)
def test_samples_are_the_same_with_any_number_of_workers(asked) -> None:
    rows = []
    for number in range(150):
        text = prose(number, 60)
        pair = Pair(instruction=f"What of {number}?", answer=f"answer {number}", task="paper_qa")
        rows.append((pair, Context(pair.id, text, evidence=(Evidence(5, 20, "fact"),))))
    options = make_options({600: 1.0}, SamplesConfig(**asked))

    def made(workers: int) -> list[object]:
        documents = Documents(rows, load_tokenizer(None), workers=workers)
        return list(Assembly(documents, options, lambda item: item / 150).outcomes(workers=workers))

    alone = made(1)
    assert len(alone) >= 150
    assert made(2) == alone == made(3)


def test_a_run_with_workers_makes_the_same_folder(tmp_path) -> None:
    for name, workers in (("one", "1"), ("two", "2")):
        asked = ["--limit", "40", "--words", "120", "--lengths", "1k,2k", "--workers", workers]
        done = CliRunner().invoke(app, ["run", *asked, "--out", str(tmp_path / name)])
        assert done.exit_code == 0, done.output
    one, two = content(tmp_path / "one"), content(tmp_path / "two")
    assert len(one) > 5 and one == two
