"""Who has it from where: a few words after a statement or before it, so that its answer stands inside.

Evidence and false leads have them alike, or they would mark it. What an aside says proves nothing, and the
statement's own words stay. Knows one sentence at a time; nothing of where it stands in a text.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from synthesis.engines.composer.grammar.invent import Frames
from synthesis.engines.composer.grammar.sentences import split
from synthesis.engines.composer.grammar.wording import lower_first
from synthesis.engines.composer.prose.guard import Guard
from synthesis.engines.composer.stating.statements import QUOTED, Statement

#: How often a statement gets an aside: with the answer at its edge, any other evidence and false leads, and
#: facts about others.
AT_EDGE, OTHER, BESIDE = 0.55, 0.3, 0.25

#: How often what may stand on either side stands before the statement.
AHEAD = 0.4

#: An answer that begins before the one share of its sentence, or after the other, stands at its edge.
EDGES = 0.05, 0.93

#: Words of a statement, and characters of an answer, at most.
_LONGEST, _LONG_ANSWER = 40, 300
_KINDS = (
    (
        "life",
        re.compile(
            r"\b(?:born|birth|christened|died|death|passed away|life|married|spouse|wedding|engaged)\b"
        ),
    ),
    ("work", re.compile(r"\b(?:film|song|album|novel|book|series|directed|wrote|sang|composed|starred)\b|”")),
    ("place", re.compile(r"\b(?:located|lies|town|city|county|country|river|railway|road|bridge)\b")),
    ("count", re.compile(r"[a-z] \d[\d,]*(?: [a-z]|\.)")),
)
_YEAR = re.compile(r"\b1[5-9]\d\d\b|\b20[0-3]\d\b")
_TITLED = re.compile(r"(?:The|An?) [A-Z0-9]")
_NAMED = re.compile(r"[A-Z][\w'’.-]* [A-Z][\w'’.-]*")
_CLOSED = re.compile(r".*[\w)’'%]\.$", re.DOTALL)
_TAILED = re.compile(
    r", (?:as|so|or so|if|though|according to|by|who|on the|to go by|to judge by|going by|with) |[;\n]"
)
_NUMBERED = re.compile(r"answer \d")


class Asides:
    """Adds asides to the statements of one pair; no name in them is one of the pair's."""

    def __init__(self, answer: str, bans: Guard, rng: random.Random, entries: bool = False) -> None:
        """``bans`` says which names and words no aside may have; in ``entries`` few come first."""
        self._ahead, self._at_edge = (0.12, 0.66) if entries else (AHEAD, AT_EDGE)
        # A longer answer is told sentence by sentence, and has no edge of its own.
        self._answer = answer.strip().rstrip(".") if len(answer) <= _LONG_ANSWER else ""
        self._bans = bans
        self._rng = rng
        self._frames = Frames("asides", rng)

    def evidence(self, statements: Sequence[Statement]) -> list[Statement]:
        """The same statements, some with an aside; quoted and numbered ones stay as they are."""
        return [one if self._whole(one) else replace(one, text=self.told(one.text)) for one in statements]

    def _whole(self, one: Statement) -> bool:
        """Whether a statement is a sentence of the answer's own, or a quotation."""
        own = one.text.rstrip(".").casefold() == self._answer.casefold() or not self._answer
        return own or one.form == QUOTED or _NUMBERED.match(one.what) is not None

    def beside(self, facts: Iterable[str]) -> Iterator[str]:
        """Facts about others, as often with an aside."""
        for fact in facts:
            yield self._with(fact, self._side("", fact)) if self._rng.random() < BESIDE else fact

    def near(self, misses: Iterable[Statement]) -> Iterator[Statement]:
        """Near misses, with an aside as often as the evidence has one; others are framed already."""
        for one in misses:
            plain = one.says and not one.form
            yield replace(one, text=self.told(one.text)) if plain else one

    def told(self, text: str) -> str:
        """A statement of the pair or a false lead, perhaps with an aside that the answer is inside of."""
        parts = split(text)
        if len(parts) > 1 and self._answer and all(len(part) < 200 for part in parts):
            # Of several sentences those with the answer.
            low = self._answer.casefold()
            return " ".join(self.told(part) if low in part.casefold() else part for part in parts)
        edge = self.edge(text)
        if self._rng.random() >= (self._at_edge if edge else OTHER):
            return text
        return self._with(text, self._side(edge, text))

    def edge(self, text: str) -> str:
        """Where the answer stands: ``before`` all else, ``after`` it, or empty."""
        at = text.casefold().find(self._answer.casefold()) if self._answer else -1
        share = at / max(1, len(text) - len(self._answer))
        return "" if at < 0 else "before" if share < EDGES[0] else "after" if share > EDGES[1] else ""

    def _side(self, edge: str, text: str) -> str:
        either = "before" if self._rng.random() < self._ahead else "after"
        return edge or (either if self._opened(text) else "after")

    def _with(self, text: str, side: str) -> str:
        if not _CLOSED.match(text) or _TAILED.search(text) or len(text.split()) > _LONGEST:
            return text
        opened = self._opened(text)
        if len(split(text)) != 1 or (side == "before" and not opened):
            return text
        said = self._drawn(side, text)
        if not said:
            return text
        if side == "before":
            return f"{said} {opened}"
        # The stop of "Washington, D.C." is the answer's own.
        body = text if re.search(r"\b[A-Z]\.$|\b(?:Jr|Sr|Inc|Ltd|Co)\.$", text) else text[:-1]
        return f"{body}, {said}."

    def _opened(self, text: str) -> str:
        """The statement as it can stand behind other words; empty where that is not known."""
        if self._answer and text.casefold().startswith(self._answer.casefold()):
            return self._answer + text[len(self._answer) :]
        lowered = lower_first(text)
        if lowered == text:
            return text if _NAMED.match(text) else ""
        # "The Shark Hunter" and "For Heaven's Sake" keep their capital, "The Zambian captain" does not.
        named = {word.casefold() for word in re.findall(r"\w+", " ".join(text.split()[:2]))}
        titled = _TITLED.match(text) or (named <= self._bans.names and text.partition(" ")[2][:1].isupper())
        return "" if titled else lowered

    def _drawn(self, side: str, text: str) -> str:
        """An aside of the statement's kind, or empty where none fits."""
        years = [int(year) for year in _YEAR.findall(text)]
        sort = next((name for name, pattern in _KINDS if pattern.search(text)), "any")
        if sort == "any" or (sort == "count" and years) or self._rng.random() >= 0.5:
            sort = "any"
        if years and 1850 <= max(years) < 1990 and self._rng.random() < 0.5:
            sort = "dated"
        for _ in range(8):
            said = self._frames.draw(f"{side} {sort}").fill(self._rng)
            said = said.replace("<Y>", str(max(years, default=0) + 1 + int(self._rng.random() * 12)))
            said = said if side == "before" else said[:1].lower() + said[1:]
            known = {word.casefold() for word in re.findall(r"\b[A-Z]\w+", said)} & self._bans.names
            if self._bans.clean(said) and not known - _FIRST:
                return said
        return ""


#: Words an aside begins with; in a question they are no names.
_FIRST = frozenset(["a", "as", "asked", "according", "by", "to", "in", "it", "the", "what"])
