"""Rates on one GPU without a network: our engines beside what the library below each reaches alone.

    python benchmarks/gpu.py OUT [--seconds 480] [--parts card,7b:330,1.7b] [--tiny]   # 7b: 330 s at most
    python benchmarks/gpu.py OUT --parts real --model FOLDER    # a real model through the whole pipeline
    python benchmarks/gpu.py OUT --table                        # OUT/results.jsonl as Markdown

Models of the parts ``7b`` and ``1.7b`` have a real shape and random weights: only rates mean anything.
Each arm gets the same prompts (a pair in our template) and replies of the same lengths, log-uniform
from 32 to 1,024 tokens: equal work, token for token. vLLM's prefix cache is emptied between arms, and
one loaded vLLM serves all, so settings and start are the same. Every finding is in OUT/results.jsonl
at once; a part that dies or runs out of time does not take others along.

Beside a rate stands its share of a floor: an ideal refill's steps, each reading the weights once (or
multiplying them, where that takes longer) and the cache of each running reply, and the prompts read
at full rate, all at the bandwidth and bf16 rate that the part ``card`` measured.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from on_gpu.notes import Notes, read
from on_gpu.shapes import SHAPES


def main() -> None:
    """Run parts, each in a process of its own; then the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--parts", default="card,7b,1.7b,transformers")
    parser.add_argument("--seconds", type=float, default=480, help="for all parts together")
    parser.add_argument("--options", default="{}", help="JSON: further options of the engine 'vllm'")
    parser.add_argument("--model", help="a folder, for the parts 'real' and 'transformers'")
    parser.add_argument("--tiny", action="store_true", help="a model of two layers, on a CPU")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--until", type=float, help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    if given.until:
        run_part(Notes(given.out, given.parts, given.until), given)
        return
    until = time.time() + given.seconds
    for wished in [] if given.table else given.parts.split(","):
        part, _, most = wished.partition(":")
        begun = time.time()
        ends = min(until, begun + float(most or "inf"))
        command = [sys.executable, __file__, *sys.argv[1:], "--parts", part, "--until", str(ends)]
        child = subprocess.Popen(command, start_new_session=True)
        code: object
        try:
            code = child.wait(max(1.0, ends + 15 - begun))
        except subprocess.TimeoutExpired:
            code = "out of time"
        if code:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)  # what it started must not keep the memory
            Notes(given.out, part, until).add("failed", code=code)
        print(f"{part}: {time.time() - begun:.0f} s with its start", flush=True)
    print(table(read(given.out)))


def run_part(notes: Notes, given: argparse.Namespace) -> None:
    """One part, in this process."""
    if notes.part == "card":
        card(notes)
    elif notes.part == "transformers":
        from on_gpu.transformers_arms import transformers_part

        transformers_part(notes, None if given.tiny else given.model, given.tiny)
    else:
        from on_gpu.vllm_arms import SMALL, dummy, real

        options = (SMALL if given.tiny else {}) | json.loads(given.options)
        if notes.part == "real":
            real(notes, given.model, options, given.tiny)
        else:
            dummy(notes, SHAPES["tiny" if given.tiny else notes.part], options)


def card(notes: Notes) -> None:
    """Bandwidth of a copy (bytes read and written), and the rate of a bf16 product of random numbers."""
    import torch

    cuda = torch.cuda.is_available()
    device, size, side = ("cuda", 1 << 32, 8192) if cuda else ("cpu", 1 << 24, 512)
    source = torch.empty(size, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    left, right = (torch.randn(side, side, device=device).bfloat16() for _ in range(2))

    def median(work: Callable[[], object]) -> float:
        times = []
        for _ in range(13):
            begun = time.perf_counter()
            work()
            if cuda:
                torch.cuda.synchronize()
            times.append(time.perf_counter() - begun)
        return sorted(times[3:])[5]

    copy, product = median(lambda: target.copy_(source)), median(lambda: left @ right)
    notes.add(
        "card",
        name=torch.cuda.get_device_name() if cuda else "CPU",
        date=time.strftime("%Y-%m-%d"),
        torch=torch.__version__,
        terabytes_per_second=round(2 * size / copy / 1e12, 4),
        bf16_teraflops=round(2 * side**3 / product / 1e12, 4),
    )


def table(found: Iterable[dict[str, Any]]) -> str:
    """The findings as Markdown: of each arm the mean, its spread, and its ratio to the part's reference."""
    rates: dict[tuple[str, str], list[dict[str, Any]]] = {}
    lines = ["| part | arm | tokens/s | spread | ratio | of floor | watts |", "|---|---|---|---|---|---|---|"]
    for line in found:
        if "rate" in line:
            rates.setdefault((line["part"], line["arm"]), []).append(line)
    mean = {key: sum(one["rate"] for one in ones) / len(ones) for key, ones in rates.items()}
    for (part, arm), ones in rates.items():
        spread = (max(one["rate"] for one in ones) - min(one["rate"] for one in ones)) / mean[part, arm]
        alone = mean.get((part, "chat")) or mean.get((part, "generate"))
        ratio = f"{mean[part, arm] / alone:.2f}" if alone and arm != "score" else ""
        shares = [one.get("of_floor", one.get("of_peak")) for one in ones]
        share = "/".join(f"{one:.2f}" for one in shares if one is not None)
        watts = ones[-1].get("watts") or ""
        told = f"{spread:.1%}" if len(ones) > 1 else "one run"
        lines.append(f"| {part} | {arm} | {mean[part, arm]:,.0f} | {told} | {ratio} | {share} | {watts} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
