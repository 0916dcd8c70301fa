"""The whole command with vLLM, killed without warning half-way and run again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.conftest import ROOT
from tests.vllm.small import SMALL, is_vllm, vllm_processes, wait_until

PAIRS, SLOWLY = 24, 4

# The model is random and never ends a reply by itself: after 60 tokens every other token ends it.
# What it writes is no context, and is asked for again; in the end the journal holds rejections, which
# are finished work like any other.
RUN = """
out = "{out}"

[pairs]
source = "{pairs}"

[generation]
engine = "vllm"
model = "{model}"
words = 50
max_tokens = 400
temperature = 1.0

[generation.options]
max_num_seqs = {places}
max_model_len = {window}
dtype = "float32"
enforce_eager = true
kv_cache_memory_bytes = {memory}

[generation.options.sampling_params]
min_tokens = 60
stop_token_ids = [{stops}]

[samples]
lengths = ["1k"]
tokenizer = "embedded"

[cost]
stop_after = 0
"""


@pytest.fixture
def run_file(write_pairs, model, tmp_path) -> Path:
    path = tmp_path / "run.toml"
    path.write_text(
        RUN.format(
            out=tmp_path / "run",
            pairs=write_pairs(PAIRS),
            model=model,
            places=SLOWLY,
            window=SMALL["max_model_len"],
            memory=SMALL["kv_cache_memory_bytes"],
            stops=", ".join(map(str, range(1, 8000, 2))),
        ),
        encoding="utf-8",
    )
    return path


def start(run_file: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "builder.cli", "run", str(run_file)]
    log = run_file.with_suffix(".log").open("ab")
    # An engine of these tests' own process has said where vLLM logs; a run says so itself.
    ours = {name: value for name, value in os.environ.items() if not name.startswith("VLLM_LOGGING")}
    environment = {**ours, "COLUMNS": "120"}
    return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=ROOT, env=environment)


def rows(journal: Path, *names: str) -> list[str]:
    """Whole lines of the journal: of finished pairs, or of the files named."""
    paths = [journal / f"{name}.jsonl" for name in names or ("contexts", "rejected")]
    texts = [path.read_text(encoding="utf-8") for path in paths if path.exists()]
    return [line for text in texts for line in text.splitlines(keepends=True) if line.endswith("\n")]


def test_a_killed_run_goes_on_where_it_was(run_file, tmp_path) -> None:
    journal = tmp_path / "run" / "journal"
    running = start(run_file)
    wait_until(lambda: len(rows(journal)) >= 5 or running.poll() is not None, 600, "five finished pairs")
    assert running.poll() is None, run_file.with_suffix(".log").read_text()[-3000:]
    theirs = [psutil.Process(pid) for pid in vllm_processes(running.pid)]
    running.send_signal(signal.SIGKILL)
    running.wait()
    kept = rows(journal)
    assert theirs and 5 <= len(kept) < PAIRS
    # Nobody could tell them to stop, and they would hold the memory that the next run needs.
    wait_until(lambda: not any(map(is_vllm, theirs)), 30, "the end of vLLM's processes")

    # All is done, and nothing of it a context.
    assert start(run_file).wait(600) == 1, run_file.with_suffix(".log").read_text()[-3000:]
    said = run_file.with_suffix(".log").read_text(encoding="utf-8")
    assert "Triton" not in said and "Warning" not in said
    whole = rows(journal)
    assert whole[: len(kept)] == kept, "finished rows were touched"
    assert len({json.loads(line)["pair_id"] for line in whole}) == len(whole) == PAIRS
    # Replies before a pair's last are finished work, too: none was written twice.
    steps = [json.loads(line)["fingerprint"] for line in rows(journal, "steps")]
    assert len(steps) == len(set(steps))
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["engine"] == "vllm"
