"""Telling a pair as books of reference do: titled entries, each about one thing and full of facts of it.

Stands on what states and misleads (``stating``, ``decoys``), and on ``prose`` for places in a text.
"""
