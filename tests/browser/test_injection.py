"""Script in what a visitor writes is text: shown as it was written, and never run."""

from __future__ import annotations

import json
from urllib.parse import urlencode

SCRIPTS = {
    "element": "<script>pwned('element')</script>",
    "image": "<img src=x onerror=\"pwned('image')\">",
    "close": "</p></div></textarea></style></script><svg onload=pwned('close')>",
    "attribute": "\" autofocus onfocus=\"pwned('attribute')\" x='",
    "template": "${pwned('template')} {{pwned('template')}} {% x %} `${pwned(1)}`",
    "escaped": "\\u003cimg src=x onerror=pwned('escaped')\\u003e &lt;img src=x onerror=pwned('escaped')&gt;",
    "link": "[x](javascript:pwned('link')) <a href=\"javascript:pwned('link')\">x</a> $x^2$",
    "frame": "<iframe srcdoc='<script>parent.pwned()</script>'></iframe>",
}
ALL = "\n\n".join(SCRIPTS.values())


def test_in_the_instruction_and_the_answer(visit, subtests) -> None:
    page = visit()
    page.choose("Length", "500 words")
    page.page.get_by_role("button", name="Reproduce as code").click()
    for name, script in SCRIPTS.items():
        with subtests.test(name):
            told = page.synthesize(instruction=f"Who wrote {script}?", answer=f"Ilse {script}")
            assert told.startswith("Done")
            assert script in page.text()
            record = json.loads(page.download("Download JSON")[1])
            assert record["instruction"] == f"Who wrote {script}?"


def test_in_a_pasted_context(visit) -> None:
    page = visit()
    page.tab("Score your own")
    page.fill(
        instruction=f"Who wrote {ALL}?", answer="Ilse Brandt", context=f"Ilse Brandt wrote {ALL}\n\nThe end."
    )
    page.press("Score")
    assert page.ended("own").startswith("Done")
    for script in SCRIPTS.values():
        assert script in page.text("own")


def test_in_a_link_and_both_sides_of_a_comparison(visit) -> None:
    page = visit(urlencode({"instruction": ALL, "answer": ALL, "template": ALL, "task": ALL}))
    page.page.get_by_text("The link cannot be used as it is").wait_for()
    page.tab("Compare")
    page.fill(instruction=ALL, answer=ALL)
    page.press("Compare")
    for side in ("cmp-a", "cmp-b"):
        assert page.ended(side).startswith("Done")


def test_in_rows(visit) -> None:
    page = visit()
    page.tab("Batch")
    rows = [json.dumps({"instruction": f"Who? {script}", "answer": script}) for script in SCRIPTS.values()]
    rows += [ALL.replace("\n", " "), json.dumps({"task": ALL})]
    page.field("Rows, as JSON Lines").fill("\n".join(rows))
    page.press("Run")
    told = page.ended("bat")
    assert f"{len(SCRIPTS)} of {len(rows)} rows done, 2 rejected" in told
    for script in SCRIPTS.values():
        assert script in page.page.locator("table:visible").first.text_content()


def test_in_the_name_of_a_dataset(visit) -> None:
    page = visit()
    page.tab("Explore")
    page.field("Dataset").fill(f"a/{SCRIPTS['image']}")
    page.press("Open")
    page.page.locator("#exp-set-status .cs-problem").wait_for()
