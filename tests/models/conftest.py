"""The test model needs torch and transformers: its tests run only where they are asked for by path."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave this folder out unless an argument of the command points into it."""
    asked = [
        Path(config.invocation_params.dir, argument.partition("::")[0]).resolve() for argument in config.args
    ]
    inside = any(path == HERE or HERE in path.parents for path in asked)
    return None if inside or HERE not in collection_path.parents else True
