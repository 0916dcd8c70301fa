"""The jobs of a study: each arm, seed and fold once, in processes that take one after another.

A job that is done has its file, with each prediction in it: what was stopped goes on there.
"""

from __future__ import annotations

import json
import multiprocessing
import re
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from examples.study.arms import hops_of, test_turns, training_turns
from examples.study.plan import Arm, Plan
from examples.study.questions import Question, fold, of_tasks, read_questions
from examples.study.turns import Turn
from synthesis.storage import replace_file
from synthesis.tokens import load_tokenizer


class Job(NamedTuple):
    """One arm, tuned and tested on one fold."""

    plan: Plan
    out: Path
    model: Path
    sources: Sequence[str]
    arm: Arm
    seed: int
    held: int

    @property
    def file(self) -> Path:
        """Where what came of it is."""
        plain = re.sub(r"\W+", "-", self.arm.name)
        return self.out / "jobs" / f"{plain}.{self.seed}.{self.held}.json"


class Desk(NamedTuple):
    """What decides on the questions of a job: those of like jobs are read and assembled once a process."""

    model: str
    sources: tuple[str, ...]
    limit: int
    words: int
    seed: int | None
    folds: int
    held: int
    asked: int
    asks: tuple[str, ...]


@lru_cache(maxsize=16)
def _parted(desk: Desk) -> tuple[list[Question], list[Question], dict[str, int]]:
    """Training questions, test questions, and the steps of these."""
    questions = [one for source in desk.sources for one in read_questions(source, desk.limit, desk.words)]
    training, testing = fold(questions, desk.seed, desk.folds, desk.held)
    testing = of_tasks(testing, desk.asks)
    asked = min(desk.asked or len(testing), len(testing))
    testing = [testing[number * len(testing) // asked] for number in range(asked)]
    return training, testing, hops_of(testing)


@lru_cache(maxsize=16)
def _asked(desk: Desk, test: str) -> list[Turn]:
    return test_turns(_parted(desk)[1], test, load_tokenizer(desk.model))


def jobs_of(plan: Plan, out: Path, model: Path, sources: Sequence[str]) -> list[Job]:
    """All jobs of a study, those of the first seed first."""
    return [
        Job(plan, out, model, sources, arm, seed, held)
        for seed in range(plan.seeds)
        for arm in plan.arms
        for held in range(plan.held or plan.folds)
    ]


def run_jobs(jobs: Sequence[Job], at_once: int, seconds: float, say: Callable[[str], None]) -> bool:
    """Do those that have no file yet; whether all of them are done.

    Args:
        jobs: in the order they are begun.
        at_once: processes, each with the model once.
        seconds: none is kept for longer than this.
        say: takes a line on each.
    """
    todo = [job for job in jobs if not job.file.exists()]
    left = len(todo)
    until = time.monotonic() + seconds
    # Not forked: a process that has used a GPU cannot be.
    with multiprocessing.get_context("spawn").Pool(at_once) as pool:
        told = pool.imap_unordered(_attempt, todo)
        while left:
            wait = until - time.monotonic()
            try:
                name, error = told.next(max(0.0, wait) if seconds < float("inf") else None)
            except multiprocessing.TimeoutError:
                say(f"out of time with {left} to go; the same command goes on")
                return False
            left -= 1
            say(f"{name}: {error or 'done'}; {left} to go")
    return all(job.file.exists() for job in jobs)


def _attempt(job: Job) -> tuple[str, str]:
    try:
        run_job(job)
    except Exception:  # the others may well succeed
        return job.file.stem, f"failed, the same command tries it again\n{traceback.format_exc()}"
    return job.file.stem, ""


def run_job(job: Job) -> None:
    """Tune and test one arm on one fold, and write what came of it, whole or not at all."""
    from examples.study.tuning import Model

    plan, begun = job.plan, time.monotonic()
    desk = Desk(
        str(job.model),
        tuple(job.sources),
        plan.limit,
        plan.human_words,
        job.seed if plan.parting == "shuffled" else None,
        plan.folds,
        job.held,
        plan.asked,
        plan.asks,
    )
    training, testing, hops = _parted(desk)
    training = of_tasks(training, job.arm.tasks)
    tokenizer = load_tokenizer(str(job.model))
    model = Model(job.model, job.seed)
    found: dict[str, Any] = {
        "arm": job.arm.name,
        "seed": job.seed,
        "fold": job.held,
        "samples": 0,
        "loss": None,
    }
    if job.arm.contexts != "none":
        epochs = training_turns(job.arm, training, job.seed, tokenizer, job.arm.epochs or plan.epochs)
        found |= model.tune(epochs, plan, job.seed)._asdict() | _told(epochs)
    tuned = time.monotonic()
    rows: dict[str, dict[str, Any]] = {
        one.pair.id: {"answers": one.answers, "hops": hops.get(one.pair.id, 0)} for one in testing
    }
    for length in plan.tests:
        asked = _asked(desk, length)
        longest = plan.longest_answer if length in plan.written else 0
        for id_, reply in model.ask(asked, longest).items():
            rows[id_][f"nll {length}"] = reply.nll
            if longest:
                rows[id_][f"written {length}"] = reply.written
    seconds = [round(tuned - begun, 1), round(time.monotonic() - tuned, 1)]
    job.file.parent.mkdir(parents=True, exist_ok=True)
    replace_file(job.file, json.dumps({**found, "seconds": seconds, "rows": rows}, ensure_ascii=False))


def _told(epochs: Sequence[Sequence[Turn]]) -> dict[str, Any]:
    """How many conversations there were of each kind, over all epochs; how many differ, and their words."""
    turns = dict.fromkeys(turn for one in epochs for turn in one)
    kinds = Counter(turn.kind or "sample" for one in epochs for turn in one)
    words = sum(len(turn.user.split()) for turn in turns)
    return {"samples": len(turns), "words": words, "kinds": kinds}
