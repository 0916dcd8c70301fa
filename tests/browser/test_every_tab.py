"""Every tab at every width, light and dark: it fits, it can be read, it has a name for everything."""

from __future__ import annotations

import pytest

from tests.browser.visit import WIDTHS

TABS = ["Synthesize", "Compare", "Score your own", "Batch", "Explore", "About"]
_LABELS = 'gradio_config.components.filter((one) => one.type === "tabitem").map((one) => one.props.label)'


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_tab_fits_and_axe_finds_nothing_serious(visit, shots, subtests, width, scheme) -> None:
    page = visit(width=width, scheme=scheme)
    assert page.page.evaluate(_LABELS) == TABS
    assert page.page.evaluate("document.body.classList.contains('dark')") == (scheme == "dark")
    for name in TABS:
        with subtests.test(tab=name):
            page.tab(name)
            page.page.screenshot(
                path=shots / f"{name.split()[0].lower()}-{width}-{scheme}.png", full_page=True
            )
            assert not page.wider()
            assert not page.violations()


def test_with_reduced_motion_nothing_moves(visit) -> None:
    page = visit(reduced_motion="reduce")
    page.page.evaluate(
        """() => {
          window.moved = [];
          const look = () => {
            for (const one of document.getAnimations()) {
              const length = one.effect.getComputedTiming().activeDuration;
              if (length > 1) moved.push(`${one.animationName ?? one.transitionProperty} ${length} ms`);
            }
            requestAnimationFrame(look);
          };
          look();
        }"""
    )
    page.synthesize()
    page.page.locator("#syn-text").scroll_into_view_if_needed()
    page.page.locator(".cs-held").last.click()
    assert page.page.evaluate("new Set(moved).size ? [...new Set(moved)] : []") == []
