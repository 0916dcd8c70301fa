"""What is wrong with a reply, and what to say to the model about it.

An answer consists of facts (its names, its figures, its sentences) that a text must hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

from synthesis.coherence import Leak, evidence, score_context
from synthesis.coherence.leaks import repeated
from synthesis.coherence.parts import Parts
from synthesis.coherence.reading import Question, View
from synthesis.coherence.restating import prompt_words
from synthesis.coherence.scoring import examine
from synthesis.data import Coherence, Completion, Context, Pair, Prompt, Rejected
from synthesis.text.answers import listed
from synthesis.text.numbers import Quantity, agreement, canonical_terms, quantities
from synthesis.text.repetition import Repetition, repetition
from synthesis.text.sentences import sentences
from synthesis.text.states import answer_forms, haystack, stated_in
from synthesis.text.words import count_words, terms, terms_with_spans

_LISTED = 3  # of so many parts on, a list's parts may be told in different places


@dataclass(frozen=True, slots=True)
class AnswerFact:
    """One thing that the answer says, as the answer writes it.

    A ``phrase`` is found in one of its ``forms`` (sequences of terms), an ``amount`` as a
    number or date of any form, a ``sentence`` by the share of its ``weights`` that one passage
    holds.
    """

    text: str
    kind: str
    forms: tuple[tuple[str, ...], ...] = ()
    weights: Mapping[str, float] = field(default_factory=dict, hash=False)
    amount: Quantity | None = None

    def support(self, reading: _Reading) -> float:
        """How far a text carries the fact, 0..1."""
        if self.amount is not None:
            return max((agreement(self.amount, found) for found in reading.amounts), default=0.0)
        if self.forms and reading.states(self):
            return 1.0
        return reading.view.best(self.weights)


def facts_of(question: Question) -> tuple[AnswerFact, ...]:
    """The facts of an answer, in its order; none for yes and no, which no word of a text states."""
    answer = question.answer
    if answer.kind == "yes/no" or not answer.terms:
        return ()
    if answer.kind == "numeric":
        if len(answer.amounts) == 1:
            return (AnswerFact(answer.text.strip(), "amount", amount=answer.amounts[0]),)
        return tuple(AnswerFact(answer.text[a.start : a.end], "amount", amount=a) for a in answer.amounts)
    if answer.kind == "summary":
        return tuple(_sentences(answer.text, question.stated))
    whole, *parts = answer.parts
    if len(parts) < _LISTED:
        return (_phrase(answer.text.strip(), whole, question.stated),)
    told = zip(map(_spelled, listed(answer.text)), parts, strict=True)
    return tuple(_phrase(text, forms, question.stated) for text, forms in told)


def wanted_terms(facts: Iterable[AnswerFact]) -> set[str]:
    """What a view must keep the places of, for ``AnswerFact.support``."""
    return {term for fact in facts for terms_ in (fact.weights, *fact.forms) for term in terms_}


def supports(text: str, facts: Iterable[AnswerFact]) -> list[float]:
    """How far a text carries each fact, 0..1."""
    facts = tuple(facts)
    if not facts:
        return []
    reading = _Reading(text, View(text, wanted_terms(facts)))
    return [fact.support(reading) for fact in facts]


@dataclass
class _Reading:
    """A text as facts are looked for in it; what few of them need is read when the first does."""

    text: str
    view: View

    @cached_property
    def amounts(self) -> list[Quantity]:
        return list(quantities(self.text))

    @cached_property
    def words(self) -> bytes:
        return haystack(canonical_terms(self.text))

    def states(self, fact: AnswerFact) -> bool:
        # Only numbers are written in so many ways that the terms as they stand may not do.
        return any(map(self.view.occurrences, fact.forms)) or (
            next(quantities(fact.text), None) is not None and stated_in(self.words, answer_forms(fact.text))
        )


def _phrase(text: str, forms: tuple[tuple[str, ...], ...], stated: Mapping[str, float]) -> AnswerFact:
    return AnswerFact(text, "phrase", forms, {t: stated[t] for t in forms[0] if t in stated})


def _sentences(text: str, stated: Mapping[str, float]) -> Iterable[AnswerFact]:
    for start, end in sentences(text):
        weights = {t: stated[t] for t in terms(text[start:end]) if t in stated}
        if len(weights) > 1:  # "Not at all." says nothing that could be looked for
            yield AnswerFact(text[start:end], "sentence", weights=weights)


def _spelled(part: str) -> str:
    """A part of an answer without what stands around its words."""
    places = list(terms_with_spans(part))
    return part[places[0][1] : places[-1][2]]


# Measured on 200 HotpotQA and 200 Multi-News rows with their own contexts and with others'. Own
# contexts hold every short answer whole, and 93 % of a summary's sentences beyond a fifth.
_STATED = {"phrase": 0.7, "amount": 0.7, "sentence": 0.2}
# Below this a fact counts as not there at all; others' contexts reach it in under 5 % of rows.
_TRACE = {"phrase": 0.5, "amount": 0.3}
_SUMMARY_LEAST = 0.2
_NAMES_LEAST = 0.5
# A text that holds less of the terms asked for, by weight, is about something else. Own contexts of the
# same rows hold more in 99 % (yes/no) and 95 % (Natural Questions); others' hold less in 95 % and 92 %.
_POLAR_RELEVANCE, _RELEVANCE, _SUMMARY_SUPPORT = 0.4, 0.22, 0.17
_BRIEF = 6  # terms
_FEWEST_ASKED = 2  # one word alone may well be said in another way
_SHORT, _LONG = 0.4, 3.0  # shares of the words asked for
_RUINED = 0.5  # a leak that leaves less of the score than this
_MOST_NAMED = 12
_REFUSAL_WITHIN = 2000  # characters: a model that refuses does so at once


def is_told(fact: AnswerFact, text: str) -> bool:
    """Whether a text carries a fact well enough not to be asked for it."""
    return supports(text, (fact,))[0] >= _STATED[fact.kind]


class Fault(NamedTuple):
    """Something wrong with a reply.

    ``name`` and ``what`` make the reason of a rejection, ``say`` is for the model. After the
    last repair a ``fatal`` one rejects the reply, at ``stage``. ``anew``: the reply is better asked for
    from the start than shown and mended, since a model copies what it is shown.
    """

    name: str
    what: str
    say: str
    fatal: bool = True
    stage: str = "check"
    anew: bool = False

    @property
    def points(self) -> int:
        """How many things it has the model mend: a line of ``say`` is one."""
        return self.say.count("\n") + 1

    @property
    def reason(self) -> str:
        """For the record."""
        return f"{self.name}: {self.what}"


def unread(completion: Completion, what: str, say: str) -> Fault:
    """Why nothing could be read from a reply: nobody wrote one, it was cut off, or it lacks ``what``."""
    if told := completion.declined:
        return Fault(completion.finish_reason, told, "- It declines.", stage="generate")
    if completion.finish_reason == "length":
        return Fault("length", "the reply was cut off", say, stage="generate")
    return Fault("form", what, say, stage="parse")


_ANEW = frozenset(("echo", "prompt", "repetition"))
_FATAL = frozenset(("residue", "prompt", "repetition"))
_ADVICE = {
    "refusal": "- It declines. What is asked for is background reading; it advises nobody and answers "
    "nobody, so there is nothing to decline. Write it.",
    "length": "- It was cut off before its end. Bring it to its end within about {words} words.",
    "marker": '- The word "Context:" stands far inside it. Nothing comes before that word.',
    "thinking": "- It has thoughts and no text. Give the text at once.",
    "nul": "- It holds a character that no text has (NUL).",
    "short": "- It has {what}.",
    "long": "- It has {what}.",
    "echo": "- It repeats the request. The text never asks anything; what the request is about comes up "
    "in its own right.",
    "pasted answer": "- It gives the response as one block. Tell what it says in other words, each part "
    "where it belongs.",
    "answer first": "- It opens with the response. Tell that where it belongs, well inside the text.",
    "repetition": "- It says the same over and over. Tell something new with each sentence, to the end.",
    "repeat": "- It tells again, word for word, what stands in the text already. Go on from there.",
    "prompt": "- It talks about what was asked for, or repeats it. The text knows of no request, no response "
    "and no reader; it only tells what is so.",
    "off-topic": "- It is not about what the request is about. Tell of the very subjects that the request "
    "names.",
    "residue": "- It holds words that are not part of the text itself: remarks on the task, labels or marks.",
}


def fault_of(dropped: Rejected, completion: Completion, prompt: Prompt) -> Fault:
    """The fault for which a reply was not taken as a context."""
    name, _, what = dropped.reason.partition(": ")
    if name in ("marker", "short") and (leak := _refusal(completion.text)):
        return Fault("refusal", leak.what, _ADVICE["refusal"], stage="generate")
    if name == "length" and (found := repetition(completion.text)).excessive:
        # Room for more would be filled with more of the same.
        told = f"{repeated(found)}, until it was cut off"
        return Fault("repetition", told, _ADVICE["repetition"], stage=dropped.stage, anew=True)
    say = _ADVICE.get(name, "").format(what=what, words=prompt.variables.get("words"))
    return Fault(name, what, say, stage=dropped.stage, anew=name in _ANEW)


class Inspected(NamedTuple):
    """A context with its evidence located, what is wrong with it, and how well it carries its pair."""

    context: Context
    faults: tuple[Fault, ...]
    coherence: Coherence


def inspect(
    context: Context,
    pair: Pair,
    prompt: Prompt,
    *,
    among: Sequence[AnswerFact] | None = None,
    before: str = "",
) -> Inspected:
    """A context with its evidence located, unless its engine recorded it, its faults and its score.

    Args:
        context: as parsed.
        pair: what it was written for.
        prompt: its ``words`` are what was asked for.
        among: for a part of a context, the facts that it must carry; its length is not judged.
        before: text that stands before it and may carry them, too.
    """
    text = context.text
    said = prompt_words((m.content for m in prompt.messages), (pair.instruction, pair.answer))
    scored = score_context(pair, context, prompt=said)
    question, view, passages, parts, leaks = scored.read
    found = [_leak_fault(leak, text, prompt) for leak in leaks if leak.serious]
    if among is None:
        found += _off_topic(question, parts) or _missing(text, question, view, parts)
        found += _length_faults(text, prompt)
    else:
        found += _told_before(text, before)
        found += _unstated(among, supports(f"{before}\n\n{text}", among))
    if context.evidence_source != "exact":
        places = tuple(evidence.locate(passages, question, parts))
        context = replace(context, evidence=places, evidence_source="located" if places else "none")
    return Inspected(context, tuple(found), scored.coherence)


def _off_topic(question: Question, parts: Parts) -> list[Fault]:
    """A text that hardly speaks of what is asked, or of what a long answer says."""
    answer, share, what = question.answer, parts.relevance, "of what is asked"
    least = _POLAR_RELEVANCE if answer.kind == "yes/no" else _RELEVANCE
    if answer.kind == "summary":
        share, what, least = parts.support, "of what the answer says", _SUMMARY_SUPPORT
    elif answer.kind != "yes/no" and len(answer.terms) > _BRIEF:
        return []  # its words say enough: see ``_missing``
    if share >= least or len(question.asked) < _FEWEST_ASKED:
        return []
    what = f"the text holds {share:.0%} {what}, by weight"
    return [Fault("off-topic", what, _ADVICE["off-topic"], anew=True)]


def _told_before(text: str, before: str) -> list[Fault]:
    found = repetition(text, before) if before else Repetition()
    if not found.excessive or found.looped >= found.share:  # loops of its own are leaks
        return []
    what = f"{found.share:.0%} of the section stands in the text before it"
    return [Fault("repeat", what, _ADVICE["repeat"])]


def _length_faults(text: str, prompt: Prompt) -> list[Fault]:
    count, asked = count_words(text), int(prompt.variables.get("words", 0))
    name = "short" if count < _SHORT * asked else "long" if count > _LONG * asked else ""
    if not name or not asked:
        return []
    what = f"{count} words where {asked} were asked"
    return [Fault(name, what, _ADVICE[name].format(what=what), fatal=False)]


def _leak_fault(leak: Leak, text: str, prompt: Prompt) -> Fault:
    if leak.kind == "refusal":
        # People in a story refuse things, too.
        real = _refusal(text) is not None and count_words(text) < 0.5 * int(prompt.variables.get("words", 0))
        return Fault("refusal", leak.what, _ADVICE["refusal"], fatal=real, stage="generate")
    say = _ADVICE.get(leak.kind, f"- It will not do: {leak.what}.")
    name = leak.kind.replace(" ", "-")
    return Fault(
        name, leak.what, say, fatal=leak.factor < _RUINED or leak.kind in _FATAL, anew=leak.kind in _ANEW
    )


def _refusal(text: str) -> Leak | None:
    leaks = examine(text[:_REFUSAL_WITHIN], "", "").leaks
    return next((leak for leak in leaks if leak.kind == "refusal"), None)


def _missing(text: str, question: Question, view: View, parts: Parts) -> list[Fault]:
    """What of the answer the whole of a text does not carry."""
    facts = facts_of(question)
    if not facts or (parts.stated and question.answer.kind != "summary"):
        return []
    shares = supports(text, facts)
    if question.answer.kind == "summary":
        gone = sum(shares) / len(shares) < _SUMMARY_LEAST
        return _lost_names(question, view, gone) + _unstated(facts, shares, fatal=gone)
    gone = all(share < _TRACE[fact.kind] for fact, share in zip(facts, shares, strict=True))
    return _unstated(facts, shares, fatal=gone)


def _unstated(facts: Iterable[AnswerFact], shares: Iterable[float], *, fatal: bool = False) -> list[Fault]:
    """One fault that names all facts under their bar."""
    lost = [fact for fact, share in zip(facts, shares, strict=True) if share < _STATED[fact.kind]]
    if not lost:
        return []
    more = f", and {len(lost) - 1} more" if len(lost) > 1 else ""
    return [
        Fault(
            "missing",
            f"the text does not state “{lost[0].text}”{more}",
            "\n".join(
                f"- It does not tell this: “{fact.text}”. Work it in where it belongs."
                for fact in lost[:_MOST_NAMED]
            ),
            fatal=fatal,
        )
    ]


def _lost_names(question: Question, view: View, fatal: bool) -> list[Fault]:
    lost = {name for name in question.names if name not in view.places}
    if not lost or len(lost) <= (1 - _NAMES_LEAST) * len(question.names):
        return []
    answer = question.answer.text
    spelled = {term: answer[start:end] for term, start, end in terms_with_spans(answer) if term in lost}
    shown = ", ".join(list(spelled.values())[:_MOST_NAMED])
    what = f"{len(lost)} of {len(question.names)} names and figures of the answer do not occur"
    return [Fault("missing", what, f"- These names and figures do not occur: {shown}.", fatal=fatal)]
