"""Fit what tells an answer from the other names and figures of its context, and write it as JSON.

    python -m scripts.train_verifier [--data FOLDER]

Trained on rows that people wrote: the first halves of HotpotQA and of Natural Questions. In each, the true
answer against the other candidates of the same context (pairwise logistic regression); then its place among
them against the place of one drawn at random. Only numbers are kept, no text of the data: some five hundred
weights, written to ``synthesis/coherence/facts/verifier.json``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.probes import Row, probes, read_questions, read_rows
from synthesis.coherence.evidence import answer_spans
from synthesis.coherence.facts import rivals
from synthesis.coherence.facts.candidates import candidates
from synthesis.coherence.facts.field import Field
from synthesis.coherence.facts.passages import Passages
from synthesis.coherence.facts.rivals import ASKS, FEATURES, alike, chosen, describe, kind_asked, standing
from synthesis.coherence.facts.verifier import placed
from synthesis.coherence.scoring import examine

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "synthesis" / "coherence" / "facts" / "verifier.json"
QUESTIONS = 800
STANDING = FEATURES.index("relation just before") + 1
PULL, PULL_BY_KIND, STEPS = 0.002, 0.006, 400


class Described(NamedTuple):
    """One triple: the kind asked; a row of numbers for the answer, then for each rival; which are alike."""

    true: bool
    asked: str
    numbers: Any
    alike: list[bool]


def described(rows: Sequence[Row]) -> Iterator[Described]:
    """The true triples and those with another candidate as the answer, as numbers."""
    for probe in probes(rows, limits=True):
        if probe.what not in ("positive", "distract") or probe.kind not in ("span", "numeric"):
            continue
        question, _, _, parts, _ = examine(probe.context, probe.instruction, probe.answer)
        spans = answer_spans(probe.context, question, parts)
        if not spans:
            continue
        passages = Passages(probe.context)
        names = candidates(passages, False)
        field = Field(passages, question.asked, names)
        mine = placed(passages, probe.answer, spans)
        found = names + candidates(passages, True)
        others = chosen(field, found, f" {' '.join(question.instruction)} ", mine.words)
        if others and mine.at:
            table = np.array([describe(field, one) for one in (mine, *others)])
            asked = kind_asked(probe.instruction)
            yield Described(probe.what == "positive", asked, table, alike((mine, *others)))


def _crossed(one: Described) -> Any:
    """Besides the numbers themselves those of the shape once more for the kind that is asked."""
    shape = len(FEATURES) - STANDING
    table = np.zeros((len(one.numbers), len(FEATURES) + shape * len(ASKS)))
    table[:, : len(FEATURES)] = one.numbers
    at = len(FEATURES) + shape * ASKS.index(one.asked)
    table[:, at : at + shape] = one.numbers[:, STANDING:]
    return table


def descend(table: Any, weight: Any, pull: Any, steps: int = STEPS) -> Any:
    """Logistic regression by Adam of rows that should all be positive, each with its weight."""
    values, mean, spread = (np.zeros(table.shape[1]) for _ in range(3))
    for step in range(1, steps + 1):
        slope = -(table * (weight / (1 + np.exp(table @ values)))[:, None]).sum(0) + pull * values
        mean, spread = 0.9 * mean + 0.1 * slope, 0.99 * spread + 0.01 * slope**2
        values -= 0.05 * (mean / (1 - 0.9**step)) / (np.sqrt(spread / (1 - 0.99**step)) + 1e-9)
    return values


def train(found: Sequence[Described]) -> tuple[Any, Any]:
    """The weights of a candidate's numbers, and (ahead, many, apart, bias) of its place."""
    tables, shares = [], []
    for one in found:
        if one.true:
            table = _crossed(one)
            tables.append(table[0] - table[1:])
            # A row with more rivals says more, but not as much as that.
            shares.append(np.full(len(table) - 1, 1 / np.sqrt(len(table) - 1)))
    weight = np.concatenate(shares)
    shape = len(FEATURES) - STANDING
    pull = np.array([PULL] * len(FEATURES) + [PULL_BY_KIND] * (shape * len(ASKS)))
    values = descend(np.concatenate(tables), weight / weight.sum(), pull)
    places, signs = [], []
    for one in found:
        worth = _crossed(one) @ values
        places.append((*standing(float(worth[0]), [float(w) for w in worth[1:]], one.alike), 1.0))
        signs.append(1.0 if one.true else -1.0)
    sign = np.array(signs)
    balance = np.where(sign > 0, 0.5 / (sign > 0).sum(), 0.5 / (sign < 0).sum())
    return values, descend(np.array(places) * sign[:, None], balance, np.array([0.001, 0.001, 0.001, 0.0]))


def main() -> None:
    """Fit and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    options = parser.parse_args()
    hotpot = read_rows(options.data, "hotpotqa")
    rows = hotpot[: len(hotpot) // 2]
    write(np.zeros(len(FEATURES) + (len(FEATURES) - STANDING) * len(ASKS)), np.zeros(4))
    found = [*described(rows), *described(read_questions(options.data)[:QUESTIONS])]
    standing_of = write(*train(found))
    print(f"{OUT}: {OUT.stat().st_size} bytes, from {len(found)} triples; {standing_of}")


def write(values: Any, place: Any) -> dict[str, float]:
    """Write what was fitted; gives what the place among the others weighs."""
    shape = len(FEATURES) - STANDING
    asked = {
        kind: [round(float(v), 3) for v in values[len(FEATURES) + n * shape :][:shape]]
        for n, kind in enumerate(ASKS)
    }
    names = ("ahead", "many", "apart", "bias")
    standing_of = {name: round(float(v), 3) for name, v in zip(names, place, strict=True)}
    record = {
        "features": list(FEATURES),
        "every": [round(float(v), 3) for v in values[: len(FEATURES)]],
        "asked": asked,
        "standing": standing_of,
    }
    OUT.write_text(json.dumps(record, separators=(",", ":")).replace('],"', '],\n"') + "\n", "utf-8")
    rivals.weights.cache_clear()
    return standing_of


if __name__ == "__main__":
    main()
