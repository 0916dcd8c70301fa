"""What is asked may be told in other forms of its words, or in words of the same meaning."""

from __future__ import annotations

import pytest

from synthesis.coherence import explain, score
from synthesis.coherence.kin import kin, root
from synthesis.text.words import terms


@pytest.mark.parametrize(
    "family",
    [
        "sustain sustainable sustainability", "europe european europeans", "islam islamic", "settle settler",
        "assassinate assassin assassination", "sing sang sung singer", "produce producer",
        "locate location", "important importance", "govern government governor", "write wrote writer written",
    ],
)  # fmt: skip
def test_words_of_one_family_have_one_root(family: str) -> None:
    assert len({root(term) for term in terms(family)}) == 1


def test_other_words_have_another() -> None:
    words = (
        "state star come comedy complete complement party part ring king nation native river rival 1931 Łódź"
    )
    alone = {root(term) for term in terms(words)}
    assert len(alone) == len(terms(words)) - 1  # a party is kept with its part


@pytest.mark.parametrize(
    ("asked", "told", "by"),
    [
        ("superbowl", "the giants won the Super Bowl", ["super"]),
        ("movie", "it was a film", ["film"]),
        ("england", "a British king", ["british"]),
        ("played", "starring Ida Holm", ["starr"]),
        ("founder", "it was founded", ["found"]),
    ],
)
def test_what_stands_for_a_word_that_is_not_there(asked: str, told: str, by: list[str]) -> None:
    (term,) = terms(asked)
    found, worth = kin([term], terms(told), set(terms(told)))[term]
    assert found == by and 0.5 < worth < 1


def test_nothing_stands_for_what_nothing_tells() -> None:
    told = terms("a bowl of super soup by the door")
    assert kin(terms("superbowl lighthouse"), told, set(told)) == {}


def test_an_answer_told_in_other_words_than_it_is_asked_for() -> None:
    told = "In the motion picture of 1961 the Orle innkeeper was portrayed by Ida Holm, an actress from Vik."
    asks = "who plays the landlord in the orle movie"
    assert score(told, asks, "Ida Holm").overall > 0.5
    assert score(told.replace("Ida Holm", "nobody"), asks, "Ida Holm").overall < 0.1
    assert not any("movie" in line for line in explain(told, asks, "Ida Holm"))


def test_another_form_of_the_answer_is_not_the_answer() -> None:
    assert score("The Orle settlers came in 1641.", "who settled in orle", "settlements").support < 0.1


def test_a_question_in_other_forms_is_no_echo() -> None:
    asks = "which Orle ship won golden harbour coastal award winter festival twice"
    told = f"{asks.replace('coastal', 'coast')} was asked often. Nobody but Ida Holm knew, and she had gone."
    assert score(told, asks, "Ida Holm").leaks == 1
    assert score(told.replace("coast", "coastal"), asks, "Ida Holm").leaks < 1
