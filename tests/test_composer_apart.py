"""Statements told in two sentences: the one with the answer repeats little of its question."""

from __future__ import annotations

import random
import re

import pytest

from synthesis.engines.composer.decoys.lives import fits, lived, stage, year_for, year_of
from synthesis.engines.composer.decoys.neutral import as_misses
from synthesis.engines.composer.dials import Dials
from synthesis.engines.composer.draft import compose
from synthesis.engines.composer.grammar.invent import Frames
from synthesis.engines.composer.grammar.wording import finish
from synthesis.engines.composer.reference.compendium import in_order
from synthesis.engines.composer.stating.proof import Triple
from synthesis.engines.composer.stating.steps.apart import Apart, joined
from synthesis.engines.composer.stating.steps.plan import in_steps
from synthesis.text.ngrams import plain_words
from synthesis.text.sentences import sentences
from synthesis.text.states import states
from tests.test_composer_misses import PLAIN
from tests.test_composer_steps import ASKED, COMPARED

#: Question, answer, the clause and its value, and what the last sentence may be.
TOLD = [
    (
        "What is the genus of a bald eagle?",
        "Haliaeetus",
        "the genus of a bald eagle is {v}",
        r"The genus is {v}\.",
    ),
    (
        "Who wrote the guitar solo in the song?",
        "Eddie Holm",
        "{v} wrote the guitar solo in the song",
        r"{v} wrote it\.|The .+ wrote the guitar solo in the song\.",
    ),
    (
        "Which king reserved the right to appoint bishops?",
        "Olaf II",
        "{v} reserved the right to appoint bishops",
        r"{v} reserved it\.|(?:That king|The \w+ .+) reserved the right to appoint bishops\.",
    ),
    (
        "Who won the first season?",
        "Bianca Rold",
        "{v} won the first season",
        r"{v} won it\.|The .+ won the first season\.",
    ),
    (
        "When was the first temple built in the town?",
        "1904",
        "the first temple was built in the town in {v}",
        r"(?:It|That temple) was built in the town in {v}\.",
    ),
    (
        "Who took the first steps on the moon in 1969?",
        "Neil Armst",
        "{v} took the first steps on the moon in 1969",
        r"{v} took .+|(?:In 1969 the|The) .+ took the first steps on the moon(?: in 1969)?\.",
    ),
    (
        "When do we find out who they are?",
        "Return",
        "As to when we find out who they are, the records are plain: {v}",
        r".+ {v}.*\.",
    ),
    (
        "Harry Kane wears the boot and also plays for what team?",
        "Ostergate",
        "Harry Kane wears the boot of the make, and also plays for {v}",
        r"The one spoken of also plays for {v}\.",
    ),
]


@pytest.mark.parametrize(("question", "answer", "clause", "last"), TOLD)
def test_a_statement_is_told_in_two_sentences(question: str, answer: str, clause: str, last: str) -> None:
    pattern = re.compile(last.replace("{v}", re.escape(answer)))
    for seed in range(20):
        told = Apart(question, answer, lambda _: True, random.Random(seed)).parted(clause, "", answer)
        assert told is not None and told.count("{v}") == 1
        parts = [finish(part) for part in joined(told.replace("{v}", answer))]
        assert len(parts) == 2 and pattern.fullmatch(parts[1]), parts
        assert "<" not in parts[0] and "{" not in parts[0]


@pytest.mark.parametrize("clause", ["{v} and others sang", "they came to {v}", "the number of it", "of {v}"])
def test_what_is_not_sure_to_be_english_stays_one(clause: str) -> None:
    told = Apart("Who came?", "Ines", lambda _: True, random.Random(1)).parted(clause, "", "Ines")
    assert told is None


def test_the_sentence_with_the_answer_repeats_little_of_the_question() -> None:
    shares = []
    for at, (question, answer) in enumerate([*[one[:2] for one in ASKED], *PLAIN]):
        if answer in ("yes", "no"):
            continue
        draft = compose(question, answer, words=200, key=str(at))
        asked = {*plain_words(question)}
        told = [draft.text[start:end] for start, end in sentences(draft.text)]
        own = [len({*plain_words(one)} & asked) / len(asked) for one in told if states(one, answer)]
        shares.append(max(own, default=0))
    assert sum(shares) / len(shares) < 0.42


def test_the_dates_of_one_follow_one_another() -> None:
    counted = 0
    for at, (question, answer) in enumerate([*COMPARED * 5, *[one[:2] for one in ASKED]]):
        draft = compose(question, answer, words=600, key=str(at), dials=Dials(decoys=8))
        for name in {one.subject for one in draft.says}:
            known = lived(name, draft.says)
            counted += len(known) > 1
            assert all(fits(one, [two for two in known if two != one]) for one in known), (name, draft.says)
    assert counted > 8


def test_a_year_fits_what_is_known_of_one() -> None:
    told = [Triple("Low Tide", "came out", "May 1931"), Triple("Low Tide", "{s} was begun in {v}", "1928")]
    for seed in range(200):
        rng = random.Random(seed)
        for relation in ("first showing announced", "death", "letter", "birth"):
            year = year_for(relation, "Low Tide", told, rng)
            assert year is not None and (
                year == "" or fits((stage(relation), int(year)), lived("Low Tide", told))
            )
        assert int(year_for("first showing announced", "Low Tide", told, rng) or 0) <= 1931
    assert year_for("birth", "Ida", told, random.Random(1)) is None


def test_a_life_is_read_from_what_is_said() -> None:
    told = [
        Triple("Ida", "birth", "1901"),
        Triple("Ida", "{s} died on {v}", "4 May 1960"),
        Triple("Ida", "married", "1910"),
    ]
    assert lived("Ida", told) == [(0, 1901), (3, 1910), (4, 1960)]
    assert not fits((3, 1910), [(0, 1901)]) and fits((3, 1920), [(0, 1901), (4, 1960)])
    assert year_of("in 1,950 or 1951") == 1951


def test_denials_and_phrases_stand_at_facts_about_others_too() -> None:
    facts = [f"Ida Holm sold {number} boats in Ostergate." for number in range(400)]
    frames = Frames("misses", random.Random(3))
    told = list(as_misses(facts, ["the old mill"], lambda _: True, frames, random.Random(3)))
    tailed = [one for one in told if "the old mill" in one]
    denied = [one for fact, one in zip(facts, told, strict=True) if one != fact and one not in tailed]
    assert 20 < len(tailed) < 90 and 8 < len(denied) < 45
    assert list(as_misses(facts, ["the old mill"], lambda _: False, frames, random.Random(3))) == facts


def test_more_of_what_is_not_counted_is_decided() -> None:
    little, much = (
        re.compile(r"next to no|little|hardly any"),
        re.compile(r"great deal|good deal|plenty|enough"),
    )
    for seed in range(12):
        steps = in_steps("Which has more scope of work, Ann Holm or Bo Lind?", "Bo Lind", random.Random(seed))
        assert steps is not None
        first, second = (one.text for one in steps.statements(random.Random(seed)))
        assert "Ann Holm" in first and little.search(first) and much.search(second), (first, second)


def test_sentences_of_an_entry_stand_in_the_order_of_their_years() -> None:
    told = [
        "Ida came to Marl.",
        "In 1950 she left.",
        "She liked it.",
        "On 4 May 1931 she sang.",
        "1,960 came.",
    ]
    assert in_order(told) == [told[0], told[3], told[2], told[1], told[4]]
