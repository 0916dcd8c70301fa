"""An answer among the names and figures that it might have been, by what each is and what is asked."""

import pytest

from synthesis.coherence.facts.candidates import candidates
from synthesis.coherence.facts.focus import read_focus
from synthesis.coherence.facts.kinds import closer_kind, fits, is_figure, is_month_or_day, kind_asked
from synthesis.coherence.facts.passages import Passages
from synthesis.coherence.facts.relations import related
from synthesis.coherence.facts.values import countries_in
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


@pytest.mark.parametrize(
    ("question", "near", "kind", "start"),
    [
        ("Who painted the room that Anna Berg shot?", "paint", "", "berg"),
        ("When was the director of Beat Girl born?", "born", "", "beat"),
        ("In the race, which Swiss driver finished second?", "driver", "swiss", "swiss"),
        ("who is the keeper of harrow bridge", "keeper", "keeper", "harrow"),
    ],
)
def test_what_is_asked_of_the_answer_and_what_the_question_starts_from(
    question: str, near: str, kind: str, start: str
) -> None:
    focus = read_focus(question)
    assert focus.near[near] == max(focus.near[term] for term in focus.near if term not in focus.start)
    assert start in focus.start
    assert not kind or kind in focus.kind


@pytest.mark.parametrize(
    ("question", "can", "cannot"),
    [
        ("what is the date of birth of Orlo Braith", "4 may 1931", "harrow"),
        ("which year did it open", "1931", "braith"),
        ("what nationality is the keeper", "swiss", "ida munt"),
        ("who kept it", "ida munt", "march"),
        ("how many rooms has it", "14", "harrow"),
        ("where is it", "harrow", "1931"),
    ],
)
def test_whether_a_name_can_be_of_the_kind_asked(question: str, can: str, cannot: str) -> None:
    def told(words: str) -> float:
        held = words.split()
        country = bool(countries_in(held))
        return fits(closer_kind(question), held, is_figure(held), is_month_or_day(held), country)

    assert told(can) > told(cannot) == -1


def test_a_choice_between_two_is_not_a_third() -> None:
    text = "Asarina is a genus of one species. Wigandia is a genus of plants named by Karl Kunth."
    question = "Which genus contains more species, Asarina or Wigandia?"
    assert score(text, question, "Wigandia").overall > score(text, question, "Karl Kunth").overall


def test_the_end_of_a_chain_is_ahead_of_what_leads_there() -> None:
    text = (
        "The Grey Door\nThe Grey Door is a film directed by Orlo Braith.\n\n"
        "Orlo Braith\nOrlo Braith was a director. His mother was Ida Munt."
        " He lived beside Tam Reller.\n\n"
        "The Long Room\nThe Long Room is a film directed by Sela Marsh."
    )
    question = "Who is the mother of the director of The Grey Door?"
    mine = examine(text, question, "Ida Munt").parts.verified.value
    assert all(
        mine > examine(text, question, other).parts.verified.value for other in ("Sela Marsh", "Orlo Braith")
    )


@pytest.mark.parametrize(
    ("told", "asks", "whole", "part"),
    [
        (
            "The beer hall uprising took place in {}, on 8 November 1923. Two thousand men marched there.",
            "where did the beer hall uprising take place",
            "Munich, Bavaria",
            "Munich",
        ),
        (
            "The film was written by {} in 2003. It was shown in Chennai and in Madurai.",
            "who was the film written by",
            "Bala Murugan and Jainendra Jain",
            "Bala Murugan",
        ),
        (
            "The panther soundtrack came out in {}. Its singles had come before it.",
            "when did the panther soundtrack come out",
            "February 9, 2018",
            "February 2018",
        ),
    ],
)
def test_the_place_of_a_part_tells_nothing_of_the_whole(told: str, asks: str, whole: str, part: str) -> None:
    """Where only a part of an answer stands, that it stands out among the names speaks for the part."""
    stated, partly = (score(told.format(form), asks, whole) for form in (whole, part))
    assert stated.overall > 0.8
    assert partly.overall < 0.5 and not partly.verified
