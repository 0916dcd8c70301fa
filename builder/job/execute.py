"""The whole job: pairs -> contexts -> scores -> samples of each length -> dataset folder.

Ties the run (``synthesis.run.loop``) to the folder (``builder.folder.build``). Prints nothing:
progress goes to a ``Reporter``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypeVar

from builder.folder.build import FolderResult, build_folder
from builder.folder.facts import IMPORTED, run_facts
from builder.job.amounts import budget_of
from builder.job.estimate import Estimate, RunPace, estimate, read_pace, tokenizer_of
from builder.job.filtering import check
from builder.job.fitting import check_asked, check_lengths
from builder.job.meter import Meter
from builder.job.origin import Origin, recorded_origin, writing_folder
from builder.job.pairs import described_source, is_near, pairs_of
from builder.job.quality import Quality, quality_of
from builder.job.reporter import Reporter
from builder.job.rows import RunRows, corpus_of, workers_for
from synthesis.assembly import parse_lengths
from synthesis.assembly.corpus import probe_corpus
from synthesis.assembly.options import make_options
from synthesis.data import Usage
from synthesis.engines import engine_class
from synthesis.gate.thresholds import Thresholds
from synthesis.options import GenerationConfig, RunConfig
from synthesis.run.expansion import Realised, realised
from synthesis.run.folder import RunFolder
from synthesis.run.job import Job, make_job
from synthesis.run.journal import Journal
from synthesis.run.loop import Counts, Row, carry_out, standing, survey
from synthesis.run.reasoning import Reasoner
from synthesis.run.reasons import reasons_engine, reasons_to_write, write_reasons
from synthesis.run.requirements import wanted_kinds
from synthesis.run.retry import by_another_seed, rows_to_retry
from synthesis.tokens import Tokenizer, load_tokenizer

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Summary:
    """What a job did.

    ``short`` counts new samples that fill under 99.5 % of their budget. ``usage`` is what all
    replies ever recorded in the run's folder took. ``realised`` compares the contexts' lengths
    with the length asked for; None where no model was asked. ``damaged`` counts records of the
    journal that were found damaged, and whose work was done again. ``source`` is where the pairs are
    from, as ``describe_source`` says it; ``quality`` tells how good the contexts are and why others
    were rejected. ``parts`` divides ``usage`` among the models of a mix, "" for others.
    """

    counts: Counts
    contexts: int
    rejected: int
    short: int
    dataset: FolderResult
    seconds: float
    usage: Usage
    realised: Realised | None
    damaged: int = 0
    source: Mapping[str, Any] | None = None
    quality: Quality = Quality()
    parts: Mapping[str, Usage] = field(default_factory=dict)


def execute(config: RunConfig, reporter: Reporter) -> Summary:
    """Do the job. After any interruption, the same call goes on where it stopped."""
    started = time.monotonic()
    writing_folder(config)
    check_asked(config)
    tokenizer = checked_tokenizer(config)
    with closing(make_job(config)) as job, _held(config, tokenizer, reporter, started) as work:
        origin = Origin(job.engine.name, job.engine.model, described_source(config))
        counts, pace = _write_contexts(work, job)
        if not counts.failed:
            _write_reasons(work, job)
        if wanted_kinds(config.require):
            job.close()  # whoever is asked next may need its room
        return _build_dataset(work, origin, counts, pace)


def retry(config: RunConfig, reporter: Reporter) -> Summary:
    """Ask for what the folder's run rejected, and for nothing else, as ``config`` says.

    If that is how it was asked before, another seed is taken. The folder's own configuration stays:
    what was written by it does, and only samples, filters and the like are made as ``config`` says.
    """
    started = time.monotonic()
    folder = writing_folder(config)
    own = _as_before(config, folder)
    tokenizer = checked_tokenizer(own)
    with closing(make_job(config)) as job, _held(own, tokenizer, reporter, started) as work:
        asking, rows = _retried(config, own, job, work.journal)
        counts, pace = _ask(work, asking, rows, None)
        if not counts.failed:
            _write_reasons(work, asking, config.generation)
        return _build_dataset(work, recorded_origin(folder, own), counts, pace)


def reassemble(config: RunConfig, reporter: Reporter) -> Summary:
    """Make the samples that ``config.samples`` asks for from contexts that exist; no engine runs."""
    started = time.monotonic()
    tokenizer = checked_tokenizer(config)
    with _held(config, tokenizer, reporter, started) as work:
        origin = recorded_origin(work.folder, config)
        counts = Counts(settled=sum(1 for _ in work.journal.current()))
        _write_reasons(work)
        summary = _build_dataset(work, origin, counts, read_pace(work.folder.read_manifest()))
        # Nothing was made again here; what is damaged and current would have been told.
        return replace(summary, damaged=0)


def plan(config: RunConfig, *, retrying: bool = False) -> Estimate:
    """How the pairs stand against what the run's folder holds, and what the rest would take.

    With ``retrying``, what ``retry`` would take. Writes nothing.
    """
    folder = writing_folder(config)
    own = _as_before(config, folder) if retrying else config
    check_asked(own)
    tokenizer = checked_tokenizer(own)
    pace = read_pace(folder.read_manifest())
    with closing(make_job(config)) as job:
        journal = Journal(folder.journal, writable=False)
        if retrying:
            job, rows = _retried(config, own, job, journal)
        else:
            rows = standing(job, pairs_of(config), journal)
        saved = folder.config.is_file() and not config.asks
        before = folder.read_config().generation.words if saved else 0
        return estimate(config, job, rows, journal, tokenizer_of(config, tokenizer), pace, before)


def _as_before(config: RunConfig, folder: RunFolder) -> RunConfig:
    """The configuration of the folder's run, but for what is made of its contexts."""
    own = folder.read_config()
    kept = ("seed", "method", "pairs", "questions", "generation")
    return replace(config, **{name: getattr(own, name) for name in kept})


def _retried(config: RunConfig, own: RunConfig, job: Job, journal: Journal) -> tuple[Job, Iterator[Row]]:
    """How what was rejected is asked again, and how everything stands."""
    least = Thresholds.of(config.filters)
    if (config.seed, config.generation) == (own.seed, own.generation):
        job = by_another_seed(job, journal, least)
    return job, rows_to_retry(job, journal, least)


@dataclass(frozen=True, slots=True)
class _Work:
    """A run's folder, held, with what every step of a job on it needs."""

    config: RunConfig
    folder: RunFolder
    journal: Journal
    tokenizer: Tokenizer
    reporter: Reporter
    started: float


@contextmanager
def _held(config: RunConfig, tokenizer: Tokenizer, reporter: Reporter, started: float) -> Iterator[_Work]:
    folder = RunFolder(config.out_dir)
    with folder.locked(), Journal(folder.journal) as journal:
        folder.write_config(config)
        yield _Work(config, folder, journal, tokenizer, reporter, started)


def _write_contexts(work: _Work, job: Job) -> tuple[Counts, RunPace]:
    """Have the contexts written that are not there yet."""
    config, journal, reporter = work.config, work.journal, work.reporter
    todo = None
    if is_near(config):
        reporter.stage("reading texts" if config.asks else "reading pairs", None)
        todo = survey(job, _ticking(pairs_of(config), reporter.advance), journal).todo
        job.engine.workers = workers_for(config, todo)
    # What lies on the Hub is read once; how much it is shows as it comes.
    return _ask(work, job, standing(job, pairs_of(config), journal), todo)


def _ask(work: _Work, job: Job, rows: Iterable[Row], todo: int | None) -> tuple[Counts, RunPace]:
    config, journal, reporter = work.config, work.journal, work.reporter
    reporter.stage("asking questions" if config.asks else "writing contexts", todo and todo * job.candidates)
    meter = Meter(config, journal, reporter, lambda: job.engine.trouble)
    if job.engine.free:  # it may fail as often as it likes
        counts = carry_out(job, rows, journal, meter.count)
    else:
        reporter.note(meter.note)
        budget, stop_after = budget_of(config), config.cost.stop_after
        counts = carry_out(job, rows, journal, meter.count, budget, stop_after, meter.reply)
    return counts, meter.pace() or read_pace(work.folder.read_manifest())


def _write_reasons(work: _Work, job: Job | None = None, made: GenerationConfig | None = None) -> None:
    """Have the reasons written that are wanted and lacking, by the engine of ``job`` if that is the one.

    ``made`` is how it was made, where that is not as the run says.
    """
    config, journal, reporter = work.config, work.journal, work.reporter
    if not (todo := reasons_to_write(config, journal)):
        return
    reporter.stage("writing reasons", todo)
    with reasons_engine(config, job.engine if job else None, made) as engine:
        meter = Meter(config, journal, reporter, lambda: engine.trouble)
        reporter.note(meter.note)
        bounds = budget_of(config), config.cost.stop_after
        write_reasons(Reasoner.of(config), engine, journal, *bounds, meter.reply, reporter.advance)


def _build_dataset(work: _Work, origin: Origin, counts: Counts, pace: RunPace) -> Summary:
    """Score the contexts, assemble samples, write what changed, and note in the manifest how it went."""
    origin = _as_written(origin, work.journal)
    facts = run_facts(work.config, work.tokenizer, *origin)
    rows = RunRows(work.config, work.journal, work.tokenizer, work.reporter)
    dataset = build_folder(work.folder.dataset, rows.configs(), facts=facts, figures=True)
    usage = work.journal.usage
    made = None if work.config.asks else _realised(work.config, work.journal, origin.engine)
    quality = quality_of(dataset, work.journal.current_rejected())
    summary = Summary(
        counts,
        sum(one.rows for one in dataset.configs if one.kind == "raw"),
        _rejected(dataset, work.journal) - quality.no_twins - quality.no_reasons,
        rows.short,
        dataset,
        time.monotonic() - work.started,
        usage,
        made,
        work.journal.damaged,
        origin.source,
        quality,
        work.journal.usage_by if work.config.generation.mix else {},
    )
    work.folder.write_manifest(
        {
            **facts,
            "source": origin.source,
            **({"corpus": rows.corpus} if rows.corpus else {}),
            "counts": {**asdict(counts), "contexts": summary.contexts, "rejected": summary.rejected},
            "configs": {one.name: one.version for one in dataset.configs},
            **({"realised": asdict(made)} if made else {}),
            "usage": asdict(usage),
            "pace": asdict(pace),
            "seconds": round(summary.seconds, 3),
        }
    )
    return summary


def _as_written(origin: Origin, journal: Journal) -> Origin:
    """With all who wrote the contexts, as a mix tells them, where others were asked for what was rejected."""
    if not journal.was_asked_again:
        return origin
    wrote = {(context.engine, context.model) for _, context in journal.current_contexts()}
    engines, models = {engine for engine, _ in wrote}, {model for _, model in wrote}
    if engines <= {*origin.engine.split("+")} and models <= {*origin.model.split(", ")}:
        return origin
    return origin._replace(engine="+".join(sorted(engines)), model=", ".join(sorted(models)))


def _rejected(dataset: FolderResult, journal: Journal) -> int:
    # Filters and assembling drop some, too, so the config knows better than the journal.
    listed = [one.rows for one in dataset.configs if one.kind == "rejected"]
    return sum(listed) if listed else sum(1 for _ in journal.current_rejected())


def _realised(config: RunConfig, journal: Journal, engine: str) -> Realised | None:
    """How long the contexts came out, unless nobody asked for a length or the engine always keeps it."""
    if engine == IMPORTED or engine_class(engine).writes_any_length:
        return None
    return realised((context.words for _, context in journal.current_contexts()), config.generation.words)


def checked_tokenizer(config: RunConfig) -> Tokenizer:
    """The tokenizer that counts; what samples and filters ask for is checked first.

    Raises:
        ConfigError, SourceError, TokenizerError, UsageError: Something cannot be had. No work
            has been done by then.
    """
    check(config)
    samples = config.samples
    lengths = parse_lengths(",".join(samples.lengths))
    make_options({length: share or 1.0 for length, share in lengths}, samples, config.seed)
    if corpus_of(config):
        probe_corpus(samples.corpus)
    tokenizer = load_tokenizer(samples.tokenizer or None)
    tokenizer.check_chat()
    check_lengths(config, tokenizer)
    return tokenizer


def _ticking(items: Iterable[_T], tick: Callable[[], None]) -> Iterator[_T]:
    for item in items:
        tick()
        yield item
