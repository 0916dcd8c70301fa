"""What the test model is shown: our prompt for a pair, and the reply it should learn.

A reply opens with the marker, speaks of what the instruction names, states the answer once in
quotation marks and is otherwise made of short sentences of the composer. Quotation marks are
there for a reason: without a space before it, a word has the same tokens as in the prompt.
Knows nothing of tokens and weights.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache

from synthesis.data import Message, Pair, Prompt
from synthesis.engines.base import Sampling
from synthesis.engines.composer import compose
from synthesis.engines.composer.reading.topics import topics
from synthesis.prompts import MARKER, build_prompt, load_template

ASKED = (50, 60, 80, 80, 90, 100, 100, 110, 120, 120, 150, 200, 300)
LONGEST = 64
_FILLERS = 160
_ALIKE = 2
_PLAIN = re.compile(r"[A-Z][a-z ,'’;-]+\.")

_TALK = (
    "That year people talked of {subject}.",
    "Everyone there had heard of {subject}.",
    "The oldest letters are about {subject}.",
    "It all began with {subject}.",
)
_EVIDENCE = (
    "On {subject} the ledger said “{answer}”.",
    "Beside {subject} somebody had written “{answer}”.",
    "The card for {subject} read “{answer}”.",
    "As to {subject}, the clerk wrote “{answer}”.",
)
_NOBODY = "the old house"
_CORRECTIONS = (
    "The text lacks what it must hold. Write it again, beginning with {marker}",
    "That was not in the required form: {reason}. Write the whole text again. Begin with the word {marker}",
    "Your reply cannot be used ({reason}). Give the text once more, starting with {marker}",
    "Please repair this: {reason}. Answer with the full text only, beginning with {marker}",
)
_REASONS = (
    "the opening word is missing",
    "it is too short",
    "the answer is not in the text",
    "the reply does not open with the marker",
    "it was cut off",
)
_BAD_OPENINGS = ("", "Sure, here is the text. ", "Here it is: ", "I am sorry. ", "Text: ")


@dataclass(frozen=True, slots=True)
class Chat:
    """Messages up to the reply, the reply, and where in it the answer stands."""

    messages: tuple[Message, ...]
    reply: str
    span: tuple[int, int]


@cache
def fillers() -> tuple[str, ...]:
    """The composer's plain short sentences: no names, no figures, nothing in quotes."""
    seen: Counter[str] = Counter()
    for seed in range(600):
        text = compose("Who is named?", "Nobody", words=140, seed=seed, mode="needle").text
        seen.update(s for s in re.split(r"(?<=[.!?”])\s+", text) if _is_plain(s))
    # The most frequent first, then by the alphabet: the same on every machine.
    ranked = sorted(seen, key=lambda sentence: (-seen[sentence], sentence))
    begun: Counter[tuple[str, ...]] = Counter()
    kept = []
    for sentence in ranked:
        begin = tuple(sentence.split()[:3])
        begun[begin] += 1
        if begun[begin] <= _ALIKE:
            kept.append(sentence)
    return tuple(kept[:_FILLERS])


def _is_plain(sentence: str) -> bool:
    return 4 <= len(sentence.split()) <= 13 and _PLAIN.fullmatch(sentence) is not None


def prompt_for(pair: Pair, words: int) -> Prompt:
    """Our prompt for a pair, as a run would send it to an engine."""
    return build_prompt(
        pair, load_template("narrative"), words=words, engine="test", model="tiny", sampling=Sampling()
    )


def reply_for(pair: Pair, words: int, rng: random.Random) -> tuple[str, tuple[int, int]]:
    """The reply to learn for a pair, and where the answer stands in it."""
    subjects = topics(pair.instruction)[:3] or [_NOBODY]
    target = min(0.65 * words, LONGEST)
    before, _, after = rng.choice(_EVIDENCE).partition("{answer}")
    before = before.format(subject=subjects[-1])
    sentences = [rng.choice(fillers()), rng.choice(_TALK).format(subject=subjects[0])]
    sentences += rng.sample(fillers(), rng.randint(0, 2))
    lead = " ".join((MARKER, *sentences, before))
    text = lead + pair.answer + after
    for filler in rng.sample(fillers(), 40):  # never the same sentence twice
        if len(text.split()) >= target:
            break
        text += " " + filler
    return text, (len(lead), len(lead) + len(pair.answer))


def chat_for(pair: Pair, rng: random.Random, *, repair: float = 0.1) -> Chat:
    """One training example; a share of ``repair`` has a bad reply and a request to write again."""
    words = rng.choice(ASKED)
    messages = prompt_for(pair, words).messages
    reply, span = reply_for(pair, words, rng)
    if rng.random() < repair:
        messages += _failed(pair, words, rng)
    elif rng.random() < 0.1:
        messages = tuple(message for message in messages if message.role != "system")
    return Chat(messages, reply, span)


def _failed(pair: Pair, words: int, rng: random.Random) -> tuple[Message, Message]:
    bad, _ = reply_for(pair, rng.choice((20, words)), rng)
    if rng.random() < 0.6:
        bad = rng.choice(_BAD_OPENINGS) + bad.removeprefix(MARKER).strip()
    elif rng.random() < 0.5:
        bad = bad.replace(pair.answer, rng.choice(fillers()))
    marker = rng.choice((MARKER, f'"{MARKER}"', f"“{MARKER}”")) + rng.choice(("", "."))
    wish = rng.choice(_CORRECTIONS).format(reason=rng.choice(_REASONS), marker=marker)
    return Message("assistant", bad), Message("user", wish)
