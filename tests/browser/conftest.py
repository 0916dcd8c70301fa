"""The page in a real Chromium: these tests run only where they are asked for by path.

``make test-browser`` gets Chromium and axe-core and asks. A plain ``pytest`` leaves them out as a
whole; once asked for, nothing is skipped: what is missing fails and says how to get it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.browser.visit import Visit
    from tests.openai_server import Server

HERE = Path(__file__).parent
AXE = HERE / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    from tests.browser.chromium import launch

    with sync_playwright() as playwright:
        one = launch(playwright)
        yield one
        one.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core."""
    if not AXE.exists():
        pytest.fail("axe-core is not installed; `make test-browser` gets it from npm.")
    return AXE.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots are kept: in pytest's own temporary folder, of the last three runs."""
    return tmp_path_factory.mktemp("shots")


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page as visitors get it."""
    yield from _served("space.app", tmp_path_factory.mktemp("log") / "page.txt")


@pytest.fixture(scope="session")
def providers() -> Iterator[Server]:
    """A server that speaks as Inference Providers do, and fails as a test's script tells it."""
    from tests import openai_server

    with openai_server.serve(models=("openai/gpt-oss-20b",)) as server:
        yield server


@pytest.fixture(scope="session")
def staged(tmp_path_factory: pytest.TempPathFactory, providers: Server) -> Iterator[str]:
    """The page with slow steps, one run at a time, two places to wait and a provider of ours."""
    log = tmp_path_factory.mktemp("log") / "staged.txt"
    yield from _served("tests.browser.staged", log, STAGED_PROVIDERS=providers.url)


@pytest.fixture
def visit(browser: Browser, url: str, axe: str) -> Iterator[Callable[..., Visit]]:
    """Opens windows on the page; at the end each must have nothing to complain of."""
    yield from _visits(browser, url, axe)


@pytest.fixture
def visit_staged(browser: Browser, staged: str, axe: str) -> Iterator[Callable[..., Visit]]:
    """The same for the staged page."""
    yield from _visits(browser, staged, axe)


def _served(module: str, log: Path, **environment: str) -> Iterator[str]:
    from tests.space_server import serving

    with serving(module, log, **environment) as address:
        yield address
    assert "Traceback" not in log.read_text(), f"the server had errors:\n{log.read_text()[-3000:]}"


def _visits(browser: Browser, url: str, axe: str) -> Iterator[Callable[..., Visit]]:
    from tests.browser.visit import Visit

    opened: list[Visit] = []

    def enter(fragment: str = "", **settings: Any) -> Visit:
        one = Visit(browser, url, axe, **settings)
        opened.append(one)
        one.open(fragment)
        return one

    yield enter
    complaints = [complaint for one in opened for complaint in one.leave()]
    assert not complaints, "\n".join(complaints)
