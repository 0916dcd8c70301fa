"""Hidden questions: who follows the chain arrives at the instruction, and no other chain leads there."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synthesis import Context, Evidence, Pair, Sample, assemble
from synthesis.assembly.counting import Part, Trial, count_trials
from synthesis.assembly.inserting import Inserted, with_sentences
from synthesis.assembly.keychains import LINKS, QUESTIONS, make_keychain
from synthesis.assembly.rendering import PLAIN
from synthesis.assembly.tables import measure
from synthesis.assembly.word_counts import WordCounts
from synthesis.data import Rejected
from synthesis.errors import ConfigError
from synthesis.tasks import GENERIC, TASKS
from synthesis.text.states import is_ordinary, states
from tests.assembly_texts import TOKENIZERS, odd_text, prose, samples, tokens_of

KEY = r"[a-z]{7}"
START = re.compile(rf'Begin with the key "({KEY})"')


def pattern(wording: str) -> re.Pattern[str]:
    """What finds the sentences of one wording."""
    escaped = re.escape(wording)
    for slot, found in {"a": f"(?P<a>{KEY})", "b": f"(?P<b>{KEY})", "kind": "(?:question|task)"}.items():
        escaped = escaped.replace(re.escape(f"{{{slot}}}"), found)
    return re.compile(escaped.replace(re.escape("{question}"), ""))


READERS = [pattern(wording) for wording in LINKS]
ENDS = [pattern(wording.removesuffix('"')) for wording in QUESTIONS]


def read(text: str) -> tuple[dict[str, str], dict[str, int]]:
    """Which key leads to which, and where the question of a last key begins."""
    links, ends = {}, {}
    for reader in READERS:
        for match in reader.finditer(text):
            assert links.setdefault(match["a"], match["b"]) == match["b"]
    for reader in ENDS:
        ends.update({match["a"]: match.end() for match in reader.finditer(text) if match["a"] not in links})
    return links, ends


def chain(key: str, links: dict[str, str]) -> str:
    seen = set()
    while key in links:
        assert key not in seen
        seen.add(key)
        key = links[key]
    return key


def solved(text: str) -> tuple[str, list[str]]:
    """What stands at the end of the chain that is asked for, and at the ends of the others."""
    links, ends = read(text)
    (start,) = START.findall(text)
    asked = ends[chain(start, links)]
    firsts = links.keys() - set(links.values())
    others = [ends[chain(first, links)] for first in sorted(firsts) if first != start]
    return text[asked:], [text[other:] for other in others]


def items(size: int, words: int = 160, tasks: Sequence[str] = ("story_qa", "hotpotqa", "notes")) -> list:
    made = []
    for place in range(size):
        pair = Pair(
            instruction=f"Who carried the copper lantern over the river in the year of {place} floods?",
            answer=f"Zorv {place}",
            task=tasks[place % len(tasks)],
        )
        told = f"{prose(place, words)}\n\nIn that year it was Zorv {place} who did."
        at = len(told) - len(f"Zorv {place} who did.")
        text = f"{told}\n\n{prose((place, 'more'), words // 2)}"
        evidence = (Evidence(at, at + len(f"Zorv {place}"), "answer"),)
        made.append((pair, Context(pair.id, text, evidence, fingerprint=f"f{place}", hops=2)))
    return made


def check(sample: Sample, pair: Pair, texts: dict[str, str], rings: int, links: int) -> None:
    content = sample.messages[0].content
    asked, others = solved(content)
    assert asked.startswith(f'{pair.instruction}"')
    assert content.count(pair.instruction) == 1
    assert sample.messages[1].content == pair.answer
    assert sample.rings == rings == len(others) + 1
    assert not any(other.startswith(f'{pair.instruction}"') for other in others)
    # No other chain is about the answer, and no sentence of any gives it away.
    around = content
    for name in (name for name in sample.documents if name == pair.id):
        for part in texts[name].split("\n\n"):
            around = around.replace(part, "", 1)
    assert is_ordinary(pair.answer) or not states(around.replace(pair.instruction, ""), pair.answer)
    whats = [piece.what for piece in sample.evidence]
    assert whats[-links - 1 :] == [*(f"link {n} of {links}" for n in range(1, links + 1)), "question"]
    for piece in sample.evidence:
        held = content[piece.start : piece.end]
        if piece.what.startswith("link"):
            assert any(reader.fullmatch(held) for reader in READERS)
        elif piece.what == "question":
            assert held.endswith(f'{pair.instruction}"') and any(end.match(held) for end in ENDS)
        else:
            assert held == pair.answer


@pytest.mark.parametrize("choice", ["same-task", "random", "lexical", "none"])
def test_the_chain_leads_to_the_question_and_no_other_does(choice: str) -> None:
    tokenizer, made = TOKENIZERS["embedded"], items(250, words=60)
    texts = {pair.id: context.text for pair, context in made}
    found = samples(assemble(made, "1k", keychain=3, distractors=choice))
    for sample, (pair, _) in zip(found, made, strict=True):
        check(sample, pair, texts, 3, 3)
        assert sample.tokens == tokenizer.count_chat(sample.messages) <= sample.budget
        assert sample.hops == 2
        if choice != "none":
            assert sample.tokens >= 0.995 * sample.budget
    depths = sorted(sample.depth for sample in found)
    if choice == "same-task":
        assert depths[10] < 0.1 and depths[-10] > 0.9


@pytest.mark.parametrize("name", sorted(TOKENIZERS))
def test_pieces_are_told_exactly(name: str) -> None:
    tokenizer, made = TOKENIZERS[name], items(8)
    for sample in samples(assemble(made, "3k", tokenizer=tokenizer, keychain=2, keychain_links=4)):
        content = sample.messages[0].content
        spans = [sample.evidence_span, *(piece[:2] for piece in sample.evidence)]
        assert sample.tokens == tokenizer.count_chat(sample.messages) <= sample.budget
        assert [sample.token_span, *sample.evidence_tokens] == [
            tokens_of(sample, tokenizer, span) for span in spans
        ]
        assert len(content) > sample.evidence[-1].end


def test_rows_follow_from_content_and_seed() -> None:
    made = items(30)
    first = samples(assemble(made, "2k", keychain=4, seed=3))
    turned = samples(assemble(made[::-1], "2k", keychain=4, seed=3))
    assert {one.id: one for one in first} == {one.id: one for one in turned}
    other = samples(assemble(made, "2k", keychain=4, seed=4))
    assert all(a.messages != b.messages for a, b in zip(first, other, strict=True))
    plain = samples(assemble(made, "2k", seed=3))
    assert {one.id for one in plain}.isdisjoint(one.id for one in first)
    assert all(one.rings == 0 and len(one.evidence) == 1 for one in plain)
    assert plain == samples(assemble(made, "2k", seed=3, keychain=0, keychain_links=3))


def test_every_task_asks_for_the_chain() -> None:
    wordings = [task.hidden for task in (*TASKS, GENERIC)]
    assert len(set(wordings)) == len(wordings)
    for wording in wordings:
        assert wording.count("{documents}") == wording.count("{key}") == 1
        assert "{instruction}" not in wording and wording.index("{documents}") < wording.index("{key}")


def test_where_few_pairs_may_lend_their_question_there_are_fewer_rings() -> None:
    made = items(3)
    made[1] = (replace(made[1][0], answer="Zorv 0"), made[1][1])
    found = samples(assemble(made, 1500, keychain=5))
    assert [sample.rings for sample in found] == [2, 2, 3]
    (alone,) = samples(assemble(made[:1], 1500, keychain=5))
    assert alone.rings == 1
    assert solved(alone.messages[0].content)[0].startswith(made[0][0].instruction)


def test_questions_of_another_split_are_not_lent() -> None:
    made = items(20)
    found = samples(assemble(made, "2k", keychain=20, split=lambda place: "ab"[place % 2]))
    for place, sample in enumerate(found):
        _, others = solved(sample.messages[0].content)
        years = {int(match[1]) for other in others if (match := re.match(r".*? of (\d+) floods", other))}
        assert years == {n for n in range(20) if n % 2 == place % 2} - {place}


def test_a_question_that_gives_the_answer_away_is_no_decoy() -> None:
    made = items(6)
    pair, context = made[2]
    made[2] = (replace(pair, id="", instruction="Was it Zorv 4 who did?"), context)
    found = samples(assemble(made, "1k", keychain=6, distractors="none"))
    assert [sample.rings for sample in found] == [6, 6, 6, 6, 5, 6]


@pytest.mark.parametrize("answer", ["key", "The box", "question", "task", "the way", "a chain", "leads"])
def test_no_wording_is_the_answer(answer: str) -> None:
    pair = Pair(instruction="What is it?", answer=answer)
    for seed in range(40):
        made = make_keychain(pair, ["Where is it?"], 3, f"n {seed}", "")
        said = [one.text.replace("What is it?", "").replace("Where is it?", "") for one in made.sentences]
        assert not any(states(one, answer) for one in said)


def test_instructions_of_several_lines_stand_apart() -> None:
    made = items(4)
    asked = "Sort the list.\n\n- b\n- a"
    made[0] = (replace(made[0][0], id="", instruction=asked), made[0][1])
    sample = samples(assemble(made, "1k", keychain=2))[0]
    content, piece = sample.messages[0].content, sample.evidence[-1]
    assert content[piece.start : piece.end].endswith(f'task: "{asked}"') or '": "Sort' in content
    assert content[piece.start - 2 : piece.start] == "\n\n"


def test_contexts_left_out_have_their_question_hidden_too() -> None:
    made = items(20, tasks=("story_qa",))
    found = samples(assemble(made, "2k", keychain=2, abstain=0.5, refusal="Nobody says."))
    left = [one for one in found if one.evidence_span == (0, 0)]
    assert len(left) == 10
    instructions = {pair.id: pair.instruction for pair, _ in made}
    for sample in left:
        assert solved(sample.messages[0].content)[0].startswith(f'{instructions[sample.pair_id]}"')
        assert sample.messages[1].content == "Nobody says."
        assert sample.evidence == () and sample.rings == 2
        assert 0.995 * sample.budget <= sample.tokens <= sample.budget


def test_long_contexts_are_trimmed_to_leave_room_for_the_chains() -> None:
    tokenizer, made = TOKENIZERS["embedded"], items(12, words=900)
    found = samples(assemble(made, "1k", keychain=3, oversize="trim"))
    for sample, (pair, _) in zip(found, made, strict=True):
        assert sample.tokens == tokenizer.count_chat(sample.messages) <= 1024
        assert solved(sample.messages[0].content)[0].startswith(f'{pair.instruction}"')
        assert pair.answer in sample.messages[0].content
    rejected = list(assemble(made, "1k", keychain=3))
    assert all(isinstance(one, Rejected) for one in rejected)


def test_wrong_numbers_are_refused() -> None:
    for wrong in ({"keychain": -1}, {"keychain": 65}, {"keychain": 2, "keychain_links": 0}):
        with pytest.raises(ConfigError, match="keychain"):
            list(assemble(items(2), "1k", **wrong))


def placed(
    text: str, evidence: Sequence[tuple[int, int]], sentences: Sequence[Inserted], name: str
) -> Iterator:
    tokenizer = TOKENIZERS[name]
    (table,) = measure([text], WordCounts(tokenizer))
    gap = table.gap(0, evidence[0][0] if evidence else len(text))
    part = Part(text, [gap] if gap else [], table)
    trial = Trial(Pair(instruction="q", answer="a"), part, [part], [part], PLAIN, evidence)
    made = with_sentences(trial, sentences)
    (counted,) = count_trials([made], tokenizer)
    yield from (made, counted)


@pytest.mark.parametrize("name", ["byte_level", "embedded", "unigram", "word_piece"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=odd_text.filter(str.strip), places=st.lists(st.floats(0, 1), max_size=9), share=st.floats(0, 1))
def test_whatever_the_texts_counts_and_places_are_right(
    name: str, text: str, places: list[float], share: float
) -> None:
    tokenizer = TOKENIZERS[name]
    start = int(share * (len(text) - 1))
    evidence = [(start, min(len(text), start + 7))]
    sentences = [Inserted(f"The key {n} opens {n + 1}.", place, f"w{n}") for n, place in enumerate(places)]
    made, counted = placed(text, evidence, sentences, name)
    content = counted.layout.messages[0].content
    assert counted.tokens == tokenizer.count_chat(counted.layout.messages)
    assert [content[a:b] for a, b in counted.places] == [
        text[slice(*evidence[0])],
        *(sentence.text for sentence in sentences),
    ]
    bare = "".join(part.text for part in made.parts())
    for sentence in sentences:
        bare = re.sub(rf"(?: |\n\n){re.escape(sentence.text)}", "", bare, count=1)
    assert bare == text * 3


def test_sentences_stand_at_ends_of_paragraphs() -> None:
    text = "One.\n\nTwo is longer. It has two.\n\n# A heading\n\nThe last one."
    sentences = [Inserted(f"S{n}.", n / 13) for n in range(12)]
    made, _ = placed(text, [], sentences, "embedded")
    assert made.before[0].text == (
        "One. S0.\n\nTwo is longer. It has two. S1.\n\n# A heading\n\nS2.\n\nThe last one. S3."
    )
    more, _ = placed(text, [], [*sentences, Inserted("S12.", 1.0)], "embedded")
    assert "Two is longer. S1. It has two." in more.before[0].text
