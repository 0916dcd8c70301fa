"""Which contexts of a run its dataset holds, found out when it is first asked."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import cached_property
from math import isnan, nan
from typing import Any, TypeAlias

from builder.job.amounts import budget_of
from builder.job.scoring import gain_engine
from synthesis.coherence import Leak, score_context
from synthesis.data import Coherence, Context, Pair, Rejected
from synthesis.engines import check_settings
from synthesis.engines.base import BaseEngine
from synthesis.errors import ConfigError
from synthesis.gate.contamination import Benchmarks, digest_of, named_benchmarks, probe, read_benchmarks
from synthesis.gate.filtering import Drop, Rules, Settings, Sifted, sift
from synthesis.lazy_sequence import OnDemand
from synthesis.options import FiltersConfig, GenerationConfig, RunConfig
from synthesis.processes import spread
from synthesis.run.journal import Journal
from synthesis.run.reasoning import Reasoner, reasons_writer
from synthesis.run.requirements import STAGE, Requirements, examiner, told, wanted_kinds
from synthesis.settings import changed, identity
from synthesis.text.answers import KINDS
from synthesis.text.near_duplicates import Sketches

Row: TypeAlias = tuple[Pair, Context]


# To be raised when the same filters would let other contexts pass, or benchmarks find other rows.
_VERSION = 4
_AT_ONCE = 32  # contexts that a process scores before it tells
_NO_FILTERS = FiltersConfig(min_overall=0.0)
_NAMES = {
    "generation.options": "{}.options",
    "generation.max_tokens": "{}.max_tokens",
    "--max-tokens": "--{}-tokens",
    "--model": "--{}-model",
    "--option": "--{}-option",
}
_PARTS = ("instruction", "answer", "context")  # of a row that a benchmark may share


def check(config: RunConfig) -> None:
    """See to it that what the filters and the benchmarks need is there, before any work is done.

    Raises:
        ConfigError, MissingExtraError, SourceError: something is not.
    """
    Rules(config.filters, config.generation.words)
    if config.filters.near_duplicates:
        Sketches(config.filters.near_duplicates)
    for benchmark in named_benchmarks(config.contamination.benchmarks):
        probe(benchmark)
    if config.reasons.wanted:
        Reasoner.of(config)
        made = reasons_writer(config)
        if made != config.generation:
            _check_engine("reasons", made)
    if wanted_kinds(config.require):
        _check_engine("require", examiner(config))


def _check_engine(table: str, made: GenerationConfig) -> None:
    with _told_of(table):
        check_settings(made.engine, made.model, made.options)


def _made(asked: GenerationConfig) -> BaseEngine:
    """The engine that is asked; in float32 where it can be, as a gain wants it."""
    with _told_of("require"):
        return gain_engine(asked.engine, asked.model, asked.options)


@contextmanager
def _told_of(table: str) -> Iterator[None]:
    """Errors of an engine's settings name those of ``--require`` or ``--reasons``, which have their own."""
    try:
        yield
    except ConfigError as error:
        told = str(error)
        for name, ours in _NAMES.items():
            told = told.replace(name, ours.format(table))
        raise ConfigError(f"for --{table}: {told}") from error


class KeptContexts:
    """A run's contexts, which of them stay, and their scores; each is scored once."""

    def __init__(
        self,
        config: RunConfig,
        rows: Sequence[Row],
        stage: Callable[[str, int], Callable[[], None]],
        journal: Journal | None = None,
    ) -> None:
        """Wrap the contexts of a run.

        Args:
            config: Holds the filters and benchmarks.
            rows: All contexts, with their pairs.
            stage: Called with the name of a stage and its steps, gives what to call after each.
            journal: Where what a model was asked is recorded; needed where something is required of one.
        """
        self._config = config
        self._all = rows
        self._stage = stage
        self._scores = Scores(len(rows))
        self._benchmarks = named_benchmarks(config.contamination.benchmarks)
        # What a model is asked again under by default is no filter, and in no name.
        least = max(0.0, config.filters.min_overall)
        self._filters = replace(config.filters, min_overall=least)
        self._filters_on = self._filters != _NO_FILTERS
        self._required = None
        if journal is not None and wanted_kinds(config.require):
            self._required = Requirements(config, journal)
        self._journal = journal
        self._sifts = (
            config.asks or self._filters_on or (bool(self._benchmarks) and config.contamination.drop)
        )
        self._drops = self._sifts or self._required is not None

    @cached_property
    def _checked_against(self) -> str:
        return digest_of(self._benchmarks, self._config.contamination.ngram)

    def identity(self, *, marks: bool) -> list[object]:
        """What the choice of contexts depends on, with ``marks`` also what is said of each; may be empty."""
        parts: list[object] = ["distinct questions", _VERSION] if self._config.asks else []
        if self._filters_on:
            parts += ["filters", _VERSION, identity(self._filters), self._config.generation.words]
        if self._benchmarks and (marks or self._config.contamination.drop):
            parts += ["benchmarks", _VERSION, self._config.contamination.drop, self._checked_against]
            parts += filter(None, [changed(self._config.contamination)])
        if self._required is not None:
            unmet = [(self._all[place][1].fingerprint, why) for place, why in sorted(self._unmet.items())]
            parts += ["require", _VERSION, told(self._config), unmet]
        return parts

    @cached_property
    def _read(self) -> Benchmarks:
        advance = self._stage("reading benchmarks", 1)
        benchmarks = read_benchmarks(self._benchmarks, self._config.contamination.ngram)
        advance()
        return benchmarks

    @cached_property
    def _sifted(self) -> Sifted:
        settings = Settings(
            self._filters,
            self._config.generation.words,
            self._read if self._benchmarks else None,
            self._config.contamination.drop,
            self._config.asks,
        )
        advance = self._stage("filtering contexts", len(self._all))

        def ticking() -> Iterator[Row]:
            for row in self._all:
                yield row
                advance()

        return sift(ticking(), settings, self._scores.score)

    @property
    def _passed(self) -> Sequence[int]:
        """The places of what the filters let pass."""
        return self._sifted.kept if self._sifts else range(len(self._all))

    @cached_property
    def _unmet(self) -> dict[int, str]:
        """Of what the filters let pass: what a model does not make of it what is required, and why not."""
        required = self._required
        if required is None:
            return {}
        rows = RowsAt(self._all, self._passed)
        todo = sum(1 for _ in required.lacking(rows))
        if todo:
            required.ask(rows, _made, self._stage("asking what is required", todo), self._may_go_on)
        reasons = ((place, required.reason(*self._all[place])) for place in self._passed)
        return {place: why for place, why in reasons if why is not None}

    def _may_go_on(self) -> bool:
        budget = budget_of(self._config)
        return not budget or self._journal is None or budget.share(self._journal.usage_by) < 1

    @cached_property
    def _places(self) -> Sequence[int]:
        return array("q", (place for place in self._passed if place not in self._unmet))

    @cached_property
    def kept(self) -> Sequence[Row]:
        """The contexts that stay, in their order."""
        return RowsAt(self._all, self._places) if self._drops else self._all

    def place(self, index: int) -> int:
        """Where the context at ``index`` of ``kept`` stands among all."""
        return self._places[index] if self._drops else index

    def coherence(self, index: int) -> Coherence:
        """The score of the context at ``index`` of ``kept``, without its windows."""
        place = self.place(index)
        return self._scores.known(place) or self._scores.score(place, *self._all[place])[0]

    def coherences(self, workers: int) -> Iterator[Coherence]:
        """The same of each of ``kept``, in order, by so many processes."""
        count = len(self.kept)

        def scored(first: int) -> list[Coherence]:
            return [self.coherence(index) for index in range(first, min(first + _AT_ONCE, count))]

        starts = range(0, count, _AT_ONCE)
        for first, found in zip(starts, spread(starts, scored, workers), strict=True):
            for index, one in enumerate(found, first):
                self._scores.keep(self.place(index), one)
                yield one

    def overlaps(self, index: int) -> list[dict[str, Any]]:
        """What the context at ``index`` of ``kept`` and its pair share with benchmarks, as columns."""
        if not self._benchmarks:
            return []
        found = self._sifted.overlaps.get(self.place(index), ())
        return [{name: value for name, value in one._asdict().items() if name != "share"} for one in found]

    def dropped(self) -> Iterator[Rejected]:
        """What does not stay, with its reason, in order."""
        if not self._drops:
            return
        unmet = {place: Drop(STAGE, why) for place, why in self._unmet.items()}
        sifted = self._sifted.dropped if self._sifts else {}
        for place, drop in sorted((sifted | unmet).items()):
            pair, context = self._all[place]
            yield Rejected(
                pair.id, drop.stage, drop.reason, context.text, context.fingerprint, context.attempts
            )

    def details(self) -> dict[str, Any]:
        """Settings and counts for the manifest; nothing for what is off."""
        found: dict[str, Any] = {}
        if self._filters_on or self._required is not None or self._config.asks:
            default, settings = asdict(_NO_FILTERS), asdict(self._filters)
            sifted = self._sifted.counts("filter") if self._sifts else {}
            unmet = Counter(Drop(STAGE, why).kind for why in self._unmet.values())
            found["filters"] = {
                "settings": {name: value for name, value in settings.items() if value != default[name]}
                | told(self._config)
                | ({"repeated questions": "dropped"} if self._config.asks else {}),
                "contexts": len(self._all),
                "kept": len(self._passed) - len(self._unmet),
                "dropped": sifted | dict(sorted(unmet.items())),
            }
        if self._benchmarks:
            found["contamination"] = self._contamination()
        return found

    def _contamination(self) -> dict[str, Any]:
        sifted = self._sifted
        dropped = sifted.counts("contamination")
        # What a filter dropped is no row of the dataset, and is not reported on.
        gone = {place for place, drop in sifted.dropped.items() if drop.stage == "filter"}
        sharing = [found for place, found in sifted.overlaps.items() if place not in gone]
        totals: Counter[tuple[str, str]] = Counter()
        for one in (one for found in sharing for one in found):
            totals.update((one.benchmark, part) for part in _PARTS if getattr(one, part))
        return {
            "ngram": self._config.contamination.ngram,
            "drop": self._config.contamination.drop,
            "contexts": len(self._all) - len(gone),
            "rows": len(sharing),
            "dropped": sum(dropped.values()),
            "benchmarks": [
                {
                    "name": index.name,
                    "rows": index.rows,
                    "skipped": index.skipped,
                    "ngrams": len(index.hashes),
                    "common": index.common,
                    **{part: totals[index.name, part] for part in _PARTS},
                    "dropped": dropped.get(index.name, 0),
                }
                for index in self._read.indexes
            ],
        }


class Scores:
    """The scores of contexts by place: 42 bytes each, windows left out."""

    def __init__(self, count: int) -> None:
        self._values = array("d", [nan]) * (5 * count)
        self._kinds = array("b", [0]) * count
        self._verified = array("b", [0]) * count

    def score(self, place: int, pair: Pair, context: Context) -> tuple[Coherence, list[Leak]]:
        """Score a context and keep the score."""
        scored = score_context(pair, context)
        self.keep(place, scored.coherence)
        return scored.coherence, scored.leaks

    def keep(self, place: int, found: Coherence) -> None:
        """Keep a score."""
        values = (found.overall, found.support, found.relevance, found.uniqueness, found.leaks)
        self._values[5 * place : 5 * place + 5] = array("d", values)
        self._kinds[place] = KINDS.index(found.kind)
        self._verified[place] = found.verified

    def known(self, place: int) -> Coherence | None:
        """The score of a context that was scored before."""
        overall, support, relevance, uniqueness, leaks = self._values[5 * place : 5 * place + 5]
        if isnan(overall):
            return None
        kind, verified = KINDS[self._kinds[place]], bool(self._verified[place])
        return Coherence(overall, support, relevance, uniqueness, kind, verified, (), leaks)


class RowsAt(OnDemand[Row]):
    """The rows at some places of a sequence."""

    def __init__(self, rows: Sequence[Row], places: Sequence[int]) -> None:
        self._rows = rows
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    def read(self, place: int) -> Row:
        """The row at one of the places."""
        return self._rows[self._places[place]]
