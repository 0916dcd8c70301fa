"""Talk about the text and the task: what can only be that, what adds up to it, and what any story may say."""

from __future__ import annotations

import pytest

from synthesis.coherence import score
from synthesis.coherence.talk import talk
from synthesis.text.words import terms
from tests.pretend import prose
from tests.real_texts import large_rows, needs_large, own_rows
from tests.test_gate import GOOD, PAIR, found

# Written after what a model of 135 million parameters wrote, in other words.
SAID = {
    "orders to a text": "The text must not include any names. The response should be rewritten in full.",
    "the task admired": "What a lovely little request: “Who mended it?”",
    "the text on itself": "The original text has been lost. It is a continuation of the previous story.",
    "where it comes from": "The context was provided by the text itself.",
    "to the asker": "In this context, you can write it as: she mended it.",
    "a note": "Note: The question wants a name, so one was chosen.",
    "the answer is": "So the answer is: Ilse Brandt",
    "the answer": "The answer: Ilse Brandt",
    "why": "Why this answer is the answer:\nShe was there.",
    "at the desk": "To make it easier to read and write, we need to leave out the clock.",
    "counted": "Words: 90 words, 3 paragraphs",
    "its length": "This is a part of the 100 words long story",
    "as requested": "Here is the full text, in the 100 words you requested.",
    "revised": "Here is the revised text:",
    "a form": "Premise: A clock.\nPronoun: She.\nSpan: 100 words",
    "labels in a row": "People: Mention that: Ilse Brandt mended it.",
    "brackets": "[The story goes on with several paragraphs about the tower.]",
    "marked": "The response is correct, with one detail too many.",
    "orders to a writer": "- Add it to the text.\n- Keep the sentences short.",
    "a quiz": "Asked about her, the answer was Ilse Brandt, which was correct.",
    "as asked": "It stood still, as in the question. What is your answer?",
}


@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
@pytest.mark.parametrize("where", ["{said}\n\n{good}", "{good}\n\n{said}\n\n{more}", "{good}\n\n{said}"])
def test_talk_about_the_task_is_fatal_wherever_it_stands(said, where) -> None:
    if said.startswith(("So the answer", "The answer")):  # on its last line alone it is the answer given away
        where = "{good}\n\n{said}"
    text = where.format(said=said, good=GOOD, more=prose(80, "z"))
    faults = found(text)
    assert {"prompt", "residue"} & faults.keys()
    assert "prompt" not in faults or faults["prompt"].anew
    assert score(text, PAIR.instruction, PAIR.answer).overall < 0.31


@pytest.mark.parametrize(
    "text",
    [
        "The answer was no, and she knew it. She asked again the next day.",
        "By law the text of the treaty must be read aloud in every parish, and the priest did so.",
        "The text is written on vellum. The text is a copy, and this text was bought in 1820. The original"
        " text is lost.",
        "Here is the full text of the statement. The mayor said the answer is not a new tax.",
        "The question asked whether the bridge should go. The answer was no. The question is about money.",
        "The immune response can include fever. This response is slow, and the response must start early.",
        "Genre: Waltz\nLength: 4 minutes\nLocation: Varrow\nTitle: The Tower",
        "You can add salt. You can also remove the lid. We need to choose a pan, and we can make it better.",
        "He wrote a 500-word story in one night, of about 200 words a page.",
        "[This story has been updated.]",
        "The answer: two new bells. The council agreed to it after a long debate.\n\nWork began in May.",
        "Note: the fair is closed on Sundays.\nPeople: 4,000",
        "“Write it down,” she said. “You should write the whole story.”",
        "In the response, the minister said that nothing had been decided.",
        "She had to answer the question. The request was refused in June.",
    ],
)
def test_what_any_text_may_say_passes(text) -> None:
    assert talk(text.lower()) == []
    assert not {"prompt", "residue"} & found(f"{GOOD}\n\n{text}\n\n{prose(60, 'y')}").keys()


def test_two_weak_turns_count_near_each_other_alone() -> None:
    one, other = "this was a summary of the story.", "premise: a clock."
    assert talk(one) == talk(other) == talk(f"{one}\n{one}") == []
    assert talk(f"{one}\n{other}") == ["talk about the task: “summary of the story”, “premise”"]
    assert talk(f"{one}\n{prose(300)}\n{other}") == []


def test_what_the_pair_says_is_no_talk() -> None:
    text = "the king said that the response must be rewritten before noon."
    asked = "Why did the king say that the response must be rewritten?"
    assert talk(text)
    assert talk(text, [tuple(terms(asked))]) == []


def test_other_languages_have_none_of_it() -> None:
    for text in ("le texte ne doit pas contenir de liste.", "文脈：水車は川のそばにある。", "", "\n" * 50):
        assert talk(text) == []


def test_none_of_our_texts_talk_of_a_task() -> None:
    assert [row["instruction"] for row in own_rows() if talk(row["context"].lower())] == []


@needs_large
def test_nor_do_texts_that_people_wrote() -> None:
    rows = [row for name in ("hotpotqa", "multinews") for row in large_rows(name)]
    assert [row["instruction"] for row in rows if talk(row["context"].lower())] == []
