"""The rows of a run's configs, made only when a config has to be written.

What the rows depend on is hashed here, so that an unchanged config is recognised without
making them. Knows the journal and the assembly; knows nothing of Parquet or versions.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import isnan, nan
from typing import TYPE_CHECKING, Any, overload

from builder.folder import ConfigData
from builder.schema import chat_row, raw_row, rejected_row
from synthesis.assembly import assemble_mixture, parse_lengths
from synthesis.coherence import score
from synthesis.config import RunConfig
from synthesis.data import Coherence, Context, Pair, Rejected, content_hash
from synthesis.journal import ContextRows, Journal
from synthesis.pairs import describe_source
from synthesis.tokens import Tokenizer, format_length

if TYPE_CHECKING:
    from builder.job import Reporter

# To be raised when the same journal and settings would give other rows: a change of the
# score, of the assembly or of a column.
ROWS_VERSION = 3
_FULL = 0.995
_PARCEL = 64  # contexts held in memory while they are counted


class RunRows:
    """The raw, chat and rejected rows of what a journal holds as current."""

    def __init__(self, config: RunConfig, journal: Journal, tokenizer: Tokenizer, reporter: Reporter) -> None:
        self._config = config
        self._journal = journal
        self._tokenizer = tokenizer
        self._reporter = reporter
        self._rows = CountedRows(journal.current_contexts(), tokenizer)
        self._overall = array("d", [nan]) * len(self._rows)
        self._contexts_id = _outcomes_id(journal)
        self.short = 0

    @property
    def contexts(self) -> int:
        """How many contexts there are."""
        return len(self._rows)

    def configs(self) -> list[ConfigData]:
        """The raw config, the chat configs (one per length, or one of mixed lengths), the rejected rows."""
        asked = parse_lengths(",".join(self._config.samples.lengths))
        if any(share is not None for _, share in asked):
            mixture: dict[int | str, float] = {length: share or 0.0 for length, share in asked}
            chats = [self._chat("mix", mixture)]
        else:
            chats = [self._chat(format_length(length), {length: 1.0}) for length, _ in asked]
        configs = [self._raw(), *chats]
        if self._config.dataset.rejected:
            configs.append(self._rejected([chat.content_id for chat in chats]))
        return configs

    def _content_id(self, kind: str, *settings: object) -> str:
        return content_hash(ROWS_VERSION, kind, self._contexts_id, *settings)

    def _raw(self) -> ConfigData:
        def rows() -> Iterator[Mapping[str, Any]]:
            self._reporter.stage("scoring contexts", len(self._rows))
            for index, (pair, context) in enumerate(self._rows):
                yield raw_row(pair, context, self._score(index, pair, context))
                self._reporter.advance()

        return ConfigData(self._config.name, "raw", rows, self._content_id("raw", self._tokenizer.identity))

    def _chat(self, label: str, mixture: dict[int | str, float]) -> ConfigData:
        samples = self._config.samples
        options = assembly_options(self._config)
        corpus = describe_source(samples.corpus)["files"] if samples.corpus else []
        content = self._content_id(
            "chat",
            self._tokenizer.identity,
            list(mixture.items()),
            options,
            [one["sha256"] for one in corpus],
        )

        def rows() -> Iterator[Mapping[str, Any]]:
            self._reporter.stage(f"assembling {label} samples", len(self._rows))
            for outcome in assemble_mixture(
                self._rows,
                mixture,
                tokenizer=self._tokenizer,
                coherence=self._overall_of,
                counted_by=self._tokenizer.identity,
                corpus=samples.corpus or None,
                **options,
            ):
                self._reporter.advance()
                if isinstance(outcome, Rejected):
                    self._keep(replace(outcome, fingerprint=content_hash(content, outcome.pair_id)))
                else:
                    self.short += outcome.tokens < _FULL * outcome.budget
                    yield chat_row(outcome)

        return ConfigData(f"{self._config.name}-chat-{label}", "chat", rows, content)

    def _rejected(self, chats: list[str]) -> ConfigData:
        def rows() -> Iterator[Mapping[str, Any]]:
            yield from (rejected_row(row) for row in self._journal.current_rejected())
            # What an assembly dropped is known by its settings and pair, like everything else.
            for content in chats if len(self._journal.rejected) else ():
                for pair, _ in self._rows:
                    dropped = self._journal.find_rejected(content_hash(content, pair.id))
                    if dropped is not None:
                        yield rejected_row(dropped)

        return ConfigData(
            f"{self._config.name}-rejected", "rejected", rows, self._content_id("rejected", *chats)
        )

    def _keep(self, dropped: Rejected) -> None:
        if dropped.fingerprint not in self._journal.rejected:
            self._journal.add(dropped)

    def _score(self, index: int, pair: Pair, context: Context) -> Coherence:
        coherence = score(context.text, pair.instruction, pair.answer)
        self._overall[index] = coherence.overall
        return coherence

    def _overall_of(self, index: int) -> float:
        if isnan(self._overall[index]):
            self._score(index, *self._rows[index])
        return self._overall[index]


def assembly_options(config: RunConfig) -> dict[str, Any]:
    """What a configuration asks of ``assemble`` besides lengths, tokenizer and corpus."""
    samples = config.samples
    return {
        "depth": samples.depth,
        "distractors": samples.distractors,
        "seed": config.seed,
        "max_reuse": samples.max_reuse or None,
        "header": samples.header,
        "separator": samples.separator,
        "abstain": samples.abstain,
        "oversize": samples.oversize,
    }


class CountedRows(Sequence[tuple[Pair, Context]]):
    """Contexts with their ``tokens``, each counted once however many configs need them."""

    def __init__(self, rows: ContextRows, tokenizer: Tokenizer) -> None:
        self._rows = rows
        self._tokenizer = tokenizer
        self._tokens = array("q")

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> tuple[Pair, Context]: ...
    @overload
    def __getitem__(self, index: slice) -> list[tuple[Pair, Context]]: ...
    def __getitem__(self, index: int | slice) -> tuple[Pair, Context] | list[tuple[Pair, Context]]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        pair, context = self._rows[index]
        if not self._tokens:
            self._count()
        return pair, replace(context, tokens=self._tokens[index])

    def _count(self) -> None:
        for start in range(0, len(self._rows), _PARCEL):
            texts = [context.text for _, context in self._rows[start : start + _PARCEL]]
            self._tokens.extend(self._tokenizer.count_batch(texts))


def _outcomes_id(journal: Journal) -> str:
    """A hash of the current outcomes: a rejection that became a context since counts as a change."""
    digest = hashlib.blake2b(digest_size=16)
    for fingerprint in journal.current():
        digest.update(b"+" if fingerprint in journal.contexts else b"-")
        digest.update(fingerprint.encode())
    return digest.hexdigest()
