"""Which conversations an epoch is made of: of each question its sample, or something in the sample's place.

A model with few questions learns *question -> answer* by heart. A twin of a sample has the same documents
with another answer in them, so that only reading tells which one is right.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import floor
from random import Random

from examples.study.plan import Arm

_GOLDEN = 0.618034  # its multiples spread evenly, whatever else goes by a question's place


@dataclass(frozen=True, slots=True)
class Turn:
    """One conversation: the user's words, and the answer.

    ``id`` is that of the question whose context it has; ``kind`` is a twin's, or ``question`` for one that
    instruction synthesis asked.
    """

    id: str
    user: str
    answer: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Draw:
    """By question: its sample with its twins behind it, and what else is asked of its context."""

    own: Mapping[str, Sequence[Turn]]
    further: Mapping[str, Sequence[Turn]]


def by_question(turns: Iterable[Turn]) -> dict[str, list[Turn]]:
    """The conversations of each question, in their order."""
    found: dict[str, list[Turn]] = {}
    for turn in turns:
        found.setdefault(turn.id, []).append(turn)
    return found


def taken(arm: Arm, draw: Draw, epoch: int, seed: int) -> list[Turn]:
    """What epoch number ``epoch`` takes of a draw, as ``arm.each`` and the arm's shares say.

    Of conversations that take turns, every epoch has its share and so has every question over the epochs:
    with as many twins as samples, half the questions begin with their twin and go on with their sample.
    """
    if arm.each == "all":
        return [turn for id_, own in draw.own.items() for turn in (*own, *draw.further.get(id_, ()))]
    order = list(draw.own)
    Random(f"turns {seed}").shuffle(order)
    places = {id_: place for place, id_ in enumerate(order)}
    return [
        _one(arm, own, draw.further.get(id_, ()), places[id_], len(order), epoch)
        for id_, own in draw.own.items()
    ]


def _one(arm: Arm, own: Sequence[Turn], further: Sequence[Turn], place: int, of: int, epoch: int) -> Turn:
    asked = _times(place / of, arm.questions, epoch) if further else 0
    if further and _times(place / of, arm.questions, epoch + 1) > asked:
        return further[asked % len(further)]
    sample, *twins = own
    if not twins:
        return sample
    share = arm.twin_share or len(twins) / len(own)
    phase = place * _GOLDEN % 1
    before = _times(phase, share, epoch - asked)
    is_twin = _times(phase, share, epoch - asked + 1) > before
    return twins[(before + place) % len(twins)] if is_twin else sample


def _times(phase: float, share: float, turns: int) -> int:
    """How often in so many turns it is the turn of a share of them, by somebody who begins at ``phase``."""
    return floor(phase + share * turns)
