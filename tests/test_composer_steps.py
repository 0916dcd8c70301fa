"""Evidence in steps: described things get names, no step gives question and answer together."""

from __future__ import annotations

import random
import re

import pytest

from synthesis import Pair, synthesize
from synthesis.data import Context
from synthesis.engines.composer.engine import Composer
from synthesis.engines.composer.stating.steps import in_steps
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
]  # fmt: skip

COMPARED = [
    ("Which film has the director who is older, Bar Nine or The Heron?", "Bar Nine"),
    ("Which film has the director who died first, Long Acre or Ash Lane (Film)?", "Ash Lane (Film)"),
    ("Which album was released first, Dim Light or In The Fields?", "In The Fields"),
    ("Who was born later, Anson Reeve or Anna Marlow?", "Anson Reeve"),
    ("Who is younger, Cathy Moor or Pamela Shoop?", "Pamela Shoop"),
    ("Which brand was created first, Crush or Yellow?", "Yellow"),
]


@pytest.mark.parametrize(("question", "answer", "subject"), ASKED)
@pytest.mark.parametrize("seed", range(5))
def test_each_step_is_needed(question: str, answer: str, subject: str, seed: int) -> None:
    steps = in_steps(question, answer, random.Random(seed))
    assert steps is not None
    told = {one.what: one.text for one in steps.statements}
    (bridge,) = steps.bridges
    assert subject in told["step 1"] and bridge in told["step 1"] and bridge in told["answer"]
    assert states(told["answer"], answer) and not states(told["step 1"], answer)
    assert subject not in told["answer"] and bridge.casefold() not in question.casefold()


@pytest.mark.parametrize(("question", "answer"), COMPARED)
@pytest.mark.parametrize("seed", range(8))
def test_a_comparison_follows_from_its_values(question: str, answer: str, seed: int) -> None:
    steps = in_steps(question, answer, random.Random(seed))
    assert steps is not None
    a, b = re.search(r", (.+) or (.+)\?", question).groups()  # type: ignore[union-attr]
    text = " ".join(one.text for one in steps.statements)
    assert not re.search(r"\b(?:first|later|earlier|older|younger|before|after|than)\b", _without_light(text))
    years = {}
    for side in (a, b):
        owner = side
        if steps.bridges:
            (made,) = (one.text for one in steps.statements if side in one.text)
            (owner,) = (bridge for bridge in steps.bridges if bridge in made)
        dated = [one.text for one in steps.statements if owner in one.text and re.search(r"\d{4}", one.text)]
        years[side] = int(re.search(r"\b(1[89]\d\d)\b", dated[-1])[1])  # type: ignore[index]
    early = min(years, key=years.__getitem__)
    late = any(word in question for word in ("later", "younger"))
    assert (early != answer) if late else (early == answer)


def _without_light(text: str) -> str:
    return text.replace("first saw the light", "")


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
        ("Who was the queen that married Otto, the son of Konrad the Elder?", "Maud"),
        ("Who directed a documentary called Blue Acre during the war?", "Jo Brandt"),
    ],
)
def test_what_describes_nothing_takes_one_step(question: str, answer: str) -> None:
    assert in_steps(question, answer, random.Random(0)) is None


def test_several_steps() -> None:
    question = "Where was the mother of the director of film Blue Acre born?"
    two, three = (in_steps(question, "Lima", random.Random(0), most) for most in (2, 3))
    assert two is not None and len(two.statements) == 2
    assert three is not None and len(three.statements) == 3 and len(three.bridges) == 2


def test_in_a_context_every_step_is_evidence_and_nobody_else_has_the_names() -> None:
    pairs = [Pair(instruction=question, answer=answer) for question, answer, _ in ASKED]
    pairs += [Pair(instruction=question, answer=answer) for question, answer in COMPARED]
    written = list(synthesize(pairs, words=400, hops=2))
    for pair, context in zip(pairs, written, strict=True):
        assert isinstance(context, Context) and context.evidence_source == "exact"
        pieces = [context.text[piece.start : piece.end] for piece in context.evidence]
        assert len(pieces) >= 2 and {piece.what for piece in context.evidence} >= {"answer"}
        rest = context.text
        for piece in pieces:
            rest = rest.replace(piece, "")
        for name in (n for piece in pieces for n in re.findall(r"[A-Z]\w+ [A-Z]\w+", piece)):
            if name not in pair.instruction + pair.answer:
                assert name not in rest


def test_the_usual_text_is_as_it_was_and_the_setting_has_a_name() -> None:
    pair = Pair(instruction=ASKED[0][0], answer=ASKED[0][1])
    (usual,) = synthesize([pair], words=300)
    (one,) = synthesize([pair], words=300, hops=1)
    (two,) = synthesize([pair], words=300, hops=2)
    assert usual == one != two
    assert isinstance(one, Context) and isinstance(two, Context) and one.fingerprint != two.fingerprint
    assert Composer().settings == {} and Composer(hops=2).settings == {"hops": 2}
    with pytest.raises(ConfigError, match="choose 1 to 4"):
        Composer(hops=5)
