"""Which engines this machine can offer, found out without importing any of them.

The composer always; Inference Providers with the visitor's own login where the ``openai`` client is
installed; transformers and vLLM where the package is installed and the owner named a model in
``SPACE_MODEL`` (visitors cannot make the machine download one), vLLM only with a GPU.
"""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

EMBEDDED: Final = "composer"
"""The engine that is always there: it needs no model, and its text is there at once."""

PROVIDERS: Final = "providers"
PROVIDERS_URL: Final = "https://router.huggingface.co/v1"
PROVIDERS_MODEL: Final = "openai/gpt-oss-20b"


@dataclass(frozen=True, slots=True)
class Offer:
    """An engine visitors can choose; ``login`` where it takes their own."""

    name: str
    label: str
    login: bool = False


def offers() -> list[Offer]:
    """What can be chosen here, the default first."""
    found = [Offer(EMBEDDED, "Composer, no model")]
    if _installed("openai"):
        found.append(Offer(PROVIDERS, "Inference Providers, your login", login=True))
    if local_model():
        model = local_model().rpartition("/")[2]
        if _installed("transformers") and _installed("torch"):
            found.append(Offer("transformers", f"{model} with transformers"))
        if _installed("vllm") and Path("/dev/nvidia0").exists():
            found.append(Offer("vllm", f"{model} with vLLM"))
    return found


def local_model() -> str:
    """The model the owner wants run on this machine; empty for none."""
    return os.environ.get("SPACE_MODEL", "").strip()


def can_log_in() -> bool:
    """Whether visitors can log in: only in a Space whose card asks for it (``hf_oauth: true``).

    Gradio's login needs ``gradio[oauth]``; without it the page does without a login.
    """
    asked_for = os.environ.get("SPACE_ID") and os.environ.get("OAUTH_CLIENT_ID")
    return bool(asked_for) and _installed("authlib") and _installed("itsdangerous")


def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None
