"""In a short text facts come before furniture: names and figures enough that no answer is the only one."""

from __future__ import annotations

import re
import statistics

import pytest

from synthesis.engines.composer.dials import Dials
from synthesis.engines.composer.draft import GENRES, Draft, compose
from synthesis.text.sentences import sentences
from synthesis.text.states import states
from tests.test_composer_steps import ASKED, COMPARED

PAIRS = [*[(question, answer) for question, answer, _ in ASKED], *COMPARED][::5]
QUESTIONS = " ".join(question for question, _ in PAIRS)
_NAME = re.compile(r"(?<![.!?”\"]\s)(?<!^)(?<!\n)\b[A-Z][a-z]+(?:\s+[A-Z][a-z]+)*")
_NUMBER = re.compile(r"\b\d[\d,]*\b")


def drafts(words: int, mode: str = "woven", **dials: int) -> list[tuple[str, str, Draft]]:
    return [
        (
            question,
            answer,
            compose(
                question,
                answer,
                words=words,
                genre=GENRES[at % len(GENRES)],
                key=str(at),
                mode=mode,
                dials=Dials(**dials),
            ),
        )
        for at, (question, answer) in enumerate(PAIRS)
    ]


def density(pattern: re.Pattern[str], made: list[tuple[str, str, Draft]]) -> float:
    return statistics.mean(
        100 * len(pattern.findall(draft.text)) / len(draft.text.split()) for _, _, draft in made
    )


@pytest.mark.parametrize("words", [160, 200, 300, 400])
def test_short_texts_are_full_of_names_and_figures(words: int) -> None:
    made = drafts(words)
    assert density(_NAME, made) > 12 and density(_NUMBER, made) > 2.5
    for _, _, draft in made:
        assert abs(len(draft.text.split()) - words) <= 0.03 * words
        told = [draft.text[start:end] for start, end in sentences(draft.text)]
        assert len(told) == len(set(told))


def test_longer_texts_keep_their_story_and_have_more_facts_than_one_with_evidence_alone() -> None:
    long, bare = drafts(700), drafts(700, mode="needle")
    assert density(_NAME, long) > 1.3 * density(_NAME, bare)
    assert density(_NUMBER, long) > 1.5 * density(_NUMBER, bare)


@pytest.mark.parametrize("words", [160, 300])
def test_evidence_has_company_and_no_place_of_its_own(words: int) -> None:
    places = []
    for _, _, draft in drafts(words):
        for piece in draft.evidence:
            start = draft.text.rfind("\n\n", 0, piece.start) + 1
            end = draft.text.find("\n\n", piece.end)
            before = sentences(draft.text[start : piece.start])
            after = sentences(draft.text[piece.end : end if end >= 0 else None])
            assert len(before) + len(after) >= 2
            places.append(len(before) / (len(before) + len(after)))
    assert 0.3 < statistics.mean(places) < 0.9 and statistics.pstdev(places) > 0.2


def test_pieces_of_evidence_stand_in_paragraphs_of_their_own() -> None:
    for _, _, draft in drafts(220):
        starts = [draft.text.count("\n\n", 0, piece.start) for piece in draft.evidence]
        assert len(starts) == len(set(starts))


def test_what_stands_beside_the_evidence_does_not_say_the_answer() -> None:
    for _, answer, draft in drafts(300):
        if answer.casefold() in ("yes", "no") or len(answer) < 4 or answer in QUESTIONS:
            continue
        rest = draft.text
        for piece in sorted(draft.evidence, key=lambda one: -one.start):
            rest = rest[: piece.start] + rest[piece.end :]
        assert not any(states(line, answer) for line in rest.splitlines())


def test_without_decoys_the_story_has_the_room() -> None:
    with_them, without = drafts(200), drafts(200, decoys=0)
    assert density(_NAME, without) < 0.7 * density(_NAME, with_them)
