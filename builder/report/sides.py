"""The sides of a comparison: raw configs of runs and datasets, measured alike.

Lengths and scores are those of all rows. What takes reading a text is measured on some of them, chosen
by the pairs' ids: every side that has a pair chooses it, so that sides are compared on the same pairs.
Knows nothing of how a comparison is shown.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from builder.folder.checks import check_complete
from builder.folder.facts import words_of
from builder.folder.place import find_built
from builder.folder.reading import batches, pair_and_context
from builder.folder.statistics import FULL, PARTS, counted_reasons
from builder.folder.versions import Manifest, damaged, is_sound, read_manifests
from synthesis.coherence import score_context
from synthesis.data import content_hash
from synthesis.errors import FolderError, UsageError
from synthesis.run.folder import RunFolder
from synthesis.text.ngrams import ngram_hashes, plain_words
from synthesis.text.repetition import repetition
from synthesis.text.words import count_words, is_solid, terms

_NUMBERS = ("words", "tokens", *PARTS)
_TEXTS = ("id", "task", "instruction", "answer", "context", "evidence", "tokens")
_SHARED_RUN = 8  # words; two texts that meet in as many have a source in common
_SEGMENT = 100  # words, over which the distinct ones are counted


class TextNumbers(NamedTuple):
    """What is measured on one context; None where it has no evidence, or where its evidence is one piece.

    Args:
        overlap: share of the instruction's terms that its evidence holds, 0..1.
        distance: words between its first and its last piece of evidence.
        depth: where in the context the middle of its evidence stands, 0..1.
        diversity: distinct words in 100, the mean over stretches of 100 words, 0..1.
        repetition: share of its runs of six words that stood in it before, 0..1.
    """

    overlap: float | None
    distance: float | None
    depth: float | None
    diversity: float | None
    repetition: float


@dataclass(frozen=True, slots=True)
class ChatSide:
    """A chat config of a side: ``label`` is its name without the side's."""

    label: str
    rows: int
    budget: int
    tokens: float
    full: float


@dataclass(frozen=True, slots=True)
class Side:
    """One raw config. ``numbers`` has a value a row, in order, None where nothing was measured.

    ``shared`` is the share of runs of eight words that another context of this side holds, and
    ``leaks`` counts contexts by what gives them away: both of the ``read`` rows whose texts were looked at.
    """

    name: str
    manifest: Manifest
    run: Mapping[str, Any]
    ids: Sequence[str]
    tasks: Sequence[str]
    numbers: Mapping[str, Sequence[float | None]]
    texts: Mapping[str, TextNumbers]
    leaks: Mapping[str, int]
    shared: float
    chats: Sequence[ChatSide] = ()
    dropped: Mapping[str, int] = field(default_factory=dict)

    @property
    def asked(self) -> int | None:
        """Words a context was asked to have, where that is known."""
        return words_of(self.manifest.facts)

    @property
    def read(self) -> int:
        """Rows whose texts were looked at."""
        return len(self.texts)

    def values(self, measure: str, task: str | None = None) -> list[float]:
        """What is known of a number, over the rows of a task or over all."""
        found = zip(self.numbers[measure], self.tasks, strict=True)
        return [value for value, own in found if value is not None and task in (None, own)]

    def text_values(self, measure: str) -> list[float]:
        """What is known of a text's number."""
        found = (getattr(one, measure) for one in self.texts.values())
        return [value for value in found if value is not None]

    def by_pair(self, measure: str) -> dict[str, float]:
        """Pair -> a number, of the rows that have one."""
        return {
            id_: value
            for id_, value in zip(self.ids, self.numbers[measure], strict=True)
            if value is not None
        }


def find_sides(places: Sequence[str | Path], most_texts: int) -> list[Side]:
    """Measure the newest raw configs of runs' folders and dataset folders.

    Args:
        places: the folders; each may be given as ``NAME=FOLDER``, and is called by its own name otherwise.
        most_texts: rows a side whose texts are read, 0 for all.

    Raises:
        SourceError: there is no dataset.
        FolderError: files of it are missing or damaged.
        UsageError: there are not two configs to compare, or one was given twice.
    """
    found = [(label, folder, dataset) for label, folder, dataset in map(_place, places)]
    if len({dataset for _, _, dataset in found}) < len(found):
        raise UsageError("a folder was given twice; give each run once")
    raws = [(*one, manifest) for one in found for manifest in _raws(one[2])]
    if len(raws) < 2:
        told = f"{raws[0][0]} has one config with contexts" if raws else "no config has contexts"
        raise UsageError(f"there is nothing to compare: {told}. Give the folders of two runs or more")
    several = Counter(str(dataset) for _, _, dataset, _ in raws)
    names = _apart(
        [label if several[str(dataset)] == 1 else f"{label}: {one.config}" for label, _, dataset, one in raws]
    )
    return [
        _measured(name, RunFolder(folder), dataset, manifest, most_texts)
        for name, (_, folder, dataset, manifest) in zip(names, raws, strict=True)
    ]


def named_folder(given: str | Path) -> tuple[str, Path]:
    """A folder and what to call it: given as ``NAME=FOLDER``, or called by its own name."""
    label, equals, rest = str(given).partition("=")
    named = bool(equals and label and rest) and not Path(given).exists()
    folder = Path(rest if named else given)
    return label if named else folder.resolve().name, folder


def _place(given: str | Path) -> tuple[str, Path, Path]:
    name, folder = named_folder(given)
    return name, folder, find_built(folder)


def _apart(names: Sequence[str]) -> list[str]:
    """The names, numbered where they are the same."""
    seen: Counter[str] = Counter()
    told = []
    for name in names:
        seen[name] += 1
        told.append(f"{name} ({seen[name]})" if seen[name] > 1 else name)
    return told


def _raws(dataset: Path) -> list[Manifest]:
    check_complete(dataset)
    newest = [versions[-1] for versions in read_manifests(dataset).values()]
    raws = [one for one in newest if one.kind == "raw" and one.rows]
    for one in raws:
        if not is_sound(dataset, one):
            raise FolderError(damaged(dataset, one))
    return raws


def _measured(name: str, run: RunFolder, dataset: Path, manifest: Manifest, most: int) -> Side:
    numbers: dict[str, list[float | None]] = {one: [] for one in _NUMBERS}
    ids: list[str] = []
    tasks: list[str] = []
    files = manifest.paths(dataset)
    for batch in batches(files, ("id", "task", *_NUMBERS)):
        ids += batch["id"].to_pylist()
        tasks += batch["task"].to_pylist()
        for one, values in numbers.items():
            values += batch[one].to_pylist()
    chosen = frozenset(sorted(ids, key=content_hash)[: most or None])
    texts: dict[str, TextNumbers] = {}
    leaks: Counter[str] = Counter()
    runs: list[Any] = []
    for row in _rows(files, chosen):
        words = plain_words(row["context"])
        texts[row["id"]] = _text_numbers(row, words)
        runs.append(ngram_hashes(words, _SHARED_RUN))
        leaks.update({leak.kind for leak in score_context(*pair_and_context(row)).leaks})
    others = [versions[-1] for versions in read_manifests(dataset).values()]
    dropped = next((one for one in others if one.config == f"{manifest.config}-rejected"), None)
    return Side(
        name, manifest, run.read_manifest(), ids, tasks, numbers, texts, leaks, _shared(runs),
        tuple(_chats(dataset, manifest, others)), counted_reasons(dropped.statistics) if dropped else {},
    )  # fmt: skip


def _rows(files: Iterable[Path], chosen: frozenset[str]) -> Iterator[dict[str, Any]]:
    for batch in batches(files, _TEXTS, rows=64):
        wanted = [place for place, id_ in enumerate(batch["id"].to_pylist()) if id_ in chosen]
        yield from batch.take(wanted).to_pylist()


def _text_numbers(row: Mapping[str, Any], words: Sequence[str]) -> TextNumbers:
    text: str = row["context"]
    spans = sorted((one["start"], one["end"]) for one in row["evidence"] or ())
    overlap = distance = depth = None
    if spans:
        asked = {term for term in terms(row["instruction"]) if is_solid(term) or len(term) > 2}
        held = set(terms(" ".join(text[start:end] for start, end in spans)))
        overlap = len(asked & held) / len(asked) if asked else None
        first, last = spans[0][1], spans[-1][0]
        distance = float(count_words(text[first:last])) if len(spans) > 1 else None
        depth = sum(start + end for start, end in spans) / (2 * len(spans) * len(text))
    stretches = [words[at : at + _SEGMENT] for at in range(0, len(words) - _SEGMENT + 1, _SEGMENT)]
    diversity = sum(len(set(one)) for one in stretches) / (_SEGMENT * len(stretches)) if stretches else None
    return TextNumbers(overlap, distance, depth, diversity, repetition(text).share)


def _shared(runs: Sequence[Any]) -> float:
    """Of all runs of words, the share that stands in two contexts or more."""
    import numpy as np

    if not sum(map(len, runs)):
        return 0.0
    once = np.concatenate([np.unique(one) for one in runs])
    values, counts = np.unique(once, return_counts=True)
    twice = values[counts > 1]
    return float(sum(np.isin(one, twice).sum() for one in runs) / sum(map(len, runs)))


def _chats(dataset: Path, raw: Manifest, others: Sequence[Manifest]) -> Iterator[ChatSide]:
    made = [
        one
        for one in others
        if one.kind == "chat" and one.config.startswith(f"{raw.config}-chat-") and one.rows
    ]
    for one in sorted(made, key=lambda chat: (chat.statistics["budget"]["mean"], chat.config)):
        full = sum(
            sum(
                tokens >= FULL * budget
                for tokens, budget in zip(*(batch[c].to_pylist() for c in ("tokens", "budget")), strict=True)
            )
            for batch in batches(one.paths(dataset), ("tokens", "budget"))
        )
        yield ChatSide(
            one.config.removeprefix(f"{raw.config}-"),
            one.rows,
            int(one.statistics["budget"]["max"]),
            one.statistics["tokens"]["mean"],
            full / one.rows,
        )


def shared_tasks(sides: Sequence[Side], most: int) -> list[str]:
    """The tasks that most rows of all sides have, by name."""
    counts: dict[str, int] = defaultdict(int)
    for side in sides:
        for task in side.tasks:
            counts[task] += 1
    return sorted(sorted(counts, key=lambda task: (-counts[task], task))[:most])
