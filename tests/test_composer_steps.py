"""Evidence in steps: described things get names, no step gives question and answer together."""

from __future__ import annotations

import random
import re

import pytest

from synthesis import Pair, synthesize
from synthesis.data import Context
from synthesis.engines.composer.engine import Composer
from synthesis.engines.composer.stating.proof import answers
from synthesis.engines.composer.stating.statements import state
from synthesis.engines.composer.stating.steps.plan import Steps, in_steps
from synthesis.errors import ConfigError
from synthesis.text.states import states

# question, answer, and what the first step must tell of
ASKED = [
    ("Where was the place of death of the director of film The Lost Quay (1938 Film)?", "Upper Marl", "Quay"),
    ("When was the composer of film Rain On Tin born?", "4 June 1921", "Rain On Tin"),
    ("Who is the father of the performer of song Late Bus?", "Otto Brandl", "Late Bus"),
    ("What is the date of birth of Mira Tolland's husband?", "September 2, 1971", "Mira Tolland"),
    ("When did Konrad, Duke Of Ellersland's father die?", "28 June 1714", "Konrad, Duke Of Ellersland"),
    ("In what year was the writer of \"The Salt Road\" born?", "1874", "The Salt Road"),
    ("The Long Pier starred an actress who has won how many Silver Keys?", "two", "The Long Pier"),
    ("Harbour Bank is in a country that is bordered by what country to the west?", "Sudan", "Harbour Bank"),
    ("What is the capital of the country in which Aimé Kouadio was born?", "Yamoussoukro", "Aimé Kouadio"),
    ("The Tern Cup was held at a stadium that has been the home of what team?", "Marl Rovers", "Tern Cup"),
    ("Who created the series that featured the lighthouse keeper Orm?", "Jo Brandt", "Orm"),
    ("When was the castle where Ada Marsh is buried built?", "the 19th century", "Ada Marsh"),
    ("Marten Dale is the coach of an actor well known for playing what role?", "Old Tom", "Marten Dale"),
    ("Who wrote the script for the film directed by a friend of Ada Marsh?", "Jo Brandt", "Ada Marsh"),
    ("Which award did the director of film Blue Acre receive?", "Golden Oar", "Blue Acre"),
    ("Where was the captain that the Marl Ferry is named after born?", "Upper Marl", "Marl Ferry"),
    ("Ada Marsh sailed with an expedition led by what explorer?", "Jo Brandt", "Ada Marsh"),
    ("Ada Marsh was born in a village that is how far from Ellesby?", "261 km", "Ada Marsh"),
    ("What position did the player who rowed for Marl Rovers play?", "cox", "Marl Rovers"),
    ("In which city is the university that Ada Marsh left located?", "Ellesby", "Ada Marsh"),
    ("Who is the paternal grandfather of Ada Marsh?", "Otto Brandl", "Ada Marsh"),
    ("Who is Ada Marsh's mother-in-law?", "Jo Brandt", "Ada Marsh"),
    ("The hall where the Marl Rovers sang their songs can seat how many people?", "3,677", "Marl Rovers"),
    ("The sailor who married Ada Marsh commanded Oar Castle until what year?", "1874", "Ada Marsh"),
    ("What group owns the brewery in the Highlands that licenses the Old Oar name?", "LT Group", "Old Oar"),
]  # fmt: skip

COMPARED = [
    ("Which film has the director who is older, Bar Nine or The Heron?", "Bar Nine"),
    ("Which film has the director who died first, Long Acre or Ash Lane (Film)?", "Ash Lane (Film)"),
    ("Which album was released first, Dim Light or In The Fields?", "In The Fields"),
    ("Who was born later, Anson Reeve or Anna Marlow?", "Anson Reeve"),
    ("Who is younger, Cathy Moor or Pamela Shoop?", "Pamela Shoop"),
    ("Which magazine was started first Marl's Magazine or Oar for Women?", "Oar for Women"),
    ("Which film whose director is younger, Bar Nine or The Heron?", "The Heron"),
    ("Which brand was created first, Crush or Yellow?", "Yellow"),
    ("Which is the newest film, Bar Nine or The Heron?", "The Heron"),
    ("Who has won more Silver Keys, Ada Marsh or Jo Brandt?", "Jo Brandt"),
    ("Which genus contains fewer species, Asaria or Wigandra?", "Asaria"),
    ("Which tower is taller, Marl Tower or Oar Tower?", "Marl Tower"),
    ("Which town has the larger population, Upper Marl or Ellesby?", "Ellesby"),
    ("Who lived longer, Ada Marsh or Jo Brandt?", "Ada Marsh"),
    ("Which magazine is published more often, Oar or Sail?", "Sail"),
    ("Who has more scope of profession, Ada Marsh or Jo Brandt?", "Ada Marsh"),
]

# The same of two, kinds of two, dates of two; numbers that are worked out; what two have in common.
WORKED_OUT = [
    ("Are Marl Mine and Oar Mine in the same country?", "yes"),
    ("Are Ada Marsh and Jo Brandt of the same nationality?", "no"),
    ("Were Marl College and Oar College founded the same year?", "no"),
    ("Do Ada Marsh and Jo Brandt share the same occupation?", "yes"),
    ("Are both Ada Marsh and Jo Brandt poets?", "yes"),
    ("Are both Ada Marsh and Jo Brandt poets?", "no"),
    ("Are both The Heron and Bar Nine documentaries?", "no"),
    ("Were both Oar and Sail formed in the 1990s?", "no"),
    ("Were both Oar and Sail founded before 1900?", "yes"),
    ("Do the directors of films Bar Nine and The Heron share the same nationality?", "no"),
    ("Do the drinks Marl and Oar both contain gin?", "no"),
    ("Did Ada Marsh and Jo Brandt both sail to Iceland?", "yes"),
    ("Are Marl Hall and Oar Hall both used for dances?", "no"),
    ("In which coastal town was Ada Marsh given the Oar Prize?", "Ellesby"),
    ("How many medals did Ada Marsh and Jo Brandt win together?", "31"),
    ("How many more medals did Ada Marsh win than Jo Brandt?", "12"),
    ("How many years did Ada Marsh live?", "81"),
    ("How long did Ada Marsh reign?", "14 years"),
    ("How many children did Ada Marsh have?", "five"),
    ("What occupation was shared by Ada Marsh and Jo Brandt?", "cooper"),
    ("Which king of Ellersland born in 1170 gave the town of Marl its charter?", "Otto II"),
    ("Which sailor rowed in Marl Bay and signed the Oar Treaty?", "Otto Brandl"),
    ("The song Late Bus is heard in what 2006 dance film directed by Ada Marsh?", "Step Down"),
    ("Who wrote the hymn of Marl and later sang for the Oar Club?", "Jo Brandt"),
    ('What was the name of the 1996 adaptation of "The Oar" written by Ada Marsh?', "Tern and Gull"),
    ("Who was the ferryman that married Ada Marsh and later rowed for Marl Rovers?", "Otto Brandl"),
    ("Ada Marsh built which arcade in the Marl Harbour area?", "Tern Arcade"),
    ("Otto Brandl is a sailor in which of Ada Marsh's novels?", "The Long Pier"),
    ("Which director is known for a bare style, Ada Marsh or Jo Brandt?", "Jo Brandt"),
]


def told(question: str, answer: str, seed: int, hops: int | str = "auto") -> tuple[Steps, list[str]]:
    steps = in_steps(question, answer, random.Random(seed), hops)
    assert steps is not None, question
    texts = [one.text for one in steps.statements(random.Random(seed))]
    labels = [one.what for one in steps.statements(random.Random(seed))]
    assert [label.split(":")[0] for label in labels] == [
        f"hop {at} of {len(texts)}" for at in range(1, len(texts) + 1)
    ]
    return steps, texts


def right(steps: Steps) -> set[str]:
    found = answers(steps.query, [triple for link in steps.told for triple in link.says])
    return {one.casefold().removeprefix("a ").removeprefix("an ") for one in found}


@pytest.mark.parametrize(("question", "answer", "subject"), ASKED)
@pytest.mark.parametrize("seed", range(5))
def test_each_step_is_needed(question: str, answer: str, subject: str, seed: int) -> None:
    steps, (first, last) = told(question, answer, seed)
    (bridge,) = steps.names
    assert subject in first and bridge in first and bridge in last
    assert states(last, answer) and not states(first, answer)
    assert subject not in last and bridge.casefold() not in question.casefold()
    assert right(steps) == {answer.casefold()}


@pytest.mark.parametrize(("question", "answer"), COMPARED)
@pytest.mark.parametrize("seed", range(8))
def test_a_comparison_follows_from_its_values(question: str, answer: str, seed: int) -> None:
    steps, texts = told(question, answer, seed)
    verdict = r"\b(?:first|later|earlier|older|younger|before|after|more|taller|larger|longer)\b"
    assert not re.search(verdict, " ".join(texts).replace("more than enough", ""))
    assert right(steps) == {answer.casefold()}


@pytest.mark.parametrize(("question", "answer"), WORKED_OUT)
@pytest.mark.parametrize("seed", range(5))
def test_what_is_worked_out_is_not_said(question: str, answer: str, seed: int) -> None:
    steps, texts = told(question, answer, seed)
    assert len(texts) >= 2
    number = {"five": "5", "14 years": "14"}.get(answer, answer)
    assert right(steps) == {number.casefold()}
    if not answer[:1].isupper() and answer != "cooper":
        assert not any(states(text, answer) for text in texts if len(answer) > 2)
    # Take any step away, and what is left does not give the answer.
    if answer != "no" and "bare style" not in question:
        for missing in steps.told:
            left = [triple for link in steps.told if link is not missing for triple in link.says]
            assert answers(steps.query, left) != answers(steps.query, [*left, *missing.says])


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who is the director of film Blue Acre?", "Ada Marsh"),
        ("Who is Mira Tolland's husband?", "Jon Reed"),
        ("What is the capital of Peru?", "Lima"),
        ("Gemini was a film that starred which actress?", "Ada Marsh"),
        ("Summarize the report.", "It was long. It was dull. It was read."),
        ("Wer ist der Vater von Otto Brandl?", "Emil"),
        ("", "x"),
        ("Which film is longer, A or B?", "C"),
        ("Q1: Who was it? Q2: What did the man who sang do?", "It {s}"),
    ],
)
def test_what_describes_nothing_takes_one_step(question: str, answer: str) -> None:
    assert in_steps(question, answer, random.Random(0)) is None


@pytest.mark.parametrize("hops", [2, 3, 4])
@pytest.mark.parametrize(
    "question",
    [
        "Where was the mother of the director of film Blue Acre born?",
        "Where was Ada Marsh born?",
        "Who is the father-in-law of the director of film Blue Acre?",
        "Who is the director of film Blue Acre?",
    ],
)
def test_as_many_steps_as_asked_for(question: str, hops: int) -> None:
    steps, texts = told(question, "Jo Brandt" if question.startswith("Who") else "Lima", 0, hops)
    assert len(texts) == hops
    assert len(right(steps)) == 1


def test_in_a_context_every_step_is_evidence_in_its_own_paragraph() -> None:
    pairs = [Pair(instruction=question, answer=answer) for question, answer, _ in ASKED]
    pairs += [Pair(instruction=question, answer=answer) for question, answer in COMPARED + WORKED_OUT]
    for pair, context in zip(pairs, synthesize(pairs, words=400), strict=True):
        assert isinstance(context, Context) and context.evidence_source == "exact"
        assert context.hops == len(context.evidence) >= 2 and context.form
        assert len({piece.what for piece in context.evidence}) == context.hops
        within = {context.text.count("\n\n", 0, piece.start) for piece in context.evidence}
        assert len(within) == context.hops, pair.instruction


def test_one_step_is_told_as_before_and_the_setting_has_a_name() -> None:
    pair = Pair(instruction=ASKED[0][0], answer=ASKED[0][1])
    (usual,) = synthesize([pair], words=300)
    (auto,) = synthesize([pair], words=300, hops="auto")
    (one,) = synthesize([pair], words=300, hops=1)
    assert usual == auto != one
    assert isinstance(one, Context) and isinstance(auto, Context) and one.fingerprint != auto.fingerprint
    assert (one.hops, auto.hops) == (1, 2)
    assert Composer().settings == {} and Composer(hops=2).settings == {"hops": 2}
    with pytest.raises(ConfigError, match="auto or 1 to 4"):
        Composer(hops=5)


def test_whatever_is_asked_it_is_read_or_left_alone() -> None:
    """Questions with words left out, put in or shuffled."""
    rng = random.Random(73)
    questions = [question for question, *_ in (*ASKED, *COMPARED, *WORKED_OUT)]
    odd = [
        "who",
        "that",
        "which",
        "and",
        "or",
        ",",
        '"',
        "'s",
        "(",
        ")",
        "?",
        "the",
        "{s}",
        "?answer",
        "?value",
    ]
    words = [*" ".join(questions).split(), *odd]
    read = 0
    for at in range(1200):
        told = rng.choice(questions).split()
        if at % 3 == 0:
            told = [rng.choice(words) for _ in range(rng.randrange(1, 20))]
        for _ in range(rng.randrange(1, 4)):
            place = rng.randrange(len(told))
            told[place : place + at % 2] = [rng.choice(words)] if rng.random() < 0.7 or len(told) < 3 else []
        answer = rng.choice(["yes", "12", "Jo Brandt", "the", "?answer", "4 June 1921"])
        steps = in_steps(" ".join(told), answer, rng, rng.choice(["auto", 2, 3, 4]))
        if steps is not None:
            read += 1
            assert len(steps.told) >= 2 and len(right(steps)) <= 1
            assert all(one.text.strip(" .") for one in steps.statements(rng))
    assert read > 150


def test_how_many_of_what_need_not_be_said() -> None:
    (statement,) = state("How many did Ada Marsh win?", "12", random.Random(0))
    assert statement.text == "Ada Marsh won 12."
