"""How much of what is asked each sentence of a context holds: alone, under its title, with what leads to it.

Knows nothing of answers.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

from synthesis.coherence.background import COMMON_WEIGHT, weight
from synthesis.coherence.facts.candidates import Candidate
from synthesis.coherence.facts.passages import Passages
from synthesis.coherence.facts.relations import related

_LEADING = 6  # sentences that lead on, at each step
_STEPS = 3  # sentences that are joined besides the first
_MOST_PLACES = 12  # a name that stands in more sentences joins none


class Field:
    """The sentences of a context for one question.

    Per sentence, each 0..1: ``own``, ``titled`` (with its title) and ``led`` (with the one
    that names its passage, or where passages have no titles with up to three that lead to it by names);
    per passage ``passage``. ``held`` are the asked terms of each sentence, ``at`` the same with their
    places among its terms, ``related`` the places of words that tell of the relation that is asked,
    ``found`` both; ``titles`` are those of the passages; ``rare`` the asked terms that are no everyday words.
    """

    __slots__ = (
        "at", "found", "held", "led", "own", "passage", "passages", "rare", "related", "titled", "titles",
        "total", "weights",
    )  # fmt: skip

    def __init__(self, passages: Passages, asked: Mapping[str, float], names: Sequence[Candidate]) -> None:
        self.passages = passages
        self.rare = frozenset(term for term in asked if weight(term) > COMMON_WEIGHT)
        count = len(passages.sentences)
        wanted = asked.keys()
        telling = related(wanted)
        self.found = found = passages.holding(wanted | telling)
        self.at = [[one for one in here if one[1] in wanted] for here in found]
        self.related = [[place for place, term in here if term in telling] for here in found]
        self.held = [{term for _, term in here} for here in self.at]
        frequency: dict[str, int] = {}
        for words in self.held:
            for term in words:
                frequency[term] = frequency.get(term, 0) + 1
        # A word that many sentences hold tells none of them.
        top = math.log(count + 1) or 1.0
        self.weights = {
            t: w * max(0.1, math.log((count + 1) / (frequency.get(t, 0) + 0.5)) / top)
            for t, w in asked.items()
        }
        self.total = math.fsum(self.weights.values()) or 1.0
        self.titles = frozenset(passages.titles)
        under = [wanted & set(title.split()) for title in passages.titles]
        titled, named = any(map(str.strip, passages.titles)), any(under)
        whole = [set(words) for words in under]
        for sentence, words in zip(passages.sentences, self.held, strict=True):
            whole[sentence.passage] |= words
        joined = self.held
        if named:
            joined = [w | under[s.passage] for s, w in zip(passages.sentences, self.held, strict=True)]
        self.own = list(map(self.share, self.held))
        self.titled = list(map(self.share, joined)) if named else self.own
        self.passage = list(map(self.share, whole))
        self.led = self._by_title(joined) if titled else self._by_names(joined, names)

    def share(self, words: Collection[str]) -> float:
        """The weight of some of the asked terms, of all of them."""
        # Exact sums, so that the order in which a set gives its words changes nothing.
        return math.fsum(map(self.weights.__getitem__, words)) / self.total if words else 0.0

    def _by_title(self, joined: list[set[str]]) -> list[float]:
        """What each sentence holds with the strongest sentence that names its passage."""
        best: dict[int, set[str]] = {}
        titles = [(number, title) for number, title in enumerate(self.passages.titles) if len(title) > 2]
        leading = sorted(range(len(joined)), key=lambda n: (-self.titled[n], n))[:_LEADING]
        for place in leading:
            sentence = self.passages.sentences[place]
            for number, title in titles:
                if number != sentence.passage and title in sentence.words:
                    words = joined[place]
                    if number not in best or self.share(words) > self.share(best[number]):
                        best[number] = words
        return [
            self.share(words | best[s.passage]) if s.passage in best else 0.0
            for s, words in zip(self.passages.sentences, joined, strict=True)
        ]

    def _by_names(self, joined: list[set[str]], names: Sequence[Candidate]) -> list[float]:
        """What each sentence holds with up to ``_STEPS`` others that lead to it, each by a shared name."""
        inside: dict[int, list[str]] = {}
        places: dict[str, list[int]] = {}
        asked = self.weights.keys()
        for name in names:
            if asked >= set(name.words.split()):
                continue  # what the question names leads nowhere new
            rows = list(dict.fromkeys(number for number, _, _ in name.at))
            if 1 < len(rows) <= _MOST_PLACES:
                places[name.words] = rows
                for number in rows:
                    inside.setdefault(number, []).append(name.words)
        best = list(joined)
        values = list(self.titled)
        led = [0.0] * len(joined)
        for _ in range(_STEPS):
            leading = sorted(inside, key=lambda n: (-values[n], n))[:_LEADING]
            reached: dict[int, set[str]] = {}
            for source in leading:
                for shared in inside[source]:
                    for target in places[shared]:
                        if (
                            target == source
                            or joined[target] <= best[source]
                            and led[target] >= values[source]
                        ):
                            continue
                        words = joined[target] | best[source]
                        value = self.share(words)
                        if value > led[target]:
                            led[target] = value
                            reached[target] = words
            if not reached:
                break
            for target, words in reached.items():
                if led[target] > values[target]:
                    values[target], best[target] = led[target], words
        return led
