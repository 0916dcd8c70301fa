"""How good the contexts of a dataset folder are, and why others were rejected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from builder.folder.build import ConfigResult, FolderResult
from builder.folder.reading import values
from synthesis.data import Rejected
from synthesis.run.alike import kind_of_rejection
from synthesis.run.reasoning import STAGE

_NO_CONTEXT = ("twin", STAGE)  # stages of rejected rows that are about no context

LOW = 0.4
"""An overall score under this is worth a look."""


@dataclass(frozen=True, slots=True)
class Quality:
    """``mean`` is the mean overall score of ``scored`` contexts, ``low`` how many are under ``LOW``.

    ``reasons`` counts what was rejected by stage and name of the fault, the commonest first, and ``examples``
    has the pair (or the place of the row) and the whole reason of the first of each; ``no_twins`` are
    the twins of samples that were not made, ``no_reasons`` contexts without the reasons that were asked for:
    neither is a rejected context, and both count for themselves. ``reasoned`` contexts have some.
    """

    scored: int = 0
    mean: float = 0.0
    low: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    no_twins: int = 0
    no_reasons: int = 0
    reasoned: int = 0


def quality_of(dataset: FolderResult, dropped: Iterable[Rejected]) -> Quality:
    """Read the scores and the rejected rows of a dataset folder, column by column.

    Args:
        dataset: the folder.
        dropped: what counts as rejected where the folder has no config of rejected rows.
    """
    scored, total, low, reasons = 0, 0.0, 0, Counter[str]()
    apart, reasoned, examples = Counter[str](), 0, dict[str, tuple[str, str]]()
    for one in dataset.configs:
        if one.kind == "raw":
            for score, model in values(_files(dataset.path, one), ("coherence", "reasons_model")):
                reasoned += bool(model)
                if score is not None:
                    scored, total, low = scored + 1, total + score, low + (score < LOW)
        elif one.kind == "rejected":
            for pair_id, stage, reason in values(_files(dataset.path, one), ("pair_id", "stage", "reason")):
                if stage in _NO_CONTEXT:
                    apart[stage] += 1
                else:
                    kind = kind_of_rejection(stage, reason)
                    reasons[kind] += 1
                    examples.setdefault(kind, (pair_id, reason))
    if all(one.kind != "rejected" for one in dataset.configs):
        for row in dropped:
            kind = kind_of_rejection(row.stage, row.reason)
            reasons[kind] += 1
            examples.setdefault(kind, (row.pair_id, row.reason))
    mean = total / scored if scored else 0.0
    kinds = dict(reasons.most_common())
    return Quality(scored, mean, low, kinds, examples, apart["twin"], apart[STAGE], reasoned)


def _files(folder: Path, config: ConfigResult) -> list[Path]:
    return [folder / name for name in config.files] if config.rows else []
