"""Which attempts are shown to a model, which are asked for anew, and which of them is kept."""

from __future__ import annotations

import pytest

from synthesis.data import Completion, Context, Pair, Rejected
from synthesis.engines.base import Sampling
from synthesis.gate.thresholds import Thresholds
from synthesis.options import from_dict
from synthesis.prompts import load_template
from synthesis.run.job import Job, make_job
from synthesis.run.journal import Journal
from synthesis.run.loop import Counts, generate, survey
from tests.pretend import PretendModel, is_repair, last, prose

PAIR = Pair(instruction="Who mended the tower clock in Varrow?", answer="Ilse Brandt")
GOOD = f"Context: {prose(60)} The tower clock in Varrow was mended by Ilse Brandt in spring. {prose(40)}"
# States the answer, and far from it one of the things that were asked about.
THIN = (
    f"Context: {prose(20)} It rained in Varrow. {prose(70)} At the fish market of Kelm Ilse Brandt "
    f"bought herring. {prose(60)}"
)
ECHO = f"Context: {PAIR.instruction} Ilse Brandt. {prose(100)}"


def job(*replies: str | Completion, repairs: int = 2, **changes: object) -> tuple[Job, PretendModel]:
    """A job whose engine says these one after another, the last one for ever."""
    told = list(replies)
    engine = PretendModel(lambda _: told.pop(0) if len(told) > 1 else told[0])
    settings = {"words": 100, "sampling": Sampling()} | changes
    return Job(engine, load_template("narrative"), repairs=repairs, **settings), engine


def become(asking: Job) -> Context | Rejected:
    ((_, outcome, *_),) = asking.outcomes([(PAIR, asking.prompt(PAIR))])
    return outcome


def test_what_is_better_written_from_the_start_is_asked_for_anew_and_not_shown() -> None:
    asking, engine = job(ECHO, GOOD)
    outcome = become(asking)
    assert isinstance(outcome, Context) and outcome.attempts == 2
    first, second = engine.asked
    assert second.messages == first.messages
    assert second.fingerprint != first.fingerprint  # its seed follows from it


def test_an_engine_that_says_the_same_anew_is_told_what_is_wrong_without_being_shown_it() -> None:
    asking, engine = job(ECHO, ECHO, GOOD)
    assert isinstance(become(asking), Context)
    _, anew, told = engine.asked
    assert not is_repair(anew) and is_repair(told)
    assert "It repeats the request." in last(told)
    assert [message.role for message in told.messages] == ["system", "user"]


def test_small_faults_after_large_ones_show_the_text_again() -> None:
    rough = f"{GOOD}\n\n{prose(400)}"  # too long, no more than that
    asking, engine = job(ECHO, rough, GOOD)
    assert isinstance(become(asking), Context)
    assert engine.asked[2].messages[-2].content == rough


def test_a_score_under_the_threshold_is_asked_for_again_with_the_reason() -> None:
    asking, engine = job(THIN, GOOD, least=Thresholds(overall=0.5))
    outcome = become(asking)
    assert isinstance(outcome, Context)
    assert outcome.text == GOOD.removeprefix("Context: ")
    assert is_repair(engine.asked[1])
    assert "The response does not follow from it well enough." in last(engine.asked[1])


def test_what_stays_under_it_is_rejected_as_the_filter_would() -> None:
    asking, _ = job(THIN, THIN + " And more.", repairs=1, least=Thresholds(overall=0.5))
    dropped = become(asking)
    assert isinstance(dropped, Rejected)
    assert dropped.stage == "filter"
    assert dropped.reason.startswith("overall: 0.") and " under 0.50; asked 2 times" in dropped.reason


def test_without_a_threshold_it_is_taken() -> None:
    asking, engine = job(THIN)
    assert isinstance(become(asking), Context)
    assert len(engine.asked) == 1


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_of_all_attempts_the_best_is_kept(order) -> None:
    """All three are too long by far; the one that scores best is neither the first nor the last."""
    tail = "\n\n" + prose(500)
    texts = [THIN + tail, GOOD + tail, "Context: " + prose(400) + " It was Ilse Brandt."]
    asking, engine = job(*(texts[place] for place in order))
    outcome = become(asking)
    assert isinstance(outcome, Context)
    assert outcome.text == texts[1].removeprefix("Context: ")
    assert outcome.attempts == len(engine.asked) == 3


def test_a_lower_threshold_asks_what_it_lets_pass_and_nothing_else(tmp_path) -> None:
    pairs = [PAIR, Pair(instruction="Who rang the harbour bell?", answer="Tom Ward")]

    def settled(least: float) -> Counts:
        with Journal(tmp_path) as journal:
            return survey(job(THIN, repairs=0, least=Thresholds(overall=least))[0], pairs, journal)

    asking, _ = job(THIN, repairs=0, least=Thresholds(overall=0.9))
    with Journal(tmp_path) as journal:
        generate(asking, pairs, journal)
        thin, unlike = journal.current_rejected()
    assert thin.stage == "filter" and unlike.stage == "check"
    assert settled(0.9) == settled(0.99) == Counts(settled=2)
    assert settled(0.0) == Counts(settled=1, stale=1)


def test_a_loop_that_was_cut_off_is_told_as_one_and_asked_for_anew() -> None:
    loop = "Context: The harbour was quiet that year and nobody came. " + "Very, very quiet it was. " * 60
    asking, engine = job(Completion("", loop, "length"), GOOD)
    assert isinstance(become(asking), Context)
    assert engine.asked[1].messages == engine.asked[0].messages
    asking, _ = job(Completion("", loop, "length"), repairs=0)
    dropped = become(asking)
    assert isinstance(dropped, Rejected)
    assert dropped.reason.startswith("repetition: ") and "until it was cut off" in dropped.reason
    assert "max_tokens" not in dropped.reason


def test_what_bounds_a_reply_follows_from_the_words_and_renames_nothing() -> None:
    def made(**changes: object) -> Job:
        table = {
            "engine": "openai",
            "model": "m",
            "options": {"base_url": "http://127.0.0.1:9/v1"},
            **changes,
        }
        return make_job(from_dict({"generation": table}))

    short, long = made(words=200), made(words=12_000)
    assert short.asking.max_tokens == 2048 + 3 * 200
    assert long.asking.max_tokens == 2048 + 3 * 1875  # a section, somewhat longer than asked for
    assert made(words=200, max_tokens=700).asking.max_tokens == 700
    # As long as the bound was fixed, it was this.
    assert short.prompt(PAIR) == made(words=200, max_tokens=8192).prompt(PAIR)
    assert short.prompt(PAIR) != made(words=200, max_tokens=700).prompt(PAIR)
