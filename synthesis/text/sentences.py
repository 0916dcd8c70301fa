"""Where the sentences of a text are, in linear time. Knows nothing of tokens or answers.

A line break ends a sentence; so does a stop before white space, unless it belongs to a title, an
initial, an abbreviation or a list's number, or the text goes on in lower case. Full-width stops need
no blank after them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from synthesis.text.words import split_words

_WIDE = "\u3002\uff01\uff1f"
_STOPS = ".!?\u2026\u06d4\u0964\u061f\uff61"
# A run of stops is taken whole and looked at once, so that a text of nothing but dots takes no longer.
# All of the first characters in one set, which is searched for several times faster than three patterns.
_STOP = re.compile(
    rf"""[\n{_WIDE}{_STOPS}](?:(?<=\n)|(?<=[{_WIDE}])[{_WIDE}]*["\u201d\u2019\u300d\u300f\uff09]*"""
    rf"""|(?<=[{_STOPS}])[{_STOPS}]*["'\u201d\u2019\u00bb)\]]*)"""
)
_NO_BLANK_AFTER = f"\n{_WIDE}"
_NEXT = re.compile(r"\S")
_OPENING = "\"'“‘«([*_"
_FIRST_WORD = re.compile(rf"[{re.escape(_OPENING)}]{{0,4}}([^\W\d_]{{1,24}})")
# One letter or several with stops between them: J. K. Rowling, J.R.R., U.S., e.g.
_LETTERS = re.compile(r"(?:[^\W\d_]\.){0,8}[^\W\d_]")
_ROMAN_OR_DIGITS = re.compile(r"(?:[A-Z]?\d|[IVXLCDM]+\b)")
_LONGEST = 24
_DAY = 2  # digits

# No sentence ends with these.
_BOUND = frozenset(
    split_words(
        "mr mrs ms mx messrs dr prof gen col capt cpt cmdr lt sgt maj adm rev hon sen rep gov pres supt "
        "mme mlle v vs cf viz approx e.g i.e"
    )
)
# These stand before a number; anywhere else they are words.
_NUMBERED = frozenset(split_words("no nos nr vol vols fig figs p pp ch sec art para eq op bk pt"))
# These may end one, which shows by a word that mostly opens one.
_MAYBE = frozenset(
    split_words(
        "st jr sr inc ltd co corp bros dept univ assn ave blvd rd hwy mt ft etc al est esq ph.d "
        "jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun"
    )
)
_LISTED = _BOUND | _NUMBERED | _MAYBE
# Behind a day's number: "am 3. Oktober". Where months are written small a sentence goes on in any case.
_MONTHS = frozenset(
    split_words("januar februar märz april mai juni juli august september oktober november dezember")
)
_STARTERS = frozenset(
    split_words(
        "the a an he she it they we you i in on at by for from to of as with this that these those there "
        "his her its their my our your but and or so if when while after before since until although "
        "because what who why how where which one two some many most each both all no not however then "
        "later today now here such another several during between under over among despite unlike"
    )
)


def sentences(text: str) -> list[tuple[int, int]]:
    """Character spans of the sentences of ``text``, in order, without the white space around them."""
    return list(sentence_spans(text))


def sentence_spans(text: str) -> Iterator[tuple[int, int]]:
    """The same, one at a time."""
    start = 0
    for match in _STOP.finditer(text):
        stop, end = match.span()
        if text[stop] not in _NO_BLANK_AFTER and not _ends(text, start, stop, end):
            continue
        if body := text[start:end].lstrip():
            yield end - len(body), end - len(body) + len(body.rstrip())
        start = end
    if body := text[start:].lstrip():
        yield len(text) - len(body), len(text) - len(body) + len(body.rstrip())


def _ends(text: str, sentence: int, start: int, end: int) -> bool:
    """Whether the stops ``text[start:end]`` end the sentence that began at ``sentence``."""
    if end < len(text) and not text[end].isspace():
        return False
    following = _NEXT.search(text, end)
    if following is None:
        return True
    at = following.start()
    if text[at].islower() and text[at].isascii():
        return False
    # Behind an abbreviation an apostrophe may show whose something is: "Warner Bros.' film".
    if text[start] != "." or text[start + 1 : end] not in ("", "'"):
        return True
    return not _abbreviates(text, sentence, start, at)


def _abbreviates(text: str, sentence: int, stop: int, following: int) -> bool:
    """Whether the full stop at ``stop`` belongs to the word before it rather than to the sentence."""
    written = text[max(sentence, stop - _LONGEST) : stop].split()
    word = written[-1].lstrip(_OPENING) if written else ""
    plain = word.lower()
    if len(word) > 1 and "." not in word and plain not in _LISTED and not word.isdecimal():
        return False  # most words, and quickly told
    if plain in _BOUND:
        return True
    if plain in _NUMBERED and _ROMAN_OR_DIGITS.match(text, following):
        return True
    if word.isdecimal():  # "3." at its start numbers an item of a list
        return text[sentence:stop].strip() == word or (
            len(word) <= _DAY and _first_word(text, following) in _MONTHS
        )
    if plain in _MAYBE or (_LETTERS.fullmatch(word) and ("." in word or (word[0].isupper() and word != "I"))):
        return not _starts(text, following)
    return False


def _starts(text: str, at: int) -> bool:
    """Whether the word at ``at`` is one that mostly opens a sentence."""
    word = _FIRST_WORD.match(text, at)
    return word is not None and not word[1].islower() and word[1].lower() in _STARTERS


def _first_word(text: str, at: int) -> str:
    word = _FIRST_WORD.match(text, at)
    return word[1].lower() if word else ""
