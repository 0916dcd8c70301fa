"""Questions to a real server under matched conditions: what is asked, recorded, and made of the replies."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.folder.schema import chat_row
from synthesis import assemble
from synthesis.data import Context, Evidence, Pair
from synthesis.errors import ConfigError, EngineError, SourceError, UsageError
from synthesis.evaluation import evaluate
from synthesis.evaluation.ahead import made_ahead
from synthesis.evaluation.chats import _question as chat_question
from synthesis.evaluation.conditions import asked, evidence_alone, without_evidence
from synthesis.evaluation.evaluating import read_questions
from synthesis.evaluation.questions import ContextQuestion, QuestionSource
from synthesis.evaluation.tables import GUESSES
from synthesis.evaluation.tables import _question as table_question
from synthesis.sources.values import BadRow
from synthesis.tokens import load_tokenizer
from tests.batch_server import serve_batches
from tests.openai_helpers import quick_and_clean  # noqa: F401 - a fixture for all tests
from tests.openai_server import Asked, Reply, failure, serve

PEOPLE = {
    "Ada Lund": "Lisbon",
    "Boris Karr": "Quito",
    "Chen Wei": "Oslo",
    "Dora Kent": "Hanoi",
    "Egon Ray": "Turin",
}


def write_questions(path):
    """Five questions, each with a context of four sentences that states the answer in one."""
    with path.open("w", encoding="utf-8") as file:
        for number, (name, town) in enumerate(PEOPLE.items()):
            context = (
                f"The harbour was quiet in winter {number}. {name} was born in {town}. "
                f"Nobody recalled the storm of that year. The market opened early on day {number}."
            )
            row = {"context": context, "question": f"Where was {name} born?", "answers": [town]}
            file.write(json.dumps(row) + "\n")
    return path


def look_up(asked: Asked) -> Reply:
    """Answers from the prompt, as far as the prompt tells."""
    name = re.search(r"Where was (.+) born\?", asked.text)[1]
    found = re.search(re.escape(name) + r" was born in (\w+)", asked.text)
    return Reply(text=f"<think>Hm.</think>\n{found[1]}" if found else "I do not know.")


def test_what_is_shown_decides_what_is_known(tmp_path) -> None:
    source = write_questions(tmp_path / "questions.jsonl")
    scores = defaultdict(list)
    with serve(look_up) as server:
        for one in evaluate(
            source,
            "openai",
            model="tiny",
            base_url=server.url,
            conditions="full,closed,oracle,none-evidence",
            lengths="own,256",
            depth="0,1",
        ):
            scores[one.variant.condition, one.variant.length].append(one.score)
    assert {key: (len(found), sum(found)) for key, found in scores.items()} == {
        ("full", 0): (5, 5),
        ("full", 256): (10, 10),
        ("oracle", 0): (5, 5),
        ("closed", 0): (5, 0),
        ("none-evidence", 0): (5, 0),
        ("none-evidence", 256): (10, 0),
    }


def test_nothing_is_asked_twice(tmp_path) -> None:
    source = write_questions(tmp_path / "questions.jsonl")
    with serve(look_up) as server:
        told = {"model": "tiny", "base_url": server.url, "folder": tmp_path / "log"}
        first = list(evaluate(source, "openai", conditions="full,closed", **told))
        asked = len(server.asked)
        again = list(evaluate(source, "openai", conditions="full,closed,oracle", **told))
        assert asked == 10
        assert len(server.asked) == asked, "the oracle's prompts are those of the whole context"
    assert sorted(one.reply for one in again if one.variant.condition != "oracle") == sorted(
        one.reply for one in first
    )


def told(server, **more):
    return {"engine": "openai", "model": "tiny", "base_url": server.url, **more}


def test_what_cannot_be_asked_is_said_before_anything_is(tmp_path) -> None:
    source = write_questions(tmp_path / "questions.jsonl")
    bare = [ContextQuestion(context="Some text.", instruction="What?", answers=("A thing",))] * 3
    with serve(look_up) as server:
        for questions, options, error, message in (
            (source, {"conditions": "open"}, UsageError, "'open' is unknown"),
            (source, {"conditions": "full,full"}, UsageError, "stands twice"),
            (source, {"lengths": "own,own"}, UsageError, "lengths 'own,own' cannot be used"),
            (source, {"depth": "0,1"}, UsageError, "give --lengths as well"),
            (source, {"metrics": ["bleu"]}, UsageError, "metric 'bleu' is not known"),
            (source, {"engine": "composer", "model": ""}, ConfigError, "is no language model"),
            (source, {"form": "tabel"}, UsageError, "did you mean 'table'"),
            (bare, {"conditions": "oracle"}, UsageError, "known for none of 3 questions"),
            (bare, {"conditions": "none-evidence"}, UsageError, "known for none of 3 questions"),
            ([], {}, UsageError, "no question to ask"),
            (source, {"lengths": "4"}, UsageError, "leaves no room for a context"),
            (source, {"replies": False}, UsageError, "nothing is asked for"),
            (source, {"distractors": "random:0.5,corpus:0.5"}, UsageError, "the source's other questions"),
            (QuestionSource(str(source), prompts="p.json"), {}, UsageError, "in the form 'table'"),
            (QuestionSource(str(source), tasks=("trec",)), {}, UsageError, "no question of the task trec"),
        ):
            with pytest.raises(error, match=message):
                options = {**told(server), **options}
                if options["engine"] == "composer":
                    del options["base_url"]
                list(evaluate(questions, **options))
        assert not server.asked


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"question": "Who?", "answer": "He"}], "is in no form of questions"),
        ([{"context": "Text.", "question": "Who?"}], "1: answer is missing"),
        ([{"context": "", "question": "Who?", "answer": "He"}], "1: its context is empty"),
        ([{"context": "Text.", "question": "Who?", "answers": []}], "1: answer is"),
        (
            [{"context": "T.", "question": "Q?", "answer": "A", "metric": "bleu"}],
            "metric 'bleu' is not known",
        ),
        (
            [{"context": "T.", "question": "Q?", "answer": "A", "evidence": ["U."]}],
            "does not stand in its context",
        ),
        (
            [{"context": "T.", "question": "Q?", "answer": "A", "evidence": [{"start": 0, "end": 9}]}],
            "lies outside",
        ),
    ],
)
def test_a_row_that_is_no_question_says_why(tmp_path, rows, message) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with pytest.raises((UsageError, SourceError), match=message):
        list(read_questions(path))


def test_a_bad_row_among_good_ones_is_handed_on(tmp_path) -> None:
    path = write_questions(tmp_path / "questions.jsonl")
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"context": "Text.", "question": "", "answer": "A"}) + "\n{broken\n")
    bad = []
    assert len(list(read_questions(path, on_bad=bad.append))) == 5
    assert [one.pair_id.rsplit(":", 1)[1] for one in bad] == ["6", "7"]
    assert bad[0].reason == "instruction is empty"


def test_columns_of_a_table(tmp_path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(
        'body,ask,reply,gold,_id\n"One. Two is told. Three.",Which?,"[""two"", ""2""]",Two is told.,q7\n',
        encoding="utf-8",
    )
    columns = {"context": "body", "instruction": "ask", "answer": "reply", "evidence": "gold"}
    (one,) = read_questions(QuestionSource(str(path), columns=columns))
    assert (one.id, one.answers, one.instruction) == ("q7", ("two", "2"), "Which?")
    assert one.evidence_source == "exact" and evidence_alone(one) == "Two is told."


def test_the_evidence_goes_and_so_does_every_other_statement_of_the_answer() -> None:
    text = (
        "It began in May. The toll was 1,200 crowns. Later it rose. It was twelve hundred at first. It ended."
    )
    start = text.index("1,200")
    left = without_evidence(text, [Evidence(start, start + 5, "")], ("1,200",))
    assert left == "It began in May. Later it rose. It ended."


def test_an_ordinary_answer_leaves_all_but_its_evidence() -> None:
    text = "There was no wind. The bridge was never built. No ship came."
    start = text.index("The bridge")
    assert (
        without_evidence(text, [Evidence(start, start + 5, "")], ("no",))
        == "There was no wind. No ship came."
    )


def test_a_sentence_over_several_spans_is_cut_once() -> None:
    text = "A b c. D e f. G h i."
    spans = [Evidence(0, 13, ""), Evidence(2, 3, ""), Evidence(7, 8, "")]
    assert without_evidence(text, spans, ("zzz",)) == "G h i."


def test_templates_are_filled_once() -> None:
    one = ContextQuestion(
        context="{input} {context}", instruction="{context}?", answers=("x",), template="{context}|{input}"
    )
    assert asked(one, one.context)[-1].content == "{input} {context}|{context}?"
    assert asked(one, "")[-1].content == "|{context}?"


def chat_source(folder, **further):
    """Rows of a chat config, of contexts whose evidence is known exactly; and its samples."""
    items = []
    for number, (name, town) in enumerate(PEOPLE.items()):
        text = (
            f"Fog lay over pier {number}. {name} was born in {town}. The {town} line had closed. Gulls cried."
        )
        start = text.index(name)
        evidence = (Evidence(start, text.index(". The"), town),)
        pair = Pair(instruction=f"Where was {name} born?", answer=town, task="hotpotqa")
        items.append((pair, Context(pair.id, text, evidence, form="manual")))
    samples = list(assemble(items, 300, depth="0,0.5,1", **further))
    path = folder / "chat.jsonl"
    rows = [json.dumps(chat_row(sample)) + "\n" for sample in samples]
    path.write_text("".join(rows), encoding="utf-8")
    return path, samples


def test_a_chat_config_is_asked_as_it_stands(tmp_path) -> None:
    path, samples = chat_source(tmp_path)
    with serve(look_up) as server:
        found = list(evaluate(path, conditions="full,oracle,none-evidence", **told(server)))
        sent = [one.text for one in server.asked]
    whole = [one for one in found if one.variant.condition == "full"]
    assert {sample.messages[0].content for sample in samples} <= set(sent)
    assert {one.question.id: one.depth for one in whole} == {one.id: one.depth for one in samples}
    oracle = next(text for text in sent if "Ada Lund" in text and "Fog" not in text and "Chen" not in text)
    assert "Ada Lund was born in Lisbon" in oracle and "line had closed" not in oracle
    without = next(
        text for text in sent if "Where was Ada" in text and "pier 0" in text and "Lisbon" not in text
    )
    assert "Gulls cried" in without and "was born in Oslo" in without
    scores = {
        name: [one.score for one in found if one.variant.condition == name] for name in ("full", "oracle")
    }
    assert scores == {"full": [1.0] * 5, "oracle": [1.0] * 5}


def test_a_hidden_question_is_asked_by_its_key(tmp_path) -> None:
    path, samples = chat_source(tmp_path, keychain=1)
    assert all(sample.rings for sample in samples)
    with serve(lambda asked: Reply(text="Oslo")) as server:
        found = list(evaluate(path, conditions="full,closed", **told(server)))
        assert {sample.messages[0].content for sample in samples} <= {one.text for one in server.asked}
        with pytest.raises(UsageError, match="known for none of 5"):
            list(evaluate(path, conditions="oracle", **told(server)))
    assert {one.question.id: one.depth for one in found if one.depth is not None} == {
        one.id: one.depth for one in samples
    }


def test_a_prompt_of_a_length_keeps_it(tmp_path) -> None:
    tokenizer = load_tokenizer(None)
    source = write_questions(tmp_path / "questions.jsonl")
    with serve(look_up) as server:
        found = list(evaluate(source, lengths="64,200", depth="0,1", **told(server)))
        sizes = [tokenizer.count(one.text) for one in server.asked]
    assert max(sizes) <= 200 and sum(size > 180 for size in sizes) == 10
    assert {
        (one.variant.length, one.variant.depth, one.depth) for one in found if one.variant.length == 200
    } == {
        (200, 0.0, 0.0),
        (200, 1.0, 1.0),
    }


def test_a_context_that_is_too_long_is_cut_in_the_middle(tmp_path) -> None:
    text = "First word. " + "Filler goes on and on. " * 200 + "Last word."
    question = ContextQuestion(context=text, instruction="What?", answers=("word",))
    templated = ContextQuestion(
        context=text, instruction="What?", answers=("word",), template="{context}\n\nQ: {input}\nA:"
    )
    tokenizer = load_tokenizer(None)
    with serve(lambda asked: Reply(text="word")) as server:
        list(evaluate([question], lengths="128", **told(server)))
        list(evaluate([templated], window=128, **told(server)))
        list(evaluate([templated], **told(server)))
        short, cut, whole = (one.text for one in server.asked)
    assert tokenizer.count(short) <= 128 and short.startswith("First word.") and "Last word." in short
    assert (
        120 <= tokenizer.count(cut) <= 130 and cut.startswith("First word.") and cut.endswith("Q: What?\nA:")
    )
    assert text in whole


def test_replies_may_be_as_long_as_each_question_says(tmp_path) -> None:
    questions = [
        ContextQuestion(context=f"Text {n}.", instruction="What?", answers=("x",), most_tokens=n % 2 * 20)
        for n in range(6)
    ]
    with serve(lambda asked: Reply(text="x")) as server:
        found = list(evaluate(questions, **told(server)))
        bounds = [one.body.get("max_tokens", one.body.get("max_completion_tokens")) for one in server.asked]
        assert [one.body["temperature"] for one in server.asked] == [0.0] * 6
    assert sorted(bounds) == [20] * 3 + [512] * 3
    assert sorted(one.place for one in found) == list(range(6))
    assert all(found_one.question is not None for found_one in found)
    assert {one.place: one.question.context for one in found} == {n: f"Text {n}." for n in range(6)}


def test_an_empty_reply_is_an_answer_and_a_failure_is_none(tmp_path) -> None:
    source = write_questions(tmp_path / "questions.jsonl")

    def script(asked):
        return (
            Reply(status=400, error={"error": {"message": "no"}}) if "Ada" in asked.text else Reply(text="")
        )

    with serve(script) as server:
        found = list(evaluate(source, folder=tmp_path / "log", **told(server)))
        first = len(server.asked)
        list(evaluate(source, folder=tmp_path / "log", **told(server)))
        again = [one.text for one in server.asked[first:]]
    states = {one.question.instruction: (one.finish_reason, one.scores.get("f1")) for one in found}
    assert states.pop("Where was Ada Lund born?") == ("error", None)
    assert set(states.values()) == {("stop", 0.0)}
    assert again and all("Ada" in text for text in again)


def test_all_failing_alike_ends_it(tmp_path) -> None:
    questions = [ContextQuestion(context=f"T {n}.", instruction="?", answers=("x",)) for n in range(60)]
    too_long = failure(400, "This model's maximum context length is 8 tokens", code="context_length_exceeded")
    with serve(lambda asked: Reply(text="x") if asked.number == 0 else too_long) as server:
        with pytest.raises(EngineError, match="20 questions in a row failed alike"):
            list(evaluate(questions, concurrency=1, **told(server)))
        assert len(server.asked) < 60


def test_batches_are_found_again(tmp_path) -> None:
    source = write_questions(tmp_path / "questions.jsonl")
    with serve_batches(look_up) as server:
        told = {"model": "tiny", "base_url": server.url, "poll_seconds": 0.001, "max_requests": 2}
        begun = evaluate(source, "batch", folder=tmp_path / "log", conditions="full,closed", **told)
        next(begun)
        begun.close()
        sent = len(server.sent)
        assert sent
        found = list(evaluate(source, "batch", folder=tmp_path / "log", conditions="full,closed", **told))
        assert len(found) == 10 and len(server.sent) == len(set(server.sent)) == 10


def test_items_are_made_ahead_and_what_is_raised_arrives() -> None:
    def items():
        yield from range(3)
        raise ValueError("here")

    drawn = made_ahead(items(), 2)
    assert [next(drawn) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="here"):
        next(drawn)
    closed = []

    def endless():
        try:
            while True:
                yield 1
        finally:
            closed.append(True)

    some = made_ahead(endless(), 2)
    assert next(some) == 1
    some.close()
    assert closed == [True]


def test_the_same_words_are_asked_once_and_that_reply_is_scored(tmp_path) -> None:
    path = tmp_path / "questions.jsonl"
    rows = [{"context": f"Text {n}.", "question": "Which?", "answers": [f"number {n}"]} for n in range(40)]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    numbers = iter(range(100))
    with serve(lambda _: Reply(text=f"number {next(numbers)}")) as server:
        told = {"model": "tiny", "base_url": server.url, "folder": tmp_path / "log", "conditions": "closed"}
        first = list(evaluate(path, "openai", **told))
        again = list(evaluate(path, "openai", **told))
    assert len(server.asked) == 1
    assert len(first) == len({one.question.answers for one in first}) == 40
    assert {one.reply for one in first} == {"number 0"}
    assert sum(one.scores["exact-match"] for one in first) == 1
    assert {one.place: one.scores for one in again} == {one.place: one.scores for one in first}


def test_one_failure_of_questions_in_the_same_words_is_one(tmp_path) -> None:
    path = tmp_path / "questions.jsonl"
    rows = [{"context": f"Text {n}.", "question": "Which?", "answers": [f"number {n}"]} for n in range(40)]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    with serve(lambda _: Reply(status=400)) as server:
        told = {"model": "tiny", "base_url": server.url, "conditions": "closed"}
        found = list(evaluate(path, "openai", **told))
    assert [one.finish_reason for one in found] == ["error"] * 40
    assert len(server.asked) == 1


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 99)
    | st.floats(-2, 2)
    | st.sampled_from(["", "a", "A b. C d.", "[", '["a"]']),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["start", "end", "what", "text", "role", "content"]), inner, max_size=4
        )
    ),
    max_leaves=6,
)
TURNS = [{"role": "user", "content": "A b. C d.\n\nWho?"}, {"role": "assistant", "content": "a"}]


@settings(max_examples=300, deadline=None)
@given(
    row=st.fixed_dictionaries({}, optional=dict.fromkeys((*GUESSES, "question", "answer", "task"), ANYTHING))
)
def test_whatever_stands_in_a_table_is_a_question_or_a_bad_row(row) -> None:
    with suppress(BadRow):
        one = table_question(
            {"context": "A b. C d.", "question": "Who?", "answer": "a"} | row, {}, {}, "", "t"
        )
        assert one.answers and one.context.strip() and all(e.end <= len(one.context) for e in one.evidence)


@settings(max_examples=300, deadline=None)
@given(
    row=st.fixed_dictionaries(
        {"messages": st.just(TURNS) | ANYTHING, "evidence_start": ANYTHING, "evidence_end": ANYTHING},
        optional=dict.fromkeys(("evidence", "depth", "documents", "tokens", "task", "id", "form"), ANYTHING),
    )
)
def test_whatever_stands_in_a_chat_is_a_question_or_a_bad_row(row) -> None:
    with suppress(BadRow):
        one = chat_question(row, "")
        assert one.context == "A b. C d." and one.instruction == "Who?"
        assert 0 <= one.own[0] <= one.own[1] <= len(one.context)
        json.dumps(dict(one.record))
