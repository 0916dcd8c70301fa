"""What the score reads of two sides, of an answer among its rivals, and of a summary's key facts."""

import pytest

from synthesis.coherence import explain, locate, score, score_batch
from synthesis.coherence.facts import values
from synthesis.coherence.facts.keyfacts import key_facts
from synthesis.coherence.facts.passages import Passages
from synthesis.coherence.reading import read_question
from tests.pretend import prose

_ABOUT = {
    "The Quillon Tower": (
        "The Quillon Tower is a lighthouse in Brest, France. It was built in 1874 by the engineer "
        "Marc Duval. Its lamp can be seen from thirty miles away, and three keepers lived in it until "
        "the lamp was made automatic."
    ),
    "Varn Light": (
        "Varn Light (also the Varn Lighthouse) is a lighthouse on the coast of Norway. It was opened "
        "on 3 June 1902. A storm took its roof in 1931, and the harbour office of Bergen paid for a "
        "new one."
    ),
    "Edda Quill": (
        "Edda Quill (4 May 1888 – 12 March 1957) was a Norwegian painter. She studied in Bergen and "
        "lived in a house near the harbour. Her pictures of the sea were shown in Oslo."
    ),
    "Tobias Renn": (
        "Tobias Renn (born 19 August 1891) was an English painter and teacher. He died in June 1944 "
        "in London. He is known for portraits of sailors and of their families."
    ),
    "The Glass Harbour": (
        "The Glass Harbour is a 1938 drama film directed by Ilse Varga. The film was praised for its "
        "pictures of fog. It stars Piet Okoro as a pilot."
    ),
    "Night Ferry (film)": (
        "Night Ferry is a comedy film from 1951. It was directed by Tobias Lund and written by Anna "
        "Weber. Its songs are still sung."
    ),
    "Ilse Varga": (
        "Ilse Varga (born 2 February 1899) was a Hungarian film director. She began as a photographer."
    ),
    "Tobias Lund": (
        "Tobias Lund (7 October 1905 – 1 May 1980) was a Danish director and actor. He made eleven films."
    ),
}
TOWERS = "\n\n".join(f"{title}\n{text}" for title, text in _ABOUT.items())

TWO_SIDES = [
    ("Are the Quillon Tower and Varn Light located in the same country?", "no"),
    ("Are both the Quillon Tower and Varn Light lighthouses?", "yes"),
    ("Were Edda Quill and Tobias Renn of the same nationality?", "no"),
    ("Are Edda Quill and Tobias Renn both painters?", "yes"),
    ("Do the films The Glass Harbour and Night Ferry have the same director?", "no"),
    (
        "Do director of film The Glass Harbour and director of film Night Ferry have the same nationality?",
        "no",
    ),
]
CHOICES = [
    ("Which is older, the Quillon Tower or Varn Light?", "The Quillon Tower", "Varn Light"),
    ("Who was born first, Edda Quill or Tobias Renn?", "Edda Quill", "Tobias Renn"),
    ("Who died later, Edda Quill or Tobias Renn?", "Edda Quill", "Tobias Renn"),
    ("Who lived longer, Edda Quill or Tobias Renn?", "Edda Quill", "Tobias Renn"),
    ("Which film came out first, The Glass Harbour or Night Ferry?", "The Glass Harbour", "Night Ferry"),
    (
        "Which film has the director who was born later, The Glass Harbour or Night Ferry?",
        "Night Ferry",
        "The Glass Harbour",
    ),
]


@pytest.mark.parametrize(("question", "answer"), TWO_SIDES)
def test_a_yes_or_no_follows_from_both_sides(question: str, answer: str) -> None:
    other = "yes" if answer == "no" else "no"
    right, flipped = score(TOWERS, question, answer), score(TOWERS, question, other)
    assert right.verified
    assert not flipped.verified
    assert right.overall > 0.75 > 0.3 > flipped.overall
    assert any("opposite" in line for line in explain(TOWERS, question, other))


@pytest.mark.parametrize(("question", "answer", "other"), CHOICES)
def test_a_comparison_follows_from_both_values(question: str, answer: str, other: str) -> None:
    right, wrong = score(TOWERS, question, answer), score(TOWERS, question, other)
    assert right.verified
    assert not wrong.verified
    assert right.overall > 0.9
    assert wrong.overall < right.overall - 0.2
    stranger = score(TOWERS, question, "Piet Okoro")
    assert not stranger.verified
    assert stranger.overall < right.overall - 0.2


@pytest.mark.parametrize(
    ("old", "new", "question", "answer"),
    [
        ("4 May 1888", "4 May 1898", *CHOICES[1][:2]),
        ("12 March 1957", "12 March 1937", *CHOICES[2][:2]),
        ("built in 1874", "built in 1974", *CHOICES[0][:2]),
        ("coast of Norway", "coast of France", *TWO_SIDES[0]),
        ("a Norwegian painter", "an English painter", *TWO_SIDES[2]),
    ],
)
def test_a_changed_value_changes_the_verdict(old: str, new: str, question: str, answer: str) -> None:
    assert old in TOWERS
    changed = score(TOWERS.replace(old, new), question, answer)
    assert not changed.verified
    assert changed.overall < score(TOWERS, question, answer).overall - 0.2


def test_without_a_side_nothing_is_decided() -> None:
    question, answer = TWO_SIDES[0]
    alone = TOWERS.replace(TOWERS[TOWERS.index("Varn Light\n") : TOWERS.index("Edda Quill\n")], "")
    left = score(alone, question, answer)
    assert not left.verified
    assert left.overall < score(TOWERS, question, answer).overall
    assert any("polarity" in line for line in explain(alone, question, answer))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("The old Harrow Bridge did not survive the flood of 1931.", "no"),
        ("The old Harrow Bridge did survive the flood of 1931.", "yes"),
        ("The old Harrow Bridge never was to survive a flood.", "no"),
    ],
)
def test_one_sentence_says_or_denies_it(text: str, answer: str) -> None:
    text = f"Much was written about that winter. {text} People still speak of it."
    question = "Did the Harrow Bridge survive the flood?"
    right, wrong = score(text, question, answer), score(text, question, "yes" if answer == "no" else "no")
    assert right.verified and not wrong.verified
    assert right.overall > 0.75 > 0.3 > wrong.overall


def test_evidence_apart_supports_a_comparison_without_its_verdict() -> None:
    first, second = prose(200), prose(400)[-1200:]
    text = f"{first} Night Ferry was released in 1951.\n\n{second} The Glass Harbour came out in 1938."
    question = "Which film was released first, Night Ferry or The Glass Harbour?"
    found = score(text, question, "The Glass Harbour")
    assert found.verified and found.overall > 0.9
    assert found.support > 0.9 and found.relevance > 0.9
    told = [text[a:b] for a, b, _ in locate(text, question, "The Glass Harbour")]
    assert any("1951" in piece for piece in told) and any("1938" in piece for piece in told)


def test_the_answer_is_placed_among_its_rivals() -> None:
    question = "Who directed the film The Glass Harbour?"
    right = score(TOWERS, question, "Ilse Varga")
    for rival in ("Piet Okoro", "Tobias Lund", "Edda Quill", "Bergen"):
        assert score(TOWERS, question, rival).overall < right.overall
    assert right.verified
    assert not score(TOWERS, question, "Edda Quill").verified


def test_the_same_under_score_batch() -> None:
    triples = [(TOWERS, question, answer) for question, answer, _ in CHOICES]
    triples += [(TOWERS, question, answer) for question, answer in TWO_SIDES]
    assert list(score_batch(triples)) == [score(*triple) for triple in triples]


def test_values_are_read_in_several_forms() -> None:
    assert values.birth(["Edda Quill (4 May 1888 – 12 March 1957) was a painter."]) == (1888, 5, 4)
    assert values.death(["Edda Quill (4 May 1888 – 12 March 1957) was a painter."]) == (1957, 3, 12)
    assert values.birth(["The birth of Edda Quill was entered on May 4, 1888."]) == (1888, 5, 4)
    assert values.death(["She passed away, among friends, in 1957."]) == (1957, 0, 0)
    assert values.start(["The mill dates from 1872."], "found") == (1872, 0, 0)
    assert values.start(["It first appeared in the 1950s."], "found") == (1950, 0, 0)
    assert values.country(["Renn was an English painter."]) == {"united_kingdom"}
    assert values.country(["They ate turkey from a china plate."]) == frozenset()
    # A language is no country, unless something of the country follows.
    assert (
        values.country(["It was put into Maltese by Eva Stone, and into Telugu and French."]) == frozenset()
    )
    assert values.country(["A play in French, first given in Rome."]) == {"italy"}
    assert values.country(["It won a prize in Spanish cinema."]) == {"spain"}
    assert values.makers(["The film was directed by Ilse Varga."], "director") == ["Ilse Varga"]
    assert values.makers(["It was made under the direction of Ilse Varga."], "director") == ["Ilse Varga"]


def test_passages_have_titles_where_the_text_gives_them() -> None:
    found = Passages(TOWERS)
    assert " night ferry " in found.titles
    assert len(found.titles) == 8
    plain = Passages("It rained. Nobody came.\n\nThe next day was better.")
    assert plain.titles == [" ", " "]
    assert [s.passage for s in plain.sentences] == [0, 0, 1]
    assert Passages("").sentences == []


STORY = (
    "The council of Aldwyn met in March 1973. Edda Quill, the mayor, wanted a bridge. Tobias Renn drew the "
    "plans. The bridge cost 2.5 million pounds and was opened in December. Nobody spoke of the old ferry."
)
SUMMARY = (
    "In March 1973 the council of Aldwyn met, and the mayor, Edda Quill, wanted a bridge. Tobias Renn drew "
    "the plans for it. It was opened in December and cost 2.5 million pounds."
)


@pytest.mark.parametrize(
    ("old", "new"),
    [("1973", "1937"), ("Aldwyn", "Ostervale"), ("2.5 million", "3.5 million"), ("December", "October"),
     ("Tobias Renn", "Piet Okoro")],
)  # fmt: skip
def test_one_key_fact_of_a_short_summary_is_seen(old: str, new: str) -> None:
    question = "Summarize the text."
    whole, changed = score(STORY, question, SUMMARY), score(STORY, question, SUMMARY.replace(old, new))
    assert whole.kind == "summary" and whole.verified
    assert changed.overall <= whole.overall - 0.10
    assert changed.support < whole.support
    assert not changed.verified


@pytest.mark.parametrize(
    ("asked", "instruction"),
    [
        (
            "Someone wondered in which town Harrow Bridge stands: Aldwyn.",
            "In which town does Harrow Bridge stand?",
        ),
        ("In welcher Stadt steht Harrow Bridge? Aldwyn.", "Where is Harrow Bridge?"),
        ("Es fragt sich, in welcher Stadt die Brücke steht: Aldwyn.", "In welcher Stadt steht die Brücke?"),
        (
            "Which town it is that Harrow Bridge stands in? Aldwyn, it is Aldwyn.",
            "Which town has Harrow Bridge?",
        ),
    ],
)
def test_a_question_asked_again_is_an_echo(asked: str, instruction: str) -> None:
    found = score(f"{prose(90)} {asked} {prose(60)}", instruction, "Aldwyn")
    assert found.leaks <= 0.5
    assert found.overall <= 0.5


@pytest.mark.parametrize(
    ("text", "instruction", "answer"),
    [
        (
            "The mayor who commissioned the tower of Brindle was married to Ada Farr.",
            "To whom was the mayor married who commissioned the tower of Brindle?",
            "Ada Farr",
        ),
        (
            "The exception that the client raises when the token has expired is TokenExpired.",
            "Which exception does the client raise when the token has expired?",
            "TokenExpired",
        ),
        ("The Varn lamp was first lit on 3 June 1902.", "When was the Varn lamp first lit?", "3 June 1902"),
    ],
)
def test_a_statement_is_no_question_asked_again(text: str, instruction: str, answer: str) -> None:
    lines = explain(f"{prose(90)} {text} {prose(60)}", instruction, answer)
    assert not any("asked again" in line for line in lines)


def test_a_list_of_figures_stands_as_a_list() -> None:
    scattered = f"Room 5 was empty. In 1 hour the 9 boats came home, and 3 of them were sold. {prose(80)} "
    question, answer = "Sort these numbers: 5, 3, 9, 1", "1, 3, 5, 9"
    there = score(f"{scattered}In order the numbers read 1, 3, 5, 9.", question, answer)
    assert there.overall > score(scattered, question, answer).overall + 0.3


def test_a_country_is_not_sure_where_a_passage_has_lost_its_opening() -> None:
    question, answer = TWO_SIDES[2]
    cut = TOWERS.replace(
        "Edda Quill (4 May 1888 – 12 March 1957) was a Norwegian painter. ",
        "",
    ).replace("Her pictures of the sea were shown in Oslo.", "Her pictures were shown in Norway and in Oslo.")
    whole, left = score(TOWERS, question, answer), score(cut, question, answer)
    assert whole.verified and not left.verified
    assert left.overall < whole.overall - 0.05


def test_a_long_summary_loses_by_names_that_its_context_lacks() -> None:
    names = [
        f"{first}{last}" for first in ("Bran", "Cor", "Dun", "Ett", "Fal") for last in ("dane", "vin", "more")
    ]
    answer = " ".join(f"The mayor said that in spring {name} had mended the hall." for name in names)
    question = read_question("Summarise the text.", answer)
    assert len(question.names) == len(names)
    factors = []
    for lost in (0, 6, 10, 14):
        left = " ".join(f"In the spring of that year {name} mended it." for name in names[lost:])
        factors.append(key_facts(Passages(left), question).factor)
    assert factors == [1.0, 1.0, pytest.approx(0.75), pytest.approx(0.7)]


def test_a_brief_passage_is_not_asked_to_hold_the_whole_question() -> None:
    question = "Who founded the old lighthouse museum of Brackwater in the year of the great storm?"
    passage = "The Brackwater museum was the idea of Ilse Varga, who bought the lighthouse from Piet Okoro."
    # The same among other things, where a question's words would be found if they were told.
    longer = f"{passage}\n\n{prose(300, 'museum')}."
    assert score(passage, question, "Ilse Varga").overall > score(longer, question, "Ilse Varga").overall
    off = f"It rained for a week in Hammerwell. {' '.join(prose(50, 'rain').split())}. Ilse Varga was there."
    assert score(off, question, "Ilse Varga").overall < 0.3


_COUNCIL = (
    "The council of Marlow voted on Tuesday to close the Harrow Bridge for repairs that will cost $2.4 "
    "million. Mayor Anna Kessel said the bridge, opened on 4 May 1931, carries 12,000 cars a day. "
    "Engineer Tom Reller found 37 cracks in its northern arch in March 2019. The work will be done by "
    "Ostervale Steel and is to last eighteen months. A ferry will run every 15 minutes from Pell Quay, "
    "3 km upstream, said Ida Munt of the ferry company."
)
_SUMMED_UP = (
    "Marlow's council voted to close Harrow Bridge for repairs costing $2.4 million. Mayor Anna Kessel "
    "said it carries 12,000 cars a day. Engineer Tom Reller found 37 cracks in its northern arch in "
    "March 2019. Ostervale Steel will do the work, which lasts eighteen months, while a ferry runs "
    "every 15 minutes from Pell Quay."
)


@pytest.mark.parametrize(
    ("said", "other"),
    [
        ("37", "73"),
        ("12,000", "21,000"),
        ("$2.4 million", "$2.4 billion"),
        ("March 2019", "April 2019"),
        ("2019", "1931"),
        ("eighteen", "eighty"),
        ("eighteen months", "eighteen weeks"),
        ("15 minutes", "15 hours"),
        ("Tom Reller", "Tom Kessel"),
    ],
)
def test_a_swapped_name_figure_or_date_moves_a_summary_of_many_names(said: str, other: str) -> None:
    true = score(_COUNCIL, "Summarize the text.", _SUMMED_UP)
    swapped = score(_COUNCIL, "Summarize the text.", _SUMMED_UP.replace(said, other))
    assert true.overall > 0.95
    assert true.verified
    assert swapped.overall < true.overall - 0.1
    assert not swapped.verified


@pytest.mark.parametrize(
    ("said", "form"),
    [
        ("$2.4 million", "$2,400,000"),
        ("12,000", "12 thousand"),
        ("eighteen", "18"),
        ("37", "thirty-seven"),
        ("March 2019", "Mar. 2019"),
        ("Tom Reller", "T. Reller"),
    ],
)
def test_another_form_of_a_figure_or_name_takes_nothing(said: str, form: str) -> None:
    assert score(_COUNCIL, "Summarize the text.", _SUMMED_UP.replace(said, form)).overall > 0.95


@pytest.mark.parametrize("asks", ["Summarize the text.", "Fasse den Text zusammen.", "Resume el texto."])
def test_a_summary_of_few_words_is_one_where_one_is_asked_for(asks: str) -> None:
    brief = "Engineer Tom Reller found 37 cracks in the arch of Harrow Bridge, closed for eighteen months."
    verdict = score(_COUNCIL, asks, brief)
    assert verdict.kind == "summary"
    assert verdict.overall > 0.5 > score("It rained on the roof of the mill.", asks, brief).overall
