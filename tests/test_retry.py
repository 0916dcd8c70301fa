"""What was rejected is asked again alone; what was written before stays, and is found by the same run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from builder.cli.main import app
from synthesis.run.folder import RunFolder
from synthesis.run.journal import Journal
from tests.openai_server import Asked, Reply, Server, serve
from tests.test_stopping import bad, good


def pair_number(asked: Asked) -> int:
    return int(asked.body["messages"][1]["content"].split("lighthouse number ")[1].split("?")[0])


def odd_ones_fail(asked: Asked) -> Reply:
    return bad(asked) if pair_number(asked) % 2 else good(asked)


@pytest.fixture
def server() -> Iterator[Server]:
    with serve(odd_ones_fail, ("tiny", "other")) as running:
        yield running


def chats(server: Server) -> list[Asked]:
    return [one for one in server.asked if "messages" in one.body]


def command(*args: object) -> Result:
    return CliRunner().invoke(app, [*map(str, args)])


@pytest.fixture
def begun(server: Server, tmp_path: Path, write_pairs) -> Path:
    """A run of six pairs, three of them rejected; its run.toml."""
    done = command(
        *("run", "--pairs", write_pairs(6), "--out", tmp_path / "run", "--engine", "openai"),
        *("--model", "tiny", "--lengths", "1k"),
        *("--option", f"base_url={server.url}", "--words", 100, "--repairs", 0),
    )
    assert done.exit_code == 0, done.output
    assert "3 contexts, 3 rejected" in done.output
    assert "next: ask the rejected again" in done.output
    return tmp_path / "run" / "run.toml"


def written(run: Path) -> dict[str, tuple[str, str, int]]:
    """What the current contexts of a run's journal are: engine, model and seed by pair."""
    with Journal(run.parent / "journal") as journal:
        return {pair.id: (made.engine, made.model, made.seed) for pair, made in journal.current_contexts()}


def test_another_seed_is_taken_and_the_others_are_left_alone(begun, server) -> None:
    before = written(begun)
    saved = begun.read_text()
    server.script = good
    foreseen = command("plan", begun, "--retry-rejected")
    assert "3 done, 3 stale" in foreseen.output
    again = command("run", begun, "--retry-rejected")
    assert again.exit_code == 0, again.output
    assert "6 contexts, 0 rejected" in again.output
    assert sorted(map(pair_number, chats(server)[6:])) == [1, 3, 5]
    assert {one.body["seed"] for one in chats(server)[:6]}.isdisjoint(
        one.body["seed"] for one in chats(server)[6:]
    )
    after = written(begun)
    assert before.items() <= after.items()
    assert sorted(seed for _, _, seed in after.values()) == [0, 0, 0, 1, 1, 1]
    assert begun.read_text() == saved
    made = RunFolder(begun.parent).read_manifest()
    assert (made["engine"], made["model"]) == ("openai", "tiny")
    # The run itself finds all of them, and asks nothing.
    plain = command("run", begun)
    assert "6 contexts, 0 rejected" in plain.output and "nothing changed" in plain.output
    assert len(chats(server)) == 9
    # Nothing is left to be asked again.
    assert "6 done, 0 stale" in command("plan", begun, "--retry-rejected").output


def test_by_another_model_and_then_another_engine(begun, server) -> None:
    server.script = lambda asked: bad(asked) if pair_number(asked) > 1 else good(asked)
    other = command("run", begun, "--retry-rejected", "--model", "other")
    assert "4 contexts, 2 rejected" in other.output, other.output
    assert {one.body["model"] for one in chats(server)[6:]} == {"other"}
    # The same again has been tried; what is left goes to the composer, which takes no base_url.
    asked = len(chats(server))
    command("run", begun, "--retry-rejected", "--model", "other")
    assert len(chats(server)) == asked
    rest = command("run", "--out", begun.parent, "--retry-rejected", "--engine", "composer")
    assert rest.exit_code == 0, rest.output
    assert "6 contexts, 0 rejected" in rest.output
    assert len(chats(server)) == asked
    assert sorted({(engine, model) for engine, model, _ in written(begun).values()}) == [
        ("composer", "composer-6"),
        ("openai", "other"),
        ("openai", "tiny"),
    ]
    # So do the facts and the card, and the run itself or assembling changes nothing of that.
    for again in (("run", begun), ("assemble", begun.parent, "--lengths", "2k")):
        told = command(*again)
        assert told.exit_code == 0, told.output
        made = RunFolder(begun.parent).read_manifest()
        assert (made["engine"], made["model"]) == ("composer+openai", "composer-6, other, tiny")
    card = (begun.parent / "dataset" / "README.md").read_text()
    assert "| model | composer\\-6, other, tiny |" in card
    assert "Contexts by the engine `composer` are template prose" in card


def test_without_a_seed_given_each_time_is_another(begun, server) -> None:
    seeds = []
    for _ in range(3):
        asked = len(chats(server))
        command("run", begun, "--retry-rejected")
        seeds.append({one.body["seed"] for one in chats(server)[asked:]})
    assert [len(each) for each in seeds] == [3, 3, 3]
    assert len(set.union(*seeds)) == 9


def test_a_crash_before_it_is_noted_loses_nothing(begun, server) -> None:
    """The context was recorded; that it stands in for the rejected one was not."""
    server.script = good
    command("run", begun, "--retry-rejected")
    (begun.parent / "journal" / "retried.jsonl").unlink()
    command("run", begun, "--repairs", 0)  # the list of what is current is as it was before
    assert len(written(begun)) == 3
    asked = len(chats(server))
    done = command("run", begun, "--retry-rejected", "--seed", 1)
    assert "6 contexts, 0 rejected" in done.output
    assert len(chats(server)) == asked


def test_what_was_not_noted_is_not_asked_by_yet_another_seed(begun, server) -> None:
    server.script = good
    command("run", begun, "--retry-rejected")
    notes = begun.parent / "journal" / "retried.jsonl"
    first, *_ = notes.read_bytes().splitlines(keepends=True)
    notes.write_bytes(first)
    command("run", begun)
    assert len(written(begun)) == 4
    asked = len(chats(server))
    foreseen = command("plan", begun, "--retry-rejected")
    assert "4 done, 2 stale" in foreseen.output and "would write no contexts" in foreseen.output
    done = command("run", begun, "--retry-rejected")
    assert "6 contexts, 0 rejected" in done.output
    assert len(chats(server)) == asked


def test_what_an_interrupted_retry_brought_is_not_asked_again_by_another_model(begun, server) -> None:
    """It noted its contexts, and did not come to list them as current."""
    listed = begun.parent / "journal" / "current.txt"
    before = listed.read_bytes()
    server.script = lambda asked: bad(asked) if pair_number(asked) == 5 else good(asked)
    command("run", begun, "--retry-rejected")
    listed.write_bytes(before)
    server.script, asked = good, len(chats(server))
    done = command("run", begun, "--retry-rejected", "--model", "other")
    assert "6 contexts, 0 rejected" in done.output
    assert [pair_number(one) for one in chats(server)[asked:]] == [5]


def test_contexts_under_a_threshold_given_count_as_rejected(begun, server) -> None:
    foreseen = command("plan", begun, "--retry-rejected", "--min", "overall=1")
    assert "0 done, 6 stale" in foreseen.output


def test_the_run_to_ask_again_in_has_to_be_named() -> None:
    unnamed = command("run", "--retry-rejected")
    assert unnamed.exit_code == 2
    assert "needs the run it is about" in unnamed.output
