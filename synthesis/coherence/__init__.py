"""How well a context carries a pair: a score in [0, 1] that needs no model.

``score_context`` judges a pair's context, ``score`` and ``score_batch`` plain texts;
``locate`` finds where the support stands, ``explain`` says it in words, ``window_spans`` gives
the places of the score's windows.
``verified`` is True only where the facts that a context states tell that this answer follows
rather than another.
"""

from synthesis.coherence.leaks import Leak
from synthesis.coherence.scoring import (
    SCORE_VERSION,
    Scored,
    explain,
    locate,
    score,
    score_batch,
    score_context,
    window_spans,
)
from synthesis.data import Coherence

__all__ = [
    "SCORE_VERSION",
    "Coherence",
    "Leak",
    "Scored",
    "explain",
    "locate",
    "score",
    "score_batch",
    "score_context",
    "window_spans",
]
