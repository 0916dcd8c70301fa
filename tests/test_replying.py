"""Answers that quote their evidence, and reasons before an answer: true to the documents, in the budget."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from builder.export.packing import encode_chats
from synthesis import Context, Pair, Rejected, Sample, assemble, synthesize
from synthesis.assembly.replying import Reply
from synthesis.data import Evidence, Reason
from synthesis.errors import UsageError
from synthesis.evaluation.rewards import answer_reward, checker_for, citation_reward, cited, final_answer
from synthesis.evaluation.rewards import quotation_reward as quotation
from synthesis.text.quoted import quoted, quotes, without_listed, without_quotes
from synthesis.text.sentences import sentences
from synthesis.tokens import Tokenizer
from synthesis.tokens.template_code import write_turns
from synthesis.tokens.tokenizer import build_tokenizer
from tests.assembly_texts import TOKENIZERS, byte_level, prose

Items = Sequence[tuple[Pair, Context]]
ASKED = [
    ("Where was the director of the film Low Tide born?", "Turner County, Georgia", "hotpotqa"),
    (
        "Which opened first, the Grand Hotel Bellacosta or the Tarquin Arcade?",
        "the Tarquin Arcade",
        "2wikimqa",
    ),
    ("Are Lake Vintermo and Lake Sorrowmere both artificial?", "Yes", "hotpotqa"),
    ("Give three tips for staying healthy.", "1. Eat well.\n2. Walk daily.\n3. Sleep enough.", "generic"),
    ("How many nights does Marisol Quenedo wait on the roof?", "eleven nights", "musique"),
    ("Wie koche ich Reis?", "1. Spüle den Reis.\n2. Koche ihn.\n3. Lass ihn quellen.", "generic"),
    ("¿Quién escribió Don Quijote?", "Miguel de Cervantes", "generic"),
    ("Quelle est la capitale de l'Australie ?", "Canberra", "generic"),
    ("水在多少度沸腾？", "一百摄氏度", "generic"),
    ("Who mended the clock at Sellenbruck?", "Ilse Brandt", "story_qa"),
]


def listed_quotes(text: str) -> list[tuple[int, str]]:
    """The quotes in lines of their own, each behind its document's number in brackets."""
    found = re.finditer(r"^\[(\d{1,4})\] (“[^”]*”|«[^»]*»|「[^」]*」|‹[^›]*›)[ \t]*$", text, re.M)
    return [(int(match[1]), match[2][1:-1]) for match in found]


@pytest.fixture(scope="module")
def items() -> Items:
    pairs = [Pair(instruction=asked, answer=answer, task=task) for asked, answer, task in ASKED]
    made = {one.pair_id: one for one in synthesize(pairs, words=150) if isinstance(one, Context)}
    found = [(pair, made[pair.id]) for pair in pairs]
    # And contexts of others, without evidence.
    filler = [Pair(instruction=f"Who is number {n}?", answer=f"Zorv {n}", task="hotpotqa") for n in range(20)]
    return [*found, *((pair, Context(pair.id, prose(n, 120))) for n, pair in enumerate(filler))]


def documents_of(sample: Sample) -> dict[int, str]:
    """The documents as a reader of the sample sees them, by number."""
    content = sample.messages[0].content
    found = list(re.finditer(r"Document \[(\d+)\]:\n", content))
    ends = [*(one.start() for one in found[1:]), len(content)]
    return {int(one[1]): content[one.end() : end] for one, end in zip(found, ends, strict=True)}


@pytest.mark.parametrize("answers", ["cited", "reasoned"])
@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("embedded", {}),
        ("byte_level", {}),
        ("unsplit", {}),
        ("embedded", {"keychain": 2, "keychain_links": 2}),
        ("embedded", {"oversize": "trim"}),
    ],
)
def test_what_is_said_is_in_the_documents_and_in_the_budget(
    items: Items, answers: str, name: str, more: dict[str, object]
) -> None:
    tokenizer: Tokenizer = TOKENIZERS[name]
    length = 450 if "oversize" in more else 4000 if name != "embedded" else 2000
    plain = list(assemble(items, length, tokenizer=tokenizer, distractors="random", **more))
    made = list(assemble(items, length, tokenizer=tokenizer, distractors="random", answers=answers, **more))
    worded = 0
    for (pair, context), sample, before in zip(items, made, plain, strict=True):
        if isinstance(sample, Rejected):
            assert more.get("oversize") or isinstance(before, Rejected)
            continue
        turn = sample.messages[1].content
        assert sample.tokens == tokenizer.count_chat(sample.messages) <= sample.budget
        # What is trimmed ends with a sentence, and may leave no room for another document.
        assert sample.tokens >= (0.995 if length > 450 else 0.95) * sample.budget
        assert sample.answer == pair.answer and pair.answer in turn
        assert isinstance(before, Rejected) or before.messages[1].content == pair.answer
        documents, own = documents_of(sample), 1 + sample.documents.index(pair.id)
        start, end = sample.evidence_span
        assert sample.messages[0].content[start:end] in documents[own]
        for piece, number in zip(sample.evidence, sample.evidence_documents, strict=True):
            assert sample.messages[0].content[piece.start : piece.end] in documents[number]
        if not context.evidence:
            assert (sample.answer_form, turn) == ("plain", pair.answer)
            continue
        worded += 1
        assert sample.answer_form == answers and "Give the answer alone" not in sample.messages[0].content
        said = quotes(
            turn.removesuffix(pair.answer) if answers == "reasoned" else turn.removeprefix(pair.answer)
        )
        assert said and all(quote in "\n".join(documents.values()) for quote in said)
        if answers == "cited":
            listed = listed_quotes(turn)
            assert [quote for _, quote in listed] == said
            assert all(quote in documents[number] and number == own for number, quote in listed)
        # What we write is right by the rewards.
        checker = checker_for(pair.answer)[1]
        assert final_answer(turn) == pair.answer.strip() and cited(turn) == {own}
        assert answer_reward([turn], [pair.answer], [checker]) == [1.0]
        assert citation_reward([turn], [[own]]) == [1.0]
        assert quotation([turn], [[{"role": "user", "content": sample.messages[0].content}]]) == [1.0]
    assert worded >= (4 if "oversize" in more else 8)


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("embedded", {}),
        ("unsplit", {}),
        ("embedded", {"keychain": 2, "keychain_links": 2}),
        ("embedded", {"oversize": "trim"}),
    ],
)
def test_the_reasons_of_a_model_are_quoted_where_they_stand(
    items: Items, name: str, more: dict[str, object]
) -> None:
    tokenizer: Tokenizer = TOKENIZERS[name]
    length = 350 if "oversize" in more else 2000
    given = [(pair, reasoned_by_a_model(context)) for pair, context in items]
    options = {"tokenizer": tokenizer, "distractors": "random", **more}
    made = list(assemble(given, length, answers="reasoned", **options))
    worded = 0
    for (pair, context), sample in zip(given, made, strict=True):
        if isinstance(sample, Rejected):
            assert more
            continue
        worded += 1
        asked, turn = (message.content for message in sample.messages)
        assert sample.tokens == tokenizer.count_chat(sample.messages) <= sample.budget
        documents, own = documents_of(sample), 1 + sample.documents.index(pair.id)
        assert (sample.answer_form, sample.reasons_model) == ("reasoned", "tiny")
        assert [one.says for one in sample.reasons] == [one.says for one in context.reasons]
        for one, before in zip(sample.reasons, context.reasons, strict=True):
            quote = asked[one.start : one.end]
            assert quote == context.text[before.start : before.end] and quote in documents[own]
            assert re.search(rf"{re.escape(quoted(quote))} ?{re.escape(one.says)}", turn)
        assert cited(turn) == {own} and final_answer(turn) == pair.answer.strip()
        assert quotation([turn], [[{"role": "user", "content": asked}]]) == [1.0]
    assert worded >= (20 if not more else 8)
    # Other answers know nothing of them, and what is trimmed keeps what it kept.
    for answers in ("plain", "cited"):
        assert list(assemble(given, length, answers=answers, **options)) == list(
            assemble(items, length, answers=answers, **options)
        )


def reasoned_by_a_model(context: Context) -> Context:
    """Two sentences of a text, the later one first, as the steps of a model."""
    spans = [span for span in sentences(context.text) if span[1] - span[0] > 20]
    last, first = spans[-1], spans[0]
    steps = (Reason(*last, "That is what it says."), Reason(*first, ""))
    return replace(context, reasons=steps, reasons_model="tiny")


def test_twins_are_worded_without_a_model(items: Items) -> None:
    given = [(pair, reasoned_by_a_model(context)) for pair, context in items]
    options = {"answers": "reasoned", "twins": ("changed",)}
    assert list(assemble(given, 2000, **options)) == list(assemble(items, 2000, **options))


def test_steps_come_in_their_order_and_each_piece_once() -> None:
    whats = ("hop 2 of 2: answer", "hop 1 of 2: bridge", "hop 1 of 2: bridge")
    reply = Reply("reasoned", "x", "Where was the captain born?", "Yell", "bridge", whats)
    pieces = (
        "Wilfred Cheng was born in Yell.",
        "Wilfred Cheng was the captain.",
        "Wilfred Cheng was the captain.",
    )
    text = reply.said(7, pieces).turn.content
    assert quotes(text) == [pieces[1], pieces[0]] and cited(text) == {7}
    assert re.search(r"captain\.”.*Wilfred Cheng\..*“Wilfred Cheng was born", text) and text.endswith(
        "\n\nAnswer: Yell"
    )
    assert text == reply.said(7, pieces).turn.content
    # A name that the question has is not found out.
    asked = Reply("reasoned", "x", "Where was Wilfred Cheng born?", "Yell", "bridge", whats)
    assert "Wilfred Cheng" not in without_quotes(asked.said(7, pieces).turn.content)


def test_many_and_long_pieces_are_not_all_quoted() -> None:
    pieces = [f"Piece {n} is told here." for n in range(40)]
    whats = tuple(f"answer {n + 1}/40" for n in range(40))
    reply = Reply("cited", "x", "Sum it up.", "All of it.", "", whats)
    assert [quote for _, quote in listed_quotes(reply.said(2, pieces).turn.content)] == pieces[:8]
    # What is not all of it does not claim to be.
    some, all_of_it = (
        Reply("reasoned", "x", "Sum it up.", "All.", "", whats[:count]).said(2, pieces[:count]).turn.content
        for count in (40, 3)
    )
    closings = ("Taken together, that is the answer.", "These parts make up the answer.")
    assert not any(closing in some for closing in closings)
    assert any(closing in all_of_it for closing in closings)
    long = Reply("cited", "x", "Sum it up.", "All of it.", "", whats[:3])
    said = long.said(2, ["a" * 3000, "b", "c"]).turn.content
    assert [quote for _, quote in listed_quotes(said)] == ["a" * 3000]


@pytest.mark.parametrize(
    "text", ["plain", "with “marks”", "„German“ and «French»", "two\nlines [3] “x”", "“a” «b» 「c」", ""]
)
def test_a_quote_is_found_again(text: str) -> None:
    assert quotes(f"Before it {quoted(text)} and after.") == [text]
    assert without_quotes(f"a{quoted(text)}b") == "a b"
    assert listed_quotes(f"yes\n\n[12] {quoted(text)}\n[3] {quoted('z')}") == [(12, text), (3, "z")]
    assert without_listed(f"yes\n\n[12] {quoted(text)}\n[3] {quoted('z')}") == "yes"
    assert without_listed(f"[12] {quoted(text)} is said") == f"[12] {quoted(text)} is said"


def test_no_marks_go_around_a_text_that_has_them_all() -> None:
    text = "“«「‹"
    assert quoted(text) == ""
    reply = Reply("cited", "x", "Who?", "Ada", "", ("answer",))
    assert reply.said(1, [text]).turn.content == "Ada" and reply.said(1, [text]).asked == ""


def test_numbers_inside_quotes_point_to_nothing() -> None:
    assert cited("Yell\n\n[3] “as document 9 has it [12]”") == {3}
    assert cited("In document 4 it says: “see document 5”") == {4}
    assert cited("In Dokument 4 steht: “x”") == cited("文档 4 写道：“x”") == {4}
    assert quotation(["no quote at all"], ["text"]) == [0.0]
    assert quotation(["“a b” and “nowhere”"], ["x a b y"]) == [0.5]


def test_a_header_without_a_number_is_refused(items: Items) -> None:
    with pytest.raises(UsageError, match=r"names? documents by number, and header '### ' gives none"):
        list(assemble(items, 1400, answers="cited", header="### "))
    numbered = next(iter(assemble(items, 1400, answers="cited", header="## {n}\n", distractors="random")))
    assert isinstance(numbered, Sample) and "## 1\n" in numbered.messages[0].content


def test_samples_that_leave_their_evidence_out_refuse_plainly(items: Items) -> None:
    made = assemble(items, 1400, answers="reasoned", abstain=0.5, distractors="random")
    refused = [one for one in made if isinstance(one, Sample) and one.distractors.endswith("+abstain")]
    assert refused and all(
        one.answer_form == "plain" and one.messages[1].content == one.answer for one in refused
    )


def test_evidence_of_others_is_quoted_as_it_stands() -> None:
    """Any spans will do, also ones that were located, overlap, or hold only blanks."""
    text = "  The mill was sold.  It was sold to Ada Byron in 1830, [4] says  document 2. "
    spans = (Evidence(0, 2, ""), Evidence(22, 60, "located"), Evidence(2, 60, ""), Evidence(22, 76, ""))
    pair = Pair(instruction="Who bought the mill?", answer="Ada Byron")
    (sample,) = assemble([(pair, Context(pair.id, text, spans))], 400, answers="cited", distractors="none")
    assert isinstance(sample, Sample)
    assert cited(sample.messages[1].content) == {1}
    assert all(quote in text for quote in quotes(sample.messages[1].content))


THINKING = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{% set thought = m.reasoning_content or '' %}"
    "{% set said = m.content %}{% if m.role == 'assistant' %}{% if not thought and '</think>' in said %}"
    "{% set thought = said.split('</think>')[0].replace('<think>', '') %}"
    "{% set said = said.split('</think>')[1] %}{% endif %}"
    "<think>\n{{ thought.strip('\n') }}\n</think>\n\n{{ said.lstrip('\n') }}{% else %}{{ said }}{% endif %}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
FORGETTING = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content.split('</think>')[-1] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n<think>\n{% endif %}"
)
APART = FORGETTING.replace("{{ m.content", "{{ m.reasoning_content }}{{ m.content")


def thinking(template: str) -> Tokenizer:
    return build_tokenizer("thinking", byte_level().to_str(), template, {})


def test_reasons_are_thoughts_where_the_template_knows_of_thoughts(items: Items) -> None:
    tokenizer = thinking(THINKING)
    assert tokenizer.thoughts() == ("<think>\n", "\n</think>\n\n")
    options: dict[str, Any] = {"tokenizer": tokenizer, "distractors": "random"}
    made = [
        one for one in assemble(items[:10], 3000, answers="reasoned", **options) if isinstance(one, Sample)
    ]
    assert len(made) >= 8
    for sample in made:
        user, turn = sample.messages
        thought, answer = turn.content.removeprefix("<think>\n").split("\n</think>\n\n")
        assert answer == sample.answer and all(quote in user.content for quote in quotes(thought))
        assert quotes(thought) and "step by step: name" not in user.content
        assert sample.tokens == tokenizer.count_chat(sample.messages) <= sample.budget
        assert final_answer(turn.content) == answer.strip()
        # As a trainer renders it that is given the thought apart.
        assert tokenizer.template is not None
        apart = {"role": "assistant", "content": answer, "reasoning_content": thought}
        told = write_turns(tokenizer.template.source, {}, [user._asdict(), apart])
        assert told == tokenizer.render(sample.messages)
        (encoded,) = encode_chats([(sample.id, sample.messages)], tokenizer)
        (span,) = encoded.targets
        learnt = list(encoded.ids[span.start : span.end])
        assert learnt == tokenizer.encode(f"{turn.content}<|im_end|>")
    # What is cited is no thought.
    cites = next(iter(assemble(items[:10], 3000, answers="cited", **options)))
    assert isinstance(cites, Sample) and cites.messages[1].content.startswith(cites.answer)


@pytest.mark.parametrize("template", [FORGETTING, APART])
def test_a_template_that_would_lose_thoughts_gets_plain_text(items: Items, template: str) -> None:
    tokenizer = thinking(template)
    assert tokenizer.thoughts() is None
    made = assemble(items[:10], 3000, tokenizer=tokenizer, distractors="random", answers="reasoned")
    sample = next(iter(made))
    assert isinstance(sample, Sample) and "<think>" not in sample.messages[1].content
    assert f"Answer: {sample.answer}" in sample.messages[1].content
