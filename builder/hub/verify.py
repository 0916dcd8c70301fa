"""Whether a release can be read back: plain ``datasets`` loads it, and every byte is as built.

Starts ``readback`` in a process with empty caches, so nothing that happens to lie here can
stand in for what is on the Hub. Reports; takes nothing back itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from builder.folder.versions import Manifest
from builder.hub.card_merge import Meta
from builder.hub.repository import Hub, RemoteFile
from builder.hub.trouble import UnsettledError
from synthesis.sources.hub import redact
from synthesis.storage import scratch_folder
from synthesis.wording import counted

STREAM_ABOVE = 2 * 10**9  # bytes; more is read through without being kept on disk
_SCRIPT = Path(__file__).with_name("readback.py")
_TRIES = 3


def problems_with(
    hub: Hub, revision: str, fresh: Sequence[Manifest], newest: Sequence[Manifest], others: Collection[str]
) -> list[str]:
    """What is wrong with a release; empty if all is well.

    Args:
        hub: The repository.
        revision: A tag, commit or pull request.
        fresh: Versions to load: row counts and checksums must be theirs.
        newest: The newest version of each config, which the config's plain name must mean.
        others: Configs that were listed before and must still be.

    Raises:
        UnsettledError: It could not be found out.
    """
    wrong = list(_stored(hub.files(revision), fresh))
    if wrong:
        return wrong
    loaded = {_pinned(one): one for one in fresh if one.rows}
    named = {one.config: one for one in newest if one.rows}
    job = {
        "repo": hub.repo_id,
        "revision": revision,
        "streaming": sum(one.bytes for one in loaded.values()) > STREAM_ABOVE,
        "named": [name for name, one in named.items() if _pinned(one) in loaded],
        "configs": {name: [file.path for file in one.files] for name, one in loaded.items()},
    }
    for _ in range(2):
        # Looked at again before it is called wrong: what came may have been a gateway's own page.
        wrong = _compared(_run(hub, job), loaded, named, others)
        if not wrong:
            break
    return wrong


def _compared(
    found: Any, loaded: Mapping[str, Manifest], named: Mapping[str, Manifest], others: Collection[str]
) -> list[str]:
    listed = dict.fromkeys([*loaded, *named, *map(_pinned, named.values()), *others])
    wrong = [f"config '{name}' is not listed" for name in listed if name not in found["names"]]
    for name, splits in found["named"].items():
        wrong += _meant(name, named[name], splits)
    for name, found_of in found["configs"].items():
        wrong += _loaded(name, loaded[name], found_of)
    return wrong


def _pinned(manifest: Manifest) -> str:
    return f"{manifest.config}-v{manifest.version}"


def infer_config(hub: Hub, revision: str) -> Meta:
    """The config that ``datasets`` makes up for a repository that lists none.

    Raises:
        UnsettledError: It could not be found out.
    """
    splits = _run(hub, {"repo": hub.repo_id, "revision": revision})["splits"]
    files = [{"split": split, "path": paths} for split, paths in splits.items()]
    return {"config_name": "default", "data_files": files}


def _stored(files: Mapping[str, RemoteFile], manifests: Sequence[Manifest]) -> Iterator[str]:
    for file in (file for manifest in manifests for file in manifest.files):
        there = files.get(file.path)
        if there is None:
            yield f"{file.path} is missing"
        elif there.size != file.bytes or (there.sha256 or file.sha256) != file.sha256:
            yield f"{file.path} has other content than was built"


def _meant(name: str, manifest: Manifest, splits: object) -> Iterator[str]:
    if splits != {"train": [file.path for file in manifest.files]}:
        yield f"config '{name}' stands for {splits}"


def _loaded(name: str, manifest: Manifest, found: Mapping[str, Any]) -> Iterator[str]:
    yield from _meant(name, manifest, found["splits"])
    if found["rows"] != manifest.rows:
        yield f"config '{name}' has {counted(found['rows'], 'row')} instead of {manifest.rows:,}"
    for file in manifest.files:
        if found["sha256"].get(file.path, file.sha256) != file.sha256:
            yield f"{file.path} was loaded with other content than was built"


def _run(hub: Hub, job: Mapping[str, Any]) -> Any:
    detail = ""
    for attempt in range(1, _TRIES + 1):
        with scratch_folder() as scratch:
            done = subprocess.run(
                [sys.executable, "-P", str(_SCRIPT)],  # -P: modules beside the script stay out of its way
                input=json.dumps(job),
                capture_output=True,
                text=True,
                check=False,
                cwd=scratch,  # a folder called like the repository would be read in its place
                env=_environment(hub, str(scratch)),
            )
        if done.returncode == 0:
            return json.loads(done.stdout.strip().rpartition("\n")[2])
        lines = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
        detail = redact(lines[-1], hub.token)[:300]
        if attempt < _TRIES:
            hub.pause(UnsettledError(f"{hub.repo_id}, loading it back: {detail}"), attempt)
    raise UnsettledError(f"{hub.repo_id} at {job['revision']} could not be loaded with datasets: {detail}")


def _environment(hub: Hub, scratch: str) -> dict[str, str]:
    ours = {
        name: value
        for name, value in os.environ.items()
        if name not in ("HF_DATASETS_OFFLINE", "HF_HUB_CACHE", "HF_DATASETS_CACHE", "HF_XET_CACHE")
    }
    return ours | {
        "HF_ENDPOINT": hub.endpoint,
        "HF_HOME": scratch,
        "HF_TOKEN": hub.token or "",
        "HF_UPDATE_DOWNLOAD_COUNTS": "0",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
