"""Whether samples of the lengths asked for can be made: a context has to fit, and others to fill them.

What cannot be is refused before anything is asked of a model; what hardly can is told by ``plan``.
"""

from __future__ import annotations

from collections.abc import Iterator

from synthesis.assembly import parse_lengths
from synthesis.assembly.options import parse_distractors
from synthesis.data import Message
from synthesis.errors import ConfigError
from synthesis.options import RunConfig
from synthesis.options.filters import words_given
from synthesis.tokens import Tokenizer
from synthesis.wording import counted

TOKENS_PER_WORD = 1.3
"""Of English text, about."""

_LEAST_PER_WORD = 0.5  # no text takes fewer, whatever counts
_BARE = (Message("user", "?"), Message("assistant", "."))
_LENGTHS = "'samples.lengths' (--lengths)"


def lengths_of(config: RunConfig) -> list[int]:
    """Tokens of each length, in the order given."""
    return [length for length, _ in parse_lengths(",".join(config.samples.lengths))]


def check_lengths(config: RunConfig, tokenizer: Tokenizer) -> None:
    """Refuse a length that no sample has, whatever its texts are.

    Raises:
        ConfigError: naming the length, and the tokens that are needed at least.
    """
    bare = tokenizer.count_chat(_BARE)
    if (shortest := min(lengths_of(config))) <= bare:
        raise ConfigError(
            f"{_LENGTHS} has {shortest:,}, and a chat without any text takes {bare:,} tokens by itself; give "
            "the tokens of a whole sample, as in 8k (8,192)"
        )


def check_asked(config: RunConfig) -> None:
    """Refuse what contexts of the words asked for can never meet: a length, or a filter by words.

    Raises:
        ConfigError: naming both, and what to change.
    """
    if config.asks:
        return  # the contexts are there, and of any length
    words, filters = config.generation.words, config.filters
    if (
        shortest := min(lengths_of(config))
    ) < words * _LEAST_PER_WORD and config.samples.oversize == "reject":
        raise ConfigError(
            f"{_LENGTHS} has {shortest:,} tokens, and contexts of {words:,} words ('generation.words', "
            f"--words) take about {tokens_of(words):,}: none would fit. Ask for longer samples or "
            "fewer words, or have contexts cut with --oversize trim"
        )
    least, most = (words_given(text, words) for text in (filters.min_words, filters.max_words))
    if filters.min_words and least >= 2 * words:
        flag, given = "min_words", filters.min_words
    elif filters.max_words and most <= words / 2:
        flag, given = "max_words", filters.max_words
    else:
        return
    raise ConfigError(
        f"'filters.{flag}' (--{flag.replace('_', '-')}) is {given}, and contexts of {words:,} words are "
        "asked for ('generation.words', --words): hardly any would stay. Change one of the two"
    )


def tokens_of(words: int) -> int:
    """About how many tokens so many words take, to two digits."""
    exact = words * TOKENS_PER_WORD
    step: int = 10 ** max(0, len(str(int(exact))) - 2)
    return round(exact / step) * step


def tell_fit(config: RunConfig, contexts: int) -> Iterator[str]:
    """What is to be said of the lengths where a run has so many contexts in the end."""
    if config.asks or not contexts:
        return
    words, samples = config.generation.words, config.samples
    each, lengths = tokens_of(words), lengths_of(config)
    if tight := [length for length in lengths if length < each]:
        cut = "are cut to fit" if samples.oversize == "trim" else "are rejected where they do not fit"
        yield (
            f"contexts of {words:,} words take about {each:,} tokens, and {_told(tight)} is asked for "
            f"(--lengths): they {cut}"
        )
    chosen = parse_distractors(samples.distractors)
    if chosen.uses("corpus"):
        return
    pool = pool_of(config, contexts)
    if wide := [length for length in lengths if length > 1.5 * pool]:
        if chosen.uses("none"):
            why = "a context stands alone (--distractors none). Raise --words, or leave that out"
        else:
            found = f"{'is' if contexts == 1 else 'are'} {counted(contexts, 'context')}"
            why = (
                f"there {found} of about {each:,} tokens. Add pairs, raise --words, or take texts of yours "
                "as well (--distractors corpus --corpus SRC)"
            )
        yield f"samples of {_told(wide)} tokens (--lengths) stay shorter, as {why}"


def pool_of(config: RunConfig, contexts: int) -> float:
    """The most tokens that a sample can be filled with."""
    chosen = parse_distractors(config.samples.distractors)
    if config.asks or chosen.uses("corpus"):
        return float("inf")
    return tokens_of(config.generation.words) * (1 if chosen.uses("none") else max(1, contexts))


def _told(lengths: list[int]) -> str:
    return " and ".join(f"{length:,}" for length in lengths)
