"""Whether a reply knows the answer where the question says from what to choose."""

from __future__ import annotations

import pytest

from synthesis.gate.answering import gives
from synthesis.gate.choices import offer_of

OLDER = "Who is older, Casimir Dolenwray or Hanako Itsugawa?"
MAGAZINES = "Which magazine was started first, Arthur's Magazine or First for Women?"
BOTH = "Does Ilse Brandt, Anna Holm or both of them play the cello?"
LETTERS = "Where does the Orle rise?\nA) Vik\nB) Lund\nC) Old Tarsk"


@pytest.mark.parametrize(
    ("question", "answer", "reply", "given"),
    [
        # All that is offered: nothing is known.
        (MAGAZINES, "Arthur's Magazine", "Arthur's Magazine or First for Women.", False),
        (MAGAZINES, "Arthur's Magazine", "Either Arthur's Magazine or First for Women.", False),
        (MAGAZINES, "Arthur's Magazine", "Arthur's Magazine and First for Women are magazines.", False),
        (MAGAZINES, "Arthur's Magazine", "Both Arthur's Magazine and First for Women.", False),
        (MAGAZINES, "Arthur's Magazine", "Arthur's Magazine is of 1844. First for Women of 1989.", False),
        (MAGAZINES, "Arthur's Magazine", "Neither Arthur's Magazine nor First for Women.", False),
        # One of it.
        (MAGAZINES, "Arthur's Magazine", "Arthur's Magazine", True),
        (MAGAZINES, "Arthur's Magazine", "First for Women.", False),
        (MAGAZINES, "Arthur's Magazine", "It was Arthur's Magazine, not First for Women.", True),
        (MAGAZINES, "First for Women", "It was Arthur's Magazine, not First for Women.", False),
        (MAGAZINES, "First for Women", "Not Arthur's Magazine but First for Women.", True),
        (MAGAZINES, "Arthur's Magazine", "Not Arthur's Magazine but First for Women.", False),
        (MAGAZINES, "Arthur's Magazine", "I do not think it was Arthur's Magazine.", False),
        # The question said again, then the choice.
        (MAGAZINES, "Arthur's Magazine", "Arthur's Magazine or First for Women? Arthur's.", True),
        (MAGAZINES, "First for Women", "Arthur's Magazine or First for Women? Arthur's.", False),
        (MAGAZINES, "Arthur's Magazine", "Of Arthur's Magazine and First for Women, Arthur's.", True),
        (MAGAZINES, "Arthur's Magazine", "Arthur's Magazine was started before First for Women.", True),
        (MAGAZINES, "First for Women", "Arthur's Magazine was started before First for Women.", False),
        (
            MAGAZINES,
            "Arthur's Magazine",
            "First for Women is of 1989 and Arthur's Magazine of 1844. So it was Arthur's Magazine.",
            True,
        ),
        (MAGAZINES, "Arthur's Magazine", "Arthur's Magazine. First for Women is of 1989.", True),
        (MAGAZINES, "Arthur's Magazine", "Arthur's Magazine was the earliest one.", True),
        # More than two, in other forms of question.
        ("Which is the largest: Rome, Paris or Oslo?", "Paris", "Rome, Paris or Oslo.", False),
        ("Which is the largest: Rome, Paris or Oslo?", "Paris", "Paris, Rome and Oslo.", False),
        ("Which is the largest: Rome, Paris or Oslo?", "Paris", "Paris is larger than Rome and Oslo.", True),
        ("Which of Berlin and Munich lies further north?", "Berlin", "Berlin and Munich", False),
        ("Which of Berlin and Munich lies further north?", "Berlin", "Berlin lies north of Munich.", False),
        ("Is Berlin or Munich the larger city?", "Munich", "Munich, rather than Berlin", True),
        ("Is Berlin or Munich the larger city?", "Munich", "Berlin or Munich", False),
        ("Which paper Me Naiset or Marie Claire is older?", "Me Naiset", "Marie Claire or Me Naiset", False),
        ("Which paper Me Naiset or Marie Claire is older?", "Me Naiset", "Me Naiset", True),
        ("Is it better to boil or to steam them?", "steam", "Boil or steam.", False),
        ("Which paper Me Naiset or Marie Claire is older?", "Me Naiset", "Marie Claire or Me Naiset", False),
        ("Which paper Me Naiset or Marie Claire is older?", "Me Naiset", "Me Naiset", True),
        ("Is it better to boil or to steam them?", "steam", "You should steam them.", True),
        (OLDER, "Casimir Dolenwray", "Dolenwray", True),
        (OLDER, "Casimir Dolenwray", "Dolenwray or Itsugawa", False),
        # The right answer is really both, or neither.
        (BOTH, "both", "Both.", True),
        (BOTH, "Both of them", "Ilse Brandt and Anna Holm.", True),
        (BOTH, "both", "Ilse Brandt or Anna Holm.", False),
        ("Who plays, Ilse or Anna?", "Ilse and Anna", "Ilse and Anna do.", True),
        ("Who plays, Ilse or Anna?", "Neither", "Neither Ilse nor Anna.", True),
        # Letters, and what they stand for.
        (LETTERS, "B", "(B)", True),
        (LETTERS, "B", "A, B or C", False),
        (LETTERS, "B", "Lund", True),
        (LETTERS, "B", "The answer is B, since Vik lies downstream.", True),
        (LETTERS, "Lund", "B) Lund", True),
        (LETTERS, "Lund", "C", False),
        (LETTERS, "Old Tarsk", "Vik, Lund or Old Tarsk", False),
        ("", "B", "Not A but B", True),
        ("", "A", "A or B", False),
        ("", "B", "I think B", True),
        ("", "Yes", "Yes or no", False),
        ("", "no", "Yes or no? No.", True),
        # No choice is offered, or none that the answer is of.
        ("Who mended the clock or the bell?", "Ilse Brandt", "Ilse Brandt mended them.", True),
        ("Who wrote it, and was it her first book or not?", "Ida Holm", "Ida Holm, not Anna.", True),
        ("Name one city of Paris, Texas or Paris, Ohio.", "Paris", "Paris", True),
    ],
)  # fmt: skip
def test_whether_a_choice_is_known(question: str, answer: str, reply: str, given: bool) -> None:
    assert gives(reply, answer, question) is given


@pytest.mark.parametrize(
    "text",
    [". " * 40_000, "A or B, " * 12_000, "(" * 90_000, "which of " * 12_000, "x" * 90_000, " " * 90_000],
)
def test_hostile_texts_are_read_in_time(text: str) -> None:
    for question, reply in ((text, "A"), (MAGAZINES, text), (text[:20_000], text)):
        gives(reply, "Arthur's Magazine", question)
        offer_of(question, "A")
