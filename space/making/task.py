"""Which task a pair is of, read off its instruction; the general one where that does not say.

For visitors' own pairs only: a wrong guess would set a sample of one kind among documents of another, so a
task is named only where the words leave little doubt. Knows nothing of the page.
"""

from __future__ import annotations

import re
from typing import Final

_READ: Final = 500
"""Characters of an instruction that are looked at: what is asked is said at its beginning."""

_SUMS_UP: Final = re.compile(
    r"\b(summari[sz]\w*|summary|overview|condense|brief on|account of|in one summary|sum up)\b", re.I
)
_SUMMED: Final = {
    "meeting_query": re.compile(r"\b(meetings?|discussions?|minutes|debate)\b", re.I),
    "news_summary": re.compile(r"\b(news|articles?|coverage|press|headlines?|reports (?:about|on))\b", re.I),
    "report_summary": re.compile(
        r"\b(reports?|audit(?:ors?)?|reviews?|evaluation|inquiry|agency|programmes?)\b", re.I
    ),
}
_SPOKEN_OF: Final = {
    "meeting_query": re.compile(
        r"\bmeetings?\b|\bagenda\b|\bminutes of\b|\b(?:was|were) (?:said|discussed)\b"
        r"|\b(?:committee|board|council|group|team|panel|parents|members)\b"
        r".{0,40}\b(?:decide|agree|give|raise|propose|put off|vote|discuss)",
        re.I,
    ),
    "report_summary": re.compile(r"\bthe (?:report|audit|auditors|review)\b", re.I),
    "news_summary": re.compile(r"\bthe (?:articles|news|coverage)\b", re.I),
    "paper_qa": re.compile(
        r"\b(?:the|this|their) (?:paper|authors|study|experiments?|survey|researchers|trials?|baselines?"
        r"|data ?sets?)\b",
        re.I,
    ),
    "story_qa": re.compile(r"\b(?:the|this) (?:tale|story|narrator|protagonist|plot)\b", re.I),
}
_CHOICE: Final = re.compile(
    r"^(?:which|who|what|of)\b.*\b(?:\w{2,}er|\w{2,}est|first|last|more|earlier|later)\b"
    r".*\b(?:or|of the two)\b",
    re.I,
)
_ALIKE: Final = re.compile(r"^(?:are|were|is|was|do|did|does|have|has)\b.*\band\b.*\b(?:both|same)\b", re.I)
_BOTH: Final = re.compile(r"^(?:are|were|do|did|have)\b.*\bboth\b", re.I)


def found_task(instruction: str) -> str:
    """The name of a pair's task."""
    asked = " ".join(instruction.split())[:_READ]
    for task, words in (_SUMMED if _SUMS_UP.search(asked) else _SPOKEN_OF).items():
        if words.search(asked):
            return task
    compares = any(form.search(asked) for form in (_CHOICE, _ALIKE, _BOTH))
    return "multihop_compare" if compares else "generic"
