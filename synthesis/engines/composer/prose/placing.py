"""Where in a text each step of the evidence stands, and each false lead: order and distance.

Knows statements and shares of a text; not paragraphs, and nothing of what statements say.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from synthesis.engines.composer.decoys.rivals import Rivals
from synthesis.engines.composer.dials import Dials
from synthesis.engines.composer.prose.asides import Asides
from synthesis.engines.composer.prose.facts import Planned, spread
from synthesis.engines.composer.stating.statements import Statement
from synthesis.engines.composer.stating.steps.plan import Steps

#: Evidence stands between these shares of a text, false leads too.
FIRST, LAST = 0.04, 0.9

#: Of a text's words, as much may be false leads that were planned.
_LEADS = 0.25


def planned_steps(
    steps: Steps,
    statements: list[Statement],
    instruction: str,
    answer: str,
    words: int,
    dials: Dials,
    rng: random.Random,
    asides: Asides | None = None,
) -> list[Planned]:
    """The steps and their false leads, where the dials want them; a corrected step says that it was one.

    With ``asides`` false leads have them as the steps do.
    """
    rivals = Rivals(steps, instruction, answer, rng)
    earlier: dict[int, Statement] = {}
    told = list(statements)
    for at in rng.sample(range(len(told)), min(dials.corrections, len(told))):
        wrong = rivals.mistaken(steps.told[at])
        if wrong is not None:
            earlier[at] = wrong
            told[at] = replace(told[at], text=rng.choice(CORRECTIONS) + told[at].text)
    leads = rivals.decoys(dials.decoys)
    leads = (asides.evidence(leads) if asides else leads) + rivals.denials(dials.negated)
    return placed(told, leads, earlier, words, dials, rng)


#: What a step begins with that puts an earlier account of it right.
CORRECTIONS = (
    "The first account of this was wrong and was struck out; the revised one holds. ",
    "What had been written of it before was revised, and this is how it stands now. ",
    "A later hand corrected the earlier entry, and the correction was accepted. ",
)


def placed(
    told: Sequence[Statement],
    leads: Sequence[Statement],
    earlier: dict[int, Statement],
    words: int,
    dials: Dials,
    rng: random.Random,
) -> list[Planned]:
    """Everything that is to be told, in the order of its places.

    Args:
        told: the steps, as they lead to the answer.
        leads: false leads; in a short text there is room for some of them only.
        earlier: what must be told before a step, by the step's index.
        words: length of the text.
        dials: ``order`` and ``distance`` of the steps.
        rng: places all that.
    """
    order = list(range(len(told)))
    if dials.order == "reversed":
        order.reverse()
    elif dials.order == "shuffled":
        rng.shuffle(order)
    pieces = [told[at] for at in order]
    found = (
        spread(pieces, rng) if dials.distance == "any" else _at_distance(pieces, float(dials.distance), rng)
    )
    for index, wrong in earlier.items():
        at = order.index(index)
        place = max(found[at].place, FIRST + 0.12)
        found[at] = Planned(place, found[at].statement)
        found.append(Planned(place * (0.1 + 0.7 * rng.random()), wrong))
    left = _LEADS * words
    for lead in rng.sample(list(leads), len(leads)):
        left -= len(lead.text.split())
        if left < 0:
            break
        found.append(Planned(FIRST + (LAST - FIRST) * rng.random(), lead))
    return sorted(found, key=lambda one: one.place)


def _at_distance(pieces: Sequence[Statement], distance: float, rng: random.Random) -> list[Planned]:
    """Pieces as far apart as that from the first to the last, evenly."""
    span = distance * (LAST - FIRST)
    start = FIRST + (LAST - FIRST - span) * rng.random()
    gap = span / max(1, len(pieces) - 1)
    return [Planned(start + gap * at, one) for at, one in enumerate(pieces)]
