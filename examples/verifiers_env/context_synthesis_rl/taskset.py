"""Rows as tasks, and what a reply is worth: its answer, and the documents it cites."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import verifiers.v1 as vf
from datasets import load_dataset

from synthesis.evaluation.rewards import check, citation_reward, quotation_reward

READERS = {".parquet": "parquet", ".jsonl": "json"}


class LongContextData(vf.TaskData):
    """One row: the conversation up to the answer, and how a reply to it is checked."""

    answer: str
    aliases: list[str] = []
    checker: str = "exact"
    tolerance: float = 0.0
    gold_numbers: list[int] = []


class LongContextTask(vf.Task[LongContextData]):
    """The two rewards, 0..1 each; ``--env.taskset.task.rewards.citation.weight`` changes what one weighs."""

    @vf.reward(weight=1.0)
    async def answer(self, trace: vf.Trace) -> float:
        """How right the answer is, by the row's checker."""
        return self._checked(trace.last_reply)

    @vf.reward(weight=0.2)
    async def citation(self, trace: vf.Trace) -> float:
        """F1 of the documents the reply names against those that hold the evidence."""
        return citation_reward([trace.last_reply], [self.data.gold_numbers], [self.data.checker])[0]

    @vf.metric
    async def quotation(self, trace: vf.Trace) -> float:
        """The share of the reply's quotes that stand in the prompt; recorded, and no part of the reward."""
        prompt = [turn.model_dump() for turn in self.data.prompt or []]
        return quotation_reward([trace.last_reply], [prompt])[0]

    async def validate(self, runtime: vf.Runtime) -> bool:
        """Whether the row's own answer is right by its checker."""
        return self._checked(self.data.answer) == 1.0

    def _checked(self, reply: str) -> float:
        given = self.data
        return check(given.checker, reply, [given.answer, *given.aliases], given.tolerance)


class LongContextConfig(vf.TasksetConfig):
    """Which rows: a file, or a dataset and its config."""

    rows: str = ""
    """A file of `export --format rl` (.parquet or .jsonl), a dataset folder, or OWNER/NAME on the Hub."""
    config: str | None = None
    """The config of the dataset, such as composer-rl-32k."""
    split: str = "train"


class LongContextTaskset(vf.Taskset[LongContextTask, LongContextConfig]):
    """A task a row, in the order of the file; rows are read as they are asked for."""

    def load(self) -> Iterator[LongContextTask]:
        """The tasks.

        Raises:
            ValueError: ``rows`` is not given, or one of them is no row for reinforcement learning.
        """
        for number, row in enumerate(_rows(self.config), 1):
            yield LongContextTask(_data(row, f"{self.config.rows}, row {number}"), self.config.task)


def _rows(config: LongContextConfig) -> Iterator[Mapping[str, Any]]:
    if not config.rows:
        raise ValueError("--env.taskset.rows is missing: a file of `export --format rl`, or a dataset.")
    path = Path(config.rows).expanduser()
    reader = READERS.get(path.suffix.lower())
    if reader:
        if not path.is_file():
            raise ValueError(f"There is no file {path}. Write it with `export ... {path} --format rl`.")
        found = load_dataset(reader, data_files=str(path), split="train", streaming=True)
    else:
        where = str(path) if path.is_dir() else config.rows
        found = load_dataset(where, config.config, split=config.split, streaming=True)
    yield from found


def _data(row: Mapping[str, Any], where: str) -> LongContextData:
    missing = [name for name in ("prompt", "answer", "info") if not row.get(name)]
    if missing:
        raise ValueError(
            f"{where} has no {missing[0]}. Write it with `export --format rl`, or name a config of --kind rl."
        )
    told = json.loads(row["info"])
    names = ("aliases", "checker", "tolerance", "gold_numbers")
    return LongContextData(
        id=row.get("id"),
        prompt=[dict(turn) for turn in row["prompt"]],
        answer=row["answer"],
        **{name: told[name] for name in names if name in told},
    )
