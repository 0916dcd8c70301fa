"""Twins beside their samples, looked at: what differs, and what the composer's own account says of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from synthesis import Context, Pair, Rejected, Sample
from synthesis.engines.composer.draft import Written, compose, write
from synthesis.engines.composer.stating.proof import Query, Triple, answers

Item = tuple[Pair, Context]


def drafted(pair: Pair, words: int = 300, seed: int = 0) -> tuple[Item, Written]:
    """A pair with the composer's context, and what the composer planned to say in it."""
    draft = compose(pair.instruction, pair.answer, words=words, seed=seed, key=pair.id)
    context = Context(
        pair.id,
        draft.text,
        draft.evidence,
        engine="composer",
        evidence_source="exact",
        seed=seed,
        form=draft.form,
        hops=draft.hops,
    )
    written = write(pair.instruction, pair.answer, words=words, seed=seed, key=pair.id)
    list(written.paragraphs)  # near misses are known when they are told
    return (pair, context), written


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


def _renamed(text: str, swaps: Mapping[str, str]) -> str:
    """A text with every value of ``swaps`` exchanged, all at once."""
    if not swaps:
        return text
    found = "|".join(re.escape(one) for one in sorted(swaps, key=len, reverse=True))
    return re.sub(rf"(?<![\w-])(?:{found})(?![\w-])", lambda match: swaps[match[0]], text)


def proven(pair: Pair, written: Written, base: Sample, twin: Sample) -> bool | None:
    """Whether the composer's own account of a text, as the twin has it, makes the twin's answer the only one.

    What each statement says is known as triples; a statement counts where the twin has it, word for word but
    for the values that were exchanged. None where the evidence is in one step: there are no triples.
    """
    if written.query is None:
        return None
    text = twin.messages[0].content
    if twin.twin == "removed":
        left = [one.statement for one in written.planned if one.statement.text in text]
        wanted = {one.statement.text for one in written.planned if one.statement.what}
        return not wanted & {one.text for one in left} and _right(
            answers(written.query, [triple for one in left for triple in one.says])
        ) != _right({pair.answer})
    swaps = {one["was"]: one["now"] for one in shown(base, twin)}
    told = []
    for said in (*(planned.statement for planned in written.planned), *written.near):
        if _renamed(said.text, swaps) in text:
            told += [_exchanged(triple, swaps) for triple in said.says]
    found = answers(_asked(written.query, swaps), told)
    return _right(found) == _right({twin.answer}) and all(
        _renamed(one.statement.text, swaps) in text for one in written.planned if one.statement.what
    )


def _exchanged(triple: Triple, swaps: Mapping[str, str]) -> Triple:
    """Values may be written with another first letter in the statement."""
    subject, value = (_renamed(end, swaps) for end in (triple.subject, triple.value))
    return triple._replace(subject=subject, value=value)


def _asked(query: Query, swaps: Mapping[str, str]) -> Query:
    return replace(query, wanted=tuple(_exchanged(one, swaps) for one in query.wanted))


def _right(found: Iterable[str]) -> set[str]:
    return {re.sub(r"^(?:a|an|the) ", "", one.casefold().strip().rstrip(".")) for one in found}
