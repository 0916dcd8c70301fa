"""Words of any script: how many a text has, and its terms, by which texts are compared.

A term is a folded word: case, accents and width removed, light inflection cut off,
number words turned into digits. Scripts written without spaces give character
bigrams, so that phrases still match contiguously. Knows nothing of questions,
answers or scores.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_BRAHMIC = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
UNSPACED = (
    _BRAHMIC + "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
"""The characters, as a regular expression's set, of scripts that put no blanks between words."""

_SOLID = UNSPACED + "\uac00-\ud7af"  # and Hangul, whose particles stick to words
# Vowel signs and points: part of a word, though no letters.
_MARKS = _BRAHMIC + "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0dff"
# Characters that are not seen: soft hyphens, joiners, byte order marks. Inside a word they are no part of it.
_INVISIBLE = "\u00ad\u200b-\u200d\u2060\ufeff"
_INSIDE = _MARKS + _INVISIBLE
_NUMBER = r"\d+(?:[.,]\d+)*(?:(?:st|nd|rd|th|s)\b)?"
_LETTER = rf"[^\W\d_{_SOLID}]"

_WORD = re.compile(rf"{_NUMBER}|{_LETTER}+(?:['’]{_LETTER}+)?|(?:(?=\w)[{_SOLID}])+")
# Only texts that carry loose combining marks pay for the slower patterns.
_MARKED_LETTERS = rf"{_LETTER}(?:{_LETTER}|[{_INSIDE}])*"
_MARKED_WORD = re.compile(
    rf"{_NUMBER}|{_MARKED_LETTERS}(?:['’]{_MARKED_LETTERS})?|(?:(?=[\w{_MARKS}])[{_SOLID}])+"
)
_HAS_MARKS = re.compile(f"[{_INSIDE}]")
_DROPPED_MARKS = re.compile(f"[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670{_INVISIBLE}]")
_SOLID_CHAR = re.compile(f"[{_SOLID}]")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?!\d)")
_UNSPACED_RUN = re.compile(f"[{UNSPACED}]+")
_LETTERS_A_WORD = 2  # of a script without blanks, about


def count_words(text: str) -> int:
    """Words between blanks; where a script has none, two characters count as one word."""
    runs = [] if text.isascii() else _UNSPACED_RUN.findall(text)
    if not runs:
        return len(text.split())
    return len(_UNSPACED_RUN.sub(" ", text).split()) + sum(map(len, runs)) // _LETTERS_A_WORD


def split_words(listed: str) -> tuple[str, ...]:
    """A blank-separated word list, for tables that read better in rows."""
    return tuple(listed.split())


UNITS_0_19 = split_words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
)
TENS = split_words("twenty thirty forty fifty sixty seventy eighty ninety")
ORDINALS = split_words(
    "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth "
    "thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth"
)
TENTHS = split_words("twentieth thirtieth fortieth fiftieth sixtieth seventieth eightieth ninetieth")


def ordinal(number: int) -> str:
    """``3`` -> ``3rd``, the form both ``third`` and ``3rd`` are folded to."""
    ends = {1: "st", 2: "nd", 3: "rd"}
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ends.get(number % 10, 'th')}"


def _fixed_terms() -> dict[str, str]:
    # "one", "first" and "second" stay words: they are mostly pronouns and adverbs in running text.
    fixed = {word: str(n) for n, word in enumerate(UNITS_0_19) if n != 1}
    fixed |= {word: str(20 + 10 * n) for n, word in enumerate(TENS)}
    fixed |= {word: ordinal(n) for n, word in enumerate(ORDINALS) if n > 2}
    fixed |= {word: ordinal(20 + 10 * n) for n, word in enumerate(TENTHS)}
    # Articles and "and" go ("&" is no word either), so that they never break a phrase.
    return fixed | dict.fromkeys(("a", "an", "the", "and"), "")


_FIXED = _fixed_terms()


def _stem(word: str) -> str:
    """Cut the commonest inflections; crude on purpose, the same on both sides of a match."""
    if len(word) < 4 or not word.isascii():
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            word = word[: -len(ending)]
            break
    return word[:-1] if word.endswith("e") and len(word) > 4 else word


def fold(word: str) -> str:
    """One word to its term; an empty string for words that carry nothing."""
    folded = word.casefold()
    if not folded.isascii():
        folded = _DROPPED_MARKS.sub("", unicodedata.normalize("NFKD", folded)).casefold()
        folded = folded.replace("’", "'")
    if folded[:1].isdigit():
        return folded.replace(",", "") if _THOUSANDS.match(folded) else folded
    if "'" in folded:
        head, _, tail = folded.partition("'")
        # l'eau, d'Arc lose the elided article; Anna's, they're lose the ending; O'Brien stays whole.
        folded = tail if head in ("l", "d", "qu", "dell", "all", "j", "n") else head
        folded = head + tail if head == "o" else folded
    fixed = _FIXED.get(folded)
    return _stem(folded) if fixed is None else fixed


_EDGES = ".,;:!?()[]\"“”'‘’"


class _Memo(dict[str, str]):
    """Piece of text -> its terms, joined by blanks.

    A piece is what stands between blanks, taken apart the first time it is met. Bounded: it does not
    grow with the number of texts.
    """

    limit = 100_000

    def __missing__(self, piece: str) -> str:
        if len(self) >= self.limit:
            self.clear()
        word = piece.strip(_EDGES)  # "clock," is "clock" over again
        found = self[word] if word != piece else " ".join(term for term, _, _ in terms_with_spans(piece))
        if len(piece) <= 40:  # long runs of a script without blanks hardly ever come again
            self[piece] = found
        return found


_MEMO = _Memo()


def terms(text: str) -> list[str]:
    """The terms of a text, in order. Articles are dropped."""
    # No term spans a blank, so each piece can be looked up on its own.
    return " ".join(map(_MEMO.__getitem__, text.split())).split()


def _bigrams(run: str, start: int) -> Iterator[tuple[str, int, int]]:
    """Overlapping pairs of characters with their spans; a single character stands for itself."""
    last = max(1, len(run) - 1)
    for i in range(last):
        pair = run[i : i + 2]
        yield unicodedata.normalize("NFKC", pair), start + i, start + i + len(pair)


def terms_with_spans(text: str) -> Iterator[tuple[str, int, int]]:
    """The same terms with their character spans in ``text``."""
    marked = not text.isascii() and _HAS_MARKS.search(text)
    for match in (_MARKED_WORD if marked else _WORD).finditer(text):
        word, start = match.group(), match.start()
        if word[0] > "\u0dff" and _SOLID_CHAR.match(word):
            yield from _bigrams(word, start)
        elif term := fold(word):
            yield term, start, match.end()


def is_solid(term: str) -> bool:
    """Whether a term is a piece of a script written without spaces."""
    return term[:1] > "\u0dff" and _SOLID_CHAR.match(term) is not None
