"""Yes and no where a sentence compares or denies it in other words than the question."""

from __future__ import annotations

import pytest

from synthesis.coherence import score
from synthesis.coherence.facts.verbs import base
from synthesis.text.words import terms

AROUND = "The harbour was quiet that winter. {} Nobody had expected a letter, and the ferry was late again."


@pytest.mark.parametrize(
    ("question", "told", "answer"),
    [
        (
            "Is the ice-flow model of Ferrandal and Lund-Okoye checked against satellite images?",
            "The ice-flow model of Ferrandal and Lund-Okoye is not checked against satellite images.",
            "No",
        ),
        (
            "Is the ice-flow model of Ferrandal and Lund-Okoye checked against satellite images?",
            "The ice-flow model of Ferrandal and Lund-Okoye is checked against satellite images.",
            "Yes",
        ),
        (
            "Did Queen Ysolde of Marrenland die in the same year as her rival, Duke Bertolf?",
            "Queen Ysolde of Marrenland died in the same year as her rival, Duke Bertolf.",
            "Yes",
        ),
        (
            "Did Queen Ysolde of Marrenland die in the same year as her rival, Duke Bertolf?",
            "Queen Ysolde of Marrenland did not die in the same year as her rival, Duke Bertolf.",
            "No",
        ),
        ("Did Ida Holm write the harbour song?", "It was Ida Holm who had written the harbour song.", "Yes"),
        ("Does Ida Holm win the Orle cup?", "Ida Holm won the Orle cup.", "Yes"),
        ("Did Ida Holm carry the Orle lamp?", "Ida Holm refused to carry the Orle lamp.", "No"),
        ("Did the Orle mill stop at Vik?", "The Orle mill stopped at Vik.", "Yes"),
        (
            "Are Lake Vintermo and Lake Sorrowmere both artificial?",
            "Lake Vintermo and Lake Sorrowmere are both artificial, though not large.",
            "Yes",
        ),
        (
            "Are Lake Vintermo and Lake Sorrowmere both artificial?",
            "That Lake Vintermo and Lake Sorrowmere are both artificial is not so.",
            "No",
        ),
        (
            "Are Lake Vintermo and Lake Sorrowmere both artificial?",
            "A sheet shows Lake Vintermo. The one so named is artificial. A card shows Lake Sorrowmere. "
            "The one so named is artificial.",
            "Yes",
        ),
        ("Did Ida Holm marry Sven Dahl?", "Ida Holm failed to marry Sven Dahl.", "No"),
    ],
)
def test_what_one_sentence_says_in_other_forms_decides(question: str, told: str, answer: str) -> None:
    other = {"Yes": "No", "No": "Yes"}[answer]
    right, wrong = (score(AROUND.format(told), question, one) for one in (answer, other))
    assert right.overall > 0.5 and right.verified
    assert wrong.overall < 0.5 and not wrong.verified


def test_two_sides_are_still_looked_at_each() -> None:
    text = (
        "Lake Vintermo\nLake Vintermo is an artificial lake.\n\n"
        "Lake Sorrowmere\nLake Sorrowmere is an artificial lake."
    )
    question = "Are Lake Vintermo and Lake Sorrowmere both artificial?"
    assert score(text, question, "Yes").overall > score(text, question, "No").overall


@pytest.mark.parametrize(
    "forms",
    [
        "die died dies", "carry carried carries carrying", "stop stopped stopping", "write wrote written",
        "win won winning", "use used using", "try tried tries", "own owned owning", "agree agreed agreeing",
        "have has had", "see saw seen", "marry married", "add added adding", "free freed",
        "write writing", "prove proved proving", "strike struck striking", "lay laid", "shake shook shaken",
    ],
)  # fmt: skip
def test_forms_of_a_verb_are_one(forms: str) -> None:
    assert len({base(term) for term in terms(forms)}) == 1


def test_other_words_stay_apart() -> None:
    words = [
        "king",
        "ring",
        "red",
        "bed",
        "need",
        "seed",
        "wing",
        "song",
        "board",
        "1931",
        "Łódź",
        "ing",
        "ed",
    ]
    assert len({base(term) for word in words for term in terms(word)}) == len(words)


@pytest.mark.parametrize(
    "denied",
    [
        "That the Varn Mine is in Peru was a misprint in the 1922 edition, since put right.",
        "The rumour that the Varn Mine is in Peru was given up once Ida Holm had seen the papers.",
        "Until 1931 some in Vik thought that the Varn Mine is in Peru, which is wrong.",
        "An old guide wrongly put the Varn Mine in Peru.",
    ],
)
def test_what_a_sentence_takes_back_is_no_value(denied: str) -> None:
    told = f"{denied} The Varn Mine is in Norway. The Lund Mine is in Norway. Both were closed in 1950."
    asks = "Are the Varn Mine and the Lund Mine in the same country?"
    assert score(told, asks, "Yes").overall > 0.9
    assert score(told, asks, "No").overall < 0.1
