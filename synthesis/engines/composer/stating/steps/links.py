"""One step: what a subject has by a relation, and the sentences that can say it.

Knows forms with two gaps; not where a step comes from, nor what else is told.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from synthesis.engines.composer.grammar.wording import finish, upper_first
from synthesis.engines.composer.stating.proof import Query, Triple

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

    def tell(self, rng: random.Random, overlap: str = "mixed") -> str:
        """The step as a sentence; ``overlap`` is how much of the question's wording it keeps."""
        if overlap == "copied" or len(self.forms) == 1:
            form = self.forms[0]
        else:
            form = rng.choice(self.forms[1:] if overlap == "paraphrased" else self.forms)
        return self.told(form)

    def told(self, form: str) -> str:
        """A form with the gaps filled, as a sentence."""
        return finish(upper_first(self.clause(form)))

    def clause(self, form: str) -> str:
        """A form with the gaps filled."""
        return _GAP.sub(lambda gap: self.subject if gap[1] == "s" else self.value, form)

    def about(self, others: Mapping[str, str]) -> Link:
        """The same of others: names that ``others`` has are replaced, the meaning with its value."""
        value = others.get(self.value, self.value)
        return replace(
            self,
            subject=others.get(self.subject, self.subject),
            value=value,
            means="" if value != self.value else self.means,
        )


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
