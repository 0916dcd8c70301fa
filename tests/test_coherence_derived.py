"""Numbers that a context doesn't state but lets be reckoned: sums, differences, counts."""

import pytest

from synthesis.coherence import explain, locate, score
from tests.pretend import prose

_AROUND = prose(120, "before") + ".\n\n{}\n\n" + prose(120, "behind") + "."

RECKONED = [
    (
        "The Quillon mill was opened in 1931. It was a cold spring.\n\n"
        "The Quillon mill was closed in June 1988.",
        "How many years lay between the opening and the closing of the Quillon mill?",
        "57 years",
        "58 years",
        "from 1931 to 1988 it is 57",
    ),
    (
        "Edda Quill (4 May 1888 – 12 March 1957) was a painter of harbours.",
        "How old was Edda Quill when she died?",
        "68",
        "69",
        "it is 68",
    ),
    (
        "Ada Renn was born in 1874. Her brother Tobias Renn was born in 1891.",
        "Ada Renn is older than her brother Tobias Renn by how many years?",
        "seventeen",
        "sixteen",
        "it is 17",
    ),
    (
        "The crew of the Marten had on deck Ada, Bo, Cyril and Dag. The crew had in the engine room Ella, "
        "Finn, Gus and Hal. The crew of the Marten had in the galley Ida, Jon, Kit and Lars.",
        "How many people were in the crew of the Marten?",
        "12",
        "13",
        "lists of 4 and 4 and 4 make 12",
    ),
    (
        "The orchard at Sollen has 48 pear trees. Behind the wall of the orchard stand 27 plum trees.",
        "How many trees has the orchard at Sollen in total?",
        "75",
        "76",
        "48 and 27 make 75",
    ),
    (
        "The tower of Brack is 64 metres high. The tower of Varn is 51 metres high.",
        "By how many metres is the tower of Brack higher than the tower of Varn?",
        "13 metres",
        "14 metres",
        "from 51 m to 64 m it is 13",
    ),
    (
        "The Marten left Brest on 3 March 1902. The Marten came to Oslo on 15 March 1902.",
        "How many days lay between the Marten's leaving Brest and its coming to Oslo?",
        "12 days",
        "11 days",
        "it is 12",
    ),
]


@pytest.mark.parametrize(("told", "question", "answer", "wrong", "why"), RECKONED)
def test_a_number_follows_from_figures(told: str, question: str, answer: str, wrong: str, why: str) -> None:
    text = _AROUND.format(told)
    right, other = score(text, question, answer), score(text, question, wrong)
    assert right.overall > 0.6 > 0.2 > other.overall
    assert right.support > 0.6 and not other.verified
    assert any(why in line for line in explain(text, question, answer))
    places = [text[start:end] for start, end, _ in locate(text, question, answer)]
    assert any(place in told for place in places)
    # Without one of the sentences nothing follows.
    for sentence in told.split(". ")[:1]:
        assert score(text.replace(sentence, ""), question, answer).overall < 0.2


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("When was the Quillon mill closed?", "57"),
        ("Which number stood over the door of the Quillon mill?", "57"),
        ("How many years lay between the two floods of Hammerwell?", "57 years"),
        ("How many windows had the Quillon mill?", "57 windows"),
        ("How many days lay between the opening and the closing of the Quillon mill?", "57 days"),
    ],
)
def test_only_where_the_question_asks_for_it(question: str, answer: str) -> None:
    text = _AROUND.format(RECKONED[0][0])
    assert score(text, question, answer).overall < 0.2


def test_among_many_figures_none_is_reckoned() -> None:
    years = " ".join(f"The Quillon mill got wheel {n} in {1800 + 7 * n}." for n in range(2, 30))
    question = "How many years lay between the opening and the closing of the Quillon mill?"
    assert not any(score(years, question, f"{n} years").verified for n in range(30, 130, 3))
