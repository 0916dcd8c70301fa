"""Told in entries: titled, each about one thing, full of names and figures, with the evidence among them."""

from __future__ import annotations

import statistics

import pytest

from synthesis.engines.composer.dials import Dials
from synthesis.engines.composer.draft import Draft, compose
from synthesis.engines.composer.engine import Composer
from synthesis.engines.composer.stating.proof import answers
from synthesis.errors import ConfigError
from synthesis.text.states import states
from tests.test_composer_steps import ASKED, COMPARED, WORKED_OUT

ENTRIES = Dials(telling="encyclopedia")
PAIRS = [*[(question, answer) for question, answer, _ in ASKED], *COMPARED, *WORKED_OUT][::4]


def drafts(words: int) -> list[tuple[str, str, Draft]]:
    return [
        (question, answer, compose(question, answer, words=words, key=str(at), dials=ENTRIES))
        for at, (question, answer) in enumerate(PAIRS)
    ]


@pytest.mark.parametrize("words", [200, 420, 2000])
def test_every_paragraph_is_a_titled_entry_and_the_length_is_kept(words: int) -> None:
    for question, _, draft in drafts(words):
        assert abs(len(draft.text.split()) - words) <= 0.03 * words, question
        first, *entries = draft.text.split("\n\n")
        for entry in entries if first.count(".") == 1 else [first, *entries]:
            title, _, body = entry.partition("\n")
            assert title and body and len(title.split()) < 16 and body.endswith("."), entry


def test_evidence_stands_in_entries_of_its_own_and_decides_the_question() -> None:
    for question, _, draft in drafts(420):
        starts = [draft.text.count("\n\n", 0, piece.start) for piece in draft.evidence]
        assert len(starts) == len(set(starts)), question
        assert len(draft.evidence) == draft.hops
        if draft.query is not None:
            assert len(answers(draft.query, draft.says)) == 1, question


def test_the_answer_is_told_by_the_evidence_alone() -> None:
    for question, answer, draft in drafts(700):
        if answer.casefold() in ("yes", "no", "two", "five") or answer in question:
            continue
        rest = draft.text
        for piece in reversed(draft.evidence):
            rest = rest[: piece.start] + rest[piece.end :]
        assert not any(states(line, answer) for line in rest.splitlines()), question


def test_entries_vary_in_what_stands_before_the_evidence() -> None:
    places = []
    for _, _, draft in drafts(420):
        for piece in draft.evidence:
            start = draft.text.rfind("\n\n", 0, piece.start) + 1
            end = draft.text.find("\n\n", piece.end)
            places.append((piece.start - start) / ((end if end > 0 else len(draft.text)) - start))
    assert statistics.pstdev(places) > 0.15


def test_a_telling_that_is_none_is_told() -> None:
    with pytest.raises(ConfigError, match="telling"):
        Composer(telling="sung")
