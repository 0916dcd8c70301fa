"""Yes, no, or one of two things: affirm or deny a question in full, and say what a comparison comes to.

Knows the question and what was chosen; returns None where the question cannot be turned into a
statement with confidence, or the comparison not be said in one plain clause.
"""

from __future__ import annotations

import re

from synthesis.engines.composer.grammar.clauses import uninvert
from synthesis.engines.composer.grammar.phrases import (
    is_adverb,
    is_name,
    noun_phrase_end,
    phrase_end,
    relative_at,
    reunited,
    tokens_of,
)
from synthesis.engines.composer.grammar.wording import article, lower_first, upper_first
from synthesis.engines.composer.grammar.words import (
    AUXILIARIES,
    BE,
    DETERMINERS,
    DO,
    HAVE,
    MODALS,
    PREPOSITIONS,
    RELATIVES,
    compares,
    core,
    is_adjective,
    is_ing,
    is_participle,
    is_past,
)
from synthesis.engines.composer.lexicon import word_class
from synthesis.engines.composer.reading.frames import AFTER, BEFORE, Frame

_COLLECTIVE = re.compile(
    r"\b(?:same|different|each other|one another|share|together|similar|alike|within|both|or)\b", re.I
)
_PLURALS = {"men": "man", "women": "woman", "children": "child", "people": "person", "species": "species"}
_UNCHANGED = frozenset(["series", "species"])
_PARTICLES = word_class("particles")


def is_polar_question(question: str) -> bool:
    """Whether a question opens with an auxiliary, so that yes or no can answer it."""
    tokens = question.split()
    return len(tokens) > 2 and core(tokens[0]) in AUXILIARIES


def _divide(auxiliary: str, tokens: list[str]) -> tuple[list[str], list[str]] | None:
    """Subject and predicate of what follows the auxiliary ``be`` or ``have``."""
    if core(tokens[0]) == "both":
        tokens = tokens[1:]
    moved = reunited(auxiliary, tokens)
    if moved:
        return moved[0][: moved[1]], moved[0][moved[1] :]
    joined = next((at for at, token in enumerate(tokens) if core(token) == "and"), len(tokens))
    middle = next((at for at in range(joined + 1, len(tokens)) if core(tokens[at]) == "both"), None)
    end = middle if middle is not None else noun_phrase_end(tokens)
    if middle is None and _opens_clause(tokens, end):
        end = phrase_end(tokens)
    while middle is None and end + 1 < len(tokens) and core(tokens[end]) == "of":
        end = noun_phrase_end(tokens, end + 1)
    predicate = tokens[end + 1 :] if middle is not None else tokens[end:]
    return (tokens[:end], predicate) if end and predicate else None


def _opens_clause(tokens: list[str], end: int) -> bool:
    """Whether a relative clause follows the noun phrase, at once or behind ``of`` phrases."""
    while end + 1 < len(tokens) and core(tokens[end]) == "of":
        end = noun_phrase_end(tokens, end + 1)
    return relative_at(tokens, end)


def _singular_noun(noun: str) -> str | None:
    low = noun.casefold()
    if low in _UNCHANGED:
        return noun
    if low in _PLURALS:
        return _PLURALS[low]
    if low.endswith("ies") and len(low) > 4:
        return noun[:-3] + "y"
    if low.endswith(("ches", "shes", "xes", "sses")):
        return noun[:-2]
    if low.endswith("s") and not low.endswith(("ss", "us", "is", "ics")):
        return noun[:-1]
    return noun if low.isalpha() and not low.endswith(("a", "i", "ics")) else None


def _of_one(predicate: list[str]) -> str | None:
    """The predicate as said of one thing: ``flowering plants`` becomes ``a flowering plant``."""
    text = " ".join(predicate)
    if _COLLECTIVE.search(text):
        return None
    if is_adverb(predicate[0]) and len(predicate) > 1 and _says_how(core(predicate[1])):
        return text
    first = core(predicate[0])
    noun_like = first.endswith("ing") and len(predicate) > 1  # "flowering plants"
    if first in PREPOSITIONS or ((is_participle(first) or is_adjective(first)) and not noun_like):
        # An adjective may also open a noun phrase: "public companies", "popular singers".
        if (
            is_adjective(first)
            and len(predicate) > 1
            and core(predicate[1]) not in PREPOSITIONS | {"to", "than"}
        ):
            return _one_noun(predicate)
        if (
            first in PREPOSITIONS
            or len(predicate) == 1
            or not predicate[-1].endswith("s")
            or is_participle(first)
        ):
            return text
    if len(predicate) == 1 and (is_ing(first) or _quality(predicate[0])):
        return None if is_ing(first) else text
    return _one_noun(predicate)


def _says_how(word: str) -> bool:
    return is_participle(word) or is_adjective(word) or word in PREPOSITIONS


def _one_noun(predicate: list[str]) -> str | None:
    if core(predicate[0]) in ("a", "an", "the"):
        return " ".join(predicate)
    ends = (
        at
        for at in range(1, len(predicate))
        if core(predicate[at]) in PREPOSITIONS | {"that", "who", "which"}
    )
    head = next(ends, len(predicate)) - 1
    noun = _singular_noun(predicate[head])
    if noun is None or not re.fullmatch(r"[\w-]+", noun) or " and " in " ".join(predicate):
        return None
    phrase = " ".join([*predicate[:head], noun, *predicate[head + 1 :]])
    return f"{article(phrase)} {phrase}"


_AGENT = re.compile(r"(?:er|or|ist|ian|man|tion|ment|ship|film|book|ity|ness)$")


def _quality(word: str) -> bool:
    """Whether a lone word said of two things is an adjective: it is no plural, and no agent or thing."""
    plural = word.casefold() in _PLURALS or word.endswith("s") and not word.endswith(("ss", "ous"))
    return not plural and word[:1].islower() and not _AGENT.search(word) and word not in _PLURALS.values()


def _plural_predicate(predicate: list[str]) -> list[str]:
    """Mend ``both skyscraper``: a lone singular noun said of two things."""
    last = predicate[-1]
    alone = len(predicate) == 1 and last.isalpha() and last.islower() and last not in _UNCHANGED
    if (
        not alone
        or last.endswith(("s", "ing"))
        or is_adjective(last)
        or is_participle(last)
        or _quality(last)
        or last in _PLURALS.values()
    ):
        return predicate
    return [last + "s"]


def _halves(subject: list[str]) -> tuple[str, str] | None:
    joints = [at for at, token in enumerate(subject) if core(token) == "and"]
    if len(joints) != 1 or not 0 < joints[0] < len(subject) - 1:
        return None
    first, second = subject[: joints[0]], subject[joints[0] + 1 :]
    # "the plays of Ada and Ines": what "and" joins is inside the phrase, not two subjects.
    if any(core(token) in ("both", "of") for token in first) and core(second[0]) != core(first[0]):
        return None
    return " ".join(first), " ".join(second)


def state_polar(question: str, affirmed: bool) -> list[tuple[str, str]] | None:
    """Statements that say yes or no to the whole question.

    Args:
        question: the cleaned question, opening with an auxiliary.
        affirmed: whether the answer is yes.

    Returns:
        (text, label) pairs in reading order, without full stops; None where the question
        cannot be turned round safely.
    """
    tokens = tokens_of(question)
    auxiliary, rest = core(tokens[0]), tokens[1:]
    if auxiliary in DO or auxiliary in MODALS:
        return _state_verb(auxiliary, rest, affirmed)
    if auxiliary not in BE | HAVE:
        return None
    divided = _divide(auxiliary, rest)
    if divided is None:
        return None
    subject, predicate = divided
    halves = _halves(subject)
    both = core(rest[0]) == "both" or len(subject) + len(predicate) < len(rest)
    whole = " ".join(subject).rstrip(",")
    if not affirmed:
        if core(rest[0]) == "both" and whole[:1].islower() and core(subject[0]) not in DETERMINERS:
            whole = "the " + whole
        if core(predicate[0]) == "there":
            return None
        lasting = {"ever": "never", "still": "no longer"}.get(core(predicate[0]))
        if lasting:
            told = " ".join([upper_first(whole), auxiliary, lasting, *predicate[1:]])
            return [(told, "answer")]
        noun = both and _of_one(predicate) is not None and not is_participle(core(predicate[0]))
        between = "not both" if noun and core(predicate[0]) not in PREPOSITIONS else "not"
        found = [(f"{upper_first(whole)} {auxiliary} {between} {' '.join(predicate)}", "answer")]
        support = apart(halves, auxiliary, predicate) if halves else None
        return [(support, "support"), *found] if support else found
    predicate = _plural_predicate(predicate) if both and halves else predicate
    together = re.search(r"\b(?:same|share|together|similar|alike)\b", " ".join(predicate))
    opening = "Both " + lower_first(whole) if both and halves and not together else upper_first(whole)
    shared = f"{opening} {auxiliary} {' '.join(predicate)}"
    if both and not halves:
        shared = f"{upper_first(whole)} {auxiliary} both {' '.join(predicate)}"
    found = []
    single = _of_one(predicate) if halves and auxiliary in BE else None
    if halves and single:
        dated = is_participle(core(predicate[0])) and re.search(r"\b(?:1\d|20)\d\d", " ".join(predicate))
        be = "was" if auxiliary == "were" or dated else "is"
        shared = re.sub(" are ", " were ", shared, count=1) if dated else shared
        names = undescribed(halves)
        found.append((f"{upper_first(names[0])} {be} {single}", "support"))
        found.append((f"{upper_first(names[1])} {be} {single} as well", "support"))
    return [*found, (shared, "answer")]


def _state_verb(auxiliary: str, rest: list[str], affirmed: bool) -> list[tuple[str, str]] | None:
    both = core(rest[0]) == "both"
    rest = rest[1:] if both else rest
    clause = uninvert(auxiliary, rest)
    if clause is None:
        return None
    if both and affirmed:
        return [(f"Both {clause.subject} {clause.predicate}", "answer")]
    if both and rest[0][:1].islower():
        return [(f"It is not the case that both {clause.subject} {clause.predicate}", "answer")]
    if affirmed:
        told = re.sub(r"\bever ", "", clause.predicate)
        return [(f"{upper_first(clause.subject)} {told}", "answer")]
    if auxiliary in MODALS:
        first, _, tail = clause.predicate.partition(" ")
        if first == "can":
            return [(f"{upper_first(clause.subject)} cannot {tail}", "answer")]
        return [(f"{upper_first(clause.subject)} {first} not {tail}", "answer")]
    if re.search(r"\bever\b", clause.predicate):
        told = re.sub(r"\bever\b", "never", clause.predicate, count=1)
        return [(f"{upper_first(clause.subject)} {told}", "answer")]
    at = len(tokens_of(clause.subject))
    return [(f"{upper_first(clause.subject)} {auxiliary} not {' '.join(rest[at:])}", "answer")]


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
    if last in BEFORE | AFTER:
        link = "before" if last in BEFORE else "after"
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
