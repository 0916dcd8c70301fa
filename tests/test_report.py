"""The report: numbers as in the files, text of users that stays text, a page that asks for nothing."""

from __future__ import annotations

import base64
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from builder.folder.build import ConfigData, build_folder
from builder.folder.reading import rows_at
from builder.folder.schema import raw_row, rejected_row
from builder.folder.versions import read_manifests
from builder.report.collect import LOWEST
from builder.report.page import pieces
from builder.report.write import Report, report
from synthesis.coherence import explain, score
from synthesis.data import Context, Evidence, Pair, Rejected, content_hash
from synthesis.errors import FolderError, SourceError
from tests.jobs import Quiet
from tests.pages import NASTY, Page


def page_of(written: Report) -> Page:
    return Page(written.page.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from builder.job.execute import execute
    from synthesis.options import RunConfig, override

    folder = tmp_path_factory.mktemp("runs") / "first"
    changes = {"out": str(folder), "generation.words": 120, "samples.lengths": ("1k",), "pairs.limit": 24}
    execute(override(RunConfig(), changes), Quiet())
    return folder


def column(run: Path, config: str, name: str) -> list[Any]:
    import pyarrow.parquet as pq

    manifest = read_manifests(run / "dataset")[config][-1]
    return [v for f in manifest.files for v in pq.read_table(run / "dataset" / f.path)[name].to_pylist()]


def test_the_tables_hold_the_numbers_of_the_files(run: Path) -> None:
    page = page_of(report(run))
    (tasks,) = [rows for label, rows in page.tables.items() if label.startswith("Tasks of composer")]
    names, words, scores = (column(run, "composer", name) for name in ("task", "words", "coherence"))
    tokens = column(run, "composer", "tokens")
    expected = []
    for task in sorted(set(names)):
        places = [place for place, name in enumerate(names) if name == task]
        means = [sum(values[place] for place in places) / len(places) for values in (scores, words, tokens)]
        expected.append([task, f"{len(places)}", f"{means[0]:.3f}", f"{means[1]:,.0f}", f"{means[2]:,.0f}"])
    assert tasks[1:] == expected and len(expected) == 3
    (configs,) = [rows for label, rows in page.tables.items() if label.startswith("Newest version")]
    raw = next(row for row in configs if row[0] == "composer")
    spread = f"{min(tokens):,} / {sum(tokens) / len(tokens):,.0f} / {max(tokens):,}"
    assert raw[1:6] == ["1.0.0", "24", spread, "–", f"{sum(scores) / len(scores):.3f}"]
    counts = dict(
        zip(re.findall(r"<dt>([^<]+)</dt>", report(run).page.read_text()), page.text["dd"], strict=False)
    )
    assert (counts["contexts"], counts["samples"], counts["rejected"]) == ("24", "24", "0")


def test_the_lowest_rows_come_with_their_reasons(run: Path) -> None:
    scores = column(run, "composer", "coherence")
    lowest = sorted(range(len(scores)), key=lambda place: (scores[place], place))[:LOWEST]
    page = page_of(report(run))
    names = ("context", "instruction", "answer", "evidence")
    rows = list(zip(*(column(run, "composer", name) for name in names), strict=True))
    assert page.text["li"] == [line for place in lowest for line in explain(*rows[place])]
    asked = [rows[place][1] for place in lowest]
    assert [text for text in page.text["dd"] if text in asked][:LOWEST] == asked


def test_the_sample_has_its_evidence_marked(run: Path) -> None:
    page = page_of(report(run))
    context, evidence = column(run, "composer", "context")[0], column(run, "composer", "evidence")[0]
    assert page.text["mark"] == [context[span["start"] : span["end"]] for span in evidence]
    assert evidence


def test_the_page_is_alone_and_cannot_run_anything(run: Path) -> None:
    written = report(run)
    page = page_of(written)
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "iframe", "link", "object", "embed", "form", "base", "svg"}
    for tag, attributes in page.tags:
        assert not any(name.startswith("on") for name in attributes), (tag, attributes)
        for value in (attributes.get("src"), attributes.get("href")):
            assert value is None or value.startswith("data:image/png;base64,")
    policy = next(a["content"] for t, a in page.tags if t == "meta" and a.get("http-equiv"))
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    text = written.page.read_text(encoding="utf-8")
    assert "http" not in re.sub(r"<meta[^>]*>", "", text)
    assert "prefers-color-scheme: dark" in text and 'name="viewport"' in text
    for tag, attributes in page.tags:
        assert tag != "img" or attributes["alt"]
        assert tag != "th" or attributes["scope"] in ("col", "row")


def test_the_pictures_are_those_of_the_dataset(run: Path) -> None:
    written = report(run)
    there = {path.name: path.read_bytes() for path in (run / "dataset" / "figures").iterdir()}
    assert {path.name: path.read_bytes() for path in written.figures} == there and len(there) == 4
    sources = [attributes["src"] for tag, attributes in page_of(written).tags if tag == "img"]
    assert sorted(base64.b64decode(str(s).partition(",")[2]) for s in sources) == sorted(there.values())


def test_a_dataset_folder_alone_and_without_figures(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run / "dataset", tmp_path / "copy")
    shutil.rmtree(tmp_path / "copy" / "figures")
    written = report(tmp_path / "copy", tmp_path / "elsewhere")
    assert written.page == tmp_path / "elsewhere" / "index.html"
    first = {path.name: path.read_bytes() for path in report(run).figures}
    assert {path.name: path.read_bytes() for path in written.figures} == first
    assert not (tmp_path / "copy" / "figures").exists()


def test_the_same_run_gives_the_same_page_and_can_be_gone_on_with(run: Path) -> None:
    from builder.job.execute import plan
    from synthesis.options import load_config

    first = report(run).page.read_bytes()
    assert report(run).page.read_bytes() == first
    plan(load_config(run / "run.toml"))  # the report is no foreign folder


def test_what_cannot_be_reported_says_so(run: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds no dataset that this tool built.*Build it first"):
        report(tmp_path)
    (tmp_path / "index.html").write_text("<p>mine")
    with pytest.raises(FolderError, match="not a report of ours.*another --out"):
        report(run, tmp_path)
    assert (tmp_path / "index.html").read_text() == "<p>mine"
    shutil.copytree(run / "dataset", tmp_path / "torn")
    next((tmp_path / "torn" / "data").rglob("*.parquet")).unlink()
    with pytest.raises(FolderError, match="are missing from.*Run the same"):
        report(tmp_path / "torn")
    assert not (tmp_path / "torn" / "report").exists()


@pytest.mark.parametrize("text", NASTY)
def test_text_of_users_stays_text(tmp_path: Path, text: str) -> None:
    pair = Pair(instruction=text + "?", answer=text, task=text, metadata={text: text})
    context = Context(
        pair.id, f"It was {text}. So it was.", (Evidence(7, 7 + len(text), text),), 5, 6, text, text
    )
    rows = [raw_row(pair, context, score(context.text, pair.instruction, pair.answer))] * 2
    dropped = rejected_row(Rejected(text, text, text, text))
    details = {
        "filters": {"settings": {text: text}, "contexts": 2, "kept": 1, "dropped": {text: 1}},
        "contamination": {"ngram": 13, "contexts": 2, "benchmarks": [{"name": text, "rows": 1}]},
    }
    configs = [
        ConfigData("m", "raw", lambda: iter(rows), content_hash(text), details),
        ConfigData("m-rejected", "rejected", lambda: iter([dropped]), content_hash(text)),
    ]
    build_folder(tmp_path, configs, facts={"engine": text, "model": text})
    plain = Page(report(tmp_path).page.read_text(encoding="utf-8"))
    names = {tag for tag, _ in plain.tags}
    assert not names & {"script", "svg", "textarea"}
    assert all(not any(key.startswith("on") for key in attributes) for _, attributes in plain.tags)
    wanted = re.sub("[\x00-\x08\x0b-\x1f\u202a-\u202e\ufffe]", "\ufffd", text)
    (tasks,) = [rows for label, rows in plain.tables.items() if label.startswith("Tasks of")]
    assert tasks[1][0] == wanted
    assert plain.text["mark"] == [wanted]
    (made,) = [rows for label, rows in plain.tables.items() if label == "How it was made"]
    assert ["engine", wanted] in made
    (benchmarks,) = [rows for label, rows in plain.tables.items() if label.startswith("Rows that share")]
    assert benchmarks[1][0] == wanted


def test_pieces_put_together_are_the_text_and_spans_may_overlap() -> None:
    spans = [
        {"start": 4, "end": 9, "what": "b"},
        {"start": 2, "end": 6, "what": "a"},
        {"start": 3, "end": 5, "what": "c"},
    ]
    found = pieces({"context": "0123456789ab", "evidence": spans})
    assert "".join(piece.text for piece in found) == "0123456789ab"
    assert [(piece.text, piece.what) for piece in found] == [
        ("01", None),
        ("2345", "a"),
        ("678", "b"),
        ("9ab", None),
    ]
    assert pieces({"context": "text", "evidence": None}) == [("text", None)]
    long = pieces({"context": "x" * 100_000, "evidence": [{"start": 50_000, "end": 50_004, "what": "e"}]})
    assert long[1] == ("xxxx", "e") and sum(len(piece.text) for piece in long) < 26_000


def test_rows_are_found_in_any_file_and_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from builder.folder import parquet

    limits = {"group_bytes": 4_000, "group_rows": 3, "shard_bytes": 9_000}
    monkeypatch.setattr(parquet.ShardWriter.__init__, "__kwdefaults__", limits)
    rows = [
        raw_row(Pair(instruction=f"q{n}", answer="a"), Context("p", f"{n} " * 400), None) for n in range(40)
    ]
    build_folder(tmp_path, [ConfigData("m", "raw", lambda: iter(rows), "c")], facts={})
    (manifest,) = read_manifests(tmp_path)["m"]
    assert rows_at(manifest.paths(tmp_path), [39, 0, 7, 7]) == {place: rows[place] for place in (0, 7, 39)}


def test_the_command(run: Path, tmp_path: Path, command: Any) -> None:
    done = command("report", run, "--out", tmp_path / "r")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"{tmp_path / 'r' / 'index.html'} and 4 figures"
    wrong = command("report", tmp_path)
    assert wrong.returncode == 2 and "holds no dataset" in wrong.stderr and "Traceback" not in wrong.stderr
