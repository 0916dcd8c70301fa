"""The phrases of a question as they can stand in another sentence: with article, and what hangs on them.

``the bishops of Reval``, ``a former Calgary Flame``, ``the American League``. Knows the question's string
only.
"""

from __future__ import annotations

import re

from synthesis.engines.composer.grammar.phrases import is_name, tokens_of
from synthesis.engines.composer.grammar.wording import article
from synthesis.engines.composer.grammar.words import (
    AUXILIARIES,
    DETERMINERS,
    DO,
    WH,
    base_of_third,
    core,
    is_base,
    is_english,
    is_ing,
    is_participle,
    is_past,
)
from synthesis.engines.composer.lexicon import words
from synthesis.engines.composer.reading.topics import STOPWORDS, asked, topics

#: At most so many phrases, of at most so many words.
MOST, _LONGEST = 10, 9

#: What a phrase may go on with.
_HANGING = frozenset(["of", "in", "from", "for", "on", "at", "near", "about"])
_BROKEN = re.compile(r"[.:;?!,]\s|:\S")
_FIGURE = re.compile(r"(?:the |an? )?\d+")
#: Nothing to speak of alone: "a mineral", "the same year", "the place of a ferry" that took it.
_VAGUE = re.compile(
    r"an? [a-z]+$|(?:the|an?) (?:same|other|following|first|last|next) [a-z]+$"
    r"|(?:the|an?) (?:place|part|use|name|number|kind|sort|time|way|end|case|result|form|type|amount|date"
    r"|year) of "
)
# What opens a clause of time or reason, whose verb may be the question's last word.
_OPENING = frozenset(["after", "before", "when", "while", "until", "since", "because", "once", "if", "that"])
_NUMERALS = frozenset(["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIV"])
_OBJECTS = frozenset(["them", "him", "her", "me", "us"])
_COMPARED = re.compile(r"\b(?:more|most|less|least|same|first|last|older|younger|newer)\b|\bmany\b|\bmuch\b")


def phrases(instruction: str) -> list[str]:
    """Phrases of an English question, the longest first; no one is inside another.

    Args:
        instruction: the question.

    Returns:
        At most ``MOST``; empty for other languages.
    """
    question = asked(instruction)
    if not question or not is_english(question) or (question.isupper() and len(question) > 12):
        return []
    tokens = tokens_of(question)
    verb = _main_verb(tokens)
    found = [
        *_with_articles(tokens, verb),
        *_asked_for(tokens, verb),
        *_names(question, topics(instruction)),
    ]
    kept: list[str] = []
    for phrase in sorted(dict.fromkeys(found), key=lambda one: -len(one)):
        bare = _bare(phrase)
        if (
            3 < len(phrase) < 80
            and not _BROKEN.search(phrase)
            and not _FIGURE.fullmatch(phrase)
            and not any(bare in _bare(other) for other in kept)
        ):
            kept.append(phrase)
    telling = [phrase for phrase in kept if not _VAGUE.match(phrase)]
    if len(telling) == 1:
        # A name is worth a word of its own: "the brewery in Port Averill", and Port Averill.
        telling += [name for name in _names(question, topics(instruction)) if _stands_in(telling[0], name)]
    return (telling or kept)[:MOST]


def _stands_in(phrase: str, name: str) -> bool:
    """Whether a name ends a phrase as the place or the body that something is in, from or for."""
    return re.search(rf" (?:in|at|from|near|for)(?: the)? {re.escape(name)}$", phrase) is not None


def _bare(phrase: str) -> str:
    return re.sub(r"^(?:the|an?) ", "", phrase).strip('“”"').casefold()


def _main_verb(tokens: list[str]) -> int:
    """Where the verb stands that ``did`` or ``does`` helps; -1 where there is none."""
    helped = next((at for at, token in enumerate(tokens) if core(token) in DO), None)
    if helped is None:
        return -1
    verbs = (
        at for at in range(helped + 2, len(tokens)) if tokens[at][:1].islower() and is_base(core(tokens[at]))
    )
    return next(verbs, -1)


def _with_articles(tokens: list[str], verb: int) -> list[str]:
    found = []
    for at, token in enumerate(tokens):
        if token.casefold() in ("the", "a", "an") and at + 1 < len(tokens):
            body = _body(tokens, at + 1, verb)
            if len(body) > 1 or (body and is_name(body[0])):
                found.append(_closed([token.casefold(), *body]))
    return found


def _asked_for(tokens: list[str], verb: int) -> list[str]:
    """``which former Calgary Flame`` as one of them."""
    for at, token in enumerate(tokens):
        if (
            core(token) in ("which", "what")
            and at + 1 < len(tokens)
            and core(tokens[at + 1]) not in STOPWORDS
        ):
            body = _body(tokens, at + 1, verb)
            first = core(body[0]) if body else ""
            if not first.isalpha() or _COMPARED.search(" ".join(body)) or is_past(first):
                return []
            helped = core("".join(tokens[at + 2 : at + 3])) in AUXILIARIES
            if base_of_third(first) and not (len(body) == 1 and helped):
                return []  # "which takes blood from the heart", but "which worries did they raise"
            if all(map(is_name, body)) or (" or " in " ".join(tokens[at:]) and is_name(body[-1])):
                return []
            plural = re.search(r"[^s]s$", _head(body)) is not None
            if first == "other":
                return [_closed(["another", *body[1:]])]
            return [_closed(body if plural else [article(body[0]), *body])]
    return []


def _head(body: list[str]) -> str:
    ends = (at for at, token in enumerate(body) if at and core(token) in _HANGING)
    return core(body[next(ends, len(body)) - 1])


def _body(tokens: list[str], start: int, verb: int) -> list[str]:
    """Plain words and names from there, and one more phrase that hangs on them."""
    end, hung = start, 0
    while end < len(tokens) and end - start < _LONGEST:
        word = core(tokens[end])
        # "The author of the art of war" hangs twice.
        again = hung < 1 or (hung == 1 and word == "of")
        if word in _HANGING and end > start and again and _goes_on(tokens, end + 1):
            hung += 1
            end += 2 if core(tokens[end + 1]) in ("the", "a", "an") else 1
            continue
        numbered = word in ("no", "nr") and end > start and core("".join(tokens[end + 1 : end + 2])).isdigit()
        ordinal = end > start and is_name(tokens[end - 1]) and tokens[end].strip(".,;:?!") in _NUMERALS
        paired = word == "and" and _paired(tokens, start, end)
        stop = word in STOPWORDS and not (numbered or ordinal or paired)
        if stop or word in _OBJECTS or end == verb or _acts(tokens, start, end):
            break
        if end > start and word.endswith("ly") and _acts(tokens, start, end + 1):
            break  # "a colonel correctly identified"
        end += 1
        if re.search(r"[,;:?!]$|['’]s$", tokens[end - 1]):
            break
    while end > start and core(tokens[end - 1]) in STOPWORDS and tokens[end - 1] not in _NUMERALS:
        end -= 1
    return tokens[start:end]


def _paired(tokens: list[str], start: int, at: int) -> bool:
    """Whether two names stand behind a noun that is both of them: ``the brothers Farid and Samir``."""
    head = next((token for token in tokens[start:at] if token[:1].islower()), "")
    named = all(map(is_name, tokens[at - 1 : at])) and at + 1 < len(tokens) and is_name(tokens[at + 1])
    return named and re.search(r"[^s]s$", head) is not None


def _goes_on(tokens: list[str], at: int) -> bool:
    if at >= len(tokens):
        return False
    word = core(tokens[at])
    behind = core(tokens[at + 1]) if at + 1 < len(tokens) else ""
    if word in ("the", "a", "an"):
        return bool(behind) and behind not in STOPWORDS
    return word not in STOPWORDS and word not in WH and word not in DETERMINERS and not is_ing(word)


def _acts(tokens: list[str], start: int, at: int) -> bool:
    """Whether a word is the verb of what stands before it."""
    word = "".join(tokens[at : at + 1])
    if at == start or not word[:1].islower():
        return False
    bare = core(word)
    if is_past(bare) or is_participle(bare):
        return True
    behind = tokens[at + 1] if at + 1 < len(tokens) else ""
    if not behind and is_base(bare) and re.search(r"[^s]s$", core(tokens[at - 1])):
        return True  # "before the bailiffs arrive"
    opened = any(core(token) in _OPENING for token in tokens[1:start])
    if not behind and opened and base_of_third(bare) is not None:
        return True  # "after the new bridge opens"
    plural = re.search(r"[^s]s$", core(tokens[at - 1])) is not None
    if plural and is_base(bare) and core(behind) in DETERMINERS | {"to"}:
        return True  # "axons run to the", "the Herons play their matches"
    follows = core(behind) in DETERMINERS | {"more", "most", "less", "fewer"} or (
        bool(behind) and is_name(behind)
    )
    return is_ing(bare) or (base_of_third(bare) is not None and follows)


def _closed(tokens: list[str]) -> str:
    text = re.sub(r"['’]s$", "", " ".join(tokens)).strip(".,;:!? ")
    if text.count("(") != text.count(")") or text.count('"') % 2:
        text = re.sub(r"[()\"]", "", text)
    return text


def _names(question: str, names: list[str]) -> list[str]:
    """Names as the question has them: with their article, a title in its marks."""
    found = []
    for name in names:
        if not name[:1].isupper() and not name[:1].isdigit():
            continue
        if name.split()[-1] in words("nationalities") or re.fullmatch(r"\d+\w*", name):
            continue  # "2014 American" has lost its noun
        at = question.find(name)
        before = question[max(0, at - 5) : at]
        lead = re.search(r"\b([Tt]he|an?) $", before)
        if before[-1:] in ('"', "“"):
            found.append(f"“{name}”")
        elif lead is None and not re.match(r"[Tt][Hh][Ee] ", name):
            found.append(name)
    return found
