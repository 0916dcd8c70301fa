"""The dataset card: valid metadata, honest numbers, and user text that cannot break it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder import resources
from builder.folder.build import ConfigData, build_folder
from builder.folder.card import MARKER, NOTES, escape, fence
from builder.folder.schema import chat_row, raw_row, rejected_row
from builder.folder.statistics import Statistics, counted_reasons, shorten
from builder.folder.versions import mark_published
from synthesis.data import Coherence, Context, Evidence, Message, Pair, Rejected, Sample, content_hash
from synthesis.errors import ContextSynthesisError

FACTS = {"engine": "composer", "model": "", "template": "story", "seed": 3, "source": "pairs.jsonl"}

NASTY = [
    "---\nlicense: stolen\n---\n",
    "```\nend of fence\n`````` six\n",
    "{{ metadata }} {% raw %} {# note #}",
    "| a | b |\n|---|---|\n<script>alert(1)</script>",
    "- configs:\n  - config_name: x\n!!python/object:os.system [ls]\n&anchor *alias %TAG",
    "👩🏽‍🚀 مرحبا שלום \u202egnp.exe\u202c",
    "\ud800 half \udfff",
    "\x00\x1b[31m\r\n\r\u2028\u0085",
    NOTES + "\nnot notes\n" + MARKER,
    "",
]


def rows_with(text: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    pair = Pair(instruction=text + "?", answer=text, task=text or "generic", metadata={text: text})
    context = Context(pair.id, text * 30, (Evidence(0, 1, text),), 3, 40, text, text, text)
    messages = (Message("user", text * 30), Message("assistant", text))
    sample = Sample("s", pair.id, messages, 50, 64, 0.5, (0, 1), (pair.id,), text, text)
    score = Coherence(0.75, 1.0, 0.5, 0.5, text, False)
    return raw_row(pair, context, score), chat_row(sample), rejected_row(Rejected(text, text, text, text))


def build(folder: Path, text: str = "plain", facts: dict[str, Any] = FACTS) -> str:  # noqa: B006 - never changed
    kinds = ("raw", "chat", "rejected")
    configs = [
        ConfigData(f"m-{kind}", kind, lambda row=row: iter([row, row]), content_hash(row))  # type: ignore[misc, arg-type]
        for kind, row in zip(kinds, rows_with(text), strict=True)
    ]
    build_folder(folder, configs, facts=facts)
    return (folder / "README.md").read_text(encoding="utf-8")


def metadata(folder: Path) -> dict[str, Any]:
    from huggingface_hub import metadata_load

    loaded = metadata_load(folder / "README.md")
    assert isinstance(loaded, dict)
    return loaded


def python_blocks(card: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", card, re.MULTILINE | re.DOTALL)


def test_metadata_is_what_the_hub_knows(tmp_path: Path) -> None:
    from huggingface_hub import DatasetCard, DatasetCardData

    build(tmp_path, facts={**FACTS, "license": "cc-by-4.0", "language": ["en", "no"], "tags": ["mine"]})
    card = DatasetCard.load(tmp_path / "README.md")
    assert isinstance(card.data, DatasetCardData)
    assert (card.data.license, card.data.language) == ("cc-by-4.0", ["en", "no"])
    assert card.data.size_categories == "n<1K"
    assert card.data.task_categories == ["question-answering", "text-generation"]
    assert card.data.tags[0] == "context-synthesis" and card.data.tags[-1] == "mine"
    names = [entry["config_name"] for entry in metadata(tmp_path)["configs"]]
    assert names == ["m-raw", "m-chat", "m-rejected", "m-raw-v1.0.0", "m-chat-v1.0.0", "m-rejected-v1.0.0"]
    first, *others = metadata(tmp_path)["configs"]
    assert (first["default"], first["version"]) == (True, "1.0.0")
    assert not any("default" in entry for entry in others)


def test_names_stay_unique_with_published_versions(tmp_path: Path) -> None:
    build(tmp_path)
    for name in ("m-raw", "m-chat"):
        mark_published(tmp_path, name, "1.0.0")
    build(tmp_path, "second")
    names = [entry["config_name"] for entry in metadata(tmp_path)["configs"]]
    assert len(names) == len(set(names)) == 8
    assert {"m-raw-v1.0.0", "m-raw-v2.0.0", "m-chat-v1.0.0"} < set(names)
    assert "m-rejected-v1.0.0" not in names


def test_a_licence_is_only_stated_if_given(tmp_path: Path) -> None:
    card = build(tmp_path)
    assert "license" not in metadata(tmp_path)
    assert "No licence is stated here" in card


def test_numbers_are_measured(tmp_path: Path) -> None:
    card = build(tmp_path)
    line = next(line for line in card.splitlines() if line.startswith("| `m-raw` |"))
    assert "| raw | 1.0.0 | 2 | 40 / 40 / 40 | 0.750 |" in line
    assert "| `m-rejected` | plain: plain | 2 |" in card
    assert "SFTConfig(max_length=64)" in card
    assert "arxiv.org/abs/2502.15592" in card and "title         = {Generalizing From Short" in card
    assert "template prose" in card


def test_the_composer_note_is_only_for_the_composer(tmp_path: Path) -> None:
    assert "template prose" not in build(tmp_path, facts={"engine": "vllm", "model": "m"})


def test_summaries_are_a_category_of_their_own(tmp_path: Path) -> None:
    row = {**rows_with("x")[0], "task": "multinews"}
    build_folder(tmp_path, [ConfigData("m", "raw", lambda: [row], "1")], facts=FACTS)
    assert "summarization" in metadata(tmp_path)["task_categories"]


def test_the_code_in_the_card_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()
    card = build(tmp_path / "d", "hello", {**FACTS, "repo_id": str(tmp_path / "d")})
    blocks = python_blocks(card)
    assert len(blocks) == 3
    for block in blocks:
        compile(block, "card", "exec")
    for block in blocks[:2]:
        exec(block, {})  # the last one needs a trainer and a model
    assert capsys.readouterr().out.count("hello") > 2


@pytest.mark.parametrize("text", NASTY)
def test_user_text_cannot_break_the_card(tmp_path: Path, text: str) -> None:
    names = ("engine", "model", "template", "source", "pretty_name", "license", "language", "repo_id")
    facts = {**dict.fromkeys(names, text), "sampling": {text: [text]}, "tags": [text or "t"]}
    card = build(tmp_path, text, facts)
    loaded = metadata(tmp_path)
    assert [entry["config_name"] for entry in loaded["configs"]][:3] == ["m-raw", "m-chat", "m-rejected"]
    assert loaded.get("license", "") == loaded["language"]  # the text itself, in its own place
    body = without_fences(card).partition(MARKER)[2]  # the metadata is not shown as Markdown
    assert "<script>" not in body
    assert [line for line in body.splitlines() if line.startswith("## ")] == [
        "## Use",
        "## One sample",
        "## Columns",
        "## How it was made",
        "## What was dropped",
        "## Known limits",
        "## Citation",
        "## Notes",
    ]
    assert len({line.count("|") for line in body.splitlines() if line.startswith("| `m-")} - {4, 8}) == 0
    for block in python_blocks(card):
        compile(block, "card", "exec")
    # And what was written is taken for ours at the next build.
    assert build(tmp_path, text, facts) == card


def without_fences(card: str) -> str:
    """The card as a Markdown reader sees it outside of code blocks."""
    kept, ticks = [], ""
    for line in card.splitlines():
        match = re.match(r"(`{3,})", line)
        if not ticks and match:
            ticks = match[1]
        elif ticks and re.fullmatch(rf"`{{{len(ticks)},}}\s*", line):
            ticks = ""
        elif not ticks:
            kept.append(line.replace("\\|", ""))
    assert not ticks, "a code block is never closed"
    return "\n".join(kept)


@given(st.text(st.characters(codec="utf-8"), max_size=300) | st.text("`~\n -|<&\\", max_size=60))
@settings(max_examples=200, deadline=None)
def test_fences_close_and_cells_stay_one_line(text: str) -> None:
    first, *inside, last = fence(text).split("\n")
    assert first == last + "text"
    assert not any(re.match(rf" {{0,3}}`{{{len(last)},}}", line) for line in inside)
    cell = escape(text)
    assert "\n" not in cell and "<" not in cell
    assert not re.search(r"(?<!\\)(?:\\\\)*\|", cell)


def test_notes_are_kept_and_the_rest_is_rewritten(tmp_path: Path) -> None:
    card = build(tmp_path)
    readme = tmp_path / "README.md"
    readme.write_text(card.replace("## Columns", "## Mine") + "\nAsk Ada.\n\n## More\n", encoding="utf-8")
    again = build(tmp_path, "second")
    assert again.endswith(f"{NOTES}\n\nAsk Ada.\n\n## More\n")
    assert "## Columns" in again and "## Mine" not in again
    assert build(tmp_path, "second") == again


def test_figures_appear_after_a_build(tmp_path: Path) -> None:
    before = build(tmp_path)
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "token-lengths.png").write_bytes(b"")
    (tmp_path / "figures" / "odd](x).png").write_bytes(b"")
    card = build(tmp_path)
    assert card != before
    assert "![Token lengths](figures/token-lengths.png)" in card
    assert "odd" not in card
    assert build(tmp_path) == card


CHECKED = {
    "filters": {
        "settings": {"min_overall": 0.5, "drop_leaks": True, "min_words": "80%"},
        "contexts": 1000,
        "kept": 930,
        "dropped": {"leak": 12, "support": 58},
    },
    "contamination": {
        "ngram": 13,
        "drop": True,
        "contexts": 930,
        "rows": 17,
        "dropped": 4,
        "benchmarks": [
            {"name": "longbench", "rows": 500, "instruction": 3, "answer": 1, "context": 14, "dropped": 4}
        ],
    },
}


def checked(folder: Path, details: dict[str, Any]) -> str:
    config = ConfigData("m", "raw", lambda: iter([rows_with("x")[0]]), content_hash(details), details)
    build_folder(folder, [config], facts=FACTS)
    return (folder / "README.md").read_text(encoding="utf-8")


def test_filters_and_contamination_are_told(tmp_path: Path) -> None:
    card = checked(tmp_path, CHECKED)
    assert "`m` kept 930 of 1,000 contexts. Set: drop leaks, min overall 0.5, min words 80%." in card
    assert "| support | 58 |\n| leak | 12 |\n" in card
    assert "Of the 930 rows of `m` that were checked, 17 share a run of 13 words with a benchmark" in card
    assert "| longbench | 500 | 3 | 1 | 14 | 4 |\n" in card
    assert "when a tenth of its context's" in card and "not compared with any benchmark" not in card
    assert "\n\n\n" not in card


def test_what_was_not_checked_is_not_claimed(tmp_path: Path) -> None:
    card = build(tmp_path)
    assert "## Filters" not in card and "## Contamination" not in card
    assert "These rows were not compared with any benchmark" in card
    marked = {"contamination": {**CHECKED["contamination"], "drop": False}}
    card = checked(tmp_path / "marked", marked)
    assert "when a tenth of its context's" not in card and "They are marked in the column" in card


@pytest.mark.parametrize("text", NASTY)
def test_names_of_benchmarks_and_filters_cannot_break_the_card(tmp_path: Path, text: str) -> None:
    details = {
        "filters": {"settings": {text: text}, "contexts": text, "kept": None, "dropped": {text: 1, "b": 2}},
        "contamination": {"ngram": text, "benchmarks": [{"name": text, "rows": text}, text]},
    }
    body = without_fences(checked(tmp_path, details).partition(MARKER)[2])
    assert "<script>" not in body
    headings = [line for line in body.splitlines() if line.startswith("## ")]
    assert headings[headings.index("## Filters") + 1] == "## Contamination"
    assert len(headings) == 9
    table = body[body.index("| benchmark |") :].split("\n\n")[0].splitlines()
    assert len(table) == 3 and {line.count("|") for line in table} == {7}


def test_the_source_of_the_pairs_is_named(tmp_path: Path) -> None:
    hub = {"name": "ada/questions", "revision": "0123456789abcdef", "split": "train"}
    card = build(tmp_path, facts={**FACTS, "source": hub})
    assert metadata(tmp_path)["source_datasets"] == ["ada/questions"]
    link = "- [ada/questions](https://huggingface.co/datasets/ada/questions), read at revision 0123456789ab\n"
    assert link in card.replace("\\_", "_")
    assert "| source | name \\= ada/questions, revision \\= 0123456789abcdef, split \\= train |" in card
    card = build(tmp_path / "files")
    assert "source_datasets" not in metadata(tmp_path / "files")
    assert "are the work of their authors" in card


@pytest.mark.parametrize("text", [*NASTY, "a/b](javascript:x)", "a/b/c", "../x", "plain"])
def test_a_source_that_is_no_dataset_is_not_linked(tmp_path: Path, text: str) -> None:
    card = build(tmp_path, facts={**FACTS, "source": {"name": text, "revision": text}})
    assert "source_datasets" not in metadata(tmp_path)
    assert "huggingface.co/datasets/" not in card
    revision = {"name": "ada/questions", "revision": text}
    card = without_fences(build(tmp_path / "r", facts={**FACTS, "source": revision}).partition(MARKER)[2])
    assert len([line for line in card.splitlines() if "huggingface.co/datasets/ada/questions" in line]) == 1
    assert "<script>" not in card


def test_imported_contexts_are_told_apart(tmp_path: Path) -> None:
    assert "were written elsewhere" in build(tmp_path, facts={"engine": "imported", "model": "m"})
    assert "were written elsewhere" not in build(tmp_path / "b")


def test_no_run_of_blank_lines(tmp_path: Path) -> None:
    assert "\n\n\n" not in build(tmp_path)


def test_replies_that_are_not_the_pair_s_answer_are_counted(tmp_path: Path) -> None:
    """The card says that instruction and answer were left as they are, which is not so of twins."""
    raw, chat, rejected = rows_with("plain")
    changes = ({}, {"twin": "removed"}, {"twin": "changed", "answer_form": "cited"}, {"twin": "changed"})
    chats = [{**chat, **change} for change in (*changes, {"distractors": "random+abstain"})]
    kinds = {"raw": [raw], "chat": chats, "rejected": [rejected | {"reason": "x" * 200}]}
    configs = [
        ConfigData(f"m-{kind}", kind, lambda rows=rows: iter(rows), content_hash(kind))  # type: ignore[misc, arg-type]
        for kind, rows in kinds.items()
    ]
    build_folder(tmp_path, configs, facts=FACTS)
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "| `m-chat` | 1 | twins without the evidence: a refusal is right |\n" in card
    assert "| `m-chat` | 2 | twins with another answer in its place: that one is right |\n" in card
    assert "| `m-chat` | 1 | samples without their context: a refusal is right |\n" in card
    assert "| `m-chat` | 1 | the answer, and below it the evidence in quotes;" in card
    assert "To leave twins out" in card and "\n\n\n" not in card
    assert f"| plain: {'x' * 153}… | 1 |" in card  # a reason that was cut says so
    plain = build(tmp_path / "plain")
    assert "Replies that" not in plain and "twins out" not in plain


def test_statistics_have_bounded_size() -> None:
    statistics = Statistics()
    for number in range(3_000):
        statistics.add(rejected_row(Rejected("p", "parse", f"line{number}x", "")))
    reasons = statistics.to_dict()["reasons"]
    assert len(reasons) == Statistics.MOST_NAMES + 1
    assert sum(reasons.values()) == 3_000


def test_what_each_row_tells_of_itself_is_no_reason_of_its_own() -> None:
    told = {
        "assembly": "the context takes {n} tokens and the budget is 2,048 (2k): ask for more",
        "check": "missing: the text does not state “{n}”; asked 3 times",
        "parse": "short: {n} words where 2000 were asked",
        "filter": "support: 0.{n} under 0.3",
    }
    statistics = Statistics()
    for stage, reason in told.items():
        for number in range(100, 400):
            statistics.add(rejected_row(Rejected("p", stage, reason.format(n=number), "")))
    counted = statistics.to_dict()["reasons"]
    assert counted == {
        "assembly: the context takes more tokens than its budget": 300,
        "check: missing": 300,
        "parse: short": 300,
        "filter: support": 300,
    }
    assert counted_reasons({"reasons": counted}) == counted
    # As a folder of an earlier version has it.
    before = {f"assembly: {told['assembly'].format(n=number)}": 2 for number in range(100, 105)}
    before |= {"pairs: answer is missing (no column answer, output)": 1, "others": 7}
    assert counted_reasons({"reasons": before}) == {
        "assembly: the context takes more tokens than its budget": 10,
        "pairs: answer is missing (no column answer, output)": 1,
        "others": 7,
    }


def test_shorten_shows_the_place_asked_for() -> None:
    text = "a" * 500 + "NEEDLE" + "b" * 500
    assert shorten(text, 2_000) == text
    assert "NEEDLE" not in shorten(text, 100)
    short = shorten(text, 100, around=500)
    assert "NEEDLE" in short and short.startswith("a" * 50) and len(short) < 120


def test_resources_of_a_checkout_and_of_a_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "{{ metadata }}" in resources.card_template()
    assert resources.example_pairs().name == "pairs.jsonl"
    monkeypatch.setattr(resources, "_PACKAGES", tmp_path)
    with pytest.raises(ContextSynthesisError, match="Install context-synthesis again"):
        resources.card_template()
    (tmp_path / "builder").mkdir()
    (tmp_path / "builder" / "dataset_card.md").write_text("from the wheel")
    (tmp_path / "dataset_card.md").write_text("somebody else's")
    assert resources.card_template() == "from the wheel"
