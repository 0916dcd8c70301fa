"""What is given to a command is used, or refused in a sentence; no traceback, and no key saved or shown."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from builder.cli.main import main
from builder.cli.options import overridden
from builder.cli.summary import tell_summary
from builder.folder.codes import tell_codes
from builder.job.execute import execute
from builder.resources import example_pairs
from synthesis.errors import ConfigError
from synthesis.keys import holds_key, without_keys
from synthesis.options import RunConfig, from_dict, load_config, override
from tests.jobs import Quiet
from tests.ports import nobody

Said = Callable[..., str]
KEY = "sk-proj-abcd1234efgh5678ijkl9012"
SHORT = ("--words", "60", "--section-words", "0", "--lengths", "512")


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Said:
    """Gives arguments to the command line, in this process; what was printed, after its exit code."""

    def run(*given: object) -> str:
        monkeypatch.setattr(sys, "argv", ["context-synthesis", *map(str, given)])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return f"{ended.value.code or 0} {out}{err}"

    return run


@pytest.mark.parametrize(
    "key",
    [KEY, "hf_abcdefghijklmnopqrstuvwx", "AIzaSyA1234567890abcdefghijklmnopqrs_-x", "AKIAABCDEFGHIJKLMNOP"]
    + ["gsk_1234567890abcdefghijklmn", "ghp_abcdefghijklmnop1234567890", "Bearer abcdefgh12345678abcdefgh"]
    + [
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc",
        "xai-1234567890abcdefghijkl",
        "sk-or-v1-0123456789abcdef0123",
    ],
)
def test_keys_are_known_by_their_looks(key: str) -> None:
    assert holds_key(key) and holds_key(f'{{"a": "{key}"}}')
    assert key not in without_keys(f"of {key}, and") and without_keys(key).startswith("[a key]")


@pytest.mark.parametrize(
    "text",
    [
        "OPENAI_API_KEY",
        "sk-learn-pairs-of-2024.jsonl",
        "hf_model",
        "Qwen/Qwen2.5-72B-Instruct",
        "key-value pairs",
    ]
    + ["data/train-00000-of-00012.parquet", "http://localhost:8000/v1", "api_key_env", "runs/sk-1", "a" * 64]
    + ["0123456789abcdef0123456789abcdef"],
)
def test_names_are_no_keys(text: str) -> None:
    assert not holds_key(text) and without_keys(text) == text


@pytest.mark.parametrize(
    "options",
    [
        {"api_key_env": KEY},
        {"api_key_env": "0123456789abcdef0123456789abcdef"},  # no beginning of its own
        {"api_key_env": "abcdef0123456789abcdef0123456789"},
        {"extra_body": {"api_key": "anything"}},
        {"extra_headers": {"Authorization": "anything"}},
        {"extra_headers": {"x-trace": f"Bearer {KEY}"}},
        {KEY: "true"},
        {"stop": ["a", [KEY]]},
    ],
)
def test_a_key_never_gets_into_a_configuration(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="looks like a key.*environment variable") as caught:
        from_dict({"generation": {"options": options}})
    assert KEY not in str(caught.value) and "0123456789abcdef" not in str(caught.value)
    with pytest.raises(ConfigError):
        override(RunConfig(), {"generation.options": options})


def test_the_name_of_a_variable_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("k3y0123456789abcdefgh", "x")
    for name in ("OPENAI_API_KEY", "mine", "_KEY2", "k3y0123456789abcdefgh"):
        from_dict({"generation": {"options": {"api_key_env": name}}})


@pytest.mark.parametrize(
    "given",
    [
        ("run", "--option", f"api_key_env={KEY}"),
        ("run", "--option", KEY),
        ("run", "--words", KEY),
        ("run", "--model", KEY),
        ("run", f"--pairs=https://x/y?token={KEY}"),
        ("score", KEY),
        ("publish", "runs", "o/n", "--message", KEY),
        (KEY,),
    ],
)
def test_a_key_on_the_command_line_is_refused_unseen(
    tmp_path: Path, said: Said, given: tuple[str, ...]
) -> None:
    told = said(*given)
    assert told.startswith("2 error: an argument") and KEY not in told


def test_a_key_in_a_file_is_refused_unseen(tmp_path: Path, said: Said) -> None:
    (tmp_path / "run.toml").write_text(f'[generation.options]\napi_key_env = "{KEY}"\n')
    told = said("run", tmp_path / "run.toml", "--out", tmp_path / "run")
    assert told.startswith("2 error:") and "api_key_env" in told and KEY not in told
    assert not (tmp_path / "run").exists()


LONG = "x" * 300


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("--out", LONG), "can be no file's name"),
        (("--out", "a\udcff"), "not UTF-8"),
        (("--out", "a[1]"), "takes for a pattern"),
        (("--out", "a*"), "takes for a pattern"),
        (("--out", "a::b"), "takes for a pattern"),
        (("--pairs", LONG), "over 255 bytes"),
        (("--pairs", "a\udcff.jsonl"), "not UTF-8"),
        (("--pairs", "a\0"), "NUL"),
        (("--template", LONG), "can be no file's name"),
        (("--tokenizer", LONG), "no tokenizer folder"),
        (("--corpus", LONG, "--distractors", "corpus"), "over 255 bytes"),
        (("--option", "x=" + "[" * 5000), "nested less deeply"),
        (("--option", "x=" + "[" * 50 + "]" * 50), "more than 30 deep"),
        (("--option", 'extra_body={"a": null}'), "is null, which"),
        (("--option", "x=" + "9" * 30), "over 64 bits"),
        (("--engine", "openai", "--option", "extra_body={a:1}"), "single quotes"),
        (("--engine", "openai", "--option", "base_url=5"), "base_url is 5"),
        (("--min-words", "200%", "--max-words", "100%"), "every context would be dropped"),
        (("--min-words", "90", "--max-words", "100%"), "every context would be dropped"),
    ],
)
def test_what_cannot_be_used_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: Said, given: tuple[str, ...], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = said("run", *SHORT, *given)
    assert answer.startswith("2 error:") and told in answer


@pytest.mark.parametrize(
    "text", ["x = " + "[" * 5000, "x = 1" + "0" * 5000, "[a" + ".a" * 5000 + "]\nx=1", "\udcff", "x = ["]
)
def test_a_file_that_cannot_be_used_is_told(tmp_path: Path, said: Said, text: str) -> None:
    (tmp_path / "run.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert said("run", tmp_path / "run.toml").startswith(f"2 error: {tmp_path / 'run.toml'}")


def test_a_colon_in_a_folder_is_no_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: Said, write_pairs: Callable[[int], Path]
) -> None:
    monkeypatch.chdir(tmp_path)
    given = ("--pairs", write_pairs(3), *SHORT, "--out", "a:b")
    assert said("run", *given).startswith("0 3 contexts")
    assert said("export", "a:b", "c:d.parquet", "--config", "composer-chat-512").startswith("0 3 samples")
    assert said("report", "a:b").startswith("0 ")
    card = tmp_path / "a:b" / "dataset" / "README.md"
    card.write_bytes(card.read_bytes() + b"\xff")
    for given in (("publish", "a:b", "o/n", "--dry-run"), ("run", "--pairs", "a:b/dataset", "--out", "c")):
        assert "README.md" in (told := said(*given)) and "is not UTF-8 text (byte " in told


@pytest.mark.parametrize(
    ("proxy", "told"),
    [
        ("socks5://127.0.0.1:1", "socksio"),
        ("gopher://x", "'gopher'"),
        ("http://[::1", "no address of a proxy"),
    ],
)
@pytest.mark.parametrize(
    "given",
    [
        ("run", "--pairs", "org/name"),
        ("run", "--tokenizer", "org/name"),
        ("run", "--corpus", "org/name", "--distractors", "corpus"),
        ("score", "hf://datasets/org/name/a.jsonl"),
        ("publish-space", "org/name", "--dry-run"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_told(
    monkeypatch: pytest.MonkeyPatch, said: Said, given: tuple[str, ...], proxy: str, told: str
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    answer = said(*given)
    assert answer.startswith("2 error:") and told in answer and "HTTPS_PROXY" in answer


def test_codes_that_the_hub_does_not_know_are_told() -> None:
    assert tell_codes(["en", "pt-BR", "yue", "zh-Hant", "code"], "cc-by-4.0") == tell_codes([], "") == []
    first, second, third = tell_codes(["english", "zz"], "apache2.0")
    assert "'english' is no code" in first and "'zz'" in second and "did you mean apache-2.0" in third


def test_a_run_says_what_it_read_and_what_the_hub_will_not_know(
    tmp_path: Path, said: Said, write_pairs: Callable[..., Path]
) -> None:
    for name in ("train.jsonl", "test.jsonl"):
        (tmp_path / "pairs").mkdir(exist_ok=True)
        write_pairs(2, f"pairs/{name}")
    given = ("--pairs", tmp_path / "pairs", *SHORT, "--distractors", "none", "--license", "foo")
    told = said("run", *given, "--out", tmp_path / "run")
    assert "train.jsonl; left out by the split: test.jsonl (test)" in told and "'foo' is no licence" in told
    assert "as no distractors were asked for" in told and "distractors random" not in told
    assert "left out by the split: test.jsonl (test)" in said("plan", *given, "--out", tmp_path / "other")


@pytest.mark.parametrize("tasks", [1, 2])
def test_what_is_advised_for_short_samples_would_help(tmp_path: Path, tasks: int) -> None:
    rows = [{"instruction": f"Who kept light {n}?", "answer": f"Keeper {n}"} for n in range(4)]
    (tmp_path / "pairs").mkdir()
    for number in range(tasks):
        text = "".join(json.dumps({**row, "task": f"task{number}"}) + "\n" for row in rows[number::tasks])
        (tmp_path / "pairs" / f"part{number}.jsonl").write_text(text)
    base = override(
        RunConfig(),
        {
            "pairs.source": str(tmp_path / "pairs"),
            "out": str(tmp_path / "run"),
            "generation.words": 60,
            "samples.lengths": ("1k",),
        },
    )
    summary = execute(base, Quiet())

    def advised(**changes: Any) -> str:
        config = override(base, {f"samples.{name}": value for name, value in changes.items()})
        return next(line for line in tell_summary(summary, config) if line.startswith("shorter than asked"))

    assert ("--distractors random" in advised()) == (tasks > 1)
    assert "--distractors same-task:0.5,corpus:0.5 --corpus SRC" in advised()
    for other in ("random", "lexical", "lexical:0.5,same-task:0.5", "random:0.5,same-task:0.5"):
        assert "use --distractors random" not in advised(distractors=other)
    assert "larger --corpus" in advised(distractors="corpus:0.5,same-task:0.5", corpus="x")
    assert "--corpus SRC" not in advised(distractors="corpus", corpus="x")
    assert "raise --max-reuse" in advised(max_reuse=1) and "max-reuse" not in advised()
    assert "leave --distractors none out" in advised(distractors="none")


@pytest.mark.parametrize(
    "idle", [("engine", "vllm"), ("model", "m"), ("option", "concurrency=2"), ("tokens", "64")]
)
def test_what_asks_for_nothing_that_is_required_is_told(tmp_path: Path, said: Said, idle) -> None:
    flag, out = f"--require-{idle[0]}", tmp_path / "run"
    told = said("plan", "--out", out, *SHORT, flag, idle[1])
    assert told.startswith("2") and f"{flag} is about --require, and nothing is required; say what" in told
    assert not out.exists()
    required = said("plan", "--out", out, *SHORT, flag, idle[1], "--require", "closed-book=fail")
    assert "nothing is required" not in required


def test_a_file_that_names_who_is_asked_and_requires_nothing_is_told(tmp_path: Path, said: Said) -> None:
    file = tmp_path / "run.toml"
    file.write_text(f'out = "{tmp_path / "run"}"\n[require]\nengine = "vllm"\n', encoding="utf-8")
    told = said("plan", file)
    assert told.startswith("2") and f"[require] in {file} is about --require" in told
    assert "nothing is required" not in said("plan", file, "--require", "closed-book=fail")


@pytest.mark.parametrize(
    ("written", "tokens"),
    [("100000", 100_000), ("100,000", 100_000), ("100k", 100_000), ("2M", 2_000_000), ("2.5m", 2_500_000)],
)
def test_tokens_that_are_spent_may_be_written_short(tmp_path: Path, written: str, tokens: int) -> None:
    assert overridden(RunConfig(), {"max_total_tokens": written}).cost.max_total_tokens == tokens
    file = tmp_path / "run.toml"
    file.write_text(f'[cost]\nmax_total_tokens = "{written}"\n', encoding="utf-8")
    assert load_config(file).cost.max_total_tokens == tokens


@pytest.mark.parametrize("written", ["1.5", "k", "-5", "1,00", "2 M", "1e5", "lots", ""])
def test_what_is_no_number_of_tokens_is_told(tmp_path: Path, said: Said, written: str) -> None:
    told = said("plan", "--out", tmp_path / "run", *SHORT, "--max-total-tokens", written)
    assert told.startswith("2")
    assert f"--max-total-tokens is {written!r}; give a whole number, as in 100000, 100k or 2M" in told


def test_the_options_that_an_evaluation_shares_speak_of_questions(said: Said, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    told = said("evaluate", "--help").replace("--pairs-config", "")
    assert "pairs" not in told and "Ask only the first N questions." in told
    assert "as in 100k or 2M" in told


def test_an_option_given_twice_is_told(tmp_path: Path, said: Said) -> None:
    out = ("--out", tmp_path / "run")
    told = said("plan", *out, "--words", "60", "--words", "70", "--limit", "2")
    assert "note: --words is given 2 times, and the last one holds\n" in told and "about 140 words" in told
    assert "several values stand with commas" in said("plan", *out, "--lengths", "1k", "--lengths", "2k")
    assert "--rejected is given 2 times" in said("plan", *out, "--rejected", "--no-rejected")
    assert "--format is given 2 times" in said("export", "a", "b", "--format", "rl", "--format", "packed")
    # What takes several values, and what is only switched on.
    twice = ("--column", "instruction=instruction", "--column", "answer=answer", "--limit", "1")
    assert "times" not in said("plan", *out, *twice)
    assert "times" not in said("run", *out, *SHORT, "--limit", "1", "--quiet", "--quiet")


def test_a_command_that_is_advised_can_be_pasted(tmp_path: Path, said: Said) -> None:
    out = tmp_path / "my runs" / "l'\u00e9t\u00e9"
    told = said("run", "--out", out, *SHORT, "--limit", "1")
    (line,) = [one for one in told.splitlines() if one.startswith("next: ")]
    _, command, where = shlex.split(line.removeprefix("next: "))
    assert said(command, where).startswith("0") and (out / "report").is_dir()


@pytest.mark.parametrize(
    ("idle", "needed"),
    [
        (("--keychain-links", "5"), ("--keychain", "2")),
        (("--refusal", "No."), ("--abstain", "0.5")),
        (("--refusal", "No."), ("--twins", "removed")),
        (("--ngram", "8"), ("--benchmark", f"own={example_pairs()}")),
        (("--drop-contaminated",), ("--benchmark", f"own={example_pairs()}")),
        (("--mix-by", "pair"), ("--engine", "openai", "--mix", "a=0.5", "--mix", "b=0.5")),
        (("--currency", "EUR"), ("--price", "1,2")),
    ],
)
def test_an_option_that_is_about_another_needs_it(tmp_path: Path, said: Said, idle, needed) -> None:
    given = ("plan", "--out", tmp_path / "run", *SHORT, *idle)
    told = said(*given)
    assert told.startswith("2") and f"{idle[0]} does nothing without --" in told
    assert "does nothing" not in said(*given, *needed)


@pytest.mark.parametrize("idle", [("--max-reuse", "2"), ("--separator", "***")])
def test_without_distractors_what_is_about_them_is_refused(tmp_path: Path, said: Said, idle) -> None:
    given = ("plan", "--out", tmp_path / "run", *SHORT, *idle)
    assert said(*given, "--distractors", "none").startswith(f"2 error: {idle[0]} does nothing without")
    assert said(*given).startswith("0")


def test_what_is_for_a_model_is_told_where_none_is_asked(tmp_path: Path, said: Said) -> None:
    given = ("plan", "--out", tmp_path / "run", *SHORT, "--limit", "2", "--temperature", "1", "--rate", "50")
    assert "note: composer is no model, and leaves alone --temperature, --rate\n" in said(*given)
    told = said(*given, "--engine", "openai", "--model", "m", "--option", f"base_url={nobody()}/v1")
    assert told.startswith("0") and "note" not in told


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (("plan", "--pairs", ""), "--pairs"),
        (("run", "--out", ""), "--out"),
        (("report", ""), "DIR"),
        (("compare", "runs/a", ""), "RUN_A RUN_B ..."),
        (("evaluate", "--questions", "q.jsonl", "--out", "o", "--engine", ""), "--engine"),
    ],
)
def test_an_empty_value_is_a_variable_that_is_not_set(said: Said, given, named) -> None:
    assert said(*given) == f"2 error: {named} is empty; give it a value, or leave it out\n"


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (("--lengths", "512,20"), "(--lengths) has 20 tokens, and contexts of 60 words"),
        (("--lengths", "3", "--oversize", "trim"), "(--lengths) has 3, and a chat without any text takes"),
        (("--min-words", "200%"), "(--min-words) is 200%, and contexts of 60 words are asked for"),
        (("--max-words", "30"), "(--max-words) is 30, and contexts of 60 words are asked for"),
    ],
)
def test_what_no_context_can_meet_is_refused_before_it_is_written(tmp_path, said: Said, given, named) -> None:
    for command in ("plan", "run"):
        told = said(command, "--out", tmp_path / "run", "--words", "60", "--lengths", "512", *given)
        assert told.startswith("2 ") and named in told
    assert not (tmp_path / "run").exists()


def test_a_plan_tells_lengths_that_hardly_fit_and_those_that_are_not_reached(
    tmp_path: Path, said: Said
) -> None:
    given = ("plan", "--out", tmp_path / "run", "--words", "60", "--limit", "4")
    assert "--lengths" not in said(*given, "--lengths", "100,300")
    told = said(*given, "--lengths", "64,300")
    assert (
        "contexts of 60 words take about 78 tokens, and 64 is asked for (--lengths): they are rejected"
        in told
    )
    assert "cut to fit" in said(*given, "--lengths", "64", "--oversize", "trim")
    told = said(*given, "--lengths", "9M")
    assert "stay shorter, as there are 4 contexts of about 78 tokens. Add pairs" in told and "MB" not in told
    assert "a context stands alone" in said(*given, "--lengths", "1k", "--distractors", "none")
