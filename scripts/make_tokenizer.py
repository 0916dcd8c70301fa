"""Train the embedded tokenizer from this project's own texts.

What it learns from: the composer's contexts for the bundled pairs, the pairs themselves, word
lists, templates, documentation and docstrings. The same tree gives the same bytes. Run with
``--seeds 0`` where no tokenizer exists yet (the composer's run needs one to count with).
"""

from __future__ import annotations

import argparse
import ast
import json
from collections.abc import Iterator
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "synthesis" / "tokenizer"
PAIRS = ROOT / "examples" / "pairs.jsonl"
SPECIAL = ("<|turn|>", "<|over|>", "<|pad|>")
VOCABULARY = 16_384
DIGITS = r"\p{N}{1,3}"
MAX_TOKEN_CHARACTERS = 16


def contexts(seeds: int, words: int) -> Iterator[str]:
    """What the composer writes for the bundled pairs, under several seeds."""
    if not seeds:
        return
    from synthesis import Context, Pair, read_pairs, synthesize

    pairs = [row for row in read_pairs(str(PAIRS)) if isinstance(row, Pair)]
    for seed in range(seeds):
        for outcome in synthesize(pairs, engine="composer", words=words, seed=seed):
            if isinstance(outcome, Context):
                yield outcome.text


def documents() -> Iterator[str]:
    """Pairs, word lists, templates, documentation and docstrings, in a fixed order."""
    for line in PAIRS.read_text(encoding="utf-8").splitlines():
        yield from (value for value in json.loads(line).values() if isinstance(value, str))
    for path in sorted(ROOT.glob("synthesis/**/*.txt")):
        yield path.read_text(encoding="utf-8")
    for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]):
        yield path.read_text(encoding="utf-8")
    for path in sorted(p for top in ("synthesis", "builder", "space") for p in ROOT.glob(f"{top}/**/*.py")):
        yield from docstrings(path)


def docstrings(path: Path) -> Iterator[str]:
    """Every docstring of a module."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, documented) and (text := ast.get_docstring(node)):
            yield text


def train(texts: list[str]) -> Tokenizer:
    """Byte-level BPE: any text can be encoded, digits in groups of three, no unknown token."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(DIGITS), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        min_frequency=2,
        special_tokens=list(SPECIAL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        max_token_length=MAX_TOKEN_CHARACTERS,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def write(tokenizer: Tokenizer, target: Path) -> None:
    """``tokenizer.json`` and ``tokenizer_config.json``; the chat template is kept by hand beside them."""
    (target / "tokenizer.json").write_text(tokenizer.to_str() + "\n", encoding="utf-8")
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "<|over|>",
        "pad_token": "<|pad|>",
        "clean_up_tokenization_spaces": False,
        "model_max_length": 2**40,
    }
    text = json.dumps(config, indent=2) + "\n"
    (target / "tokenizer_config.json").write_text(text, encoding="utf-8")


def main() -> None:
    """Train, write, and say what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=8, help="contexts per bundled pair to learn from")
    parser.add_argument("--words", type=int, default=2000, help="words per context")
    parser.add_argument("--target", type=Path, default=TARGET, help="folder to write to")
    arguments = parser.parse_args()
    texts = [*contexts(arguments.seeds, arguments.words), *documents()]
    tokenizer = train(texts)
    write(tokenizer, arguments.target)
    size = (arguments.target / "tokenizer.json").stat().st_size
    print(f"{len(texts)} texts, {sum(map(len, texts)):,} characters")
    print(f"{tokenizer.get_vocab_size():,} of {VOCABULARY:,} tokens, {size:,} bytes in tokenizer.json")
    if tokenizer.get_vocab_size() < VOCABULARY:
        print("the texts do not hold enough for the full vocabulary: raise --seeds")


if __name__ == "__main__":
    main()
