"""The key to a server shows nowhere, though a task's log prints the variables of every frame."""

from __future__ import annotations

import json
from contextlib import ExitStack

import pytest

from synthesis.engines.openai import OpenAIEngine
from synthesis.errors import ConfigError
from synthesis.options import GenerationConfig, PairsConfig, RunConfig, dump_config
from tests.openai_server import failure, serve
from tests.ports import nobody
from tests.scale_pipeline import heard, start

MARK = "very-secret-4711"
KEY = f"sk-{MARK}"
UNUSABLE = ["\nsecond line", "-ключ", "  twice", "\udc80"]


def echo(asked):
    return failure(500, f"broken by {asked.headers['authorization']}")


@pytest.mark.parametrize(
    ("trouble", "key", "said"),
    [
        ("refused", KEY, "HTTP 401, bad key Bearer ***"),
        ("broken", KEY, "HTTP 500, broken by Bearer ***"),
        ("absent", KEY, "no connection to the server"),
        ("none", KEY + UNUSABLE[0], "set the environment variable OPENAI_API_KEY again"),
        ("none", KEY + UNUSABLE[1], "set the environment variable OPENAI_API_KEY again"),
    ],
)
def test_a_task_that_fails_keeps_the_key_to_itself(tmp_path, monkeypatch, trouble, key, said) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    rows = ({"instruction": f"Who kept lighthouse number {n}?", "answer": f"Holm {n}"} for n in range(60))
    (tmp_path / "pairs.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with ExitStack() as open_till_the_end:
        if trouble == "absent":
            url = f"{nobody()}/v1"
        else:
            server = open_till_the_end.enter_context(
                serve(echo if trouble == "broken" else lambda _: None, key="other" * (trouble == "refused"))
            )
            url = server.url
        config = RunConfig(
            out=str(tmp_path / "run"),
            pairs=PairsConfig(str(tmp_path / "pairs.jsonl")),
            generation=GenerationConfig("openai", "tiny", options={"base_url": url, "retries": 0}),
        )
        (tmp_path / "run.toml").write_text(dump_config(config))
        process = start(config=tmp_path / "run.toml", tasks=2, logs=tmp_path / "logs")
        (tmp_path / "said.txt").write_text(heard(process))
        assert process.returncode == 1
        if trouble in ("refused", "broken"):
            assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
    texts = {path: path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file()}
    logs = "".join(text for path, text in texts.items() if path.suffix == ".log")
    assert said in logs and said in texts[tmp_path / "said.txt"]
    assert "<function ContextStep._write at" in logs  # values are printed
    assert [path for path, text in texts.items() if MARK in text] == []


@pytest.mark.parametrize("odd", UNUSABLE)
def test_a_key_that_no_header_can_carry_is_refused_before_any_request(monkeypatch, odd) -> None:
    with serve() as server:
        with pytest.raises(ConfigError, match="MY_KEY again") as caught:
            _engine(monkeypatch, server.url, KEY + odd)
        assert MARK not in str(caught.value)
        made = _engine(monkeypatch, server.url, f"\n {KEY}\n")  # as a file has it that was read whole
        assert made.model == "tiny"
    made.close()


def _engine(monkeypatch, url: str, key: str) -> OpenAIEngine:
    monkeypatch.setenv("MY_KEY", key)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return OpenAIEngine(base_url=url, api_key_env="MY_KEY")
