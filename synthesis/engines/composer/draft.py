"""One context for one pair, without any model: the evidence, told in a small world.

Brings together the facts (``evidence``, ``distract``), the world, the plan and the
writer. It does not know prompts or completions; the engine does.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from synthesis.data import Evidence, content_hash
from synthesis.engines.composer.decoys.distract import distract
from synthesis.engines.composer.decoys.misses import Misses, in_one, mingled
from synthesis.engines.composer.decoys.neutral import as_misses
from synthesis.engines.composer.dials import MOST, MOST_IN_ALL, Dials
from synthesis.engines.composer.forms.around import around
from synthesis.engines.composer.forms.base import Told
from synthesis.engines.composer.forms.choose import evidence, tell
from synthesis.engines.composer.languages.box import BOX, write_box
from synthesis.engines.composer.lexicon import words as listed
from synthesis.engines.composer.prose.asides import Asides
from synthesis.engines.composer.prose.book import Story
from synthesis.engines.composer.prose.facts import PACE, Feed, Planned, spread
from synthesis.engines.composer.prose.guard import Guard, guard
from synthesis.engines.composer.prose.placing import planned_steps
from synthesis.engines.composer.prose.writer import Paragraph
from synthesis.engines.composer.reading.answers import kind
from synthesis.engines.composer.reading.casing import cased
from synthesis.engines.composer.reading.kinds import parted
from synthesis.engines.composer.reading.languages import WRITTEN, language_of
from synthesis.engines.composer.reading.phrases import phrases
from synthesis.engines.composer.reading.topics import topics
from synthesis.engines.composer.reference.compendium import Compendium, Plainly
from synthesis.engines.composer.reference.kinds import drawn
from synthesis.engines.composer.reference.names import Names
from synthesis.engines.composer.reference.pieces import entries_of, names_of
from synthesis.engines.composer.stating.proof import Query, Triple
from synthesis.engines.composer.stating.statements import QUOTED, Statement, state
from synthesis.engines.composer.stating.steps.apart import Apart
from synthesis.engines.composer.stating.steps.plan import Steps, in_steps
from synthesis.errors import UsageError

GENRES = ("story", "archive", "paper", "meeting", "report", "news")

#: Nothing harder or easier than usual.
USUAL = Dials()

#: Genres that are themselves what such a pair is drawn from, and the forms for a pair about anything at all:
#: a request to sum up a meeting is answered by its minutes, not by a lesson about it.
DOCUMENTS = frozenset(("meeting", "report", "news", "paper"))
ANY_SUBJECT = frozenset(("lesson", "anthology"))

# Lines of an answer stay lines; what no text may hold is no part of any word.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")

# A name in a sentence of ours, not the word it begins with.
_NAMES = re.compile(r"(?<=[ “])[^\W\d_a-z]\w+")

#: How many contexts are told in entries, of those that may be told in either way.
IN_ENTRIES = 0.7

#: Near misses are so much of a text that is told in entries, at most.
IN_AN_ENTRY = 0.16

#: From so many words on statements are told in two sentences, if all are no more than that share of the text.
LEAST_APART, MOST_APART = 150, 0.5

#: Fewer words than this are told as a story.
LEAST_IN_ENTRIES = 110


@dataclass(frozen=True, slots=True)
class Draft:
    """A finished context; each span of ``evidence`` is exact in ``text``.

    ``form`` is the kind of statement that carries the evidence, ``hops`` the number of its steps. ``query``
    is what is asked of ``says``, the triples in the text that bear on it, where the evidence is in steps.
    """

    text: str
    evidence: tuple[Evidence, ...]
    form: str = ""
    hops: int = 0
    query: Query | None = None
    says: tuple[Triple, ...] = ()


class Written(NamedTuple):
    """A context as it is written: its ``paragraphs`` come one at a time; the rest is as in ``Draft``.

    ``near`` are the near misses that have been told so far.
    """

    paragraphs: Iterator[Paragraph]
    form: str
    hops: int
    planned: list[Planned]
    query: Query | None = None
    near: Sequence[Statement] = ()


def compose(
    instruction: str,
    answer: str,
    *,
    words: int = 2000,
    genre: str = "archive",
    seed: int = 0,
    key: str = "",
    mode: str = "woven",
    dials: Dials = USUAL,
) -> Draft:
    """Write a context from which the answer to the instruction follows.

    Args:
        instruction: the question or task, in any language.
        answer: what is to be supported; stated in the text, never changed.
        words: length of the text in words between blanks (of Chinese, two characters are one),
            kept within 3 % from 50 to 20,000 unless the evidence alone is longer.
        genre: one of ``GENRES``.
        seed: the run's seed.
        key: the pair's identity; its content serves if empty.
        mode: ``woven`` (evidence, related facts, narrative), ``needle`` (evidence and
            narrative only) or ``related`` (evidence among mostly related facts).
        dials: how hard it is made: steps of the evidence, their distance and order, false leads.

    Returns:
        The text and where in it the answer is supported. Equal arguments give equal
        drafts on every machine.

    Raises:
        UsageError: ``words`` is below 1, a dial is not what it may be, or ``genre`` or ``mode`` does not
            exist.
    """
    found: list[Evidence] = []
    text = ""
    made = write(instruction, answer, words=words, genre=genre, seed=seed, key=key, mode=mode, dials=dials)
    for paragraph in made.paragraphs:
        text += "\n\n" if text else ""
        found += (Evidence(len(text) + s, len(text) + e, what) for s, e, what in paragraph.spans)
        text += paragraph.text
    says = tuple(
        triple
        for one in (*(told.statement for told in made.planned), *made.near)
        if one.text in text
        for triple in one.says
    )
    return Draft(text, tuple(found), made.form, made.hops, made.query, says)


def write(
    instruction: str,
    answer: str,
    *,
    words: int = 2000,
    genre: str = "archive",
    seed: int = 0,
    key: str = "",
    mode: str = "woven",
    dials: Dials = USUAL,
) -> Written:
    """The same as ``compose``, a paragraph at a time; see there."""
    if words < 1:
        raise UsageError(f"A context of {words} words cannot be written. Ask for 50 or more.")
    if genre not in GENRES:
        raise UsageError(f"There is no genre {genre!r}. Choose one of: {', '.join(GENRES)}.")
    if mode not in PACE:
        raise UsageError(f"There is no mode {mode!r}. Choose one of: {', '.join(PACE)}.")
    dials.check()
    name = f"{seed}:{key or content_hash(instruction, answer)}"
    # Bytes, as a lone surrogate in a key would stop the seeding of a string.
    rng = random.Random(name.encode("utf-8", "surrogatepass"))
    facts, others = (random.Random(rng.getrandbits(64)) for _ in range(2))
    instruction, answer = (_CONTROL.sub(" ", text) for text in (instruction, answer))
    language = language_of(parted(instruction)[0] or instruction)
    if language in WRITTEN and answer.strip():
        box = write_box(language, instruction, answer, rng, words, mode, guard(instruction, answer))
        return Written(box, BOX, 1, [])
    if language == "en":
        instruction = cased(instruction, answer)
    told = tell(instruction, answer, facts, others) if language == "en" else None
    if told is not None and not (genre in DOCUMENTS and told.form in ANY_SUBJECT):
        return _told(told, instruction, answer, rng, genre, words, mode)
    steps = None if dials.hops == 1 else in_steps(instruction, answer, facts, dials.hops)
    # The names that join the steps are nobody else's: no decoy and no person of the story has them.
    named = instruction if steps is None else " ".join((instruction, *steps.names))
    bans = guard(named, answer)
    book = _book(dials.telling, mode, genre, name)
    own_rng = random.Random(others.getrandbits(64))
    asides = Asides(answer, bans, own_rng, bool(book)) if PACE[mode] else None
    near_by = bool(dials.misses) and mode == "woven"
    apart = (
        _apart(instruction, answer, bans, name) if near_by and not book and dials.overlap == "mixed" else None
    )
    if steps is None:
        statements = state(instruction, answer, facts)
        alone = in_one(statements, instruction, answer) if near_by else None
        if alone and alone.told and apart:
            told_so = [replace(statements[0], text=alone.told[0].tell(facts, "reworded", apart))]
            told_so = told_so if _fit(told_so, words) else statements
        else:
            told_so = statements
        planned = spread(asides.evidence(told_so) if asides else told_so, rng)
        hops = min(1, len(statements))
        form = next((one.form for one in statements if one.form), "")
    else:
        alone = None
        overlap = "reworded" if (book or near_by) and dials.overlap == "mixed" else dials.overlap
        statements = steps.statements(facts, overlap, apart)
        if apart and not _fit(statements, words):
            statements = steps.statements(facts, overlap)
        leads = dials if PACE[mode] else replace(dials, decoys=0)
        if book and dials.decoys == USUAL.decoys:
            # As much of a long text as of a short one is about others of whom the same is told.
            leads = replace(dials, decoys=min(MOST, dials.decoys + words // 400))
        told_so = asides.evidence(statements) if asides else statements
        planned = planned_steps(steps, told_so, instruction, answer, words, leads, facts, asides)
        form, hops = steps.form, len(steps.told)
    if book and form != QUOTED:
        asked_so = steps or (alone if near_by else None)
        if asked_so and asides:
            planned += _misses_in_entries(asked_so, instruction, answer, words, planned, dials, name)
            planned.sort(key=lambda one: one.place)
        inside = _entries(planned, steps, instruction, answer, words, book, bans, dials, rng)
        if inside is not None:
            return Written(inside.paragraphs(), form, hops, inside.planned, steps.query if steps else None)
    most = min(MOST_IN_ALL, round(dials.misses * words / 100)) if mode == "woven" else 0
    asked = steps or (alone if most else None)
    own: list[Statement] | None = None
    if most and asked:
        own = statements if alone and alone.told else []  # near misses are made of the evidence
    elif steps is not None:
        # A place that the steps invented looks like a person's name.
        placed = {name for name, sort in steps.names.items() if sort == "place"}
        typed = [link for link in steps.typed() if link.subject not in placed]
        own = [one for one, link in zip(statements, steps.told, strict=True) if link in typed]
    stream = iter(distract(named, answer, others, own, bool(most and asked)))
    if asides:
        stream = asides.beside(stream)
    subjects = _mentionable(topics(instruction), bans)
    near: list[Statement] = []
    if most and asked and asides:
        chance = random.Random(f"{name}:misses".encode("utf-8", "surrogatepass"))
        said = [one.statement for one in planned]
        compared = answer.strip(" .").casefold() in instruction.casefold()
        own_bans = replace(bans, accident=None) if compared else bans
        named_so = _mentionable(phrases(instruction), own_bans)
        misses = Misses(asked, instruction, answer, named_so, chance, said, apart)
        close = asides.near(misses)
        # A title is named in a story's sentence without its marks: it may stand in such itself.
        subjects = [re.sub('[“”"]', "", one) for one in _mentionable(named_so, bans)] or subjects
        stream = as_misses(stream, named_so, bans.clean, misses.frames, chance)
        stream = mingled(stream, close, most, near, chance)
    feed = Feed(rng, planned, stream, words, mode, apart=steps is not None, near=bool(most and asked))
    story = Story(rng, genre, words, feed, subjects, bans, dials.decoys > 0, bool(most and asked))
    return Written(story.paragraphs(), form, hops, planned, steps.query if steps else None, near)


def _fit(statements: Sequence[Statement], words: int) -> bool:
    """Whether statements in several sentences leave room for what stands around them."""
    return sum(len(one.text.split()) for one in statements) <= MOST_APART * words


def _apart(instruction: str, answer: str, bans: Guard, name: str) -> Apart:
    """What tells the pair's statements in two sentences; no name in ours is one of the pair's."""

    def clean(said: str) -> bool:
        return bans.clean(said) and bans.names.isdisjoint(map(str.casefold, _NAMES.findall(said)))

    return Apart(instruction, answer, clean, random.Random(f"{name}:apart".encode("utf-8", "surrogatepass")))


def _book(telling: str, mode: str, genre: str, name: str) -> str:
    """The kind of book that a pair of that name is told as, if it can be; empty for a story."""
    chance = random.Random(f"{name}:telling".encode("utf-8", "surrogatepass"))
    if mode != "woven" or telling == "narrative":
        return ""
    if telling == "mixed" and (genre != "archive" or chance.random() >= IN_ENTRIES):
        return ""
    return drawn(chance) if telling in ("mixed", "entries") else telling


def _entries(
    planned: list[Planned],
    steps: Steps | None,
    instruction: str,
    answer: str,
    words: int,
    book: str,
    bans: Guard,
    dials: Dials,
    rng: random.Random,
) -> Compendium | None:
    """The same in entries; None where they do not suit the answer, or there is no room for them."""
    needed = [one.statement for one in planned if one.statement.what]
    owed = sum(len(one.text.split()) for one in needed)
    if kind(instruction, answer) in ("summary", "sentence") or any(len(one.text) > 600 for one in needed):
        return None
    if not needed or words < LEAST_IN_ENTRIES or words - owed < 40 + 12 * len(needed):
        return None
    supply = Names(bans.names, rng)
    entries = entries_of(planned, steps, instruction, answer, supply, rng)
    if not entries:
        return None
    subjects = _mentionable(names_of(instruction, answer), bans)
    # Values that are to be compared stand beside the names of what has them.
    how = steps.query.how if steps else "find"
    plainly = Plainly(dials.overlap == "copied" or how != "find", how not in ("find", "all", "same"))
    return Compendium(entries, instruction, subjects, bans, supply, words, book, plainly, rng)


def _misses_in_entries(
    asked: Steps,
    instruction: str,
    answer: str,
    words: int,
    planned: Sequence[Planned],
    dials: Dials,
    name: str,
) -> list[Planned]:
    """Near misses for entries, where there is an entry for what they are about."""
    chance = random.Random(f"{name}:misses".encode("utf-8", "surrogatepass"))
    said = [one.statement for one in planned]
    left = IN_AN_ENTRY * words
    found: list[Planned] = []
    for one in Misses(asked, instruction, answer, (), chance, said):
        left -= len(one.text.split())
        if left < 0 or len(found) >= dials.misses * words / 200:
            break
        found.append(Planned(0.05 + 0.9 * chance.random(), one))
    return found


def _told(
    told: Told, instruction: str, answer: str, rng: random.Random, genre: str, words: int, mode: str
) -> Written:
    """A pair in a form of its own."""
    planned = spread(evidence(told), rng)
    feed = Feed(rng, planned, around(told, instruction, answer), words, mode)
    bans = guard(instruction, answer)
    book = Story(rng, genre, words, feed, _mentionable([told.subject], bans), bans)
    return Written(book.paragraphs(), told.form, 1, planned)


def _mentionable(subjects: list[str], bans: Guard) -> list[str]:
    """Topics that can stand inside a sentence of ours and do not give the answer away."""
    formal = frozenset(listed("formal"))
    return [
        subject
        for subject in subjects
        if subject.strip()
        and len(subject) <= 80
        and "\n" not in subject
        and bans.clean(subject)
        and not formal.issuperset(subject.casefold().split())
    ][:8]
