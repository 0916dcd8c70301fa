"""These tests need torch and transformers: they run only where they are asked for by path.

``make test-torch`` sets up an environment for them and asks. A plain ``pytest`` leaves them
out as a whole; once asked for, nothing is skipped. Nothing is downloaded: models are tiny, and
random and made here, or trained for the tests and in ``tests/models``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthesis.engines.transformers import TransformersEngine

# Before anything imports the Hub's client: a wrong name must fail here, not after a look-up.
os.environ["HF_HUB_OFFLINE"] = "1"


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Tiny models are slowed down by sharing their work out."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def random_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a random model of the Qwen2 kind."""
    from tests.torch.models import save_random_model

    return save_random_model(tmp_path_factory.mktemp("models") / "random")


@pytest.fixture(scope="session")
def engine(random_model: Path) -> Iterator[TransformersEngine]:
    """An engine on the random model; not to be closed by tests."""
    made = TransformersEngine(str(random_model), dtype="float32")
    yield made
    made.close()
