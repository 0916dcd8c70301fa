"""The page by the keyboard alone, and what somebody who cannot see it is told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

ENOUGH = 120
"""Presses of the Tab key that get through any tab."""

AREAS = {
    "Synthesize": ["syn"],
    "Compare": ["cmp-a", "cmp-b"],
    "Score your own": ["own"],
    "Batch": [],
    "Explore": ["exp"],
}
FOCUSED = """() => {
  const one = document.activeElement;
  if (one === document.body) return null;
  const box = one.getBoundingClientRect();
  const clip = { x: Math.max(0, box.x - 6), y: Math.max(0, box.y - 6) };
  clip.width = Math.min(box.right + 6, innerWidth) - clip.x;
  clip.height = Math.min(box.bottom + 6, innerHeight) - clip.y;
  const name = one.ariaLabel || one.textContent.trim() || one.labels?.[0]?.textContent.trim() || one.name;
  return { tag: one.tagName, id: one.id, name, clip };
}"""


def walk(page) -> Iterator[dict]:
    """Each stop of the Tab key, from the masthead to the end of the page."""
    page.page.evaluate(
        "() => { const first = document.querySelector('h1'); first.tabIndex = -1; first.focus(); }"
    )
    for _ in range(ENOUGH):
        page.page.keyboard.press("Tab")
        stop = page.page.evaluate(FOCUSED)
        if stop is None:
            return
        yield stop
    raise AssertionError("the Tab key never comes to the end of the page")


def fill_tab(page, name: str) -> None:
    """Bring a tab to where it has all that it can have."""
    page.tab(name)
    if name == "Compare":
        page.press("Compare")
        page.ended("cmp-a"), page.ended("cmp-b")
    elif name == "Score your own":
        page.press("Example")
        page.press("Score")
        page.ended("own")
    elif name == "Batch":
        page.choose("Length", "500 words")
        page.press("Example")
        page.press("Run")
        page.ended("bat")
    elif name == "Explore":
        page.page.locator("table:visible button").first.click()
        page.page.locator("#exp-text mark").first.wait_for()
    for fold in page.page.locator(".cs-fold > button:visible").all():
        fold.click()
    page.page.wait_for_function(
        """() => [...document.querySelectorAll(".cs-fold > button")]
          .every((one) => !one.checkVisibility() || one.ariaExpanded === "true")"""
    )


@pytest.mark.parametrize(
    ("name", "scheme"),
    [
        ("Synthesize", "light"),
        ("Compare", "dark"),
        ("Score your own", "light"),
        ("Batch", "dark"),
        ("Explore", "light"),
    ],
)
def test_the_tab_key_leads_through_everything_and_its_place_is_seen(visit, name, scheme) -> None:
    page = visit(scheme=scheme, reduced_motion="reduce")
    fill_tab(page, name)
    stops, unseen = [], []
    for stop in walk(page):
        stops.append(stop)
        assert stop["name"], f"nothing says what {stop} is"
        with_focus = page.page.screenshot(clip=stop["clip"], caret="hide")
        page.page.evaluate("window.held = document.activeElement; held.blur()")
        if page.page.screenshot(clip=stop["clip"], caret="hide") == with_focus:
            unseen.append(stop)
        page.page.evaluate("held.focus({ focusVisible: true, preventScroll: true })")
    assert not unseen
    ids = [stop["id"] for stop in stops]
    for panel in AREAS[name]:  # the strip, then its text
        assert stops[ids.index(f"{panel}-text") - 1]["name"].startswith("Part 1 of")
        assert page.marks(panel), "what was on show is gone"


def test_the_focus_comes_back_after_a_run_and_at_the_last_page(visit) -> None:
    page = visit()
    page.page.locator("#syn-go").focus()
    page.forget_status()
    page.page.keyboard.press("Enter")
    assert page.ended().startswith("Done")
    page.page.wait_for_function("document.activeElement.id === 'syn-go'")
    page.tab("Explore")
    page.page.locator("#exp-on").focus()
    page.page.keyboard.press("Enter")
    page.page.get_by_text("Page 2 of 2").wait_for()
    page.page.wait_for_function("document.activeElement.id === 'exp-back'")


def test_arrows_move_between_tabs_and_a_fold_says_whether_it_is_open(visit) -> None:
    page = visit()
    page.page.get_by_role("tab", name="Synthesize").focus()
    page.page.keyboard.press("ArrowRight")
    page.page.keyboard.press("ArrowRight")
    page.page.keyboard.press("Enter")
    page.page.get_by_role("tab", name="Score your own", selected=True).wait_for()
    page.page.keyboard.press("Home")
    page.page.keyboard.press("Enter")
    fold = page.page.get_by_role("button", name="More settings")
    fold.focus()
    page.page.keyboard.press("Enter")
    page.page.wait_for_function("document.querySelector('.cs-fold > button').ariaExpanded === 'true'")
    page.page.keyboard.press("Enter")
    page.page.wait_for_function("document.querySelector('.cs-fold > button').ariaExpanded === 'false'")


def test_a_phones_other_tabs_are_reached_by_keys(visit) -> None:
    page = visit(width=320)
    menu = page.page.get_by_role("button", name="More tabs")
    menu.focus()
    page.page.keyboard.press("Enter")
    page.page.wait_for_function("document.querySelector('.overflow-menu > button').ariaExpanded === 'true'")
    page.page.keyboard.press("Tab")
    page.page.keyboard.press("Enter")
    page.page.locator("#own-go").wait_for()
    page.page.wait_for_function("document.querySelector('.overflow-menu > button').ariaExpanded === 'false'")


def test_passing_explores_lists_with_the_tab_key_keeps_the_page_and_the_row(visit) -> None:
    page = visit()
    page.tab("Explore")
    page.press("Next")
    page.page.get_by_text("Page 2 of 2").wait_for()
    page.page.locator("table:visible button").first.click()
    page.page.locator("#exp-text mark").first.wait_for()
    page.field("Config").focus()
    for _ in range(3):
        page.page.keyboard.press("Tab")
    # An answer to something asked later comes after those to what the lists asked.
    page.page.locator("table:visible button").nth(1).click()
    page.page.get_by_text("Row 14:").wait_for()
    assert page.page.get_by_text("Page 2 of 2").is_visible() and page.marks("exp")


def test_what_changes_without_a_line_of_the_page_is_read_out(visit) -> None:
    page = visit()
    said = page.page.locator(".cs-voice")
    page.press("Story")
    said.get_by_text("The example is in the form: Story.").or_(said.get_by_text("Press Synthesize")).wait_for(
        state="attached"
    )
    page.press("Copy text")
    said.get_by_text("Copied").wait_for(state="attached")
    page.press("Synthesize")
    said.get_by_text("Writing has begun.").wait_for(state="attached")
