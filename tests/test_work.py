"""Works of several replies: interleaved, replayed, counted."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from synthesis.data import Completion, Context, Message, Pair, Prompt, Usage, content_hash
from synthesis.engines.base import Items, Sampling
from synthesis.engines.openai import OpenAIEngine
from synthesis.errors import EngineError
from synthesis.run.conversations import Conversations, converse
from synthesis.run.journal import Journal
from tests.openai_server import Reply, serve

PAIRS = [Pair(instruction=f"Who kept light {n}?", answer=f"Keeper {n}") for n in range(6)]


def opening(pair: Pair) -> Prompt:
    return asking(pair, 0)


def asking(pair: Pair, step: int) -> Prompt:
    name = content_hash(pair.id, step)
    return Prompt(name, pair.id, "t", {"step": step}, (Message("user", pair.instruction),), name)


def thrice(pair: Pair, prompt: Prompt):
    """A work of three replies, whose outcome is all they said."""
    said = []
    for step in range(3):
        done = yield asking(pair, step)
        if done.finish_reason == "error":
            return Context(pair.id, "failed", fingerprint=prompt.fingerprint)
        said.append(done.text)
    return Context(pair.id, " ".join(said), fingerprint=prompt.fingerprint, attempts=3)


class Counter:
    """Answers with a prompt's step; asks its source again or ends when that runs dry, by ``patient``."""

    name, model = "counter", "c"

    def __init__(self, *, patient: bool, window: int = 3, fail_after: int = 10**9) -> None:
        self.patient, self.window, self.fail_after = patient, window, fail_after
        self.asked: list[str] = []
        self.rounds = 0

    def complete(self, prompts, sampling):
        self.rounds += 1
        waiting, dry = [], False
        while True:
            while len(waiting) < self.window and (self.patient or not dry):
                prompt = prompts.pull()
                if prompt is None:
                    dry = True
                    break
                waiting.append(prompt)
            if not waiting:
                return
            if len(self.asked) >= self.fail_after:
                raise EngineError("broken")
            prompt = waiting.pop()
            self.asked.append(prompt.id)
            yield Completion(prompt.id, str(prompt.variables["step"]), prompt_tokens=10, output_tokens=1)

    def stream(self, prompt, sampling):
        yield ""

    def close(self) -> None: ...


def outcomes(engine, pairs=PAIRS, replies=None):
    works = Conversations(Items((pair, opening(pair)) for pair in pairs), thrice, replies)
    return list(converse(engine, works, Sampling()))


@pytest.mark.parametrize("patient", [True, False])
def test_each_work_gets_its_replies_in_order(patient) -> None:
    engine = Counter(patient=patient)
    done = outcomes(engine)
    assert sorted(one.pair.id for one in done) == sorted(pair.id for pair in PAIRS)
    assert {one.outcome.text for one in done} == {"0 1 2"}
    assert len(engine.asked) == 18
    # An engine that asks its source again needs no second round.
    assert (engine.rounds == 1) is patient


def test_what_continues_a_work_comes_before_what_begins_one() -> None:
    pulled = []

    def endless():
        for number in itertools.count():
            pulled.append(number)
            pair = Pair(instruction=f"{number}?", answer="a")
            yield pair, opening(pair)

    works = Conversations(Items(endless()), thrice)
    done = list(itertools.islice(converse(Counter(patient=True), works, Sampling()), 5))
    assert len(done) == 5
    assert len(pulled) <= 5 + 3


def test_an_interrupted_work_goes_on_where_it_stopped(tmp_path) -> None:
    first = Counter(patient=True, fail_after=8)
    with pytest.raises(EngineError), Journal(tmp_path) as journal:
        for pair, outcome, usage, _ in _through(journal, first):
            journal.add(outcome, pair, usage)
    second = Counter(patient=True)
    with Journal(tmp_path) as journal:
        settled = [pair for pair in PAIRS if journal.is_settled(opening(pair).fingerprint)]
        rest = [pair for pair in PAIRS if pair not in settled]
        for pair, outcome, usage, _ in _through(journal, second, rest):
            journal.add(outcome, pair, usage)
        assert journal.usage == Usage(18, 180, 18)
        texts = {journal.contexts.read(opening(pair).fingerprint)["text"] for pair in PAIRS}
    assert texts == {"0 1 2"}
    assert len(first.asked) + len(second.asked) == 18
    assert len(set(first.asked) | set(second.asked)) == 18
    # The totals are those of the files, whoever reads them.
    assert Journal(tmp_path, writable=False).usage == Usage(18, 180, 18)


def test_a_failed_reply_is_not_kept(tmp_path) -> None:
    class Failing(Counter):
        def complete(self, prompts, sampling):
            for done in super().complete(prompts, sampling):
                yield replace(done, finish_reason="error") if done.text == "1" else done

    with Journal(tmp_path) as journal:
        assert {one.outcome.text for one in _through(journal, Failing(patient=True))} == {"failed"}
        assert len(journal.steps) == 6
        again = Counter(patient=True)
        assert {one.outcome.text for one in _through(journal, again)} == {"0 1 2"}
        assert len(again.asked) == 12


def test_equal_pairs_are_both_answered() -> None:
    assert len(outcomes(Counter(patient=True), [PAIRS[0], PAIRS[0], PAIRS[1]])) == 3


def test_an_engine_that_leaves_prompts_unanswered_is_told_so() -> None:
    class Silent(Counter):
        def complete(self, prompts, sampling):
            while prompts.pull() is not None:
                pass
            yield from ()

    with pytest.raises(EngineError, match="6 prompts"):
        outcomes(Silent(patient=True))


def _through(journal, engine, pairs=PAIRS):
    works = Conversations(Items((pair, opening(pair)) for pair in pairs), thrice, journal)
    return converse(engine, works, Sampling())


def test_the_openai_engine_takes_all_steps_in_one_round(monkeypatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    rounds = []

    class Watched(OpenAIEngine):
        def complete(self, prompts, sampling):
            rounds.append(1)
            yield from super().complete(prompts, sampling)

    with serve(lambda asked: Reply("word")) as server:
        engine = Watched(base_url=server.url, concurrency=4)
        done = outcomes(engine)
        engine.close()
    assert {one.outcome.text for one in done} == {"word word word"}
    assert len(rounds) == 1
