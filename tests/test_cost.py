"""What a run would take, and what it took: tokens, time, money."""

from __future__ import annotations

import json

import pytest

from builder.job.amounts import tell_bytes, tell_number
from builder.job.pacing import tell_time
from tests.openai_server import Reply, serve

WORDS = 60
KEEPERS = " ".join(f"Lighthouse number {n} was kept by Keeper {n} Holm." for n in range(9))
TALE = f"Context: {KEEPERS} And so it went on for years."


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serve(lambda asked: Reply(TALE)) as running:
        yield running


@pytest.fixture
def options(tmp_path, write_pairs, server):
    def of(rows: int = 4) -> list[object]:
        made = ["--pairs", write_pairs(rows), "--out", tmp_path / "run"]
        made += ["--engine", "openai", "--model", "m", "--option", f"base_url={server.url}"]
        return [*made, "--words", WORDS, "--lengths", "1k"]

    return of


def test_a_plan_counts_real_prompts_and_foresees_time_and_money(command, tmp_path, options) -> None:
    asked = options()
    told = command("plan", *asked, "--price", "1000,2000", "--rate", "10").stdout
    assert "5 replies" in told and "taking 25% of the replies to be asked for again" in told
    tokens_in, tokens_out = _two(told)
    # The template alone is some 350 words; a reply has about as many tokens as words asked, and a few.
    assert 5 * 400 < tokens_in < 5 * 700
    assert 4 * WORDS < tokens_out < 4 * WORDS * 2
    money = (tokens_in * 1000 + tokens_out * 2000) / 1e6
    assert f"cost: {money:,.2f} USD" in told
    assert f"about {tell_time(tokens_out / 10)} (at 10 output tokens per second)" in told
    assert not (tmp_path / "run").exists()


def test_what_is_not_known_is_said_to_be_unknown(command, tmp_path, options) -> None:
    told = command("plan", *options()).stdout
    assert "cost: unknown, give --price IN,OUT" in told
    assert "time: unknown (give --rate" in told


def test_the_composer_takes_no_tokens(command, tmp_path) -> None:
    told = command("plan", "--limit", "2", "--out", tmp_path / "run").stdout
    assert not [line for line in told.splitlines() if line.startswith(("tokens", "cost"))]


def test_totals_are_kept_across_resumes(command, tmp_path, options) -> None:
    first = command("run", *options(2), "--price", "1000,2000")
    assert "so far in this folder" in first.stdout
    before = _usage(tmp_path)
    assert before["replies"] == 2
    assert before["output_tokens"] == 2 * len(TALE.split())
    command("run", *options(6))
    after = _usage(tmp_path)
    assert after["replies"] == 6
    assert after["output_tokens"] == 3 * before["output_tokens"]
    # A plan for more goes by the pace that was measured.
    told = command("plan", *options(9)).stdout
    assert "6 done, 0 stale, 3 new" in told
    assert "tokens per second of the run before" in told
    assert _two(told)[1] == pytest.approx(3 * len(TALE.split()), abs=1)


@pytest.mark.parametrize("wrong", ["0.15", "a,b", "1,2,3", "-1,2"])
def test_wrong_prices_are_refused(command, wrong) -> None:
    done = command("plan", f"--price={wrong}")
    assert done.returncode == 2
    assert "--price" in done.stderr and "0.15,0.60" in done.stderr


def test_numbers_are_told_in_few_digits() -> None:
    assert [tell_number(n) for n in (0, 0.254, 950, 12_345, 4_560_000)] == [
        "0",
        "0.25",
        "950",
        "12.3k",
        "4.56M",
    ]
    assert [tell_time(s) for s in (5, 600, 7200, 200_000)] == ["5 s", "10 min", "2.0 h", "2.3 days"]
    assert [tell_bytes(b) for b in (5e3, 2.5e6, 3e9)] == ["5 kB", "2.5 MB", "3 GB"]


def _usage(tmp_path) -> dict[str, int]:
    return json.loads((tmp_path / "run" / "manifest.json").read_text())["usage"]


def _two(told: str) -> tuple[float, float]:
    """The tokens in and out of a plan's line."""
    (line,) = [line for line in told.splitlines() if "tokens in and" in line]
    words = line.split()
    return _number(words[1]), _number(words[5])


def _number(text: str) -> float:
    return float(text.rstrip("kM")) * {"k": 1e3, "M": 1e6}.get(text[-1], 1)


def test_lengths_that_came_out_otherwise_are_told(command, tmp_path, options) -> None:
    done = command("run", *options(3), "--words", "200", "--repairs", "0")
    assert done.returncode == 0, done.stderr
    assert "over 20 % longer or shorter than asked: 3 contexts of 3" in done.stdout
    written = len(TALE.removeprefix("Context: ").split())
    found = json.loads((tmp_path / "run" / "manifest.json").read_text())["realised"]
    assert found == {"contexts": 3, "mean": round(written / 200, 4), "off": 3}
