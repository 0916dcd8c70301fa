"""The sentences of a text that say something of somebody or something by name, as subject, verb and rest.

Whatever cannot surely be read so is left out: a text has more sentences than there are questions to ask.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from synthesis.engines.composer.grammar.phrases import (
    is_adverb,
    is_name,
    is_possessive,
    noun_phrase_end,
    phrase_end,
    tokens_of,
)
from synthesis.engines.composer.grammar.wording import lower_first, squash
from synthesis.engines.composer.grammar.words import (
    AUXILIARIES,
    BE,
    DETERMINERS,
    DO,
    HAVE,
    MODALS,
    PREPOSITIONS,
    PRONOUNS,
    RELATIVES,
    SMALL_NUMBERS,
    WH,
    base_of_past,
    base_of_third,
    core,
    is_ing,
    is_participle,
)
from synthesis.text.sentences import sentences
from synthesis.text.words import split_words

_BRACKETS = re.compile(r"\s*[(\[][^()\[\]]{0,300}[)\]]")
_ODD = re.compile(r"[?!;:“”‘{}<>|*_=\[\]()]| [–—-]+ |—")
_FEWEST, _MOST = 5, 45  # tokens
_OWN = frozenset(split_words("his her its their"))
_POINTING = _OWN | frozenset(
    split_words(
        "he she it they him them hers theirs this that these those such there here i we you my our your me "
        "us former latter"
    )
)
_JOINTS = frozenset(
    split_words("and but or while although though whereas because so as when where after before until")
)

_REPORTING = frozenset(split_words("say tell write speak talk report state add note claim"))
WORKS = frozenset(
    split_words("film album novel song book game single series play opera comedy band group show magazine")
)
_NO_SUBJECT = frozenset(SMALL_NUMBERS) | PRONOUNS | PREPOSITIONS | RELATIVES | WH | _JOINTS | _POINTING


@dataclass(frozen=True, slots=True)
class ReadClause:
    """``subject verb rest``, as told by ``sentence`` (as it stands in the text) at ``start``.

    ``rest`` are the tokens of the first clause behind the verb, without a closing stop. ``of_person``
    tells that the text goes on about a man or a woman.
    """

    sentence: str
    start: int
    subject: str
    verb: str
    rest: tuple[str, ...]
    of_person: bool = False

    @property
    def told(self) -> str:
        """The rest as text."""
        return " ".join(self.rest)

    @property
    def is_copula(self) -> bool:
        """Whether it says what the subject is."""
        return self.verb in BE and self.rest[:1] != () and core(self.rest[0]) in ("a", "an", "the")

    @property
    def within(self) -> str:
        """The subject as it stands inside a sentence: "the Treaty of Kelm", but "The Dig", a work."""
        if not self.subject.startswith("The "):
            return lower_first(self.subject)
        titled = self.is_copula and any(core(token) in WORKS for token in self.rest[:8])
        return self.subject if titled else f"the {self.subject[4:]}"

    def asked(self, rest: str) -> str | None:
        """``did Kell write``: the clause turned round, with another ``rest``; None if that is unsure."""
        word, subject = core(self.verb), self.within
        first = next((core(token) for token in self.rest if not is_adverb(token)), "")
        owns = word in HAVE and not is_participle(first)
        if word in BE | HAVE | MODALS and not owns:
            return f"{word} {subject} {rest}".strip()
        if word in DO:
            return None
        base = "have" if owns else base_of_past(word)
        if base and word not in ("has", "have"):
            return f"did {subject} {base} {rest}".strip()
        if base := base or base_of_third(word):
            return f"{'do' if word == 'have' else 'does'} {subject} {base} {rest}".strip()
        return None


def said_in(text: str) -> Iterator[ReadClause]:
    """What the sentences of a text say, one by one, as far as they can be read."""
    for start, end in sentences(text):
        if (found := _said(text[start:end], start)) is not None and _is_named(found.subject, text):
            person = re.match(r"\s+(?:He|She|His|Her)\b", text[end : end + 20]) is not None
            yield replace(found, of_person=person)


def _is_named(subject: str, text: str) -> bool:
    """Whether a subject of one word is a name: it has a capital where no sentence begins, too."""
    if " " in subject or not subject[1:].islower():
        return True
    return re.search(rf"[a-z,] {re.escape(subject)}\b", text) is not None


def plain(sentence: str) -> str:
    """A sentence without what it has in brackets, on one line."""
    return squash(_BRACKETS.sub("", sentence))


def points_elsewhere(tokens: tuple[str, ...] | list[str]) -> bool:
    """Whether a word stands for something that only another sentence names."""
    return any(core(token) in _POINTING for token in tokens)


def _said(sentence: str, start: int) -> ReadClause | None:
    told = plain(sentence)
    if (
        not told.endswith(".")
        or re.search(r"[?!;:“”‘{}<>|*_=\[\]()]| [–—-]+ |—", told)
        or told.count('"') % 2
    ):
        return None
    tokens = tokens_of(told[:-1])
    if not _FEWEST <= len(tokens) <= _MOST or not told[:1].isupper():
        return None
    first = core(tokens[0])
    if (
        first in _NO_SUBJECT
        or first in SMALL_NUMBERS
        or is_adverb(tokens[0])
        or (first.endswith("ing") and is_ing(first))
    ):
        return None
    for end in dict.fromkeys((noun_phrase_end(tokens), phrase_end(tokens))):
        at = _behind_apposition(tokens, end)
        if at is not None and (found := _clause(tokens, end, at)):
            subject, verb, rest = found
            return ReadClause(sentence, start, subject, verb, rest)
    return None


def _behind_apposition(tokens: list[str], end: int) -> int | None:
    """Where the verb should stand: behind the subject, or behind what stands between two commas there."""
    if end >= len(tokens) or not tokens[end - 1].endswith(","):
        return end if end < len(tokens) else None
    closing = next((at for at in range(end, min(len(tokens), end + 14)) if tokens[at].endswith(",")), None)
    return None if closing is None else closing + 1


def _clause(tokens: list[str], end: int, at: int) -> tuple[str, str, tuple[str, ...]] | None:
    while at < len(tokens) and is_adverb(tokens[at]):
        at += 1
    if at + 1 >= len(tokens):
        return None
    subject, verb = tokens[:end], tokens[at]
    word = core(verb)
    finite = word in AUXILIARIES or base_of_past(word) is not None or base_of_third(word) is not None
    if not finite or verb != word or not is_subject(subject):
        return None
    if base_of_past(word) in _REPORTING and core(tokens[at + 1]) in PREPOSITIONS:
        return None  # what was said stands elsewhere
    if word not in AUXILIARIES and _finite(core(tokens[at + 1])):
        return None  # "the second "Ludlow" ships were": that was a noun
    # "Alien directed by Scott is ...": what looks like the verb only describes.
    later = any(core(token) in BE | HAVE for token in tokens[at + 1 : at + 10])
    if word not in AUXILIARIES and is_participle(word) and core(tokens[at + 1]) in PREPOSITIONS and later:
        return None
    rest = _first_clause(tokens[at + 1 :])
    if not rest or points_elsewhere([one for one in rest if core(one) not in _OWN]):
        return None
    return " ".join(subject).rstrip(","), word, tuple(rest)


def is_subject(tokens: list[str]) -> bool:
    """Whether a phrase names something by itself: "Kell", "the Vane Society", not "the company"."""
    if not tokens or len(tokens) > 9 or points_elsewhere(tokens) or is_possessive(tokens[-1]):
        return False
    said = [core(token) for token in tokens if is_name(token)]
    inside = any(token[:1].isdigit() for token in tokens[2:])  # of captions that ran into the sentence
    if core(tokens[0]) in ("a", "an") or len(set(said)) < len(said) or inside:
        return False
    names = [token for token in tokens[1:] if is_name(token) and not token[:1].isdigit()]
    first = core(tokens[0]) not in DETERMINERS | PREPOSITIONS | WH and tokens[0][:1].isupper()
    return bool(names) or (first and len(tokens) == 1 and len(tokens[0]) > 2)


def _first_clause(tokens: list[str]) -> list[str]:
    """The tokens up to where another clause or an afterthought begins, without a closing comma."""
    for at, token in enumerate(tokens):
        following = tokens[at + 1] if at + 1 < len(tokens) else ""
        listed = core(following) == "and" and at + 2 < len(tokens) and is_name(tokens[at + 2])
        if token.endswith(",") and following[:1].islower() and not listed and not _lists_on(tokens[at + 1 :]):
            return [*tokens[:at], token.rstrip(",")]
        verbal = tokens[at + 1 : at + 2]
        if core(token) in ("and", "but") and verbal and _finite(core(verbal[0])) and verbal[0][:1].islower():
            return tokens[:at]
        if at and core(token) in ("which", "who", "whose", "whom"):
            return [*tokens[: at - 1], tokens[at - 1].rstrip(",")] if tokens[at - 1].endswith(",") else tokens
    return [*tokens[:-1], tokens[-1].rstrip(",")] if tokens else tokens


def _lists_on(tokens: list[str]) -> bool:
    """Whether what follows a comma only goes on with a list: "television and theatre design"."""
    joined = [core(token) for token in tokens]
    others = RELATIVES | PREPOSITIONS | AUXILIARIES | _JOINTS - {"and"}
    return (
        len(joined) <= 6 and "and" in joined[1:] and not any(_finite(one) or one in others for one in joined)
    )


def _finite(word: str) -> bool:
    return word in AUXILIARIES or base_of_past(word) is not None or base_of_third(word) is not None
