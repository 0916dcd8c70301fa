"""A model of the transformers library in this process, as an engine.

``engine`` is the surface; ``loading`` gets model and tokenizer; ``texts`` goes between text and
tokens; ``decoder`` runs the model over its cache; ``writing`` puts requests into batches and draws
replies token by token; ``likelihood`` scores. torch and transformers are imported when an engine is
made, not before.
"""

from __future__ import annotations

from synthesis.engines.transformers.engine import TransformersEngine

__all__ = ["TransformersEngine"]
