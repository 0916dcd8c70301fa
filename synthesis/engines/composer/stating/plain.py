"""Plain forms, for pairs that cannot be turned into one statement: tied, reported, on a topic, quoted.

Knows questions as strings and as indirect clauses, never their grammar. An English question is
not repeated in quotes: its indirect form or the names in it say as much, and read better.
"""

from __future__ import annotations

import random
import re

from synthesis.engines.composer.grammar.wording import finish, lower_first, trimmed, upper_first
from synthesis.engines.composer.grammar.words import core
from synthesis.engines.composer.lexicon import word_class
from synthesis.engines.composer.reading.topics import topics

_OPENERS = word_class("adjunct_starts") | word_class("swap_openers")
_REPORTED = (
    "It is on record {indirect}: {answer}.",
    "As to {indirect}, the records are plain: {answer}.",
    "On the question of {indirect} all accounts agree: {answer}.",
    "Everybody there could have said {indirect}: {answer}.",
)
_TIED = (
    "As for {indirect}, {low}",
    "This much is known about {indirect}: {answer}",
    "It was soon clear {indirect}: {answer}",
    "There was no mystery about {indirect}: {answer}",
)
_TOPICAL = (
    "About {topic} one thing is certain: {answer}",
    "This is what is known of {topic}: {answer}",
    "Where {topic} is concerned, the account is short: {answer}",
)
_NAMED = (
    "Concerning {topic}, what is on record is this: {answer}",
    "In the matter of {topic}, the records give {answer}",
    "What the records hold concerning {topic} comes down to this: {answer}",
)
# The answer first, and a clause between: side by side the two would be a mere echo of the pair.
_QUOTED = (
    "“{answer}” is the entry in the margin, a few lines above the place where somebody wrote “{question}”.",
    "“{answer}”, the old woman said at once, when a visitor to the house asked her “{question}”.",
    "“{answer}” was all that the letter gave in reply, though it ran to four pages on “{question}”.",
    "“{answer}” stood at the foot of the sheet, in the same hand that had written, higher up, “{question}”.",
    "“{answer}” is what the sources give, and they agree on it wherever they come round to “{question}”.",
    "“{answer}”, one of the letters says, and it is clear from the one before that it answers “{question}”.",
)
_DENIED = (
    "The answer was plainly {answer}, and so it remained however often somebody later asked “{question}”.",
    "The reply could only be {answer}, as anyone in the place would have said who was asked “{question}”.",
    "It had to be concluded that the answer was {answer} whenever the talk turned again to “{question}”.",
)


def reported(indirect: str, answer: str, rng: random.Random) -> str:
    """A fragment behind an indirect question: ``As to when ..., the records are plain: ...``."""
    return finish(
        _REPORTED[int(rng.random() * len(_REPORTED))].format(indirect=indirect, answer=trimmed(answer))
    )


def tied(indirect: str, answer: str, rng: random.Random) -> str:
    """An answer that is a sentence of its own, behind an indirect question."""
    form = rng.choice(_TIED)
    return finish(form.format(indirect=indirect, low=lower_first(answer), answer=upper_first(answer)))


def on_topic(question: str, answer: str, whole: bool, rng: random.Random) -> str:
    """The answer with no more of the question than its names and nouns; ``whole`` if it is a sentence.

    Empty where the question has none that can be used.
    """
    opener = core(question.split()[0])
    found = [name for name in topics(question) if core(name) not in _OPENERS | {opener}]
    if not found:
        return ""
    if whole:
        return finish(rng.choice(_TOPICAL).format(topic=found[0], answer=upper_first(answer)))
    topic = " and ".join(_quoted(name, question) for name in found[:2])
    return finish(rng.choice(_NAMED).format(topic=topic, answer=trimmed(answer)))


def _quoted(name: str, question: str) -> str:
    """A title in the quotation marks that the question gives it."""
    if re.search(rf"\bthe {re.escape(name)}\b", question):
        return f"the {name}"
    return f'"{name}"' if f'"{name}"' in question or f"“{name}”" in question else name


def quoted(question: str, answer: str, rng: random.Random) -> str:
    """A question that no other form fits, and its answer, both word for word."""
    return _fill(rng.choice(_QUOTED), question, trimmed(answer))


def denied(question: str, answer: str, rng: random.Random) -> str:
    """Yes or no to a question that cannot be turned round."""
    return _fill(rng.choice(_DENIED), question, answer)


def _fill(form: str, question: str, answer: str) -> str:
    # In one pass, so that braces in either are left alone.
    before, _, after = form.partition("{answer}")
    question = question.replace("“", "‘").replace("”", "’")
    after = after.replace("{question}", question)
    if before == "“":
        # What is quoted keeps its first letter as it is.
        return before + answer + finish(f"x{after}")[1:]
    return finish(before + answer + after)
