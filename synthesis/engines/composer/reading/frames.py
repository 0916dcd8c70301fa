"""The frame of a question: what is asked, and the statement with a gap around it.

Also tidies a question and takes off the things a comparison offers. Does not parse.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from synthesis.engines.composer.grammar.clauses import Clause
from synthesis.engines.composer.grammar.phrases import is_name, tokens_of
from synthesis.engines.composer.grammar.wording import squash
from synthesis.engines.composer.grammar.words import AUXILIARIES, compares, core

BEFORE = frozenset(["first", "earliest", "soonest"])
AFTER = frozenset(["last", "latest"])
# What "how large" and the like ask for.
SIZES = {"how large": "size", "how big": "size", "how heavy": "weight", "how fast": "speed"}

#: A question of more characters is cut here: what is that long asks for more than one thing, and
#: the patterns for comparisons, which try every place, are not to be given more.
LONGEST = 1200


@dataclass(frozen=True, slots=True)
class Frame:
    """A question read as a statement with a gap.

    ``role`` says where the gap is: ``subject`` (``predicate`` follows it), ``object``
    (``clause`` surrounds it), ``copula`` (``clause.subject`` + be + gap), ``happened`` (what
    happened to ``clause.subject``) or ``place`` (mid-sentence: ``before`` gap ``after``).
    ``noun`` is what follows which, what or whose, ``preposition`` what stands before them,
    ``lead`` an adjunct in front, ``choices`` the things a comparison offers.
    """

    wh: str
    role: str
    noun: str = ""
    preposition: str = ""
    clause: Clause | None = None
    predicate: str = ""
    past: bool = False
    before: str = ""
    after: str = ""
    lead: str = ""
    choices: tuple[str, str] | None = None


def clean(instruction: str) -> str:
    """The question on one line, without its question mark or a leading label."""
    text = squash(instruction)
    text = re.sub(r"^(?:Q\d*|Question)\s*[:.]\s*", "", text, flags=re.IGNORECASE)
    text = text.rstrip(" ?.!,;:")
    text = re.sub(r"\?([\"”])$", r"\1", text)
    text = re.sub(r"^who['’]s (?=\w+ (?:is|was|are|were)\b)", "whose ", text, flags=re.IGNORECASE)
    text = re.sub(r"^(who|what|where|when|how|why)['’]s\b", r"\1 is", text, flags=re.IGNORECASE)
    text = re.sub(
        r"\b(d(?:id|oes|o)|is|was|are|were|has|have|had|could|would|should|ca)n['’]t\b", _uncontracted, text
    )
    text = re.sub(r"^(what|who|where) else\b", r"\1", text, flags=re.IGNORECASE)
    return re.sub(r" ([,;:?!])", r"\1", re.sub(r"(, (?:what|who|where)) else\b", r"\1", text))


def _uncontracted(match: re.Match[str]) -> str:
    return ("can" if match[1] == "ca" else match[1]) + " not"


def split_choices(text: str) -> tuple[str, tuple[str, str] | None]:
    """Take ``, A or B`` off the end of (or from behind the noun of) a comparing question."""
    low = text.casefold()
    if len(text) > LONGEST or " or " not in low or not re.match(r"(?:which|who|what)\b", low):
        return text, None
    # Behind the noun, between commas: "Which magazine, A or B, is ...".
    inner = re.match(
        r"(?P<head>(?:which|what)(?: [\w'’-]+){0,3}), (?P<a>[^,]+) or (?P<b>[^,]+), (?P<rest>.+)$", text, re.I
    )
    if inner:
        return f"{inner['head']} {inner['rest']}", (inner["a"].strip(), inner["b"].strip())
    bare = _bare_choices(text)
    if bare:
        return bare
    tail = re.match(r"(?P<head>.+?)\s*[,;:]\s*(?P<a>[^,;:]+(?:, (?!or )[^,;:]+)?),? or (?P<b>[^;:]+)$", text)
    if tail and re.match(r"(?:the )?[^a-z]", tail["a"]):
        return tail["head"], (tail["a"].strip(), tail["b"].strip())
    return text, None


def _bare_choices(text: str) -> tuple[str, tuple[str, str]] | None:
    """Choices without commas: ``Which magazine X or Y is older``, ``Which was first X or Y``."""
    tokens = tokens_of(text)
    joints = [at for at, token in enumerate(tokens) if token == "or"]
    if len(joints) != 1 or not 1 < joints[0] < len(tokens) - 1 or "," in text:
        return None
    joint = joints[0]
    start = joint
    while start > 1 and (is_name(tokens[start - 1]) or core(tokens[start - 1]) in ("of", "the", "and", "de")):
        start -= 1
    end = joint + 1
    while end < len(tokens) and (is_name(tokens[end]) or core(tokens[end]) in ("of", "the", "de")):
        end += 1
    if (
        start == joint
        or end == joint + 1
        or start < 2
        or not (end == len(tokens) or core(tokens[end]) in AUXILIARIES)
    ):
        return None
    pair = (" ".join(tokens[start:joint]), " ".join(tokens[joint + 1 : end]))
    return " ".join([*tokens[:start], *tokens[end:]]), pair


def offered(question: str) -> tuple[str, tuple[str, str] | None]:
    """Take ``, the painter A or the engraver B`` off the end of a comparing question."""
    if len(question) > LONGEST:
        return question, None
    tail = re.match(
        r"(?P<head>(?:which|who|what|whose)\b[^,;:]+)[,;:] (?P<a>[^,;:]+?),? or (?P<b>[^,;:]+)$",
        question,
        re.I,
    )
    if not tail or max(len(tail["a"].split()), len(tail["b"].split())) > 9:
        return question, None
    ranked = any(compares(token) or core(token) in BEFORE | AFTER for token in tail["head"].split())
    if ranked or re.match(r"(?:the|an?|his|her|their) ", tail["a"]):
        return tail["head"], (tail["a"], tail["b"])
    return question, None
