"""The composer's dials move what they say, measured on the text; false leads leave one answer right."""

from __future__ import annotations

import random
import re
import statistics
import tomllib
from pathlib import Path
from typing import Any

import pytest

from synthesis.engines.composer.dials import Dials
from synthesis.engines.composer.draft import Draft, compose
from synthesis.engines.composer.engine import Composer
from synthesis.engines.composer.prose.placing import planned_steps
from synthesis.engines.composer.stating.proof import Query, Triple, answers
from synthesis.engines.composer.stating.steps.plan import in_steps
from synthesis.errors import ConfigError, UsageError
from synthesis.text.states import states
from tests.test_composer_steps import ASKED, COMPARED, WORKED_OUT

PAIRS = [*[(question, answer) for question, answer, _ in ASKED], *COMPARED, *WORKED_OUT]
ROOT = Path(__file__).parent.parent


def drafts(words: int = 700, count: int = 16, misses: float = 0, **dials: Any) -> list[tuple[str, Draft]]:
    some = PAIRS[:: max(1, len(PAIRS) // count)]
    return [
        (question, compose(question, answer, words=words, key=str(at), dials=Dials(misses=misses, **dials)))
        for at, (question, answer) in enumerate(some)
    ]


def spanned(draft: Draft) -> float:
    starts = [piece.start for piece in draft.evidence]
    return (max(starts) - min(starts)) / len(draft.text)


def content(text: str) -> set[str]:
    return {
        word for word in re.findall(r"[a-z]{4,}", text.casefold()) if word not in ("what", "which", "when")
    }


def copied(question: str, draft: Draft) -> float:
    told = content(" ".join(draft.text[piece.start : piece.end] for piece in draft.evidence))
    return len(told & content(question)) / len(content(question))


def in_order(draft: Draft) -> list[int]:
    return [int(piece.what.split()[1]) for piece in sorted(draft.evidence, key=lambda one: one.start)]


def test_hops_are_as_many() -> None:
    for hops in (1, 2, 3, 4):
        made = [draft for _, draft in drafts(hops=hops)]
        counts = [draft.hops for draft in made]
        assert max(counts) <= hops and statistics.mean(counts) >= 0.9 * hops
        assert hops == 1 or counts == [len(draft.evidence) for draft in made]


def test_distance_is_that_from_the_first_piece_to_the_last() -> None:
    near, half, far = (
        statistics.mean(spanned(draft) for _, draft in drafts(1200, distance=distance))
        for distance in (0.0, 0.5, 1.0)
    )
    assert near < 0.2 < 0.3 < half < 0.65 < far


def test_overlap_is_with_the_words_of_the_question() -> None:
    kept, mixed, other = (
        statistics.mean(copied(question, draft) for question, draft in drafts(count=60, overlap=overlap))
        for overlap in ("copied", "mixed", "paraphrased")
    )
    assert kept > mixed > other and kept > other + 0.1


def test_order_is_that_of_the_steps() -> None:
    assert all(in_order(draft) == sorted(in_order(draft)) for _, draft in drafts(order="told", hops=4))
    assert all(
        in_order(draft) == sorted(in_order(draft))[::-1] for _, draft in drafts(order="reversed", hops=4)
    )
    shuffled = [in_order(draft) for _, draft in drafts(hops=4)]
    assert any(order != sorted(order) for order in shuffled) and any(order[0] == 1 for order in shuffled)


def leads(draft: Draft) -> int:
    return len(draft.says) - sum(1 for triple in draft.says if triple.relation in _relations(draft))


def _relations(draft: Draft) -> set[str]:
    return {wanted.relation for wanted in draft.query.wanted} if draft.query else set()


def test_more_decoys_are_more_false_leads() -> None:
    none, some, many = (
        statistics.mean(len(draft.says) for _, draft in drafts(1500, 60, decoys=count)) for count in (0, 2, 6)
    )
    assert none < some < many and many > none + 5


def test_what_is_negated_is_denied_in_so_many_words() -> None:
    said = r"there is nothing in it\.|It was a mistake, though one that|Nobody who looked into it found"
    for _, draft in drafts(1500, count=60, negated=3):
        denied = [triple for triple in draft.says if triple.denied]
        assert len(re.findall(said, draft.text)) == len(denied)
    assert sum(len(re.findall(said, draft.text)) for _, draft in drafts(1500, negated=3)) > 16
    assert not any(re.search(said, draft.text) for _, draft in drafts(1500))


def test_what_is_corrected_was_told_wrong_before() -> None:
    found = 0
    for _, draft in drafts(1500, count=60, corrections=2):
        revised = [triple for triple in draft.says if triple.revised]
        found += len(revised)
        mended = [
            piece
            for piece in draft.evidence
            if "evised" in _text(draft, piece) or "corr" in _text(draft, piece)
        ]
        assert len(mended) >= len(revised)
    assert found > 40
    for _, draft in drafts(200, count=60, corrections=1):
        mended = [
            piece
            for piece in draft.evidence
            if re.search("revised|struck out|corrected", _text(draft, piece))
        ]
        assert len(mended) == len([one for one in draft.says if one.revised])
    assert not any(triple.revised for _, draft in drafts(1500) for triple in draft.says)


def _text(draft: Draft, piece: Any) -> str:
    return draft.text[piece.start : piece.end]


def test_whatever_is_told_one_answer_is_right() -> None:
    """On what is planned for thousands of contexts."""
    proved = 0
    for seed in range(40):
        for question, answer in PAIRS:
            rng = random.Random(f"{seed} {question}")
            steps = in_steps(question, answer, rng, rng.choice(["auto", 2, 3, 4]))
            assert steps is not None
            own = answers(steps.query, [triple for link in steps.told for triple in link.says])
            dials = Dials(decoys=4, negated=2, corrections=rng.randrange(3))
            planned = planned_steps(steps, steps.statements(rng), question, answer, 4000, dials, rng)
            told = [triple for one in planned for triple in one.statement.says]
            assert len(own) == 1 and answers(steps.query, told) == own, question
            leads = [one.statement.text for one in planned if not one.statement.what]
            assert answer in ("yes", "no") or not any(states(text, answer) for text in leads)
            proved += 1
    assert proved > 2000


def test_one_answer_is_right_in_the_text_itself() -> None:
    for question, draft in drafts(300, count=60, decoys=4, negated=1, corrections=1):
        assert draft.query is not None and len(answers(draft.query, draft.says)) == 1, question


def test_a_proof_knows_what_it_lacks_and_what_speaks_against_it() -> None:
    query = Query("find", (Triple("?1", "director", "X"), Triple("?1", "born", "?answer")))
    told = [Triple("N", "director", "X"), Triple("N", "born", "1931")]
    assert answers(query, told) == {"1931"} and answers(query, told[:1]) == set()
    assert answers(query, [*told, Triple("M", "director", "X"), Triple("M", "born", "1950")]) == {
        "1931",
        "1950",
    }
    assert answers(query, [*told, Triple("N", "born", "1950", denied=True)]) == {"1931"}
    assert answers(query, [*told, Triple("N", "born", "1950", revised=True)]) == {"1931"}
    older = Query("least", (Triple("A", "born", "?value"), Triple("B", "born", "?value")))
    assert answers(older, [Triple("A", "born", "3 May 1931"), Triple("B", "born", "2 May 1931")]) == {"B"}
    assert answers(older, [Triple("A", "born", "1931")]) == set()


@pytest.mark.parametrize(
    "wrong",
    [{"hops": 5}, {"hops": "many"}, {"distance": 2}, {"distance": "far"}, {"overlap": "all"}, {"decoys": 9},
     {"order": "up"}, {"negated": -1}, {"corrections": 99}],
)  # fmt: skip
def test_a_dial_that_is_none_is_refused(wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(ConfigError, match=name):
        Composer(**wrong)
    with pytest.raises(UsageError, match=name):
        compose("Who?", "Ada", dials=Dials(**wrong))


def test_a_dial_as_usual_is_in_no_identity_and_the_page_and_the_recipe_have_all() -> None:
    usual = Dials()
    dials = {name: getattr(usual, name) for name in Dials.__slots__}
    assert Composer(**dials).settings == {}
    for name, value in {"distance": 0.1, "overlap": "copied", "decoys": 3, "order": "told"}.items():
        assert Composer(**{name: value}).settings == {name: value}
    page = (ROOT / "docs" / "engines.md").read_text("utf-8")
    recipe = (ROOT / "recipes" / "controlled-study.toml").read_text("utf-8")
    assert tomllib.loads(recipe)
    for name in dials:
        assert f"| `{name}` |" in page and re.search(rf"\b{name}\b", recipe)
