"""Questions as people type them: small letters, no question word, two in one; and what is told of them."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import pytest

from synthesis.engines.composer.draft import compose
from synthesis.engines.composer.reading.casing import cased
from synthesis.engines.composer.reading.doubled import single
from synthesis.engines.composer.reading.phrases import phrases
from synthesis.engines.composer.stating.proof import answers
from synthesis.engines.composer.stating.statements import QUOTED, state
from synthesis.engines.composer.stating.steps.links import Link
from synthesis.engines.composer.stating.steps.plan import in_steps

# Question in small letters, answer, the question as it is written.
CASED = [
    ("what is the form of mozart symphony no 40", "x", "what is the form of Mozart symphony no 40"),
    ("who lit the tree in trafalgar square", "x", "who lit the tree in Trafalgar Square"),
    ("who opened the show in the us", "x", "who opened the show in the US"),
    ("what did he give us", "x", "what did he give us"),
    ("when may we go from turkey", "x", "when may we go from Turkey"),
    ("who ate the turkey", "x", "who ate the turkey"),
    ("when did david ostrel score", "x", "when did David Ostrel score"),
    ("who built the press in 1430s", "x", "who built the press in the 1430s"),
    ("where is the marlow river", "x", "where is the Marlow River"),
    ("when did ostrel join the guild", "Petra Ostrel", "when did Ostrel join the guild"),
    ("when did the song push it come out", "x", 'when did the song "Push It" come out'),
    ("who sang you are a boat and i am oak", "x", 'who sang "You Are a Boat and I Am Oak"'),
    ("who sang the theme of the evening", "x", "who sang the theme of the evening"),
    ("who is edmund on days of our lives", "x", 'who is Edmund on "Days of Our Lives"'),
    ("who plays captain phasma in the long winter", "x", 'who plays Captain Phasma in "The Long Winter"'),
    ("who played guitar in the band", "x", "who played guitar in the band"),
    ("how many seasons of the lighthouse are there", "x", 'how many seasons of "The Lighthouse" are there'),
    ("where was because i could not stop filmed", "x", 'where was "Because I Could Not Stop" filmed'),
    ("Who painted mozart?", "x", "Who painted mozart?"),
    ("sort = lambda x: x and mozart", "x", "sort = lambda x: x and mozart"),
]

# Question, answer, the statement.
TOLD = [
    ("the road to the tombs is called", "Spirit Way", " for the road to the tombs is Spirit Way."),
    ("nerves of the eye run to the", "lower ridge", "to the lower ridge."),
    ("the revolt in Sarvona was led by", "Ilse Voss", "Ilse Voss led the revolt in Sarvona."),
    ("a law passed by the council is an example of", "statute", "is a law passed by the council."),
    ("the vast dry area of Sarvona is known as the", "The Outback", " is the Outback."),
    ("industrial city on the canal", "Lorvento", "Lorvento is an industrial city on the canal."),
    ("what goes on the bottom of it", "minced meat", "It is minced meat that goes on the bottom of it."),
    ("last team to win the cup", "Arland", "Arland is the last team to win the cup."),
    ("third president of Sarvona", "Otto Frost", "Otto Frost is the third president of Sarvona."),
    ("list of books written by Otto Frost", "Tallow", "Tallow is one of the books written by Otto Frost."),
    ("most goals by 2 players in a season", "115", "115 is the most goals by 2 players in a season."),
    ("how many parks are present in Sarvona", "103", "103 parks are present in Sarvona."),
    ("how many seasons of the show are there", "9 seasons", "There are 9 seasons of the show."),
    ("how many episodes in season 2", "10", "There are 10 episodes in season 2."),
    ("what kind of dog is Laika", "mongrel female", "Laika is a mongrel female, a kind of dog."),
    ("what type of plate is Sarvona on", "ice belt", "Sarvona is on an ice belt, a type of plate."),
    ("what happened to the mill", "burned to the ground", "The mill was burned to the ground."),
    ("what happened to the mill", "electrical fire", "What happened to the mill was an electrical fire."),
    ("who does the voice of Amy", "Lena Frost", "Lena Frost does the voice of Amy."),
    ("when did Athens emerges as a city", "1204", "Athens emerged as a city in 1204."),
    ("when did Sarvona entered the war", "1939", "Sarvona entered the war in 1939."),
    ("what does a shark tooth look like", "a needle", "A shark tooth looks like a needle."),
    ("when did the first train run", "1560s", "The first train ran in the 1560s."),
    ("where does the road start and end", "Lorvento", " the road starts and ends is Lorvento."),
    ("who pays the bills", "general taxation", "It is general taxation that pays the bills."),
    ("what percentage of the lake is salt", "78%", "The percentage of the lake that is salt is 78%."),
    ("what are the roles of the fund", "foster trade", "The roles of the fund are to foster trade."),
    ("who appoints the chair", "President of Sarvona", "The President of Sarvona appoints the chair."),
    ("who founded the firm and what year", "1821", "The firm was founded in 1821."),
    ("which is the fastest train and what is its speed", "Gatiman", "The fastest train is Gatiman."),
]  # fmt: skip


@pytest.mark.parametrize(("question", "answer", "expected"), CASED)
def test_a_question_is_written_with_its_capitals(question: str, answer: str, expected: str) -> None:
    assert cased(question, answer) == expected


@pytest.mark.parametrize(("question", "answer", "expected"), TOLD)
def test_a_question_that_is_typed_is_told_as_a_fact(question: str, answer: str, expected: str) -> None:
    (statement,) = state(question, answer, random.Random(1))
    assert statement.form != QUOTED
    assert statement.text.endswith(expected)
    assert answer.casefold() in statement.text.casefold()


@pytest.mark.parametrize(
    ("question", "answer", "expected"),
    [
        ("who built it and when was it opened", "1821", "when was it opened"),
        ("where is the mill and what is its height", "Lorvento", "where is the mill"),
        ("who wrote the man who fell", "Ilse Voss", "who wrote the man who fell"),
        ("what did she say when he left", "nothing", "what did she say when he left"),
    ],
)
def test_of_two_questions_the_one_is_taken_that_the_answer_is_for(
    question: str, answer: str, expected: str
) -> None:
    assert single(question, answer).startswith(expected[:9])


@pytest.mark.parametrize(
    "order",
    ["Write a haiku about autumn", "Name three colours", "she's going to win", "Sort the names"],
)
def test_an_order_is_no_description(order: str) -> None:
    for statement in state(order, "Petra Voss", random.Random(1)):
        assert not statement.text.startswith("Petra Voss is")


def test_a_context_has_the_names_of_its_question_with_capitals() -> None:
    for seed in range(4):
        text = compose("who donates a tree to trafalgar square", "Oslo", words=250, seed=seed).text
        assert "trafalgar" not in text
        assert "Trafalgar Square" in text


@pytest.mark.parametrize(
    ("question", "spoken_of"),
    [
        ("Why does she stay even after the new bridge opens?", ["the new bridge"]),
        ("What does he hide before the bailiffs arrive at the old mill?", ["the old mill", "the bailiffs"]),
        ("axons forming the optic nerve run to the", ["the optic nerve"]),
        ("Which mineral bound the most salt in the mudflats of Tresk?", ["the mudflats of Tresk", "Tresk"]),
        ("Were the cooks Ada Riess and Tom Ott born in the same year?", ["the cooks Ada Riess and Tom Ott"]),
        ("What were the main causes of World War I?", ["the main causes of World War I"]),
        ("The dam at Lorvento took the place of a ferry; who built it?", ["Lorvento", "The dam at Lorvento"]),
        ("what is the form of Ostrel symphony no 40", ["Ostrel"]),
        ("Where is the stadium in which the Lorvento Herons play their matches?", ["the Lorvento Herons"]),
        ("how many episodes in season 2 of \"Fargo\"", ["“Fargo”"]),
    ],
)  # fmt: skip
def test_what_a_question_speaks_of_is_whole_and_a_thing(question: str, spoken_of: list[str]) -> None:
    found = phrases(question)
    assert found
    for phrase in found:
        assert any(phrase.casefold() in one.casefold() or one in phrase for one in spoken_of), found
        assert not re.search(r"\b(?:opens|arrive|run|same|place of|mineral|World War)$", phrase), found


def test_which_of_two_is_told_by_a_date_for_each() -> None:
    question = "Which of the brothers Farid and Samir Benhaddal was born on 3 March 1902?"
    for seed in range(5):
        steps = in_steps(question, "Samir Benhaddal", random.Random(seed))
        assert steps is not None
        assert {link.subject for link in steps.told} == {"Farid Benhaddal", "Samir Benhaddal"}
        says = [triple for link in steps.told for triple in link.says]
        assert answers(steps.query, says) == {"Samir Benhaddal"}
        values = {link.value for link in steps.told if link.role in ("value", "answer")}
        assert len(values) == 2


def test_a_comma_goes_with_the_apposition_that_it_closed() -> None:
    link = Link("the letters", "wrote", "Ulla Frost", ("{v}, turns out to have written {s}",), "answer")
    assert link.sentence(link.forms[0]) == "Ulla Frost turns out to have written the letters."
    own = replace(link, value="Gil, the watchman")
    assert own.sentence(own.forms[0]) == "Gil, the watchman, turns out to have written the letters."


def test_nobody_keeps_a_card_on_a_key() -> None:
    for seed in range(12):
        text = compose("what is the form of mozart symphony no 40", "G minor", words=200, seed=seed).text
        assert not re.search(r"(?:headed|index of|sheet on|marked) G minor", text)
        assert "stamp of" not in text


@pytest.mark.parametrize(
    ("question", "answer"),
    [("What is 3 feet in centimeters?", "91.44"), ("How many grams are in 2 pounds?", "907.18 g")],
)
def test_a_quantity_in_other_units_stands_in_the_reckoning_book(question: str, answer: str) -> None:
    draft = compose(question, answer, words=200, seed=3)
    assert draft.form == "ledger"
    assert "feet in centimeters is" not in draft.text  # no other quantity is converted wrongly


def test_a_title_is_spoken_of_as_what_it_is() -> None:
    for seed in range(8):
        text = compose("when did the song push it come out", "March 8, 1987", words=120, seed=seed).text
        assert not re.search(r'\b[Tt]hat "', text)


def test_an_office_has_its_article_and_a_person_none() -> None:
    for seed in range(8):
        text = compose("who appoints the chair", "President of Sarvona", words=200, seed=seed).text
        assert not re.search(r"\b[Tt]he [A-Z]\w+ [A-Z]\w+ appoints", text)
        assert ", The President" not in text
