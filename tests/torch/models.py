"""Models for the tests: random ones, made on the spot, with the embedded tokenizer."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import AutoTokenizer, PretrainedConfig, Qwen2Config, Qwen2ForCausalLM

import synthesis.tokens

WINDOW = 4096

TRAINED = Path(__file__).parents[1] / "models" / "tiny"  # a small model trained for the tests


def save_random_model(folder: Path, *, chat: bool = True, **changes: object) -> Path:
    """A random Qwen2 in ``folder``, with its tokenizer; the same every time."""
    tokenizer = AutoTokenizer.from_pretrained(str(Path(synthesis.tokens.__file__).parent))
    if not chat:
        tokenizer.chat_template = None
    shape = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": WINDOW,
        "initializer_range": 0.2,  # enough for what was read to tell in what is written
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": None,
        "pad_token_id": None,
    }
    return save(Qwen2ForCausalLM, Qwen2Config(**shape | changes), tokenizer, folder)


def save_copying_model(folder: Path) -> Path:
    """A model that expects what it has read, by construction: the more often, the likelier.

    One layer that attends to everything alike and hands its embeddings on to a head that has the
    same ones: the logits are, nearly, the counts of the tokens so far.
    """
    wide = 256
    made = {
        "hidden_size": wide,
        "num_hidden_layers": 1,
        "num_key_value_heads": 4,
        "tie_word_embeddings": True,
    }
    save_random_model(folder, **made)
    model = Qwen2ForCausalLM.from_pretrained(folder)
    layer = model.model.layers[0]
    with torch.no_grad():
        read = layer.self_attn
        for part in (read.q_proj, read.k_proj, read.v_proj, layer.mlp.down_proj):
            for weights in part.parameters():
                weights.zero_()
        model.model.embed_tokens.weight.normal_(generator=torch.Generator().manual_seed(0))
        read.v_proj.weight.copy_(torch.eye(wide))
        read.o_proj.weight.copy_(20 * torch.eye(wide))  # what was read outweighs the last token
        model.model.norm.weight.fill_(0.1)
    model.save_pretrained(folder)
    return folder


def save(kind: type, config: PretrainedConfig, tokenizer: object, folder: Path) -> Path:
    """A model of random weights and a tokenizer, as a folder that can be loaded."""
    torch.manual_seed(0)
    kind(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
