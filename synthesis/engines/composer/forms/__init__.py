"""Forms for ordinary pairs: a manual, a lesson, a phrase book, a repository's notes, an exchange, ...

Each file is a form or a family of them: how its pieces of evidence are led up to, and what else of the
same kind stands around. ``choose`` says which a pair gets. Knows nothing of lengths or narratives.
"""
