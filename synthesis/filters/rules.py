"""Whether one context may stay in the dataset, and if not, why. Knows one context at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from synthesis.coherence import Leak
from synthesis.config import FiltersConfig
from synthesis.data import Coherence, Context, Pair
from synthesis.filters.languages import SAME, foreign_stretch, language_of, wanted_languages
from synthesis.filters.length import word_count, words_meant


class Rules:
    """The filters of a run that look at one context alone."""

    def __init__(self, filters: FiltersConfig, asked: int) -> None:
        """Prepare the filters for contexts of ``asked`` words.

        Raises:
            ConfigError: a language is not one that can be told.
            MissingExtraError: a filter needs the extra ``filters``.
        """
        self._filters = filters
        self._asked = asked
        self._languages = wanted_languages(filters.language)

    def reason(self, pair: Pair, context: Context, coherence: Coherence, leaks: Sequence[Leak]) -> str | None:
        """Why a context is dropped, as ``support: 0.12 under 0.30``, or None if it stays.

        The first that applies: words, language, leak, support, relevance, uniqueness, overall.
        """
        return next(self._reasons(pair, context, coherence, leaks), None)

    def _reasons(
        self, pair: Pair, context: Context, coherence: Coherence, leaks: Sequence[Leak]
    ) -> Iterator[str]:
        yield from self._length(context)
        yield from self._language(pair, context)
        if self._filters.drop_leaks:
            yield from (f"{leak.kind}: {leak.what}" for leak in leaks if leak.serious)
        # The parts say more than the overall score, which falls with any of them.
        for name in ("support", "relevance", "uniqueness", "overall"):
            value, least = getattr(coherence, name), getattr(self._filters, f"min_{name}")
            if value < least:
                # 0.2996 is not "0.30 under 0.30".
                shown = f"{value:.2f}" if f"{value:.2f}" != f"{least:.2f}" else f"{value:.4f}"
                yield f"{name}: {shown} under {least:.2f}"

    def _length(self, context: Context) -> Iterator[str]:
        low, high = self._filters.min_words, self._filters.max_words
        if not low and not high:
            return
        words = word_count(context.text)
        for setting, beyond, what in ((low, words.__lt__, "under"), (high, words.__gt__, "over")):
            if setting and beyond(limit := round(words_meant(setting, self._asked))):
                yield f"words: {words:,} {what} {limit:,}"

    def _language(self, pair: Pair, context: Context) -> Iterator[str]:
        if not self._languages:
            return
        found = foreign_stretch(context.text, self._languages, pair.instruction)
        if found is not None:
            same = self._languages == (SAME,)
            wanted = language_of(pair.instruction) if same else " or ".join(self._languages)
            yield f"language: {found.language} at {found.depth:.0%} of the text, not {wanted}"
