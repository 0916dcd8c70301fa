"""The gain by hand: which requests are made, what becomes of their numbers, and of failures.

The engine counts: a token (a word) costs one nat less for every time the prefix has it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from itertools import pairwise

import pytest

from builder.job.scoring import score_source
from synthesis.coherence import window_spans
from synthesis.coherence.gain import Gain, gain, gain_batch
from synthesis.data import Prompt
from synthesis.engines import make_engine
from synthesis.engines.base import LogLikelihood, PromptSource, Sampling
from synthesis.errors import ConfigError, EngineError, SourceError, UsageError

CONTEXT = "In Varrow the clock was mended by Ilse Brandt, and nobody else."
ASKED, TOLD = "Who mended the clock?", "Ilse Brandt"


class Counting:
    """Scores by counting words; ``ahead`` requests are taken before the first is answered."""

    name, model = "counting", "counting-1"

    def __init__(self, ahead: int = 1, refuses: str = "", early: bool = False) -> None:
        self.ahead, self.refuses, self.early = ahead, refuses, early
        self.asked: list[tuple[str, str]] = []

    def complete(self, prompts: PromptSource, sampling: Sampling) -> Iterator:
        raise NotImplementedError

    def stream(self, prompt: Prompt, sampling: Sampling) -> Iterator[str]:
        raise NotImplementedError

    def close(self) -> None:
        pass

    def score(self, prefix: str, continuation: str) -> LogLikelihood:
        words = continuation.split()
        read = prefix.replace(",", " ").split()
        ids = tuple(sum(word.encode()) for word in words)
        return LogLikelihood(ids, tuple(-5.0 + read.count(word) for word in words))

    def check(self, prefix: str) -> None:
        if self.refuses and self.refuses in prefix:
            raise EngineError(f"'{self.refuses}' is too long for the model")

    def loglikelihood(self, requests: Iterable[tuple[str, str]]) -> Iterator[LogLikelihood]:
        waiting = []
        for request in requests:
            self.asked.append(request)
            if self.early:  # fails when a request is taken, before those ahead of it are answered
                self.check(request[0])
            waiting.append(request)
            if len(waiting) >= self.ahead:
                yield self.answer(waiting.pop(0))
        while waiting:
            yield self.answer(waiting.pop(0))

    def answer(self, request: tuple[str, str]) -> LogLikelihood:
        self.check(request[0])
        return self.score(*request)


def test_it_is_the_mean_per_token() -> None:
    found = gain(CONTEXT, ASKED, TOLD, Counting())
    # "Ilse" and "Brandt" once each in the context; of the four words asked, "mended" and "the".
    assert found == Gain(answer=1.0, instruction=0.5, windows=(), tokens=2, logprob=-4.0)


def test_the_layout() -> None:
    """Written out, so that a change is seen: earlier numbers could not be compared any more."""
    engine = Counting()
    gain(f"\n{CONTEXT}\n", f" {ASKED}\n", f"{TOLD} ", engine)
    assert engine.asked == [
        ("Instruction:", " Who mended the clock?"),
        ("Instruction: Who mended the clock?\n\nAnswer:", " Ilse Brandt"),
        (f"{CONTEXT}\n\nInstruction:", " Who mended the clock?"),
        (f"{CONTEXT}\n\nInstruction: Who mended the clock?\n\nAnswer:", " Ilse Brandt"),
    ]


@pytest.mark.parametrize("context", ["", "   \n"])
def test_no_context_no_gain(context) -> None:
    assert gain(context, ASKED, TOLD, Counting(), windows=True) == Gain(0.0, 0.0, (), 2, -5.0)


def test_windows_tell_where_the_answer_stands() -> None:
    filler = [" ".join(f"word{place}x{n}" for n in range(80)) for place in range(4)]
    context = " ".join([filler[0], filler[1], "Ilse, they say.", filler[2], "Brandt, that is.", filler[3]])
    spans = window_spans(context)
    found = gain(context, ASKED, TOLD, Counting(), windows=True)
    assert len(found.windows) == len(spans)
    lost = [("Ilse" in context[s:e]) / 2 + ("Brandt" in context[s:e]) / 2 for s, e in spans]
    assert list(found.windows) == lost
    assert sum(lost) == 1.0 and max(lost) == 0.5


def test_one_window_is_the_whole_context() -> None:
    found = gain(CONTEXT, ASKED, TOLD, Counting(), windows=True)
    assert found.windows == (found.answer,)


@pytest.mark.parametrize("windows", [False, True])
@pytest.mark.parametrize("ahead", [1, 3, 50])
def test_many_are_like_one_by_one_however_far_ahead_requests_are_taken(ahead, windows) -> None:
    triples = [(CONTEXT * n, ASKED, " ".join([TOLD] * (1 + n % 3))) for n in range(8)]
    found = list(gain_batch(iter(triples), Counting(ahead), windows=windows))
    assert found == [gain(*triple, Counting(), windows=windows) for triple in triples]
    assert len({one.answer for one in found}) > 2


@pytest.mark.parametrize(("same", "most"), [(False, 3), (True, 16)])
def test_triples_are_taken_as_they_are_needed(same, most) -> None:
    """One ahead, which tells where a context ends; of one context some together."""
    taken = []

    def endless() -> Iterator[tuple[str, str, str]]:
        while True:
            taken.append(1)
            yield CONTEXT if same else f"{CONTEXT} {len(taken)}", ASKED, TOLD

    found = gain_batch(endless(), Counting())
    next(found)
    next(found)
    assert len(taken) == most
    found.close()


@pytest.mark.parametrize("windows", [False, True])
def test_what_is_asked_about_one_context_follows_one_another(windows) -> None:
    """And comes to the same as one by one."""
    long = " ".join(["In Varrow it was late, and nobody came for the clock." for _ in range(20)] + [CONTEXT])
    triples = [
        *(
            (context, ASKED, told)
            for context in (long, CONTEXT)
            for told in ("Ilse Brandt", "nobody", "Varrow")
        ),
        (long, "Who came?", "nobody"),
    ]
    engine = Counting()
    together = list(gain_batch(triples, engine, windows=windows))
    assert together == [gain(*triple, Counting(), windows=windows) for triple in triples]
    begun = [prefix.partition("Instruction:")[0][:40] for prefix, _ in engine.asked]
    changes = sum(one != other for one, other in pairwise(begun))
    # Without and with, for each of three groups; a cut at the front begins otherwise, too.
    assert changes == (7 if windows else 5)


class Shifty(Counting):
    """Splits the answer differently where there is a context."""

    def score(self, prefix: str, continuation: str) -> LogLikelihood:
        scored = super().score(prefix, continuation)
        if "Varrow" in prefix:
            return LogLikelihood((*scored.token_ids, 0), (*scored.logprobs, -1.0))
        return scored


class Renaming(Counting):
    """As many tokens, but other ones."""

    def score(self, prefix: str, continuation: str) -> LogLikelihood:
        scored = super().score(prefix, continuation)
        if "Varrow" in prefix:
            return LogLikelihood(scored.token_ids[::-1], scored.logprobs)
        return scored


class Endless(Counting):
    """Says that a token is impossible."""

    def score(self, prefix: str, continuation: str) -> LogLikelihood:
        scored = super().score(prefix, continuation)
        return LogLikelihood(scored.token_ids, (*scored.logprobs[:-1], -math.inf))


class Echoing(Counting):
    """Knows no ids."""

    def score(self, prefix: str, continuation: str) -> LogLikelihood:
        return LogLikelihood((), super().score(prefix, continuation).logprobs)


@pytest.mark.parametrize("kind", [Shifty, Renaming])
def test_other_tokens_cannot_be_compared(kind) -> None:
    with pytest.raises(EngineError, match="different tokens after different prefixes"):
        gain(CONTEXT, ASKED, TOLD, kind())


def test_an_infinite_number_is_told() -> None:
    with pytest.raises(EngineError, match="not a finite number"):
        gain(CONTEXT, ASKED, TOLD, Endless())


def test_a_server_that_knows_no_ids_is_enough() -> None:
    assert gain(CONTEXT, ASKED, TOLD, Echoing()) == gain(CONTEXT, ASKED, TOLD, Counting())


@pytest.mark.parametrize(("asked", "told", "which"), [("", TOLD, "instruction"), (ASKED, " \n", "answer")])
def test_nothing_to_measure(asked, told, which) -> None:
    with pytest.raises(UsageError, match=f"the {which} has none"):
        gain(CONTEXT, asked, told, Counting())


def test_an_engine_without_likelihoods() -> None:
    with pytest.raises(ConfigError, match=r"'composer' gives no likelihood.*transformers"):
        gain(CONTEXT, ASKED, TOLD, make_engine("composer"))


@pytest.fixture
def rows(tmp_path):
    """Twelve rows, of which the third has no answer; the fifth and the last hold 'Sundial'."""
    path = tmp_path / "rows.jsonl"
    made = [
        {
            "instruction": ASKED,
            "answer": "" if n == 2 else TOLD,
            "context": CONTEXT + (" Sundial." if n in (4, 11) else "") + f" Row {n}.",
        }
        for n in range(12)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in made), encoding="utf-8")
    return path


def test_scores_of_a_file_with_gains_beside(rows) -> None:
    plain = list(score_source(rows))
    found = list(score_source(rows, engine=Counting(), windows=True))
    extra = {"gain", "answer_logprob", "instruction_gain", "answer_tokens", "window_gains"}
    assert [{k: v for k, v in line.items() if k not in extra} for line in found] == plain
    for line in found:
        assert ("error" in line) != (extra <= line.keys())
    assert found[0]["gain"] == 1.0 and found[0]["window_gains"] == [1.0]


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("ahead", [1, 7, 1000])
def test_a_row_that_cannot_be_scored_costs_no_other_its_gain(rows, ahead, early) -> None:
    found = list(score_source(rows, engine=Counting(ahead, refuses="Sundial", early=early)))
    assert [line["row"] for line in found] == [line["row"] for line in score_source(rows)]
    assert [n for n, line in enumerate(found) if "gain_error" in line] == [4, 11]
    assert [n for n, line in enumerate(found) if "gain" not in line] == [2, 4, 11]
    assert "too long" in found[4]["gain_error"] and found[4]["overall"] > 0


@pytest.mark.parametrize("early", [False, True])
def test_an_engine_that_scores_nothing_ends_it(rows, early) -> None:
    lines = score_source(rows, engine=Counting(refuses="Varrow", early=early))
    found = []
    with pytest.raises(EngineError, match="too long"):
        for line in lines:
            found.append(line)
    assert sum("gain_error" in line for line in found) == 4


def test_a_source_without_contexts_is_told_with_an_engine_too(write_pairs) -> None:
    with pytest.raises(SourceError, match="no context"):
        list(score_source(write_pairs(2), engine=Counting()))


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--model", "m"], "name the engine"),
        (["--gain", "composer"], "gives no likelihood"),
        (["--gain", "transfomers"], "did you mean 'transformers'"),
    ],
)
def test_wrong_usage(command, rows, args, message) -> None:
    done = command("score", rows, *args)
    assert done.returncode == 2
    assert message in done.stderr
