"""A pair of one's own in the place of an example: nothing of the example passes for its own."""

from __future__ import annotations

import json

FOUND = "Found from the pair"
OLD = "What stands below was made before your change."


def old(page, panel: str = "syn") -> str:
    """What the status says of a result that is of another pair."""
    return page.page.evaluate("(name) => document.getElementById(`${name}-status`).dataset.old ?? ''", panel)


def until_task(page, wanted: str) -> None:
    """Wait until the list of tasks in sight shows one."""
    page.page.wait_for_function(
        "([field, wanted]) => field.value === wanted", arg=[page.field("Task").element_handle(), wanted]
    )


def until_old(page, wanted: bool, panel: str = "syn") -> None:
    page.page.wait_for_function(
        "([name, wanted]) => Boolean(document.getElementById(`${name}-status`).dataset.old) === wanted",
        arg=[panel, wanted],
    )


def test_the_task_of_an_example_does_not_stay_with_another_pair(visit) -> None:
    page = visit()
    task = page.field("Task")
    assert task.input_value() == "Meeting"
    # A word more is the same pair still.
    page.field("Instruction").press("End")
    page.field("Instruction").type(" Say it briefly.")
    assert task.input_value() == "Meeting"
    told = page.synthesize(instruction="Who kept the Harrow light in 1911?", answer="Ilse Brandt")
    until_task(page, FOUND)
    assert told.endswith("Task: General.")
    record = json.loads(page.download("Download JSON")[1])
    assert record["task"] == "generic"
    assert "meetings" not in record["sample"]["messages"][0]["content"].split("\n")[0]
    told = page.synthesize(instruction="Summarise the coverage of the storm.", answer="It took three roofs.")
    assert task.input_value() == FOUND and told.endswith("Task: News to summarise.")
    # An example brings its own again, as does a row of a dataset.
    page.press("Story")
    until_task(page, "Story")


def test_a_task_that_was_chosen_stays_chosen(visit) -> None:
    page = visit()
    page.choose("Task", "Story")
    told = page.synthesize(instruction="Who kept the Harrow light in 1911?", answer="Ilse Brandt")
    assert page.field("Task").input_value() == "Story" and told.endswith("Task: Story.")


def test_compare_finds_the_task_anew_too(visit) -> None:
    page = visit()
    page.tab("Compare")
    page.fill(instruction="Which opened first, the Bellacosta or the Tarquin?", answer="the Tarquin")
    until_task(page, FOUND)
    page.press("Compare")
    assert page.ended("cmp-a").endswith("Task: Comparison.")
    page.ended("cmp-b")
    assert not old(page, "cmp-a")
    page.fill(answer="the Bellacosta")
    until_old(page, True, "cmp-b")


def test_a_row_of_a_dataset_leaves_its_task_to_itself(visit) -> None:
    page = visit()
    page.tab("Explore")
    page.page.locator("table:visible button").first.click()
    page.page.locator("#exp-text mark").first.wait_for()
    page.press("Open in Synthesize")
    page.page.get_by_text("is in the form").wait_for()
    until_task(page, "Story")
    until_old(page, True)
    page.fill(instruction="Is the lamp of Kelm older than its quay?")
    until_task(page, FOUND)


def test_a_result_of_the_pair_before_is_told_of(visit) -> None:
    page = visit(width=390)
    assert not old(page)
    page.press("Story")
    until_old(page, True)
    assert old(page).startswith(OLD) and "Press Synthesize" in old(page)
    page.page.locator(".cs-voice").get_by_text(OLD).wait_for(state="attached")
    assert not page.violations() and not page.wider()
    page.press("Meeting")  # back to what the text was made of
    until_old(page, False)
    page.fill(answer="somebody else")
    until_old(page, True)
    page.forget_status()
    page.press("Synthesize")
    page.ended()
    until_old(page, False)
    # Where nothing stands there is nothing to mistake.
    page.synthesize(instruction="", answer="")
    page.fill(answer="again another")
    until_old(page, False)


def test_score_and_batch_tell_of_an_old_result_too(visit) -> None:
    page = visit()
    page.tab("Score your own")
    page.press("Example")
    page.press("Score")
    page.ended("own")
    assert not old(page, "own")
    page.fill(answer="somebody else")
    until_old(page, True, "own")
    page.press("Score")
    until_old(page, False, "own")
    page.tab("Batch")
    page.choose("Length", "500 words")
    page.press("Example")
    page.press("Run")
    page.ended("bat")
    until_old(page, False, "bat")
    page.press("Clear")
    until_old(page, True, "bat")
