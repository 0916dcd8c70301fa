"""The dataset: folder, card, Hub and the command line, on top of ``synthesis``.

Names are resolved on first use, so that importing the package stays cheap.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from builder.hub.publish import publish
    from builder.loading.dataset import ContextSynthesis
    from builder.loading.load import load, load_builder
    from builder.report.showing import show

__all__ = ["ContextSynthesis", "load", "load_builder", "publish", "show"]

_LAZY = {
    "ContextSynthesis": "builder.loading.dataset",
    "load": "builder.loading.load",
    "load_builder": "builder.loading.load",
    "publish": "builder.hub.publish",
    "show": "builder.report.showing",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'builder' has no attribute '{name}'")
    return getattr(importlib.import_module(_LAZY[name]), name)
