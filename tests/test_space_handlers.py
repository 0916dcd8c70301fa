"""What the page does, without the page: requests, runs, scores."""

from __future__ import annotations

import json
import re

import pytest

from space import handlers
from space.making.inputs import (
    LENGTHS,
    MOST_ANSWER,
    MOST_INSTRUCTION,
    TASKS,
    InputError,
    Inputs,
    from_link,
    read_inputs,
    to_link,
)
from space.making.results import as_record, make_result
from space.making.sessions import Run, Runs
from space.making.writing import bundled, compose, surround, tokenizer
from space.tabs import compare, form, synthesize
from space.view.drawing import draw_own_score
from synthesis.errors import ContextSynthesisError
from synthesis.tasks import TASKS as ALL_TASKS
from tests.space_requests import ASKED, at_once, moments  # noqa: F401 - a fixture for all tests


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"instruction": "  "}, "The instruction is empty"),
        ({"answer": None}, "The answer is empty"),
        ({"answer": 7}, "must be text, not int"),
        ({"instruction": "x" * (MOST_INSTRUCTION + 1)}, "2,001 characters; this page takes 2,000"),
        ({"answer": "x" * (MOST_ANSWER + 1)}, "this page takes 6,000"),
        ({"length": "128k"}, "There is no length '128k'"),
        ({"task": "<b>"}, "There is no task"),
        ({"task": ["story_qa"]}, "There is no task"),
        ({"engine": "gpt"}, "There is no engine"),
        ({"seed": 1.5}, "whole number"),
        ({"seed": -1}, "whole number"),
        ({"seed": 2**31}, "whole number"),
        ({"seed": "many"}, "is not a number"),
        ({"seed": True}, "is not a number"),
        ({"seed": "9" * 400}, "is not a number"),
        ({"depth": 1.2}, "from 0 (start) to 1 (end)"),
        ({"depth": float("nan")}, "is not a number"),
        ({"distractors": "corpus"}, "There is no distractors"),
        ({"mode": "x"}, "There is no mode"),
        ({"words": 9}, "There is no field 'words'"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(changes, says) -> None:
    with pytest.raises(InputError, match=re.escape(says)):
        read_inputs(**{**ASKED, **changes})


def test_equal_requests_are_equal_records() -> None:
    plain = read_inputs(**ASKED, length="500w")
    assert plain == read_inputs(
        **ASKED, length="500w", depth=0.9, distractors="none", model="x/y", template="t"
    )
    assert read_inputs(**{**ASKED, "task": "generic"}).distractors == "random"
    assert read_inputs(instruction=" a ", answer="b\n", seed="7").seed == 7


def test_every_task_and_length_is_offered() -> None:
    assert {*TASKS} == {"generic", *(task.name for task in ALL_TASKS)}
    assert all(read_inputs(**ASKED, length=length).words >= 500 for length in LENGTHS)


def test_a_link_restores_the_inputs() -> None:
    wanted = read_inputs(
        instruction='Größe & "Maß" = 5 %?\nJa;nein #1',
        answer="東京",
        task="paper_qa",
        length="4k",
        seed=9,
        depth=0.25,
    )
    link = to_link(wanted)
    assert "#" not in link and " " not in link and "engine" not in link
    assert read_inputs(**from_link(link)) == wanted
    assert form.restored(link)[: len(form.FIELDS)] == [getattr(wanted, name) for name in form.FIELDS]


@pytest.mark.parametrize("fragment", ["", "x", "seed=3", "%%%", "a=1&" * 500, "utm_source=b"])
def test_a_fragment_that_is_not_ours_changes_nothing(fragment) -> None:
    assert from_link(fragment) is None


def test_a_spoilt_link_says_so_and_fills_nothing_in() -> None:
    values = form.restored("instruction=a&answer=b&length=9000k")
    assert "There is no length" in values[-1] and "cs-problem" in values[-1]
    assert not any(isinstance(value, str) for value in values[:-1])


def test_half_a_character_is_refused_wherever_it_stands() -> None:
    half = "An emoji cut in two: \ud83d"
    for name in ("instruction", "answer", "template", "model"):
        with pytest.raises(InputError, match=f"The {name} holds half of a character at place 22"):
            read_inputs(**{**ASKED, name: half})
    assert "half of a character" in handlers.score_own("a", "b", half).problem
    assert read_inputs(**{**ASKED, "answer": "\U0001f600"}).answer == "\U0001f600"


def test_a_run_streams_text_that_only_grows_and_ends_with_its_result() -> None:
    seen = moments(length="1000w")
    assert [moment.stage for moment in seen] == ["writing"] * (len(seen) - 1) + ["done"]
    assert len(seen) > 6  # a paragraph each, and its end
    texts = [moment.text for moment in seen]
    assert all(later.startswith(earlier) for earlier, later in zip(texts, texts[1:], strict=False))
    result = seen[-1].result
    assert result.text == result.context.text == texts[-1]
    assert "Ilse Brandt" in result.text[slice(*result.evidence[0][:2])]
    assert result.context.tokens == tokenizer().count(result.text)


def test_a_sample_holds_its_context_at_the_depth_asked_for() -> None:
    result = moments(length="4k", depth=0.8)[-1].result
    assert 0.995 * 4096 <= result.sample.tokens <= 4096
    assert abs(result.sample.depth - 0.8) < 0.05
    assert result.text[slice(*result.own)] == result.context.text
    assert result.text[result.asked :].endswith(ASKED["instruction"])
    for start, end, _ in result.evidence:
        assert result.own[0] <= start < end <= result.own[1]
    # The cells speak of the documents, not of the question below them.
    assert result.verdict.cells[-1][1] <= result.asked


@pytest.mark.parametrize("distractors", ["same-task", "random", "lexical", "none"])
def test_every_choice_of_documents_gives_a_sample(distractors) -> None:
    sample = moments(length="4k", distractors=distractors)[-1].result.sample
    assert (len(sample.documents) > 1) == (distractors != "none")
    assert sample.tokens <= 4096


def test_the_bundled_pair_is_not_its_own_company() -> None:
    pair = bundled()[4]
    inputs = read_inputs(instruction=pair.instruction, answer=pair.answer, task=pair.task, length="4k")
    sample = surround(inputs, compose(inputs))
    assert sample.documents.count(pair.id) == 1 and len(sample.documents) > 5


def test_a_stopped_run_keeps_what_it_has() -> None:
    run, seen = Run(), []
    for moment in handlers.synthesize({**ASKED, "length": "4k"}, run):
        seen.append(moment)
        if len(seen) == 3:
            run.stop()
    last = seen[-1]
    assert last.stage == "stopped" and len(seen) == 4
    assert last.result.stopped and last.result.sample is None
    assert last.text.startswith(seen[2].text) and last.text == last.result.context.text
    record = as_record(last.result)
    assert record["stopped"] and record["context"] == last.text
    assert json.loads(synthesize.file_of("json", last.result))["name"].endswith("-stopped.json")


def test_what_is_wrong_becomes_one_frame_that_says_it() -> None:
    (moment,) = moments(answer="")
    assert (moment.stage, moment.result) == ("problem", None)
    assert "answer is empty" in moment.note


def test_two_requests_run_side_by_side_and_one_refusal_spares_the_other() -> None:
    asked = [{**ASKED, "length": "500w"}, {**ASKED, "length": "500w", "seed": -1}]
    seen = list(compare.in_turns(asked, Run()))
    assert [moment.stage for place, moment in seen if place == 1] == ["problem"]
    assert [moment.stage for place, moment in seen if place == 0][-1] == "done"
    places = [place for place, _ in compare.in_turns([asked[0], asked[0]], Run())]
    assert places[:6] == [0, 1, 0, 1, 0, 1]


def test_stop_reaches_the_own_session_only() -> None:
    runs = Runs()
    with runs.new("anna", "syn") as hers, runs.new("ben", "syn") as his:
        assert not runs.stop("anna", "cmp")
        assert runs.stop("anna", "syn")
        assert hers.stopped and not his.stopped
        with runs.new("ben", "syn") as again:
            assert his.stopped and not again.stopped
    assert len(runs) == 0


def test_a_pasted_context_is_scored_and_its_support_found() -> None:
    text = "The light stood at Harrow. In 1911 Ilse Brandt kept it. She came from Lund."
    scored = handlers.score_own(ASKED["instruction"], ASKED["answer"], text)
    assert scored.verdict.coherence.support == 1.0
    assert any("Ilse Brandt" in text[start:end] for start, end, _ in scored.evidence)
    record = handlers.score_once(text, ASKED["instruction"], ASKED["answer"])
    assert record["overall"] == scored.verdict.coherence.overall
    assert record["evidence"] and record["explanation"]


@pytest.mark.parametrize("context", ["", "x" * 200_001, None, 5])
def test_a_context_that_cannot_be_scored_is_refused_in_words(context) -> None:
    scored = handlers.score_own("a", "b", context)
    assert scored.verdict is None and "context" in scored.problem
    assert "cs-problem" in draw_own_score("own", scored).status
    with pytest.raises(ContextSynthesisError):
        handlers.score_once(context, "a", "b")


def test_results_do_not_depend_on_who_came_before() -> None:
    inputs = Inputs(**ASKED, length="4k")
    first = make_result(inputs, compose(inputs), surround(inputs, compose(inputs)), 0.0)
    moments(length="4k", task="news_summary", seed=3)
    again = make_result(inputs, compose(inputs), surround(inputs, compose(inputs)), 0.0)
    assert first.text == again.text and first.verdict == again.verdict
