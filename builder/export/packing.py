"""Conversations -> token sequences that know what is to be learnt -> packs of a bounded length.

Packs carry loss weights that undo what packing does.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from synthesis.data import Message
from synthesis.errors import TokenizerError, UsageError
from synthesis.tokens import Tokenizer

if TYPE_CHECKING:
    from tokenizers import Encoding

_THOUGHTS = re.compile(r"\s*<think>.*?</think>\s*", re.S)
IGNORED = -100  # the label that loss functions skip
OPEN_PACKS = 32  # packs looked at for the best fit; also the bound on memory
_BATCH_CHARACTERS = 2_000_000  # texts encoded together; an encoding takes some 30 times its text


class Span(NamedTuple):
    """A half-open range, of characters or of tokens."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Encoded:
    """A conversation in tokens. ``targets`` are the ranges of ``ids`` that are learnt, in order."""

    id: str
    ids: array[int] = field(repr=False)
    targets: tuple[Span, ...]

    @property
    def learnt(self) -> int:
        """Number of target tokens, N in the weighting; at least 1."""
        return sum(span.end - span.start for span in self.targets)


@dataclass(frozen=True, slots=True)
class _Rendered:
    """A conversation's text and its tokens; finds which tokens make up a part of the text.

    A token that reaches across the edge of an answer counts as part of the answer.
    """

    text: str
    ids: list[int]
    encoding: Encoding

    def first(self, at: int, tokenizer: Tokenizer) -> int:
        """The first token of what begins at character ``at``."""
        edge = self._edge(at, tokenizer)
        if edge is None:
            edge = next((n for n, (_, end) in enumerate(self.encoding.offsets) if end > at), len(self.ids))
        return edge

    def last(self, at: int, tokenizer: Tokenizer) -> int:
        """The first token after what ends at character ``at``."""
        edge = self._edge(at, tokenizer)
        if edge is None:
            edge = next(
                (n for n, (start, _) in enumerate(self.encoding.offsets) if start >= at), len(self.ids)
            )
        return edge

    def _edge(self, at: int, tokenizer: Tokenizer) -> int | None:
        """How many tokens stand before ``at``, or None if one of them reaches across it.

        Offsets are not asked first: some published tokenizers give wrong ones. What follows is
        short and quickly encoded alone; where that changes its tokens (some tokenizers begin
        every text with a blank), what precedes decides.
        """
        after = tokenizer.encode(self.text[at:])
        edge = len(self.ids) - len(after)
        if self.ids[max(0, edge) :] == after:
            return edge
        before = tokenizer.encode(self.text[:at])
        return len(before) if self.ids[: len(before)] == before else None


def encode_chats(samples: Iterable[tuple[str, Sequence[Message]]], tokenizer: Tokenizer) -> Iterator[Encoded]:
    """Conversations, each with its name, in tokens; in order, on all cores.

    Targets are the assistant's words and what closes them. An answer begins where the
    generation prompt ends, which is what the model will be given when it is to answer. Blank
    space that a template puts after the closing token is not learnt: a model stops before it.
    The first token is never a target, as nothing precedes it that could predict it.

    Raises:
        TokenizerError: The template rewrites an answer, or cannot render the turns.
    """
    batch: list[tuple[str, Sequence[Message]]] = []
    texts: list[str] = []
    size = 0
    for name, messages in samples:
        batch.append((name, messages))
        texts.append(tokenizer.render(messages))
        size += len(texts[-1])
        if size >= _BATCH_CHARACTERS:
            yield from _encode(batch, texts, tokenizer)
            batch, texts, size = [], [], 0
    yield from _encode(batch, texts, tokenizer)


def _encode(
    batch: Sequence[tuple[str, Sequence[Message]]], texts: list[str], tokenizer: Tokenizer
) -> Iterator[Encoded]:
    encodings = tokenizer.backend.encode_batch(texts, add_special_tokens=False)
    for (name, messages), text, encoding in zip(batch, texts, encodings, strict=True):
        rendered = _Rendered(text, encoding.ids, encoding)
        targets = tuple(_targets(name, messages, rendered, tokenizer))
        if not targets:
            raise TokenizerError(
                f"sample {name} has no token to learn: nothing in it is said by the assistant. "
                "Remove the sample from its source."
            )
        yield Encoded(name, array("i", rendered.ids), targets)


def _targets(
    name: str, messages: Sequence[Message], rendered: _Rendered, tokenizer: Tokenizer
) -> Iterator[Span]:
    for number, message in enumerate(messages):
        if message.role != "assistant":
            continue
        answer = _answer(rendered.text, messages, number, tokenizer)
        if answer is None:
            raise TokenizerError(
                f"the chat template of {tokenizer.name!r} does not render turn {number + 1} of sample {name} "
                "as it is written, so its tokens cannot be told from the prompt's. Choose another tokenizer, "
                "or export the conversations with the format 'messages'."
            )
        span = Span(max(1, rendered.first(answer.start, tokenizer)), rendered.last(answer.end, tokenizer))
        if span.end > span.start:
            yield span


def _answer(text: str, messages: Sequence[Message], number: int, tokenizer: Tokenizer) -> Span | None:
    """Characters of one turn in ``text``, which is all ``messages`` rendered; None if they are not there.

    A short answer may occur anywhere, so it is not searched for: a character that ``text`` does
    not hold is rendered in its place, and shows where that is.
    """
    before, after = messages[:number], messages[number + 1 :]
    mark = next(chr(code) for code in range(0xE000, 0xF900) if chr(code) not in text)
    thoughts = _THOUGHTS.match(messages[number].content)
    lead = thoughts.group() if thoughts else ""  # a template may take them apart from the answer
    marked = Message("assistant", lead + mark)
    head, _, tail = tokenizer.render([*before, marked, *after]).partition(mark)
    at, stop = len(head), len(text) - len(tail)
    rendered = text[at:stop]
    said = messages[number].content[len(lead) :]
    if (text[:at], text[stop:]) != (head, tail) or rendered.strip() != said.strip():
        return None
    end = at + len(rendered.rstrip())
    closing = tokenizer.render([*before, marked]).partition(mark)[2].rstrip()
    if closing and text.startswith(closing, stop):
        end = stop + len(closing)
    prompt = tokenizer.render(before, add_generation_prompt=True)
    # What a template writes between its generation prompt and the answer (an empty thought, say)
    # is for the model to produce. A template without a generation prompt leaves the bare answer.
    has_prompt = prompt != tokenizer.render(before)
    begin = at - len(lead) if head.endswith(lead) else at
    return Span(len(prompt) if has_prompt and head.startswith(prompt) else begin, end)


@dataclass(slots=True)
class _Pack:
    """A pack being filled."""

    room: int
    sequences: list[Encoded] = field(default_factory=list)

    def add(self, sequence: Encoded) -> None:
        self.sequences.append(sequence)
        self.room -= len(sequence.ids)


def pack(sequences: Iterable[Encoded], length: int, open_packs: int = OPEN_PACKS) -> Iterator[list[Encoded]]:
    """Group sequences so that none of the groups has more than ``length`` tokens in all.

    Best fit in the order of the stream: a sequence goes to the open pack that it leaves the
    least room in. Where it fits none, the fullest of ``open_packs`` is closed. The last packs
    are kept, however full. The same stream gives the same packs.

    Raises:
        UsageError: A sequence alone is longer than ``length``.
    """
    packs: list[_Pack] = []
    for sequence in sequences:
        size = len(sequence.ids)
        if size > length:
            raise UsageError(
                f"sample {sequence.id} has {size:,} tokens, more than the {length:,} of a pack. "
                "Give a greater length, or export a config of shorter samples."
            )
        best = min((one for one in packs if one.room >= size), key=lambda one: one.room, default=None)
        if best is None:
            if len(packs) == open_packs:
                fullest = min(packs, key=lambda one: one.room)
                packs.remove(fullest)
                yield fullest.sequences
            best = _Pack(length)
            packs.append(best)
        best.add(sequence)
        if best.room == 0:
            packs.remove(best)
            yield best.sequences
    for left in packs:
        yield left.sequences


def pack_row(sequences: Sequence[Encoded]) -> dict[str, Any]:
    """The columns of one pack of n tokens that holds m sequences.

    * ``input_ids``, ``labels``, ``position_ids``, ``weights``: n values each. A label is its
      own token's id, or -100 where nothing is learnt (shift by one as usual). Positions begin
      at 0 with each sequence. There is no padding. transformers keeps sequences apart by the
      positions, but only if it gets no attention mask and ``use_cache=False``.
    * ``cu_seqlens``: m + 1 boundaries, from 0 to n, as variable-length attention takes them.
    * ``ids``: m names of samples.

    The weights are those of LongAlign (Bai et al., 2024, arXiv 2401.18058, section 3.3):
    packing as such favours samples with many target tokens and samples in packs of few. With
    L_i the sum of the losses of the N_i target tokens of sample i, M samples should give

        L = 1/M * sum_i L_i / N_i                                         (equation 2)

    Each target token of sample i weighs 1/N_i here, every other token 0, so that
    sum(weights) over any set of packs is its number of samples M, and

        L = sum(weights * losses) / sum(weights)

    over the packs of one step is equation 2, however they were packed. This is the paper's
    K / (N_i M) summed in each of K packs and averaged over them (equation 4); K and M are
    those of a step and known only to the trainer. Across devices and accumulated steps, add
    up numerators and denominators separately.
    """
    input_ids: list[int] = []
    labels: list[int] = []
    positions: list[int] = []
    weights: list[float] = []
    bounds = [0]
    for one in sequences:
        size = len(one.ids)
        input_ids.extend(one.ids)
        positions.extend(range(size))
        mine, weight = [IGNORED] * size, [0.0] * size
        for start, end in one.targets:
            mine[start:end] = one.ids[start:end]
            weight[start:end] = [1.0 / one.learnt] * (end - start)
        labels.extend(mine)
        weights.extend(weight)
        bounds.append(len(input_ids))
    return {
        "input_ids": input_ids,
        "labels": labels,
        "position_ids": positions,
        "weights": weights,
        "cu_seqlens": bounds,
        "ids": [one.id for one in sequences],
    }
