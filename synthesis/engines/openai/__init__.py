"""Any server that speaks the OpenAI protocol, as an engine.

``engine`` is the surface; ``wire`` what is sent and read; ``connection`` the client library;
``likelihood`` the scoring of text; ``batch`` an engine of its own for the Batch API. All that is not
of this protocol is in ``synthesis.engines.serving``. The ``openai`` package is imported when an
engine is made, not before.
"""

from __future__ import annotations

from synthesis.engines.openai.engine import OpenAIEngine

__all__ = ["OpenAIEngine"]
