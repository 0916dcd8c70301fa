"""How well the test model answers our prompt: the shares of replies that parse and that hold the answer.

Used by the training script while it trains and by the test of what it left. Greedy decoding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scripts.test_model_chats import prompt_for
from synthesis.data import Completion, Context, Pair
from synthesis.gate.parsing import parse

WORDS = (80, 100, 120)
_BATCH = 20


@dataclass(frozen=True, slots=True)
class Measured:
    """Shares, 0 to 1, of replies that stopped by themselves, that parse, that parse and hold the answer.

    ``words`` is the average length of the contexts that parsed.
    """

    stopped: float
    parsed: float
    answered: float
    words: float


def replies(
    model: Any, tokenizer: Any, chats: Sequence[Sequence[dict[str, str]]], *, limit: int = 300
) -> list[tuple[str, bool]]:
    """For each chat the model's greedy reply, and whether it ended within ``limit`` tokens."""
    import torch

    texts = [tokenizer.apply_chat_template(c, tokenize=False, add_generation_prompt=True) for c in chats]
    batch = tokenizer(texts, return_tensors="pt", padding=True, padding_side="left", add_special_tokens=False)
    with torch.no_grad():
        out = model.generate(
            input_ids=batch["input_ids"],
            attention_mask=batch["attention_mask"],
            do_sample=False,
            max_new_tokens=limit,
        )
    new = out[:, batch["input_ids"].shape[1] :]
    return [
        (tokenizer.decode(ids, skip_special_tokens=True), tokenizer.eos_token_id in ids.tolist())
        for ids in new
    ]


def measure(model: Any, tokenizer: Any, pairs: Sequence[Pair]) -> Measured:
    """Ask for each pair, 80, 100 and 120 words in turn, and count."""
    stopped = parsed = answered = words = 0
    for start in range(0, len(pairs), _BATCH):
        some = pairs[start : start + _BATCH]
        prompts = [prompt_for(pair, WORDS[(start + i) % len(WORDS)]) for i, pair in enumerate(some)]
        chats = [[message._asdict() for message in prompt.messages] for prompt in prompts]
        for pair, prompt, (text, ended) in zip(some, prompts, replies(model, tokenizer, chats), strict=True):
            completion = Completion(prompt.id, text, "stop" if ended else "length")
            outcome = parse(completion, prompt, engine="test", model="tiny", seed=0)
            stopped += ended
            if isinstance(outcome, Context):
                parsed += 1
                answered += pair.answer in outcome.text
                words += outcome.words
    count = max(len(pairs), 1)
    return Measured(stopped / count, parsed / count, answered / count, round(words / max(parsed, 1), 1))
