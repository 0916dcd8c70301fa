"""Runs side by side: numbers as in the files, differences over the same pairs, one page that is whole."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from builder.folder.build import ConfigData, build_folder
from builder.folder.schema import raw_row
from builder.report.comparison import compare, paired
from builder.report.ranges import PointLine
from builder.report.sides import Side, find_sides
from builder.report.tuned import performance, read_answered
from synthesis.coherence import score
from synthesis.data import Context, Evidence, Pair, content_hash
from synthesis.errors import FolderError, SourceError, UsageError
from synthesis.evaluation.results import Mean
from tests.jobs import Quiet
from tests.pages import NASTY, Page


def made(folder: Path, **changes: Any) -> Path:
    from builder.job.execute import execute
    from synthesis.options import RunConfig, override

    chosen = {name.replace("__", "."): value for name, value in changes.items()}
    execute(override(RunConfig(), {"out": str(folder), "samples.lengths": ("1k",), **chosen}), Quiet())
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two runs that share 16 pairs; the second has longer contexts, and drops some."""
    place = tmp_path_factory.mktemp("runs")
    first = made(place / "first", generation__words=120, pairs__limit=16)
    second = made(place / "second", generation__words=240, pairs__limit=24, seed=3, filters__min_overall=0.9)
    return first, second


def table(page: Page, beginning: str) -> list[list[str]]:
    return next(rows for label, rows in page.tables.items() if label.startswith(beginning))


def test_tables_hold_the_numbers_of_both_runs(runs: tuple[Path, Path], tmp_path: Path) -> None:
    written = compare([runs[0], f"longer={runs[1]}"], tmp_path / "out")
    page = Page(written.page.read_text(encoding="utf-8"))
    sides = find_sides([runs[0], f"longer={runs[1]}"], 0)
    assert [side.name for side in sides] == ["first", "longer"]
    overview = table(page, "Means of all")
    for row, side in zip(overview[1:], sides, strict=True):
        assert row[0] == side.name and row[1] == str(side.manifest.rows) == str(len(side.ids))
        assert row[4] == f"{fmean(side.values('words')):,.0f}"
        assert row[6] == f"{fmean(side.values('coherence')):.3f}"
    assert overview[1][2] == "16" and int(overview[2][2]) == len(set(sides[0].ids) & set(sides[1].ids))
    dropped = sum(sides[1].dropped.values())
    assert dropped and overview[2][3] == f"{dropped / (dropped + len(sides[1].ids)):.0%}"
    assert sum(int(row[2]) for row in table(page, "Rows that were dropped")[1:]) == dropped
    rows = [row for row in table(page, "By task")[1:] if row[1] == "first"]
    assert sum(int(row[2]) for row in rows) == 16
    # Nothing outside of the page is asked for, and every figure is in it and beside it.
    assert not {"script", "link", "iframe"} & {tag for tag, _ in page.tags}
    images = [attrs for tag, attrs in page.tags if tag == "img"]
    assert len(images) == len(written.figures) == 4
    assert all((one["src"] or "").startswith("data:image/png") and one["alt"] for one in images)
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written.figures)
    again = compare([runs[0], f"longer={runs[1]}"], tmp_path / "again")
    assert again.page.read_bytes() == written.page.read_bytes()


def test_differences_are_of_the_same_pairs(runs: tuple[Path, Path]) -> None:
    first, second = find_sides(runs, 0)
    shared = set(first.ids) & set(second.ids)
    found = paired(second.by_pair("relevance"), first.by_pair("relevance"))
    assert found is not None
    gaps = [second.by_pair("relevance")[id_] - first.by_pair("relevance")[id_] for id_ in shared]
    assert found.value == pytest.approx(fmean(gaps)) and found.low <= found.value <= found.high
    # An interval that is one: of equal gaps it has no width, and of wide ones some.
    assert paired({"a": 1.0, "b": 2.0}, {"a": 0.5, "b": 1.5, "c": 9.0}) == Mean(0.5, 0.5, 0.5, 2)
    wide = paired({str(n): float(n % 2) for n in range(100)}, {str(n): 0.0 for n in range(100)})
    assert wide is not None and 0.38 < wide.low < 0.44 < 0.56 < wide.high < 0.62
    assert paired({"a": 1.0}, {"a": 0.0, "b": 0.0}) is None


def dataset(folder: Path, contexts: list[tuple[str, tuple[Evidence, ...]]], instruction: str = "") -> Path:
    rows = []
    for number, (text, evidence) in enumerate(contexts):
        pair = Pair(instruction=instruction or f"Who built mill {number}?", answer="Ada", task="toy")
        context = Context(pair.id, text, evidence, words=len(text.split()), tokens=len(text), engine="file")
        rows.append(raw_row(pair, context, score(text, pair.instruction, pair.answer)))
    build_folder(
        folder, [ConfigData("toy", "raw", lambda: rows, content_hash(rows))], facts={"engine": "file"}
    )
    return folder


def only(folder: Path, other: Path) -> Side:
    return find_sides([folder, other], 0)[0]


def test_what_is_read_of_a_text_is_what_it_says(tmp_path: Path) -> None:
    other = dataset(tmp_path / "other", [("Nobody built anything here.", ())])
    told = "Mill 0 stands there. " + "Rain fell on the road. " * 3 + "It was built by Ada."
    at = told.index("It was")
    evidence = (Evidence(0, 20, "mill"), Evidence(at, len(told), "Ada"))
    side = only(dataset(tmp_path / "one", [(told, evidence)]), other)
    (found,) = side.texts.values()
    assert found.distance == 15 and found.diversity is None
    assert found.depth == pytest.approx((10 + (at + len(told)) / 2) / 2 / len(told))
    # Of who, built, mill (0 is one letter), the evidence has built and mill.
    assert found.overlap == pytest.approx(2 / 3)
    (nothing,) = find_sides([tmp_path / "one", other], 0)[1].texts.values()
    assert nothing.overlap is None and nothing.distance is None and nothing.depth is None
    words = [f"word{number}" for number in range(100)]
    twice = only(
        dataset(tmp_path / "two", [(" ".join(words), ()), (" ".join(words[:50] + words[:50]), ())]), other
    )
    assert sorted(one.diversity or 0 for one in twice.texts.values()) == [0.5, 1.0]
    assert max(one.repetition for one in twice.texts.values()) == pytest.approx(45 / 95, abs=0.02)
    # All runs of the second that lie within its halves stand in the first, whose other half is its own.
    assert twice.shared == pytest.approx((43 + 86) / 186)
    assert only(tmp_path / "one", other).shared == 0


def test_every_side_reads_the_texts_of_the_same_pairs(runs: tuple[Path, Path]) -> None:
    first, second = find_sides(runs, 6)
    assert first.read == second.read == 6
    best = [id_ for id_ in second.texts if id_ in set(first.ids)]
    assert set(best) <= set(find_sides(runs, 16)[0].texts)
    everything = find_sides(runs, 0)[0]
    assert {id_: everything.texts[id_] for id_ in first.texts} == dict(first.texts)


def test_text_of_users_stays_text(tmp_path: Path) -> None:
    one = dataset(tmp_path / "one", [(text + " Ada.", ()) for text in NASTY])
    two = dataset(tmp_path / "two", [(text, ()) for text in NASTY], "<b>Who</b> {{ 7 * 7 }}?")
    written = compare([f"<script>x</script>{{{{ 7 }}}}={one}", two], tmp_path / "out")
    text = written.page.read_text(encoding="utf-8")
    page = Page(text)
    assert "<script>x" not in text and "{{ 7 }}" in "".join(page.text["h1"])
    assert not {"script", "svg", "b"} & {tag for tag, _ in page.tags}


def test_configs_of_one_dataset_are_sides(tmp_path: Path) -> None:
    rows = dataset(tmp_path / "one", [("Ada built it.", ())])
    dataset_of_two = tmp_path / "both"
    shutil.copytree(rows, dataset_of_two)
    pair = Pair(instruction="Who built mill 0?", answer="Ada", task="toy")
    row = raw_row(pair, Context(pair.id, "Some say Ada.", words=3, tokens=4, engine="other"), None)
    build_folder(
        dataset_of_two,
        [ConfigData("second", "raw", lambda: [row], content_hash(row))],
        facts={"engine": "other"},
    )
    sides = find_sides([dataset_of_two], 0)
    assert [side.name for side in sides] == ["both: second", "both: toy"]
    # A config without scores is compared in what it has.
    told = compare([dataset_of_two], tmp_path / "out").page.read_text(encoding="utf-8")
    assert "–" in table(Page(told), "Means of all")[1][6]


def test_wrong_input_is_refused_in_words(runs: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nothing to compare: first has one config.*two runs or more"):
        compare([runs[0]], tmp_path / "out")
    with pytest.raises(UsageError, match="given twice"):
        compare([runs[0], f"again={runs[0]}"], tmp_path / "out")
    with pytest.raises(SourceError, match="nowhere"):
        compare([runs[0], tmp_path / "nowhere"], tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "index.html").write_text("my page", encoding="utf-8")
    with pytest.raises(FolderError, match="not overwritten"):
        compare(list(runs), tmp_path / "mine")
    assert (tmp_path / "mine" / "index.html").read_text(encoding="utf-8") == "my page"
    broken = tmp_path / "broken"
    shutil.copytree(runs[1], broken)
    data = next((broken / "dataset" / "data").glob("composer/*/*.parquet"))
    data.write_bytes(data.read_bytes()[:-9])
    with pytest.raises(FolderError, match="damaged"):
        compare([runs[0], broken], tmp_path / "out")


def evaluated(folder: Path, tasks: dict[str, float]) -> Path:
    """A folder as ``evaluate`` leaves it, as far as it is read here."""
    means = {task: {"value": v, "low": v - 0.1, "high": v + 0.1, "questions": 9} for task, v in tasks.items()}
    closed = {"condition": "closed", "length": None, "tasks": {}, "score": None}
    full = {"condition": "full", "length": None, "tasks": means, "score": means[min(means)]}
    folder.mkdir()
    (folder / "scores.json").write_text(json.dumps({"conditions": [closed, full]}), encoding="utf-8")
    return folder


def test_what_tuned_models_answer_stands_beside_the_lengths(runs: tuple[Path, Path], tmp_path: Path) -> None:
    one = evaluated(tmp_path / "one", {"hotpotqa": 0.3, "qasper": 0.2})
    two = evaluated(tmp_path / "two", {"hotpotqa": 0.5})
    assert performance([read_answered(one), read_answered(f"tuned={two}")], 9) == [
        PointLine("hotpotqa", [("one", 0.3, 0.3 - 0.1, 0.3 + 0.1), ("tuned", 0.5, 0.5 - 0.1, 0.5 + 0.1)]),
        PointLine("qasper", [("one", 0.2, 0.2 - 0.1, 0.2 + 0.1)]),
        PointLine("all", [("one", 0.3, 0.3 - 0.1, 0.3 + 0.1), ("tuned", 0.5, 0.5 - 0.1, 0.5 + 0.1)]),
    ]
    written = compare(list(runs), tmp_path / "out", scores=[one, f"tuned={two}"])
    assert [path.name for path in written.figures][:2] == ["performance.png", "lengths.png"]
    with pytest.raises(
        SourceError, match=r"holds no scores.json; give a folder that `context-synthesis eval"
    ):
        compare(list(runs), tmp_path / "out", scores=[runs[0]])
    (one / "scores.json").write_text('{"conditions": []}', encoding="utf-8")
    with pytest.raises(SourceError, match="tells no scores of whole contexts"):
        read_answered(one)


def test_the_command_prints_the_table_and_where_the_page_is(runs: tuple[Path, Path], tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from builder.cli.main import app

    out = tmp_path / "side by side"
    told = CliRunner().invoke(app, ["compare", *map(str, runs), "--out", str(out)], env={"COLUMNS": "80"})
    assert told.exit_code == 0, told.output
    assert re.search(r"first +16 +16", told.output) and "index.html and 4 figures" in told.output
    manifest = json.loads((runs[0] / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["counts"]["contexts"] == 16
    # In a narrow terminal no head is cut: a line for each measure.
    narrow = CliRunner().invoke(app, ["compare", *map(str, runs), "--out", str(out)], env={"COLUMNS": "50"})
    assert re.search(r"^side +first", narrow.output) and re.search(r"\ncontexts +16 +\d+\n", narrow.output)
    alone = CliRunner().invoke(app, ["compare", str(runs[0])])
    assert alone.exit_code == 2 and "nothing to compare" in alone.output
