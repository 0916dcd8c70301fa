"""The README and docs/ tell the truth: commands and Python run, the tree is true, links lead somewhere."""

from __future__ import annotations

import inspect
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer

from scripts import make_tree
from synthesis.errors import UsageError
from tests.programs import run_python

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
DOCS = sorted((ROOT / "docs").glob("*.md"))
# The README comes first: what it makes, the others look at.
PAGES = [README, *DOCS]
GUIDES = [*PAGES, *(path for name in ("CONTRIBUTING.md", "AGENTS.md") if (path := ROOT / name).exists())]
# Its blocks are pieces to put into modules, which a test of their own does.
PIECES = {ROOT / "docs" / "extending.md"}


def blocks(language: str, page: Path) -> list[str]:
    """Fenced blocks of a language, or of any."""
    found = re.findall(r"^```([a-z]*)\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return [text for name, text in found if language in (name, "any")]


def commands(page: Path, language: str = "any") -> list[str]:
    """The ``context-synthesis`` commands in a page's blocks."""
    return [
        line.split("#")[0].strip()
        for block in blocks(language, page)
        for line in block.replace("\\\n", " ").splitlines()
        if line.startswith("context-synthesis ")
    ]


def mentioned(page: Path) -> list[str]:
    """Commands in running text, as in ``context-synthesis run run.toml``."""
    return re.findall(r"`(context-synthesis [^`]+)`", page.read_text("utf-8"))


@pytest.fixture(scope="module")
def workplace(tmp_path_factory) -> Path:
    """A folder in which a newcomer has given every command of the README, and then those of docs/."""
    folder = tmp_path_factory.mktemp("newcomer")
    shutil.copy(ROOT / "examples" / "pairs.jsonl", folder)
    given = [command for page in PAGES for command in commands(page, "bash")]
    assert len(given) >= 5
    for command in given:
        done = subprocess.run(
            command, shell=True, cwd=folder, env=environment(), capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"
    return folder


def environment() -> dict[str, str]:
    scripts = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}", "HF_HUB_OFFLINE": "1"}


def test_every_command_runs_in_order(workplace) -> None:
    from synthesis.options import from_dict, load_config

    (example,) = blocks("toml", ROOT / "docs" / "pairs.md")
    assert (
        from_dict(tomllib.loads(example)).generation
        == load_config(workplace / "runs/mine/run.toml").generation
    )


def test_every_python_block_runs(workplace) -> None:
    found = [block for page in PAGES if page not in PIECES for block in blocks("python", page)]
    assert len(found) >= 4
    for block in found:
        home = str(workplace / "hf")
        done = run_python("-c", block, folder=workplace, alone=environment(), HF_HOME=home)
        assert done.returncode == 0, f"{block}\n{done.stderr}"


def parse(command: str) -> None:
    """Let the real command line read a command, and do nothing."""
    from builder.cli.main import app
    from builder.cli.options import named_file

    words = shlex.split(command)[1:]
    given = typer.main.get_command(app)
    context = given.make_context("context-synthesis", list(words))
    while context._protected_args:
        rest = [*context._protected_args, *context.args]
        name, given, rest = given.resolve_command(context, rest)
        context = given.make_context(name, list(rest), parent=context)
    named_file(context.params.get("run_file"), None)


@pytest.mark.parametrize("page", GUIDES, ids=lambda path: path.name)
def test_the_command_line_understands_every_command(page) -> None:
    for command in [*commands(page), *mentioned(page)]:
        if "COMMAND" not in command:
            parse(command)


def test_a_command_that_is_not_one_is_noticed() -> None:
    for wrong in ("context-synthesis fly", "context-synthesis run --wrods 5", "context-synthesis batch fly"):
        with pytest.raises(Exception, match=r"(?i)no such"):
            parse(wrong)
    with pytest.raises(UsageError, match="pairs are given as --pairs"):
        parse("context-synthesis run pairs.jsonl")


@pytest.mark.parametrize("page", GUIDES, ids=lambda path: path.name)
def test_every_target_of_make_is_one(page) -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    text = page.read_text("utf-8")
    for target in re.findall(r"`make\s([a-z-]+)`", text) + re.findall(r"^make ([a-z-]+)", text, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_tree_is_the_tree() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    assert make_tree.BEGIN + make_tree.tree() + make_tree.END in page, "run python scripts/make_tree.py"
    for package in ("synthesis", "builder", "space"):
        for path in (ROOT / package).rglob("*.py"):
            if path.name != "__init__.py":
                assert re.search(rf"^ +{re.escape(path.name)} ", page, re.MULTILINE), path


def test_what_stands_beside_the_packages_is_named() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    section = page[page.index("Beside the packages") :].split("```")[1]
    named = {line.split()[0] for line in section.splitlines() if line and not line.startswith(" ")}
    for name in named:
        assert (ROOT / name).exists(), f"the tree names {name}, which is not there"
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout
    folders = {f"{line.split('/')[0]}/" for line in listed.splitlines() if "/" in line}
    assert folders - {"synthesis/", "builder/", "space/", ".ci/"} <= named


def anchors(page: Path) -> set[str]:
    """The anchors that headings of a page get."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", GUIDES, ids=lambda path: path.name)
def test_links_and_pictures_are_there(page) -> None:
    text = page.read_text("utf-8")
    targets = re.findall(r"\]\((?!https?:)([^)\s]+)\)", text)
    targets += re.findall(r'(?:src|srcset)="(?!https?:)([^"]+)"', text)
    for target in targets:
        name, _, anchor = target.partition("#")
        found = (page.parent / name) if name else page
        assert found.exists(), f"{page.name} links to {target}"
        assert not anchor or anchor in anchors(found), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", GUIDES, ids=lambda path: path.name)
def test_files_that_are_named_are_there(page) -> None:
    for path in re.findall(
        r"`((?:synthesis|builder|space|tests|scripts|docs|recipes)/[\w./-]+)`", page.read_text("utf-8")
    ):
        assert "NAME" in path or (ROOT / path).exists(), f"{page.name} names {path}"


def test_settings_of_engines_are_parameters_of_theirs() -> None:
    from synthesis.engines import engine_class, engine_names

    page = (ROOT / "docs" / "engines.md").read_text("utf-8")
    table = page[page.index("| engine | settings |") :].split("\n\n")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", table, re.MULTILINE)
    assert sorted(name for name, _ in rows) == engine_names()
    for name, told in rows:
        taken = inspect.signature(engine_class(name)).parameters
        named = re.findall(r"`(\w+)`", told.partition(":")[0])  # what a setting may be follows a colon
        assert named and set(named) <= set(taken), name
        if name != "vllm":  # of its many, those that most people need
            assert set(named) == set(taken) - {"model"}, name


def test_the_index_names_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text("utf-8")
    for page in DOCS:
        assert page.name == "README.md" or f"]({page.name})" in index, page.name


def test_what_every_repository_has_is_there() -> None:
    for name in (
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "AGENTS.md",
        "LICENSE",
        "dataset_card.md",
        "Makefile",
        ".ci/run",
    ):
        assert (ROOT / name).exists()


def test_the_readme_is_a_screen_and_a_half() -> None:
    assert len(README.read_text("utf-8").splitlines()) <= 100
