"""Token sequences -> packs of a bounded length, with loss weights that undo what packing does.

Knows nothing of tokenizers, files or trainers' libraries. A generator: its memory is the
packs that are open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from builder.exporting.masking import Encoded
from synthesis.errors import UsageError

IGNORED = -100  # the label that loss functions skip
OPEN_PACKS = 32  # packs looked at for the best fit; also the bound on memory


@dataclass(slots=True)
class _Pack:
    """A pack being filled."""

    room: int
    sequences: list[Encoded] = field(default_factory=list)

    def add(self, sequence: Encoded) -> None:
        self.sequences.append(sequence)
        self.room -= len(sequence.ids)


def pack(sequences: Iterable[Encoded], length: int, open_packs: int = OPEN_PACKS) -> Iterator[list[Encoded]]:
    """Group sequences so that none of the groups has more than ``length`` tokens in all.

    Best fit in the order of the stream: a sequence goes to the open pack that it leaves the
    least room in. Where it fits none, the fullest of ``open_packs`` is closed. The last packs
    are kept, however full. The same stream gives the same packs.

    Raises:
        UsageError: A sequence alone is longer than ``length``.
    """
    packs: list[_Pack] = []
    for sequence in sequences:
        size = len(sequence.ids)
        if size > length:
            raise UsageError(
                f"sample {sequence.id} has {size:,} tokens, more than the {length:,} of a pack. "
                "Give a greater length, or export a config of shorter samples."
            )
        best = min((one for one in packs if one.room >= size), key=lambda one: one.room, default=None)
        if best is None:
            if len(packs) == open_packs:
                fullest = min(packs, key=lambda one: one.room)
                packs.remove(fullest)
                yield fullest.sequences
            best = _Pack(length)
            packs.append(best)
        best.add(sequence)
        if best.room == 0:
            packs.remove(best)
            yield best.sequences
    for left in packs:
        yield left.sequences


def pack_row(sequences: Sequence[Encoded]) -> dict[str, Any]:
    """The columns of one pack of n tokens that holds m sequences.

    * ``input_ids``, ``labels``, ``position_ids``, ``weights``: n values each. A label is its
      own token's id, or -100 where nothing is learnt (shift by one as usual). Positions begin
      at 0 with each sequence. There is no padding. transformers keeps sequences apart by the
      positions, but only if it gets no attention mask and ``use_cache=False``.
    * ``cu_seqlens``: m + 1 boundaries, from 0 to n, as variable-length attention takes them.
    * ``ids``: m names of samples.

    The weights are those of LongAlign (Bai et al., 2024, arXiv 2401.18058, section 3.3):
    packing as such favours samples with many target tokens and samples in packs of few. With
    L_i the sum of the losses of the N_i target tokens of sample i, M samples should give

        L = 1/M * sum_i L_i / N_i                                         (equation 2)

    Each target token of sample i weighs 1/N_i here, every other token 0, so that
    sum(weights) over any set of packs is its number of samples M, and

        L = sum(weights * losses) / sum(weights)

    over the packs of one step is equation 2, however they were packed. This is the paper's
    K / (N_i M) summed in each of K packs and averaged over them (equation 4); K and M are
    those of a step and known only to the trainer. Across devices and accumulated steps, add
    up numerators and denominators separately.
    """
    input_ids: list[int] = []
    labels: list[int] = []
    positions: list[int] = []
    weights: list[float] = []
    bounds = [0]
    for one in sequences:
        size = len(one.ids)
        input_ids.extend(one.ids)
        positions.extend(range(size))
        mine, weight = [IGNORED] * size, [0.0] * size
        for start, end in one.targets:
            mine[start:end] = one.ids[start:end]
            weight[start:end] = [1.0 / one.learnt] * (end - start)
        labels.extend(mine)
        weights.extend(weight)
        bounds.append(len(input_ids))
    return {
        "input_ids": input_ids,
        "labels": labels,
        "position_ids": positions,
        "weights": weights,
        "cu_seqlens": bounds,
        "ids": [one.id for one in sequences],
    }
