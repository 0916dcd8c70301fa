"""Hidden questions: rings of keys among the documents, one of which leads to what is asked.

A ring is a chain of keys, each sentence of it leading from one key to the next and the last to a question.
The user names the first key of one ring; the others lead to what other pairs ask. (The idea: key-value
chains of LoongRL, 2025.)
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from typing import Final

from synthesis.assembly.choosing import Pools
from synthesis.assembly.counting import Trial
from synthesis.assembly.documents import Documents
from synthesis.assembly.inserting import Inserted, with_sentences
from synthesis.assembly.options import Options
from synthesis.data import Pair
from synthesis.text.numbers import canonical_terms
from synthesis.text.states import AnswerForms, answer_forms, haystack, is_ordinary, stated_in

LINKS: Final = (
    'The key "{a}" leads to the key "{b}".',
    'The key "{a}" opens a box in which the key "{b}" lies.',
    'Whoever holds the key "{a}" goes on to the key "{b}".',
    'Behind the door that the key "{a}" fits hangs the key "{b}".',
    'Next after the key "{a}" comes the key "{b}".',
    'From the key "{a}" the way goes on to the key "{b}".',
    'Go from "{a}" to "{b}".',
    '"{a}": "{b}".',
)
"""Ways to say that key a leads to key b; the last two for answers that the words of the others give."""

QUESTIONS: Final = (
    'The key "{a}" opens a box with this {kind} in it: "{question}"',
    'At the key "{a}" the chain ends, and there stands this {kind}: "{question}"',
    'Under the key "{a}" this {kind} is written: "{question}"',
    'The last key, "{a}", belongs to this {kind}: "{question}"',
    '"{a}": "{question}"',
)
"""Ways to say that a chain ends at key a with a question (or another request)."""

_PLAIN_LINKS: Final = 2  # at the end of each, without words that an answer might be
_PLAIN_QUESTIONS: Final = 1
_CONSONANTS: Final = "bdfgklmnprstvz"
_VOWELS: Final = "aeiou"
_LAST: Final = "klmnrst"
_LONGEST: Final = 600  # characters of a question that serves as decoy
_LOOKED_AT: Final = 50  # other pairs, for each decoy that is wanted


@dataclass(frozen=True, slots=True)
class Keychain:
    """What hides one question: the ``key`` to begin with, all sentences, and how many rings they make.

    The first sentences are those of the ring that leads to it, in order; they are evidence.
    """

    key: str
    sentences: tuple[Inserted, ...]
    rings: int

    @property
    def evidence(self) -> list[str]:
        """What each sentence that is evidence is, in order."""
        return [one.what for one in self.sentences if one.what]

    def hide(self, trial: Trial) -> Trial:
        """The conversation that asks for what stands at the chain's end, which is among its documents."""
        return with_sentences(replace(trial, key=self.key), self.sentences)


class Keychains:
    """The keychain of each item of some documents; follows from its content and the seed alone."""

    def __init__(self, documents: Documents, options: Options) -> None:
        """Which other pairs may lend their questions: of the same task first, of the same split only."""
        index, seed = documents.index, options.seed
        splits = index.splits[: index.items]
        tasks = list(zip(index.pools, splits, strict=False))
        self._pools = [Pools(index, groups, seed, None) for groups in (tasks, splits)]
        self._documents, self._seed = documents, seed
        self._rings, self._links = options.samples.keychain, options.samples.keychain_links

    def of(self, item: int) -> Keychain:
        """The keychain of an item; of fewer rings where too few other pairs may lend their questions."""
        pair, context = self._documents.items[item]
        decoys = list(islice(self._decoys(item, pair), self._rings - 1))
        name = f"keychain {self._seed} {self._documents.index.keys[item]}"
        return make_keychain(pair, decoys, self._links, name, context.text)

    def size(self, item: int) -> tuple[int, int]:
        """How many sentences an item's keychain has, and about how many tokens besides its instruction."""
        sentences = [f" {one.text}" for one in self.of(item).sentences]
        *counts, asked = self._documents.tokenizer.count_batch(
            [*sentences, self._documents.items[item][0].instruction]
        )
        return len(sentences), sum(counts) - asked

    def _decoys(self, item: int, pair: Pair) -> Iterator[str]:
        """What other pairs ask: not the same, not with the same answer, and not giving it away."""
        index, items = self._documents.index, self._documents.items
        wanted, own = _forms(pair.answer), pair.instruction.casefold().strip()
        questions, looked = {index.questions[item]}, 0
        for pool in self._pools:
            for other in pool.candidates(item):
                if index.questions[other] in questions or index.kin(item, other):
                    continue
                looked += 1
                if looked > _LOOKED_AT * self._rings:
                    return
                asked = items[other][0].instruction.strip()
                folded = asked.casefold()
                if not folded or len(asked) > _LONGEST or folded in own or own in folded:
                    continue
                if not _states(asked, wanted):
                    questions.add(index.questions[other])
                    yield asked


def make_keychain(pair: Pair, decoys: Sequence[str], links: int, name: str, text: str) -> Keychain:
    """A ring of ``links`` links and a question for the pair, and one for each decoy.

    Args:
        pair: whose instruction is hidden; no sentence states its answer, unless it does itself.
        decoys: what the other rings lead to.
        links: from key to key, in each ring.
        name: what every choice follows from.
        text: the pair's context, which holds none of the keys.
    """
    draw = random.Random(name)
    wanted = _forms(pair.answer)
    taken = "\n".join((text, pair.instruction, pair.answer, *decoys)).casefold()
    rings = 1 + len(decoys)
    keys = _keys(draw, rings * (links + 1), taken)
    sentences = []
    for ring, question in enumerate((pair.instruction, *decoys)):
        chain = keys[ring * (links + 1) : (ring + 1) * (links + 1)]
        for number, (a, b) in enumerate(pairwise(chain), 1):
            wording = _wording(draw, LINKS, _PLAIN_LINKS, wanted)
            what = "" if ring else f"link {number} of {links}"
            sentences.append(Inserted(wording.format(a=a, b=b), draw.random(), what))
        wording = _wording(draw, QUESTIONS, _PLAIN_QUESTIONS, wanted)
        kind = "question" if question.rstrip().endswith(("?", "\uff1f")) else "task"
        opening, _, closing = wording.format(a=chain[-1], kind=kind, question="\0").partition("\0")
        what = "" if ring else "question"
        sentences.append(Inserted(opening + question + closing, draw.random(), what))
    return Keychain(keys[0], tuple(sentences), rings)


def _wording(draw: random.Random, wordings: Sequence[str], plain: int, wanted: AnswerForms) -> str:
    """One of the wordings, drawn from those whose words do not state the answer; a plain one if all do."""
    order = draw.sample(wordings[:-plain], len(wordings) - plain)
    bare = {"a": "", "b": "", "kind": "question task", "question": ""}
    fitting = (one for one in (*order, *wordings[-plain:]) if not _states(one.format(**bare), wanted))
    return next(fitting, wordings[-1])


def _keys(draw: random.Random, count: int, taken: str) -> list[str]:
    """Different words of no language, none of them in ``taken``."""
    keys: dict[str, None] = {}
    while len(keys) < count:
        syllables = [draw.choice(_CONSONANTS) + draw.choice(_VOWELS) for _ in range(3)]
        key = "".join(syllables) + draw.choice(_LAST)
        if key not in taken:
            keys[key] = None
    return list(keys)


def _forms(answer: str) -> AnswerForms:
    return AnswerForms() if is_ordinary(answer) else answer_forms(answer)


def _states(text: str, wanted: AnswerForms) -> bool:
    return stated_in(haystack(canonical_terms(text)), wanted)
