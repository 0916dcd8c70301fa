"""One step: what a subject has by a relation, and the sentences that can say it.

Knows forms with two gaps; not where a step comes from, nor what else is told.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from synthesis.engines.composer.grammar.wording import finish, upper_first, with_article
from synthesis.engines.composer.stating.proof import Query, Triple
from synthesis.engines.composer.stating.steps.apart import Apart, joined
from synthesis.engines.composer.stating.steps.wording import other_words

_GOES_ON = re.compile(r"(?!who\b|which\b|and\b|or\b|an?\b|the\b)[a-z]+ ")
_GAP = re.compile(r"\{([sv])\}")


@dataclass(frozen=True, slots=True)
class Link:
    """One step of the evidence.

    ``forms`` are clauses with ``{s}`` and ``{v}`` for subject and value, the question's own words first.
    ``role`` is ``bridge``, ``value``, ``support`` or ``answer``. ``means`` is the value in figures where the
    sentence has it in other words; ``sort`` says what another value would be, a slot of ``grammar.invent``.
    """

    subject: str
    relation: str
    value: str
    forms: tuple[str, ...]
    role: str = "bridge"
    means: str = ""
    sort: str = ""
    each: tuple[str, ...] = ()

    @property
    def says(self) -> tuple[Triple, ...]:
        """The step as triples: one, or one for ``each`` of several values."""
        values = self.each or (self.means or self.value,)
        return tuple(Triple(self.subject, self.relation, value) for value in values)

    def tell(self, rng: random.Random, overlap: str = "mixed", apart: Apart | None = None) -> str:
        """The step as a sentence; ``overlap`` is how much of the question's wording it keeps.

        ``reworded`` is a form that is not the question's, where there is one, without other words in it; with
        ``apart`` it may be one of two sentences.
        """
        if overlap == "copied":
            return finish(upper_first(self.clause(self.forms[0])))
        if overlap == "mixed":
            return finish(upper_first(self.clause(rng.choice(self.forms))))
        if overlap == "reworded":
            form = rng.choice(self.forms[1:] or self.forms)
            return self.sentence(self.apart(form, apart) if apart else form)
        form = other_words(rng.choice(self.forms[1:] or self.forms))
        clause = self.value[:1].islower() and self.role in ("bridge", "support")
        told = replace(self, value=other_words(self.value)) if clause else self
        return finish(upper_first(told.clause(form)))

    def apart(self, form: str, apart: Apart) -> str:
        """A form as ``apart`` has it."""
        return apart.form(form, self.subject, self.value, self.role == "answer")

    def sentence(self, form: str) -> str:
        """A form with the gaps filled, as the sentences that it is."""
        return " ".join(finish(part) for part in joined(self.clause(form)))

    def clause(self, form: str) -> str:
        """A form with the gaps filled."""
        if form.startswith("{v}, ") and "," not in self.value and _GOES_ON.match(form, 5):
            form = "{v} " + form[5:]  # the comma closed an apposition: "Gil, the watchman,"
        if form[:8] in ("The {v} ", "the {v} ") and self.value[:1].isupper() and _GOES_ON.match(form, 8):
            # "The President of Peru appoints", but "Ada Voss appoints".
            form = form[4:] if with_article(self.value) == self.value and " " in self.value else form
        return _GAP.sub(lambda gap: self.subject if gap[1] == "s" else self.value, form)

    def speaks_of(self, name: str) -> bool:
        """Whether a name is in what the step says."""
        return any(exchanged(end, name, "") != end for end in (self.subject, self.value, *self.forms))

    def renamed(self, name: str, other: str) -> Link:
        """The step with another name for something it speaks of, also inside a clause."""
        return replace(
            self,
            subject=exchanged(self.subject, name, other),
            value=exchanged(self.value, name, other),
            forms=tuple(exchanged(form, name, other) for form in self.forms),
        )

    def about(self, others: Mapping[str, str]) -> Link:
        """The same of others: names that ``others`` has are replaced, the meaning with its value."""
        value = others.get(self.value, self.value)
        return replace(
            self,
            subject=others.get(self.subject, self.subject),
            value=value,
            means="" if value != self.value else self.means,
        )


def exchanged(text: str, name: str, other: str) -> str:
    """A text with another name wherever it has the one, as whole words."""
    return re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", lambda _: other, text)


def gapped(text: str, subject: str, value: str) -> str | None:
    """The form of a sentence that holds both exactly once, apart; None for any other."""
    bare = text.rstrip(".")
    if "{" in text or bare.count(subject) != 1:
        return None
    at = bare.find(subject)
    before, after = bare[:at], bare[at + len(subject) :]
    if bare.count(value) != 1 or (value not in before and value not in after):
        return None
    return f"{before.replace(value, '{v}')}{{s}}{after.replace(value, '{v}')}"


class Derivation(NamedTuple):
    """The evidence of one kind of question: its steps, what is asked of them, and the kind's name."""

    links: tuple[Link, ...]
    query: Query
    form: str
