"""Models of real shapes with random weights, the work they get, and the least time that can take."""

from __future__ import annotations

import heapq
import json
import random
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from zlib import crc32

import synthesis.tokens
from synthesis.data import Pair

PEAK = 3.5  # standard deviation of logits, about that of a trained model
EXAMPLES = Path(__file__).parents[2] / "examples" / "pairs.jsonl"


@dataclass(frozen=True)
class Shape:
    """A decoder-only model's sizes, and its work: so many prompts, replies of ``lengths`` tokens.

    ``chunk`` prompts go together where chunks wait; ``at_once`` are further limits of requests under
    way; ``scored`` texts of about ``text`` tokens are scored.
    """

    layers: int
    width: int
    heads: int
    kv_heads: int
    inner: int
    vocabulary: int
    tied: bool
    prompts: int = 1280
    lengths: tuple[int, int] = (32, 1024)
    chunk: int = 256
    at_once: tuple[int, ...] = ()
    scored: int = 0
    text: int = 2048

    @property
    def layer_weights(self) -> int:
        """Parameters of all layers that each token is multiplied with."""
        attention = 2 * self.width * self.width // self.heads * (self.heads + self.kv_heads)
        return self.layers * (attention + 3 * self.width * self.inner)

    @property
    def weights(self) -> int:
        """Those, and the ones that make logits."""
        return self.layer_weights + self.vocabulary * self.width

    @property
    def cache(self) -> int:
        """Bytes that the cache holds of one token, in bf16."""
        return 2 * 2 * self.layers * self.kv_heads * self.width // self.heads

    def length(self, ids: Sequence[int]) -> int:
        """How long the reply to a prompt is: log-uniform, drawn from the prompt's token ids."""
        low, high = self.lengths
        return round(low * (high / low) ** random.Random(crc32(array("I", ids))).random())


SHAPES = {
    "7b": Shape(28, 3584, 28, 4, 18944, 152064, False, at_once=(256, 512), scored=96),  # of Qwen2.5
    "1.7b": Shape(24, 2048, 32, 32, 8192, 49152, True),  # of SmolLM2, as is the next
    "135m": Shape(30, 576, 9, 3, 1536, 49152, True),
    "tiny": Shape(2, 128, 4, 2, 256, 16500, True, 48, (4, 32), 8, (8,), 4, 128),
}


def make_model(folder: Path, shape: Shape) -> None:
    """A configuration, and our embedded tokenizer filled up with words to the vocabulary's size.

    vLLM draws random weights below 1e-3, norms and all, so that every token would be as likely as any
    other and the nucleus nearly the vocabulary. The scale makes logits as peaked as of a trained model.
    """
    kept = Path(synthesis.tokens.__file__).parent
    for name in ("tokenizer_config.json", "chat_template.jinja"):
        (folder / name).write_text((kept / name).read_text("utf-8"), "utf-8")
    tokenizer = json.loads((kept / "tokenizer.json").read_text("utf-8"))
    words = tokenizer["model"]["vocab"]
    words |= {f"Ġw{n}": n for n in range(len(words), shape.vocabulary)}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), "utf-8")
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": shape.width,
        "intermediate_size": shape.inner,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "vocab_size": shape.vocabulary,
        "max_position_embeddings": 8192,
        "rope_theta": 1e6,
        "rms_norm_eps": 1e-12,
        "logit_scale": PEAK / (shape.width**0.5 * 1e-6 / 3),
        "hidden_act": "silu",
        "tie_word_embeddings": shape.tied,
        "torch_dtype": "bfloat16",
        "eos_token_id": 1,
        "pad_token_id": 2,
    }
    (folder / "config.json").write_text(json.dumps(config), "utf-8")


def pairs(count: int) -> list[Pair]:
    """The bundled pairs over and over, told apart by a number from the second round on."""
    rows = [json.loads(line) for line in EXAMPLES.read_text("utf-8").splitlines()]
    found = []
    for n in range(count):
        row, again = rows[n % len(rows)], f" (Case {n}.)" if n >= len(rows) else ""
        found.append(Pair("", row["instruction"] + again, row["answer"], row["task"]))
    return found


@dataclass(frozen=True)
class Floor:
    """What a card allows, in bytes and operations a second (bf16), as measured on it."""

    bandwidth: float
    rate: float

    def seconds(self, shape: Shape, prompts: Sequence[int], replies: Sequence[int], slots: int) -> float:
        """The least time for replies of so many tokens to prompts of so many, ``slots`` at once.

        A reply follows as soon as one ends. Each step reads all weights, or multiplies them with a
        token of every running reply, whatever takes longer, and reads the cache of those. Prompts
        are not counted here: how many of their tokens are computed depends on the prefix cache.
        """
        ends: list[int] = []
        changes = [0] * (sum(replies) + 1)
        for tokens in replies:
            begin = heapq.heappop(ends) if len(ends) == slots else 0
            heapq.heappush(ends, begin + tokens)
            changes[begin] += 1
            changes[begin + tokens] -= 1
        running = list(accumulate(changes[: max(ends)]))
        layers = sum(
            max(2 * shape.weights / self.bandwidth, 2 * shape.weights * n / self.rate) for n in running
        )
        held = sum(new * asked + new * new / 2 for asked, new in zip(prompts, replies, strict=True))
        return layers + held * shape.cache / self.bandwidth

    def reading(self, shape: Shape, tokens: int) -> float:
        """The least time to compute so many prompt tokens."""
        return 2 * shape.layer_weights * tokens / self.rate
