"""The user's own texts: what they are read from, how they are named, how a run records them."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builder.cli.options import overridden
from builder.job.rows import corpus_of
from synthesis import assemble
from synthesis.assembly.corpus import describe_corpus, open_corpus, probe_corpus
from synthesis.data import content_hash
from synthesis.errors import SourceError, UsageError
from synthesis.options import RunConfig, override
from tests.assembly_texts import corpus, prose, samples
from tests.hub import LocalHub
from tests.hub.cards import EASY_AND_HARD
from tests.programs import run_python

pytest_plugins = ["tests.hub.fixtures"]

ROOT = Path(__file__).parent.parent
TEXTS = [(f"book {place}", prose(("outside", place), 150)) for place in range(30)]
ROWS = [{"id": name, "text": text} for name, text in TEXTS]
FILES = {
    "README.md": EASY_AND_HARD,
    "easy/train.jsonl": '{"text": "easy"}\n',
    "easy/test.jsonl": '{"text": "easy test"}\n',
    "hard.jsonl": '{"body": "hard", "context": "other"}\n',
}


def lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def csv(rows: list[dict[str, Any]], between: str = ",") -> str:
    cells = [[row["id"], '"{}"'.format(row["text"])] for row in rows]
    return "".join(between.join(record) + "\n" for record in [["id", "text"], *cells])


def bodies(source: str | Path) -> list[str]:
    return [text for _, text in open_corpus(source)]


# --- formats and places -----------------------------------------------------------


def _folder(path: Path) -> Path:
    (path / "part").mkdir(parents=True)
    (path / "a.jsonl").write_text(lines(ROWS[:10]))
    (path / "part" / "b.csv").write_text(csv(ROWS[10:20]))
    pq.write_table(pa.Table.from_pylist(ROWS[20:]), path / "part" / "c.parquet")
    return path


def _written(path: Path, name: str) -> str:
    target = path / name
    if name == "folder":
        return str(_folder(target))
    if name.endswith("*.jsonl"):
        for part in range(3):
            (path / f"part-{part}.jsonl").write_text(lines(ROWS[10 * part : 10 * part + 10]))
    elif name.endswith(".parquet"):
        pq.write_table(pa.Table.from_pylist(ROWS), target, row_group_size=7)
    elif name.endswith(".gz"):
        target.write_bytes(gzip.compress(lines(ROWS).encode()))
    else:
        written = {
            "texts.jsonl": lines(ROWS),
            "texts.ndjson": "\ufeff\n" + lines(ROWS).replace("\n", "\r\n \n").rstrip(),
            "texts.json": json.dumps(ROWS),
            "texts.csv": csv(ROWS),
            "texts.tsv": csv(ROWS, "\t"),
        }
        target.write_text(written[name], encoding="utf-8", newline="")
    return str(target)


@pytest.mark.parametrize(
    "name",
    ["texts.jsonl", "texts.ndjson", "texts.json", "texts.csv", "texts.tsv", "texts.parquet"]
    + ["texts.jsonl.gz", "folder", "part-*.jsonl"],
)
def test_a_corpus_reads_as_its_rows(tmp_path: Path, name: str) -> None:
    source = _written(tmp_path, name)
    for given in (source, Path(source)):
        found = open_corpus(given)
        assert list(found) == TEXTS
        assert (found[7], found[-1], found[3:5]) == (TEXTS[7], TEXTS[-1], TEXTS[3:5])
        with pytest.raises(IndexError):
            found[len(TEXTS)]


def test_samples_are_the_same_wherever_the_texts_are(tmp_path: Path) -> None:
    expected = samples(assemble(corpus(6), "2k", distractors="corpus", corpus=TEXTS))
    assert any(name.startswith("book") for name in expected[0].documents)
    for name in ("texts.jsonl", "texts.parquet", "folder"):
        given = Path(_written(tmp_path, name))
        assert samples(assemble(corpus(6), "2k", distractors="corpus", corpus=given)) == expected
    assert open_corpus(TEXTS) is TEXTS


def test_a_dataset_folder_has_configs_and_splits(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_text(text)
    code = """
import json, sys
from synthesis.assembly.corpus import open_corpus
from synthesis.errors import SourceError
for source in json.load(sys.stdin):
    try:
        print(json.dumps([text for _, text in open_corpus(source)]))
    except SourceError as error:
        print(json.dumps(str(error)))
"""
    asked = [
        f"{tmp_path}/set{end}" for end in ("?config=easy", "?config=easy&split=test", "", "?config=hard")
    ]
    offline = {"HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "1"}
    done = run_python("-c", code, said=json.dumps([*asked, f"{asked[3]}&columns=body"]), **offline)
    assert done.stderr == ""
    train, test, undecided, usual, named = map(json.loads, done.stdout.splitlines())
    assert (train, test, usual, named) == (["easy"], ["easy test"], ["other"], ["hard"])
    assert "'easy', 'hard'" in undecided and "SOURCE?config=NAME" in undecided


# --- columns, ids and bad rows -------------------------------------------------------


def test_which_column_holds_the_text(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    for row, text in (
        ({"context": "c", "title": "t"}, "c"),
        ({"content": "c"}, "c"),
        ({"document": "d", "body": "b"}, "d"),
        ({"document": "d", "text": "t", "content": "c"}, "t"),
    ):
        path.write_text(lines([row]))
        assert bodies(path) == [text]
    assert bodies(f"{path}?columns=content") == ["c"]
    assert "column" not in describe_corpus(path)
    assert describe_corpus(f"{path}?columns=content")["column"] == "content"
    path.write_text(lines([{"document": "d", "content": "c"}]))
    for use in (bodies, probe_corpus):
        with pytest.raises(
            SourceError, match=r"row 1 of a.jsonl has no column 'text'; it has document, content"
        ):
            use(path)


def test_ids(tmp_path: Path) -> None:
    rows = [{"id": 7, "text": "a"}, {"id": None, "text": "b"}, {"id": 4.10, "text": "c"}, {"text": "d"}]
    (tmp_path / "a.jsonl").write_text(lines(rows))
    (tmp_path / "a.csv").write_text("id,text\n7,a\n,b\n")
    hashes = [content_hash(text)[:16] for text in "bd"]
    assert [name for name, _ in open_corpus(tmp_path / "a.jsonl")] == ["7", hashes[0], "4.1", hashes[1]]
    assert [name for name, _ in open_corpus(tmp_path / "a.csv")] == ["7", hashes[0]]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("none.jsonl", None, "none.jsonl was not found"),
        ("a.doc", "x", "does not name a format"),
        ("bad.jsonl", '{"text": "fine"}\n{"words": 3}\n', "row 2 of bad.jsonl has no column 'text'; it has"),
        ("late.jsonl", '{"text": "fine"}\n\n{"text": 3}\n', "row 3 of late.jsonl has no text in the column"),
        ("late.csv", "text,id\nfine,1\n,2,3\n", "row 3 of late.csv cannot be used .row has 3 fields"),
        ("null.json", '[{"text": null}]', "row 1 of null.json has no text in the column 'text'"),
        ("half.jsonl", '{"text": "\\ud800"}\n', "row 1 of half.jsonl holds a lone surrogate"),
        ("worse.jsonl", "{", "row 1 of worse.jsonl cannot be used .broken JSON"),
        ("list.jsonl", "[1]\n", "row 1 of list.jsonl is not an object"),
        ("latin.jsonl", b'{"text": "fine"}\n{"text": "\xe9"}\n', "latin.jsonl: line 2 .* is not UTF-8"),
        ("b.parquet", {"body": ["x"]}, "row 1 of b.parquet has no column 'text'; it has body"),
        ("c.parquet", "x", "c.parquet: not a readable Parquet file"),
        ("d.jsonl", "\n", "d.jsonl has no rows"),
    ],
)
def test_unusable_corpora_are_named(tmp_path: Path, name: str, content: Any, said: str) -> None:
    path = tmp_path / name
    if isinstance(content, dict):
        pq.write_table(pa.table(content), path)
    elif content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SourceError, match=f"^the corpus cannot be read: .*{said}"):
        assemble(corpus(1), "1k", distractors="corpus", corpus=path)


def test_a_corpus_has_to_be_given() -> None:
    with pytest.raises(UsageError, match="none is given"):
        assemble(corpus(1), "1k", distractors="corpus")


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("?splitt=test", "config, split, columns"),
        ("?config=a", "a.jsonl is a file, which has no configs .*SOURCE.config=NAME&split=NAME"),
        ("?columns=b", "has no column 'b'; it has text"),
        ("?columns=text,id", "in one column, and text, id are named"),
        ("?token=hf_thisIsNotARealToken", "token=.token."),
    ],
)
def test_choices_that_cannot_be_made(tmp_path: Path, end: str, said: str) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n')
    for use in (open_corpus, probe_corpus):
        with pytest.raises(SourceError, match=f"^the corpus cannot be read: .*{said}") as caught:
            use(f"{tmp_path}/a.jsonl{end}")
        assert "hf_" not in str(caught.value)


def test_a_file_that_changes_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(lines(ROWS))
    found = open_corpus(path)
    path.write_text(lines(ROWS[5:]))
    with pytest.raises(SourceError, match=r"a.jsonl has changed since it was opened"):
        found[1]
    path.unlink()
    with pytest.raises(SourceError, match=r"a.jsonl has changed since it was opened"):
        found[0]


# --- resources ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.parquet"])
def test_texts_stay_on_disk(tmp_path: Path, name: str) -> None:
    path, rows = tmp_path / name, [{"text": f"{n} " + "word " * 2000} for n in range(3000)]
    if name == "a.parquet":
        pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=100)
    else:
        data = lines(rows).encode()
        path.write_bytes(gzip.compress(data, 1) if name.endswith(".gz") else data)
    del rows
    assert len(open_corpus(path)) == 3000  # imports what it needs
    tracemalloc.start()
    found = open_corpus(path)
    assert found[2999][1].startswith("2999 ")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6_000_000, "30 MB of text"


@pytest.mark.skipif(sys.platform == "win32", reason="limits are set as POSIX has them")
def test_no_room_for_the_copy(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(ROWS))
    code = """
import resource, sys
from synthesis.assembly.corpus import open_corpus
from synthesis.errors import StorageError
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
try:
    open_corpus(sys.argv[1])
except StorageError as error:
    print(error)
"""
    done = run_python("-c", code, tmp_path / "a.json")
    assert done.stdout.startswith("no room left to write"), done.stderr


# --- the Hub ----------------------------------------------------------------------------

HUB_READER = """
import json, sys
from pathlib import Path
from synthesis.assembly.corpus import describe_corpus, open_corpus
from synthesis.errors import SourceError
for source, revision in json.load(sys.stdin):
    if source.startswith("Path "):
        source = Path(source.removeprefix("Path "))
    try:
        found = [text for _, text in open_corpus(source, revision=revision)]
        print(json.dumps([found, describe_corpus(source)]))
    except SourceError as error:
        assert error.__suppress_context__ or error.__context__ is None  # it may carry the token
        print(json.dumps([str(error), None]))
"""


def read_apart(hub: LocalHub, home: Path, *cases: tuple[str, str | None], **environment: str) -> list[Any]:
    """Texts and description of each source; the process reads its environment at import."""
    return hub.ask(HUB_READER, cases, home, silent=True, **environment)


def test_a_corpus_from_the_hub(hub: LocalHub, tmp_path: Path) -> None:
    first = hub.seed("ada/texts", FILES, private=True, by="ada").oid
    second = hub.seed("ada/texts", {"easy/train.jsonl": '{"text": "newer"}\n'}, by="ada").oid
    easy, test, old, pinned, file, path, folder, body, undecided, missing = read_apart(
        hub,
        tmp_path / "home",
        ("ada/texts?config=easy", None),
        ("ada/texts?config=easy&split=test", None),
        (f"ada/texts@{first}?config=easy", None),
        ("hf://datasets/ada/texts?config=easy", first),
        ("hf://datasets/ada/texts/easy/train.jsonl", None),
        ("Path hf://datasets/ada/texts/easy/train.jsonl", None),
        (f"hf://datasets/ada/texts@{first}/easy", None),
        ("ada/texts?config=hard&columns=body", None),
        ("ada/texts", None),
        ("ada/absent", None),
    )
    named = {"kind": "hub", "name": "ada/texts", "revision": second}
    train = named | {"config": "easy", "split": "train"}
    assert easy == [["newer"], train]
    assert test == [["easy test"], train | {"split": "test"}]
    assert old == [["easy"], train | {"revision": first}]
    assert pinned[0] == ["easy"]
    assert file == path == [["newer"], named | {"path": "easy/train.jsonl"}]
    # Of a folder with files for training and for tests, those for training.
    assert folder == [["easy"], named | {"revision": first, "path": "easy"}]
    assert body == [["hard"], named | {"config": "hard", "split": "train", "column": "body"}]
    assert "'easy', 'hard'" in undecided[0] and "SOURCE?config=NAME" in undecided[0]
    assert "Check the spelling of ORG/NAME" in missing[0]
    assert hub.token not in missing[0] + undecided[0]


def test_text_files_on_the_hub_are_one_text_each(hub: LocalHub, tmp_path: Path) -> None:
    files = {
        "README.md": "# Books\n",
        "a/one.txt": "first line\nsecond line\n",
        "a/two.md": "# Two",
        "b.txt": "B",
    }
    commit = hub.seed("ada/books", files, private=True, by="ada").oid
    hub.seed("ada/both", {"notes.txt": "no row", "train.jsonl": '{"text": "a row"}\n'}, by="ada")
    whole, folder, one, some, both, nothing = read_apart(
        hub,
        tmp_path / "home",
        ("ada/books", None),
        ("hf://datasets/ada/books/a", None),
        ("hf://datasets/ada/books/a/one.txt", commit),
        ("hf://datasets/ada/books/*/*.md", None),
        ("ada/both", None),
        ("hf://datasets/ada/books/c", None),
    )
    assert whole[0] == ["first line\nsecond line\n", "# Two", "B"]
    assert whole[1]["revision"] == commit
    assert folder[0] == ["first line\nsecond line\n", "# Two"]
    assert one[0] == ["first line\nsecond line\n"] and some[0] == ["# Two"]
    assert both[0] == ["a row"]
    assert "holds no file at 'c'" in nothing[0]


def test_a_private_corpus_and_no_hub(hub: LocalHub, tmp_path: Path) -> None:
    hub.seed("ada/texts", FILES, private=True, by="ada")
    ((out, _),) = read_apart(hub, tmp_path / "home", ("ada/texts?config=easy", None), HF_TOKEN="")
    assert out.startswith("the corpus cannot be read: ada/texts: ") and "hf auth login" in out
    ((off, _),) = read_apart(hub, tmp_path / "home", ("ada/texts?config=easy", None), HF_HUB_OFFLINE="1")
    assert "There is no file or folder ada/texts, so it was taken for a Hub dataset" in off
    assert "Unset HF_HUB_OFFLINE to reach the Hub" in off and hub.token not in out + off


# --- a run -------------------------------------------------------------------------------

Command = Callable[..., "subprocess.CompletedProcess[str]"]
SMALL = ("--words", 100, "--lengths", "1k,2k", "--distractors", "corpus", "--name", "m")


def manifests(out: Path) -> list[dict[str, Any]]:
    """Of the run, and of the newest version of each chat config."""
    found = [out / "manifest.json"]
    found += [
        sorted((out / f"dataset/manifests/m-chat-{length}").glob("*.json"))[-1] for length in ("1k", "2k")
    ]
    return [json.loads(path.read_text()) for path in found]


def test_a_run_records_its_corpus(tmp_path: Path, write_pairs: Callable[..., Path], command: Command) -> None:
    import hashlib

    pairs, source, out = write_pairs(4), _folder(tmp_path / "texts"), tmp_path / "run"

    def run() -> str:
        done = command("run", "--pairs", pairs, "--corpus", source, "--out", out, *SMALL)
        assert done.returncode == 0, done.stderr
        return str(done.stdout)

    run()
    whole, *chats = manifests(out)
    there = [source / "a.jsonl", source / "part/b.csv", source / "part/c.parquet"]
    expected = [
        {
            "path": str(path),
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "bytes": path.stat().st_size,
        }
        for path in there
    ]
    assert whole["corpus"] == {"kind": "files", "name": str(source), "files": expected}
    assert [chat["version"] for chat in chats] == ["1.0.0", "1.0.0"]
    assert str(tmp_path) not in json.dumps(chats)
    table = pq.read_table(out / "dataset" / chats[1]["files"][0]["path"])
    others = {name for row in table["documents"].to_pylist() for name in row[:]} & dict(TEXTS).keys()
    assert others
    assert "nothing changed" in run()
    (source / "a.jsonl").write_text(lines(ROWS[:9]))
    assert "2 written" in run()
    assert manifests(out)[0]["corpus"]["files"][0] != expected[0]


def test_a_run_records_the_commit_of_its_corpus(
    hub: LocalHub, tmp_path: Path, write_pairs: Callable[..., Path], command: Command
) -> None:
    pairs, out = write_pairs(3), tmp_path / "run"
    surroundings = hub.environment(tmp_path / "home", HF_HUB_OFFLINE="0")

    def run() -> str:
        hub.forget()
        done = command("run", "--pairs", pairs, "--corpus", "ada/texts", "--out", out, *SMALL, **surroundings)
        assert done.returncode == 0, done.stderr
        assert hub.token not in done.stdout + done.stderr
        return str(done.stdout)

    commit = hub.seed("ada/texts", {"train.jsonl": lines(ROWS)}, private=True, by="ada").oid
    run()
    described = {"kind": "hub", "name": "ada/texts", "revision": commit, "config": None, "split": "train"}
    whole, *chats = manifests(out)
    assert whole["corpus"] == described
    found = {"name": "ada/texts", "revision": commit, "split": "train"}
    assert [chat["details"]["corpus"] for chat in chats] == [found, found]
    fetched = [one.path for one in hub.seen("GET", "train.jsonl")]
    assert fetched and all(commit in path for path in fetched)
    # What main is was asked for the look before work and for the record; texts were read at the commit.
    assert len(hub.seen("GET", r"^/api/datasets/ada/texts$")) == 2
    assert "nothing changed" in run()
    newer = hub.seed("ada/texts", {"train.jsonl": lines(ROWS[:20])}, by="ada").oid
    assert "2 written" in run()
    assert [
        one.get("corpus", one.get("details", {}).get("corpus"))["revision"] for one in manifests(out)
    ] == [newer] * 3
    written = [path.read_bytes() for path in out.rglob("*") if path.is_file()]
    assert len(written) > 5 and not any(hub.token.encode() in data for data in written)


@pytest.mark.parametrize(
    ("source", "said"), [("absent.jsonl", "absent.jsonl was not found"), ("body.csv", "it has body")]
)
def test_a_corpus_is_looked_at_before_any_work(
    tmp_path: Path, write_pairs: Callable[..., Path], command: Command, source: str, said: str
) -> None:
    (tmp_path / "body.csv").write_text("body\ntext\n")
    out = tmp_path / "run"
    done = command("run", "--pairs", write_pairs(2), "--corpus", tmp_path / source, "--out", out, *SMALL)
    assert (done.returncode, done.stdout) == (2, "")
    assert "the corpus cannot be read" in done.stderr and said in done.stderr
    assert not out.exists()


def test_a_corpus_that_nothing_is_taken_from(tmp_path: Path) -> None:
    """On the command line it is a mistake; in a configuration or a call it waits to be used."""
    (tmp_path / "own.jsonl").write_text('{"text": "A ferry."}\n')
    own = str(tmp_path / "own.jsonl")
    with pytest.raises(UsageError, match="takes nothing from them"):
        overridden(RunConfig(), {"corpus": own})
    assert overridden(RunConfig(), {"corpus": own, "distractors": "corpus"}).samples.corpus == own
    kept = override(RunConfig(), {"samples.corpus": own})
    assert overridden(kept, {"lengths": "2k"}).samples.corpus == own and corpus_of(kept) == ""
    assert len(list(assemble(corpus(3), "1k", corpus=tmp_path / "none.jsonl"))) == 3
