"""The whole job: pairs -> contexts -> scores -> samples of each length -> dataset folder.

Ties the run (``synthesis.run``) to the folder (``builder.folder``). Prints nothing:
progress goes to a ``Reporter``.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol, TypeVar

from builder.folder import FolderResult, build_folder
from builder.resources import example_pairs
from builder.rows import RunRows, assembly_options
from synthesis.assembly import parse_lengths
from synthesis.assembly.options import REFUSAL, make_options
from synthesis.config import RunConfig
from synthesis.data import Message, Pair, Rejected
from synthesis.journal import Journal
from synthesis.pairs import describe_source, is_local, read_pairs
from synthesis.run import Counts, generate, make_job, survey
from synthesis.run_folder import RunFolder
from synthesis.tokens import Tokenizer, load_tokenizer

_RECORDED = ("context-synthesis", "datasets", "huggingface_hub", "pyarrow", "tokenizers")
_T = TypeVar("_T")


class Reporter(Protocol):
    """Where a job says how far it is."""

    def stage(self, name: str, total: int | None) -> None:
        """A new stage begins; ``total`` steps, or None if that is not known."""

    def advance(self, steps: int = 1) -> None:
        """Some steps of the stage are done."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a job did. ``short`` counts new samples that fill under 99.5 % of their budget."""

    counts: Counts
    contexts: int
    rejected: int
    short: int
    dataset: FolderResult
    seconds: float


def plan(config: RunConfig) -> Counts:
    """How the pairs stand against what the run's folder holds. Writes nothing."""
    folder = RunFolder(config.out_dir)
    folder.check()
    _tokenizer(config)
    with closing(make_job(config)) as job:
        return survey(job, _pairs(config), Journal(folder.journal, writable=False))


def execute(config: RunConfig, reporter: Reporter) -> Summary:
    """Do the job. After any interruption, the same call goes on where it stopped."""
    started = time.monotonic()
    folder = RunFolder(config.out_dir)
    folder.check()
    tokenizer = _tokenizer(config)
    with closing(make_job(config)) as job, folder.locked(), Journal(folder.journal) as journal:
        folder.write_config(config)
        origin = {
            "engine": job.engine.name,
            "model": job.engine.model,
            "source": describe_source(
                _source(config), config=config.pairs.config or None, split=config.pairs.split
            ),
        }
        todo = None
        if is_local(_source(config)):
            reporter.stage("reading pairs", None)
            todo = survey(job, _ticking(_pairs(config), reporter.advance), journal).todo
        # What lies on the Hub is read once; how much it is shows as it comes.
        reporter.stage("writing contexts", todo)
        counts = generate(job, _pairs(config), journal, lambda _: reporter.advance())
        return _finish(config, folder, journal, tokenizer, reporter, counts, origin, started)


def reassemble(config: RunConfig, reporter: Reporter) -> Summary:
    """Make the samples that ``config.samples`` asks for from contexts that exist; no engine runs."""
    started = time.monotonic()
    tokenizer = _tokenizer(config)
    folder = RunFolder(config.out_dir)
    with folder.locked(), Journal(folder.journal) as journal:
        folder.write_config(config)
        counts = Counts(settled=sum(1 for _ in journal.current()))
        # The contexts are those of the run before, wherever its pairs are by now.
        origin = {"engine": config.generation.engine, "model": config.generation.model, "source": None}
        known = folder.read_manifest()
        origin |= {key: known[key] for key in origin if key in known}
        return _finish(config, folder, journal, tokenizer, reporter, counts, origin, started)


def _finish(
    config: RunConfig,
    folder: RunFolder,
    journal: Journal,
    tokenizer: Tokenizer,
    reporter: Reporter,
    counts: Counts,
    origin: dict[str, Any],
    started: float,
) -> Summary:
    facts = _facts(config, tokenizer, origin["engine"], origin["model"])
    rows = RunRows(config, journal, tokenizer, reporter)
    result = build_folder(folder.dataset, rows.configs(), facts=facts)
    # Assembling drops some, too, so the config knows better than the journal.
    listed = [one.rows for one in result.configs if one.kind == "rejected"]
    rejected = sum(listed) if listed else sum(1 for _ in journal.current_rejected())
    seconds = time.monotonic() - started
    folder.write_manifest(
        {
            **facts,
            "source": origin["source"],
            "counts": {**asdict(counts), "contexts": rows.contexts, "rejected": rejected},
            "configs": {one.name: one.version for one in result.configs},
            "seconds": round(seconds, 3),
        }
    )
    return Summary(counts, rows.contexts, rejected, rows.short, result, seconds)


def _tokenizer(config: RunConfig) -> Tokenizer:
    """The tokenizer that counts. What the samples ask for is checked first, before any work."""
    samples = config.samples
    lengths = parse_lengths(",".join(samples.lengths))
    make_options(
        lengths={length: share or 1.0 for length, share in lengths},
        corpus=samples.corpus or None,
        refusal=REFUSAL,
        **assembly_options(config),
    )
    tokenizer = load_tokenizer(samples.tokenizer or None)
    tokenizer.count_chat([Message("user", "."), Message("assistant", ".")])
    return tokenizer


def _pairs(config: RunConfig) -> Iterator[Pair | Rejected]:
    pairs = config.pairs
    return read_pairs(
        _source(config),
        columns=pairs.columns or None,
        task=pairs.task or None,
        config=pairs.config or None,
        split=pairs.split,
        limit=pairs.limit or None,
    )


def _source(config: RunConfig) -> str | Path:
    return config.pairs.source or example_pairs()


def _facts(config: RunConfig, tokenizer: Tokenizer, engine: str, model: str) -> dict[str, Any]:
    """How the rows are made, without times and paths: equal runs have equal facts."""
    made = config.generation
    return {
        "engine": engine,
        "model": model,
        "template": made.template,
        "words": made.words,
        "sampling": {"temperature": made.temperature, "top_p": made.top_p, "max_tokens": made.max_tokens},
        "seed": config.seed,
        "tokenizer": {"name": tokenizer.name, "identity": tokenizer.identity},
        "versions": {name: metadata.version(name) for name in _RECORDED}
        | {"python": platform.python_version()},
        "license": config.dataset.license,
        "language": list(config.dataset.language),
    }


def _ticking(items: Iterable[_T], tick: Callable[[], None]) -> Iterator[_T]:
    for item in items:
        tick()
        yield item
