"""Reads a published dataset with nothing but ``datasets``, in a process of its own.

Run as a script: a job comes in as JSON, what was found goes out as JSON. It imports nothing
of ours, so what it can load everybody can; its caches and its login are the environment's.

A job has ``repo``, ``revision``, ``streaming``, ``named`` (configs whose files to tell) and
``configs`` (configs to load -> paths of the files to hash). With neither, it tells what files
``datasets`` finds by itself.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from typing import Any


def main(job: dict[str, Any]) -> dict[str, Any]:
    """Do one job."""
    from datasets import disable_progress_bars, get_dataset_config_names

    disable_progress_bars()
    if "configs" not in job:
        return {"splits": _files(job, None)}
    names = get_dataset_config_names(job["repo"], revision=job["revision"])
    found = {}
    for name, wanted in job["configs"].items():
        if name not in names:
            continue
        found[name] = {"splits": _files(job, name), "rows": _rows(job, name), "sha256": {}}
        if not job["streaming"]:
            found[name]["sha256"] = {path: _sha256(job, path) for path in wanted}
    return {
        "names": names,
        "named": {name: _files(job, name) for name in job["named"] if name in names},
        "configs": found,
    }


def _files(job: dict[str, Any], name: str | None) -> dict[str, list[str]]:
    """Split -> paths in the repository, as ``datasets`` resolves them."""
    from datasets import load_dataset_builder

    builder = load_dataset_builder(job["repo"], name, revision=job["revision"])
    files = builder.config.data_files or {}
    prefix = f"hf://datasets/{job['repo']}@"
    return {
        str(split): [path.removeprefix(prefix).partition("/")[2] for path in paths]
        for split, paths in files.items()
    }


def _rows(job: dict[str, Any], name: str) -> int:
    from datasets import load_dataset

    rows = load_dataset(
        job["repo"], name, split="train", revision=job["revision"], streaming=job["streaming"]
    )
    return sum(1 for _ in rows) if job["streaming"] else len(rows)


def _sha256(job: dict[str, Any], path: str) -> str:
    from huggingface_hub import hf_hub_download

    # It is in the cache by now: this hashes the very bytes that were loaded.
    place = hf_hub_download(job["repo"], path, repo_type="dataset", revision=job["revision"])
    with open(place, "rb") as file:  # noqa: PTH123 - a plain string from the client
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(main(json.load(sys.stdin))) + "\n")
    sys.stdout.flush()
    # Threads that streaming leaves behind can bring down an interpreter that shuts down in order.
    os._exit(0)
