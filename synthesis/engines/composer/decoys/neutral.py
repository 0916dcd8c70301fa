"""Facts about others as near misses are told: some denied, some with a phrase of the question behind them.

Otherwise a denial or the question's words would mark what is not the answer. Knows sentences; a fact about
others proves nothing, nor does its denial.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from synthesis.engines.composer.grammar.invent import Frames
from synthesis.engines.composer.grammar.wording import lower_first, upper_first

#: How many of the facts about others are denied, and how many speak of a phrase of the question.
DENIED, TAILED = 0.05, 0.12

_LONGEST = 22
_PLAIN = re.compile(r"[^;:?!“]*[\w)]\.$")
_ASIDE = re.compile(
    r", (?:an? |as |so |or so |if |which |something |according |by |on |to |going |with |and )"
)
_NAMED = re.compile(r"[A-Z][\w’-]* [A-Z]")


def as_misses(
    facts: Iterable[str],
    phrases: Sequence[str],
    clean: Callable[[str], bool],
    frames: Frames,
    rng: random.Random,
) -> Iterator[str]:
    """The same facts, some denied or with one of the phrases; ``clean`` says what may stand in the text.

    ``frames`` are those of the near misses, that no sentence of theirs comes again.
    """
    for fact in facts:
        draw = rng.random()
        told = fact
        if draw < DENIED:
            told = _denied(fact, frames, rng)
        elif draw < DENIED + TAILED and phrases and _PLAIN.match(fact) and not _ASIDE.search(fact):
            tail = frames.draw("tail").fill(rng).replace("<X>", rng.choice(phrases))
            # A sentence of its own, lest a year of the fact's be taken for one of the phrase's.
            told = f"{fact[:-1]}. {upper_first(tail[2:])}" if tail[0] == ";" else f"{fact[:-1]}{tail}"
        yield told if told == fact or clean(told) else fact


def _denied(fact: str, frames: Frames, rng: random.Random) -> str:
    said = lower_first(fact)
    sure = said != fact or _NAMED.match(fact)
    if not sure or "," in fact or not _PLAIN.match(fact) or len(fact.split()) > _LONGEST:
        return fact
    return frames.draw("deny").fill(rng).replace("<S>", said[:-1])
