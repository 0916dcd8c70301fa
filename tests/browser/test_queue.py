"""Stop and the line: early, late and while waiting; what is told to those who wait or find no place."""

from __future__ import annotations

import json
import threading

import pytest

from tests.openai_server import Reply

ASKED = {"instruction": "Who kept the Harrow light in 1911?", "answer": "Ilse Brandt"}


def begin(page) -> None:
    page.fill(**ASKED)
    page.press("Synthesize")
    page.page.locator("#syn-status .cs-writing").wait_for()


def stop(page) -> None:
    page.page.locator("#syn-stop").click()


@pytest.mark.parametrize("least", [1, 250], ids=["early", "late"])
def test_stop_keeps_what_is_written(visit_staged, least) -> None:
    page = visit_staged()
    begin(page)
    page.page.wait_for_function(
        """(least) => {
          const reader = document.querySelector("#syn-text");
          return !reader.dataset.done && reader.textContent.split(/\\s+/).length >= least;
        }""",
        arg=least,
    )
    page.press("Stop")
    told = page.ended()
    assert told.startswith("Stopped") and "can be downloaded" in told
    name, text = page.download("Download JSON")
    record = json.loads(text)
    assert record["stopped"] and name.endswith("-8k-stopped.json")
    assert record["context"] == page.text()
    assert least <= len(page.text().split()) == record["words"] < 1_000
    assert page.download("Download chat sample")[0].endswith("-8k-stopped.jsonl")
    assert page.page.locator("#syn-stop").is_disabled() and page.page.locator("#syn-go").is_enabled()
    assert not page.violations()


def test_stop_is_also_in_the_status_line_where_a_phone_shows_it(visit_staged) -> None:
    page = visit_staged(width=390)
    begin(page)
    inside = page.page.locator("#syn-status").get_by_role("button", name="Stop")
    page.page.wait_for_function(
        "document.querySelector('#syn-status').getBoundingClientRect().bottom < innerHeight"
    )
    inside.click()
    assert page.ended().startswith("Stopped")


def test_those_who_wait_are_told_and_can_leave_and_the_last_is_sent_away(visit_staged, providers) -> None:
    enough = threading.Event()
    providers.script = lambda asked: Reply(until=enough)  # the run goes on until this test lets it end
    running, first, second, late = (visit_staged() for _ in range(4))
    late.expected = ("503",)  # the browser's own note on the refusal
    for page in (first, second, late):
        page.fill(**ASKED)
    running.choose("Engine", "Inference Providers, your login")
    begin(running)
    first.press("Synthesize")
    waiting = first.page.locator("#syn-status[data-waiting]")
    waiting.wait_for()
    assert waiting.get_attribute("data-waiting").startswith("Waiting: place 1 of 1 in line.")
    second.press("Synthesize")
    waiting = second.page.locator("#syn-status[data-waiting]")
    waiting.wait_for()
    assert waiting.get_attribute("data-waiting") == "Waiting: place 2 of 2 in line. It starts by itself."
    spoken = second.page.locator(".cs-voice[role=status]").text_content()
    assert spoken == waiting.get_attribute("data-waiting")
    assert not second.violations()

    before = late.text()
    late.press("Synthesize")
    late.page.locator("#syn-status[data-waiting^='Not started']").wait_for()
    assert late.text() == before
    late.page.wait_for_function("!document.querySelector('#syn-go').disabled")
    late.page.wait_for_function("document.querySelector('#syn-stop').disabled")

    before = second.text()
    stop(second)
    second.page.locator("#syn-status[data-waiting^='Stopping']").wait_for()
    enough.set()
    running.ended()
    first.page.locator("#syn-status .cs-writing").wait_for()
    stop(first)
    assert first.ended().startswith("Stopped")
    assert "nothing was written" in second.ended()
    assert second.text() == before
    assert second.page.locator("#syn-go").is_enabled() and second.page.locator("#syn-stop").is_disabled()
    # Whoever was sent away can come back, and what was stopped in line does not stop the next.
    begin(second)
    stop(second)
    assert "can be downloaded" in second.ended()


def test_stop_ends_both_sides_of_a_comparison(visit_staged) -> None:
    page = visit_staged()
    page.tab("Compare")
    page.press("Compare")
    for side in ("cmp-a", "cmp-b"):
        page.page.locator(f"#{side}-status .cs-writing").wait_for()
    page.page.locator("#cmp-stop").click()
    for side in ("cmp-a", "cmp-b"):
        assert page.ended(side).startswith("Stopped")
        assert page.text(side)
