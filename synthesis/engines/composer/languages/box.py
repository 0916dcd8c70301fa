"""A context in another language: a library's question box, the people who keep it, what was answered.

The whole text is of the pair's language. Knows how its parts are put in order and how to come out at
the right length; the sentences are in ``texts``.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator

from synthesis.data import Evidence
from synthesis.engines.composer.forms.base import parts_of
from synthesis.engines.composer.languages.keywords import keyword
from synthesis.engines.composer.languages.sheet import Hand, words_in
from synthesis.engines.composer.prose.facts import GROUPS, PACE
from synthesis.engines.composer.prose.guard import Guard
from synthesis.engines.composer.prose.writer import Paragraph, Telling
from synthesis.text.code import is_code
from synthesis.text.finder import AnswerFinder

#: What this form is called.
BOX = "box"

#: What is told in which part of a text: up to that share of its words, sentences of these kinds.
_STAGES = (
    (0.01, ("open", "who", "who", "place")),
    (0.25, ("aim", "work", "place", "work")),
    (0.45, ("work", "aim", "small", "work")),
    (0.6, ("block", "work", "place", "work")),
    (0.75, ("work", "turn", "small", "work")),
    (0.9, ("turn", "work", "place", "work")),
    (1.0, ("end", "work", "small")),
)
_FILLING = ("small", "close", "work", "small", "place", "close")
_PARAGRAPH = 60  # words, about
_BRIEF = 40  # words around the evidence below which there is no room for a story
_TRIES = 60
_LAST = 30  # words from the end in which nothing new is opened
_LEAST = 12  # words of a paragraph
_ENDING = 12  # words kept for the last sentences
_FRESH = 1500  # words after which most of the story has been told
_THREAD = 5  # paragraphs from one mention of the subject to the next


def write_box(
    language: str, instruction: str, answer: str, rng: random.Random, words: int, mode: str, bans: Guard
) -> Iterator[Paragraph]:
    """The paragraphs of a context for a pair in one of ``languages.texts``.

    Args:
        language: ``de``, ``fr``, ``es`` or ``zh``.
        instruction: what is asked; it stands once, in quotation marks, on a slip of paper.
        answer: its words and lines are not changed.
        rng: the only source of variety.
        words: length of the text; of Chinese, two characters count as a word.
        mode: as in ``compose``.
        bans: keeps the answer out of everything else.
    """
    return _Box(Hand(language, rng), language, rng, words, mode, bans).told(instruction, answer)


class _Box:
    def __init__(
        self, hand: Hand, language: str, rng: random.Random, words: int, mode: str, bans: Guard
    ) -> None:
        self._hand, self._language, self._rng, self._words = hand, language, rng, words
        self._pace, self._groups, self._bans = PACE[mode], GROUPS[mode], bans
        self._gap = "" if language == "zh" else " "
        self._written = 0.0
        self._seen: set[str] = set()

    def told(self, instruction: str, answer: str) -> Iterator[Paragraph]:
        asked = instruction.strip().rstrip(".。") if "\n" not in instruction.strip() else instruction.strip()
        given = {"asked": asked, "word": keyword(instruction, answer, self._language)}
        evidence = deque(self._evidence(given, answer))
        self._states = AnswerFinder(answer, bare=True) if len(answer) <= 80 else None
        self._asked = asked.casefold()
        pending = sum(words_in(one.text) for one in evidence)
        if self._words - pending < _BRIEF:
            pieces = list(evidence)
            self._written = pending
            yield self._joined([*pieces, *self._filled()])
            return
        share = 0.9 * self._words / max(1, len(evidence))
        places = deque(share * (at + 0.1 + 0.8 * self._rng.random()) for at in range(len(evidence)))
        next_other = self._other_at(1)
        paragraphs = empty = 0
        while evidence or (self._room(pending) >= _LEAST and empty < _TRIES):
            if evidence and (self._written >= places[0] or self._room(pending) < _LEAST):
                places.popleft()
                one = evidence.popleft()
                pending -= words_in(one.text)
                yield self._told_alone(one)
                continue
            if self._written >= next_other and self._room(pending) > 50:
                wanted = self._groups[int(self._rng.random() * len(self._groups))]
                for _ in range(wanted):
                    if (text := self._other()) and words_in(text) <= self._room(pending):
                        yield self._told_alone(Telling(text))
                next_other = self._other_at(max(1, wanted))
            if self._room(pending) < _LEAST:
                continue
            pieces = self._paragraph(min(_PARAGRAPH, self._room(pending)))
            if paragraphs % _THREAD == 2 and given["word"] and self._room(pending) > 24:
                pieces += self._said("thread", given)
            paragraphs += 1
            if pieces:
                yield self._joined(pieces)
            else:
                empty += 1
                if evidence and empty >= _TRIES:
                    places[0] = 0
        if pieces := self._filled():
            yield self._joined(pieces)

    def _room(self, pending: float) -> float:
        return self._words - self._written - pending - _ENDING

    def _other_at(self, facts: int) -> float:
        if self._pace is None:
            return float("inf")
        low, high = self._pace
        return self._written + facts * (low + (high - low) * self._rng.random())

    def _evidence(self, given: dict[str, str], answer: str) -> list[Telling]:
        parts = [answer.strip("\n")] if is_code(answer) else parts_of(answer)
        kinds = ["first", *["next"] * (len(parts) - 2), "last"] if len(parts) > 1 else ["lead"]
        count = len(parts)
        labels = ["answer"] if count == 1 else [f"answer {at}/{count}" for at in range(1, count + 1)]
        return [
            Telling(self._behind(self._hand.write(kind, given), part), label)
            for kind, part, label in zip(kinds, parts, labels, strict=True)
        ]

    def _behind(self, lead: str, content: str) -> str:
        if is_code(content) and "```" not in content:
            return f"{lead}\n```\n{content}\n```"
        return f"{lead}\n{content}" if "\n" in content else f"{lead}{self._gap}{content}"

    def _other(self) -> str:
        """Another slip and its answer, which states nothing of the pair's."""
        for _ in range(8):
            call, reply = self._hand.call()
            text = self._behind(self._hand.write("other", {"call": call.rstrip(".。")}), reply)
            if text in self._seen or self._asked in text.casefold():
                continue
            if self._states is None or not self._states(text):
                self._seen.add(text)
                return text
        return ""

    def _paragraph(self, most: float) -> list[Telling]:
        share = self._written / self._words
        kinds: tuple[str, ...] = next((kinds for until, kinds in _STAGES if share < until), _STAGES[-1][1])
        if self._written > _FRESH:
            # What was said of the house cannot be said again; entries of the register always differ.
            kinds = ("log", kinds[0], "log", kinds[1], "log") if self._rng.random() < 0.5 else ("log",) * 4
        pieces: list[Telling] = []
        start = self._written
        for kind in (*kinds, "work", "place" if self._written < _FRESH else "log"):
            if most - (self._written - start) < 8:
                break
            pieces += self._said(kind, {}, most - (self._written - start))
        return pieces

    def _said(self, kind: str, given: dict[str, str], most: float = 1000, least: float = 1) -> list[Telling]:
        """A sentence of a kind of ``least`` to ``most`` words that was not said before, if one is found."""
        for _ in range(6):
            text = self._hand.write(kind, given)
            count = words_in(text)
            if least <= count <= most and text not in self._seen and self._bans.clean(text):
                self._seen.add(text)
                self._written += count
                return [Telling(text)]
        return []

    def _filled(self) -> list[Telling]:
        """Sentences for the words that are still missing, to within a hundredth or so."""
        slack = max(1, min(self._words // 100, 12))
        pieces: list[Telling] = []
        for turn in range(_TRIES):
            left = self._words - self._written
            if left <= slack:
                break
            kind = _FILLING[turn % len(_FILLING)] if left < _LAST or turn % 2 else "log"
            exact = left < 20 and turn < _TRIES // 2
            pieces += self._said(kind, {}, left + (slack if left < 6 else 0), left - slack if exact else 1)
        return pieces

    def _told_alone(self, one: Telling) -> Paragraph:
        self._written += words_in(one.text)
        return self._joined([one])

    def _joined(self, pieces: list[Telling]) -> Paragraph:
        text, spans, before = "", [], False
        for one in pieces:
            alone = "\n" in one.text or one.what != ""
            if text:
                text += "\n\n" if alone or before else self._gap
            if one.what:
                spans.append(Evidence(len(text), len(text) + len(one.text), one.what))
            text += one.text
            before = alone
        return Paragraph(text, tuple(spans))
