"""The embedded engine: contexts without a model. ``compose`` writes one, ``Composer`` serves prompts.

Names are resolved on first use: much of what is in here is used without anything being composed.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synthesis.engines.composer.draft import GENRES, Draft, compose
    from synthesis.engines.composer.engine import Composer

__all__ = ["GENRES", "Composer", "Draft", "compose"]

_LAZY = {
    "GENRES": "synthesis.engines.composer.draft",
    "Composer": "synthesis.engines.composer.engine",
    "Draft": "synthesis.engines.composer.draft",
    "compose": "synthesis.engines.composer.draft",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'synthesis.engines.composer' has no attribute '{name}'")
    return getattr(importlib.import_module(_LAZY[name]), name)
