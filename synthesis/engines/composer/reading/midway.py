"""Questions with the question word where the answer goes: ``X lies in which town?``.

Knows tokens; gives a frame whose gap is inside the statement, or None where no word surely asks.
"""

from __future__ import annotations

from synthesis.engines.composer.grammar.words import (
    AUXILIARIES,
    DETERMINERS,
    DO,
    PREPOSITIONS,
    PRONOUNS,
    RELATIVES,
    WH,
    base_of_third,
    core,
    is_ing,
    is_only_past,
    is_participle,
)
from synthesis.engines.composer.reading.frames import Frame


def read_midway(tokens: list[str]) -> Frame | None:
    """A statement with the question word left where the answer goes."""
    at = _gap(tokens)
    if at is None:
        return None
    wh, before, after = core(tokens[at]), tokens[:at], tokens[at + 1 :]
    if wh == "how" and after and core(after[0]) in ("many", "much"):
        return Frame("how many", "place", before=" ".join(before), after=" ".join(after[1:]))
    if wh in ("how", "why", "when") and after:
        return None
    if tokens[at].endswith(",") and after:
        return Frame(wh, "place", before=" ".join(before), after=", " + " ".join(after))
    if wh in ("who", "whom", "where", "when", "why", "how") or not after:
        return Frame(wh, "place", before=" ".join(before), after=" ".join(after))
    if core(before[-1]) in DO | {"doing"}:
        return Frame(wh, "place", before=" ".join(before), after=" ".join(after))
    if any(core(token) == "what" for token in before):
        return None
    noun, rest = _in_place_noun(after)
    return Frame(wh, "place", noun, before=" ".join(before), after=rest)


def _gap(tokens: list[str]) -> int | None:
    """The question word that asks; ``which`` and ``who`` may also be relative pronouns."""
    found = []
    for at in range(1, len(tokens)):
        word, before = core(tokens[at]), core(tokens[at - 1])
        if word not in WH:
            continue
        final = at == len(tokens) - 1 or tokens[at].endswith(",")
        if word in ("which", "what", "how"):
            follows = core(tokens[at + 1]) if at + 1 < len(tokens) else ""
            relative = word == "which" and (
                follows in AUXILIARIES
                or base_of_third(follows)
                or is_only_past(follows)
                or follows in DETERMINERS
            )
            if word == "what" and not final and follows in PRONOUNS | DETERMINERS:
                continue
            if not relative or final:
                found.append(at)
        elif final or (before in PREPOSITIONS and word in ("who", "whom")):
            found.append(at)
    return found[-1] if found else None


def _in_place_noun(after: list[str]) -> tuple[str, str]:
    """Split what follows ``which`` into the noun with its modifiers and the rest."""
    end = 0
    while end < len(after):
        word = core(after[end])
        if word in PREPOSITIONS and word != "of" and not end:
            break  # "known as what from 1988 to 1996"
        if end and (
            word in PREPOSITIONS or word in RELATIVES or word in AUXILIARIES or word in ("to", "and")
        ):
            break
        if end and after[end][:1].islower() and (is_participle(word) or is_ing(word) or is_only_past(word)):
            break
        end += 1
        if after[end - 1].endswith(","):
            break
    return " ".join(after[:end]), " ".join(after[end:])
