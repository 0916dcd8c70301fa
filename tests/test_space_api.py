"""The named endpoints and the page as served, asked by the real client over loopback."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import gradio_client
import pytest

from space import handlers  # noqa: E402
from tests.space_server import serving  # noqa: E402

# The real client leaves a socket open here and there; that is not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

OWNERS = "hf_the_owners_own_token"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(HF_TOKEN=OWNERS) as address:
        yield address


@pytest.fixture(scope="module")
def client(url) -> Iterator[Any]:
    one = gradio_client.Client(url, verbose=False)
    yield one
    one.close()


def fetch(address: str) -> str:
    with urllib.request.urlopen(address, timeout=30) as reply:
        return reply.read().decode()


def test_only_the_two_documented_endpoints_can_be_called(client) -> None:
    named = client.view_api(return_format="dict")
    assert set(named["named_endpoints"]) == {"/synthesize", "/score"}
    assert not named["unnamed_endpoints"]


def test_synthesize_gives_the_pages_own_result(client) -> None:
    asked = {"instruction": "Who kept the Harrow light in 1911?", "answer": "Ilse Brandt"}
    record = client.predict(**asked, task="story_qa", length="4k", seed=3, depth=0.2, api_name="/synthesize")
    same = handlers.synthesize_once(**asked, task="story_qa", length="4k", seed=3, depth=0.2)
    assert record == json.loads(json.dumps(same))
    assert record["sample"]["tokens"] <= 4096 and record["coherence"]["overall"] > 0.5


def test_defaults_are_enough(client) -> None:
    record = client.predict("Who mended the clock?", "Ilse Brandt", api_name="/synthesize")
    assert record["sample"]["budget"] == 8192 and record["request"]["distractors"] == "random"


def test_score_gives_the_score(client) -> None:
    text = "In 1911 the Harrow light was kept by Ilse Brandt."
    asked = (text, "Who kept the Harrow light in 1911?", "Ilse Brandt")
    assert client.predict(*asked, api_name="/score") == handlers.score_once(*asked)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"instruction": "", "answer": "b"}, "instruction is empty"),
        ({"instruction": "a", "answer": "b", "length": "1M"}, "There is no length"),
        ({"instruction": "a", "answer": "b" * 7000}, "this page takes 6,000"),
        ({"instruction": "a", "answer": "b", "seed": -4}, "whole number"),
    ],
)
def test_wrong_input_is_refused_in_words(client, arguments, says) -> None:
    with pytest.raises(gradio_client.exceptions.AppError, match=says):
        client.predict(**arguments, api_name="/synthesize")


@pytest.mark.parametrize("path", ["", "config", "gradio_api/info"])
def test_the_page_holds_no_secret_and_asks_nobody_else(url, path) -> None:
    page = fetch(url + path)
    assert OWNERS not in page
    assert "fonts.googleapis" not in page and "google-analytics" not in page


def test_analytics_are_off_and_all_else_is_private(url) -> None:
    config = json.loads(fetch(f"{url}config"))
    assert config["analytics_enabled"] is False
    public = {one["api_name"] for one in config["dependencies"] if one["api_visibility"] == "public"}
    assert public == {"synthesize", "score"}
