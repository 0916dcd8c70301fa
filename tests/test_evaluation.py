"""Questions to a real server under matched conditions: what is asked, recorded, and made of the replies."""

from __future__ import annotations

import json
import re
from collections import defaultdict

import pytest

from synthesis.errors import UsageError
from synthesis.evaluation import evaluate
from tests.openai_helpers import quick_and_clean  # noqa: F401 - a fixture for all tests
from tests.openai_server import Asked, Reply, serve

PEOPLE = {
    "Ada Lund": "Lisbon",
    "Boris Karr": "Quito",
    "Chen Wei": "Oslo",
    "Dora Kent": "Hanoi",
    "Egon Ray": "Turin",
}


def write_questions(path):
    """Five questions, each with a context of four sentences that states the answer in one."""
    with path.open("w", encoding="utf-8") as file:
        for number, (name, town) in enumerate(PEOPLE.items()):
            context = (
                f"The harbour was quiet in winter {number}. {name} was born in {town}. "
                f"Nobody recalled the storm of that year. The market opened early on day {number}."
            )
            row = {"context": context, "question": f"Where was {name} born?", "answers": [town]}
            file.write(json.dumps(row) + "\n")
    return path


def look_up(asked: Asked) -> Reply:
    """Answers from the prompt, as far as the prompt tells."""
    name = re.search(r"Where was (.+) born\?", asked.text)[1]
    found = re.search(re.escape(name) + r" was born in (\w+)", asked.text)
    return Reply(text=f"<think>Hm.</think>\n{found[1]}" if found else "I do not know.")


def test_what_is_shown_decides_what_is_known(tmp_path) -> None:
    source = write_questions(tmp_path / "questions.jsonl")
    scores = defaultdict(list)
    with serve(look_up) as server:
        for one in evaluate(
            source,
            "openai",
            model="tiny",
            base_url=server.url,
            conditions="full,closed,oracle,none-evidence",
            lengths="own,256",
            depth="0,1",
        ):
            scores[one.variant.condition, one.variant.length].append(one.score)
    assert {key: (len(found), sum(found)) for key, found in scores.items()} == {
        ("full", 0): (5, 5),
        ("full", 256): (10, 10),
        ("oracle", 0): (5, 5),
        ("closed", 0): (5, 0),
        ("none-evidence", 0): (5, 0),
        ("none-evidence", 256): (10, 0),
    }


def test_nothing_is_asked_twice(tmp_path) -> None:
    source = write_questions(tmp_path / "questions.jsonl")
    with serve(look_up) as server:
        told = {"model": "tiny", "base_url": server.url, "folder": tmp_path / "log"}
        first = list(evaluate(source, "openai", conditions="full,closed", **told))
        asked = len(server.asked)
        again = list(evaluate(source, "openai", conditions="full,closed,oracle", **told))
        assert asked == 10
        assert len(server.asked) == asked, "the oracle's prompts are those of the whole context"
    assert sorted(one.reply for one in again if one.variant.condition != "oracle") == sorted(
        one.reply for one in first
    )


def test_an_unknown_condition_is_refused(tmp_path) -> None:
    with pytest.raises(UsageError, match="'open' is unknown"):
        next(evaluate(write_questions(tmp_path / "q.jsonl"), "openai", model="tiny", conditions="open"))
