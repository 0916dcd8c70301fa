"""The Batch API: many requests in a file, answered within a day at half the price.

``engine`` is the surface; ``jobs`` what a batch is; ``requests`` the files sent; ``replies``
the files that come back; ``service`` the calls. Bodies and replies are those of the engine
``openai``, made and read by the same code.
"""

from __future__ import annotations

from synthesis.engines.openai.batch.engine import BatchEngine
from synthesis.engines.openai.batch.jobs import BatchJob, BatchStatus, Unanswered

__all__ = ["BatchEngine", "BatchJob", "BatchStatus", "Unanswered"]
