"""An evaluation in a folder: what was answered is kept, and what is said of it is made of that.

Layout: ``answers/`` (replies and likelihoods as they arrived), ``predictions.jsonl``, ``predictions/`` (the
files of the benchmark's own scorer, by condition and length), ``scores.json``. Prints nothing.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from builder.job.amounts import budget_of, tell_number
from builder.job.estimate import tokenizer_of
from builder.job.evaluation_files import prediction_line, tally_facts, variant_name
from builder.job.reporter import Reporter
from synthesis.data import Rejected, Usage
from synthesis.engines.base import BaseEngine, Sampling
from synthesis.errors import FolderError, UsageError
from synthesis.evaluation.asking import Conditions
from synthesis.evaluation.evaluating import MOST_TOKENS, NOTHING_ASKED, Evaluation, read_questions
from synthesis.evaluation.forms import form_of
from synthesis.evaluation.questions import Prediction, QuestionSource, Variant
from synthesis.evaluation.replies import ReplyLog
from synthesis.evaluation.results import Tally
from synthesis.evaluation.scoring import answer_in
from synthesis.options import RunConfig
from synthesis.run.budget import price_of
from synthesis.run.mix import configured_engine
from synthesis.storage import locked, replace_file, storage_errors, written_whole
from synthesis.tokens import Tokenizer, load_tokenizer

ANSWERS, PREDICTIONS, LINES, SCORES = "answers", "predictions", "predictions.jsonl", "scores.json"
FIGURES, TABLE = "figures", "scores.md"
_LOCK = ".lock"
_OURS = frozenset(
    (ANSWERS, PREDICTIONS, f"{PREDICTIONS}.tmp", LINES, f"{LINES}.tmp", SCORES, f"{SCORES}.tmp")
)
_OURS_TOO = frozenset((FIGURES, TABLE, f"{TABLE}.tmp", _LOCK))
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_COUNTED = 200  # prompts that are counted for a plan; the others are taken to be like them


@dataclass(frozen=True, slots=True)
class EvaluationConfig:
    """What is asked of whom. ``run`` holds what an evaluation shares with a run: engine, seed, limit, cost.

    ``max_tokens`` 0 leaves the length of replies to the questions; ``form`` empty is found out.
    """

    out: Path
    source: QuestionSource
    conditions: Conditions
    run: RunConfig
    form: str = ""
    temperature: float = 0.0
    max_tokens: int = 0
    metrics: tuple[str, ...] = ()
    likelihood: bool = False
    replies: bool = True


@dataclass(frozen=True, slots=True)
class EvaluationPlan:
    """What an evaluation would ask: ``prompts`` that are ``known`` already and ``new`` ones.

    ``usage`` are the tokens of the new ones, those out as far as they go at most; ``money`` is None without
    prices, ``seconds`` without a rate.
    """

    questions: int
    bad: int
    lacking: Mapping[str, int]
    known: int
    new: int
    usage: Usage
    money: float | None
    seconds: float | None
    form: str


@dataclass(frozen=True, slots=True)
class EvaluationSummary:
    """What came of an evaluation.

    ``files`` are those for the benchmark's own scorer, ``left`` counts what was not asked.
    """

    facts: Mapping[str, Any]
    tally: Tally = field(repr=False)
    files: tuple[Path, ...]
    bad: tuple[Rejected, ...]
    lacking: Mapping[str, int]
    usage: Usage
    seconds: float
    asked: int
    left: int
    damaged: int


def plan_evaluation(config: EvaluationConfig) -> EvaluationPlan:
    """What is done of an evaluation, and what the rest would take. Writes nothing, asks no engine.

    Raises:
        UsageError, SourceError, ConfigError, TokenizerError: as ``evaluate_folder``.
    """
    check_folder(config.out)
    with _Work(config) as work:
        log = ReplyLog(config.out / ANSWERS, writable=False)
        known = new = most = 0
        counted = characters = told = 0
        for group in work.evaluation.store.groups():
            longest = work.evaluation.store.most[group.start]
            for cases in work.evaluation.cases.of(group):
                for prompt, _ in work.evaluation.questioner.prompts(cases, longest):
                    if log.find(prompt) is not None:
                        known += 1
                        continue
                    new += 1
                    most += longest
                    characters += (size := sum(len(message.content) for message in prompt.messages))
                    if new <= _COUNTED:
                        counted += work.tokenizer.count_chat(prompt.messages)
                        told += size
        usage = Usage(new, round(counted * characters / told) if told else 0, most)
        cost = config.run.cost
        return EvaluationPlan(
            len(work.evaluation.store),
            len(work.bad),
            work.evaluation.cases.lacking(),
            known,
            new,
            usage,
            price_of(usage, cost.price),
            usage.output_tokens / cost.rate if cost.rate else None,
            work.form,
        )


def evaluate_folder(config: EvaluationConfig, reporter: Reporter) -> EvaluationSummary:
    """Ask what is not answered yet, and write what came of all of it. Goes on where an earlier call ended.

    Raises:
        UsageError: an option cannot be used, or no question's evidence is known well enough.
        SourceError: the source cannot be read.
        EngineError: the engine failed as a whole, or everything failed alike.
        FolderError, StorageError: the folder is not an evaluation's, or cannot be written.
    """
    began = time.monotonic()
    if not (config.likelihood or config.replies):
        raise UsageError(NOTHING_ASKED)
    check_folder(config.out)
    # What cannot be asked leaves no folder behind.
    with _Work(config) as work, _held(config.out):
        log = ReplyLog(config.out / ANSWERS)
        try:
            before = log.usage
            tally = work.tally(log, reporter)
            damaged = log.damaged
            reporter.stage("writing", None)
            files = work.write(log, tally)
            usage = log.usage
        finally:
            log.close()
        seconds = time.monotonic() - began
        facts = work.told() | tally_facts(tally, usage)
        replace_file(config.out / SCORES, json.dumps(facts, indent=2, ensure_ascii=False) + "\n")
        variants = len(config.conditions.variants())
        expected = len(work.evaluation.store) * variants - sum(
            count * sum(one.condition == name for one in config.conditions.variants())
            for name, count in work.evaluation.cases.lacking().items()
        )
        return EvaluationSummary(
            facts,
            tally,
            files,
            tuple(work.bad),
            work.evaluation.cases.lacking(),
            usage,
            seconds,
            usage.replies - before.replies,
            expected - sum(len(marks) for marks in tally.marks.values()),
            damaged,
        )


def check_folder(out: Path) -> None:
    """Refuse a folder that holds something else.

    Raises:
        FolderError: naming what is there.
    """
    if out.exists() and not out.is_dir():
        raise FolderError(f"{out} is a file; give a folder with --out")
    with storage_errors(out):
        present = {one.name for one in out.iterdir()} if out.is_dir() else set()
    if foreign := sorted(present - _OURS - _OURS_TOO):
        raise FolderError(
            f"{out} holds files that are not of an evaluation ({', '.join(foreign[:3])}); choose another "
            "folder with --out"
        )


@contextmanager
def _held(out: Path) -> Iterator[None]:
    check_folder(out)
    with storage_errors(out):
        out.mkdir(parents=True, exist_ok=True)
    with locked(
        out / _LOCK, f"another evaluation is working in {out}; wait for it to end, or choose another --out"
    ):
        yield


class _Work:
    """An engine, the questions, and what is made of both; the engine is closed at the end."""

    def __init__(self, config: EvaluationConfig) -> None:
        self.config = config
        self.bad: list[Rejected] = []
        self.form = form_of(config.source, config.form).name
        sampling = Sampling(config.temperature, 1.0, config.max_tokens or MOST_TOKENS, config.run.seed)
        self.evaluation = Evaluation(
            partial(configured_engine, config.run.generation),
            read_questions(config.source, self.form, config.run.pairs.limit, self.bad.append),
            config.conditions,
            self.tokenizer,
            sampling,
            config.max_tokens,
            config.metrics,
        )

    @property
    def engine(self) -> BaseEngine:
        """Who is asked."""
        return self.evaluation.engine

    def __enter__(self) -> _Work:
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.close()

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """What counts: the one asked for, else the model's own if it is here, else the embedded one."""
        run = self.config.run
        return tokenizer_of(run, load_tokenizer(run.samples.tokenizer or None))

    def tally(self, log: ReplyLog, reporter: Reporter) -> Tally:
        """Everything answered, the rest asked."""
        tally, config, speed = Tally(), self.config, ""

        def told() -> str:
            return self.engine.trouble or speed

        cases = sum(self.evaluation.store.able[variant.condition] for variant in config.conditions.variants())
        if config.likelihood:
            reporter.stage("likelihoods", cases)
        begun = not config.likelihood
        if begun:
            reporter.stage("asking", cases)
        reporter.note(told)
        started = time.monotonic()
        out = log.usage.output_tokens
        for one in self.evaluation.predictions(
            log,
            likelihood=config.likelihood,
            replies=config.replies,
            budget=budget_of(config.run),
            stop_after=config.run.cost.stop_after,
            on_likelihood=reporter.advance,
        ):
            if not begun:
                reporter.stage("asking", cases)
                reporter.note(told)
                begun = True
            tally.add(one)
            reporter.advance()
            written, after = log.usage.output_tokens - out, time.monotonic() - started
            if written and after > 1:
                speed = f"{tell_number(written)} tokens out, {tell_number(written / after)} per second"
        return tally

    def predictions(self, log: ReplyLog, tally: Tally, variant: Variant) -> Iterator[Prediction]:
        """All answers of one variant in the order of the source."""
        for number, mark in sorted(tally.marks[variant].items()):
            text = log.text(mark.fingerprint) if mark.fingerprint else ""
            yield Prediction(
                self.evaluation.store.given(number),
                variant,
                answer_in(text),
                text,
                mark.finish_reason,
                "",
                mark.depth,
                mark.tokens,
                mark.scores,
                mark.loglikelihood,
                mark.fingerprint,
                number,
            )

    def write(self, log: ReplyLog, tally: Tally) -> tuple[Path, ...]:
        """The files of predictions."""
        out = self.config.out
        with written_whole(out / LINES) as staging, staging.open("w", encoding="utf-8") as file:
            for variant in tally.variants():
                for one in self.predictions(log, tally, variant):
                    line = json.dumps(prediction_line(one), ensure_ascii=False)
                    file.write(line.encode("utf-8", "replace").decode() + "\n")
        if not self.config.replies:
            return ()
        staging_folder = out / f"{PREDICTIONS}.tmp"
        form = form_of(self.config.source, self.form)
        written: list[Path] = []
        with storage_errors(out / PREDICTIONS):
            shutil.rmtree(staging_folder, ignore_errors=True)
            for variant in tally.variants():
                folder = staging_folder / variant_name(variant)
                folder.mkdir(parents=True)
                answered = (
                    one for one in self.predictions(log, tally, variant) if one.finish_reason != "error"
                )
                written += form.write(folder, self.model, answered)
            shutil.rmtree(out / PREDICTIONS, ignore_errors=True)
            if written:
                staging_folder.rename(out / PREDICTIONS)
            else:
                shutil.rmtree(staging_folder, ignore_errors=True)
        return tuple(out / PREDICTIONS / path.relative_to(staging_folder) for path in written)

    @property
    def model(self) -> str:
        """The model's name as it may stand in a path."""
        return (
            _UNSAFE.sub("-", self.engine.model.rstrip("/").rsplit("/", 1)[-1]).strip("-.") or self.engine.name
        )

    def told(self) -> dict[str, Any]:
        """What was asked of whom."""
        config = self.config
        return {
            "model": self.engine.model,
            "engine": self.engine.name,
            "source": config.source.place,
            "form": self.form,
            "questions": len(self.evaluation.store),
            "unusable_rows": len(self.bad),
            "answers_hidden": self.evaluation.store.hidden,
            "wordings": dict(self.evaluation.store.worded_by),
            "evidence_not_known": self.evaluation.cases.lacking(),
            "temperature": config.temperature,
            "seed": config.run.seed,
            "tokenizer": self.tokenizer.name,
            "window": config.conditions.window or None,
        }
