"""In a short text facts come before furniture: names and figures enough that no answer is the only one."""

from __future__ import annotations

import itertools
import random
import re
import statistics

import pytest

from synthesis.engines.composer.decoys.distract import distract
from synthesis.engines.composer.dials import Dials
from synthesis.engines.composer.draft import GENRES, Draft, compose
from synthesis.engines.composer.prose.asides import Asides
from synthesis.engines.composer.prose.guard import guard
from synthesis.engines.composer.stating.statements import QUOTED, Statement
from synthesis.text.sentences import sentences
from synthesis.text.states import states
from tests.test_composer_steps import ASKED, COMPARED

ALL = [*[(question, answer) for question, answer, _ in ASKED], *COMPARED]
PAIRS = ALL[::5]
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
            # A text of 160 words that holds three or four pieces has room for little beside each.
            assert len(before) + len(after) >= (1 if words < 200 else 2)
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


def edged(made: list[tuple[str, str, Draft]]) -> list[bool]:
    """For each piece of evidence that holds the answer, whether it begins or ends with it."""
    found = []
    for _, answer, draft in made:
        for piece in draft.evidence:
            # A heading that is the answer is no sentence.
            text = draft.text[piece.start : piece.end].split("\n")[-1].rstrip(".")
            at = text.casefold().find(answer.rstrip(".").casefold())
            if at >= 0:
                found.append(not 0.05 <= at / max(1, len(text) - len(answer)) <= 0.93)
    return found


def test_answers_stand_inside_their_sentences_as_often_as_in_peoples_texts() -> None:
    pairs = [pair for pair in ALL if pair[1].casefold() not in ("yes", "no")]
    made, bare = (
        [
            (question, answer, compose(question, answer, words=250, key=str(at), mode=mode))
            for at, (question, answer) in enumerate(pairs)
        ]
        for mode in ("woven", "needle")
    )
    assert statistics.mean(edged(made)) < 0.5 < 0.55 < statistics.mean(edged(bare))


def statement(text: str, answer: str, seed: int) -> str:
    told = [Statement(text, "answer")]
    return Asides(answer, guard(text, answer), random.Random(seed)).evidence(told)[0].text


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("The capital of Orvane is Sel.", "Sel"),
        ("Ada Voss was born on 3 May 1912.", "3 May 1912"),
        ("The Witness was directed by Niels Holm.", "The Witness"),
        ("The seat of the firm is in Washington, D.C.", "Washington, D.C."),
        ("It was in Ash that Ada Voss died.", "Ash"),
        ("Concerning Orvane, what is on record is this: 46%.", "46%"),
    ],
)
def test_an_aside_leaves_the_words_of_a_statement(text: str, answer: str) -> None:
    made = {statement(text, answer, seed) for seed in range(60)}
    assert len(made) > 15
    for told in made:
        assert answer in told and told.endswith(".") and ".." not in told and told.count(".,") <= 1
        inside = text[1:].rstrip(".")
        assert inside in told.replace("D.C.,", "D.C,")
        assert told == text or not told.startswith(answer) or told.startswith(text.rstrip(".") + ",")
        years = [int(year) for year in re.findall(r"\b1\d{3}\b", told)]
        assert years == [] or "1912" in text and min(years) == 1912


def test_a_title_keeps_its_capital_behind_a_source() -> None:
    told = {statement("For Heaven's Sake is a comedy by Ann Marcus.", "Ann Marcus", at) for at in range(60)}
    assert len(told) > 15 and all("For Heaven's Sake" in one for one in told)
    place = [Statement("In Cordessa it was Ann Marcus who showed it to all comers.", "answer")]
    asides = Asides("Ann Marcus", guard("Who showed it?", "Ann Marcus"), random.Random(3))
    said = [asides.evidence(place)[0].text for _ in range(60)]
    assert any(re.search(r"(?:,|that) in Cordessa", one) for one in said)


def test_evidence_and_false_leads_have_asides_alike() -> None:
    """Or an aside would tell which sentence to copy."""
    asides = Asides("Sel", guard("", "Sel"), random.Random(1))
    facts = list(itertools.islice(distract("What is the capital of Orvane?", "Sel", random.Random(2)), 400))
    longer = sum(told != fact for told, fact in zip(asides.beside(facts), facts, strict=True))
    assert 0.12 < longer / 400 < 0.4


def test_sentences_of_the_answer_and_quotations_stay_as_they_are() -> None:
    answer = "The roof leaked. The rain came in. Nobody mended it."
    whole = [
        Statement(one + ".", f"answer {at}/3") for at, one in enumerate(answer.rstrip(".").split(". "), 1)
    ]
    whole.append(Statement("The roof leaked.", "answer", QUOTED))
    for seed in range(20):
        assert Asides(answer, guard("", answer), random.Random(seed)).evidence(whole) == whole
