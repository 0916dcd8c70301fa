"""A budget: what is begun, where it ends, how a run goes on with a higher one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from synthesis.data import Pair, Prompt, Usage
from synthesis.engines.base import Sampling
from synthesis.errors import ConfigError
from synthesis.options import from_dict
from synthesis.prompts import load_template
from synthesis.run.budget import Budget, Spending
from synthesis.run.job import Job
from synthesis.run.journal import Journal
from synthesis.run.loop import generate
from tests.openai_server import Asked, Reply, serve
from tests.pretend import PretendModel, prose

PAIRS = [Pair(instruction=f"Who kept lighthouse number {n}?", answer=f"Keeper {n} Holm") for n in range(6)]


def good(pair: Pair) -> str:
    number = pair.answer.split()[1]
    return f"Context: {prose(60, number)} Lighthouse number {number} was kept by {pair.answer}. {prose(40)}"


def say(asked: Asked) -> Reply:
    return Reply(good(next(pair for pair in PAIRS if pair.instruction in asked.text)))


def answered(prompt: Prompt) -> str:
    return good(next(pair for pair in PAIRS if pair.instruction in prompt.messages[1].content))


def source(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.jsonl"
    rows = [{"instruction": pair.instruction, "answer": pair.answer} for pair in PAIRS]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def used(folder: Path) -> Usage:
    return Journal(folder / "journal", writable=False).usage


def test_a_run_ends_within_its_budget_and_goes_on_with_a_higher_one(tmp_path, command) -> None:
    folder = tmp_path / "run"
    with serve(say) as server:
        options = ["--pairs", source(tmp_path), "--engine", "openai", "--model", "tiny", "--words", "100"]
        options += ["--option", f"base_url={server.url}", "--lengths", "1k", "--out", folder]
        options += ["--option", "concurrency=2"]
        # What one pair takes is known after the first.
        first = command("run", *options, "--limit", "1")
        assert first.returncode == 0, first.stderr
        each = used(folder).prompt_tokens + used(folder).output_tokens
        limit = ("--max-total-tokens", int(each * 3.5))

        foreseen = command("plan", *options, *limit)
        assert "the rest is enough for about" in foreseen.stdout
        spent = command("run", *options, *limit)
        assert spent.returncode == 1
        assert "3 contexts, 0 rejected" in spent.stdout
        assert "the budget does not reach further: 3 pairs of 6 left" in spent.stderr
        assert f"run {folder / 'run.toml'} --max-total-tokens ..." in spent.stderr
        taken = used(folder)
        assert taken.prompt_tokens + taken.output_tokens <= limit[1]
        assert len(server.asked) == 3

        again = command("run", folder / "run.toml")
        assert (again.returncode, len(server.asked)) == (1, 3)
        more = command("run", folder / "run.toml", "--max-total-tokens", each * 20)
        assert more.returncode == 0, more.stdout + more.stderr
        assert "6 contexts" in more.stdout
        assert len(server.asked) == len({asked.text for asked in server.asked}) == 6


def test_money_is_a_budget_where_prices_are_known(tmp_path, command) -> None:
    folder = tmp_path / "run"
    with serve(say) as server:
        options = ["--pairs", source(tmp_path), "--engine", "openai", "--model", "tiny", "--words", "100"]
        options += ["--option", f"base_url={server.url}", "--lengths", "1k", "--out", folder]
        unknown = command("run", *options, "--max-cost", "1")
        assert (unknown.returncode, len(server.asked)) == (2, 0)
        assert "give --price IN,OUT" in unknown.stderr
        # A thousand a token out: the first alone exceeds it.
        poor = command("run", *options, "--max-cost", "1", "--price", "0,1000000000")
        assert (poor.returncode, len(server.asked)) == (1, 0)
        assert "6 pairs of 6 left" in poor.stderr
        rich = command("run", *options, "--max-cost", "1", "--price", "1,1")
        assert (rich.returncode, len(server.asked)) == (0, 6), rich.stderr
        told = command(
            "plan", *options, "--limit", "9", "--words", "120", "--max-cost", "1", "--price", "1,1"
        )
        assert "USD of 1.00 USD spent; the rest is enough for about 6 of 6" in told.stdout


def written(engine, folder: Path, tokens: int, repairs: int = 2):
    job = Job(engine, load_template("narrative"), Sampling(), words=100, repairs=repairs)
    with Journal(folder) as journal:
        counts = generate(job, PAIRS, journal, budget=Budget(tokens))
        return counts, len(journal.contexts), len(journal.steps), journal.usage


def test_what_is_open_is_left_where_it_would_exceed_the_budget_by_far(tmp_path) -> None:
    """Replies that are asked for again and again cost more than was foreseen."""
    failing = PretendModel(lambda _: f"Context: {prose(5000)}", window=2)
    counts, contexts, steps, usage = written(failing, tmp_path, 4000, repairs=9)
    assert (contexts, counts.left) == (0, 6)
    assert 2 <= steps == usage.replies <= 3  # what was paid is recorded
    works = PretendModel(answered)
    counts, contexts, _, _ = written(works, tmp_path, 100_000, repairs=9)
    assert (counts.left, contexts, len(works.asked)) == (0, 6, 6)
    # Those that were open went on from what was known.
    assert not {prompt.id for prompt in works.asked} & {prompt.id for prompt in failing.asked}


def test_an_engine_that_takes_no_tokens_has_no_end() -> None:
    assert Budget(1).share({"": Usage()}) == 0
    assert not Budget()


def test_replies_without_numbers_are_not_free(tmp_path) -> None:
    class Silent(PretendModel):
        def complete(self, prompts, sampling):
            for completion in super().complete(prompts, sampling):
                yield replace(completion, prompt_tokens=0, output_tokens=0)

    engine = Silent(answered)
    counts, contexts, _, _ = written(engine, tmp_path, 2000)
    assert 0 < contexts < 6
    assert counts.left == 6 - contexts


def test_pairs_wait_until_others_have_told_what_they_take(tmp_path) -> None:
    with Journal(tmp_path) as journal:
        spending = Spending(Budget(1000), journal, Usage(1, 100, 200))
        assert [spending.may_begin(n) for n in range(5)] == [True, True, True, False, False]
        assert spending.may_go_on()


@pytest.mark.parametrize("table", [{"max_cost": -1.0}, {"max_total_tokens": -5}])
def test_a_wrong_budget_is_told(table) -> None:
    with pytest.raises(ConfigError, match=r"0 \(no limit\)"):
        from_dict({"cost": {"price": [1, 1], **table}})


def test_a_budget_bounds_no_batch(tmp_path, command) -> None:
    options = ("--pairs", source(tmp_path), "--model", "m", "--out", tmp_path / "run")
    done = command("batch", "submit", *options, "--max-total-tokens", "100", OPENAI_API_KEY="none")
    assert done.returncode == 2
    assert "send fewer pairs with --limit" in done.stderr
