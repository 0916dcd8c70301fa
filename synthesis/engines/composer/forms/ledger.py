"""Sums, conversions and problems in words: a reckoning book with worked entries."""

from __future__ import annotations

import re

from synthesis.engines.composer.forms.base import (
    OrdinaryCase,
    Told,
    endless,
    in_pieces,
    parts_of,
    piece,
    threads,
)
from synthesis.engines.composer.forms.sums import other_sum
from synthesis.engines.composer.forms.wording import Pen
from synthesis.engines.composer.grammar.sentences import split
from synthesis.engines.composer.grammar.wording import squash
from synthesis.engines.composer.reading.kinds import other_units
from synthesis.engines.composer.reading.questions import read
from synthesis.engines.composer.stating.statements import indirect

_ASKED = re.compile(
    r"(?:what|how much)(?: is| are|['’]s| does| do)?\s+(?P<what>.+?)(?:\s+(?:equals?|make|come to))?",
    re.IGNORECASE,
)
_TO = re.compile(r"(?P<what>.*\d.*?)\s+(?P<to>(?:to|into|in|as)\s+[^,]+)", re.IGNORECASE)
_IF = re.compile(r"if (?P<fact>.+?),? (?P<ask>(?:what|how|which)\b.+)", re.IGNORECASE)


def tell(case: OrdinaryCase) -> Told | None:
    """The entry of the book: what was to be worked out, and what came of it."""
    pen, other = Pen("ledger", case.rng, one_hand=True), Pen("ledger", case.others)
    task = squash(case.instruction).rstrip(" ?.!")
    units = other_units(task)
    task = f"What is {units[0]} in {units[1]}" if units else task
    problem = _problem(case.instruction)
    parts = parts_of(case.answer)
    if problem:
        facts, wanted = problem
        lead, told = pen.write("problem", {"facts": facts, "wanted": wanted}), [pen.write("intro")]
        rest = {"sum": wanted}
    else:
        into = _conversion(task, case.pair.verb) if case.pair.kind == "conversion" else {}
        into = {"what": units[0], "to": f"to {units[1]}", "verb": "convert"} if units else into
        rest = {"sum": into["what"] if into else _sum(task, case.pair.verb)}
        lead = pen.write("converted", into) if into else pen.write("lead", rest)
        told = threads(pen, rest)
    like = "" if problem else task

    def entry() -> str:
        what, result = other_sum(like, case.answer, case.others)
        return f"{other.write('other', {'sum': what})}\n{result}"

    pieces = [piece(lead, parts[0])]
    if len(parts) > 1:
        pieces += in_pieces(pen, rest, parts)[1:]
    return Told("ledger", pieces, endless(entry), told, subject=rest["sum"], figures=True)


def _sum(task: str, verb: str) -> str:
    """What was to be worked out, as a phrase."""
    asked = _ASKED.fullmatch(task)
    if asked:
        return asked["what"]
    if not verb:
        return task
    rest = task[task.casefold().index(verb) + len(verb) :].strip()
    unknown = re.fullmatch(r"for (?P<x>\w+)\s*[:,]?\s*(?P<e>.+)", rest)
    if unknown:
        return f"{unknown['e']} (to be solved for {unknown['x']})"
    return rest


def _conversion(task: str, verb: str) -> dict[str, str]:
    """What is to be converted, and into what, for the slots of a lead; empty where that cannot be told."""
    rest = task[task.casefold().index(verb) + len(verb) :].strip()
    into = _TO.fullmatch(rest)
    return {"what": into["what"], "to": into["to"], "verb": verb} if into else {}


def _problem(instruction: str) -> tuple[str, str] | None:
    """The facts of a problem in words, and what is wanted, as a phrase."""
    text = squash(instruction)
    sentences = split(text)
    if len(sentences) > 1 and sentences[-1].endswith("?"):
        wanted = _wanted(sentences[-1])
        return (" ".join(sentences[:-1]), wanted) if wanted else None
    found = _IF.fullmatch(text.rstrip(" ?"))
    if found and (wanted := _wanted(found["ask"])):
        return f"Suppose that {found['fact']}.", wanted
    return None


def _wanted(question: str) -> str:
    asked = re.fullmatch(
        r"what(?: is| was| will be| would be|['’]s) (?P<what>.+?)\?*", question, re.IGNORECASE
    )
    if asked:
        return asked["what"]
    frame = read(question.rstrip(" ?"))
    return (indirect(frame) or "") if frame else ""
