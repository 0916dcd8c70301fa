"""Comparisons: the things offered, and what one being first, longer or other comes to.

Knows frames and answers; None where the comparison cannot be said in one plain clause.
"""

from __future__ import annotations

import re

from synthesis.engines.composer.language.clauses import uninvert
from synthesis.engines.composer.language.english import (
    BE,
    HAVE,
    PREPOSITIONS,
    RELATIVES,
    core,
    is_ing,
    is_participle,
    is_past,
    upper_first,
    word_class,
)
from synthesis.engines.composer.language.frames import Frame
from synthesis.engines.composer.language.phrases import is_adverb, is_name, noun_phrase_end, tokens_of

_COMPARATIVES = word_class("comparatives")
_PARTICLES = word_class("particles")
_BEFORE = frozenset(["first", "earliest", "soonest"])
_AFTER = frozenset(["last", "latest"])


def offered(question: str) -> tuple[str, tuple[str, str] | None]:
    """Take ``, the painter A or the engraver B`` off the end of a comparing question."""
    tail = re.match(
        r"(?P<head>(?:which|who|what|whose)\b[^,;:]+)[,;:] (?P<a>[^,;:]+?),? or (?P<b>[^,;:]+)$",
        question,
        re.I,
    )
    if not tail or max(len(tail["a"].split()), len(tail["b"].split())) > 9:
        return question, None
    ranked = any(compares(token) or core(token) in _BEFORE | _AFTER for token in tail["head"].split())
    if ranked or re.match(r"(?:the|an?|his|her|their) ", tail["a"]):
        return tail["head"], (tail["a"], tail["b"])
    return question, None


def compares(token: str) -> bool:
    """Whether a word is a comparative that ``than`` can follow."""
    word = core(token)
    return word in _COMPARATIVES or word.split("-")[0] in _COMPARATIVES and "-" in word


def sides(choices: tuple[str, str], given: str) -> tuple[str, str] | None:
    """The thing chosen, as the question names it where that holds the answer, and the other one."""
    if "," in "".join(choices):
        return None
    weights = [len(_words(given) & _words(choice)) for choice in choices]
    if weights[0] == weights[1]:
        return None
    chosen = choices[weights[1] > weights[0]]
    return (chosen if given in chosen else given), choices[weights[0] > weights[1]]


def _words(text: str) -> set[str]:
    return {core(word) for word in text.split()} - {"the", "a", "an", "of", "and"}


def compared(frame: Frame, given: str) -> str | None:
    """``B opened before A``, ``B lived longer than A``; None where neither form fits."""
    pair = sides(frame.choices, given) if frame.choices else None
    tokens = frame.predicate.split()
    if pair is None or frame.role != "subject" or not tokens:
        return None
    return _ranked(pair, tokens)


def _ranked(pair: tuple[str, str], tokens: list[str]) -> str | None:
    """The predicate said of the first of the pair, measured against the second."""
    if any(core(token) in RELATIVES for token in tokens):
        return None
    last, head = core(tokens[-1]), tokens[:-1]
    if last in _BEFORE | _AFTER:
        link = "before" if last in _BEFORE else "after"
        if len(head) == 1 and core(head[0]) in BE:
            return f"{pair[0]} came {link} {pair[1]}"
        return f"{pair[0]} {' '.join(head)} {link} {pair[1]}" if head and _only_verbs(head) else None
    at = next((at for at, token in enumerate(tokens) if compares(token)), 0)
    if (
        at == 0
        or core(tokens[at - 1]) == "the"
        or is_participle(last)
        and tokens[-2:-1]
        and at < len(tokens) - 2
    ):
        return None
    return f"{pair[0]} {' '.join(tokens)} than {pair[1]}"


def _only_verbs(tokens: list[str]) -> bool:
    """Whether tokens are a verb group with particles, so that nothing but a time can follow."""
    words = [core(token) for token in tokens]
    return all(
        word in BE | HAVE | _PARTICLES | {"been"}
        or is_past(word)
        or is_participle(word)
        or is_ing(word)
        or is_adverb(token)
        for word, token in zip(words, tokens, strict=True)
    )


def state_choice(question: str, answer: str) -> str | None:
    """``Did A or B come out first?`` answered with one of the two, as a statement."""
    tokens = tokens_of(question)
    joint = next((at for at in range(2, len(tokens) - 1) if core(tokens[at]) == "or"), None)
    if joint is None or not (is_name(tokens[joint + 1]) or core(tokens[joint + 1]) == "the"):
        return None
    end = joint + 1 + noun_phrase_end(tokens[joint + 1 :])
    first, second = " ".join(tokens[1:joint]), " ".join(tokens[joint + 1 : end])
    if not any(answer.casefold() in name.casefold() for name in (first, second)) or end >= len(tokens):
        return None
    auxiliary = core(tokens[0])
    if auxiliary in BE | HAVE:
        predicate = f"{auxiliary} {' '.join(tokens[end:])}"
    elif core(tokens[end]) in PREPOSITIONS or not tokens[end][:1].islower():
        return None  # the answer stands in the subject's place; its verb follows at once
    else:
        clause = uninvert(auxiliary, ["It", *tokens[end:]])
        if clause is None:
            return None
        predicate = clause.predicate
    pair = sides((first, second), answer)
    longer = _ranked(pair, predicate.split()) if pair and any(map(compares, predicate.split())) else None
    return longer or f"Of {first} and {second}, {answer} {predicate}"


def apart(halves: tuple[str, str], auxiliary: str, predicate: list[str]) -> str | None:
    """What *not the same* comes to: ``A was educated at one university, B at another``."""
    at = next((at for at, token in enumerate(predicate) if core(token) == "same"), 0)
    if at < 1 or core(predicate[at - 1]) != "the" or at + 1 >= len(predicate):
        return None
    before, noun = predicate[: at - 1], predicate[at + 1 :]
    if any(core(token) in ("as", "and", "or", "by") for token in noun) or _plural(noun[-1]):
        return None
    preposition = before[-1] if before and core(before[-1]) in PREPOSITIONS | {"to"} else ""
    if not preposition:
        if core(noun[0]) not in ("year", "month", "century", "decade", "day"):
            return None
        preposition = "on" if core(noun[0]) == "day" else "in"
        before = [*before, preposition]
    be = {"are": "is", "were": "was", "have": "has"}.get(auxiliary, auxiliary)
    first, second = undescribed(halves)
    return f"{upper_first(first)} {be} {' '.join([*before, 'one', *noun])}, {second} {preposition} another"


def _plural(noun: str) -> bool:
    return noun.endswith("s") and not noun.endswith(("ss", "us", "is", "series", "species"))


def undescribed(halves: tuple[str, str]) -> tuple[str, str]:
    """The names alone: a plural in front of them (``the physicists A and B``) fits neither."""
    plain = re.match(r"(?:the )?(?:[a-z][\w-]* )*[a-z][\w-]*s (?=[\"“A-Z])", halves[0])
    return (halves[0][plain.end() :] if plain else halves[0]), halves[1]
