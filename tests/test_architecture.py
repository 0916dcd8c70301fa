"""The arrows of the design: who may import whom, and what stays unimported."""

import ast
from collections import Counter
from pathlib import Path

import pytest

from tests.programs import run_python

ROOT = Path(__file__).parent.parent
PACKAGES = ("synthesis", "builder", "space")

# From the ground up: each room may import itself and those before it, and nothing else of ours.
FLOORS = {
    "synthesis": (
        *("data", "errors", "wording", "keys", "proxies", "lazy_sequence", "tasks", "storage", "processes"),
        *("settings", "options"),
        *("text", "tokens", "sources", "engines", "prompts", "coherence", "gate", "run", "scale", "assembly"),
        "evaluation",
        "",  # the package's own surface
    ),
    "builder": ("resources", "folder", "loading", "job", "export", "report", "hub", "cli", ""),
    "space": ("making", "handlers", "datasets", "guard", "view", "tabs", "app", "entry", ""),
}


def imports(path: Path) -> set[str]:
    """Absolute names of the modules of ours that a file imports, wherever in it."""
    found: set[str] = set()
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            found.add(module)
            if module in PACKAGES:
                found |= {f"{module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] in PACKAGES}


def module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


ALL = {module(path): path for package in PACKAGES for path in sources(package)}


def room(name: str) -> str:
    """``synthesis.assembly.counting`` -> ``assembly``."""
    return (name.split(".") + [""])[1]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_room_has_its_floor(package) -> None:
    assert {room(name) for name in ALL if name.split(".")[0] == package} == set(FLOORS[package])


@pytest.mark.parametrize(
    "path",
    [path for package in PACKAGES for path in sources(package)],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_imports_point_one_way(path) -> None:
    own = module(path)
    package = own.split(".")[0]
    floors = FLOORS[package]
    for name in imports(path):
        if name.split(".")[0] != package:
            assert PACKAGES.index(name.split(".")[0]) < PACKAGES.index(package), f"{own} imports {name}"
        elif name != package:
            assert floors.index(room(name)) <= floors.index(room(own)), f"{own} must not import {name}"


def test_no_files_import_one_another_in_a_circle() -> None:
    """Also not for types alone, and not inside functions."""
    arrows = {}
    for name, path in ALL.items():
        ours = {one for one in imports(path) if one in ALL and one != name}
        # To import from a package's face is to import what it leads to, never the face's own folder.
        arrows[name] = {one for one in ours if not name.startswith(f"{one}.")}
    while free := [name for name, ones in arrows.items() if not ones & arrows.keys()]:
        for name in free:
            del arrows[name]
    while unneeded := arrows.keys() - set().union(*arrows.values()):
        for name in unneeded:
            del arrows[name]
    assert not arrows, {name: sorted(ones & arrows.keys()) for name, ones in sorted(arrows.items())}


def test_a_public_class_name_is_used_once() -> None:
    names = Counter(
        node.name
        for path in ALL.values()
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert {name for name, uses in names.items() if uses > 1} == set()


# The composer's dials and folders: a question is read, then stated, then told apart from others, then told.
COMPOSER_FLOORS = (
    "dials",
    "lexicon",
    "grammar",
    "reading",
    "asking",
    "stating",
    "decoys",
    "prose",
    "reference",
    "forms",
    "languages",
    "draft",
    "engine",
    "",
)


@pytest.mark.parametrize(
    "path",
    sources("synthesis/engines/composer"),
    ids=lambda path: "/".join(path.relative_to(ROOT / "synthesis/engines/composer").parts),
)
def test_the_composer_reads_before_it_states(path) -> None:
    def floor(name: str) -> int:
        return COMPOSER_FLOORS.index((name.split(".") + [""])[3])

    own = module(path)
    for name in imports(path):
        if name.startswith("synthesis.engines.composer"):
            assert floor(name) <= floor(own), f"{own} must not import {name}"


def test_the_space_is_not_imported_from_below() -> None:
    for path in sources("builder"):
        assert not any(name.startswith("space") for name in imports(path)), path


def test_engines_know_little_and_not_one_another() -> None:
    shared = tuple(f"synthesis.engines.{name}" for name in ("base", "chat", "serving"))
    allowed = ("synthesis.data", "synthesis.errors", "synthesis.proxies", *shared)
    for path in sources("synthesis/engines"):
        family = path.relative_to(ROOT / "synthesis/engines").parts[0]
        for name in imports(path):
            own = name.startswith(f"synthesis.engines.{family}")
            assert own or name.startswith(allowed) or "composer" in path.parts, f"{path} imports {name}"


HEAVY = ("torch", "transformers", "vllm", "datasets", "pyarrow", "numpy", "gradio", "matplotlib", "datatrove")
LATE = ("tokenizers", "jinja2", "huggingface_hub")


@pytest.mark.parametrize(
    ("statement", "more"),
    [
        ("import synthesis", (*LATE, "rich")),
        ("import builder", LATE),
        ("import builder.cli.main", (*LATE, "synthesis.coherence", "synthesis.engines", "synthesis.run")),
        ("import builder.loading.load, builder.export.write", LATE),
        ("import synthesis.tokens.tokenizer, synthesis.assembly, builder.folder.build", LATE),
        ("import synthesis.assembly", ("synthesis.engines.composer.draft",)),
        ("import synthesis.evaluation.metrics", ("jieba", "rouge", "rouge_score", "nltk")),
        ("import synthesis.scale", ("tokenizers",)),
        ("import synthesis.engines.composer", LATE),
        ("from synthesis import *; score('a b', 'c', 'd'), [*read_pairs('examples/pairs.jsonl')]", LATE),
    ],
)
def test_heavy_packages_wait_until_they_are_used(statement, more) -> None:
    done = run_python(
        "-c", f"{statement}; import sys; print(*sorted({set(HEAVY + more)!r} & set(sys.modules)))"
    )
    assert (done.stdout.strip(), done.stderr) == ("", "")
