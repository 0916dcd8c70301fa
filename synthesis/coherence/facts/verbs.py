"""What a verb of a question becomes in a sentence that answers it: "did she win" and "she won". English.

Terms have lost their lightest endings already (``synthesis.text.words``); what is left is made one here.
"""

from __future__ import annotations

import re
from functools import lru_cache

from synthesis.text.verbs import irregular_verbs
from synthesis.text.words import terms

# What they have besides their past: other persons, other participles.
_MORE = {
    "be": "is are were being",
    "bear": "born",
    "do": "does",
    "get": "gotten",
    "go": "goes",
    "have": "has",
}
_DOUBLED = re.compile(r"([bdgkmnprt])\1\Z")


@lru_cache(maxsize=1)
def _bases() -> dict[str, str]:
    found = {term: verb for verb, _, _ in irregular_verbs() for term in terms(verb)}
    for verb, past, participle in irregular_verbs():
        for term in terms(f"{past} {participle} {_MORE.get(verb, '')}"):
            found.setdefault(term, verb)  # "lay" is itself before it is the past of "lie"
    return found


@lru_cache(maxsize=8192)
def base(term: str) -> str:
    """One form for the forms of a word: "wrot" and "written" are "write", "carri" is "carry"."""
    if found := _bases().get(term):
        return found
    if len(term) < 3 or not term.isascii() or not term.isalpha():
        return term
    if term.endswith("i"):
        term = f"{term[:-1]}y"
    elif term.endswith("ied"):
        term = f"{term[:-3]}y" if len(term) > 4 else term[:-1]
    else:
        ending = next((one for one in ("ing", "ed") if term.endswith(one) and len(term) > len(one) + 1), "")
        term = term[: len(term) - len(ending)]
    plain = _DOUBLED.sub(r"\1", term).rstrip("e") or term
    return _bases().get(plain, plain)
