"""What each item is to become: its budget and depth, whether its context is left out, what it answers."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Final

from synthesis.assembly.counting import Part, Trial
from synthesis.assembly.documents import Documents, number
from synthesis.assembly.keychains import Keychain, Keychains
from synthesis.assembly.options import Options, assign, assign_depths
from synthesis.assembly.rendering import Style, lay_out
from synthesis.assembly.replying import REASONED, Reply, SaidTurn
from synthesis.data import Context, Message, Pair
from synthesis.tokens import Tokenizer

# Summed counts of parts can differ from the count of the whole by a few tokens; nearer to
# the budget than this, the whole is counted.
_DOUBT_TOKENS: Final = 64
_SOME_KEY: Final = "velomir"
_BATCH_REPLIES: Final = 256


@dataclass(frozen=True, slots=True)
class Orders:
    """Of each item its budget and how many tokens it needs with no other document.

    ``depths`` are of the items that keep their context and become a sample, -1 for others; the items
    ``abstaining`` leave it out.
    """

    budgets: array[int]
    needs: array[int]
    abstaining: frozenset[int]
    depths: array[float]

    def keeps(self, item: int) -> bool:
        """Whether an item becomes a sample that holds its context."""
        return self.depths[item] >= 0.0

    def rooms(self) -> array[int]:
        """About how many tokens each item has for other documents; 0 for items that become nothing."""
        rooms = array("q", bytes(8 * len(self.budgets)))
        for item, budget in enumerate(self.budgets):
            if item in self.abstaining:
                rooms[item] = budget
            elif self.keeps(item):
                rooms[item] = max(0, budget - self.needs[item])
        return rooms


def give_orders(documents: Documents, options: Options, keychains: Keychains | None) -> Orders:
    """The orders that content and seed determine, whatever the order of the items."""
    index = documents.index
    keys = index.keys[: index.items]
    shares = [share for _, share in options.lengths]
    ranks = array("Q", (number("length", options.seed, key) for key in keys))
    lengths = assign(index.pools[: index.items], ranks, shares)
    budgets = array("Q", (options.lengths[part][0] for part in lengths))
    needs = _needs(documents, budgets, options, keychains)
    abstaining: frozenset[int] = frozenset()
    if leave := round(options.samples.abstain * index.items):
        by_chance = sorted(range(index.items), key=lambda item: number("abstain", options.seed, keys[item]))
        abstaining = frozenset(by_chance[:leave])
    depths = array("d", [-1.0]) * index.items
    for part, (budget, _) in enumerate(options.lengths):
        members = array(
            "Q",
            (
                item
                for item in range(index.items)
                if lengths[item] == part
                and item not in abstaining
                and index.tokens[item]
                and (needs[item] <= budget or options.samples.oversize == "trim")
            ),
        )
        chances = array("Q", (number("depth", options.seed, budget, keys[item]) for item in members))
        for item, depth in zip(members, assign_depths(options.depths, chances), strict=True):
            depths[item] = depth
    return Orders(budgets, needs, abstaining, depths)


def _needs(
    documents: Documents, budgets: array[int], options: Options, keychains: Keychains | None
) -> array[int]:
    """Tokens of each item's conversation with its own context alone, exact where that decides anything."""
    index, tokenizer, style = documents.index, documents.tokenizer, options.style
    said = _said(documents, options) if options.words_answers else repeat(0)
    key = _SOME_KEY if keychains else ""
    frames = {
        pool: tokenizer.count_chat(lay_out(Pair(task=task), "", style=style, key=key).messages)
        for pool, task in index.tasks.items()
    }
    needs = array("Q")
    for item, (budget, more) in enumerate(zip(budgets, said, strict=False)):
        need = frames[index.pools[item]] + index.tokens[item] + index.asks[item] + more
        doubt = _DOUBT_TOKENS
        if keychains:
            sentences, tokens = keychains.size(item)
            need, doubt = need + tokens, doubt + sentences
            if options.samples.answers == REASONED:  # which tells the chain, one of the rings, once more
                chain = tokens // options.samples.keychain
                need, doubt = need + chain, doubt + chain
        if abs(need - budget) <= doubt:
            pair, context = documents.items[item]
            keychain = keychains.of(item) if keychains else None
            need = tokens_alone(
                pair,
                context,
                tokenizer,
                style,
                keychain,
                reply_of(pair, context, options, tokenizer, keychain),
            )
        needs.append(need)
    return needs


def _said(documents: Documents, options: Options) -> Iterator[int]:
    """About how many tokens the reply about each item takes beyond its answer, chains of keys left out."""

    def more(items: range) -> Iterator[int]:
        texts: list[str] = []
        for item in items:
            pair, context = documents.items[item]
            pieces = [context.text[piece.start : piece.end] for piece in context.evidence]
            reply = reply_of(pair, context, options, documents.tokenizer)
            used = context.reasons if reply and reply.says else ()
            steps = [context.text[one.start : one.end] for one in used]
            plain = SaidTurn(Message("assistant", pair.answer))
            turn, asked = reply.said(1, pieces, (), steps) if reply else plain
            texts += [turn.content, asked, pair.answer]
        counts = documents.tokenizer.count_batch(texts)
        for said, asked_for, answer in zip(counts[::3], counts[1::3], counts[2::3], strict=True):
            yield said + asked_for - answer

    count = documents.index.items
    for start in range(0, count, _BATCH_REPLIES):
        yield from more(range(start, min(count, start + _BATCH_REPLIES)))


def reply_of(
    pair: Pair, context: Context, options: Options, tokenizer: Tokenizer, keychain: Keychain | None = None
) -> Reply | None:
    """What words the answer about a context; None where it is given alone."""
    if not options.words_answers:
        return None
    return Reply(
        options.samples.answers,
        f"{options.seed} {pair.id}",
        pair.instruction,
        pair.answer,
        context.form,
        tuple(piece.what for piece in context.evidence),
        tuple(keychain.evidence) if keychain else (),
        tokenizer.thoughts(),
        tuple(one.says for one in context.reasons) if uses_reasons(options) else (),
    )


def uses_reasons(options: Options) -> bool:
    """Whether samples answer with the reasons that a model wrote, where there are some.

    Not beside twins: the words of a model cannot be changed with the answer.
    """
    return options.samples.answers == REASONED and not options.samples.twins


def tokens_alone(
    pair: Pair,
    context: Context,
    tokenizer: Tokenizer,
    style: Style,
    keychain: Keychain | None,
    reply: Reply | None = None,
) -> int:
    """Tokens of the conversation about a context alone."""
    evidence = [piece[:2] for piece in context.evidence]
    steps = [one[:2] for one in context.reasons] if reply and reply.says else []
    trial = Trial(pair, Part(context.text), (), (), style, evidence, reply=reply, steps=steps)
    return tokenizer.count_chat((keychain.hide(trial) if keychain else trial).layout().messages)
