"""A question typed in small letters, as it is written: names with capitals, titles in quotation marks.

Only what is known to be a name is raised: by the word lists, by the answer, or by the words around it (a
surname behind a first name, ``king`` before one, a title behind ``who sang``). Whatever is in doubt stays
small, and whatever has a capital already is left alone.
"""

from __future__ import annotations

import re
from functools import cache

from synthesis.engines.composer.grammar.phrases import is_adverb
from synthesis.engines.composer.grammar.words import (
    ADVERBS,
    ARTICLES,
    AUXILIARIES,
    DETERMINERS,
    PREPOSITIONS,
    PRONOUNS,
    WH,
    base_of_third,
    core,
    is_adjective,
    is_base,
    is_ing,
    is_participle,
    is_past,
)
from synthesis.engines.composer.lexicon import word_class, words

#: More words than this are no question that somebody typed into a line.
_LONGEST = 40

_WORD = re.compile(r"[^\W_](?:[\w.-]*\w)?", re.UNICODE)
_CODE = re.compile(r"[{}<>=\\|#`\n]|https?:|\w\(")

# What a name of a place, a body or a time ends with, if the words before it are a name.
_ENDINGS = word_class("name_endings")
_HONORIFICS = word_class("honorifics")
#: Names that are other words as well, and before or behind what they are names.
_DOUBTFUL = {
    "us": re.compile(r"(?:.*\bthe|^) us\b|.*\bus (?:house|senate|president|army|navy|states?|government"
                     r"|constitution|supreme|highway|dollar|open|congress|military|economy|history)\b"),
    "un": re.compile(r".*\bun (?:security|declaration|general|peacekeeping|charter)\b|.*\bthe un\b"),
    "turkey": re.compile(r".*\b(?:in|of|from|to|and|with) turkey\b"),
    "polish": re.compile(r".*\b(?:the|in|a|of|is|are|was) polish\b"),
    "may": re.compile(r".*\b(?:in|of|since|until|on|by) may\b|.*\bmay \d|.*\d may\b"),
    "march": re.compile(r".*\b(?:in|of|since|until|by) march\b|.*\bmarch \d|.*\d march\b"),
    "august": re.compile(r".*\b(?:in|of|since|until|by) august\b|.*\baugust \d|.*\d august\b"),
}  # fmt: skip
_TOGETHER = {"whos": "who's", "whats": "what's", "wheres": "where's", "whens": "when's"}
_SHORT = {"us": "US", "un": "UN"}


@cache
def _known() -> dict[str, tuple[str, ...]]:
    """Names by their small letters, each as its words are written."""
    listed = [name for line in words("proper") for name in line.split("; ")]
    listed += [*words("countries"), *words("nationalities"), *words("languages"), *words("weekdays")]
    listed += [month for month in words("months") if month.casefold() not in _DOUBTFUL]
    return {name.casefold(): tuple(name.split()) for name in listed if name.casefold() not in _DOUBTFUL}


@cache
def _longest() -> int:
    return max(name.count(" ") + 1 for name in _known())


@cache
def _given() -> frozenset[str]:
    names = [name for line in words("given_names") for name in line.split("; ")]
    return frozenset(map(str.casefold, (*names, *words("first_names_f"), *words("first_names_m")))) - {
        "mercedes", "celeste", "amber", "clement", "valentin"
    }  # fmt: skip


@cache
def _common() -> frozenset[str]:
    listed = frozenset(word.split()[-1] for name in ("animals", "occupations") for word in words(name))
    classes = ("common_nouns", "person_nouns", "place_nouns", "worked", "titled", "groups", "times")
    listed |= _ENDINGS
    return listed.union(*map(word_class, classes))


def _is_word(word: str) -> bool:
    """Whether something is known to be a word that is no name."""
    function = DETERMINERS | PRONOUNS | PREPOSITIONS | AUXILIARIES | WH | ADVERBS | {"and", "or", "to", "not"}
    verb = is_base(word) or base_of_third(word) or is_past(word) or is_participle(word) or is_ing(word)
    common = word in _common() or word.removesuffix("s") in _common()
    return bool(word in function or verb or common or is_adjective(word) or is_adverb(word))


def cased(question: str, answer: str) -> str:
    """The question with the capitals and quotation marks that it is written with.

    Args:
        question: an instruction of any kind; one that has capitals, several lines or code is given back as
            it is.
        answer: its answer, whose names are written in the question as they are in it.
    """
    tokens = question.split()
    small = question == question.casefold() and any(map(str.isalpha, question))
    if not small or not 2 < len(tokens) <= _LONGEST or _CODE.search(question):
        return question
    tokens = [_TOGETHER.get(token, token) for token in tokens]
    titled = _titled(" ".join(tokens)) if question.count('"') == 0 else " ".join(tokens)
    parts = re.split(r'("[^"]*")', titled)
    told = [part if at % 2 else _raised(part, answer) for at, part in enumerate(parts)]
    text = re.sub(r"\bTV (?=show|series)", "tv ", "".join(told))
    return re.sub(r"\b(in|during|since|until|by|from) (\d{3}0s)\b", r"\1 the \2", text)


# --- names


def _raised(part: str, answer: str) -> str:
    found = list(_WORD.finditer(part))
    low = [one[0].casefold() for one in found]
    raised: dict[int, str] = {}
    _listed(part, low, raised)
    _answered(low, answer, raised)
    for at, word in enumerate(low):
        ahead = low[at + 1] if at + 1 < len(low) else ""
        touching = at + 1 < len(low) and part[found[at].end() : found[at + 1].start()] in (" ", ". ")
        if word in _given() and at not in raised:
            raised[at] = word.capitalize()
        if word in _given() or (word in _HONORIFICS and (not at or low[at - 1] not in DETERMINERS)):
            surname = touching and ahead.isalpha() and (ahead in _given() or not _is_word(ahead))
            if surname and len(ahead) > 1:
                raised.setdefault(at, word.capitalize())
                raised.setdefault(at + 1, ahead.capitalize())
        if re.fullmatch(r"i|i'm|ii|iii|iv|vi|vii|viii|xi|xii|xiv", word):
            raised[at] = word.upper() if word != "i'm" else "I'm"
    for at, word in enumerate(low):
        if word in _ENDINGS and at and at not in raised:
            start = at
            while start and at - start < 3 and len(low[start - 1]) > 1 and not _is_word(low[start - 1]):
                if not low[start - 1].isalpha() or part[found[start].start() - 1] != " ":
                    break
                start -= 1
            run = range(start, at)
            if run and (any(one in raised for one in run) or word in _SURE):
                for one in (*run, at):
                    raised.setdefault(one, low[one].capitalize())
    text, last = "", 0
    for at, one in enumerate(found):
        text += part[last : one.start()] + raised.get(at, one[0])
        last = one.end()
    return text + part[last:]


#: Behind what is no other word these end a name, whether it is known or not.
_SURE = frozenset(["university", "dynasty", "river", "county", "empire"])


def _listed(part: str, low: list[str], raised: dict[int, str]) -> None:
    at = 0
    while at < len(low):
        for size in range(min(_longest(), len(low) - at), 0, -1):
            name = _known().get(" ".join(low[at : at + size]))
            if name:
                raised.update(zip(range(at, at + size), name, strict=True))
                at += size - 1
                break
        else:
            word = low[at]
            if word in _DOUBTFUL and _DOUBTFUL[word].match(part):
                raised[at] = _SHORT.get(word, word.capitalize())
        at += 1


def _answered(low: list[str], answer: str, raised: dict[int, str]) -> None:
    """What the answer writes with a capital inside itself is a name in the question, too."""
    written = [token.strip(".,;:!?()\"'“”") for token in answer[:300].split()]
    for name in written[1:]:
        word = name.casefold()
        if name[:1].isupper() and len(name) > 2 and name.isalpha() and not _is_word(word):
            for at, one in enumerate(low):
                if one == word and not (at and is_adjective(low[at - 1])):
                    raised.setdefault(at, name)


# --- titles

_SUNG = re.compile(
    r"^(?P<head>who (?:sings?|sang|sung|recorded|wrote)(?: the)?(?: (?:original|country|christmas|hit))?"
    r"(?: song| words to| lyrics to)?) (?P<title>.+?)(?P<tail>(?: lyrics)?"
    r"(?: (?:first|originally|in the movie .+|and wh.+|with \w+ \w+))?)?$"
)
_KIND = r"song|single|movie|film|tv show|television show|tv series|sitcom|novel|book|album|musical|play"
_ENDED = (
    r"(?P<tail> (?:(?:come|came|comes) out|take place|takes place|start|starts|begin|end|ends|air|premiere"
    r"|released|filmed|made|make|written|set|gross|cost|first|published|recorded|shot|based on|about|aired"
    r"|are there|were there|will there be|on netflix|and wh\w+|the song|the movie)\b.*"
    r"| in| by .+| into \w+)?$"
)
_CALLED = re.compile(rf"^(?P<head>.*\bthe (?:\w+ )?(?:{_KIND})(?: called| titled)?) (?P<title>\w.*?){_ENDED}")
_SEASON = re.compile(rf"^(?P<head>.*\b(?:season|episode)s?(?: \w+)? of) (?P<title>\w.*?){_ENDED}")
# What a part is played in, or somebody is seen on.
_PLAYED = re.compile(
    r"^(?P<head>(?:.+ )?who (?:plays|played|voices|voiced|starred)(?: (?!in |on )\S+){1,5}? (?:in|on)"
    r"|who starred in|who (?:is|was) (?!the |on )\S+(?: \S+)? on) (?P<title>\w.+?)(?P<tail>)$"
)
# The part that is played is named, unless it is described.
_PART = re.compile(
    r"^(?P<head>(?:.+ )?who (?:plays|played|voices|voiced) )"
    r"(?P<part>(?!the |an? |in |on |with |for )[^,]+?)(?= (?:in|on) |$)"
)
# Only a title opens as a sentence does where something is filmed or published.
_MADE = re.compile(
    r"^(?P<head>(?:where|when) (?:was|were|is)) (?P<title>(?:when|because|what|how|if|it|i|my|you|we) .+)"
    r"(?P<tail> (?:filmed|published|released|made|set|shot|recorded|written))$"
)
_NO_TITLE = word_class("no_titles")
_NOT_PLAYED = re.compile(
    r"\b(?:movie|film|show|series|commercial|game|games|league|final|finals|team|band|nba|nfl|mlb|nhl|cup|bowl"
    r"|season|version|guitar|piano|drums|bass|\d{4} \w+)\b|^(?:this|that|first|his|her|their|it|there)\b"
)
_SMALL = ARTICLES | {"and", "as", "at", "but", "by", "for", "from", "if", "in", "into"} | {
    "of", "off", "on", "or", "the", "to", "with"
}  # fmt: skip


def _titled(question: str) -> str:
    """The title that the words around it show, in quotation marks and capitals."""
    for pattern in (_CALLED, _SEASON, _MADE):
        found = pattern.match(question)
        opened = found["title"].split()[:2] if found else []
        led = (
            opened[:1]
            and opened[0] in _NO_TITLE
            and not (found and found["tail"] and opened == ["in", "the"])
        )
        if found and not led and len(found["title"].split()) < 10:
            return _marked(found)
    question = _PART.sub(lambda found: found["head"] + _as_name(found["part"]), question)
    played = _PLAYED.match(question)
    if played and not _NOT_PLAYED.search(played["title"]) and len(played["title"].split()) < 8:
        named = " ".join(word for word in played["title"].split() if word != "the")
        return question if named in _known() else _marked(played)
    sung = _SUNG.match(question)
    if sung and _is_clause(sung["title"].split(), "song" in sung["head"].split()):
        return _marked(sung)
    return question


def _as_name(part: str) -> str:
    known = [_is_word(core(re.sub(r"['’]s$", "", token))) for token in part.split()]
    return part if any(known) or len(known) > 3 else _in_title_case(part)


def _marked(found: re.Match[str]) -> str:
    return f'{found["head"]} "{_in_title_case(found["title"])}"{found["tail"] or ""}'


def _is_clause(title: list[str], song: bool) -> bool:
    """Whether the words are what only a title can be: they open as a sentence does."""
    first = core(title[0])
    if len(title) < 2 or first in ("the", "a", "an", "music", "most", "about", "in", "at", "on", "for"):
        return song and len(title) > 1 and first not in _NO_TITLE | {"music", "most"}
    inside = any(core(word) in AUXILIARIES | {"i", "you", "me"} for word in title[1:])
    opens = first in PRONOUNS | WH or first in ("i", "let", "don't", "she's") or is_base(first)
    return song or opens and len(title) > 2 or inside


def _in_title_case(title: str) -> str:
    tokens = title.split()
    last = len(tokens) - 1
    return " ".join(
        word if word in _SMALL and 0 < at < last else word[:1].upper() + word[1:]
        for at, word in enumerate(tokens)
    )
