"""The score in words and bars: overall, its parts and what leaks took, and what it cannot know.

The sentences here say what a number means; what was found in this very text is ``explain``'s.
"""

from __future__ import annotations

from space.making.results import Assessment
from space.view import html

_PARTS = (
    (
        "support",
        "Support",
        "Does the text carry the answer?",
        ("No: the answer is not in it.", "In part.", "Yes, the answer stands in it."),
    ),
    (
        "relevance",
        "Relevance",
        "Does it speak of what is asked?",
        ("Hardly.", "Of some of it.", "Yes, of nearly all of it."),
    ),
    (
        "uniqueness",
        "Uniqueness",
        "Does this text answer it, rather than any other?",
        ("Other texts would do as well.", "Somewhat better than other texts.", "Yes, clearly this one."),
    ),
    (
        "leaks",
        "Free of leaks",
        "Does anything give the pair away?",
        ("Yes: most of the score goes for it.", "Yes, something does.", "No, nothing does."),
    ),
)
_LEVELS = (0.4, 0.75)
_ALWAYS = (
    "Only words are compared. Whether the text is true, reads well, or would mislead a model is for a reader "
    "to judge."
)
_UNKNOWN = "Cannot be known from words: "


def verdict(found: Assessment | None) -> str:
    """The score's area; without a verdict its empty form, of the same height."""
    # Cut, not rounded: no context is certain to be right, so none is shown as 1.00.
    overall = "–" if found is None else f"{int(found.coherence.overall * 100) / 100:.2f}"
    word = "Scoring follows" if found is None else ("Weak", "Partial", "Strong")[_grade(found)]
    rows = "".join(_part(found, *part) for part in _PARTS)
    state = " cs-pending" if found is None else ""
    return (
        f'<section class="cs-verdict{state}" aria-label="Coherence"><div class="cs-overall">'
        f'<span class="cs-number">{overall}</span><span class="cs-word">{word}</span>'
        f'<span class="cs-of">coherence, 0 to 1</span></div><div class="cs-parts">{rows}</div>'
        f"{_limits(found)}</section>"
    )


def _part(found: Assessment | None, name: str, label: str, asks: str, says: tuple[str, str, str]) -> str:
    value = None if found is None else float(getattr(found.coherence, name))
    told = asks if value is None or found is None else f"{asks} {_told(found, name, value, says)}"
    shown = "–" if value is None else f"{value:.2f}"
    meter = (
        f'<span class="cs-meter" role="meter" aria-label="{label}" aria-valuemin="0" aria-valuemax="1" '
        f'aria-valuenow="{value or 0:.2f}"><i style="width:{value or 0:.0%}"></i></span>'
    )
    return (
        f'<div class="cs-part"><span class="cs-label">{label}</span>{meter}'
        f'<span class="cs-value">{shown}</span><p>{html.text(told)}</p></div>'
    )


def _told(found: Assessment, name: str, value: float, says: tuple[str, str, str]) -> str:
    """The part's sentence; for support, what was found in this text."""
    if name == "support" and len(found.notes) > 1:
        return found.notes[1]
    if name == "leaks" and value < 1:
        return says[min(_level(value), 1)]
    return says[_level(value)]


def _grade(found: Assessment) -> int:
    """What is marked down is not strong, whatever is left of its score."""
    level = _level(found.coherence.overall)
    return level if found.coherence.leaks == 1 else min(level, 1)


def _level(value: float) -> int:
    return sum(value >= limit for limit in _LEVELS)


def _limits(found: Assessment | None) -> str:
    if found is None:
        return f'<p class="cs-limits"><b>What it cannot know.</b> {_ALWAYS}</p>'
    unknown = [note.removeprefix(_UNKNOWN) for note in found.notes if note.startswith(_UNKNOWN)]
    missing = [note for note in found.notes if note.startswith(("Asked about", "Names or", "Marked down"))]
    special = f"{unknown[0][:1].upper()}{unknown[0][1:]} " if unknown else ""
    lines = "".join(f'<p class="cs-missing">{html.text(note)}</p>' for note in missing)
    return f'{lines}<p class="cs-limits"><b>What it cannot know.</b> {html.text(special)}{_ALWAYS}</p>'
