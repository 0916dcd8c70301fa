"""What the page does, without the page: requests, runs, verdicts, code and links."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from html.parser import HTMLParser
from pathlib import Path

import pytest

from space import handlers  # noqa: E402
from space.handlers import Moment  # noqa: E402
from space.making import engines, models, recipe  # noqa: E402
from space.making.inputs import (  # noqa: E402
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
from space.making.results import as_record, chat_record, json_text, make_result  # noqa: E402
from space.making.sessions import Run, Runs  # noqa: E402
from space.making.writing import bundled, compose, surround, tokenizer  # noqa: E402
from space.tabs import compare, form, synthesize  # noqa: E402
from space.view import html  # noqa: E402
from space.view.drawing import code, draw, draw_own_score, draw_result, status  # noqa: E402
from space.view.reader import reader  # noqa: E402
from space.view.strip import MOST_CELLS, make_cells  # noqa: E402
from synthesis.engines.base import Sampling  # noqa: E402
from synthesis.engines.openai import OpenAIEngine  # noqa: E402
from synthesis.engines.serving import Failure, Kind  # noqa: E402
from synthesis.errors import ContextSynthesisError, TemplateError  # noqa: E402
from synthesis.tasks import TASKS as ALL_TASKS  # noqa: E402

ROOT = Path(__file__).parent.parent
ASKED = {"instruction": "Who kept the Harrow light in 1911?", "answer": "Ilse Brandt", "task": "story_qa"}
HOSTILE = "<script>alert(1)</script> <img src=x onerror=alert(2)> {{constructor}} ${alert(3)} `x` \\"
HOSTILE += " \" ' & \ud800 \x00"


@pytest.fixture(autouse=True)
def at_once(monkeypatch) -> None:
    """Without the pause that lets the eye follow."""
    monkeypatch.setattr(handlers, "STEP", 0)


def moments(run: Run | None = None, token: str | None = None, **changes: object) -> list[Moment]:
    return list(handlers.synthesize({**ASKED, "length": "500w", **changes}, run or Run(), token))


class Elements(HTMLParser):
    """The elements and attributes a browser would see."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


# ---- requests ----


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


# ---- runs ----


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


# ---- models ----


def test_a_model_needs_the_visitors_login(monkeypatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_the_owners_own_token")
    (moment,) = moments(engine="providers")
    assert moment.stage == "problem" and "only where this page runs as a Hugging Face Space" in moment.note
    assert "hf_the_owners" not in repr(moment)
    monkeypatch.setattr(models, "can_log_in", lambda: True)
    (moment,) = moments(engine="providers")
    assert "sign in with the button" in moment.note


def test_a_visitors_token_shows_nowhere(monkeypatch) -> None:
    engine = models.providers("org/model", "hf_secret")
    assert "hf_secret" not in f"{engine!r} {vars(engine)!r}"
    asked = []

    def refuse(engine: OpenAIEngine, path: str, body: dict[str, object]):
        asked.append((engine._server.address.secret, body))
        yield Failure(Kind.QUOTA, "exceeded for hf_secret")

    monkeypatch.setattr(OpenAIEngine, "deltas", refuse)
    seen = moments(engine="providers", token="hf_secret")
    assert seen[-1].stage == "problem" and "quota is used up" in seen[-1].note
    assert "hf_secret" not in repr(seen) and "hf_secret" not in repr(asked[0][1])
    assert asked[0][0] == "hf_secret" and "hf_secret" not in os.environ.values()


@pytest.mark.parametrize("kind", list(Kind))
def test_every_failure_of_a_provider_says_what_to_do(kind) -> None:
    said = models.advice(Failure(kind, "x"))
    assert re.search(r"Choose|Try again|Log out|Change|Wait|Add credit", said), said
    assert "{" not in said


def test_a_models_text_is_streamed_read_and_its_evidence_located(monkeypatch) -> None:
    words = "The lamps were trimmed at dusk and the log was kept by hand. " * 40
    reply = f"Context: {words}\n\nIn 1911 Ilse Brandt kept the Harrow light. {words}"
    pieces = [reply[at : at + 40] for at in range(0, len(reply), 40)]
    monkeypatch.setattr(OpenAIEngine, "deltas", lambda *_: iter_closing(pieces))
    monkeypatch.setattr(handlers, "PAUSE", 0)
    seen = moments(engine="providers", model="org/model", token="t")
    result = seen[-1].result
    assert seen[-1].stage == "done" and len(seen) > len(pieces)
    assert result.context.evidence_source == "located" and result.context.model == "org/model"
    assert any("Ilse Brandt" in result.text[start:end] for start, end, _ in result.evidence)
    assert not recipe.is_exact(result.inputs)


def test_a_reply_that_breaks_off_is_kept(monkeypatch) -> None:
    pieces = ["Context: In 1911 Ilse Brandt kept the light.", Failure(Kind.TIMEOUT, "x")]
    monkeypatch.setattr(OpenAIEngine, "deltas", lambda *_: iter_closing(pieces))
    last = moments(engine="providers", token="t")[-1]
    assert last.stage == "stopped" and last.text == "In 1911 Ilse Brandt kept the light."
    assert "does not answer" in last.note and "7 words written by then are kept" in last.note


def iter_closing(pieces: list[object]):
    yield from pieces


@pytest.mark.parametrize("model", ["x", "a/b/c", "../../etc", "a b/c", "org/m\u00f6del", "x/" + "y" * 90])
def test_only_names_of_models_are_sent(model) -> None:
    (moment,) = moments(engine="providers", model=model, token="t")
    assert moment.stage == "problem" and "is not a model's name" in moment.note


def test_a_template_is_checked(monkeypatch) -> None:
    inputs = read_inputs(**ASKED, engine="providers", template="Write {words} words on {instruction}.")
    with pytest.raises(TemplateError, match=re.escape("lacks {answer}")):
        models.prompt_for(inputs, Sampling())
    inputs = read_inputs(**ASKED, engine="providers", template="{instruction} {answer} {words} { } {1}")
    assert "Ilse Brandt" in models.prompt_for(inputs, Sampling()).messages[0].content


def test_engines_that_are_not_there_are_not_offered(monkeypatch) -> None:
    monkeypatch.delenv("SPACE_MODEL", raising=False)
    assert {one.name for one in engines.offers()} <= {"composer", "providers"}
    (moment,) = moments(engine="vllm")
    assert moment.stage == "problem" and "Choose the composer" in moment.note


# ---- the way out of the page ----


REQUESTS = [
    {"length": "500w"},
    {"length": "500w", "mode": "needle", "seed": 5, "task": "generic"},
    {"length": "4k", "depth": 0.3},
    {"length": "4k", "distractors": "random", "seed": 2},
    {"length": "4k", "distractors": "none"},
    {
        "length": "4k",
        "instruction": 'Which "mark\'s" \\n {x} $HOME `ls` is meant? \u00e9\u6771',
        "answer": "it's 'so'",
    },
]


@pytest.mark.parametrize("changes", REQUESTS, ids=lambda changes: "-".join(map(str, changes.values()))[:20])
def test_the_code_gives_the_very_text(changes, tmp_path, monkeypatch, capsys) -> None:
    result = moments(**changes)[-1].result
    monkeypatch.chdir(tmp_path)
    exec(compile(recipe.python_code(result.inputs), "page", "exec"), {})
    assert capsys.readouterr().out == result.text + "\n"


@pytest.mark.parametrize("changes", [REQUESTS[1], REQUESTS[5]], ids=["context", "hostile"])
def test_the_command_line_gives_the_very_text(changes, tmp_path) -> None:
    result = moments(**changes)[-1].result
    scripts = str(Path(sys.executable).parent)
    done = subprocess.run(
        ["sh", "-e"],
        input=recipe.command_line(result.inputs),
        cwd=tmp_path,
        env={
            **os.environ,
            "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "HF_HUB_OFFLINE": "1",
        },
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    made = tmp_path / "runs" / "from-the-page"
    journal = "\n".join(path.read_text(encoding="utf-8") for path in (made / "journal").glob("*.jsonl"))
    lines = [json.loads(line) for line in journal.splitlines() if line]
    assert any(result.context.text in value for line in lines for value in strings(line))
    if result.sample is not None:
        import datasets

        name = f"composer-chat-{result.inputs.length}"
        rows = datasets.load_dataset(
            str(made / "dataset"), name, split="train", cache_dir=str(tmp_path / "cache")
        )
        assert result.text in [row["messages"][0]["content"] for row in rows]


def strings(value: object) -> list[str]:
    """All texts inside a JSON value."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for part in inner for text in strings(part)]


def test_code_for_a_model_names_the_variable_and_not_the_key() -> None:
    inputs = models.settled_model(
        read_inputs(**ASKED, engine="providers", template="{instruction} {answer} {words}")
    )
    for text in (recipe.python_code(inputs), recipe.command_line(inputs)):
        assert "HF_TOKEN" in text and engines.PROVIDERS_URL in text and engines.PROVIDERS_MODEL in text
        assert "my_template.txt" in text
    compile(recipe.python_code(inputs), "page", "exec")


def test_records_hold_what_was_shown() -> None:
    result = moments(length="4k")[-1].result
    record = json.loads(json_text(as_record(result)))
    assert record["sample"]["messages"][0]["content"] == result.text
    assert record["sample"]["messages"][1] == {"role": "assistant", "content": ASKED["answer"]}
    place = record["evidence"][0]
    assert "Ilse Brandt" in record["context"][place["start"] : place["end"]]
    alone = chat_record(moments(length="500w")[-1].result)
    assert alone["messages"][0]["content"].count(ASKED["instruction"]) == 1
    assert json_text({"x": "\ud800"}).encode("utf-8")


def test_the_opening_sample_is_worth_opening_with() -> None:
    opening = handlers.opening()
    assert opening.verdict.coherence.overall > 0.9
    assert len(opening.evidence) >= 3 and opening.sample.tokens >= 0.995 * 8192


# ---- what is drawn ----


def test_hostile_text_stays_text() -> None:
    shown = HOSTILE.replace("\ud800", "\ufffd").replace("\x00", "\ufffd")
    parsed = Elements(html.text(HOSTILE))
    assert (parsed.tags, parsed.text) == ([], shown)
    assert not re.search(r"[{}$<>`]", html.text(HOSTILE))


def test_a_hostile_pair_cannot_reach_the_page_as_markup() -> None:
    whole = HOSTILE.replace("\ud800", "")
    (*_, last) = moments(instruction=whole, answer=f'{whole} "><b onclick=x>', length="4k")
    assert last.result is not None
    pieces = [*draw("syn", last), code("syn", last.result), status("problem", HOSTILE)]
    scored = handlers.score_own(whole, whole, whole * 5)
    for markup in [*pieces, *draw_own_score("own", scored)]:
        parsed = Elements(markup)
        assert not {"script", "img", "iframe", "style"} & set(parsed.tags)
        assert not [name for name, _ in parsed.attributes if name.startswith("on")]
        assert "${" not in markup and "{{" not in markup


def test_the_reader_loses_no_word_and_marks_what_it_should() -> None:
    text = "One two.\n\nThree four five.\nSix.\n\n\n\nSeven eight."
    marks = [(4, 15), (20, 24)]  # the first spans two paragraphs
    markup = reader("p", text, marks, places=[0, 10, 43, 999])
    parsed = Elements(markup)
    assert "".join(parsed.text.split()) == "".join(text.split())
    assert "".join(re.findall(r"<mark[^>]*>(.*?)</mark>", re.sub(r"<i .*?</i>", "", markup))) == (
        text[4:8] + text[10:15] + text[20:24]
    )
    assert markup.count("<mark") == markup.count("</mark>") == 3
    assert [value for name, value in parsed.attributes if name == "id"] == ["p-text", "p-0", "p-1", "p-2"]


def test_growing_texts_continue_one_another() -> None:
    drawn = [draw("syn", moment).text for moment in moments(length="1000w") if moment.stage == "writing"]
    assert all(later.startswith(earlier) for earlier, later in zip(drawn, drawn[1:], strict=False))


def test_the_strip_leads_to_places_that_are_there() -> None:
    drawn = draw_result("syn", moments(length="8k")[-1].result)
    jumps = re.findall(r'data-jump="([^"]+)"', drawn.strip)
    assert 20 < len(jumps) <= MOST_CELLS
    assert all(f'id="{name}"' in drawn.text for name in jumps)
    assert drawn.strip.count('tabindex="0"') == 1


def test_cells_cover_the_text_and_find_the_evidence() -> None:
    windows = [(at * 10, at * 10 + 10, at / 200) for at in range(200)]
    cells = make_cells(windows, [(1000, 1004)])
    assert len(cells) == MOST_CELLS
    assert (cells[0].start, cells[-1].end) == (0, 2000)
    assert all(a.end == b.start for a, b in zip(cells, cells[1:], strict=False))
    (held,) = [cell for cell in cells if cell.evidence]
    assert held.start <= 1000 < held.end
    assert make_cells([], []) == []


def test_nothing_of_a_run_before_stays_beside_a_failure() -> None:
    from space.tabs.parts import pieces

    for begun in (False, True):
        drawn = pieces("syn", Moment("problem", "No."), begun=begun)
        assert "No." in drawn[0] and drawn[1:] == list(draw("syn", Moment("problem", "No.")))[1:]
    aside = synthesize._aside(Moment("problem", "No."), begun=False)
    assert aside[0] is None and "next result" in aside[1]
    # What was taken back in line did not fail.
    kept = pieces("syn", Moment("stopped", "Out of the line."), begun=False)
    assert all(not isinstance(piece, str) for piece in kept[1:])


def test_half_a_character_is_refused_wherever_it_stands() -> None:
    half = "An emoji cut in two: \ud83d"
    for name in ("instruction", "answer", "template", "model"):
        with pytest.raises(InputError, match=f"The {name} holds half of a character at place 22"):
            read_inputs(**{**ASKED, name: half})
    assert "half of a character" in handlers.score_own("a", "b", half).problem
    assert read_inputs(**{**ASKED, "answer": "\U0001f600"}).answer == "\U0001f600"


def test_no_message_tells_where_files_lie_for_a_while() -> None:
    place = Path(tempfile.gettempdir())
    for path in (
        place / "context-synthesis-ab_1" / "manifests" / "x.json",
        place / "gradio" / "f3" / "x.json",
    ):
        told = html.text(html.without_places(f"The file '{path}' cannot be read."))
        assert str(place) not in told and "x.json" in told
        assert str(place) not in status("problem", f"'{path}' is gone")
    mine = f"'{place / 'my-run'}' is not a folder"
    assert html.without_places(mine) == mine


# ---- scoring ----


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
