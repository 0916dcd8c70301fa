"""The arrows of the design: who may import whom, and what stays unimported."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("synthesis", "builder", "space")

# Each layer may import the layers named with it, itself, and nothing else of ours.
BASE = {"data", "errors"}
SETTINGS = BASE | {"ondemand", "tables", "config", "tokens", "tokenizer", "tasks", "storage"}
MIDDLE = SETTINGS | {"engines.base"}
RUN = MIDDLE | {"pairs", "sources", "prompts", "parsing", "journal", "run_folder"}
RUN |= {"coherence", "engines", "work", "repair", "expansion", "batching"}
ALLOWED = {
    "data": set(),
    "errors": set(),
    "ondemand": set(),
    "tasks": BASE,
    "storage": BASE,
    "tables": BASE,
    "config": BASE | {"tables"},
    "tokens": BASE | {"tokenizer"},
    "tokenizer": BASE | {"tokens"},  # loading is the lazy half of tokens
    "sources": SETTINGS,
    "pairs": SETTINGS | {"sources"},
    "prompts": MIDDLE,
    "parsing": MIDDLE,
    "work": BASE | {"engines.base"},
    "log": BASE | {"storage"},
    "journal": SETTINGS | {"log"},
    "run_folder": SETTINGS | {"journal"},
    "repair": MIDDLE | {"work", "prompts", "parsing", "coherence"},
    "expansion": MIDDLE | {"work", "prompts", "parsing", "coherence", "repair"},
    "ngrams": BASE,
    "filters": SETTINGS | {"coherence", "ngrams", "contamination"},
    "contamination": SETTINGS | {"sources", "ngrams"},
    "batching": SETTINGS | {"engines", "engines.base", "log"},
    "judge": MIDDLE | {"work", "prompts", "parsing", "repair"},
    "coherence": MIDDLE,
    "assembly": SETTINGS | {"sources"},
    "engines": BASE | {"engines.base"},
    "run": RUN,
    "scale": RUN | {"run"},
    "": BASE | {"assembly", "coherence", "pairs", "run", "tokens"},  # the package's own surface
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


def layer(name: str) -> str:
    """``synthesis.assembly.budget`` -> ``assembly``; ``synthesis.engines.base`` stays apart."""
    parts = name.split(".")[1:]
    return ".".join(parts[:2]) if parts[:2] == ["engines", "base"] else (parts[0] if parts else "")


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("path", sources("synthesis"), ids=lambda path: str(path.relative_to(ROOT)))
def test_synthesis_imports_point_one_way(path) -> None:
    own = layer(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
    for name in imports(path):
        assert name.startswith("synthesis"), f"{path.name} imports {name} from above"
        target = layer(name)
        same = own.split(".")[0] == target.split(".")[0]
        if name == "synthesis" or same:
            continue
        assert target in ALLOWED[own.split(".")[0]], f"{own or 'synthesis'} must not import {name}"


def test_the_space_is_not_imported_from_below() -> None:
    for path in sources("builder"):
        assert not any(name.startswith("space") for name in imports(path)), path


def test_engines_do_not_import_one_another() -> None:
    for path in sources("synthesis/engines"):
        for name in imports(path):
            if name.startswith("synthesis.engines.") and name != "synthesis.engines.base":
                family = name.split(".")[2]
                assert family in path.parts or path.stem == family, f"{path} imports {name}"


@pytest.mark.parametrize(
    ("statement", "forbidden"),
    [
        (
            "import synthesis",
            {"torch", "vllm", "datasets", "pyarrow", "numpy", "tokenizers", "rich", "jinja2", "matplotlib"},
        ),
        ("import builder", {"torch", "vllm", "datasets", "pyarrow", "numpy", "gradio", "matplotlib"}),
        (
            "import builder.cli",
            {"torch", "vllm", "datasets", "pyarrow", "numpy", "tokenizers", "gradio", "matplotlib"},
        ),
        ("import synthesis.scale", {"datatrove", "torch", "datasets", "pyarrow", "numpy", "tokenizers"}),
        (
            "import synthesis.engines.composer",
            {"torch", "vllm", "datasets", "pyarrow", "numpy", "tokenizers"},
        ),
    ],
)
def test_heavy_packages_wait_until_they_are_used(statement, forbidden) -> None:
    code = f"{statement}; import sys; print(*sorted({forbidden!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == ""
