"""The embedded engine: contexts without a model. ``compose`` writes one, ``Composer`` serves prompts."""

from __future__ import annotations

from .draft import GENRES, Draft, compose
from .engine import Composer

__all__ = ["GENRES", "Composer", "Draft", "compose"]
