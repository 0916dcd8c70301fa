"""Stating what was read: a frame and an answer become the sentences that carry the evidence.

Stands on ``reading``, which never looks back here; knows nothing of facts about others (``decoys``).
"""
