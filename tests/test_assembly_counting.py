"""Counts that are summed from parts are the counts of the whole."""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as Backend
from tokenizers import models, normalizers, pre_tokenizers

from synthesis import Context, Evidence, Pair, Sample, assemble
from synthesis.assembly.counting import Part, Trial, count_trials
from synthesis.assembly.joints import JOINT, adds_up
from synthesis.assembly.rendering import PLAIN as PLAIN_STYLE
from synthesis.assembly.rendering import lay_out
from synthesis.assembly.tables import Table, measure
from synthesis.assembly.word_counts import WordCounts
from synthesis.tokens import Tokenizer, build_tokenizer
from tests.assembly_texts import PLAIN, TOKENIZERS, byte_level, odd_text, prose, tokens_of

ADDITIVE = ["byte_level", "embedded", "unigram", "word_piece"]
# The full number of generated inputs takes some minutes on two cores.
EXAMPLES = int(os.environ.get("ASSEMBLY_EXAMPLES", "150"))


def test_which_tokenizers_add_up() -> None:
    assert {name for name, tokenizer in TOKENIZERS.items() if adds_up(tokenizer)} == set(ADDITIVE)


def refused(name: str, change: object) -> bool:
    backend = byte_level()
    change(backend)  # type: ignore[operator]
    return not adds_up(build_tokenizer(name, backend.to_str(), PLAIN, {}))


def test_tokenizers_that_might_not_add_up_are_refused() -> None:
    def unsplit(backend: Backend) -> None:
        backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)

    def stripped(backend: Backend) -> None:
        backend.normalizer = normalizers.Strip()

    def prepended(backend: Backend) -> None:
        backend.normalizer = normalizers.Prepend("x")

    def dropping(backend: Backend) -> None:
        model = backend.model
        assert isinstance(model, models.BPE)
        model.dropout = 0.5

    def wide_token(backend: Backend) -> None:
        backend.add_tokens(["end. The"])

    for change in (unsplit, stripped, prepended, dropping, wide_token):
        assert refused(change.__name__, change), change.__name__
    assert not refused("unchanged", lambda backend: None)


@pytest.mark.parametrize("name", ADDITIVE)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(texts=st.lists(odd_text, min_size=1, max_size=4))
def test_tables_sum_to_the_whole(name: str, texts: list[str]) -> None:
    tokenizer = TOKENIZERS[name]
    for text, table in zip(texts, measure(texts, WordCounts(tokenizer)), strict=True):
        assert table.total == tokenizer.count(text)
        assert Table.unpack(table.pack()) == table
        assert sum(table.tokens) <= table.total
        gap = table.gap(0, len(text))
        if gap is not None:
            short = text[: gap.start] + text[gap.end :]
            assert tokenizer.count(short) + gap.tokens == table.total


@pytest.mark.parametrize("name", ADDITIVE)
def test_gaps_are_large(name: str) -> None:
    text = prose("gap", 1000)
    table = next(measure([text], WordCounts(TOKENIZERS[name])))
    gap = table.gap(0, len(text))
    assert gap is not None
    assert gap.tokens > 0.85 * table.total
    assert all(JOINT.match(text, joint) for joint in table.joints)


def test_templates_that_alter_documents_are_counted_whole() -> None:
    doubling = "{% for m in messages %}{{ m.content | replace('harbour', 'harbour harbour') }}{% endfor %}"
    tokenizer = build_tokenizer("doubling", byte_level().to_str(), doubling, {})
    text = prose("altered", 900)
    gap = next(measure([text], WordCounts(tokenizer))).gap(0, len(text))
    assert gap is not None and "harbour" in text[gap.start : gap.end].lower()
    pair = Pair(instruction="q", answer="a")
    trial = Trial(pair, Part(text, [gap]), (), (), PLAIN_STYLE, [(0, 5)])
    (found,) = count_trials([trial], tokenizer)
    assert found.tokens == tokenizer.count_chat(found.layout.messages)
    assert (found.own, found.evidence) == ((0, 0), ((0, 0),))  # nothing can be found again
    plain = TOKENIZERS["byte_level"]
    (found,) = count_trials([trial], plain)
    assert found.tokens == plain.count_chat(found.layout.messages)
    assert found.layout == lay_out(pair, text)
    assert found.own[1] - found.own[0] > 0.9 * found.tokens


@pytest.mark.parametrize("name", ADDITIVE)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    text=odd_text,
    spans=st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), max_size=5),
    most=st.integers(0, 200),
)
def test_counts_by_words_are_those_of_the_tokenizer(
    name: str, text: str, spans: list[tuple[int, int]], most: int
) -> None:
    tokenizer, counter = TOKENIZERS[name], WordCounts(TOKENIZERS[name])
    within = [(min(start, len(text)), min(end, len(text))) for start, end in map(sorted, spans)]
    assert counter.count(text) == counter.count_batch([text])[0] == tokenizer.count(text)
    assert counter.locate_batch([text], [within]) == tokenizer.locate_batch([text], [within])
    assert counter.truncate(text, most) == tokenizer.truncate(text, most)
    (parted,) = counter.parted([text])
    assert parted.joints == [match.start() for match in JOINT.finditer(text)]
    ends = [*parted.joints[1:], len(text)]
    for joint, end, before, bare in zip(parted.joints, ends, parted.sums, parted.bare, strict=False):
        assert before == tokenizer.count(text[:joint])
        assert bare == tokenizer.count(text[joint + 1 : end])


def test_words_are_tokenized_once_and_not_all_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    counted = Tokenizer.count_batch

    def counting(self: Tokenizer, texts: list[str]) -> list[int]:
        seen.extend(texts)
        return counted(self, texts)

    monkeypatch.setattr(Tokenizer, "count_batch", counting)
    monkeypatch.setattr("synthesis.assembly.word_counts._Memo.limit", 50)
    counter, tokenizer = WordCounts(TOKENIZERS["embedded"]), TOKENIZERS["embedded"]
    few = "The ledger said so. It said so. The ledger."
    assert counter.count_batch([few] * 3) == [tokenizer.count(few)] * 3
    assert sorted(seen) == sorted(["The", " ledger", " said", " so.", " It", " ledger."] + [" The"])
    for place in range(40):
        text = prose(place, 30)
        assert counter.count_batch([text]) == [tokenizer.count(text)]
    assert len(counter._further) <= 50 + 30


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(
    texts=st.lists(st.tuples(odd_text, odd_text, odd_text), min_size=1, max_size=5),
    length=st.integers(1, 700),
    name=st.sampled_from(sorted(TOKENIZERS)),
    depth=st.floats(0, 1),
    distractors=st.sampled_from(["same-task", "random", "corpus", "lexical", "corpus:0.5,random:0.5"]),
    header=st.sampled_from(["", "Document {n}:\n", "<|im_start|>{n} "]),
    separator=st.sampled_from(["\n\n", "", "\n***\n", " "]),
    abstain=st.sampled_from([0.0, 0.0, 0.5]),
    oversize=st.sampled_from(["reject", "trim"]),
)
def test_whatever_the_texts_and_options_every_promise_is_kept(
    texts: list[tuple[str, str, str]],
    length: int,
    name: str,
    depth: float,
    distractors: str,
    header: str,
    separator: str,
    abstain: float,
    oversize: str,
) -> None:
    tokenizer = TOKENIZERS[name]
    items = []
    for question, answer, text in texts:
        third = len(text) // 3
        spans = (Evidence(0, third, text[:third]), Evidence(third, 2 * third, text[third : 2 * third]))
        pair = Pair(instruction=question, answer=answer, task="qasper")
        items.append((pair, Context("", text, spans if third else ())))
    outcomes = list(
        assemble(
            items, length, tokenizer=tokenizer, depth=depth, distractors=distractors, header=header,
            separator=separator, abstain=abstain, oversize=oversize,
            corpus=[(f"c{place}", prose(("odd", place), 40)) for place in range(4)]
            if "corpus" in distractors else None,
        )
    )  # fmt: skip
    for outcome, (pair, context) in zip(outcomes, items, strict=True):
        if not isinstance(outcome, Sample):
            continue
        user = outcome.messages[0].content
        start, end = outcome.evidence_span
        assert outcome.tokens == tokenizer.count_chat(outcome.messages) <= length
        assert 0.0 <= outcome.depth <= 1.0
        if outcome.distractors.endswith("+abstain"):
            assert (start, end) == (0, 0)
            continue
        assert outcome.messages[1].content == pair.answer
        if oversize == "reject":
            assert user[start:end] == context.text
        assert outcome.token_span == tokens_of(outcome, tokenizer, (start, end))
        for piece, held in zip(outcome.evidence, outcome.evidence_tokens, strict=True):
            assert start <= piece.start <= piece.end <= end
            assert user[piece.start : piece.end].strip() == piece.what.strip()
            assert held == tokens_of(outcome, tokenizer, (piece.start, piece.end))
