"""Near misses: what is nearly asked, in the question's own words, and is of somebody or something else.

The evidence again with one of its conditions exchanged and another answer; the question's own names with
something else said of them; its phrases in passing; what is denied. Each says in triples what it says, and is
left out where a second answer would follow (``stating.proof``). Knows one pair; not where anything stands.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations

from synthesis.engines.composer.decoys.altering import Altering
from synthesis.engines.composer.decoys.patterns import mark_answer
from synthesis.engines.composer.decoys.rivals import Rivals
from synthesis.engines.composer.grammar.invent import Draw, Frames, Pattern, draws
from synthesis.engines.composer.grammar.wording import finish, squash, trimmed, upper_first
from synthesis.engines.composer.grammar.words import ARTICLES, AUXILIARIES, PREPOSITIONS, WH, core
from synthesis.engines.composer.lexicon import words
from synthesis.engines.composer.reading.answers import asked_nouns, is_polar, kind
from synthesis.engines.composer.stating.proof import Query, Triple
from synthesis.engines.composer.stating.statements import QUOTED, Statement
from synthesis.engines.composer.stating.steps.apart import Apart
from synthesis.engines.composer.stating.steps.links import Link, gapped
from synthesis.engines.composer.stating.steps.naming import kind_of
from synthesis.engines.composer.stating.steps.plan import Steps, subjects
from synthesis.engines.composer.stating.steps.wording import worded

#: How often each sort is tried, of those that a pair allows.
SHARES = {"altered": 8, "passing": 4, "otherwise": 2, "denied": 1}

#: How many of the facts about others are near misses, as long as there are any to come.
AMONG = 0.75

#: So many failures in a row, and there are no more.
_PATIENCE = 14

#: So often may one form be told of others: once as it is, once as what somebody says.
MOST_ALIKE = 2

#: How often a step that has been told of another is told again as what somebody says.
HELD = 0.6

#: How often two steps of another are told in one sentence, and how often one step with a phrase behind it.
JOINED, TAILED = 0.6, 0.5

#: How many of the near misses that the evidence would be told in two sentences for are told so.
ALSO_APART = 0.6

#: No near miss is longer than so many words, unless the evidence is.
_LONGEST = 44

#: So much longer may one be that is told in two sentences.
_APART = 20

_ONE_OF = re.compile(r"\{s\} (?:is|was) (?:an? |one of )")


def in_one(statements: Sequence[Statement], instruction: str, answer: str) -> Steps | None:
    """A single statement of an answer as a step of its own; no step where it cannot be seen as one.

    None for what no question is answered by: summaries, yes and no, what is only quoted.
    """
    sort = kind(instruction, answer)
    if len(statements) != 1 or statements[0].form == QUOTED or is_polar(answer) or sort == "summary":
        return None
    text, given = statements[0].text.rstrip("."), trimmed(squash(answer))
    value = given if given in text else given[:1].swapcase() + given[1:]
    if not given or len(text) > 400 or sort == "sentence" or text.count(value) != 1 or "{" in text:
        return Steps((), Query("find", (Triple("", "", "?answer"),)), "", {})
    for name in subjects(instruction, given):
        if core(name) in WH:
            continue
        form = gapped(text, name, value)
        if form:
            break
    else:
        name, form = "", text.replace(value, "{v}")
    link = Link(name, form, value, worded(form), "answer")
    return Steps((link,), Query("find", (Triple(name, form, "?answer"),)), "", {})


class Misses(Rivals):
    """The near misses of one pair, one after the other until there are no more."""

    def __init__(
        self,
        steps: Steps,
        instruction: str,
        answer: str,
        phrases: Sequence[str],
        rng: random.Random,
        said: Sequence[Statement] = (),
        apart: Apart | None = None,
    ) -> None:
        """``phrases`` are what the question speaks of and may be mentioned; ``said`` is what else is told.

        With ``apart`` they are told in two sentences as often as the evidence is.
        """
        super().__init__(steps, instruction, answer, rng)
        self._told.update(triple for one in said for triple in one.says)
        self._lives += (triple for one in said for triple in one.says)
        self._phrases = list(phrases)
        self._apart = apart
        self._taken = frozenset(re.findall(r"\w+", f"{instruction} {answer}".casefold())) - _LIGHT
        self._altering: dict[str, Altering] = {}
        self._asks = {one.relation for one in steps.query.wanted}
        self._seen: set[str] = {one.text for one in said}
        self._extra: dict[str, Draw] = {}
        told = [len(link.clause(link.forms[0]).split()) for link in steps.told]
        self._longest = max(_LONGEST, max(told, default=0) + 8) + (_APART if apart else 0)
        # Sides that are compared are spoken of alike, the right one too.
        self._named = answer.strip(" .").casefold() in instruction.casefold()
        #: What the question's words are told with, here and where others are told of.
        self.frames = Frames("misses", rng)
        self._told_as: Counter[str] = Counter()
        self._told_of: Counter[int] = Counter()
        self._said_of: set[tuple[str, str]] = set()
        self._marked: Pattern | None | bool = False

    def __iter__(self) -> Iterator[Statement]:
        sorts = {
            "altered": self._altered,
            "passing": self._passing,
            "otherwise": self._also,
            "denied": self._denied,
        }
        names, shares = list(sorts), [SHARES[name] for name in sorts]
        waiting: dict[str, Iterator[Statement]] = {}
        missed = 0
        while missed < _PATIENCE:
            name = self._rng.choices(names, shares)[0]
            found = next(waiting.setdefault(name, iter(())), None)
            if found is None:
                waiting[name] = sorts[name]()
                found = next(waiting[name], None)
            missed += 1
            if found is None or found.text in self._seen or len(found.text.split()) > self._longest:
                continue
            for kept in self._kept(found):
                missed = 0
                self._seen.add(kept.text)
                yield kept

    # --- the evidence of others

    def _altered(self) -> Iterator[Statement]:
        """The steps again, of another, with one condition that is not what is asked for."""
        links = list(self._steps.told)
        if not links:
            return
        at = self._rng.randrange(len(links))
        others = {name: self._like(name) for name in self._steps.names}
        told = [self._other(link, others, altered=index == at) for index, link in enumerate(links)]
        order = [one for one in told if one is not None]
        both = self._joined(order) if self._rng.random() < JOINED else None
        if both:
            yield both
            return
        pairs = [(index, one) for index, one in enumerate(told) if one is not None]
        self._rng.shuffle(pairs)
        for index, link in pairs:
            times = self._told_as[link.forms[0]]
            if times < MOST_ALIKE:
                self._told_as[link.forms[0]] += 1
                self._told_of[index] += 1
                again = self._told_of[index] > 1 and self._rng.random() < HELD
                yield self._held(link) if times or again else self._tailed(link)

    def _held(self, link: Link) -> Statement:
        """A step as what somebody says, in other words each time."""
        said = link.clause(_inside(link.forms[0]))
        text = self.frames.draw("held").fill(self._rng).replace("<S>", said)
        return Statement(text, "", "held", says=link.says)

    def _joined(self, links: Sequence[Link]) -> Statement | None:
        """Two steps about one thing in one sentence."""
        for one in self._rng.sample(links, len(links)):
            aside = _aside(one.forms[0], kind(self._instruction, self._answer) == "person")
            for other in links:
                form = other.forms[0]
                if aside is None or other is one or one.subject != other.subject or form.count("{s}") != 1:
                    continue
                before, after = form.split("{s}")
                if after.startswith(("'", ",")):
                    continue
                said = f"{before}{{s}}, {one.clause(aside)}{',' if after else ''}{after}"
                return Statement(finish(upper_first(other.clause(said))), "", says=(*one.says, *other.says))
        return None

    def _tailed(self, link: Link) -> Statement:
        """A near miss, often with what else the question speaks of behind it."""
        text = self._sentence(link)
        low = text.casefold()
        left = [one for one in self._phrases if one.strip("“”").casefold() not in low]
        if not left or not re.search(r"[\w)’'\"”]\.$", text) or self._rng.random() >= TAILED:
            return Statement(text, "", says=link.says)
        tail = self.frames.draw("tail").fill(self._rng).replace("<X>", self._rng.choice(left))
        return Statement(f"{text[:-1]}{tail}", "", "tailed", says=link.says)

    def _other(self, link: Link, others: dict[str, str], altered: bool) -> Link | None:
        """A step of another: invented names and the answer exchanged, and with ``altered`` a condition."""
        if link.each:
            return None
        form = self._rng.choice(link.forms)
        replaced = dict(others)
        free = altered
        for end in (link.subject, link.value):
            if end in replaced or end not in ("", link.value, link.subject):
                continue
            if self._is_answer(end):
                other = replaced.get(end) or self._set_beside(self._another(link))
                if not other:
                    return None
                others[end] = replaced[end] = other
            elif end == link.value and link.role != "answer" and not self._is_clause(end):
                slot = self._slot(link)
                value = self._value(slot, end) if slot else ""
                if value:
                    replaced[end] = value
                    free = False
        value = replaced.get(link.value, link.value)
        subject = replaced.get(link.subject, link.subject)
        form = _closed(_closed(form, "{v}", link.value, value), "{s}", link.subject, subject)
        relation = link.relation
        if free:
            if "{v}" in form and self._is_clause(value) and value == link.value:
                new = self._alter(value)
                if new is None:
                    return None
                value = new
            else:
                new = self._alter(form)
                if new is None:
                    return None
                if value == link.value == link.forms[0]:
                    value = new
                form, relation = new, new.casefold()
        elif (subject, value) == (link.subject, link.value):
            return None
        elif self._is_answer(link.subject) and not _ONE_OF.match(form):
            # What is told of the answer may be true of one alone.
            return None
        elif link.role == "bridge" and value == link.value and not altered and link.relation not in _OPEN:
            # Only one can be what the question describes.
            return None
        return replace(link, subject=subject, relation=relation, value=value, forms=(form,), means="")

    def _is_answer(self, name: str) -> bool:
        return bool(name) and self._says_the_answer(name)

    def _is_clause(self, value: str) -> bool:
        return len(value.split()) > 3 and any(word[:1].islower() for word in value.split())

    def _alter(self, clause: str) -> str | None:
        known = self._altering.get(clause)
        if known is None:
            known = self._altering[clause] = Altering(clause, self._taken)
        return known.draw(self._rng) if known else None

    def _set_beside(self, other: str) -> str:
        """Another answer with something beside its name, where the answer has: ``Oslo, Norway``."""
        name, comma, said = self._answer.strip(" .").partition(", ")
        if not comma or "," in other or not other:
            return other
        if said in words("countries"):
            return f"{self._namer.draw('town')}, {self._rng.choice(words('countries'))}"
        return f"{other}, {draws()['a_occupation'](self._rng)}" if _TRADE.fullmatch(said) else other

    def _another(self, link: Link) -> str:
        """Something else of the answer's kind; empty where the kind is not known."""
        head = (asked_nouns(self._instruction) or [""])[-1]
        sort = kind(self._instruction, self._answer)
        led = _LED.match(self._answer)
        if led:
            return f"{led[0]}{self._namer.draw('town')}" if led.end() < len(self._answer) else ""
        if " and " in self._answer and sort == "person":
            return f"{self._namer.fresh('person')} and {self._namer.fresh('person')}"
        if link.subject and self._is_answer(link.subject):
            if sort == "person":
                return self._namer.fresh("person")
            if sort == "place":
                return self._namer.draw("town")
        else:
            slot = self._slot(link)
            if slot:
                return self._value(slot, link.value)
        marked = self._pattern()
        if marked is not None:
            for _ in range(6):
                value = marked.fill(self._rng)
                if self._answer[:1].islower():
                    value = value[:1].lower() + value[1:]  # "five" stays in small letters
                if not self._says_the_answer(value):
                    return value
        titled = head.isalpha() and self._answer[:1].isupper() and " " in self._answer.strip()
        if head in _ROLES and titled:
            return self._namer.fresh("person")
        # "LT Group" is a group, and so is "Silveira Group".
        fit = titled and (sort == "person" or kind_of(head) != "person")
        return self._namer.fresh(head) if fit else ""

    def _pattern(self) -> Pattern | None:
        """What other answers are drawn from, by the answer's own look."""
        if isinstance(self._marked, bool):
            given = trimmed(squash(self._answer))
            sort = kind(self._instruction, self._answer)
            marked = mark_answer(given, given, sort, self._instruction, self._extra)
            self._marked = Pattern(marked, self._extra) if marked and marked != given else None
        return self._marked

    def _sentence(self, link: Link) -> str:
        form = link.forms[0]
        if self._apart and self._rng.random() < ALSO_APART:
            form = link.apart(form, self._apart)
        return link.sentence(form)

    # --- the same names, and the same words

    def _also(self) -> Iterator[Statement]:
        """Something else about what the question names."""
        names = [name for name in self._subjects() if name and core(name) not in WH]
        if self._named:
            ends = dict.fromkeys(link.subject for link in self._steps.told)
            names += [end for end in ends if end and end not in names]
        if not names:
            return
        name = self._rng.choice(names)
        if re.search(rf"\bthe {re.escape(name)}\b", self._instruction):
            return  # the forms have no article for it
        other = self._relation(self._steps.names.get(name) or self._guess(name))
        value = self._of(name, other) if other and (name, other.name) not in self._said_of else ""
        if other and value:
            self._said_of.add((name, other.name))
            link = Link(name, other.name, value, (self._rng.choice(other.forms),))
            yield Statement(link.sentence(link.forms[0]), "", says=link.says)

    def _passing(self) -> Iterator[Statement]:
        """Phrases of the question in a sentence that says nothing of what is asked."""
        if not self._phrases:
            return
        two = len(self._phrases) > 1 and self._rng.random() < 0.75
        chosen = self._rng.sample(self._phrases, 2 if two else 1)
        if two and any(one.strip('“”"') in other for one, other in permutations(chosen, 2)):
            return  # "the brothers A and B" and "A" are one
        pattern = self.frames.draw("two" if two else "one")
        text = pattern.fill(self._rng)
        for gap, phrase in zip("XY", chosen, strict=False):
            text = text.replace(f"<{gap}>", phrase)
        yield Statement(upper_first(text), "")

    def _denied(self) -> Iterator[Statement]:
        """A step that is wrong, and said to be."""
        if not self._steps.told:
            return
        link = self._rng.choice(self._steps.told)
        wrong = self._other(link, {name: self._like(name) for name in self._steps.names}, altered=False)
        if wrong is None or len(wrong.clause(wrong.forms[0]).split()) > 26:
            return
        said = wrong.clause(_inside(wrong.forms[0]))
        text = self.frames.draw("deny").fill(self._rng).replace("<S>", said)
        triples = tuple(triple._replace(denied=True) for triple in wrong.says)
        yield Statement(text, "", "denied", says=triples)

    def _kept(self, statement: Statement) -> list[Statement]:
        """The statement, if it neither holds the answer nor changes it; only what bears on it is weighed."""
        if statement.says and not self._asks.isdisjoint(triple.relation for triple in statement.says):
            return super()._kept(statement)
        if not self._named and self._holds(statement.text):
            return []
        self._lives += statement.says
        return [statement]


_TRADE = re.compile(r"an? [a-z][a-z -]+")
_LED = re.compile(
    r"(?:in|to|from|at|near|outside|inside|on|off|behind|above|below|around|beside) (?=[A-Z]|$)"
)
_OPENED = re.compile(r"^(?:The|An?|On|In|At|Of|As|It|This|What|Everybody|Nobody|For|To|By|From|When|Where)\b")
_BEING = re.compile(r"\{s\} (?:is|was|are|were) (?=an? |the |one of )")
_DOING = re.compile(r"\{s\} [a-z]+ ")


def _closed(form: str, gap: str, own: str, other: str) -> str:
    """A form without the comma behind what stands beside a name, if the other name has nothing beside it."""
    return form.replace(f"{gap}, ", f"{gap} ", 1) if "," in own and "," not in other else form


def _inside(form: str) -> str:
    """A form as it stands behind other words."""
    return _OPENED.sub(lambda word: word[0].lower(), form)


def _aside(form: str, person: bool) -> str | None:
    """``{s} was a king`` as ``a king``, ``{s} wrote {v}`` as ``who wrote {v}``."""
    if "{s}" in form[3:]:
        return None
    if found := _BEING.match(form):
        return form[found.end() :]
    return f"{'who' if person else 'which'} {form[4:]}" if _DOING.match(form) else None


def mingled(
    others: Iterator[str], misses: Iterator[Statement], most: int, told: list[Statement], rng: random.Random
) -> Iterator[str]:
    """Facts about others, among them up to ``most`` near misses; those drawn are added to ``told``."""
    while True:
        near = next(misses, None) if len(told) < most and rng.random() < AMONG else None
        if near is not None:
            told.append(near)
        yield near.text if near is not None else next(others, "")


#: What is asked for has a person's name.
_ROLES = frozenset(["role", "character", "part", "name", "nickname", "alias", "persona", "member"])

#: Relations that many may have to the same.
_OPEN = frozenset(["called"])

#: Words that may come in although the question has them.
_LIGHT = ARTICLES | PREPOSITIONS | AUXILIARIES | frozenset(["and", "or", "to", "not", "by"])
