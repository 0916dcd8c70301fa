"""The pace of requests against servers of many kinds, in virtual time: no sockets and no waiting.

    python benchmarks/pace.py [--prompts 2000] [--places 64]

The parts that ask a server (``Asker``, ``Gate``, ``Tries``) run as they are, on an event loop whose
clock jumps to the next event; a server is a rule that says when a request is answered, and how. The
same seeds each time, so the same numbers on every machine. Each kind is asked at our pace and with
fixed numbers of places, which are not told beforehand what the server takes, either; the best of
these is what our pace is held against.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import selectors
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from synthesis.data import Completion
from synthesis.engines.serving.address import ServerAddress
from synthesis.engines.serving.asking import Asker, GaveUp, Server
from synthesis.engines.serving.failures import Failure, Kind
from synthesis.engines.serving.pace import Pace, Turn

T = TypeVar("T")
Answer = Completion | Failure

_INSTANT = 0.02  # seconds until a refusal is there
_TIMEOUT = 120.0
_TOKENS = 500
_FIXED = (1, 2, 3, 4, 6, 8, 12, 16, 20, 24, 32, 48, 64, 96, 128, 192, 256)


class _Jumping(selectors.DefaultSelector):
    """Does not wait but moves the clock."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("nothing will ever happen: all wait for each other")
        self.now += max(0.0, timeout)
        return super().select(0)


def in_virtual_time(work: Callable[[Callable[[], float]], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine, made for a clock, on a loop that never waits."""
    selector = _Jumping()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.now  # type: ignore[method-assign]
    loop._clock_resolution = 1e-9  # type: ignore[attr-defined]
    try:
        return loop.run_until_complete(work(loop.time))
    finally:
        loop.close()


class FixedPace(Pace):
    """As many places as at the start, whatever happens."""

    def answered(self, turn: Turn, cost: float = 0.0) -> None:
        """Nothing follows from it."""

    def refused(self, turn: Turn, wait: float | None, held: int, newest: float) -> None:
        """Nothing follows from it."""


class SimulatedServer:
    """Answers all, after ``seconds`` in the mean, raggedly: a few take several times as long."""

    def __init__(self, seconds: float = 2.0, seed: int = 0) -> None:
        self.seconds = seconds
        self.draws = random.Random(seed)
        self.held = self.asked = self.refusals = 0

    async def send(self, path: str, body: dict[str, Any]) -> Answer:
        """A reply or a failure, when its time has come."""
        self.asked += 1
        if (refusal := self.refuse(_now(), body["id"])) is not None:
            self.refusals += 1
            await asyncio.sleep(_INSTANT)
            return refusal
        self.held += 1
        try:
            async with asyncio.timeout(_TIMEOUT):
                return await self.work(body["id"])
        except TimeoutError:
            return Failure(Kind.TIMEOUT)
        finally:
            self.held -= 1

    def refuse(self, now: float, prompt_id: str) -> Failure | None:
        """Why a request is not taken."""
        return None

    async def work(self, prompt_id: str) -> Answer:
        """What comes of a request that was taken."""
        await asyncio.sleep(self.lasts())
        return Completion(prompt_id, "", output_tokens=_TOKENS)

    def lasts(self) -> float:
        """Seconds that a reply takes."""
        return self.seconds * self.draws.lognormvariate(-0.32, 0.8)


class Faulty(SimulatedServer):
    """Draws lots: 10 % are refused, 5 % fail, 2 % break off, 2 % are empty."""

    def __init__(self, refused: float = 0.1, late: bool = False) -> None:
        super().__init__()
        self.refused, self.late = refused, late

    def refuse(self, now: float, prompt_id: str) -> Failure | None:
        """By lot, at once."""
        return Failure(Kind.BUSY, "", 1.0) if not self.late and self.draws.random() < self.refused else None

    async def work(self, prompt_id: str) -> Answer:
        """By lot, and refusals, too, where they come ``late``."""
        done = await super().work(prompt_id)
        lot = self.draws.random()
        for kind, share in ((Kind.SERVER, 0.05), (Kind.BROKEN, 0.02), (Kind.EMPTY, 0.02)):
            if (lot := lot - share) < 0:
                return Failure(kind)
        return Failure(Kind.BUSY, "", 1.0) if self.late and lot < self.refused else done


class Rated(SimulatedServer):
    """So many requests a minute, from a bucket that fills steadily and holds ``burst`` of them.

    ``tells`` when to come again; ``strict`` counts what it refused, too. A rate may move.
    """

    def __init__(
        self,
        rate: Callable[[float], float],
        burst: float = 20,
        tells: bool = True,
        strict: bool = False,
        cost: Callable[[str], float] = lambda prompt_id: 1.0,
    ) -> None:
        super().__init__()
        self.rate, self.burst, self.tells, self.strict, self.cost = rate, burst, tells, strict, cost
        self.level, self.at = burst, 0.0

    def refuse(self, now: float, prompt_id: str) -> Failure | None:
        """When the bucket does not hold what it costs."""
        rate, cost = self.rate(now) / 60, self.cost(prompt_id)
        self.level = min(self.burst, self.level + (now - self.at) * rate)
        self.at = now
        if self.level < cost:
            if self.strict:
                self.level = max(-self.burst, self.level - cost)
            return Failure(Kind.BUSY, "", (cost - self.level) / rate if self.tells else None)
        self.level -= cost
        return None


class Windowed(SimulatedServer):
    """So many requests in each minute by the clock; then none until it is over."""

    def __init__(self, each_minute: int) -> None:
        super().__init__()
        self.each_minute, self.minute, self.taken = each_minute, 0, 0

    def refuse(self, now: float, prompt_id: str) -> Failure | None:
        """When the minute's are used up."""
        if int(now // 60) > self.minute:
            self.minute, self.taken = int(now // 60), 0
        if self.taken >= self.each_minute:
            return Failure(Kind.BUSY, "", 60 - now % 60)
        self.taken += 1
        return None


class Crowded(SimulatedServer):
    """Holds so many at once; the number may move."""

    def __init__(self, most: Callable[[float], int], wait: float | None = None) -> None:
        super().__init__()
        self.most, self.wait = most, wait

    def refuse(self, now: float, prompt_id: str) -> Failure | None:
        """When as many are held."""
        return Failure(Kind.BUSY, "", self.wait) if self.held >= self.most(now) else None


class Queueing(SimulatedServer):
    """Takes all and answers so many at once, the others in their order."""

    def __init__(self, slots: int) -> None:
        super().__init__()
        self.slots = asyncio.Semaphore(slots)

    async def work(self, prompt_id: str) -> Answer:
        """After those that came before."""
        async with self.slots:
            return await super().work(prompt_id)


class Tailed(SimulatedServer):
    """Nothing is wrong with it, but one reply of ten takes thirty times as long."""

    def lasts(self) -> float:
        """Mostly short."""
        return super().lasts() * (30 if self.draws.random() < 0.1 else 1) / 4


class Thrashing(SimulatedServer):
    """Becomes slow for everybody after a while if it holds more than so many."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def lasts(self) -> float:
        """By the square of the crowd."""
        worn = max(1.0, self.held / self.most) ** 2 if _now() > 10 else 1.0
        return super().lasts() * worn


def _tokens(prompt_id: str) -> float:
    return random.Random(prompt_id).lognormvariate(-0.32, 0.8)


def _between(*steps: tuple[float, float]) -> Callable[[float], float]:
    """A number that moves: each from its second on."""
    return lambda now: [value for since, value in steps if since <= now][-1]


SERVERS: dict[str, Callable[[], SimulatedServer]] = {
    "nothing wrong": SimulatedServer,
    "a slow tail": Tailed,
    "queues all, answers 32": lambda: Queueing(32),
    "19 % faults": Faulty,
    "19 % faults, refusals late": lambda: Faulty(late=True),
    "39 % faults": lambda: Faulty(refused=0.3),
    "holds 16": lambda: Crowded(lambda now: 16),
    "holds 16, wait 1 s": lambda: Crowded(lambda now: 16, 1.0),
    "holds 16, wait 10 s": lambda: Crowded(lambda now: 16, 10.0),
    "holds 3": lambda: Crowded(lambda now: 3),
    "holds 40, 8, 64": lambda: Crowded(lambda now: int(_between((0, 40), (30, 8), (90, 64))(now))),
    "600 a minute": lambda: Rated(lambda now: 600),
    "600 a minute, says not when": lambda: Rated(lambda now: 600, tells=False),
    "600 a minute, refusals count": lambda: Rated(lambda now: 600, strict=True),
    "600 a minute by the clock": lambda: Windowed(600),
    "tokens of 600 a minute": lambda: Rated(lambda now: 600, cost=_tokens),
    "600, 150, 1,200 a minute": lambda: Rated(_between((0, 600), (40, 150), (100, 1200))),
    "wears out above 32": lambda: Thrashing(32),
}
"""Each kind by its name."""


@dataclass(frozen=True, slots=True)
class Course:
    """How a job went: seconds, requests, those refused, prompts left without a reply, places at the end."""

    seconds: float
    asked: int
    refused: int
    lost: int
    places: int


def run(make: Callable[[], SimulatedServer], prompts: int, places: int, fixed: bool = False) -> Course:
    """Ask for so many replies; as the engine does, twice as many as there are places are under way."""

    async def work(clock: Callable[[], float]) -> Course:
        server = make()
        pace = (FixedPace if fixed else Pace)(places, clock)
        known = Server(ServerAddress("http://simulated", "", _TIMEOUT), 6, pace)
        asker = Asker(known, server)  # type: ignore[arg-type]
        numbers = iter(range(prompts))
        lost = 0

        async def asks() -> None:
            nonlocal lost
            for number in numbers:
                body = {"id": str(number)}
                found = await asker.ask(str(number), lambda: ("", body), lambda reply: reply)  # noqa: B023
                lost += isinstance(found, GaveUp)

        await asyncio.gather(*(asks() for _ in range(2 * places)))
        return Course(clock(), server.asked, server.refusals, lost, pace.places)

    return in_virtual_time(work)


def best_fixed(make: Callable[[], SimulatedServer], prompts: int, among: Iterable[int]) -> tuple[int, Course]:
    """The number of places that does the job soonest, nothing lost; and how it went."""
    tried = {places: run(make, prompts, places, fixed=True) for places in among}
    return min(tried.items(), key=lambda entry: (entry[1].lost, entry[1].seconds))


def _now() -> float:
    return asyncio.get_running_loop().time()


def main() -> None:
    """Print a line for each kind of server."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--prompts", type=int, default=2000)
    parser.add_argument("--places", type=int, default=64, help="at most")
    arguments = parser.parse_args()
    print(f"{'server':30}{'ours':>9}{'asked':>7}{'refused':>8}{'lost':>5}{'end':>5}   best fixed")
    for name, make in SERVERS.items():
        ours = run(make, arguments.prompts, arguments.places)
        among = [places for places in _FIXED if places <= arguments.places]
        places, best = best_fixed(make, arguments.prompts, among)
        print(
            f"{name:30}{ours.seconds:8.1f}s{ours.asked:7}{ours.refused:8}{ours.lost:5}{ours.places:5}"
            f"   {best.seconds:7.1f}s at {places:3}, {best.refused} refused, {best.lost} lost"
            f"   {ours.seconds / best.seconds:5.2f}x",
            flush=True,
        )


if __name__ == "__main__":
    main()
