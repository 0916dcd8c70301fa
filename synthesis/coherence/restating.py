"""What of a prompt came back: its runs of words, its lines and tags, and talk about the task.

The words are those of the built-in templates and, where it is known, of the prompt that was used,
without the pair's own. Knows nothing of the score.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from synthesis.coherence.talk import talk
from synthesis.prompts import writing_templates
from synthesis.text.words import terms

# Of 540,000 words that people wrote, three runs of four terms stand in our templates, and none of five.
_RUN = 4
_CERTAIN = 6  # terms in a row
_BY_CHANCE = 5000  # terms of a text that hold one shorter run by chance, at the most
_LINE = 3  # terms that a whole line must have at the least

_TAG = re.compile(r"</?([a-z][\w-]{1,30})>")
_PLACEHOLDER = re.compile(r"\{[A-Za-z_][A-Za-z0-9_]*\}")
_QUOTED = re.compile(r"\"[^\"\n]{1,200}\"|“[^”\n]{1,200}”")  # what a template wants to read


class PromptWords(NamedTuple):
    """What a prompt says besides the pair: runs of four terms, whole lines in terms, and tags."""

    runs: frozenset[tuple[str, ...]] = frozenset()
    lines: frozenset[tuple[str, ...]] = frozenset()
    tags: frozenset[str] = frozenset()

    def __or__(self, other: PromptWords) -> PromptWords:
        return PromptWords(self.runs | other.runs, self.lines | other.lines, self.tags | other.tags)


def prompt_words(messages: Iterable[str], own: Iterable[str] = ()) -> PromptWords:
    """The words of the built-in templates and of a prompt's messages, without the pair's ``own``."""
    return _with_built_in(tuple(_without(messages, own)))


# Without the pair's own, the prompts of one template are mostly the same.
@lru_cache(maxsize=16)
def _with_built_in(texts: tuple[str, ...]) -> PromptWords:
    return built_in_words() | words_of(texts)


def words_of(texts: Iterable[str], own: Iterable[str] = ()) -> PromptWords:
    """The words of a prompt's messages without the pair's ``own``, and without what they quote."""
    runs: set[tuple[str, ...]] = set()
    lines: set[tuple[str, ...]] = set()
    tags: set[str] = set()
    for text in _without(texts, own):
        tags.update(_TAG.findall(text))
        for line in _TAG.sub("\n", _QUOTED.sub("\n", text)).splitlines():
            sequence = tuple(terms(line))
            runs.update(_runs(sequence, _RUN))
            if len(sequence) >= _LINE:
                lines.add(sequence)
    return PromptWords(frozenset(runs), frozenset(lines), frozenset(tags))


def _without(texts: Iterable[str], own: Iterable[str]) -> Iterable[str]:
    parts = [part.strip() for part in own if part.strip()]
    for text in texts:
        for part in parts:
            text = text.replace(part, "\n\n")
        yield text


@cache
def built_in_words() -> PromptWords:
    """Those of the built-in templates, of all steps that a writer is asked at."""
    return words_of(_PLACEHOLDER.sub("\n", text) for text in writing_templates())


def restated(
    text: str, sequence: Sequence[str], own: Iterable[Sequence[str]], prompt: PromptWords
) -> list[str]:
    """What came back of a prompt in a text, each in a few words; empty where it is no more than chance.

    Args:
        text: what was written.
        sequence: its terms.
        own: the terms of the instruction and of the answer, which may come up.
        prompt: what must not.
    """
    plain, own = text.lower(), list(own)
    tags = sorted(prompt.tags) if "<" in plain else ()
    found = [f"the prompt's tag <{tag}>" for tag in tags if f"<{tag}>" in plain or f"</{tag}>" in plain]
    stretches = _stretches(sequence, prompt.runs, own)
    longest = max(stretches, key=len, default=())
    if len(longest) >= _CERTAIN or len(stretches) > 1 + len(sequence) // _BY_CHANCE:
        found.append(f"the prompt's words “{' '.join(longest)}”")
    elif (line := _whole_line(text, prompt.lines)) is not None:
        found.append(f"the prompt's line “{line}”")
    return found + talk(plain, own)


def _runs(sequence: Sequence[str], n: int) -> Iterable[tuple[str, ...]]:
    return zip(*(sequence[shift:] for shift in range(n)), strict=False)


def _stretches(
    sequence: Sequence[str], runs: frozenset[tuple[str, ...]], own: Iterable[Sequence[str]]
) -> list[Sequence[str]]:
    """The longest stretches of a text that are made of a prompt's runs and none of ``own``; each once."""
    found: dict[Sequence[str], None] = {}
    if runs.isdisjoint(_runs(sequence, _RUN)):
        return []
    mine = {run for one in own for run in _runs(one, _RUN)}
    begin = end = -1
    for place, run in enumerate(_runs(sequence, _RUN)):
        if run not in runs or run in mine:
            continue
        if place > end - _RUN + 1 or begin < 0:
            if begin >= 0:
                found[tuple(sequence[begin:end])] = None
            begin = place
        end = place + _RUN
    if begin >= 0:
        found[tuple(sequence[begin:end])] = None
    return list(found)


def _whole_line(text: str, lines: frozenset[tuple[str, ...]]) -> str | None:
    known = _openings(lines)
    for line in text.splitlines():
        if (
            len(line) < 300
            and (sequence := tuple(terms(line)))
            and sequence[0] in known
            and sequence in lines
        ):
            return line.strip()
    return None


@lru_cache(maxsize=16)
def _openings(lines: frozenset[tuple[str, ...]]) -> frozenset[str]:
    return frozenset(line[0] for line in lines)
