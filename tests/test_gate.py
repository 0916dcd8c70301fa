"""What the gate takes and what it does not: twenty ways to spoil a text, and texts that only look spoilt."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.gate import WAYS, Told, pairs_told, verdict
from benchmarks.gate import faults as fatal_faults
from synthesis.coherence import score, score_context
from synthesis.data import Completion, Context, Message, Pair, Prompt
from synthesis.engines.base import Sampling
from synthesis.gate.faults import Fault, inspect
from synthesis.prompts import build_prompt, load_template, parse_template
from synthesis.text.repetition import repetition
from tests.pretend import prose
from tests.real_texts import large_rows, needs_large, own_rows

TOLD = pairs_told()
PAIR = Pair(instruction="Who mended the tower clock in Varrow?", answer="Ilse Brandt")
GOOD = f"{prose(60)} The tower clock in Varrow was mended by Ilse Brandt in spring. {prose(40)}"
SAME = f"Here is it all. {prose(10)} "


def found(text: str, pair: Pair = PAIR, template: str = "narrative", **given: object) -> dict[str, Fault]:
    """The faults of a text by name."""
    made = load_template(template) if len(template) < 20 else parse_template("own", template)
    prompt = build_prompt(pair, made, words=100, engine="e", model="m", sampling=Sampling())
    faults = inspect(Context(pair.id, text), pair, prompt, **given).faults  # type: ignore[arg-type]
    return {fault.name: fault for fault in faults}


# The whole


@pytest.mark.parametrize("way", WAYS)
def test_hardly_any_spoilt_text_is_taken(way) -> None:
    replies = (WAYS[way](told) for told in TOLD)
    accepted = [told for told, said in zip(TOLD, replies, strict=True) if not rejected(told, said)]
    assert len(accepted) <= {"the answer first": 2, "that, with the answer put in": 1}.get(way, 0)


def rejected(told: Told, said: str | Completion) -> str:
    reply = said if isinstance(said, Completion) else Completion("", f"Context: {said}")
    return verdict(told.pair, told.prompt, reply)


def test_texts_that_people_wrote_for_their_pair_are_taken() -> None:
    refused = []
    for row in own_rows():
        pair = Pair(instruction=row["instruction"], answer=row["answer"], task=row["task"])
        if any(fault.fatal for fault in found(row["context"], pair).values()):
            refused.append(row["instruction"])
    assert refused == []  # an age that has to be worked out is found, too


@needs_large
def test_of_many_under_five_percent_are_refused() -> None:
    rows = [row for name in ("hotpotqa", "multinews") for row in large_rows(name)[1::4]]
    names: Counter[str] = Counter()
    for row in rows:
        pair, text = Pair(instruction=row["instruction"], answer=row["answer"]), row["context"]
        prompt = Prompt("", pair.id, "t", {"words": 0}, (Message("user", "?"),), "")
        text = text.replace("NEWLINE_CHAR", "\n")
        names[next(fatal_faults(Context(pair.id, text), pair, prompt), "")] += 1
    assert names.pop("") > 0.95 * len(rows), names


# Repetition


@pytest.mark.parametrize(
    "text",
    [
        "very " * 200,
        "a phrase or two, " * 30,
        f"{prose(60)}\n\n" * 4,
        f"{GOOD} {'and then ' * 20}",
        "水车立在河边，由艾达经营。" * 12,
        "ไปตลาดซื้อผักและปลาแล้วกลับบ้าน" * 12,
        " ".join(f"On day {n} of the account nothing moved along the grey canal." for n in range(20)),
        f"{prose(2000)} {prose(220, 'x')} {prose(220, 'x')}",
    ],
    ids=["word", "phrase", "paragraph", "tail", "chinese", "thai", "numbered", "page"],
)
def test_loops_of_any_length_and_script(text) -> None:
    assert repetition(text).excessive
    clean = score(GOOD, PAIR.instruction, PAIR.answer).overall
    looped = score(f"{GOOD}\n\n{text * 3}", PAIR.instruction, PAIR.answer).overall
    assert looped < 0.15 < 0.8 < clean
    fault = found(f"{GOOD}\n\n{text * 3}")["repetition"]
    assert fault.fatal and fault.anew


@pytest.mark.parametrize(
    "text",
    [
        "",
        "No, no, no, no!",
        GOOD,
        f"{prose(300)} Row, row, row your boat, row, row, row your boat.",
        "水车。水车。" + "河" * 5,
    ],
)
def test_what_repeats_itself_as_people_do(text) -> None:
    assert not repetition(text).excessive


def test_a_section_that_says_again_what_stands_before_it() -> None:
    before = f"{prose(150)} {SAME}"
    assert "repeat" in found(f"{prose(150)} And more.", among=(), before=before)
    assert found(f"{prose(151)} And more.", among=(), before=before) == {}


# Earning


def test_a_yes_or_no_has_to_be_earned_too() -> None:
    pair = Pair(instruction="Was the tower clock in Varrow mended before the flood?", answer="yes")
    assert found(f"{GOOD} Before the flood it stood still.", pair) == {}
    fault = found(prose(120), pair)["off-topic"]
    assert fault.fatal and fault.anew
    assert fault.reason == "off-topic: the text holds 0% of what is asked, by weight"


def test_an_answer_far_from_anything_asked_is_off_topic() -> None:
    assert "off-topic" in found(f"{prose(60)} Ilse Brandt. {prose(40)}")


# The prompt coming back


@pytest.mark.parametrize(
    "said",
    [
        "The request: Who was it? The response: No. The text must not mention a request.",
        "The reader received this request from the town.",
        "A reader was given a long text, and gave this response, which is correct.",
        "The answer to this puzzle is Ilse Brandt.",
        "What the text must do\n\nIt stood.",
        "It was <request> that came.",
        "The text should be written as a story of about 200 words.",
        "Every fact and figure the response relies on is stated here.",
        "No apology, and no word about what you changed, was heard.",
    ],
)
@pytest.mark.parametrize("where", ["{said} {good}", "{good} {said} {good2}", "{good}\n{said}"])
def test_the_prompts_own_words_are_a_leak_wherever_they_stand(said, where) -> None:
    text = where.format(said=said, good=GOOD, good2=prose(50, "z"))
    if said.startswith("What the text"):
        text = f"{GOOD}\n{said}"
    faults = found(text)
    assert {"prompt", "residue"} & faults.keys()
    assert all(faults[name].fatal for name in {"prompt", "residue"} & faults.keys())
    assert score(text, PAIR.instruction, PAIR.answer).overall < 0.31


def test_two_leaks_multiply() -> None:
    one = f"{GOOD} The reader received this request."
    two = f"{one} The answer to this puzzle is hers."
    once, twice = (score(text, PAIR.instruction, PAIR.answer).overall for text in (one, two))
    assert twice == pytest.approx(0.3 * once, abs=0.01)
    assert len(score_context(PAIR, Context(PAIR.id, two)).leaks) == 2


OWN_TEMPLATE = (
    "Invent a chronicle of {words} words for schoolchildren who will later be quizzed.\n"
    "{instruction}\n{answer}\n"
    'Weave the solution between harmless gossip and weather. Begin with "Once in the valley there lived".'
)


def test_a_templates_own_words_are_known_by_the_template() -> None:
    text = f"{GOOD} It was a chronicle for schoolchildren who will later be quizzed."
    assert found(text) == {}
    assert found(text, template=OWN_TEMPLATE)["prompt"].anew
    assert found(f"{GOOD} Once in the valley there lived a smith.", template=OWN_TEMPLATE) == {}


@pytest.mark.parametrize(
    "text",
    [
        f"{GOOD} In response to the request, the librarian sent a response the same day.",
        f"{GOOD}\n\nThe Response\n\nThe council's response came in March; no reader of the paper saw it.",
        f"## The request\n\n{GOOD}",
        f"{GOOD} “Answer the question,” said the judge. The answer: silence.",
        f"{GOOD} The text on the stone was worn. She asked a reader in the library about it.",
        f"{GOOD} His instructions were to write a letter of two hundred words.",
    ],
)
def test_innocent_words_pass(text) -> None:
    assert found(text) == {}
    assert score_context(PAIR, Context(PAIR.id, text)).leaks == []


def test_what_the_pair_itself_says_is_no_prompt() -> None:
    said = "whoever reads the text, and nothing else, can work out the response"
    pair = Pair(instruction=f"Which rule holds that {said}?", answer="the rule of Varrow")
    text = f"{prose(60)} The rule of Varrow held that {said}. {prose(40)}"
    assert "prompt" not in found(text, pair)
    assert "prompt" in found(text)
