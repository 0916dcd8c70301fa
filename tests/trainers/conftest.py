"""These tests need torch, transformers and TRL: they run only where they are asked for by path.

``make test-torch`` sets up an environment for them and asks. A plain ``pytest`` leaves them
out as a whole; once asked for, nothing is skipped.
"""

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
