"""How many requests run at once: against servers of many kinds, in virtual time, and rule by rule."""

from __future__ import annotations

import pytest

from benchmarks.pace import SERVERS, best_fixed, run
from synthesis.engines.serving.pace import Pace

# Of the seconds that the best fixed number of places takes, which nobody can know beforehand.
NEAR = 1.2
HARD = {
    "600 a minute, refusals count": 3.5,
    "19 % faults, refusals late": 1.3,
    "600, 150, 1,200 a minute": 1.4,
    "wears out above 32": 2.0,
}


@pytest.mark.parametrize("name", SERVERS)
def test_a_job_takes_hardly_longer_than_at_the_best_fixed_number_of_places(name) -> None:
    """The same draws each time: what is asserted here is arithmetic, not the speed of a machine."""
    ours = run(SERVERS[name], 1000, 64)
    among = [3] if name == "holds 3" else [16, 32] if "holds" in name else [16, 32, 64]
    _, best = best_fixed(SERVERS[name], 1000, among)
    assert ours.lost == best.lost == 0
    assert ours.seconds <= HARD.get(name, NEAR) * best.seconds


@pytest.mark.parametrize("name", ["nothing wrong", "a slow tail", "queues all, answers 32"])
def test_a_healthy_server_keeps_all_its_places(name) -> None:
    assert run(SERVERS[name], 1200, 256).places == 256


def test_faults_by_lot_cost_no_places() -> None:
    for name in ("19 % faults", "19 % faults, refusals late", "39 % faults"):
        assert run(SERVERS[name], 500, 64).places > 40


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def pace_of(places: int) -> tuple[Pace, Clock]:
    clock = Clock()
    return Pace(places, clock), clock


def refuse(pace: Pace, clock: Clock, count: int, *, wait: float | None = None, held: int = 0) -> None:
    """So many refusals, one after the other; ``held`` were let in before."""
    for _ in range(count):
        turn = pace.begin(pace.places)
        clock.now += 0.1
        pace.refused(turn, wait, held, float("-inf"))


def test_a_crowd_of_refusals_that_started_together_is_cut_once_and_by_their_share() -> None:
    pace, clock = pace_of(16)
    turns = [pace.begin(number + 1) for number in range(16)]
    clock.now = 1.0
    for turn in turns[:12]:
        pace.refused(turn, None, 0, float("-inf"))
    assert pace.places == 8
    for turn in turns[12:]:
        pace.refused(turn, None, 0, float("-inf"))
    assert pace.places == 8  # they began before the cut


def test_places_are_never_cut_below_what_the_server_holds() -> None:
    pace, clock = pace_of(64)
    turns = [pace.begin(64) for _ in range(32)]
    clock.now = 1.0
    for turn in turns:
        pace.refused(turn, None, 55, 0.0)
    assert pace.places == 64  # it holds nearly all: who refuses then refuses by lot
    pace, clock = pace_of(64)
    turns = [pace.begin(64) for _ in range(32)]
    clock.now = 1.0
    for turn in turns:
        pace.refused(turn, None, 39, 0.0)
    assert 40 <= pace.places < 64


def test_places_come_back_faster_with_every_quiet_round() -> None:
    pace, clock = pace_of(64)
    for turn in [pace.begin(64) for _ in range(64)]:
        clock.now += 0.01
        pace.refused(turn, None, 0, float("-inf"))
    low = pace.places
    assert low < 64
    grown = []
    for _ in range(12):
        for _ in range(pace.places + 16):
            clock.now += 0.01
            pace.answered(pace.begin(pace.places))
        grown.append(pace.places)
    assert grown == sorted(grown) and grown[-1] == 64
    assert grown[0] - low < grown[2] - grown[1]


def test_one_refusal_pauses_nobody_and_a_closed_door_everybody() -> None:
    pace, clock = pace_of(8)
    refuse(pace, clock, 1, wait=7.0)
    assert pace.pause_left == 0
    pace.answered(pace.begin(1))
    clock.now += 0.1
    refuse(pace, clock, 6, wait=7.0)
    assert pace.pause_left == pytest.approx(7.0)
    assert pace.places == 8  # perhaps the minute's requests are used up; the pause is the cure
    clock.now += 8.0
    refuse(pace, clock, 20, wait=7.0)
    assert pace.places < 8  # it was not


def test_slowness_counts_of_those_that_started_together_and_not_of_stragglers_or_quiet_times() -> None:
    def after(costs: list[float], running: int = 16) -> int:
        pace, clock = pace_of(16)
        for start in range(0, len(costs), 16):
            turns = [pace.begin(running) for _ in range(16)]
            for turn, cost in zip(turns, sorted(costs[start : start + 16]), strict=True):
                clock.now += 1.0
                pace.answered(turn, cost)
        return pace.places

    quick = [0.01] * 32
    assert after(quick + [0.1] * 16) == 8
    assert after(quick + [0.01] * 10 + [0.1] * 6) == 16
    assert after(quick + [0.03] * 32) == 16
    assert after(quick + [0.1] * 16, running=3) == 16
