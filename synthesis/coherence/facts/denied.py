"""What stands in a sentence and is not what it claims: denied, taken back, or corrected. English.

"A is not large", "that A is in Peru was a misprint", "in Norway, not Peru". Looks at a sentence as it is
written; knows nothing of questions or scores.
"""

from __future__ import annotations

import re

_FALSE = (
    r"(?:(?:not|n['’]t) (?:so|true|correct|right|the case)|wrong|false|untrue|incorrect|mistaken|erroneous"
    r"|inaccurate|unfounded|baseless|groundless|disprove[dn]|refuted|retracted|debunked|discredited)\b"
)
_ERROR = (
    r"(?:misprint|error|mistake|rumou?r|hoax|myth|legend|lie|fabrication|forgery|fallacy|fiction|misconception"
    r"|misunderstanding)\b"
)
_TOLD = (
    r"(?:sa(?:y|id)|report|claim|stat|list|put|g[ai]v|credit|attribut|belie|thought|think|suppos|assum|identif"
    r"|record|print|describ|plac|call|nam|dat|cit|quot|label|count|assign)\w*"
)
_WRONGLY = r"(?:wrong|false|mistaken|erroneous|incorrect|inaccurate)ly"
_IS = r"(?:is|are|was|were|be|been|prove[sd]?|turn(?:s|ed) out|remain(?:s|ed)?)(?: to be| to have been)?"
_BUT_ALSO = r"(?! (?:only|just|merely|simply|solely|least)\b)"  # what is "not only" so, is so
_NEGATED = re.compile(
    rf"\b(?:not\b{_BUT_ALSO}|never\b|no longer\b|neither\b|nor\b|without\b|cannot\b|nowhere\b"
    r"|(?:fail|refus|declin)(?:s|es|ed) to\b)|n['’]t\b",
    re.IGNORECASE,
)
_UNTRUE = re.compile(rf"\b{_FALSE}|\b(?:un|dis)proven?\b", re.IGNORECASE)
_TAKEN_BACK = re.compile(
    # "That X was a myth", "thought that X, which is wrong"; and where it is not "that" what is taken back.
    rf"\bthat\b[^.]{{3,300}}?\b{_IS} (?:(?:an?|the|only|just|later|\w+ly) )*(?:{_FALSE}|{_ERROR}|given up\b)"
    rf"|(?:, which|[;,] (?:but )?(?:this|that|it)) {_IS} (?:(?:an?|the|\w+ly) )*(?:{_FALSE}|{_ERROR})"
    r"|\b(?:rumou?r|hoax|myth|misconception|fallacy) that\b"
    rf"|\b{_FALSE}(?:,[^,.;]{{1,80}},)?(?: to (?:say|claim|think|hold|believe))? that\b"
    r"|\b(?:never|not|n['’]t|fail(?:s|ed) to|unable to) (?:be )?(?:prove[dn]?|shown?|establish(?:ed)?)"
    r" that\b"
    rf"|\b{_WRONGLY} {_TOLD}|\b{_TOLD} {_WRONGLY}\b|\b{_TOLD}\b[^.;]{{0,80}}\b(?:in error|by mistake)\b"
    rf"|\b(?:is|are|was|were) (?:once|at first|originally|formerly) (?:believed|thought|assumed|supposed)\b"
    r"|\bno (?:\w+ )?(?:evidence|proof|record|document|source|sign|indication)s?"
    r" (?:that|of|for|says?|shows?)\b",
    re.IGNORECASE,
)
_END = r"(?=[,.;:!?)]|\Z)"
_ASTRAY = re.compile(
    rf"\bnot{_BUT_ALSO} (?:[^.;,]{{1,60}}?)(?=,? but\b)"
    rf"|(?<=, )not{_BUT_ALSO} [^.,;:]{{1,60}}{_END}"
    r"|\b(?:instead of|rather than) (?:(?:in|at|by|from|on|of|to) )?[^.,;:]{1,60}?"
    rf"(?:{_END}|(?= (?:in|at|by|from|on|since|until|and|is|was|when|while|after|before)\b))"
    rf"|\bcontrary to [^.,;:]{{1,120}}{_END}"
    r"|(?<=revised |amended |changed )from [^.;]{1,60}?(?= to\b)|(?<=corrected )from [^.;]{1,60}?(?= to\b)",
    re.IGNORECASE,
)


def taken_back(text: str, start: int = 0, end: int | None = None) -> bool:
    """Whether a sentence at ``text[start:end]`` tells what it tells only to take it back."""
    return _TAKEN_BACK.search(text, start, len(text) if end is None else end) is not None


def claimed(sentence: str) -> str:
    """A sentence without the parts that another thing is put in the place of: "not X" of "not X but Y"."""
    return _ASTRAY.sub(" ", sentence)


def negated(text: str, start: int = 0, end: int | None = None) -> bool:
    """Whether something is denied in a stretch of a text."""
    return _NEGATED.search(text, start, len(text) if end is None else end) is not None


def denied(text: str, start: int, said: int, end: int) -> bool:
    """Whether a sentence denies what it holds up to ``said``.

    What it denies behind that is something else ("large, but not deep"), unless it is the whole.
    """
    whole = _UNTRUE.search(text, said, end) is not None or taken_back(text, start, end)
    return whole or negated(text, start, said)
