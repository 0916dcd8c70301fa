"""Slips of English that alternatives of a template make: families of them, found by pattern.

Knows verb frames, comparisons, articles, agreement and auxiliaries as far as a pattern can see
them. It knows no banks: ``check_bank`` hands it what their templates say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from synthesis.engines.composer.lexicon import words

_THING = r"(?:voucher|receipt|letter|note|key|file|card|ledger|ticket|paper|page|box|map)s?"
_NOTHING = r"(?:no|not one|not a single|neither|any)"
_PERSON = r"(?:him|her|them|me|us|it)"
_PAST = (
    r"(?:was|were|went|came|took|gave|wrote|spoke|began|knew|saw|had|did|got|made|found|told|said|kept|left|held"
    r"|stood|lost|brought|thought|taught|sent|spent|paid|felt|fell|grew|drew|drove|rose|ran|sat|sang|slept)"
)
_COUNT = (
    r"(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|several|many|both|these|those|most|twenty"
    r"|thirty|forty|fifty|sixty|seventy|eighty|ninety)"
)

#: Families of slips; a group named ``x`` holds the words to show.
FAMILIES: dict[str, tuple[str, ...]] = {
    "a verb without its frame": (
        r"\b(?:asked|begged|urged|ordered) of \w+ing\b",
        rf"\blearn(?:ed|t)? (?:{_NOTHING}|a|the) {_THING}\b",
        r"\b(?:looked|searched|waited|listened) (?:the|an?) (?!answer|way|part|while|moment|few|week|day"
        r"|long|hour|minute|month|second|year|night|little|other|same|usual|good|prescribed)\w",
        r"\bspent (?:the|an?|half) [^.,;]{1,24} to (?:the|an?|teaching|family)\b",
        r"\b(?:lay|laid) up, \w+ing\b|\bread it down\b|\bgo(?:es)? on of\b",
        r"\bliken(?:ed)? [^.,;]{1,24} with\b",
        r"(?:^|[.;:] )(?:interest|belief|trust) with\b",
        r"(?:^|[.;:] )(?:with|without an?) [^.,;]{1,24} was (?:nearly|taken|possible)\b",
        r"\bbecome to (?:the|a|it|him|her|them)\b",
        r"\b(?:discussed|mentioned|emphasised|lacked) (?:about|of)\b",
        r"\b(?:explained|suggested) (?:him|her|them|me|us) \w",
        r"\b(?:belonged|consisted|depended|insisted|complained) (?:a|an|the)\b",
        r"\b(?:refused|decided|promised|offered|wanted|hoped|managed|agreed|undertook|failed)"
        r" (?!(?:no|any|some|every)thing|during|pending|according)(?-i:[a-z]{2,})ing\b",
        r"\b(?:enjoyed|avoided|finished|denied|imagined|ceased from) to \w",
        r"\b(?:put|dealt) (?:the|a|an) (?:\w+'s )?(?:emergency|spare|post)\b",
        rf"\b(?:supported|answered|approached|reached|entered|joined) (?:to|of|into) {_PERSON}\b",
        r"\b(?:made|had) (?:it|be) (?:be known|more strongly)\b",
        r"\bgot through with \d*\w+ (?:items|letters)\b",
        r"\bknocked (?:each|every|them|on each of)\b",
        r"\b(?:backed|bore) out of (?:his|her|the) account\b",
    ),
    "a comparison without its word": (
        r"\bliked (?:a|an|the|\w+s) (?:\w+ )?to (?:a|an|the)\b",
        r"\bpreferred [^.,;]{1,40} than\b",
        r"\b(?:as|so) (?:wide|long|large|high|deep|old) as of\b",
        r"\b(?:more|less|fewer) \w+ as\b(?! (?:if|though|soon|well|long|far|they|he|she|it|usual|yet|when))",
        r"\bmost (?:respect|case|part|way|place|thing)\b(?! of)",
        r"\b(?:so|very) \w+(?: off)? than\b|\bit was less what\b",
        r"\bmade it the worst\b|\bwas worse(?:,| and| or)? of\b",
    ),
    "an article or a determiner": (
        r"\b(?:a|an|the|no|every|each) (?:a|an|the)\b",
        r"\b(?:a|an) (?:another|other|some|any|his|her|their|its|those|these)\b",
        r"\b(?:neither|none|each|both) of it had\b(?<!none of it had)",
        r"\b(?:hardly|scarcely) (?:nothing|no|none)\b",
        r"\b(?:several|many|most|some|few|numerous) (?:the|an?)\b",
        r"\bfrom (?:start to last|first to finish)\b",
    ),
    "agreement": (
        r"\b(?:he|she|it) (?:were|have|are|do)\b(?<!were)",
        rf"(?:^|[.;:,] |and |but )there was {_COUNT}\b(?! (?:o'clock|years))",
        r"\b(?:crews|people|children|men|women) was\b",
        rf"(?:^|[.;:] ){_COUNT} (?!of\b)\w+s was\b",
    ),
    "an auxiliary": (
        rf"\b(?:would|could|should|must|might|may|cannot|shall) (?:not )?{_PAST}\b",
        r"\bshould (?:he|she|it|they) (?:ever )?(?:came|went|found|was|wanted|meant|had)\b",
        r"\bhad not (?:able|the sort|afraid|willing)\b|\bhad (?:failing|able|willing|ready|afraid)\b",
        r"\b(?:he|she) was (?:a|an) (?:answer|letter|reply|note|question|key|look)\b",
        r"\b(?:he|she) (?:had|was) (?:to |not )?(?:asked|told) of\b",
    ),
}

_FAMILIES = {
    name: re.compile("|".join(f"(?:{p})" for p in patterns), re.IGNORECASE)
    for name, patterns in FAMILIES.items()
}

#: "the plates was": not where the noun hangs on a preposition ("one of the plates was").
_SUBJECT = re.compile(
    r"(?:(\w+) |^|[.;:,] )(?:the|these|those|their) ([a-z]+[^siu'\W]s) (?:was|is|has)\b", re.IGNORECASE
)
_HANGS = frozenset(
    (
        "of",
        "in",
        "on",
        "at",
        "by",
        "for",
        "from",
        "with",
        "to",
        "about",
        "under",
        "over",
        "behind",
        "beside",
        "near",
    )
    + (
        "between",
        "among",
        "against",
        "through",
        "like",
        "across",
        "beyond",
        "below",
        "than",
        "round",
        "outside",
        "inside",
        "are",
        "were",
    )
)

#: "Sandwiches was brought", where no name begins the sentence.
_BARE = re.compile(r"(?:^|[.;:!?] )([A-Z][a-z]+[^siu'\W]s) (?:was|is|has)\b")
_NAMES = frozenset(
    part
    for kind in ("first_names_f", "first_names_m", "surnames", "towns")
    for name in words(kind)
    for part in re.split(r"\W", name)
)

_PLURAL = re.compile(
    r"\b[Aa]n? ([a-z]+[^siuo'\W]s)"
    r"(?= (?:was|were|of|and|or|in|on|at|to|that|which|who|had|from|for|with)\b|[.,;:!?]|$)"
)
_ONE_S = frozenset(
    ("lens", "gas", "news", "series", "works", "gallows", "headquarters", "barracks", "means", "chess")
    + (
        "species",
        "crossroads",
        "waterworks",
        "gasworks",
        "always",
        "atlas",
        "canvas",
        "mathematics",
        "summons",
    )
)


def slips(text: str) -> Iterator[str]:
    """What looks wrong in a text of ours, one line each: the family and the words around it."""
    for family, pattern in _FAMILIES.items():
        for match in pattern.finditer(text):
            yield f"{family}: '{text[max(0, match.start() - 30) : match.end() + 20]}'"
    for match in _SUBJECT.finditer(text):
        if (match[1] or "").casefold() not in _HANGS and match[2] not in _ONE_S:
            yield f"agreement: '{text[max(0, match.start() - 20) : match.end() + 20]}'"
    for match in _BARE.finditer(text):
        if match[1] not in _NAMES and match[1].casefold() not in _ONE_S:
            yield f"agreement: '{text[match.start() : match.end() + 20]}'"
    for match in _PLURAL.finditer(text):
        if match[1] not in _ONE_S:
            yield f"an article before a plural: '{text[max(0, match.start() - 20) : match.end() + 20]}'"
