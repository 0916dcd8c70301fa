"""Fit what tells an answer from the other names and figures of its context, and write it as JSON.

    python -m scripts.train_verifier [--data FOLDER]

Trained on rows that people wrote: the first halves of HotpotQA and of Natural Questions, which count as much
as each other, so that the few questions that take several steps are heard. In each, the true answer against
the other candidates of the same context (pairwise logistic regression); then its place among them against the
place of one drawn at random. Only numbers are kept, no text of the data: some five hundred weights, written
to ``synthesis/coherence/facts/verifier.json``.
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
from synthesis.coherence.facts.chain import Chain
from synthesis.coherence.facts.field import Field
from synthesis.coherence.facts.kinds import ASKS, kind_asked
from synthesis.coherence.facts.passages import Passages
from synthesis.coherence.facts.rivals import FEATURES, STANDING, alike, chosen, describe, standing
from synthesis.coherence.facts.verifier import placed
from synthesis.coherence.scoring import examine

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "synthesis" / "coherence" / "facts" / "verifier.json"
QUESTIONS = 800
PULL, PULL_BY_KIND, STEPS = 0.002, 0.006, 25
_ENOUGH = 1e-9  # of what is lost, by which a step no longer betters it


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
            chain = Chain(field, probe.instruction)
            table = np.array([describe(chain, one) for one in (mine, *others)])
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


def descend(table: Any, weight: Any, pull: Any) -> Any:
    """Logistic regression by Newton's steps, of rows that should all be positive, each with its weight."""

    def lost(values: Any) -> float:
        return float((weight * np.logaddexp(0, -(table @ values))).sum() + 0.5 * (pull * values**2).sum())

    values = np.zeros(table.shape[1])
    before = lost(values)
    for _ in range(STEPS):
        wrong = 1 / (1 + np.exp(table @ values))
        slope = -(table * (weight * wrong)[:, None]).sum(0) + pull * values
        bend = (table * (weight * wrong * (1 - wrong))[:, None]).T @ table + np.diag(pull + 1e-9)
        step = np.linalg.solve(bend, slope)
        while lost(values - step) > before and np.abs(step).max() > 1e-6:
            step = step / 2
        values = values - step
        now = lost(values)
        if before - now < _ENOUGH:
            break
        before = now
    return values


def train(sets: Sequence[Sequence[Described]]) -> tuple[Any, Any]:
    """The weights of a candidate's numbers, and (ahead, many, apart, bias) of its place; sets weigh alike."""
    shape = len(FEATURES) - STANDING
    pull = np.array([PULL] * len(FEATURES) + [PULL_BY_KIND] * (shape * len(ASKS)))
    tables, shares = [], []
    for found in sets:
        true = [_crossed(one) for one in found if one.true]
        tables += [table[0] - table[1:] for table in true]
        # A row with more rivals says more, but not as much as that.
        share = np.concatenate([np.full(len(table) - 1, 1 / np.sqrt(len(table) - 1)) for table in true])
        shares.append(share / share.sum() / len(sets))
    values = descend(np.concatenate(tables), np.concatenate(shares), pull)
    places, signs, balances = [], [], []
    for found in sets:
        for one in found:
            worth = _crossed(one) @ values
            others = [float(w) for w in worth[1:]]
            places.append((*standing(float(worth[0]), others, one.alike), 1.0))
        sign = np.array([1.0 if one.true else -1.0 for one in found])
        balance = np.where(sign > 0, 0.5 / (sign > 0).sum(), 0.5 / (sign < 0).sum())
        signs.append(sign)
        balances.append(balance / len(sets))
    sign = np.concatenate(signs)
    pull = np.array([0.001, 0.001, 0.001, 0.0])
    return values, descend(np.array(places) * sign[:, None], np.concatenate(balances), pull)


def main() -> None:
    """Fit and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    options = parser.parse_args()
    hotpot = read_rows(options.data, "hotpotqa")
    rows = hotpot[: len(hotpot) // 2]
    write(np.zeros(len(FEATURES) + (len(FEATURES) - STANDING) * len(ASKS)), np.zeros(4))
    sets = [list(described(rows)), list(described(read_questions(options.data)[:QUESTIONS]))]
    standing_of = write(*train(sets))
    print(f"{OUT}: {OUT.stat().st_size} bytes, from {sum(map(len, sets))} triples; {standing_of}")


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
