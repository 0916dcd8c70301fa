"""A datatrove pipeline with our step, in processes of its own, and what it leaves; for tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
PIPELINE = """
import json, sys
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter
from synthesis.scale import context_step

if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    steps = [context_step(given["config"])]
    if "reader" in given:
        steps.insert(0, JsonlReader(given["reader"], text_key="instruction"))
    if "writer" in given:
        steps.append(JsonlWriter(given["writer"], compression=None))
    LocalPipelineExecutor(
        steps, tasks=given["tasks"], workers=given.get("workers", 2), logging_dir=given["logs"]
    ).run()
"""


def start(**given) -> subprocess.Popen[str]:
    """A pipeline in a process group of its own; a warning anywhere in it is an error."""
    given = {name: str(value) if isinstance(value, Path) else value for name, value in given.items()}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PIPELINE, json.dumps(given)],
        cwd=ROOT,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "NO_PROXY": "127.0.0.1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def launch(**given) -> str:
    """Run a pipeline to its end; what it said."""
    process = start(**given)
    said = heard(process)
    assert process.returncode == 0, said
    return said


def heard(process: subprocess.Popen[str]) -> str:
    """What a pipeline says until it ends; one that hangs is ended with all its processes, and waited for."""
    try:
        return process.communicate(timeout=120)[0]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        # Left as it is, its open pipe is a warning in whichever test comes next.
        raise AssertionError(f"the pipeline hung:\n{process.communicate()[0]}") from None


def statistics(logs: Path) -> dict[str, float]:
    """The step's totals over all tasks of a launch."""
    (step,) = (s for s in json.loads((logs / "stats.json").read_text()) if s["name"] == "Synthesis: Contexts")
    totals = step["stats"].items()
    return {name: value["total"] if isinstance(value, dict) else value for name, value in totals}


def written(out: Path) -> Counter[str]:
    """How often each pair's context was written, in whichever journal."""
    files = [out / "journal" / "contexts.jsonl", *out.glob("journal/tasks/*/contexts.jsonl")]
    whole = (line for file in files if file.exists() for line in file.read_text().split("\n")[:-1])
    return Counter(json.loads(line)["pair_id"] for line in whole)


def content(out: Path) -> dict[str, bytes]:
    """Every file of the dataset folder."""
    folder = out / "dataset"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
