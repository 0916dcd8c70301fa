"""Contexts longer than one reply: planned, written section by section, resumed, measured."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthesis.data import Completion, Context, Pair, Rejected
from synthesis.engines import make_engine
from synthesis.engines.base import Sampling
from synthesis.engines.openai import OpenAIEngine
from synthesis.errors import ConfigError, EngineError
from synthesis.options import RunConfig, from_dict
from synthesis.prompts import load_template
from synthesis.run.expansion import Manuscript, Realised, expands, portion, realised
from synthesis.run.job import Job, make_job
from synthesis.run.journal import Journal
from synthesis.run.loop import Counts, generate, survey, synthesize
from synthesis.run.outline import Section, own_outline, placed, points_of, read_outline
from tests.openai_server import Reply, serve
from tests.pretend import PretendModel, is_repair, last, prose

PAIR = Pair(instruction="Who mended the tower clock in Varrow?", answer="Ilse Brandt")
TOPIC = "They spoke of the clock tower, the old mill and bridge"
SUMMARY = Pair(
    instruction="Summarise the report on the harbour.",
    answer="The harbour at Kelm was dredged in 1931 by the engineer Otto Reuss. Fishing boats from Norrland "
    "returned two years later and landed 400 barrels of herring. A storm in March destroyed the eastern "
    "mole, which the council never rebuilt. The customs house became a school under Miss Adeline Fry.",
)


def number_of(prompt) -> int:
    """How many sections a plan is asked for, or which section is."""
    return prompt.variables["sections" if prompt.variables["step"] == "outline" else "section"]


def plan(count: int, points: str = "-") -> str:
    return "\n".join(f"{n}. Part {n} | what happens in part {n} | {points}" for n in range(1, count + 1))


def facts_asked(prompt) -> list[str]:
    """What the section has to tell, between its quotation marks."""
    asked = next(message.content for message in prompt.messages if "Now write" in message.content)
    return re.findall(r"^- It tells .*?“(.*?)”", asked, re.M)


class Writer:
    """A model that plans and writes; ``most`` words at a time, ``share`` of what is asked for."""

    def __init__(self, most: int = 1500, share: float = 1.0, forgets: bool = False) -> None:
        self.most, self.share, self.forgets = most, share, forgets

    def __call__(self, prompt) -> str | Completion:
        if prompt.variables["step"] == "outline":
            return plan(number_of(prompt))
        told = " ".join(f"Everybody knew it: {fact.rstrip('.')}." for fact in facts_asked(prompt))
        if self.forgets and not is_repair(prompt):
            told = ""
        words = min(self.most, round(self.share * prompt.variables["words"]))
        half = (words - len(told.split())) // 2
        key = prompt.fingerprint[:8]
        return f"Context: {prose(half - 12, key)} {TOPIC} in {key}. {told} {prose(half, key + 'x')}"


def job(engine, words=12_000, section_words=1500, repairs=2) -> Job:
    return Job(engine, load_template("narrative"), Sampling(), words, None, repairs, section_words)


def become(say, pair=PAIR, **changes) -> tuple[Context | Rejected, PretendModel]:
    engine = PretendModel(say)
    made = job(engine, **changes)
    ((_, outcome, *_),) = made.outcomes([(pair, made.prompt(pair))])
    return outcome, engine


def sections_asked(engine) -> list[int]:
    return [prompt.variables["section"] for prompt in engine.asked if prompt.variables["step"] == "section"]


# The whole way


def test_a_model_that_writes_1500_words_at_a_time_gets_to_12000() -> None:
    outcome, engine = become(Writer(most=1500))
    assert isinstance(outcome, Context)
    assert abs(outcome.words - 12_000) < 0.02 * 12_000
    assert outcome.attempts == len(engine.asked) == 9  # a plan and eight sections
    assert outcome.template == "narrative, plan of 8 sections"
    assert outcome.evidence_source == "located"
    assert any("Ilse Brandt" in outcome.text[start:end] for start, end, _ in outcome.evidence)
    assert "Context:" not in outcome.text


@pytest.mark.parametrize(("most", "share"), [(900, 1.0), (400, 1.0), (1500, 0.5), (5000, 1.4), (1500, 0.85)])
def test_the_length_is_reached_by_short_and_by_long_writers(most, share) -> None:
    outcome, _ = become(Writer(most, share))
    assert isinstance(outcome, Context)
    assert abs(outcome.words - 12_000) <= 0.15 * 12_000


def test_a_writer_without_measure_is_stopped_at_what_must_be_told() -> None:
    def say(prompt):
        if prompt.variables["step"] == "outline":
            return plan(number_of(prompt))
        return f"Context: {prose(3000, prompt.id)} {TOPIC}. {' '.join(facts_asked(prompt))}."

    outcome, engine = become(say)
    assert isinstance(outcome, Context)
    assert len(sections_asked(engine)) < 8
    assert sections_asked(engine)[-1] == 8
    assert "Ilse Brandt" in outcome.text


def test_each_section_sees_the_plan_and_the_end_of_what_went_before() -> None:
    outcome, engine = become(Writer())
    assert isinstance(outcome, Context)
    pieces = outcome.text.split("\n\n")
    for prompt in engine.asked[1:]:
        said, number = last(prompt), number_of(prompt)
        assert "5. Part 5: what happens in part 5" in said
        assert PAIR.instruction in said
        assert ("bring the text to its end" in said) is (number == 8)
        assert ("Nothing is written yet" in said) is (number == 1)
        if number > 1:
            tail = said.split("<text>\n")[1].split("\n</text>")[0]
            assert pieces[number - 2].endswith(tail)
            assert len(tail.split()) <= 300


def test_every_fact_of_a_summary_is_asked_for_in_a_section_of_its_own() -> None:
    outcome, engine = become(Writer(), SUMMARY)
    assert isinstance(outcome, Context)
    asked = {number_of(prompt): facts_asked(prompt) for prompt in engine.asked[1:]}
    assert sorted(map(len, asked.values())) == [0, 0, 0, 0, 1, 1, 1, 1]
    assert [place.what for place in outcome.evidence] == [
        part + "." for part in SUMMARY.answer.rstrip(".").split(". ")
    ]
    middles = [place.start / len(outcome.text) for place in outcome.evidence]
    assert min(b - a for a, b in zip(middles, middles[1:], strict=False)) > 0.1


def test_a_forgotten_fact_is_asked_for_in_its_section() -> None:
    outcome, engine = become(Writer(forgets=True), SUMMARY)
    assert isinstance(outcome, Context)
    again = [prompt for prompt in engine.asked if is_repair(prompt)]
    assert len(again) == 4
    assert outcome.attempts == 13
    for prompt in again:
        assert f"It does not tell this: “{facts_asked(prompt)[0]}”" in last(prompt)
        assert f"section {number_of(prompt)}, about" in last(prompt)


def test_a_context_that_never_tells_the_answer_is_rejected_with_what_was_written() -> None:
    def say(prompt):
        if prompt.variables["step"] == "outline":
            return plan(number_of(prompt))
        return f"Context: {TOPIC}. {prose(prompt.variables['words'], prompt.id)}"

    outcome, engine = become(say)
    assert isinstance(outcome, Rejected)
    assert outcome.stage == "check"
    assert outcome.reason == "missing: the text does not state “Ilse Brandt”; asked 3 times"
    assert outcome.attempts == len(engine.asked) == 11
    assert len(outcome.text.split()) > 11_000


# Plans that go wrong


@pytest.mark.parametrize(
    "reply",
    [
        "I would rather not number anything. First the mill, then the flood.",
        "1. Only one | line | P1",
        "",
        Completion("", "", "refusal", detail="policy"),
        "I'm sorry, but I can't help with that.",
    ],
)
def test_without_a_usable_plan_ours_is_used(reply) -> None:
    count = iter(range(100))

    def say(prompt):
        if prompt.variables["step"] != "outline":
            return Writer()(prompt)
        return f"{reply} {next(count)}" if isinstance(reply, str) else reply

    outcome, engine = become(say)
    assert isinstance(outcome, Context)
    assert outcome.template == "narrative, our plan of 8 sections"
    plans = [prompt for prompt in engine.asked if prompt.variables["step"] == "outline"]
    assert len(plans) == (3 if isinstance(reply, str) else 2)  # the same refusal twice is enough
    assert outcome.attempts == len(plans) + 8
    assert "What remained" in last(engine.asked[-1])


def test_a_plan_that_is_too_short_is_asked_again_then_used() -> None:
    def say(prompt):
        return plan(5) if prompt.variables["step"] == "outline" else Writer()(prompt)

    outcome, engine = become(say)
    assert isinstance(outcome, Context)
    assert "It has 5 lines" in last(engine.asked[1])
    assert outcome.template == "narrative, plan of 5 sections"
    assert abs(outcome.words - 12_000) < 0.1 * 12_000  # its sections take several replies each


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1. The mill | Ada opens it | P2", [("The mill", "Ada opens it", (1,))]),
        ("**1. The mill** | Ada opens it | -", [("The mill", "Ada opens it", ())]),
        ("1) The mill – Ada opens it (P1, P3)", [("The mill", "Ada opens it", (0, 2))]),
        ("Section 1: The mill", [("The mill", "", ())]),
        ("- 1. The mill: Ada opens it", [("The mill", "Ada opens it", ())]),
        ("| 1 | The mill | Ada opens it | P1 |", [("The mill", "Ada opens it", (0,))]),
        (
            "Context: here it is\n\n1. A | b | P1\n   more\n2. C | d | P 2",
            [("A", "b", (0,)), ("C", "d", (1,))],
        ),
        ("<think>1. No | no</think>1. Yes | yes", [("Yes", "yes", ())]),
        ("1912 was a year. 3 mills stood.", []),
        ("1. | | P1", []),
    ],
)
def test_plans_are_read_generously(text, expected) -> None:
    assert [(one.title, one.happens, one.points) for one in read_outline(text)] == expected


@given(st.text(max_size=400))
def test_any_text_can_be_read_as_a_plan(text) -> None:
    assert all(section.title for section in read_outline(text))


@given(
    st.lists(st.lists(st.integers(-1, 12), max_size=4), min_size=1, max_size=12),
    st.integers(1, 12),
)
def test_every_point_gets_one_place_and_no_section_two_without_need(wishes, count) -> None:
    sections = [Section(f"S{n}", points=tuple(wish)) for n, wish in enumerate(wishes)]
    made = placed(sections, count)
    told = [point for section in made for point in section.points]
    assert sorted(told) == list(range(count))
    assert max(len(section.points) for section in made) <= -(-count // len(sections))
    assert placed(made, count) == made


def test_a_wish_of_the_plan_is_kept() -> None:
    made = placed(read_outline("1. A | a | -\n2. B | b | P2\n3. C | c | P1"), 2)
    assert [section.points for section in made] == [(), (1,), (0,)]


@pytest.mark.parametrize("count", [2, 3, 8, 40])
def test_our_own_plan_has_the_sections_asked_for(count) -> None:
    made = own_outline(count)
    assert len({section.title for section in made}) == len(made) == count


def test_what_must_be_told() -> None:
    assert [point.fact.text for point in points_of(PAIR) if point.fact] == ["Ilse Brandt"]
    assert [point.fact is None for point in points_of(PAIR)] == [True, False]
    assert len(points_of(SUMMARY)) == 4
    (ground, polar) = points_of(Pair(instruction="Is the mill older than the bridge?", answer="yes"))
    assert ground.fact is polar.fact is None
    assert "“yes”" in polar.say


# Sections that go wrong


def test_a_section_that_is_refused_rejects_the_pair() -> None:
    def say(prompt):
        return "I'm sorry, but I can't help with that." if number_of(prompt) == 3 else Writer()(prompt)

    outcome, _ = become(say)
    assert isinstance(outcome, Rejected)
    assert outcome.stage == "generate"
    assert outcome.reason.startswith("refusal: ")
    assert outcome.reason.endswith("; in section 3 of 8; the same reply twice")
    assert len(outcome.text.split()) > 2000  # what was written before it


def test_sections_do_without_the_marker_and_without_headings() -> None:
    def say(prompt):
        said = Writer()(prompt)
        if prompt.variables["step"] == "outline":
            return said
        return f"## {number_of(prompt)}. Part\n\n" + said.removeprefix("Context: ")

    outcome, engine = become(say)
    assert isinstance(outcome, Context)
    assert len(engine.asked) == 9
    assert "##" not in outcome.text


def test_a_section_that_was_cut_off_ends_with_its_last_sentence() -> None:
    def say(prompt):
        said = Writer()(prompt)
        if prompt.variables["step"] == "outline" or number_of(prompt) == 8:
            return said
        return Completion("", said + " And then they", "length")

    outcome, engine = become(say)
    assert isinstance(outcome, Context)
    assert len(engine.asked) == 9
    assert "And then they" not in outcome.text


def test_an_end_that_was_cut_off_is_asked_for_again() -> None:
    def say(prompt):
        said = Writer()(prompt)
        cut = number_of(prompt) == 8 and prompt.variables["step"] == "section" and not is_repair(prompt)
        return Completion("", said + " And", "length") if cut else said

    outcome, engine = become(say)
    assert isinstance(outcome, Context)
    assert "It was cut off before its end" in last(engine.asked[-1])


@pytest.mark.parametrize("ever", [False, True])
def test_a_section_that_only_repeats_is_asked_again_and_then_left_out(ever) -> None:
    def say(prompt):
        if prompt.variables["step"] == "outline":
            return plan(number_of(prompt)).replace("-", "P1 P2", 1)
        if number_of(prompt) == 5 and (ever or not is_repair(prompt)):
            shown = prompt.messages[1].content
            return "Context: " + shown.split("<text>\n")[1].split("\n</text>")[0]
        return Writer()(prompt)

    outcome, engine = become(say)
    assert isinstance(outcome, Context)
    again = [prompt for prompt in engine.asked if is_repair(prompt)]
    assert len(again) == 1  # the same reply twice is enough
    assert "It tells again, word for word" in last(again[0])
    assert outcome.attempts == len(engine.asked)
    sentences = Counter(outcome.text.split(". "))
    assert sentences.most_common(1)[0][1] == 1
    assert abs(outcome.words - 12_000) < 0.02 * 12_000  # the others make up for it


def test_an_always_refusing_model_is_not_asked_for_every_section() -> None:
    outcome, engine = become(lambda prompt: "I'm sorry, but I can't help with that.")
    assert isinstance(outcome, Rejected)
    assert len(engine.asked) == outcome.attempts == 4  # plan and first section, each twice


def test_a_failed_engine_ends_the_work_until_the_next_run(tmp_path) -> None:
    def say(prompt):
        failed = prompt.variables["step"] == "section" and number_of(prompt) == 4
        return Completion("", "", "error", detail="503") if failed else Writer()(prompt)

    with Journal(tmp_path) as journal:
        generate(job(PretendModel(say)), [PAIR], journal)
        (dropped,) = journal.current_rejected()
        assert dropped.reason == "error: 503; in section 4 of 8"
        generate(job(engine := PretendModel(Writer())), [PAIR], journal)
        assert sections_asked(engine) == [4, 5, 6, 7, 8]
        assert len(journal.current_contexts()) == 1


# Resuming


@pytest.mark.parametrize("crash", [0, 1, 2, 7, 12, 18, 23])
def test_a_crash_loses_no_reply_and_changes_nothing(tmp_path, crash) -> None:
    pairs = [PAIR, SUMMARY, Pair(instruction="Is the mill older than the bridge?", answer="yes")]

    def run(folder, engine):
        with Journal(folder) as journal:
            generate(job(engine, words=4000, section_words=600), pairs, journal)
            return list(journal.current_contexts()), journal.usage

    whole = PretendModel(Writer(forgets=True), window=2)
    expected = run(tmp_path / "whole", whole)
    broken = PretendModel(Writer(forgets=True), window=2, fail_after=crash)
    with pytest.raises(EngineError):
        run(tmp_path / "broken", broken)
    rest = PretendModel(Writer(forgets=True), window=2)
    assert run(tmp_path / "broken", rest) == expected
    assert len(expected[0]) == 3
    asked = Counter(prompt.id for prompt in [*broken.asked, *rest.asked])
    assert asked == Counter(prompt.id for prompt in whole.asked)
    assert set(asked.values()) == {1}
    assert expected[1].replies == sum(context.attempts for _, context in expected[0]) == len(whole.asked)


def test_section_words_are_part_of_what_an_outcome_is_known_by_where_they_matter(tmp_path) -> None:
    with Journal(tmp_path) as journal:
        generate(job(PretendModel(Writer())), [PAIR], journal)
        assert survey(job(PretendModel(Writer())), [PAIR], journal) == Counts(settled=1)
        assert survey(job(PretendModel(Writer()), section_words=1000), [PAIR], journal) == Counts(stale=1)
        assert survey(job(PretendModel(Writer()), repairs=7), [PAIR], journal) == Counts(settled=1)
    short = [job(PretendModel(Writer()), words=900, section_words=n).prompt(PAIR) for n in (0, 500, 1500)]
    assert short[0] == short[1] == short[2]


def test_a_rejected_section_is_asked_for_again_with_more_repairs(tmp_path) -> None:
    number = iter(range(100))

    def say(prompt):
        if prompt.variables["step"] == "section" and number_of(prompt) == 2:
            return f"I'm sorry, but I can't help with that. {next(number)}"
        return Writer()(prompt)

    with Journal(tmp_path) as journal:
        generate(job(PretendModel(say)), [PAIR], journal)
        assert survey(job(PretendModel(say)), [PAIR], journal) == Counts(settled=1)
        assert survey(job(PretendModel(say), repairs=3), [PAIR], journal) == Counts(stale=1)


# Engines and settings


def test_over_a_real_server(monkeypatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    def script(asked):
        if "Plan it first" in asked.text:
            return Reply(plan(5))
        words = int(re.findall(r"about (\d+) words\.\n", asked.text)[-1])
        told = "It was Ilse Brandt who mended the clock. " if "“Ilse Brandt”" in asked.text else ""
        return Reply(f"Context: {prose(min(words, 300), str(asked.number))} {told}")

    with serve(script) as server:
        engine = OpenAIEngine("tiny", base_url=server.url, concurrency=4)
        made = list(synthesize([PAIR, SUMMARY], engine, words=1500, section_words=300, repairs=0))
        engine.close()
    (context,) = [one for one in made if isinstance(one, Context)]
    assert context.pair_id == PAIR.id
    assert context.attempts == 6
    assert context.tokens > context.words
    assert 0.85 * 1500 < context.words < 1.15 * 1500


def test_the_composer_writes_any_length_by_itself() -> None:
    engine = make_engine("composer")
    assert not job(engine).expands
    assert job(engine).replies_per_pair == 1
    (context,) = synthesize([PAIR], engine, words=4000)
    assert isinstance(context, Context)
    assert (context.attempts, context.template) == (1, "narrative")


def test_when_a_context_is_written_in_sections() -> None:
    assert not expands(3000, 1500)
    assert expands(3001, 1500)
    assert not expands(100_000, 0)
    made = job(PretendModel(Writer()))
    assert made.expands
    assert made.replies_per_pair == 9


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"words": 20_001}, "give 50 to 20,000"),
        ({"words": 100_001, "engine": "openai"}, "give 50 to 100,000"),
        ({"words": 20_001, "engine": "openai", "section_words": 0}, "give 50 to 20,000"),
        ({"words": 30_000, "engine": "openai", "section_words": 200}, "--section-words.*or 300 to 20,000"),
        ({"section_words": -1}, "--section-words.*give 0"),
        ({"section_words": 20}, "--section-words.*give 0"),
    ],
)
def test_lengths_that_cannot_be_had_are_refused(settings, message) -> None:
    with pytest.raises(ConfigError, match=message):
        make_job(from_dict({"generation": settings}))


def test_sections_are_configured() -> None:
    config = from_dict(
        {
            "generation": {
                "words": 60_000,
                "engine": "openai",
                "model": "m",
                "options": {"base_url": "http://127.0.0.1:9/v1"},
            }
        }
    )
    made = make_job(config)
    assert (made.expands, made.replies_per_pair) == (True, 41)
    made.close()
    assert RunConfig().generation.section_words == 1500


# Lengths


@given(st.integers(50, 5000), st.integers(0, 6000), st.integers(50, 2000))
def test_what_is_asked_for_next(target, written, reply) -> None:
    size, completes = portion(target, written, reply)
    if size:
        assert 50 <= size <= max(50, 1.25 * reply)
        assert completes or written + size < target
    else:
        assert completes
        assert written >= 0.7 * target


def test_what_is_lacking_is_spread_over_what_is_left() -> None:
    draft = Manuscript(8000, 1000, (prose(500), prose(900)))
    assert draft.written == 1400
    assert draft.target(6) == 1100
    assert not draft.full


def test_the_tail_is_bounded_in_any_script() -> None:
    assert len(Manuscript(1, 1, (prose(5000),)).tail().split()) == 300
    assert 100 < len(Manuscript(1, 1, ("水车立在河边" * 2000,)).tail()) <= 2400
    assert Manuscript(1, 1, ("short",)).tail() == "short"


def test_realised_against_asked() -> None:
    assert realised([], 100) == Realised()
    assert realised([100, 100, 70, 130, 80, 120], 100) == Realised(6, 1.0, 2)
