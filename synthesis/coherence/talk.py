"""Talk about the text or the task in a text that should only tell what is so.

"The text must not include any details", "Note: the question asks for a name", "Span: 150 words", "[The story
continues]". A turn that can only be about the task is enough; one that any story might have ("the
text must be read aloud") is not, two different ones near each other are. English alone: texts in other
languages have none of it. Knows nothing of the score, and needs no template.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple

from synthesis.text.words import terms

_NEAR = 400  # characters
_ENOUGH = 2
_REACH = 300  # characters, more than any turn is long

_ABOUT = r"(?:the |a |an |this |that |your |my |any |every |following |above |given |provided )"
_ASKED = r"(?:request|response|prompt|instruction|question|query|puzzle)s?"
_ASKING = r"(?:request|response|prompt|instruction)s?"
_TEXT = r"(?:text|passage|narrative|context|response|story|writing)s?"
_TEXTS = "text|passage|narrative|context|response|story|writing"  # the same as keys
_PIECE = r"(?:text|passage|narrative|context|story|paragraph|sentence|response|answer|summary|version)s?"
_EDITED = r"(?:(?:re)?written|(?:re)?worded|edited|revised|reorganized|rephrased|shortened|continued)"
_EDIT = r"(?:add|edit|remove|rewrite|rephrase|reword|shorten|include|omit|replace|mention|write|choose)"
_OBJECT = (
    r"(?:text|story|narrative|request|response|question|answer|sentences?|paragraphs?|words?|context|details"
    r"|passage|title)"
)
_COUNT = r"\d[\d,]{0,9}"
_LINE = r"(?:^|\n)[\s#*>_-]{0,12}"
_SENTENCE = r"(?:^|\n|[.!?:;\"”]\s)[\s#*>_-]{0,12}"


class _Turn(NamedTuple):
    weight: int  # of ``_ENOUGH``; two turns of 1 are enough, too
    keys: tuple[str, ...]  # one of them stands in every match, looked for first
    pattern: re.Pattern[str]
    group: str  # turns of one group do not add up: an article on a manuscript says "the text is" often


def _turn(weight: int, keys: str, *pattern: str, group: str = "") -> _Turn:
    return _Turn(weight, tuple(keys.split("|")), re.compile("|".join(pattern)), group)


# All of lower-cased text, and each bounded in what it may run over, so that all are linear in it.
_TURNS = (
    # What a text has to be like, and who for.
    _turn(
        1,
        _TEXTS,
        rf"\b{_TEXT} (?:must|should|(?:has|have|needs?) to) (?:not )?(?:be (?:written|based|about|in )"
        r"|mention|include|lead|repeat|contain|begin|start|state|provide|give|consist|answer|only|also|follow)",
        group="must",
    ),
    _turn(
        1,
        _TEXTS,
        rf"\b{_TEXT} (?:must|should|can|(?:has|have|needs?) to) (?:not |also )?be {_EDITED}\b",
        rf"\b{_TEXT} (?:must|should|can)(?: ?not) (?:include|contain|mention|repeat|omit|do|have|be)\b",
        rf"\b{_TEXT} (?:must|should) be:?\s*(?:\n|a (?:continuation|list|narrative|summary))",
    ),
    _turn(2, "response", r"\bresponse (?:must|should|needs to) be re(?:written|worded|phrased)\b"),
    _turn(
        1,
        "reader",
        r"\b(?:an?|the|this|any|every|another|your) readers? (?:was|is|has|had|must|should|will|can|could"
        r"|who|received|gave|asked|needs|may|might|responded|replied|knows?|wants?|finds? out)\b",
        group="reader",
    ),
    _turn(
        1,
        "request|response|prompt|instruction",
        rf"\b(?:given|receiv\w+|gave|made|answer\w*|repeat\w*|mention\w*) {_ABOUT}+{_ASKING}\b",
        rf"\b{_ABOUT}{_ASKING} [^.!?\n]{{0,100}}\b(?:reader|text|passage)\b",
        rf"\b(?:in response|respond\w*|response|answers?) to {_ABOUT}+{_ASKED}\b",
        group="asking",
    ),
    _turn(
        1,
        "write |create |compose |generate ",
        r"\b(?:re)?(?:write|create|compose|generate) (?:(?:an?|the|this|it|your|in|about|one|again|as"
        r"|long|short|detailed|coherent|continuous|plain|whole) ){1,4}"
        r"(?:text|story|narrative|passage|context|article|paragraphs?|prose|response|report)\b",
        group="write",
    ),
    _turn(
        1,
        "words",
        rf"\b(?:about|approximately|at least|exactly|under|within|in|of) {_COUNT} words\b|\({_COUNT} words\)",
        rf"\b{_COUNT} words (?:long|or (?:less|more|fewer))\b",
        group="words",
    ),
    _turn(1, "word", rf"\b{_COUNT}[ -]words? (?:long )?{_PIECE}\b", group="words"),
    _turn(2, "words", rf"\b{_COUNT} words long {_PIECE}\b"),
    _turn(2, "words", rf"\b{_COUNT} words (?:that )?(?:you |were )?(?:requested|asked for)\b"),
    _turn(
        1,
        "do not |don't |make sure|ensure ",
        r"(?:^|[.!?:;]\s|- )(?:do not|don't|make sure|ensure) (?:to )?"
        r"(?:mention|repeat|write|includ|use|add|give|state|answer|refer)\w*",
        group="orders",
    ),
    _turn(
        1,
        "in the language|prose|word for word",
        r"\bin the language of the|\bcontinuous prose\b|\bword for word\b",
        group="prose",
    ),
    # A text about itself.
    _turn(
        1,
        "text|narrative|passage|context|background",
        r"\bth(?:is|e above|e following|e given|e provided) (?:text|narrative|passage|context|background)"
        r" (?:is|was|has been|describes|provides|explains|tells|leads|includes|contains|shows"
        r"|states|does|aims|should|will)\b",
        group="itself",
    ),
    _turn(
        1,
        "narrative|text|response|request|question",
        r"\b(?:this is|it is|the (?:text|response|request|context) (?:is|was)) (?:an? |the |part of |not )+"
        r"(?:\w+ )?(?:narrative|text|response|request|question)\b",
        group="itself",
    ),
    _turn(
        1,
        "the text|the response|the context|the request|the story|the narrative",
        rf"{_SENTENCE}the (?:original |entire |whole )?(?:text|response|context|request|narrative|story) "
        r"(?:itself |provided )?(?:is|was|has been|can be|does not|doesn't|did not|contains|includes|included"
        rf"|mentions|begins|starts) (?:not )?(?:{_EDITED}|set|told|based|provided|from|in|about|lost"
        r"|incomplete|clear|made|included?|contain|mention|a|an|the|with|by)\b",
        group="itself",
    ),
    _turn(
        1,
        "text itself|original text|original response",
        r"\bthe (?:text itself|original (?:text|response))\b",
        group="itself",
    ),
    _turn(
        1,
        "continuation of|summary of|part of|version of",
        r"\b(?:continuation|summary|part|version) of (?:the|an?|this) (?:\w+ )?"
        rf"(?:{_PIECE}|request|question)\b",
    ),
    _turn(
        1,
        "not contain any|not include any",
        r"\bnot (?:contain|include) any (?:\w+ )?(?:details?|information|facts?)\b",
    ),
    _turn(
        1,
        "context|text|response",
        r"\b(?:context|text|response) (?:is|was) provided (?:by|in|above|below)\b",
    ),
    _turn(
        2,
        "correct|valid",
        rf"{_SENTENCE}(?:the|this|your) (?:answer|response|request) is "
        r"(?:\w+ )?(?:correct|incorrect|valid)\b",
    ),
    _turn(
        2,
        "here is|here's|here’s|here are",
        r"\bhere(?: is|'s|’s| are) (?:the|an?|your|my|how) (?:revised|rewritten|edited|modified|requested"
        rf"|shortened) {_PIECE}\b",
    ),
    _turn(
        1,
        "here is|here's|here’s|here are",
        r"\bhere(?: is|'s|’s| are) (?:the|an?|your|my|how) (?:full|complete|updated|corrected|new|final)"
        rf" {_PIECE}\b(?! of (?:the|his|her|its|their) (?:statement|speech|letter|report|order|law))",
    ),
    _turn(
        2,
        "[the |[your |[insert|[continue|[end of|[rest of",
        rf"{_LINE}\[(?:the (?:story|text|narrative|rest)|your|insert|continue|end of|rest of)\b"
        r"[^\]\n]{0,200}?\b(?:continue[sd]?|paragraphs?|text|story|narrative|name|here|ends?)\b",
    ),
    # What was asked, and what is to be said.
    _turn(
        2,
        "answer",
        rf"{_LINE}(?:so,? |thus,? |therefore,? |hence,? )?(?:the |my |your )"
        r"(?:correct |final |right |short )?answer(?: to (?:the|this) question)?(?: is)?\**\s?[:：]"
        r"(?:\s*\n|[^\n]{0,200}\s*\Z)",
    ),
    _turn(
        1,
        "answer|question",
        rf"{_SENTENCE}(?:so,? |thus,? )?(?:the |your )(?:correct |final )?answer(?: is)?[:：]",
        r"\bthe (?:correct |final )?answer (?:is|was) (?:clearly |also |not |simply )?(?:stated|given|found"
        r"|correct|incorrect|wrong|based|not a fact|no answer"
        r"|not an? (?:\w+ ){0,2}(?:answer|dictionary|text))\b",
        r"\byour answer\b",
        r"\bthe questions? (?:asks?|asked|wants?|has the|is about|requires|seems|is a|is set)\b",
        rf"{_SENTENCE}in the (?:question|answer),",
        group="answer",
    ),
    _turn(2, "answer is", r"\bthis answer is (?:the|an?) |\banswer is the answer\b"),
    _turn(
        2, "answer was|answer is", r"\banswer (?:is|was) [^.!?\n]{1,40}, which (?:is|was) (?:in)?correct\b"
    ),
    _turn(
        2,
        "answer the question|answer the request|respond to the request|respond to the prompt",
        r"\b(?:i|we|you) (?:had|have|need|want) to (?:answer the (?:question|request)\s?[:：]"
        r"|respond to the (?:request|prompt))",
    ),
    _turn(
        1,
        "request|prompt",
        r"\bthe (?:request|prompt)s? (?:asks?|asked|wants?|has the|is about|requires|seems|is a|is set)\b",
    ),
    _turn(
        1,
        "in the question|in the request|in the answer|in the response|in the prompt",
        r"\b(?:as|asked|given|stated|mentioned|used|provided|what's|included) in the"
        r" (?:question|request|answer|response|prompt)\b",
    ),
    _turn(2, "context of th", r"\bin the context of th(?:e|is) (?:question|request|prompt)\b"),
    _turn(1, "context is", r"\bthe context is (?:comprised|composed|made up) of\b"),
    _turn(1, "places", r"\b(?:people|names), places,? and things\b"),
    _turn(2, "your answer", r"\bwhat(?: is|'s|’s) your answer\?\W{0,9}\Z"),
    _turn(1, "language of the", r"\blanguage of the (?:question|request|prompt|instruction)\b"),
    _turn(
        2,
        "request|question|prompt",
        r"\b(?:what a|sounds like an?|here is an?) (?:[\w-]{1,20} ){0,3}(?:request|prompt)\s?[:：]\s?[\"“]",
    ),
    _turn(
        1,
        "request|question|prompt",
        r"\b(?:what a|sounds like an?|this is an?|it's an?) (?:[\w-]{1,20} ){0,3}"
        r"(?:request|question|prompt)\b",
    ),
    _turn(1, "request|question|prompt", r"\b(?:request|question|prompt)\s?[:：]\s?[\"“]"),
    _turn(
        2,
        "note|reason|explanation",
        rf"{_LINE}\(?(?:note|explanation|reason|reasoning)\W{{0,3}}[:：][^\n]{{0,80}}"
        r"\b(?:question|request|answer|response|prompt)\b",
    ),
    # Speaking to who asked, or to oneself, at the desk.
    _turn(
        1,
        "you can|you could|you should|you may|you need|you might|you must",
        r"\byou (?:can|could|should|may|might|must|need to) (?:also |simply |just |then )?"
        rf"(?:{_EDIT} [^.!?\n]{{0,60}}\b{_OBJECT}\b|make the (?:text|sentence|story)\b|write it as\b)",
    ),
    _turn(
        1,
        "we need|we have|we can|we must|we will|let's|let us|i will|i can",
        rf"\b(?:(?:we|i) (?:need|have|will|can|must)(?: to)?|let's|let us) (?:first |now )?(?:{_EDIT} "
        rf"[^.!?\n]{{0,60}}\b{_OBJECT}\b|explain the (?:context|question|answer)|try a different approach)",
    ),
    _turn(1, "as:|as follows:", r"\b(?:write it|written|rewritten|read) as(?: follows)?:"),
    _turn(1, "in this context", rf"{_SENTENCE}in this context,"),
    _turn(1, "context of this story", r"\bcontext of this story\b"),
    _turn(
        2,
        "easier to|clearer",
        r"\bto make (?:it|this|the text) (?:easier|clearer)(?: and easier)? to (?:read|write|understand)"
        r"(?: and (?:read|write|understand))?, (?:we|you|i) ",
    ),
    _turn(1, "easily read|easier to read", r"\b(?:easily read and understood|easier to read)\b"),
    _turn(
        1,
        "text|story|narrative|request|response|question|answer|sentence|paragraph|word|details|passage|title",
        rf"{_LINE}(?:\d{{1,2}}[.)] )?(?:add|include|use|avoid|keep|provide|remove|(?:re)?write|mention"
        rf"|describe|replace|choose|repeat)\b[^.:\n]{{0,80}}\b{_OBJECT}\b",
    ),
    # A form that was to be filled in.
    _turn(
        1,
        ":|：",
        rf"{_LINE}(?:people|places?|things|premise|pronouns?|span|words|word count|setting|characters?|plot"
        r"|theme|mention|style|tone|opening|ending|conclusion|text|context|topic|repetition|reflections?)"
        r"\**\s?[:：]",
    ),
    _turn(
        1,
        ":|：",
        rf"{_LINE}(?:locations?|titles?|subject|genre|format|length|background|description|introduction)\**\s?[:：]",
        group="fields",
    ),
    _turn(2, "mention", r"[:：] ?mention (?:that|the|of)\b"),
    _turn(2, "context", r"[:：\"“] ?context[:：]"),
    _turn(2, "paragraph", rf"{_LINE}(?:first|second|third|fourth|last|final) paragraph\**[:：]"),
    _turn(1, "the word ", r"\bthe word [\"“](?:context|question|request|response)\b"),
    _turn(2, "words", rf"{_LINE}(?:words|span|length)\**\s?[:：] ?(?:about )?{_COUNT} words\b"),
    _turn(
        1,
        "what the|why the|why this|how the",
        rf"{_LINE}(?:what|why|how) (?:the|this) [^.!?:\n]{{3,60}}:[ *]{{0,4}}\n",
    ),
)

_GIVEN_AWAY = re.compile(rf"\banswer to {_ABOUT}+{_ASKED} is\b")
# A label that prompts have, and what it labels behind it, in the middle of a text as well.
_LABEL = re.compile(
    rf"(?:^|[.!?:;\"”]\s)[\s#*>_-]{{0,12}}(?:{_ABOUT}|correct |final |user'?s? )*"
    r"(request|response|question|answer|instruction|prompt|user|assistant|context|query|output|reader)s?"
    r"(?:\s+\d+)?\**\s*[:：]",
    re.MULTILINE,
)
_LABELS = (":", "：")


def talk(plain: str, own: Iterable[Sequence[str]] = ()) -> list[str]:
    """How a text talks about its task, each way in a few words; empty where that is no more than chance.

    Args:
        plain: the text, lower-cased.
        own: the terms of what the pair says, which may come up.
    """
    found = []
    if any(mark in plain for mark in _LABELS):
        labels = {match[1]: match.group().strip(' .!?;"”') for match in _LABEL.finditer(plain)}
        if len(labels) > 1:
            found.append(f"labels: {', '.join(sorted(labels.values()))}")
    if "answer to" in plain and (match := _GIVEN_AWAY.search(plain)):
        found.append(f"talk about the task: “{match.group()}”")
    if turns := _turns_near(plain, own):
        found.append(f"talk about the task: {', '.join(f'“{said}”' for said in turns)}")
    return found


def _turns_near(plain: str, own: Iterable[Sequence[str]]) -> list[str]:
    """A turn that is enough, or the first two that are together; none where no such stand near each other."""
    # The keys that may stand there are looked up by the text's words, few of which are new.
    there = set(chain.from_iterable(map(_WORDS.__getitem__, set(plain.split()))))
    if not there:
        return []
    turns = sorted(
        (match.start(), match.end(), turn.weight, turn.group, match.group())
        for turn in map(_TURNS.__getitem__, {place for key in there for place in _BY_KEY[key]})
        for low, high in _around(plain, [key for key in turn.keys if key in there])
        for match in turn.pattern.finditer(plain, low, high)
    )
    if not turns:
        return []
    mine = [f" {' '.join(one)} " for one in own if one]
    near: list[tuple[int, str, str]] = []
    for start, end, weight, group, match in turns:
        said = " ".join(match.strip(' .!?:;-*#"”\n').split())
        if any(f" {' '.join(terms(said))} " in one for one in mine):
            continue
        if weight >= _ENOUGH:
            return [said]
        near = [one for one in near if start - one[0] <= _NEAR]
        for before, kind, other in near:
            # The same words twice are one turn (a story may have its refrain), and so is one within another.
            if before < end and said not in other and other not in said and not (group and group == kind):
                return [other, said]
        near.append((end, group, said))
    return []


_BY_KEY = {
    key: [place for place, turn in enumerate(_TURNS) if key in turn.keys]
    for turn in _TURNS
    for key in turn.keys
}


class _Words(dict[str, tuple[str, ...]]):
    """Word -> the keys of which it holds the longest piece without a blank. Bounded."""

    limit = 50_000
    pieces = tuple((max(key.split(), key=len), key) for key in sorted(_BY_KEY))

    def __missing__(self, word: str) -> tuple[str, ...]:
        if len(self) >= self.limit:
            self.clear()
        found = tuple(key for piece, key in self.pieces if piece in word)
        if len(word) <= 40:
            self[word] = found
        return found


_WORDS = _Words()


def _around(plain: str, keys: Sequence[str]) -> list[tuple[int, int]]:
    """The stretches of a text in which a pattern with one of the keys can match, in order and apart.

    Finding a word costs a hundredth of trying a pattern at every place.
    """
    places = []
    for key in keys:
        at = plain.find(key)
        while at >= 0:
            places.append(at)
            at = plain.find(key, at + 1)
    found: list[tuple[int, int]] = []
    for at in sorted(places):
        low, high = max(0, at - _REACH), min(len(plain), at + _REACH)
        if found and low <= found[-1][1]:
            low = found.pop()[0]
        found.append((low, high))
    return found
