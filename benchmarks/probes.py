"""Triples with a known verdict: true ones, and the same ones spoilt in one respect.

For calibration and measurement. What is deleted or exchanged is chosen by plain string
and word overlap, never by the score under test. Knows nothing of scores.
"""

from __future__ import annotations

import gzip
import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from synthesis.data import content_hash
from synthesis.errors import SourceError
from synthesis.text.answers import kind_of

NEGATIVES = ("hard", "planted", "removed", "swapped", "replaced", "random")
LIMITS = ("distract", "other", "flip")
_SENTENCE_BREAK = re.compile(r"(?<=[.!?])(\s+)|(\n+)")
_NAMED = re.compile(r"[A-Z]\w+(?: [A-Z]\w+)*")
_OFFERED = re.compile(
    r"(?:, |: |\b(?:film|movie|first|later|earlier|older|younger) )([^,]{2,60}?),? or ([^,?]{2,60})\?"
)
_NAME_OR_FIGURE = re.compile(r"\b(?:[A-Z][\w'-]{2,}|\d[\d.,]*\d|\d)\b")


class Row(NamedTuple):
    """A true triple."""

    context: str
    instruction: str
    answer: str


class Probe(NamedTuple):
    """A triple with its verdict: ``what`` is ``positive`` or the way it was spoilt."""

    row: int
    what: str
    kind: str
    context: str
    instruction: str
    answer: str


class Bm25:
    """Okapi BM25 over a fixed list of texts (k1 = 1.2, b = 0.75)."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._counts = [Counter(_words(text)) for text in texts]
        self._lengths = [sum(c.values()) for c in self._counts]
        self._mean = sum(self._lengths) / max(1, len(texts))
        self._df = Counter(word for counts in self._counts for word in counts)

    def ranked(self, query: str) -> list[int]:
        """Positions of the texts, nearest first."""
        words = set(_words(query))
        return sorted(range(len(self._counts)), key=lambda i: (-self._score(words, i), i))

    def _score(self, words: set[str], i: int) -> float:
        norm = 1.2 * (0.25 + 0.75 * self._lengths[i] / max(1.0, self._mean))
        total, n = 0.0, len(self._counts)
        for word in words:
            if frequency := self._counts[i][word]:
                idf = math.log(1 + (n - self._df[word] + 0.5) / (self._df[word] + 0.5))
                total += idf * frequency * 2.2 / (frequency + norm)
        return total


def read_rows(folder: Path, name: str) -> list[Row]:
    """Rows of ``seed_context/NAME.jsonl`` and ``seed_instruction/NAME.jsonl``, which are aligned.

    Raises:
        SourceError: If the two files differ in length.
    """
    contexts, pairs = (
        [json.loads(line) for line in (folder / kind / f"{name}.jsonl").read_text("utf-8").splitlines()]
        for kind in ("seed_context", "seed_instruction")
    )
    if len(contexts) != len(pairs):
        raise SourceError(
            f"{name}.jsonl has {len(contexts)} contexts but {len(pairs)} pairs in {folder}; "
            "the two files must be aligned row by row."
        )
    return [Row(c["context"], p["instruction"], p["answer"]) for c, p in zip(contexts, pairs, strict=True)]


def read_questions(folder: Path) -> list[Row]:
    """Natural Questions with their passages of some 80 words, in the order of the file."""
    with gzip.open(folder / "nq_open.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [Row(row["context"], row["instruction"], row["answer"]) for row in rows]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _split(text: str) -> list[str]:
    return [p for p in _SENTENCE_BREAK.split(text) if p]


def _holds(text: str, answer: str) -> re.Match[str] | None:
    return re.search(rf"(?<!\w){re.escape(answer.strip())}(?!\w)", text, re.IGNORECASE)


def _shape(answer: str) -> tuple[str, bool]:
    return kind_of(answer), answer[:1].isupper()


def _other_answer(pool: Sequence[str], mine: str, rng: Random) -> str | None:
    """An answer of the pool that neither holds nor is held by this one."""
    bare = f" {' '.join(_words(mine))} "
    others = [a for a in pool if (b := f" {' '.join(_words(a))} ") not in bare and bare not in b]
    return rng.choice(others) if others else None


def _without(context: str, doomed: set[int]) -> str:
    return "".join(p for n, p in enumerate(_split(context)) if n not in doomed)


def _removed(row: Row) -> str | None:
    """The context without the sentences that bear the answer.

    For a summary: without the three context sentences that share most words with each
    of its sentences.
    """
    pieces = _split(row.context)
    if kind_of(row.answer) != "summary":
        doomed = {n for n, piece in enumerate(pieces) if _holds(piece, row.answer)}
        return _without(row.context, doomed) if doomed else None
    bags = [{w for w in _words(piece) if len(w) > 3} for piece in pieces]
    doomed = set()
    for sentence in _split(row.answer):
        mine = {w for w in _words(sentence) if len(w) > 3}
        doomed.update(sorted(range(len(bags)), key=lambda n: (-len(mine & bags[n]), n))[:3])
    return _without(row.context, doomed)


def _replaced(row: Row, other: str | None, rng: Random) -> str | None:
    """The answer string in the context exchanged; for a summary, the names and figures they share."""
    if other is None:
        return None
    if kind_of(row.answer) != "summary":
        pattern = rf"(?<!\w){re.escape(row.answer.strip())}(?!\w)"
        text, count = re.subn(pattern, lambda _: other, row.context, flags=re.IGNORECASE)
        return text if count else None
    shared = sorted(set(_NAME_OR_FIGURE.findall(row.answer)) & set(_NAME_OR_FIGURE.findall(row.context)))
    pool = sorted(set(_NAME_OR_FIGURE.findall(other)) - set(shared))
    names, figures = [p for p in pool if not p[0].isdigit()], [p for p in pool if p[0].isdigit()]
    swap = {s: rng.choice((figures if s[0].isdigit() else names) or pool) for s in shared} if pool else {}
    return _NAME_OR_FIGURE.sub(lambda m: swap.get(m.group(), m.group()), row.context) if swap else None


def _planted(context: str, answer: str, rng: Random) -> str:
    pieces = _split(context)
    at = rng.randrange(len(pieces) + 1)
    return "".join(pieces[:at]) + f" {answer} " + "".join(pieces[at:])


def _distract(row: Row, rng: Random) -> str | None:
    """Another name or figure of the same context, to stand in for the answer."""
    figure = row.answer[:1].isdigit()
    found = set(re.findall(r"\d[\d,]*" if figure else r"[A-Z]\w+(?: [A-Z]\w+)*", row.context))
    known = row.answer + " " + row.instruction
    pool = sorted(f for f in found if not _holds(known, f) and len(f) > (1 if figure else 3))
    return rng.choice(pool) if pool and (figure or row.answer[:1].isupper()) else None


def _sides_removed(row: Row) -> str | None:
    """The context without the first longer sentence that holds each of the question's names."""
    pieces, doomed = _split(row.context), set()
    for name in dict.fromkeys(_NAMED.findall(row.instruction[1:])):
        holding = (n for n, p in enumerate(pieces) if len(p.split()) >= 5 and _holds(p, name))
        doomed.update([n for n in holding if n not in doomed][:1])
    return _without(row.context, doomed) if doomed else None


def _other_side(row: Row) -> str | None:
    """What a question offers besides the answer: "A or B?"."""
    match = _OFFERED.search(row.instruction)
    sides = [side.strip(' "“”') for side in match.groups()] if match else []
    answer = row.answer.strip().casefold()
    if len(sides) != 2 or answer not in (folded := [side.casefold() for side in sides]):
        return None
    return sides[1 - folded.index(answer)]


def is_positive(row: Row) -> bool:
    """Whether the row can be a true triple: a short answer must stand in its context."""
    if not row.context.strip() or not row.answer.strip():
        return False
    return kind_of(row.answer) in ("summary", "yes/no") or _holds(row.context, row.answer) is not None


def probes(rows: Sequence[Row], *, limits: bool = False) -> Iterator[Probe]:
    """True triples and their spoilt forms, every row against the other rows of the same list.

    A row is never paired with its own context or answer as a negative. With ``limits``
    come the forms that words alone cannot tell: ``distract`` (another name of the context),
    ``other`` (the other thing that a question offers) and ``flip`` (yes for no, which is also ``swapped``).
    """
    rows = [row for row in rows if is_positive(row)]
    index = Bm25([row.context for row in rows])
    pools: dict[tuple[str, bool], list[str]] = {}
    for answer in sorted({row.answer for row in rows}):
        pools.setdefault(_shape(answer), []).append(answer)
    for i, row in enumerate(rows):
        rng = Random(content_hash(*row))
        kind = kind_of(row.answer)
        other = _other_answer(pools[_shape(row.answer)], row.answer, rng)
        ranked = index.ranked(f"{row.instruction} {row.answer}")
        near = next((rows[j].context for j in ranked if j != i), None)
        polar, short = kind == "yes/no", kind in ("span", "numeric")
        flipped = {"yes": "no", "no": "yes"}.get(row.answer.casefold())
        strangers = [r for r in rows if r is not row]
        spoilt: dict[str, tuple[str | None, str | None]] = {
            "positive": (row.context, row.answer),
            "hard": (near, row.answer),
            "planted": (near and _planted(near, row.answer, rng), row.answer),
            "removed": (_sides_removed(row) if polar else _removed(row), row.answer),
            "swapped": (row.context, flipped if polar else other),
            "replaced": (None if polar else _replaced(row, other, rng), row.answer),
            "random": (rng.choice(strangers).context if strangers else None, row.answer),
        }
        if limits:
            spoilt["distract"] = (row.context, _distract(row, rng) if short else None)
            spoilt["other"] = (row.context, _other_side(row) if short else None)
            spoilt["flip"] = (row.context, flipped if polar else None)
        for what, (changed, stated) in spoilt.items():
            if changed and stated:
                yield Probe(i, what, kind, changed, row.instruction, stated)
