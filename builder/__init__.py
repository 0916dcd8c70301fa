"""The dataset: folder, card, Hub and the command line, on top of ``synthesis``.

Names are resolved on first use, so that importing the package stays cheap.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

# Not lazily: the module has the function's name, and would take its place.
from builder.publish import publish

if TYPE_CHECKING:
    from builder.dataset import ContextSynthesis
    from builder.loading import load, load_builder

__all__ = ["ContextSynthesis", "load", "load_builder", "publish"]

_LAZY = {
    "ContextSynthesis": "builder.dataset",
    "load": "builder.loading",
    "load_builder": "builder.loading",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'builder' has no attribute '{name}'")
    return getattr(importlib.import_module(_LAZY[name]), name)
