"""Evidence in several steps: which kind of question it is, its steps, and how many of them are told.

``in_steps`` asks each reader in turn (what is derived from numbers, comparisons, yes and no, bridges,
described answers)
and joins what is left by other names. Knows the pair; returns None where the question is not to be taken
apart.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, replace

from synthesis.engines.composer.grammar.wording import squash, trimmed
from synthesis.engines.composer.grammar.words import AUXILIARIES, MONTHS, PREPOSITIONS, WH, core, is_english
from synthesis.engines.composer.lexicon import words
from synthesis.engines.composer.reading.answers import is_clause, is_polar
from synthesis.engines.composer.reading.frames import clean
from synthesis.engines.composer.reading.topics import asked
from synthesis.engines.composer.stating.choices import is_polar_question
from synthesis.engines.composer.stating.proof import Query, Triple
from synthesis.engines.composer.stating.statements import Statement, state
from synthesis.engines.composer.stating.steps.apart import Apart
from synthesis.engines.composer.stating.steps.bridges import NAME, named
from synthesis.engines.composer.stating.steps.compared import compared
from synthesis.engines.composer.stating.steps.joined import described
from synthesis.engines.composer.stating.steps.kin import relatives
from synthesis.engines.composer.stating.steps.links import Derivation, Link, exchanged, gapped
from synthesis.engines.composer.stating.steps.naming import Namer
from synthesis.engines.composer.stating.steps.numbers import derived
from synthesis.engines.composer.stating.steps.polar import polar
from synthesis.engines.composer.stating.steps.wording import worded

#: As many steps as the question describes.
AUTO = 4

_LONGEST, _LONGEST_ANSWER = 400, 120
_NAMES = re.compile(NAME)
_MONTH = "|".join(MONTHS)
_COMPOSED = re.compile(r"\b(?:who|that|which|whose|where|also|both)\b|, ")

_NOMINAL = (
    (r"what (?:is|was) the (?:date of birth|birth ?date|birthday) of (.+)$", r"When was \1 born"),
    (r"what (?:is|was) the date of death of (.+)$", r"When did \1 die"),
    (r"(?:what|where) (?:is|was) the (?:place of birth|birth ?place) of (.+)$", r"Where was \1 born"),
    (r"(?:what|where) (?:is|was) the place of death of (.+)$", r"Where did \1 die"),
    (r"when (?:is|was) (.+?)\s?['’]s birthday$", r"When was \1 born"),
    (r"(?:which|what) country (?:is )?(.+?) (?:is )?from$", r"What nationality is \1"),
    (r"which award (.+) received$", r"Which award did \1 receive"),
)


@dataclass(frozen=True, slots=True)
class Steps:
    """Evidence in steps.

    ``told`` are its steps in the order in which they lead to the answer, ``query`` what is asked of them,
    ``form`` the
    kind of question, ``names`` the invented ones, in nothing but the evidence, and their kinds.
    """

    told: tuple[Link, ...]
    query: Query
    form: str
    names: dict[str, str]

    def typed(self) -> list[Link]:
        """The steps about things of a plain kind, so that the same may be told of any other."""
        vague = {name for name, kind in self.names.items() if kind in ("thing", "alias")}
        return [link for link in self.told if not any(link.speaks_of(name) for name in vague)]

    def statements(
        self, rng: random.Random, overlap: str = "mixed", apart: Apart | None = None
    ) -> list[Statement]:
        """The steps as sentences, labelled ``hop 1 of 3: bridge``; see ``Link.tell``."""
        count = len(self.told)
        return [
            Statement(link.tell(rng, overlap, apart), f"hop {at} of {count}: {link.role}", says=link.says)
            for at, link in enumerate(self.told, 1)
        ]


def in_steps(instruction: str, answer: str, rng: random.Random, hops: int | str = "auto") -> Steps | None:
    """The evidence for an answer in several steps.

    Args:
        instruction: the question, in English.
        answer: its answer; short.
        rng: names whatever is described, and chooses values and forms.
        hops: ``auto`` for what the question describes, or how many steps at most, 2 to 4; where it
            describes fewer, other names of what it speaks of make up for them.

    Returns:
        At least two steps; None where the question is of one step, or in no form that can be taken apart.
    """
    text, given = squash(answer).strip(), clean(asked(instruction))
    if not text or len(text) > _LONGEST_ANSWER or not given or len(given) > _LONGEST:
        return None
    if re.search(r"[{?]|\bQ\d", given) or "{" in text or not is_english(given):
        return None
    most = AUTO if hops == "auto" else int(hops)
    namer = Namer(f"{instruction} {answer}", rng)
    told = _told(given, text, namer, rng, most)
    wanted = 0 if hops == "auto" else most
    if told is None:
        if hops == "auto" and not _composed(given):
            return None
        told, wanted = _plainly(given, text, rng), max(wanted, 2)
    while told and len(told.links) < wanted:
        more = _by_another_name(told, given, text, namer)
        if more is None:
            break
        told = more
    if told is None or len(told.links) < 2:
        return None
    return Steps(told.links, told.query, told.form, dict(namer.kinds))


def _told(question: str, answer: str, namer: Namer, rng: random.Random, most: int) -> Derivation | None:
    if is_polar(answer):
        return polar(question, answer, namer, rng, most)
    return (
        derived(question, answer, namer, rng)
        or compared(question, answer, namer, rng, most)
        or _bridged(question, answer, namer, rng, most)
        or described(question, answer)
    )


def _bridged(question: str, answer: str, namer: Namer, rng: random.Random, most: int) -> Derivation | None:
    """Each description named, and what is asked of the last name."""
    links: list[Link] = []
    left = question
    while len(links) < most - 1:
        taken = named(left, namer)
        if taken is None:
            break
        left = taken.question
        links.append(replace(taken.link, forms=_with_turns(taken.link.forms)))
    kin = relatives(left, trimmed(answer), namer) if len(links) + 2 <= most else None
    if kin:
        return _find((*links, *kin), kin[1].subject, namer)
    if not links:
        return None
    last = _last(_plain(left, answer), [link.subject for link in links], answer, rng)
    return _find((*links, last), last.value, namer) if last else None


def _with_turns(forms: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(other for form in forms for other in worded(form)))


def _last(question: str, names: list[str], answer: str, rng: random.Random) -> Link | None:
    """What is asked in the end, of one of the names."""
    far = _HOW_FAR.match(question)
    if far and far["name"] in names:
        said = f"{{s}} {far['be']} {{v}}{far['rest']}"
        return Link(far["name"], said, trimmed(answer), (said,), "answer")
    found = state(question + "?", answer, rng)
    if len(found) != 1 or _is_plain(found[0].text, question):
        return None
    text = found[0].text
    subject = next((name for name in reversed(names) if name in text), None)
    if subject is None:
        return None
    given = trimmed(answer)
    value = given if given in text else given[:1].swapcase() + given[1:]
    form = gapped(text, subject, value)
    return Link(subject, form, value, worded(form), "answer") if form else None


_HOW_FAR = re.compile(
    r"^(?P<name>.+?) (?P<be>is|was|lies|stands) how (?:far|tall|high|long|old|deep|big|large)(?P<rest>.*)$"
)


def _is_plain(text: str, question: str) -> bool:
    """Whether a statement only reports an answer, as no clause could be made of the question."""
    reports = re.search(r": |\brecords\b|\baccounts?\b|^(?:Concerning|About|As to|As for) ", text)
    return reports is not None and reports[0] not in question


def _find(links: tuple[Link, ...], answer: str, namer: Namer) -> Derivation:
    """A chain of steps asks for the answer at its end; invented names stand for anything."""

    def open_end(end: str) -> str:
        return "?answer" if end == answer else f"?{end}" if end in namer.kinds else end

    wanted = tuple(Triple(open_end(link.subject), link.relation, open_end(link.value)) for link in links)
    return Derivation(links, Query("find", wanted), "bridge")


def _plain(question: str, answer: str) -> str:
    """``What is the date of birth of N`` as ``When was N born``."""
    for pattern, plain in _NOMINAL:
        question = re.sub("^" + pattern, plain, question, flags=re.I)
    # Both are asked for by either word: "India" and "Indian".
    found = re.match(r"(?:what|which) (?:nationality is|country (?:is|comes)) (.+)$", question, re.I)
    if found and answer.casefold() not in map(str.casefold, words("nationalities")):
        return f"Where does {found[1]} come from"
    return question


# --- other names


def _composed(question: str) -> bool:
    """Whether a question speaks of several names, and of one by another."""
    names = {
        one[0].strip() for one in _NAMES.finditer(question) if one.start() and re.search("[A-Z]", one[0])
    }
    return len(question.split()) > 9 and len(names) > 1 and _COMPOSED.search(question[8:]) is not None


def _plainly(question: str, answer: str, rng: random.Random) -> Derivation | None:
    """One step: the usual statement, about the name in it that it is most about."""
    if is_polar(answer) or is_polar_question(question) or is_clause(answer):
        return None
    found = state(question + "?", answer, rng)
    if (
        len(found) != 1
        or len(found[0].text) > 300
        or "“" in found[0].text
        or _is_plain(found[0].text, question)
    ):
        return None
    text, given = found[0].text, trimmed(answer)
    value = given if given in text else given[:1].swapcase() + given[1:]
    text = re.sub(rf"^({NAME}), (is|was|are|were) (?=an? |the |one )", r"\1 \2 ", text)
    spliced = _spliced(text.rstrip("."), value)
    if spliced:
        return spliced
    for name in subjects(question, given):
        form = gapped(text, name, value)
        if form:
            link = Link(name, form, value, worded(form), "answer")
            return Derivation((link,), Query("find", (Triple(name, form, "?answer"),)), "alias")
    return None


_SPLICED = re.compile(
    rf"^(?P<name>{NAME}),? (?P<first>(?:is|was|are|were) .+?), (?:and )?"
    r"(?P<pronoun>he|she|it|they|his|her|its|their) (?P<rest>.+)$"
)


def _spliced(text: str, value: str) -> Derivation | None:
    """``X is a film by Y, it stars Z``: two sentences that a comma holds together are told apart."""
    found = _SPLICED.match(text)
    if found is None or value in found["first"] or value in found["name"]:
        return None
    name, first = found["name"], found["first"]
    owner = name if found["pronoun"] in ("he", "she", "it", "they") else f"{name}'s"
    form = gapped(f"{owner} {found['rest']}", name, value)
    if form is None:
        return None
    links = (
        Link(name, "is", first, ("{s} {v}",), "support"),
        Link(name, form, value, worded(form), "answer"),
    )
    wanted = (links[0].says[0], Triple(name, form, "?answer"))
    return Derivation(links, Query("find", wanted), "described")


def subjects(question: str, answer: str) -> list[str]:
    """Names in a question that may be called otherwise, the longest first."""
    openers = WH | AUXILIARIES | PREPOSITIONS | {"the", "a", "an", "who's"}
    runs = [
        one[0].strip()
        for one in _NAMES.finditer(question)
        if one.start() or core(one[0].split()[0]) not in openers
    ]
    found = [re.sub(r"['’]s?$", "", name) for run in runs for name in (run, *run.split(" and "))]
    low = answer.casefold()
    fit = [name for name in dict.fromkeys(found) if _may_be_called_otherwise(name, low, question)]
    return sorted(fit, key=lambda name: (-len(name.split()), question.find(name)))


def _may_be_called_otherwise(name: str, answer: str, question: str) -> bool:
    low = name.casefold()
    if not re.match(r"[\"“A-Z]", name) or len(name) < 4 or answer in low or low in answer:
        return False
    if name in words("nationalities") or re.search(rf"\b(?:and|is|in)\b|&|, an?\b|\b(?:{_MONTH}) \d", name):
        return False
    # "a Super Bowl" is one of several.
    one_of = re.search(rf"\b(?:an?|his|her|their) {re.escape(name)}", question)
    return name.count('"') in (0, 2) and one_of is None


_ALIASES = (
    "in the papers {v} goes by the name of {s}",
    "{s} is what {v} is called in all that follows",
    "whoever wrote of {v} wrote {s}, as everybody there did",
    "the name {s} stands for {v} in every list of those years",
    "{v} was entered as {s} from the first page to the last",
    "{s} and {v} are one and the same, as the register has it",
)


def _by_another_name(told: Derivation, question: str, answer: str, namer: Namer) -> Derivation | None:
    """One more step: something the question names has another name, and the rest is told of that."""
    called = [link for link in told.links if link.relation == "called"]
    renamed = {link.value for link in called}
    for name in (*subjects(question, answer), *(link.subject for link in called)):
        others = [link for link in told.links if link not in called]
        if name in renamed or not any(link.speaks_of(name) for link in others):
            continue
        alias = namer.draw("town", "alias")
        old = f"?{name}" if any(link.subject == name for link in called) else name
        links = (
            *called,
            Link(alias, "called", name, _ALIASES),
            *(link.renamed(name, alias) for link in others),
        )
        names = [one for one in told.query.wanted if one.relation == "called"]
        wanted = [
            _renamed(one, old, f"?{alias}", name, alias) for one in told.query.wanted if one not in names
        ]
        first = Triple(f"?{alias}", "called", old)
        return Derivation(links, replace(told.query, wanted=(*names, first, *wanted)), told.form)
    return None


def _renamed(wanted: Triple, old: str, new: str, name: str, alias: str) -> Triple:
    """What is wanted, of the other name; inside a clause the name itself stands for it."""
    ends = (
        new if value == old else exchanged(value, name, alias) for value in (wanted.subject, wanted.value)
    )
    subject, value = ends
    return Triple(subject, wanted.relation, value)
