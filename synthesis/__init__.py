"""Contexts from pairs: write them, score them, assemble them into samples.

Names are resolved on first use, so that importing the package stays cheap.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synthesis.assembly import assemble
    from synthesis.coherence import score, score_batch, score_context
    from synthesis.data import Coherence, Context, Evidence, Message, Pair, Rejected, Sample
    from synthesis.errors import ContextSynthesisError
    from synthesis.run.loop import synthesize
    from synthesis.run.reasoning import with_reasons
    from synthesis.sources.pairs import read_pairs
    from synthesis.tokens import load_tokenizer

__version__ = "0.1.0"

__all__ = [
    "Coherence",
    "Context",
    "ContextSynthesisError",
    "Evidence",
    "Message",
    "Pair",
    "Rejected",
    "Sample",
    "assemble",
    "load_tokenizer",
    "read_pairs",
    "score",
    "score_batch",
    "score_context",
    "synthesize",
    "with_reasons",
]

_LAZY = {
    "Coherence": "synthesis.data",
    "Context": "synthesis.data",
    "ContextSynthesisError": "synthesis.errors",
    "Evidence": "synthesis.data",
    "Message": "synthesis.data",
    "Pair": "synthesis.data",
    "Rejected": "synthesis.data",
    "Sample": "synthesis.data",
    "assemble": "synthesis.assembly",
    "load_tokenizer": "synthesis.tokens",
    "read_pairs": "synthesis.sources.pairs",
    "score": "synthesis.coherence",
    "score_batch": "synthesis.coherence",
    "score_context": "synthesis.coherence",
    "synthesize": "synthesis.run.loop",
    "with_reasons": "synthesis.run.reasoning",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'synthesis' has no attribute '{name}'")
    value = getattr(importlib.import_module(_LAZY[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
