"""What ``plan`` foresees is what the run then takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from builder.cli.main import app
from synthesis.data import Usage
from synthesis.run.journal import Journal
from tests.openai_server import Asked, Reply, Script, Server, serve
from tests.test_retry import pair_number
from tests.test_stopping import bad, good

ROOT = Path(__file__).parent.parent


def every_third_is_asked_again() -> Script:
    seen: set[int] = set()

    def script(asked: Asked) -> Reply:
        number = pair_number(asked)
        first = number % 3 == 0 and number not in seen
        seen.add(number)
        return bad(asked) if first else good(asked)

    return script


def command(name: str, server: Server, folder: Path, pairs: Path, *more: object) -> Result:
    options = ["--pairs", pairs, "--out", folder, "--engine", "openai", "--words", 100, "--lengths", "1k"]
    options += ["--option", f"base_url={server.url}", "--option", "concurrency=2", *more]
    done = CliRunner().invoke(app, [name, *map(str, options)])
    assert done.exit_code == 0, done.output
    return done


def foreseen(told: Result) -> Usage:
    found = re.search(r"about ([\d.]+)(k?) tokens in and ([\d.]+)(k?) out in (\d+) replies", told.output)
    assert found, told.output
    taken, given = (float(found[n]) * (1000 if found[n + 1] else 1) for n in (1, 3))
    return Usage(int(found[5]), round(taken), round(given))


def used(folder: Path) -> Usage:
    with Journal(folder / "journal") as journal:
        return journal.usage


@pytest.mark.parametrize("words", [100, 150])
def test_after_a_run_the_next_takes_what_was_foreseen(tmp_path, write_pairs, words) -> None:
    folder = tmp_path / "run"
    script = every_third_is_asked_again()
    with serve(script) as server:
        command("run", server, folder, write_pairs(9), "--model", "tiny")
        before = used(folder)
        assert before.replies == 12
        more = write_pairs(9, "more.jsonl", 100)
        if words != 100:
            server.script = lambda asked: longer(script(asked))
        told = command("plan", server, folder, more, "--model", "tiny", "--words", words)
        plan = foreseen(told)
        assert "as the 9 before took" in told.output
        command("run", server, folder, more, "--model", "tiny", "--words", words)
        after = used(folder)
    for name in ("replies", "prompt_tokens", "output_tokens"):
        took = getattr(after, name) - getattr(before, name)
        assert getattr(plan, name) == pytest.approx(took, rel=0.15), name


def longer(reply: Reply) -> Reply:
    """Half as long again."""
    words = reply.text.split()
    return Reply(" ".join([*words, *(f"Word{n}" for n in range(len(words) // 2))]))


def test_a_model_on_this_machine_is_counted_by_its_own_tokenizer(tmp_path, write_pairs) -> None:
    model = ROOT / "tests" / "models" / "tiny"
    with serve(good) as server:
        told = command("plan", server, tmp_path / "run", write_pairs(3), "--model", model)
    assert f"counted by {model}" in told.output
