"""Finds the files that live at the top of the source tree and inside an installed wheel.

It does not read or check them; the wheel's build configuration says where they go.
"""

from __future__ import annotations

from pathlib import Path

from synthesis.errors import ContextSynthesisError

_PACKAGES = Path(__file__).resolve().parent.parent


def card_template() -> str:
    """The text of the dataset card's template.

    Raises:
        ContextSynthesisError: The installation lacks the file.
    """
    return _first("dataset_card.md", "builder/dataset_card.md").read_text(encoding="utf-8")


def page_template(name: str) -> str:
    """The text of a template of the report's pages, or of what they are made of.

    Raises:
        ContextSynthesisError: The installation lacks the file.
    """
    return _first(f"builder/report/{name}", f"builder/report/{name}").read_text(encoding="utf-8")


def example_pairs() -> Path:
    """The bundled instruction-answer pairs (JSON lines).

    Raises:
        ContextSynthesisError: The installation lacks the file.
    """
    return _first("examples/pairs.jsonl", "synthesis/examples/pairs.jsonl")


def _first(checkout: str, wheel: str) -> Path:
    # Only a checkout has pyproject.toml beside the packages: site-packages may hold
    # somebody else's `examples` folder.
    place = checkout if (_PACKAGES / "pyproject.toml").is_file() else wheel
    path = _PACKAGES / place
    if not path.is_file():
        raise ContextSynthesisError(
            f"The bundled file '{place}' is missing, so the installation is incomplete. "
            "Install context-synthesis again."
        )
    return path
