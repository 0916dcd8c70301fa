"""Turn a statement into a pattern about others: each name, date and figure, and the answer, becomes a slot.

Types are guessed from the words around a name and from what was asked; where a name's type, or the
answer's, cannot be guessed, there is no pattern. Knows the pair and one statement at a time.
"""

from __future__ import annotations

import re

from synthesis.engines.composer.grammar.invent import Draw, Pattern, figure
from synthesis.engines.composer.grammar.phrases import is_name, tokens_of
from synthesis.engines.composer.grammar.wording import squash, trimmed
from synthesis.engines.composer.grammar.words import (
    ADVERBS,
    AUXILIARIES,
    DETERMINERS,
    MONTH_WORDS,
    MONTHS,
    PREPOSITIONS,
    PRONOUNS,
    RELATIVES,
    SMALL_NUMBERS,
    WH,
    base_of_third,
    core,
    is_base,
    is_ing,
    is_participle,
    is_past,
)
from synthesis.engines.composer.lexicon import word_class, words
from synthesis.engines.composer.reading.answers import PERSON_NOUNS, PLACE_NOUNS, asked_nouns

_COMMON = DETERMINERS | PRONOUNS | PREPOSITIONS | AUXILIARIES | WH | RELATIVES | ADVERBS
_OPENERS = word_class("swap_openers")
_LINKING = word_class("linking")
_ORGANISED = word_class("organised")
_SITED = word_class("swap_sited")
_ACTED = word_class("acted")
_TITLES = word_class("swap_titles")
_FIRST_NAMED = word_class("first_named")
_SLOT = re.compile(r"\{\w+(?::\d+)?\}")
WORKED = word_class("worked")
BANDED = word_class("banded")
_MADE_BY = frozenset(["director", "composer", "performer", "screenwriter", "producer", "cast", "premiere"])
_MONTH = "|".join(MONTHS)
FIGURE = re.compile(
    rf"(?P<day>\b\d{{1,2}} (?:{_MONTH}) \d{{4}}\b)|(?P<us>\b(?:{_MONTH}) \d{{1,2}}, \d{{4}}\b)"
    rf"|(?P<my>\b(?:{_MONTH}) \d{{4}}\b)|(?P<year>(?<!\$)\b1\d\d\d\b|\b20[0-3]\d\b)"
    r"|(?P<number>(?<![\w:{.,])\d(?:[\d,]*\d)?(?![\w}]))"
)
FIGURE_SLOTS = {"day": "date", "us": "date_us", "my": "month_year", "year": "year"}


def names_in(text: str) -> list[str]:
    """The single words of at least three letters that belong to names in a text, at most forty."""
    found: dict[str, None] = {}
    if text.upper() == text:
        return []
    for token in tokens_of(squash(text)):
        for word in re.findall(r"[^\W\d_][\w’'-]{2,}", token):
            bare = re.sub(r"['’]s?$", "", word)
            if bare[:1].isupper() and bare.casefold() not in _COMMON | _OPENERS and len(bare) > 2:
                found.setdefault(bare)
    return list(found)[:40]


def swapped(text: str, answer: str, sort: str, instruction: str) -> Pattern | None:
    """The pattern of a statement, or None where it would not be about somebody else.

    Args:
        text: the statement.
        answer: the pair's answer, as the statement holds it.
        sort: the answer's kind.
        instruction: the question, for the answer's type.
    """
    if len(text) > 260 or "{" in text or "}" in text or "“" in text:
        return None
    extra: dict[str, Draw] = {}
    chosen = swap_choice(text, answer, instruction)
    if chosen is not None:
        marked: str | None = chosen
    else:
        marked = text if sort == "yes_no" else mark_answer(text, answer, sort, instruction, extra)
    if marked is None or (chosen is None and re.match(r"(?:Of|Between) ", text)):
        return None
    swapper = _Swapper(marked, sort)
    body = swapper.run()
    if body is None or (swapper.count == 0 and chosen is None):
        return None

    def number(match: re.Match[str]) -> str:
        name = match.lastgroup or ""
        if name != "number":
            return "{" + FIGURE_SLOTS[name] + "}"
        size = min(len(match[0].replace(",", "")), 12)
        extra[f"figure{size}"] = lambda rng: figure(rng, size)
        return "{figure" + str(size) + "}"

    # Slots hold digits of their own, so only the text between them is searched for figures.
    pieces = re.split(r"(\{\w+(?::\d+)?\})", body)
    body = "".join(piece if piece.startswith("{") else FIGURE.sub(number, piece) for piece in pieces)
    body = re.sub(r"\ba \{year\}", "a {late_year}", body)  # never "a 1877 film"
    return Pattern(body, {**extra, "late_year": lambda rng: str(1901 + int(rng.random() * 112))})


def typed(text: str) -> dict[str, str]:
    """The names in a clause whose type is clear, and the slots that others of it come from."""
    if len(text) > 400:
        return {}
    swapper = _Swapper(text, "", lenient=True)
    swapper.run()
    return swapper.found


class _Swapper:
    """Puts a slot for every run of name tokens in one marked statement.

    A ``lenient`` one leaves a name of no clear type as it is; ``found`` are the names and their slots.
    """

    def __init__(self, text: str, sort: str, lenient: bool = False) -> None:
        self._tokens = tokens_of(text)
        self._sort = sort
        self._lenient = lenient
        self.found: dict[str, str] = {}
        self._shared: dict[str, int] = {}
        self._last = ""
        he = bool(re.search(r"\b(?:he|his|him|himself)\b", text))
        she = bool(re.search(r"\b(?:she|her|hers|herself)\b", text))
        self._gender = "_m" if he and not she else "_f" if she and not he else ""
        self._gendered = he or she

    @property
    def count(self) -> int:
        """How many different names have been replaced."""
        return len(self._shared)

    def run(self) -> str | None:
        """The text with slots, or None when a name has no clear type."""
        tokens, out, at = self._tokens, [], 0
        while at < len(tokens):
            token = tokens[at]
            if at == 0 and core(token) in _LINKING and len(tokens) > 1 and is_name(tokens[1]):
                if not self._lenient:
                    return None  # "If We Must Die": a title, not a clause
                at = self._run_end(1)
                out.extend(tokens[:at])
                continue
            if self._is_plain(at):
                if self._gender and self._gendered:
                    token = re.sub(r"\{(person|first)\}", rf"{{\1{self._gender}}}", token)
                out.append(token)
                at += 1
                continue
            end = self._run_end(at)
            doubtful = token[:1].isdigit() or (
                at == 0 and token[:1].isupper() and core(token) in WORKED | PLACE_NOUNS
            )
            slot = None if doubtful else self._slot(at, end, out)
            if slot is None:
                if not self._lenient:
                    return None
                slot = " ".join(tokens[at:end])
            out.append(slot)
            self._last = slot
            at = end
        return " ".join(out)

    def _is_plain(self, at: int) -> bool:
        token = self._tokens[at]
        word = core(token)
        if _SLOT.search(token) or not is_name(token) or word in MONTH_WORDS:
            return True
        if re.fullmatch(r"[$€£]?\d[\d,.]*(?:st|nd|rd|th|s|%)?[,;:.]?", token):
            return True
        return at == 0 and word in _COMMON | _OPENERS

    def _run_end(self, at: int) -> int:
        tokens, end = self._tokens, at + 1
        if tokens[at][:1] in '"“':
            return end
        while end < len(tokens):
            last = tokens[end - 1]
            abbreviated = core(last) in _TITLES or re.fullmatch(r"[A-Z]\.", last)
            if re.search(r"[,;:.)]$|['’]s?$", last) and not abbreviated:
                break
            if is_name(tokens[end]) and "{" not in tokens[end] and tokens[end][:1] not in '"“':
                end += 1
            elif core(tokens[end]) in ("of", "the", "de", "&", "van", "von") and is_name(
                "".join(tokens[end + 1 : end + 2])
            ):
                end += 2
            else:
                break
        return end

    def _slot(self, at: int, end: int, out: list[str]) -> str | None:
        joined = " ".join(self._tokens[at:end])
        if joined[:1] in '"“':
            self.found[re.sub(r"[\"”][^\"”]*$", "", joined[1:])] = "work"
            return "“{work}”" + re.sub(r"^.*[\"”]", "", joined)
        match = re.fullmatch(r"(?P<name>.*?)(?P<own>['’]s|['’])?(?P<tail>[,;:.)?!]*)", joined)
        assert match is not None
        name, tail = match["name"], match["tail"]
        title, _, bare = name.partition(" ")
        if core(title) in _TITLES and bare and not re.search(r"\b(?:of|the)\b", bare):
            type_: str | None = "surname"
            if core(title) in _FIRST_NAMED:
                type_ = "person" if " " in bare else "first"
            name, prefix = bare, title + " "
        else:
            type_, prefix = self._type(name, at, end, closed=bool(match["own"] or tail)), ""
        if type_ is None:
            return None
        self.found[name] = type_
        if type_ in ("person", "first"):
            type_ += self._gender
        before = core(out[-1]) if out else ""
        if type_ == "nationality" and before in ("a", "an"):
            out.pop()
            type_ = "a_nationality"
        number = self._shared.setdefault(f"{type_}|{name}", len(self._shared) + 10)
        return f"{prefix}{{{type_}:{number}}}{chr(39) + 's' if match['own'] else ''}{tail}"

    def _type(self, name: str, at: int, end: int, closed: bool) -> str | None:
        """The slot for a run of name tokens, from its own words and the words around it."""
        tokens, run = self._tokens, name.split()
        before = core(tokens[at - 1]) if at else ""
        after = core(tokens[end]) if end < len(tokens) else ""
        if len(run) == 1 and name in words("nationalities"):
            return "nationality"
        # "Disney film": a name in front of a plain noun, or behind an article, may be anything.
        verbal = (
            is_base(after) or is_past(after) or base_of_third(after) or is_ing(after) or is_participle(after)
        )
        attributive = not closed and after and after not in _COMMON | {"and", "or", "to"} and not verbal
        if attributive or before in ("the", "a", "an") or re.fullmatch(r"\d+(?:st|nd|rd|th)", before):
            return None
        if any(core(token) in _ORGANISED for token in run):
            return "org"
        recent = {core(token) for token in tokens[max(0, at - 5) : at]}
        beyond = core(tokens[end + 1]) if end + 1 < len(tokens) else ""
        if before == "of" and at > 1 and core(tokens[at - 2]) in _MADE_BY:
            return "work"
        shown = after in ("stars", "starred", "features", "featured") and beyond not in ("in", "as", "on")
        if (
            before in WORKED
            or shown
            or (before in _SITED and recent & _ACTED)
            or (after == "is" and beyond == "featured")
        ):
            return "work"
        if before in SMALL_NUMBERS or before.isdigit() or (after in ("are", "were") and "and" not in recent):
            return None
        if at and tokens[at - 1].endswith(",") and re.match(r"\{(?:town|country)", self._last):
            return "country"
        if before in _SITED and at > 1 and core(tokens[at - 2]) not in PERSON_NOUNS:
            return "country" if name in words("countries") else "town"
        if before in PLACE_NOUNS:
            return "town"
        described = self._described(end) if after in ("is", "was", "are", "were") else None
        return described or self._person(name, run, before)

    def _described(self, end: int) -> str | None:
        """``X is a 1939 film ...``: the first telling noun of the predicate names X's type."""
        for token in self._tokens[end + 1 : end + 9]:
            word = core(token)
            if word in WORKED or word == "episode":
                return "work"
            if word in _ORGANISED or word in BANDED:
                return "org"
            if word in PERSON_NOUNS or word in PREPOSITIONS:
                return None
        return None

    def _person(self, name: str, run: list[str], before: str) -> str | None:
        if any(core(token) in ("of", "the", "and", "&") or token[:1].isdigit() for token in run):
            return None
        if len(run) > 3 or before == "of" and len(run) == 1 or not re.fullmatch(r"[\w.'’ -]+", name):
            return None
        if self._sort == "yes_no":
            return "surname" if len(run) == 1 else "person"
        return "first" if len(run) == 1 else "person"


def _noun_slot(instruction: str) -> str | None:
    """The slot for a capitalised answer to ``which film`` or ``what company``."""
    nouns = asked_nouns(squash(instruction[:2000]))
    head = nouns[-1] if nouns else ""
    # "Which film is newer": what follows the noun is cut off at the verb, or not seen as one.
    for noun in (head, nouns[0] if nouns else ""):
        if noun in WORKED:
            return "work"
        if noun in BANDED:
            return "org"
        if noun in PERSON_NOUNS:
            return "person"
    return None


def _answer_slot(answer: str, sort: str, instruction: str, extra: dict[str, Draw]) -> str | None:
    """The slot text that another answer of the same kind comes from."""
    if sort == "person":
        if any(token[:1].islower() and token not in ("and", "the", "of") for token in answer.split()):
            return None
        if " and " in answer or "," in answer:
            return "{person} and {person}"
        return "{person}" if " " in answer else "{first}"
    if sort == "place":
        lead = re.match(r"(?:in|to|from|at|near) ", answer, re.IGNORECASE)
        prefix = lead[0].lower() if lead else ""
        country = "country" in asked_nouns(squash(instruction[:2000])) or answer[len(prefix) :] in words(
            "countries"
        )
        return prefix + ("{country}" if country else "{town}")
    if sort == "date":
        match = FIGURE.fullmatch(answer)
        return (
            "{" + FIGURE_SLOTS[match.lastgroup or ""] + "}" if match and match.lastgroup != "number" else None
        )
    if sort == "numeric":
        return _number_slot(answer, extra)
    return _span_slot(answer, instruction)


def _number_slot(answer: str, extra: dict[str, Draw]) -> str | None:
    if core(answer) in SMALL_NUMBERS:
        return "{small}"
    digits = re.search(r"\d[\d,]*", answer)
    if not digits or len(answer) > 40:
        return None
    size = min(len(digits[0].replace(",", "")), 12)
    extra["count"] = lambda rng: figure(rng, size)
    return f"{answer[: digits.start()]}{{count}}{answer[digits.end() :]}"


def _span_slot(answer: str, instruction: str) -> str | None:
    low = re.sub(r"^(?:an?|the) ", "", answer.casefold())
    for name, slot in (("languages", "language"), ("nationalities", "nationality")):
        if answer in words(name) and (slot != "language" or "language" in instruction.casefold()):
            return "{" + slot + "}"
    for name, bare in (("animals", "animal"), ("occupations", "occupation"), ("subjects", "subject")):
        if low in words(name):
            return "{a_" + bare + "}" if low != answer.casefold() and bare != "subject" else "{" + bare + "}"
    noun = _noun_slot(instruction) if answer[:1].isupper() or answer[:1] in '"“' else None
    return "{" + noun + "}" if noun else None


def swap_choice(text: str, answer: str, instruction: str) -> str | None:
    """``Of A and B, A is ...`` with two others of the same type."""
    match = re.match(r"(?P<open>Of|Between) (?P<a>.+?) and (?P<b>.+?), (?P<rest>.+)$", text)
    given = trimmed(squash(answer))
    if not match or given not in (match["a"], match["b"]) or given not in match["rest"]:
        return None
    slot = _noun_slot(instruction) or ("person" if instruction[:3].casefold() == "who" else None)
    if slot is None:
        return None
    winner = "1" if given == match["a"] else "2"
    rest = match["rest"].replace(given, f"{{{slot}:{winner}}}")
    return f"{match['open']} {{{slot}:1}} and {{{slot}:2}}, {rest}"


def mark_answer(text: str, answer: str, sort: str, instruction: str, extra: dict[str, Draw]) -> str | None:
    """The statement with a slot in place of the answer; None where the answer has no clear type."""
    given = trimmed(squash(answer))
    at = text.casefold().find(given.casefold())
    if at < 0 or not given or len(text.casefold()) != len(text):
        return None
    before, after = text[:at], text[at + len(given) :]
    if sort == "sentence":
        if given.casefold().startswith("because "):
            return f"{before}because {{reason}}{after}"
        if re.match(r"to [a-z]", given.casefold()):
            return f"{before}to {{deed}}{after}"
        return f"{before}{{reason}}{after}" if before.casefold().endswith("because ") else None
    if re.search(r"['’]s [a-z]", given) and sort in ("person", "span"):
        return text  # "Alfred's sister": swapping the name in it makes another answer
    slot = _answer_slot(given, sort, instruction, extra)
    if slot is None:
        return None
    return f"{before}“{slot}”{after}" if given[:1] in '"“' and slot == "{work}" else f"{before}{slot}{after}"
