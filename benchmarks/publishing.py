"""Publishes by several people to one repository, each through faults, each loaded back.

Usage: python -m benchmarks.publishing [--publishes N] [--seed N] [--tags N]

Every publish meets faults drawn by chance: refusals, broken and lost answers, pages in the place of files,
breaks in the middle of uploads. Whoever fails for good runs the same call again. Checked: each release holds
what was built, no release ever changes, nothing is sent twice, and at the end plain ``datasets`` loads every
config at so many tags, oldest to newest. The Hub is the tests' own, on loopback; waits are cut short.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

os.environ |= {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "NO_PROXY": "127.0.0.1"}
os.environ["HF_HOME"] = tempfile.mkdtemp(prefix="context-synthesis-")

from builder.folder.versions import read_manifests
from builder.hub import repository
from builder.hub.publish import publish
from builder.hub.trouble import HubError
from tests.hub import LocalHub
from tests.hub.folders import build, chat, config, raw, rejected

REPO = "ada/many"
PEOPLE = ("ada", "bea", "cem")
STATUSES = (408, 409, 429, 500, 502, 503, 504)
READS = ("/refs$", "/tree/", "/revision/", "/README.md$", "/manifests/", "/info", r"\.parquet$")
WRITES = ("/commit/", "/tag/", "/preupload/", "/lfs/", "/info/lfs/")
LOADER = """
import datasets, json, sys
datasets.disable_progress_bars()
repo, revisions = json.load(sys.stdin)
for revision in revisions:
    found = {}
    for name in datasets.get_dataset_config_names(repo, revision=revision):
        found[name] = len(datasets.load_dataset(repo, name, split="train", revision=revision))
    print(json.dumps([revision, found]), flush=True)
"""


def trouble(hub: LocalHub, draw: random.Random) -> list[str]:
    """Arm up to three faults."""
    told = []
    for _ in range(draw.randrange(4)):
        kind = draw.choice(("status", "disconnect", "lost reply", "cut after 300 bytes", "page"))
        writes = draw.random() < 0.5 and kind != "page"
        path = draw.choice(WRITES if writes else READS)
        options = {"times": draw.choice((1, 1, 2, 7)), "skip": draw.choice((0, 0, 1, 3))}
        if kind == "page":
            hub.page_next(path, b"<html><body>Log in first.</body></html>", **options)
        else:
            method = ("PUT" if path == "/lfs/" else "POST") if writes else "GET"
            hub.fail_next(method, path, draw.choice(STATUSES) if kind == "status" else kind, **options)
        told.append(f"{kind} at {path}")
    return told


class Person:
    """One machine: a folder that grows, is made anew or gets another config, and is published."""

    def __init__(self, name: str, place: Path) -> None:
        self.name, self.place = name, place
        self.rows, self.word, self.more = 3, "clock", 0

    def change(self, draw: random.Random) -> Path:
        """Another state of the folder, or the folder of a machine that has nothing yet."""
        step = draw.choice(("rows", "rows", "words", "config", "card", "nothing", "machine"))
        self.rows += 2 * (step == "rows")
        self.word = draw.choice(("clock", "radio", "lamp", "pump")) if step == "words" else self.word
        self.more += step == "config"
        if step == "machine":
            self.place = self.place.with_name(f"{self.name}-{draw.randrange(10**9)}")
        extra = [config(f"{self.name}-{number}", raw(2)) for number in range(self.more)][:3]
        title = f"Of {self.name}, {draw.randrange(100)}" if step == "card" else None
        build(
            self.place,
            config(self.name, raw(self.rows, self.word)),
            config(f"{self.name}-chat-8k", chat(self.rows), "chat"),
            config(f"{self.name}-rejected", rejected(2), "rejected"),
            *extra,
            **({"pretty_name": title} if title else {}),
        )
        return self.place


def send(hub: LocalHub, folder: Path, counts: Counter[str]) -> Any:
    """Publish, and again for as long as it fails."""
    for attempt in range(12):
        try:
            return publish(folder, REPO, token=hub.token, endpoint=hub.endpoint)
        except HubError as error:
            counts["runs that failed and were run again"] += 1
            if attempt == 11:
                counts[f"given up: {error}"] += 1
        hub.trouble.disarm()
    return None


def check(hub: LocalHub, folder: Path, result: Any, tags: dict[str, str], counts: Counter[str]) -> None:
    """What must hold after each publish."""
    now = hub.repo(REPO).names("refs/tags/")
    counts["releases that changed"] += sum(now.get(tag) != oid for tag, oid in tags.items())
    there = hub.files(REPO, result.version)
    for name, versions in read_manifests(folder).items():
        newest = versions[-1]
        paths = [f"data/{name}/{result.configs[name]}/{Path(file.path).name}" for file in newest.files]
        for path, file in zip(paths, newest.files, strict=True):
            counts["files that are not what was built"] += (
                there.get(path) != (folder / file.path).read_bytes()
            )
        counts["versions not noted as published"] += not newest.published
    tags.update(now)


def main() -> None:
    """Publish, check and tell."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--publishes", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tags", type=int, default=12)
    given = parser.parse_args()
    draw, sleep = random.Random(given.seed), time.sleep
    repository.time.sleep = lambda seconds: sleep(min(seconds, 0.01))  # type: ignore[attr-defined]
    counts: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    tags: dict[str, str] = {}
    began = time.perf_counter()
    with LocalHub() as hub, tempfile.TemporaryDirectory(prefix="context-synthesis-") as place:
        people = [Person(name, Path(place) / name) for name in PEOPLE]
        while counts["publishes"] < given.publishes:
            together = draw.sample(people, 2 if draw.random() < 0.2 else 1)
            folders = [one.change(draw) for one in together]
            faults.update(trouble(hub, draw))
            results: list[Any] = [None] * len(folders)

            def one(number: int, folder: Path, results: list[Any] = results) -> None:
                results[number] = send(hub, folder, counts)

            threads = [threading.Thread(target=one, args=pair) for pair in enumerate(folders)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            hub.trouble.disarm()
            for folder, result in zip(folders, results, strict=True):
                counts["publishes"] += 1
                if result is None:
                    continue
                counts["with nothing to do"] += not result.uploaded_bytes
                check(hub, folder, result, tags, counts)
            print(f"{counts['publishes']} publishes, {len(tags)} tags", file=sys.stderr, flush=True)
        sent = Counter(seen.path for seen in hub.seen("PUT", "/lfs/") if seen.status == 200)
        counts["files sent again after they had arrived"] = sum(number - 1 for number in sent.values())
        counts["seconds of publishing"] = round(time.perf_counter() - began)
        done = subprocess.run(
            [sys.executable, "-c", LOADER],
            input=json.dumps([REPO, list(tags)[:: max(1, len(tags) // given.tags)]]),
            env=hub.environment(Path(place) / "home"),
            capture_output=True,
            text=True,
            check=False,
            cwd=place,
        )
        loaded = [json.loads(line) for line in done.stdout.splitlines()]
        counts["tags at which plain datasets loads all"] = len(loaded)
        counts["configs loaded so"] = sum(len(found) for _, found in loaded)
        if done.returncode:
            print(done.stderr[-2000:])
    for told, number in sorted(counts.items()):
        print(f"{told}: {number:,}")
    print(f"tags: {len(tags):,}; faults: {sum(faults.values()):,} of {len(faults):,} kinds")
    print(f"memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")


if __name__ == "__main__":
    main()
