"""How fast contexts become samples, how full they are, and how much memory that takes.

Usage: python benchmarks/assembly.py speed   [--contexts 1600] [--words 2000] [--length 32k]
       python benchmarks/assembly.py memory  [--contexts 800]   (twice as many beside it)
       python benchmarks/assembly.py ladder  [--contexts 800] [--lengths 4k,8k,16k,32k]
       python benchmarks/assembly.py workers [--contexts 800]   (a builder with one and two processes)
       python benchmarks/assembly.py fill    [--lengths 4k,32k,128k,1M] [--samples 24]

Speed is a ratio to a floor measured in the same run: every context tokenized once, and the
same rows written as Parquet. A ladder is compared with its lengths one by one. Contexts are
invented and kept on disk, so that memory is the assembly's own. The fill table is made with
three tokenizers of different kinds, trained here.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from synthesis import Context, Pair, Sample, assemble
from synthesis.assembly.documents import Documents
from synthesis.assembly.options import make_options
from synthesis.assembly.production import Assembly
from synthesis.lazy_sequence import OnDemand
from synthesis.options import SamplesConfig
from synthesis.tokens import Tokenizer, build_tokenizer, format_length, load_tokenizer, parse_length

TASKS = ("story_qa", "paper_qa", "meeting_query", "report_summary")
PLAIN = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}\n{% endfor %}"


class OnDisk(OnDemand[tuple[Pair, Context]]):
    """Pairs and contexts in a JSONL file, read one at a time."""

    def __init__(self, path: Path) -> None:
        """Find where each line starts."""
        self._file = path.open("rb")
        self._starts = array("Q", [0])
        for line in self._file:
            self._starts.append(self._starts[-1] + len(line))

    def __len__(self) -> int:
        return len(self._starts) - 1

    def read(self, place: int) -> tuple[Pair, Context]:
        """A pair with its context."""
        self._file.seek(self._starts[place])
        row = json.loads(self._file.readline())
        pair = Pair(instruction=row["instruction"], answer=row["answer"], task=row["task"])
        return pair, Context(pair.id, row["text"])


def invented(seed: object, words: int) -> str:
    """A text of about that many invented words."""
    draw = random.Random(f"text {seed}")
    lexicon = _lexicon()
    text, made = [], 0
    while made < words:
        sentence = draw.choices(lexicon, k=draw.randint(6, 28))
        text.append(" ".join(sentence).capitalize() + draw.choice((". ", ". ", ".\n\n")))
        made += len(sentence)
    return "".join(text).strip()


def _lexicon(known: list[str] = []) -> list[str]:  # noqa: B006 - made once
    if not known:
        draw = random.Random("lexicon")
        syllables = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "er", "in")]
        known.extend("".join(draw.choices(syllables, k=draw.randint(1, 3))) for _ in range(6000))
    return known


def invent(path: Path, contexts: int, words: int) -> None:
    """Write that many contexts of about that many invented words."""
    with path.open("w", encoding="utf-8") as file:
        for place in range(contexts):
            row = {"instruction": f"What is number {place}?", "answer": f"answer {place}"}
            row |= {"task": TASKS[place % len(TASKS)], "text": invented(place, words)}
            file.write(json.dumps(row) + "\n")


def write(path: Path, samples: Iterable[Sample]) -> None:
    """Samples as Parquet, a few at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    turns = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    schema = pa.schema([("id", pa.string()), ("messages", turns), ("tokens", pa.int64())])
    rows: Iterator[dict[str, Any]] = (
        {"id": sample.id, "messages": [turn._asdict() for turn in sample.messages], "tokens": sample.tokens}
        for sample in samples
    )
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while batch := list(itertools.islice(rows, 32)):
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))


def made(
    items: OnDisk, length: str, tokenizer: Tokenizer, distractors: str, seen: Counter[str]
) -> Iterator[Sample]:
    """The samples; ``seen`` counts them and their tokens."""
    for outcome in assemble(items, length, tokenizer=tokenizer, distractors=distractors):
        assert isinstance(outcome, Sample), outcome
        seen.update(samples=1, tokens=outcome.tokens)
        seen["full"] += outcome.tokens >= 0.995 * outcome.budget
        yield outcome


def peak() -> float:
    """The most memory this process has held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)


@dataclass(frozen=True, slots=True)
class Speed:
    """What an assembly took, and its floor: each context tokenized once, the same rows written (s, MiB)."""

    samples: int
    tokens: int
    full: int
    took: float
    peak: float
    tokenizing: float = 0.0
    writing: float = 0.0


def measure(
    tokenizer: Tokenizer, contexts: int, words: int, length: str, distractors: str, floor: bool = True
) -> Speed:
    """Time an assembly, and its floor."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "contexts.jsonl"
        invent(path, contexts, words)
        items, seen = OnDisk(path), Counter[str]()
        began = time.perf_counter()
        write(Path(folder) / "samples.parquet", made(items, length, tokenizer, distractors, seen))
        found = Speed(seen["samples"], seen["tokens"], seen["full"], time.perf_counter() - began, peak())
        if not floor:
            return found
        began = time.perf_counter()
        for start in range(0, len(items), 64):
            tokenizer.count_batch(
                [items[place][1].text for place in range(start, min(start + 64, len(items)))]
            )
        tokenized = time.perf_counter() - began
        # Bytes are written from memory, in parts: what fills the memory is not part of the floor.
        written = 0.0
        every = made(items, length, tokenizer, distractors, Counter[str]())
        for part in iter(lambda: list(itertools.islice(every, 128)), []):
            began = time.perf_counter()
            write(Path(folder) / "floor.parquet", part)
            written += time.perf_counter() - began
        return replace(found, tokenizing=tokenized, writing=written)


def speed(arguments: argparse.Namespace) -> None:
    """Time an assembly against its floor."""
    asked = (arguments.contexts, arguments.words, arguments.length, arguments.distractors)
    found = measure(load_tokenizer(arguments.tokenizer), *asked, floor=not arguments.no_floor)
    print(
        f"{found.samples} samples of {arguments.length} ({found.tokens:,} tokens, {found.full} are "
        f"full) in {found.took:.1f} s, peak {found.peak:.0f} MiB; with inventing the contexts "
        f"{1000 * time.process_time() / found.samples:.2f} ms of a processor each"
    )
    if not arguments.no_floor:
        floor = found.tokenizing + found.writing
        print(
            f"floor {floor:.1f} s (tokenizing {found.tokenizing:.1f} s, writing {found.writing:.1f} s); "
            f"the assembly takes {found.took / floor:.2f} times as long"
        )


def memory(arguments: argparse.Namespace) -> None:
    """Peak memory for a number of contexts and for some times as many, each in a process of its own."""
    for contexts in (arguments.contexts, arguments.times * arguments.contexts):
        command = [sys.executable, __file__, "speed", "--no-floor", "--contexts", str(contexts)]
        command += ["--length", arguments.length, "--words", str(arguments.words)]
        subprocess.run([*command, "--distractors", arguments.distractors], check=True)


def ladder(arguments: argparse.Namespace) -> None:
    """Time several lengths from the same documents against each length for itself."""
    tokenizer, lengths = load_tokenizer(arguments.tokenizer), arguments.lengths.split(",")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "contexts.jsonl"
        invent(path, arguments.contexts, arguments.words)
        shared = Documents(OnDisk(path), tokenizer)
        took = {"shared": 0.0, "alone": 0.0}
        for length in lengths:
            options = make_options(
                {parse_length(length): 1.0}, SamplesConfig(distractors=arguments.distractors)
            )
            for kind in took:
                documents = shared if kind == "shared" else Documents(OnDisk(path), tokenizer)
                began = time.perf_counter()
                for _ in Assembly(documents, options, lambda _: None).outcomes():
                    pass
                took[kind] += time.perf_counter() - began
    print(
        f"{len(lengths)} lengths ({arguments.lengths}) of {arguments.contexts} contexts: "
        f"{took['shared']:.1f} s together, {took['alone']:.1f} s one by one, "
        f"ratio {took['shared'] / took['alone']:.2f}"
    )


def workers(arguments: argparse.Namespace) -> None:
    """Time the builder of ``datasets`` with one process and with two."""
    import datasets

    from builder.folder.build import ConfigData, build_folder
    from builder.folder.schema import raw_row
    from builder.loading.dataset import ContextSynthesis

    datasets.disable_progress_bars()
    with tempfile.TemporaryDirectory() as folder:
        path, made = Path(folder) / "contexts.jsonl", Path(folder) / "dataset"
        invent(path, arguments.contexts, arguments.words)
        items = OnDisk(path)

        def rows() -> Iterator[dict[str, Any]]:
            return (raw_row(*item, None) for item in items)

        build_folder(made, [ConfigData("invented", "raw", rows, "invented")], facts={"engine": "none"})
        took, found = [], []
        for processes in (1, 2):
            builder = ContextSynthesis(
                str(made),
                length=arguments.length,
                distractors=arguments.distractors,
                cache_dir=f"{folder}/cache-{processes}",
            )
            began = time.perf_counter()
            builder.download_and_prepare(num_proc=processes)
            took.append(time.perf_counter() - began)
            found.append([row["id"] for row in builder.as_dataset("train").select_columns("id")])
    assert found[0] == found[1]
    print(
        f"{arguments.contexts} samples of {arguments.length}: {took[0]:.1f} s with one process, "
        f"{took[1]:.1f} s with two, ratio {took[1] / took[0]:.2f}"
    )


def kinds() -> dict[str, Tokenizer]:
    """Three tokenizers of different kinds, trained on invented text."""
    from tokenizers import Tokenizer as Backend
    from tokenizers import models, normalizers, pre_tokenizers, trainers

    texts = [invented(("train", place), 1500) for place in range(8)]
    pairs = Backend(models.BPE())
    pairs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    pairs.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=2000, initial_alphabet=alphabet, show_progress=False)
    )
    pieces = Backend(models.Unigram())
    pieces.normalizer, pieces.pre_tokenizer = normalizers.NFKC(), pre_tokenizers.Metaspace()
    pieces.train_from_iterator(
        texts,
        trainers.UnigramTrainer(
            vocab_size=1500, special_tokens=["<unk>"], unk_token="<unk>", show_progress=False
        ),
    )
    words = Backend(models.WordPiece(unk_token="[UNK]"))
    words.normalizer, words.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    words.train_from_iterator(
        texts, trainers.WordPieceTrainer(vocab_size=1500, special_tokens=["[UNK]"], show_progress=False)
    )
    backends = {"byte-level BPE": pairs, "Unigram": pieces, "WordPiece": words}
    return {name: build_tokenizer(name, backend.to_str(), PLAIN, {}) for name, backend in backends.items()}


def fill(arguments: argparse.Namespace) -> None:
    """Tables of fill and depth."""
    print("| tokenizer | length | samples | least fill | mean | miscounted | depth error, mean | most |")
    print("|---|---|---|---|---|---|---|---|")
    for (name, tokenizer), length in itertools.product(kinds().items(), arguments.lengths.split(",")):
        budget = parse_length(length)
        texts = [(str(place), invented(("other", place), 800)) for place in range(budget // 1000 + 8)]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "contexts.jsonl"
            invent(path, arguments.samples, 800)
            outcomes = assemble(OnDisk(path), length, tokenizer=tokenizer, distractors="corpus", corpus=texts)
            fills, depths, wrong = [], [], 0
            for sample in outcomes:
                assert isinstance(sample, Sample), sample
                fills.append(sample.tokens / budget)
                depths.append(sample.depth)
                wrong += sample.tokens != tokenizer.count_chat(sample.messages) or sample.tokens > budget
        # Uniform depths are one in each of as many strata as there are samples.
        errors = [abs(depth - (rank + 0.5) / len(depths)) for rank, depth in enumerate(sorted(depths))]
        print(
            f"| {name} | {format_length(budget)} | {len(fills)} | {min(fills):.4f} "
            f"| {sum(fills) / len(fills):.4f} | {wrong} | {sum(errors) / len(errors):.3f} "
            f"| {max(errors):.3f} |",
            flush=True,
        )


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = {"speed": speed, "memory": memory, "ladder": ladder, "workers": workers, "fill": fill}
    parser.add_argument("part", choices=parts)
    parser.add_argument("--contexts", type=int, default=1600)
    parser.add_argument("--words", type=int, default=2000)
    parser.add_argument("--length", default="32k")
    parser.add_argument("--lengths", default="4k,32k,128k,1M")
    parser.add_argument("--samples", type=int, default=24)
    parser.add_argument("--distractors", default="random")
    parser.add_argument("--tokenizer")
    parser.add_argument("--times", type=int, default=2)
    parser.add_argument("--no-floor", action="store_true", help="only the assembly")
    arguments = parser.parse_args()
    parts[arguments.part](arguments)


if __name__ == "__main__":
    main()
