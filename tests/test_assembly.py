import json
import math
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synthesis import Context, Pair, Rejected, Sample, assemble
from synthesis.assembly.choosing import Ring
from synthesis.assembly.cutting import Cutter, Document
from synthesis.assembly.documents import number
from synthesis.assembly.fitting import Room, Stock, fill
from synthesis.assembly.options import assign_depths, parse_depth
from synthesis.assembly.rendering import lay_out
from synthesis.errors import TokenizerError, UsageError
from synthesis.tasks import GENERIC, TASKS
from synthesis.text.sentences import sentence_spans
from synthesis.text.states import is_ordinary, states
from synthesis.tokens import Tokenizer, build_tokenizer, load_tokenizer
from tests.assembly_texts import TOKENIZERS, WORDS, byte_level, check, corpus, odd_text, prose, samples
from tests.programs import under_hash_seeds
from tests.real_texts import needs_large, rows


@pytest.fixture(params=sorted(TOKENIZERS))
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    return TOKENIZERS[request.param]


# --- budget -----------------------------------------------------------------


@pytest.mark.parametrize("length", ["1k", "2k", 5000])
def test_every_sample_is_full_and_never_over(tokenizer: Tokenizer, length: str | int) -> None:
    items = corpus(40)
    for sample, (pair, context) in zip(
        samples(assemble(items, length, tokenizer=tokenizer)), items, strict=True
    ):
        check(sample, pair, context, tokenizer)
        assert sample.tokens >= math.ceil(0.995 * sample.budget)


def test_parts_end_where_sentences_end() -> None:
    items = corpus(60)
    texts = {pair.id: context.text for pair, context in items}
    cuts = 0
    for sample in samples(assemble(items, "2k")):
        content = sample.messages[0].content
        for document in sample.documents:
            if texts[document] in content:
                continue
            cuts += 1
    assert cuts > 40
    # The text right before each joint that a part leaves ends a sentence.
    ends = Counter(
        s.messages[0].content[s.evidence_span[0] - 3] for s in samples(assemble(items, "2k", depth=1.0))
    )
    assert set(ends) <= set(".?")


def test_texts_without_sentences_are_cut_between_words_and_still_fill() -> None:
    items = [
        (
            Pair(instruction=f"q{n}", answer=f"x{n}y"),
            Context("", " ".join(random.Random(n).choices(WORDS, k=300))),
        )
        for n in range(20)
    ]
    for sample in samples(assemble(items, "1k", depth="start")):
        assert sample.tokens >= 0.995 * 1024
        assert sample.messages[0].content.split("\n\nq")[0].split()[-1] in WORDS


def test_one_word_without_end_is_cut_between_characters() -> None:
    items = [
        (
            Pair(instruction=f"q{n}", answer=f"x{n}y"),
            Context("", "".join(random.Random(n).choices("窗户开着", k=900))),
        )
        for n in range(6)
    ]
    for sample in samples(assemble(items, 6000)):
        assert 0.995 * 6000 <= sample.tokens <= 6000


def test_a_context_too_long_alone_is_rejected_with_numbers() -> None:
    items = corpus(12)
    big = replace(items[3][1], text=prose("big", 3000))
    items[3] = items[3][0], big
    outcomes = list(assemble(items, "2k"))
    rejected = [outcome for outcome in outcomes if isinstance(outcome, Rejected)]
    assert [r.pair_id for r in rejected] == [items[3][0].id]
    need = load_tokenizer().count_chat(lay_out(items[3][0], big.text).messages)
    assert rejected[0].stage == "assembly"
    assert rejected[0].fingerprint == "f3"
    assert "2,048 (2k)" in rejected[0].reason
    assert "greater length" in rejected[0].reason
    stated = int(rejected[0].reason.split(" tokens")[0].split()[-1].replace(",", ""))
    assert abs(stated - need) <= 8
    assert len(outcomes) == 12


def test_the_limit_itself_is_exact(tokenizer: Tokenizer) -> None:
    items = corpus(1)
    need = tokenizer.count_chat(lay_out(items[0][0], items[0][1].text).messages)
    exact = next(assemble(items, need, tokenizer=tokenizer))
    assert isinstance(exact, Sample)
    assert exact.tokens == need
    assert isinstance(next(assemble(items, need - 1, tokenizer=tokenizer)), Rejected)


def test_blank_context_is_rejected_and_never_a_distractor() -> None:
    items = corpus(3)
    items[1] = items[1][0], replace(items[1][1], text=" \n ")
    outcomes = list(assemble(items, "4k"))
    assert isinstance(outcomes[1], Rejected)
    assert "blank" in outcomes[1].reason
    assert isinstance(outcomes[0], Sample)
    assert items[1][0].id not in outcomes[0].documents


def test_too_little_text_makes_a_shorter_sample_with_all_of_it() -> None:
    items = corpus(4)
    for sample, (pair, context) in zip(samples(assemble(items, "32k")), items, strict=True):
        check(sample, pair, context, load_tokenizer())
        assert len(sample.documents) == 4
        assert all(other.text in sample.messages[0].content for _, other in items)
        assert sample.tokens < 16384


def test_barely_enough_text_is_used_up() -> None:
    items = corpus(5)
    total = next(iter(samples(assemble(items, "32k")))).tokens
    for budget in (total, total - 30, total - 150):
        for sample in samples(assemble(items[:1] + items[1:], budget, depth=0.5))[:1]:
            assert 0.995 * budget <= sample.tokens <= budget


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    texts=st.lists(st.tuples(odd_text, odd_text, odd_text), min_size=1, max_size=6),
    length=st.integers(1, 900),
    name=st.sampled_from(sorted(TOKENIZERS)),
    depth=st.floats(0, 1),
    distractors=st.sampled_from(["same-task", "random", "none"]),
)
def test_odd_texts_keep_every_promise(
    texts: list[tuple[str, str, str]], length: int, name: str, depth: float, distractors: str
) -> None:
    tokenizer = TOKENIZERS[name]
    items = [(Pair(instruction=q, answer=a, task="qasper"), Context("", text)) for q, a, text in texts]
    outcomes = list(assemble(items, length, tokenizer=tokenizer, depth=depth, distractors=distractors))
    for outcome, (pair, context) in zip(outcomes, items, strict=True):
        if isinstance(outcome, Sample):
            user = outcome.messages[0].content
            start, end = outcome.evidence_span
            assert user[start:end] == context.text
            assert outcome.tokens == tokenizer.count_chat(outcome.messages) <= length
        elif context.text.strip() and tokenizer.count(context.text):
            assert tokenizer.count_chat(lay_out(pair, context.text).messages) > length


# --- depth ------------------------------------------------------------------


def test_uniform_depths_are_stratified_in_what_is_achieved() -> None:
    depths = sorted(sample.depth for sample in samples(assemble(corpus(120), "4k")))
    # A perfect ladder would have depths[i] = (i + 0.5) / n; a sentence more or less is allowed.
    assert max(abs(depth - (rank + 0.5) / 120) for rank, depth in enumerate(depths)) < 0.03


@pytest.mark.parametrize(
    ("asked", "wanted"), [("start", 0.0), ("end", 1.0), ("middle", 0.5), (0.3, 0.3), ("0.8", 0.8)]
)
def test_asked_depth_is_met(asked: str | float, wanted: float) -> None:
    for sample in samples(assemble(corpus(40), "4k", depth=asked)):
        assert sample.depth == pytest.approx(wanted, abs=0.02)


def test_several_depths_are_used_equally() -> None:
    made = Counter(round(s.depth, 1) for s in samples(assemble(corpus(60), "4k", depth=[0.0, 0.5, 1.0])))
    assert made == {0.0: 20, 0.5: 20, 1.0: 20}


def test_recorded_depth_is_where_the_context_stands() -> None:
    wording = len("Here are several stories.\n\n")
    for sample in samples(assemble(corpus(30), "2k")):
        content = sample.messages[0].content
        start, end = sample.evidence_span
        documents = content[wording : content.index("\n\nAnswer the question")]
        others = len(documents) - (end - start)
        assert sample.depth == pytest.approx((start - wording) / others, abs=1e-6)


def test_uniform_depth_does_not_depend_on_order() -> None:
    items = corpus(30)
    forth = {s.pair_id: s for s in samples(assemble(items, "2k"))}
    back = {s.pair_id: s for s in samples(assemble(items[::-1], "2k"))}
    assert forth == back


@pytest.mark.parametrize(
    "bad", ["deep", "", "1.5", -0.1, 2, math.nan, [], [0.5, "x"], True, None, "0.1,,0.2"]
)
def test_impossible_depths(bad: str) -> None:
    with pytest.raises(UsageError, match="Write uniform"):
        assemble(corpus(1), "1k", depth=bad)


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=200, unique=True))
def test_each_stratum_gets_one(keys: list[int]) -> None:
    depths = assign_depths(parse_depth("uniform"), keys)
    assert sorted(int(depth * len(keys) + 1e-9) for depth in depths) == list(range(len(keys)))


# --- distractors ------------------------------------------------------------


def test_same_task_pools_never_mix_and_run_out_visibly() -> None:
    items = corpus(24, tasks=["story_qa", "qasper", "narrativeqa", "my own", "another"])
    kinds = {pair.id: {"narrativeqa": "story_qa"}.get(pair.task, pair.task) for pair, _ in items}
    for sample in samples(assemble(items, "64k")):
        assert len({kinds[document] for document in sample.documents}) == 1
        assert sample.tokens < 32768
    mixed = [
        len({kinds[d] for d in s.documents}) for s in samples(assemble(items, "4k", distractors="random"))
    ]
    assert sum(mixed) > 2 * len(mixed)


def test_none_means_none() -> None:
    for sample in samples(assemble(corpus(5), "8k", distractors="none", depth=0.7)):
        assert len(sample.documents) == 1
        assert sample.depth == 0.0


def test_reuse_is_even() -> None:
    items = corpus(90)
    uses: Counter[str] = Counter()
    for sample in samples(assemble(items, "4k")):
        uses.update(document for document in sample.documents if document != sample.pair_id)
    mean = uses.total() / 90
    assert len(uses) == 90
    assert max(uses.values()) <= mean + 4
    assert min(uses.values()) >= mean - 4


def test_max_reuse_holds() -> None:
    uses: Counter[str] = Counter()
    for sample in samples(assemble(corpus(40), "8k", max_reuse=2)):
        uses.update(document for document in sample.documents if document != sample.pair_id)
    assert max(uses.values()) == 2


def test_ring_uses_everybody_equally() -> None:
    keys = [number(n) for n in range(50)]
    ring = Ring(range(50), keys, 7, 6)
    uses = Counter(other for member in range(50) for other in ring.candidates(member))
    assert set(uses.values()) == {6}
    assert all(member not in set(ring.candidates(member)) for member in range(50))
    assert sorted(Ring(range(50), keys, 7, None).candidates(3)) == [n for n in range(50) if n != 3]


def test_documents_with_the_answer_are_not_distractors() -> None:
    items = corpus(20)
    leaky = [1, 4, 9]
    for place in leaky:
        pair, context = items[place]
        items[place] = pair, replace(context, text=context.text + "\n\nIt was ZORV\u00a00, of all people.")
    first = next(iter(samples(assemble(items, "64k"))))
    assert not {items[place][0].id for place in leaky} & set(first.documents)
    assert len(first.documents) == 17


def test_twins_are_not_distractors() -> None:
    items = corpus(6)
    pair, context = items[0]
    items.append((pair, replace(context, text=prose("second context of the pair", 200))))
    items.append(
        (
            Pair(instruction="Asked otherwise?", answer="the zorv 0", task="story_qa"),
            Context("", prose(1, 99)),
        )
    )
    items.append((Pair(instruction="Same text?", answer="elsewhere", task="story_qa"), context))
    first = next(iter(samples(assemble(items, "64k"))))
    assert first.documents.count(pair.id) == 1
    assert set(first.documents) == {pair.id for pair, _ in items[:6]}


def test_yes_no_answers_exclude_only_the_pair_itself() -> None:
    items = [
        (Pair(instruction=f"Is it {n}?", answer="Yes.", task="qasper"), Context("", "Yes. " + prose(n, 100)))
        for n in range(8)
    ]
    assert all(len(sample.documents) == 8 for sample in samples(assemble(items, "64k")))


@pytest.mark.parametrize(
    ("answer", "text", "found"),
    [
        ("The Georgia Peach", "nicknamed “Georgia-Peach” by all", True),
        ("1,200", "some 1200 of them", True),
        ("1200", "some 1,200,000 of them", False),
        ("Egypt", "Egyptian art", False),
        ("北京", "我在北京住", True),
        ("IBM", "那是IBM的", True),
        ("STRASSE 5", "in der Straße 5", True),
        ("no", "there is no such thing", False),
        ("B", "plan b", False),
        ("!?", "what !?", False),
        ("7", "chapter 7.", True),
        ("a bee", "One bee", True),
    ],
)
def test_what_counts_as_giving_away(answer: str, text: str, found: bool) -> None:
    assert (not is_ordinary(answer) and states(text, answer)) is found


@pytest.mark.parametrize(
    "wrong",
    [{"distractors": "lexicl"}, {"max_reuse": 0}, {"length": "8kb"}, {"tokenizer": "./nowhere"}],
)
def test_wrong_options_are_refused_at_once(wrong: dict[str, object]) -> None:
    options: dict[str, object] = {"length": "1k", **wrong}
    with pytest.raises(UsageError):
        assemble(corpus(1), **options)  # type: ignore[arg-type]


def test_a_template_that_wants_a_system_turn_is_reported() -> None:
    source = "{% if messages[0].role != 'system' %}{{ raise_exception('system first') }}{% endif %}"
    strict = build_tokenizer("strict", byte_level().to_str(), source, {})
    with pytest.raises(TokenizerError, match="system first"):
        list(assemble(corpus(2), "1k", tokenizer=strict))


# --- wording, identity, repeatability ---------------------------------------


@pytest.mark.parametrize("task", [*TASKS, GENERIC], ids=lambda task: task.name)
def test_wordings_have_each_placeholder_once(task: object) -> None:
    wording = task.wording  # type: ignore[attr-defined]
    assert wording.count("{documents}") == wording.count("{instruction}") == 1


def test_braces_are_never_expanded_again() -> None:
    pair = Pair(instruction="{documents} or {instruction}?", answer="{answer}", task="qasper")
    laid = lay_out(pair, "own {instruction} {documents} {0}", ["before {documents}"], ["after {instruction}"])
    block = "before {documents}\n\nown {instruction} {documents} {0}\n\nafter {instruction}"
    assert laid.messages[0].content.count(block) == 1
    assert laid.messages[0].content.endswith("Question: {documents} or {instruction}?")
    start, end = laid.span
    assert laid.messages[0].content[start:end] == "own {instruction} {documents} {0}"


def test_ids_follow_options() -> None:
    items = corpus(8)
    seen = [
        next(iter(samples(assemble(items, "1k", **options)))).id  # type: ignore[arg-type]
        for options in ({}, {"seed": 1}, {"depth": 0.5}, {"distractors": "random"}, {"max_reuse": 3})
    ]
    seen.append(next(iter(samples(assemble(items, "2k")))).id)
    assert len(set(seen)) == 6
    assert next(iter(samples(assemble(items, "1k")))).id == seen[0]


def test_the_seed_changes_company_and_depth() -> None:
    items = corpus(30)
    one, two = (samples(assemble(items, "2k", seed=seed)) for seed in (1, 2))
    assert sum(a.documents != b.documents for a, b in zip(one, two, strict=True)) > 25


def test_score_and_counts_are_taken_over() -> None:
    items = corpus(6)
    tokenizer = load_tokenizer()
    counted = [(p, replace(c, tokens=tokenizer.count(c.text))) for p, c in items]
    score: Callable[[int], float | None] = lambda place: place / 10 if place else None  # noqa: E731
    plain = samples(assemble(items, "1k", coherence=score))
    assert [sample.coherence for sample in plain] == [None, 0.1, 0.2, 0.3, 0.4, 0.5]
    assert samples(assemble(counted, "1k", coherence=score, counted_by=tokenizer.identity)) == plain
    # Counts of another tokenizer are not believed.
    wrong = [(p, replace(c, tokens=1)) for p, c in items]
    assert samples(assemble(wrong, "1k", coherence=score, counted_by="other")) == plain


class Watched(Sequence[tuple[Pair, Context]]):
    """Items that count how often they are read."""

    def __init__(self, items: list[tuple[Pair, Context]]) -> None:
        self.items, self.reads = items, 0

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, place: int) -> tuple[Pair, Context]:  # type: ignore[override]
        self.reads += 1
        return self.items[place]


def test_samples_come_before_all_are_made() -> None:
    watched = Watched(corpus(200, words=60))
    first = next(assemble(watched, "1k"))
    assert isinstance(first, Sample)
    assert watched.reads < 200 + 2 * 32 * 20  # two batches are under way


def test_no_items_no_samples() -> None:
    assert list(assemble([], "8k")) == []


DUMP = """
import json, os
from dataclasses import asdict
os.environ["TOKENIZERS_PARALLELISM"] = str(os.environ["PYTHONHASHSEED"] != "1").lower()
from synthesis import assemble
from tests.assembly_texts import corpus
items = corpus(20, tasks=["qasper", "x"])
options = {"distractors": "lexical:0.5,random:0.5", "max_reuse": 9}
made = [*assemble(items, "2k"), *assemble(items, "2k", **options)]
print(json.dumps([asdict(s) for s in made]))
"""


def test_same_bytes_whatever_the_hash_seed_and_threads() -> None:
    assert len(json.loads(under_hash_seeds(DUMP))) == 40


# --- parts ------------------------------------------------------------------


def test_sentences() -> None:
    text = 'Dr. Ode left at 3.15 p.m. on foot. "Who?" asked A. Bee!\nA heading\n他走了。她没有。 End'
    parts = [text[start:end] for start, end in sentence_spans(text)]
    assert parts == [
        "Dr. Ode left at 3.15 p.m. on foot.",
        '"Who?" asked A. Bee!',
        "A heading",
        "他走了。",
        "她没有。",
        "End",
    ]


@settings(max_examples=50)
@given(odd_text)
def test_sentences_cover_the_text(text: str) -> None:
    spans = list(sentence_spans(text))
    assert "".join("".join(text[s:e] for s, e in spans).split()) == "".join(text.split())
    assert all(first[1] <= second[0] for first, second in pairwise(spans))


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(10, 300), max_size=12),
    tokens=st.integers(0, 2500),
    depth=st.floats(0, 1),
    slack=st.integers(0, 20),
)
def test_plans_keep_to_their_room(sizes: list[int], tokens: int, depth: float, slack: int) -> None:
    tokenizer = TOKENIZERS["embedded"]
    texts = [prose(("plan", place, size), size) for place, size in enumerate(sizes)]
    stock = Stock(Document(n, str(n), text, tokenizer.count(text)) for n, text in enumerate(texts))
    plan = fill(stock, Room(tokens, depth, 1, slack), Cutter(tokenizer))
    pieces = [*plan.before, *plan.after]
    assert plan.tokens == sum(piece.tokens + 1 for piece in pieces) <= tokens
    assert len({piece.item for piece in pieces}) == len(pieces)
    assert all(piece.text in texts[piece.item] for piece in pieces)
    if not plan.exhausted and tokens > slack + 2:
        assert plan.tokens >= tokens - slack - 2


# --- real texts -------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "length", "distractors", "off"),
    [
        (("own",), "8k", "random", 0.07),  # the largest of few documents is a tenth of a sample
        pytest.param(("hotpotqa", "multinews"), "12k", "same-task", 0.05, marks=needs_large),
    ],
)
def test_real_texts_fill_and_keep_their_depth(names, length, distractors, off) -> None:
    items = []
    for name in names:
        for row in rows(name)[: 50 if name == "own" else 30]:
            pair = Pair(instruction=row["instruction"], answer=row["answer"], task=row.get("task", name))
            items.append((pair, Context(pair.id, row["context"])))
    tokenizer = load_tokenizer()
    outcomes = list(assemble(items, length, distractors=distractors))
    kept = [(s, item) for s, item in zip(outcomes, items, strict=True) if isinstance(s, Sample)]
    assert len(kept) > 40
    for sample, (pair, context) in kept:
        check(sample, pair, context, tokenizer)
        assert sample.tokens >= 0.995 * sample.budget
    depths = sorted(sample.depth for sample, _ in kept)
    assert max(abs(d - (rank + 0.5) / len(depths)) for rank, d in enumerate(depths)) < off
