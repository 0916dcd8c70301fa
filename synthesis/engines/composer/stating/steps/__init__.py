"""Evidence in several steps: what each kind of question is taken apart into, and the names that join it.

Stands on the usual statement of a pair (``stating.statements``); decoys stand on what is told here.
"""
