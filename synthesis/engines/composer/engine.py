"""The engine without a model: ``Composer``, behind the same boundary as all the others.

Knows how to read a prompt's variables and how to wrap a draft as a completion. Sampling
counts only for its seed: there is no temperature in templates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from functools import partial
from math import ceil
from typing import Any

from synthesis.data import Completion, Evidence, Prompt
from synthesis.engines.base import BaseEngine, PromptSource, Sampling
from synthesis.engines.composer.asking import NothingToAsk, ask
from synthesis.engines.composer.dials import DEFAULT_HOPS, Dials
from synthesis.engines.composer.draft import Written, write
from synthesis.engines.composer.prose.facts import PACE
from synthesis.engines.composer.reading.answers import kind
from synthesis.engines.composer.stating.statements import QUOTED
from synthesis.errors import ConfigError, UsageError
from synthesis.processes import streamed

#: What our prompts ask every engine to begin its context with.
MARKER = "Context: "

#: A context has to be so many times as long as a summary for that not to stand in it as one block.
_ROOM = 1.6


class Composer(BaseEngine):
    """Writes contexts from templates: no model, no download, the same bytes every time.

    Args:
        mode: ``woven``, or for controlled studies ``needle`` (the evidence and narrative only)
            or ``related`` (the evidence among mostly related facts); see ``compose``.
        hops: steps that the evidence takes: ``auto`` for what the question describes, or 1 to 4; this and the
            others as in ``Dials``, for controlled studies.
        distance: ``any``, or the share of the text between the first and the last piece of evidence.
        overlap: ``copied``, ``mixed`` or ``paraphrased``: how much of the question's wording the evidence
            keeps.
        decoys: false leads for each step.
        order: ``told``, ``shuffled`` or ``reversed``.
        negated: how often something false of a step is said not to be so.
        corrections: how many steps are told wrong first and put right later.
        telling: ``narrative``, ``entries`` (as books of reference tell, where the answer is short),
            ``mixed``, or a kind of such book; see ``Dials``.
        misses: near misses in a hundred words of a narrative.

    Raises:
        ConfigError: there is no such mode, or a dial is not what it may be.
    """

    name = "composer"
    free = True
    writes_any_length = True
    for_contexts = frozenset({"mode", *(one.name for one in fields(Dials))})
    model = "composer-6"

    def __init__(
        self,
        mode: str = "woven",
        hops: int | str = DEFAULT_HOPS,
        distance: float | str = "any",
        overlap: str = "mixed",
        decoys: int = 2,
        order: str = "shuffled",
        negated: int = 0,
        corrections: int = 0,
        telling: str = "narrative",
        misses: float = 2.0,
    ) -> None:
        if mode not in PACE:
            raise ConfigError(f"the composer has no mode {mode!r}; choose one of: {', '.join(PACE)}")
        self._mode = mode
        self._dials = Dials(hops, distance, overlap, decoys, order, negated, corrections, telling, misses)
        try:
            self._dials.check()
        except UsageError as error:
            raise ConfigError(f"generation.options of the composer: {error}") from error
        # What is as it always was is no part of a context's identity.
        self.settings = ({} if mode == "woven" else {"mode": mode}) | self._dials.unusual()

    def complete(self, prompts: PromptSource, sampling: Sampling) -> Iterator[Completion]:
        """One completion for each prompt, in order, each written when it is asked for, or a few ahead.

        Args:
            prompts: their ``variables`` may hold ``instruction``, ``answer``, ``words`` and
                ``genre``; ``pair_id`` and the seed decide on the text. Such as hold ``passages`` are
                given a question about these, of the ``kind`` they name.
            sampling: only ``seed`` is used.

        Yields:
            Completions whose evidence spans are exact in ``Completion.text``. A prompt
            that cannot be served gives one with ``finish_reason`` ``error``; passages that no question
            of the kind can be made of, one with ``refusal``.
        """
        yield from streamed(prompts.pull, partial(self._answered, sampling=sampling), self.workers)

    def _answered(self, prompt: Prompt, sampling: Sampling) -> Completion:
        try:
            if "passages" in prompt.variables:
                return _asked(prompt, sampling)
            return _completion(prompt, self._written(prompt, sampling))
        except NothingToAsk as error:
            return Completion(prompt.id, "", "refusal", detail=str(error))
        except UsageError as error:
            return Completion(prompt.id, "", "error", detail=str(error))

    def needs_model(self, prompt: Prompt) -> bool:
        """Whether no form fits the pair, so that it can only be quoted."""
        if "passages" in prompt.variables:
            return False
        try:
            return self._written(prompt, Sampling()).form == QUOTED
        except UsageError:  # told when the prompt is served
            return False

    def words_needed(self, prompt: Prompt) -> int:
        """Words, in fifties, that leave room between a summary's sentences; 0 if there is room."""
        variables = prompt.variables
        answer = str(variables.get("answer", ""))
        needed = 50 * ceil(_ROOM * len(answer.split()) / 50)
        if "passages" in variables or kind(str(variables.get("instruction", "")), answer) != "summary":
            return 0
        try:
            short = _words(prompt.id, variables) < _ROOM * len(answer.split())
            # What has a form of its own stands there as it is, at any length.
            return needed if short and not self._written(prompt, Sampling()).form else 0
        except UsageError:  # told when the prompt is served
            return 0

    def stream(self, prompt: Prompt, sampling: Sampling) -> Iterator[str]:
        """The text of ``complete`` in pieces of a paragraph, as they are written.

        Raises:
            UsageError: the prompt's variables cannot be used.
        """
        if "passages" in prompt.variables:
            yield _asked(prompt, sampling).text
            return
        lead = MARKER
        for paragraph in self._written(prompt, sampling).paragraphs:
            yield lead + paragraph.text
            lead = "\n\n"

    def _written(self, prompt: Prompt, sampling: Sampling) -> Written:
        variables = prompt.variables
        return write(
            str(variables.get("instruction", "")),
            str(variables.get("answer", "")),
            words=_words(prompt.id, variables),
            genre=str(variables.get("genre", "archive")),
            mode=self._mode,
            seed=sampling.seed,
            key=prompt.pair_id,
            dials=self._dials,
        )


def _words(prompt_id: str, variables: Mapping[str, Any]) -> int:
    value = variables.get("words", 2000)
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"Prompt {prompt_id}: words={value!r} is not a number. Give one such as 2000."
        ) from error


def _asked(prompt: Prompt, sampling: Sampling) -> Completion:
    """A question about the passages of a prompt, in the form that every engine is asked for."""
    told = prompt.variables
    kinds = [told["kind"], *(kind for kind in told["kinds"] if kind != told["kind"])]
    kind, made = ask(
        told["passages"], kinds, place=told["place"], polarity=told["polarity"], seed=sampling.seed
    )
    quotes = "\n".join(f'Evidence: "{" ".join(quote.split())}"' for quote in made.quotes)
    reply = f"Question: {made.question}\nAnswer: {made.answer}\n{quotes}"
    return Completion(prompt.id, reply, form=kind)


def _completion(prompt: Prompt, made: Written) -> Completion:
    text = MARKER
    spans: list[Evidence] = []
    for paragraph in made.paragraphs:
        text += "" if text == MARKER else "\n\n"
        spans += (Evidence(len(text) + s, len(text) + e, what) for s, e, what in paragraph.spans)
        text += paragraph.text
    return Completion(prompt.id, text, evidence=tuple(spans), form=made.form, hops=made.hops)
