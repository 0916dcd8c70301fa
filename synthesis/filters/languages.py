"""In which language a text is, by py3langid: 4.6 MB with its model, numpy only, offline.

Its naive Bayes over byte n-grams has no randomness. Measured on 400 English contexts: one of
4,500 windows of 1,000 characters was taken for another language, with a probability of 0.57;
so what it is less than ``_SURE`` of is not held against a text. Knows nothing of what is wanted.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from synthesis.errors import ConfigError, MissingExtraError

SAME = "same"
_WINDOW = 1000
_SURE = 0.8
# An instruction is short, and its names are of anywhere: only what is all but ruled out is another language.
_RULED_OUT = 0.01


class Stretch(NamedTuple):
    """A part of a text that is in ``language``, and where it begins (share of the text, 0..1)."""

    language: str
    depth: float


@lru_cache(maxsize=1)
def _identifier() -> Any:
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError:
        raise MissingExtraError("py3langid", "filters", "the filter by language") from None
    # Probabilities are turned on here: the module's own shared identifier has none.
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def wanted_languages(setting: str) -> tuple[str, ...]:
    """``"en,de"`` -> ("en", "de").

    Raises:
        ConfigError: a code is not one of those that can be told.
        MissingExtraError: the extra ``filters`` is not installed.
    """
    codes = tuple(code.strip() for code in setting.split(",") if code.strip())
    if not codes:
        return ()
    known = {*_identifier().labels, SAME}
    unknown = [code for code in codes if code not in known]
    if unknown or (SAME in codes and len(codes) > 1):
        raise ConfigError(
            f"'filters.language' (--language) is {setting!r}; give '{SAME}' (the instruction's), or codes "
            f"with commas between them, of: {', '.join(sorted(known - {SAME}))}"
        )
    return codes


def foreign_stretch(text: str, wanted: tuple[str, ...], instruction: str) -> Stretch | None:
    """The first of three windows of ``text`` (start, middle, end) that is surely in no wanted language.

    A model may begin in the language asked for and end in another. ``("same",)`` means that
    of the instruction, and lets a text pass where the instruction may be in its language, too.
    """
    for start in _window_starts(len(text)):
        language, sure = _identifier().classify(text[start : start + _WINDOW])
        if sure < _SURE or language in wanted:
            continue
        if wanted == (SAME,) and dict(_identifier().rank(instruction))[language] >= _RULED_OUT:
            continue
        return Stretch(language, start / len(text))
    return None


def language_of(text: str) -> str:
    """The likeliest language of a short text."""
    return str(_identifier().classify(text)[0])


def _window_starts(length: int) -> list[int]:
    last = max(0, length - _WINDOW)
    return sorted({0, last // 2 if last >= 2 * _WINDOW else last, last})
