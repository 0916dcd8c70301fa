"""Asking again: what counts as a fault, what the model is told, what is kept at the end."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.resources import example_pairs
from synthesis.data import Completion, Context, Message, Pair, Prompt, Rejected, Usage
from synthesis.engines.base import Sampling
from synthesis.engines.openai import OpenAIEngine
from synthesis.errors import ConfigError, EngineError
from synthesis.options import RunConfig, from_dict
from synthesis.prompts import load_template, step_template
from synthesis.run.job import Job, make_job
from synthesis.run.journal import Journal
from synthesis.run.loop import Counts, generate, survey, synthesize
from synthesis.run.repair import Fault, inspect, may_be_asked_again, repair_prompt, shortened
from synthesis.sources.pairs import read_pairs
from tests.openai_server import Reply, serve
from tests.pretend import PretendModel, is_repair, last, prose
from tests.real_texts import LARGE, OWN, large_rows, needs_large, own_rows

PAIR = Pair(instruction="Who mended the tower clock in Varrow?", answer="Ilse Brandt")
SUMMARY = Pair(
    instruction="Summarise the report on the harbour.",
    answer="The harbour at Kelm was dredged in 1931 by the engineer Otto Reuss. Fishing boats from Norrland "
    "returned two years later and landed 400 barrels of herring. A storm in March destroyed the eastern "
    "mole, which the council never rebuilt. The customs house became a school under Miss Adeline Fry.",
)
GOOD = f"Context: {prose(60)} The tower clock in Varrow was mended by Ilse Brandt in spring. {prose(40)}"
TOPIC = "The tower clock in Varrow stood still for years."
LACKING = f"Context: {TOPIC} {prose(91)}"


def job(engine, repairs=2, **changes) -> Job:
    settings = {"words": 100, "sampling": Sampling()} | changes
    return Job(engine, load_template("narrative"), repairs=repairs, **settings)


def in_turn(*replies):
    """Says these one after another, the last one for ever."""
    told = iter(replies)
    latest = [replies[-1]]

    def say(prompt):
        latest[0] = next(told, latest[0])
        return latest[0]

    return PretendModel(say)


def become(engine, pair=PAIR, **changes) -> Context | Rejected:
    ((_, outcome, *_),) = job(engine, **changes).outcomes([(pair, job(engine, **changes).prompt(pair))])
    return outcome


def judged(text: str, pair: Pair = PAIR, words: int = 100) -> dict[str, bool]:
    """The names of a context's faults, and whether each is fatal."""
    prompt = Prompt("", pair.id, "t", {"words": words}, (Message("user", "?"),), "")
    found = inspect(Context(pair.id, text), pair, prompt).faults
    return {fault.name: fault.fatal for fault in found}


# What is asked again, and how


@pytest.mark.parametrize(
    ("first", "told"),
    [
        (f"{prose(100)}\n\n{GOOD}", 'The word "Context:" stands far inside it.'),
        (f"<think>{GOOD}", "It has thoughts and no text."),
        ("Context: Ilse Brandt mended it.", "It has 4 words where 100 were asked."),
        (Completion("", GOOD, "length"), "cut off before its end. Bring it to its end within about 100"),
        (Completion("", "", "refusal", detail="policy"), "It declines."),
        ("I'm sorry, but I can't help with that request.", "It declines."),
        (LACKING, "It does not tell this: “Ilse Brandt”."),
        (f"Context: Ilse Brandt. {TOPIC} {prose(90)}", "It opens with the response."),
        (GOOD + "\n\nLet me know if you need more!", "words that are not part of the text itself"),
    ],
)
def test_a_faulty_reply_is_asked_for_again_with_what_was_wrong(first, told) -> None:
    engine = in_turn(first, GOOD)
    outcome = become(engine)
    assert isinstance(outcome, Context)
    assert outcome.text == GOOD.removeprefix("Context: ")
    assert outcome.attempts == len(engine.asked) == 2
    assert told in last(engine.asked[1])
    assert "the whole text, about 100 words, again" in last(engine.asked[1])


def test_the_conversation_goes_on_with_the_reply_in_it() -> None:
    engine = in_turn(LACKING, LACKING + " More.", GOOD)
    assert isinstance(become(engine), Context)
    first, second, third = engine.asked
    assert [message.role for message in second.messages] == ["system", "user", "assistant", "user"]
    assert second.messages[:2] == first.messages
    assert second.messages[2].content == LACKING
    assert third.messages[2].content == LACKING + " More."  # the reply just judged, and no other
    assert len({prompt.fingerprint for prompt in engine.asked}) == 3
    assert all(prompt.id == prompt.fingerprint for prompt in engine.asked)


def test_an_empty_reply_leaves_no_empty_turn() -> None:
    engine = in_turn(Completion("", "", "refusal"), GOOD)
    assert isinstance(become(engine), Context)
    assert [message.role for message in engine.asked[1].messages] == ["system", "user"]
    assert "It declines" in last(engine.asked[1])


def test_what_a_model_thought_is_not_shown_again() -> None:
    engine = in_turn(f"<think>secret plan</think>{LACKING}", GOOD)
    become(engine)
    assert "secret plan" not in engine.asked[1].messages[2].content


@given(st.text(max_size=300), st.integers(10, 200))
def test_a_shortened_reply_keeps_both_ends(text, most) -> None:
    short = shortened(text, most)
    assert len(short) <= most + len("\n\n[…]\n\n")
    if len(text) <= most:
        assert short == text
    else:
        assert text.startswith(short.split("\n\n[…]\n\n")[0])


def test_a_huge_reply_is_shown_without_its_middle() -> None:
    prompt = job(in_turn("")).prompt(PAIR)
    asked = repair_prompt(prompt, 1, "x " * 50_000, [Fault("a", "b", "- c")], "the text")
    assert len(asked.messages[-2].content) < 17_000


def test_values_in_a_repair_are_inserted_once() -> None:
    pair = Pair(instruction="Which brace?", answer="{faults} {what}")
    engine = in_turn(LACKING)
    become(engine, pair)
    assert "“{faults} {what}”" in last(engine.asked[1])


# What becomes of it


def test_after_the_last_repair_it_is_rejected_with_the_last_text() -> None:
    replies = iter(range(10))
    engine = PretendModel(lambda prompt: f"{LACKING} Attempt {next(replies)}.")
    outcome = become(engine, repairs=3)
    assert isinstance(outcome, Rejected)
    assert (outcome.stage, outcome.attempts) == ("check", 4)
    assert outcome.reason == "missing: the text does not state “Ilse Brandt”; asked 4 times"
    assert outcome.text.endswith("Attempt 3.")


def test_the_same_reply_again_ends_it() -> None:
    engine = in_turn(LACKING)
    outcome = become(engine, repairs=10)
    assert isinstance(outcome, Rejected)
    assert len(engine.asked) == outcome.attempts == 2
    assert outcome.reason.endswith("; the same reply twice")


def test_a_mild_fault_is_worth_asking_again_but_no_reason_to_reject() -> None:
    rough = GOOD.replace("Context:", "Context: Ilse Brandt.")
    engine = in_turn(rough, LACKING, "Sorry, I can't help with that.")
    outcome = become(engine)
    assert isinstance(outcome, Context)
    assert outcome.text == rough.removeprefix("Context: ")  # the best there was
    assert outcome.attempts == 3


@pytest.mark.parametrize(
    "rest",
    [
        "Let me know if you need more!",
        "I hope this helps.",
        "Note: the names are made up.",
        "<|im_end|> Ada",
        "Response: No.",
    ],
)
def test_what_is_no_part_of_the_text_is_never_kept(rest) -> None:
    outcome = become(in_turn(f"{GOOD}\n\n{rest}", LACKING))
    assert isinstance(outcome, Rejected)
    assert outcome.reason.startswith(("residue", "missing"))


def test_of_two_that_can_be_used_the_better_is_kept() -> None:
    one, two, three, four = SUMMARY.answer.split(". ")
    poor = f"Context: {prose(60)} {two}. {prose(61)}"
    better = f"Context: {prose(40)} {two}. {prose(20)} {one}. {prose(20)} {three}. {prose(10)}"
    outcome = become(in_turn(poor, better, poor + " And so on."), SUMMARY)
    assert isinstance(outcome, Context)
    assert outcome.text == better.removeprefix("Context: ")
    assert four.split()[0] not in outcome.text or "Adeline" not in outcome.text


def test_a_failed_reply_ends_the_work_and_is_asked_for_at_the_next_run(tmp_path) -> None:
    failing = in_turn(LACKING, Completion("", "", "error", detail="503"))
    with Journal(tmp_path) as journal:
        generate(job(failing), [PAIR], journal)
        (dropped,) = journal.current_rejected()
    assert (dropped.stage, dropped.attempts) == ("generate", 2)
    assert dropped.reason.startswith("error: 503")
    again = in_turn(GOOD)
    with Journal(tmp_path) as journal:
        generate(job(again), [PAIR], journal)
        ((_, context),) = journal.current_contexts()
    # Its first reply was not asked for again.
    assert [is_repair(prompt) for prompt in again.asked] == [True]
    assert context.attempts == 2


def test_without_repairs_a_reply_is_asked_for_once() -> None:
    engine = in_turn(LACKING)
    outcome = become(engine, repairs=0)
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "missing: the text does not state “Ilse Brandt”"
    assert len(engine.asked) == 1


# Resuming


def rambling(prompt):
    """Never states the answer, and never says the same twice."""
    return f"{LACKING} {prompt.fingerprint}"


def test_raising_the_repairs_makes_only_what_was_rejected_stale(tmp_path) -> None:
    pairs = [PAIR, Pair(instruction="Who rang the bell?", answer="Tom Ward")]

    def say(prompt):
        return rambling(prompt) if prompt.variables["answer"] == "Tom Ward" else GOOD

    with Journal(tmp_path) as journal:
        generate(job(PretendModel(say), repairs=1), pairs, journal)
    with Journal(tmp_path) as journal:
        assert survey(job(PretendModel(say), repairs=1), pairs, journal) == Counts(settled=2)
        assert survey(job(PretendModel(say), repairs=0), pairs, journal) == Counts(settled=2)
        assert survey(job(PretendModel(say), repairs=3), pairs, journal) == Counts(settled=1, stale=1)
        generate(job(engine := PretendModel(say), repairs=3), pairs, journal)
        # The last reply of a rejected pair is in its record, not among the steps, and comes again.
        assert len(engine.asked) == 3
        (dropped,) = journal.current_rejected()
        assert dropped.attempts == 4
        assert survey(job(engine, repairs=3), pairs, journal) == Counts(settled=2)


def test_an_engine_that_repeats_itself_is_not_asked_at_every_run(tmp_path) -> None:
    for repairs in (2, 2, 5):
        engine = in_turn(LACKING)
        with Journal(tmp_path) as journal:
            generate(job(engine, repairs=repairs), [PAIR], journal)
            assert journal.usage.replies == 2


@pytest.mark.parametrize("crash", range(1, 11))
def test_a_crash_loses_no_reply_and_changes_nothing(tmp_path, crash) -> None:
    pairs = [Pair(instruction=f"Who kept light {n}?", answer=f"Keeper Holm{n}") for n in range(5)]

    def say(prompt):
        if prompt.variables["instruction"] == "Who kept light 3?":
            return rambling(prompt)
        told = f"Light was kept by {prompt.variables['answer']}." if is_repair(prompt) else ""
        return f"Context: {prose(60, prompt.pair_id)} The light was kept. {told} {prose(40)}"

    def run(folder, engine):
        with Journal(folder) as journal:
            generate(job(engine), pairs, journal)
            return list(journal.current_contexts()), list(journal.current_rejected()), journal.usage

    whole = PretendModel(say, window=3)
    expected = run(tmp_path / "whole", whole)
    broken = PretendModel(say, window=3, fail_after=crash)
    with pytest.raises(EngineError):
        run(tmp_path / "broken", broken)
    rest = PretendModel(say, window=3)
    assert run(tmp_path / "broken", rest) == expected
    asked = Counter(prompt.id for prompt in [*broken.asked, *rest.asked])
    assert asked == Counter(prompt.id for prompt in whole.asked)
    assert set(asked.values()) == {1}
    assert expected[2].replies == len(whole.asked) == 11


@pytest.mark.parametrize(
    ("reason", "attempts", "repairs", "again"),
    [
        ("marker: x", 1, 0, False),
        ("marker: x", 1, 1, True),
        ("marker: x; asked 3 times", 3, 2, False),
        ("marker: x; asked 3 times", 3, 3, True),
        ("marker: x; in section 2 of 8; asked 3 times", 14, 3, True),
        ("marker: x; the same reply twice", 2, 10, False),
        ("not JSON", 0, 10, False),
    ],
)
def test_what_more_repairs_would_help(reason, attempts, repairs, again) -> None:
    assert may_be_asked_again(Rejected("p", "check", reason, attempts=attempts), repairs) is again


# What counts as a fault


@pytest.mark.parametrize(
    ("answer", "text", "expected"),
    [
        ("Ilse Brandt", "It was ILSE  BRANDT who came.", {}),
        ("Ilse Brandt", "It was Brandt, Ilse's aunt, who came.", {}),
        ("Ilse Brandt", "It was Anna Weber who came.", {"missing": True}),
        ("3 May 1990", "They met on May 3rd, 1990.", {}),
        ("3 May 1990", "They met in 1990.", {"missing": False}),
        ("3 May 1990", "They met in 1880.", {"missing": True}),
        ("2,500,000 kilometres", "It flew 2.5 million km.", {}),
        ("twelve", "There were 12 of them.", {}),
        ("between 40 and 60 barrels", "They counted 40 barrels.", {"missing": False}),
        ("yes", "Nothing is said of it.", {}),
        ("Oslo, Bergen, Orléans and Narvik", "First Narvik, then Bergen, later Orleans; Oslo last.", {}),
        ("Oslo, Bergen, Tromsø and Narvik", "First Narvik, then Oslo.", {"missing": False}),
        ("Oslo, Bergen, Tromsø and Narvik", "First Rome.", {"missing": True}),
        ("京都", "その寺は京都にあった。", {}),
        ("京都", "その寺は奈良にあった。", {"missing": True}),
        ("", "Nothing at all.", {}),
        ("?!", "Nothing at all.", {}),
    ],
)
def test_the_answer_is_looked_for_in_any_form(answer, text, expected) -> None:
    pair = Pair(instruction="What did the chronicle of the valley say?", answer=answer)
    told = f"The chronicle of the valley said this. {text}"
    assert judged(f"{prose(50)} {told} {prose(50, 'more')}", pair) == expected


def test_a_summary_is_judged_by_its_sentences() -> None:
    one, two, three, four = SUMMARY.answer.split(". ")
    told = f"{prose(20)} {one}. {prose(21)} {two}. {prose(22)} {three}. {prose(23)} {four}"
    assert judged(told, SUMMARY) == {}
    assert judged(f"{prose(50)} {one}. {prose(20)} {two}. {prose(30)}", SUMMARY) == {"missing": False}
    assert judged(prose(100), SUMMARY) == {"off-topic": True}


@pytest.mark.parametrize(("words", "expected"), [(30, {"short": False}), (100, {}), (400, {"long": False})])
def test_lengths_far_from_what_was_asked_are_faults_but_not_fatal(words, expected) -> None:
    text = "The clock in Varrow was mended by Ilse Brandt. " + prose(words - 9)
    assert judged(text) == expected


def test_a_person_in_a_story_may_refuse() -> None:
    text = f"{TOPIC} {prose(60)}\nI can't help with that, said Ilse Brandt.\n{prose(61)}"
    assert not any(judged(text).values())


def test_a_response_pasted_whole_is_fatal() -> None:
    assert judged(f"{prose(60)}\n\n{SUMMARY.answer}\n\n{prose(61)}", SUMMARY)["pasted-answer"]


def fatal_faults(given: list[dict[str, str]], shift: int, step: int = 1) -> int:
    """How many pairs get a fatal fault when the context is that of the pair ``shift`` further on."""
    count = 0
    for place in range(0, len(given), step):
        pair = Pair(instruction=given[place]["instruction"], answer=given[place]["answer"])
        text = given[(place + shift) % len(given)]["context"]
        count += any(judged(text, pair, max(50, len(text.split()))).values())
    return count


def test_contexts_that_people_wrote_pass_and_those_of_others_do_not() -> None:
    assert fatal_faults(own_rows(), 0) <= 1, "one age has to be worked out"
    assert fatal_faults(own_rows(), 7) >= 45, "the rest are yes and no, of which no word tells"


@needs_large
def test_real_contexts_pass_and_those_of_others_do_not() -> None:
    dropped = Counter()
    for name in ("hotpotqa", "multinews"):
        for shift in (0, 7):
            dropped[name, shift] = fatal_faults(large_rows(name), shift, 3)
    assert dropped["hotpotqa", 0] == 0
    assert dropped["multinews", 0] <= 0.02 * 67
    assert dropped["hotpotqa", 7] >= 0.8 * 67  # the rest are yes and no, of which no word tells
    assert dropped["multinews", 7] >= 0.9 * 67


# Engines and settings


def composed(source) -> None:
    pairs = [row for row in read_pairs(source) if isinstance(row, Pair)]
    outcomes = list(synthesize(pairs, words=400, repairs=2))
    assert len(outcomes) == len(pairs) > 0
    assert all(isinstance(outcome, Context) for outcome in outcomes)
    assert {outcome.attempts for outcome in outcomes} == {1}


def test_the_composer_needs_no_repair() -> None:
    composed(example_pairs())


def test_the_composer_needs_no_repair_for_pairs_that_people_wrote() -> None:
    composed(OWN)


@needs_large
@pytest.mark.parametrize("name", ["govreport", "hotpotqa", "multinews", "narrativeqa"])
def test_the_composer_needs_no_repair_for_real_pairs(name) -> None:
    composed(LARGE / f"seed_instruction/{name}.jsonl")


def test_over_a_real_server(monkeypatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    seeds = []

    def script(asked):
        seeds.append(asked.body["seed"])
        return Reply(GOOD if len(asked.body["messages"]) == 4 else LACKING)

    with serve(script) as server:
        engine = OpenAIEngine("tiny", base_url=server.url, concurrency=2)
        (context,) = synthesize([PAIR], engine, words=100)
        engine.close()
    assert isinstance(context, Context)
    assert (context.attempts, context.evidence_source) == (2, "located")
    assert len(set(seeds)) == 2  # another attempt, another draw


def test_every_reply_is_counted(tmp_path) -> None:
    engine = in_turn(LACKING, GOOD)
    with Journal(tmp_path) as journal:
        generate(job(engine), [PAIR], journal)
        asked = sum(len(message.content.split()) for prompt in engine.asked for message in prompt.messages)
        written = len(LACKING.split()) + len(GOOD.split())
        assert journal.usage == Usage(2, asked, written)


def test_repairs_are_configured() -> None:
    assert make_job(RunConfig()).repairs == 2
    assert make_job(from_dict({"generation": {"repairs": 0}})).repairs == 0
    for bad in (-1, 11):
        with pytest.raises(ConfigError, match="--repairs.*give 0 to 10"):
            from_dict({"generation": {"repairs": bad}})


def test_the_repairs_are_no_part_of_what_an_outcome_is_known_by() -> None:
    engine = in_turn(GOOD)
    assert job(engine, repairs=0).prompt(PAIR) == job(engine, repairs=9).prompt(PAIR)


@pytest.mark.parametrize("name", ["repair", "outline", "section"])
def test_the_templates_of_steps_are_whole(name) -> None:
    assert [role for role, _ in step_template(name).parts] == ["user"]
