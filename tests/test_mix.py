"""Several models by share: who gets a pair, both at work at once, what is recorded, how it ends."""

from __future__ import annotations

import json
import threading
from collections import Counter
from pathlib import Path

import pytest

from synthesis.data import Pair
from synthesis.engines import engine_class
from synthesis.engines.base import Sampling
from synthesis.engines.mixed import Member, MixedEngine
from synthesis.errors import ConfigError, EngineError
from synthesis.options import GenerationConfig, RunConfig, from_dict
from synthesis.prompts import load_template
from synthesis.run.job import Job
from synthesis.run.journal import Journal
from synthesis.run.loop import Counts, generate
from synthesis.run.mix import configured_engine
from tests.openai_server import Asked, Reply, serve
from tests.pretend import PretendModel, prose

PAIRS = [Pair(instruction=f"Who kept lighthouse number {n}?", answer=f"Keeper {n} Holm") for n in range(24)]


def good(text: str) -> str:
    pair = next(pair for pair in reversed(PAIRS) if pair.instruction in text)
    number = pair.answer.split()[1]
    return f"Context: {prose(60, number)} Lighthouse number {number} was kept by {pair.answer}. {prose(40)}"


def answered(prompt) -> str:
    return good(prompt.messages[1].content)


def mixed(shares: dict[str, float], **more) -> MixedEngine:
    return MixedEngine(
        [Member(name, share, PretendModel(answered, model=name, **more)) for name, share in shares.items()]
    )


def given(engine: MixedEngine, count: int = 4000, seed: int = 0) -> list[str]:
    return [engine.part_for(f"{number:016x}", seed).model for number in range(count)]


# Who gets a pair


def test_each_gets_about_its_share() -> None:
    counts = Counter(given(mixed({"a": 0.7, "b": 0.2, "c": 0.1})))
    assert {name: round(count / 4000, 1) for name, count in counts.items()} == {"a": 0.7, "b": 0.2, "c": 0.1}
    # Only what they are to one another counts, and the order does not.
    assert given(mixed({"a": 7, "b": 2, "c": 1})) == given(mixed({"c": 0.1, "b": 0.2, "a": 0.7}))
    assert given(mixed({"a": 1, "b": 1})) != given(mixed({"a": 1, "b": 1}), seed=1)


def test_with_other_shares_only_those_move_that_must() -> None:
    before, after = given(mixed({"a": 0.5, "b": 0.5})), given(mixed({"a": 0.5, "b": 0.25}))
    moved = Counter((a, b) for a, b in zip(before, after, strict=True) if a != b)
    assert set(moved) == {("b", "a")}
    assert given(mixed({"a": 1, "b": 1})).count("a") > 1900
    third = given(mixed({"a": 0.5, "b": 0.5, "c": 0.25}))
    assert {b for a, b in zip(before, third, strict=True) if a != b} == {"c"}


# At work


def run(engine, folder: Path, pairs=PAIRS, **more) -> tuple[Counts, Counter[str]]:
    job = Job(engine, load_template("narrative"), Sampling(), words=100, **more)
    with Journal(folder) as journal:
        counts = generate(job, pairs, journal)
        return counts, Counter(context.model for _, context in journal.current_contexts())


@pytest.mark.parametrize("window", [1, 3, 50])
def test_every_pair_is_written_by_the_model_it_was_given_to(tmp_path, window) -> None:
    engine = mixed({"a": 0.6, "b": 0.4}, window=window)
    counts, by = run(engine, tmp_path)
    assert (counts.todo, counts.left, sum(by.values())) == (24, 0, 24)
    assert by == Counter(engine.part_for(pair.id, 0).model for pair in PAIRS)
    again = mixed({"a": 0.6, "b": 0.4})
    assert run(again, tmp_path)[0].settled == 24
    alone = PretendModel(answered, model="a")
    assert run(alone, tmp_path)[0].settled == by["a"]  # what a wrote is what it writes alone


def test_a_model_with_no_pair_is_no_trouble(tmp_path) -> None:
    assert run(mixed({"a": 1, "b": 1e-9}), tmp_path)[1] == {"a": 24}
    assert run(mixed({"a": 1, "b": 1}), tmp_path / "none", [])[0] == Counts()


def test_replies_asked_again_go_to_the_same_model(tmp_path) -> None:
    first: set[str] = set()

    def say(prompt) -> str:
        if prompt.pair_id not in first:
            first.add(prompt.pair_id)
            return "I cannot."
        return good(prompt.messages[1].content)

    parts = [Member(name, 1, PretendModel(say, model=name, window=4)) for name in "ab"]
    _, by = run(MixedEngine(parts), tmp_path, repairs=2)
    assert sum(by.values()) == 24
    for part in parts:
        assert len(part.engine.asked) == 2 * by[part.name]  # type: ignore[attr-defined]


def test_where_one_breaks_down_the_others_finish_what_they_began(tmp_path) -> None:
    parts = [
        Member("a", 1, PretendModel(answered, model="a", fail_after=2)),
        Member("b", 1, PretendModel(answered, model="b", window=3)),
    ]
    with pytest.raises(EngineError, match="broke down"):
        run(MixedEngine(parts), tmp_path)
    with Journal(tmp_path) as journal:
        done = len(journal.contexts)
    assert done == sum(len(part.engine.asked) for part in parts)  # type: ignore[attr-defined]
    counts, by = run(mixed({"a": 1, "b": 1}), tmp_path)
    assert (counts.settled, sum(by.values())) == (done, 24)


def test_a_source_that_fails_ends_all(tmp_path) -> None:
    def broken():
        yield from PAIRS[:5]
        raise ValueError("the disk is gone")

    with pytest.raises(ValueError, match="the disk is gone"):
        run(mixed({"a": 1, "b": 1}), tmp_path, broken())


def test_two_servers_are_asked_at_the_same_time(tmp_path, command) -> None:
    pairs = tmp_path / "pairs.jsonl"
    rows = [{"instruction": pair.instruction, "answer": pair.answer} for pair in PAIRS]
    pairs.write_text("".join(json.dumps(row) + "\n" for row in rows))
    both = {"large": threading.Event(), "small": threading.Event()}

    def say(asked: Asked) -> Reply:
        # Neither answers until the other was asked.
        model = asked.body["model"]
        both[model].set()
        return Reply(good(asked.text), until=both["small" if model == "large" else "large"])

    with serve(say, models=("large",)) as one, serve(say, models=("small",)) as two:
        table = tmp_path / "run.toml"
        table.write_text(
            f'[generation]\nengine = "openai"\nwords = 100\noptions = {{ base_url = "{one.url}" }}\n'
            "[generation.mix]\nlarge = 0.7\n"
            f'small = {{ share = 0.3, options = {{ base_url = "{two.url}", concurrency = 2 }} }}\n'
        )
        options = (table, "--pairs", pairs, "--out", tmp_path / "run", "--lengths", "1k")
        done = command("run", *options)
        assert done.returncode == 0, done.stderr
        assert "of which large:" in done.stdout
        assert "of which small:" in done.stdout
        asked = (len(one.asked), len(two.asked))
        assert sum(asked) == 24
        assert min(asked) > 0
        again = command("run", *options)
        assert again.returncode == 0
        assert sum((len(one.asked), len(two.asked))) == 24
    lines = (tmp_path / "run/journal/contexts.jsonl").read_text().splitlines()
    by = Counter(json.loads(line)["model"] for line in lines)
    assert by == {"large": asked[0], "small": asked[1]}
    assert "| model | large, small |" in (tmp_path / "run/dataset/README.md").read_text()


# What may be mixed


def test_shares_may_be_given_as_options(tmp_path, command) -> None:
    wrong = command("plan", "--engine", "openai", "--mix", "org/a=0.7", "--mix", "b:1", "--out", tmp_path)
    assert wrong.returncode == 2
    assert "--mix takes two sides, as in org/model=0.7" in wrong.stderr
    composer = command("plan", "--mix", "org/a=0.7", "--mix", "b:1=0.3", "--out", tmp_path)
    assert composer.returncode == 2
    assert "the engine 'composer' does not go with others" in composer.stderr


@pytest.mark.parametrize(
    ("generation", "message"),
    [
        ({"model": "m", "mix": {"a": 1, "b": 1}}, "--mix m=0.5"),
        ({"mix": {"a": 1}}, "two models or more"),
        ({"mix": {"a": 0, "b": 1}}, r"a \(--mix\) has the share 0; give a number above 0"),
        ({"mix": {"a": "much", "b": 1}}, "has the share 'much'"),
        ({"mix": {"a": {"engine": "openai"}, "b": 1}}, "has the share None"),
        ({"mix": {"a": {"share": 1, "modle": "x"}, "b": 1}}, "known keys: share, engine, model, options"),
        ({"mix": {"a": {"share": 1, "price": [1]}, "b": 1}}, r"a.price is \[1\]; give two prices"),
        ({"mix": {"a": {"share": 1, "price": [1, -2]}, "b": 1}}, "in and out, as in"),
        ({"mix": {"a": {"share": 1, "engine": "openia"}, "b": 1}}, "did you mean 'openai'"),
        ({"mix": {"a": {"share": 1, "options": 3}, "b": 1}}, "mix.a.options' must be a table"),
        ({"mix": {"a": {"share": 1, "engine": "batch"}, "b": 1}}, "'batch' does not go with others"),
        ({"engine": "vllm", "mix": {"a": 1, "b": 1}}, "a and b would both be loaded into this process"),
    ],
)
def test_a_mix_that_cannot_be_is_told(generation, message) -> None:
    config: GenerationConfig = from_dict({"generation": {"engine": "openai", **generation}}).generation
    with pytest.raises(ConfigError, match=message):
        configured_engine(config)


def test_a_mix_names_its_dataset_and_its_traits() -> None:
    config: RunConfig = from_dict({"generation": {"mix": {"org/Large-7B": 0.7, "small": 0.3}}})
    assert config.name == "large-7b-small"
    assert engine_class("openai+vllm") is MixedEngine
    assert not MixedEngine.free
