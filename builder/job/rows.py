"""The rows of a run's configs, made only when a config has to be written.

What the rows depend on is hashed here, so that an unchanged config is recognised without
making them. Knows the journal and the assembly; knows nothing of Parquet or versions.
"""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from builder.folder.build import ConfigData
from builder.folder.facts import public_name, public_source
from builder.folder.reading import batches
from builder.folder.rl import rl_row
from builder.folder.schema import ROWS_VERSION, chat_row, raw_row, rejected_row
from builder.folder.versions import read_manifests
from builder.job.filtering import KeptContexts, RowsAt
from builder.job.groups import Groups
from builder.job.reporter import Reporter
from synthesis.assembly import parse_lengths
from synthesis.assembly.corpus import describe_corpus, open_corpus
from synthesis.assembly.documents import Documents
from synthesis.assembly.options import make_options, parse_distractors
from synthesis.assembly.production import Assembly
from synthesis.data import Context, Pair, Rejected, content_hash
from synthesis.options import RunConfig
from synthesis.processes import processors
from synthesis.run.folder import RunFolder
from synthesis.run.journal import Journal
from synthesis.run.reasoning import Reasoned
from synthesis.run.reasons import ReasonedRows, Reasons
from synthesis.settings import identity
from synthesis.tokens import Tokenizer, format_length

_FULL = 0.995
_READ_ROWS = 16  # held at a time; each may be long
_MANY = 2_000
_MOST_WORKERS = 16  # unless told: more would wait for the one that writes


def workers_for(config: RunConfig, count: int) -> int:
    """How many processes do the work of so many rows: few are done sooner than others get going."""
    return config.samples.workers or (min(_MOST_WORKERS, processors()) if count >= _MANY else 1)


class RunRows:
    """The raw, chat and rejected rows of what a journal holds as current."""

    def __init__(self, config: RunConfig, journal: Journal, tokenizer: Tokenizer, reporter: Reporter) -> None:
        self._config = config
        self._journal = journal
        self._tokenizer = tokenizer
        self._reporter = reporter
        self._reasons = Reasons(journal) if config.reasons.wanted else None
        rows: Sequence[tuple[Pair, Context]] = journal.current_contexts()
        if self._reasons is not None:
            rows = ReasonedRows(rows, self._reasons)
        self._contexts = KeptContexts(config, rows, self._stage, journal)
        self._outcomes_id = _outcomes_id(journal)
        self.short = 0

    @cached_property
    def corpus(self) -> Mapping[str, Any]:
        """What the texts of the user's own are, as ``describe_corpus`` says it; empty without any."""
        source = corpus_of(self._config)
        return describe_corpus(source) if source else {}

    @cached_property
    def _texts(self) -> Sequence[tuple[str, str]] | None:
        # Opened once for all lengths, and at the revision that the configs are identified by.
        source = corpus_of(self._config)
        return open_corpus(source, revision=self.corpus.get("revision")) if source else None

    @cached_property
    def _groups(self) -> Groups:
        contexts, keeps = self._contexts, self._config.generation.keep_candidates
        return Groups(contexts.kept, self._journal, contexts.coherence, keeps)

    @cached_property
    def _sampled(self) -> tuple[Documents, Sequence[int]]:
        """The documents that samples are made of, and where each stands among all contexts that stay."""
        kept = self._contexts.kept
        if self._config.samples.all_candidates or not self._groups.kept:
            return self._documents, range(len(kept))
        places = self._groups.best()
        rows = RowsAt(kept, places)
        return Documents(rows, self._tokenizer, self._texts or (), workers=self._workers), places

    @cached_property
    def _documents(self) -> Documents:
        # Shared by all configs, so that each context is counted and indexed once.
        return Documents(self._contexts.kept, self._tokenizer, self._texts or (), workers=self._workers)

    @cached_property
    def _workers(self) -> int:
        return workers_for(self._config, len(self._contexts.kept))

    def configs(self) -> list[ConfigData]:
        """The raw config, the chat configs (one per length, or one of mixed lengths), the rejected rows."""
        asked = parse_lengths(",".join(self._config.samples.lengths))
        if any(share is not None for _, share in asked):
            mixture: dict[int, float] = {length: share or 0.0 for length, share in asked}
            chats = [self._chat("mix", mixture)]
        else:
            chats = [self._chat(format_length(length), {length: 1.0}) for length, _ in asked]
        kinds = self._config.samples.kinds
        made = [self._raw()]
        for chat in chats:
            made += [chat] if "chat" in kinds else []
            made += [self._rl(chat, "chat" in kinds)] if "rl" in kinds else []
        if self._config.dataset.rejected:
            made.append(self._rejected(chats))
        return made

    def _content_id(self, kind: str, *settings: object) -> str:
        # Benchmarks that only mark rows leave the samples as they are.
        chosen = self._contexts.identity(marks=kind == "raw")
        if self._reasons is not None:
            chosen = [*chosen, "reasons", self._reasons_id]
        return content_hash(ROWS_VERSION, kind, self._outcomes_id, *chosen, *settings)

    @cached_property
    def _reasons_id(self) -> str:
        """A hash of all reasons that the contexts have, and of those that failed."""
        assert self._reasons is not None
        digest = hashlib.blake2b(digest_size=16)
        for pair, context in self._journal.current_contexts():
            found = self._reasons.find(pair, context) or Reasoned()
            why = found.rejected.reason if found.rejected else ""
            digest.update(content_hash(pair.id, found.reasons, found.model, why).encode())
        return digest.hexdigest()

    def _stage(self, name: str, steps: int) -> Callable[[], None]:
        self._reporter.stage(name, steps)
        return self._reporter.advance

    def _raw(self) -> ConfigData:
        def rows() -> Iterator[Mapping[str, Any]]:
            kept = self._contexts.kept
            self._reporter.stage("counting tokens", None)
            tokens = self._documents.index.tokens
            advance = self._stage("scoring contexts", len(kept))
            scores = self._contexts.coherences(self._workers)
            for place, ((pair, context), score) in enumerate(zip(kept, scores, strict=True)):
                counted = replace(context, tokens=tokens[place])
                overlaps = self._contexts.overlaps(place)
                yield raw_row(pair, counted, score, overlaps, self._groups.rank(place))
                advance()

        content = self._content_id("raw", self._tokenizer.identity)
        return ConfigData(self._config.name, "raw", rows, content, self._details)

    def _details(self) -> dict[str, Any]:
        kept, found = self._contexts.kept, self._contexts.details()
        if self._groups.kept:
            made = self._config.generation
            by = {"models": list(made.mix)} if made.mix_by == "candidate" else {}
            found["candidates"] = {"contexts": len(kept), "pairs": len(self._groups.best()), **by}
        if self._reasons is not None:
            models = Counter(context.reasons_model for _, context in kept)
            none = models.pop("", 0)
            told = {"template": public_name(self._config.reasons.template or "reasons")}
            found["reasons"] = {"contexts": len(kept), "without": none, "models": sorted(models), **told}
        return found

    def _chat(self, label: str, mixture: dict[int, float]) -> ConfigData:
        samples, seed = self._config.samples, self._config.seed
        asked = identity(samples) | {"seed": seed, "max_reuse": samples.max_reuse or None}
        counted = (self._tokenizer.identity, list(mixture.items()))
        content = self._content_id("chat", *counted, asked, _contents(self.corpus))

        def rows() -> Iterator[Mapping[str, Any]]:
            documents, places = self._sampled
            self._reporter.stage(f"assembling {label} samples", len(places))
            options = make_options(mixture, samples, seed)
            made = Assembly(documents, options, lambda item: self._contexts.coherence(places[item]).overall)
            dropped = set()
            item = -1
            for outcome in made.outcomes(workers=self._workers):
                if not (outcome.stage == "twin" if isinstance(outcome, Rejected) else outcome.twin):
                    item += 1  # its twins follow it
                    self._reporter.advance()
                if isinstance(outcome, Rejected):
                    kind = [outcome.reason.partition(":")[0]] if outcome.stage == "twin" else []
                    name = content_hash(content, outcome.pair_id, outcome.fingerprint, *kind)
                    self._keep(replace(outcome, fingerprint=name))
                    dropped.add(name)
                else:
                    self.short += outcome.tokens < _FULL * outcome.budget
                    yield chat_row(outcome, self._groups.rank(places[item]))
            self._journal.keep_dropped(content, len(dropped))

        # In what is published stands what anybody can find, and no path of this machine.
        found = public_source(self.corpus)
        details = {"corpus": found} if found else {}
        return ConfigData(f"{self._config.name}-chat-{label}", "chat", rows, content, details)

    def _rl(self, chat: ConfigData, written: bool) -> ConfigData:
        """The same samples as prompts with a checkable answer; ``written``: the chat config is there."""

        def rows() -> Iterator[Mapping[str, Any]]:
            samples = chat.rows() if not written else self._written(chat)
            return map(rl_row, samples)

        name = chat.name.replace("-chat-", "-rl-")
        return ConfigData(name, "rl", rows, content_hash("rl", chat.content_id), chat.details)

    def _written(self, config: ConfigData) -> Iterator[Mapping[str, Any]]:
        """The rows of a config as they stand in the dataset folder."""
        folder = RunFolder(self._config.out_dir).dataset
        manifest = read_manifests(folder)[config.name][-1]
        for batch in batches(manifest.paths(folder), rows=_READ_ROWS):
            yield from batch.to_pylist()

    def _rejected(self, chats: list[ConfigData]) -> ConfigData:
        def rows() -> Iterator[Mapping[str, Any]]:
            yield from map(rejected_row, self._journal.current_rejected())
            yield from map(rejected_row, self._contexts.dropped())
            yield from map(rejected_row, self._unreasoned())
            for chat in chats:
                if not self._has_dropped(chat.content_id):
                    # Damage, or a version that did not count them: only assembling again tells which.
                    short = self.short
                    deque(chat.rows(), maxlen=0)
                    self.short = short
                yield from map(rejected_row, self._dropped(chat.content_id))

        content = self._content_id("rejected", *(chat.content_id for chat in chats))
        return ConfigData(f"{self._config.name}-rejected", "rejected", rows, content)

    def _unreasoned(self) -> Iterator[Rejected]:
        """Why contexts have no reasons that were to have some."""
        if self._reasons is not None:
            for pair, context in self._contexts.kept:
                found = self._reasons.find(pair, context)
                if found is not None and found.rejected is not None:
                    yield found.rejected

    def _dropped(self, content: str) -> Iterator[Rejected]:
        """What an assembly dropped: known by its settings and pair, like everything else."""
        for pair, context in self._contexts.kept:
            for kind in ((), *((twin,) for twin in self._config.samples.twins)):
                name = content_hash(content, pair.id, context.fingerprint, *kind)
                dropped = self._journal.find_rejected(name)
                if dropped is not None:
                    yield dropped

    def _has_dropped(self, content: str) -> bool:
        """Whether everything that an assembly dropped is on record."""
        found = {one.fingerprint for one in self._dropped(content)}
        return self._journal.find_dropped(content) == len(found)

    def _keep(self, dropped: Rejected) -> None:
        if dropped.fingerprint not in self._journal.rejected:
            self._journal.add(dropped)


def corpus_of(config: RunConfig) -> str:
    """The user's own texts, if the distractors are taken from them; else nothing."""
    samples = config.samples
    return samples.corpus if parse_distractors(samples.distractors).uses("corpus") else ""


def _contents(corpus: Mapping[str, Any]) -> list[object]:
    """What changes when the texts of a corpus do; where its files are does not matter."""
    hashes = [one["sha256"] for one in corpus.get("files", ())]
    chosen = {
        key: corpus[key] for key in ("revision", "path", "config", "split", "column") if corpus.get(key)
    }
    return [*hashes, chosen] if chosen else hashes


def _outcomes_id(journal: Journal) -> str:
    """A hash of the current outcomes: a rejection that became a context since counts as a change."""
    digest = hashlib.blake2b(digest_size=16)
    for fingerprint, kept in journal.current():
        digest.update(b"+" if kept else b"-")
        digest.update(fingerprint.encode())
    return digest.hexdigest()
