"""The records that flow through the project, and nothing else.

Pair -> Prompt -> Completion -> Context | Rejected -> Coherence -> Sample.

Every record is frozen and knows nothing of files, engines or the Hub. Offsets are
positions in Python strings (code points), end exclusive.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


def content_hash(*parts: object) -> str:
    """A stable 128-bit name (32 hex digits) for a sequence of JSON-able values."""
    encoded = json.dumps(parts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    # surrogatepass: a lone surrogate in somebody's data must not stop a run.
    return hashlib.blake2b(encoded.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


class Evidence(NamedTuple):
    """One place in a text that supports the answer: ``text[start:end]`` states ``what``."""

    start: int
    end: int
    what: str


class Reason(NamedTuple):
    """A step from a text to an answer: ``text[start:end]`` is quoted, ``says`` is what follows from it.

    ``says`` is empty where the quotation speaks for itself.
    """

    start: int
    end: int
    says: str


class Change(NamedTuple):
    """Where a twin differs from its sample: ``[start:end]`` stands in the place of ``[was_start:was_end]``.

    Both are characters of the first user message, the twin's and the sample's; ``what`` is ``evidence``,
    ``answer``, ``decoy`` or ``room`` (what fills the room that something left).
    """

    what: str
    start: int
    end: int
    was_start: int
    was_end: int


class WrongAnswer(NamedTuple):
    """A reply that would be wrong, and where it is from.

    ``source`` is ``decoy`` (it stands among the documents as something else), ``twin`` (it is right for the
    twin) or ``refusal`` (it is right where the evidence is missing).
    """

    text: str
    source: str


class Message(NamedTuple):
    """One chat turn."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Pair:
    """An instruction and its answer. ``id`` is a hash of the two, never a position."""

    id: str = ""
    instruction: str = ""
    answer: str = ""
    task: str = "generic"
    metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not self.id:
            object.__setattr__(self, "id", content_hash(self.instruction, self.answer)[:16])


@dataclass(frozen=True, slots=True)
class Prompt:
    """What an engine is asked: chat ``messages``, and the ``variables`` they were filled from.

    ``fingerprint`` names everything that determines the reply (pair, template text,
    engine, model, sampling); finished work is known by it. ``opening`` is what a reply has to
    begin with, word for word; an engine that can puts it into the model's mouth. ``writer`` is what the
    model that is to answer is called among several; empty where there is one, or any may.
    """

    id: str
    pair_id: str
    template: str
    variables: Mapping[str, Any] = field(hash=False)
    messages: tuple[Message, ...]
    fingerprint: str
    opening: str = ""
    writer: str = ""


@dataclass(frozen=True, slots=True)
class Completion:
    """An engine's reply. ``evidence`` is filled by engines that know where they put it.

    ``finish_reason`` is ``stop``, ``length``, ``refusal`` or ``error``; for the last two, and
    where there is no text, ``detail`` says why. ``form`` and ``hops`` are as in ``Context``, for
    engines that know them.
    """

    prompt_id: str
    text: str
    finish_reason: str = "stop"
    prompt_tokens: int = 0
    output_tokens: int = 0
    evidence: tuple[Evidence, ...] = ()
    detail: str = ""
    form: str = ""
    hops: int = 0

    @property
    def declined(self) -> str:
        """Why there is no reply, where the engine failed or the model refused; else empty."""
        return (self.detail or "no detail given") if self.finish_reason in ("error", "refusal") else ""


@dataclass(frozen=True, slots=True)
class Usage:
    """What replies took: how many there were, and the tokens in and out that the engine reported."""

    replies: int = 0
    prompt_tokens: int = 0
    output_tokens: int = 0

    @classmethod
    def of(cls, completion: Completion) -> Usage:
        """What one reply took."""
        return cls(1, completion.prompt_tokens, completion.output_tokens)

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.replies + other.replies,
            self.prompt_tokens + other.prompt_tokens,
            self.output_tokens + other.output_tokens,
        )


@dataclass(frozen=True, slots=True)
class Context:
    """A synthesised background text for one pair.

    ``words`` counts whitespace-separated words, ``tokens`` counts tokens of the run's
    tokenizer. ``evidence_source`` is ``exact`` when the engine recorded the spans, or the row
    that was imported told them, ``located`` when they were found afterwards, ``none`` when there are
    none. ``attempts`` counts the replies it took, those asked for again and all sections included. ``form``
    says what kind of text carries the evidence (``steps``, ``manual`` ...; empty where nobody knows),
    ``hops`` how many steps the evidence takes (0 where nobody knows). ``reasons`` are the steps to the
    answer that a model wrote, ``reasons_model``, where some were asked for and hold.
    """

    pair_id: str
    text: str
    evidence: tuple[Evidence, ...] = ()
    words: int = 0
    tokens: int = 0
    engine: str = ""
    model: str = ""
    template: str = ""
    seed: int = 0
    evidence_source: str = "none"
    fingerprint: str = ""
    attempts: int = 1
    form: str = ""
    hops: int = 0
    reasons: tuple[Reason, ...] = ()
    reasons_model: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """Something dropped: at which ``stage``, for which ``reason``, with the ``text`` at hand.

    ``attempts`` counts the replies that were asked for; 0 where no engine was.
    """

    pair_id: str
    stage: str
    reason: str
    text: str = ""
    fingerprint: str = ""
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Coherence:
    """How well a context carries a pair; every number is in [0, 1].

    ``windows`` holds one score per window of the context, in order. ``verified`` is
    False where the score cannot know (for instance a yes/no answer whose facts the context
    does not give). ``leaks`` is what is left of the overall after what gives the pair away
    (an echo, a pasted answer, residue, ...): 1 where nothing does.
    """

    overall: float
    support: float
    relevance: float
    uniqueness: float
    kind: str
    verified: bool
    windows: tuple[float, ...] = ()
    leaks: float = 1.0


@dataclass(frozen=True, slots=True)
class Sample:
    """A chat training sample of a given token length.

    ``depth`` (0 = start, 1 = end) is where the pair's own context stands among the
    document text; ``evidence_span`` is the character span of that context inside the
    first user message, ``evidence`` its pieces of evidence there, known or found as ``evidence_source`` says
    (see ``Context``); ``token_span`` and
    ``evidence_tokens`` are the same as positions of tokens in the rendered conversation (ends
    exclusive); ``documents`` are pair ids in the order they appear. ``form``, ``hops`` and
    ``model`` are those of the context; ``rings`` is how many rings of keys hide the question, 0 where it is
    asked plainly. ``answer`` is the answer alone, ``answer_form`` how the last turn gives it (``plain``,
    ``cited``, ``reasoned``); ``evidence_documents`` are the numbers, from 1, of the documents that hold
    ``evidence``.

    ``reasons`` are a model's steps (``reasons_model``) where the last turn has them, each quoting a place in
    that message.

    A twin says which kind it is in ``twin``, whose in ``twin_of`` (a sample's id), and all its ``changes``.
    ``wrong`` are replies that would be wrong, where twins were asked for.
    """

    id: str
    pair_id: str
    messages: tuple[Message, ...]
    tokens: int
    budget: int
    depth: float
    evidence_span: tuple[int, int]
    documents: tuple[str, ...]
    distractors: str
    task: str
    coherence: float | None = None
    evidence: tuple[Evidence, ...] = ()
    evidence_source: str = "none"
    token_span: tuple[int, int] = (0, 0)
    evidence_tokens: tuple[tuple[int, int], ...] = ()
    form: str = ""
    hops: int = 0
    rings: int = 0
    answer: str = ""
    answer_form: str = "plain"
    evidence_documents: tuple[int, ...] = ()
    twin: str = ""
    twin_of: str = ""
    changes: tuple[Change, ...] = ()
    wrong: tuple[WrongAnswer, ...] = ()
    reasons: tuple[Reason, ...] = ()
    reasons_model: str = ""
    model: str = ""
