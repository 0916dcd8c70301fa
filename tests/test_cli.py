"""The command as its users run it: the main job, wrong input, interruption."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
import tomllib
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.programs import run_python, running

ROOT = Path(__file__).parent.parent
SMALL = ("--words", "120", "--lengths", "1k")


def test_run_then_plan_then_run_again(tmp_path, write_pairs, command) -> None:
    out = tmp_path / "run"
    options = ("--pairs", write_pairs(12), "--out", out, *SMALL)

    before = command("plan", *options)
    assert "0 done, 0 stale, 12 new" in before.stdout
    assert not out.exists()

    done = command("run", *options)
    assert done.returncode == 0, done.stderr
    assert "12 contexts, 0 rejected" in done.stdout
    assert sorted(path.name for path in out.iterdir() if path.name[0] != ".") == [
        "dataset", "journal", "manifest.json", "run.toml",
    ]  # fmt: skip

    assert "12 done, 0 stale, 0 new" in command("plan", *options).stdout
    assert "0 done, 12 stale, 0 new" in command("plan", *options, "--seed", "1").stdout
    assert "nothing changed" in command("run", *options).stdout
    assert "nothing changed" in command("run", out / "run.toml").stdout

    more = write_pairs(14)
    assert "12 done, 0 stale, 2 new" in command("plan", *options).stdout
    assert "14 contexts" in command("run", *options).stdout
    assert more.exists()
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["counts"]["contexts"] == 14
    assert manifest["configs"]["composer"] == "1.1.0"
    assert manifest["seed"] == 0


def test_other_lengths_from_contexts_that_exist(tmp_path, write_pairs, command) -> None:
    import datasets

    out = tmp_path / "run"
    assert command("run", "--pairs", write_pairs(12), "--out", out, *SMALL).returncode == 0
    made = command("assemble", out, "--lengths", "500,1k")
    assert made.returncode == 0, made.stderr
    names = datasets.get_dataset_config_names(str(out / "dataset"))
    assert {"composer", "composer-chat-500", "composer-chat-1k", "composer-v1.0.0"} <= set(names)
    rows = datasets.load_dataset(
        str(out / "dataset"), "composer-chat-500", split="train", cache_dir=str(tmp_path / "cache")
    )
    assert rows.num_rows == 12
    assert all(row["tokens"] <= 500 for row in rows)
    before = json.loads((out / "manifest.json").read_text())
    assert (before["engine"], before["model"]) == ("composer", "composer-6")
    assert before["source"]["files"]
    # The contexts are there; the file of pairs need not be.
    Path(before["source"]["name"]).unlink()
    assert command("assemble", out, "--lengths", "700").returncode == 0
    assert json.loads((out / "manifest.json").read_text())["source"] == before["source"]


def test_a_length_that_no_context_fits_is_named(tmp_path, write_pairs, command) -> None:
    out = tmp_path / "run"
    made = command("run", "--pairs", write_pairs(3), "--out", out, *SMALL, "--lengths", "90,1k")
    assert made.returncode == 0
    assert "without a single sample: composer-chat-90. No context fits" in made.stdout
    assert "composer-chat-1k" not in made.stdout


def test_mixed_lengths_and_chosen_distractors(tmp_path, write_pairs, command) -> None:
    import datasets

    out = tmp_path / "run"
    options = ("--pairs", write_pairs(20), "--out", out, "--words", "120", "--lengths", "500:0.5,1k:0.5")
    extra = ("--distractors", "lexical:0.5,random:0.5", "--abstain", "0.2", "--header", "Document {n}:")
    done = command("run", *options, *extra)
    assert done.returncode == 0, done.stderr
    cache = str(tmp_path / "cache")
    rows = datasets.load_dataset(str(out / "dataset"), "composer-chat-mix", split="train", cache_dir=cache)
    assert sorted(rows["budget"]) == [500] * 10 + [1024] * 10
    assert all("Document 1:" in row["messages"][0]["content"] for row in rows)
    assert sum(row["distractors"].endswith("+abstain") for row in rows) == 4
    assert "nothing changed" in command("run", *options, *extra).stdout


def test_score_reads_what_run_wrote(tmp_path, write_pairs, command) -> None:
    out = tmp_path / "run"
    assert command("run", "--pairs", write_pairs(4), "--out", out, *SMALL).returncode == 0
    (parquet,) = (out / "dataset" / "data" / "composer").rglob("*.parquet")
    done = command("score", parquet)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == 4
    assert all(0.5 < line["overall"] <= 1 for line in lines)
    # Of a run's folder, and of its dataset's, the contexts; not its samples and records, which have none.
    for folder in (out, out / "dataset"):
        whole = [json.loads(line) for line in command("score", folder).stdout.splitlines()]
        assert [line["overall"] for line in whole] == [line["overall"] for line in lines]
    for one in (out / "dataset").rglob("*.parquet"):
        one.unlink()
    shutil.rmtree(out / "dataset" / "manifests")
    none = command("score", out)
    assert none.returncode == 2 and "has no dataset yet. Finish it with the command" in none.stderr


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("broken.jsonl", b'{"instruction": "a", "answer": "b"}\n{"instr\n', "1 rejected"),
        ("columns.jsonl", b'{"foo": "a", "bar": "b"}\n', "foo"),
        ("empty.jsonl", b"", "empty"),
        ("blank.jsonl", b'{"instruction": " ", "answer": "b"}\n', "blank.jsonl"),
        ("utf16.jsonl", '{"instruction": "a", "answer": "b"}\n'.encode("utf-16"), "UTF-16"),
        ("latin.csv", "instruction,answer\ncaf\xe9,b\n".encode("latin-1"), "latin.csv"),
    ],
)
def test_bad_files_give_one_clear_message(tmp_path, command, name, content, said) -> None:
    (tmp_path / name).write_bytes(content)
    done = command("run", "--pairs", tmp_path / name, "--out", tmp_path / "run", *SMALL)
    assert "Traceback" not in done.stderr
    if name == "broken.jsonl":
        assert done.returncode == 0
        assert said in done.stdout
        rejected = (tmp_path / "run" / "journal" / "rejected.jsonl").read_text()
        assert "broken.jsonl:2" in rejected
    else:
        assert done.returncode == 2
        assert done.stderr.startswith("error: ")
        assert said.casefold() in done.stderr.casefold()
        assert not (tmp_path / "run" / "dataset").exists()


def test_a_huge_answer_and_a_duplicate_are_rejected_rows(tmp_path, command) -> None:
    path = tmp_path / "pairs.jsonl"
    good = {"instruction": "Who?", "answer": "Ada"}
    with path.open("w") as file:
        for row in (good, {"instruction": "What?", "answer": "x" * 50_000_000}, good):
            file.write(json.dumps(row) + "\n")
    done = command("run", "--pairs", path, "--out", tmp_path / "run", *SMALL)
    assert done.returncode == 0, done.stderr
    assert "1 context, 2 rejected" in done.stdout
    reasons = [
        json.loads(line) for line in (tmp_path / "run/journal/rejected.jsonl").read_text().splitlines()
    ]
    assert [row["pair_id"] for row in reasons] == ["pairs.jsonl:2", "pairs.jsonl:3"]
    assert "line 1" in reasons[1]["reason"] or "pairs.jsonl:1" in reasons[1]["reason"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--engine", "compser"], "did you mean 'composer'"),
        (["--words", "10"], "50 to 20,000"),
        (["--lengths", "many"], "many"),
        (["--template", "absent.txt"], "absent.txt"),
        (["--tokenizer", "./absent-folder"], "absent-folder"),
        (["--depth", "sideways"], "sideways"),
        (["--distractors", "odd"], "odd"),
        (["--distractors", "corpus"], "corpus"),
        (["--lengths", "4k:0.5,8k"], "4k:0.5,8k"),
        (["--abstain", "2"], "abstain"),
        (["--oversize", "fold"], "fold"),
        (["--pairs", "absent.jsonl"], "absent.jsonl"),
        (["--column", "instruction"], "instruction=question"),
        (["--option", "mode"], "concurrency=64"),
        (["--option", "mode=odd"], "no mode 'odd'"),
        (["--option", "bogus=1"], "bogus"),
        (["--column", "instruction=nope"], "nope"),
        (["absent.toml"], "absent.toml"),
        (["--config", "absent.toml"], "no configuration file absent.toml"),
        (["--no-such-option"], "No such option"),
        (["--seed", "x"], "seed"),
    ],
)
def test_wrong_options_exit_with_2_before_any_work(tmp_path, write_pairs, command, options, said) -> None:
    out = tmp_path / "run"
    given = [*options] if "--pairs" in options else ["--pairs", str(write_pairs(2)), *options]
    done = command("run", "--out", out, *given)
    assert done.returncode == 2, done.stdout + done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (out / "dataset").exists()


def test_a_configuration_with_a_wrong_key(tmp_path, command) -> None:
    path = tmp_path / "run.toml"
    path.write_text("[generation]\nwrods = 3\n")
    done = command("run", path)
    assert done.returncode == 2
    assert "run.toml: unknown key 'generation.wrods'" in done.stderr


def test_config_names_the_file_of_a_run(tmp_path, write_pairs, command) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f'out = "{tmp_path / "run"}"\n[pairs]\nsource = "{write_pairs(3)}"\n')
    assert "0 done, 0 stale, 3 new" in command("plan", "--config", path).stdout
    assert command("plan", path, "--config", path).returncode == 0
    hub = command("plan", "--pairs", "org/riddles", "--config", "easy")
    assert hub.returncode == 2
    assert "--pairs-config easy" in hub.stderr and "ORG/NAME?config=easy" in hub.stderr
    (tmp_path / "other.toml").write_text("seed = 1\n")
    two = command("plan", path, "--config", tmp_path / "other.toml")
    assert (two.returncode, "two configurations" in two.stderr) == (2, True)


def test_what_files_hold_can_be_said_by_flags(tmp_path, write_pairs, command) -> None:
    out = tmp_path / "run"
    done = command(
        *("run", "--pairs", write_pairs(8), "--out", out, "--words", "120", "--lengths", "700"),
        *("--separator", "\\n--\\n", "--abstain", "0.25", "--refusal", "Nobody says."),
        *("--price", "1,2", "--currency", "EUR"),
        *("--license", "cc0-1.0", "--dataset-language", "en,fr", "--no-rejected"),
    )
    assert done.returncode == 0, done.stderr
    saved = tomllib.loads((out / "run.toml").read_text())
    assert saved["samples"]["separator"] == "\n--\n" and saved["samples"]["refusal"] == "Nobody says."
    assert saved["cost"]["currency"] == "EUR"
    assert saved["dataset"] == {"name": "", "language": ["en", "fr"], "license": "cc0-1.0", "rejected": False}
    (path,) = (out / "dataset/data/composer-chat-700").rglob("*.parquet")
    turns = [row["messages"] for row in pq.read_table(path).to_pylist()]
    assert sum(answer["content"] == "Nobody says." for _, answer in turns) == 2
    assert all("\n--\n" in question["content"] for question, _ in turns)


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path, write_pairs, command) -> None:
    out = tmp_path / "thesis"
    out.mkdir()
    (out / "chapter1.txt").write_text("dear reader")
    done = command("run", "--pairs", write_pairs(2), "--out", out, *SMALL)
    assert done.returncode == 2
    assert "chapter1.txt" in done.stderr
    assert [path.name for path in out.iterdir()] == ["chapter1.txt"]
    a_file = command("run", "--pairs", write_pairs(2), "--out", out / "chapter1.txt", *SMALL)
    assert (a_file.returncode, "is a file" in a_file.stderr) == (2, True)


def test_assemble_wants_a_run(tmp_path, command) -> None:
    done = command("assemble", tmp_path)
    assert done.returncode == 2
    assert "no run.toml" in done.stderr


def test_a_folder_without_write_permission(tmp_path, write_pairs, command) -> None:
    # Root may write anywhere but where the kernel says no.
    closed = Path("/sys") if os.geteuid() == 0 else tmp_path / "closed"
    closed.mkdir(mode=0o500, exist_ok=True)
    done = command("run", "--pairs", write_pairs(2), "--out", closed / "run", *SMALL)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "choose another folder with --out" in done.stderr
    assert "Traceback" not in done.stderr


def wait_for_contexts(out: Path, count: int) -> None:
    journal, deadline = out / "journal" / "contexts.jsonl", time.monotonic() + 60
    while not (journal.exists() and journal.read_bytes().count(b"\n") >= count):
        assert time.monotonic() < deadline, "the run wrote nothing"
        time.sleep(0.002)


def test_two_runs_cannot_share_a_folder(tmp_path, write_pairs, command) -> None:
    out = tmp_path / "run"
    options = ("--pairs", write_pairs(600), "--out", out, "--words", "1000", "--lengths", "2k")
    with running("-m", "builder.cli", "run", *options, heard=False):
        wait_for_contexts(out, 1)
        second = command("run", *options)
    assert second.returncode == 2
    assert "another run is working" in second.stderr


def test_ctrl_c_says_how_to_go_on(tmp_path, write_pairs, command) -> None:
    out = tmp_path / "run"
    options = ("--pairs", write_pairs(120), "--out", out, "--words", "500", "--lengths", "1k")
    with running("-m", "builder.cli", "run", *options) as process:
        wait_for_contexts(out, 3)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "run the same command to go on" in errors
    assert "Traceback" not in errors
    assert "120 contexts" in command("run", *options).stdout


def parquet_bytes(out: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(out)): path.read_bytes() for path in sorted((out / "dataset").rglob("*.parquet"))
    }


def test_runs_killed_at_any_moment_end_in_the_same_bytes(tmp_path, write_pairs, command) -> None:
    pairs = write_pairs(80)
    options = ("--pairs", pairs, "--words", "400", "--lengths", "2k")
    whole = command("run", *options, "--out", tmp_path / "whole", PYTHONHASHSEED="1")
    assert whole.returncode == 0, whole.stderr
    expected = parquet_bytes(tmp_path / "whole")
    assert len(expected) == 2

    out = tmp_path / "killed"
    kills = 0
    for moment in (1, 40, 79):
        with running("-m", "builder.cli", "run", *options, "--out", out, heard=False) as process:
            wait_for_contexts(out, moment)
        kills += process.returncode == -signal.SIGKILL
    assert kills >= 2
    assert command("run", *options, "--out", out, PYTHONHASHSEED="2").returncode == 0
    assert parquet_bytes(out) == expected


def test_publish_and_load_back_with_plain_datasets(tmp_path, write_pairs, command) -> None:
    from tests.hub import LocalHub

    out = tmp_path / "run"
    assert command("run", "--pairs", write_pairs(6), "--out", out, *SMALL).returncode == 0
    with LocalHub() as hub:
        there = {**hub.environment(tmp_path / "home"), "HF_HUB_OFFLINE": "0"}
        dry = command("publish", out, "ada/lights", "--dry-run", **there)
        assert dry.returncode == 0, dry.stderr
        assert "composer-chat-1k" in dry.stdout
        done = command("publish", out, "ada/lights", **there)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("v1.0.0: composer 1.0.0")
        assert hub.token not in done.stdout + done.stderr
        code = (
            "import datasets; rows = datasets.load_dataset('ada/lights', 'composer-chat-1k', "
            "revision='v1.0.0', split='train'); print(rows.num_rows, rows[0]['messages'][1]['role'])"
        )
        loaded = run_python("-c", code, **there)
        assert loaded.stdout.split() == ["6", "assistant"], loaded.stderr
        refused = command("publish", out, "not a name", **there)
        assert (refused.returncode, refused.stderr[:7]) == (2, "error: ")


def test_a_server_behind_the_same_command(tmp_path, write_pairs, command) -> None:
    from tests.openai_server import Asked, Reply, failure, serve
    from tests.pretend import prose

    down = {3}  # this request fails once for good, the next run asks again

    def script(asked: Asked) -> Reply:
        if asked.number in down:
            return failure(400, "the prompt is odd")
        who = asked.text.split("<response>")[1].split("</response>")[0].strip()
        told = f"Lighthouse number {who.split()[1]} was kept by {who} for years. "
        return Reply(text=f"Context: {prose(50)} {told} {prose(50, 'later')}")

    out = tmp_path / "run"
    with serve(script, ("tiny",), "sk-secret") as server:
        options = (
            *("run", "--pairs", write_pairs(8), "--out", out, *SMALL, "--engine", "openai"),
            *("--option", f"base_url={server.url}", "--option", "concurrency=1"),
        )
        first = command(*options, OPENAI_API_KEY="sk-secret")
        assert first.returncode == 0, first.stderr
        assert "7 contexts, 1 rejected" in first.stdout
        again = command(*options, OPENAI_API_KEY="sk-secret")
        assert "8 contexts, 0 rejected" in again.stdout
        assert "nothing changed" not in again.stdout
        assert sum("messages" in asked.body for asked in server.asked) == 9
        refused = command(*options, "--seed", "1", OPENAI_API_KEY="sk-wrong")
        assert (refused.returncode, refused.stderr.startswith("error: ")) == (1, True)
        assert "OPENAI_API_KEY" in refused.stderr
        assert "sk-wrong" not in refused.stderr
    written = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
    assert b"sk-secret" not in written
    row = json.loads((out / "journal" / "contexts.jsonl").read_text().splitlines()[0])
    assert (row["engine"], row["model"], row["evidence_source"]) == ("openai", "tiny", "located")


def test_help_and_version_are_there(command) -> None:
    assert "context-synthesis 0." in command("--version").stdout
    text = command("--help").stdout
    for name in ("run", "plan", "score", "assemble"):
        assert name in text
    assert "Default: composer" in command("run", "--help").stdout
