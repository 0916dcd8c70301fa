"""Questions that ask about a text what an earlier one has asked. Knows nothing of how good either is."""

from __future__ import annotations

from synthesis.data import Context, Pair, content_hash
from synthesis.text.states import answer_key
from synthesis.text.words import terms

_ALIKE = 0.75  # share of their terms that two questions have in common


class RepeatedQuestions:
    """The questions of each text so far; some hundred bytes for each.

    Two are the same if their words are, or if most are and the answer is.
    """

    def __init__(self) -> None:
        self._asked: dict[str, list[tuple[str, frozenset[str], str]]] = {}

    def find(self, pair: Pair, context: Context) -> str | None:
        """The id of the earlier pair that asks the same; None for one that is new, which is kept."""
        others = self._asked.setdefault(content_hash(context.text), [])
        words, answer = frozenset(terms(pair.instruction)), answer_key(pair.answer) or pair.answer.casefold()
        for name, known, known_answer in others:
            shared = len(words & known) / max(1, len(words | known))
            if shared == 1 or (shared >= _ALIKE and answer == known_answer):
                return name
        others.append((pair.id, words, answer))
        return None
