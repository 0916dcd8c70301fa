"""From a request to a sample: the context, and the other documents around it.

The composer's contexts for the bundled pairs serve as the other documents; they are made when
first needed and kept for later visitors. Everything here is a plain call of ``synthesis`` with
the arguments that ``space.making.recipe`` prints, so that its code gives the very same text. Knows
nothing of pages.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

from builder.resources import example_pairs
from space.making.inputs import Inputs
from synthesis.assembly import assemble
from synthesis.data import Context, Pair, Rejected, Sample
from synthesis.errors import ContextSynthesisError
from synthesis.run.loop import synthesize
from synthesis.sources.pairs import read_pairs
from synthesis.tokens import Tokenizer, load_tokenizer

ANY_TASK = 6
"""Every sixth bundled pair serves where documents of any task may surround a context."""


class Unmade(ContextSynthesisError):
    """No context or sample came of a request; the message says why."""


@lru_cache(maxsize=1)
def bundled() -> tuple[Pair, ...]:
    """The pairs that come with the package, in their order."""
    return tuple(row for row in read_pairs(example_pairs()) if isinstance(row, Pair))


@lru_cache(maxsize=1)
def tokenizer() -> Tokenizer:
    """The embedded tokenizer, loaded once."""
    return load_tokenizer()


def compose(inputs: Inputs) -> Context:
    """The composer's context for a request, its evidence known exactly.

    Raises:
        Unmade: the composer could not serve this pair.
    """
    (made,) = _composed((inputs.pair,), inputs.words, inputs.seed, inputs.mode)
    if isinstance(made, Rejected):
        raise Unmade(f"The composer wrote nothing for this pair ({made.reason}). Change it and try again.")
    return made


def written(inputs: Inputs) -> Context:
    """The composer's context with its tokens counted.

    Raises:
        Unmade: the composer could not serve this pair.
    """
    return counted(compose(inputs))


def counted(context: Context) -> Context:
    """A context with its tokens counted."""
    return replace(context, tokens=tokenizer().count(context.text))


def surround(inputs: Inputs, context: Context) -> Sample | None:
    """The chat sample of the asked length around a context; None where none was asked for.

    Raises:
        Unmade: the context does not fit the length, or the pair cannot be laid out.
    """
    if inputs.budget is None:
        return None
    items = [(inputs.pair, context), *others(inputs)]
    made = next(
        assemble(
            items,
            inputs.length,
            tokenizer=tokenizer(),
            depth=inputs.depth,
            distractors=inputs.distractors,
            seed=inputs.seed,
        )
    )
    if isinstance(made, Rejected):
        raise Unmade(f"No sample of {inputs.length} tokens came of it: {made.reason}.")
    return made


def others(inputs: Inputs) -> list[tuple[Pair, Context]]:
    """The documents that may surround the request's own context."""
    if inputs.distractors == "none":
        return []
    same = inputs.distractors == "same-task"
    pool = _pool(inputs.task if same else "", inputs.words, inputs.seed, inputs.mode)
    return [(pair, context) for pair, context in pool if pair.id != inputs.pair.id]


# Thirty pools hold at most some 20 MB; what visitors leave at its default stays in it.
@lru_cache(maxsize=30)
def _pool(task: str, words: int, seed: int, mode: str) -> tuple[tuple[Pair, Context], ...]:
    chosen = tuple(pair for pair in bundled() if pair.task == task)
    pairs = chosen if task else bundled()[::ANY_TASK]
    made = _composed(pairs, words, seed, mode)
    return tuple((pair, one) for pair, one in zip(pairs, made, strict=True) if isinstance(one, Context))


def _composed(pairs: tuple[Pair, ...], words: int, seed: int, mode: str) -> list[Context | Rejected]:
    options: dict[str, Any] = {} if mode == "woven" else {"mode": mode}
    return list(synthesize(pairs, "composer", words=words, seed=seed, **options))
