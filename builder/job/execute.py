"""The whole job: pairs -> contexts -> scores -> samples of each length -> dataset folder.

Ties the run (``synthesis.run.loop``) to the folder (``builder.folder.build``). Prints nothing:
progress goes to a ``Reporter``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from builder.folder.build import FolderResult, build_folder
from builder.folder.facts import IMPORTED, run_facts
from builder.job.estimate import Estimate, RunPace, estimate, read_pace
from builder.job.filtering import check
from builder.job.meter import Meter
from builder.job.origin import refuse_imported
from builder.job.reporter import Reporter
from builder.job.rows import RunRows, corpus_of
from builder.resources import example_pairs
from synthesis.assembly import parse_lengths
from synthesis.assembly.corpus import probe_corpus
from synthesis.assembly.options import make_options
from synthesis.data import Message, Pair, Rejected, Usage
from synthesis.engines import engine_class
from synthesis.options import RunConfig
from synthesis.run.expansion import Realised, realised
from synthesis.run.folder import RunFolder
from synthesis.run.journal import Journal
from synthesis.run.loop import Counts, chosen_pairs, generate, make_job, survey
from synthesis.sources.pairs import describe_source, is_local
from synthesis.tokens import Tokenizer, load_tokenizer

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Summary:
    """What a job did.

    ``short`` counts new samples that fill under 99.5 % of their budget. ``usage`` is what all
    replies ever recorded in the run's folder took. ``realised`` compares the contexts' lengths
    with the length asked for; None where no model was asked.
    """

    counts: Counts
    contexts: int
    rejected: int
    short: int
    dataset: FolderResult
    seconds: float
    usage: Usage
    realised: Realised | None


def plan(config: RunConfig) -> Estimate:
    """How the pairs stand against what the run's folder holds, and what the rest would take.

    Writes nothing.
    """
    folder = RunFolder(config.out_dir)
    folder.check()
    refuse_imported(config, folder)
    tokenizer = checked_tokenizer(config)
    pace = read_pace(folder.read_manifest())
    with closing(make_job(config)) as job:
        journal = Journal(folder.journal, writable=False)
        return estimate(config, job, pairs_of(config), journal, tokenizer, pace)


def execute(config: RunConfig, reporter: Reporter) -> Summary:
    """Do the job. After any interruption, the same call goes on where it stopped."""
    started = time.monotonic()
    folder = RunFolder(config.out_dir)
    folder.check()
    refuse_imported(config, folder)
    tokenizer = checked_tokenizer(config)
    with closing(make_job(config)) as job, folder.locked(), Journal(folder.journal) as journal:
        folder.write_config(config)
        origin = {
            "engine": job.engine.name,
            "model": job.engine.model,
            "source": described_source(config),
        }
        todo = None
        if is_local(source_of(config)):
            reporter.stage("reading pairs", None)
            todo = survey(job, _ticking(pairs_of(config), reporter.advance), journal).todo
        # What lies on the Hub is read once; how much it is shows as it comes.
        reporter.stage("writing contexts", todo)
        meter = Meter(config, journal, reporter)
        counts = generate(job, pairs_of(config), journal, meter.count)
        pace = meter.pace() or read_pace(folder.read_manifest())
        return _finish(config, folder, journal, tokenizer, reporter, counts, origin, pace, started)


def reassemble(config: RunConfig, reporter: Reporter) -> Summary:
    """Make the samples that ``config.samples`` asks for from contexts that exist; no engine runs."""
    started = time.monotonic()
    tokenizer = checked_tokenizer(config)
    folder = RunFolder(config.out_dir)
    with folder.locked(), Journal(folder.journal) as journal:
        folder.write_config(config)
        counts = Counts(settled=sum(1 for _ in journal.current()))
        pace = read_pace(folder.read_manifest())
        # The contexts are those of the run before, wherever its pairs are by now.
        origin = {"engine": config.generation.engine, "model": config.generation.model, "source": None}
        known = folder.read_manifest()
        origin |= {key: known[key] for key in origin if key in known}
        return _finish(config, folder, journal, tokenizer, reporter, counts, origin, pace, started)


def _finish(
    config: RunConfig,
    folder: RunFolder,
    journal: Journal,
    tokenizer: Tokenizer,
    reporter: Reporter,
    counts: Counts,
    origin: dict[str, Any],
    pace: RunPace,
    started: float,
) -> Summary:
    facts = run_facts(config, tokenizer, **origin)
    rows = RunRows(config, journal, tokenizer, reporter)
    result = build_folder(folder.dataset, rows.configs(), facts=facts, figures=True)
    contexts = sum(one.rows for one in result.configs if one.kind == "raw")
    # Filters and assembling drop some, too, so the config knows better than the journal.
    listed = [one.rows for one in result.configs if one.kind == "rejected"]
    rejected = sum(listed) if listed else sum(1 for _ in journal.current_rejected())
    made = _realised(config, journal, origin["engine"])
    seconds = time.monotonic() - started
    folder.write_manifest(
        {
            **facts,
            "source": origin["source"],
            **({"corpus": rows.corpus} if rows.corpus else {}),
            "counts": {**asdict(counts), "contexts": contexts, "rejected": rejected},
            "configs": {one.name: one.version for one in result.configs},
            **({"realised": asdict(made)} if made else {}),
            "usage": asdict(journal.usage),
            "pace": asdict(pace),
            "seconds": round(seconds, 3),
        }
    )
    return Summary(counts, contexts, rejected, rows.short, result, seconds, journal.usage, made)


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
    tokenizer.count_chat([Message("user", "."), Message("assistant", ".")])
    return tokenizer


def pairs_of(config: RunConfig) -> Iterator[Pair | Rejected]:
    """The pairs that a configuration names, and rows that are none."""
    return chosen_pairs(config.pairs, source_of(config))


def source_of(config: RunConfig) -> str | Path:
    """Where they come from; the bundled examples unless a source was given."""
    return config.pairs.source or example_pairs()


def described_source(config: RunConfig) -> dict[str, Any]:
    """What that source is, so that it can be told whether it changed; see ``describe_source``."""
    return describe_source(source_of(config), config=config.pairs.config or None, split=config.pairs.split)


def _ticking(items: Iterable[_T], tick: Callable[[], None]) -> Iterator[_T]:
    for item in items:
        tick()
        yield item
