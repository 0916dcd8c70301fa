"""``tune``: settings tried on the user's pairs, each in a process of its own, the fastest written down."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from builder.cli.main import app
from builder.job.tuning import Sweep, TriedSetting, table_of, try_setting, tune, write_best
from synthesis.errors import ConfigError, UsageError
from synthesis.options import RunConfig, from_dict, load_config
from tests.openai_server import Reply, serve


def pairs(folder: Path, count: int = 8) -> Path:
    path = folder / "pairs.jsonl"
    rows = [{"instruction": f"Who kept light {n}?", "answer": f"Keeper {n}"} for n in range(count)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def asking(url: str, folder: Path, **options: Any) -> RunConfig:
    made = {"engine": "openai", "model": "m", "words": 60, "options": {"base_url": url, **options}}
    return from_dict({"pairs": {"source": str(pairs(folder))}, "generation": made})


def test_more_at_once_is_found_and_written(tmp_path: Path) -> None:
    # A server that takes its time with each reply, however many it is asked for.
    file = tmp_path / "run.toml"
    file.write_text('# mine\nseed = 7  # lucky\n\n[generation]\nwords = 60\n\n[samples]\nlengths = ["1k"]\n')
    with serve(lambda _: Reply("Context: a light and its keeper.", delay=0.1)) as server:
        done = CliRunner().invoke(
            app,
            ["tune", str(file), "--engine", "openai", "--model", "m", "--pairs", str(pairs(tmp_path))]
            + ["--option", f"base_url={server.url}", "--option", "concurrency=1"]
            + ["--prompts", "8", "--repeats", "2", "--each", "120"],
        )
    assert done.exit_code == 0, done.output
    written = load_config(file)
    assert written.generation.options["concurrency"] > 1
    assert written.generation.options["base_url"] == server.url
    assert (written.generation.engine, written.generation.model, written.seed) == ("openai", "m", 7)
    text = file.read_text()
    assert "# mine" in text and "# lucky" in text and written.samples.lengths == ("1k",)
    for tried in ("as it is", "concurrency=2", "concurrency=4", "concurrency=8"):
        assert tried in done.output


def test_what_is_no_faster_leaves_the_file_alone(tmp_path: Path) -> None:
    rest = TriedSetting({}, (100.0, 110.0))
    assert not TriedSetting({"a": 1}, (108.0, 112.0)).beats(rest)  # within what the other varies by
    assert not TriedSetting({"a": 1}, (90.0, 160.0)).beats(rest)  # within what it varies by itself
    assert not TriedSetting({"a": 1}, reason="it died").beats(rest)
    assert TriedSetting({"a": 1}, (130.0, 131.0)).beats(rest)


def test_a_setting_that_hangs_is_a_line(tmp_path: Path) -> None:
    with serve(lambda _: Reply(delay=60)) as server:
        trial = try_setting(asking(server.url, tmp_path), {}, Sweep(2, 2, 4))
    assert not trial.rates and trial.reason == "not done after 4 s"


def test_a_setting_that_cannot_be_is_a_line_with_its_reason(tmp_path: Path) -> None:
    with serve(lambda _: Reply()) as server:
        config = asking(server.url, tmp_path)
        trial = try_setting(config, {"concurrency": 0}, Sweep(2, 2, 60))
        assert not trial.rates and "generation.options.concurrency" in trial.reason
        assert "concurrency=0" in "\n".join(table_of([trial]))
        with pytest.raises(ConfigError, match="does not run as it is"):
            tune(asking(server.url, tmp_path, concurrency=0), Sweep(2, 2, 60), lambda _: None)


def test_a_reason_is_told_once_and_a_missing_file_is_mentioned(tmp_path: Path) -> None:
    file = tmp_path / "none.toml"
    options = ["--engine", "openai", "--model", "m", "--pairs", str(pairs(tmp_path)), "--words", "60"]
    with serve(lambda _: Reply()) as server:
        options += ["--option", f"base_url={server.url}", "--prompts", "2", "--repeats", "2"]
        done = CliRunner().invoke(app, ["tune", str(file), *options, "--option", "concurrency=0"])
    assert done.exit_code == 2
    assert done.output.count("generation.options.concurrency") == 1
    assert f"there is no {file}" in done.output and not file.exists()


def test_no_caches_help_a_later_turn(tmp_path: Path) -> None:
    with serve(lambda _: Reply()) as server:
        trial = try_setting(asking(server.url, tmp_path), {}, Sweep(3, 2, 60))
    assert len(trial.rates) == 2 and trial.tunings
    first = [asked.body["messages"][0]["content"] for asked in server.asked]
    assert {text.split("\n")[0] for text in first} == {"[0]", "[1]", "[2]"}
    # The same work each time.
    turns = [sorted(text[3:] for text in first if text.startswith(f"[{turn}]")) for turn in (1, 2)]
    assert turns[0] == turns[1] and len(turns[0]) == 3


def test_who_has_nothing_to_try() -> None:
    for made in ({"engine": "composer"}, {"mix": {"a": 0.5, "b": 0.5}, "engine": "openai"}):
        with pytest.raises(UsageError):
            tune(from_dict({"generation": made}), Sweep(), lambda _: None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[generation.options]\nconcurrency = 8 # so far\n",
        "generation.options.concurrency = 8\n",
        '[generation]\nwords = 60\noptions = {concurrency = 8, timeout = 30}\n[pairs]\nsource = "x"\n',
    ],
)
def test_a_file_keeps_what_else_it_says(text: str, tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text(text)
    config = load_config(file)
    config = from_dict({**config.to_dict(), "generation": {**config.to_dict()["generation"], "model": "m"}})
    speculation = {"method": "ngram", "num_speculative_tokens": 4}
    write_best(file, config, TriedSetting({"concurrency": 32, "speculative_config": speculation}, (1.0, 1.0)))
    after = load_config(file)
    assert after.generation.options["concurrency"] == 32
    assert after.generation.options["speculative_config"] == speculation
    assert after.generation.model == "m" and after.pairs == config.pairs
    assert after.generation.options.get("timeout") == config.generation.options.get("timeout")
    assert ("# so far" in file.read_text()) == ("# so far" in text)
    assert "rejected" not in tomllib.loads(file.read_text()).get("dataset", {})  # no defaults are written
