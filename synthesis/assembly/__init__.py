"""Contexts -> chat samples of a token length.

The pair's own context at a chosen depth among other documents. In memory stay some numbers per
document and the few samples being worked on; the text of each document and notes on it are kept in
a temporary file. Knows nothing of folders or formats: what ``items`` is and where samples go is the
caller's affair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Unpack

from synthesis.assembly.corpus import open_corpus
from synthesis.assembly.documents import Documents
from synthesis.assembly.options import (
    SELECTORS,
    Length,
    SampleOptions,
    from_keywords,
    make_options,
    parse_lengths,
    parse_mixture,
)
from synthesis.assembly.production import Assembly
from synthesis.data import Context, Pair, Rejected, Sample
from synthesis.options import REFUSAL
from synthesis.tokens import Tokenizer, load_tokenizer

__all__ = [
    "REFUSAL",
    "SELECTORS",
    "assemble",
    "parse_lengths",
]


def assemble(
    items: Sequence[tuple[Pair, Context]],
    length: Length,
    *,
    tokenizer: Tokenizer | str | None = None,
    seed: int = 0,
    corpus: str | Path | Sequence[tuple[str, str]] | None = None,
    split: Callable[[int], str] | None = None,
    coherence: Callable[[int], float | None] | None = None,
    counted_by: str | None = None,
    workers: int = 0,
    **options: Unpack[SampleOptions],
) -> Iterator[Sample | Rejected]:
    """One sample for each item, of ``length`` tokens or of one of several lengths, in the items' order.

    A sample never exceeds its length, counted over the rendered conversation with the answer,
    and fills at least 99.5 % of it wherever other documents suffice; where they do not, it is
    shorter, as its ``tokens`` say. (Length by concatenation: Zhu et al., 2025, arXiv 2502.15592.)

    Args:
        items: pairs with their contexts, in any order; may read from disk, as only numbers
            are kept of each. Read once for counting, then once for each sample.
        length: tokens, such as 8192 or ``"8k"``; or the share of each of several lengths, as in
            ``"4k:0.2,32k:0.5,128k:0.3"`` or a mapping. Exactly so many items get each length (to
            the nearest whole item), and nearly so many of each task; which one follows from
            content and seed.
        tokenizer: what counts, with its chat template; a name is loaded, None is the embedded one.
        seed: with the contents, determines every choice.
        corpus: texts of your own: a sequence of (id, text), or a file, folder, glob or Hub dataset
            with a column ``text`` (and ``id``); ``synthesis.assembly.corpus.open_corpus`` says how
            to choose its config, split and column. Blank texts are passed over.
        split: the split of the item at a position; no document serves items of two splits.
        coherence: the score of the item at a position, copied into the sample.
        counted_by: identity of the tokenizer that counted ``Context.tokens``; spares counting
            contexts again where this tokenizer's counts of parts do not add up.
        workers: how many processes do the work; 0 is this one. With several, ``items`` must not read from
            a file whose position they would share. The samples are the same with any number.
        options: how samples are made; the names and defaults of ``synthesis.options.SamplesConfig``:

            - depth: where the own context stands among the others: ``uniform`` (stratified over all
              samples of a length), ``start``, ``middle``, ``end``, a number from 0 to 1, or several.
            - distractors: whose texts surround it: ``same-task``, ``random``, ``lexical`` (the nearest
              in words to question and answer), ``corpus``, ``none``, or a mix with shares of their
              tokens, as in ``"lexical:0.5,random:0.5"``. Never one that shares the pair, the answer
              or the text, nor one that contains the answer, be it with other spelling of numbers,
              dates or accents, nor one that is nearly the same as another of the sample.
            - max_reuse: how often at most a document serves as a distractor, over all lengths; None for
              as often as filling takes. Reuse is even for ``same-task`` and ``random``.
            - header: what stands before each document; ``{n}`` is its number, from 1.
            - separator: what stands between documents.
            - abstain: the share of samples, chosen by content and seed, that leave their context out
              and answer with ``refusal``; ``distractors`` then ends in ``+abstain`` and
              both spans are (0, 0).
            - refusal: what those answer.
            - oversize: what becomes of a context that does not fit even alone: ``reject``, or ``trim``
              to its evidence and the sentences around it.
            - repeat_questions: whether contexts of pairs with the very same instruction ("Summarize the
              report.") may stand side by side, so that it is open which one is meant. Otherwise
              they never do, and where ``same-task`` then finds too few, other tasks' are taken.
            - keychain: into how many chains of keys, strewn over the documents, the question is put: the
              prompt names the key that one begins with, which leads to it, the others lead to what other
              pairs ask. 0 asks plainly.
            - keychain_links: how many links each has, from key to key.
            - answers: ``plain`` gives the answer alone, ``cited`` quotes its evidence below it by document
              number, ``reasoned`` goes through the steps that lead to it first; where a context has no
              evidence, plain.
            - twins: which twins stand behind each sample, some of ``removed`` (its evidence cut out, a
              refusal right), ``changed`` (another answer in its place) and ``decoy`` (a value that stands
              among the documents as something else made the answer). They differ in their ``changes`` alone.

    Yields:
        A ``Sample``; or a ``Rejected`` of stage ``assembly`` where the context is blank or does
        not fit even alone. Behind a sample its twins, with a ``Rejected`` of stage ``twin`` for each that
        cannot be known to be right.

    Raises:
        UsageError: an option is not usable.
        SourceError: the corpus cannot be read.
        TokenizerError: the tokenizer cannot be loaded, or has no usable chat template.
    """
    samples = from_keywords(options)
    chosen = make_options(parse_mixture(length), samples, seed, corpus is not None)
    loaded = tokenizer if isinstance(tokenizer, Tokenizer) else load_tokenizer(tokenizer)
    texts = open_corpus(corpus) if corpus is not None and chosen.choice.uses("corpus") else ()
    documents = Documents(items, loaded, texts, split, counted_by, workers)
    return Assembly(documents, chosen, coherence or _unscored).outcomes(workers=workers)


def _unscored(_: int) -> None:
    return None
