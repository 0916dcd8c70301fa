"""The dataset folder: versions, crashes, bytes, memory, and what the real `datasets` library reads."""

from __future__ import annotations

import errno
import json
import os
import re
import socket
import subprocess
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builder.folder.build import ConfigData, FolderResult, build_folder
from builder.folder.lock import locked_folder
from builder.folder.parquet import ShardWriter, clean
from builder.folder.schema import arrow_schema, chat_row, raw_row, rejected_row, schema_names
from builder.folder.versions import Version, is_intact, mark_published, read_manifests
from synthesis.data import Coherence, Context, Evidence, Message, Pair, Rejected, Sample, content_hash
from synthesis.errors import ConfigError, FolderError, StorageError
from synthesis.storage import storage_errors
from tests import real_texts
from tests.programs import run_python, running
from tests.real_texts import sets

FACTS = {"engine": "composer", "model": "", "template": "story", "sampling": {"temperature": 0.7}, "seed": 3}
Rows = list[dict[str, Any]]


def make_pair(number: int) -> tuple[Pair, Context, Coherence]:
    text = f"Long ago, in town {number}, a clock was mended. " * 5
    pair = Pair(instruction=f"Who mended clock {number}?", answer=f"Ada {number}", metadata={"line": number})
    context = Context(
        pair.id, text, (Evidence(0, 8, "Ada"),), 45, 60 + number, "composer", "", "story", 3, "exact"
    )
    return pair, context, Coherence(0.5 + number % 5 / 10, 1.0, 0.5, 0.25, "span", True)


def raw_rows(count: int, start: int = 0) -> Rows:
    return [raw_row(*make_pair(number)) for number in range(start, start + count)]


def chat_rows(count: int) -> Rows:
    rows = []
    for number in range(count):
        pair, context, _ = make_pair(number)
        messages = (Message("user", context.text + pair.instruction), Message("assistant", pair.answer))
        rows.append(
            chat_row(
                Sample(
                    f"s{number}",
                    pair.id,
                    messages,
                    99,
                    128,
                    0.5,
                    (0, 9),
                    (pair.id,),
                    "random",
                    "generic",
                    0.5,
                )
            )
        )
    return rows


def test_rows_say_how_their_evidence_is_told() -> None:
    pair, context, coherence = make_pair(0)
    row = raw_row(pair, replace(context, form="steps", hops=2), replace(coherence, leaks=0.3))
    assert (row["form"], row["hops"], row["leaks"]) == ("steps", 2, 0.3)
    assert raw_row(pair, context, None)["leaks"] is None
    sample = Sample(
        "s", pair.id, (), 99, 128, 0.5, (0, 9), (pair.id,), "random", "generic", form="steps", hops=2, rings=3
    )
    row = chat_row(sample)
    assert (row["form"], row["hops"], row["rings"], row["evidence_distance"]) == ("steps", 2, 3, None)
    pieces = (Evidence(0, 2, "b"), Evidence(5, 9, "a"), Evidence(3, 4, "c"))
    placed = replace(sample, evidence=pieces, evidence_tokens=((10, 12), (50, 60), (20, 30)))
    assert chat_row(placed)["evidence_distance"] == 38


def rejected_rows(count: int) -> Rows:
    return [
        rejected_row(Rejected(f"p{n}", "parse", ["too short", "refusal"][n % 2], "x")) for n in range(count)
    ]


def config(name: str, rows: Rows, kind: Any = "raw", **details: Any) -> ConfigData:
    return ConfigData(name, kind, lambda: iter(rows), content_hash(rows), details)


def build(folder: Path, *configs: ConfigData) -> FolderResult:
    return build_folder(folder, configs, facts=FACTS)


def three(folder: Path, rows: int = 6) -> FolderResult:
    return build(
        folder,
        config("m-rejected", rejected_rows(3), "rejected"),
        config("m", raw_rows(rows)),
        config("m-chat-8k", chat_rows(4), "chat"),
    )


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`datasets.load_dataset` with its own cache and without a network."""
    import datasets

    def refuse(*_: object) -> None:
        raise AssertionError("loading a local folder must not use the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    datasets.disable_progress_bars()

    def load(folder: Path, name: str | None = None, **options: Any) -> Any:
        return datasets.load_dataset(
            str(folder), name, split="train", cache_dir=str(tmp_path / "cache"), **options
        )

    return load


# --- what the real library reads -------------------------------------------------------


def test_every_config_loads_by_name_and_pinned_streaming_and_not(tmp_path: Path, load: Any) -> None:
    folder = tmp_path / "dataset"
    three(folder)
    expected = {"m": raw_rows(6), "m-chat-8k": chat_rows(4), "m-rejected": rejected_rows(3)}
    for name, rows in expected.items():
        for spelled in (name, f"{name}-v1.0.0"):
            assert load(folder, spelled).to_list() == rows
            assert list(load(folder, spelled, streaming=True)) == rows


def test_the_default_config_is_the_first_raw_or_chat_one(tmp_path: Path, load: Any) -> None:
    folder = tmp_path / "dataset"
    three(folder)
    assert load(folder).to_list() == raw_rows(6)


def test_types_survive_and_chat_has_no_prompt_column(tmp_path: Path, load: Any) -> None:
    folder = tmp_path / "dataset"
    three(folder)
    features = load(folder, "m-chat-8k").features
    assert "prompt" not in features
    assert features["messages"].feature["content"].dtype == "large_string"
    row = load(folder, "m")[0]
    assert json.loads(row["metadata"]) == {"line": 0}
    span = row["evidence"][0]
    assert row["context"][span["start"] : span["end"]] == "Long ago"


def test_an_edit_makes_a_new_version_and_no_stale_rows(tmp_path: Path, load: Any) -> None:
    folder = tmp_path / "dataset"
    build(folder, config("m", raw_rows(3)))
    assert len(load(folder, "m")) == 3
    edited = raw_rows(3)
    edited[1]["context"] = "Something else altogether."
    result = build(folder, config("m", edited))
    assert result.configs[0].version == "2.0.0"
    assert load(folder, "m").to_list() == edited
    assert list(load(folder, "m", streaming=True)) == edited


def test_a_folder_deleted_and_built_anew_is_not_read_stale(tmp_path: Path, load: Any) -> None:
    import shutil

    folder = tmp_path / "dataset"
    build(folder, config("m", raw_rows(3)))
    load(folder, "m")
    shutil.rmtree(folder)
    build(folder, config("m", raw_rows(3, start=50)))
    assert load(folder, "m").to_list() == raw_rows(3, start=50)


def test_a_config_without_rows_is_not_listed_and_breaks_nothing(tmp_path: Path, load: Any) -> None:
    folder = tmp_path / "dataset"
    result = build(folder, config("empty", []), config("m", raw_rows(2)), config("none", [], "rejected"))
    assert [(c.name, c.rows, c.files) for c in result.configs][0] == ("empty", 0, ())
    assert "config_name: empty" not in (folder / "README.md").read_text()
    assert load(folder).to_list() == raw_rows(2)
    assert not any(c.built for c in build(folder, config("empty", [])).configs)


def test_nothing_but_empty_configs_still_gives_a_card(tmp_path: Path) -> None:
    build(tmp_path, config("m", []))
    assert "No config has any rows yet" in (tmp_path / "README.md").read_text()


@pytest.mark.parametrize("name", sets("multinews"))
def test_real_rows_survive_the_trip(tmp_path: Path, load: Any, name: str) -> None:
    texts = [row["context"] for row in real_texts.rows(name)]
    rows = [
        raw_row(Pair(instruction=f"q{n}", answer="a"), Context("p", t), None) for n, t in enumerate(texts)
    ]
    build(tmp_path / "dataset", config("m", rows))
    assert load(tmp_path / "dataset", "m").to_list() == rows


# --- versions ---------------------------------------------------------------------------


def test_the_same_content_writes_nothing_and_reads_no_rows(tmp_path: Path) -> None:
    three(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}

    def refuse() -> Iterator[Mapping[str, Any]]:
        raise AssertionError("rows must not be asked for")

    again = ConfigData("m", "raw", refuse, content_hash(raw_rows(6)))
    result = build(tmp_path, config("m-rejected", rejected_rows(3), "rejected"), again)
    assert [c.built for c in result.configs] == [False, False]
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("second", "facts", "details", "version"),
    [
        (raw_rows(6), FACTS, {}, "1.1.0"),  # more of the same
        (raw_rows(2), FACTS, {}, "2.0.0"),  # fewer
        (raw_rows(6, start=2), FACTS, {}, "2.0.0"),  # some are gone
        (raw_rows(6), {**FACTS, "seed": 4}, {}, "2.0.0"),  # made anew
        (raw_rows(6), FACTS, {"change": "regenerated"}, "2.0.0"),
        (raw_rows(2), FACTS, {"change": "added"}, "1.1.0"),
    ],
)
def test_the_next_version(tmp_path: Path, second: Rows, facts: Any, details: Any, version: str) -> None:
    build(tmp_path, config("m", raw_rows(4)))
    result = build_folder(tmp_path, [config("m", second, **details)], facts=facts)
    assert result.configs[0].version == version
    assert [m.version for m in read_manifests(tmp_path)["m"]] == [version]
    assert [path.name for path in (tmp_path / "data" / "m").iterdir()] == [version]


def test_a_wrong_hint_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    build(tmp_path, config("m", raw_rows(4)))
    before = files_of(tmp_path)
    with pytest.raises(ConfigError, match="added or regenerated"):
        build(tmp_path, config("m", raw_rows(5), change="more"))
    assert files_of(tmp_path) == before


def test_published_versions_stay_pinned(tmp_path: Path, load: Any) -> None:
    folder = tmp_path / "dataset"
    build(folder, config("m", raw_rows(2)))
    mark_published(folder, "m", "1.0.0")
    build(folder, config("m", raw_rows(3)))
    build(folder, config("m", raw_rows(4)))
    assert [m.version for m in read_manifests(folder)["m"]] == ["1.0.0", "1.2.0"]
    assert load(folder, "m-v1.0.0").to_list() == raw_rows(2)
    assert load(folder, "m").to_list() == load(folder, "m-v1.2.0").to_list() == raw_rows(4)
    with pytest.raises(FolderError, match=r"no version 9\.9\.9"):
        mark_published(folder, "m", "9.9.9")


def test_configs_not_given_stay_listed(tmp_path: Path, load: Any) -> None:
    folder = tmp_path / "dataset"
    three(folder)
    build(folder, config("m-chat-16k", chat_rows(2), "chat"))
    assert load(folder, "m").to_list() == raw_rows(6)
    assert load(folder).to_list() == chat_rows(2)


def test_damaged_files_are_put_back_in_place(tmp_path: Path) -> None:
    build(tmp_path, config("m", raw_rows(4)))
    before = files_of(tmp_path)
    path = next(tmp_path.rglob("*.parquet"))
    path.write_bytes(path.read_bytes()[:-9])
    assert build(tmp_path, config("m", raw_rows(4))).configs[0].built
    assert files_of(tmp_path) == before


def test_versions_are_ordered_as_numbers(tmp_path: Path) -> None:
    assert Version.parse("1.10.0") > Version.parse("1.9.3")
    for wrong in ("1.0", "v1.0.0", "1.0.01", "1.0.0 "):
        with pytest.raises(ConfigError):
            Version.parse(wrong)


# --- manifests and bytes ----------------------------------------------------------------


def test_the_manifest_tells_what_is_there(tmp_path: Path) -> None:
    import hashlib

    result = three(tmp_path)
    manifest = read_manifests(tmp_path)["m"][0]
    (file,) = manifest.files
    content = (tmp_path / file.path).read_bytes()
    assert re.fullmatch(r"data/m/1\.0\.0/train-00000-of-00001\.parquet", file.path)
    assert (file.bytes, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert manifest.rows == file.rows == 6
    assert (manifest.facts, manifest.schema) == (FACTS, schema_names("raw"))
    assert manifest.statistics["tokens"] == {"count": 6, "total": 375, "mean": 62.5, "min": 60, "max": 65}
    assert read_manifests(tmp_path)["m-rejected"][0].statistics["reasons"] == {
        "parse: refusal": 1,
        "parse: too short": 2,
    }
    assert (result.configs[1].rows, result.configs[1].bytes) == (6, len(content))


SCRIPT = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from builder.folder.build import ConfigData, build_folder
    from builder.folder.schema import raw_row
    from synthesis.data import Context, Pair

    def rows(count, size, wait=0, fail_at=None):
        import time
        for number in range(count):
            if number == fail_at:
                raise RuntimeError("made to fail")
            if wait:
                print(number, flush=True)
                time.sleep(wait)
            pair = Pair(instruction=f"q{number}", answer="a", metadata={"b": 1, "a": {"d", "c"} and number})
            yield raw_row(pair, Context(pair.id, f"{number:08d}" * (size // 8), seed=number), None)

    def build(folder, count, size, **options):
        facts = {"engine": "composer", "tags": sorted({"x", "y"})}
        config = ConfigData("m", "raw", lambda: rows(count, size, **options), f"{count} {size}")
        return build_folder(Path(folder), [config], facts=facts)
    """
)


def run(code: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return run_python("-W", "error", "-c", SCRIPT + code, *arguments, **environment)


def test_bytes_are_the_same_in_any_process(tmp_path: Path) -> None:
    for seed in ("0", "12345"):
        done = run("build(sys.argv[1], 500, 4000)", tmp_path / seed, PYTHONHASHSEED=seed)
        assert done.returncode == 0, done.stderr
    first, second = files_of(tmp_path / "0"), files_of(tmp_path / "12345")
    assert first == second
    assert sum(name.endswith(".parquet") for name in first) == 1


def test_files_are_zstd_with_page_index_and_bounded_groups(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    done = run("build(sys.argv[1], 5000, 8000)", tmp_path)
    assert done.returncode == 0, done.stderr
    metadata = pq.ParquetFile(next(tmp_path.rglob("*.parquet"))).metadata
    groups = [metadata.row_group(n) for n in range(metadata.num_row_groups)]
    assert len(groups) == 5
    assert max(group.total_byte_size for group in groups) < 9 * 2**20
    column = groups[0].column(4)
    assert (column.path_in_schema, column.compression) == ("context", "ZSTD")
    assert column.has_offset_index and not column.has_column_index
    assert groups[0].column(0).has_column_index
    assert b"pandas" not in (metadata.metadata or {})


def test_shards_are_cut_by_size_and_numbered(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    schema = arrow_schema("raw")
    rows = [
        raw_row(Pair(instruction=str(n), answer="a"), Context("p", os.urandom(4000).hex()), None)
        for n in range(50)
    ]
    with ShardWriter(tmp_path / "s", schema, group_bytes=20_000, shard_bytes=30_000) as writer:
        for row in rows:
            writer.add(row, 8100)
        shards = writer.finish()
    assert len(shards) > 3
    assert [s.path.name for s in shards] == [
        f"train-{n:05d}-of-{len(shards):05d}.parquet" for n in range(len(shards))
    ]
    assert sorted(path.name for path in (tmp_path / "s").iterdir()) == [s.path.name for s in shards]
    assert [row for s in shards for row in pq.ParquetFile(s.path).read().to_pylist()] == rows
    assert max(s.bytes for s in shards) < 50_000  # the footer comes on top


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from Linux's /proc")
def test_memory_does_not_grow_with_rows(tmp_path: Path) -> None:
    code = """
build(sys.argv[1], int(sys.argv[2]), 8000)
# Not getrusage: its peak is at least that of the process that started this one.
print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""
    peaks = []
    for count in (2_000, 12_000):
        done = run(code, tmp_path / str(count), count)
        assert done.returncode == 0, done.stderr
        peaks.append(int(done.stdout))
    assert peaks[1] < peaks[0] * 1.1, peaks


# --- crashes ------------------------------------------------------------------------------


def test_a_failing_row_leaves_the_old_version(tmp_path: Path, load: Any) -> None:
    folder = tmp_path / "dataset"
    build(folder, config("m", raw_rows(3)))
    before = files_of(folder)

    def failing() -> Iterator[Mapping[str, Any]]:
        yield from raw_rows(4)
        raise RuntimeError("made to fail")

    with pytest.raises(RuntimeError, match="made to fail"):
        build(folder, ConfigData("m", "raw", failing, "other"))
    assert files_of(folder) == before
    build(folder, config("m", raw_rows(5)))
    clean_folder = tmp_path / "clean"
    build(clean_folder, config("m", raw_rows(3)))
    build(clean_folder, config("m", raw_rows(5)))
    assert files_of(folder) == files_of(clean_folder)
    assert load(folder, "m").to_list() == raw_rows(5)


def test_kill_in_the_middle_then_build_again(tmp_path: Path) -> None:
    folder, other = tmp_path / "dataset", tmp_path / "other"
    with running("-c", SCRIPT + "build(sys.argv[1], 100, 4_000_000, wait=0.05)", folder) as process:
        assert process.stdout is not None
        while process.stdout.readline().strip() != "20":
            assert process.poll() is None
    assert list(folder.rglob("*.part")), "the process was to die while writing"
    assert not list(folder.rglob("*.json"))
    for path in (folder, other):
        build(path, config("m", raw_rows(5)))
    assert files_of(folder) == files_of(other)
    assert not (folder / ".building").exists()


@pytest.mark.parametrize("step", ["write_manifest", "_write_card", "_remove_replaced"])
def test_a_crash_between_any_two_steps_is_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, load: Any, step: str
) -> None:
    folder = tmp_path / "dataset"
    build(folder, config("m", raw_rows(3)))

    def crash(*_: object) -> None:
        raise RuntimeError("made to fail")

    with monkeypatch.context() as patch:
        patch.setattr(f"builder.folder.build.{step}", crash)
        with pytest.raises(RuntimeError):
            build(folder, config("m", raw_rows(4)))
    # Whatever the card names can be read, before and after the next build.
    assert load(folder, "m").to_list() in (raw_rows(3), raw_rows(4))
    build(folder, config("m", raw_rows(4)))
    assert load(folder, "m").to_list() == raw_rows(4)
    (manifest,) = read_manifests(folder)["m"]
    assert (manifest.version, is_intact(folder, manifest)) == ("1.1.0", True)
    assert [path.name for path in (folder / "data" / "m").iterdir()] == ["1.1.0"]


def test_a_disk_that_fills_up(tmp_path: Path) -> None:
    code = """
import resource, signal
from synthesis.errors import StorageError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
build(sys.argv[1], 10, 1000)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    build(sys.argv[1], 40_000, 2000)
except StorageError as error:
    print(error)
"""
    done = run(code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "run the same command again" in done.stdout
    assert read_manifests(tmp_path)["m"][0].rows == 10
    assert not (tmp_path / ".building").exists()


@pytest.mark.parametrize(
    ("number", "kind", "advice"),
    [
        (errno.ENOSPC, StorageError, "Free some space"),
        (errno.EACCES, FolderError, "change its permissions"),
        (errno.EIO, StorageError, "run the same command again"),
    ],
)
def test_system_errors_say_what_to_do(
    tmp_path: Path, number: int, kind: type[Exception], advice: str
) -> None:
    with pytest.raises(kind, match=advice), storage_errors(tmp_path):
        raise OSError(number, os.strerror(number))


# --- what is not ours -------------------------------------------------------------------------


def test_a_foreign_readme_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# Mine\n")
    with pytest.raises(FolderError, match=r"README\.md.*not overwritten"):
        build(tmp_path, config("m", raw_rows(1)))
    assert files_of(tmp_path) == {"README.md": b"# Mine\n"}


def test_foreign_data_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.csv").write_text("a,b\n")
    with pytest.raises(FolderError, match="not written by this tool"):
        build(tmp_path, config("m", raw_rows(1)))
    assert files_of(tmp_path) == {"data/mine.csv": b"a,b\n"}


@pytest.mark.parametrize(
    "place", ["data/mine.csv", "data/m/mine.txt", "data/m/7.0.0/notes.txt", "data/x/y/z.parquet"]
)
def test_foreign_files_in_our_data_are_not_deleted(tmp_path: Path, place: str) -> None:
    build(tmp_path, config("m", raw_rows(1)))
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).write_text("mine")
    with pytest.raises(FolderError, match="not written by this tool"):
        build(tmp_path, config("m", raw_rows(2)))
    assert (tmp_path / place).read_text() == "mine"


def test_other_files_beside_ours_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "LICENSE").write_text("terms")
    (tmp_path / ".gitattributes").write_text("*.parquet")
    three(tmp_path)
    assert (tmp_path / "LICENSE").read_text() == "terms"


def test_a_file_in_the_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "dataset").write_text("x")
    with pytest.raises(FolderError, match="choose another folder"):
        build(tmp_path / "dataset", config("m", raw_rows(1)))


def test_a_broken_manifest_is_named(tmp_path: Path) -> None:
    build(tmp_path, config("m", raw_rows(1)))
    (tmp_path / "manifests" / "m" / "1.0.0.json").write_text("{")
    with pytest.raises(FolderError, match=r"1\.0\.0\.json.*Delete it"):
        build(tmp_path, config("m", raw_rows(2)))


def test_two_writers_do_not_meet(tmp_path: Path) -> None:
    with locked_folder(tmp_path), pytest.raises(FolderError, match="Another process"):
        build(tmp_path, config("m", raw_rows(1)))
    build(tmp_path, config("m", raw_rows(1)))


# --- input that does not fit ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "a/b", "..", ".hidden", "m-v1.0.0", "a b", "é", "x" * 97])
def test_names_that_cannot_be(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="cannot name a config"):
        build(tmp_path, config(name, raw_rows(1)))


def test_two_configs_with_one_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Two configs"):
        build(tmp_path, config("m", raw_rows(1)), config("M", raw_rows(1)))


def test_facts_must_be_plain(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="plain values"):
        build_folder(tmp_path, [], facts={"engine": object()})


@pytest.mark.parametrize(
    ("change", "message"),
    [({"extra": 1}, "extra"), ({"seed": "seven"}, "does not fit"), ({"seed": 2**70}, "does not fit")],
)
def test_rows_must_fit_the_schema(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(StorageError, match=message):
        build(tmp_path, config("m", [{**raw_rows(1)[0], **change}]))


def test_lone_surrogates_are_replaced_and_counted(tmp_path: Path, load: Any) -> None:
    folder = tmp_path / "dataset"
    row = {**raw_rows(1)[0], "answer": "a\ud83db", "evidence": [{"start": 0, "end": 1, "what": "\udfff"}]}
    build(folder, config("m", [row]))
    stored = load(folder, "m")[0]
    assert stored["answer"] == "a\ufffdb"
    assert stored["evidence"][0]["what"] == "\ufffd"
    assert read_manifests(folder)["m"][0].statistics["replaced_characters"] == 2
    assert "2 characters of the source" in (folder / "README.md").read_text()
    assert clean("é").size == 2


def test_progress_is_told(tmp_path: Path) -> None:
    seen: list[tuple[str, int]] = []
    build_folder(tmp_path, [config("m", raw_rows(3))], facts={}, progress=lambda *step: seen.append(step))
    assert seen == [("m", 1), ("m", 2), ("m", 3)]
