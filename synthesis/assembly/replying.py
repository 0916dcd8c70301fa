"""What the assistant says in a sample: the answer alone, with its evidence quoted, or after the steps to it.

Quotes are taken from the documents as they stand there. Knows nothing of tokens.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from synthesis.assembly.reply_words import ReplyWords, reply_words
from synthesis.data import Message
from synthesis.options import ANSWERS
from synthesis.text.quoted import quoted

PLAIN, CITED, REASONED = ANSWERS
NUMBERED: Final = "Document [{n}]:\n"
"""What stands before each document where answers name its number and nothing else was asked for."""

_MOST_QUOTES: Final = 8
_MOST_CHARACTERS: Final = 1600  # of all quotes together; the first is given however long it is
_STEP = re.compile(r"\b(?:hop|answer|link) (\d+)")
_NAME = re.compile(r"[A-Z\u00c0-\u00de]\w*(?:[ -](?:of |the |de |von )?[A-Z\u00c0-\u00de]\w*)+")


class Quote(NamedTuple):
    """A piece of evidence: ``text`` as document number ``document`` (from 1) has it, for the step ``what``.

    Links of a chain of keys have no number: they lead to the question, and are no evidence of its answer.
    """

    text: str
    what: str
    document: int = 0


class SaidTurn(NamedTuple):
    """A turn of the assistant's, and what the user asks for besides the answer (nothing: the answer)."""

    turn: Message
    asked: str = ""


@dataclass(frozen=True)
class Reply:
    """How one sample's answer is to be worded; ``name`` is what every draw follows from.

    ``form`` and the ``whats`` of its evidence are those of the context, ``links`` those of what leads to a
    hidden question. Reasons stand between the ``thoughts`` where the chat template knows of thoughts: they
    are not asked for then, and the answer stands alone behind them. ``says`` are the steps of a model's
    reasons, each behind what it quotes; without any, reasons are made of the evidence.
    """

    answers: str
    name: str
    instruction: str
    answer: str
    form: str = ""
    whats: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    thoughts: tuple[str, str] | None = None
    says: tuple[str, ...] = ()

    @cached_property
    def _words(self) -> ReplyWords:
        return reply_words(self.instruction)

    def said(
        self, number: int, pieces: Sequence[str], linked: Sequence[str] = (), steps: Sequence[str] = ()
    ) -> SaidTurn:
        """The turn over document ``number``, whose ``pieces`` are its evidence; the answer alone without any.

        ``linked`` are the sentences that lead to a hidden question, ``steps`` what a model's reasons quote.
        """
        evidence = [Quote(text, what, number) for text, what in zip(pieces, self.whats, strict=True)]
        given = _given(sorted(evidence, key=_order))
        if not given and not steps:
            return SaidTurn(Message("assistant", self.answer))
        if self.answers == CITED:
            lines = [f"[{one.document}] {quoted(one.text)}" for one in given]
            return SaidTurn(
                Message("assistant", "\n".join((self.answer + "\n", *lines))), self._words.ask_cited
            )
        chain = [Quote(text, what) for text, what in zip(linked, self.links, strict=True)]
        draw = random.Random(f"reasons {self.name}")
        told = self._chain(chain, draw)
        told += self._written(number, steps, draw) if steps else self._steps(given, draw)
        reasons = self._words.space.join(told)
        if self.thoughts is not None:
            return SaidTurn(Message("assistant", reasons.join(self.thoughts) + self.answer))
        behind = "\n" if "\n" in self.answer.strip() else " "
        reasoned = f"{reasons}\n\n{self._words.answer}{behind}{self.answer}"
        return SaidTurn(Message("assistant", reasoned), self._words.ask_reasoned)

    def _chain(self, chain: Sequence[Quote], draw: random.Random) -> list[str]:
        """From key to key to a hidden question."""
        steps = []
        for place, one in enumerate(_given(chain)):
            opening = draw.choice(self._words.chain) if not place else "{q}"
            steps.append(_filled(opening, one))
        return steps

    def _written(self, number: int, quotes: Sequence[str], draw: random.Random) -> list[str]:
        """A model's steps: what each quotes, then what it says of that."""
        first, further = (
            draw.choice(self._words.first),
            draw.sample(self._words.further, len(self._words.further)),
        )
        steps = list[str]()
        for place, (text, says) in enumerate(zip(quotes, self.says, strict=True)):
            opening = further[(place - 1) % len(further)] if place else first
            said = _filled(opening, Quote(text.strip(), "", number)) if quoted(text) else ""
            steps += filter(None, [said, says])
        return steps

    def _steps(self, given: Sequence[Quote], draw: random.Random) -> list[str]:
        """Steps made of the evidence."""
        words, steps = self._words, list[str]()
        further = draw.sample(words.further, len(words.further))
        for place, one in enumerate(given):
            opening = further[(place - 1) % len(further)] if place else draw.choice(words.first)
            steps.append(_filled(opening, one))
            if name := _bridge(one, given[place + 1 :], self.instruction, self.answer):
                steps.append(draw.choice(words.about).replace("{name}", name))
        if len(given) > 1 and self.form in ("comparison", "yes or no"):
            steps.append(draw.choice(words.beside))
        elif len(given) == len(self.whats) > 1 and all(what.startswith("answer ") for what in self.whats):
            steps.append(draw.choice(words.whole))
        return steps


def _given(evidence: Sequence[Quote]) -> list[Quote]:
    """The pieces that are quoted: each once, not too many, none that no marks go around."""
    found: dict[str, Quote] = {}
    size = 0
    for one in evidence:
        text = one.text.strip()
        size += len(text)
        if len(found) == _MOST_QUOTES or (found and size > _MOST_CHARACTERS):
            break
        if text and quoted(text):
            found.setdefault(text, one._replace(text=text))
    return list(found.values())


def _order(quote: Quote) -> int:
    """The number of its step; pieces of one step stay in the order of the text."""
    step = _STEP.search(quote.what)
    return int(step[1]) if step else 0


def _filled(wording: str, quote: Quote) -> str:
    return wording.replace("{n}", str(quote.document)).replace("{q}", quoted(quote.text))


def _bridge(quote: Quote, later: Sequence[Quote], asked: str, answer: str) -> str:
    """The one name that a step found and the next goes on with, where neither question nor answer has it."""
    if not later:
        return ""
    names = dict.fromkeys(match.group() for match in _NAME.finditer(quote.text))
    shared = [name for name in names if name in later[0].text and name not in asked and name not in answer]
    return shared[0] if len(shared) == 1 and "bridge" in quote.what else ""
