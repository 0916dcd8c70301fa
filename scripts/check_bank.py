"""Check a bank: ``python scripts/check_bank.py report [--sample 3]``.

Knows what a genre needs and which habits of style can be checked without reading. It
cannot tell whether a sentence is any good; print samples and read them.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections.abc import Iterator
from collections.abc import Sequence as Several

from scripts.bank_slips import slips
from synthesis.engines.composer.draft import compose
from synthesis.engines.composer.prose.about import SUBJECTS
from synthesis.engines.composer.prose.bank import BANKS, Bank, Record, compile_bank
from synthesis.engines.composer.prose.plan import STAGES
from synthesis.engines.composer.prose.scene import SLOTS, Scene
from synthesis.engines.composer.prose.templates import (
    Alternatives,
    SentenceTemplate,
    Sequence,
    Slot,
    expand,
    expand_options,
)
from synthesis.engines.composer.prose.world import GENDERED, NUMBERS, PRONOUNS, SKIES, TRAITS, Clock, Supply
from synthesis.errors import UsageError

#: Kinds a genre must have, and how many templates at least.
NEEDED = {
    "open": 16,
    "bridge": 5,
    "place": 20,
    "close": 20,
    "small": 30,
    "tag": 10,
    "next": 12,
    "intro": 14,
    "trait": 14,
    "aim": 12,
    "begin": 20,
    "work": 28,
    "block": 14,
    "mind": 18,
    "turn": 12,
    "end": 12,
    "meet": 14,
    "talk": 18,
    "topic": 14,
    "lead": 28,
    "notice": 14,
    "after": 12,
    "need": 12,
    "use": 10,
    "spoken": 14,
}

#: Kinds a genre may have: headings. ``head_item`` is for banks whose ``order`` is ``items``.
OPTIONAL = ("head_open", "head_aim", "head_block", "head_turn", "head_end", "head_item")

#: What a genre may say of facts of one sort, or at one stage of a story; see ``Writer.tell``.
TIED = tuple(f"{kind} {what}" for kind in ("need", "use") for what in (*SUBJECTS, *STAGES))

#: Kinds that speak of nobody in particular, as a text without people uses them too.
NOBODY = ("open", "bridge", "place", "close", "small", "tag", "next", "notice")

SETTING_VALUES = ("house", "name", "room")
SETTING_LINES = {"spot": 4, "role": 7, "place": 4}
PLOT_VALUES = ("aim", "matter")
PLOT_LINES = {"aim": 2, "block": 2, "turn": 2, "end": 2}
SETTINGS, PLOTS, TEMPLATES = 7, 18, 350

#: How often each template is tried: its alternatives meet in many ways.
TRIALS = 16

#: A run of more fixed words than this is recognised when it comes again.
RUN = 7

_PERSON = frozenset((*PRONOUNS[True], "p", "full", "role", "aim", "matter", *TRAITS, "from_town"))
_RULES = (
    *("when_first", "when_that_afternoon", "when_that_evening", "when_next", "when_days", "when_week"),
    *("later", "tie", *TRAITS, *(f"sky_{sky}" for skies in SKIES.values() for sky in skies)),
)
_PAIRED = re.compile(r"\(([\w ]+)\|([\w ]+)\) (?:by|for|to|in|after) \(\1\|\2\)")
_DOUBLED = re.compile(r"\b(\w+) \1\b", re.IGNORECASE)
_ALLOWED_TWICE = ("had", "that", "her", "very")


def lint(bank: Bank) -> list[str]:
    """What is wrong with a bank, one line each; empty if nothing is."""
    return [*_shape(bank), *_fixed_phrases(bank), *_slots(bank), *_style(bank), *_trial(bank)]


def _shape(bank: Bank) -> Iterator[str]:
    for kind, least in NEEDED.items():
        if (have := len(bank.kinds.get(kind, ()))) < least:
            yield f"[{kind}] has {have} templates; it needs {least}."
    for kind in bank.kinds:
        if kind not in NEEDED and kind not in OPTIONAL and kind not in TIED:
            yield f"[{kind}] is not a kind; remove or rename it."
    for rule in _RULES:
        if rule not in bank.rules:
            yield f"[rule {rule}] is missing; include common or define it."
    own = sum(map(len, bank.kinds.values())) + sum(len(r.lines[k]) for r in bank.plots for k in r.lines)
    if own < TEMPLATES:
        yield f"The bank has {own} templates with those of its plots; it needs {TEMPLATES}."
    for what, records, least, values, lines in (
        ("setting", bank.settings, SETTINGS, SETTING_VALUES, SETTING_LINES),
        ("plot", bank.plots, PLOTS, PLOT_VALUES, PLOT_LINES),
    ):
        if len(records) < least:
            yield f"There are {len(records)} [{what}] records; {least} are needed."
        for number, record in enumerate(records, 1):
            yield from _record(f"{what} {number}", record, values, lines)


def _fixed_phrases(bank: Bank) -> Iterator[str]:
    """Values are drawn in order and may use rules, numbers and what comes before them."""
    first = {"town", "other_town", "far_town", "year"}
    person = {*first, *SETTING_VALUES, "from_town", "role", *TRAITS, *PRONOUNS[True], *GENDERED[True]}
    for what, records, start in (("setting", bank.settings, first), ("plot", bank.plots, person)):
        for number, record in enumerate(records, 1):
            known = {*start, *NUMBERS, *bank.rules}
            for key, options in record.values:
                used = {name for option in options for name in _names(option)}
                for slot in sorted(used - known):
                    yield f"{what} {number}, '{key} =': nothing fills {{{slot}}} yet; define it above."
                known.add(key)


def _record(name: str, record: Record, values: tuple[str, ...], lines: dict[str, int]) -> Iterator[str]:
    have = [key for key, _ in record.values]
    yield from (f"{name} lacks '{key} ='." for key in values if key not in have)
    for kind, least in lines.items():
        if len(record.lines.get(kind, ())) < least:
            yield f"{name} needs {least} lines '{kind}:'."
    yield from (
        f"{name} has lines '{kind}:' that nothing uses." for kind in record.lines if kind not in lines
    )


def _slots(bank: Bank) -> Iterator[str]:
    known = {*SLOTS, *NUMBERS, *bank.rules}
    for where, template, extra in _templates(bank):
        for slot in sorted(template.slots - known - extra):
            yield f"{where}: nothing fills {{{slot}}}: {template.source}"
        if where.strip("[]") in NOBODY or where.endswith(" place"):
            used = _reach(bank, template.slots)
            if wrong := sorted(used & _PERSON) or sorted(s for s in used if s == "q" or s.startswith("q_")):
                yield f"{where} speaks of nobody, but uses {{{wrong[0]}}}: {template.source}"
        if "topic" in template.slots and where not in ("[topic]", "[spoken]"):
            yield f"{where}: only [topic] and [spoken] may use {{topic}}: {template.source}"


def _reach(bank: Bank, slots: frozenset[str]) -> set[str]:
    """Slots used directly or through rules."""
    reached: set[str] = set()
    todo = list(slots)
    while todo:
        slot = todo.pop()
        if slot not in reached:
            reached.add(slot)
            todo += [name for option in bank.rules.get(slot, ()) for name in _names(option)]
    return reached


def _names(nodes: Sequence) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, Slot):
            yield node.name
        elif isinstance(node, Alternatives):
            for option in node.options:
                yield from _names(option)


def _templates(bank: Bank) -> Iterator[tuple[str, SentenceTemplate, frozenset[str]]]:
    """``(where, template, slots that only hold there)`` for everything the bank can say."""
    common = frozenset(key for record in bank.settings[:1] for key, _ in record.values)
    for kind, lines in bank.kinds.items():
        for template in lines:
            yield f"[{kind}]", template, common
    for what, records in (("setting", bank.settings), ("plot", bank.plots)):
        for number, record in enumerate(records, 1):
            own = common | {key for key, _ in record.values}
            for kind, lines in record.lines.items():
                for template in lines:
                    # Roles are fixed with the person; so daughters and sons can be told apart.
                    held = own | GENDERED[True].keys() if kind == "role" else own
                    yield f"{what} {number} {kind}", template, held


def _style(bank: Bank) -> Iterator[str]:
    for where, template, _ in _templates(bank):
        source = template.source
        if where.rsplit(" ", 1)[-1] in ("spot", "role"):
            continue
        if where.startswith("[head_"):
            continue
        if source[-1] not in '.?!":)' or (source[-1] == ":" and where not in ("[tag]", "[next]")):
            yield f"{where}: does not end as a sentence does: {source}"
        if re.search(r"\{[Tt]hey\} (?:were|have|are)\b", source):
            yield f"{where}: {{they}} is one person; write 'was': {source}"
        if _PAIRED.search(source):
            yield f"{where}: write '(word by word|line by line)', as both are drawn apart: {source}"
        # Alternatives and slots both break a run; what is left must be short.
        runs = re.split(r"[(|)]|\{[A-Za-z_]+\}", source)
        longest = max(runs, key=lambda run: len(run.split()))
        if len(longest.split()) > RUN and where not in ("[small]", "[tag]"):
            yield f"{where}: {len(longest.split())} fixed words in a row ('{longest.strip()}'): vary them."


def _trial(bank: Bank) -> Iterator[str]:
    """Expand every template several times and look at the result."""
    if not (bank.plots and bank.settings and all(r.lines.keys() >= {"role", "spot"} for r in bank.settings)):
        return  # already reported; there is no world to try the sentences in
    rng = random.Random(f"lint {bank.genre}")
    supply = Supply(bank, rng, frozenset())
    clock = Clock(1950, 60)
    said: set[str] = set()
    scene = Scene(bank, rng, supply.world(2, clock.year), clock)
    records = {f"setting {number}": record for number, record in enumerate(bank.settings, 1)}
    records |= {f"plot {number}": record for number, record in enumerate(bank.plots, 1)}
    for where, template, _ in _templates(bank):
        record = records.get(where.rsplit(" ", 1)[0])
        if where.endswith((" role", " spot")):
            continue
        # What is tried depends on the template alone, so that a change elsewhere hides nothing.
        rng.seed(template.source)
        for _attempt in range(TRIALS):
            scene.begin(*scene.world.cast)
            # The pronoun and the name each in half of the trials.
            scene.value("p" if rng.random() < 0.5 else "house")
            try:
                for name, options in record.values if record else ():
                    scene.values[name] = expand_options(options, scene)
                text = expand(template, scene)
            except UsageError as error:
                yield f"{where}: {error}"
                break
            if text in said:
                continue
            said.add(text)
            doubled = _DOUBLED.search(text)
            if doubled and doubled[1].lower() not in _ALLOWED_TWICE:
                yield f"{where}: '{doubled[0]}' in: {text}"
                break
            if text.count('"') % 2:
                yield f"{where}: quotation marks do not pair: {text}"
                break
            if len(text.split()) > 60:
                yield f"{where}: {len(text.split())} words; keep beats under 60: {text}"
                break
            if slip := next(slips(text), ""):
                yield f"{where}: {slip}: {template.source}"
                break


def main(arguments: Several[str] | None = None) -> int:
    """The command; returns 0 if the bank is clean and 1 if not."""
    parser = argparse.ArgumentParser(description="Check a genre's bank of templates.")
    parser.add_argument("genre", help="the name of banks/<genre>.txt")
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="also print N contexts")
    parser.add_argument("--words", type=int, default=400, help="words of each sample")
    options = parser.parse_args(arguments)
    if not (BANKS / f"{options.genre}.txt").is_file():
        parser.error(f"there is no banks/{options.genre}.txt; create it")
    bank = compile_bank(options.genre)
    problems = lint(bank)
    for number in range(options.sample):
        sys.stdout.write(f"--- sample {number}\n{_sample(options.genre, options.words, number)}\n\n")
    for problem in problems:
        sys.stdout.write(problem + "\n")
    templates = sum(1 for _ in _templates(bank))
    sys.stdout.write(f"{options.genre}: {templates} templates, {len(problems)} problems.\n")
    return 1 if problems else 0


def _sample(genre: str, words: int, seed: int) -> str:
    question = "In which town was the inventor of the Kestrel loom born?"
    return compose(question, "Marblehaven", words=words, genre=genre, seed=seed, key="sample").text


if __name__ == "__main__":
    sys.exit(main())
