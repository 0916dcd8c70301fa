"""What is refused leaves nothing behind: no folder that was not there, and each byte of one that was."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from builder.cli.options import configured, named_file
from builder.folder.facts import IMPORTED
from builder.job.execute import execute, reassemble, retry
from builder.job.importing import import_contexts
from synthesis.errors import EngineError, UsageError
from synthesis.options import RunConfig, load_config, override
from synthesis.run.folder import RunFolder
from tests.jobs import Quiet
from tests.ports import nobody
from tests.programs import run_command, run_python

Config = Callable[..., RunConfig]
SMALL = {"pairs.limit": 3, "generation.words": 60, "generation.section_words": 0, "samples.lengths": ("512",)}
# Each is found out at another place: before the pairs are read, while they are, or behind the first rows.
WRONG: list[dict[str, Any]] = [
    {"pairs.source": "nowhere.jsonl"},
    {"pairs.columns": {"answer": "nowhere"}},
    {"samples.lengths": ("9x",)},
    {"samples.distractors": "corpus", "samples.corpus": "nowhere"},
    {"generation.engine": "nobody"},
    {"generation.options": {"nothing": 1}},
]


@pytest.fixture
def config(tmp_path: Path, write_pairs: Callable[..., Path]) -> Config:
    def make(out: str = "run", **changes: Any) -> RunConfig:
        given = {"out": str(tmp_path / out), "pairs.source": str(write_pairs(3))}
        return override(RunConfig(), given | SMALL | changes)

    return make


def everything(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else b"" for p in folder.rglob("*")}


@pytest.mark.parametrize("work", [execute, import_contexts])
@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: next(iter(wrong)))
def test_no_folder_is_made(tmp_path: Path, config: Config, work: Any, wrong: dict[str, Any]) -> None:
    (tmp_path / "rows.jsonl").write_text('{"question": "a"}\n', encoding="utf-8")
    changes = {"pairs.source": str(tmp_path / "rows.jsonl"), "generation.engine": IMPORTED} | wrong
    given = config("deep/er/run", **(wrong if work is execute else changes))
    with pytest.raises(UsageError):
        work(given, Quiet())
    assert not (tmp_path / "deep").exists()
    (tmp_path / "run").mkdir()
    with pytest.raises(UsageError):
        work(override(given, {"out": str(tmp_path / "run")}), Quiet())
    assert not everything(tmp_path / "run")


@pytest.mark.parametrize("work", [execute, reassemble, retry])
def test_a_run_that_is_there_stays_as_it_is(tmp_path: Path, config: Config, work: Any) -> None:
    execute(config(), Quiet())
    before = everything(tmp_path / "run")
    for wrong in WRONG if work is execute else WRONG[2:4]:
        with pytest.raises(UsageError):
            work(config(**wrong, seed=7), Quiet())
        assert everything(tmp_path / "run") == before
    (tmp_path / "run" / "journal" / "contexts.jsonl").unlink()
    before = everything(tmp_path / "run")
    with pytest.raises(UsageError, match="damaged or gone"):
        reassemble(config(**{"samples.lengths": ("1k",)}), Quiet())
    assert everything(tmp_path / "run") == before


def test_what_can_go_on_is_kept(tmp_path: Path, config: Config) -> None:
    away = {"base_url": f"{nobody()}/v1", "retries": 0}
    given = config(**{"generation.engine": "openai", "generation.model": "m", "generation.options": away})
    with pytest.raises(EngineError):
        execute(given, Quiet())
    assert RunFolder(tmp_path / "run").read_config() == given


def test_what_was_done_before_a_refusal_is_kept(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    with pytest.raises(UsageError, match="too late"), folder.locked():
        folder.write_config(RunConfig())
        folder.journal.mkdir()
        (folder.journal / "contexts.jsonl").write_text("a record\n", encoding="utf-8")
        raise UsageError("too late")
    assert {"run.toml", "journal/contexts.jsonl"} <= everything(tmp_path / "run").keys()


def test_files_where_folders_are_meant_are_told_as_files(tmp_path: Path, config: Config) -> None:
    from builder.report.comparison import compare
    from builder.report.write import report
    from synthesis.tokens import load_tokenizer

    execute(config(), Quiet())
    execute(config("other", seed=1), Quiet())
    file = tmp_path / "a.txt"
    file.write_text("mine", encoding="utf-8")
    for write in (
        lambda: report(tmp_path / "run", file),
        lambda: compare([tmp_path / "run", tmp_path / "other"], file),
        lambda: load_tokenizer(str(file)),
    ):
        with pytest.raises(UsageError, match=r"a\.txt is a file"):
            write()
    assert file.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_configuration_may_begin_with_a_byte_order_mark(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "run.toml"
    path.write_text(f"{mark}seed = 3\n", encoding="utf-8")
    assert load_config(path).seed == 3


def test_pairs_where_a_configuration_stands_are_told_as_pairs(tmp_path: Path) -> None:
    for name in ("pairs.jsonl", "org/pairs"):
        with pytest.raises(UsageError, match=f"pairs are given as --pairs .*{name}"):
            named_file(tmp_path / name, None)


def test_what_may_not_be_read_is_not_said_to_be_written() -> None:
    code = (
        "import os, sys; from pathlib import Path; from synthesis.storage import storage_errors\n"
        "path = Path(sys.argv[1])\n"
        "if os.geteuid() == 0: os.setuid(65534)  # whom permissions hold\n"
        "with storage_errors(path.parent): path.read_bytes()"
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        file = Path(folder, "contexts.jsonl")
        file.touch(0o000)
        said = run_python("-c", code, file).stderr
    assert f"FolderError: cannot read {file} (Permission denied); make it readable" in said


def test_a_run_that_was_moved_goes_on_where_it_lies(
    tmp_path: Path, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    execute(config(out="run"), Quiet())
    given = override(config(), {"out": "run"})
    RunFolder(Path("run")).write_config(given)
    assert configured(Path("run/run.toml"), {}) == given, "from where it began"
    shutil.copytree("run", "copy")
    assert configured(Path("copy/run.toml"), {}).out_dir == Path("copy")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    there = configured(Path("../run/run.toml"), {})
    assert there.out_dir == Path("../run")
    assert execute(there, Quiet()).counts.settled == 3
    assert not everything(tmp_path / "elsewhere")
    assert configured(Path("../run/run.toml"), {"out": "mine"}).out_dir == Path("mine")


def test_an_evaluation_of_nothing_leaves_no_folder(tmp_path: Path) -> None:
    source, out = tmp_path / "questions.jsonl", tmp_path / "scores"
    given = ("evaluate", "--questions", source, "--engine", "openai", "--model", "m", "--out", out)
    source.touch()
    assert "questions.jsonl is empty: it has no rows" in run_command(*given, OPENAI_API_KEY="x").stderr
    source.write_text('{"context": "a", "question": "b?", "answer": "c"}\n', encoding="utf-8")
    done = run_command(*given, "--no-replies", OPENAI_API_KEY="x")
    assert "nothing is asked for: leave out --no-replies, or add --likelihood" in done.stderr
    assert not out.exists()
