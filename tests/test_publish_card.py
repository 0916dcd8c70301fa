"""Publishing into what is there already: others' cards, configs and files stay what they are."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import builder.hub.publish as publication
from builder.folder.card import NOTES
from builder.folder.facts import UNNAMED
from builder.hub import verify
from builder.hub.card_merge import (
    BEGIN,
    END,
    Meta,
    is_ours,
    merge_card,
    merge_configs,
    needs_inference,
    split_card,
)
from builder.hub.publish import PublishResult, publish
from builder.hub.sides import parse_manifests, read_source
from synthesis.errors import UsageError
from tests.hub import LocalHub
from tests.hub.folders import build, config, raw, usual

pytest_plugins = ["tests.hub.fixtures"]
# The client's own upload of large files uses a deprecated spelling of its HTTP library.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
REPO = "ada/shared"
THEIRS = """---
language: no
license: odbl
tags:
- riddles
extra_gated_prompt: 'Be kind: always.'
configs:
- config_name: riddles
  data_files:
  - split: train
    path: riddles/*.parquet
dataset_info:
  config_name: riddles
---
# Riddles

Made by hand, ---
not by machines.
"""
OURS = f"""---
license: mit
tags: [context-synthesis]
language: [en]
size_categories: n<1K
configs:
- config_name: m
  default: true
  data_files: data/m/1.0.0/*.parquet
- config_name: m-v1.0.0
  data_files: data/m/1.0.0/*.parquet
---
# Ours

```python
# a comment, not a heading
```

````text
```
# nor this
````

## Notes

{NOTES}
"""


def parquet(rows: list[dict[str, Any]]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), buffer)
    return buffer.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    usual(tmp_path / "dataset")
    return tmp_path / "dataset"


@pytest.fixture
def send(hub: LocalHub, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., PublishResult]:
    """``publish`` as ada; loads back only if told to, as that takes seconds."""
    real, checks = verify.problems_with, [False]
    monkeypatch.setattr(publication, "problems_with", lambda *job: real(*job) if checks[0] else [])

    def send(source: Path = folder, check: bool = False, **options: Any) -> PublishResult:
        checks[0] = check
        return publish(source, REPO, token=hub.token, endpoint=hub.endpoint, **options)

    return send


def card_of(hub: LocalHub) -> tuple[Meta, str]:
    return split_card(hub.files(REPO)["README.md"].decode(), "the test's card")


def read_with_datasets(hub: LocalHub, home: Path, *names: str | None) -> list[Any]:
    """Rows of configs by plain ``datasets`` in a process of its own."""
    code = (
        "import datasets, json, sys\n"
        f"for name in json.load(sys.stdin):\n"
        f"    print(json.dumps(datasets.load_dataset('{REPO}', name, split='train')[:]))\n"
    )
    return hub.ask(code, names, home)


# --- in a repository of others -----------------------------------------------------------


def test_a_card_of_others_keeps_its_text_keys_and_configs(
    hub: LocalHub, folder: Path, tmp_path: Path, send: Callable[..., PublishResult]
) -> None:
    rows = [{"question": "What has keys?", "answer": "A piano"}]
    hub.seed(REPO, {"README.md": THEIRS, "riddles/a.parquet": parquet(rows)})
    send(check=True)
    meta, body = card_of(hub)
    assert body.startswith("# Riddles\n\nMade by hand, ---\nnot by machines.\n")
    assert meta["extra_gated_prompt"] == "Be kind: always." and meta["license"] == "odbl"
    assert meta["language"] == ["no", "en"] and meta["tags"][:2] == ["riddles", "context-synthesis"]
    assert meta["dataset_info"] == {"config_name": "riddles"}
    names = [entry["config_name"] for entry in meta["configs"]]
    assert names[0] == "m" and names[-1] == "riddles"
    assert body.count(BEGIN) == body.count(END) == 1
    section = body[body.index(BEGIN) :]
    assert "\n## Context synthesis dataset" in section and "\n### Use" in section
    assert "\n# " not in re.sub(r"(?ms)^(`{3,}).*?^\1$", "", section)
    assert re.search(r"Licence: cc.+by.+4\.0", section) and NOTES not in section
    # What loaded before loads as before, also without a name; ours beside it.
    riddles = {"question": ["What has keys?"], "answer": ["A piano"]}
    theirs, named, ours = read_with_datasets(hub, tmp_path / "home", None, "riddles", "m")
    assert theirs == named == riddles and ours["answer"] == [row["answer"] for row in raw(4)]
    # Again: the section is written anew where it stands, whatever they wrote around it.
    text = hub.files(REPO)["README.md"].decode() + "\nAfterword.\n"
    hub.seed(REPO, {"README.md": text.replace("Made by hand", "Made by many hands")})
    usual(folder, rows=6)
    assert send().version == "v1.1.0"
    _, again = card_of(hub)
    assert "Made by many hands" in again and again.endswith(f"{END}\n\nAfterword.\n")
    assert again.count(BEGIN) == 1 and "| `m` | raw | 1.1.0 | 6 |" in again


def test_data_without_configs_stays_loadable(
    hub: LocalHub, tmp_path: Path, send: Callable[..., PublishResult]
) -> None:
    parts = {f"data/train-0000{n}-of-00002.parquet": parquet([{"text": f"row {n}"}]) for n in range(2)}
    test = "data/test-00000-of-00001.parquet"
    hub.seed(REPO, {"README.md": "# Bare\n", **parts, test: parquet([{"text": "test"}])})
    send(check=True)
    meta, _ = card_of(hub)
    assert meta["configs"][-1] == {
        "config_name": "default",
        "data_files": [
            {"split": "train", "path": sorted(parts)},
            {"split": "test", "path": [test]},
        ],
    }
    theirs, ours = read_with_datasets(hub, tmp_path / "home", None, "m")
    assert theirs == {"text": ["row 0", "row 1"]} and len(ours["id"]) == 4
    # The second time there is nothing left to infer.
    hub.forget()
    assert send().version == "v1.0.0" and hub.seen("POST") == []


def test_data_of_another_format_is_not_endangered(
    hub: LocalHub, folder: Path, send: Callable[..., PublishResult]
) -> None:
    hub.seed(REPO, {"rows.csv": "a,b\n1,2\n"})
    with pytest.raises(UsageError, match=r"config 'default' .* such as 'rows.csv'"):
        send()
    entry = "configs:\n- config_name: old\n  data_dir: old\n"
    hub.seed(REPO, {"README.md": f"---\n{entry}---\n", "old/x.jsonl": "{}"})
    with pytest.raises(UsageError, match=r"config 'old' .* such as 'old/x.jsonl'.*repository of its own"):
        send()
    assert len(hub.log_of(REPO)) == 3


def test_names_and_files_of_others_are_not_taken(
    hub: LocalHub, folder: Path, send: Callable[..., PublishResult]
) -> None:
    hub.seed(REPO, {"README.md": THEIRS.replace("config_name: riddles", "config_name: m")})
    with pytest.raises(UsageError, match=r"config 'm' that this tool did not publish.*--name"):
        send()
    (folder / "figures").mkdir()
    (folder / "figures" / "a.png").write_bytes(b"ours")
    hub.seed(REPO, {"README.md": THEIRS, "figures/a.png": b"theirs"})
    with pytest.raises(UsageError, match=r"file 'figures/a.png' that this tool did not publish"):
        send()
    hub.seed(REPO, {"README.md": "---\n: [\n---\n"})
    with pytest.raises(UsageError, match=r"metadata of .*README.md.* cannot be read"):
        send()
    hub.seed(REPO, {"README.md": "# x\n", "manifests/m/1.0.0.json": "{}"})
    with pytest.raises(UsageError, match=r"manifests/m/1\.0\.0\.json.*version of this tool"):
        send()


@pytest.mark.parametrize(
    ("path", "content", "says"),
    [
        ("README.md", b"# caf\xe9\n", "Line 1 of README.md in ada/shared is not UTF-8"),
        ("README.md", b"---\na: " + b"[" * 5000 + b"\n---\n", "metadata of .* cannot be read"),
        ("README.md", b"---\na: 2020-13-45\n---\n", "metadata of .* cannot be read"),
        ("README.md", b"---\nconfigs: [{config_name: a, data_files: {1: [2]}}]\n---\n", ""),
        ("manifests/m/1.0.0.json", b"[" * 100_000, "nested too deeply"),
        ("manifests/m/1.0.0.json", b"\xff\xfe{", "cannot be read"),
        ("manifests/m/1.0.0.json", b'{"format": 1, "rows": "4"}', "cannot be read"),
        ("manifests/m/1.0.0.json", b'{"format": 9}', "another format"),
        ("manifests/m/1.0.0.json", b'{"format": 1, "later": 2}', "'later' that this version"),
        ("manifests/m/latest.json", b"{}", "manifests/m/latest.json"),
    ],
)
def test_what_others_broke_is_one_sentence_and_stays(
    hub: LocalHub, send: Callable[..., PublishResult], path: str, content: bytes, says: str
) -> None:
    hub.seed(REPO, {path: content})
    if says:
        with pytest.raises(UsageError, match=says) as caught:
            send()
        assert "\n" not in str(caught.value) and len(str(caught.value)) < 600
        assert hub.files(REPO)[path] == content and len(hub.log_of(REPO)) == 2
    else:
        send()


def test_a_manifest_of_ours_that_was_changed_is_told(
    hub: LocalHub, send: Callable[..., PublishResult]
) -> None:
    send()
    path = "manifests/m/1.0.0.json"
    there = json.loads(hub.files(REPO)[path])
    for change in ({"statistics": {}}, {"rows": "4"}, {"kind": "x"}, {"files": [1]}, {"facts": None}):
        hub.seed(REPO, {path: json.dumps(there | change)})
        head = hub.head(REPO).oid
        with pytest.raises(UsageError, match="version of this tool that wrote it"):
            send()
        assert hub.head(REPO).oid == head


# --- in a repository of ours -------------------------------------------------------------


def test_what_people_add_to_our_card_stays(
    hub: LocalHub, folder: Path, send: Callable[..., PublishResult]
) -> None:
    send()
    text = hub.files(REPO)["README.md"].decode()
    text = text.replace("pretty_name: Context synthesis dataset", "pretty_name: Clocks\nviewer: false")
    hub.seed(REPO, {"README.md": f"{text.rstrip()}\nAsk Ada about them.\n"})
    usual(folder, rows=5)
    with (folder / "README.md").open("a") as card:
        card.write("Local remark.\n")
    send()
    meta, body = card_of(hub)
    assert (meta["pretty_name"], meta["viewer"]) == ("Clocks", False)
    assert body.endswith(f"{NOTES}\n\nAsk Ada about them.\n\nLocal remark.\n") and "# Clocks" in body
    # Nothing changed since, so nothing is to be published, and notes do not pile up.
    assert send().uploaded_bytes == 0
    # What the publisher says on purpose wins.
    build(folder, license="mit", pretty_name="Radios")
    assert send().version == "v1.1.1"
    meta, body = card_of(hub)
    assert (meta["license"], meta["pretty_name"], meta["viewer"]) == ("mit", "Radios", False)
    assert "Licence: mit" in body and "Ask Ada" in body


def test_the_default_config_stays_the_default(
    hub: LocalHub, tmp_path: Path, send: Callable[..., PublishResult]
) -> None:
    send()
    build(tmp_path / "b", config("aaa", raw(2)))
    send(tmp_path / "b")
    defaults = [entry["config_name"] for entry in card_of(hub)[0]["configs"] if entry.get("default")]
    assert defaults == ["m"]


def test_only_files_of_a_dataset_are_published(
    hub: LocalHub, folder: Path, send: Callable[..., PublishResult]
) -> None:
    (folder / ".building").mkdir()
    (folder / ".building" / "rest").write_text("x")
    (folder / "private.txt").write_text("x")
    send()
    assert {path.split("/")[0] for path in hub.files(REPO)} == {
        ".gitattributes",
        "README.md",
        "data",
        "manifests",
    }


def test_an_unnamed_dataset_has_the_name_we_think(folder: Path) -> None:
    source = read_source(folder)
    assert split_card(source.card, "it")[0]["pretty_name"] == UNNAMED
    assert list(source.manifests) == ["m", "m-chat-8k", "m-rejected"]
    texts = {"manifests/m/1.0.0.json": (folder / "manifests/m/1.0.0.json").read_bytes()}
    assert parse_manifests(texts, "here") == {"m": list(source.manifests["m"])}


# --- merging, by itself ------------------------------------------------------------------


def merged(existing: str | None, known: tuple[str, ...] = ()) -> str:
    return merge_card(existing, OURS, known=known, inferred=None, stated=())


@pytest.mark.parametrize("existing", [None, "", "---\nviewer: true\n---\n"])
def test_an_empty_card_becomes_ours(existing: str | None) -> None:
    text = merged(existing)
    assert is_ours(existing) and split_card(text, "it")[1] == split_card(OURS, "it")[1]
    assert ("viewer: true" in text) == bool(existing)


@pytest.mark.parametrize(
    "existing", ["# Words\n", THEIRS, "\ufeff---\r\na: 1\r\n---\r\nText\r\n", "---\n---\nx"]
)
def test_merging_is_stable(existing: str) -> None:
    once = merged(existing)
    assert merged(once, ("m",)) == once
    assert split_card(existing, "it")[1].strip() in once


def test_fences_are_left_alone() -> None:
    section = merged("# Words\n").partition(BEGIN)[2]
    assert "## Ours" in section and "\n# a comment" in section and "\n# nor this" in section


def test_a_section_whose_end_is_gone_is_refused() -> None:
    with pytest.raises(UsageError, match="lacks the line"):
        merged(merged("# Words\n").replace(END, ""), ("m",))


@pytest.mark.parametrize(
    ("others", "default"),
    [
        ([], "m"),
        ([{"config_name": "a"}], "a"),
        ([{"config_name": "a"}, {"config_name": "b"}], "m"),
        ([{"config_name": "a"}, {"config_name": "b", "default": True}], "b"),
        ([{"config_name": "a"}, {"config_name": "default"}], None),
    ],
)
def test_which_config_is_the_default(others: list[Meta], default: str | None) -> None:
    ours: list[Meta] = [{"config_name": "m", "default": True}, {"config_name": "m-v1.0.0"}]
    result = merge_configs(others, ours, known=())
    assert [entry["config_name"] for entry in result if entry.get("default")] == (
        [default] if default else []
    )
    assert len(result) == 2 + len(others)
    # The same again, with what it made.
    assert merge_configs(result, ours, known=("m",)) == result


def test_what_needs_inference() -> None:
    assert not needs_inference(None, [".gitattributes", "README.md", "figures/a.png", "LICENSE.txt"])
    assert needs_inference(None, ["x.parquet"])
    assert not needs_inference("---\nconfigs:\n- config_name: a\n---\n", ["x.parquet"])
    with pytest.raises(UsageError, match="list of configs"):
        needs_inference("---\nconfigs: a\n---\n", [])
