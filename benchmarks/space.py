"""The page under load: ``python benchmarks/space.py [VISITORS]``.

One visitor alone (first text, an 8k sample complete), many at once by the page's own queue, the server's
memory meanwhile, and a 32k sample drawn by Chromium. The server is a process of its own; so many visitors
are one more. Needs the dev extra, and Chromium for the last line.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import psutil
from playwright.sync_api import sync_playwright

from tests.browser.chromium import launch
from tests.space_server import serving

VISITORS = 50
RUNS = 7

# Notes when bytes come, and when the finished text stands on the screen.
_WATCH = """
const read = ReadableStreamDefaultReader.prototype.read;
ReadableStreamDefaultReader.prototype.read = async function (...given) {
  const got = await read.apply(this, given);
  if (got.value?.length) window.came = performance.now();
  return got;
};
"""
_AWAIT = """(before) => new Promise((resolve) => {
  const look = () => {
    const done = document.querySelector("#syn-text")?.dataset.done;
    if (!done || done === before) return;
    watch.disconnect();
    const came = window.came;
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - came)));
  };
  const watch = new MutationObserver(look);
  watch.observe(document.body, { childList: true, subtree: true, attributes: true });
  document.querySelector("#syn-go").click();
})"""


@dataclass(frozen=True, slots=True)
class Wait:
    """Seconds from the press to the first text and to the end of the run."""

    first: float
    whole: float


@dataclass(frozen=True, slots=True)
class Button:
    """What pressing Synthesize sends: the event's number and the form's values."""

    number: int
    values: list[Any]


def button(config: dict[str, Any]) -> Button:
    """Find the run behind the button Synthesize: the event after the press."""
    components = {one["id"]: one["props"] for one in config["components"]}
    go = next(name for name, props in components.items() if props.get("elem_id") == "syn-go")
    events = config["dependencies"]
    press = next(one for one in events if [go, "click"] in [list(target) for target in one["targets"]])
    run = next(one for one in events if one.get("trigger_after") == press["id"])
    return Button(run["id"], [components[name].get("value") for name in run["inputs"]])


async def visitor(client: httpx.AsyncClient, pressed: Button, number: int) -> Wait:
    """One visitor's run with a pair of their own, from the press to its end."""
    session, started, first = f"bench-{os.getpid()}-{number}-{time.monotonic_ns()}", time.perf_counter(), 0.0
    asked = [f"Where was crate {number} sent?", f"To depot {number}", *pressed.values[2:]]
    body = {"data": asked, "fn_index": pressed.number, "session_hash": session}
    (await client.post("queue/join", json=body)).raise_for_status()
    async with client.stream("GET", "queue/data", params={"session_hash": session}) as reply:
        async for line in reply.aiter_lines():
            if not line.startswith("data:"):
                continue
            event = json.loads(line.removeprefix("data:"))
            first = first or (event["msg"] == "process_generating") * (time.perf_counter() - started)
            if event["msg"] == "process_completed":
                if not event["success"]:
                    raise RuntimeError(f"visitor {number} was not served: {event['output']}")
                return Wait(first, time.perf_counter() - started)
    raise RuntimeError(f"visitor {number}: the line went dead")


async def crowd(url: str, pressed: Button, count: int) -> list[Wait]:
    """So many visitors who press at the same moment."""
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=f"{url}gradio_api/", timeout=120, limits=limits) as client:
        return await asyncio.gather(*(visitor(client, pressed, number) for number in range(count)))


@contextmanager
def peak_memory() -> Iterator[list[int]]:
    """The most bytes that the server and its children held, as the list's only item."""
    server = next(one for one in psutil.Process().children() if "space.app" in one.cmdline())
    most, ended = [0], threading.Event()

    def look() -> None:
        while not ended.wait(0.05):
            held = sum(one.memory_info().rss for one in [server, *server.children(recursive=True)])
            most[0] = max(most[0], held)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield most
    finally:
        ended.set()
        thread.join()


def drawn(url: str) -> list[float]:
    """Seconds from the last bytes of a 32k sample to its text on the screen, some times over."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.add_init_script(_WATCH)
        page.goto(f"{url}#instruction=Who+kept+the+light%3F&answer=Ilse+Brandt&length=32k")
        page.get_by_text("Inputs restored from the link").wait_for(timeout=120_000)
        page.set_default_timeout(120_000)
        page.get_by_role("button", name="More settings").click()
        taken = []
        for seed in range(3):
            page.get_by_label("Seed", exact=True).first.fill(str(seed))
            before = page.locator("#syn-text").get_attribute("data-done")
            taken.append(page.evaluate(_AWAIT, before) / 1000)
            if len(page.locator("#syn-text").inner_text()) < 100_000:
                raise RuntimeError(f"no 32k sample came: {page.locator('#syn-status').inner_text()}")
        browser.close()
    return taken


def row(name: str, figure: str, target: str) -> None:
    """Print a line of the table."""
    print(f"{name:44} {figure:>30}   {target}")


def main(count: int) -> None:
    """Measure and print."""
    with serving() as url, peak_memory() as memory:
        pressed = button(httpx.get(f"{url}config", timeout=60).json())
        first = asyncio.run(crowd(url, pressed, 1))[0]  # it makes the other documents, for all who follow
        print(f"load of the machine before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        alone = [asyncio.run(crowd(url, pressed, 1))[0] for _ in range(RUNS)]
        row("8k sample, the first after the start", f"{first.whole:.2f} s", "")
        row("first text, alone", f"{statistics.median(one.first for one in alone):.2f} s", "< 0.5 s")
        row("8k sample complete, alone", f"{statistics.median(one.whole for one in alone):.2f} s", "< 2 s")
        waits = asyncio.run(crowd(url, pressed, count))
        firsts = sorted(one.first for one in waits)
        wholes = sorted(one.whole for one in waits)
        last = int(0.95 * count)
        row(
            f"{count} at once: first text, median, p95",
            f"{firsts[count // 2]:.1f} s, {firsts[last]:.1f} s",
            "",
        )
        row(
            f"{count} at once: complete, median, p95",
            f"{wholes[count // 2]:.1f} s, {wholes[last]:.1f} s",
            "< 25 s",
        )
        taken = drawn(url)
        row("32k in Chromium, after the last bytes", f"{statistics.median(taken):.2f} s", "< 1.5 s")
    row("server's memory, most", f"{memory[0] / 2**20:.0f} MiB", "< 500 MB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else VISITORS)
