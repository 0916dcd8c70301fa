"""What an instruction speaks of: the question in it, its names and its short noun phrases.

Knows the instruction's string only.
"""

from __future__ import annotations

import re

from synthesis.engines.composer.grammar.phrases import is_name, tokens_of
from synthesis.engines.composer.grammar.sentences import split
from synthesis.engines.composer.grammar.wording import squash
from synthesis.engines.composer.grammar.words import (
    ADVERBS,
    AUXILIARIES,
    DETERMINERS,
    DO,
    MODALS,
    PREPOSITIONS,
    PRONOUNS,
    WH,
    base_of_third,
    core,
    is_base,
    is_english,
    is_ing,
    is_participle,
)
from synthesis.engines.composer.lexicon import word_class, words
from synthesis.engines.composer.reading.frames import LONGEST, clean


def asked(instruction: str) -> str:
    """The question itself: the last one when an introduction stands before it, cut where it is overlong."""
    text = squash(instruction[: 4 * LONGEST])
    if text.count("?") + text.count(". ") > 1 and not re.match(r"Q\d*\s*:", text):
        questions = [sentence for sentence in split(text) if sentence.endswith("?")]
        if questions and len(questions) == 1:
            text = questions[0]
    return clean(text[:LONGEST])


STOPWORDS = (
    DETERMINERS | PRONOUNS | PREPOSITIONS | AUXILIARIES | WH | ADVERBS | frozenset(["and", "or", "to"])
)
_LIGHT = word_class("light_verbs")
_NO_THING = frozenset(["same", "living", "other", "following"])
# What is nothing without that which it is of.
_RELATED = frozenset(["place", "part", "use", "form", "kind", "sort", "end", "case", "result", "number"])
_CLAUSES = frozenset(["after", "before", "when", "while", "until", "since", "because", "once", "if", "that"])
_ORDERS = word_class("orders")


def topics(instruction: str) -> list[str]:
    """Names and short noun phrases that the instruction speaks of, for mentioning in passing.

    Args:
        instruction: the question or task.

    Returns:
        Names and quoted titles first, then noun phrases, each in order of appearance and in
        its own casing; empty for other languages than English and where nothing is usable.
    """
    question = asked(instruction)
    if not question or not is_english(question) or (question.isupper() and len(question) > 12):
        return []
    tokens = tokens_of(question)
    found = [*_names(tokens), *_phrases(tokens)]
    unique: dict[str, str] = {}
    for phrase in found:
        key = phrase.casefold()
        if 2 < len(phrase) < 60 and not any(key in known for known in unique):
            unique[key] = phrase
    return list(unique.values())[:8]


def _plain(tokens: list[str]) -> str:
    text = " ".join(tokens).strip(".,;:!? ")
    if text.count("(") != text.count(")"):
        text = text.strip("()")
    text = re.sub(r"['’]s?$", "", text)
    return text.strip('"“”') if text[:1] in '"“' else text.strip("'‘’")


def _names(tokens: list[str]) -> list[str]:
    found: list[str] = []
    run: list[str] = []
    for at, token in enumerate([*tokens, ""]):
        opener = (at == 0 or tokens[at - 1].endswith((".", "?", "!"))) and (
            core(token) in STOPWORDS or core(token) in _ORDERS or is_base(core(token))
        )
        linked = (
            token in ("of", "de", "van", "von", "&")
            and run
            and at + 1 < len(tokens)
            and is_name(tokens[at + 1])
        )
        if (token and is_name(token) and not opener and core(token) not in WH) or linked:
            run.append(token)
            numbered = len(run) == 2 and run[0].isdigit() and run[1] == "of"
            run = [] if numbered else run  # "season 2 of" something
            if not re.search(r"[,;:)]$|['’]s?$", token):
                continue
        if (
            run
            and any(char.isalpha() for char in "".join(run))
            and any(t[:1].isalpha() or len(t) > 3 for t in run)
        ):
            found.append(_plain(run))
        run = []
    return [name for name in found if name and not name.isdigit() and _telling(name)]


def _telling(name: str) -> bool:
    return core(name) not in STOPWORDS and name not in words("nationalities")


def _phrases(tokens: list[str]) -> list[str]:
    """Determiner and one to three plain words, up to a preposition or the end."""
    found = []
    for at in range(len(tokens) - 1):
        # Not "its" or "his": what it refers to stays behind in the instruction.
        if core(tokens[at]) not in ("the", "a", "an"):
            continue
        end = at + 1
        while (
            end < len(tokens)
            and end - at < 4
            and core(tokens[end]) not in STOPWORDS
            and tokens[end][:1].islower()
        ):
            end += 1
            if tokens[end - 1].endswith((",", ";", ":")):
                break
        stopped = _trimmed_end(tokens, at, end)
        if core(tokens[at + 1]) in ("same", "living", "other", "following") or core(tokens[at + 1]).endswith(
            "est"
        ):
            continue
        stops = (
            end == len(tokens) or core(tokens[end]) in STOPWORDS or tokens[end - 1].endswith((",", ";", ":"))
        )
        vague = end == at + 2 and tokens[end : end + 1] == ["of"] and core(tokens[at + 1]) in _RELATED
        if end > at + 1 and stops and not vague:
            article = "the" if core(tokens[at]) in ("a", "an") else core(tokens[at])
            found.append(f"{article} {_plain(tokens[at + 1 : stopped])}")
    return found


def _trimmed_end(tokens: list[str], at: int, end: int) -> int:
    """Leave off a verb that stands right behind its subject: ``the miners find``."""
    helped = any(core(token).removesuffix("n't") in DO | MODALS for token in tokens[:at])
    last = core(tokens[end - 1])
    if end > at + 2 and end == len(tokens) and core(tokens[at - 1]) in _CLAUSES and base_of_third(last):
        return end - 1  # "after the new bridge opens"
    if end > at + 2 and end < len(tokens) and _leads(tokens, end) and is_base(last) and not helped:
        return end - 1  # "the optic nerve run to"
    if end > at + 2 and _verbal(tokens[end - 1], helped):
        end -= 1
        if end > at + 2 and helped and core(tokens[end - 1]) in _LIGHT:
            end -= 1
    if end > at + 2 and is_ing(core(tokens[end - 1])) and core("".join(tokens[end : end + 1])) in DETERMINERS:
        return end - 1  # "the watcher supervising the sanctuary"
    return end


def _leads(tokens: list[str], at: int) -> bool:
    """Whether a direction follows: ``to the``, or ``to`` alone."""
    behind = core("".join(tokens[at + 1 : at + 2]))
    return core(tokens[at]) == "to" and (not behind or behind in DETERMINERS)


def _verbal(token: str, helped: bool) -> bool:
    word = core(token)
    return (helped and is_base(word)) or (is_participle(word) and not is_base(word))
