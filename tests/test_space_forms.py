"""What a visitor writes into a form: whose task it is, and what is written into the wrong field."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("gradio")

from space import handlers
from space.datasets import location
from space.making.inputs import FOUND, InputError, from_link, read_inputs, to_link
from space.making.sessions import Run
from space.making.task import found_task
from space.making.writing import bundled
from space.tabs import explore, form
from synthesis.errors import SourceError

KEYS = [
    "hf_abcdefghijklmnopqrstuvwxyz012345",
    "sk-proj-abcdefghijklmnop1234",
    "ada/hf_abcdefghijklmnopqrstuvwxyz012345",
    "https://ada:hunter2hunter2@example.org/v1",
]


# ---- the task ----


@pytest.mark.parametrize(
    ("instruction", "task"),
    [
        ("Who kept the Harrow light in 1911?", "generic"),
        ("Write a Python function that adds two numbers.", "generic"),
        ("What is the capital of the country whose king was crowned there?", "generic"),
        ("Summarise the coverage of the storm.", "news_summary"),
        ("Give an overview of the audit for a reader who has not seen it.", "report_summary"),
        ("Summarize the discussion of the battery fault.", "meeting_query"),
        ("Why did the council put off its vote?", "meeting_query"),
        ("Which opened first, the Bellacosta or the Tarquin?", "multihop_compare"),
        ("Were Ada and Grace born in the same year?", "multihop_compare"),
        ("What did the authors measure?", "paper_qa"),
        ("At the end of the tale, where is the compass?", "story_qa"),
        ("من كان يحرس المنارة؟", "generic"),
        ("", "generic"),
        ("e" * 2_000, "generic"),
    ],
)
def test_a_task_is_named_only_where_the_words_tell(instruction, task) -> None:
    assert found_task(instruction) == task


def test_no_bundled_pair_is_taken_for_another_kind() -> None:
    found = [(pair.task, found_task(pair.instruction)) for pair in bundled()]
    assert not [one for one in found if one[1] not in (one[0], "generic")]
    assert sum(one[0] == one[1] for one in found) >= len(found) // 3


def test_what_is_found_stands_in_the_link_and_the_record() -> None:
    asked = {"instruction": "Summarise the coverage of the storm.", "answer": "It took three roofs."}
    inputs = read_inputs(**asked, task=FOUND, length="500w")
    assert inputs.task == "news_summary"
    assert read_inputs(**from_link(to_link(inputs))) == inputs
    last = list(handlers.synthesize({**asked, "task": FOUND, "length": "500w"}, Run()))[-1]
    assert last.result and last.result.inputs.task == "news_summary"
    assert last.note.endswith("Task: News to summarise.")


def test_a_link_says_which_instruction_its_task_belongs_to() -> None:
    *_, loaded, _ = form.restored("instruction=Who+kept+it%3F&answer=Ada&task=story_qa")
    assert loaded == "Who kept it?"


# ---- what does not belong there ----


@pytest.mark.parametrize("key", KEYS)
def test_a_key_in_the_wrong_field_is_refused_and_not_repeated(key) -> None:
    with pytest.raises(InputError) as told:
        read_inputs(instruction="a", answer="b", engine="providers", model=key)
    assert "access key" in str(told.value) and "hunter2" not in str(told.value) and key not in str(told.value)
    shown = json.dumps([one for one in explore.opened(key) if isinstance(one, str)])
    assert "access key" in shown and key not in shown and "hunter2" not in shown


@pytest.mark.parametrize("model", ["openai/gpt-oss-20b", "ada/risk-model-of-the-seventh-floor", "a/sk-8b"])
def test_a_models_name_is_no_key(model) -> None:
    assert read_inputs(instruction="a", answer="b", engine="providers", model=model).model == model


@pytest.mark.parametrize("blank", ["\u200b", " \u2060\u200b\n", "\ufeff"])
def test_what_cannot_be_seen_is_empty(blank) -> None:
    with pytest.raises(InputError, match="The answer is empty"):
        read_inputs(instruction="Who?", answer=blank)


def test_the_address_of_a_datasets_page_is_its_name(monkeypatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(SourceError, match=r"'ada/short'"):
        location.find(f"{constants.ENDPOINT}/datasets/ada/short/viewer?row=3#x")
    with pytest.raises(SourceError, match="Write OWNER/NAME"):
        location.find("https://example.org/ada/short")


def test_a_list_that_was_only_passed_changes_nothing() -> None:
    place = location.find("")
    view = explore.Selection(place, "composer", task="story_qa", page=0, row=2)
    passed = [
        *explore.chosen_config(view, "composer"),
        *explore.filtered(view, "story_qa", 0),
        *explore.chosen_config(None, None),
    ]
    assert not any(isinstance(one, (str, explore.Selection)) for one in passed)
    assert all("value" not in one and "choices" not in one for one in passed)
