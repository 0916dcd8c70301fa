"""``show``: what is marked is the evidence, what is said is in the row, and wrong input is told in words."""

from __future__ import annotations

import html
import json
import re
import shutil
from pathlib import Path

import datasets
import pytest
from typer.testing import CliRunner

from builder import show
from builder.cli.main import app
from builder.folder.build import ConfigData, build_folder
from builder.folder.schema import raw_row
from synthesis.data import Context, Evidence, Pair, content_hash
from synthesis.errors import SourceError, UsageError
from synthesis.tokens import load_tokenizer
from tests.jobs import Quiet
from tests.pages import NASTY, Page


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from builder.job.execute import execute
    from synthesis.options import RunConfig, override

    folder = tmp_path_factory.mktemp("runs") / "first"
    pairs = folder.parent / "pairs.jsonl"
    rows = [{"instruction": f"Who built mill {n}?", "answer": f"Ada number {n}"} for n in range(6)]
    pairs.write_text("".join(json.dumps(row) + "\n" for row in [*rows, {"instruction": "no answer"}]))
    changes = {
        "out": str(folder),
        "generation.words": 120,
        "samples.lengths": ("1k",),
        "pairs.source": str(pairs),
    }
    execute(override(RunConfig(), changes), Quiet())
    return folder


def chat(run: Path) -> datasets.Dataset:
    return datasets.load_dataset(str(run / "dataset"), "composer-chat-1k", split="train")


def test_what_is_marked_is_the_evidence(run: Path) -> None:
    for number, row in enumerate(chat(run)):
        shown = show(str(run), number, full=True)
        (user, pieces), (assistant, answer) = shown.parts
        assert (user, assistant) == ("user", "assistant") and answer[0].text == row["messages"][1]["content"]
        content = row["messages"][0]["content"]
        assert "".join(one.text for one in pieces if one.kind != "border") == content
        marked = [(one.text, one.note) for one in pieces if one.kind == "evidence"]
        expected = [(content[one["start"] : one["end"]], one["what"]) for one in row["evidence"]]
        assert marked == expected and marked
        borders = [place for place, one in enumerate(pieces) if one.kind == "border"]
        own = "".join(one.text for one in pieces[borders[0] + 1 : borders[1]])
        assert own == content[row["evidence_start"] : row["evidence_end"]]
        assert dict(shown.facts)["tokens"] == f"{row['tokens']:,}"
        assert f"⟦{marked[0][0]}⟧" in str(shown)


def test_a_long_text_is_shortened_and_says_by_how_much(run: Path) -> None:
    whole, short = (show(str(run), 0, full=full).parts[0][1] for full in (True, False))
    gaps = [int(n.replace(",", "")) for n in re.findall(r"\[\.\.\. ([\d,]+) characters", str(show(str(run))))]
    assert gaps and sum(len(one.text) for one in short if one.kind != "gap") == sum(
        len(one.text) for one in whole
    ) - sum(gaps)
    assert [one for one in short if one.kind == "evidence"] == [
        one for one in whole if one.kind == "evidence"
    ]
    assert short[-1].text.endswith(whole[-1].text[-100:])


def test_rendered_is_what_the_template_writes(run: Path) -> None:
    row = chat(run)[1]
    ((_, pieces),) = show(str(run), 1, rendered=True, full=True).parts
    from synthesis.data import Message

    turns = [Message(one["role"], one["content"]) for one in row["messages"]]
    text = load_tokenizer().render(turns)
    assert "".join(one.text for one in pieces if one.kind != "border") == text
    assert [one.text for one in pieces if one.kind == "evidence"]
    with pytest.raises(UsageError, match="no conversation"):
        show(str(run), 0, config="composer", rendered=True)


def test_a_row_is_found_by_the_beginning_of_an_id(run: Path) -> None:
    row = chat(run)[3]
    for name in (row["id"], row["id"][:12], row["pair_id"]):
        assert dict(show(str(run), name).facts)["id"] == row["id"]
    raw = show(str(run), row["pair_id"], config="composer")
    assert [heading for heading, _ in raw.parts] == ["instruction", "answer", "context"]
    rejected = show(str(run), config="composer-rejected")
    assert dict(rejected.facts)["stage"] and "answer" in str(rejected)


def test_a_twin_is_shown_with_what_was_changed(run: Path, tmp_path: Path) -> None:
    from builder.job.execute import reassemble
    from synthesis.options import load_config, override

    folder = tmp_path / "twins"
    shutil.copytree(run, folder)
    wanted = {"out": str(folder), "samples.twins": ("removed", "changed", "decoy")}
    reassemble(override(load_config(run / "run.toml"), wanted), Quiet())
    rows = list(chat(folder))
    samples = {row["id"]: row for row in rows if not row["twin"]}
    kinds = set()
    for number, row in enumerate(rows):
        parts = dict(show(str(folder), number, config="composer-chat-1k").parts)
        assert ("wrong replies" in parts) is bool(row["wrong"])
        if not row["twin"]:
            assert not any(heading.startswith("twin") for heading in parts)
            continue
        kinds.add(row["twin"])
        ((heading, pieces),) = ((name, held) for name, held in parts.items() if name.startswith("twin"))
        assert heading.endswith(f"what differs from {row['twin_of']}")
        lines = pieces[0].text.split("\n")
        assert len(lines) == len(row["changes"]) > 0
        was = samples[row["twin_of"]]
        if row["twin"] == "changed":
            assert any(line == f"the answer: “{was['answer']}” → “{row['answer']}”" for line in lines), (
                lines,
                was["answer"],
                row["answer"],
            )
        if row["twin"] == "removed":
            assert any(line.startswith("evidence: “") and line.endswith("is cut out") for line in lines), (
                lines
            )
    assert {"removed", "changed"} <= kinds


def test_text_of_users_stays_text(tmp_path: Path) -> None:
    rows = []
    for text in NASTY:
        pair = Pair(instruction=text, answer=text)
        context = Context(pair.id, f"So: {text}", (Evidence(4, 4 + len(text), text),), words=2, tokens=2)
        rows.append(raw_row(pair, context, None))
    build_folder(tmp_path, [ConfigData("toy", "raw", lambda: rows, content_hash(rows))], facts={})
    for number in range(len(NASTY)):
        shown = show(str(tmp_path), number, full=True)
        page = Page(shown._repr_html_())
        assert {tag for tag, _ in page.tags} <= {"div", "b", "br", "small", "h4", "mark", "span"}
        for text in (str(shown), html.unescape(shown._repr_html_())):
            assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", text)


def test_wrong_input_is_told_in_words(run: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no row 99 in its split 'train'; rows count from 0"):
        show(str(run), 99)
    for number in (-1, 10**9, 10**30):
        with pytest.raises(SourceError, match=f"no row {number} in its split"):
            show(str(run), number)
    for other in ("zzz", "-1", "\u0663", "1" + "0" * 30):
        with pytest.raises(SourceError, match=f"none of 6 rows .* begins with '{other}'"):
            show(str(run), other)
    with pytest.raises(SourceError, match=r"no config 'nosuch'. It has: composer"):
        show(str(run), config="nosuch")
    with pytest.raises(SourceError, match="not a folder"):
        show(str(tmp_path / "nowhere"))
    told = CliRunner().invoke(app, ["show", str(run), "99"])
    assert told.exit_code != 0 and "no row 99" in told.output


def test_the_command_prints_it(run: Path) -> None:
    told = CliRunner().invoke(app, ["show", str(run), "2"])
    assert told.exit_code == 0 and told.output.strip() == str(show(str(run), 2)).strip()
    coloured = CliRunner().invoke(app, ["show", str(run), "2"], env={"FORCE_COLOR": "1", "COLUMNS": "100"})
    assert coloured.exit_code == 0 and "\x1b[1;30;43m" in coloured.output and "⟦" not in coloured.output
