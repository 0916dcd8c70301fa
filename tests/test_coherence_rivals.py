"""An answer among the names and figures that it might have been, by what each is and what is asked."""

import pytest

from synthesis.coherence.facts.candidates import candidates
from synthesis.coherence.facts.kinds import kind_asked
from synthesis.coherence.facts.passages import Passages
from synthesis.coherence.facts.relations import related
from synthesis.coherence.scoring import examine, score
from synthesis.text.words import terms

TEXT = (
    "The Grey Door is a film about a lighthouse. It was written by Orlo Braith of the Ferrowmere Writers "
    "Club, and the keeper Tam Reller (Ida Munt) speaks three languages in it. It was first shown in "
    "Harrow on 4 May 1931, a year before Kessel Records put out its songs."
)


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("who plays the keeper in the grey door", "part"),
        ("Who originally voiced the keeper?", "part"),
        ("who wrote the grey door", "maker"),
        ("Who first discovered the cave?", "maker"),
        ("who was the keeper", "person"),
        ("when was it shown", "time"),
        ("what did the council pay for it", "count"),
        ("how deep is the well", "count"),
        ("Which song was played?", "work"),
        ("why was it closed", "other"),
    ],
)
def test_what_kind_of_thing_a_question_asks_for(question: str, kind: str) -> None:
    assert kind_asked(question) == kind


@pytest.mark.parametrize(
    ("question", "answer", "others"),
    [
        ("when was the grey door first shown", "4 May 1931", ["Kessel Records", "Harrow"]),
        ("who wrote the grey door", "Orlo Braith", ["Kessel Records", "Ferrowmere Writers Club"]),
        ("where was the grey door first shown", "Harrow", ["Orlo Braith", "Kessel Records"]),
        ("who plays the keeper in the grey door", "Ida Munt", ["Kessel Records", "Harrow"]),
    ],
)
def test_an_answer_is_ahead_of_what_is_of_another_kind(question: str, answer: str, others: list[str]) -> None:
    def told(text: str) -> float:
        return examine(TEXT, question, text).parts.verified.value

    assert all(told(answer) > told(other) for other in others)


def test_a_relation_is_told_by_all_its_words() -> None:
    wrote = related(terms("who wrote it"))
    assert set(terms("author novelist written")) <= wrote
    assert not wrote & set(terms("champion buried located"))
    assert not related(terms("Harrow Bridge"))


def test_figures_are_found_with_their_sentences() -> None:
    passages = Passages(
        "It opened on 4 May 1931. In June 1932 the 3rd hall held 1,200 seats.\n\nMay 5, 1933 came."
    )
    found = {c.words.strip(): c.at for c in candidates(passages, True)}
    assert list(found) == ["4 may 1931", "june 1932", "3rd", "1200", "may 5 1933"]
    for places in found.values():
        for number, start, end in places:
            sentence = passages.sentences[number]
            assert sentence.start <= start < end <= sentence.end


def test_nothing_is_verified_in_a_context_about_something_else() -> None:
    stray = "The post is held for 9 seasons. In 1931 Kessel Records and Orlo Braith left."
    question = "how many seasons of the grey door are there"
    assert examine(stray, question, "9 seasons").parts.verified.right
    verdict = score(stray, question, "9 seasons")
    assert verdict.overall < 0.5
    assert not verdict.verified
