"""Which contexts of a run stay in its dataset: scores, leaks, length, language, repetition, near-duplicates.

``Rules`` judges one context; ``sift`` is one pass over a run's contexts that says which stay, and for
what reason each other one goes. Languages are told by py3langid: 4.6 MB with its model, offline.
"""

from __future__ import annotations

import difflib
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from synthesis.coherence import Leak
from synthesis.data import Coherence, Context, Pair
from synthesis.errors import ConfigError, MissingExtraError
from synthesis.gate.contamination import Benchmarks, Overlap, reason_to_drop
from synthesis.gate.repeats import RepeatedQuestions
from synthesis.gate.thresholds import Thresholds
from synthesis.options import FiltersConfig
from synthesis.text.near_duplicates import Sketches
from synthesis.text.repetition import repetition
from synthesis.text.words import count_words


def words_meant(setting: str, asked: int) -> float:
    """``"300"`` is 300 words, ``"80%"`` is that share of the words ``asked``."""
    return asked * float(setting[:-1]) / 100 if setting.endswith("%") else float(setting)


SAME = "same"
_WINDOW = 1000
_SURE = 0.8
# An instruction is short, and its names are of anywhere: only what is all but ruled out is another language.
_RULED_OUT = 0.01


class Stretch(NamedTuple):
    """A part of a text that is in ``language``, and where it begins (share of the text, 0..1)."""

    language: str
    depth: float


@lru_cache(maxsize=1)
def _identifier() -> Any:
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError:
        raise MissingExtraError("py3langid", "filters", "the filter by language") from None
    # Probabilities are turned on here: the module's own shared identifier has none.
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def wanted_languages(setting: str) -> tuple[str, ...]:
    """``"en,de"`` -> ("en", "de").

    Raises:
        ConfigError: a code is not one of those that can be told.
        MissingExtraError: the extra ``filters`` is not installed.
    """
    codes = tuple(code.strip() for code in setting.split(",") if code.strip())
    if not codes:
        return ()
    known = language_codes()
    wrong = next((code for code in codes if code not in known and code != SAME), "")
    if wrong or (SAME in codes and len(codes) > 1):
        near = f"; the nearest are {', '.join(found)}" if (found := _nearest(wrong, known)) else ""
        no_code = f"'{wrong}' is no code of a language that can be told{near}"
        alone = f"'{SAME}' stands alone"
        raise ConfigError(
            f"'filters.language' (--language) is {setting!r}: {no_code if wrong else alone}. Give codes "
            f"with commas between them, such as en, de or zh (docs/pairs.md lists all {len(known)}), or "
            f"'{SAME}', the instruction's"
        )
    return codes


def language_codes() -> list[str]:
    """The codes of all languages that can be told (ISO 639-1; -3 where that has none), in order."""
    return sorted(_identifier().labels)


def _nearest(wrong: str, known: Sequence[str]) -> list[str]:
    """A few codes that may have been meant: ``EN``, ``en-GB`` and ``english`` are ``en``."""
    folded = wrong.casefold()
    whole = [code for code in (folded, folded[:3], folded[:2]) if code in known]
    return list(dict.fromkeys([*whole, *difflib.get_close_matches(folded, known, n=3, cutoff=0.5)]))[:3]


def foreign_stretch(text: str, wanted: tuple[str, ...], instruction: str) -> Stretch | None:
    """The first of three windows of ``text`` (start, middle, end) that is surely in no wanted language.

    A model may begin in the language asked for and end in another. ``("same",)`` means that
    of the instruction, and lets a text pass where the instruction may be in its language, too.
    """
    for start in _window_starts(len(text)):
        language, sure = _identifier().classify(text[start : start + _WINDOW])
        if sure < _SURE or language in wanted:
            continue
        if wanted == (SAME,) and dict(_identifier().rank(instruction))[language] >= _RULED_OUT:
            continue
        return Stretch(language, start / len(text))
    return None


def language_of(text: str) -> str:
    """The likeliest language of a short text."""
    return str(_identifier().classify(text)[0])


def _window_starts(length: int) -> list[int]:
    last = max(0, length - _WINDOW)
    return sorted({0, last // 2 if last >= 2 * _WINDOW else last, last})


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

        The first that applies: words, language, repetition, leak, support, relevance, uniqueness, overall.
        """
        return next(self._reasons(pair, context, coherence, leaks), None)

    def _reasons(
        self, pair: Pair, context: Context, coherence: Coherence, leaks: Sequence[Leak]
    ) -> Iterator[str]:
        yield from self._length(context)
        yield from self._language(pair, context)
        yield from self._repetition(context)
        if self._filters.drop_leaks:
            yield from (f"{leak.kind}: {leak.what}" for leak in leaks if leak.serious)
        yield from Thresholds.of(self._filters).missed(coherence)

    def _length(self, context: Context) -> Iterator[str]:
        low, high = self._filters.min_words, self._filters.max_words
        if not low and not high:
            return
        words = count_words(context.text)
        for setting, beyond, what in ((low, words.__lt__, "under"), (high, words.__gt__, "over")):
            if setting and beyond(limit := round(words_meant(setting, self._asked))):
                yield f"words: {words:,} {what} {limit:,}"

    def _repetition(self, context: Context) -> Iterator[str]:
        limit = self._filters.max_repetition
        if limit and (share := repetition(context.text).most) > limit:
            yield f"repetition: {share:.2f} over {limit:.2f}"

    def _language(self, pair: Pair, context: Context) -> Iterator[str]:
        if not self._languages:
            return
        found = foreign_stretch(context.text, self._languages, pair.instruction)
        if found is not None:
            same = self._languages == (SAME,)
            wanted = language_of(pair.instruction) if same else " or ".join(self._languages)
            yield f"language: {found.language} at {found.depth:.0%} of the text, not {wanted}"


Scorer: TypeAlias = Callable[[int, Pair, Context], tuple[Coherence, list[Leak]]]


@dataclass(frozen=True, slots=True)
class Drop:
    """Why a context goes: the ``stage`` and ``reason`` of its ``Rejected``."""

    stage: str
    reason: str

    @property
    def kind(self) -> str:
        """What the drop is counted under: ``support`` for ``support: 0.12 under 0.30``."""
        return self.reason.partition(":")[0]


@dataclass(slots=True)
class Sifted:
    """The places (positions in the order given) of the contexts that ``kept`` lists, and the rest.

    ``overlaps`` holds, by place, what a context kept or dropped shares with benchmarks.
    """

    kept: array[int] = field(default_factory=lambda: array("q"))
    dropped: dict[int, Drop] = field(default_factory=dict)
    overlaps: dict[int, tuple[Overlap, ...]] = field(default_factory=dict)

    def counts(self, stage: str) -> dict[str, int]:
        """How many a stage dropped, by kind of reason."""
        return dict(sorted(Counter(d.kind for d in self.dropped.values() if d.stage == stage).items()))


@dataclass(frozen=True, slots=True)
class Settings:
    """What contexts are sifted by. ``asked`` is the number of words they were asked to have.

    With ``distinct``, of questions that ask the same of one text the first stays.
    """

    filters: FiltersConfig
    asked: int
    benchmarks: Benchmarks | None = None
    drop_contaminated: bool = False
    distinct: bool = False


def sift(rows: Iterable[tuple[Pair, Context]], settings: Settings, scorer: Scorer) -> Sifted:
    """Look at every context once, then at those that nearly repeat one another.

    Memory: 8 bytes for a context that stays, about 200 for one that goes, and some 600 for
    each while near-duplicates are looked for.

    Args:
        rows: Pairs with their contexts; each is read once and not kept.
        settings: By what.
        scorer: The score of a context (by place, pair and context) and its leaks.

    Raises:
        ConfigError, MissingExtraError: the filters cannot be used.
    """
    rules = Rules(settings.filters, settings.asked)
    near = Sketches(settings.filters.near_duplicates) if settings.filters.near_duplicates else None
    repeats = RepeatedQuestions() if settings.distinct else None
    sifted, ranks = Sifted(), list[tuple[float, str]]()
    for place, (pair, context) in enumerate(rows):
        coherence, leaks = scorer(place, pair, context)
        drop = _drop(sifted, place, pair, context, rules.reason(pair, context, coherence, leaks), settings)
        if drop is None and repeats is not None and (earlier := repeats.find(pair, context)):
            drop = Drop("filter", f"repeated: asks what {earlier} asks")
        if drop is not None:
            sifted.dropped[place] = drop
            continue
        sifted.kept.append(place)
        if near is not None:
            near.add(context.text)
            ranks.append((-coherence.overall, pair.id))
    if near is not None:
        _drop_twins(sifted, near, ranks)
    return sifted


def _drop(
    sifted: Sifted, place: int, pair: Pair, context: Context, reason: str | None, settings: Settings
) -> Drop | None:
    if reason is not None:
        return Drop("filter", reason)
    if settings.benchmarks is None:
        return None
    found = settings.benchmarks.check(pair.instruction, pair.answer, context.text)
    if found:
        sifted.overlaps[place] = found
    contaminated = reason_to_drop(found, settings.benchmarks.ngram) if settings.drop_contaminated else None
    return None if contaminated is None else Drop("contamination", contaminated)


def _drop_twins(sifted: Sifted, near: Sketches, ranks: list[tuple[float, str]]) -> None:
    duplicates = near.duplicates(sorted(range(len(ranks)), key=ranks.__getitem__))
    for number, duplicate in duplicates.items():
        kept = f"{duplicate.share:.2f} in common with the context of {ranks[duplicate.of][1]}"
        sifted.dropped[sifted.kept[number]] = Drop("filter", f"near-duplicate: {kept}")
    sifted.kept = array("q", (place for n, place in enumerate(sifted.kept) if n not in duplicates))
