"""What a sentence denies, takes back or corrects is not what it claims."""

from __future__ import annotations

import pytest

from synthesis.coherence import score
from synthesis.coherence.facts.denied import claimed, denied, taken_back

ASKS = "Are the Varn Mine and the Lund Mine in the same country?"
OTHERS = "The Lund Mine is in Norway. Both were closed in 1950."


@pytest.mark.parametrize(
    "sentence",
    [
        "That the mine is in Peru was a misprint.",
        "That the mine is in Peru turned out to be false.",
        "That the mine is in Peru proved to be a hoax.",
        "The claim that the mine is in Peru has since been disproved.",
        "The myth that the mine is in Peru dies hard.",
        "An early report, which was wrong, put it in Peru.",
        "Some held that the mine is in Peru; it is not so.",
        "The guide falsely says that the mine is in Peru.",
        "A map of 1910 had placed the mine in Peru by mistake.",
        "The mine was once thought to be in Peru.",
        "Ida Holm lost a bet, for it is not true that the mine is in Peru.",
        "It would be wrong to say that the mine is in Peru.",
        "It is not so, though Ida Holm swore it, that the mine is in Peru.",
        "Ida Holm could never prove that the mine is in Peru.",
        "There is no evidence that the mine is in Peru.",
        "It is in no document that the mine is in Peru.",
    ],
)
def test_a_sentence_takes_back_what_it_tells(sentence: str) -> None:
    assert taken_back(sentence)
    assert score(f"{sentence} The Varn Mine is in Norway. {OTHERS}", ASKS, "Yes").overall > 0.9


@pytest.mark.parametrize(
    "sentence",
    [
        "The mine is in Norway, which Ida Holm long took for a misprint.",
        "Ida Holm lost a bet by denying that the mine is in Norway.",
        "The mine, whose owner is wrongly dressed, is in Norway.",
        "The rumour came from Norway.",
        "It was not only in Norway but also deep.",
        "The owner is a legend in Norway.",
        "He is mistakenly elected pope in Norway.",
    ],
)
def test_what_only_sounds_like_it_stays(sentence: str) -> None:
    assert not taken_back(sentence)
    assert "Norway" in claimed(sentence) or "Norway" not in sentence


@pytest.mark.parametrize(
    ("sentence", "kept"),
    [
        ("The Varn Mine is not in Peru but in Norway.", "The Varn Mine is in Norway."),
        ("The Varn Mine is in Norway, not Peru.", "The Varn Mine is in Norway,."),
        ("The Varn Mine is in Norway rather than in Peru.", "The Varn Mine is in Norway."),
        ("Contrary to what a map of Peru shows, the Varn Mine is in Norway.", "the Varn Mine is in Norway."),
        ("Instead of Peru, the Varn Mine is in Norway.", "the Varn Mine is in Norway."),
        ("The year was corrected from 1907 to 1911.", "The year was corrected to 1911."),
    ],
)
def test_what_another_thing_is_put_in_the_place_of_is_cut(sentence: str, kept: str) -> None:
    words = claimed(sentence).replace(" but ", " ").split()
    assert " ".join(words).replace(" .", ".").replace(" ,", ",").lstrip(", ") == kept
    if "Varn" in sentence:
        assert score(f"{sentence} {OTHERS}", ASKS, "Yes").overall > 0.9
        assert score(f"{sentence} {OTHERS}", ASKS, "No").overall < 0.1


def test_what_is_denied_behind_all_that_is_asked_is_something_else() -> None:
    told = "Ida Holm wrote the song, though not the words."
    assert not denied(told, 0, told.index(","), len(told))
    assert denied(told, 0, len(told), len(told))


def test_a_film_s_year_is_not_the_date_of_a_lecture_on_it() -> None:
    text = (
        "Ida Holm gave a lecture on Red Weir on 9 April 1883. Blue Weir came out in April 1907. "
        "Red Weir came out on 12 December 1910."
    )
    asks = "Which is the newest film, Blue Weir or Red Weir?"
    assert score(text, asks, "Red Weir").overall > 0.9 > 0.1 > score(text, asks, "Blue Weir").overall
