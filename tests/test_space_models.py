"""Text from a model for a visitor of the page: logins, keys, failures, replies that break off."""

from __future__ import annotations

import os
import re

import pytest

from space import handlers
from space.making import engines, models, recipe
from space.making.inputs import read_inputs
from synthesis.engines.base import Sampling
from synthesis.engines.openai import OpenAIEngine
from synthesis.engines.serving import Failure, Kind
from synthesis.errors import TemplateError
from tests.space_requests import ASKED, at_once, moments  # noqa: F401 - a fixture for all tests


def test_a_model_needs_the_visitors_login(monkeypatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_the_owners_own_token")
    (moment,) = moments(engine="providers")
    assert moment.stage == "problem" and "only where this page runs as a Hugging Face Space" in moment.note
    assert "hf_the_owners" not in repr(moment)
    monkeypatch.setattr(models, "can_log_in", lambda: True)
    (moment,) = moments(engine="providers")
    assert "sign in with the button" in moment.note


def test_a_visitors_token_shows_nowhere(monkeypatch) -> None:
    engine = models.providers("org/model", "hf_secret")
    assert "hf_secret" not in f"{engine!r} {vars(engine)!r}"
    asked = []

    def refuse(engine: OpenAIEngine, path: str, body: dict[str, object]):
        asked.append((engine._server.address.secret, body))
        yield Failure(Kind.QUOTA, "exceeded for hf_secret")

    monkeypatch.setattr(OpenAIEngine, "deltas", refuse)
    seen = moments(engine="providers", token="hf_secret")
    assert seen[-1].stage == "problem" and "quota is used up" in seen[-1].note
    assert "hf_secret" not in repr(seen) and "hf_secret" not in repr(asked[0][1])
    assert asked[0][0] == "hf_secret" and "hf_secret" not in os.environ.values()


@pytest.mark.parametrize("kind", list(Kind))
def test_every_failure_of_a_provider_says_what_to_do(kind) -> None:
    said = models.advice(Failure(kind, "x"))
    assert re.search(r"Choose|Try again|Log out|Change|Wait|Add credit", said), said
    assert "{" not in said


def test_a_models_text_is_streamed_read_and_its_evidence_located(monkeypatch) -> None:
    words = "The lamps were trimmed at dusk and the log was kept by hand. " * 40
    reply = f"Context: {words}\n\nIn 1911 Ilse Brandt kept the Harrow light. {words}"
    pieces = [reply[at : at + 40] for at in range(0, len(reply), 40)]
    monkeypatch.setattr(OpenAIEngine, "deltas", lambda *_: iter_closing(pieces))
    monkeypatch.setattr(handlers, "PAUSE", 0)
    seen = moments(engine="providers", model="org/model", token="t")
    result = seen[-1].result
    assert seen[-1].stage == "done" and len(seen) > len(pieces)
    assert result.context.evidence_source == "located" and result.context.model == "org/model"
    assert any("Ilse Brandt" in result.text[start:end] for start, end, _ in result.evidence)
    assert not recipe.is_exact(result.inputs)


def test_a_reply_that_breaks_off_is_kept(monkeypatch) -> None:
    pieces = ["Context: In 1911 Ilse Brandt kept the light.", Failure(Kind.TIMEOUT, "x")]
    monkeypatch.setattr(OpenAIEngine, "deltas", lambda *_: iter_closing(pieces))
    last = moments(engine="providers", token="t")[-1]
    assert last.stage == "stopped" and last.text == "In 1911 Ilse Brandt kept the light."
    assert "does not answer" in last.note and "7 words written by then are kept" in last.note


def iter_closing(pieces: list[object]):
    yield from pieces


@pytest.mark.parametrize("model", ["x", "a/b/c", "../../etc", "a b/c", "org/m\u00f6del", "x/" + "y" * 90])
def test_only_names_of_models_are_sent(model) -> None:
    (moment,) = moments(engine="providers", model=model, token="t")
    assert moment.stage == "problem" and "is not a model's name" in moment.note


def test_a_template_is_checked(monkeypatch) -> None:
    inputs = read_inputs(**ASKED, engine="providers", template="Write {words} words on {instruction}.")
    with pytest.raises(TemplateError, match=re.escape("lacks {answer}")):
        models.prompt_for(inputs, Sampling())
    inputs = read_inputs(**ASKED, engine="providers", template="{instruction} {answer} {words} { } {1}")
    assert "Ilse Brandt" in models.prompt_for(inputs, Sampling()).messages[0].content


def test_engines_that_are_not_there_are_not_offered(monkeypatch) -> None:
    monkeypatch.delenv("SPACE_MODEL", raising=False)
    assert {one.name for one in engines.offers()} <= {"composer", "providers"}
    (moment,) = moments(engine="vllm")
    assert moment.stage == "problem" and "Choose the composer" in moment.note
