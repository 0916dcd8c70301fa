"""The Batch API: many requests in a file, answered within a day at half the price.

``engine`` is the surface; ``rounds`` what one call of ``complete`` does; ``jobs`` what a batch is;
``files`` the files sent and those that come back; ``service`` the calls. Bodies and replies are those
of the engine ``openai``, made and read by the same code.
"""

from __future__ import annotations

from synthesis.engines.openai.batch.engine import BatchEngine
from synthesis.engines.openai.batch.jobs import BatchJob, BatchStatus, Unanswered

__all__ = ["BatchEngine", "BatchJob", "BatchStatus", "Unanswered"]
