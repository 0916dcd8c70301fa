"""What an ordinary instruction is about, as a phrase that can stand behind "on" or "about".

``How do I boil an egg?`` is about *boiling an egg*, ``Write a haiku about autumn`` about *a haiku about
autumn*, ``Why is the sky blue?`` about *why the sky is blue*. Knows one string.
"""

from __future__ import annotations

import re

from synthesis.engines.composer.grammar.phrases import noun_phrase_end
from synthesis.engines.composer.grammar.words import BE, core, inflect, ing_form, is_base
from synthesis.engines.composer.lexicon import word_class

_LONGEST = 160  # characters; a longer phrase cannot be spoken of in passing
_HOW_TO = re.compile(
    r"how (?:(?:do|can|should|would|could|must|to)\s+)(?:(?:i|you|we|one)\s+)?(?P<verb>[a-z-]+)(?P<rest>.*)",
    re.IGNORECASE,
)
_WHAT = re.compile(r"(?:what|which)(?:\s+(?:is|are|was|were|would be)|['’]s)\s+(?P<what>.+)", re.IGNORECASE)
_TO_WHOM = re.compile(r"(?:me|us|up with|up|out|of|a list of|in detail|to me|briefly)\s+", re.IGNORECASE)
_OWN = {"my": "one's own", "your": "one's own", "our": "one's own"}


def subject(task: str, verb: str) -> str:
    """The phrase, or an empty string where none is sure to be one.

    Args:
        task: the instruction without its payload, on one line, without a closing mark.
        verb: the order it begins with, or empty for a question.
    """
    if len(task) > _LONGEST:
        return ""
    phrase = _of_order(task, verb) if verb else _of_question(task)
    owned = re.sub(r"\b(?:my|your|our)\b", lambda m: _OWN[m[0].casefold()], phrase)
    return owned.strip(" ,;:")


def _of_order(task: str, verb: str) -> str:
    tokens = task.split()
    at = next(i for i, token in enumerate(tokens) if core(token) == verb)
    rest = " ".join(tokens[at + 1 :])
    rest = rest.removeprefix("please ")
    while found := _TO_WHOM.match(rest):
        rest = rest[found.end() :]
    return rest if verb != "solve" else task[:1].lower() + task[1:]


def _of_question(task: str) -> str:
    how = _HOW_TO.fullmatch(task)
    if how and is_base(how["verb"].casefold()):
        return ing_form(how["verb"].casefold()) + how["rest"]
    what = _WHAT.fullmatch(task)
    if what and core(what["what"].split()[0]) not in word_class("prepositions"):
        return what["what"]
    return ""


_INVERTED = re.compile(
    r"(?P<wh>(?:why|how|when|where)) "
    r"(?P<aux>is|are|was|were|does|do|did|can|could|should|would|will|has|have|had) (?P<rest>.+)",
    re.IGNORECASE,
)


def turned(question: str) -> str:
    """A question in the order of a statement: ``why is the sky blue`` gives ``why the sky is blue``."""
    found = _INVERTED.fullmatch(question)
    if not found:
        return ""
    tokens, aux = found["rest"].split(), found["aux"].casefold()
    end = noun_phrase_end(tokens, 0)
    if end is None or not tokens:
        return ""
    # The adjective that a form of *be* is followed by is no part of its subject.
    end = min(end, len(tokens) - 1) or 1
    thing, rest = " ".join(tokens[:end]), tokens[end:]
    wh = found["wh"].casefold()
    if aux in ("do", "does", "did"):
        return f"{wh} {thing} {' '.join([inflect(core(rest[0]), aux), *rest[1:]])}" if rest else ""
    return f"{wh} {thing} {aux} {' '.join(rest)}" if rest or aux in BE else ""
