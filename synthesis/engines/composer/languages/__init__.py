"""Contexts in other languages than English: a library's question box, in German, French, Spanish and Chinese.

Each language has its own sentences in ``texts``; evidence, what leads up to it, what stands around it
and the story are of one language.
"""
