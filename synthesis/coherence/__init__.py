"""How well a context carries a pair: a score in [0, 1] that needs no model.

``score`` and ``score_batch`` judge, ``locate`` finds where the support stands,
``explain`` says it in words, ``window_spans`` gives the places of the score's windows.
``verified`` is True only where the facts that a context states tell that this answer follows
rather than another.
"""

from synthesis.coherence.leaks import Leak
from synthesis.coherence.scoring import explain, locate, score, score_batch, score_with_leaks, window_spans
from synthesis.data import Coherence

__all__ = [
    "Coherence",
    "Leak",
    "explain",
    "locate",
    "score",
    "score_batch",
    "score_with_leaks",
    "window_spans",
]
