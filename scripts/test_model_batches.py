"""Training batches of the test model: repeated tokens, shortened prompts, full prompts.

An example keeps its tokens, the position of each in the text it was cut from, and how much
each counts in the loss. Knows chats and a tokenizer; nothing of weights.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from tokenizers import Tokenizer

from scripts.test_model_chats import Chat, chat_for
from scripts.test_model_pairs import pairs
from scripts.test_model_weights import OVER, TURN

TOKENS = 3600  # of a batch
# Which stock sentence comes next cannot be known: at full weight, that would drown the copying.
_ANSWER_WEIGHT, _OTHER_WEIGHT = 1.0, 0.2
_POOL = 64
# By phase: the shares of fixed lines to leave, the share of chats with a second request.
_KEPT = {"short": (0.0, 0.0, 0.0, 0.2), "full": (0.0, 0.1, 0.4, 1.0)}
_REPAIR = {"short": 0.05, "full": 0.12}
_CUT = {"short": 0.3, "full": 0.6}  # share of replies that end, unfinished, after the answer


class Schedule(Protocol):
    """Which phase training is in."""

    @property
    def phase(self) -> str:
        """``repeat``, ``short`` or ``full``."""
        ...


@dataclass(frozen=True, slots=True)
class Example:
    """One training sequence."""

    ids: list[int]
    positions: list[int]
    weights: list[float]


def repeated(rng: random.Random, vocabulary: int) -> Example:
    """Random tokens, others in between, and the first again: only the repetition is learnt.

    Half of them are drawn from few tokens, so that what follows one of them is known only from
    the tokens before it, too.
    """
    length = rng.randint(4, 40)
    few = rng.sample(range(3, vocabulary), rng.choice((12, 24, 48)))
    pattern = rng.choices(few if rng.random() < 0.5 else range(3, vocabulary), k=length)
    between = rng.choices(range(3, vocabulary), k=rng.randint(0, 60))
    ids = pattern + between + pattern
    gap = rng.choice((0, 0, 200, 400))
    positions = [i if i < length else i + gap for i in range(len(ids))]
    return Example(ids, positions, [0.0] * (len(ids) - length + 1) + [1.0] * (length - 1))


def encoded(
    tokenizer: Tokenizer, chat: Chat, rng: random.Random, *, keep: float, brief: bool = False
) -> Example:
    """A chat as tokens; of its fixed lines only a share of ``keep`` is left, at its position.

    A ``brief`` one is cut off after the answer's closing quotation mark.
    """
    head = "".join(f"{TURN}{m.role}\n{m.content}{OVER}\n" for m in chat.messages) + f"{TURN}assistant\n"
    reply = chat.reply[: chat.span[1] + 1] if brief else chat.reply + OVER
    encoding = tokenizer.encode(head + reply, add_special_tokens=False)
    start, end = (len(head) + at for at in chat.span)
    cut = _cuts(head, rng, keep) if keep < 1 else []
    ids, positions, weights = [], [], []
    for position, (token, (begin, stop)) in enumerate(zip(encoding.ids, encoding.offsets, strict=True)):
        if any(low <= begin and stop <= high for low, high in cut):
            continue
        ids.append(token)
        positions.append(position)
        within = start <= begin <= end  # the closing quotation mark, too
        weights.append(0.0 if begin < len(head) else _ANSWER_WEIGHT if within else _OTHER_WEIGHT)
    return Example(ids, positions, weights)


def _cuts(head: str, rng: random.Random, keep: float) -> list[tuple[int, int]]:
    """Spans of fixed lines to leave out: never what opens and closes a turn, never the pair."""
    spans, at, pair = [], 0, False
    for line in head.splitlines(keepends=True):
        if line.startswith(("<request>", "<response>")):
            pair = True
        if not pair and not line.startswith(TURN) and rng.random() >= keep:
            spans.append((at, at + len(line.removesuffix(f"{OVER}\n"))))
        if line.startswith(("</request>", "</response>")):
            pair = False
        at += len(line)
    return spans


def batches(tokenizer: Tokenizer, clock: Schedule, seed: str) -> Iterator[list[Example]]:
    """Batches without end, of like lengths, as the clock's phase asks for."""
    rng = random.Random(f"{seed} batches")
    source = pairs(f"{seed} training")
    vocabulary = tokenizer.get_vocab_size()
    while True:
        phase = clock.phase
        if phase == "repeat":
            yield [repeated(rng, vocabulary) for _ in range(TOKENS // 60)]
            continue
        pool = [
            encoded(
                tokenizer,
                chat_for(pair, rng, repair=_REPAIR[phase]),
                rng,
                keep=rng.choice(_KEPT[phase]),
                brief=rng.random() < _CUT[phase],
            )
            for pair in itertools.islice(source, _POOL)
        ]
        pool.sort(key=lambda example: len(example.ids))
        ready: list[list[Example]] = [[]]
        for example in pool:
            if ready[-1] and len(example.ids) * (len(ready[-1]) + 1) > TOKENS:
                ready.append([])
            ready[-1].append(example)
        rng.shuffle(ready)
        for at, batch in enumerate(ready):
            if clock.phase != phase:
                break
            if at % 3 == 0:  # every token must stay one that can be copied, rare ones too
                yield [repeated(rng, vocabulary) for _ in range(TOKENS // 60)]
            yield batch
