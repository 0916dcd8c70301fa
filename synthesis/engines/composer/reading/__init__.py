"""Reading a pair: the question as a frame with a gap, the kind of its answer, what it speaks of.

Stands on ``grammar``; knows nothing of the statements (``stating``) or distractors (``decoys``) made from it.
"""
