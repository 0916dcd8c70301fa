"""Decoys: facts of the evidence's kind about others, made from the statements and from patterns.

Stands on ``stating`` and ``reading``, neither of which knows that there are decoys.
"""
