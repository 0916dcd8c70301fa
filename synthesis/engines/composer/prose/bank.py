"""Reading a bank: the file of templates behind one genre. See ``banks/README.md``.

Knows the file format and caches what it has read. It does not know what the kinds
mean or which a genre needs (``plan`` and ``scripts/check_bank.py`` do).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from synthesis.engines.composer.prose.templates import SentenceTemplate, Sequence, compile_line, parse
from synthesis.errors import UsageError

BANKS = Path(__file__).parent.parent / "banks"

#: Kinds of sentence without which a bank cannot be used.
KINDS = (
    *("open", "bridge", "place", "close", "small", "tag", "next", "intro", "trait", "aim", "begin"),
    *("work", "block", "mind", "turn", "end", "meet", "talk", "topic", "lead", "notice", "after"),
    *("need", "use", "spoken"),
)

#: Files that are not genres but are included by them.
FRAGMENTS = ("common", "prose")

#: What every genre says besides its own, among what facts have to do with people.
EVERY = "every"

#: Used for a genre whose own bank is not there.
FALLBACK = "archive"


@dataclass(frozen=True, slots=True)
class Record:
    """A setting or a plot: ``values`` drawn once, in order, and ``lines`` by kind."""

    values: tuple[tuple[str, tuple[Sequence, ...]], ...]
    lines: dict[str, tuple[SentenceTemplate, ...]]


@dataclass(frozen=True, slots=True)
class Bank:
    """Everything a genre says: ``kinds`` of sentences, ``rules`` for phrases, records, options."""

    genre: str
    meta: dict[str, str]
    rules: dict[str, tuple[Sequence, ...]]
    kinds: dict[str, tuple[SentenceTemplate, ...]]
    settings: tuple[Record, ...]
    plots: tuple[Record, ...]


def genres() -> tuple[str, ...]:
    """The genres that have a bank of their own, sorted."""
    names = sorted(path.stem for path in BANKS.glob("*.txt") if path.stem not in FRAGMENTS)
    return tuple(name for name in names if load_bank(name).genre == name)


@cache
def load_bank(genre: str) -> Bank:
    """The bank to use for a genre: its own, or archive's where there is none or it is half written."""
    if not (BANKS / f"{genre}.txt").is_file():
        return load_bank(FALLBACK)
    bank = compile_bank(genre)
    whole = bank.settings and bank.plots and bank.kinds.keys() >= set(KINDS)
    return bank if whole or genre == FALLBACK else load_bank(FALLBACK)


def compile_bank(genre: str) -> Bank:
    """A genre's own bank with what it includes, as it stands.

    A rule of the genre's own replaces an included one; sentences of a kind add up.
    """
    own = read_bank(BANKS / f"{genre}.txt")
    parts = [read_bank(BANKS / f"{name}.txt") for name in own.meta.get("include", "common").split()]
    parts.append(own)
    # What ties facts to the people who want them is a file of its own beside each genre.
    evidence = BANKS / "evidence" / f"{genre}.txt"
    parts.append(read_bank(evidence if evidence.is_file() else evidence.with_stem(FALLBACK)))
    parts.append(read_bank(evidence.with_stem(EVERY)))
    rules: dict[str, tuple[Sequence, ...]] = {}
    kinds: dict[str, tuple[SentenceTemplate, ...]] = {}
    for part in parts:
        rules |= part.rules
        for kind, lines in part.kinds.items():
            kinds[kind] = kinds.get(kind, ()) + lines
    return Bank(genre, own.meta, rules, kinds, own.settings, own.plots)


def read_bank(path: Path) -> Bank:
    """Parse one file.

    Raises:
        UsageError: a line cannot be understood; the message names file and line.
    """
    bank = Bank(path.stem, {}, {}, {}, (), ())
    settings: list[Record] = []
    plots: list[Record] = []
    for number, head, body in _sections(path):
        try:
            if head == "meta":
                bank.meta.update(_pair(line) for _, line in body)
            elif head == "setting":
                settings.append(_record(body))
            elif head == "plot":
                plots.append(_record(body))
            elif head.startswith("rule "):
                options = tuple(o for _, line in body for o in parse(line))
                name = head.removeprefix("rule ").strip()
                bank.rules[name] = bank.rules.get(name, ()) + options
            else:
                lines = tuple(compile_line(line) for _, line in body)
                bank.kinds[head] = bank.kinds.get(head, ()) + lines
        except UsageError as error:
            raise UsageError(f"{path.name}, section [{head}] at line {number}: {error}") from error
    return Bank(path.stem, bank.meta, bank.rules, bank.kinds, tuple(settings), tuple(plots))


def _pair(line: str) -> tuple[str, str]:
    key, mark, value = line.partition("=")
    if not mark:
        raise UsageError(f"{line!r} is not of the form 'name = value'.")
    return key.strip(), value.strip()


def _record(body: list[tuple[int, str]]) -> Record:
    """``name = phrase`` lines are values; ``kind: text`` lines are templates or plain entries."""
    values: list[tuple[str, tuple[Sequence, ...]]] = []
    lines: dict[str, list[SentenceTemplate]] = {}
    for _, line in body:
        key = line.split(maxsplit=1)[0]
        if key.endswith(":"):
            lines.setdefault(key[:-1], []).append(compile_line(line[len(key) :].strip()))
        else:
            name, value = _pair(line)
            values.append((name, parse(value)))
    return Record(tuple(values), {kind: tuple(found) for kind, found in lines.items()})


def _sections(path: Path) -> list[tuple[int, str, list[tuple[int, str]]]]:
    """``(line number, heading, lines)``; an indented line continues the one above it."""
    sections: list[tuple[int, str, list[tuple[int, str]]]] = []
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("[") and line.endswith("]"):
            sections.append((number, " ".join(line[1:-1].split()), []))
        elif not sections:
            raise UsageError(f"{path.name}, line {number}: text before the first [section].")
        elif raw[0] in " \t" and sections[-1][2]:
            start, begun = sections[-1][2][-1]
            sections[-1][2][-1] = (start, f"{begun} {line}")
        else:
            sections[-1][2].append((number, line))
    return sections
