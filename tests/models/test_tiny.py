"""The tiny chat model in ``tiny/``: small, loadable, and doing the little that it is there for.

Run by path where torch and transformers are installed: ``pytest tests/models``.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from scripts.test_model_chats import prompt_for
from scripts.test_model_measure import measure, replies
from scripts.test_model_pairs import held_out_pairs, pairs
from synthesis.data import Completion, Context, Pair
from synthesis.gate.parsing import parse
from synthesis.tokens import load_tokenizer

TINY = Path(__file__).parent / "tiny"
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def model() -> Any:
    return AutoModelForCausalLM.from_pretrained(str(TINY)).eval()


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return AutoTokenizer.from_pretrained(str(TINY))


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    values: dict[str, Any] = json.loads((TINY / "training.json").read_text(encoding="utf-8"))
    return values


def chat(pair: Pair, words: int = 100) -> list[dict[str, str]]:
    return [message._asdict() for message in prompt_for(pair, words).messages]


def test_replies_parse_and_hold_the_answer(model: Any, tokenizer: Any) -> None:
    measured = measure(model, tokenizer, held_out_pairs(40))
    assert measured.parsed >= 0.9
    assert measured.answered >= 0.7


def test_half_precision_does_as_well(tokenizer: Any) -> None:
    """What vLLM makes of the weights by default."""
    coarse = AutoModelForCausalLM.from_pretrained(str(TINY), dtype=torch.bfloat16).eval()
    measured = measure(coarse, tokenizer, held_out_pairs(20))
    assert measured.parsed >= 0.9
    assert measured.answered >= 0.7


def test_held_out_pairs_share_no_name_with_training() -> None:
    held_out = held_out_pairs(200)
    assert len({pair.id for pair in held_out}) == 200
    source = pairs("training")
    trained = [next(source) for _ in range(2000)]
    assert not {pair.id for pair in held_out} & {pair.id for pair in trained}
    text = " ".join(f"{pair.instruction} {pair.answer}" for pair in trained)
    people = [pair.answer for pair in held_out if pair.instruction.startswith("Who ")]
    assert len(people) > 10
    assert not [name for name in people if re.search(rf"\b{name.split()[-1]}\b", text)]


def test_a_second_request_repairs_a_bad_reply(model: Any, tokenizer: Any) -> None:
    """Over several turns, too, the reply opens with the marker and stops."""
    some = held_out_pairs(10)
    wish = "The text lacks what it must hold. Write it again, beginning with Context:"
    chats = [
        [*chat(p), {"role": "assistant", "content": "It was very quiet."}, {"role": "user", "content": wish}]
        for p in some
    ]
    outcomes = [
        parse(
            Completion("", text, "stop" if over else "length"),
            prompt_for(pair, 100),
            engine="",
            model="",
            seed=0,
        )
        for pair, (text, over) in zip(some, replies(model, tokenizer, chats), strict=True)
    ]
    assert sum(isinstance(outcome, Context) for outcome in outcomes) >= 8


def test_small_with_room_for_a_prompt(model: Any) -> None:
    assert sum(path.stat().st_size for path in TINY.iterdir()) <= 10 * MEGABYTE
    assert model.config.max_position_embeddings >= 2048
    assert model.config.tie_word_embeddings


def test_stops_by_configuration(model: Any, tokenizer: Any) -> None:
    eos = model.generation_config.eos_token_id
    assert eos == model.config.eos_token_id == tokenizer.eos_token_id
    assert tokenizer.pad_token_id not in (None, eos)
    prompt = tokenizer.apply_chat_template(
        chat(held_out_pairs(1)[0]), add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    out = model.generate(**prompt)  # nothing set by hand: greedy, and ends by itself
    assert out[0, -1].item() == eos


def test_our_own_tokenizer_renders_its_chats(tokenizer: Any) -> None:
    ours = load_tokenizer(str(TINY))
    messages = prompt_for(held_out_pairs(1)[0], 100).messages
    theirs = tokenizer.apply_chat_template([m._asdict() for m in messages], tokenize=False)
    assert ours.render(messages) == theirs


def test_saving_and_loading_changes_nothing(model: Any, tokenizer: Any, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    again = AutoModelForCausalLM.from_pretrained(str(tmp_path)).eval()
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True))
    chats = [chat(pair) for pair in held_out_pairs(2)]
    loaded = AutoTokenizer.from_pretrained(str(tmp_path))
    assert replies(again, loaded, chats) == replies(model, tokenizer, chats)


def test_the_readme_has_the_recorded_numbers(recorded: dict[str, Any], model: Any) -> None:
    readme = (TINY / "README.md").read_text(encoding="utf-8")
    assert recorded["parameters"] == model.num_parameters()
    for said in (
        f"{recorded['steps']:,} steps",
        f"{recorded['tokens']:,} tokens",
        f"{recorded['seconds']:,} seconds",
        f"seed {recorded['seed']}",
        recorded["date"],
        f"{recorded['parameters']:,} parameters",
        f"{recorded['held_out_pairs']} held-out pairs",
        f"{recorded['measured']['parsed']:.1%}",
        f"{recorded['measured']['answered']:.1%}",
    ):
        assert said in readme
