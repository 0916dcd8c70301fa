"""vLLM in this process, as an engine.

``engine`` is the surface and ``options`` its settings; ``asking`` turns prompts into token ids and
outputs into completions; ``core`` shares one vLLM among iterators and threads and keeps it full;
``backends`` are vLLM's two front doors; ``loading`` starts and stops it; ``trouble`` tells why
something failed. The ``vllm`` package is imported when the first prompt arrives, not before.
"""

from __future__ import annotations

from synthesis.engines.vllm.engine import VLLMEngine

__all__ = ["VLLMEngine"]
