"""The bundled example pairs: readable, balanced, and each its own."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path

import pytest

from synthesis.data import Pair
from synthesis.sources.pairs import read_pairs
from synthesis.tasks import TASKS

EXAMPLES = Path(__file__).parents[1] / "examples" / "pairs.jsonl"
SUMMARIES = {"report_summary", "news_summary"}


@pytest.fixture(scope="module")
def pairs() -> list[Pair]:
    outcomes = list(read_pairs(EXAMPLES))
    assert all(isinstance(outcome, Pair) for outcome in outcomes)
    return [outcome for outcome in outcomes if isinstance(outcome, Pair)]


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def test_every_task_has_eight_or_nine_pairs(pairs: list[Pair]) -> None:
    counts = Counter(pair.task for pair in pairs)
    assert set(counts) == {task.name for task in TASKS}
    assert all(8 <= count <= 9 for count in counts.values())
    assert len(pairs) >= 64


def test_lines_are_plain_and_nothing_is_left_over(pairs: list[Pair]) -> None:
    text = EXAMPLES.read_text("utf-8")
    assert text.endswith("\n") and text.count("\n") == len(pairs)
    for pair in pairs:
        assert pair.metadata == {}
        for value in (pair.instruction, pair.answer):
            assert value == value.strip() and "  " not in value


def test_all_kinds_of_answer_are_there(pairs: list[Pair]) -> None:
    short = [pair.answer for pair in pairs if pair.task not in SUMMARIES | {"meeting_query"}]
    verdicts = Counter(answer for answer in short if answer in {"Yes", "No"})
    assert min(verdicts["Yes"], verdicts["No"]) >= 4
    digits = [answer for answer in short if re.search(r"\d", answer)]
    assert len(digits) >= 8
    assert any(re.search(r"\d (percent|metres|months)", answer) for answer in digits)
    assert any(re.search(r"\d{1,2} [A-Z]\w+ \d{4}", answer) for answer in digits)
    in_words = re.compile(r"\b(eleven|forty-two|hundred|twelfth)\b")
    assert sum(bool(in_words.search(answer)) for answer in short) >= 3
    spans = [answer for answer in short if answer not in {"Yes", "No"} and answer not in digits]
    assert len(spans) >= 16


def test_summaries_are_long_full_of_figures_and_unlike_each_other(pairs: list[Pair]) -> None:
    summaries = [pair for pair in pairs if pair.task in SUMMARIES]
    grams = defaultdict(set)
    for pair in summaries:
        assert 80 <= len(pair.answer.split()) <= 350, pair.instruction
        assert len(re.findall(r"[.!?]\W*(?=\s|$)", pair.answer)) >= 4, pair.instruction
        assert len(re.findall(r"\d+", pair.answer)) >= 4, pair.instruction
        assert len(re.findall(r"(?<=[a-z] )[A-Z]\w+", pair.answer)) >= 3, pair.instruction
        tokens = words(pair.answer)
        grams[pair.id] = set(zip(tokens, tokens[1:], tokens[2:], strict=False))
    for one, other in combinations(summaries, 2):
        shared = grams[one.id] & grams[other.id]
        assert len(shared) < 0.08 * min(len(grams[one.id]), len(grams[other.id]))
    assert len({tuple(words(pair.answer)[:3]) for pair in summaries}) == len(summaries)


def test_meeting_answers_are_two_to_six_sentences(pairs: list[Pair]) -> None:
    for pair in pairs:
        if pair.task == "meeting_query":
            text = re.sub(r"\b(Mr|Dr|a\.m|p\.m)\.(?= [a-z]| [A-Z][a-z]+ )", r"\1", pair.answer)
            assert 2 <= len(re.findall(r"[.!?](?=\s|$)", text)) <= 6, pair.answer


def test_instructions_vary(pairs: list[Pair]) -> None:
    assert len({pair.instruction for pair in pairs}) == len(pairs)
    assert len({words(pair.instruction)[0] for pair in pairs}) >= 15


def test_short_answers_are_not_given_away_by_their_instruction(pairs: list[Pair]) -> None:
    for pair in pairs:
        if len(pair.answer.split()) <= 3 and pair.task != "multihop_compare":
            pattern = rf"\b{re.escape(pair.answer.casefold())}\b"
            assert not re.search(pattern, pair.instruction.casefold()), pair.instruction


def test_the_notebook_is_stored_without_outputs_and_leads_to_pages_that_are_there() -> None:
    """tests/torch executes it."""
    path = EXAMPLES.parent / "from_pairs_to_a_model.ipynb"
    cells = json.loads(path.read_text("utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert len(code) >= 8
    for cell in code:
        assert cell["outputs"] == [] and cell["execution_count"] is None
        compile("".join(cell["source"]), cell["id"], "exec")  # plain Python, no magic
    told = "".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    links = re.findall(r"\]\((\.\.[^)]+)\)", told)
    assert links and all((path.parent / link).is_file() for link in links)
    for page in ("README.md", "docs/training.md"):
        assert path.name in (EXAMPLES.parents[1] / page).read_text("utf-8")
