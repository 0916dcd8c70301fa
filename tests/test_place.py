"""What a DIR means, and that every command says the same of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from builder import load, publish
from builder.export.write import export
from builder.folder.place import find_built, find_place
from builder.report.showing import show
from builder.report.write import report
from synthesis.errors import FolderError, SourceError, StorageError, UsageError
from synthesis.run.folder import RunFolder, kind_of
from synthesis.storage import locked, replace_file, written_whole
from tests.hub.folders import usual
from tests.programs import running


def test_every_kind_of_folder_is_known(tmp_path: Path) -> None:
    assert kind_of(tmp_path / "none") == kind_of(tmp_path) == "nothing"
    (tmp_path / "file").write_text("x")
    assert (kind_of(tmp_path / "file"), kind_of(tmp_path)) == ("file", "other")
    begun = tmp_path / "begun"
    (begun / "journal").mkdir(parents=True)
    (begun / ".lock").touch()
    assert kind_of(begun) == "nothing"
    (begun / "run.toml").touch()
    assert kind_of(begun) == "run"
    usual(tmp_path / "run" / "dataset")
    assert kind_of(tmp_path / "run") == "run"
    assert kind_of(tmp_path / "run" / "dataset") == "dataset"


def test_a_run_stands_for_its_dataset(tmp_path: Path) -> None:
    dataset = tmp_path / "run" / "dataset"
    usual(dataset)
    assert find_built(tmp_path / "run") == find_built(dataset) == dataset.resolve()
    assert find_place("ada/clocks@v1.0.0").repo == "ada/clocks"
    with pytest.raises(UsageError, match="has no revision 'v1'"):
        find_place(dataset, "v1")
    with pytest.raises(UsageError, match="is a dataset; give the folder of the run"):
        RunFolder(dataset).read_config()
    with pytest.raises(UsageError, match="another revision"):
        find_place("ada/clocks@v1.0.0", "v2.0.0")


def test_a_run_goes_on_beside_a_dataset_that_was_fetched(tmp_path: Path) -> None:
    usual(tmp_path / "dataset")
    RunFolder(tmp_path).check()
    (tmp_path / "notes.txt").touch()
    with pytest.raises(FolderError, match=r"not of a run \(notes\.txt\)"):
        RunFolder(tmp_path).check()


@pytest.mark.parametrize(
    "door",
    [
        find_built,
        report,
        lambda folder: publish(folder, "ada/clocks", dry_run=True),
        lambda folder: load(folder, length="2k"),
    ],
    ids=["find_built", "report", "publish", "load"],
)
def test_every_door_says_the_same_of_a_folder_without_a_dataset(door, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(SourceError, match="holds no dataset that this tool built.*Build it first"):
        door(tmp_path)


@pytest.mark.parametrize(
    "door",
    [
        report,
        lambda folder: publish(folder, "ada/clocks", dry_run=True),
        lambda folder: load(folder, length="2k"),
        lambda folder: show(str(folder)),
        lambda folder: export(str(folder), folder.parent / "out.jsonl", format="messages"),
    ],
    ids=["report", "publish", "load", "show", "export"],
)
def test_every_door_says_what_a_place_lacks_and_what_to_do(door, tmp_path: Path) -> None:
    usual(tmp_path / "run" / "dataset")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "a.py").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "pairs.jsonl").write_text("{}")
    for name, told in (
        ("empty", "holds no dataset .*Build it first"),
        ("pairs.jsonl", "(is a file|not a folder that is here).*Give the folder of a run"),
        ("run/dataset/data", "is a part of .*run/dataset. Give that"),
        ("run/dataset/data/m/1.0.0", "is a part of .*run/dataset. Give that"),
        ("code", "Build it first|Give a folder that `datasets` can load"),
    ):
        with pytest.raises(SourceError, match=told) as failed:
            door(tmp_path / name)
        assert "HF_TOKEN" not in str(failed.value)


def test_an_export_of_what_is_no_dataset_of_ours_says_how_to_make_one(tmp_path: Path) -> None:
    for name, text, advice in (
        ("pairs/a.jsonl", '{"instruction": "q", "answer": "a"}', "run --pairs"),
        ("texts/a.txt", "Once upon a time.", "run --method instruction --contexts"),
    ):
        folder = tmp_path / name.partition("/")[0]
        folder.mkdir()
        (tmp_path / name).write_text(text)
        with pytest.raises(SourceError, match=f"no dataset of ours.*{advice} {folder}"):
            export(str(folder), tmp_path / "out.jsonl", format="messages")


def test_a_command_on_a_run_says_what_is_there_instead(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").touch()
    for name, told in (
        ("other/notes.txt", "is a file; give the folder of a run$"),
        ("other", "holds no run .*--out DIR$"),
        ("none", "is not there; .*--out .*none$"),
    ):
        with pytest.raises(UsageError, match=told):
            RunFolder(tmp_path / name).read_config()


def test_a_folder_of_runs_is_none_itself(tmp_path: Path) -> None:
    usual(tmp_path / "first" / "dataset")
    usual(tmp_path / "second" / "dataset")
    with pytest.raises(SourceError, match="Build it first.*There are runs in it: first, second"):
        find_place(tmp_path)


# --- storage -------------------------------------------------------------------------------


def test_a_file_is_replaced_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "a.txt"
    assert replace_file(target, "one")
    assert not replace_file(target, b"one")
    with pytest.raises(StorageError), written_whole(target) as path:
        path.write_text("half of tw")
        raise OSError(5, "made to fail")
    assert target.read_text() == "one" and [path.name for path in target.parent.iterdir()] == ["a.txt"]


def test_a_lock_holds_across_processes_and_ends_with_its_holder(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from synthesis.storage import locked\n"
        f"with locked(Path({str(tmp_path / 'x.lock')!r})):\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    with running("-c", code) as holder:
        assert holder.stdout and holder.stdout.readline() == "held\n"
        with pytest.raises(FolderError, match="busy"), locked(tmp_path / "x.lock", "busy"):
            pass
    with locked(tmp_path / "x.lock", "busy", patience=5):
        pass
