"""Replies that reason from a text to an answer: reading them, and what is wrong with them.

Each step quotes the text and says what follows. A quotation must stand in the text word for word and have
to do with what is asked, the last line must give the answer, and nothing may tell that the answer was known.
What a step says may not bring in names from elsewhere, say a sentence twice or ask the question again.
Whether it follows from its quotation is not judged: words alone do not show that. Knows nothing of engines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from synthesis.coherence.background import weights
from synthesis.data import Completion, Context, Evidence, Pair, Reason
from synthesis.gate.answering import gives
from synthesis.gate.faults import Fault, unread
from synthesis.gate.quotations import FEWEST, located, lost_faults, one_line, quotations, short
from synthesis.gate.replies import without_thinking
from synthesis.text.answers import kind_of
from synthesis.text.quoted import quotes
from synthesis.text.sentences import sentences
from synthesis.text.states import is_ordinary, states
from synthesis.text.words import count_words, terms

MOST_STEPS: Final = 8
_MOST_QUOTED: Final = 1600  # characters, of all quotations together
_LONGEST_QUOTE: Final = 500  # characters, where it is of several sentences
_MOST_SENTENCES: Final = 3
_LONGEST_STEP: Final = 80  # words
_LABEL = re.compile(
    r"^[ \t>#*_-]*(?:(?:step[ \t]*)?\d{1,2}[ \t]*[-–—.):]?[ \t*_]*)?"
    r"(?P<label>quotes?|quotation|evidence|so|therefore|hence|then|thus|(?:final )?answer|conclusion)"
    r"[ \t]*\d{0,2}[ \t]*[*_]*[ \t]*[:：][*_]*",
    re.IGNORECASE | re.MULTILINE,
)
_QUOTED: Final = frozenset(("quote", "quotes", "quotation", "evidence"))
_ENDING: Final = frozenset(("answer", "final answer", "conclusion"))
_PLACEHOLDERS: Final = ("copied word for word", "what that tells about the question", "as it stands above")
# Whoever reasons does not know the answer, and reads one text without numbers.
_KNOWN = re.compile(
    r"\b(?:given|provided|known|stated|expected|correct|supplied|required|right|reference) (?:final )?"
    r"(?:answer|response)\b|\b(?:answer|response) (?:that )?(?:was |is |has been )?"
    r"(?:given|provided|supplied|stated|known|expected|above)\b|\bas (?:it )?(?:stands|stated|given) above\b"
    r"|\b(?:matches|confirms|supports|agrees with|justifies) the (?:answer|response)\b",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"\b(?:document|passage|text|quote|step)s? (?:no\. ?)?\d|\[\d{1,3}\]", re.IGNORECASE)
_NAME = re.compile(r"[^\W\d_]\w+(?:[ \u00a0][^\W\d_]\w+)+")
_END = (".", "!", "?", "…", "。", "！", "？", ":", "”", '"', ")")


class ReasonsReply(NamedTuple):
    """What a reply holds: each step's quotations with what is said of them, and the answer at its end."""

    steps: tuple[tuple[tuple[str, ...], str], ...]
    answer: str


class JudgedReasons(NamedTuple):
    """A reply read: the steps, placed in the text, and what is wrong with them; None if it has none."""

    reasons: tuple[Reason, ...] | None
    faults: tuple[Fault, ...] = ()


def judged_reasons(completion: Completion, pair: Pair, context: Context) -> JudgedReasons:
    """Read a reply about a context and say what is wrong with it."""
    written = None if completion.declined else read_reasons(completion.text)
    if written is None:
        say = (
            "- It does not have the form that was asked for: lines that begin with Quote: and So: by turns, "
            "and one at the end that begins with Answer:."
        )
        return JudgedReasons(None, (unread(completion, "no quotation with an answer", say),))
    reasons, lost = _placed(written, context.text)
    faults = [*lost_faults(lost)]
    if not lost:
        faults += [*_size_faults(reasons, context.text), *_proof_faults(reasons, pair, context.text)]
        faults += _evidence_faults(reasons, pair, context)
    faults += [*_words_faults(reasons, context.text), *_saying_faults(reasons, pair, context.text)]
    faults += _answer_faults(written, pair)
    return JudgedReasons(tuple(reasons), tuple(faults))


def read_reasons(text: str) -> ReasonsReply | None:
    """The steps and the answer of a reply; None where there is no quotation or no answer."""
    body = without_thinking(text).strip()
    marks = list(_LABEL.finditer(body))
    ends = [*(mark.start() for mark in marks[1:]), len(body)]
    steps: list[tuple[tuple[str, ...], str]] = []
    answer = ""
    for mark, end in zip(marks, ends[: len(marks)], strict=True):
        label, told = mark["label"].casefold(), body[mark.end() : end].strip()
        if label in _QUOTED:
            steps.append((tuple(quotations(told)), ""))
        elif label in _ENDING:
            answer = told
            break
        elif steps:
            found, said = steps[-1]
            steps[-1] = (found, one_line(f"{said} {told}"))
    shown = " ".join((answer, *(said for _, said in steps)))
    if not answer or not any(found for found, _ in steps) or any(one in shown for one in _PLACEHOLDERS):
        return None
    return ReasonsReply(tuple(steps), answer.strip("*_ "))


def _placed(written: ReasonsReply, text: str) -> tuple[list[Reason], list[str]]:
    """The steps with their places in the text, each place once; and the quotations that stand nowhere."""
    reasons: list[Reason] = []
    lost: list[str] = []
    for found, said in written.steps:
        places, unknown = located(found, text, [(0, len(text))])
        lost += unknown
        fresh = [one for one in places if not any(one[:2] == kept[:2] for kept in reasons)]
        reasons += [Reason(one.start, one.end, "") for one in fresh]
        if reasons and said:
            before = reasons[-1].says
            reasons[-1] = reasons[-1]._replace(says=f"{before} {_sentence(said)}".strip())
    return reasons, lost


def _size_faults(reasons: Sequence[Reason], text: str) -> Iterator[Fault]:
    """What is wrong with the number and the length of quotations that stand in the text."""
    told = [text[one.start : one.end] for one in reasons]
    if len(reasons) > MOST_STEPS:
        say = f"- It has {len(reasons)} quotes. Leave out those that the answer does not rest on."
        yield Fault("steps", f"{len(reasons)} quotations", say)
    for quote in told:
        if (count := len(sentences(quote))) > _MOST_SENTENCES or (count > 1 and len(quote) > _LONGEST_QUOTE):
            say = f"- This quote is too long: “{short(quote)}”. Quote the sentence of it that matters."
            yield Fault("long", f"a quotation of {len(quote):,} characters", say)
            return
    if sum(map(len, told)) > _MOST_QUOTED and len(told) > 1:
        say = "- It quotes too much. Quote only what the answer rests on."
        yield Fault("long", f"quotations of {sum(map(len, told)):,} characters", say)
    if brief := next((quote for quote in told if count_words(quote) < FEWEST), ""):
        say = f"- The quote “{short(brief)}” is too short to show anything. Quote the sentence that has it."
        yield Fault("short", f"“{short(brief)}” is too short to show anything", say)
    if not any(one.says for one in reasons):
        say = '- It says nothing behind "So:". Say for each quote what it tells about the question.'
        yield Fault("unsaid", "no step says what follows", say, fatal=False)


def _proof_faults(reasons: Sequence[Reason], pair: Pair, text: str) -> Iterator[Fault]:
    """What the quotations leave unproved of an answer that a text can state."""
    if is_ordinary(pair.answer) or kind_of(pair.answer) == "summary":
        return
    told = " ".join(text[one.start : one.end] for one in reasons)
    if states(text, pair.answer) and not states(told, pair.answer):
        say = f"- No quote has the answer ({short(pair.answer)}). Quote the sentence that states it."
        yield Fault("unproved", f"no quotation states “{short(pair.answer)}”", say)
    bare = {*terms(pair.answer)}
    whole = {(start, end - stop) for start, end in sentences(text) for stop in (0, 1)}
    if any(
        bare.issuperset(terms(text[one.start : one.end])) and (one.start, one.end) not in whole
        for one in reasons
    ):
        say = "- A quote is the answer alone. Quote the sentence that says so of what is asked."
        yield Fault("bare", "a quotation is the answer alone", say)


def _evidence_faults(reasons: Sequence[Reason], pair: Pair, context: Context) -> Iterator[Fault]:
    """Quotations that have nothing to do with what is asked, and recorded evidence that none of them has."""
    text, ordinary = context.text, is_ordinary(pair.answer)
    known = {*weights(terms(pair.instruction)), *(() if ordinary else weights(terms(pair.answer)))}
    others = [one for one in reasons if not any(_meet(one, piece) for piece in context.evidence)]
    if (aside := _aside(others, known, text)) is not None:
        shown = short(text[aside.start : aside.end])
        say = f"- This quote has nothing to do with the question: “{shown}”. Leave it out."
        yield Fault("aside", f"“{shown}” has nothing to do with the question", say)
    if context.evidence_source == "exact" and context.evidence:
        touched = [any(_meet(one, piece) for one in reasons) for piece in context.evidence]
        # Of a yes no single piece tells: it follows from all of them together.
        if not (all(touched) if ordinary else any(touched)):
            say = (
                "- The quotes are not all that the answer rests on. Quote each sentence that it follows from."
            )
            yield Fault("evidence", "the quotations are not the evidence, or not all of it", say)


def _aside(reasons: Sequence[Reason], known: set[str], text: str) -> Reason | None:
    """A step that no telling word leads to from what is asked, be it by way of other steps."""
    left, parts = list[tuple[Reason, set[str]]](), set[str]()
    for one in reasons:
        parts |= {*weights(terms(text[one.start : one.end]))}  # of one quotation, what dots stand between
        said = {*weights(terms(one.says))}
        if one.says or one is reasons[-1]:
            left.append((one, parts | said if parts & said else parts))
            parts = set()
    while led := [words for _, words in left if words & known]:
        known = known.union(*led)
        left = [(one, words) for one, words in left if words not in led]
    return left[0][0] if left else None


def _meet(reason: Reason, piece: Evidence) -> bool:
    return reason.start < piece.end and piece.start < reason.end


def _words_faults(reasons: Sequence[Reason], text: str) -> Iterator[Fault]:
    """What is wrong with what the steps say in words of their own."""
    said = " ".join(one.says for one in reasons)
    if found := _KNOWN.search(said):
        say = f"- It speaks of “{found[0]}”. Whoever reasons here does not know the answer before the end."
        yield Fault("known", f"it speaks of “{found[0]}”", say)
    if found := _NUMBERED.search(said):
        say = f"- It speaks of “{found[0]}”. Nothing here has a number; say what the matter is."
        yield Fault("numbered", f"it speaks of “{found[0]}”", say)
    _, lost = located([quote for quote in quotes(said) if count_words(quote) > 1], text, [(0, len(text))])
    if lost:
        say = f"- “{short(lost[0])}” is in quotation marks and stands nowhere in the text."
        yield Fault("quote", f"“{short(lost[0])}” is quoted and does not stand in the text", say)
    if any(count_words(one.says) > _LONGEST_STEP for one in reasons):
        say = f'- A line behind "So:" has over {_LONGEST_STEP} words. Say what follows in one sentence.'
        yield Fault("long", f"a step of over {_LONGEST_STEP} words", say)


def _saying_faults(reasons: Sequence[Reason], pair: Pair, text: str) -> Iterator[Fault]:
    """What steps say that neither the text nor the question gives, or say again."""
    known = set(terms(f"{text} {pair.instruction} {pair.answer}"))
    told = [one.says[start:end].strip() for one in reasons for start, end in sentences(one.says)]
    if strange := next(
        (name for line in told for name in _names(line) if not known.issuperset(terms(name))), ""
    ):
        say = (
            f"- “{short(strange)}” stands neither in the text nor in the question. Say what the quote tells."
        )
        yield Fault("invented", f"“{short(strange)}” is from elsewhere", say)
    asked = " ".join(terms(pair.instruction))
    if asked.count(" ") > 3 and any(asked in " ".join(terms(one.says)) for one in reasons):
        say = '- It asks the question again behind "So:". Say there what the quote tells.'
        yield Fault("asking", "a step asks the question again", say)
    if len(told) > len({line.casefold() for line in told}):
        yield Fault(
            "repeated", "steps say the same twice", "- It says a sentence twice. Say each thing once."
        )


def _names(line: str) -> Iterator[str]:
    """Names of two words and more in a sentence, without the word that begins it."""
    for found in _NAME.finditer(line):
        run: list[str] = []
        words = found[0].split()[0 if found.start() else 1 :]
        for word in [*words, ""]:
            if word[:1].isupper():
                run.append(word)
                continue
            if len(run) > 1:
                yield " ".join(run)
            run = []


def _answer_faults(written: ReasonsReply, pair: Pair) -> Iterator[Fault]:
    if not gives(written.answer, pair.answer, pair.instruction):
        say = f"- Its last line does not give the answer, which is: {short(pair.answer)}"
        yield Fault("answer", f"“{short(written.answer)}” is not “{short(pair.answer)}”", say)


def _sentence(said: str) -> str:
    """What a step says, beginning and ending as a sentence does."""
    said = one_line(said).strip("*_ ")
    return (said[:1].upper() + said[1:] + ("" if said.endswith(_END) else ".")) if said else ""
