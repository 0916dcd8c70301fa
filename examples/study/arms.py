"""What an arm is tuned on, and what all arms are tested on: conversations, made by the product itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Any

from examples.study.asking import asked_about
from examples.study.passages import needle
from examples.study.plan import Arm
from examples.study.questions import Question, human_context
from examples.study.turns import Draw, Turn, by_question, taken
from synthesis import assemble, synthesize
from synthesis.data import Context, Pair, Rejected, Sample
from synthesis.tasks import task_of
from synthesis.tokens import Tokenizer

_APART = 1000  # between the seeds of a pair's samples: more than a study has repeats
OWN = "16k"  # tokens: longer than any context that people wrote here


def training_turns(
    arm: Arm, questions: Sequence[Question], seed: int, tokenizer: Tokenizer, epochs: int = 1
) -> list[list[Turn]]:
    """What an arm is tuned on in each epoch, the questions in an order of their own."""
    pairs = [one.pair for one in questions]
    if arm.contexts == "pairs":
        return [[Turn(pair.id, _alone(pair), pair.answer) for pair in pairs]] * epochs
    draws = []
    for number in range(min(arm.fresh, epochs)):
        draw = seed + _APART * number
        items = contexts_of(arm, questions, draw)
        own = _assembled(items, arm.length, arm.distractors, draw, tokenizer, **arm.samples)
        further: list[Turn] = []
        if arm.questions:
            asked = asked_about(items, ceil(arm.questions * epochs), draw)
            ids = {pair.id: of for of, pair, _ in asked}
            about = [(pair, context) for _, pair, context in asked]
            made = _assembled(about, arm.length, arm.distractors, draw, tokenizer)
            further = [replace(one, id=ids[one.id], kind="question") for one in made]
        draws.append(Draw(by_question(own), by_question(further)))
    return [taken(arm, draws[epoch % len(draws)], epoch, seed) for epoch in range(epochs)]


def test_turns(questions: Sequence[Question], test: str, tokenizer: Tokenizer) -> list[Turn]:
    """The questions, each with the context people gave it, as one of ``Plan.tests`` says.

    What it is filled up with are others' contexts of the same fold, by a fixed seed: every arm and every
    repeat meets the same documents of its fold.
    """
    if test == "closed":
        return [Turn(one.pair.id, _alone(one.pair), one.pair.answer) for one in questions]
    if test == "needle":
        bare = [replace(one, human=needle(one.human, one.pair.instruction, one.answers)) for one in questions]
        return test_turns(bare, "own", tokenizer)
    items = [(one.pair, human_context(one)) for one in questions]
    return _assembled(items, test, "random", 0, tokenizer)


def _alone(pair: Pair) -> str:
    """The question as it is asked under documents, without any."""
    return task_of(pair.task).wording.format(documents="", instruction=pair.instruction).strip()


def contexts_of(arm: Arm, questions: Sequence[Question], seed: int) -> list[tuple[Pair, Context]]:
    """The contexts that an arm is tuned on, each with its pair; none for arms without."""
    if arm.contexts in ("none", "pairs"):
        return []
    if arm.contexts == "human":
        return [(one.pair, human_context(one)) for one in questions]
    pairs = {one.pair.id: one.pair for one in questions}
    if arm.contexts == "composer":
        written: Iterable[Context | Rejected] = synthesize(
            pairs.values(), words=arm.words, seed=seed, **arm.options
        )
    else:
        written = _read(Path(arm.contexts))
    found = {one.pair_id: one for one in written if isinstance(one, Context)}
    kept = [(pair, found[id_]) for id_, pair in pairs.items() if id_ in found]
    if not kept:
        raise SystemExit(f"{arm.contexts} has no context for any of the questions: its ids are others")
    return kept


def _read(path: Path) -> list[Context]:
    """Contexts written before: JSON lines with ``id`` and ``context``, or the folder of a run."""
    if path.is_dir():
        from datasets import load_dataset

        from builder.folder.place import find_place

        rows = load_dataset(find_place(path).at, split="train")
    else:
        with path.open(encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
    return [Context(row["id"], row["context"], (), len(row["context"].split()), "file") for row in rows]


def _assembled(
    items: list[tuple[Pair, Context]],
    length: str,
    distractors: str,
    seed: int,
    tokenizer: Tokenizer,
    **further: Any,
) -> list[Turn]:
    own = length == "own"
    made = assemble(
        items,
        OWN if own else length,
        tokenizer=tokenizer,
        distractors="none" if own else distractors,
        seed=seed,
        oversize="trim",
        **further,
    )
    return [_turn(one) for one in made if isinstance(one, Sample)]


def _turn(sample: Sample) -> Turn:
    user, answer = sample.messages[-2:]
    return Turn(sample.pair_id, user.content, answer.content, sample.twin)


def hops_of(questions: Sequence[Question]) -> dict[str, int]:
    """Id of a question -> the steps that the composer takes for it by itself, 1 to 4."""
    written = synthesize([one.pair for one in questions], words=60)
    return {one.pair_id: one.hops for one in written if isinstance(one, Context) and one.hops}
