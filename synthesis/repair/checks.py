"""What is wrong with a reply, and what to say to the model about it.

Some faults make a reply useless: with one of them left after the last repair, the pair is
rejected. Others are worth asking again, but the text is kept if they stay. The rule errs
on the side of keeping: a filter can still drop what is kept, nothing brings back what is not.

Rejected: no reply to use (refused, cut off, no marker, far too short), a text that is little
more than the request and the response, or one that does not carry the response. That is
decided by words in any normalised form: a short answer of which no passage holds half, a
number or date of which nothing but a part is found, a summary of whose sentences the text
holds under a fifth on average. Yes and no are never missing: no word states them.

Knows nothing of how often a reply may be asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from synthesis.coherence import Leak, evidence
from synthesis.coherence.parts import Parts
from synthesis.coherence.question import Question
from synthesis.coherence.scoring import examine
from synthesis.coherence.terms import terms_with_spans
from synthesis.coherence.view import View
from synthesis.data import Completion, Context, Pair, Prompt, Rejected
from synthesis.parsing import count_words
from synthesis.repair.facts import Fact, facts_of, supports

# Measured on 200 HotpotQA and 200 Multi-News rows with their own contexts and with others'. Own
# contexts hold every short answer whole, and 93 % of a summary's sentences beyond a fifth.
_STATED = {"phrase": 0.7, "amount": 0.7, "sentence": 0.2}
# Below this a fact counts as not there at all; others' contexts reach it in under 5 % of rows.
_TRACE = {"phrase": 0.5, "amount": 0.3}
_SUMMARY_LEAST = 0.2
_NAMES_LEAST = 0.5
_SHORT, _LONG = 0.4, 3.0  # shares of the words asked for
_RUINED = 0.5  # a leak that leaves less of the score than this
_MOST_NAMED = 12
_REFUSAL_WITHIN = 2000  # characters: a model that refuses does so at once


def is_told(fact: Fact, text: str) -> bool:
    """Whether a text carries a fact well enough not to be asked for it."""
    return supports(text, (fact,))[0] >= _STATED[fact.kind]


class Fault(NamedTuple):
    """Something wrong with a reply.

    ``name`` and ``what`` make the reason of a rejection, ``say`` is for the model. After the
    last repair a ``fatal`` one rejects the reply, at ``stage``.
    """

    name: str
    what: str
    say: str
    fatal: bool = True
    stage: str = "check"

    @property
    def reason(self) -> str:
        """For the record."""
        return f"{self.name}: {self.what}"


_ADVICE = {
    "refusal": "- It declines. What is asked for is background reading; it advises nobody and answers "
    "nobody, so there is nothing to decline. Write it.",
    "length": "- It was cut off before its end. Bring it to its end within about {words} words.",
    "marker": '- It does not open with the word "Context:".',
    "short": "- It has {what}.",
    "long": "- It has {what}.",
    "echo": "- It repeats the request. The text never asks anything; what the request is about comes up "
    "in its own right.",
    "pasted answer": "- It gives the response as one block. Tell what it says in other words, each part "
    "where it belongs.",
    "answer first": "- It opens with the response. Tell that where it belongs, well inside the text.",
    "residue": "- It holds words that are not part of the text itself: remarks on the task, labels or marks.",
}


def fault_of(dropped: Rejected, completion: Completion, prompt: Prompt) -> Fault:
    """The fault for which a reply was not taken as a context."""
    name, _, what = dropped.reason.partition(": ")
    if name in ("marker", "short") and (leak := _refusal(completion.text)):
        return Fault("refusal", leak.what, _ADVICE["refusal"], stage="generate")
    say = _ADVICE.get(name, "").format(what=what, words=prompt.variables.get("words"))
    return Fault(name, what, say, stage=dropped.stage)


def inspect(
    context: Context, pair: Pair, prompt: Prompt, *, among: Sequence[Fact] | None = None, before: str = ""
) -> tuple[Context, tuple[Fault, ...]]:
    """A context with its evidence located, and what is wrong with it.

    Args:
        context: as parsed.
        pair: what it was written for.
        prompt: its ``words`` are what was asked for.
        among: for a part of a context, the facts that it must carry; its length is not judged.
        before: text that stands before it and may carry them, too.
    """
    text = context.text
    question, view, parts, leaks = examine(text, pair.instruction, pair.answer)
    found = [_leak_fault(leak, text, prompt) for leak in leaks if leak.serious]
    if among is None:
        found += _length_faults(text, prompt) + _missing(text, question, view, parts)
    else:
        found += _unstated(among, supports(f"{before}\n\n{text}", among))
    places = tuple(evidence.locate(text, question, parts))
    located = replace(context, evidence=places, evidence_source="located" if places else "none")
    return located, tuple(found)


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
    return Fault(leak.kind.replace(" ", "-"), leak.what, say, fatal=leak.factor < _RUINED)


def _refusal(text: str) -> Leak | None:
    _, _, _, leaks = examine(text[:_REFUSAL_WITHIN], "", "")
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


def _unstated(facts: Iterable[Fact], shares: Iterable[float], *, fatal: bool = False) -> list[Fault]:
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
