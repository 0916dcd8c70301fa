"""A causal language model over its cache, as one function: token ids in, logits out.

Memory is bounded by whoever calls: logits are made only for the positions asked for, and
long texts are read in pieces. Knows nothing of text, sampling or batches.
"""

from __future__ import annotations

import inspect
from typing import Any, Final

from synthesis.errors import ConfigError, EngineError

# What the library calls the cache from 5.24 on, and what it called it before.
_CACHE_NAMES: Final = ("cache", "past_key_values")


class Decoder:
    """Reads token ids with a model of the transformers library.

    Raises:
        ConfigError: the model's architecture keeps no key-value cache that others can hold.
    """

    def __init__(self, model: Any) -> None:
        # Of the class: accelerate wraps the method of the object.
        self._takes = set(inspect.signature(type(model).forward).parameters)
        named = [name for name in _CACHE_NAMES if name in self._takes]
        if not named or "attention_mask" not in self._takes:
            raise ConfigError(
                f"{type(model).__name__} cannot be run token by token here (its forward takes no "
                f"{' or '.join(_CACHE_NAMES)}); use the engine 'vllm' for this model, or another --model"
            )
        self._model, self._cache_name = model, named[0]

    @property
    def device(self) -> Any:
        """Where token ids go in."""
        return self._model.get_input_embeddings().weight.device

    @property
    def vocabulary(self) -> int:
        """Entries of a position's logits."""
        return int(self._model.config.get_text_config().vocab_size)

    def new_cache(self) -> Any:
        """An empty cache, of the kind that each layer of the model wants."""
        from transformers import DynamicCache

        return DynamicCache(config=self._model.config)

    def keep_rows(self, cache: Any, rows: list[int]) -> None:
        """Leave only some rows in the cache."""
        import torch

        with torch.inference_mode():
            # Made for beams, it is the one selection of rows that every kind of layer has.
            cache.reorder_cache(torch.tensor(rows))

    def read(self, ids: Any, cache: Any, *, mask: Any = None, keep: int = 1) -> Any:
        """Read ``ids`` after what the cache holds.

        Args:
            ids: token ids, shape (rows, new).
            cache: grows by ``new`` positions.
            mask: 1 for tokens, 0 for the padding before them, shape (rows, held + new); None
                where nothing is padded.
            keep: the logits of how many last positions.

        Returns:
            Logits in float32, shape (rows, keep, vocabulary).

        Raises:
            EngineError: the model gave no numbers.
        """
        import torch

        new, held = ids.shape[1], cache.get_seq_length()
        if mask is None:
            positions = torch.arange(held, held + new, device=ids.device).unsqueeze(0)
        else:
            positions = (mask.cumsum(-1) - 1).clamp(min=0)[:, -new:]
        given = {"position_ids": positions, "logits_to_keep": keep}
        with torch.inference_mode():
            read = self._model(
                input_ids=ids,
                attention_mask=mask,
                use_cache=True,
                **{self._cache_name: cache},
                **{name: value for name, value in given.items() if name in self._takes},
            )
            logits = read.logits[:, -keep:].float()
            if logits.isnan().any():
                raise EngineError(
                    f"the model gave values that are no numbers in {self._model.dtype}; "
                    "set the option dtype to bfloat16 or float32"
                )
        return logits
