"""Put an answer into the gap in the middle, or at the end, of a question that has the order of a statement.

Knows frames and answer shapes; None where no form is sure to be grammatical.
"""

from __future__ import annotations

import random
import re

from synthesis.engines.composer.grammar.clauses import finite_verb
from synthesis.engines.composer.grammar.phrases import tokens_of
from synthesis.engines.composer.grammar.wording import article, common_case, is_plural, lower_first
from synthesis.engines.composer.grammar.words import (
    ADVERBS,
    ARTICLES,
    PREPOSITIONS,
    core,
    is_adjective,
    is_base,
    verbs,
)
from synthesis.engines.composer.lexicon import word_class
from synthesis.engines.composer.lexicon import words as words_of
from synthesis.engines.composer.reading.answers import (
    PERSON_NOUNS,
    PLACE_NOUNS,
    is_date,
    is_number,
    is_ordinal,
    names_person,
)
from synthesis.engines.composer.reading.frames import Frame
from synthesis.engines.composer.stating.objects import brings

_OFFICES = word_class("titled")
_LANGUAGES = frozenset(["language", "languages", "nationality", "tongue", "dialect"])


def fill_gap(frame: Frame, given: str, how: str, rng: random.Random) -> str | None:
    """The answer ``given``, of shape ``how``, in the place of a mid-sentence question word."""
    before, after, noun = frame.before, frame.after, frame.noun
    low = lower_first(given)
    if how in ("clause", "because"):
        return None
    if frame.wh == "how many":
        return _there_are(before, low, after)
    before, low = _met(before, low)
    if not frame.wh and not after:
        return _turned_round(before, low, rng) if how == "noun" else None
    if core(before.split()[-1]) in ("do", "does", "did", "doing"):
        doing = re.search(r"^(.*\bto) do$", before)
        if not doing or after or not is_base(core(given.split()[0])):
            return None
        return f"{doing[1]} {low[:1].lower() + low[1:]}"
    if how == "verb":
        return None
    tail = after if after.startswith(",") else f" {after}" if after else ""
    if frame.wh == "where" and how == "noun":
        low = f"in {low}"
    if not noun:
        return f"{before} {low}{tail}"
    return _fill_noun(before, noun, low, tail)


_CALLED = re.compile(
    r"(?P<what>[^,]+) (?:is|are|was|were) (?:also |often |generally )?(?:called|named|termed|known as)$"
)
_ONE_OF = re.compile(
    r"(?P<what>[^,]+) (?P<be>is|was) (?P<one>an? (?:example|instance|part|kind|type)) of$", re.IGNORECASE
)
_EQUAL = re.compile(r"(?P<what>(?:the|an?|another) [^,]+) (?P<be>is|was)$", re.IGNORECASE)
_DONE_BY = re.compile(r"(?P<what>[^,]+) (?:was|were) (?P<done>\w+) by$")
_SURE = (", by all accounts,", ", as every account has it,", ", as is generally agreed,")


def _turned_round(before: str, low: str, rng: random.Random) -> str:
    """A statement that breaks off, with the answer: in another order, so that it doesn't merely go on."""
    if found := _CALLED.match(before):
        return f"the {rng.choice(('name', 'word', 'usual name'))} for {lower_first(found['what'])} is {low}"
    if found := _ONE_OF.match(before):
        return f"{found['one']} of {low} {found['be']} {lower_first(found['what'])}"
    if found := _EQUAL.match(before):
        return f"{low} {found['be']} {lower_first(found['what'])}"
    done = _DONE_BY.match(before)
    verb = next((verb for verb in verbs().values() if done and verb.participle == core(done["done"])), None)
    if done and verb:
        return f"{low} {verb.past} {lower_first(done['what'])}"
    tokens = tokens_of(before)
    at = finite_verb(tokens) or len(tokens) - 1
    if (
        core(tokens[-1]) in ("include", "includes", "means")
        or len(tokens) - at > 6
        or any(token.endswith(",") for token in tokens[:at])
    ):
        at = len(tokens) - 1
    if core(tokens[at]) in ARTICLES:
        at -= 1
    return f"{' '.join(tokens[:at])}{rng.choice(_SURE)} {' '.join(tokens[at:])} {low}"


def _there_are(before: str, low: str, after: str) -> str:
    """``there are`` + ``nine seasons`` + ``of N``: a noun that the amount brings is not said twice."""
    tokens = after.split()
    first = (low.split() or [""])[0]
    same = next((at for at, token in enumerate(tokens) if brings(low, token) and at < 4), None)
    if same is not None:
        tokens = tokens[same + 1 :]
    one = before.startswith("there") and core(first) in ("one", "1", "a") and low == first
    return " ".join([before.replace(" are", " is") if one else before, low, *tokens])


_APPROXIMATE = frozenset(["about", "around", "approximately", "nearly", "over"])


def _met(before: str, given: str) -> tuple[str, str]:
    """What stands before a gap and the answer in it, with one article or *about* between them."""
    tokens = before.split()
    if len(tokens) < 2:
        return before, given
    last, first = core(tokens[-1]), core((given.split() or [""])[0])
    if last in ARTICLES and first in ARTICLES:
        return " ".join(tokens[:-1]), given[:1].lower() + given[1:]
    if last in _APPROXIMATE and first in _APPROXIMATE:
        return " ".join(tokens[:-1]), given
    if last in ("a", "an"):
        return " ".join([*tokens[:-1], article(given)]), common_case(given)
    return before, given


def _fill_noun(before: str, noun: str, low: str, tail: str) -> str | None:
    """``which N`` mid-sentence: drop, keep or turn into an apposition what follows the question word."""
    comma = "," if noun.endswith(",") else ""
    noun = noun.rstrip(",")
    words = noun.split()
    if is_ordinal(low):
        if words[0] == "number":
            return f"{before} {low} {' '.join(words[1:])}{comma}{tail}"
        return f"{before} the {low} {noun}{comma}{tail}"
    if is_number(low) and len(low.split()) == 1 and core(words[0]) not in ("year", "number", "date"):
        return None
    if is_date(low) and core(words[-1]) in ("year", "date", "century", "month", "decade"):
        return f"{before} {low}{comma}{tail}"
    kind = core(words[0]) in ("type", "kind", "sort")
    if kind and not tail.startswith(" of"):
        return f"{before} {low}{comma}{tail}"
    if kind and not re.search(r"\b(?:that|which|who)\b", tail):
        return _typed(before, low, tail)
    if (
        not tail
        and core(words[-1]) in ("occupation", "profession", "job", "nationality")
        and low[:1].islower()
    ):
        return f"{before} the {noun} of {low}"
    if words[0] == "of":
        return f"{before} {low}, one {noun}{comma}{tail}"
    if (
        low in words_of("nationalities") + words_of("languages")
        and len(words) == 1
        and words[0] not in _LANGUAGES
    ):
        return f"{before} {low} {noun}{comma}{tail}"
    if not tail and not comma and words[0] != "other":
        return _labelled(before, noun, low)
    plural = is_plural("the " + noun) and not words[-1][:1].isupper()
    if plural or (noun.casefold().split()[-1] in low.casefold().split() and not tail):
        return f"{before} {low}{comma}{tail}"
    if words[0] == "other":
        phrase = "another " + " ".join(words[1:]) if len(words) > 1 else "another"
    else:
        phrase = f"{article(noun)} {noun}"
    follows = core(tail.split()[0]) if tail else ""
    if tail.startswith(" of"):
        return f"{before} {low}, {phrase}{tail}"
    if follows == "and" or (comma and is_adjective(core(words[-1]))) or (comma and names_person(noun)):
        return f"{before} {low}, {phrase}{comma}{tail}"
    if follows in PREPOSITIONS or follows in ADVERBS or comma:
        if words[0] != "other" and not (names_person(noun) or core(words[-1]) in _OFFICES):
            # A place or a thing takes what it is behind it: "in Franconia, a town in ...".
            sited = core(words[-1]) in PLACE_NOUNS and follows == "in"
            if len(words) == 1 and core(noun) in PLACE_NOUNS and not sited:
                return f"{before} {low}{comma}{tail}"
            return f"{before} {low}, {phrase}{comma if sited else ','}{tail}"
        label = "the other" + noun[5:] if words[0] == "other" else f"the {noun}"
        return f"{before} {label} {low}{comma}{tail}"
    return f"{before} {low}, {phrase}{tail}"


def _labelled(before: str, noun: str, low: str) -> str:
    """``in which town`` at the end: ``in the town of Norman``, ``by the company Baxter``, or bare."""
    head = core(noun.split()[-1])
    if head in ("town", "city", "village", "state", "province") and not low[:1].islower() and "," not in low:
        return f"{before} the {noun} of {low}"
    if (head in PERSON_NOUNS or head in _OFFICES) and not low[:1].islower() and not low.startswith("The "):
        return f"{before} the {noun} {low}"
    if len(noun.split()) > 1 and not low[:1].islower() and " and " not in noun:
        return f"{before} {low}, {article(noun)} {noun}"
    return f"{before} {low}"


def _typed(before: str, low: str, tail: str) -> str:
    """``what type of game`` at the end: a bare common noun gets its article (``a board game``)."""
    noun = tail.split()[-1].casefold()
    if not low[:1].islower() or low.split()[-1].casefold() != noun or low.startswith(("a ", "an ", "the ")):
        return f"{before} {low}"
    if before.endswith(" both"):
        before = before[: -len("both")] + "each"
    return f"{before} {article(low)} {low}"
