"""Statements of the composer: relative clauses, comparisons, amounts, plain forms."""

from __future__ import annotations

import itertools
import json
import random
import re
from pathlib import Path

import pytest

from synthesis.engines.composer import lexicon
from synthesis.engines.composer.decoys.distract import distract
from synthesis.engines.composer.grammar.invent import draws
from synthesis.engines.composer.grammar.wording import article
from synthesis.engines.composer.lexicon import words
from synthesis.engines.composer.stating.statements import state
from synthesis.text.verbs import irregular_verbs

COMPOSER = Path(lexicon.__file__).parents[1]
BUNDLED = Path(__file__).parents[1] / "examples" / "pairs.jsonl"

# Three lines each: question, answer, the one statement expected.
_ROWS = """\
What does Piet find in the trunk that his uncle left him?
A bundle of unpaid bills
Piet finds a bundle of unpaid bills in the trunk that his uncle left him.
What did Lars steal from the vault?
Gold
What Lars stole from the vault was gold.
What does Ida keep in the drawer?
her mother's unposted letters
What Ida keeps in the drawer is her mother's unposted letters.
By how much does the new pump lower the water in the shaft?
two feet
The new pump lowers the water in the shaft by two feet.
By how much did stored light shift the counts?
4 percent
Stored light shifted the counts by 4 percent.
How many soldiers took part in the parade?
90 soldiers
90 soldiers took part in the parade.
By how many feet is the Orm Tower taller than the Sull Tower?
30 feet
The Orm Tower is taller than the Sull Tower by 30 feet.
How many weeks did Wenna wait in the hut on the pass before the snow melted?
six weeks
Wenna waited six weeks in the hut on the pass before the snow melted.
How many horses did the regiment lose in the crossing?
forty horses
The regiment lost forty horses in the crossing.
How many books did Ada Voss write about moths?
seven
Ada Voss wrote seven books about moths.
How many beds are there in the hospital that the guild built?
210
There are 210 beds in the hospital that the guild built.
How many more islands does Sarvona have than Marrenland?
12
Sarvona has 12 more islands than Marrenland.
How many times did Karsholm win the cup?
three times
Karsholm won the cup three times.
How long does Hanno spend in prison?
Nine years
Hanno spends nine years in prison.
How large is the corpus of letters used for training?
41,000 letters
The size of the corpus of letters used for training is 41,000 letters.
Why is the sky over Karsholm green?
Because of the copper works
The sky over Karsholm is green because of the copper works.
Why are oysters grey?
They live in mud.
Oysters are grey because they live in mud.
The inn stood by a ford; which family had kept that ford?
the Aldermoors
The inn stood by a ford; the Aldermoors were the family that had kept that ford.
Which opened first, the Orm Arcade or the Sull Bridge?
the Sull Bridge
The Sull Bridge opened before the Orm Arcade.
Who lived longer, the rower Ada Voss or the printer Emil Roth?
Emil Roth
The printer Emil Roth lived longer than the rower Ada Voss.
Which lake has more islands, Lake Orm or Lake Sull?
Lake Sull
Lake Sull has more islands than Lake Orm.
Is Ada or Ines older?
Ines
Ines is older than Ada.
Which film has the director who died earlier, Cold Honey or Low Tide?
Low Tide
Of Cold Honey and Low Tide, Low Tide is the film that has the director who died earlier.
To whom was the judge related who freed the smugglers?
Otto Brandt
The judge who freed the smugglers was related to Otto Brandt.
When did the poet die who wrote the anthem of Sarvona?
1888
The poet who wrote the anthem of Sarvona died in 1888.
By whom was the book written that caused the riot in Lorvento?
Clara Holm
The book that caused the riot in Lorvento was written by Clara Holm.
What month did the siege end that drove the Carrow family into exile?
October
The siege that drove the Carrow family into exile ended in October.
When did the firm that sold the patent of the Arle lamp cease printing?
in May 1911
The firm that sold the patent of the Arle lamp ceased printing in May 1911.
Into which lake flows the stream that drives the saws of the village where Ivo Brandt was born?
Lake Sull
The stream that drives the saws of the village where Ivo Brandt was born flows into Lake Sull.
In which valley lies the village whose bell the monks carried off?
the Tarn valley
The village whose bell the monks carried off lies in the Tarn valley.
Where stands the tower that Otto the Bald raised?
Elmsworthy
The tower that Otto the Bald raised stands in Elmsworthy.
Which side of the strait is the lighthouse designed by Oda Pryce on?
the eastern side
The side of the strait that the lighthouse designed by Oda Pryce is on is the eastern side.
What is the average length of the questions in the test set?
11 words
The average length of the questions in the test set is 11 words.
Besides cheese, what was hidden in the barn?
Tobacco
Besides cheese, what was hidden in the barn was tobacco.
Who carried the lamp out of the mine?
Nils, the youngest driver
Nils, the youngest driver, carried the lamp out of the mine.
What was the profession of the man who found the wreck?
rope maker
The profession of the man who found the wreck was that of a rope maker.
Who does the governess believe set fire to the barn?
the stable boy
The person the governess believes set fire to the barn is the stable boy.
Which actress, Ada Voss or Ines Roth, appeared in more films?
Ines Roth
Ines Roth appeared in more films than Ada Voss.
How far is the village where the mine closed from the coast?
12 miles
The village where the mine closed is 12 miles from the coast.
How much larger is the new harbour than the old one?
three times
The new harbour is three times larger than the old one.
From which language was the hymn that the miners sing translated?
Old Tamric
The hymn that the miners sing was translated from Old Tamric.
What kind of boat is the ferry that Nils owns?
a trawler
The ferry that Nils owns is a trawler, a kind of boat.
What does Lute carry out of the burning house before the roof falls in?
the family ledger
Lute carries the family ledger out of the burning house before the roof falls in.
Whose portrait hangs in the hall of the guild?
Otto Brandt's
Otto Brandt's portrait hangs in the hall of the guild.
What was the raft commonly known as that was used in the race?
the Spoon
The raft that was used in the race was commonly known as the Spoon.
Olaf Dahl is a minor figure in which of Ida Holm's plays?
Low Tide
Olaf Dahl is a minor figure in Low Tide, one of Ida Holm's plays.
"""
_LINES = _ROWS.splitlines()
ROWS = list(zip(_LINES[::3], _LINES[1::3], _LINES[2::3], strict=True))

POLAR = [
    ("Are the Orm and the Sull both navigable?", "yes", "Both the Orm and the Sull are navigable."),
    ("Are Lake Orm and Lake Sull both tidal?", "Yes", "Lake Orm is tidal."),
    (
        "Are the Orm Post and the Teel Echo both weekly papers?",
        "yes",
        "The Teel Echo is a weekly paper as well.",
    ),
    (
        "Were Ada Voss and Emil Roth born in the same decade?",
        "no",
        "Ada Voss was born in one decade, Emil Roth in another.",
    ),
    (
        "Were the painters Ada Voss and Ines Roth taught at the same school?",
        "no",
        "Ada Voss was taught at one school, Ines Roth at another.",
    ),
    (
        "Is the hut in which the guide Olaf Dahl wrote the map still standing?",
        "Yes",
        "The hut in which the guide Olaf Dahl wrote the map is still standing.",
    ),
    (
        "Is the woman to whom the letters are addressed still alive?",
        "No",
        "The woman to whom the letters are addressed is no longer alive.",
    ),
    (
        "Has the man whose sons own the mill ever left Orm?",
        "no",
        "The man whose sons own the mill has never left Orm.",
    ),
    ("Were the tiles that cover it made in Orm?", "yes", "The tiles that cover it were made in Orm."),
    ("Does Kell ever learn that the map is false?", "No", "Kell never learns that the map is false."),
]

# Ungrammatical on purpose, so that no statement can be made of them.
_UNREADABLE = [
    ("Whit was the first name for the ferry house at Lorvento where Ada Voss sang?", "Low Tide"),
    ("Who office did Ada Voss hold in Lorvento?", "treasurer of the guild"),
    ("Which state was the fort which Ada Voss took?", "Marrenland"),
]


def told(question: str, answer: str, seed: int = 0) -> list[str]:
    return [statement.text for statement in state(question, answer, random.Random(seed))]


@pytest.mark.parametrize(("question", "answer", "expected"), ROWS)
def test_a_question_becomes_a_statement(question: str, answer: str, expected: str) -> None:
    assert expected in {told(question, answer, seed)[0] for seed in range(12)}
    assert len(told(question, answer)) == 1


@pytest.mark.parametrize(("question", "answer", "expected"), POLAR)
def test_yes_and_no_are_said_of_the_right_subject(question: str, answer: str, expected: str) -> None:
    assert expected in told(question, answer)


@pytest.mark.parametrize("pair", _UNREADABLE)
def test_an_english_question_is_never_quoted(pair: tuple[str, str]) -> None:
    question, answer = pair
    for seed in range(12):
        (text,) = told(question, answer, seed)
        assert "“" not in text and question.rstrip("?") not in text
        assert answer in text and "Ada Voss" in text


def test_a_question_in_another_language_stands_apart_from_its_answer() -> None:
    for seed in range(30):
        (text,) = told("¿Quién construyó el puerto de la ciudad?", "Ivo Brandt", seed)
        between = text[text.index("Ivo Brandt”") + 11 : text.index("“¿Quién")]
        assert len(between.split()) >= 9, text


@pytest.mark.parametrize("name", ["classes", "adjectives", "formal", "regular_verbs"])
def test_lists_that_are_only_looked_up_in_are_sorted(name: str) -> None:
    """So that a diff shows one word, and a word is added at one place."""
    sections: list[list[str]] = [[]]
    for entry in words(name):
        if entry.startswith("["):
            sections.append([])
        else:
            sections[-1].append(entry)
    for section in sections:
        assert section == sorted(set(section))
    assert name != "classes" or not any(" " in entry for entry in words(name))


def test_irregular_verbs_are_sorted() -> None:
    assert list(irregular_verbs()) == sorted(set(irregular_verbs()))


def bundled() -> list[tuple[str, str]]:
    rows = map(json.loads, BUNDLED.read_text(encoding="utf-8").splitlines())
    return [(row["instruction"], row["answer"]) for row in rows]


def test_no_bundled_pair_needs_a_plain_form() -> None:
    plain = re.compile(
        r"“|on record|the records|all accounts|could have said|one thing is certain|, [^,]+ or "
    )
    for question, answer in bundled():
        if len(answer) < 120:
            for text in told(question, answer):
                assert not plain.search(text.replace(answer, "")), text
                assert not re.search(r"\b(\w+) \1\b", text), text


def test_distractors_stay_before_1999_unless_the_pair_is_later() -> None:
    def years(question: str) -> set[int]:
        drawn = itertools.islice(distract(question, "1931", random.Random(3)), 3000)
        return {
            int(year) for text in drawn for year in re.findall(r"\b(1[89]\d\d|20[0-4]\d)\b(?![,.]\d)", text)
        }

    assert max(years("When did the ferry film Cold Honey by Ada Voss come out?")) < 1999
    assert max(years("Which film by Ada Voss came out in 1931 and again in 2003?")) > 1998


def test_distractors_are_no_rival_accounts_of_the_same_scene() -> None:
    question = "Why does Ada Voss refuse to sell the ferry even after the new bridge opens?"
    drawn = list(
        itertools.islice(distract(question, "She promised it to her brother.", random.Random(1)), 500)
    )
    assert not [text for text in drawn if "ferry" in text and "bridge" in text]
    higher = distract("By how many feet is Mount Orm higher than Mount Sull?", "30 feet", random.Random(1))
    assert not [text for text in itertools.islice(higher, 500) if "is higher than" in text]


def test_an_article_fits_all_that_may_follow_it() -> None:
    slots = {slot: {str(draw(random.Random(seed))) for seed in range(300)} for slot, draw in draws().items()}
    wrong = []
    for file in sorted((COMPOSER / "lexicon").glob("*.txt")):
        for number, line in enumerate(file.read_text("utf-8").splitlines(), start=1):
            for said, group, slot in re.findall(r"\b([Aa]n?) (?:\(([^()]*)\)|\{(\w+)\})", line):
                follows = group.split("|") if group else slots.get(slot, ())
                spoken = [one for one in follows if one[:1].isalnum()]
                wrong += [
                    f"{file.name}:{number} {said} {one}" for one in spoken if article(one) != said.lower()
                ]
    assert not wrong
