"""Reasons that a model writes: read, checked against the context, repaired, journaled, used by samples."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from benchmarks.kills import told_around
from builder import load
from builder.cli.main import app
from synthesis import synthesize, with_reasons
from synthesis.data import Completion, Context, Evidence, Pair, Prompt
from synthesis.errors import ConfigError
from synthesis.gate.reasons import judged_reasons
from synthesis.options import RunConfig, override
from synthesis.scale import context_step
from tests.batch_server import serve_batches
from tests.openai_server import Asked, Reply, Server, serve
from tests.pretend import PretendModel, is_repair

NAMES = ("Ida Holm", "Olaf Berg", "Runa Kvist", "Egil Storm", "Tove Lind", "Per Dahl")


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    path = tmp_path / "story_qa.jsonl"
    rows = [
        {"instruction": f"Who kept lighthouse {n} at Kelm?", "answer": name} for n, name in enumerate(NAMES)
    ]
    path.write_text("".join(json.dumps(one) + "\n" for one in rows))
    return path


def told(asked: Asked) -> tuple[str, str, str]:
    """The text, question and answer that a model was asked about."""
    text = "\n".join(one["content"] for one in asked.body["messages"])
    found = [
        re.search(rf"<{tag} (\w+)>\n(.*?)\n</{tag} \1>", text, re.S) for tag in ("text", "question", "answer")
    ]
    assert all(found)
    return tuple(one[2] for one in found)  # type: ignore[return-value, union-attr]


def sentence_of(text: str, answer: str) -> str:
    """The sentence that has the answer."""
    at = text.index(answer)
    start = max(text.rfind(mark, 0, at) for mark in (". ", "\n")) + 1
    return text[start : text.index(".", at) + 1].strip()


def good(asked: Asked) -> Reply:
    text, _, answer = told(asked)
    quote = sentence_of(text, answer)
    return Reply(f'Quote: "{quote}"\nSo: it was {answer} who kept it\nAnswer: {answer}')


def fitful(asked: Asked) -> Reply:
    """One pair is answered well, one at the second attempt, four never, each failing in another way."""
    text, question, answer = told(asked)
    quote, number = sentence_of(text, answer), int(question.split()[3])
    again = len(asked.body["messages"]) > 2
    bad = [
        good(asked).text,
        good(asked).text if again else good(asked).text.replace(quote, f"left lighthouse {quote}"),
        f'Quote: "{quote.replace(answer, "Nobody Else")}"\nSo: it was {answer}.\nAnswer: {answer}',
        f"So: it was {answer}.\nAnswer: {answer}",
        f'Quote: "{quote}"\nSo: it was somebody.\nAnswer: nobody at all',
        "I am sorry, but as a lighthouse I have no opinion.",
    ]
    return Reply(f"{'Once more' if again else 'Here'}:\n\n{bad[number]}")


@pytest.fixture
def server(monkeypatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serve(good) as running:
        yield running


def cli(*args: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, list(map(str, args)))
    assert done.exit_code == code, done.output
    return done.output


def rows_of(out: Path, config: str) -> list[dict[str, object]]:
    path = max((out / "dataset/data" / config).rglob("*.parquet"))
    found: list[dict[str, object]] = pq.read_table(path).to_pylist()
    return found


def asking(server: Server) -> tuple[str, ...]:
    return (
        *("--reasons", "model", "--reasons-engine", "openai", "--reasons-model", "tiny"),
        *("--reasons-option", f"base_url={server.url}"),
    )


def test_samples_reason_in_the_words_of_a_model(tmp_path: Path, server, pairs) -> None:
    out = tmp_path / "run"
    base = ("--pairs", pairs, "--out", out, "--words", "120", "--lengths", "1k", "--answers", "reasoned")
    assert "reasons: 6 contexts of 6 with some" in cli("run", *base, *asking(server))
    for row in rows_of(out, "composer"):
        (step,) = row["reasons"]
        assert row["context"][step["start"] : step["end"]] == step["quote"]
        assert row["answer"] in step["quote"] and row["answer"] in step["says"]
        assert row["reasons_model"] == "tiny"
    for row in rows_of(out, "composer-chat-1k"):
        asked, said = (turn["content"] for turn in row["messages"])
        (step,) = row["reasons"]
        quote = asked[step["start"] : step["end"]]
        marks = "«»" if "“" in quote else "“”"
        assert f"{marks[0]}{quote}{marks[1]} {step['says']}\n\nAnswer: {row['answer']}" in said
        assert f"ocument {step['document']} " in said or f"ocument {step['document']}:" in said
        assert asked.rindex(f"Document [{step['document']}]:", 0, step["start"]) == asked.rindex(
            "Document [", 0, step["start"]
        )
    shown = cli("show", out, "0", "--config", "composer")
    assert re.search(r"\[reasons\]\n1\. ⟦[^⟧]*Ida Holm[^⟧]*⟧ It was Ida Holm who kept it\.", shown)
    assert "reasons_model: tiny" in shown
    card = (out / "dataset" / "README.md").read_text()
    assert "Of the 6 contexts of `composer` all but 0 have `reasons`: steps to the answer by `tiny`" in card
    # What is loaded at another length has them, too.
    loaded = load(str(out / "dataset"), "composer", length=700, answers="reasoned")
    assert {row["reasons_model"] for row in loaded} == {"tiny"} and len(loaded) == 6
    # What is there is not asked for again, and plain samples know nothing of it.
    count = len(server.asked)
    cli("assemble", out, "--answers", "plain", "--lengths", "1k")
    assert len(server.asked) == count
    assert all(row["messages"][-1]["content"] == row["answer"] for row in rows_of(out, "composer-chat-1k"))


def test_what_fails_is_asked_again_and_the_context_stays(tmp_path: Path, server, pairs) -> None:
    out = tmp_path / "run"
    server.script = fitful
    base = ("--pairs", pairs, "--out", out, "--words", "120", "--lengths", "1k", "--answers", "reasoned")
    said = cli("run", *base, *asking(server), "--repairs", "1")
    assert "6 contexts, 0 rejected" in said and "reasons: 2 contexts of 6 with some" in said
    assert "4 contexts without reasons; the rejected config says why of each" in said
    assert len(server.asked) == 1 + 5 * 2
    assert [bool(row["reasons"]) for row in rows_of(out, "composer")] == [True, True, *[False] * 4]
    # The model is told what was wrong, and shown what it wrote.
    second = (one for one in server.asked if "lighthouse 1" in told(one)[1])
    again = next(one for one in second if len(one.body["messages"]) > 1)
    assert "This does not stand in the text: “" in again.text and "left lighthouse" in again.text
    dropped = rows_of(out, "composer-rejected")
    assert {row["stage"] for row in dropped} == {"reasons"}
    assert sorted(row["reason"].split(":")[0] for row in dropped) == ["answer", "form", "form", "quote"]
    assert {row["attempts"] for row in dropped} == {2} and all(row["text"] for row in dropped)
    # Without a model's reasons the evidence on record makes them, as ever.
    for row in rows_of(out, "composer-chat-1k"):
        assert row["messages"][-1]["content"].endswith(f"\n\nAnswer: {row['answer']}")
    # Nothing is asked for again, until more is allowed; then only what it adds.
    asked = len(server.asked)
    cli("run", *base, *asking(server), "--repairs", "1")
    assert len(server.asked) == asked
    server.script = good
    said = cli("run", *base, *asking(server), "--repairs", "2")
    assert len(server.asked) == asked + 4 and "reasons: 6 contexts of 6 with some" in said


def test_a_plan_counts_what_is_lacking_and_a_finished_run_gets_reasons(tmp_path: Path, server, pairs) -> None:
    out = tmp_path / "run"
    base = ("--pairs", pairs, "--out", out, "--words", "120", "--lengths", "1k")
    planned = cli("plan", *base, *asking(server), "--price", "1,2")
    assert "then reasons of 6 contexts, about" in planned and "cost: 0.0" in planned
    cli("run", *base)
    assert not server.asked
    before = [row["context"] for row in rows_of(out, "composer")]
    assert "then reasons of 6 contexts" in cli("plan", *base, *asking(server))
    cli("assemble", out, "--lengths", "1k", "--answers", "reasoned", *asking(server))
    rows = rows_of(out, "composer")
    assert [row["context"] for row in rows] == before and all(row["reasons"] for row in rows)
    assert len(server.asked) == 6
    assert "reasons of" not in cli("plan", out / "run.toml")
    # Another model is asked anew, and what it cannot do does not undo what is there.
    server.script = lambda _: Reply("no")
    cli("assemble", out, "--lengths", "1k", *asking(server), "--reasons-model", "other")
    assert {row["reasons_model"] for row in rows_of(out, "composer")} == {"tiny"}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--reasons", "model"), "--reasons-engine"),
        (("--reasons-model", "m"), "add --reasons model"),
        (
            ("--reasons", "model", "--reasons-engine", "batch", "--reasons-model", "m"),
            "beside those of the run",
        ),
        (("--reasons", "model", "--reasons-engine", "openai", "--reasons-option", "x=1"), "for --reasons"),
        (("--reasons", "model", "--reasons-engine", "openai", "--reasons-template", "no.txt"), "short"),
        (("--reasons", "somebody"), "none or model"),
    ],
)
def test_options_that_cannot_be_are_told(tmp_path: Path, pairs, more, message) -> None:
    said = cli("run", "--pairs", pairs, "--out", tmp_path / "run", *more, code=2)
    assert message in " ".join(said.split())
    assert not (tmp_path / "run" / "journal").exists()


# ---- what is wrong with a reply

TEXT = (
    "The old ferry of Kelm was called the “Marta”.  Otto Reuss, an engineer from Hawley, bought her in 1879 "
    "and ran\nher until the bridge was opened. Hawley lies on the Tarn, two days from Kelm. It rained a lot. "
    "She was born in May."
)
PAIR = Pair(instruction="On which river lies the town of the buyer of the Marta?", answer="the Tarn")
BOUGHT = 'Quote: "Otto Reuss, an engineer from Hawley, bought her in 1879 and ran her until the bridge"\n'
LIES = 'Quote: "Hawley lies on the Tarn, two days from Kelm."\nSo: {}\nAnswer: {}'


def judge(reply: str, pair: Pair = PAIR, **more: object):
    return judged_reasons(Completion("p", reply), pair, Context(pair.id, TEXT, **more))


@pytest.mark.parametrize(
    "reply",
    [
        BOUGHT + "So: he came from Hawley\n" + LIES.format("It lies on the Tarn.", "the Tarn"),
        # Blanks, case, marks around it, labels in bold, numbers, dots for what is left out.
        "**Step 1:** Quote: “otto reuss, an engineer from hawley, ... ran her until the bridge was opened”\n"
        "**So:** He came from Hawley.\n2. Quote: Hawley lies on the Tarn; two days from Kelm\n"
        "So: It lies on the Tarn.\n\n**Answer:** Tarn.",
        "<think>Where?</think>Evidence: « Hawley lies on the Tarn »\nSo: On the Tarn.\n"
        "Final answer: the Tarn",
        'Here is how:\n\nQuote: "The old ferry of Kelm was called the "Marta"."\nSo: She is the Marta.\n'
        + BOUGHT
        + "So: The buyer is from Hawley.\n"
        + LIES.format("There.", "It lies on the Tarn"),
    ],
)
def test_good_replies_are_taken(reply: str) -> None:
    found, faults = judge(reply)
    assert found and not faults, faults
    for one in found:
        assert TEXT[one.start : one.end].strip()
        assert not one.says or (one.says[0].isupper() and one.says[-1] == ".")
    assert "Hawley lies on the Tarn" in " ".join(TEXT[one.start : one.end] for one in found)


@pytest.mark.parametrize(
    ("reply", "fault"),
    [
        ("", "form"),
        ("Answer: the Tarn", "form"),
        (LIES.format("x", ""), "form"),
        ('Quote: "copied word for word"\nSo: it.\nAnswer: the answer, as it stands above', "form"),
        (LIES.replace("two days", "three days").format("So.", "the Tarn"), "quote"),
        # Words that are part of others.
        ('Quote: "he was born in May"\nSo: May.\n' + LIES.format("So.", "the Tarn"), "quote"),
        (LIES.format("The “river of Hawley town” it is.", "the Tarn"), "quote"),
        ('Quote: "the Tarn"\nSo: the Tarn\nAnswer: the Tarn', "short"),
        (BOUGHT + "So: He is from Hawley, which is on it.\nAnswer: the Tarn", "unproved"),
        ('Quote: "It rained a lot."\nSo: Rain.\n' + LIES.format("So.", "the Tarn"), "aside"),
        (LIES.format("The given answer is the Tarn.", "the Tarn"), "known"),
        (LIES.format("Document 2 says so.", "the Tarn"), "numbered"),
        (LIES.format("word " * 90, "the Tarn"), "long"),
        (f"Quote: {TEXT}\nSo: it.\nAnswer: the Tarn", "long"),
        (LIES.format("It is the Kell.", "the Kell"), "answer"),
        ('Quote: "Hawley lies on the Tarn"\nAnswer: the Tarn', "unsaid"),
        (LIES.format("Hawley, where Leonardo Brabantio lived, lies there.", "the Tarn"), "invented"),
        (LIES.format("It lies on it. It lies on it.", "the Tarn"), "repeated"),
        (LIES.format(f"It is that. {PAIR.instruction}", "the Tarn"), "asking"),
    ],
)
def test_what_is_wrong_is_said(reply: str, fault: str) -> None:
    _, faults = judge(reply)
    assert fault in {one.name for one in faults}, faults
    assert all(one.say.startswith("- ") for one in faults)


def test_the_answer_alone_is_no_quotation() -> None:
    asked = Pair(instruction="Who bought the Marta?", answer="Otto Reuss, an engineer from Hawley")
    quoted = 'Quote: "{}"\nSo: He bought her.\nAnswer: Otto Reuss, an engineer from Hawley'
    alone = judge(quoted.format("Otto Reuss, an engineer from Hawley"), asked).faults
    assert [one.name for one in alone] == ["bare"]
    assert not judge(quoted.format("Otto Reuss, an engineer from Hawley, bought her in 1879"), asked).faults
    # A sentence of the text may well be the answer.
    told = Pair(instruction="Where does Hawley lie?", answer="Hawley lies on the Tarn, two days from Kelm.")
    whole = f'Quote: "{told.answer}"\nSo: It lies there.\nAnswer: {told.answer}'
    assert not judge(whole, told).faults


def test_names_that_the_text_has_are_no_others() -> None:
    for said in ("Otto Reuss lived on the Tarn.", "So Otto Reuss did.", "Therefore Otto Reuss is of Hawley."):
        assert not judge(LIES.format(said, "the Tarn")).faults, said


def test_evidence_on_record_must_be_quoted() -> None:
    recorded = (Evidence(TEXT.index("Hawley lies"), TEXT.index("It rained"), "hop 2 of 2"),)
    reply = LIES.format("So.", "the Tarn")
    assert not judge(reply, evidence=recorded, evidence_source="exact").faults
    elsewhere = (Evidence(0, 20, "hop 1 of 1"),)
    names = [one.name for one in judge(reply, evidence=elsewhere, evidence_source="exact").faults]
    assert names == ["evidence"]
    assert not judge(reply, evidence=elsewhere, evidence_source="located").faults


def test_answers_that_no_text_states_need_no_quotation_of_them() -> None:
    asked = Pair(instruction="Does Hawley lie on the Tarn?", answer="yes")
    assert not judge(LIES.format("It does.", "Yes."), asked).faults
    pieces = (
        Evidence(0, 20, "hop 1 of 2"),
        Evidence(TEXT.index("Hawley lies"), TEXT.index("It rained"), "hop 2"),
    )
    half = judge(LIES.format("It does.", "Yes."), asked, evidence=pieces, evidence_source="exact").faults
    assert [one.name for one in half] == ["evidence"]
    assert [one.name for one in judge(LIES.format("It does not.", "No."), asked).faults] == ["answer"]


# ---- through batches, by many tasks, from Python


def writing(asked: Asked) -> Reply:
    """Contexts, and the reasons for them."""
    if "Quote:" in asked.body["messages"][0]["content"]:
        return good(asked)
    number = int(re.search(r"lighthouse (\d)", asked.text)[1])  # type: ignore[index]
    return Reply(f"Context: {told_around(f'{NAMES[number]} kept lighthouse {number} at Kelm.', 6)}")


def test_reasons_come_through_batches(tmp_path: Path, monkeypatch, pairs) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    out = tmp_path / "run"
    with serve_batches(writing, looks=1) as provider:
        asked = ("--pairs", pairs, "--out", out, "--model", "tiny", "--words", "100", "--lengths", "1k")
        asked += ("--option", f"base_url={provider.url}", "--option", "poll_seconds=0.01")
        asked += ("--reasons", "model", "--answers", "reasoned")
        assert "sent 6 requests in 1 batch" in cli("batch", "submit", *asked)
        # The reasons are asked for when the contexts are there.
        assert "6 requests to send" in cli("batch", "fetch", out, "--wait")
        assert "sent 6 requests in 1 batch" in cli("batch", "submit", out / "run.toml")
        assert "reasons: 6 contexts of 6 with some" in cli("batch", "fetch", out, "--wait")
        assert len(provider.batches) == 2
    assert all(row["reasons_model"] == "tiny" for row in rows_of(out, "tiny"))
    assert all("“" in row["messages"][-1]["content"] for row in rows_of(out, "tiny-chat-1k"))


def pretended(prompt: Prompt) -> str:
    """Contexts, and reasons for them at the second attempt; never for the last pair."""
    name = prompt.variables["answer"]
    number = NAMES.index(name)
    stated = f"{name} kept lighthouse {number} at Kelm."
    if not prompt.messages[0].content.startswith("<text"):
        return f"Context: {told_around(stated, 6)}"
    quote = stated if is_repair(prompt) and number < 5 else stated.replace("kept", "left")
    return f'Quote: "{quote}"\nSo: it was {name}.\nAnswer: {name}'


def test_reasons_from_python() -> None:
    rows = [
        Pair(instruction=f"Who kept lighthouse {n} at Kelm?", answer=name) for n, name in enumerate(NAMES)
    ]
    model = PretendModel(pretended, window=3)
    made = list(synthesize(rows, model, words=100, reasons="model", repairs=1))
    assert all(isinstance(one, Context) for one in made)
    assert [bool(one.reasons) for one in made if one.pair_id != rows[5].id] == [True] * 5
    assert [one.reasons for one in made if one.pair_id == rows[5].id] == [()]
    (step,) = next(one for one in made if one.pair_id == rows[0].id).reasons
    assert step.says == "It was Ida Holm." and {one.reasons_model for one in made} == {"p-1", ""}
    # For contexts that are there, of whatever origin; what reasons quote is evidence where there is none.
    bare = [
        (pair, Context(pair.id, told_around(f"{pair.answer} kept lighthouse {n} at Kelm.", 3)))
        for n, pair in enumerate(rows)
    ]
    found = {pair.id: context for pair, context in with_reasons([*bare, bare[0]], PretendModel(pretended))}
    assert len(found) == 6 and not found[rows[5].id].reasons
    context = found[rows[2].id]
    ((start, end, what),) = context.evidence
    assert context.text[start:end] == "Runa Kvist kept lighthouse 2 at Kelm." and what == "hop 1 of 1"
    assert context.evidence_source == "located"
    with pytest.raises(ConfigError, match="with_reasons"):
        list(synthesize(rows, reasons="model"))
    with pytest.raises(ConfigError, match="none or model"):
        list(synthesize(rows, model, reasons="mine"))


def test_reasons_of_many_tasks(tmp_path: Path, server, pairs) -> None:
    made = override(
        RunConfig(),
        {
            "out": str(tmp_path / "run"),
            "pairs.source": str(pairs),
            "generation.words": 120,
            "samples.lengths": ("1k",),
            "samples.answers": "reasoned",
            "reasons.by": "model",
            "reasons.engine": "openai",
            "reasons.model": "tiny",
            "reasons.options": {"base_url": server.url},
        },
    )
    launch = context_step(made)
    for rank in range(2):
        assert all(document.text for document in launch.run(rank=rank, world_size=2))
    assert len(server.asked) == 6
    assert "reasons: 6 contexts of 6 with some" in cli("run", tmp_path / "run" / "run.toml")
    assert len(server.asked) == 6
