"""vLLM in this process, as an engine.

``engine`` is the surface; ``chat`` turns messages into token ids; ``refill`` keeps the batch
full; ``core`` shares one vLLM among iterators and threads; ``backends`` are vLLM's two front
doors; ``loading`` starts and stops it; ``log`` and ``trouble`` tell why something failed. The ``vllm``
package is imported when the first prompt arrives, not before.
"""

from __future__ import annotations

from synthesis.engines.vllm.engine import VLLMEngine

__all__ = ["VLLMEngine"]
