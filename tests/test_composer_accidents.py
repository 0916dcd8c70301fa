"""No sentence around the evidence states the answer, in whatever form either is written."""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from synthesis.engines.composer import compose
from synthesis.engines.composer.decoys import distract as decoys
from synthesis.engines.composer.prose.guard import guard
from synthesis.text.finder import AnswerFinder
from synthesis.text.states import states

#: Spellings of one answer: each as the answer must be seen in a sentence with any other.
SAME = {
    "105": ("105", "a hundred and five", "A hundred and five", "one hundred five", "one hundred and five"),
    "percent": ("5%", "5 percent", "5 per cent", "five per cent", "Five percent"),
    "km": ("12 km", "twelve kilometres", "12 kilometers", "Twelve km"),
    "thousands": ("1,204", "1204", "one thousand two hundred and four"),
    "millions": ("2.5 million dollars", "$2,500,000", "$2.5 million"),
    "ordinal": ("22nd", "twenty-second", "the twenty-second"),
    "date": ("3 May 1990", "May 3rd, 1990", "1990-05-03", "the third of May 1990"),
    "of a year": ("the first of May", "1 May", "May 1st"),
    "tens": ("forty-two", "42", "Forty two"),
    "round": ("3,000", "three thousand", "30 hundred"),
    "none": ("0", "zero"),
    "one": ("1 mile", "one mile", "One miles"),
    "name": ("Zoë Barr", "zoe barr", "ZOË BARR"),
    "thing": ("the red boats", "red boat", "A Red Boat"),
    "city": ("cities of light", "the city of light"),
    "irish": ("Mr O'Brien", "mr o’brien"),
    "listed": ("salt and pepper", "pepper, salt"),
}
#: What is another answer, though it looks alike.
OTHER = (
    ("105", "a hundred and fifty"),
    ("105", "1154"),
    ("a hundred and five", "a hundred"),
    ("5%", "six per cent"),
    ("42", "forty"),
    ("twenty-two", "twenty"),
    ("twelve", "the twelfth"),
    ("red boat", "red"),
    ("Zoë Barr", "Zoë Holm"),
)
FRAMES = ("There were {} of them.", "{}, said the clerk.", "It was (about) {}!", "She had “{}” in mind")


@pytest.mark.parametrize("name", SAME)
@pytest.mark.parametrize("frame", FRAMES)
def test_every_spelling_is_seen(name: str, frame: str) -> None:
    for answer in SAME[name]:
        clean = guard("What is it?", answer).clean
        holds = decoys.Holder("What is it?", answer)
        for spelling in SAME[name]:
            sentence = frame.format(spelling)
            assert not clean(sentence), (answer, sentence)
            assert holds(sentence), (answer, sentence)


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize(("answer", "other"), OTHER)
def test_another_answer_is_none(answer: str, other: str, frame: str) -> None:
    sentence = frame.format(other)
    assert guard("What is it?", answer).clean(sentence)
    assert not decoys.Holder("What is it?", answer)(sentence)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [("12 km", "There were twelve of them."), ("in 1931", "They left in May 1931."), ("2 cups", "2. Cups")],
)
def test_a_number_alone_is_avoided_around_the_evidence(answer: str, sentence: str) -> None:
    assert not guard("What is it?", answer).clean(sentence)


WORDS = (
    "a hundred and five 105 5 % percent per cent twenty two 22 second May Jan 3 1990 the third of first one "
    "1 km kilometres Zoë zoe boats boat boating flies fly O'Brien d'Arc l'eau city cities 2.5 million 3,000 "
    "0 zero nineteen ninety 猫 猫犬 ½ ² ٣ 1990s 7th seventh hundredth thousandth $5 $ (x) “y” , and or hr "
    "hours"
)
PHRASES = st.lists(st.sampled_from(WORDS.split()), min_size=1, max_size=7).map(" ".join)


@settings(max_examples=600, deadline=None)
@given(PHRASES, PHRASES)
@example("and kilometres", "one ninety fly 3,000 km")
@example("Mr O'Brien", "mr obrien")
@example("3 May", "the third of May")
def test_the_finder_is_the_text_layer(answer: str, text: str) -> None:
    for sentence in (text, f"{text} {answer}", answer.upper()):
        assert AnswerFinder(answer)(sentence) == states(sentence, answer)


@pytest.mark.parametrize(
    "answer", ["a hundred and five", "5 percent", "seven", "1", "The Who", "the red boats"]
)
@pytest.mark.parametrize("genre", ["story", "news"])
def test_a_context_states_its_answer_in_its_evidence_only(answer: str, genre: str) -> None:
    for seed in range(4):
        draft = compose("How much of it was left?", answer, words=900, genre=genre, seed=seed)
        around = draft.text
        for span in reversed(draft.evidence):
            around = f"{around[: span.start]}\n\n{around[span.end :]}"
        assert not states(around, answer)
        assert abs(len(draft.text.split()) - 900) < 30


def test_distractors_never_state_the_answer() -> None:
    for answer in ("five per cent", "a hundred and five", "$120", "3 May 1990", "eleven"):
        sentences = decoys.distract("How much of it was left?", answer, random.Random(3))
        assert not any(states(next(sentences), answer) for _ in range(1500))
