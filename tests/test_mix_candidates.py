"""Several models for every pair: who writes what, what is recorded, goes on, is asked again and told."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from synthesis.data import Prompt, Usage
from synthesis.engines.base import Sampling
from synthesis.engines.mixed import Member, MixedEngine
from synthesis.errors import ConfigError, EngineError
from synthesis.options import from_dict
from synthesis.prompts import load_template
from synthesis.run.budget import Budget
from synthesis.run.job import Job, make_job
from synthesis.run.journal import Journal
from synthesis.run.loop import Counts, carry_out, generate, survey, synthesize
from synthesis.run.retry import by_another_seed, rows_to_retry
from tests.openai_server import Asked, Reply, serve
from tests.pretend import PretendModel, is_repair
from tests.test_mix import PAIRS, answered, good


def mixed(shares: dict[str, float], say=answered, **more) -> MixedEngine:
    members = [Member(name, share, PretendModel(say, model=name, **more)) for name, share in shares.items()]
    return MixedEngine(members, by_candidate=True)


def job_of(engine, candidates: int, **more) -> Job:
    settings = {"words": 100, "candidates": candidates, "keeps": True}
    return Job(engine, load_template("narrative"), Sampling(), **settings | more)


def run(folder: Path, engine, candidates: int = 2, pairs=PAIRS, **more) -> Counts:
    with Journal(folder) as journal:
        return generate(job_of(engine, candidates, **more), pairs, journal)


def written(folder: Path) -> Counter[tuple[str, str]]:
    """How many current contexts each model has of each pair."""
    with Journal(folder, writable=False) as journal:
        return Counter((context.pair_id, context.model) for _, context in journal.current_contexts())


def asked(engine: MixedEngine) -> dict[str, int]:
    return {part.name: len(part.engine.asked) for part in engine.parts}  # type: ignore[attr-defined]


# Who writes


@pytest.mark.parametrize(
    ("shares", "count", "turns"),
    [
        ({"a": 1, "b": 1}, 5, "ababa"),
        ({"a": 0.5, "b": 0.5, "c": 0.5}, 4, "abca"),
        ({"a": 0.9, "b": 0.1}, 2, "ab"),  # each has one before any has two
        ({"a": 2, "b": 1}, 6, "abaaba"),
    ],
)
def test_candidates_are_shared_in_turn(shares, count, turns) -> None:
    engine = mixed(shares)
    assert "".join(list(shares)[place] for place in engine.turns(count)) == turns
    assert list(engine.turns(count - 1)) == list(engine.turns(count))[:-1]  # more of them may follow


def test_every_pair_has_a_context_of_each_model(tmp_path) -> None:
    engine = mixed({"a": 1, "b": 1}, window=5)
    counts = run(tmp_path, engine, 3)
    assert (counts.new, counts.left) == (24, 0)
    assert written(tmp_path) == {(pair.id, model): 2 - (model == "b") for pair in PAIRS for model in "ab"}
    assert run(tmp_path, mixed({"b": 1, "a": 1}), 2).settled == 24  # in whichever order they are named
    with Journal(tmp_path, writable=False) as journal:
        usage = journal.usage_by
        assert {name: one.replies for name, one in usage.items() if name} == {"a": 48, "b": 24}
        assert usage["a"] + usage["b"] == journal.usage


def test_what_a_model_wrote_alone_is_its_candidate(tmp_path) -> None:
    run(tmp_path, PretendModel(answered, model="a"), 1, keeps=False)
    engine = mixed({"b": 1, "a": 1})
    with Journal(tmp_path) as journal:
        assert survey(job_of(engine, 2), PAIRS, journal).stale == 24
    run(tmp_path, engine)
    assert asked(engine) == {"a": 0, "b": 24}
    third = mixed({"a": 1, "c": 1, "b": 1})
    run(tmp_path, third, 3)
    assert asked(third) == {"a": 0, "b": 0, "c": 24}
    assert len(written(tmp_path)) == 72


def test_repairs_and_sections_stay_with_their_model(tmp_path) -> None:
    def say(prompt: Prompt) -> str:
        return good(prompt.messages[1].content) if is_repair(prompt) else "I cannot."

    engine = mixed({"a": 1, "b": 1}, say, window=4)
    run(tmp_path, engine, repairs=2)
    for part in engine.parts:
        prompts = part.engine.asked  # type: ignore[attr-defined]
        assert {prompt.writer for prompt in prompts} == {part.name}
        assert Counter(map(is_repair, prompts)) == {False: 24, True: 24}
    with Journal(tmp_path, writable=False) as journal:
        assert {name: one.replies for name, one in journal.usage_by.items()} == {"a": 48, "b": 48}

    outlines = mixed({"a": 1, "b": 1}, lambda _: "nothing of use")
    run(tmp_path / "long", outlines, pairs=PAIRS[:2], words=400, section_words=100, repairs=1)
    for part in outlines.parts:
        prompts = part.engine.asked  # type: ignore[attr-defined]
        assert prompts and {prompt.writer for prompt in prompts} == {part.name}


# Trouble


def test_after_one_broke_down_each_request_goes_to_the_same_model(tmp_path) -> None:
    whole = tmp_path / "whole"
    run(whole, mixed({"a": 1, "b": 1}))
    broken = mixed({"a": 1, "b": 1}, window=3)
    broken.parts[1].engine.fail_after = 5  # type: ignore[attr-defined]
    with pytest.raises(EngineError, match="broke down"):
        run(tmp_path / "run", broken)
    done = asked(broken)
    with Journal(tmp_path / "run", writable=False) as journal:
        assert len(journal.contexts) == sum(done.values())
    engine = mixed({"a": 1, "b": 1})
    run(tmp_path / "run", engine)
    assert asked(engine) == {"a": 24 - done["a"], "b": 24 - done["b"]}
    assert written(tmp_path / "run") == written(whole)
    with Journal(whole, writable=False) as one, Journal(tmp_path / "run", writable=False) as other:
        assert list(one.current()) == list(other.current())


def test_where_a_model_has_nothing_usable_the_others_stand_for_the_pair(tmp_path) -> None:
    def say(prompt: Prompt) -> str:
        return "I cannot." if prompt.writer == "b" else answered(prompt)

    run(tmp_path, mixed({"a": 1, "b": 1}, say))
    assert written(tmp_path) == {(pair.id, "a"): 1 for pair in PAIRS}
    assert run(tmp_path, mixed({"a": 1, "b": 1}, say)).settled == 24


def test_pairs_of_which_nothing_came_are_asked_again_of_all(tmp_path) -> None:
    run(tmp_path, mixed({"a": 1, "b": 1}, lambda _: "I cannot."), pairs=PAIRS[:3])
    engine = mixed({"a": 1, "b": 1})
    with Journal(tmp_path) as journal:
        again = by_another_seed(job_of(engine, 2), journal)
        counts = carry_out(again, rows_to_retry(again, journal), journal)
        assert (counts.stale, counts.left, asked(engine)) == (3, 0, {"a": 3, "b": 3})
        assert [kept for _, kept in journal.current()] == [True] * 3
        found = [(pair.id, context.seed) for pair, context in journal.current_contexts()]
        assert found == [(pair.id, 1) for pair in PAIRS[:3]]
        # The run knows them again, whichever model it names first, and one that comes later asks for none.
        for shares in ({"a": 1, "b": 1}, {"b": 1, "a": 1}):
            assert survey(job_of(mixed(shares), 2), PAIRS[:3], journal).settled == 3


# With real servers


def config(tmp_path: Path, urls: list[str], more: str = "") -> Path:
    pairs = tmp_path / "pairs.jsonl"
    rows = [{"instruction": pair.instruction, "answer": pair.answer} for pair in PAIRS[:8]]
    pairs.write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = tmp_path / "run.toml"
    options = 'options = { base_url = "%s", concurrency = 2, retries = 0 }'
    path.write_text(
        f'[pairs]\nsource = "{pairs}"\n'
        '[generation]\nengine = "openai"\nwords = 100\ntop_p = 0.9\nrepairs = 1\n'
        'mix_by = "candidate"\ncandidates = 2\nkeep_candidates = true\n'
        f"[generation.mix]\nlarge = {{ share = 1, price = [10, 100], {options % urls[0]} }}\n"
        f"small = {{ share = 1, {options % urls[1]} }}\n"
        '[samples]\nlengths = ["1k"]\nall_candidates = true\nkinds = ["chat", "rl"]\n' + more
    )
    return path


def test_two_servers_write_for_every_pair(tmp_path, command) -> None:
    import datasets

    def say(asked: Asked) -> Reply:
        return Reply(
            good(asked.text).replace("At ", "By ") if asked.body["model"] == "small" else good(asked.text)
        )

    folder = tmp_path / "run"
    with serve(say, models=("large",)) as one, serve(say, models=("small",)) as two:
        options = (config(tmp_path, [one.url, two.url]), "--out", folder)
        plan = command("plan", *options)
        assert "would write 16 contexts" in plan.stdout, plan.stderr
        assert re.search(r"of which large: about .* tokens in, .* out, .* USD", plan.stdout)
        assert re.search(r"of which small: about .* tokens in, .* out\n", plan.stdout)
        assert "cost: unknown" in plan.stdout  # of one of them
        done = command("run", *options, "--price", "1,1")
        assert done.returncode == 0, done.stderr
        told = {name: float(money) for name, money in re.findall(r"(\w+): .* ([\d.]+) USD", done.stdout)}
        assert told["large"] > 9 * told["small"] > 0
        assert told["folder"] == pytest.approx(told["large"] + told["small"], abs=0.005)
        assert (len(one.asked), len(two.asked)) == (8, 8)
        assert {asked.body["model"] for asked in two.asked} == {"small"}
        assert "a run would write no contexts" in command("plan", *options).stdout
    card = " ".join((folder / "dataset/README.md").read_text().split())
    assert "16 contexts for 8 pairs" in card and "whose a context is: large, small." in card
    for name in ("chat", "rl"):
        config_name = f"large-small-{name}-1k"
        made = datasets.load_dataset(str(folder / "dataset"), config_name, split="train").to_list()
        assert Counter(row["model"] for row in made) == {"large": 8, "small": 8}
        assert len({(row.get("pair_id") or row["group"], row["model"]) for row in made}) == 16
    rows = datasets.load_dataset(str(folder / "dataset"), "large-small", split="train").to_list()
    assert Counter(row["model"] for row in rows) == {"large": 8, "small": 8}
    groups = {
        row["group"]: sorted((one["rank"], one["model"]) for one in rows if one["group"] == row["group"])
        for row in rows
    }
    assert len(groups) == 8
    assert all([rank for rank, _ in found] == [1, 2] for found in groups.values())
    assert all({model for _, model in found} == {"large", "small"} for found in groups.values())


def test_a_server_that_is_down_is_told_and_the_others_work_is_kept(tmp_path, command) -> None:
    folder = tmp_path / "run"

    def say(asked: Asked) -> Reply:
        return Reply(good(asked.text))

    with serve(say, models=("large",)) as one:
        with serve(say, models=("small",)) as gone:
            path = config(tmp_path, [one.url, gone.url])
        down = command("run", path, "--out", folder)
        assert down.returncode == 1
        assert gone.url.split("/v1")[0].removeprefix("http://") in down.stderr, down.stderr
        with Journal(folder / "journal", writable=False) as journal:
            kept = len(journal.contexts)
        before = len(one.asked)
        assert kept == before
        with serve(say, models=("small",)) as two:
            config(tmp_path, [one.url, two.url])
            again = command("run", path, "--out", folder)
            assert again.returncode == 0, again.stderr
            assert (len(one.asked), len(two.asked)) == (8, 8)


def test_a_budget_goes_by_the_price_of_each(tmp_path) -> None:
    took = {"a": Usage(1, 10, 100), "b": Usage(1, 10, 100), "": Usage(1, 1_000_000, 0)}
    own = Budget(cost=1.0, price=(0.5, 0.0), prices={"a": (0.0, 1000.0), "b": (0.0, 2000.0)})
    assert own.money(took) == pytest.approx(0.1 + 0.2 + 0.5) == own.share(took)
    assert replace(own, price=()).money(took) is None
    assert own.most(Usage(1, 0, 100)) == pytest.approx(0.2)
    # Some hundred words a reply: a thousand times as much for the one as for the other.
    budgets = {
        "cheap": {"a": (0.0, 10.0), "b": (0.0, 10.0)},
        "dear": {"a": (0.0, 10.0), "b": (0.0, 10_000.0)},
    }
    for name, prices in budgets.items():
        with Journal(tmp_path / name) as journal:
            job = job_of(mixed({"a": 1, "b": 1}), 2)
            counts = generate(job, PAIRS, journal, budget=Budget(cost=5.0, prices=prices))
            assert (counts.left == 0) is (name == "cheap")
            assert journal.usage.replies > 2


def test_a_cost_is_bounded_where_every_model_has_a_price() -> None:
    mix = {"a": {"share": 1, "price": [1, 2]}, "b": {"share": 1, "price": [0, 0.5]}}
    table = {"generation": {"engine": "openai", "mix": mix}, "cost": {"max_cost": 3.0}}
    assert from_dict(table).generation.prices == {"a": (1, 2), "b": (0, 0.5)}
    mix["b"] = 1  # type: ignore[assignment]
    with pytest.raises(ConfigError, match="needs to know the prices"):
        from_dict(table)


# From Python, and what cannot be


def test_in_memory_the_best_comes_first_whichever_model_wrote_it() -> None:
    found = list(
        synthesize(PAIRS[:2], mixed({"a": 1, "b": 1}), words=100, candidates=2, keep_candidates=True)
    )
    assert Counter((one.pair_id, one.model) for one in found) == {
        (pair.id, model): 1 for pair in PAIRS[:2] for model in "ab"
    }


@pytest.mark.parametrize(
    ("generation", "message"),
    [
        ({"mix": {"a": 1, "b": 1}, "candidates": 1}, "there are 2; give --candidates 2 or more"),
        ({"model": "m", "candidates": 2}, "there is one model; name several with --mix"),
        (
            {"mix": {"a": 1, "b": 1}, "candidates": 3, "temperature": 0.0},
            "all of one model would be the same",
        ),
    ],
)
def test_what_cannot_be_shared_is_told(generation, message) -> None:
    table = {"engine": "openai", "mix_by": "candidate", **generation}
    with pytest.raises(ConfigError, match=message):
        make_job(from_dict({"generation": table}))


def test_without_chance_each_model_may_write_once() -> None:
    with serve(lambda asked: Reply(good(asked.text)), models=("a", "b")) as server:
        options = {"mix": {"a": 1, "b": 1}, "mix_by": "candidate", "base_url": server.url, "words": 100}
        made = synthesize(PAIRS[:1], "openai", candidates=2, keep_candidates=True, temperature=0.0, **options)
        assert {one.model for one in made} == {"a", "b"}  # type: ignore[union-attr]
        assert [asked.body["temperature"] for asked in server.asked] == [0.0, 0.0]
        with pytest.raises(ConfigError, match="give --temperature above 0"):
            next(synthesize(PAIRS[:1], "openai", candidates=3, temperature=0.0, **options))
