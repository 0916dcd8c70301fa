"""Tokenizer, configuration and first weights of the test model.

The first weights hold a copying circuit that small models otherwise find only after millions
of tokens: a head of layer 0 looks one token back, a head of layer 1 looks for the place whose
previous token was the present one and repeats what stands there (an induction head; Olsson et
al., 2022, arXiv 2209.11895). The biases of Qwen2's queries and keys make the first of them
exact under rotary positions. Training starts from there. Knows nothing of pairs or prompts.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

TURN, OVER, PAD = "<|turn|>", "<|over|>", "<|pad|>"
POSITIONS = 4096
_VOCABULARY = 2048
_SPREAD = 0.03  # of the first weights
_THETA = 1e6  # of the rotary positions
_CHAT_TEMPLATE = (
    "{%- for message in messages -%}\n"
    '{{ "<|turn|>" + message["role"] + "\\n" + message["content"] + "<|over|>\\n" }}\n'
    "{%- endfor -%}\n"
    "{%- if add_generation_prompt -%}\n"
    '{{ "<|turn|>assistant\\n" }}\n'
    "{%- endif -%}\n"
)


def train_tokenizer(texts: Iterable[str]) -> Tokenizer:
    """Byte-level BPE; digits and quotation marks stand alone, so a quoted text keeps its tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\p{N}| ?[“”]"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_VOCABULARY,
        special_tokens=[TURN, OVER, PAD],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def write_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """The two files from which ``AutoTokenizer`` loads it."""
    (folder / "tokenizer.json").write_text(tokenizer.to_str() + "\n", encoding="utf-8")
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": OVER,
        "pad_token": PAD,
        "clean_up_tokenization_spaces": False,
        "model_max_length": POSITIONS,
        "chat_template": _CHAT_TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def first_model(tokenizer: Tokenizer) -> Any:
    """A ``Qwen2ForCausalLM`` of 2 million weights with the copying circuit in it.

    Draws from the global generator of torch: seed that first.
    """
    from transformers import Qwen2Config, Qwen2ForCausalLM

    eos = tokenizer.token_to_id(OVER)
    config = Qwen2Config(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=256,
        intermediate_size=384,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=POSITIONS,
        rope_parameters={"rope_type": "default", "rope_theta": _THETA},
        tie_word_embeddings=True,
        initializer_range=_SPREAD,
        bos_token_id=None,
        eos_token_id=eos,
        pad_token_id=tokenizer.token_to_id(PAD),
        use_cache=True,
    )
    model = Qwen2ForCausalLM(config)
    model.generation_config.do_sample = False
    model.generation_config.eos_token_id = eos
    model.generation_config.max_new_tokens = 512
    quieten(model)
    add_copying(model)
    return model


def quieten(model: Any) -> None:
    """Make what each layer first adds small beside what it is added to."""
    import torch

    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight *= 0.15
            layer.mlp.down_proj.weight *= 0.15


def add_copying(model: Any, *, focus: float = 9.0, match: float = 0.8, loud: float = 2.0) -> None:
    """Write the copying circuit into the first two layers.

    In layer 0 two heads look one and two tokens back and note what stands there. In layer 1 one
    head looks for places after the present token, one for places two after the previous token;
    where both look, the sum of what they repeat is the continuation.

    Args:
        model: its first two layers are changed in place.
        focus: size of the biases that make heads of layer 0 look back.
        match: scale of the projections that compare tokens in layer 1.
        loud: size of the notes, beside the embeddings.
    """
    import torch

    width = model.config.hidden_size
    size = width // model.config.num_attention_heads
    half = size // 2
    angles = _THETA ** (-torch.arange(half) / half)
    slow = [i for i in range(half) if angles[i] * 1000 < 2]  # hardly turn over a whole prompt
    slow += [i + half for i in slow]
    own, once, twice, rest = torch.linalg.qr(torch.randn(width, width)).Q.T.split(size)  # orthonormal rows
    heads = [slice(i * size, (i + 1) * size) for i in range(4)]  # two to each head of keys and values
    with torch.no_grad():
        back, copy = (model.model.layers[i].self_attn for i in (0, 1))
        back.k_proj.weight[heads[0]] = 0
        back.v_proj.weight[heads[0]] = own
        for distance, note in ((1, once), (2, twice)):
            head = heads[distance - 1]
            back.q_proj.weight[head] = 0
            back.o_proj.weight[:, head] = loud * _SPREAD * note.T
            for i in range(6):  # the fastest are sharp enough
                angle = distance * float(angles[i])
                back.q_proj.bias[head.start + i] = focus * math.cos(angle)
                back.q_proj.bias[head.start + i + half] = -focus * math.sin(angle)
                back.k_proj.bias[i] = focus
        scale = match * math.sqrt(width) / 4
        # Heads 0 and 2 compare; what the other two look for is left to training.
        for query, key, asks, noted, repeats in ((0, 0, own, once, own), (2, 1, once, twice, rest)):
            for projection, at, reads in ((copy.q_proj, query, asks), (copy.k_proj, key, noted)):
                projection.weight[heads[at]] = 0
                projection.weight[[heads[at].start + i for i in slow]] = scale * reads[: len(slow)]
            copy.v_proj.weight[heads[key]] = repeats
            copy.o_proj.weight[:, heads[query]] = 0.1 * repeats.T
