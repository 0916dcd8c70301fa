"""A model of the transformers library in this process, as an engine.

``engine`` is the surface; ``loading`` gets model and tokenizer; ``requests`` is what is asked
of the model and ``batching`` what goes together; ``decoder`` runs the model over its cache;
``writing`` draws replies token by token; ``text`` makes text of tokens as they come;
``likelihood`` scores. torch and transformers are imported when an engine is made, not before.
"""

from __future__ import annotations

from synthesis.engines.transformers.engine import TransformersEngine

__all__ = ["TransformersEngine"]
