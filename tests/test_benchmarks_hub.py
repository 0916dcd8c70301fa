"""Benchmarks read from a Hub on loopback: the archive of LongBench, the configs of ZeroSCROLLS."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

from tests.hub import LocalHub
from tests.test_benchmarks import SCROLLS, longbench

pytest_plugins = ["tests.hub.fixtures"]

# ``datasets`` keeps the Hub's address from its import, so that a process of its own reads.
READER = """
import json, sys
from synthesis.data import Rejected
from synthesis.errors import SourceError
from synthesis.evaluation.forms import form_of
from synthesis.evaluation.questions import QuestionSource
for place, more in json.load(sys.stdin):
    try:
        source = QuestionSource(place, **more)
        form = form_of(source)
        told = [one.pair_id if isinstance(one, Rejected) else [one.task, one.id] for one in form.read(source)]
        print(json.dumps([form.name, told]))
    except SourceError as error:
        print(json.dumps(str(error)))
"""
CARD = """---
configs:
- config_name: qasper
  data_files: [{split: test, path: qasper/test.jsonl}]
- config_name: quality
  data_files: [{split: test, path: quality/test.jsonl}]
---
"""


def archive(*names: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as target:
        for name in names:
            target.writestr(f"data/{name}.jsonl", json.dumps(longbench()) + "\n")
    return packed.getvalue()


def test_benchmarks_from_the_hub(hub: LocalHub, tmp_path: Path) -> None:
    row = json.dumps(SCROLLS) + "\n"
    hub.seed("ada/LongBench", {"README.md": "# LongBench\n", "data.zip": archive("hotpotqa", "trec_e")})
    scrolls = {"README.md": CARD, "qasper/test.jsonl": row, "quality/test.jsonl": row}
    hub.seed("ada/zero_scrolls", scrolls)
    cases = [
        ["ada/LongBench", {}],
        ["ada/LongBench", {"tasks": ["trec_e"]}],
        ["hf://datasets/ada/LongBench/data.zip", {"tasks": ["hotpotqa"]}],
        ["ada/zero_scrolls", {"tasks": ["quality", "qasper"]}],
        ["ada/zero_scrolls", {"config": "quality"}],
        ["ada/zero_scrolls", {"tasks": ["musique"]}],
        ["eve/LongBench", {}],
    ]
    *found, lacking, absent = hub.ask(READER, cases, tmp_path / "home")
    assert found == [
        ["longbench", [["hotpotqa", "hotpotqa-a1"], ["trec_e", "trec_e-a1"]]],
        ["longbench", [["trec_e", "trec_e-a1"]]],
        ["longbench", [["hotpotqa", "hotpotqa-a1"]]],
        ["zeroscrolls", [["quality", "quality-q1"], ["qasper", "qasper-q1"]]],
        ["zeroscrolls", [["quality", "quality-q1"]]],
    ]
    assert "musique" in lacking
    assert "eve/LongBench" in absent
