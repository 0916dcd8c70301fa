"""Photograph the Space for the README: ``docs/space-light.png`` and ``docs/space-dark.png``.

    python scripts/make_space_pictures.py

A real page in a real Chromium: it opens, and what it shows at once is the picture. Needs the dev extra.
"""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from tests.browser.chromium import launch
from tests.space_server import serving

DOCS = Path(__file__).parent.parent / "docs"
WIDTH, HEIGHT = 1280, 1010
MOST_BYTES = 300_000
COLOURS = 128


def main() -> None:
    """Write both pictures."""
    with serving() as url, sync_playwright() as playwright:
        browser = launch(playwright)
        for scheme in ("light", "dark"):
            target = DOCS / f"space-{scheme}.png"
            target.write_bytes(small(photograph(browser, url, scheme)))
            size = target.stat().st_size
            print(f"{target.relative_to(DOCS.parent)}: {size / 1000:.0f} kB")
            if size > MOST_BYTES:
                raise SystemExit(f"{target} has {size:,} bytes; lower COLOURS until it has {MOST_BYTES:,}.")
        browser.close()


def photograph(browser: Browser, url: str, scheme: str) -> bytes:
    """The page as it opens, down to the first lines of the text."""
    page = browser.new_page(
        viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme, reduced_motion="reduce"
    )
    page.goto(url)
    page.locator("#syn-text mark").first.wait_for(timeout=120_000)
    page.wait_for_function("document.querySelector('#syn-text').scrollTop > 0")
    taken = page.screenshot()
    page.close()
    return taken


def small(picture: bytes) -> bytes:
    """The same with few colours, which letters on paper need no more of."""
    out = io.BytesIO()
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    reduced = image.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    reduced.save(out, "PNG", optimize=True)
    return out.getvalue()


if __name__ == "__main__":
    main()
