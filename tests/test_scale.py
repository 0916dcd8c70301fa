"""Many processes write what one would: real datatrove executors, real processes, real kills."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from synthesis.data import Pair
from synthesis.errors import ConfigError, FolderError, MissingExtraError, SourceError, TemplateError
from synthesis.options import (
    GenerationConfig,
    PairsConfig,
    RunConfig,
    SamplesConfig,
    dump_config,
    load_config,
)
from synthesis.run.folder import RunFolder
from synthesis.scale import context_step
from synthesis.sources.pairs import read_pairs
from tests.openai_server import Reply, failure, serve
from tests.programs import run_command, run_python
from tests.scale_pipeline import content, heard, launch, start, statistics, written

COUNT = 300
REPEATED = Pair(instruction="Who kept lighthouse number 7?", answer="Keeper 7 Holm").id


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> Path:
    """Many pairs, one of them again at the end, and two rows that are none."""
    path = tmp_path_factory.mktemp("pairs") / "story_qa.jsonl"
    rows = [
        {"instruction": f"Who kept lighthouse number {n}?", "answer": f"Keeper {n} Holm", "year": 1900 + n}
        for n in range(COUNT)
    ]
    lines = [json.dumps(row) for row in [*rows, rows[7]]]
    path.write_text("\n".join([*lines[:5], '{"instruction": "Who', *lines[5:], '{"instruction": "Who?"}']))
    return path


@pytest.fixture
def config(pairs, tmp_path) -> Path:
    """A run's file."""
    made = RunConfig(
        out=str(tmp_path / "run"),
        pairs=PairsConfig(str(pairs)),
        generation=GenerationConfig(words=1000),
        samples=SamplesConfig(lengths=("2k",)),
    )
    path = tmp_path / "big.toml"
    path.write_text(dump_config(made))
    return path


@pytest.fixture(scope="module")
def alone(pairs, tmp_path_factory) -> Path:
    """The same run by a single process."""
    out = tmp_path_factory.mktemp("alone") / "run"
    done = run_command("run", "--pairs", pairs, "--words", "1000", "--lengths", "2k", "--out", out)
    assert f"{COUNT} contexts, 3 rejected" in done.stdout, done.stderr
    return out


def test_tasks_make_what_one_process_makes(config, pairs, alone, tmp_path, command) -> None:
    out = tmp_path / "run"
    launch(config=config, tasks=4, logs=tmp_path / "logs", writer=tmp_path / "documents")
    assert f"{COUNT} done, 0 stale, 0 new, 3 unusable" in command("plan", out / "run.toml").stdout
    done = command("run", out / "run.toml")
    assert f"{COUNT} contexts, 3 rejected" in done.stdout, done.stderr
    assert content(out) == content(alone)
    assert twice(out) == [REPEATED]  # neither of the two tasks that have it can know of the other's
    assert (out / "journal" / "contexts.jsonl").read_bytes() == b""  # the run itself had nothing to write
    assert command("assemble", out, "--lengths", "1k").returncode == 0

    told = statistics(tmp_path / "logs")
    assert (told["contexts"], told["written"], told["rejected"]) == (COUNT + 1, COUNT + 1, 2)
    files = sorted((tmp_path / "documents").iterdir())
    documents = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    assert len(files) == 4 and len(documents) == COUNT + 1
    assert told["doc_len_tokens"] == sum(document["metadata"]["token_count"] for document in documents)
    by_id = {row.id: row for row in read_pairs(pairs) if isinstance(row, Pair)}
    assert [document["id"] for document in documents].count(REPEATED) == 2
    for document in documents[:COUNT]:  # the second is in the last file
        facts, pair = document["metadata"], by_id.pop(document["id"])
        assert (facts["instruction"], facts["answer"]) == (pair.instruction, pair.answer)
        assert (facts["task"], facts["year"]) == ("story_qa", pair.metadata["year"])
        first = facts["evidence"][0]
        assert document["text"][first["start"] : first["end"]].strip()
    assert not by_id


@pytest.mark.parametrize(("tasks", "logs"), [(4, "logs"), (3, "other-logs")])
def test_killed_tasks_go_on_whatever_their_number(config, alone, tmp_path, command, tasks, logs) -> None:
    out = tmp_path / "run"
    process = start(config=config, tasks=4, logs=tmp_path / "logs")
    while process.poll() is None and len(written(out)) < 10:
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    before = written(out)
    assert 10 <= len(before) < COUNT

    launch(config=config, tasks=tasks, logs=tmp_path / logs, writer=tmp_path / "documents")
    assert len(written(out)) == COUNT and set(twice(out)) <= {REPEATED}
    if tasks == 3:  # of four, some may have been complete before
        told = statistics(tmp_path / logs)
        assert told["contexts"] == COUNT + 1
        assert told["written"] == sum(written(out).values()) - sum(before.values())
    assert command("run", out / "run.toml").returncode == 0
    assert content(out) == content(alone)


def twice(out: Path) -> list[str]:
    """The pairs that were written more than once."""
    return [pair for pair, times in written(out).items() if times > 1]


def test_a_reader_before_it_and_a_writer_after(config, pairs, tmp_path, command) -> None:
    folder = tmp_path / "split"
    folder.mkdir()
    lines = [line for line in pairs.read_text().splitlines()[:44] if line.endswith("}")]
    for part in range(2):
        (folder / f"part-{part}.jsonl").write_text("\n".join(lines[part::2]))
    odd = ['{"instruction": "Who was it?"}', '{"instruction": "Who?", "answer": "Ann Holm"}']
    (folder / "story_qa.jsonl").write_text("\n".join(odd))
    text = config.read_text().replace(str(pairs), str(folder))
    config.write_text(text)
    given = {"config": config, "reader": folder, "writer": tmp_path / "documents"}

    launch(**given, tasks=3, logs=tmp_path / "logs")
    told = statistics(tmp_path / "logs")
    assert (told["contexts"], told["rejected"]) == (len(lines) + 1, 1)
    rejected = "".join(file.read_text() for file in tmp_path.glob("run/journal/tasks/*/rejected.jsonl"))
    assert "answer is missing" in rejected and "Who was it?" in rejected
    documents = sorted((tmp_path / "documents").iterdir())
    assert sum(len(file.read_text().splitlines()) for file in documents) == len(lines) + 1

    launch(**given, tasks=1, workers=1, logs=tmp_path / "other-logs")
    assert "written" not in statistics(tmp_path / "other-logs")
    done = command("run", tmp_path / "run" / "run.toml")
    assert f"{len(lines) + 1} contexts, 1 rejected" in done.stdout, done.stderr
    assert set(written(tmp_path / "run").values()) == {1}
    one = command("run", config, "--out", tmp_path / "one")
    assert one.returncode == 0
    assert content(tmp_path / "run") == content(tmp_path / "one")


def test_a_server_that_fails_and_one_that_refuses(pairs, tmp_path, command) -> None:
    keepers = " ".join(f"Lighthouse number {n} was kept by Keeper {n} Holm." for n in range(12))
    tale = Reply(f"Context: {keepers} And so it went on for years.")
    made = {"engine": "openai", "model": "tiny", "words": 120, "repairs": 0}

    def script(asked) -> Reply:
        if "number 3?" in asked.text:
            return Reply("I will not write this.")
        return failure(400, "not now") if "number 5?" in asked.text and broken else tale

    with serve(script) as server:
        config = RunConfig(
            out=str(tmp_path / "run"),
            pairs=PairsConfig(str(pairs), limit=12),
            generation=GenerationConfig(**made, options={"base_url": server.url}),
            samples=SamplesConfig(lengths=("1k",)),
        )
        (tmp_path / "server.toml").write_text(dump_config(config))
        given = {"config": tmp_path / "server.toml"}
        broken = True
        launch(**given, tasks=4, logs=tmp_path / "logs")
        told = statistics(tmp_path / "logs")
        assert (told["contexts"], told["rejected"]) == (10, 3)  # the refused, the failed, and a bad row
        assert told["output_tokens"] > 10 * 100
        asked = len(server.asked)

        broken = False
        launch(**given, tasks=3, logs=tmp_path / "other-logs")
        told = statistics(tmp_path / "other-logs")
        assert (told["contexts"], told["rejected"], told["written"]) == (11, 2, 1)
        assert len(server.asked) == asked + 1  # what failed is asked for again, and nothing else
        done = command("run", tmp_path / "run" / "run.toml")
        assert "11 contexts, 2 rejected" in done.stdout, done.stderr
        assert len(server.asked) == asked + 1
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["usage"]["replies"] == 13


def test_every_row_falls_to_one_task(pairs) -> None:
    from synthesis.scale.step import _share

    whole = list(read_pairs(pairs))
    shares = [list(_share(RunConfig(pairs=PairsConfig(str(pairs))), rank, 7)[1]) for rank in range(7)]
    once = {row.id if isinstance(row, Pair) else row.pair_id: row for share in shares for row in share}
    lost = [row for row in whole if (row.id if isinstance(row, Pair) else row.pair_id) not in once]
    # The pair that stands in the source twice is one of two tasks, which only the run can know.
    assert len(once) == len(whole) - 1 and "duplicate" in lost[0].reason
    assert all(len(share) > COUNT / 7 / 2 for share in shares)
    limited = [
        list(_share(RunConfig(pairs=PairsConfig(str(pairs), limit=20)), rank, 3)[1]) for rank in range(3)
    ]
    assert sorted(map(str, read_pairs(pairs, limit=20))) == sorted(str(row) for one in limited for row in one)


def test_a_source_that_grew_is_divided_anew_and_nothing_is_written_again(config, pairs, tmp_path) -> None:
    lines = [line for line in pairs.read_text().splitlines() if line.endswith("}")]
    grown = tmp_path / pairs.name
    grown.write_text("\n".join(lines[:40]))
    made = replace(load_config(config), pairs=PairsConfig(str(grown)))
    step, out = context_step(made), tmp_path / "run"
    for rank in range(3):
        list(step.run(None, rank, 3))
    grown.write_text("\n".join(lines[:90]))
    for rank in range(3):  # some of a task's rows are in another's journal now
        list(step.run(None, rank, 3))
    count = len(written(out))
    for rank in range(3):
        list(step.run(None, rank, 3))
    assert set(written(out).values()) == {1} and count == len(written(out)) == 90


def test_a_run_and_its_tasks_never_work_at_once(config, tmp_path, command, monkeypatch) -> None:
    monkeypatch.setattr("synthesis.run.folder._PATIENCE", 0.1)
    step, folder = context_step(config), RunFolder(tmp_path / "run")
    with folder.task(load_config(config), "00000-of-00002"):
        with pytest.raises(FolderError, match="another process works on task 00000-of-00002"):
            list(step.run(None, 0, 2))
        done = command("run", config)
        assert done.returncode == 2
        assert "task 00000-of-00002 is still working" in done.stderr
        assert "300 new" in command("plan", config).stdout
        with folder.task(load_config(config), "00001-of-00002") as other:
            assert other.name == "00001-of-00002"
    with folder.locked(), pytest.raises(FolderError, match="another run is working"):
        list(step.run(None, 1, 2))


def test_wrong_use_is_told(pairs, tmp_path, monkeypatch) -> None:
    from datatrove.data import Document

    config = RunConfig(out=str(tmp_path / "run"), pairs=PairsConfig(str(pairs)))
    with pytest.raises(ConfigError, match="'batch'.*submit"):
        context_step(replace(config, generation=GenerationConfig("batch")))
    with pytest.raises(ConfigError, match="no configuration file"):
        context_step(tmp_path / "absent.toml")
    with pytest.raises(ConfigError, match=r"pairs\.source.*reader"):
        list(context_step(replace(config, pairs=PairsConfig())).run())
    assert not (tmp_path / "run").exists()
    with pytest.raises(SourceError, match="absent.jsonl"):
        list(context_step(replace(config, pairs=PairsConfig("absent.jsonl"))).run())
    documents = [Document("A keeper.", f"d{n}", metadata={"file_path": "a.jsonl", "by": n}) for n in range(3)]
    with pytest.raises(SourceError, match="The first is d0: answer is missing.*'by'.*text_key"):
        list(context_step(config).run(iter(documents)))
    with pytest.raises(ConfigError, match="limit to the reader"):
        list(context_step(replace(config, pairs=PairsConfig(limit=3))).run(iter(documents)))
    with pytest.raises(TemplateError, match="absent.txt"):
        context_step(replace(config, generation=GenerationConfig(template="absent.txt")))
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "thesis.txt").write_text("mine")
    with pytest.raises(FolderError, match="thesis.txt"):
        context_step(replace(config, out=str(tmp_path / "foreign")))
    assert [path.name for path in (tmp_path / "foreign").iterdir()] == ["thesis.txt"]
    monkeypatch.setitem(sys.modules, "datatrove", None)
    with pytest.raises(MissingExtraError, match=r"context-synthesis\[scale\]"):
        context_step(config)


def test_equal_documents_are_one_pair_and_columns_have_names(tmp_path) -> None:
    from datatrove.data import Document

    made = GenerationConfig(words=120)
    chosen = PairsConfig(columns={"instruction": "question", "answer": "reply", "id": "key"})
    step = context_step(RunConfig(out=str(tmp_path / "run"), pairs=chosen, generation=made))
    rows = [Document("Who kept the light?", f"k{n}", metadata={"reply": f"Keeper {n}"}) for n in (1, 2, 2)]
    found = list(step.run(iter(rows)))
    assert [(document.id, document.metadata["answer"]) for document in found] == [
        ("k1", "Keeper 1"),
        ("k2", "Keeper 2"),
    ]
    assert found[0].metadata["task"] == "generic"
    assert "duplicate" in (tmp_path / "run/journal/tasks/00000-of-00001/rejected.jsonl").read_text()


def test_a_missing_engine_is_told_by_the_task_that_lacks_it(config, tmp_path) -> None:
    made = load_config(config)
    config.write_text(dump_config(replace(made, generation=GenerationConfig("vllm", "m"))))
    process = start(config=config, tasks=2, logs=tmp_path / "logs")
    said = heard(process)
    assert process.returncode == 1
    assert 'pip install "context-synthesis[vllm]"' in said


def test_the_launch_file_for_one_machine(config, alone, tmp_path, command) -> None:
    launch = ("-W", "error", "recipes/scale/local.py", config, "--tasks", "3")
    done = run_python(*launch, HF_HUB_OFFLINE="1")
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "run-logs" / "completions").iterdir())) == 3
    assert command("run", tmp_path / "run" / "run.toml").returncode == 0
    assert content(tmp_path / "run") == content(alone)
