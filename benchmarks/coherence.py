"""How well the coherence score tells true triples from spoilt ones, and how fast it is.

    python -m benchmarks.coherence [--data FOLDER] [--rounds 400] [--json FILE]

Figures are of the second half of each data file (the first half fitted the calibration), and of two
sets that nothing was fitted on, with 95 % bootstrap intervals over rows. Figures of both halves were seen
while features were chosen, so what is held out is the fit and not every choice. A spoilt triple is compared
with the true triples of the rows that can be spoilt that way. ``distract``, ``other`` and ``flip``
are what words alone cannot tell. Contexts of the composer, which are full of near misses, are written for
pairs of the first halves and scored with their evidence and without.
"""

from __future__ import annotations

import argparse
import json
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from statistics import mean

from benchmarks.metrics import (
    Judged,
    auroc,
    balanced_accuracy,
    calibration_error,
    interval,
    judged_auroc,
)
from benchmarks.probes import LIMITS, NEGATIVES, Row, probes, read_questions, read_rows
from synthesis.coherence import score, score_batch
from synthesis.engines.composer.draft import compose
from synthesis.text.answers import kind_of

ROOT = Path(__file__).resolve().parents[1]
SETS = ("hotpotqa", "multinews")
WHOLE = "2wikiqa_first100"  # nothing was fitted on any of its rows
QUESTIONS = slice(800, 1100)  # of Natural Questions, of which the first 800 were learned from
Figures = dict[str, dict[str, tuple[float, float, float]]]


def judge_all(rows: Sequence[Row]) -> dict[str, dict[int, tuple[str, float, bool]]]:
    """Way of spoiling -> row -> (kind, overall, verified)."""
    judged: dict[str, dict[int, tuple[str, float, bool]]] = {}
    for probe in probes(rows, limits=True):
        verdict = score(probe.context, probe.instruction, probe.answer)
        judged.setdefault(probe.what, {})[probe.row] = (probe.kind, verdict.overall, verdict.verified)
    return judged


def figures(judged: dict[str, dict[int, tuple[str, float, bool]]], rounds: int) -> Figures:
    """Kind of answer (and ``all``) -> figure -> (value, low, high)."""
    kinds = sorted({kind for kind, _, _ in judged["positive"].values()})
    result: Figures = {}
    for wanted in [*kinds, "all"] if len(kinds) > 1 else ["all"]:
        true = {r: v for r, (k, v, _) in judged["positive"].items() if wanted in (k, "all")}
        lines: dict[str, tuple[float, float, float]] = {}
        pooled = [Judged(r, True, v) for r, v in true.items()]
        for what in (*NEGATIVES, *LIMITS):
            spoilt = [Judged(r, False, v) for r, (_, v, _) in judged.get(what, {}).items() if r in true]
            if not spoilt:
                continue
            both = [Judged(j.row, True, true[j.row]) for j in spoilt] + spoilt
            lines[what] = (judged_auroc(both), *interval(both, judged_auroc, rounds))
            pooled += spoilt if what in NEGATIVES else []
        for name, figure in (
            ("calibration error", calibration_error),
            ("balanced accuracy", balanced_accuracy),
        ):
            lines[name] = (figure(pooled), *interval(pooled, figure, max(50, rounds // 4)))
        result[wanted] = lines
    return result


def composed(rows: Sequence[Row], words: int = 700) -> tuple[float, float, float]:
    """Contexts of the composer, with near misses: the chance that one scores above those without evidence.

    Besides: the mean score with its evidence and without.
    """
    whole, lost = [], []
    for row in rows:
        if kind_of(row.answer) == "summary":
            continue
        draft = compose(row.instruction, row.answer, words=words, seed=1)
        text = draft.text
        for piece in sorted(draft.evidence, reverse=True):
            text = text[: piece.start] + text[piece.end :]
        whole.append(score(draft.text, row.instruction, row.answer).overall)
        lost.append(score(text, row.instruction, row.answer).overall)
    return auroc(whole, lost), mean(whole), mean(lost)


def verified_shares(judged: dict[str, dict[int, tuple[str, float, bool]]]) -> dict[str, float]:
    """Share of verified verdicts per way of spoiling: high for true triples, low for the rest."""
    return {what: sum(v for _, _, v in rows.values()) / len(rows) for what, rows in judged.items()}


def fresh_contexts(rows: Sequence[Row], words: int, count: int) -> Iterator[tuple[str, str, str]]:
    """Triples of about ``words`` words, no two with the same context."""
    rng = Random("fresh contexts")
    for i in range(count):
        row = rows[i % len(rows)]
        pieces = row.context.split(". ")
        rng.shuffle(pieces)
        text = f"Copy {i}. " + ". ".join(pieces)
        cut = text.split(" ")[:words]
        while len(cut) < words:
            cut += cut[: words - len(cut)]
        yield " ".join(cut), row.instruction, row.answer


def speed(rows: Sequence[Row], words: int = 900, count: int = 600) -> float:
    """Contexts per CPU-second, best of three passes over contexts not scored before."""
    best = 0.0
    for _ in range(3):
        triples = list(fresh_contexts(rows, words, count))
        start = time.process_time()
        for _ in score_batch(triples):
            pass
        best = max(best, count / (time.process_time() - start))
    return best


def peak_memory(rows: Sequence[Row], count: int) -> float:
    """Peak MB allocated while ``count`` triples stream through ``score_batch``."""
    tracemalloc.start()
    for _ in score_batch(fresh_contexts(rows, 900, count)):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def show(name: str, result: Figures, shares: dict[str, float]) -> None:
    """Print one data set's tables."""
    for kind, lines in result.items():
        print(f"\n{name}, {kind} answers")
        for what, (value, low, high) in lines.items():
            limit = "   words alone cannot tell" if what in LIMITS else ""
            print(f"  {what:18} {value:.3f}  [{low:.3f}, {high:.3f}]{limit}")
    print("  verified: " + ", ".join(f"{what} {share:.0%}" for what, share in shares.items()))


def main() -> None:
    """Measure and print; write the numbers with ``--json``."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--rounds", type=int, default=400)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    record: dict[str, object] = {}
    for name in SETS:
        rows = read_rows(options.data, name)
        judged = judge_all(rows[len(rows) // 2 :])
        result, shares = figures(judged, options.rounds), verified_shares(judged)
        show(name, result, shares)
        per_second = speed(rows)
        print(f"  speed: {per_second:.0f} contexts of 900 words per CPU-second")
        record[name] = {"figures": result, "verified": shares, "contexts_per_cpu_second": per_second}
    others = {
        WHOLE: read_rows(options.data, WHOLE),
        "nq_open": read_questions(options.data)[QUESTIONS],
    }
    for name, rows in others.items():
        judged = judge_all(rows)
        result, shares = figures(judged, options.rounds), verified_shares(judged)
        show(name, result, shares)
        record[name] = {"figures": result, "verified": shares}
    for name, rows in (
        ("hotpotqa", read_rows(options.data, "hotpotqa")[:100:2]),
        ("nq_open", read_questions(options.data)[:400:8]),
    ):
        told, high, low = composed(rows)
        print(
            f"\ncomposed for {name}, evidence removed: {told:.3f}; mean score {high:.3f}, without {low:.3f}"
        )
        record[f"composed {name}"] = {"removed": told, "mean": high, "mean without": low}
    rows = read_rows(options.data, SETS[0])
    small, large = peak_memory(rows, 50), peak_memory(rows, 500)
    print(f"\nmemory while streaming: {small:.1f} MB at 50 rows, {large:.1f} MB at 500 rows")
    record["peak_mb"] = {"50 rows": small, "500 rows": large}
    if options.json:
        options.json.write_text(json.dumps(record, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
