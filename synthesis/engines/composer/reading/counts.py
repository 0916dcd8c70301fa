"""``How many N are there in X``: questions for how many there are of something.

Knows the tokens behind *how many*. Where no verb follows at all, *there are* is meant.
"""

from __future__ import annotations

from synthesis.engines.composer.grammar.clauses import finite_verb, plural_verb
from synthesis.engines.composer.grammar.words import AUXILIARIES, BE, PREPOSITIONS, core
from synthesis.engines.composer.reading.frames import Frame

_SAID = frozenset(["present", "available", "alive", "left", "involved", "extant"])


def read_count(rest: list[str]) -> Frame | None:
    """The frame of what stands behind *how*; None where it asks for no such count.

    Args:
        rest: ``many`` and all that follows it.
    """
    low = [core(token) for token in rest]
    if low[0] != "many" or len(rest) < 3:
        return None
    for at in range(2, len(rest)):
        if low[at] not in BE | {"will", "would"}:
            continue
        ahead = low[at + 1 :]
        if ahead[:1] == ["there"]:
            behind = rest[at + 2 :]
            verb = low[at]
            if behind and core(behind[0]) == "be":
                verb, behind = f"{verb} be", behind[1:]
            noun = " ".join([*rest[1:at], *behind])
            return Frame("how many", "place", before=f"there {_many(verb)}", after=noun)
        if ahead and ahead[0] in _SAID:
            return Frame("how many", "subject", " ".join(rest[1:at]), predicate=" ".join(rest[at:]))
        return None
    verbless = finite_verb(rest, 2) is None and plural_verb(rest) is None
    ends = [at for at, word in enumerate(low) if at > 1 and word in PREPOSITIONS]
    if verbless and ends and not AUXILIARIES.intersection(low) and "to" not in low:
        return Frame("how many", "place", before="there are", after=" ".join(rest[1:]))
    return None


def _many(verb: str) -> str:
    return {"is": "are", "was": "were"}.get(verb, verb)
