"""The loop: lazy, resumable, every drop recorded."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator

import pytest

from synthesis.data import Completion, Context, Pair, Prompt, Rejected
from synthesis.engines import engine_class, engine_names, engine_with, make_engine
from synthesis.engines.base import Engine, PromptSource, Sampling
from synthesis.errors import ConfigError, EngineError
from synthesis.prompts import load_template
from synthesis.run.job import Job
from synthesis.run.journal import Journal
from synthesis.run.loop import Counts, generate, survey, synthesize
from tests.scripted import ScriptedEngine

PAIRS = [Pair(instruction=f"Who kept light {n}?", answer=f"Keeper {n}") for n in range(10)]


def job(engine: ScriptedEngine, **changes) -> Job:
    settings = {"template": load_template("narrative"), "sampling": Sampling(), "words": 100} | changes
    return Job(engine, **settings)


def run_all(folder, engine, pairs=PAIRS, **changes) -> list[tuple[Pair, Context]]:
    with Journal(folder) as journal:
        generate(job(engine, **changes), pairs, journal)
        return list(journal.current_contexts())


def test_contexts_come_in_the_order_of_the_pairs_whatever_order_they_finish_in(tmp_path) -> None:
    one = run_all(tmp_path / "a", ScriptedEngine())
    other = run_all(tmp_path / "b", ScriptedEngine(window=4))
    assert [pair for pair, _ in one] == PAIRS
    assert one == other


def test_a_broken_engine_loses_nothing_and_only_the_rest_is_asked_again(tmp_path) -> None:
    broken = ScriptedEngine(window=3, fail_after=4)
    with pytest.raises(EngineError), Journal(tmp_path) as journal:
        generate(job(broken), PAIRS, journal)
    second = ScriptedEngine(window=3)
    assert run_all(tmp_path, second) == run_all(tmp_path / "whole", ScriptedEngine())
    assert len(second.asked) == 6


def test_running_again_asks_nothing(tmp_path) -> None:
    run_all(tmp_path, ScriptedEngine())
    again = ScriptedEngine()
    run_all(tmp_path, again)
    assert again.asked == []


@pytest.mark.parametrize(
    "changes",
    [
        {"words": 120},
        {"sampling": Sampling(seed=1)},
        {"sampling": Sampling(temperature=0.1)},
    ],
)
def test_a_changed_setting_makes_everything_stale(tmp_path, changes) -> None:
    run_all(tmp_path, ScriptedEngine())
    with Journal(tmp_path) as journal:
        assert survey(job(ScriptedEngine(), **changes), PAIRS, journal) == Counts(stale=10)
    again = ScriptedEngine()
    run_all(tmp_path, again, **changes)
    assert len(again.asked) == 10
    # Going back costs nothing: what was written before is still known.
    back = ScriptedEngine()
    run_all(tmp_path, back)
    assert back.asked == []


def test_another_model_is_stale_another_pair_is_new(tmp_path) -> None:
    run_all(tmp_path, ScriptedEngine(), PAIRS[:6])
    with Journal(tmp_path) as journal:
        assert survey(job(ScriptedEngine()), PAIRS, journal) == Counts(settled=6, new=4)
        assert survey(job(ScriptedEngine("m2")), PAIRS, journal) == Counts(stale=6, new=4)


def test_a_changed_pair_alone_is_redone(tmp_path) -> None:
    run_all(tmp_path, ScriptedEngine())
    changed = [*PAIRS[:4], Pair(instruction=PAIRS[4].instruction, answer="Somebody else"), *PAIRS[5:]]
    engine = ScriptedEngine()
    rows = run_all(tmp_path, engine, changed)
    assert engine.asked == [changed[4].id]
    assert [pair for pair, _ in rows] == changed


def test_every_drop_is_recorded_with_stage_and_reason(tmp_path) -> None:
    replies = {
        PAIRS[1].instruction: Completion("", "I will not.", "refusal", detail="policy"),
        PAIRS[2].instruction: Completion("", "a few words"),
        PAIRS[3].instruction: Completion("", "Context: cut", "length"),
    }
    bad_row = Rejected("file.jsonl:7", "pairs", "not JSON", "{")
    with Journal(tmp_path) as journal:
        generate(job(ScriptedEngine(replies=replies)), [PAIRS[0], bad_row, *PAIRS[1:4]], journal)
        dropped = [(row.pair_id, row.stage, row.reason.split(":")[0]) for row in journal.current_rejected()]
        assert len(journal.current_contexts()) == 1
    assert dropped == [
        ("file.jsonl:7", "pairs", "not JSON"),
        (PAIRS[1].id, "generate", "refusal"),
        (PAIRS[2].id, "parse", "short"),
        (PAIRS[3].id, "generate", "length"),
    ]
    again = ScriptedEngine(replies=replies)
    run_all(tmp_path, again, [PAIRS[0], bad_row, *PAIRS[1:4]])
    assert again.asked == []


def test_a_failed_request_is_asked_again_at_the_next_run(tmp_path) -> None:
    failing = {PAIRS[0].instruction: Completion("", "", "error", detail="503")}
    assert run_all(tmp_path, ScriptedEngine(replies=failing), PAIRS[:2])[0][0] == PAIRS[1]
    again = ScriptedEngine()
    assert len(run_all(tmp_path, again, PAIRS[:2])) == 2
    assert again.asked == [PAIRS[0].id]
    with Journal(tmp_path) as journal:
        assert list(journal.current_rejected()) == []


def test_pairs_are_pulled_no_faster_than_the_engine_asks(tmp_path) -> None:
    endless = (Pair(instruction=f"Who kept light {n}?", answer="Ada") for n in itertools.count())
    engine = ScriptedEngine(window=5)
    first = list(itertools.islice(synthesize(endless, engine, words=100), 20))
    assert all(isinstance(outcome, Context) for outcome in first)
    assert engine.most_waiting == 5
    assert len(engine.asked) < 30
    assert not engine.closed  # it belongs to the caller


def test_equal_pairs_each_get_a_context() -> None:
    made = list(synthesize([PAIRS[0], PAIRS[1], PAIRS[0]], ScriptedEngine(window=3), words=100))
    assert sorted(context.pair_id for context in made) == sorted(p.id for p in (PAIRS[0], PAIRS[0], PAIRS[1]))


def test_synthesize_counts_tokens_and_finds_the_evidence() -> None:
    (context,) = synthesize([PAIRS[0]], ScriptedEngine(), words=100)
    assert context.tokens > context.words > 50
    assert context.evidence_source == "located"
    assert any("Keeper 0" in context.text[start:end] for start, end, _ in context.evidence)


def test_synthesize_with_the_default_engine() -> None:
    first, second = synthesize(PAIRS[:2], words=300, seed=5)
    assert first.engine == "composer"
    assert first.evidence_source == "exact"
    assert first.text != second.text
    assert list(synthesize(PAIRS[:2], words=300, seed=5)) == [first, second]
    assert next(synthesize(PAIRS[:1], words=300, seed=6)).text != first.text


def test_engines_are_found_by_name() -> None:
    assert engine_names() == ["batch", "composer", "openai", "transformers", "vllm"]
    for engine in (
        make_engine("composer"),
        make_engine("openai", "a-model", base_url="http://127.0.0.1:9/v1"),
    ):
        assert isinstance(engine, Engine)
        assert engine.name in engine_names()
        engine.close()
        engine.close()
    with pytest.raises(ConfigError, match="no engine 'compser'.*did you mean 'composer'"):
        make_engine("compser")
    with pytest.raises(ConfigError, match="does not take these settings.*bogus"):
        make_engine("composer", bogus=1)
    with pytest.raises(ConfigError, match="no mode 'odd'.*needle"):
        make_engine("composer", mode="odd")


@pytest.mark.parametrize(
    ("engine", "options", "message"),
    [
        ("openai", {"concurency": 3}, "'concurency' .did you mean 'concurrency'"),
        ("openai", {"concurrency": "many"}, "options.concurrency is 'many'; it must be of type int"),
        ("openai", {"retries": True}, "options.retries is True; it must be of type int"),
        ("openai", {"extra_body": "top_k"}, "options.extra_body is 'top_k'; .* Mapping"),
        ("batch", {"tries": 2.5}, "options.tries is 2.5; it must be of type int"),
        ("composer", {"model": "other"}, "hold no model; give it as --model"),
        ("vllm", {"lora": 3}, "options.lora is 3; it must be of type str"),
    ],
)
def test_a_wrong_option_is_told_by_the_signature(monkeypatch, engine, options, message) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("no engine is made with it")

    monkeypatch.setattr(
        engine_class(engine), "__init__", functools.wraps(engine_class(engine).__init__)(never)
    )
    with pytest.raises(ConfigError, match=message):
        engine_with(engine, "", options)


def test_whole_numbers_do_where_others_are_meant() -> None:
    assert make_engine("openai", "m", base_url="http://127.0.0.1:9/v1", timeout=60).model == "m"


def test_traits_are_known_before_an_engine_is_made() -> None:
    known = {name: engine_class(name) for name in engine_names()}
    assert [name for name, one in known.items() if one.free] == ["composer"]
    assert [name for name, one in known.items() if one.writes_any_length] == ["composer"]
    assert [name for name, one in known.items() if one.outlives_process] == ["batch"]


def test_an_object_of_ones_own_is_an_engine_too() -> None:
    """It need not derive from anything; prompts that follow from replies reach it in the same call."""

    class Own:
        name, model = "own", "own-1"
        calls = 0

        def complete(self, prompts: PromptSource, sampling: Sampling) -> Iterator[Completion]:
            self.calls += 1
            while (prompt := prompts.pull()) is not None:
                yield Completion(prompt.id, f"Context: {prompt.variables['answer'][:6]} kept it for years.")

        def stream(self, prompt: Prompt, sampling: Sampling) -> Iterator[str]:
            yield "Context: nothing."

        def close(self) -> None:
            raise AssertionError("whoever made it closes it")

    own = Own()
    outcomes = list(synthesize(PAIRS[:4], own, words=100, repairs=2))
    assert len(outcomes) == 4 and own.calls == 1
    assert all(isinstance(one, Rejected) and one.attempts == 2 for one in outcomes)


def test_the_composers_mode_is_part_of_what_is_known(tmp_path) -> None:
    def written(mode: str) -> tuple[int, str]:
        engine = make_engine("composer", mode=mode)
        with Journal(tmp_path) as journal:
            counts = generate(job(engine, words=400), PAIRS[:1], journal)
            return counts.todo, journal.current_contexts()[0][1].text

    first, woven = written("woven")
    second, needle = written("needle")
    assert (first, second) == (1, 1)
    assert woven != needle
    assert written("woven") == (0, woven)
