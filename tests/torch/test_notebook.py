"""The notebook in examples/, executed from its first cell to its last as Jupyter does it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "examples" / "from_pairs_to_a_model.ipynb"

# Jupyter's libraries warn of one another; that is theirs to settle.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The notebook with its outputs, and one more cell that tells what was measured."""
    out = tmp_path_factory.mktemp("notebook") / "out"
    book = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(book)
    book.cells.append(nbformat.v4.new_code_cell("print(json.dumps([before, after, len(taught)]))"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OUT", str(out))
        patch.delenv("MODEL", raising=False)
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("OMP_NUM_THREADS", "1")  # a tiny model is slowed down by sharing its work out
        NotebookClient(book, timeout=600, resources={"metadata": {"path": str(NOTEBOOK.parent)}}).execute()
    return book


def outputs(book: Any, kind: str) -> list[str]:
    """What cells gave as this kind of output, in order."""
    data = [one.get("data", {}) for cell in book.cells for one in cell.get("outputs", [])]
    return [one[kind] for one in data if kind in one]


def test_it_runs_to_its_end_and_the_answers_become_likelier(executed: Any) -> None:
    told = executed.cells[-1].outputs[0].text
    before, after, taught = json.loads(told)
    assert taught == 60 and before.keys() == after.keys() == {"full", "closed"}
    assert after["full"] < before["full"] - 0.1


def test_it_shows_a_sample_a_figure_and_lengths(executed: Any) -> None:
    assert any("<mark" in page and "its own context" in page for page in outputs(executed, "text/html"))
    assert outputs(executed, "image/png")
    printed = "".join(
        one.text for cell in executed.cells for one in cell.get("outputs", []) if one.output_type == "stream"
    )
    assert "1500: 60 samples" in printed and "nats per token" in printed
