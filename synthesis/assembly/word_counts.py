"""Token counts of texts as sums over their words, each of which is counted once and remembered.

For tokenizers whose counts add up (``synthesis.assembly.joints``) a word has the same tokens wherever
it stands behind a blank. Texts have few different words, so that looking them up is several times as
fast as tokenizing; the counts are those that the tokenizer gives for the whole text.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from synthesis.assembly.joints import BETWEEN_WORDS, ENDS, adds_up
from synthesis.tokens import Tokenizer
from synthesis.tokens.tokenizer import encodable, held, longest_prefix

if TYPE_CHECKING:
    from tokenizers import Encoding

Span = tuple[int, int]

_LONGEST: Final = 100  # characters; longer ones hardly ever come again
_WORDLIKE: Final = 400
_ENCODINGS: Final = 4096  # some 5 MB


class CountsTexts(Protocol):
    """What counts texts: a tokenizer, or what knows its words."""

    def count(self, text: str) -> int:
        """Number of tokens of a text."""
        ...

    def count_batch(self, texts: Sequence[str]) -> list[int]:
        """Number of tokens of each text."""
        ...

    def locate_batch(
        self, texts: Sequence[str], spans: Sequence[Sequence[Span]]
    ) -> list[tuple[int, list[Span]]]:
        """As ``Tokenizer.locate_batch``."""
        ...

    def truncate(self, text: str, max_tokens: int) -> str:
        """As ``Tokenizer.truncate``."""
        ...


@lru_cache(maxsize=8)
def counter_of(tokenizer: Tokenizer) -> CountsTexts:
    """What counts fastest for a tokenizer, with the same results."""
    return WordCounts(tokenizer) if adds_up(tokenizer) else tokenizer


class _Memo(dict[str, int]):
    """Word -> its tokens with what stands ``before`` it. Bounded: no number of texts fills the memory."""

    limit = 200_000

    def __init__(self, tokenizer: Tokenizer, before: str) -> None:
        self._tokenizer, self._before = tokenizer, before

    def __missing__(self, word: str) -> int:
        tokens = self._tokenizer.count(self._before + word)
        if len(word) <= _LONGEST:
            self._keep({word: tokens})
        return tokens

    def learn(self, words: Iterable[str]) -> None:
        """Count words that are not known all at once, which is faster than one by one."""
        new = [word for word in words if word not in self and len(word) <= _LONGEST]
        counts = self._tokenizer.count_batch([self._before + word for word in new])
        self._keep(dict(zip(new, counts, strict=True)))

    def _keep(self, found: dict[str, int]) -> None:
        if len(self) + len(found) > self.limit:
            self.clear()
        self.update(found)


class WordCounts:
    """Counts texts by a tokenizer whose counts add up."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        """Nothing is known yet."""
        self._tokenizer = tokenizer
        # What a text begins with has no blank before it.
        self._first, self._further = _Memo(tokenizer, ""), _Memo(tokenizer, " ")
        self._remembered = lru_cache(_ENCODINGS)(self._encode)

    def count(self, text: str) -> int:
        """Number of tokens of a text."""
        first, *further = BETWEEN_WORDS.split(encodable(text))
        return self._first[first] + sum(map(self._further.__getitem__, further))

    def count_batch(self, texts: Sequence[str]) -> list[int]:
        """Number of tokens of each text."""
        split = [BETWEEN_WORDS.split(encodable(text)) for text in texts]
        self._learn(split)
        return [self._first[words[0]] + sum(map(self._further.__getitem__, words[1:])) for words in split]

    def parted(self, texts: Sequence[str]) -> list[Parted]:
        """Each text parted at its joints."""
        split = [BETWEEN_WORDS.split(encodable(text)) for text in texts]
        self._learn(split)
        return [self._parted(words) for words in split]

    def _learn(self, split: Sequence[Sequence[str]]) -> None:
        self._first.learn({words[0] for words in split})
        self._further.learn(set(chain.from_iterable(words[1:] for words in split)))

    def _parted(self, words: Sequence[str]) -> Parted:
        first, further = self._first, self._further
        total, at, last = first[words[0]], len(words[0]), words[0]
        joints, sums, openings = list[int](), list[int](), list[int]()
        for word in words[1:]:
            tokens = further[word]
            if last[-1] in ENDS:
                joints.append(at)
                sums.append(total)
                openings.append(first[word] - tokens)
            total += tokens
            at += 1 + len(word)
            last = word
        ends = [*sums[1:], total]
        bare = [end - start + less for start, end, less in zip(sums, ends, openings, strict=False)]
        return Parted(joints, sums, bare, total)

    def locate_batch(
        self, texts: Sequence[str], spans: Sequence[Sequence[Span]]
    ) -> list[tuple[int, list[Span]]]:
        """As ``Tokenizer.locate_batch``: tokens of each text, and those that hold its spans."""
        return [self._located(text, wanted) for text, wanted in zip(texts, spans, strict=True)]

    def _located(self, text: str, spans: Sequence[Span]) -> tuple[int, list[Span]]:
        if not spans:
            return self.count(text), []
        words = BETWEEN_WORDS.split(plain := encodable(text))
        if _is_solid(words):
            (found,) = self._tokenizer.locate_batch([text], [spans])
            return found
        read = _Read(self, plain, words)
        return read.total, [read.held(span) for span in spans]

    def truncate(self, text: str, max_tokens: int) -> str:
        """As ``Tokenizer.truncate``: the longest prefix that counts at most ``max_tokens``."""
        words = BETWEEN_WORDS.split(plain := encodable(text))
        if _is_solid(words):
            return self._tokenizer.truncate(text, max_tokens)
        return longest_prefix(text, max_tokens, _Read(self, plain, words))

    def _encode(self, text: str) -> Encoding:
        return self._tokenizer.backend.encode(text, add_special_tokens=False)

    def encoding(self, text: str) -> Encoding:
        """The tokens of a word, with the blank before it."""
        return (self._remembered if len(text) <= _LONGEST else self._encode)(text)

    def word(self, text: str, blank: bool) -> int:
        """The tokens of a word, or of a part of one, with the blank before it or without."""
        return (self._further if blank else self._first)[text]

    def counts(self, words: Sequence[str]) -> Iterable[int]:
        """Those of all words of a text."""
        return chain((self._first[words[0]],), map(self._further.__getitem__, words[1:]))


class Parted(NamedTuple):
    """Where a text may be parted (``joints``), the tokens before each joint, and in all.

    ``bare`` counts what stands between each joint and the next without the blank that it begins with.
    """

    joints: list[int]
    sums: list[int]
    bare: list[int]
    total: int


def _is_solid(words: Sequence[str]) -> bool:
    """Whether a text has hardly any blanks, so that it is quicker tokenized as a whole."""
    return max(map(len, words)) > _WORDLIKE


class _Read:
    """A text as its words, and how many characters and tokens stand before each."""

    def __init__(self, known: WordCounts, text: str, words: Sequence[str]) -> None:
        self._known, self._text, self._words = known, text, words
        self._tokens = list(accumulate(known.counts(self._words), initial=0))
        sizes = accumulate(map(len, self._words), initial=0)
        # Where each word begins, without its blank; the last is behind the end of the text.
        self._starts = [size + place for place, size in enumerate(sizes)]
        self.total = self._tokens[-1]

    def place(self, token: int) -> int:
        """Where a token begins."""
        word = bisect_right(self._tokens, token) - 1
        base, encoding = self._encoded(word)
        return base + encoding.offsets[token - self._tokens[word]][0]

    def count(self, start: int, end: int) -> int:
        """The tokens of ``text[start:end]``, counted for themselves."""
        first, last = bisect_right(self._starts, start + 1) - 1, bisect_left(self._starts, end) - 1
        if last <= first:
            return self._opening(first, start, end)
        opening = self._opening(first, start, self._starts[first + 1] - 1)
        between = self._tokens[last] - self._tokens[first + 1]
        return opening + between + self._known.word(self._text[self._starts[last] : end], True)

    def _opening(self, word: int, start: int, end: int) -> int:
        """The tokens of what is taken of a word, from its blank or from within."""
        blank = 1 if word and start < self._starts[word] else 0
        return self._known.word(self._text[start + blank : end], bool(blank))

    def held(self, span: Span) -> Span:
        """The tokens that hold a span; (0, 0) for none."""
        start, end = span
        words = range(bisect_right(self._starts, start + 1) - 1, bisect_right(self._starts, end))
        first = next((found[0] for word in words if (found := self._held(word, start, end))[1]), 0)
        last = next((found[1] for word in reversed(words) if (found := self._held(word, start, end))[1]), 0)
        return (first, last)

    def _held(self, word: int, start: int, end: int) -> Span:
        """The same within one word."""
        base, encoding = self._encoded(word)
        first, last = held(encoding, (max(start - base, 0), min(end, self._starts[word + 1] - 1) - base))
        return (self._tokens[word] + first, self._tokens[word] + last) if last else (0, 0)

    def _encoded(self, word: int) -> tuple[int, Encoding]:
        """The tokens of a word with its blank, and where that begins."""
        blank = 1 if word else 0
        return self._starts[word] - blank, self._known.encoding(" " * blank + self._words[word])
