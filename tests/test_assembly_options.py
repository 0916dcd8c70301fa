"""Headers, left-out contexts, trimmed ones, several lengths, and where the evidence stands."""

import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthesis import Context, Evidence, Pair, Rejected, Sample, assemble
from synthesis.assembly import (
    REFUSAL,
    parse_lengths,
)
from synthesis.assembly.options import apportion, assign
from synthesis.assembly.rendering import Style, lay_out
from synthesis.errors import UsageError
from synthesis.tokens import Tokenizer
from tests.assembly_texts import TOKENIZERS, check, corpus, prose, samples, tokens_of

EMBEDDED = TOKENIZERS["embedded"]


@pytest.fixture(params=sorted(TOKENIZERS))
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    return TOKENIZERS[request.param]


# --- headers and separators -------------------------------------------------------


@pytest.mark.parametrize("separator", ["\n\n", "\n-----\n", "", " "])
def test_headers_and_separators_are_counted(tokenizer: Tokenizer, separator: str) -> None:
    items = corpus(30)
    made = samples(assemble(items, "2k", tokenizer=tokenizer, header="Document {n}:\n", separator=separator))
    for sample, (pair, context) in zip(made, items, strict=True):
        check(sample, pair, context, tokenizer)
        assert sample.tokens >= 0.995 * 2048
        content = sample.messages[0].content
        places = [content.index(f"Document {n}:\n") for n in range(1, len(sample.documents) + 1)]
        assert places == sorted(places)
        own = sample.documents.index(pair.id) + 1
        assert content[: sample.evidence_span[0]].endswith(f"Document {own}:\n")
        assert f"Document {len(places) + 1}:" not in content
        if separator.strip():
            assert content.count(separator) == len(places) - 1


def test_only_the_number_is_filled_in_headers() -> None:
    laid = lay_out(Pair(instruction="q", answer="a"), "{n} own", ["{n} one"], ["{n}"], Style("[{n}] ", "|"))
    assert laid.messages[0].content == "[1] {n} one|[2] {n} own|[3] {n}\n\nq"
    with pytest.raises(UsageError, match="braces"):
        assemble(corpus(1), "1k", header="Document {number}:")


# --- samples without their context --------------------------------------------------


def test_some_samples_leave_their_context_out() -> None:
    items = corpus(40)
    made = samples(assemble(items, "2k", abstain=0.25, refusal="It is not told."))
    without = [sample for sample in made if sample.distractors == "same-task+abstain"]
    assert len(without) == 10
    for sample, (pair, context) in zip(made, items, strict=True):
        if sample not in without:
            check(sample, pair, context, EMBEDDED)
            continue
        assert sample.messages[1].content == "It is not told."
        assert context.text not in sample.messages[0].content
        assert pair.answer not in sample.messages[0].content
        assert pair.id not in sample.documents
        assert sample.documents
        assert sample.evidence_span == sample.token_span == (0, 0)
        assert sample.evidence == sample.evidence_tokens == ()
        assert 0.995 * 2048 <= sample.tokens == EMBEDDED.count_chat(sample.messages) <= 2048
    again = samples(assemble(items[::-1], "2k", abstain=0.25, refusal="It is not told."))
    assert {sample.pair_id for sample in again if "abstain" in sample.distractors} == {
        sample.pair_id for sample in without
    }


def test_nothing_to_leave_out_for_is_rejected() -> None:
    outcome = next(assemble(corpus(1), "1k", abstain=1.0))
    assert isinstance(outcome, Rejected)
    assert "no other document" in outcome.reason
    assert REFUSAL.strip()


@pytest.mark.parametrize(
    "wrong",
    [
        {"abstain": 1.2},
        {"abstain": True},
        {"abstain": 0.5, "refusal": " "},
        {"abstain": 0.5, "distractors": "none"},
        {"oversize": "cut"},
    ],
)
def test_wrong_options_are_refused_at_once(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        assemble(corpus(1), "1k", **wrong)  # type: ignore[arg-type]


# --- contexts that are too long -------------------------------------------------------


def long_item(seed: int, pieces: int = 3, words: int = 3000) -> tuple[Pair, Context]:
    """A context with evidence sentences strewn in, recorded."""
    text, at, spans = "", 0, []
    body = prose(("long", seed), words)
    breaks = [place + 2 for place in range(len(body)) if body.startswith(". ", place)]
    for number, cut in enumerate(sorted(random.Random(seed).sample(breaks, pieces))):
        said = f"Zorv {seed} did thing {number}."
        text += body[at:cut]
        spans.append((len(text), len(text) + len(said)))
        text, at = f"{text}{said} ", cut
    text += body[at:]
    pair = Pair(instruction=f"What did zorv {seed} do?", answer=f"deed {seed}")
    return pair, Context(pair.id, text, tuple(Evidence(s, e, text[s:e]) for s, e in spans))


@pytest.mark.parametrize("length", ["1k", "2k"])
def test_too_long_contexts_keep_their_evidence(tokenizer: Tokenizer, length: str) -> None:
    items = [long_item(seed) for seed in range(8)]
    assert all(isinstance(o, Rejected) for o in assemble(items, length, tokenizer=tokenizer))
    for sample, (_, context) in zip(
        samples(assemble(items, length, tokenizer=tokenizer, oversize="trim")), items, strict=True
    ):
        start, end = sample.evidence_span
        content = sample.messages[0].content
        assert (
            0.995 * sample.budget <= sample.tokens == tokenizer.count_chat(sample.messages) <= sample.budget
        )
        found = sample.evidence
        assert [content[piece.start : piece.end] for piece in found] == [
            piece.what for piece in context.evidence
        ]
        assert all(start <= piece.start < piece.end <= end for piece in found)
        # What is kept are sentences of the context, in their order.
        assert len(content[start:end]) > 0.6 * len(content)


def test_contexts_whose_evidence_alone_is_too_long_are_rejected() -> None:
    pair, context = long_item(1)
    context = replace(context, evidence=(Evidence(0, len(context.text), "everything"),))
    outcome = next(assemble([(pair, context)], "1k", oversize="trim"))
    assert isinstance(outcome, Rejected)
    assert "evidence" in outcome.reason


def test_without_evidence_the_opening_is_kept() -> None:
    pair, context = long_item(2)
    sample = samples(assemble([(pair, replace(context, evidence=()))], "1k", oversize="trim"))[0]
    start, end = sample.evidence_span
    assert context.text.startswith(sample.messages[0].content[start : start + 300])
    assert sample.tokens >= 0.99 * 1024
    assert end > start


# --- evidence -----------------------------------------------------------------------


def test_evidence_is_found_in_text_and_tokens(tokenizer: Tokenizer) -> None:
    items = [long_item(seed, words=500) for seed in range(6)]
    for sample, (_, context) in zip(samples(assemble(items, "2k", tokenizer=tokenizer)), items, strict=True):
        content = sample.messages[0].content
        found = sample.evidence
        assert [content[piece.start : piece.end] for piece in found] == [
            piece.what for piece in context.evidence
        ]
        assert sample.token_span == tokens_of(sample, tokenizer, sample.evidence_span)
        rendered = tokenizer.render(sample.messages)
        offsets = tokenizer.offsets(rendered)
        for piece, (first, last) in zip(found, sample.evidence_tokens, strict=True):
            covered = rendered[offsets[first][0] : offsets[last - 1][1]]
            assert content[piece.start : piece.end] in covered
            assert len(covered) <= piece.end - piece.start + 24


# --- several lengths ------------------------------------------------------------------


def test_lengths_are_parsed() -> None:
    assert parse_lengths("4k:0.2,32k:0.5,128k:0.3") == [(4096, 0.2), (32768, 0.5), (131072, 0.3)]
    assert parse_lengths(" 4k, 8k ") == [(4096, None), (8192, None)]
    assert parse_lengths("4k:1,8k:3") == [(4096, 0.25), (8192, 0.75)]


@pytest.mark.parametrize(
    "bad", ["", "4k:0.2,8k", "4k,4096", "4k:0,8k:1", "4k:-1", "4k:x", "4k:inf", "4q", "4k:"]
)
def test_impossible_lengths(bad: str) -> None:
    with pytest.raises(UsageError):
        parse_lengths(bad)


def test_a_mixture_is_exact_and_stratified() -> None:
    items = corpus(60, words=60, tasks=("story_qa", "qasper", "my own"))
    mixture = {"1k": 0.2, "2k": 0.5, "4k": 0.3}
    made = samples(assemble(items, mixture, distractors="random"))
    assert Counter(sample.budget for sample in made) == {1024: 12, 2048: 30, 4096: 18}
    for task in ("story_qa", "qasper", "my own"):
        counted = Counter(sample.budget for sample in made if sample.task == task)
        assert all(abs(counted[length] - 20 * share) <= 2 for length, share in ((1024, 0.2), (2048, 0.5)))
    for sample, (pair, context) in zip(made, items, strict=True):
        check(sample, pair, context, EMBEDDED)
        assert sample.tokens >= 0.995 * sample.budget
    back = samples(assemble(items[::-1], "1k:2,2k:5,4k:3", distractors="random"))
    assert {sample.id: sample for sample in back} == {sample.id: sample for sample in made}


def test_a_mixture_of_one_is_that_length() -> None:
    items = corpus(12)
    assert list(assemble(items, {2048: 1})) == list(assemble(items, "2k"))
    with pytest.raises(UsageError):
        assemble(items, {"1k": 0.5, 1024: 0.5})
    with pytest.raises(UsageError):
        assemble(items, {})


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2**64 - 1)), max_size=150),
    st.lists(st.integers(1, 9), min_size=1, max_size=5),
)
def test_each_share_gets_its_exact_number(items: list[tuple[int, int]], weights: list[int]) -> None:
    shares = [weight / sum(weights) for weight in weights]
    counts = Counter(assign([group for group, _ in items], [key for _, key in items], shares))
    wanted = apportion(len(items), shares)
    assert [counts[part] for part in range(len(shares))] == wanted
    assert sum(wanted) == len(items)
    assert all(
        abs(count - len(items) * share) < 1 + 1e-6 for count, share in zip(wanted, shares, strict=True)
    )


def test_samples_of_a_mixture_keep_their_type() -> None:
    assert all(isinstance(sample, Sample) for sample in assemble(corpus(4), "1k:1,2k:1"))
