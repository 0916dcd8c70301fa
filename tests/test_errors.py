"""Errors of ours arrive in other processes as they were raised."""

from __future__ import annotations

import copy
import importlib
import inspect
import pickle
import re
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from synthesis.errors import MissingExtraError

ROOT = Path(__file__).parent.parent
DEFINED = re.compile(r"^class (\w+)\(\w*(?:Error|Exception)\):", re.MULTILINE)


def error_classes() -> list[type[Exception]]:
    """Every exception that a file of ours defines."""
    found = []
    for package in ("synthesis", "builder", "space"):
        for path in sorted((ROOT / package).rglob("*.py")):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            for name in DEFINED.findall(path.read_text(encoding="utf-8")):
                found.append(getattr(importlib.import_module(module), name))
    return found


def filled(kind: type[Exception]) -> Exception:
    """One with a value for every parameter, those that may be left out too."""
    if kind.__init__ is Exception.__init__:
        return kind("what happened", 7)
    _, *parameters = inspect.signature(kind.__init__).parameters.values()
    values = {parameter: f"the {parameter.name}" for parameter in parameters}
    named = {parameter for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY}
    return kind(
        *(value for parameter, value in values.items() if parameter not in named),
        **{parameter.name: values[parameter] for parameter in named},
    )


@pytest.mark.parametrize("kind", error_classes(), ids=lambda kind: kind.__name__)
def test_an_error_survives_pickling_and_copying(kind) -> None:
    error = filled(kind)
    error.add_note("in part 3")
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(again) is kind
        assert (str(again), again.args, vars(again)) == (str(error), error.args, vars(error))


def test_they_are_all_tried() -> None:
    assert {"MissingExtraError", "UnsettledError", "InputError", "BadRow"} < {
        kind.__name__ for kind in error_classes()
    }


def lack(package: str) -> None:
    raise MissingExtraError(package, "filters", "the filter by language")


def test_a_process_that_waits_hears_what_is_missing() -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        error = pool.submit(lack, "py3langid").exception(timeout=60)
    assert type(error) is MissingExtraError
    assert str(error) == str(MissingExtraError("py3langid", "filters", "the filter by language"))
