"""The tab "Synthesize" as a visitor uses it: watch, read, jump, take away, come back by a link."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from space.making.writing import bundled
from space.tabs.form import _CHIPS

_CODE = "def add(a, b):\n    return a + b"
ASKED = {"instruction": "Who kept the Harrow light in 1911?", "answer": "Ilse Brandt"}


def asked_of_api(url: str, *values: Any) -> dict[str, Any]:
    """The record that the page's named endpoint gives."""
    body = json.dumps({"data": values}).encode()
    request = urllib.request.Request(
        f"{url}gradio_api/call/synthesize", body, {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        event = json.load(reply)["event_id"]
    with urllib.request.urlopen(f"{url}gradio_api/call/synthesize/{event}", timeout=60) as reply:
        lines = reply.read().decode().splitlines()
    return json.loads(lines[lines.index("event: complete") + 1].removeprefix("data: "))[0]


def in_paragraphs(record: dict[str, Any]) -> list[str]:
    """The evidence of a record as the page can mark it: no mark goes across a blank line."""
    cited = (record["context"][one["start"] : one["end"]] for one in record["evidence"])
    return [part for text in cited for part in text.split("\n\n")]


def test_a_sample_is_on_show_before_anything_is_pressed(visit) -> None:
    page = visit()
    assert "An example to begin with" in page.status().inner_text()
    assert len(page.marks()) >= 3 and len(page.text()) > 20_000
    assert float(page.page.locator(".cs-number").first.inner_text()) > 0.5
    assert page.page.locator("#syn-text mark").first.is_visible()
    assert page.page.get_by_role("button", name="Stop", exact=True).first.is_disabled()


def test_the_text_grows_in_sight_and_ends_as_the_endpoint_has_it(visit, url) -> None:
    page = visit()
    page.page.evaluate(
        """() => {
          window.lengths = [];
          new MutationObserver(() => {
            const reader = document.querySelector("#syn-text");
            if (!reader || reader.dataset.done) return;
            const length = reader.textContent.length;
            if (length !== lengths.at(-1)) lengths.push(length);
          }).observe(document.body, { childList: true, subtree: true, characterData: true });
        }"""
    )
    told = page.synthesize(**ASKED)
    lengths = page.page.evaluate("lengths")
    grown = sum(later > earlier for earlier, later in zip(lengths, lengths[1:], strict=False))
    assert grown >= 3, lengths
    assert told.startswith("Done") and "tokens" in told
    task = json.loads(page.download("Download JSON")[1])["task"]
    record = asked_of_api(url, *ASKED.values(), task, "8k", 0, 0.4, "same-task", "woven")
    assert page.marks() == in_paragraphs(record)
    assert page.text() == record["sample"]["messages"][0]["content"]
    assert not page.violations() and not page.wider()


def test_a_cell_of_the_strip_jumps_to_its_evidence(visit) -> None:
    page = visit()
    reader = page.page.locator("#syn-text")
    # The last paragraph first, so that every jump to evidence has somewhere to go.
    page.page.locator(".cs-cell").last.click()
    page.page.wait_for_function("document.querySelector('#syn-text').scrollTop > 1000")
    for place in range(page.page.locator(".cs-held").count()):
        before = reader.evaluate("(e) => e.scrollTop")
        page.page.locator(".cs-held").nth(place).click()
        page.page.wait_for_function(
            """(before) => {
              const reader = document.querySelector("#syn-text"), box = reader.getBoundingClientRect();
              const mark = document.querySelector("mark.cs-flash")?.getBoundingClientRect();
              return reader.scrollTop !== before && mark?.top >= box.top && mark.top < box.bottom;
            }""",
            arg=before,
        )
        page.page.locator("mark.cs-flash").evaluate("(e) => e.classList.remove('cs-flash')")


def test_a_whole_run_with_the_keyboard_alone(visit) -> None:
    page = visit()

    def tab_until(selector: str) -> None:
        for _ in range(60):
            page.page.keyboard.press("Tab")
            if page.page.evaluate("(wanted) => document.activeElement.matches(wanted)", selector):
                return
        raise AssertionError(f"the Tab key does not lead to {selector}")

    tab_until("button.cs-chip")
    tab_until("textarea")
    page.page.keyboard.press("ControlOrMeta+A")
    page.page.keyboard.type(ASKED["instruction"])
    tab_until("textarea, input")
    page.page.keyboard.press("ControlOrMeta+A")
    page.page.keyboard.type(ASKED["answer"])
    tab_until("#syn-go")
    outline = page.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", "the focus cannot be seen"
    page.forget_status()
    page.page.keyboard.press("Enter")
    assert page.ended().startswith("Done")
    assert any(ASKED["answer"] in mark for mark in page.marks())
    tab_until(".cs-cell")
    page.page.keyboard.press("End")
    assert page.page.evaluate("document.activeElement.matches('.cs-cell:last-child')")
    page.page.keyboard.press("Enter")
    page.page.wait_for_function("document.querySelector('#syn-text').scrollTop > 1000")
    tab_until("#syn-text")
    tab_until("#syn-json")


def test_what_is_taken_away_is_what_was_shown(visit) -> None:
    page = visit()
    page.synthesize(**ASKED)
    name, text = page.download("Download JSON")
    record = json.loads(text)
    assert name.endswith("-8k.json") and not record["stopped"]
    assert {key: record[key] for key in ASKED} == ASKED
    name, text = page.download("Download chat sample")
    assert name.endswith("-8k.jsonl") and text.count("\n") == 1
    row = json.loads(text)
    assert row == record["sample"]
    assert [turn["role"] for turn in row["messages"]] == ["user", "assistant"]
    page.press("Copy text")
    page.page.get_by_role("button", name="Copied").wait_for()
    assert page.clipboard() == page.text() == row["messages"][0]["content"]


def test_code_and_link_are_copied_and_the_link_brings_the_inputs_back(visit) -> None:
    page = visit()
    page.choose("Length", "1,000 words")
    told = page.synthesize(instruction="Is 5 < 6 & 7 > 2?\nSay why.", answer='Yes: "both" hold, by 100 %.')
    assert told.startswith("Done")
    page.page.get_by_role("button", name="Reproduce as code").click()
    page.press("Copy")
    page.page.get_by_role("button", name="Copied").wait_for()
    assert page.clipboard() == page.page.locator("#syn-python").text_content()
    assert "from synthesis import" in page.clipboard()
    page.press("Copy a link to these inputs")
    page.page.wait_for_function("navigator.clipboard.readText().then((text) => text.startsWith('http'))")
    link = page.clipboard()
    assert link.startswith(page.url)
    other = visit(link.partition("#")[2])
    other.page.get_by_text("Inputs restored from the link").wait_for()
    assert other.field("Instruction").input_value() == "Is 5 < 6 & 7 > 2?\nSay why."
    assert other.field("Answer").input_value() == 'Yes: "both" hold, by 100 %.'
    assert other.field("Length").input_value() == "1,000 words"


def test_chips_fill_the_form_at_once(visit) -> None:
    page = visit(width=390)
    for label, number in _CHIPS.items():
        page.press(label)
        pair = bundled()[number]
        page.page.wait_for_function(
            "(wanted) => document.querySelector('.cs-left textarea').value === wanted", arg=pair.instruction
        )
        assert page.field("Answer").input_value() == pair.answer


def test_a_refusal_says_what_to_do_and_no_text_of_before_stands_beside_it(visit) -> None:
    page = visit(width=320)
    assert page.text()
    told = page.synthesize(instruction=" ", answer="b")
    assert "Not done" in told and "Write one, or choose an example" in told
    assert page.page.locator("#syn-status [role=alert]").count() == 1
    page.page.wait_for_function(
        "document.querySelector('#syn-status').getBoundingClientRect().top < innerHeight"
    )
    assert page.text() == "The context appears here, with its evidence highlighted."
    assert not page.violations() and not page.wider()
    # What is too long is refused in words, not cut.
    page.fill(instruction="x" * 2_001, answer="b")
    page.press("Synthesize")
    page.page.get_by_text("The instruction has 2,001 characters; this page takes 2,000").wait_for()


def test_a_bad_link_is_told_and_the_page_still_works(visit) -> None:
    page = visit("instruction=a&answer=b&length=1M")
    page.page.get_by_text("The link cannot be used as it is").wait_for()
    assert page.synthesize(**ASKED).startswith("Done")


def test_a_login_is_asked_for_before_anything_is_sent(visit) -> None:
    page = visit()
    page.choose("Engine", "Inference Providers, your login")
    page.page.get_by_text("Signing in works where").wait_for()
    told = page.synthesize(**ASKED)
    assert "your own account" in told and "choose the composer" in told


def test_an_answer_of_code_is_shown_line_by_line_as_it_stands(visit) -> None:
    page = visit()
    page.synthesize(instruction="Write a Python function that adds two numbers.", answer=f"{_CODE}\n")
    shown = page.page.locator("#syn-text .cs-own").all_inner_texts()  # as a visitor sees it
    assert any(_CODE in text for text in shown)


def test_what_is_written_from_right_to_left_begins_at_the_right(visit) -> None:
    page = visit()
    page.fill(instruction="من كان يحرس المنارة؟", answer="Ilse Brandt")
    field = page.field("Instruction")
    assert field.evaluate("(e) => getComputedStyle(e).unicodeBidi") == "plaintext"
    assert field.evaluate("(e) => getComputedStyle(e).textAlign") == "start"


def test_where_there_is_no_text_there_is_nothing_to_take_away(visit) -> None:
    page = visit()
    button = page.page.get_by_role("button", name="Copy text", exact=True).first
    assert button.is_visible()
    assert page.synthesize(instruction="", answer="").startswith("Not done")
    button.wait_for(state="hidden")
    assert page.synthesize(**ASKED).startswith("Done")
    button.wait_for(state="visible")
