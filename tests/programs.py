"""Programs in processes of their own: the command line, and Python under another seed of hashes."""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.context import ForkServerContext
from pathlib import Path
from unittest.mock import patch

ROOT = Path(__file__).parent.parent
PATIENCE = 580.0  # seconds
_ALWAYS = {"HF_HUB_OFFLINE": "1", "COLUMNS": "120"}
# What commands import takes longer than what most of them do.
_IMPORTED = ["builder.cli.main", "builder.job.execute", "builder.folder.figures.plots", "pandas"]
_READ_LATE = ("PYTEST_CURRENT_TEST", "OPENAI_API_KEY")  # by nothing while it is imported


def run_command(*args: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Give ``context-synthesis`` these arguments; what it did.

    Its process is a fork of one that has imported what commands need, unless the environment is another.
    """
    line, environment = [*map(str, args)], {**os.environ, **_ALWAYS, **environment}
    context, imported_under = _with_imports()
    if _for_imports(environment) != imported_under:
        return run_python("-m", "builder.cli", *line, **environment)
    with tempfile.TemporaryDirectory() as folder:
        process = context.Process(target=_give, args=(line, environment, folder))
        process.start()
        process.join(PATIENCE)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(line, PATIENCE)
        told = (Path(folder, name).read_text("utf-8") for name in ("stdout", "stderr"))
        return subprocess.CompletedProcess(line, process.exitcode, *told)


def run_python(
    *args: object,
    said: str = "",
    folder: Path = ROOT,
    alone: Mapping[str, str] | None = None,
    **environment: str,
) -> subprocess.CompletedProcess[str]:
    """Start Python from nothing, in a folder and with ``said`` as its input; what it did.

    ``environment`` is added to that of the tests, or to ``alone``.
    """
    return subprocess.run(
        [sys.executable, *map(str, args)],
        input=said,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        cwd=folder,
        env={**(os.environ if alone is None else alone), **environment},
    )


@contextmanager
def running(
    *args: object, alone: Mapping[str, str] | None = None, heard: bool = True, **environment: str
) -> Iterator[subprocess.Popen[str]]:
    """The same in the project's folder, while it runs; killed at the end of the block if it still does.

    With ``heard`` false what it prints goes nowhere, and need not be read for it to go on.
    """
    out = subprocess.PIPE if heard else subprocess.DEVNULL
    with subprocess.Popen(
        [sys.executable, *map(str, args)],
        stdin=subprocess.PIPE,
        stdout=out,
        stderr=out,
        text=True,
        cwd=ROOT,
        env={**(os.environ if alone is None else alone), **environment},
        # A shell without job control has the commands in its background ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def under_hash_seeds(
    code: str, *args: object, said: str = "", seeds: Iterable[str] = ("0", "1", "77")
) -> str:
    """What a piece of code prints, which must be the same under every seed of hashes."""
    with ThreadPoolExecutor() as pool:
        made = [
            pool.submit(run_python, "-W", "error", "-c", code, *args, said=said, PYTHONHASHSEED=seed)
            for seed in seeds
        ]
    for one in made:
        assert one.result().returncode == 0, one.result().stderr
    (printed,) = {one.result().stdout for one in made}
    return printed


@functools.cache
def _with_imports() -> tuple[ForkServerContext, Mapping[str, str]]:
    """Where processes are forked, and the environment under which everything was imported there."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_IMPORTED)
    with patch.dict(os.environ, _ALWAYS):
        first = context.Process(target=int)
        first.start()
        first.join()
        return context, _for_imports(os.environ)


def _for_imports(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name not in _READ_LATE}


def _give(line: Sequence[str], environment: Mapping[str, str], folder: str) -> None:
    """In the new process: become the command."""
    from builder.cli.main import main

    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    for number, name in enumerate(("stdout", "stderr"), start=1):
        with Path(folder, name).open("wb") as file:
            os.dup2(file.fileno(), number)
    sys.argv = ["context-synthesis", *line]
    main()
