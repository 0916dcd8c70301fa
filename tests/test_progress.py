"""What a run says of itself while it goes on."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from builder.cli.progress import TerminalReporter
from builder.job.meter import Meter
from builder.job.pacing import RecentRate, tell_rate
from synthesis.data import Completion, Context
from synthesis.options import from_dict
from synthesis.run.journal import Journal


@pytest.mark.parametrize(
    ("per_second", "told"),
    [
        (0, ""),
        (59.3, "59 per second"),
        (1.25, "1.2 per second"),
        (0.2, "12 per minute"),
        (0.01, "36 per hour"),
        (0.0001, "0.4 per hour"),
    ],
)
def test_a_rate_is_told_in_a_unit_that_says_something(per_second, told) -> None:
    assert tell_rate(per_second) == told


def test_a_rate_is_of_the_last_minute_and_of_the_last_few_where_they_are_rare() -> None:
    rate = RecentRate(0.0)
    assert rate.per_second(100.0) == 0
    for second in range(1, 1001):
        rate.add(second)
    assert rate.per_second(1000) == pytest.approx(1)
    for second in range(1001, 1101):
        rate.add(second, 5)
    assert rate.per_second(1100) == pytest.approx(5, rel=0.05)
    rare = RecentRate(0.0)
    for hundred in range(1, 4):
        rare.add(hundred * 100.0)
    assert rare.per_second(300) == pytest.approx(0.01)


def test_a_burst_at_the_end_is_not_the_rate_of_all() -> None:
    rate = RecentRate(0.0)
    for _ in range(6):
        rate.add(120.0)
    assert rate.per_second(120.1) == pytest.approx(0.05, rel=0.01)


def reporter(console: Console | None = None) -> TerminalReporter:
    made = TerminalReporter(console or Console(file=io.StringIO(), quiet=True))
    made.stage("writing contexts", 5)
    return made


def test_replies_and_tokens_are_told_while_no_pair_is_done(tmp_path) -> None:
    telling = reporter()
    start = telling._began
    telling.note("no reply yet")
    assert telling.line(start + 40) == "writing contexts: 0 of 5 (after 40 s; no reply yet)"
    with Journal(tmp_path) as journal:
        meter = Meter(from_dict({}), journal, telling)
        for _ in range(3):
            meter.reply(Completion("p", "text", prompt_tokens=400, output_tokens=900))
    told = telling.line(start + 50)
    assert told.startswith("writing contexts: 0 of 5 (after 50 s; 3 replies, 1.2k tokens in, 2.7k out (")
    telling.advance()
    told = telling.line(start + 60)
    assert "1 of 5" in told and "per minute, about 4 min left; 3 replies" in told.replace("240 s", "4 min")


def test_a_server_that_tells_no_tokens_has_its_replies_counted(tmp_path) -> None:
    telling = reporter()
    with Journal(tmp_path) as journal:
        meter = Meter(from_dict({}), journal, telling)
        meter.reply(Completion("p", "text"))
        meter.count(Context("p", "text", words=1))
    assert telling.state().endswith("1 reply")


@pytest.mark.parametrize("width", [80, 40])
def test_on_a_terminal_of_any_width_all_of_it_is_shown(width) -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=width, legacy_windows=False)
    with TerminalReporter(console) as telling:
        telling.stage("writing contexts", 5)
        telling.note("14 replies, 20.1k tokens in, 8.3k out (85 per second)")
        telling.advance(2)
    shown = " ".join(re.sub(r"\x1b\[[\d;?]*[A-Za-z]", " ", screen.getvalue()).split())
    assert "writing contexts" in shown and "2/5" in shown and "…" not in shown
    assert "left; 14 replies, 20.1k tokens in, 8.3k out (85 per second)" in shown


def test_without_a_terminal_a_line_comes_even_while_nothing_does() -> None:
    said = io.StringIO()
    console = Console(file=said, force_terminal=False, width=200)
    with TerminalReporter(console, every=0.01) as telling:
        telling.stage("writing contexts", 5)
        telling.note("no reply yet")
        while "no reply yet" not in said.getvalue():
            telling._ended.wait(0.01)
    assert "writing contexts: 0 of 5 (no reply yet)" in said.getvalue()
