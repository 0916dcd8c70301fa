"""Twins beside their samples, looked at: what differs, and what the composer's own account says of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from synthesis import Context, Pair, Rejected, Sample
from synthesis.engines.composer.draft import Draft, compose

Item = tuple[Pair, Context]


def drafted(pair: Pair, words: int = 300, seed: int = 0) -> tuple[Item, Draft]:
    """A pair with the composer's context, and the draft with its account of itself."""
    draft = compose(pair.instruction, pair.answer, words=words, seed=seed, key=pair.id)
    context = Context(
        pair.id, draft.text, draft.evidence, engine="composer", evidence_source="exact", form=draft.form
    )
    return (pair, context), draft


def with_twins(outcomes: Iterable[Sample | Rejected]) -> Iterator[tuple[Sample, dict[str, Sample]]]:
    """Each sample with its twins by kind."""
    base: Sample | None = None
    twins: dict[str, Sample] = {}
    for outcome in outcomes:
        if isinstance(outcome, Rejected):
            continue
        if not outcome.twin:
            if base is not None:
                yield base, twins
            base, twins = outcome, {}
        else:
            assert base is not None and outcome.twin_of == base.id and outcome.pair_id == base.pair_id
            twins[outcome.twin] = outcome
    if base is not None:
        yield base, twins


def rest(sample: Sample, twin: Sample) -> tuple[list[str], list[str]]:
    """What of both messages lies outside the changes that the twin tells, piece by piece."""
    was, now = sample.messages[0].content, twin.messages[0].content
    old, new, at, here = [], [], 0, 0
    for change in twin.changes:
        old.append(was[at : change.was_start])
        new.append(now[here : change.start])
        at, here = change.was_end, change.end
    return [*old, was[at:]], [*new, now[here:]]


def shown(
    sample: Sample, twin: Sample, whats: Sequence[str] = ("evidence", "answer", "decoy")
) -> list[Mapping[str, str]]:
    """Each change as what stood there and what stands there now."""
    was, now = sample.messages[0].content, twin.messages[0].content
    return [
        {"was": was[one.was_start : one.was_end], "now": now[one.start : one.end]}
        for one in twin.changes
        if one.what in whats
    ]
