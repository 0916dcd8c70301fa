"""The samples that contexts become."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from synthesis.settings import apart, hashed, option

REFUSAL: Final = "The documents do not say."
"""What a sample answers whose context is left out, unless another text is given."""

ANSWERS: Final = ("plain", "cited", "reasoned")
"""What a sample answers: the answer alone, with its evidence quoted, or after the steps to it."""

KINDS: Final = ("chat", "rl")
"""The configs that samples may become."""

TWINS: Final = ("removed", "changed", "decoy")
"""What twins of a sample may be."""

SEPARATOR: Final = "\n\n"
"""What stands between two documents unless another separator is asked for."""


@dataclass(frozen=True, slots=True)
class SamplesConfig:
    """The chat samples to assemble; see ``synthesis.assemble`` for what each setting does.

    ``lengths`` with shares (``4k:0.2``) make one config of mixed lengths. An empty
    ``tokenizer`` means the engine's own; ``max_reuse`` 0 means no cap; ``corpus`` is where further
    distractors are read from, ``SOURCE[?config=..&split=..&columns=NAME]``.
    """

    lengths: tuple[str, ...] = apart(("8k",), "Tokens, as in 8k,32k; or shares, as in 4k:0.2,32k:0.8.")
    kinds: tuple[str, ...] = apart(
        ("chat",),
        "Configs to make of each length: chat, rl (prompts with a checkable answer), or both, as in chat,rl.",
        flag="--kind",
        valid=lambda kinds: bool(kinds) and set(kinds) <= set(KINDS) and len(set(kinds)) == len(kinds),
        expected="chat, rl, or both with a comma between them",
    )
    tokenizer: str = apart("", "Folder or Hub id of what counts.", default="the engine's, else ours")
    depth: str = hashed("uniform", "Where the evidence stands: uniform, start, middle, end, or 0..1.")
    distractors: str = hashed(
        "same-task", "same-task, random, lexical (nearest by BM25), corpus, none, or lexical:0.5,random:0.5."
    )
    corpus: str = apart(
        "",
        "Texts for distractors: file, folder, glob, hf:// path or Hub dataset, as in "
        "ORG/NAME?split=test&columns=body.",
    )
    max_reuse: int = hashed(0, "Most uses of one context as a distractor.", low=0, zero="no cap")
    header: str = hashed("", "Before each document, as in 'Document {n}:'.", breaks=True)
    separator: str = hashed(SEPARATOR, "Between two documents.", breaks=True)
    abstain: float = hashed(0.0, "Share of samples without their evidence.", low=0, high=1)
    refusal: str = option(REFUSAL, "What those samples answer.", breaks=True)
    oversize: str = hashed("reject", "A context over the length: reject or trim.", choices=("reject", "trim"))
    repeat_questions: bool = hashed(
        False,
        "Let contexts of pairs with the very same instruction stand side by side.",
        flag="--repeat-questions/--distinct-questions",
    )
    keychain: int = option(
        0,
        "Hide the question at the end of a chain of keys that stands among the documents, beside so many "
        "chains less one that lead to other questions.",
        low=1,
        high=64,
        zero="asked plainly",
    )
    twins: tuple[str, ...] = option(
        (),
        "Beside each sample its twins, as in removed,changed,decoy: without its evidence, with another "
        "answer in its place, with a decoy made the answer.",
        valid=lambda kinds: len(set(kinds)) == len(kinds) and set(kinds) <= set(TWINS),
        expected="some of removed, changed and decoy",
        example="removed,changed",
    )
    workers: int = apart(
        0,
        "Processes that compose, score and assemble; what they make is the same with any number.",
        low=1,
        high=1024,
        zero="one for each processor, at most 16, where there are 2,000 pairs",
    )
    keychain_links: int = option(3, "Links of each chain, from key to key.", low=1, high=32)
    all_candidates: bool = option(
        False,
        "Make a sample of every candidate that was kept, instead of the best for each pair.",
        flag="--all-candidates/--best-candidates",
    )
    answers: str = option(
        "plain",
        "The answer alone (plain), with its evidence quoted by document number (cited), or after the steps "
        "that lead to it, quoted (reasoned).",
        choices=ANSWERS,
    )
