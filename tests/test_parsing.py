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


END_TOKENS = [
    "<|im_end|>",
    "</s>",
    "<end_of_turn>\n",
    "<|eot_id|>",
    "<|return|>",
    "<｜end▁of▁sentence｜>",
    "<eos>",
]
HARMONY = "<|channel|>analysis<|message|>Context: first\na plan.<|end|><|start|>assistant"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Context: ", ""),
        ("Context:\n\n", ""),
        ("**Context:** ", ""),
        ("**Context**\n\n", ""),
        ("## Context:\n", ""),
        ("## Context\n\n", ""),
        ("context : ", ""),
        ("Context：", ""),
        ("\ufeffContext: ", ""),
        ("\u200bContext:\u200b ", ""),
        ('"Context:" ', ""),
        ("“Context”: ", ""),
        ('"Context: ', '"'),
        ("Kontext: ", ""),
        ("上下文：", ""),
        ("", ""),
        ("Sure, here it is.\n\nContext: ", ""),
        ("Sure! Here is the story you asked for:\n\n", ""),
        ("Certainly.\n---\n", "\n---"),
        ("<think>Context: no, first a plan.</think>\n\nContext: ", ""),
        ("A plan.\n\nContext: no\n</think>\n\n", ""),
        ("Context: <think>hm</think>", ""),
        ("[THINK]hm[/THINK]", ""),
        ("<thinking>a plan\nContext: x</thinking>", ""),
        ("<reasoning>hm</reasoning>\nContext: ", ""),
        ("<think>one</think>\n<think>two</think>\n", ""),
        ("Context: ", "\n\n<think>Was that all?</think>"),
        (f"{HARMONY}<|channel|>final<|message|>Context: ", "<|return|>"),
        ("analysisThey want a text.assistantfinalContext: ", ""),
        ("<think>hm</think>\n<answer>\nContext: ", "\n</answer>"),
        ("```\nContext: ", "\n```"),
        ("Context:\n```text\n", "\n```"),
        ("```markdown\n", ""),
        ("", "\n```"),
        ("<|im_start|>assistant\nContext: ", ""),
        ("Context: ", "\n\n(Word count: 350)"),
        ("", "\n\n**Word Count:** about 350 words"),
        *(("Context: ", token) for token in END_TOKENS),
    ],
)
def test_what_is_certainly_no_text_is_cut_off(before, after) -> None:
    outcome = reply(before + BODY + after)
    assert isinstance(outcome, Context)
    assert outcome.text == BODY.strip()
    assert (outcome.words, outcome.seed, outcome.engine, outcome.template) == (100, 3, "e", "narrative")


@pytest.mark.parametrize(
    "text",
    [
        "Contexts differ. " + BODY,
        "Here is where Ada lived.\n" + BODY,
        "Of course Ada kept the mill: it was hers.\n" + BODY,
        "“Context,” said Ada. " + BODY + "“Is all.”",
        "The mill ran so:\n```python\nrun()\n```\n" + BODY,
        "```python\nrun()\n```\n" + BODY + "\n```sh\nls\n```",
        BODY + "\n\nShe counted words (350 words) that day.",
        "Sure of her mill, Ada slept.\n" + BODY,
    ],
)
def test_what_may_be_text_stays(text) -> None:
    assert reply(text).text == text.strip()


@pytest.mark.parametrize(
    "text", [BODY + "<think>and now?</think>" + BODY * 2, "Context: " + BODY + "<|im_end|>" + BODY]
)
def test_nothing_is_taken_out_of_the_middle(text) -> None:
    assert reply(text).text == text.removeprefix("Context: ").strip()


def test_spans_move_with_the_text() -> None:
    text = "Context: \n " + BODY
    at = text.index("Ada")
    outcome = reply(text, evidence=(Evidence(at, at + 3, "answer"),))
    (span,) = outcome.evidence
    assert outcome.text[span.start : span.end] == "Ada"
    assert outcome.evidence_source == "exact"


def test_what_an_engine_says_of_its_evidence_is_kept() -> None:
    outcome = reply(BODY, form="steps", hops=3)
    assert (outcome.form, outcome.hops) == ("steps", 3)
    assert (reply(BODY).form, reply(BODY).hops) == ("", 0)


@pytest.mark.parametrize(
    ("text", "changes", "stage", "reason"),
    [
        ("", {}, "parse", "short: 0 words"),
        ("x " * 400 + "\nContext: " + BODY, {}, "parse", "marker: 'Context:' does not open the text"),
        ("<think>" + BODY, {}, "generate", "thinking: the reply ends in the model's thoughts; serve it with"),
        ("<think>" + BODY, {"finish_reason": "length"}, "generate", "thinking"),
        ("Context: " + BODY + "<think>" + BODY, {}, "generate", "thinking"),
        ("<think>" + BODY + "</think>", {}, "generate", "thinking"),
        ("[THINK]" + BODY + "[/THINK]\nContext:", {}, "generate", "thinking"),
        ("", {"finish_reason": "length"}, "generate", "thinking"),
        ("", {"detail": "only thoughts came"}, "generate", "thinking: only thoughts came"),
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


def test_a_nul_is_no_text() -> None:
    found = reply(f"Context: {BODY[:40]}\0{BODY}")
    assert isinstance(found, Rejected)
    assert (found.stage, found.reason) == ("parse", "nul: the reply holds a NUL character")
