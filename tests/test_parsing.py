"""Replies to contexts: what is accepted, what is rejected and why."""

import pytest

from synthesis.data import Completion, Context, Evidence, Pair, Rejected
from synthesis.engines.base import Sampling
from synthesis.gate.parsing import parse
from synthesis.prompts import build_prompt, load_template

BODY = "The mill stood by the river, and Ada ran it. " * 10


def reply(text, part=False, **changes):
    pair = Pair(instruction="Who ran the mill?", answer="Ada")
    template = load_template("narrative")
    prompt = build_prompt(pair, template, words=100, engine="e", model="m", sampling=Sampling())
    return parse(Completion(prompt.id, text, **changes), prompt, engine="e", model="m", seed=3, part=part)


@pytest.mark.parametrize(
    "opening",
    [
        "Context: ",
        "Context:\n\n",
        "**Context:** ",
        "## Context:\n",
        "context : ",
        "<think>Context: no, first a plan.</think>\n\nContext: ",
        "Sure, here it is.\n\nContext: ",
    ],
)
def test_the_marker_is_taken_off(opening) -> None:
    outcome = reply(opening + BODY)
    assert isinstance(outcome, Context)
    assert outcome.text == BODY.strip()
    assert (outcome.words, outcome.seed, outcome.engine, outcome.template) == (100, 3, "e", "narrative")


def test_spans_move_with_the_text() -> None:
    text = "Context: \n " + BODY
    at = text.index("Ada")
    outcome = reply(text, evidence=(Evidence(at, at + 3, "answer"),))
    (span,) = outcome.evidence
    assert outcome.text[span.start : span.end] == "Ada"
    assert outcome.evidence_source == "exact"


@pytest.mark.parametrize(
    ("text", "changes", "stage", "reason"),
    [
        (BODY, {}, "parse", "marker"),
        ("", {}, "parse", "marker"),
        ("x " * 400 + "\nContext: " + BODY, {}, "parse", "marker"),
        ("Context: too short", {}, "parse", "short: 2 words where 100 were asked"),
        ("Context:", {}, "parse", "short: 0 words"),
        ("Context: " + BODY, {"finish_reason": "length"}, "generate", "length"),
        ("", {"finish_reason": "refusal", "detail": "content filter"}, "generate", "refusal: content filter"),
        ("", {"finish_reason": "error", "detail": "500"}, "generate", "error: 500"),
    ],
)
def test_anything_else_is_rejected(text, changes, stage, reason) -> None:
    outcome = reply(text, **changes)
    assert isinstance(outcome, Rejected)
    assert (outcome.stage, outcome.text) == (stage, text)
    assert outcome.reason.startswith(reason)


def test_a_script_without_spaces_is_not_short() -> None:
    context = reply("Context: " + "水车立在河边，由艾达经营。" * 12)
    assert isinstance(context, Context)
    assert context.words > 60


def test_a_part_may_do_without_the_marker_and_be_short() -> None:
    assert reply("The mill stood by the river. " * 5, part=True).words == 30
    assert reply("Context: " + "The mill stood by the river. " * 5, part=True).text.startswith("The mill")
    assert reply("<think>hm</think>\n" + BODY, part=True).text == BODY.strip()
    assert reply("I would rather not.", part=True).reason.startswith("short")
