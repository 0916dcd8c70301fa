"""Questions without a model: what is made of a sentence, of two, and what is left alone."""

from __future__ import annotations

import pytest

from synthesis.data import Context, Pair
from synthesis.engines.composer.asking import NothingToAsk, ask
from synthesis.engines.composer.asking.choose import _askable, _fits
from synthesis.engines.composer.asking.clauses import said_in
from synthesis.engines.composer.asking.wh import known_of
from synthesis.gate.repeats import RepeatedQuestions
from synthesis.options import QUESTIONS


def asked(kind: str, *passages: str, polarity: str = "yes") -> dict[str, str]:
    """Every question of a kind about some passages, with its answer; gaps left out."""
    read = [list(said_in(passage)) for passage in passages]
    every = [one for part in read for one in part]
    found = _askable(read, every, known_of(every), kind, polarity)
    return {one.question: one.answer for one in found if _fits(one, kind)}


@pytest.mark.parametrize(
    ("kind", "text", "question", "answer"),
    [
        ("span", "Otto Reuss built the bridge of Kelm.", "Who built the bridge of Kelm?", "Otto Reuss"),
        ("span", "The Kelm Bridge was opened in 1873.", "When was the Kelm Bridge opened?", "1873"),
        ("span", "Ilse Brandt was born in Kelm, Varrow.", "Where was Ilse Brandt born?", "Kelm, Varrow"),
        (
            "span",
            "The Kelm Bridge was built by Otto Reuss.",
            "By whom was the Kelm Bridge built?",
            "Otto Reuss",
        ),
        ("span", "Old Varrow is a town on the lake.", "What is Old Varrow?", "a town on the lake"),
        ("number", "The Kelm Guild has 412 members.", "How many members does the Kelm Guild have?", "412"),
        ("number", "Ann Holm (born 3 May 1901) is a poet.", "When was Ann Holm born?", "3 May 1901"),
        ("number", "Ann Holm moved to Kelm in 1922.", "In which year did Ann Holm move to Kelm?", "1922"),
        (
            "yes-no",
            "Ann Holm has also written a book on Kelm.",
            "Has Ann Holm written a book on Kelm?",
            "yes",
        ),
    ],
)
def test_sentences_are_turned_round(kind: str, text: str, question: str, answer: str) -> None:
    assert asked(kind, text).get(question) == answer


def test_what_is_denied_is_not_so() -> None:
    bridge = "The Kelm Bridge was opened by Otto Reuss in 1873."
    text = f"{bridge} The Varrow Tower was built by Ilse Brandt in 1841. Ann Holm is a Danish poet from Kelm."
    asks = list(asked("yes-no", text, polarity="no"))
    assert asks[:2] == [
        "Was the Kelm Bridge opened by Otto Reuss in 1841?",
        "Was the Varrow Tower built by Ilse Brandt in 1873?",
    ]
    assert asks[2].startswith("Is Ann Holm a") and "Danish" not in asks[2]


@pytest.mark.parametrize(
    "text",
    [
        "He built the bridge of Kelm in 1873.",
        "The company moved to the harbour of Kelm in 1873.",
        "A veteran of Kelm built the bridge in 1873.",
        "Rescuers built the bridge of Kelm in 1873.",
        "Two forces of Kelm landed in the harbour in 1873.",
        "Otto Reuss said of the harbour of Kelm.",
        "Otto Reuss — a smith — built the bridge of Kelm in 1873.",
        "Being built in Kelm in 1873, the bridge was new.",
        "Did Otto Reuss build the bridge of Kelm?",
    ],
)
def test_what_cannot_surely_be_read_is_left_alone(text: str) -> None:
    assert not any(asked(kind, text) for kind in ("span", "number", "yes-no"))


def test_a_date_that_is_of_something_else_is_not_asked_for() -> None:
    text = "Otto Reuss led the guild from 1870 to his dismissal in 1890."
    assert not [question for question in asked("span", text) if question.startswith("When")]


def test_something_is_described_by_what_another_passage_says_of_it() -> None:
    first = "Marta Vane is a smith from the lower town of Kelm."
    second = "Marta Vane moved to Varrow in 1879. The tower of Varrow was built by Marta Vane."
    found = asked("multi-hop", first, second)
    assert found["In which year did the smith from the lower town of Kelm move to Varrow?"] == "1879"
    built = "What was built by the smith from the lower town of Kelm?"
    assert found[built] == "The tower of Varrow"


def test_what_something_is_may_name_what_is_described() -> None:
    first = "Marta Vane is a Danish film director from Kelm."
    second = "The Long Tide is a 1961 drama film directed by Marta Vane."
    question = "What is the name of the 1961 drama film directed by the Danish film director from Kelm?"
    assert asked("multi-hop", first, second)[question] == "The Long Tide"


def test_a_name_inside_a_longer_one_is_another() -> None:
    first = "Kelm County is a county on the northern lake of Varrow."
    club = "Old Varrow was created as the Kelm County Rowing Club in 1901."
    assert asked("multi-hop", first, club) == {}
    title = 'Otto Reuss wrote the song "The Bells of Kelm County" in 1901.'
    assert asked("multi-hop", first, title) == {}


def test_two_are_compared_by_their_years() -> None:
    first, second = "Ann Holm (born 3 May 1901) is a poet.", "Otto Reuss (1841-1899) was an engineer."
    found = asked("multi-hop", first, second)
    assert found["Who was born first, Ann Holm or Otto Reuss?"] == "Otto Reuss"
    assert found["Who was born later, Ann Holm or Otto Reuss?"] == "Ann Holm"


def test_a_name_of_two_things_is_not_asked_about() -> None:
    text = "Sky High is a film by Ann Holm of Kelm. Sky High is a novel by Otto Reuss of Varrow."
    assert asked("span", text) == {}


TEXT = "The Kelm Bridge was opened in 1873. The ferry to the town of Old Varrow went twice a day until then."


def test_another_kind_is_asked_where_there_is_none_and_none_twice() -> None:
    kinds = ["summary", "span", "number"]
    seen = set()
    for place in range(20):
        try:
            kind, made = ask([TEXT], kinds, place=place)
        except NothingToAsk:
            break
        assert kind != "summary"
        assert (kind, made) not in seen
        seen.add((kind, made))
    assert 2 <= len(seen) < 20
    with pytest.raises(NothingToAsk, match="summary"):
        ask([TEXT], ["summary"], place=0)


def test_only_english_is_read() -> None:
    with pytest.raises(NothingToAsk, match="English"):
        ask(
            ["Die Brücke von Kelm wurde im Jahr 1873 von der Zunft eröffnet."],
            QUESTIONS,
            place=0,
        )


def test_a_question_asked_before_of_the_same_text_is_found() -> None:
    found = RepeatedQuestions()

    def look(name: str, question: str, answer: str, text: str = TEXT) -> str | None:
        return found.find(Pair(name, question, answer), Context(name, text))

    assert look("a", "When was the Kelm Bridge opened?", "1873") is None
    assert look("b", "when was the Kelm bridge opened?", "in 1874") == "a"
    assert look("c", "In which year was the Kelm Bridge opened?", "1873") in ("a", None)
    assert look("d", "Which bridge was opened in 1873?", "the Kelm Bridge") is None
    assert look("e", "When was the Kelm Bridge opened?", "1873", text="Another text.") is None
