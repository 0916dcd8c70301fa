"""What a study compares: the arms, how they are tuned, what they are tested on. One TOML file holds it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to make training samples of the same pairs.

    Args:
        name: shown in the table.
        contexts: ``none`` (no tuning), ``pairs`` (no context), ``composer``, ``human``, or contexts written
            before: the folder of a run on the same pairs (by any engine), or a file of JSON
            lines with ``id`` (a pair's) and ``context``. Questions without one are not tuned on.
        length: tokens of a sample, as in ``2k``; ``own`` is the pair's own context and nothing else.
        distractors: whose contexts fill a sample; see ``synthesis.assemble``.
        words: of a composer's context.
        options: further settings of the composer, such as its ``mode`` and ``hops``.
        samples: further settings of ``synthesis.assemble``, such as ``depth`` and ``twins``.
        fresh: samples of each pair, which epochs take in turn: each with other companions and, where the
            composer writes, with a context of its own.
        epochs: of this arm; 0 for the plan's.
        each: what an epoch takes of a question: ``one`` conversation, its sample or something in its place,
            so that an arm has as many steps as any other; or ``all`` there are.
        twin_share: which part of the conversations of a question that has twins are twins, above 0 to 1;
            0 for each as often as the sample.
        questions: which part of an epoch's conversations, 0 to 1, ask in place of the pair's question what
            instruction synthesis asks of the same contexts, without a model.
        tasks: the sources whose questions it is tuned on; none for all. With ``Plan.asks`` of another source,
            nobody is tuned on passages of the kind that are asked about.
    """

    name: str
    contexts: str
    length: str = "own"
    distractors: str = "same-task"
    words: int = 400
    options: dict[str, Any] = field(default_factory=dict)
    samples: dict[str, Any] = field(default_factory=dict)
    fresh: int = 1
    epochs: int = 0
    each: str = "one"
    twin_share: float = 0.0
    questions: float = 0.0
    tasks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A study.

    Every arm is tuned once for each seed and fold: the questions are parted into ``folds`` by seed;
    an arm is tuned on all but one of them and tested on that one, so every question is tested once
    a seed, by a model that has not seen it.

    Args:
        arms: what is compared.
        tests: what is asked under: ``closed`` (no context), ``needle`` (the passages that carry the
            evidence), ``own`` (the human context), or lengths that it is filled up to, as ``2k``.
        written: those of ``tests`` whose answers are also written out and compared (F1).
        seeds: repeats, each with its own folds, order and draws.
        baseline: the arm that differences are taken against.
        ceiling: the arm whose gain over the baseline is 100 %.
        epochs, batch, learning_rate, warmup: of AdamW with a linear schedule, loss on the answer.
        limit: questions of each source, 0 for all.
        human_words: what a human context is cut to, 0 for not at all; see ``examples.study.passages``.
        parting: ``shuffled`` by seed, or ``rows``: a fold is the rows that stand together in their file.
        held: how many of the folds are tested a seed, 0 for all.
        asked: questions of a fold that are tested, 0 for all.
        asks: the sources whose questions are tested; none for all.
        longest_answer: tokens written at most.
    """

    arms: tuple[Arm, ...]
    tests: tuple[str, ...] = ("own", "2k", "8k")
    written: tuple[str, ...] = ("2k", "8k")
    seeds: int = 3
    folds: int = 2
    baseline: str = "pairs alone"
    ceiling: str = "human"
    epochs: int = 3
    batch: int = 8
    learning_rate: float = 5e-5
    warmup: float = 0.03
    limit: int = 0
    human_words: int = 0
    parting: str = "shuffled"
    held: int = 0
    asked: int = 0
    asks: tuple[str, ...] = ()
    longest_answer: int = 16


def read_plan(path: Path) -> Plan:
    """The plan in a TOML file.

    Raises:
        SystemExit: it is not there, or has something that a plan does not have, or lacks what it must.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SystemExit(f"{path} cannot be read as a plan in TOML: {error}") from None
    arms = tuple(_made(Arm, arm, f"{path}: an arm") for arm in table.pop("arms", []))
    plan: Plan = _made(Plan, {"arms": arms, **table}, str(path))
    names = [arm.name for arm in arms]
    for wanted in (plan.baseline, plan.ceiling):
        if wanted not in names:
            raise SystemExit(f"{path}: there is no arm '{wanted}', which the others are compared with")
    for test in plan.written:
        if test not in plan.tests:
            raise SystemExit(f"{path}: answers are written for '{test}', which is not among the tests")
    if len(set(names)) < len(names):
        raise SystemExit(f"{path}: two arms have the same name")
    for arm in arms:
        if arm.each not in ("one", "all"):
            raise SystemExit(f"{path}: arm '{arm.name}' takes each = {arm.each!r}; write one or all")
        if not (0 <= arm.twin_share <= 1 and 0 <= arm.questions <= 1):
            raise SystemExit(f"{path}: arm '{arm.name}' has a share that is not from 0 to 1")
    return plan


def _made(kind: type[Any], given: dict[str, Any], where: str) -> Any:
    unknown = given.keys() - {one.name for one in fields(kind)}
    if unknown:
        raise SystemExit(f"{where} has {', '.join(sorted(unknown))}, which nothing reads")
    try:
        return kind(
            **{key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
        )
    except TypeError as error:  # one that has no default is missing
        raise SystemExit(f"{where}: {str(error).partition('() ')[2] or error}") from None
