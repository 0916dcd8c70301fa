"""The beginning of a reply, put into the model's mouth: which chats take it, which servers go on from it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from synthesis.data import Message, Pair, Prompt
from synthesis.engines.base import Items
from synthesis.engines.chat import TRIAL, chat_ids, may_open, restored, restored_pieces
from synthesis.prompts import MARKER, build_prompt, load_template
from synthesis.run.judge import judge_batch
from synthesis.run.outline import outline_prompt
from synthesis.run.repair import repair_prompt
from tests.letters import Letters
from tests.openai_helpers import SAMPLING, engine, make_prompt
from tests.openai_helpers import quick_and_clean as quick_and_clean
from tests.openai_server import Asked, Reply, Script, failure, serve

SILENT = "<think></think>"
FIELDS = {"add_generation_prompt", "continue_final_message"}


def opening(prompt: Prompt) -> Prompt:
    return replace(prompt, opening=MARKER)


# ---- which prompts have one ----


def test_prompts_say_how_their_replies_begin() -> None:
    pair = Pair("", "Who mended the bell?", "Maria Holm")
    prompt = build_prompt(
        pair, load_template("narrative"), words=100, engine="e", model="m", sampling=SAMPLING
    )
    assert prompt.opening == MARKER == TRIAL
    assert outline_prompt(prompt, (), 3).opening == ""


# ---- chats of models at hand ----


@pytest.mark.parametrize(
    ("tokenizer", "wished", "variables", "opens"),
    [
        (Letters(), None, {}, True),
        (Letters(), True, {}, True),
        (Letters(), False, {}, False),
        (Letters(prefills=False), None, {}, False),
        (Letters(prefills=False), True, {}, False),
        # One that thinks first is left to think, unless it is told not to, or we are told not to care.
        (Letters(thoughts=SILENT), None, {}, False),
        (Letters(thoughts=SILENT), True, {}, True),
        (Letters(thoughts=SILENT, silence=SILENT), None, {"thinking": False}, True),
    ],
)
def test_a_reply_is_begun_where_the_model_would_begin(tokenizer, wished, variables, opens) -> None:
    assert may_open(tokenizer, wished, variables=variables) is opens


def test_a_begun_reply_ends_what_the_model_reads() -> None:
    letters, turns = Letters(), [Message("user", "Write.")]
    assert letters.decode(chat_ids(letters, turns, variables={})) == "<user>Write.</><assistant>"
    begun = letters.decode(chat_ids(letters, turns, MARKER, variables={}))
    assert begun == "<user>Write.</><assistant>Context:"


def test_where_a_template_knows_no_system_its_part_is_the_users() -> None:
    class NoSystem(Letters):
        def apply_chat_template(self, conversation, **options):
            if any(turn["role"] == "system" for turn in conversation):
                raise ValueError("System role not supported")
            return super().apply_chat_template(conversation, **options)

    turns = [Message("system", "Be plain."), Message("user", "Write.")]
    letters = NoSystem()
    read = letters.decode(chat_ids(letters, turns, variables={}))
    assert read == "<user>Be plain.\n\nWrite.</><assistant>"
    assert "<system>Be plain." in Letters().decode(chat_ids(Letters(), turns, variables={}))


@pytest.mark.parametrize("written", [" It was late.", "It was late.", "Con", "", "context was all"])
def test_what_was_left_out_is_put_back(written) -> None:
    assert restored(written, MARKER) == MARKER + written
    assert restored(f"\n{MARKER}{written}", MARKER) == f"\n{MARKER}{written}"
    for text in (written, MARKER + written):
        assert "".join(restored_pieces((letter for letter in text), MARKER)) == (text and MARKER + written)


def test_how_a_stream_ended_is_handed_on() -> None:
    assert list(restored_pieces((one for one in ("Con", 7)), MARKER)) == ["Context:Con", 7]
    assert list(restored_pieces((one for one in (7,)), MARKER)) == [7]


# ---- servers ----


class Continuing:
    """What a server does that goes on from a last turn; ``shows`` whether it gives that turn back.

    ``marks`` are fields of its replies by which it is known; ``thinks`` gives thoughts beside the text;
    ``refuses`` tells of a request whether it is turned down.
    """

    def __init__(self, *, shows=False, marks=(), thinks="", refuses=lambda body: None) -> None:
        self.shows, self.marks, self.thinks, self.refuses = shows, marks, thinks, refuses
        self.seen: list[dict] = []

    def __call__(self, asked: Asked) -> Reply:
        self.seen.append(asked.body)
        if refused := self.refuses(asked.body):
            return refused
        last = asked.body["messages"][-1]
        begun = last["content"] if last["role"] == "assistant" else ""
        text = (begun if self.shows else "") + " It was late." if begun else "It was early."
        message = {"reasoning_content": self.thinks} if self.thinks else {}
        return Reply(text, message=message, more=dict.fromkeys(self.marks))

    @property
    def begun(self) -> list[bool]:
        return [body["messages"][-1]["role"] == "assistant" for body in self.seen]


def ask(script: Script, count: int = 3, **options) -> list[str]:
    """Prompts one after the other; the texts of their replies."""
    with serve(script) as server:
        made = engine(server, concurrency=1, **options)
        return [
            next(made.complete(Items([opening(make_prompt(number))]), SAMPLING)).text
            for number in range(count)
        ]


@pytest.mark.parametrize(
    ("marks", "shows"), [(["prompt_logprobs"], False), (["timings"], True)], ids=["vllm", "llama.cpp"]
)
def test_a_server_known_to_go_on_is_asked_to_once_a_beginning_was_missing(marks, shows) -> None:
    script = Continuing(marks=marks, shows=shows)
    assert ask(script) == ["It was early.", "Context: It was late.", "Context: It was late."]
    assert script.begun == [False, True, True]
    assert script.seen[1]["continue_final_message"] is True
    assert script.seen[1]["add_generation_prompt"] is False


def test_one_whose_replies_begin_as_asked_is_left_alone() -> None:
    script = Continuing(marks=["timings"])
    with serve(lambda asked: script(asked) and Reply(more={"timings": {}})) as server:
        made = engine(server, concurrency=1)
        for number in range(3):
            next(made.complete(Items([opening(make_prompt(number))]), SAMPLING))
    assert script.begun == [False] * 3


@pytest.mark.parametrize(
    ("script", "options"),
    [
        (Continuing(), {}),
        (Continuing(marks=["timings"], thinks="Hm."), {}),
        (Continuing(marks=["timings"]), {"begin_with_marker": False}),
    ],
    ids=["unknown", "thinks", "told not to"],
)
def test_others_are_not(script, options) -> None:
    assert ask(script, **options) == ["It was early."] * 3
    assert not any(script.begun)


def test_what_has_no_beginning_is_not_begun() -> None:
    script = Continuing()
    with serve(script) as server:
        list(engine(server, begin_with_marker=True).complete(Items([make_prompt(0)]), SAMPLING))
    assert script.begun == [False]


def test_whoever_says_so_begins_at_once() -> None:
    script = Continuing()
    assert ask(script, 1, begin_with_marker=True) == ["Context: It was late."]


def test_a_server_that_does_not_know_the_fields_goes_on_without() -> None:
    def refuses(body):
        return (
            failure(400, "add_generation_prompt: extra fields") if "add_generation_prompt" in body else None
        )

    script = Continuing(refuses=refuses)
    assert ask(script, 2, begin_with_marker=True) == ["Context: It was late."] * 2
    assert script.begun == [True] * 3


@pytest.mark.parametrize("status", [400, 422, 500])
def test_a_server_that_takes_no_beginning_is_asked_without(status) -> None:
    def refuses(body):
        last = body["messages"][-1]["role"]
        return (
            failure(status, "Assistant response prefill is not for this model")
            if last == "assistant"
            else None
        )

    script = Continuing(refuses=refuses)
    assert ask(script, 2, begin_with_marker=True) == ["It was early."] * 2
    assert script.begun == [True, True, False, False]


def test_a_server_that_takes_what_was_begun_for_thoughts_is_asked_without() -> None:
    def script(asked: Asked) -> Reply:
        begun = asked.body["messages"][-1]["role"] == "assistant"
        return Reply("" if begun else "It was early.", message={"reasoning_content": "Hm. It was late."})

    assert ask(script, 2, begin_with_marker=True) == ["", "It was early."]


def test_a_stream_begins_as_its_reply_does() -> None:
    for shows in (False, True):
        with serve(Continuing(shows=shows)) as server:
            made = engine(server, begin_with_marker=True)
            assert "".join(made.stream(opening(make_prompt(0)), SAMPLING)) == "Context: It was late."


def test_a_judge_is_given_the_beginning_of_its_object() -> None:
    grades = ' "It follows.", "sufficient": 4, "contradiction": 0, "self_contained": 4, "leak": 0}'

    def script(asked: Asked) -> Reply:
        assert asked.body["messages"][-1] == {"role": "assistant", "content": '{"reason":'}
        return Reply(grades)

    with serve(script) as server:
        made = engine(server, begin_with_marker=True)
        (verdict,) = judge_batch([("Maria Holm mended it.", "Who mended it?", "Maria Holm")], made)
    assert (verdict.overall, verdict.reason, verdict.attempts) == (1.0, "It follows.", 1)


def test_asking_again_keeps_the_beginning() -> None:
    assert repair_prompt(opening(make_prompt(0)), 1, "no", (), "it").opening == MARKER
