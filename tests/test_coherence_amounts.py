"""Which of two has more, is larger, comes more often; and on which continent two things are."""

from __future__ import annotations

import pytest

from synthesis.coherence import score
from synthesis.coherence.facts.amounts import amounts, measured
from tests.pretend import prose

TEXT = """Varn Tower
Varn Tower is an office tower in Bergen, 412 feet (126 m) tall. Of its 31 floors two are empty. There
1,400 people work.

Orle Tower
Orle Tower was opened in 1964. It is 98 m high and has 24 floors. A shop in it sells 2,000 kinds of tea.

Asterella
Asterella is a genus of moss with only one species, native to North and South America. It won
two medals in 1990.

Brachella
Brachella is a genus of moss, native to eastern Africa. It has 17 species. It won five medals in 1992.

Harbour Notes
Harbour Notes is a weekly magazine from Vik. It has a staff of 12 and an area of 300 square metres.

Orle Post
The Orle Post is a monthly magazine. Its offices have an area of 90 square metres, and mice."""

CHOICES = [
    ("Which is taller, Varn Tower or Orle Tower?", "Varn Tower", "Orle Tower"),
    ("Which tower has fewer floors, Varn Tower or Orle Tower?", "Orle Tower", "Varn Tower"),
    ("Which genus has more species, Asterella or Brachella?", "Brachella", "Asterella"),
    (
        "Which genus contains the smallest number of species, Asterella or Brachella?",
        "Asterella",
        "Brachella",
    ),
    ("Which has won more medals, Asterella or Brachella?", "Brachella", "Asterella"),
    ("Which magazine appears more often, Harbour Notes or Orle Post?", "Harbour Notes", "Orle Post"),
    (
        "Which magazine is published less frequently, Harbour Notes or Orle Post?",
        "Orle Post",
        "Harbour Notes",
    ),
    ("Which has the larger area, Harbour Notes or Orle Post?", "Harbour Notes", "Orle Post"),
]


@pytest.mark.parametrize(("question", "right", "wrong"), CHOICES)
def test_amounts_of_two_are_compared(question: str, right: str, wrong: str) -> None:
    assert score(TEXT, question, right).verified
    assert score(TEXT, question, right).overall > 0.9 > 0.3 > score(TEXT, question, wrong).overall


@pytest.mark.parametrize(
    "question",
    ["Which is more famous, Varn Tower or Orle Tower?", "Which has more lifts, Varn Tower or Orle Tower?"],
)
def test_what_nothing_tells_is_not_decided(question: str) -> None:
    first, second = (score(TEXT, question, answer) for answer in ("Varn Tower", "Orle Tower"))
    assert min(first.overall, second.overall) > 0.4


@pytest.mark.parametrize(
    "told",
    [
        "It was opened in 1964.",
        "90 % of the floors are empty.",
        "Half its floors.",
        "Two thirds of all floors.",
        "Its floors are of the 1960s.",
        "Its 1/0 floors are odd.",
    ],
)
def test_years_and_shares_are_no_amounts(told: str) -> None:
    measure = measured("Which has more floors?")
    assert measure is not None and amounts([told], measure) == {}


def test_the_first_sentence_that_tells_an_amount_counts() -> None:
    measure = measured("Which has more floors?")
    assert measure is not None
    told = ["It is a tower.", "It has 24 floors, of which three floors are empty.", "The shop has 40 floors."]
    assert amounts(told, measure) == {"": 24}


@pytest.mark.parametrize("question", ["Which is older?", "Who wrote it?", "Which is more or less?"])
def test_no_amount_is_asked_for(question: str) -> None:
    assert measured(question) is None


def test_continents_are_compared() -> None:
    asks = "Are Asterella and Brachella native to the same continent?"
    assert score(TEXT, asks, "No").overall > 0.9 > 0.1 > score(TEXT, asks, "Yes").overall
    same = TEXT.replace("eastern Africa", "Southern America")
    assert score(same, asks, "Yes").overall > 0.9 > 0.1 > score(same, asks, "No").overall


def test_what_opens_with_a_side_tells_of_it_among_many_that_name_it() -> None:
    said = [
        f"{' '.join(prose(9, str(n)).split()).rstrip('.')} for Asterella and Brachella." for n in range(40)
    ]
    around, behind = " ".join(said[:20]), " ".join(said[20:])
    text = f"{around} Asterella has one species. {behind} A guide says that Brachella has 17 species."
    asks = "Which genus has more species, Asterella or Brachella?"
    assert score(text, asks, "Brachella").overall > 0.9 > 0.1 > score(text, asks, "Asterella").overall
