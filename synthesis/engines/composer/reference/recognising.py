"""What kind of thing a name stands for, by the words around it: a person, a film, a stadium ...

Knows what is said and asked, with ``MARK`` for the name; a guess that fails costs a plainer entry.
"""

from __future__ import annotations

import re

from synthesis.engines.composer.lexicon import words
from synthesis.engines.composer.reading.answers import PERSON_NOUNS

#: Stands for the name; a character of private use, in no text.
MARK = "\ue001"

_WORK = {
    "film": "film|movie|comedy|documentary|thriller|sequel|sitcom|television series|tv series|tv show",
    "song": "song|album|single|soundtrack|hymn",
    "book": "novel|book|poem|memoir|autobiography|magazine|newspaper",
}
_BE = "is|was|down as|as the books have it, is"
_NEAR = {
    sort: re.compile(
        rf"\b(?:{nouns})s?,? (?:called |named )?(?:\S+ (?:and|or) )?[\"“]?{MARK}"
        rf"|{MARK}[\"”]? \(?(?:\d{{4}} )?(?:{nouns})\b",
        re.I,
    )
    for sort, nouns in _WORK.items()
}
_IS_ONE = {
    sort: re.compile(rf"{MARK}[\"”]?,? (?:{_BE})(?: an?| the)? (?:\S+ ){{0,5}}?(?:{nouns})s?\b", re.I)
    for sort, nouns in _WORK.items()
}
_ASKED = {sort: re.compile(rf"\b(?:{nouns})", re.I) for sort, nouns in _WORK.items()}
_SITE = re.compile(
    r"\b(?:Stadium|Castle|Bridge|Tower|Hall|Museum|University|College|School|Church|Airport|Hotel|Cent(?:re|er)"
    r"|Theat(?:re|er)|Palace|Mill|Mine|Abbey|Cathedral|Arena|Library|Hospital|House|Station|Brewery|Institute"
    r"|Academy|Mall|Park|Prison)s?$"
)
_ORG = re.compile(
    r"\b(?:Records|Corporation|Investors|Inc|Ltd|Company|Co|United|Rovers|F\.?C\.?|Club|Band|Bank|Airlines|Airways"
    r"|Group|Association|League|Pictures|Studios?|Press|Orchestra)\.?$"
)
_JOINED = re.compile(rf"\b(?:played for|member of|joined|signed (?:by|for)) (?:the )?{MARK}")
_BANDED = re.compile(
    rf"{MARK} (?:is|was) an? (?:\S+ ){{0,6}}?"
    r"(?:band|group|company|club|team|orchestra|brand|airline|publisher|label)\b"
    rf"|{MARK} (?:was formed|came together)"
)
_ACTED = re.compile(
    rf"{MARK}[\"”]? (?:starred|features|featured|was directed by|has music by) [A-Z]"
    r"|\b(?:[Aa]ctor|actress|part|starred|starring|appearance|appeared|role)s? in "
    rf"(?:the )?[\"“]?{MARK}"
)
_SUNG = re.compile(
    rf"\b(?:sang|recorded|sung by|covered) [\"“]?{MARK}|{MARK}[\"”]? (?:was|is) (?:sung|recorded)"
)
_DOES = re.compile(
    rf"(?<!\w){MARK} (?:was born|died|is from|comes from|married|has won|starred in|wrote|directed|sang"
    r"|played|grew up|earned|worked as|had a part|was replaced|became|was an actor|is known"
    r"|has made a name)\b"
    rf"|\b(?:by|married|met|plays|played|named after) {MARK}(?!\w)"
)
_IS = re.compile(
    rf"(?<!\w){MARK}[^.;]{{0,24}}?(?:,| is| was| down as| as| became) (?:an? |the |one of )"
    r"(?P<noun>(?:[\w’'-]+ ){0,5}?[a-z-]+)(?=[.,;]| (?:who|of|in|and|for|from|that)\b|$)"
)
_SOMEBODY = re.compile(
    r"(?:[^\W\d_a-z][\w.'’-]*|\"[A-Z]\w+\"|de|von|van|la|al|of|I{1,3}V?|VI{0,3})(?: \S+){0,5}"
)
_NOUNS = (
    re.compile(rf"(?<!\w){MARK},? (?:is |was )?an? (?:[a-z-]+ ){{0,2}}?(?P<noun>[a-z]+)(?=[.,]|$)"),
    re.compile(
        rf"\b[Tt]he (?:\d{{4}} )?(?:[a-z]+ )?(?P<noun>film|movie|song|album|novel|band|series) {MARK}"
    ),
    re.compile(rf"\b(?P<noun>film|song|album|novel|band|magazine) {MARK}"),
)
_CHOICE = re.compile(rf"(?:,|\bor|\band) {MARK}")
_AGENT = re.compile(r"[a-z]{3}(?:er|or|ist|ian|man|woman)$")
_SHE = re.compile(r"\b(?:she|her|actress|queen|princess|woman|wife|mother|daughter|sister|female)\b", re.I)
_HE = re.compile(r"\b(?:he|his|him|king|prince|man|husband|father|son|brother|male)\b", re.I)


def sort_of(name: str, kind: str, question: str, said: str) -> str:
    """One of ``things.SORTS``.

    Args:
        name: as it stands.
        kind: as ``naming.kind_of`` has it, empty where it is not known.
        question: the pair's, marked.
        said: all that is told of it, marked.
    """
    if kind in ("person", "place", "org"):
        return kind
    if _SITE.search(name):
        return "site"
    if _ORG.search(name) or _JOINED.search(said):
        return "org"
    for sort in _WORK:
        if _NEAR[sort].search(f"{question} {said}") or _IS_ONE[sort].search(said):
            return sort
    if kind == "work":
        return next((sort for sort in _WORK if _ASKED[sort].search(question)), "any")
    if kind == "thing":
        return "any"
    for pattern, sort in ((_BANDED, "org"), (_ACTED, "film"), (_SUNG, "song")):
        if pattern.search(said):
            return sort
    return "person" if _person(name, question, said) else "any"


def _person(name: str, question: str, said: str) -> bool:
    """Whether it is somebody: by what is said of it, or by who is asked for."""
    if not _SOMEBODY.fullmatch(name):
        return False
    if _DOES.search(said):
        return True
    found = _IS.search(said)
    if found and (PERSON_NOUNS & {*found["noun"].casefold().split()} or _AGENT.search(found["noun"])):
        return True
    who = question[:4].casefold() == "who " and len(name.split()) in (2, 3)
    return who and _CHOICE.search(question) is not None


def is_female(name: str, said: str) -> bool | None:
    """Whether somebody is a woman, by what is said or by the first name; None where that is not known."""
    she, he = bool(_SHE.search(said)), bool(_HE.search(said))
    if she != he:
        return she
    given = name.split()[0]
    she, he = given in words("first_names_f"), given in words("first_names_m")
    return she if she != he else None


def noun_of(question: str, said: str) -> tuple[str, ...]:
    """What it is called there beside its name: ``the province``, ``the film``; both texts are marked."""
    for pattern in _NOUNS:
        for text in (said, question):
            if (found := pattern.search(text)) and found["noun"] not in PERSON_NOUNS:
                return (f"the {found['noun']}",)
    return ()
