"""Who writes the contexts, how, and how long they may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from synthesis.errors import ConfigError
from synthesis.settings import apart

MIN_WORDS, MAX_WORDS = 50, 20_000
# What is written in sections may be longer; a plan of more sections than this is too much for one reply.
MAX_EXPANDED, MAX_SECTIONS = 100_000, 100

MIXED: Final = ("pair", "candidate")
"""What the models of a mix may share."""


@dataclass(frozen=True, slots=True)
class GenerationConfig:
    """Who writes the contexts, and how. ``options`` go to the engine as they are.

    A ``mix`` names several models with their shares, or tables of ``share``, ``engine``, ``model``,
    ``options`` and ``price`` (as in ``[cost]``, where it is another).
    A reply with faults is asked for again up to ``repairs`` times. Contexts of over twice
    ``section_words`` are written in sections of about that length; 0 means never.
    """

    engine: str = apart("composer", "Who writes.")
    model: str = apart("", "Model of the engine.")
    mix: dict[str, Any] = apart(
        {},
        "Several models, each for a share of the pairs, as in org/a=0.7.",
        flag="--mix",
        metavar="MODEL=SHARE",
        example="org/model=0.7",
    )
    mix_by: str = apart(
        "pair",
        "What the models of --mix share: the pairs, each for one of them, or the --candidates of every pair, "
        "one or more for each model.",
        choices=MIXED,
    )
    template: str = apart(
        "narrative",
        "Built-in name (narrative, by-task, short, few-shot), text file, or folder of files by task.",
    )
    words: int = apart(
        2000,
        "Words per context.",
        expected=f"{MIN_WORDS} to {MAX_WORDS:,}, or up to {MAX_EXPANDED:,} in sections",
    )
    temperature: float = apart(0.7, "Sampling temperature.", low=0, high=2)
    top_p: float = apart(0.95, "Nucleus sampling.", above=0, high=1)
    max_tokens: int = apart(
        0,
        "Longest reply in tokens; 0 goes by the words asked for: 3 for each, and 2,048.",
        low=1,
        zero="by words",
    )
    repairs: int = apart(2, "How often a reply that cannot be used is asked for again.", low=0, high=10)
    candidates: int = apart(
        1, "Contexts for each pair, by different seeds, of which the best is kept.", low=1, high=100
    )
    keep_candidates: bool = apart(
        False,
        "Keep all of --candidates as rows of their own, grouped and ranked, instead of the best alone.",
        flag="--keep-candidates/--best-candidate",
    )
    section_words: int = apart(
        1500,
        "Words per reply; contexts over twice as long are written in sections; 0 never.",
        expected=f"0 (never), or {MIN_WORDS} to {MAX_WORDS:,}",
    )
    options: dict[str, Any] = apart(
        {},
        "Setting of the engine, as in base_url=http://localhost:8000/v1.",
        flag="--option",
        metavar="KEY=VALUE",
        example="concurrency=64",
    )

    @property
    def prices(self) -> dict[str, tuple[float, ...]]:
        """Of models of a mix that have their own: what a million tokens cost, in and out."""
        told = {name: table.get("price") for name, table in self.mix.items() if isinstance(table, Mapping)}
        return {name: tuple(price) for name, price in told.items() if isinstance(price, list | tuple)}

    def by(self, engine: str, model: str, options: Mapping[str, Any]) -> GenerationConfig:
        """The same by another engine or model, alone; as it is where none of the three is given.

        Another engine has neither the model nor the options of this one.
        """
        if not (engine or model or options):
            return self
        same = engine in ("", self.engine)
        return replace(
            self,
            engine=engine or self.engine,
            model=model or (self.model if same else ""),
            mix={},
            mix_by="pair",
            options={**(self.options if same else {}), **options},
        )

    @property
    def unpriced_mix(self) -> dict[str, Any]:
        """The mix without prices, on which no reply depends."""
        return {
            name: {key: value for key, value in one.items() if key != "price"}
            if isinstance(one, Mapping)
            else one
            for name, one in self.mix.items()
        }


def check_words(made: GenerationConfig) -> None:
    """How long a context may be depends on whether it is written in sections."""
    sections = made.words > 2 * made.section_words > 0
    most = MAX_EXPANDED if sections else MAX_WORDS
    more = "" if made.section_words else ", or more in sections (generation.section_words)"
    if not MIN_WORDS <= made.words <= most:
        raise ConfigError(f"'generation.words' (--words) is {made.words}; give {MIN_WORDS} to {most:,}{more}")
    least = max(MIN_WORDS, made.words // MAX_SECTIONS)
    if made.section_words and not least <= made.section_words <= MAX_WORDS:
        raise ConfigError(
            f"'generation.section_words' (--section-words) is {made.section_words}; give 0 (never), or "
            f"{least} to {MAX_WORDS:,} for {made.words:,} words"
        )
