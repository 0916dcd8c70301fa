"""What assembly remembers of each item: some 40 bytes of numbers, never a text.

One pass over the items, in parcels, tokenizing each context once. Which items fit the
budget at all is known, exactly, when the pass ends.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

from synthesis.assembly.leaks import answer_key
from synthesis.assembly.wording import lay_out
from synthesis.data import Context, Pair
from synthesis.tasks import GENERIC, task_of
from synthesis.tokens import Tokenizer

Items = Sequence[tuple[Pair, Context]]

_PARCEL_ITEMS: Final = 256
_PARCEL_CHARACTERS: Final = 1_000_000
# Summed counts of parts can differ from the count of the whole by a few tokens; nearer to
# the budget than this, the whole is counted.
_DOUBT_TOKENS: Final = 64


def _numbers(kind: str) -> array[int]:
    return array(kind)


@dataclass(slots=True)
class Index:
    """Parallel columns, one entry per item.

    ``pools`` numbers the task pool; ``tokens`` counts the context alone (0: it is blank);
    ``needs`` counts the whole conversation with no other document; the rest are 64-bit hashes
    of the pair's id, the answer (0: too common to tell anything), the text, and of pair and text.
    """

    pools: array[int] = field(default_factory=lambda: _numbers("L"))
    tokens: array[int] = field(default_factory=lambda: _numbers("L"))
    needs: array[int] = field(default_factory=lambda: _numbers("L"))
    pairs: array[int] = field(default_factory=lambda: _numbers("Q"))
    answers: array[int] = field(default_factory=lambda: _numbers("Q"))
    texts: array[int] = field(default_factory=lambda: _numbers("Q"))
    keys: array[int] = field(default_factory=lambda: _numbers("Q"))

    def __len__(self) -> int:
        return len(self.tokens)

    def kin(self, item: int, other: int) -> bool:
        """Whether two items share the pair, the answer or the text: neither may distract from the other."""
        return (
            self.pairs[item] == self.pairs[other]
            or self.texts[item] == self.texts[other]
            or (self.answers[item] == self.answers[other] != 0)
        )


def number(*parts: object) -> int:
    """A stable 64-bit number for strings and numbers."""
    data = "\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "big")


def build_index(items: Items, tokenizer: Tokenizer, budget: int, counted_by: str | None) -> Index:
    """Read every item once and keep its numbers.

    ``Context.tokens`` is believed where ``counted_by`` is the tokenizer's identity.
    """
    index = Index()
    pools: dict[str, int] = {}
    frames: dict[str, int] = {}
    for parcel in _parcels(items):
        for (pair, context), (own, asked) in zip(parcel, _count(parcel, tokenizer, counted_by), strict=True):
            kind = task_of(pair.task).name
            if kind not in frames:
                frames[kind] = tokenizer.count_chat(lay_out(Pair(task=pair.task), "").messages)
            need = frames[kind] + own + asked
            if abs(need - budget) <= _DOUBT_TOKENS:
                need = tokenizer.count_chat(lay_out(pair, context.text).messages)
            _add(index, pair, context, own, need, pools.setdefault(_pool(pair.task), len(pools)))
    return index


def _add(index: Index, pair: Pair, context: Context, own: int, need: int, pool: int) -> None:
    key = answer_key(pair.answer)
    text = number(context.text)
    index.pools.append(pool)
    index.tokens.append(own if context.text.strip() else 0)
    index.needs.append(need)
    index.pairs.append(number(pair.id))
    index.answers.append(number(key) if key else 0)
    index.texts.append(text)
    index.keys.append(number(pair.id, text))


def _pool(label: str) -> str:
    """Labels of one known kind share a pool; unknown labels each have their own."""
    task = task_of(label)
    return label.casefold() if task is GENERIC else task.name


def _parcels(items: Items) -> Iterator[list[tuple[Pair, Context]]]:
    parcel: list[tuple[Pair, Context]] = []
    size = 0
    for position in range(len(items)):
        parcel.append(items[position])
        size += len(parcel[-1][1].text)
        if size >= _PARCEL_CHARACTERS or len(parcel) >= _PARCEL_ITEMS:
            yield parcel
            parcel, size = [], 0
    if parcel:
        yield parcel


def _count(
    parcel: list[tuple[Pair, Context]], tokenizer: Tokenizer, counted_by: str | None
) -> Iterator[tuple[int, int]]:
    """For each item: tokens of its context, tokens of its instruction and answer together."""
    believed = [counted_by == tokenizer.identity and context.tokens > 0 for _, context in parcel]
    texts = [context.text for (_, context), known in zip(parcel, believed, strict=True) if not known]
    counted = iter(tokenizer.count_batch(texts))
    asked = tokenizer.count_batch([text for pair, _ in parcel for text in (pair.instruction, pair.answer)])
    for row, ((_, context), known) in enumerate(zip(parcel, believed, strict=True)):
        own = context.tokens if known else next(counted)
        yield own, asked[2 * row] + asked[2 * row + 1]
