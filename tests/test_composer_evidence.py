"""Evidence statements, topics, answer kinds and distractors of the composer."""

from __future__ import annotations

import itertools
import random
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthesis.engines.composer.decoys.distract import distract, normalised
from synthesis.engines.composer.grammar import sentences
from synthesis.engines.composer.grammar.wording import article, squash
from synthesis.engines.composer.grammar.words import inflect, ing_form
from synthesis.engines.composer.reading import answers
from synthesis.engines.composer.reading.topics import topics
from synthesis.engines.composer.stating.statements import state
from tests.programs import under_hash_seeds
from tests.real_texts import large_rows, needs_large, rows, sets

# Three lines each: question, answer, the one statement expected.
_REWRITES = """\
Who painted the ceiling of the chapel in Elmsworthy?
Marta Ilves
Marta Ilves painted the ceiling of the chapel in Elmsworthy.
Who was arrested after the fire at the mill?
Otto Brandt
Otto Brandt was arrested after the fire at the mill.
Who is Lena Frost's brother?
Emil Frost
Lena Frost's brother is Emil Frost.
Who is the tallest of the three sisters?
Greta.
The tallest of the three sisters is Greta.
Who is Petra engaged to?
Viktor Lund
Petra is engaged to Viktor Lund.
Who has climbed the north face twice?
Ragnhild Dahl
Ragnhild Dahl has climbed the north face twice.
Who wants to buy the vineyard?
Two brothers from Lorvento
Two brothers from Lorvento want to buy the vineyard.
Who befriends the keeper after the storm?
Clara Holm
Clara Holm befriends the keeper after the storm.
What did the miners find in the tunnel?
a brass bell
What the miners found in the tunnel was a brass bell.
What is the capital of the island of Sarvona?
Gullhaven
The capital of the island of Sarvona is Gullhaven.
What is Rosa looking for in the attic?
a letter
What Rosa is looking for in the attic is a letter.
when did the tune push it come out
March 1987
The tune push it came out in March 1987.
when did the silver state runners win the cup
1947
The silver state runners won the cup in 1947.
where did the last name harding come from
Marl
The last name harding came from Marl.
when did ostergate became a part of marl
1949
Ostergate became a part of marl in 1949.
when did the show start airing on tv
1994
The show started airing on tv in 1994.
when was the last time the rovers won the cup
2011
The last time the rovers won the cup was in 2011.
who sing the song about the harbour
Tove Lind
Tove Lind sings the song about the harbour.
what us senator wrote the bill
Ada Holm
Ada Holm was the us senator who wrote the bill.
What is the bridge made of?
granite
The bridge is made of granite.
What caused the quarrel between the sisters?
a missing ring
A missing ring caused the quarrel between the sisters.
What do Karl and Oskar have in common?
a love of opera
What Karl and Oskar have in common is a love of opera.
What year was the theatre built?
1893
The theatre was built in 1893.
What year did the canal freeze?
1902
The canal froze in 1902.
What kind of boat does Nils own?
a trawler
The kind of boat that Nils owns is a trawler.
What instrument does Yusuf play in the band?
the oboe
The instrument that Yusuf plays in the band is the oboe.
What colour is the door of the chapel?
green
The door of the chapel is green.
What is the name of the ship that sank off Korsvik?
Morning Star
The name of the ship that sank off Korsvik is Morning Star.
What city was Leonor Duarte born in?
Pontevela
The city that Leonor Duarte was born in was Pontevela.
What's the nickname of the captain?
Old Salt
The nickname of the captain is Old Salt.
What did Mira tell her brother about the will?
That it was forged
What Mira told her brother about the will was that it was forged.
What do the bandits want to do with the horse?
Sell it.
What the bandits want to do with the horse is sell it.
Which river flows through Elmsworthy?
the Arle
The river that flows through Elmsworthy is the Arle.
Which of the two brothers inherited the farm?
Jonas
Jonas inherited the farm.
Which Danish composer wrote the hymn?
Niels Holm
Niels Holm was the Danish composer who wrote the hymn.
Which clerk's mistake led to the fire?
Otto
Otto was the clerk whose mistake led to the fire.
Which country do both Ada Voss and Emil Roth come from?
Estonia
The country that both Ada Voss and Emil Roth come from is Estonia.
What languages are spoken in Sarvona?
Basque and Breton
Basque and Breton are the languages that are spoken in Sarvona.
When was Hedda Falk born?
3 May 1951
Hedda Falk was born on 3 May 1951.
When did the railway reach Lorvento?
1887
The railway reached Lorvento in 1887.
When does the market open?
At seven in the morning
The market opens at seven in the morning.
When was the bridge opened to traffic?
March 1930
The bridge was opened to traffic in March 1930.
Where is the manuscript kept?
In the town archive
The manuscript is kept in the town archive.
Where was Pavel Novak born?
Mirovo
Pavel Novak was born in Mirovo.
Where does the night train stop?
Karsholm
The place where the night train stops is Karsholm.
Where is Abel from?
Chile
Abel is from Chile.
Why did the baker close his shop?
Because the flour ran out.
The baker closed his shop because the flour ran out.
Why does Maren leave the village?
To study medicine
Maren leaves the village to study medicine.
Why does Kell hide the map?
For safety.
Kell hides the map for safety.
Why are the bells silent?
The ropes were stolen.
The bells are silent because the ropes were stolen.
Why was the concert cancelled?
heavy snow
The reason the concert was cancelled was heavy snow.
How did the prisoner escape?
By digging a tunnel
The prisoner escaped by digging a tunnel.
How many children did Astrid have?
four
Astrid had four children.
How many steps lead up to the tower?
212
212 steps lead up to the tower.
How many sheep were lost in the storm?
40
40 sheep were lost in the storm.
How long did the siege last?
six weeks
The siege lasted for six weeks.
How long is the tunnel?
3 kilometres
The tunnel is 3 kilometres long.
How old was the captain when he died?
81
The captain was 81 when he died.
How tall is the chimney?
61 metres
The chimney is 61 metres tall.
How far is Karsholm from Mirovo?
40 miles
Karsholm is 40 miles from Mirovo.
How much money did Lars owe the bank?
900 crowns
The amount of money that Lars owed the bank was 900 crowns.
How often does the choir meet?
twice a week
The choir meets twice a week.
For how many years did Osman run the inn?
twelve
Osman ran the inn for twelve years.
In what ocean is the island on which the wreck was found?
Indian Ocean
The island on which the wreck was found is in the Indian Ocean.
In which town did the trial take place?
Sundermere
The town in which the trial took place was Sundermere.
On what day does the fair begin?
Monday
The fair begins on Monday.
To whom did Edith leave the house?
her niece
Edith left the house to her niece.
Whose violin did Clara borrow?
Anton's
The violin that Clara borrowed was Anton's.
Whose painting won the prize?
Mireille Haut
Mireille Haut's painting won the prize.
The tower of Karsholm was designed by which architect?
Ivo Brandt
The tower of Karsholm was designed by Ivo Brandt.
Hedda Falk was born in what town?
Mirovo
Hedda Falk was born in the town of Mirovo.
The novel Cold Honey was published in what year?
1954
The novel Cold Honey was published in 1954.
Osman is the owner of how many boats?
three
Osman is the owner of three boats.
Ada Voss was married to whom?
Emil Roth
Ada Voss was married to Emil Roth.
Iron Gate stars which Welsh actor born in 1989?
Tom Rhys
Iron Gate stars Tom Rhys, a Welsh actor born in 1989.
Caspar collects what type of clock?
cuckoo clock
Caspar collects a cuckoo clock.
Lars is asked to do what?
Guard the gate
Lars is asked to guard the gate.
After the flood, what did the council decide to build?
a dam
After the flood, the council decided to build a dam.
In 1931, who became mayor of Elmsworthy?
Ines Roth
In 1931, Ines Roth became mayor of Elmsworthy.
WHERE DID THE MERCHANTS LIVE?
IN NORWAY
THE MERCHANTS LIVED IN NORWAY.
who built the old harbour
Ivo Brandt
Ivo Brandt built the old harbour.
when was the harbour built
1911
The harbour was built in 1911.
Name the capital of Sarvona.
Gullhaven
The capital of Sarvona is Gullhaven.
Did the Arle or the Teel flood first?
the Teel
Of the Arle and the Teel, the Teel flooded first.
What is the main reason that the colony failed?
A lack of fresh water
The main reason that the colony failed is a lack of fresh water.
Why didn't the guard ring the bell?
He was asleep.
The guard did not ring the bell because he was asleep.
Who didn't come to the party?
Olaf
Olaf did not come to the party.
Which two rivers meet at Lorvento?
the Arle and the Teel
The two rivers that meet at Lorvento are the Arle and the Teel.
Where was the director of the film Cold Honey born?
Mirovo
The director of the film Cold Honey was born in Mirovo.
What nationality is the director of film Cold Honey?
Danish
The director of film Cold Honey is Danish.
Explain why the sky is blue.
Because of the light.
The sky is blue because of the light.
What is the name of the inn that Lars stayed in?
The Bell
The name of the inn that Lars stayed in is The Bell.
"""
_LINES = _REWRITES.splitlines()
REWRITES = list(zip(_LINES[::3], _LINES[1::3], _LINES[2::3], strict=True))

POLAR = [
    (
        "Are both Elmsworthy and Karsholm fishing ports?",
        "yes",
        [
            "Elmsworthy is a fishing port.",
            "Karsholm is a fishing port as well.",
            "Both Elmsworthy and Karsholm are fishing ports.",
        ],
    ),
    (
        "Are Lorvento and Mirovo in the same country?",
        "no",
        [
            "Lorvento is in one country, Mirovo in another.",
            "Lorvento and Mirovo are not in the same country.",
        ],
    ),
    ("Are Lorvento and Mirovo in the same country?", "yes", ["Lorvento and Mirovo are in the same country."]),
    (
        "Were Ada Voss and Ines Roth both born in Mirovo?",
        "Yes.",
        [
            "Ada Voss was born in Mirovo.",
            "Ines Roth was born in Mirovo as well.",
            "Both Ada Voss and Ines Roth were born in Mirovo.",
        ],
    ),
    ("Are both Ada Voss and Ines Roth poets?", "no", ["Ada Voss and Ines Roth are not both poets."]),
    ("Is the Arle a river?", "yes", ["The Arle is a river."]),
    ("Is Elmsworthy larger than Karsholm?", "no", ["Elmsworthy is not larger than Karsholm."]),
    ("Did Hedda Falk ever visit Lorvento?", "yes", ["Hedda Falk visited Lorvento."]),
    ("Does the ferry run on Sundays?", "no", ["The ferry does not run on Sundays."]),
    ("Can the bridge carry a train?", "no", ["The bridge cannot carry a train."]),
    ("Has Emil read the letter?", "yes", ["Emil has read the letter."]),
    (
        "Are the directors of both films Cold Honey and Low Tide popular?",
        "yes",
        ["The directors of both films Cold Honey and Low Tide are popular."],
    ),
    ("Are the plays of Ada and Ines long?", "no", ["The plays of Ada and Ines are not long."]),
    ("Do both towns have a port?", "no", ["It is not the case that both towns have a port."]),
]


def told(question: str, answer: str, seed: int = 0) -> list[str]:
    return [statement.text for statement in state(question, answer, random.Random(seed))]


@pytest.mark.parametrize(("question", "answer", "expected"), REWRITES)
def test_a_question_becomes_a_statement(question: str, answer: str, expected: str) -> None:
    assert told(question, answer) == [expected]


@pytest.mark.parametrize(("question", "answer", "expected"), POLAR)
def test_yes_and_no_are_said_in_full(question: str, answer: str, expected: list[str]) -> None:
    assert told(question, answer) == expected


def test_halves_of_a_comparison_are_support_for_the_answer() -> None:
    found = state("Are both Elmsworthy and Karsholm ports?", "yes", random.Random(0))
    assert [statement.what for statement in found] == ["support", "support", "answer"]


@pytest.mark.parametrize(
    ("question", "measured"),
    [
        ("Which film was released first, Low Tide or Iron Lullaby?", "was released before"),
        ("Which magazine, Low Tide or Iron Lullaby, is older?", "is older than"),
        ("Which is longer, Low Tide or Iron Lullaby?", "is longer than"),
    ],
)
def test_a_choice_names_both_things_and_the_answer_as_the_one(question: str, measured: str) -> None:
    texts = {told(question, "Low Tide", seed)[0] for seed in range(30)}
    assert f"Low Tide {measured} Iron Lullaby." in texts
    ranked = r"(Of|Between) Low Tide and Iron Lullaby, Low Tide (is|was) .*\."
    assert all(text == f"Low Tide {measured} Iron Lullaby." or re.fullmatch(ranked, text) for text in texts)


@pytest.mark.parametrize(
    ("question", "answer", "anchor"),
    [
        ("What does Ingrid do for a living?", "She repairs clocks.", "what Ingrid does for a living"),
        ("How did the captain lose his ship?", "He misread the chart.", "how the captain lost his ship"),
        (
            "What happened to the lighthouse in 1921?",
            "It was struck by lightning.",
            "what happened to the lighthouse in 1921",
        ),
        ("What message did the crew leave?", "Gone fishing. Back by noon.", "what message the crew left"),
    ],
)
def test_an_answer_that_is_a_sentence_is_tied_to_what_was_asked(
    question: str, answer: str, anchor: str
) -> None:
    for seed in range(8):
        (text,) = told(question, answer, seed)
        assert anchor in text
        assert answer[1:].rstrip(".") in text


def test_a_sentence_that_repeats_the_question_stands_alone() -> None:
    assert told("Who became the keeper's helper?", "Anton became the keeper's helper.") == [
        "Anton became the keeper's helper."
    ]


@pytest.mark.parametrize(
    "question",
    [
        "谁建造了港口？",
        "¿Quién construyó el puerto de la ciudad?",
        "من بنى الميناء؟",
        "Was ist die Hauptstadt der Insel?",
    ],
)
def test_other_languages_are_quoted_untouched_in_an_english_sentence(question: str) -> None:
    texts = {told(question, "Ивановка", seed)[0] for seed in range(20)}
    assert len(texts) >= 4
    assert all(
        question.rstrip("?？؟") in text and "“Ивановка”" in text and text.endswith(".") for text in texts
    )
    assert topics(question) == []


def test_a_long_answer_is_told_sentence_by_sentence() -> None:
    answer = (
        "– Mr. Holm of the U.S. paid $1.5 million. “Enough!” he said.\n"
        "- No. 7 was closed (see https://a.io/x.y).\nIt rained"
    )
    found = state("Summarise the report.", answer, random.Random(0))
    assert [statement.text for statement in found] == [
        "Mr. Holm of the U.S. paid $1.5 million.",
        "“Enough!” he said.",
        "No. 7 was closed (see https://a.io/x.y).",
        "It rained.",
    ]
    assert [statement.what for statement in found] == [f"answer {at}/4" for at in range(1, 5)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("J. R. Holm met Dr. Voss at 5 p.m. They left.", ["J. R. Holm met Dr. Voss at 5 p.m.", "They left."]),
        ("It cost 3.5 crowns. Who paid? Nobody!", ["It cost 3.5 crowns.", "Who paid?", "Nobody!"]),
        ("One\n\nTwo\n* three\n* four", ["One", "Two", "three", "four"]),
        ("a line\nthat goes on. Next", ["a line that goes on.", "Next"]),
        ("第一句。第二句！第三句", ["第一句。", "第二句！", "第三句"]),
        ("He asked “Why?” and left. Good.", ["He asked “Why?” and left.", "Good."]),
        ("", []),
    ],
)
def test_sentences_are_split_where_they_end(text: str, expected: list[str]) -> None:
    assert sentences.split(text) == expected


def test_splitting_is_linear() -> None:
    def seconds(size: int) -> float:
        start = time.perf_counter()
        for unit in ("a. ", "(", "- \n", "Mr. X "):
            sentences.split(unit * size)
        return time.perf_counter() - start

    seconds(1_000)
    # Four times the text in well under the sixteen times a quadratic splitter would take.
    assert seconds(80_000) < 10 * seconds(20_000)


@pytest.mark.parametrize(
    ("question", "answer", "kind"),
    [
        ("Is it open?", "No.", "yes_no"),
        ("How many boats are there?", "1984", "numeric"),
        ("When was it built?", "1984", "date"),
        ("When was it built?", "the 19th century", "date"),
        ("How much did it cost?", "$4,200", "numeric"),
        ("Who built it?", "Ivo Brandt", "person"),
        ("Where does she live?", "Lorvento", "place"),
        ("Which town is older?", "Lorvento", "place"),
        ("What did he find?", "a brass bell", "span"),
        ("Why did he leave?", "He was afraid of the sea.", "sentence"),
        ("Why did he leave?", "to study law", "sentence"),
        ("Summarise it.", "One thing happened in the town that day. " * 20, "summary"),
    ],
)
def test_answers_have_a_kind(question: str, answer: str, kind: str) -> None:
    assert answers.kind(question, answer) == kind


def test_topics_are_names_first_then_phrases() -> None:
    found = topics('Who sang "Night Ferry" with Ada Voss at the harbour fair in Lorvento?')
    assert found == ["Night Ferry", "Ada Voss", "Lorvento", "the harbour fair"]
    assert topics("Why did the miners leave the old pit?") == ["the miners", "the old pit"]


@pytest.mark.parametrize(
    ("base", "past", "third", "ing"),
    [
        ("stop", "stopped", "stops", "stopping"),
        ("carry", "carried", "carries", "carrying"),
        ("lie", "lay", "lies", "lying"),
        ("visit", "visited", "visits", "visiting"),
        ("prefer", "preferred", "prefers", "preferring"),
        ("play", "played", "plays", "playing"),
        ("fix", "fixed", "fixes", "fixing"),
        ("undergo", "underwent", "undergoes", "undergoing"),
        ("agree", "agreed", "agrees", "agreeing"),
    ],
)
def test_verbs_are_inflected(base: str, past: str, third: str, ing: str) -> None:
    assert (inflect(base, "did"), inflect(base, "does"), ing_form(base)) == (
        past,
        third,
        ing,
    )


def test_articles_go_by_sound() -> None:
    after_an = ["hour", "umbrella", "8-day", "11th", "MLB", "oak", "honest", "18th"]
    after_a = ["university", "one-way", "European", "U.S.", "house", "9-day"]
    assert {article(word) for word in after_an} == {"an"}
    assert {article(word) for word in after_a} == {"a"}


KINDS = ("yes_no", "numeric", "date", "person", "place", "span", "sentence", "summary")


def loose(text: str) -> str:
    return " ".join(re.sub(r"[\W_]+", " ", text.casefold()).split())


def check_pair(question: str, answer: str, seed: int) -> None:
    """What holds for every pair at all."""
    found = state(question, answer, random.Random(seed))
    assert found == state(question, answer, random.Random(seed))
    assert bool(found) == bool(squash(answer))
    joined = " ".join(statement.text for statement in found)
    if not answers.is_polar(squash(answer)):
        assert loose(answer) in loose(joined)
    for statement in found:
        assert statement.text and statement.what
        assert "\n" not in statement.text
    assert answers.kind(question, answer) in KINDS
    assert all(isinstance(topic, str) and topic for topic in topics(question))


# Pieces of questions, in any order, and characters that have broken parsers.
PIECES = """who what which when where why how many is was did does the a Otto Brandt of in 1931 mill and or
found 'x' "y" {z} ? , . é 谁 😀"""
words = st.sampled_from([*PIECES.split(), "", "\u202e"])
texts = st.one_of(st.text(max_size=60), st.lists(words, max_size=14).map(" ".join))


@settings(max_examples=400, deadline=None)
@given(texts, texts, st.integers(0, 3))
def test_any_pair_is_told_without_losing_its_answer(question: str, answer: str, seed: int) -> None:
    check_pair(question, answer, seed)


@pytest.mark.parametrize("unit", ["word ", "Sentence number one. ", "谁", "(", "a\n", "\x00"])
def test_a_megabyte_is_told_quickly(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    start = time.perf_counter()
    state("Summarise it.", text, random.Random(0))
    state(text, "x", random.Random(0))
    next(distract(text, text, random.Random(0)))
    assert time.perf_counter() - start < 8


@settings(max_examples=150, deadline=None)
@given(texts, texts, st.integers(0, 3))
def test_no_distractor_holds_the_answer(question: str, answer: str, seed: int) -> None:
    bare = normalised(answer)
    statements = {statement.text for statement in state(question, answer, random.Random(seed))}
    for sentence in itertools.islice(distract(question, answer, random.Random(seed)), 25):
        assert sentence not in statements
        assert not bare or f" {bare} " not in f" {normalised(sentence)} "
        assert len(bare) < 3 or bare not in normalised(sentence)
        assert sentence[-1] in ".!?" and "{" not in sentence


@pytest.mark.parametrize(
    ("question", "answer", "_"), [*REWRITES[::4], *POLAR[::3], ("Summarise it.", "It rained a lot. " * 50, 0)]
)
def test_distractors_are_varied_and_speak_of_others(question: str, answer: str, _: object) -> None:
    drawn = list(itertools.islice(distract(question, answer, random.Random(5)), 1000))
    assert len(set(drawn)) > 950
    assert len({sentence.split()[0] for sentence in drawn}) > 100
    names = re.findall(r"(?<=[a-z,] )[A-Z]\w{2,}", question)
    assert not [sentence for sentence in drawn if any(re.search(rf"\b{name}\b", sentence) for name in names)]
    again = list(itertools.islice(distract(question, answer, random.Random(5)), 50))
    assert again == drawn[:50]


def test_distractors_follow_the_pattern_of_the_evidence() -> None:
    drawn = itertools.islice(
        distract("Who wrote the hymn that Ada Voss sang?", "Niels Holm", random.Random(2)), 60
    )
    like = [text for text in drawn if re.fullmatch(r"\S+ \S+ wrote the hymn that \S+ \S+ sang\.", text)]
    assert len(set(like)) > 10


def test_the_same_under_any_hash_seed() -> None:
    code = (
        "import itertools, random\n"
        "from synthesis.engines.composer.decoys.distract import distract\n"
        "from synthesis.engines.composer.reading.topics import topics\n"
        "from synthesis.engines.composer.stating.statements import state\n"
        "q, a = 'Which of Ada Voss and Ines Roth sang \"Cold Honey\" in Mirovo?', 'Ada Voss'\n"
        "print(state(q, a, random.Random(1)), topics(q))\n"
        "print(list(itertools.islice(distract(q, a, random.Random(1)), 40)))\n"
    )
    under_hash_seeds(code)


@pytest.mark.parametrize("name", sets("hotpotqa", "narrativeqa", "govreport", "multinews"))
def test_real_pairs_keep_their_answers_and_share_none_with_distractors(name: str) -> None:
    for at, row in enumerate(rows(name)):
        question, answer = row["instruction"], row["answer"]
        check_pair(question, answer, at)
        bare = normalised(answer)
        for sentence in itertools.islice(distract(question, answer, random.Random(at)), 20):
            assert f" {bare} " not in f" {normalised(sentence)} "


@needs_large
def test_few_real_questions_need_a_plain_form() -> None:
    pairs = [
        (row["instruction"], row["answer"]) for row in large_rows("hotpotqa") + large_rows("narrativeqa")
    ]
    marks = ("“", "on record", "the records", "all accounts agree", "could have said", "the question")
    plain = sum(any(mark in told(*pair)[0] for mark in marks) for pair in pairs)
    assert plain < 0.06 * len(pairs)
