"""The least that a job of the composer needs, as a plain script: what `make bench` holds a run against.

    python -m benchmarks.plain_job PAIRS.jsonl OUT [WORDS] [TOKENS]

Writes a context for each pair, scores it, counts its tokens once, puts contexts side by side until a
sample is full, and writes both as Parquet. No journal, no checks, no spans, no card, nothing to resume;
samples are filled as far as whole contexts go. The last line it prints is what each step took, as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from synthesis import score
from synthesis.engines.composer import compose
from synthesis.tokens import load_tokenizer


def main(pairs: Path, out: Path, words: int, budget: int) -> None:
    """Do it, and tell what it took."""
    clock = [time.perf_counter()]
    rows = [json.loads(line) for line in pairs.open(encoding="utf-8")]
    texts = [
        compose(row["instruction"], row["answer"], words=words, key=str(n)).text for n, row in enumerate(rows)
    ]
    clock.append(time.perf_counter())
    scores = [
        score(text, row["instruction"], row["answer"]).overall for text, row in zip(texts, rows, strict=True)
    ]
    clock.append(time.perf_counter())
    tokens = load_tokenizer(None).count_batch(texts)
    clock.append(time.perf_counter())
    out.mkdir(parents=True, exist_ok=True)
    raw = [
        row | {"context": text, "coherence": value}
        for row, text, value in zip(rows, texts, scores, strict=True)
    ]
    pq.write_table(pa.Table.from_pylist(raw), out / "raw.parquet", compression="zstd")
    chats = [_chat(place, rows, texts, tokens, budget) for place in range(len(rows))]
    pq.write_table(pa.Table.from_pylist(chats), out / "chat.parquet", compression="zstd")
    clock.append(time.perf_counter())
    steps = ("composing", "scoring", "counting", "writing")
    print(json.dumps(dict(zip(steps, (b - a for a, b in zip(clock, clock[1:], strict=False)), strict=True))))


def _chat(
    place: int, rows: list[dict[str, str]], texts: list[str], tokens: list[int], budget: int
) -> dict[str, object]:
    """A sample: a pair's own context and those that follow it, as far as they fit."""
    left, chosen = budget - 200, []
    for other in (*range(place, len(texts)), *range(place)):
        if tokens[other] <= left:
            chosen.append(texts[other])
            left -= tokens[other]
        elif left < min(500, budget // 4):
            break
    asked = "\n\n".join([*chosen, rows[place]["instruction"]])
    turns = [{"role": "user", "content": asked}, {"role": "assistant", "content": rows[place]["answer"]}]
    return {"messages": turns, "tokens": budget - left}


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *map(int, (*sys.argv[3:], 2000, 8192)[:2]))
