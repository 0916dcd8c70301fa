"""What a visitor reads when their provider refuses, is away, or breaks off in the middle."""

from __future__ import annotations

import json

import pytest

from tests.browser.staged import TOKEN
from tests.openai_server import Reply, failure

ASKED = {"instruction": "Who kept the Harrow light in 1911?", "answer": "Ilse Brandt"}
STORY = "Context: The light stood on the north rock, and nobody rowed there in winter. " * 20 + (
    "In 1911 the Harrow light was kept by Ilse Brandt."
)


@pytest.fixture
def page(visit_staged):
    one = visit_staged()
    one.choose("Engine", "Inference Providers, your login")
    one.field("Model").wait_for()
    return one


REFUSALS = {
    "quota is used up": failure(402, "credits exhausted"),
    "login was not accepted": failure(401, "bad token"),
    "No provider serves this model": failure(404, "no such model", code="model_not_found"),
    "The provider is busy": failure(429, "slow down"),
    "The provider does not answer": failure(500, "oops"),
}


def test_a_refusal_is_told_with_what_to_do(page, providers, subtests) -> None:
    for says, reply in REFUSALS.items():
        with subtests.test(says):
            providers.script = lambda asked, reply=reply: reply
            told = page.synthesize(**ASKED)
            assert "Not done" in told and says in told
            assert TOKEN not in page.page.content()


def test_a_model_is_asked_with_the_visitors_own_login_and_its_text_is_marked(page, providers) -> None:
    providers.script = lambda asked: Reply(STORY)
    page.choose("Length", "500 words")
    told = page.synthesize(**ASKED)
    assert providers.asked[-1].headers["authorization"] == f"Bearer {TOKEN}"
    assert told.startswith("Done") or "wrote no context" in told
    assert TOKEN not in page.page.content()


def test_what_came_before_the_connection_broke_is_kept(page, providers) -> None:
    providers.script = lambda asked: Reply(STORY, cut=150)
    told = page.synthesize(**ASKED)
    assert told.startswith("Stopped") and "can be downloaded" in told
    record = json.loads(page.download("Download JSON")[1])
    assert record["stopped"] and record["context"] == page.text()
    assert record["context"].startswith("The light stood on the north rock")
