"""A real Chromium that can reach this machine and nothing else."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    # Whatever asks for another machine fails at once, and is seen by the visit that made it ask.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)


def launch(playwright: Playwright) -> Browser:
    """Start the first Chromium on the PATH.

    Raises:
        LookupError: there is none.
    """
    path = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if path is None:
        raise LookupError("There is no Chromium on the PATH; `make chromium` installs Debian's.")
    return playwright.chromium.launch(executable_path=path, args=[*_FLAGS])
