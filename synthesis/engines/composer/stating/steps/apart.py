"""One statement in two sentences, so that the one with the answer doesn't repeat the question.

"The genus of the bald eagle is H" becomes a sentence that brings up the bald eagle and "The genus is H"; "E
wrote the guitar solo" one that brings up the solo and "E wrote it"; "W won the race" one that brings up W and
"The one so named won the race". Knows a clause with gaps (``steps.links``) at a time.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from synthesis.engines.composer.grammar.clauses import finite_verb
from synthesis.engines.composer.grammar.invent import Frames
from synthesis.engines.composer.grammar.phrases import is_adverb, noun_phrase_end, phrase_end, tokens_of
from synthesis.engines.composer.grammar.wording import is_plural, lower_first, upper_first, with_article
from synthesis.engines.composer.grammar.words import (
    AUXILIARIES,
    DETERMINERS,
    MONTH_WORDS,
    PREPOSITIONS,
    base_of_third,
    core,
    is_adjective,
    is_base,
    is_participle,
    is_past,
)
from synthesis.engines.composer.lexicon import word_class
from synthesis.engines.composer.reading.answers import asked_nouns, kind, names_person
from synthesis.engines.composer.stating.steps.naming import kind_of
from synthesis.text.ngrams import plain_words

#: Between the two sentences of a form.
JOINT = " \ue002 "

#: A sentence may hold this share of the question's words before it is told in two.
MOST_COPIED = 0.34

#: How often an answer that is a name is spoken of once more, saying nothing of it.
MENTIONED = 0.45

#: A statement of more words than this is long enough.
_LONGEST = 34

#: How often one that holds more is told in two, and how often any other.
TOLD_APART, OTHERS = 0.9, 0.12

_TITLED = word_class("worked") | word_class("groups") | word_class("place_nouns") | word_class("person_nouns")
_ANSWER = re.compile(r"\{v\}|\{s\}")
_REPORTS = (
    (
        "clause",
        re.compile(r"(?:It is on record|Everybody there could have said) (?P<x>[^{]+): (?P<gap>\{v\})$"),
    ),
    ("clause", re.compile(r"As to (?P<x>[^{]+), the records are plain: (?P<gap>\{v\})$")),
    ("clause", re.compile(r"On the question of (?P<x>[^{]+) all accounts agree: (?P<gap>\{v\})$")),
    ("topic", re.compile(r"Concerning (?P<x>[^{]+), what is on record is this: (?P<gap>\{v\})$")),
    ("topic", re.compile(r"In the matter of (?P<x>[^{]+), the records give (?P<gap>\{v\})$")),
    ("clause", re.compile(r"The place (?P<x>where [^{]+) was (?P<gap>\{v\})$")),
    (
        "topic",
        re.compile(r"What the records hold concerning (?P<x>[^{]+) comes down to this: (?P<gap>\{v\})$"),
    ),
)
_OPENED = re.compile(r"(?P<gap>(?:[Ii]t (?:is|was) )?(?P<name>\{[sv]\}),?(?: who| that)?) (?P<said>[a-z].*)$")
_BOTH = re.compile(
    r"(?P<first>[A-Z{][^;:]{15,}?),? (?:and|but) (?P<also>also |later |then )?"
    r"(?P<second>[a-z]+ [^;:]*\{v\}.*)$"
)
_DATED = re.compile(r" (?P<when>(?:in|on|since|until|during) (?:the year )?(?:\w+ )?(?:\w+,? )?\d{4}s?)$")
_SO_NAMED = ("the one so named", "the one meant there")
_WHOSE_NAME = ("the one so named", "the bearer of that name")
# Of such nouns "it" may be anything; some don't stand without "of" and what follows either.
_EMPTY = word_class("empty_heads")
_NOT_OWNED = _EMPTY - word_class("owned_heads")
_YEAR = re.compile(r"\b(?:1[5-9]\d\d|20[0-3]\d)\b")
_IS_OF = re.compile(r"(?:is|was) (?:that of )?(?:an? |the )?\{[sv]\}")
_LIVED = re.compile(r"(?:is|was) (?:born|married|engaged|buried)\b|(?:died|married|studied|lived)\b")
_IS = re.compile(r"(?:is|was) \{[sv]\}")
_PLAIN = re.compile(r"[^,;:()]+$")


class Apart:
    """Tells the statements of one pair in two sentences where one would repeat its question."""

    def __init__(
        self, instruction: str, answer: str, clean: Callable[[str], bool], rng: random.Random
    ) -> None:
        """``clean`` says whether words of ours may stand beside the pair's."""
        self._asked = frozenset(plain_words(instruction))
        self._clean = clean
        self._rng = rng
        self._frames = Frames("apart", rng)
        years = _YEAR.findall(instruction) + _YEAR.findall(answer[:200])
        self._latest = max(map(int, years), default=0)
        self._head = _asked_for(instruction)
        self._small = instruction == instruction.casefold()
        sort = kind(instruction, answer)
        self._person = sort == "person"
        # A register has persons, places and works; nobody keeps a card on "G minor".
        self._mentioned = sort in ("person", "place") or self._head in _TITLED or answer[:1] in '"“'

    def form(self, form: str, subject: str = "", value: str = "", answers: bool = False) -> str:
        """The form itself, or one of several sentences with ``JOINT`` between them and the same gaps.

        ``subject`` and ``value`` are what its gaps will hold; with ``answers`` a value that is a name is
        often spoken of once more.
        """
        told = self._in_two(form, subject, value)
        if (
            not answers
            or not _is_a_name(value)
            or not self._mentioned
            or "{v}" in told.partition(JOINT)[0]
            and JOINT in told
            or len(told.split()) > _LONGEST
            or self._rng.random() >= MENTIONED
            or told.count("{v}") != 1
        ):
            return told
        again = self._drawn("name", "{v}", form)
        parts = (again, told) if self._rng.random() < 0.5 else (told, again)
        return JOINT.join(parts) if again else told

    def _in_two(self, form: str, subject: str, value: str) -> str:
        copied = self._copied(form.replace("{s}", subject).replace("{v}", value))
        if JOINT in form or self._rng.random() >= (TOLD_APART if copied > MOST_COPIED else OTHERS):
            return form
        return self.parted(form, subject, value) or form

    def _copied(self, text: str) -> float:
        return len(self._asked & {*plain_words(text)}) / max(1, len(self._asked))

    def parted(self, form: str, subject: str = "", value: str = "") -> str | None:
        """Two sentences that say the same; None where that is not sure to be English."""
        form = form.rstrip(".")
        for sort, pattern in _REPORTS:
            found = pattern.match(form)
            if found:
                ahead, behind = self._drawn(sort, found["x"], ""), self._drawn("answer", found["gap"], "")
                return f"{ahead}{JOINT}{behind}" if ahead and behind else None
        both = _BOTH.match(form)
        if both and "{v}" not in both["first"] and "{s}" not in both["second"]:
            verb, behind = map(core, both["second"].split()[:2])
            finite = is_past(verb) and behind not in PREPOSITIONS or base_of_third(verb)
            if verb in AUXILIARIES or finite:
                return f"{both['first']}{JOINT}the one spoken of {both['also'] or ''}{both['second']}"
        opened = _OPENED.match(form)
        if opened:
            name = subject if opened["name"] == "{s}" else value
            made = self._of_a_name(opened["gap"], opened["name"], opened["said"], name)
            if made or opened["name"] == "{v}" or "{v}" not in form:
                return made
        return self._of_a_topic(form, "{v}" if "{v}" in form else "{s}")

    # --- what begins with a name

    def _of_a_name(self, opening: str, gap: str, said: str, name: str) -> str | None:
        """``{v} wrote the solo``: the solo first and ``{v} wrote it``, or the name first."""
        if not name or re.match(r"(?:and|or)\b|,", said):
            return None
        ways = [lambda: self._object_first(opening, said), lambda: self._name_first(gap, said, name)]
        self._rng.shuffle(ways)
        return ways[0]() or ways[1]()

    def _name_first(self, gap: str, said: str, name: str) -> str | None:
        first = next((core(token) for token in said.split() if not is_adverb(token)), "")
        many = first in ("are", "were", "have", "do") or is_base(first) and not is_past(first)
        if many or not re.match(r"[\"“(]?[^\W\d_a-z]", name) or re.search(r" and |&|,", name):
            return None
        if not (first in AUXILIARIES or is_past(first) or base_of_third(first)):
            return None
        asked = bool(self._head) and self._head not in map(core, said.split())
        # The noun asked for is the value's.
        noun = asked and not (gap == "{s}" and "{v}" in said) and self._rng.random() < 0.6
        again = f"that {self._head}" if noun else self._rng.choice(_WHOSE_NAME if self._person else _SO_NAMED)
        ahead = self._drawn("name", gap, said)
        when = _DATED.search(said)
        alone = when is not None and not is_participle(core(said[: when.start()].split()[-1]))
        if when and alone and "{" not in when[0] and self._rng.random() < 0.6:
            again, said = f"{when['when']} {again}", said[: when.start()]
        return f"{ahead}{JOINT}{again} {said}" if ahead else None

    def _object_first(self, opening: str, said: str) -> str | None:
        tokens = tokens_of(said)
        verb = core(tokens[0])
        if "{" in said or not (is_past(verb) or base_of_third(verb)) or verb in _NO_VERBS:
            return None
        at = 2 if len(tokens) > 2 and core(tokens[1]) in PREPOSITIONS else 1
        phrase = tokens[at:]
        if not phrase or not _PLAIN.match(" ".join(phrase)) or core(phrase[0]) not in ("the", "a", "an"):
            return None
        end = phrase_end(phrase)
        tail = " ".join(phrase[end:])
        if end < 2 or (tail and core(phrase[end]) not in PREPOSITIONS) or re.search(r"\band\b", tail):
            return None
        head = _head(phrase[:end])
        if _is_person(head) or not head:
            return None
        it = "them" if is_plural(" ".join(phrase[:end])) else "it"
        ahead = self._drawn("topic", " ".join(phrase), said)
        return f"{ahead}{JOINT}{opening} {' '.join(tokens[:at])} {it}" if ahead else None

    # --- what says something of a topic

    def _of_a_topic(self, form: str, gap: str) -> str | None:
        """``The genus of X is {v}``, ``X was built in {v}``, with ``{s}`` or plain words for X."""
        before, found, after = form.partition(gap)
        if not found or not _PLAIN.match(before or "x") or before.count('"') % 2 or not before.strip():
            return None
        tokens = tokens_of(before)
        if core(tokens[0]) in PREPOSITIONS | {"it", "what", "there", "they", "you", "he", "she", "we", "i"}:
            return None
        verb = finite_verb(tokens)
        if verb is None or verb >= len(tokens):
            return None
        said = " ".join(tokens[verb:])
        topic = tokens[:verb]
        if "{s}" in said or not _whole(topic):
            return None
        rest = f"{said} {gap}{after}"
        owned = self._owned(topic, rest)
        if owned:
            return owned
        first = lower_first(" ".join(topic))
        be = core(tokens[verb])
        head = _head(topic)
        last, size = topic[_end(topic) - 1], _end(topic)
        quoted = size > 2 and (last[:1] in '"“' or last == "{s}") and topic[size - 2].islower()
        head = core(topic[_end(topic) - 2]) if quoted else head  # 'the song "Push It"' is that song
        capital = topic[_end(topic) - 1][:1].isupper()
        named = topic[0] == "{s}" or capital or topic[0][:1].isupper() and core(topic[0]) not in DETERMINERS
        many = be in ("are", "were", "have")
        if not many and be not in ("is", "was", "has"):
            many = not named and is_plural(" ".join(topic[: _end(topic)]))
        if named and not many:
            again = self._rng.choice(_SO_NAMED)
        elif core(topic[0]) in DETERMINERS and head and head not in _EMPTY:
            whom = _is_person(head) or _IS.fullmatch(rest) or _LIVED.match(rest)
            # In small letters a title can't be told from what it speaks of: "the diary of a wimpy kid".
            noun = whom or (not self._small and self._rng.random() < 0.5)
            again = "they" if many else f"that {head}" if noun else "it"
            if not many and is_plural(" ".join(topic[: _end(topic)])):
                return None
        else:
            return None
        ahead = self._drawn("name" if named else "topic", first, rest)
        return f"{ahead}{JOINT}{again} {rest}" if ahead else None

    def _owned(self, topic: list[str], rest: str) -> str | None:
        """``The genus of a bald eagle is {v}``: a bald eagle, and ``The genus is {v}``."""
        at = next((at for at, token in enumerate(topic) if core(token) == "of"), 0)
        if at < 2 or at + 1 >= len(topic) or core(topic[0]) != "the":
            return None
        head, owner = core(topic[at - 1]), " ".join(topic[at + 1 :])
        if head in _NOT_OWNED or is_adjective(head) or at > 4 or not _IS_OF.fullmatch(rest):
            return None
        whole = (
            owner == "{s}" or re.match(r"(?:the|an?|his|her|its) |[A-Z]", owner) or is_plural(f"the {owner}")
        )
        ahead = self._drawn("topic", owner, rest) if whole else ""
        return f"{ahead}{JOINT}{' '.join(topic[:at])} {rest}" if ahead else None

    # --- sentences that bring something up

    def _drawn(self, sort: str, phrase: str, said: str) -> str:
        """The next sentence of a sort with the phrase in it; empty where none can stand beside the pair.

        It is of no year before one that is ``said``.
        """
        for _ in range(6):
            own = self._frames.draw(sort).fill(self._rng)
            if "<Y>" in own:
                known = self._latest or max(map(int, _YEAR.findall(said)), default=0)
                year = (
                    known + 1 + int(self._rng.random() * 9) if known else 1958 + int(self._rng.random() * 40)
                )
                own = own.replace("<Y>", str(min(year, 2026)))
            if self._clean(own):
                return upper_first(own.replace("<X>", phrase).rstrip("."))
        return ""


def _is_person(noun: str) -> bool:
    return names_person(noun) or kind_of(noun) == "person"


def _is_a_name(value: str) -> bool:
    words_of = value.split()
    return (
        0 < len(words_of) < 6
        and re.match(r"[\"“]?[^\W\d_a-z]", value) is not None
        and not re.search(r"\d|[,;:()]| and ", value)
        and not MONTH_WORDS.intersection(map(core, words_of))
        and with_article(value) == value
    )


def _asked_for(instruction: str) -> str:
    """The noun asked for, where something can be called by it: ``king``, ``film``; else empty."""
    nouns: list[str] = []
    for noun in asked_nouns(instruction)[:4]:
        if not noun.isalpha() or nouns and (is_past(noun) or base_of_third(noun) and not names_person(noun)):
            break
        nouns.append(noun)
    known = nouns and (names_person(nouns[-1]) or kind_of(nouns[-1]) in ("work", "org", "place"))
    return nouns[-1] if known and not is_plural(f"the {nouns[-1]}") else ""


def _end(phrase: list[str]) -> int:
    """Where the first preposition or clause of a phrase begins."""
    ends = (at for at, token in enumerate(phrase) if at and core(token) in PREPOSITIONS | _CLAUSES)
    return next(ends, len(phrase))


def _head(phrase: list[str]) -> str:
    """The noun of a phrase."""
    return core(phrase[_end(phrase) - 1]) if phrase else ""


def _whole(topic: list[str]) -> bool:
    """Whether the words are one noun phrase, with what hangs on it."""
    if topic == ["{s}"]:
        return True
    low = [core(token) for token in topic]
    opens = next((at for at, word in enumerate(low) if at and word in _CLAUSES), len(low))
    if any(word in ("to", "because", "if", "when") or word in AUXILIARIES for word in low[:opens]):
        return False
    plain = not any(word in PREPOSITIONS | DETERMINERS | _CLAUSES or is_past(word) for word in low[1:])
    if plain and len(low) < 6 and "and" not in low:
        return True
    at = noun_phrase_end(topic)
    while 0 < at < len(topic):
        if low[at] in _CLAUSES:
            return True
        if low[at] not in PREPOSITIONS:
            return False
        if low[at + 1 : at + 2] in (["which"], ["whom"]):
            return True
        following = noun_phrase_end(topic, at + 1)
        if following == at + 1:
            return False
        at = following
    return at == len(topic)


_CLAUSES = frozenset(["that", "which", "who", "whom", "whose", "where"])
#: Verbs behind which "it" would say something else.
_NO_VERBS = AUXILIARIES | frozenset(["became", "becomes", "got", "made", "makes", "let", "took", "takes"])


def joined(clause: str) -> list[str]:
    """The sentences of a form that has been filled, without their stops."""
    return [upper_first(part.strip()) for part in clause.split(JOINT.strip())]
