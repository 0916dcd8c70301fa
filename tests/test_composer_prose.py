"""The composer's contract: length, spans, variety, determinism, and nothing given away."""

import dataclasses
import itertools
import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.check_bank import lint
from synthesis.data import Message, Prompt
from synthesis.engines.base import Engine, Items, Sampling
from synthesis.engines.composer import GENRES, Composer, Draft, compose
from synthesis.engines.composer.dials import Dials
from synthesis.engines.composer.lexicon import words as listed
from synthesis.engines.composer.prose.about import about
from synthesis.engines.composer.prose.bank import genres, load_bank
from synthesis.engines.composer.prose.facts import Fact, Feed
from synthesis.engines.composer.prose.guard import guard
from synthesis.engines.composer.prose.plan import STAGES, cast_size, plan
from synthesis.engines.composer.prose.scene import Scene
from synthesis.engines.composer.prose.templates import compile_line, expand, tidy
from synthesis.engines.composer.prose.world import Clock, Supply
from synthesis.engines.composer.prose.writer import Writer
from synthesis.errors import UsageError
from synthesis.text.words import count_words
from tests.programs import under_hash_seeds
from tests.real_texts import rows, sets
from tests.test_composer_steps import ASKED

QUESTION, ANSWER = "Which country was the author of Silent Rivers born in?", "Portugal"
STORY = Dials(telling="narrative")


def grams(text: str, size: int = 8) -> set[tuple[str, ...]]:
    tokens = text.split()
    return {tuple(tokens[i : i + size]) for i in range(len(tokens) - size + 1)}


def sentences(text: str) -> list[str]:
    return [s for s in re.split(r'(?<=[.?!:"”])\s+', text) if s]


def prompt(pair_id: str = "p1", **variables: object) -> Prompt:
    given_variables = {"instruction": QUESTION, "answer": ANSWER, **variables}
    return Prompt(f"prompt-{pair_id}", pair_id, "story", given_variables, (Message("user", "…"),), "f")


# --- length -----------------------------------------------------------------------------


@pytest.mark.parametrize("genre", GENRES)
@pytest.mark.parametrize("words", [50, 51, 57, 64, 79, 80, 96, 120, 175, 300, 640, 2000])
def test_length_is_kept(genre: str, words: int) -> None:
    for key in ("a", "b"):
        text = compose(QUESTION, ANSWER, words=words, genre=genre, key=key).text
        assert abs(len(text.split()) - words) <= 0.03 * words


@pytest.mark.parametrize("mode", ["needle", "related"])
@pytest.mark.parametrize("words", [50, 90, 333, 1500])
def test_length_is_kept_in_every_mode(mode: str, words: int) -> None:
    text = compose(QUESTION, ANSWER, words=words, mode=mode).text
    assert abs(len(text.split()) - words) <= 0.03 * words


@pytest.mark.parametrize("genre", ["archive", "story"])
def test_a_very_long_text_keeps_its_length_and_hardly_repeats(genre: str) -> None:
    text = compose(QUESTION, ANSWER, words=20_000, genre=genre).text
    assert abs(len(text.split()) - 20_000) <= 600
    found = sentences(text)
    assert 1 - len(set(found)) / len(found) < 0.02


def test_evidence_longer_than_the_text_stands_with_little_around_it() -> None:
    answer = " ".join(f"Item {n} was sent to the depot in crate {n}." for n in range(60))
    draft = compose("What is a summary of the inventory?", answer, words=100)
    told = sum(len(draft.text[s:e].split()) for s, e, _ in draft.evidence)
    assert len(draft.text.split()) - told <= 5


# --- evidence ---------------------------------------------------------------------------


def test_spans_are_exact_and_in_order() -> None:
    answer = (
        "The bridge was closed in March. A survey found rust in nine of its cables. "
        "The council voted to replace it, and the work took two years. It reopened with a market."
    )
    draft = compose("What is a summary of the report?", answer, words=1500, genre="report")
    assert len(draft.evidence) >= 3
    assert [s for s, _, _ in draft.evidence] == sorted(s for s, _, _ in draft.evidence)
    for start, end, what in draft.evidence:
        assert what
        assert draft.text[start:end] == draft.text[start:end].strip() != ""
    depths = [s / len(draft.text) for s, _, _ in draft.evidence]
    assert depths[0] < 0.4
    assert depths[-1] > 0.5


def test_the_answer_is_told_only_by_the_evidence() -> None:
    for key in range(8):
        draft = compose(QUESTION, ANSWER, words=2000, key=str(key))
        outside, at = "", 0
        for start, end, _ in draft.evidence:
            outside += draft.text[at:start] + "\n"
            at = end
        assert ANSWER not in outside + draft.text[at:]


def test_cast_and_places_do_not_share_words_with_the_pair() -> None:
    taken = [*listed("first_names_f")[:140], *listed("surnames")[:280], *listed("towns")[:240]]
    avoid = guard(f"Which of these is meant: {', '.join(taken)}?", "Nobody knows.").names
    for seed in range(20):
        world = Supply(load_bank("story"), random.Random(seed), avoid).world(3, 1950)
        used = [world.values["town"], *(name for p in world.cast for name in p.full.split())]
        assert not set(used) & set(taken)


@pytest.mark.parametrize(
    ("answer", "forms"), [("7", ["7", "seven"]), ("1931", ["1931"]), ("forty", ["forty"])]
)
def test_numbers_of_the_narrative_are_not_the_answer(answer: str, forms: list[str]) -> None:
    for key in range(6):
        draft = compose("How many?", answer, words=1200, key=str(key), mode="needle")
        outside = draft.text
        for start, end, _ in reversed(draft.evidence):
            outside = outside[:start] + outside[end:]
        for form in forms:
            assert not re.search(rf"(?<!\w){form}(?!\w)", outside, re.IGNORECASE)


def test_modes_differ_in_what_surrounds_the_evidence() -> None:
    # Capitalised words in the middle of sentences are, in the main, those of facts.
    def names(mode: str) -> int:
        text = compose(QUESTION, ANSWER, words=2000, mode=mode, dials=STORY).text
        return len(re.findall(r"(?<=[a-z,] )[A-Z][a-z]+", text))

    assert names("needle") < names("woven") < names("related")


# --- odd pairs --------------------------------------------------------------------------


def length(draft: Draft, text: str) -> int:
    """Words as they were asked for: of a context in Chinese, two characters are one."""
    return count_words(text) if draft.form == "box" else len(text.split())


ODD = [
    ("¿Dónde nació la autora?", "En Córdoba, en 1923."),
    ("谁写了这本书？", "鲁迅"),
    ("من هو مؤلف الكتاب؟", "نجيب محفوظ"),
    ("Which emoji?", "🦀🔥"),
    ("Fill {they} and (a|b) {P}", "{Full} (x|y) {topic} {{documents}}"),
    ("Write code.", "def f(x):\n    return {x: 1}\n\nprint(f(2))"),
    ("lone \ud800 surrogate", "bad \udcff end"),
    ("", ""),
    ("q", "the"),
    ("q?", "one"),
]


@pytest.mark.parametrize(("instruction", "answer"), ODD)
@pytest.mark.parametrize("words", [60, 500])
def test_odd_pairs_get_a_whole_context(instruction: str, answer: str, words: int) -> None:
    draft = compose(instruction, answer, words=words)
    assert abs(length(draft, draft.text) - words) <= 0.03 * words
    for start, end, _ in draft.evidence:
        assert draft.text[start:end]
    if answer.strip():
        told = " ".join(draft.text[s:e] for s, e, _ in draft.evidence)
        assert answer.split()[0] in told


def test_a_very_large_answer_is_told_in_full() -> None:
    answer = "The ledger was copied twice. " * 40_000
    draft = compose("What happened?", answer, words=2000)
    assert sum(e - s for s, e, _ in draft.evidence) > 1_000_000


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60), st.integers(50, 400))
def test_any_pair_is_served(instruction: str, answer: str, words: int) -> None:
    draft = compose(instruction, answer, words=words)
    assert draft.text
    told = sum(length(draft, draft.text[s:e]) for s, e, _ in draft.evidence)
    assert told > words or abs(length(draft, draft.text) - words) <= max(1, 0.03 * words)


# --- variety and determinism --------------------------------------------------------------


@pytest.mark.parametrize("genre", genres())
def test_contexts_of_one_genre_share_little(genre: str) -> None:
    texts = [
        compose("What is a summary of the report?", f"Crate {n} was lost.", genre=genre, key=str(n)).text
        for n in range(24)
    ]
    found = [grams(text) for text in texts[:12]]
    shared = [len(a & b) / min(len(a), len(b)) for a, b in itertools.combinations(found, 2)]
    assert max(shared) < 0.10
    assert len({" ".join(text.split()[:16]) for text in texts}) == len(texts)


def test_seed_and_key_decide() -> None:
    assert compose(QUESTION, ANSWER, words=300) == compose(QUESTION, ANSWER, words=300)
    assert compose(QUESTION, ANSWER, words=300).text != compose(QUESTION, ANSWER, words=300, seed=1).text
    assert compose(QUESTION, ANSWER, words=300).text != compose(QUESTION, ANSWER, words=300, key="k").text


def test_hash_seed_does_not_matter() -> None:
    code = (
        "from synthesis.engines.composer import compose; import hashlib;"
        f"print(hashlib.sha256(compose({QUESTION!r}, {ANSWER!r}, words=900).text.encode()).hexdigest())"
    )
    under_hash_seeds(code)


# --- prose --------------------------------------------------------------------------------


@pytest.mark.parametrize("genre", genres())
def test_banks_are_clean(genre: str) -> None:
    assert lint(load_bank(genre)) == []


@pytest.mark.parametrize("genre", genres())
def test_prose_is_tidy(genre: str) -> None:
    for key in range(6):
        draft = compose(QUESTION, ANSWER, words=2000, genre=genre, key=str(key), mode="needle")
        outside = draft.text
        for start, end, _ in reversed(draft.evidence):
            outside = outside[:start] + outside[end:]
        assert not re.search(r"[{}|\ue000]|  | [,.;]", outside.replace("  ", " "))
        assert not re.search(r"\b[Aa] [aeio]\w", re.sub(r"\b[Aa] (?:one|once|eu)\w*", "", outside))
        doubled = {m[1].lower() for m in re.finditer(r"\b(\w+) \1\b", outside)}
        assert doubled <= {"had", "that", "her", "very"}
        sizes = [len(p.split()) for p in draft.text.split("\n\n")]
        assert max(sizes) <= 200
        assert all(
            s[0].isupper() or not s[0].isalpha() for p in outside.split("\n\n") for s in [p.strip()] if s
        )


def test_what_a_fact_is_about_is_seen_from_its_words() -> None:
    told = {
        "The ferry sank on 3 May 1957.": "date",
        "The mill employs 212 people.": "number",
        "“Blue Gate” was directed by Ana Ruiz.": "work",
        "Holm is a village in the county of Tarrow.": "place",
        "She was the daughter of a baker.": "person",
        "It was decided to wait.": "",
        "La novela fue escrita en la ciudad de Toledo por una autora.": "",
        "1. Boil it.\n2. Wait.": "",
    }
    assert {text: about(text) for text in told} == told


@pytest.mark.parametrize(("fact", "fits"), [("“Blue Gate” was filmed there.", True), ("They waited.", False)])
def test_why_a_fact_is_wanted_fits_what_it_is_about(fact: str, fits: bool) -> None:
    bank = load_bank("meeting")
    marked = replace(bank, kinds=bank.kinds | {"need work": (compile_line("A title was missing."),)})
    rng = random.Random(0)
    scene = Scene(marked, rng, Supply(marked, rng, frozenset()).world(2, 1990), Clock(1990, 10))
    writer = Writer(marked, rng, scene, Feed(rng, [], iter(()), 500, "needle"), [], guard("", ""))
    scene.begin(scene.world.cast[0], None)
    # "work" is what the paragraph is made of, too.
    told = [one.text for _ in range(80) for one in writer.tell([Fact(fact, "", 5)], 99, "work")]
    assert ("A title was missing." in told) is fits


def test_nobody_is_told_of_a_year_to_come() -> None:
    question, answer = (
        "When did the Halden ferry sink?",
        "It sank on 3 May 2014, with 1,907 crates and $1950.",
    )
    # Openings of a bank that say which year it is.
    now = re.compile(r"^In (\d{4}) there were|\bof (\d{4})\.", re.MULTILINE)
    seen = []
    for key in range(40):
        draft = compose(question, answer, words=200, genre="archive", key=str(key), mode="needle")
        seen += [int(match[1] or match[2]) for match in now.finditer(draft.text)]
    assert len(seen) >= 3
    assert min(seen) >= 2014


def test_people_are_introduced_before_their_short_name() -> None:
    text = compose(QUESTION, ANSWER, words=2000, genre="story", mode="needle").text
    names = set(listed("first_names_f")) | set(listed("first_names_m"))
    surnames = set(listed("surnames"))
    met = set()
    for first, second in itertools.pairwise(re.findall(r"[\w'-]+", text)):
        if first in names and second in surnames:
            met.add(first)
        elif first in names:
            assert first.removesuffix("'s") in met


# --- parts ----------------------------------------------------------------------------------


class _Plain:
    """An ink with one value for every slot."""

    def __init__(self, value: str = "oak", chance: float = 0.0) -> None:
        self.random = lambda: chance
        self._value = value

    def value(self, name: str) -> str:
        return self._value


def test_templates_expand() -> None:
    assert expand(compile_line("a {tree} (stood|fell)( again)."), _Plain()) == "An oak stood again."
    assert expand(compile_line("{Tree} (stood|fell)( again)."), _Plain(chance=0.99)) == "Oak fell."
    assert tidy("a  unit , a hour and a one-off .") == "A unit, an hour and a one-off."


@pytest.mark.parametrize("source", ["(a|b", "a|b", "a)", "{not a slot}", "{", "}"])
def test_a_broken_template_is_refused(source: str) -> None:
    with pytest.raises(UsageError, match="Template has"):
        compile_line(source)


def test_the_guard_knows_the_forms_of_an_answer() -> None:
    assert not guard("How many?", "7").clean("There were seven of them.")
    assert guard("How many?", "7").clean("There were seventeen of them.")
    assert not guard("Who?", "The Georgia Peach.").clean("Some called him Georgia Peach.")
    assert guard("Is it?", "yes").clean("Yes, said the clerk.")


@pytest.mark.parametrize("order", ["woven", "phases", "items"])
def test_every_story_is_told_in_order(order: str) -> None:
    beats = plan(random.Random(3), 4, 2200, order)
    assert beats[0].stage in (("open", "enter") if order == "woven" else ("open",))
    for person in range(4):
        stages = [b.stage for b in beats if b.focus == person and b.stage in STAGES]
        assert stages == [s for s in STAGES if s in stages]
        assert stages[0] == "aim"
        assert next(b for b in beats if b.focus == person).stage == "aim"
    assert 1 == cast_size(100) < cast_size(2000) <= cast_size(100_000) == 9


@pytest.mark.parametrize(
    ("order", "kinds"), [("items", ("item",)), ("phases", ("aim", "block", "turn", "end"))]
)
def test_headings_stand_alone_and_in_order(
    monkeypatch: pytest.MonkeyPatch, order: str, kinds: tuple[str, ...]
) -> None:
    plain = load_bank("archive")
    heads = {f"head_{kind}": (compile_line(f"{{section}}. On {kind}"),) for kind in kinds}
    bank = dataclasses.replace(plain, meta={**plain.meta, "order": order}, kinds={**plain.kinds, **heads})
    monkeypatch.setattr("synthesis.engines.composer.prose.book.load_bank", lambda genre: bank)
    text = compose(QUESTION, ANSWER, words=2000, dials=Dials(misses=0)).text
    found = [p for p in text.split("\n\n") if re.fullmatch(r"\d\. On \w+", p)]
    expected = kinds * 4 if order == "items" else kinds
    assert found == [f"{n}. On {kind}" for n, kind in enumerate(expected, 1)]
    assert abs(len(text.split()) - 2000) <= 60


def test_wrong_calls_say_what_to_do() -> None:
    with pytest.raises(UsageError, match="Choose one of"):
        compose(QUESTION, ANSWER, genre="sonnet")
    with pytest.raises(UsageError, match="Choose one of"):
        compose(QUESTION, ANSWER, mode="loud")
    with pytest.raises(UsageError, match="Ask for 50"):
        compose(QUESTION, ANSWER, words=0)


# --- the engine -------------------------------------------------------------------------------


def test_the_engine_serves_prompts_lazily_and_in_order() -> None:
    pulled = []

    def prompts() -> Iterator[Prompt]:
        for name in ("a", "b", "c"):
            pulled.append(name)
            yield prompt(name, words=200)

    engine: Engine = Composer()
    assert isinstance(engine, Engine)
    completions = engine.complete(Items(prompts()), Sampling(seed=3))
    first = next(completions)
    assert pulled == ["a"]
    assert [first.prompt_id, *(c.prompt_id for c in completions)] == ["prompt-a", "prompt-b", "prompt-c"]
    assert first.text.startswith("Context: ")
    assert first.finish_reason == "stop"
    plain = compose(QUESTION, ANSWER, words=200, seed=3, key="a")
    assert first.text == "Context: " + plain.text
    assert [first.text[s:e] for s, e, _ in first.evidence] == [plain.text[s:e] for s, e, _ in plain.evidence]
    engine.close()
    engine.close()


def test_streamed_text_is_the_completed_text() -> None:
    engine = Composer()
    one = prompt(words=900, genre="story")
    pieces = list(engine.stream(one, Sampling()))
    assert len(pieces) > 4
    assert "".join(pieces) == next(engine.complete(Items([one]), Sampling())).text


def test_missing_and_wrong_variables() -> None:
    bare = Prompt("x", "y", "t", {}, (), "f")
    good, bad = Composer().complete(Items([bare, prompt(words="many")]), Sampling())
    assert abs(len(good.text.split()) - 2000) <= 61
    assert bad.finish_reason == "error"
    assert "words='many'" in bad.detail


@pytest.mark.parametrize("name", sets("hotpotqa", "narrativeqa", "govreport", "multinews"))
def test_real_pairs(name: str) -> None:
    found = []
    for row in rows(name)[:25]:
        draft = compose(row["instruction"], row["answer"], words=1000)
        told = sum(len(draft.text[s:e].split()) for s, e, _ in draft.evidence)
        assert told > 960 or abs(len(draft.text.split()) - 1000) <= 30
        outside = draft.text
        for start, end, _ in reversed(draft.evidence):
            outside = outside[:start] + outside[end:]
        found.append(grams(outside))
    shared = [len(a & b) / max(1, min(len(a), len(b))) for a, b in itertools.combinations(found, 2)]
    assert max(shared) < 0.2


def test_no_line_tells_the_composer() -> None:
    """The commonest run of eight words that are not the pair's own stands in few of 150 contexts."""
    counted: Counter[tuple[str, ...]] = Counter()
    for seed, (question, answer, _) in itertools.product(range(6), ASKED):
        told = compose(question, answer, words=300, key=question, seed=seed, dials=STORY).text
        said = re.findall(r"[\w’'-]+", told.casefold())
        own = set(re.findall(r"\w{4,}", f"{question} {answer}".casefold()))
        runs = {tuple(said[start : start + 8]) for start in range(len(said) - 7)}
        counted.update(run for run in runs if own.isdisjoint(run))
    assert counted.most_common(1)[0][1] <= 0.07 * 6 * len(ASKED), counted.most_common(3)
