"""Which documents stand beside a context, and which never do."""

import random
from collections import Counter
from dataclasses import replace

import pytest

from synthesis import Context, Pair, Rejected, Sample, assemble
from synthesis.assembly.options import parse_distractors
from synthesis.errors import UsageError
from synthesis.text.near_duplicates import NEAR, share, sketch
from synthesis.text.states import states
from synthesis.text.words import terms
from tests.assembly_texts import TOKENIZERS, check, corpus, prose, samples


def others(sample: Sample) -> list[str]:
    return [document for document in sample.documents if document != sample.pair_id]


def uses(made: list[Sample]) -> Counter[str]:
    return Counter(document for sample in made for document in others(sample))


def outside(size: int, words: int = 150) -> list[tuple[str, str]]:
    return [(f"book {place}", prose(("outside", place), words)) for place in range(size)]


# --- what gives an answer away ------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "text", "found"),
    [
        ("3 May 1990", "It was on May 3rd, 1990, that", True),
        ("1990-05-03", "the third of May, 1990", True),
        ("05/03/1990", "3 May 1990", True),
        ("May 1990", "signed 1990-05-03", True),
        ("3 May", "on May 3, 1990", True),
        ("1990", "3 May 1990", True),
        ("3 May 1990", "4 May 1990", False),
        ("3 May 1990", "3 May 1991", False),
        ("205", "two hundred and five men", True),
        ("two hundred and five", "205 men", True),
        ("205", "two hundred men and five", False),
        ("2.5 million", "2,500,000 people", True),
        ("1.2 thousand", "1,200 of them", True),
        ("fifty-five", "page 55", True),
        ("5", "fifty-five", False),
        ("seven", "he had 7", True),
        ("the third", "her 3rd horse", True),
        ("nineteen ninety", "in 1990.", True),
        ("50%", "fifty percent", True),
        ("Curaçao", "off Curacao", True),
        ("Jose Marti", "José Martí wrote", True),
        ("in the house", "in a house", True),
        ("Москва", "это Москва.", True),
        ("one hundred and", "one hundred and", True),
        ("v1.2.3", "see v1.2.3.", True),
        ("²", "2", True),
    ],
)
def test_other_forms_of_an_answer(answer: str, text: str, found: bool) -> None:
    assert states(text, answer) is found


def test_documents_with_the_answer_in_another_form_are_passed_over() -> None:
    items = corpus(12)
    items[0] = Pair(instruction="When?", answer="17 June 1873", task="story_qa"), items[0][1]
    pair, context = items[5]
    items[5] = pair, replace(context, text=f"{context.text} It was June the 17th, 1873.")
    first = samples(assemble(items, "64k"))[0]
    assert pair.id not in first.documents
    assert len(first.documents) == 11


def test_answers_in_two_forms_are_kin() -> None:
    items = corpus(5)
    items[0] = Pair(instruction="How many?", answer="forty-two", task="story_qa"), items[0][1]
    items[1] = Pair(instruction="What number?", answer="42", task="story_qa"), items[1][1]
    assert items[1][0].id not in samples(assemble(items, "64k"))[0].documents


# --- near-duplicates ----------------------------------------------------------


def changed(text: str, share: float) -> str:
    draw = random.Random(f"changed {share}")
    return " ".join("changed" if draw.random() < share else word for word in text.split())


@pytest.mark.parametrize(("changes", "twins"), [(0.0, True), (0.05, True), (0.35, False), (1.0, False)])
def test_how_near_is_near(changes: float, twins: bool) -> None:
    text = prose("near", 800)
    one, two = (frozenset(sketch(terms(each))) for each in (text, changed(text, changes)))
    assert (share(one, two) >= NEAR) is twins


def test_texts_without_words_have_no_twins() -> None:
    empty = frozenset(sketch([]))
    assert share(empty, empty) < NEAR


def test_texts_without_blanks_are_compared_by_characters() -> None:
    draw = random.Random("characters")
    letters = [chr(0x4E00 + place) for place in range(500)]
    one = "".join(draw.choices(letters, k=600))
    two = "".join(draw.choices(letters, k=600))
    sketches = [frozenset(sketch(terms(text))) for text in (one, one[:570] + two[:30], two)]
    assert share(sketches[0], sketches[1]) >= NEAR
    assert share(sketches[0], sketches[2]) < NEAR


def test_no_near_duplicates_of_the_context_or_of_one_another() -> None:
    items = corpus(10, words=400)
    for place, original in ((7, 0), (8, 3), (9, 3)):
        text = changed(items[original][1].text, 0.03) + f" Copy {place}."
        items[place] = items[place][0], replace(items[place][1], text=text)
    ids = [pair.id for pair, _ in items]
    made = samples(assemble(items, "64k"))
    assert ids[7] not in made[0].documents
    assert ids[0] not in made[7].documents
    for sample in made:
        assert len({ids[3], ids[8], ids[9]} & set(sample.documents)) == 1


# --- lexical --------------------------------------------------------------------


def themed(themes: int, each: int) -> list[tuple[Pair, Context]]:
    made = []
    for place in range(themes * each):
        theme = place % themes
        words = " ".join(f"theme{theme}word{n}" for n in random.Random(place).sample(range(30), 8))
        pair = Pair(instruction=f"What of {words}?", answer=f"Zorv {place}", task="story_qa")
        text = prose(("themed", place), 60) + f" About {words} here. " + prose(("more", place), 60)
        made.append((pair, Context(pair.id, text)))
    return made


def test_lexical_takes_the_nearest_first() -> None:
    items = themed(5, 8)
    theme = {pair.id: place % 5 for place, (pair, _) in enumerate(items)}
    made = samples(assemble(items, 1200, distractors="lexical"))
    near_ones = [theme[other] == theme[sample.pair_id] for sample in made for other in others(sample)]
    assert sum(near_ones) > 0.9 * len(near_ones)
    by_chance = samples(assemble(items, 1200, distractors="random"))
    assert sum(theme[o] == theme[s.pair_id] for s in by_chance for o in others(s)) < 0.4 * len(near_ones)
    for sample, (pair, context) in zip(made, items, strict=True):
        check(sample, pair, context, TOKENIZERS["embedded"])
        assert sample.tokens >= 0.995 * 1200


def test_lexical_goes_on_to_everybody() -> None:
    assert all(len(s.documents) == 40 for s in samples(assemble(themed(5, 8), "64k", distractors="lexical")))


def test_lexical_does_not_depend_on_order() -> None:
    items = themed(3, 6)
    forth = {s.pair_id: s for s in samples(assemble(items, 1500, distractors="lexical"))}
    assert forth == {s.pair_id: s for s in samples(assemble(items[::-1], 1500, distractors="lexical"))}


# --- mixes and caps -------------------------------------------------------------


def test_a_mix_keeps_its_shares() -> None:
    items, texts = corpus(40, words=150), outside(60)
    made = samples(assemble(items, "4k", distractors="corpus:0.75,random:0.25", corpus=texts))
    counted = uses(made)
    share = sum(count for name, count in counted.items() if name.startswith("book")) / counted.total()
    assert share == pytest.approx(0.75, abs=0.1)
    assert {sample.distractors for sample in made} == {"corpus:0.75,random:0.25"}


@pytest.mark.parametrize(
    "distractors", ["lexical", "corpus", "lexical:0.5,random:0.5", "same-task", "random"]
)
def test_no_document_is_used_more_often_than_allowed(distractors: str) -> None:
    made = samples(assemble(themed(4, 10), 1500, distractors=distractors, max_reuse=7, corpus=outside(50)))
    counted = uses(made)
    assert 0 < max(counted.values()) <= 7
    assert sum(sample.tokens >= 0.995 * 1500 for sample in made) > 0.6 * len(made)


@pytest.mark.parametrize(
    "bad",
    ["", "lexical,random", "lexical:0,random:1", "lexical:1,lexical:2", "none:0.5,random:0.5", "nearest"]
    + ["random:x,lexical:1", "random:nan,lexical:1"],
)
def test_impossible_mixes(bad: str) -> None:
    with pytest.raises(UsageError, match="lexical:0.5,random:0.5"):
        assemble(corpus(1), "1k", distractors=bad)


def test_shares_are_scaled() -> None:
    assert str(parse_distractors(" lexical:3, random:1 ")) == "lexical:0.75,random:0.25"
    assert str(parse_distractors("lexical:0.2")) == "lexical"


# --- the user's own texts ---------------------------------------------------------


def test_texts_of_ones_own() -> None:
    items, texts = corpus(10), outside(40)
    known = dict(texts)
    for sample, (pair, context) in zip(
        samples(assemble(items, "2k", distractors="corpus", corpus=texts)), items, strict=True
    ):
        check(sample, pair, context, TOKENIZERS["embedded"])
        assert sample.tokens >= 0.995 * 2048
        assert all(other in known for other in others(sample))
        whole = [known[other] in sample.messages[0].content for other in others(sample)]
        assert whole.count(False) <= 2


def test_a_leak_in_the_corpus_is_passed_over() -> None:
    texts = [*outside(8), ("spoiler", prose("spoiler", 80) + " It was ZORV zero!")]
    made = samples(assemble(corpus(3), "64k", distractors="corpus", corpus=texts))
    assert "spoiler" not in made[0].documents
    assert "spoiler" in made[1].documents


# --- splits ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "distractors", ["same-task", "random", "lexical", "corpus", "lexical:0.5,corpus:0.5"]
)
def test_documents_never_cross_splits(distractors: str) -> None:
    items = corpus(30, words=80, tasks=("story_qa", "qasper"))
    label = {pair.id: "test" if place % 5 == 0 else "train" for place, (pair, _) in enumerate(items)}
    made = samples(
        assemble(
            items,
            "64k",
            distractors=distractors,
            split=lambda place: label[items[place][0].id],
            corpus=outside(20),
        )
    )
    served: dict[str, set[str]] = {}
    for sample in made:
        for document in sample.documents:
            served.setdefault(document, set()).add(label[sample.pair_id])
    assert all(len(splits) == 1 for splits in served.values())
    assert all(len(sample.documents) > 1 for sample in made)


def test_a_blank_corpus_leaves_the_context_alone() -> None:
    outcome = next(assemble(corpus(1), "1k", distractors="corpus", corpus=[("x", "  ")]))
    assert not isinstance(outcome, Rejected)
    assert len(outcome.documents) == 1


# --- pairs that ask the same ----------------------------------------------------------------


def reports(size: int = 12) -> list[tuple[Pair, Context]]:
    """Pairs with one instruction for all, half of them in other letters, and as many with their own."""
    made = corpus(2 * size, words=120, tasks=("report_summary", "story_qa"))
    asked = ("What does the report say?", "what does THE report say")
    return [
        (replace(pair, id="", instruction=asked[place // 2 % 2]), context)
        if pair.task == "report_summary"
        else (pair, context)
        for place, (pair, context) in enumerate(made)
    ]


@pytest.mark.parametrize("max_reuse", [None, 3])
@pytest.mark.parametrize("distractors", ["same-task", "random", "lexical", "same-task:0.5,lexical:0.5"])
def test_no_other_context_answers_the_same_question(distractors: str, max_reuse: int | None) -> None:
    items = reports()
    task = {pair.id: pair.task for pair, _ in items}
    made = samples(assemble(items, "600", distractors=distractors, max_reuse=max_reuse))
    assert max_reuse is None or max(uses(made).values()) <= max_reuse
    for sample in made:
        kinds = {task[name] for name in others(sample)}
        if sample.task == "report_summary":
            assert "report_summary" not in kinds
            assert max_reuse or sample.tokens >= 0.995 * sample.budget  # filled from elsewhere
        elif distractors == "same-task":
            assert kinds <= {"story_qa"}


def test_questions_may_be_repeated_if_asked_for() -> None:
    items = reports()
    task = {pair.id: pair.task for pair, _ in items}
    for sample in samples(assemble(items, "600", repeat_questions=True)):
        assert {task[name] for name in sample.documents} == {sample.task}
        assert sample.tokens >= 0.995 * sample.budget


def test_where_all_ask_the_same_nothing_else_is_left() -> None:
    items = [item for item in reports() if item[0].task == "report_summary"]
    assert all(sample.documents == (sample.pair_id,) for sample in samples(assemble(items, "600")))
    own = [(f"own {place}", prose(("own", place), 150)) for place in range(6)]
    mixed = samples(assemble(items, "600", distractors="same-task:0.5,corpus:0.5", corpus=own))
    assert all(sample.tokens >= 0.995 * sample.budget for sample in mixed)
