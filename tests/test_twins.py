"""Twins of samples: they differ in what they say, keep the budget, and another reply is right for them."""

from __future__ import annotations

import json
import math
import random
import re
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synthesis import Context, Pair, Rejected, Sample, assemble, load_tokenizer
from synthesis.assembly.twins.removing import REFUSALS
from synthesis.assembly.twins.values import others
from synthesis.data import Evidence
from synthesis.engines.composer.lexicon import words
from synthesis.errors import ConfigError
from synthesis.text.states import is_ordinary, states
from tests.assembly_texts import TOKENIZERS, odd_text
from tests.twins import Item, drafted, proven, rest, shown, with_twins

KINDS = ("removed", "changed", "decoy")


@cache
def items() -> list[Item]:
    lines = Path("examples/pairs.jsonl").read_text(encoding="utf-8").splitlines()
    pairs = [json.loads(line) for line in lines]
    return [
        drafted(Pair(instruction=one["instruction"], answer=one["answer"], task=one["task"]))[0]
        for one in pairs[:36]
    ]


HIDDEN = {"keychain": 2, "keychain_links": 2, "distractors": "random"}


@pytest.mark.parametrize(
    ("name", "length", "options"),
    [
        ("embedded", "2k", {"header": "Document {n}:\n", "depth": "end"}),
        ("embedded", "2k", HIDDEN | {"answers": "reasoned"}),
        ("embedded", "1k", {"distractors": "none"}),
        ("unigram", "4k", HIDDEN),
        ("unsplit", "4k", {}),
    ],
)
def test_twins_differ_in_what_they_tell_and_keep_the_budget(name: str, length: str, options: dict) -> None:
    tokenizer = TOKENIZERS[name]
    texts = {pair.id: (pair, context) for pair, context in items()}
    kinds: Counter[str] = Counter()
    outcomes = assemble(items()[8:26], length, twins=KINDS, tokenizer=tokenizer, **options)
    for base, twins in with_twins(outcomes):
        pair, context = texts[base.pair_id]
        for kind, twin in twins.items():
            kinds[kind] += 1
            old, new = rest(base, twin)
            assert old == new and twin.changes
            assert twin.id != base.id and twin.budget == base.budget and twin.rings == base.rings
            assert tokenizer.count_chat(twin.messages) == twin.tokens <= twin.budget
            if base.tokens >= math.ceil(0.995 * base.budget):
                assert twin.tokens >= math.ceil(0.995 * twin.budget)
            room = sum(one.end - one.start for one in twin.changes if one.what == "room")
            others = len(base.messages[0].content) - (base.evidence_span[1] - base.evidence_span[0])
            assert abs(twin.depth - base.depth) <= 1.5 * room / others + 0.01
            content, right = twin.messages[0].content, twin.answer
            assert [wrong.text for wrong in twin.wrong] == [base.messages[1].content]
            assert twin.answer != base.answer == pair.answer and twin.answer_form in (
                base.answer_form,
                "plain",
            )
            if kind == "removed":
                assert (
                    right in REFUSALS
                    and right == twin.messages[1].content
                    and not twin.evidence
                    and twin.evidence_span == (0, 0)
                )
                if not is_ordinary(pair.answer) and not states(pair.instruction, pair.answer):
                    assert not states(content, pair.answer)
                for piece in context.evidence:
                    assert context.text[piece.start : piece.end] not in content
            else:
                start, end = twin.evidence_span
                for piece, old_piece in zip(twin.evidence, base.evidence, strict=True):
                    assert start <= piece.start < piece.end <= end or options.get("keychain")
                    assert piece.what == old_piece.what
                assert right in twin.messages[1].content
                if not is_ordinary(right):
                    assert states(content[start:end], right) and not states(pair.instruction, right)
                if kind == "changed" and not is_ordinary(right):
                    assert not states(base.messages[0].content, right) and not states(content, pair.answer)
                if kind == "decoy":
                    assert states(base.messages[0].content, right) and states(content, pair.answer)
    assert kinds["removed"] >= 8 and kinds["changed"] >= 5 and kinds["decoy"] >= 1


ASKED = (
    ("In which town was the director of The Salt Orchard born?", "Hallestrand"),
    ("How many seats are there in the stadium where the Pemberlow Herons play?", "18,450"),
    ("Who is the mother of the composer of Requiem for the Salt Road?", "Ines Okafor"),
    ("When was the architect of the Corvane Opera House born?", "14 March 1871"),
    ("What nationality is the director of the film Winter Ledger?", "Norwegian"),
    ("Which film came out first, Amber Quay or The Long Ferry?", "Amber Quay"),
    ("Are the directors of Amber Quay and The Long Ferry from the same country?", "yes"),
    ("What is the population of the county where the inventor of the Gossamer loom was born?", "61,300"),
)


def test_the_composers_account_gives_the_answer_of_each_twin_alone() -> None:
    verdicts: Counter[tuple[str, bool | None]] = Counter()
    for seed in range(3):
        made = [drafted(Pair(instruction=asked, answer=answer), 250, seed) for asked, answer in ASKED]
        written = {pair.id: told for (pair, _), told in made}
        outcomes = assemble([item for item, _ in made], "1k", twins=KINDS)
        for base, twins in with_twins(outcomes):
            pair = next(pair for (pair, _), _ in made if pair.id == base.pair_id)
            for kind, twin in twins.items():
                verdicts[kind, proven(pair, written[pair.id], base, twin)] += 1
    assert not any(
        verdict is False for _, verdict in verdicts
    )  # None: one step, of which there is no account
    assert verdicts["removed", True] >= 20 and verdicts["changed", True] >= 10
    assert verdicts["decoy", True] >= 5


def test_an_account_that_is_not_exchanged_is_found_out() -> None:
    item, written = drafted(Pair(instruction=ASKED[1][0], answer=ASKED[1][1]), 250)
    ((base, twins),) = with_twins(assemble([item], "1k", twins=KINDS))
    assert proven(item[0], written, base, twins["changed"])
    assert not proven(item[0], written, base, replace(twins["changed"], answer="99,999"))
    assert not proven(item[0], written, base, replace(twins["removed"], messages=base.messages))


def test_samples_are_what_they_are_without_twins_and_say_what_would_be_wrong() -> None:
    plain = [one for one in assemble(items(), "1k") if isinstance(one, Sample)]
    found = list(with_twins(assemble(items(), "1k", twins=KINDS)))
    assert [(one.messages, one.tokens, one.evidence) for one in plain] == [
        (one.messages, one.tokens, one.evidence) for one, _ in found
    ]
    assert not any(one.twin or one.wrong or one.changes for one in plain)
    for base, twins in found:
        sources = {wrong.source: wrong.text for wrong in base.wrong}
        assert ("refusal" in sources) == ("removed" in twins) and ("twin" in sources) == ("changed" in twins)
        for kind, source in (("removed", "refusal"), ("changed", "twin")):
            if kind in twins:
                assert sources[source] == twins[kind].messages[1].content
        if "decoy" in sources:
            assert states(base.messages[0].content, sources["decoy"])


def test_every_twin_that_is_not_made_has_a_reason() -> None:
    outcomes = list(assemble(items(), "1k", twins=KINDS))
    made = sum(isinstance(one, Sample) for one in outcomes)
    reasons = [one.reason for one in outcomes if isinstance(one, Rejected) and one.stage == "twin"]
    assert made + len(reasons) == 4 * len(items())
    assert {reason.partition(":")[0] for reason in reasons} <= set(KINDS)


def test_twins_follow_from_content_and_seed_alone() -> None:
    first = list(assemble(items(), "1k", twins=KINDS))
    again = list(assemble(items(), "1k", twins=KINDS))
    assert first == again
    refusals = {one.messages[1].content for one in first if isinstance(one, Sample) and one.twin == "removed"}
    assert len(refusals) > 3
    own = assemble(items()[:4], "1k", twins=("removed",), refusal="No idea.")
    assert {one.messages[1].content for one in own if isinstance(one, Sample) and one.twin} == {"No idea."}


def test_one_kind_alone_and_none_where_the_context_is_left_out() -> None:
    only = [one for one in assemble(items(), "1k", twins=("changed",)) if isinstance(one, Sample)]
    assert {one.twin for one in only} == {"", "changed"}
    assert {wrong.source for one in only for wrong in one.wrong} == {"twin"}
    left_out = list(assemble(items(), "1k", twins=KINDS, abstain=1.0))
    assert all(isinstance(one, Sample) and not one.twin for one in left_out) and len(left_out) == len(items())
    with pytest.raises(ConfigError, match="removed, changed and decoy"):
        list(assemble(items(), "1k", twins=("lost",)))


# --- contexts of people and models: only what can be known


def human(question: str, answer: str, text: str, *evidence: str) -> Item:
    pair = Pair(instruction=question, answer=answer)
    pieces = tuple(Evidence(text.index(one), text.index(one) + len(one), "located") for one in evidence)
    return pair, Context(pair.id, text, pieces, engine="import", evidence_source="located")


MAYOR = (
    "Oldmere lies on the river Tarn. Its mayor is Ruth Calloway, who was elected in 1994. "
    "The town has two mills. A market is held every Friday. The church was rebuilt after a fire."
)


def twins_of(item: Item, *others: Item) -> tuple[dict[str, Sample], dict[str, str]]:
    outcomes = list(assemble([item, *others], "1k", twins=KINDS, repeat_questions=True, distractors="random"))
    made = {one.twin: one for one in outcomes if isinstance(one, Sample) and one.pair_id == item[0].id}
    why = {
        one.reason.partition(": ")[0]: one.reason.partition(": ")[2]
        for one in outcomes
        if isinstance(one, Rejected) and one.pair_id == item[0].id
    }
    return made, why


def test_a_name_is_exchanged_where_nothing_else_names_it() -> None:
    asked = "Who is the mayor of Oldmere?"
    other = human(
        "Who built the bridge at Farwell?",
        "Simon Tolland",
        "Farwell has a bridge by Simon Tolland. It is old.",
    )
    made, _ = twins_of(human(asked, "Ruth Calloway", MAYOR, "Its mayor is Ruth Calloway"), other)
    base, changed = made[""], made["changed"]
    assert [one["was"] for one in shown(base, changed)] == ["Ruth Calloway"]
    assert "Its mayor is Ruth Calloway, who was elected in 1994." not in made["removed"].messages[0].content
    swap = made["decoy"]
    assert swap.messages[1].content == "Simon Tolland" and swap.wrong[0].text == "Ruth Calloway"
    assert "bridge by Ruth Calloway" in swap.messages[0].content
    assert "Its mayor is Simon Tolland" in swap.messages[0].content
    assert base.wrong[0] == ("Simon Tolland", "decoy")


@pytest.mark.parametrize(
    ("question", "answer", "text", "reason"),
    [
        (
            "Who is the mayor of Oldmere?",
            "Ruth Calloway",
            MAYOR.replace("The town has", "Calloway likes it. The town has"),
            "more than one way",
        ),
        ("When was the mayor of Oldmere elected?", "1994", MAYOR, "figures may follow"),
        ("Is there a market in Oldmere?", "yes", MAYOR, "no other answer of its kind"),
        ("Who is mayor, Ruth Calloway or Tom Reed?", "Ruth Calloway", MAYOR, "the question names the answer"),
        ("Write a poem about Oldmere.", "Oldmere, oh Oldmere", MAYOR, "no question"),
        ("Where does the market of Oldmere happen?", "in the open", MAYOR, "no other answer of its kind"),
    ],
)
def test_where_it_cannot_be_known_there_is_no_other_answer(
    question: str, answer: str, text: str, reason: str
) -> None:
    made, why = twins_of(human(question, answer, text, "Its mayor is Ruth Calloway"))
    assert "changed" not in made and reason in why["changed"]


def test_what_a_country_is_called_otherwise_goes_with_it() -> None:
    text = "Ana Ruiz comes from Chile. She speaks five languages, and sings in two of them. " + MAYOR
    text += " A Chilean school has her name."
    asked = human("From what country does Ana Ruiz come?", "Chile", text, "Ana Ruiz comes from Chile")
    made, why = twins_of(asked)
    assert "Chil" not in made["removed"].messages[0].content
    assert "five languages" in made["removed"].messages[0].content
    assert "more than one way" in why["changed"]


def test_evidence_that_corrects_an_earlier_account_is_not_cut() -> None:
    told = (
        "A later hand corrected the earlier entry, and the correction was accepted. The bell weighs 40 stone."
    )
    text = f"The bell weighs 90 stone. {told} It is rung at noon. The tower is older than the town."
    start = text.index(told)
    pair = Pair(instruction="How many stone does the bell weigh?", answer="40")
    context = Context(pair.id, text, (Evidence(start, start + len(told), "answer"),), evidence_source="exact")
    _, why = twins_of((pair, context))
    assert "corrects an earlier account" in why["removed"]


def test_a_surname_that_is_left_goes_with_the_evidence() -> None:
    text = MAYOR.replace("The town has", "Calloway was re-elected. The town has")
    made, _ = twins_of(
        human("Who is the mayor of Oldmere?", "Ruth Calloway", text, "Its mayor is Ruth Calloway")
    )
    assert "Calloway" not in made["removed"].messages[0].content
    assert "two mills" in made["removed"].messages[0].content


def test_hidden_questions_stay_where_they_are() -> None:
    for base, twins in with_twins(assemble(items()[:12], "2k", twins=KINDS, keychain=3)):
        for twin in twins.values():
            assert twin.messages[0].content.count('key "') == base.messages[0].content.count('key "')
            for piece in twin.evidence:
                if piece.what == "question":
                    said = twin.messages[0].content[piece.start : piece.end]
                    assert said in base.messages[0].content


def test_tokens_of_a_twin_are_found_again() -> None:
    tokenizer = load_tokenizer(None)
    for _, twins in with_twins(assemble(items()[:12], "2k", twins=KINDS)):
        for twin in twins.values():
            rendered = tokenizer.render(twin.messages)
            at = rendered.index(twin.messages[0].content)
            spans = [(at + piece.start, at + piece.end) for piece in twin.evidence]
            ((_, found),) = tokenizer.locate_batch([rendered], [spans])
            assert tuple(found) == twin.evidence_tokens


@pytest.mark.parametrize(
    ("question", "value", "pattern"),
    [
        ("When did it open?", "September 27, 2017", r"[A-Z][a-z]+ (?:1\d|2[0-8]), 20(?:0\d|1[0-6])"),
        ("When was she born?", "3 May 1871", r"[1-9] [A-Z][a-z]+ 18[5-7]\d"),
        ("How many seats are there?", "18,450", r"[1-9]\d,\d{2}0"),
        ("What did it cost?", "$3.5 million", r"\$[1-9]\.\d million"),
        ("What does it weigh?", "forty-two stone", r"(?!forty-two)[a-z]+-[a-z]+ stone"),
        ("Which country is it in?", "Cameroon", r"[A-Z].*"),
        ("Who was the first female detective?", "Kate Warne", r"[A-Z]\S+ \S+"),
        ("Where was she born?", "Albany, New York", r"[A-Z][^,]+, [A-Z][^,]+"),
        ("What was the debut album of the Herons?", "Salt Road", r"[A-Z].*"),
        ("Which American song covered by the Herons is the longest?", "Salt Road", r"[A-Z].*"),
        ("In which of her novels does he appear?", "Salt Road", r"[A-Z].*"),
        ("What is the place of birth of the painter of Salt Road?", "Amberholt", r"[A-Z].*"),
    ],
)
def test_another_value_is_written_as_the_one_is(question: str, value: str, pattern: str) -> None:
    found = list(others(value, question, random.Random(0)))
    assert len(found) > 5 and value not in found and len(set(found)) == len(found)
    assert all(re.fullmatch(pattern, one) for one in found)
    if value == "Cameroon":
        assert set(found) <= set(words("countries"))
    if value == "Kate Warne":
        assert {one.split()[0] for one in found} <= set(words("first_names_f"))
    if value == "Salt Road":
        assert set(found) <= set(words("works"))
    if value == "Amberholt":
        assert set(found) <= set(words("towns"))


@pytest.mark.parametrize(
    "question",
    [
        "Which former Flame wrote the book Salt Road?",
        "Which award did the book win?",
        "What is the name of the dog of the director?",
        "Which shopping center stands there?",
    ],
)
def test_a_noun_that_is_not_asked_for_tells_no_kind(question: str) -> None:
    assert list(others("Salt Road", question, random.Random(0))) == []


def offering(text: str, source: str = "exact") -> dict[str, Sample]:
    """The sample and its twin, of a text that says which of two films is the older."""
    pair = Pair(instruction="Which film came out first, Amber Quay or The Long Ferry?", answer="Amber Quay")
    spans = (Evidence(0, text.index(".") + 1, "answer"),)
    made = assemble([(pair, Context(pair.id, text, spans, evidence_source=source))], "1k", twins="changed")
    return {one.twin: one for one in made if isinstance(one, Sample)}


TWO_FILMS = "The Long Ferry came out in 1950. The critics wept. Amber Quay came out in 1931. Nobody paid."


def test_of_two_that_a_question_offers_the_other_is_right_where_they_change_places() -> None:
    made = offering(TWO_FILMS)
    base, twin = made[""], made["changed"]
    assert twin.answer == twin.messages[1].content == "The Long Ferry" == base.wrong[0].text
    told = twin.messages[0].content
    assert told.startswith("Amber Quay came out in 1950. The critics wept. The Long Ferry came out in 1931.")
    assert {one.what for one in twin.changes} == {"answer", "decoy"}
    assert rest(base, twin)[0] == rest(base, twin)[1]
    # Where one is called otherwise, too, or others wrote the text, it cannot be known.
    assert "changed" not in offering(f"{TWO_FILMS} The Ferry was a success.")
    assert "changed" not in offering(TWO_FILMS, "located")


def test_a_stop_that_ends_a_sentence_as_well_is_not_exchanged() -> None:
    pair = Pair(instruction="Which company owns the mill?", answer="Pemberlow Inc.")
    for text, made in (
        ("The mill belongs to Pemberlow Inc. Nobody knew it.", False),
        ("Pemberlow Inc. owns the mill. Nobody knew it.", True),
    ):
        spans = (Evidence(0, text.index(" Nobody"), "answer"),)
        items = [(pair, Context(pair.id, text, spans, evidence_source="exact"))]
        outcomes = list(assemble(items, "1k", twins="changed"))
        assert any(isinstance(one, Sample) and one.twin for one in outcomes) == made, text


@pytest.mark.parametrize("value", ["1974-75", "10:20", "3D", "a red hat", "beneath the stone", ""])
def test_of_what_is_of_no_known_kind_there_is_no_other(value: str) -> None:
    assert list(others(value, "What is it?", random.Random(0))) == []


# --- any text


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.tuples(odd_text, odd_text, odd_text), min_size=1, max_size=3),
    st.sampled_from(["exact", "located"]),
)
def test_odd_texts_have_twins_or_a_reason(rows: list[tuple[str, str, str]], source: str) -> None:
    made = []
    for asked, answer, text in rows:
        pair = Pair(instruction=f"Who is it, {asked}?", answer=answer[:60])
        told = f"It is {answer[:60]}. {text} Nothing else is told of it. {text[::-1]}"
        spans = (Evidence(0, len(f"It is {answer[:60]}."), "answer"),)
        made.append((pair, Context(pair.id, told, spans, evidence_source=source)))
    outcomes = list(assemble(made, "2k", twins=KINDS, distractors="random"))
    for base, twins in with_twins(outcomes):
        for twin in twins.values():
            old, new = rest(base, twin)
            assert old == new and twin.tokens <= twin.budget and twin.answer != base.answer
