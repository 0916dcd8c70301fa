"""Where rows come from: files of several formats, folders, globs and the Hub.

Each source becomes a few ``SourceTable``s of ``SourceRow``s. What the rows mean (which column is
the instruction, what a bad pair is) is ``synthesis.sources.pairs``' business.
"""

from __future__ import annotations
