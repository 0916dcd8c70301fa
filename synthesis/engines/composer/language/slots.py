"""Which slot another answer of the same kind is drawn from, and where it goes in a statement.

Knows the pair, one statement and the word lists; leaves the other names in it alone.
"""

from __future__ import annotations

import re

from synthesis.engines.composer.language.answers import PERSON_NOUNS, asked_nouns
from synthesis.engines.composer.language.english import (
    MONTHS,
    SMALL_NUMBERS,
    core,
    squash,
    word_class,
)
from synthesis.engines.composer.language.invent import Draw, figure
from synthesis.engines.composer.language.wording import trimmed
from synthesis.engines.composer.lexicon import words

WORKED = word_class("worked")


BANDED = word_class("banded")


_MONTH = "|".join(MONTHS)


FIGURE = re.compile(
    rf"(?P<day>\b\d{{1,2}} (?:{_MONTH}) \d{{4}}\b)|(?P<us>\b(?:{_MONTH}) \d{{1,2}}, \d{{4}}\b)"
    rf"|(?P<my>\b(?:{_MONTH}) \d{{4}}\b)|(?P<year>(?<!\$)\b1\d\d\d\b|\b20[0-3]\d\b)"
    r"|(?P<number>(?<![\w:{.,])\d(?:[\d,]*\d)?(?![\w}]))"
)


FIGURE_SLOTS = {"day": "date", "us": "date_us", "my": "month_year", "year": "year"}


def _noun_slot(instruction: str) -> str | None:
    """The slot for a capitalised answer to ``which film`` or ``what company``."""
    nouns = asked_nouns(squash(instruction[:2000]))
    head = nouns[-1] if nouns else ""
    # "Which film is newer": what follows the noun is cut off at the verb, or not seen as one.
    for noun in (head, nouns[0] if nouns else ""):
        if noun in WORKED:
            return "work"
        if noun in BANDED:
            return "org"
        if noun in PERSON_NOUNS:
            return "person"
    return None


def _answer_slot(answer: str, sort: str, instruction: str, extra: dict[str, Draw]) -> str | None:
    """The slot text that another answer of the same kind comes from."""
    if sort == "person":
        if any(token[:1].islower() and token not in ("and", "the", "of") for token in answer.split()):
            return None
        if " and " in answer or "," in answer:
            return "{person} and {person}"
        return "{person}" if " " in answer else "{first}"
    if sort == "place":
        lead = re.match(r"(?:in|to|from|at|near) ", answer, re.IGNORECASE)
        prefix = lead[0].lower() if lead else ""
        country = "country" in asked_nouns(squash(instruction[:2000])) or answer[len(prefix) :] in words(
            "countries"
        )
        return prefix + ("{country}" if country else "{town}")
    if sort == "date":
        match = FIGURE.fullmatch(answer)
        return (
            "{" + FIGURE_SLOTS[match.lastgroup or ""] + "}" if match and match.lastgroup != "number" else None
        )
    if sort == "numeric":
        return _number_slot(answer, extra)
    return _span_slot(answer, instruction)


def _number_slot(answer: str, extra: dict[str, Draw]) -> str | None:
    if core(answer) in SMALL_NUMBERS:
        return "{small}"
    digits = re.search(r"\d[\d,]*", answer)
    if not digits or len(answer) > 40:
        return None
    size = min(len(digits[0].replace(",", "")), 12)
    extra["count"] = lambda rng: figure(rng, size)
    return f"{answer[: digits.start()]}{{count}}{answer[digits.end() :]}"


def _span_slot(answer: str, instruction: str) -> str | None:
    low = re.sub(r"^(?:an?|the) ", "", answer.casefold())
    for name, slot in (("languages", "language"), ("nationalities", "nationality")):
        if answer in words(name) and (slot != "language" or "language" in instruction.casefold()):
            return "{" + slot + "}"
    for name, bare in (("animals", "animal"), ("occupations", "occupation"), ("subjects", "subject")):
        if low in words(name):
            return "{a_" + bare + "}" if low != answer.casefold() and bare != "subject" else "{" + bare + "}"
    noun = _noun_slot(instruction) if answer[:1].isupper() or answer[:1] in '"“' else None
    return "{" + noun + "}" if noun else None


def swap_choice(text: str, answer: str, instruction: str) -> str | None:
    """``Of A and B, A is ...`` with two others of the same type."""
    match = re.match(r"(?P<open>Of|Between) (?P<a>.+?) and (?P<b>.+?), (?P<rest>.+)$", text)
    given = trimmed(squash(answer))
    if not match or given not in (match["a"], match["b"]) or given not in match["rest"]:
        return None
    slot = _noun_slot(instruction) or ("person" if instruction[:3].casefold() == "who" else None)
    if slot is None:
        return None
    winner = "1" if given == match["a"] else "2"
    rest = match["rest"].replace(given, f"{{{slot}:{winner}}}")
    return f"{match['open']} {{{slot}:1}} and {{{slot}:2}}, {rest}"


def mark_answer(text: str, answer: str, sort: str, instruction: str, extra: dict[str, Draw]) -> str | None:
    """The statement with a slot in place of the answer; None where the answer has no clear type."""
    given = trimmed(squash(answer))
    at = text.casefold().find(given.casefold())
    if at < 0 or not given or len(text.casefold()) != len(text):
        return None
    before, after = text[:at], text[at + len(given) :]
    if sort == "sentence":
        if given.casefold().startswith("because "):
            return f"{before}because {{reason}}{after}"
        if re.match(r"to [a-z]", given.casefold()):
            return f"{before}to {{deed}}{after}"
        return f"{before}{{reason}}{after}" if before.casefold().endswith("because ") else None
    if re.search(r"['’]s [a-z]", given) and sort in ("person", "span"):
        return text  # "Alfred's sister": swapping the name in it makes another answer
    slot = _answer_slot(given, sort, instruction, extra)
    if slot is None:
        return None
    return f"{before}“{slot}”{after}" if given[:1] in '"“' and slot == "{work}" else f"{before}{slot}{after}"
