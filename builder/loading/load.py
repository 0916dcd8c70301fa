"""``load``: a published config as it is, or samples of any length made from a raw one.

A thin layer: files that exist are read by plain ``datasets``, everything else by
``builder.loading.dataset``. Imports neither until called. Knows nothing of what is in the rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builder.folder.place import Place, find_place
from builder.loading.raw import unknown_config, unknown_revision
from synthesis.errors import ContextSynthesisError, SourceError, UsageError
from synthesis.sources.hub import hub_errors
from synthesis.storage import storage_error

if TYPE_CHECKING:
    from datasets import Dataset, IterableDataset

    from builder.loading.dataset import ContextSynthesis
    from synthesis.assembly.options import DepthSpec, Length


def load(
    repo_or_folder: str | Path,
    config: str | None = None,
    *,
    length: Length | None = None,
    tokenizer: str | None = None,
    depth: DepthSpec = "uniform",
    distractors: str = "same-task",
    seed: int = 0,
    split: str = "train",
    streaming: bool = False,
    revision: str | None = None,
    num_proc: int | None = None,
    token: str | None = None,
    cache_dir: str | Path | None = None,
    min_coherence: float | None = None,
    **further: Any,
) -> Dataset | IterableDataset:
    """A dataset of this tool: a config as published, or samples of any ``length`` made on the spot.

    Without a length, this is ``datasets.load_dataset``. With one, chat samples are assembled from a
    raw config, with the columns of a published chat config and, under the same options, its
    very rows. See ``builder.loading.dataset.ContextSynthesis`` on caching and on what is downloaded.

    Args:
        repo_or_folder: ``OWNER/NAME[@REVISION]`` on the Hub, a dataset folder, or a run's folder.
        config: a config as listed, ``NAME`` or ``NAME-v1.2.0``; with a length, a raw one. May be
            left out where there is only one of these (without a length: for the default one).
        length: tokens of a sample, such as 32768 or ``"32k"``, answer and chat template included; or
            shares of several lengths, as in ``"4k:0.2,32k:0.8"``.
        tokenizer: of the model to train: a Hub id, a folder or ``embedded``; by default the one
            that the dataset was measured with.
        depth: where a sample's own context stands: ``uniform``, ``start``, ``middle``, ``end``, a
            number from 0 to 1, or several.
        distractors: whose contexts surround it, as ``assemble`` takes it.
        seed: with the data, determines every choice.
        split: ``train``, or of a dataset that is not streamed a part such as ``train[:100]``.
        streaming: assemble while reading and keep nothing; the raw files are downloaded even so.
        revision: a tag, a branch or a commit on the Hub.
        num_proc: processes to assemble with; the rows do not depend on it.
        token: for private repositories; by default the login's or HF_TOKEN's.
        cache_dir: where prepared rows are kept; by default where ``datasets`` keeps its own.
        min_coherence: leave out contexts that score less or were not scored.
        further: other options of ``assemble``, except for a corpus: ``max_reuse``, ``header``,
            ``separator``, ``abstain``, ``refusal``, ``oversize``, ``repeat_questions``, ``twins``.

    Raises:
        SourceError: there is no such place, revision or config, or it cannot be read.
        UsageError: an option cannot be used, or no context fits the length.
        TokenizerError: the tokenizer cannot be loaded, or has no chat template.
        StorageError: the disk is full, or it failed in another way.
    """
    place = find_place(repo_or_folder, revision)
    options = {
        "tokenizer": tokenizer,
        "depth": depth,
        "distractors": distractors,
        "seed": seed,
        "min_coherence": min_coherence,
        **further,
    }
    _check_known(further)
    if streaming and num_proc is not None:
        raise UsageError("A stream is read by one process. Leave out num_proc, or streaming.")
    if length is None:
        _check_unset(options)
        return _published(place, config, split, streaming, num_proc, token, cache_dir)
    _check_split(split, streaming)
    builder = load_builder(
        repo_or_folder,
        config,
        length=length,
        revision=revision,
        token=token,
        cache_dir=cache_dir,
        **options,
    )
    if streaming:
        stream: IterableDataset = builder.as_streaming_dataset(split)
        return stream
    with _plain_errors(builder):
        builder.download_and_prepare(num_proc=num_proc)
    if not builder.info.splits[split.partition("[")[0]].num_examples:
        raise UsageError(
            f"{place.name}: none of the contexts of '{builder.raw.config}' {builder.raw.version} fits into "
            f"{length} tokens. Ask for a greater length."
        )
    with _split_errors(split):
        return builder.as_dataset(split)


def load_builder(
    repo_or_folder: str | Path,
    config: str | None = None,
    *,
    length: Length | None = None,
    revision: str | None = None,
    token: str | None = None,
    cache_dir: str | Path | None = None,
    **options: Any,
) -> ContextSynthesis | Any:
    """The ``datasets`` builder behind ``load``, for its ``info`` and for preparing it by hand.

    Without a length it is the one of plain ``datasets``. ``options`` are those of ``load`` that
    belong to a length, and ``tokenizer_revision`` and ``max_reuse``, as ``ContextSynthesis`` takes them.

    Raises:
        SourceError, UsageError, TokenizerError: as for ``load``.
    """
    place = find_place(repo_or_folder, revision)
    cache = None if cache_dir is None else str(Path(cache_dir).expanduser())
    if length is None:
        _check_unset(options)
        from datasets import load_dataset_builder

        with _named_errors(place, config, token):
            return load_dataset_builder(
                place.at, config, revision=place.revision, token=token, cache_dir=cache
            )
    from builder.loading.dataset import ContextSynthesis

    source = place.at if place.folder else str(repo_or_folder)
    return ContextSynthesis(
        source, config, length=length, revision=revision, token=token, cache_dir=cache, **options
    )


def _published(
    place: Place,
    config: str | None,
    split: str,
    streaming: bool,
    num_proc: int | None,
    token: str | None,
    cache_dir: str | Path | None,
) -> Any:
    from datasets import load_dataset

    with _named_errors(place, config, token):
        return load_dataset(
            place.at,
            config,
            split=split,
            streaming=streaming,
            num_proc=num_proc,
            revision=place.revision,
            token=token,
            cache_dir=None if cache_dir is None else str(Path(cache_dir).expanduser()),
        )


def _check_known(options: dict[str, Any]) -> None:
    from synthesis.assembly.options import KEYWORDS

    known = [name for name in KEYWORDS if name not in signature(load).parameters]
    for name in options:
        if name not in known:
            near = get_close_matches(name, known, 1)
            advice = f"did you mean '{near[0]}'?" if near else f"give any of {', '.join(known)}"
            raise UsageError(f"load has no option {name!r}; {advice}")


def _check_unset(options: dict[str, Any]) -> None:
    own = {name: one.default for name, one in signature(load).parameters.items()}
    given = [name for name, value in options.items() if name not in own or value != own[name]]
    if given:
        raise UsageError(
            f"{', '.join(given)} would change nothing in a config that is loaded as it was published. "
            "Give a length too, to have samples assembled, or leave this out."
        )


def _check_split(split: str, streaming: bool) -> None:
    from builder.loading.dataset import SPLIT

    name, part, _ = split.partition("[")
    if name != SPLIT:
        raise UsageError(f"There is no split '{name}': all samples are in '{SPLIT}'. Name that one.")
    if part and streaming:
        raise UsageError(
            f"A stream cannot begin with a part such as '{split}'. Ask for '{SPLIT}' and use skip and take."
        )


@contextmanager
def _split_errors(split: str) -> Iterator[None]:
    try:
        yield
    except (ValueError, AssertionError) as error:  # what datasets raises for a part it cannot read
        raise UsageError(
            f"The split '{split}' cannot be used: {error}. Write it as in 'train[:100]'."
        ) from error


@contextmanager
def _plain_errors(builder: ContextSynthesis) -> Iterator[None]:
    """Our own errors as they were raised, not wrapped by ``datasets``; a full disk as one of ours."""
    from datasets.exceptions import DatasetGenerationError

    try:
        yield
    except DatasetGenerationError as error:
        cause = error.__cause__
        if isinstance(cause, ContextSynthesisError):
            raise cause from None
        if isinstance(cause, OSError):
            raise storage_error(Path(builder.cache_dir), cause) from error
        raise


@contextmanager
def _named_errors(place: Place, config: str | None, token: str | None) -> Iterator[None]:
    """A wrong name of a config or revision answered with what there is."""
    from datasets import get_dataset_config_names

    try:
        with hub_errors(place.name, token, here=place.folder is not None):
            yield
        return
    except SourceError as error:
        failure = error
    # Looked up only now: asking first would cost every load a request.
    if place.repo and f"evision '{place.revision}'" in str(failure):
        raise SourceError(unknown_revision(place, token))
    if config is not None:
        with hub_errors(place.name, token, here=place.folder is not None):
            names = get_dataset_config_names(place.at, revision=place.revision, token=token)
        if config not in names:
            raise SourceError(unknown_config(place.name, config, names))
    raise failure
