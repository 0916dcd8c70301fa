"""Each recipe does in small what its comment says: its own commands, with fewer rows and words.

Servers are on loopback and answer with texts that people wrote. What needs vLLM or PyTorch is
read and checked here, and run in tests/vllm and tests/torch.
"""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from typer.testing import CliRunner

from builder.cli.main import app
from synthesis.coherence import score
from synthesis.options import load_config
from synthesis.text.sentences import sentences
from tests.batch_server import serve_batches
from tests.openai_server import Asked, Reply, serve
from tests.pretend import prose
from tests.real_texts import OWN, own_rows

ROOT = Path(__file__).parent.parent
RECIPES = sorted((ROOT / "recipes").glob("*.toml"))
SMALL = "--limit 6 --words 120 --lengths 1k"
COMPOSER = {
    "first-run": SMALL,
    "mixed-lengths": "--limit 12 --words 120 --lengths 1k:0.5,2k:0.5",
    "own-distractors": f"{SMALL} --corpus {OWN}?columns=context",
    "strict": f"{SMALL} --benchmark heldout={OWN}",
    "controlled-study": SMALL,
    "few-pairs": "--limit 6 --words 120 --lengths 2k",
    "hidden-questions": "--limit 6 --words 120 --lengths 2k",
    "hub-pairs": f"{SMALL} --pairs gsm8k?config=main",
}
# What needs a library: its engine, the package, the extra. tests/vllm and tests/torch run them.
ABSENT = {"vllm-local": ("vllm", "vllm", "vllm"), "transformers-cpu": ("transformers", "torch", "local")}
# Pairs of ours whose contexts the gate takes from a model, also with their sentences far apart.
CARRIED = [
    row for row in own_rows() if score(*(row[k] for k in ("context", "instruction", "answer"))).overall > 0.95
][:4]
SERVED = {"openai-server", "hf-provider", "long-contexts"}


def comment(recipe: Path) -> list[str]:
    """The lines of the comment on top."""
    lines = []
    for line in recipe.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").removeprefix(" "))
    return lines


def commands(recipe: Path) -> list[list[str]]:
    """The commands of ours in the comment, as arguments."""
    return [shlex.split(line)[1:] for line in comment(recipe) if line.startswith("  context-synthesis ")]


def give(arguments: list[str], code: int = 0) -> str:
    """Gives a command as a user would; what it printed."""
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == code, done.output
    return done.output


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path) -> None:
    """In the project's folder, without the network, and with runs/ somewhere else."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name in ("OPENAI_API_KEY", "HF_TOKEN"):
        monkeypatch.setenv(name, "a-key")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipes").symlink_to(ROOT / "recipes")
    folder = tmp_path / "gsm8k"  # laid out like the dataset on the Hub
    folder.mkdir()
    rows = [{"question": row["instruction"], "answer": row["answer"]} for row in own_rows()]
    (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "README.md").write_text("---\nconfigs:\n- config_name: main\n  data_files: train.jsonl\n---\n")


def datasets(folder: Path) -> dict[str, int]:
    """Rows by config of a dataset folder."""
    import pyarrow.parquet as pq

    return {
        path.name: sum(pq.read_metadata(file).num_rows for file in path.rglob("*.parquet"))
        for path in (folder / "data").iterdir()
    }


def told(asked: Asked) -> Reply | None:
    """A context that somebody wrote for the pair that is asked about; plans and sections are made up."""
    if "Do not write the text yet" in asked.text:
        count = int(re.search(r"Write (\d+) lines", asked.text)[1])  # type: ignore[index]
        return Reply("\n".join(f"{n}. Part {n} | what happens in part {n} | -" for n in range(1, count + 1)))
    text = "\n".join(message["content"] for message in asked.body["messages"])
    if "Now write" in text:  # a section
        words = int(re.search(r"Now write.*? about (\d+) words", text)[1])  # type: ignore[index]
        facts = " ".join(re.findall(r"^- It tells .*?“(.*?)”", text, re.MULTILINE))
        half, key = words // 3, str(asked.number)
        section = int(re.search(r"Now write\D*(\d+)", text)[1])  # type: ignore[index]
        whole = next(row["context"] for row in CARRIED if row["instruction"] in text)
        part = " ".join(whole[start:end] for start, end in sentences(whole)[section - 1 :: 4])
        return Reply(f"Context: {prose(half, key)} {facts} {part} {prose(half, key + 'b')}")
    return next(Reply(f"Context: {row['context']}") for row in CARRIED if row["instruction"] in text)


def carried() -> Path:
    """Those pairs as a file."""
    path = Path("pairs.jsonl")
    path.write_text("".join(json.dumps(row) + "\n" for row in CARRIED), encoding="utf-8")
    return path


def test_every_recipe_is_run_here_and_listed() -> None:
    names = {recipe.stem for recipe in RECIPES}
    assert names == {*COMPOSER, *ABSENT, *SERVED, "batch-api"}
    listed = re.findall(r"\]\(([\w-]+)\.toml\)", (ROOT / "recipes" / "README.md").read_text("utf-8"))
    assert sorted(listed) == sorted(names)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_a_comment_says_how_to_run_it_and_where_the_dataset_is(recipe) -> None:
    config = load_config(recipe)
    first, *rest = comment(recipe)
    assert first.endswith(".")
    assert any(f"recipes/{recipe.name}" in given for given in commands(recipe))
    assert f"{config.out}/dataset" in " ".join(rest)


@pytest.mark.parametrize("name", COMPOSER)
def test_the_composer_runs_it(name) -> None:
    recipe = ROOT / "recipes" / f"{name}.toml"
    out = Path(load_config(recipe).out)
    for given in commands(recipe):
        give([*given, *shlex.split(COMPOSER[name])])
    found = datasets(out / "dataset")
    raw = load_config(out / "run.toml").name
    assert found[raw] >= 4
    assert sum(rows for config, rows in found.items() if "-chat-" in config) >= 4


@pytest.mark.parametrize("name", sorted(SERVED))
def test_a_server_writes_it(name) -> None:
    recipe = ROOT / "recipes" / f"{name}.toml"
    small = ["--pairs", str(carried()), "--tokenizer", str(ROOT / "tests/models/tiny")]
    small += ["--words", "600", "--section-words", "150"] if name == "long-contexts" else ["--words", "120"]
    with serve(told, models=(load_config(recipe).generation.model,)) as server:
        for given in commands(recipe):
            give([*given, *small, "--lengths", "2k", "--option", f"base_url={server.url}"])
    config = load_config(recipe)
    found = datasets(Path(config.out) / "dataset")
    assert found[config.name] == found[f"{config.name}-chat-2k"] == 4


def test_the_batch_api_writes_it() -> None:
    recipe = ROOT / "recipes" / "batch-api.toml"
    small = ["--pairs", str(carried()), "--words", "120", "--lengths", "2k"]
    with serve_batches(told, models=("gpt-4o-mini",)) as server:
        small += ["--option", f"base_url={server.url}", "--option", "poll_seconds=0.01"]
        for given in commands(recipe):
            give([*given, *(small if given[1] == "submit" else [])])
    assert datasets(Path("runs/batch/dataset"))["gpt-4o-mini"] == 4


@pytest.mark.parametrize("name", ABSENT)
def test_what_needs_a_library_names_the_extra(name) -> None:
    recipe = ROOT / "recipes" / f"{name}.toml"
    engine, package, extra = ABSENT[name]
    assert load_config(recipe).generation.engine == engine
    assert f"[{extra}]" in " ".join(comment(recipe))
    if importlib.util.find_spec(package) is None:
        for given in commands(recipe):
            assert f"context-synthesis[{extra}]" in give([*given, "--pairs", str(OWN)], code=2)


def test_settings_of_other_trainers_name_what_the_exports_hold(tmp_path) -> None:
    """Columns, roles and files; their own readers were asked where they are installed."""
    small = shlex.split("--limit 3 --words 60 --lengths 512 --twins removed --out made")
    give(["run", *small])
    columns, roles = {}, set()
    for name, form in (("samples.parquet", "messages"), ("pairs.parquet", "preference")):
        give(["export", "made", name, "--format", form, "--config", "composer-chat-512"])
        rows = pq.read_table(name)
        columns[name.partition(".")[0]] = set(rows.column_names)
        for column in {"messages", "prompt", "chosen", "rejected"} & set(rows.column_names):
            roles |= {turn["role"] for turns in rows.column(column).to_pylist() for turn in turns}
    assert roles == {"user", "assistant"}
    folder = ROOT / "recipes" / "train"
    for path in (*folder.glob("axolotl-*.yaml"), folder / "trl-dpo.yaml"):
        (data,) = yaml.safe_load(path.read_text("utf-8"))["datasets"]
        file = Path(data.get("data_files") or data["path"])
        named = [value for key, value in data.items() if key.startswith("field_")] + data.get("columns", [])
        assert named and set(named) <= columns[file.stem]
        assert f" {file} --format" in path.read_text("utf-8")
    known = json.loads((folder / "llamafactory" / "dataset_info.json").read_text("utf-8"))
    for name, data in known.items():
        assert set(data["columns"].values()) <= columns[name]
        assert {data["tags"]["user_tag"], data["tags"]["assistant_tag"]} == roles
    for path in (folder / "llamafactory").glob("*.yaml"):
        told = yaml.safe_load(path.read_text("utf-8"))
        assert f"llamafactory/{known[told['dataset']]['file_name']}" in path.read_text("utf-8")
