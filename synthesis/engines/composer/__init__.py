"""The embedded engine: contexts without a model. ``compose`` writes one, ``Composer`` serves prompts."""

from __future__ import annotations

from synthesis.engines.composer.draft import GENRES, Draft, compose
from synthesis.engines.composer.engine import Composer

__all__ = ["GENRES", "Composer", "Draft", "compose"]
