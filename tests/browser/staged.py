"""The page made slow and narrow, with a provider of the tests': ``python -m tests.browser.staged``.

A run takes seconds, only one at a time, two visitors may wait, and whoever chooses Inference Providers
counts as signed in. Nothing else differs from ``space.app``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from space import app, handlers
from space.making import models
from space.tabs import parts

STEP = 1.5
WAITING = 2
TOKEN = "hf_the_visitors_own_token"


def main() -> None:
    handlers.STEP = STEP
    app.QUEUE, app.AT_ONCE = WAITING, 1
    parts.RUNS["concurrency_limit"] = 1
    models.PROVIDERS_URL = os.environ["STAGED_PROVIDERS"]
    synthesize = handlers.synthesize

    def signed_in(given: Mapping[str, Any], run: Any, token: str | None = None) -> Iterator[handlers.Moment]:
        return synthesize(given, run, token or TOKEN)

    handlers.synthesize = signed_in
    app.main()


if __name__ == "__main__":
    main()
