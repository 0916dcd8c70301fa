"""Any server that speaks the OpenAI protocol, as an engine.

``engine`` is the surface; ``wire`` what is sent and read; ``failures`` what went wrong and
whether to try again; ``pace`` how many requests at once; ``session`` the event loop behind
the synchronous iterators; ``likelihood`` the scoring of text. The ``openai`` package is
imported when an engine is made, not before.
"""

from __future__ import annotations

from synthesis.engines.openai.engine import OpenAIEngine

__all__ = ["OpenAIEngine"]
