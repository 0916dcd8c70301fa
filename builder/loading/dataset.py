"""``ContextSynthesis``: a builder for ``datasets`` that assembles samples of any length.

Plain ``datasets`` reads the configs of a published dataset as they are. This builder does what
files cannot: any length, tokenizer, depth or choice of distractors, made on the spot from the
raw config. It is used in the process that imports it; a script beside the data, which
``load_dataset`` used to run, is refused by every current version of ``datasets``.

It knows how to cache and to share work out. What samples are is the assembly's affair; where the
rows come from and how they are read, that of ``builder.loading.raw``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import datasets
from datasets.builder import Key

from builder.folder.place import find_place
from builder.folder.schema import ROWS_VERSION, Row, arrow_schema, chat_row
from builder.loading.assembling import (
    AssemblyJob,
    forget,
    outcomes,
    prepare,
    rank,
    remember,
)
from builder.loading.raw import RawConfig, find_raw, open_rows, prepare_store
from synthesis.assembly.options import KEYWORDS, Length, Options, from_keywords, make_options, parse_mixture
from synthesis.data import Rejected, content_hash
from synthesis.errors import TokenizerError, UsageError
from synthesis.processes import serial_tokenizers
from synthesis.storage import storage_errors
from synthesis.tokens import Tokenizer, format_length, load_tokenizer

# To be raised when the same contexts and options would give other rows for a reason in this file;
# for a change of the assembly or of a column, it is builder.folder.schema.ROWS_VERSION.
BUILDER_VERSION = 1
SPLIT = "train"
"""The only split: that of every dataset this tool builds."""

_LOG = logging.getLogger(__name__)
_SHARDS = 16  # spans of rows that may go to different workers, where their number is not known
_WRITTEN_TOKENS = 4_194_304  # of samples in memory before they are written, some 20 MB of text
_WRITTEN_ROWS = 1000


@dataclass
class ContextSynthesisConfig(datasets.BuilderConfig):  # type: ignore[misc]
    """What to assemble, in the one form that all spellings of it have.

    ``options`` are those of ``assemble``, their lengths in tokens of ``tokenizer`` at
    ``tokenizer_revision`` (``identity`` names its definition); ``place`` is where the contexts come
    from. Equal options give equal configs, whether a default was left out or spelled out.
    """

    options: Options | None = None
    tokenizer: str | None = None
    tokenizer_revision: str | None = None
    identity: str = ""
    min_coherence: float | None = None
    place: str = ""


class ContextSynthesis(datasets.GeneratorBasedBuilder):  # type: ignore[misc]
    """Chat samples of any length, assembled from a raw config; the columns of a chat config.

    ``download_and_prepare(num_proc=N)`` and ``as_dataset("train")`` give a ``Dataset``,
    ``as_streaming_dataset("train")`` an ``IterableDataset`` that begins at once and can be resumed
    by its ``state_dict``. Both have the same rows, which are those that a run publishes
    under the same options; the number of workers makes no difference.

    The raw Parquet files of a Hub repository are downloaded once, when the builder is made, for a
    stream as well: distractors come from anywhere in the data. Its rows are then kept
    uncompressed in the cache folder, to be read one at a time.

    Prepared rows are found again by the version and content of the raw files, the options, the
    tokenizer's definition and the version of this code. None of them can change and leave old rows.

    ``info.splits`` is known once prepared, since a context may not fit the length: such rows
    are left out, and a warning of this module's logger says how many.
    """

    BUILDER_CONFIG_CLASS = ContextSynthesisConfig

    def __init__(
        self,
        source: str,
        config_name: str | None = None,
        *,
        length: Length,
        revision: str | None = None,
        tokenizer: str | None = None,
        tokenizer_revision: str | None = None,
        seed: int = 0,
        min_coherence: float | None = None,
        token: str | None = None,
        cache_dir: str | None = None,
        **options: Any,
    ) -> None:
        """Find the data and check every option; nothing is assembled yet.

        Args:
            source: a dataset folder, a run's folder, or ``OWNER/NAME[@REVISION]`` on the Hub.
            config_name: the raw config, ``NAME`` or ``NAME-v1.2.0``; needed where there are several.
            length: tokens of a sample, as 32768 or ``32k``, its chat template included; or the shares
                of several lengths, as in ``4k:0.2,32k:0.8``.
            revision: a tag such as ``v1.2.0``, a branch or a commit on the Hub.
            tokenizer: as ``synthesis.load_tokenizer`` takes it; by default the one the dataset
                was measured with, else the embedded one.
            tokenizer_revision: a revision of a tokenizer on the Hub.
            seed: with the data, determines every choice.
            min_coherence: contexts that score less, or were not scored, are left out
                altogether; None keeps all.
            token: for private repositories; by default the login's or HF_TOKEN's.
            cache_dir: where prepared rows are kept; by default where ``datasets`` keeps its own.
            options: those of ``assemble`` from ``depth`` on, except for a corpus; any other is an
                argument of ``datasets.DatasetBuilder``.

        Raises:
            UsageError: an option cannot be used.
            SourceError: the data cannot be found or read.
            TokenizerError: the tokenizer cannot be loaded, or has no chat template.
            FolderError: the cache folder cannot be written.
        """
        from pathlib import Path  # datasets replaces the one of a builder's module, for its streams

        wanted = {name: options.pop(name) for name in KEYWORDS if name in options}
        _check_numbers(seed, min_coherence)
        chosen = make_options(parse_mixture(length), from_keywords(wanted), seed)
        most = max(tokens for tokens, _ in chosen.lengths)
        label = format_length(most) if len(chosen.lengths) == 1 else "mix"
        least = None if min_coherence is None else float(min_coherence)
        raw = find_raw(find_place(source, revision), config_name, token)
        name = tokenizer or raw.tokenizer or None
        loaded = _load(name, tokenizer_revision, recorded=not tokenizer)
        made_of = content_hash(raw.digest, chosen.lengths, chosen.identity(), least, loaded.identity)
        self._raw = raw
        remember(loaded)
        # The base looks for prepared rows, and makes the folder for them.
        with storage_errors(Path(cache_dir or datasets.config.HF_DATASETS_CACHE)):
            super().__init__(
                cache_dir=cache_dir,
                dataset_name="context_synthesis",
                config_name=f"{raw.config}-chat-{label}",
                config_id=f"{raw.config}-{label}-{made_of}",
                hash=content_hash("code", ROWS_VERSION, BUILDER_VERSION)[:16],
                version=raw.version,
                token=token,
                **{"writer_batch_size": _batch_size(most), **options},
                options=chosen,
                tokenizer=name,
                tokenizer_revision=tokenizer_revision,
                identity=loaded.identity,
                min_coherence=least,
                place=raw.place,
            )

    @property
    def raw(self) -> RawConfig:
        """The version of the raw config that samples are made from."""
        return self._raw

    def _info(self) -> Any:
        features = datasets.Features.from_arrow_schema(arrow_schema("chat"))
        return datasets.DatasetInfo(features=features)

    def _make_split_generators_kwargs(self, prepare_split_kwargs: dict[str, Any]) -> dict[str, Any]:
        return {"workers": prepare_split_kwargs.get("num_proc")}

    def _prepare_split(self, *given: Any, num_proc: int | None = None, **options: Any) -> None:
        try:
            with serial_tokenizers() if num_proc and num_proc > 1 else nullcontext():
                super()._prepare_split(*given, num_proc=num_proc, **options)
        finally:
            forget()

    def _split_generators(self, dl_manager: Any, workers: int | None = None) -> list[Any]:
        from pathlib import Path

        store = prepare_store(self._raw, Path(self._cache_dir_root) / "context_synthesis_rows")
        every = self.config.options.samples.all_candidates
        count = len(open_rows(store, self.config.min_coherence, self._raw.config, every))
        # A list is what datasets shares out among workers.
        shards = min(count, max(_SHARDS, workers or 1))
        spans = [(count * part // shards, count * (part + 1) // shards) for part in range(shards)]
        names = ("options", "tokenizer", "tokenizer_revision", "identity", "min_coherence")
        chosen = {name: getattr(self.config, name) for name in names}
        job = AssemblyJob(str(store), self._raw.counted_by, **chosen)
        if not dl_manager.is_streaming:
            prepare(job)
        return [datasets.SplitGenerator(SPLIT, gen_kwargs={"spans": spans, "job": job})]

    def _generate_examples(self, spans: list[tuple[int, int]], job: AssemblyJob) -> Iterator[tuple[Any, Row]]:
        for shard, (start, stop) in enumerate(spans):
            dropped: list[Rejected] = []
            item = start - 1
            for place, outcome in enumerate(outcomes(job, start, stop), start):
                # The twins of a sample follow it.
                item += not (outcome.stage == "twin" if isinstance(outcome, Rejected) else outcome.twin)
                if isinstance(outcome, Rejected):
                    dropped += [outcome] if outcome.stage != "twin" else []
                else:
                    yield Key(shard, place), chat_row(outcome, rank(job, item))
            if dropped:
                _LOG.warning(
                    "%s: %d of %d contexts, from number %d on, make no sample and are left out; first %s: %s",
                    *(self._raw.config, len(dropped), stop - start, start + 1),
                    *(dropped[0].pair_id, dropped[0].reason),
                )


def _load(name: str | None, revision: str | None, recorded: bool) -> Tokenizer:
    """The tokenizer, able to render a conversation."""
    try:
        loaded = load_tokenizer(name, revision=revision)
        loaded.check_chat()
    except TokenizerError as error:
        if not recorded:
            raise
        raise TokenizerError(
            f"{error} This is the tokenizer that the dataset was measured with; you may give another."
        ) from error
    return loaded


def _check_numbers(seed: int, min_coherence: float | None) -> None:
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise UsageError(f"seed {seed!r} is not a whole number. Give one, such as 0.")
    number = isinstance(min_coherence, int | float) and not isinstance(min_coherence, bool)
    if min_coherence is not None and not (number and 0 <= min_coherence <= 1):
        raise UsageError(f"min_coherence {min_coherence!r} is no score. Give a number from 0 to 1, or None.")


def _batch_size(budget: int) -> int:
    """Rows written at a time: as many as datasets would, but fewer where each is very long."""
    return max(1, min(_WRITTEN_ROWS, _WRITTEN_TOKENS // budget))
