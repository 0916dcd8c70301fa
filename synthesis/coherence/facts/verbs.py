"""What a verb of a question becomes in a sentence that answers it: "did she win" and "she won". English.

Terms have lost their lightest endings already (``synthesis.text.words``); what is left is made one here.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from synthesis.text.words import terms

_IRREGULAR: Final = """
be is are was were been being
bear bore born borne
beat beaten
become became
begin began begun
bind bound
break broke broken
bring brought
build built
buy bought
catch caught
choose chose chosen
come came
deal dealt
do does did done
draw drew drawn
drink drank drunk
drive drove driven
eat ate eaten
fall fell fallen
feel felt
fight fought
find found
fly flew flown
forget forgot forgotten
freeze froze frozen
get got gotten
give gave given
go goes went gone
grow grew grown
have has had
hear heard
hide hid hidden
hold held
keep kept
know knew known
lead led
leave left
lend lent
lose lost
make made
mean meant
meet met
pay paid
rise rose risen
run ran
say said
see saw seen
sell sold
send sent
shoot shot
sing sang sung
sink sank sunk
speak spoke spoken
spend spent
stand stood
steal stole stolen
swim swam swum
take took taken
teach taught
tell told
think thought
understand understood
wear wore worn
win won
write wrote written
"""
_DOUBLED = re.compile(r"([bdgkmnprt])\1\Z")


@lru_cache(maxsize=1)
def _bases() -> dict[str, str]:
    rows = (line.split() for line in _IRREGULAR.split("\n") if line.strip())
    return {term: row[0] for row in rows for word in row for term in terms(word)}


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
    return _DOUBLED.sub(r"\1", term).rstrip("e") or term
