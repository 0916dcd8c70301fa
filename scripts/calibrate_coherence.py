"""Fit the coherence score's calibration, and make the references it compares with.

Two steps, each writing one small JSON file beside the score:

    python -m scripts.calibrate_coherence references     # from the composer, on invented pairs
    python -m scripts.calibrate_coherence fit            # from human-annotated triples

Fitting uses the first half of each data file; the figures kept with the result are of the
second half, which nothing was fitted on. Only numbers are kept, no text of the data.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import math
from collections.abc import Sequence
from pathlib import Path

from benchmarks.metrics import Judged, auroc, balanced_accuracy, calibration_error
from benchmarks.probes import LIMITS, NEGATIVES, Row, probes, read_rows
from synthesis.coherence import background
from synthesis.coherence.scoring import combine, examine
from synthesis.text.answers import KINDS
from synthesis.text.words import terms

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "synthesis" / "coherence"
SETS = ("hotpotqa", "multinews")
REFERENCES = 64
REFERENCE_WORDS = 900

# Kinds with few rows lean on their neighbour: the pull (ridge) towards the prior weights.
SHORT_PRIOR = (2.0, 1.0, 1.0, 1.0, 1.0)
POLAR_PRIOR = (2.0, 1.5, 1.5, 2.0, 1.0)
SUMMARY_PRIOR = (2.0, 2.0, 1.0, 1.0, 1.0)
LEAST_WEIGHT = 0.3
PULL = {"span": 0.001, "numeric": 0.02, "yes/no": 0.1, "summary": 0.001}

SUBJECTS = (
    "the river ferry", "the school choir", "the glass workshop", "the mountain clinic",
    "the harbour council", "the seed library", "the night train", "the weather station",
)  # fmt: skip
QUESTIONS = (
    ("Who founded {} and why?", "a retired teacher"),
    ("When did {} first open its doors?", "1931"),
    ("How many people work at {}?", "forty"),
    ("Where did {} move after the flood?", "the old mill"),
    ("Did {} survive the strike?", "yes"),
    ("What did the inspectors find at {}?", "a sealed room"),
    ("Which town gave money to {}?", "Ostervale"),
    ("What does the report say about {}?", "Its costs doubled within a decade"),
)


def make_references() -> None:
    """Write which terms occur in which of 64 composed contexts, as one bit mask per term."""
    from synthesis.engines.composer.draft import GENRES, compose

    masks: dict[str, int] = {}
    pairs = [(q.format(s), a) for s in SUBJECTS for q, a in QUESTIONS]
    for k, (question, answer) in enumerate(pairs[:REFERENCES]):
        genre = sorted(GENRES)[k % len(GENRES)]
        text = compose(question, answer, words=REFERENCE_WORDS, genre=genre, seed=k).text
        for term in set(terms(text)):
            masks[term] = masks.get(term, 0) | 1 << k
    body = {term: f"{mask:x}" for term, mask in sorted(masks.items())}
    path = PACKAGE / "references.json"
    path.write_text(
        json.dumps({"count": len(pairs), "terms": body}, ensure_ascii=False, indent=0) + "\n", "utf-8"
    )
    print(f"{path}: {len(body)} terms of {len(pairs)} composed contexts")


Features = tuple[float, float, float, float]
Point = tuple[Features, bool, float]


def _balanced(points: Sequence[tuple[Features, bool]]) -> list[Point]:
    true = sum(y for _, y in points)
    return [(x, y, 0.5 / (true if y else len(points) - true)) for x, y in points]


def fit(points: Sequence[Point], prior: Sequence[float], pull: float, steps: int = 500) -> list[float]:
    """Logistic regression by Adam: weights at least ``LEAST_WEIGHT``, pulled towards ``prior``."""
    values, mean, spread = list(prior), [0.0] * 5, [0.0] * 5
    for step in range(1, steps + 1):
        slope = [pull * (v - p) for v, p in zip(values, prior, strict=True)]
        slope[0] /= 10  # the bias is free to move
        for x, y, weight in points:
            odds = values[0] + sum(v * f for v, f in zip(values[1:], x, strict=True))
            error = weight * (1 / (1 + math.exp(-max(-50.0, min(50.0, odds)))) - y)
            for j, f in enumerate((1.0, *x)):
                slope[j] += error * f
        slope[4] = 0.0  # log-odds already
        for j in range(5):
            mean[j] = 0.9 * mean[j] + 0.1 * slope[j]
            spread[j] = 0.99 * spread[j] + 0.01 * slope[j] ** 2
            rate = 0.03 * (mean[j] / (1 - 0.9**step))
            values[j] -= rate / (math.sqrt(spread[j] / (1 - 0.99**step)) + 1e-9)
            if j:
                values[j] = max(LEAST_WEIGHT, values[j])
    return values


def collect(rows: Sequence[Row]) -> dict[str, list[tuple[Features, bool]]]:
    """Per kind of answer: (logarithms of parts and the facts' log-odds, true or spoilt), without leaks."""
    found: dict[str, list[tuple[Features, bool]]] = {kind: [] for kind in KINDS}
    for probe in probes(rows):
        _, _, _, parts, leaks = examine(probe.context, probe.instruction, probe.answer)
        if not leaks:
            logs = [math.log(max(v, 1e-3)) for v in (parts.support, parts.relevance, parts.uniqueness)]
            found[probe.kind].append(
                ((logs[0], logs[1], logs[2], parts.verified.value), probe.what == "positive")
            )
    return found


def figures(rows: Sequence[Row]) -> dict[str, float]:
    """AUROC per way of spoiling (against the true forms of the same rows), ECE, balanced accuracy."""
    judged: dict[str, dict[int, float]] = {}
    for probe in probes(rows, limits=True):
        question, _, _, parts, leaks = examine(probe.context, probe.instruction, probe.answer)
        verdict = combine(question, parts, leaks)
        judged.setdefault(probe.what, {})[probe.row] = verdict.overall
    true = judged.pop("positive")
    result = {
        what: round(auroc([true[row] for row in judged[what]], list(judged[what].values())), 3)
        for what in (*NEGATIVES, *LIMITS)
        if what in judged
    }
    everything = [Judged(row, True, value) for row, value in true.items()]
    everything += [Judged(r, False, v) for what in NEGATIVES for r, v in judged.get(what, {}).items()]
    result["mean"] = round(sum(result[w] for w in NEGATIVES) / len(NEGATIVES), 3)
    result["calibration_error"] = round(calibration_error(everything), 3)
    result["balanced_accuracy"] = round(balanced_accuracy(everything), 3)
    return result


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(p for name in SETS for p in folder.glob(f"*/{name}.jsonl")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def make_calibration(folder: Path) -> None:
    """Fit on the first halves, measure on the second, write ``calibration.json``."""
    halves = {name: read_rows(folder, name) for name in SETS}
    points: dict[str, list[tuple[Features, bool]]] = {kind: [] for kind in KINDS}
    for rows in halves.values():
        for kind, found in collect(rows[: len(rows) // 2]).items():
            points[kind].extend(found)
    short = fit(_balanced(points["span"] + points["numeric"]), SHORT_PRIOR, 0.001)
    kinds = {}
    for kind in KINDS:
        prior = {"summary": SUMMARY_PRIOR, "yes/no": POLAR_PRIOR}.get(kind, short)
        values = fit(_balanced(points[kind]), prior, PULL[kind])
        names = ("bias", "support", "relevance", "uniqueness", "verdict")
        kinds[kind] = {name: round(v, 3) for name, v in zip(names, values, strict=True)}
    record = {
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "data": {"sets": list(SETS), "rows": "fitted on the first half of each", "sha256": _digest(folder)},
        "true_triples": {kind: sum(y for _, y in points[kind]) for kind in KINDS},
        "kinds": kinds,
    }
    path = PACKAGE / "calibration.json"
    path.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    background.calibration.cache_clear()
    record["held_out"] = {name: figures(rows[len(rows) // 2 :]) for name, rows in halves.items()}
    path.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    print(json.dumps(record, indent=1))


def main() -> None:
    """Run the step named on the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("step", choices=("references", "fit"))
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    options = parser.parse_args()
    if options.step == "references":
        make_references()
    else:
        make_calibration(options.data)


if __name__ == "__main__":
    main()
