"""Other tools against the same ragged server: each in an environment and a script of its own.

    python -m benchmarks.peers [--prompts 400] [--places 64] [--keep FOLDER]

A peer that does not install here, or whose script ends with an error, is a line that says so. ``--keep``
names a folder where the environments stay for the next time.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import resource
import signal
import subprocess
import tempfile
import time
import venv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import serving

ROOT = Path(__file__).resolve().parent.parent
_INSTALL_SECONDS, _RUN_SECONDS = 240, 60
_SAY = 'say = "What is the ferry of pier number {} called? " + "Write a long text. " * 60\n'
_GIVEN = (
    "import os, sys, tempfile\nurl, places, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])\n"
    'os.environ["OPENAI_API_KEY"] = "none"\n' + _SAY
)

DISTILABEL = _GIVEN + (
    """
from distilabel.models import OpenAILLM
from distilabel.pipeline import Pipeline
from distilabel.steps import LoadDataFromDicts
from distilabel.steps.tasks import TextGeneration
if __name__ == "__main__":
    with Pipeline(name="p", cache_dir=tempfile.mkdtemp()) as pipeline:
        asked = [{"instruction": say.format(n)} for n in range(count)]
        rows = LoadDataFromDicts(data=asked, batch_size=places)
        llm = OpenAILLM(model="m", base_url=url, api_key="none", generation_kwargs={"max_new_tokens": 4000})
        rows >> TextGeneration(llm=llm, input_batch_size=places)
    pipeline.run(use_cache=False)
"""
)

CURATOR = _GIVEN + (
    """
os.environ.update(CURATOR_CACHE_DIR=tempfile.mkdtemp(), TELEMETRY_ENABLED="0", CURATOR_VIEWER="0")
import tiktoken
from bespokelabs import curator
class Characters:  # in place of a vocabulary that it would download; it is for limits of tokens a minute
    def encode(self, text, **_):
        return [0] * (len(text) // 4)
tiktoken.get_encoding = lambda name: Characters()
class Writer(curator.LLM):
    def prompt(self, row):
        return row["instruction"]
    def parse(self, row, reply):
        return {"text": reply}
limits = {"max_requests_per_minute": 10**6, "max_tokens_per_minute": 10**9, "max_concurrent_requests": places}
writer = Writer("m", backend="openai", backend_params={"base_url": url, **limits})
writer([{"instruction": say.format(n)} for n in range(count)])
"""
)

DATATROVE = _GIVEN + (
    """
from datatrove.data import Document
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.inference.run_inference import InferenceConfig, InferenceRunner
from datatrove.pipeline.writers import JsonlWriter
async def rollout(document, generate):
    got = await generate({"messages": [{"role": "user", "content": document.text}], "max_tokens": 4000})
    return {"text": got.text}
out = tempfile.mkdtemp()
where = {"endpoint_url": url.removesuffix("/v1"), "max_concurrent_generations": places}
config = InferenceConfig("endpoint", "m", **where)
step = InferenceRunner(rollout, config, JsonlWriter(out, compression=None))
rows = [Document(say.format(n), str(n)) for n in range(count)]
LocalPipelineExecutor([rows, step], logging_dir=out + "/log", tasks=1).run()
"""
)

PEERS = {
    "distilabel": ("distilabel[openai] requests", DISTILABEL),
    "curator": ("bespokelabs-curator", CURATOR),
    "datatrove": ("datatrove[io] httpx aiofiles", DATATROVE),
}
"""Each peer: what is installed, and its script."""


@dataclass(frozen=True, slots=True)
class Peer:
    """What an arm came to: seconds (none if it failed), those of our run on the same prompts, a remark."""

    arm: str
    took: tuple[float, ...] = ()
    ours: tuple[float, ...] = ()
    note: str = ""


def measured(folder: Path, environments: Path, prompts: int, places: int) -> Iterator[Peer]:
    """Our run and each peer, without faults and with them; environments are made where they are not yet."""
    pairs = folder / "pairs.jsonl"
    serving.write_pairs(pairs, prompts)
    kinds: dict[str, dict[str, tuple[float, serving.Fault]]] = {"": {}, ", 19 % faults": serving.ORDINARY}
    ours: dict[str, tuple[float, ...]] = {}
    for number, (kind, faults) in enumerate(kinds.items()):
        server = serving.SlowServer(faults)
        command = serving.loop_command(server, pairs, folder / f"ours{number}", places)
        one = asyncio.run(_run(server, command, 3))
        ours[kind] = one.took
        yield replace(one, arm=f"our run{kind}, {prompts} prompts, {places} at once")
    for name, (packages, code) in PEERS.items():
        python = environments / name / "bin" / "python"
        if trouble := _installed(environments / name, packages):
            yield Peer(name, note=f"left out: it does not install here ({trouble})")
            continue
        script = folder / f"ask_with_{name}.py"
        script.write_text(code)
        for kind, faults in kinds.items():
            server = serving.SlowServer(faults)
            command = [str(python), str(script), "", str(places), str(prompts)]
            yield replace(asyncio.run(_run(server, command, 2)), arm=name + kind, ours=ours[kind])


async def _run(server: serving.SlowServer, command: list[str], url_at: int) -> Peer:
    """A client to its end, or until its time is up; ``url_at`` is where the server's address goes."""
    began, spent = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    with tempfile.TemporaryFile() as said:
        async with await server.serve():
            command[url_at] = server.url
            process = await asyncio.create_subprocess_exec(
                *command, cwd=ROOT if "-c" in command else None, env=environment | {"NO_PROXY": "127.0.0.1"},
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said, start_new_session=True,
            )  # fmt: skip
            try:
                await asyncio.wait_for(process.wait(), _RUN_SECONDS)
            except TimeoutError:
                pass
            finally:
                with contextlib.suppress(ProcessLookupError):  # and what it started
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        said.seek(0)
        last = said.read().decode("utf-8", "replace").strip().splitlines()[-1:]
    book, done = server.book, len(server.book.answered)
    told = f"{done} prompts answered, {sum(book.asked.values())} requests"
    if process.returncode == -signal.SIGKILL:
        return Peer("", note=f"not done after {_RUN_SECONDS} s: {told}")
    if process.returncode:
        return Peer("", note=f"exit {process.returncode}: {told}; {' '.join(last)[:150]}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime - spent.ru_utime - spent.ru_stime
    start = book.first - began
    return Peer("", (book.last - book.first,), note=f"{told}; {start:.1f} s to the first; {cpu:.1f} CPU-s")


def _installed(folder: Path, packages: str) -> str:
    """Make the environment unless it is there; what went wrong, or nothing."""
    done = folder / "installed"
    if done.exists():
        return ""
    try:
        venv.create(folder, with_pip=True)
        pip = [folder / "bin" / "python", "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        subprocess.run(
            [*pip, *packages.split()], check=True, capture_output=True, text=True, timeout=_INSTALL_SECONDS
        )
    except subprocess.TimeoutExpired:
        return f"not done after {_INSTALL_SECONDS} s"
    except subprocess.CalledProcessError as error:
        return " ".join((error.stderr or "pip failed").split())[-200:]
    except OSError as error:
        return str(error)
    done.touch()
    return ""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--prompts", type=int, default=400)
    parser.add_argument("--places", type=int, default=64)
    parser.add_argument("--keep", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        for one in measured(Path(scratch), chosen.keep or Path(scratch), chosen.prompts, chosen.places):
            took = f"{one.took[0]:.1f} s" if one.took else ""
            ratio = f"{one.took[0] / one.ours[0]:.2f} of ours" if one.took and one.ours else ""
            print(f"{one.arm:50} {took:>9} {ratio:>14}  {one.note}", flush=True)


if __name__ == "__main__":
    main()
