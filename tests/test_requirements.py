"""A context stays only if a model needs it and can do with it; what was asked once is not asked again."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from synthesis.data import Context, Evidence, Pair, content_hash
from synthesis.engines.base import LogLikelihood
from synthesis.errors import ConfigError, EngineError
from synthesis.gate.answering import gives
from synthesis.options import RunConfig, override
from synthesis.run.journal import Journal
from synthesis.run.requirements import Requirements, asked_about, without_evidence
from tests.openai_server import Asked, Reply, Server, failure, serve
from tests.pretend import PretendModel

CLOSED = "Answer from what you know"


@pytest.mark.parametrize(
    ("reply", "answer", "given"),
    [
        ("It was Ilse Brandt.", "Ilse Brandt", True),
        ("It was Anna Holm.", "Ilse Brandt", False),
        ("<think>Ilse Brandt?</think>I do not know.", "Ilse Brandt", False),
        ("In 1,204 cases.", "1204", True),
        ("The clock was mended by Ilse", "Ilse mended the old clock", True),
        ("Yes, it did.", "yes", True),
        ("No. Though many say yes.", "Yes", False),
        ("I cannot say.", "no", False),
        ("The answer is (B), I think.", "B", True),
        ("A, not B", "B", False),
        ("", "Ilse Brandt", False),
    ],
)
def test_whether_a_reply_gives_the_answer(reply: str, answer: str, given: bool) -> None:
    assert gives(reply, answer) is given


class Reader(PretendModel):
    """Finds a word likelier by a nat for each time that the prefix has it."""

    def loglikelihood(self, requests: Iterable[tuple[str, str]]) -> Iterator[LogLikelihood]:
        for prefix, continuation in requests:
            if "too long" in prefix:
                raise EngineError("too long for the model")
            words = continuation.split()
            read = prefix.replace(".", " ").split()
            yield LogLikelihood(tuple(map(len, words)), tuple(-5.0 + read.count(word) for word in words))


def row(number: int, text: str, answer: str = "Ilse") -> tuple[Pair, Context]:
    pair = Pair(instruction=f"Who mended clock {number}?", answer=answer, task="story_qa")
    at = text.find(answer)
    evidence = (Evidence(at, at + len(answer), "answer"),) if at >= 0 else ()
    return pair, Context(pair.id, text, evidence, fingerprint=content_hash(number))


def required(**wanted: object) -> RunConfig:
    changes = {f"require.{name}": value for name, value in wanted.items()}
    return override(RunConfig(), {"generation.engine": "openai", "generation.model": "m", **changes})


ROWS = [
    row(0, "Ilse did."),
    row(1, "Nobody knows."),
    row(2, "Ilse and Ilse."),
    row(3, "It is too long."),
]


def say(prompt) -> str:
    text = prompt.messages[0].content
    return "Ilse" if "clock 2" in text or ("Ilse" in text and CLOSED not in text) else "I do not know"


def reasons(folder: Path, config: RunConfig, engine: Reader | None) -> list[str | None]:
    def make(_: object) -> Reader:
        assert engine is not None, "nothing is left to be asked"
        return engine

    with Journal(folder) as journal:
        wanted = Requirements(config, journal)
        wanted.ask(ROWS, make)
        return [wanted.reason(*one) for one in ROWS]


def test_what_is_required_is_measured_once(tmp_path: Path) -> None:
    config = required(gain=0.5, evidence=0.5)
    whys = reasons(tmp_path, config, Reader(say))
    assert whys[0] is None and whys[2] is None
    assert whys[1] == "gain: 0.00 under 0.50"
    assert whys[3] is not None and whys[3].startswith("unanswered: gain: too long for the model")
    # What could not be answered is asked again, the rest is not, whatever the threshold.
    engine = Reader(say)
    assert reasons(tmp_path, required(gain=1.5, evidence=0.5), engine)[:3] == [
        "gain: 1.00 under 1.50",
        "gain: 0.00 under 1.50",
        None,
    ]
    with Journal(tmp_path) as journal:
        assert {one.pair.instruction for one in Requirements(config, journal).lacking(ROWS)} == {
            "Who mended clock 3?"
        }


def test_the_context_must_be_needed_and_suffice(tmp_path: Path) -> None:
    config = required(closed_book="fail", open_book="pass")
    engine = Reader(say, window=3)
    assert reasons(tmp_path, config, engine) == [
        None,
        "open-book: not answered with the context: 'I do not know'",
        "closed-book: known without the context: 'Ilse'",
        "open-book: not answered with the context: 'I do not know'",
    ]
    assert len(engine.asked) == 8
    assert reasons(tmp_path, config, None)[0] is None
    assert reasons(tmp_path, required(open_book="pass"), None)[2] is None


def test_an_interruption_loses_no_answer(tmp_path: Path) -> None:
    config = required(closed_book="fail", open_book="pass")
    first = Reader(say, fail_after=5)
    with pytest.raises(EngineError):
        reasons(tmp_path, config, first)
    second = Reader(say)
    reasons(tmp_path, config, second)
    assert len(first.asked) == 5 and len(second.asked) == 3
    assert not {one.id for one in first.asked} & {one.id for one in second.asked}


def test_another_model_is_asked_anew_and_another_address_is_not(tmp_path: Path) -> None:
    reasons(tmp_path, required(open_book="pass"), Reader(say))
    same = required(open_book="pass", options={"base_url": "http://127.0.0.1:9/v1", "concurrency": 2})
    assert reasons(tmp_path, same, None)[0] is None
    engine = Reader(say)
    reasons(tmp_path, required(open_book="pass", model="another"), engine)
    assert len(engine.asked) == len(ROWS)


def test_evidence_is_left_out_exactly() -> None:
    context = Context("p", "Ann met Bo. Bo left.", (Evidence(8, 11, "b"), Evidence(0, 3, "a")))
    assert without_evidence(context) == " met  Bo left."
    pair = Pair(instruction="Who {documents}?", answer="x", task="story_qa")
    assert asked_about(pair, "{instruction}").count("{instruction}") == 1
    assert "Who {documents}?" in asked_about(pair, "text") and "text" in asked_about(pair, "text")


def test_who_is_asked() -> None:
    with pytest.raises(ConfigError, match="--require-engine"):
        Requirements(override(RunConfig(), {"require.gain": 0.5}), None)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="closed_book"):
        required(closed_book="pass")
    made = Requirements(required(gain=0.5, engine="vllm", model="v"), None)  # type: ignore[arg-type]
    assert (made.asked.engine, made.asked.model, made.asked.options) == ("vllm", "v", {})


# ---- the whole command, against a real server


@pytest.fixture
def server(monkeypatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serve(answering) as running:
        yield running


def answering(asked: Asked) -> Reply:
    number = int(asked.text.rsplit("number ", 1)[1].split("?")[0])
    if CLOSED in asked.text:
        return Reply(f"Ida Holm {number}" if number == 3 else "Somebody else")
    return Reply("I do not know." if number == 5 else f"It was Ida Holm {number}.")


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    path = tmp_path / "story_qa.jsonl"
    rows = [{"instruction": f"Who kept lighthouse number {n}?", "answer": f"Ida Holm {n}"} for n in range(8)]
    path.write_text("".join(json.dumps(one) + "\n" for one in rows))
    return path


def rows_of(out: Path, config: str) -> list[dict[str, object]]:
    path = max((out / "dataset/data" / config).rglob("*.parquet"))
    found: list[dict[str, object]] = pq.read_table(path).to_pylist()
    return found


def test_a_run_drops_what_is_not_needed_or_does_not_suffice(tmp_path, command, server, pairs) -> None:
    out = tmp_path / "run"
    asked_for = ("--require", "closed-book=fail,open-book=pass", "--require-engine", "openai")
    asked_for += ("--require-model", "m", "--require-option", f"base_url={server.url}")
    base = ("--pairs", pairs, "--out", out, "--words", "120", "--lengths", "1k")
    planned = command("plan", *base, *asked_for)
    assert "16 questions of --require" in planned.stdout
    done = command("run", *base, *asked_for)
    assert done.returncode == 0, done.stderr
    assert len(server.asked) == 16
    dropped = {str(one["reason"]) for one in rows_of(out, "composer-rejected") if one["stage"] == "require"}
    assert dropped == {
        "closed-book: known without the context: 'Ida Holm 3'",
        "open-book: not answered with the context: 'I do not know.'",
    }
    assert len(rows_of(out, "composer")) == 6 and len(rows_of(out, "composer-chat-1k")) == 6
    card = (out / "dataset/README.md").read_text()
    assert "kept 6 of 8 contexts" in card and "asked of m, required closed" in card
    # Nothing changed, and nobody is asked again.
    again = command("run", *base, *asked_for)
    assert "nothing changed" in again.stdout and len(server.asked) == 16
    # Other lengths have the same contexts; a loosened requirement lets one more pass.
    more = command("assemble", out, "--lengths", "700")
    assert more.returncode == 0 and len(rows_of(out, "composer-chat-700")) == 6
    loose = command("assemble", out, "--lengths", "1k", "--require", "closed-book=fail")
    assert loose.returncode == 0, loose.stderr
    assert len(server.asked) == 16
    report = command("report", out)
    assert report.returncode == 0, report.stderr
    usage = json.loads((out / "manifest.json").read_text())["usage"]
    assert usage["replies"] == 8 + 16 and usage["prompt_tokens"] > 0
    assert Counter(one.path for one in server.asked) == {"/v1/chat/completions": 16}


def test_a_server_that_fails_ends_the_run_and_what_was_answered_stays(
    tmp_path, command, server, pairs
) -> None:
    out = tmp_path / "run"
    asked_for = ("--require", "open-book=pass", "--require-engine", "openai", "--require-model", "m")
    asked_for += ("--require-option", f"base_url={server.url}", "--require-option", "concurrency=1")
    base = ("--pairs", pairs, "--out", out, "--words", "120", "--lengths", "1k")
    server.script = lambda one: answering(one) if one.number < 3 else failure(400, "no more")
    done = command("run", *base, *asked_for)
    assert done.returncode == 0, done.stderr
    assert len(rows_of(out, "composer")) == 3
    kept = len(server.asked)
    server.script = answering
    done = command("run", *base, *asked_for)
    assert done.returncode == 0, done.stderr
    assert len(rows_of(out, "composer")) == 7
    assert len(server.asked) - kept == 5


def test_what_cannot_be_asked_is_said_before_a_context_is_written(tmp_path, command, pairs) -> None:
    out = tmp_path / "run"
    base = ("run", "--pairs", pairs, "--out", out, "--words", "120", "--lengths", "1k")
    openai = ("--require", "closed-book=fail", "--require-engine", "openai", "--require-model", "m")
    for more, message in (
        (
            (*openai, "--require-option", "nope=3"),
            r"for --require: .*'nope'; check --require-option \(\[require.options",
        ),
        ((*openai, "--require-option", "retries=x"), "for --require: require.options.retries is 'x'"),
        (("--require", "gain=x"), "--require gain= takes 0"),
    ):
        done = command(*base, *more)
        assert done.returncode == 2 and re.search(message, done.stderr), done.stderr
        assert (
            not (out / "journal" / "contexts.jsonl").exists()
            or not (out / "journal" / "contexts.jsonl").read_text()
        )


def test_a_folder_without_requirements_is_as_before(tmp_path, command, pairs) -> None:
    out = tmp_path / "run"
    done = command("run", "--pairs", pairs, "--out", out, "--words", "120", "--lengths", "1k")
    assert done.returncode == 0, done.stderr
    assert "require" not in (out / "dataset/README.md").read_text()
