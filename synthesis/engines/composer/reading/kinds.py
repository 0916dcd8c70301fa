"""What kind of pair an ordinary pair is: code, a sum, a list, a translation, a greeting, ...

Told by form: how the instruction begins and what it brings along, and what the answer is made of.
Knows the two strings and closed classes of words; nothing of how a kind is written. A question that
the usual statements answer well is of no kind.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from synthesis.engines.composer.grammar.sentences import split
from synthesis.engines.composer.grammar.wording import squash
from synthesis.engines.composer.grammar.words import core, is_base
from synthesis.engines.composer.lexicon import word_class, words
from synthesis.text.code import is_code
from synthesis.text.words import terms

#: Every kind there is; ``question`` is for the usual statements.
KINDS = (
    *("question", "code", "arithmetic", "conversion", "list", "classify"),
    *("translate", "rewrite", "writing", "explain", "talk"),
)

_MOST = 6000  # characters of either text that are looked at
_PAYLOAD = re.compile(r"\A(?P<task>[^\n]{3,400}?)(?::\s*|\n+)(?P<payload>\S.*)\Z", re.DOTALL)
_QUOTE = re.compile(r"[\"“«](?P<a>[^\"“”«»\n]{2,2000})[\"”»]|(?<!\w)['‘](?P<b>[^\n‘]{2,300}?)['’](?!\w)")
_MARKER = re.compile(r"\s{0,8}(?:\d{1,3}[.)]|[-*•–])\s+\S")
_EXPRESSION = re.compile(
    r"\d\s*(?:[-+*/×÷^=<>·]|times\b|plus\b|minus\b|(?:divided|multiplied) by\b|mod\b"
    r"|(?:%|percent)\s+of\b)\s*[(\d√a-z]"
    r"|\b(?:square|cube) root of\b|√|\d!"
    r"|\b(?:solve|simplify|factor|integrate|differentiate|evaluate)\b.*[\dx]"
    r"|\b\d*[xyn]\s*[-+*/^=]",
    re.IGNORECASE,
)
_CONVERT = re.compile(r"\b(?:to|into|in|as)\s+(?:an?\s+|the\s+)?[^\W\d_]", re.IGNORECASE)
_IN_UNITS = re.compile(
    r"(?:what (?:is|are)|what['’]s|how much (?:is|are)) (?P<what>\d[\d,.]* [a-z ]+?) (?:in|to|as)"
    r" (?P<to>[a-z ]+)",
    re.IGNORECASE,
)
_UNITS_IN = re.compile(
    r"how many (?P<to>[a-z]+) (?:are |is )?(?:there )?in (?P<what>\d[\d,.]* [a-z ]+)", re.IGNORECASE
)
_OPTION = re.compile(r",\s*(?:or\s+|and\s+)?|;\s*|\s+or\s+|\n|\s+and\s+", re.IGNORECASE)
_PRONOUN = re.compile(r"\b(?:i|i'm|i’m|me|my|we|you|your|you're|you’re|yours)\b", re.IGNORECASE)
_YOURS = re.compile(r"\b(?:you|your|yours)\b", re.IGNORECASE)
_TURN = re.compile(r"^(?:user|human|assistant|[A-Z][a-z]{1,12})\s*:\s*\S", re.MULTILINE)
_HOW_TO = re.compile(r"how\s+(?:(?:do|can|should|would|could|must)\s+(?:i|you|we|one)\b|to\b)", re.IGNORECASE)
_WH = re.compile(r"(?:what|which|who|whom|whose|when|where|why|how)\b", re.IGNORECASE)
_MANY = frozenset(words("numbers")[2:]) | {"some", "several", "examples"}
_SHORT = 24  # words; a longer answer to a question is an explanation
_GIVEN = frozenset(["the", "this", "these", "above", "following", "given"])


@dataclass(frozen=True, slots=True)
class Ordinary:
    """A pair read as far as its kind needs.

    ``task`` is the instruction without what it brings along, on one line and without its last
    stop; ``payload`` is that (behind a colon, or in quotation marks), or empty; ``verb`` is the
    order it begins with, casefolded, or empty for a question.
    """

    kind: str
    task: str
    payload: str
    verb: str
    options: tuple[str, ...] = ()


def read_ordinary(instruction: str, answer: str) -> Ordinary:
    """The kind of a pair in English, and its parts; any two texts are accepted."""
    text, told = instruction[:_MOST].strip(), answer[:_MOST].strip()
    task, payload = parted(text)
    verb = ordered(task)
    options = _options(task, payload)
    kind = _kind(text, told, task, payload, verb, options)
    return Ordinary(kind, task, payload, verb, options if kind == "classify" else ())


def parted(instruction: str) -> tuple[str, str]:
    """The task and what it brings along: behind a colon or a line's end, else in quotation marks."""
    instruction = instruction[:_MOST]
    found = _PAYLOAD.match(instruction)
    words_of = found["task"].split() if found and re.search(r"\w", _bare(found["task"])) else []
    if found and words_of and not words_of[-1].isdigit() and len(words_of) < 60:
        inner = found["payload"].strip()
        quoted = _QUOTE.fullmatch(inner.rstrip("."))
        return _bare(found["task"]), (quoted["a"] or quoted["b"]) if quoted else inner
    quoted = _QUOTE.search(instruction)
    around = f"{instruction[: quoted.start()]} {instruction[quoted.end() :]}" if quoted else ""
    if quoted and re.search(r"\w", around):
        inner = quoted["a"] or quoted["b"]
        return _bare(re.sub(r"\s+([?.!,])", r"\1", around)), inner.strip()
    return _bare(instruction), ""


def _bare(task: str) -> str:
    text = squash(task).rstrip(" ?.!,;:")
    return re.sub(r"\A(?:Q\d*|Question|Task|Instruction)\s*[:.]\s*", "", text, flags=re.IGNORECASE)


def ordered(task: str) -> str:
    """The verb an order begins with, politeness aside: ``could you please write`` gives ``write``."""
    tokens = task.split()
    at = 0
    while at < min(4, len(tokens)) and core(tokens[at]) in word_class("polite_words"):
        at += 1
    verb = core(tokens[at]) if at < len(tokens) else ""
    return verb if verb in word_class("asking_verbs") else ""


def listed_lines(answer: str) -> list[str]:
    """The lines of an answer that are items of a list, or nothing where it is none."""
    lines = [line for line in answer.splitlines() if line.strip()]
    items = [line for line in lines if _MARKER.match(line)]
    return items if len(items) > 1 and len(items) * 2 >= len(lines) else []


def _kind(text: str, told: str, task: str, payload: str, verb: str, options: tuple[str, ...]) -> str:
    if not told or not text or _speaks_of_given_text(task, payload, told):
        return "question"
    if (is_code(told) and not _calculates(text, told)) or _about_code(text):
        return "code"
    if _translates(text, task, payload):
        return "translate"
    if _calculates(text, told) or _problem(text, told):
        return "arithmetic"
    if _measured(task, told):
        return "conversion"
    if verb in word_class("converting_verbs") and re.search(r"\d", text) and _CONVERT.search(task):
        return "conversion"
    if options:
        return "classify"
    if _talks(text, told, verb, payload):
        return "talk"
    if listed_lines(told) or _lists(task, told, verb):
        return "list"
    if payload and verb and verb not in word_class("explaining_verbs") and not _names_word(task, payload):
        return "rewrite"
    if payload and (verb or task.split()[0].casefold().startswith("re")) and _shared(payload, told):
        return "rewrite"
    if verb in word_class("making_verbs"):
        return "writing"
    return _explained(text, told, verb)


def _speaks_of_given_text(task: str, payload: str, told: str) -> bool:
    """Whether a text that is not there is asked about, as in tasks of summaries."""
    if payload or len(told) < 200:
        return False
    tokens = [core(token) for token in task.split()[:60]]
    given = word_class("given_texts")
    return any(
        token in _GIVEN and not given.isdisjoint(tokens[at + 1 : at + 5]) for at, token in enumerate(tokens)
    )


def _about_code(text: str) -> bool:
    """Whether the instruction itself holds code: in backquotes, or as a pattern with its signs."""
    return (
        "`" in text or re.search(r"\\[dwsb][+*{?]|\(\?:|[)\]}][+*]\$?(?:\s|$)|\w\(\w*\)|=>", text) is not None
    )


def _translates(text: str, task: str, payload: str) -> bool:
    low = text.casefold()
    if re.match(r"(?:\W*\w+\W+){0,4}?translat(?:e|ion)\b|.{0,60}\btranslation (?:of|for)\b", low):
        return True
    names = any(core(word).capitalize() in words("languages") for word in task.split())
    return (
        bool(payload)
        and names
        and re.search(r"\bsay\b|\b(?:in|into|to)\b", low) is not None
        and "word" not in low
    )


def _calculates(text: str, told: str) -> bool:
    return (
        len(told) < 400
        and re.search(r"\d", told) is not None
        and len(text) < 400
        and _EXPRESSION.search(text) is not None
        and "\n" not in text
        and re.search(r"\d", text) is not None
    )


def _measured(task: str, told: str) -> bool:
    """Whether a quantity is asked for in other units: ``what is 3 feet in centimeters``."""
    return len(told) < 80 and re.match(r"[^\d\n]{0,12}\d", told) is not None and other_units(task) is not None


def other_units(task: str) -> tuple[str, str] | None:
    """The quantity and the unit of such a question; None for any other."""
    found = _IN_UNITS.fullmatch(task) or _UNITS_IN.fullmatch(task)
    return (found["what"], found["to"]) if found else None


def _problem(text: str, told: str) -> bool:
    """A story with two numbers or more, and a question whose answer is a number."""
    figures = re.findall(r"\d+(?:[.,]\d+)*", text)
    whole = squash(text)
    asked = whole.endswith("?") and (len(split(whole)) > 1 or core(whole.split()[0]) == "if")
    return asked and len(figures) > 1 and re.search(r"\d", told) is not None and len(whole) < 1200


def _options(task: str, payload: str) -> tuple[str, ...]:
    """The choices that an instruction lists, if it lists any."""
    ask = ordered(task) in word_class("sorting_verbs") or (payload != "" and _WH.match(task) is not None)
    polar = payload != "" and re.match(r"(?:is|are|was|were|does|do)\b", task, re.IGNORECASE)
    if not ask and not polar:
        return ()
    low = task.casefold()
    given = [part.strip(" .?!'\"") for part in _OPTION.split(payload) if part.strip(" .?!'\"")]
    short = len(given) > 2 and all(len(part.split()) < 4 for part in given)
    tail = re.search(
        r"(?:\bas\b|\bis\b|\bare\b|\bwhether\b|\bif\b|\b(?:this|the following) \w+\b)\s(?P<o>.*?\bor\b.*)",
        low,
    )
    if tail:
        return tuple(part.strip() for part in _OPTION.split(tail["o"]) if part.strip())
    if short and ask:
        return tuple(given)
    return ("",) if ordered(task) in ("classify", "categorize", "categorise", "label") else ()


def _talks(text: str, told: str, verb: str, payload: str) -> bool:
    """Small talk: said to somebody rather than asked about something."""
    if _TURN.match(text) and len(_TURN.findall(text)) > 1:
        return True
    tokens = text.split()
    if verb or payload or len(tokens) > 40 or len(told) > 600:
        return False
    if _WH.match(text) or text.endswith("?"):
        first = " ".join(tokens[:6])
        return len(tokens) < 9 and _YOURS.search(first) is not None and not _HOW_TO.match(text)
    if re.match(r"(?:i|i'm|i’m|we|my|you|thank|thanks)\b", text, re.IGNORECASE):
        return _PRONOUN.search(told) is not None or len(tokens) < 6
    return (
        len(tokens) < 5
        and _EXPRESSION.search(text) is None
        and (text[:1].islower() or told.endswith(("!", "?")))
    )


def _lists(task: str, told: str, verb: str) -> bool:
    sentences = split(told)
    lines = [line for line in told.splitlines() if line.strip()]
    if _HOW_TO.match(task):
        return len(sentences) > 1 and sum(_orders(s) for s in lines + sentences) * 2 >= len(sentences)
    if not verb or verb in word_class("explaining_verbs"):
        return False
    many = any(core(w) in _MANY or w.isdigit() for w in task.split()[1:4])
    return many and len(sentences) == 1 and len(_OPTION.split(told)) > 1


def _orders(sentence: str) -> bool:
    """Whether a sentence tells somebody to do something."""
    return is_base(core(sentence.split()[0]))


def _names_word(task: str, payload: str) -> bool:
    """``Give a synonym for 'happy'``: what is in quotes is what is asked about, not worked on."""
    return (
        len(payload.split()) < 3
        and ":" not in payload
        and re.search(r"\b(?:for|of|word|term|meaning)\b", task) is not None
    )


def _shared(payload: str, told: str) -> bool:
    given, made = set(terms(payload)), set(terms(told))
    return len(given & made) * 3 >= len(made)


def _explained(text: str, told: str, verb: str) -> str:
    if verb and not (text.endswith("?") and core(text.split()[0]) == verb):
        named = re.match(r"(?:\w+ ){0,2}\w+ (?:the|his|her|its|their) ", text) is not None and len(told) < 60
        return "question" if named and verb not in word_class("explaining_verbs") else "explain"
    long = len(told.split()) > _SHORT or len(told) > 320
    return "explain" if long and re.match(r"(?:why|how|what)\b", text, re.IGNORECASE) else "question"
