"""Compare, Score your own, Batch, Explore and About as a visitor uses them."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path


def test_score_gives_number_strip_and_places(visit) -> None:
    page = visit()
    page.tab("Score your own")
    page.press("Example")
    page.page.wait_for_function("document.querySelectorAll('textarea[rows]').length > 0")
    page.press("Score")
    told = page.ended("own")
    assert told.startswith("Done") and "of support found" in told
    tab = page.page.get_by_role("tabpanel").locator("visible=true").first
    assert float(tab.locator(".cs-number").inner_text()) > 0.5
    assert page.marks("own")
    tab.locator(".cs-cell").last.click()
    page.page.wait_for_function("document.querySelector('#own-text').scrollTop > 200")
    assert not page.violations() and not page.wider()


def test_score_says_what_is_missing(visit) -> None:
    page = visit(width=390)
    page.tab("Score your own")
    for label in ("Instruction", "Answer", "Context"):
        page.press("Score")
        page.page.get_by_text(f"The {label.lower()} is empty").wait_for()
        page.field(label).fill("The clock was mended by Ilse Brandt.")
    page.press("Score")
    page.page.locator("#own-status .cs-done").wait_for()


def test_compare_shows_two_sides(visit) -> None:
    page = visit()
    page.tab("Compare")
    page.press("Compare")
    for side in ("cmp-a", "cmp-b"):
        assert page.ended(side).startswith("Done")
        assert page.marks(side)
    assert page.text("cmp-a") != page.text("cmp-b")
    assert not page.violations() and not page.wider()


def rows(count: int) -> str:
    return "\n".join(
        json.dumps({"instruction": f"Who mended clock {number}?", "answer": "Ilse Brandt"})
        for number in range(1, count + 1)
    )


def run_batch(page, text: str) -> str:
    page.field("Rows, as JSON Lines").fill(text)
    page.press("Run")
    return page.ended("bat")


def test_batch_gives_a_dataset_folder(visit, tmp_path) -> None:
    page = visit()
    page.tab("Batch")
    page.choose("Length", "500 words")
    assert "3 of 3 rows done" in run_batch(page, rows(3))
    with page.page.expect_download() as waiting:
        page.press("Download zip")
    archive = zipfile.ZipFile(waiting.value.path())
    names = archive.namelist()
    assert "dataset/README.md" in names and any(name.endswith(".parquet") for name in names)
    assert len(archive.read("samples.jsonl").decode().splitlines()) == 3
    assert not page.violations() and not page.wider()


def test_batch_tells_the_line_of_a_bad_row_and_does_the_others(visit) -> None:
    page = visit(width=320)
    page.tab("Batch")
    page.choose("Length", "500 words")
    good, other = rows(2).splitlines()
    told = run_batch(page, f'{good}\n{{"instruction": "No answer?"}}\n\n{{broken\n{other}')
    assert "2 of 4 rows done, 2 rejected" in told
    table = page.page.locator("table:visible").first
    numbers = table.locator("tbody tr td:first-child").all_inner_texts()
    assert numbers == ["1", "2", "4", "5"]
    states = table.locator(".cs-state").all_inner_texts()
    assert states == ["done", "rejected", "rejected", "done"]
    assert not page.violations() and not page.wider()


WHOLE = {"There are no rows": "", "this page takes 20": rows(21), "this page takes 2 MB": "x" * 2_100_000}


def test_batch_refuses_as_a_whole_and_says_why(visit) -> None:
    page = visit()
    page.tab("Batch")
    for says, text in WHOLE.items():
        page.field("Rows, as JSON Lines").fill(text)
        page.press("Run")
        page.page.locator("#bat-status .cs-problem").get_by_text(says).wait_for()


def test_batch_takes_a_file(visit, tmp_path: Path) -> None:
    page = visit()
    page.tab("Batch")
    file = tmp_path / "mine.jsonl"
    file.write_text(rows(2), encoding="utf-8")
    with page.page.expect_file_chooser() as chooser:
        page.press("Choose a file")
    chooser.value.set_files(file)
    field = page.field("Rows, as JSON Lines")
    page.page.wait_for_function("(field) => field.value.includes('clock 2')", arg=field.element_handle())
    assert field.input_value() == rows(2)


def test_explore_filters_and_a_row_opens_in_synthesize(visit) -> None:
    page = visit()
    page.tab("Explore")
    said = page.page.locator("#exp-set-status")
    assert page.page.locator("svg:visible").count() >= 1
    page.page.locator("#exp-low input[type=range]").fill("0.9")
    said.get_by_text("pass the filter").wait_for()
    page.page.locator("table:visible button").first.click()
    page.page.locator("#exp-text mark").first.wait_for()
    assert not page.violations() and not page.wider()
    page.press("Open in Synthesize")
    page.page.get_by_text("is in the form").wait_for()
    instruction = page.field("Instruction").input_value()
    assert instruction
    page.press("Synthesize")
    assert page.ended().startswith("Done")
    assert instruction in page.text()


def test_explore_says_what_to_do_where_there_is_no_such_dataset(visit) -> None:
    page = visit(width=390)
    page.tab("Explore")
    page.page.locator("table:visible").first.wait_for()
    page.field("Dataset").fill("nobody/nothing")
    page.press("Open")
    problem = page.page.locator("#exp-set-status .cs-problem")
    problem.wait_for()
    assert "nobody/nothing" in problem.inner_text()
    assert page.page.locator("table:visible").count() == 0


def test_about_is_all_there(visit) -> None:
    page = visit(width=320, scheme="dark")
    page.tab("About")
    panel = page.page.get_by_role("tabpanel").locator("visible=true").first
    panel.get_by_role("link").first.wait_for()
    assert len(panel.inner_text()) > 500
