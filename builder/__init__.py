"""The dataset: folder, card, Hub and the command line, on top of ``synthesis``."""

from builder.publish import publish

__all__ = ["publish"]
