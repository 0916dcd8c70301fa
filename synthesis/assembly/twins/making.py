"""From a finished sample to its twins: each counted anew, within the same budget.

A twin has the documents of its sample in the same places. Where something was cut out, the last of them goes
on for as long as there is room.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice, repeat
from math import ceil
from typing import Final

from synthesis.assembly.counting import Counted, Span, Trial, count_trials
from synthesis.assembly.fitting import FILL, SampleDraft, Workshop, trial_of
from synthesis.assembly.options import Options
from synthesis.assembly.replying import PLAIN, Reply, SaidTurn
from synthesis.assembly.twins.editing import Edit, edited, moved
from synthesis.assembly.twins.exchanging import (
    Exchangeable,
    decoys,
    exchange_of,
    exchanged,
    opposite,
    other_side,
    same_kind,
    swapped,
)
from synthesis.assembly.twins.mentions import all_told, core_of, mentions, named_in_part, stated
from synthesis.assembly.twins.removing import REFUSALS, removal
from synthesis.assembly.twins.room import Continuation, longer
from synthesis.assembly.twins.values import others
from synthesis.data import Change, Evidence, Message, Rejected, Sample, WrongAnswer, content_hash
from synthesis.options import REFUSAL
from synthesis.text.states import answer_forms, stated_in, states

# Other answers and decoys that are tried, for one that fits the budget.
_TRIES: Final = 8
_VALUES: Final = 30

Edits = dict[int, list[Edit]]
"""Edits by the number of the document, from 0."""


@dataclass(frozen=True, slots=True)
class Twin:
    """A conversation made from another by ``edits``, counted."""

    trial: Trial
    edits: Edits
    counted: Counted


@dataclass(frozen=True)
class Refusing(Reply):
    """A reply that gives no evidence, where some was ``asked`` for."""

    asked: str = ""

    def said(
        self, number: int, pieces: Sequence[str], linked: Sequence[str] = (), steps: Sequence[str] = ()
    ) -> SaidTurn:
        """The answer alone."""
        return SaidTurn(Message("assistant", self.answer), self.asked)


def _tokens(twin: Twin) -> int:
    return twin.counted.tokens


class Twins:
    """The twins of one sample; which kinds, the options say."""

    def __init__(self, shop: Workshop, options: Options, draft: SampleDraft, base: Sample) -> None:
        """Of the finished ``draft``, which became ``base``."""
        assert draft.counted is not None and draft.own is not None
        self._shop, self._options, self._draft, self._base = shop, options, draft, base
        self._pair, self._counted = draft.pair, draft.counted
        self._said = base.messages[-1].content
        self._trial = trial_of(draft, draft.plan, shop.style)
        self._own = len(self._trial.before)
        self._pieces = (*draft.plan.before, *draft.plan.after)

    def outcomes(self) -> Iterator[Sample | Rejected]:
        """The sample with what would be wrong there, then a twin of each kind or why there is none."""
        made = [(kind, self._made(kind)) for kind in self._options.samples.twins]
        wrong = [
            WrongAnswer(found.messages[-1].content, "refusal" if kind == "removed" else "twin")
            for kind, found in made
            if isinstance(found, Sample) and kind != "decoy"
        ]
        if "decoy" in self._options.samples.twins:
            exchange = self._exchange()
            value = next(self._decoys(exchange), "")
            if not isinstance(exchange, str) and value:
                # What quotes its evidence quotes it with the decoy in it.
                said = value if self._said == self._pair.answer else exchange.answer(self._said, value)
                wrong.insert(0, WrongAnswer(said, "decoy"))
        yield replace(self._base, wrong=tuple(wrong))
        for kind, found in made:
            if isinstance(found, Sample):
                yield found
            else:
                name = self._draft.context.fingerprint
                yield Rejected(self._pair.id, "twin", f"{kind}: {found}", fingerprint=name)

    def _made(self, kind: str) -> Sample | str:
        made = {"removed": self._removed, "changed": self._changed, "decoy": self._swapped}[kind]
        return made()

    def _rng(self, kind: str) -> random.Random:
        return random.Random(f"twin {kind} {self._base.id}")

    # --- without the evidence

    def _removed(self) -> Sample | str:
        own = self._trial.own
        assert own is not None
        edits = removal(own.text, self._trial.evidence, self._pair, self._draft.context)
        if isinstance(edits, str):
            return edits
        asked = self._options.samples.refusal
        refusals = REFUSALS if asked == REFUSAL else (asked,)
        for refusal in self._rng("removed").sample(refusals, len(refusals)):
            twin = self._counted_with({self._own: edits}, refusal, bare=True)
            if twin.counted.tokens <= self._base.budget:
                break
        else:
            return "no refusal fits the budget"
        twin, documents = self._filled(twin, bare=True)
        return replace(
            self._sample("removed", twin, "twin"),
            evidence_span=(0, 0),
            token_span=(0, 0),
            evidence=(),
            evidence_tokens=(),
            answer_form=PLAIN,
            form="",
            hops=0,
            documents=(*self._base.documents, *documents),
        )

    def _filled(self, twin: Twin, bare: bool) -> tuple[Twin, tuple[str, ...]]:
        """The twin with more text where there is room, and the names of documents that were added."""
        least = ceil(FILL * self._base.budget)
        names: tuple[str, ...] = ()
        for more in self._continuations():
            if twin.counted.tokens >= least:
                break
            if more.place == self._own and not bare:
                continue  # what is added would count as the own context
            grown = partial(self._with_more, twin, more, bare)
            found = longer(more, self._base.budget, least, grown, _tokens)
            if found is not None:
                twin, names = found, (*names, *filter(None, [more.document]))
        return twin, names

    def _with_more(self, twin: Twin, more: Continuation, bare: bool, text: str) -> Twin:
        at = 0 if more.ahead else len(self._trial.parts()[more.place].text)
        others = twin.edits.get(more.place, [])
        edits = {**twin.edits, more.place: sorted((*others, Edit(at, at, text, "room")))}
        return self._counted_with(edits, twin.trial.pair.answer, bare)

    def _continuations(self) -> Iterator[Continuation]:
        """What may be added: what follows the outermost documents, another document, what precedes those."""
        plan, index = self._draft.plan, self._shop.documents.index
        last = len(self._trial.parts()) - 1
        outer = [(last, piece) for piece in plan.after[-1:]] + [(0, piece) for piece in plan.before[:1]]
        texts = [index.notes(piece.item).text for _, piece in outer]
        for (place, piece), text in zip(outer, texts, strict=True):
            yield Continuation(place, text[piece.start + len(piece.text) :].rstrip())
        used = {piece.item for piece in self._pieces}
        style, number = self._shop.style, last + 2
        for document in map(self._draft.stock.get, range(len(used) + _TRIES)):
            if document is not None and document.item not in used:
                text = style.separator + style.opening(number) + document.text
                yield Continuation(last, text, document=document.name)
                break
        for (place, piece), text in zip(outer, texts, strict=True):
            yield Continuation(place, text[: piece.start].lstrip(), ahead=True)

    # --- with another answer

    def _exchange(self) -> Exchangeable | str:
        assert self._trial.own is not None
        return exchange_of(self._trial.own.text, self._pair, self._draft.context)

    def _changed(self) -> Sample | str:
        own, pair, rng = self._trial.own, self._pair, self._rng("changed")
        assert own is not None
        other = opposite(self._trial.evidence, pair, self._draft.context, rng) or self._other_side()
        if other is not None:
            answer, edits = other
            return (
                self._fitting("changed", {self._own: edits}, answer)
                or "the other answer does not fit the budget"
            )
        exchange = self._exchange()
        if isinstance(exchange, str):
            return exchange
        fresh = [
            value
            for value in islice(others(exchange.value, pair.instruction, rng), _VALUES)
            if not (states(pair.instruction, value) or self._stated(value) or states(value, pair.answer))
        ]
        # One that takes as much room as the answer is better than one beside which room must be filled.
        for value, fill in (*zip(fresh, repeat(False)), *zip(fresh[:_TRIES], repeat(True))):
            edits = exchanged(own.text, exchange.value, value, "answer")
            answer = exchange.answer(pair.answer, value)
            if found := self._fitting("changed", {self._own: edits}, answer, fill):
                return found
        return "no other answer that stands nowhere in the sample fits the budget"

    def _other_side(self) -> tuple[str, list[Edit]] | None:
        """As ``other_side``, where no other document speaks of what becomes the answer."""
        own = self._trial.own
        assert own is not None
        found = other_side(own.text, self._pair, self._draft.context)
        beside = [part.text for part in self._trial.parts() if part is not own]
        return None if found is None or stated(beside, core_of(found[0])) else found

    def _stated(self, value: str) -> bool:
        """Whether any text of the sample states a value."""
        forms, index = answer_forms(value), self._shop.documents.index
        texts = [part.text for part in self._trial.parts() if not part.gaps]
        return any(stated_in(index.notes(piece.item).words, forms) for piece in self._pieces) or stated(
            [self._trial.parts()[self._own].text, *texts], value
        )

    # --- with a decoy made the answer

    def _decoys(self, exchange: Exchangeable | str) -> Iterator[str]:
        """Values of the answer's kind that stand among the documents as something else."""
        if isinstance(exchange, str):
            return
        assert self._trial.own is not None
        seen = {exchange.value}
        exact = self._draft.context.evidence_source == "exact"
        found = decoys(self._trial.own.text, self._pair, exchange) if exact else iter(())
        for value in (*islice(found, _TRIES), *self._answers_of_others(exchange)):
            if value not in seen and not states(value, exchange.value) and not states(exchange.value, value):
                seen.add(value)
                small = value[:1].islower() and exchange.value[:1].isupper()  # where a sentence begins
                if not small and not states(self._pair.instruction, value):
                    yield value

    def _answers_of_others(self, exchange: Exchangeable) -> Iterator[str]:
        items = self._shop.documents.items
        for piece in self._pieces:
            if piece.item < len(items):
                pair = items[piece.item][0]
                value = core_of(pair.answer)
                if same_kind(exchange.value, value, pair.instruction, exchange) and mentions(
                    piece.text, value
                ):
                    yield value

    def _swapped(self) -> Sample | str:
        exchange = self._exchange()
        if isinstance(exchange, str):
            return exchange
        parts, pair = self._trial.parts(), self._pair
        exact = self._draft.context.evidence_source == "exact"
        found = False
        for value in islice(self._decoys(exchange), _TRIES):
            found = True
            if not all(all_told(part.text, value, value) for part in parts):
                continue
            person = exchange.sort.startswith("person")
            if (person or not exact) and any(named_in_part(part.text, value, "") for part in parts):
                continue
            edits = {
                place: changes
                for place, part in enumerate(parts)
                if (changes := swapped(part.text, exchange.value, value))
            }
            if made := self._fitting("decoy", edits, exchange.answer(pair.answer, value), fill=True):
                return made
        return (
            "no decoy can be exchanged with the answer within the budget"
            if found
            else "no other value of its kind stands among the documents"
        )

    # --- counting, and what is told of a twin

    def _fitting(self, kind: str, edits: Edits, answer: str, fill: bool = False) -> Sample | None:
        """The twin with another answer, if it keeps the budget as well as its sample does.

        With ``fill`` room that is left is filled, with a text that states neither this answer nor the old.
        """
        documents: tuple[str, ...] = ()
        twin = self._counted_with(edits, answer)
        least = min(self._base.tokens, ceil(FILL * self._base.budget))
        if fill and twin.counted.tokens < least:
            twin, documents = self._filled(twin, bare=False)
        room = [edit.text for changes in twin.edits.values() for edit in changes if edit.what == "room"]
        if not least <= twin.counted.tokens <= self._base.budget or any(
            stated(room, one) for one in (answer, self._pair.answer)
        ):
            return None
        source = "decoy" if kind == "decoy" else "twin"
        made = self._sample(kind, twin, source)
        return replace(made, documents=(*made.documents, *documents))

    def _counted_with(self, edits: Edits, answer: str, bare: bool = False) -> Twin:
        """The conversation with edits and another answer; ``bare`` of evidence."""
        base = self._trial
        parts = [edited(part, edits.get(place, [])) for place, part in enumerate(base.parts())]
        own = edits.get(self._own, [])
        trial = replace(
            base,
            pair=replace(base.pair, id=base.pair.id, answer=answer),
            own=parts[self._own],
            before=parts[: self._own],
            after=parts[self._own + 1 :],
            evidence=[] if bare else [moved(span, own) for span in base.evidence],
            marks=[] if bare else [(place, moved(span, edits.get(place, []))) for place, span in base.marks],
            reply=self._reply(answer, bare),
        )
        return Twin(trial, edits, count_trials([trial], self._shop.documents.tokenizer)[0])

    def _reply(self, answer: str, bare: bool) -> Reply | None:
        """What words another answer; a refusal quotes nothing, whatever is asked for besides."""
        reply, said = self._trial.reply, self._trial.said()
        if reply is None or said is None:
            return None
        if bare:
            return Refusing(reply.answers, reply.name, reply.instruction, answer, asked=said.asked)
        return replace(reply, answer=answer)

    def _sample(self, kind: str, twin: Twin, source: str) -> Sample:
        base, counted = self._base, twin.counted
        whats = [piece.what for piece in base.evidence]
        bare = len(counted.places) != len(whats)
        return replace(
            base,
            id=content_hash(base.id, "twin", kind),
            messages=counted.layout.messages,
            tokens=counted.tokens,
            depth=round(counted.layout.depth, 6),
            evidence_span=counted.layout.span,
            token_span=counted.own,
            coherence=None,
            evidence=()
            if bare
            else tuple(Evidence(*place, what) for place, what in zip(counted.places, whats, strict=True)),
            evidence_tokens=counted.evidence,
            twin=kind,
            twin_of=base.id,
            changes=tuple(self._changes(twin)),
            answer=twin.trial.pair.answer,
            evidence_documents=counted.numbers,
            wrong=(WrongAnswer(self._said, source),),
        )

    def _changes(self, twin: Twin) -> Iterator[Change]:
        """Every edit at its place in both messages."""
        was, now = self._counted.layout.starts, twin.counted.layout.starts
        for place in sorted(twin.edits):
            shift = 0
            for edit in twin.edits[place]:
                start = now[place] + edit.start + shift
                span: Span = (start, start + len(edit.text))
                yield Change(edit.what, *span, was[place] + edit.start, was[place] + edit.end)
                shift += edit.growth
