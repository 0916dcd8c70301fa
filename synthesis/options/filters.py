"""Which contexts stay: by their scores and words, by what a model makes of them, by what benchmarks share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from synthesis.errors import ConfigError
from synthesis.settings import apart, hashed, option

_WORDS = re.compile(r"[1-9]\d{0,6}|\d{1,4}(?:\.\d{1,3})?%")

BY_ENGINE: Final = -1.0
"""A lowest score that depends on who writes: ``MODEL_LEAST`` for models, none for the composer."""

MODEL_LEAST: Final = 0.3
"""The overall score under which a model is asked again, unless another is given."""


def _score(part: str, value: float = 0.0, **more: Any) -> Any:
    return hashed(
        value,
        "Lowest scores, as in overall=0.5,support=0.3; also relevance and uniqueness. A model is asked "
        "again under them.",
        flag="--min",
        part=part,
        metavar="PART=SHARE",
        example="overall=0.5,support=0.3",
        **({"low": 0, "high": 1, "zero": "off"} | more),
    )


def _words(help: str) -> Any:
    return hashed(
        "",
        help,
        valid=lambda text: not text or _WORDS.fullmatch(text) is not None,
        expected="a number of words, or a share of those asked for, as 80%",
    )


@dataclass(frozen=True, slots=True)
class FiltersConfig:
    """Which contexts stay in the dataset; see ``synthesis.gate.filtering``. As it is, all of them do.

    The ``min_`` scores, ``near_duplicates`` (a share of trigrams in common) and ``max_repetition`` (off, as
    the gate rejects at 0.35 what a model wrote, and what people wrote is theirs) are from 0 to 1;
    ``min_words`` and ``max_words`` are numbers, or shares of the words asked for, as ``80%``;
    ``language`` is ``same`` (as the instruction) or codes with commas between them.
    The default of ``min_overall`` acts where a model can be asked again, and drops nothing that was written.
    """

    min_overall: float = _score(
        "overall",
        BY_ENGINE,
        default=f"{MODEL_LEAST} for models",
        low=None,
        high=None,
        zero="",
        valid=lambda least: least == BY_ENGINE or 0 <= least <= 1,
        expected="0 (off) to 1",
    )
    min_support: float = _score("support")
    min_relevance: float = _score("relevance")
    min_uniqueness: float = _score("uniqueness")
    drop_leaks: bool = hashed(
        False,
        "Drop contexts that echo the question, give the answer away, loop, refuse, or hold residue.",
        flag="--drop-leaks/--keep-leaks",
    )
    near_duplicates: float = hashed(
        0.0,
        "Of contexts with this share of trigrams in common keep the best, as in 0.8.",
        low=0.2,
        high=1,
        zero="off",
    )
    max_repetition: float = option(
        0.0,
        "Largest share of a context that says again what it has said, in runs of 6 words, as in 0.2.",
        low=0.01,
        high=1,
        zero="off",
    )
    min_words: str = _words("Fewest words, or a share of --words, as in 80%.")
    max_words: str = _words("Most words, or a share of --words, as in 150%.")
    language: str = hashed("", "Languages to keep, as in en,de; same: that of the instruction.")


def _required(value: Any, part: str, **more: Any) -> Any:
    return apart(
        value,
        "Keep a context only if a model needs it and can do with it: gain (nats per token with it over "
        "without), evidence (what is lost without its evidence), closed-book=fail (no answer without it), "
        "open-book=pass (the answer with it); as in gain=0.5,closed-book=fail.",
        flag="--require",
        part=part,
        metavar="WHAT=VALUE",
        example="gain=0.5,closed-book=fail",
        **more,
    )


@dataclass(frozen=True, slots=True)
class RequireConfig:
    """What a model must make of a context for it to stay; see ``synthesis.run.requirements``.

    As it is, none is asked. Without an ``engine`` the one that writes is asked; ``options`` are the engine's.
    """

    gain: float = _required(0.0, "gain", low=0, zero="off")
    evidence: float = _required(0.0, "evidence", low=0, zero="off")
    closed_book: str = _required("", "closed-book", choices=("", "fail"), expected="fail")
    open_book: str = _required("", "open-book", choices=("", "pass"), expected="pass")
    engine: str = apart(
        "", "Who is asked for --require.", flag="--require-engine", default="the one that writes"
    )
    model: str = apart("", "Its model.", flag="--require-model", default="that of the engine that writes")
    options: dict[str, Any] = apart(
        {},
        "Setting of that engine, as in base_url=http://localhost:8000/v1.",
        flag="--require-option",
        metavar="KEY=VALUE",
        example="concurrency=64",
    )
    max_tokens: int = apart(512, "Longest reply to what --require asks.", flag="--require-tokens", low=1)


@dataclass(frozen=True, slots=True)
class ContaminationConfig:
    """Benchmarks that rows are checked against: name -> ``SOURCE[?config=..&split=..&columns=a,b]``.

    Rows that share too much are marked, and with ``drop`` left out; see ``synthesis.gate.contamination``.
    """

    benchmarks: dict[str, str] = apart(
        {},
        "Check all rows against a benchmark: a file, folder or Hub dataset, as in longbench=FILE or "
        "helmet=ORG/NAME?split=test&columns=input.",
        flag="--benchmark",
        metavar="NAME=SOURCE",
        example="longbench=FILE",
        valid=lambda named: all(isinstance(source, str) for source in named.values()),
        expected='a source for each benchmark, as in longbench = "FILE"',
    )
    ngram: int = apart(13, "Words in a row that count as shared.", low=5, high=50, expected="5 to 50 words")
    drop: bool = apart(
        False,
        "Drop rows that a benchmark shares, instead of marking them.",
        flag="--drop-contaminated/--keep-contaminated",
    )


def check_shares(filters: FiltersConfig, asked: int) -> None:
    """No context can have fewer words than the most and more than the least, if these are crossed."""
    least, most = (words_given(text, asked) for text in (filters.min_words, filters.max_words))
    if filters.min_words and filters.max_words and least > most:
        raise ConfigError(
            f"'filters.min_words' (--min-words) is {filters.min_words}, more than 'filters.max_words' "
            f"(--max-words), {filters.max_words}: every context would be dropped"
        )


def words_given(words: str, asked: int) -> float:
    """The words that a bound names, as ``800``, or ``80%`` of those ``asked`` for; 0 where it is empty."""
    return float(words.rstrip("%") or 0) * (asked / 100 if words.endswith("%") else 1)
