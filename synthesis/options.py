"""The options of a run: a table of run.toml is the frozen dataclass that holds it.

Each field carries its help, flag and bounds. Reading TOML, the checks and their messages, the
command line, ``--help``, docs/options.md and what of an option names the rows made with it are all
derived from the fields, by ``synthesis.settings``. To add an option is to add a field and use it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Final

from synthesis.errors import ConfigError
from synthesis.settings import (
    Setting,
    apart,
    build,
    check,
    check_saveable,
    hashed,
    option,
    settings,
    table,
)

MIN_WORDS, MAX_WORDS = 50, 20_000
# What is written in sections may be longer; a plan of more sections than this is too much for one reply.
MAX_EXPANDED, MAX_SECTIONS = 100_000, 100
NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
WORDS = re.compile(r"[1-9]\d{0,6}|\d{1,4}(?:\.\d{1,3})?%")

TURNS: Final = ("one", "first", "last", "every")
"""What may be taken of a chat of several exchanges."""

REFUSAL: Final = "The documents do not say."
"""What a sample answers whose context is left out, unless another text is given."""

ANSWERS: Final = ("plain", "cited", "reasoned")
"""What a sample answers: the answer alone, with its evidence quoted, or after the steps to it."""

KINDS: Final = ("chat", "rl")
"""The configs that samples may become."""

TWINS: Final = ("removed", "changed", "decoy")
"""What twins of a sample may be."""

SEPARATOR: Final = "\n\n"
"""What stands between two documents unless another separator is asked for."""

METHODS: Final = ("context", "instruction")
"""What a run writes: contexts for pairs, or pairs for contexts."""

QUESTIONS: Final = ("span", "number", "yes-no", "multi-hop", "summary")
"""The kinds of questions that can be asked of a text."""


@dataclass(frozen=True, slots=True)
class PairsConfig:
    """Where the pairs come from. An empty ``source`` means the bundled examples."""

    source: str = apart(
        "",
        "File, folder, glob, hf:// path or Hub dataset, as in ORG/NAME?config=en&split=test.",
        flag="--pairs",
        default="the bundled examples",
    )
    config: str = apart("", "Config of a Hub dataset.", flag="--pairs-config")
    split: str = apart("train", "Split of a Hub dataset, or of a folder, by its files' names.")
    task: str = apart("", "Task of all pairs.", default="a column's, else the file's name")
    limit: int = apart(0, "Use only the first N rows.", low=0, zero="all")
    turns: str = apart(
        "one",
        "Of a chat of several exchanges: first, last, every; one rejects it.",
        choices=TURNS,
    )
    columns: dict[str, str] = apart(
        {},
        "Map a column, as in instruction=question.",
        flag="--column",
        metavar="OURS=THEIRS",
        example="instruction=question",
    )


@dataclass(frozen=True, slots=True)
class QuestionsConfig:
    """What is asked of long texts with ``method`` instruction; the other tables mean what they always do.

    Each document gets ``per_document`` questions, their kinds in turn, each about ``window`` words of it: the
    windows lie spread over the document. The whole document is the context.
    """

    contexts: str = apart(
        "",
        "Long texts to ask about (--method instruction): file, folder (also of .txt and .md), glob, "
        "hf:// path or Hub dataset, as in ORG/NAME?split=test&columns=body.",
    )
    per_document: int = apart(4, "Questions for each document.", low=1, high=1000)
    window: int = apart(3000, "Words of the document that a question is about.", low=MIN_WORDS, high=100_000)
    kinds: tuple[str, ...] = apart(
        QUESTIONS,
        "Kinds of questions, in turn.",
        valid=lambda kinds: bool(kinds) and set(kinds) <= set(QUESTIONS),
        expected=f"any of {', '.join(QUESTIONS)}",
    )


@dataclass(frozen=True, slots=True)
class GenerationConfig:
    """Who writes the contexts, and how. ``options`` go to the engine as they are.

    A ``mix`` names several models with their shares, or tables of ``share``, ``engine``, ``model`` and
    ``options``.
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


@dataclass(frozen=True, slots=True)
class SamplesConfig:
    """The chat samples to assemble; see ``synthesis.assemble`` for what each setting does.

    ``lengths`` with shares (``4k:0.2``) make one config of mixed lengths. An empty
    ``tokenizer`` means the engine's own; ``max_reuse`` 0 means no cap; ``corpus`` is where further
    distractors are read from, ``SOURCE[?config=..&split=..&columns=NAME]``.
    """

    lengths: tuple[str, ...] = apart(("8k",), "Tokens, as in 8k,32k; or shares, as in 4k:0.2,32k:0.8.")
    kinds: tuple[str, ...] = apart(
        ("chat",),
        "Configs to make of each length: chat, rl (prompts with a checkable answer), or both, as in chat,rl.",
        flag="--kind",
        valid=lambda kinds: bool(kinds) and set(kinds) <= set(KINDS) and len(set(kinds)) == len(kinds),
        expected="chat, rl, or both with a comma between them",
    )
    tokenizer: str = apart("", "Folder or Hub id of what counts.", default="the engine's, else ours")
    depth: str = hashed("uniform", "Where the evidence stands: uniform, start, middle, end, or 0..1.")
    distractors: str = hashed(
        "same-task", "same-task, random, lexical (nearest by BM25), corpus, none, or lexical:0.5,random:0.5."
    )
    corpus: str = apart(
        "",
        "Texts for distractors: file, folder, glob, hf:// path or Hub dataset, as in "
        "ORG/NAME?split=test&columns=body.",
    )
    max_reuse: int = hashed(0, "Most uses of one context as a distractor.", low=0, zero="no cap")
    header: str = hashed("", "Before each document, as in 'Document {n}:'.", breaks=True)
    separator: str = hashed(SEPARATOR, "Between two documents.", breaks=True)
    abstain: float = hashed(0.0, "Share of samples without their evidence.", low=0, high=1)
    refusal: str = option(REFUSAL, "What those samples answer.", breaks=True)
    oversize: str = hashed("reject", "A context over the length: reject or trim.", choices=("reject", "trim"))
    repeat_questions: bool = hashed(
        False,
        "Let contexts of pairs with the very same instruction stand side by side.",
        flag="--repeat-questions/--distinct-questions",
    )
    keychain: int = option(
        0,
        "Hide the question at the end of a chain of keys that stands among the documents, beside so many "
        "chains less one that lead to other questions.",
        low=1,
        high=64,
        zero="asked plainly",
    )
    twins: tuple[str, ...] = option(
        (),
        "Beside each sample its twins, as in removed,changed,decoy: without its evidence, with another "
        "answer in its place, with a decoy made the answer.",
        valid=lambda kinds: len(set(kinds)) == len(kinds) and set(kinds) <= set(TWINS),
        expected="some of removed, changed and decoy",
        example="removed,changed",
    )
    workers: int = apart(
        0,
        "Processes that assemble; the samples are the same with any number.",
        low=1,
        high=1024,
        zero="one for each processor, at most 16, where there are 2,000 samples",
    )
    keychain_links: int = option(3, "Links of each chain, from key to key.", low=1, high=32)
    all_candidates: bool = option(
        False,
        "Make a sample of every candidate that was kept, instead of the best for each pair.",
        flag="--all-candidates/--best-candidates",
    )
    answers: str = option(
        "plain",
        "The answer alone (plain), with its evidence quoted by document number (cited), or after the steps "
        "that lead to it, quoted (reasoned).",
        choices=ANSWERS,
    )


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
        valid=lambda text: not text or WORDS.fullmatch(text) is not None,
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


@dataclass(frozen=True, slots=True)
class CostConfig:
    """What replies cost, for ``plan`` and the totals of a run, and how much they may.

    ``price`` is for a million tokens in and a million out, in ``currency``; ``rate`` is output
    tokens per second. Empty and 0 mean unknown. ``max_cost`` and ``max_total_tokens`` bound all that
    the runs of a folder take together; ``stop_after`` ends a run in which everything fails alike.
    """

    price: tuple[float, ...] = apart(
        (),
        "What a million tokens cost, in and out, as in 0.15,0.60.",
        metavar="IN,OUT",
        valid=lambda prices: len(prices) in (0, 2) and all(price >= 0 for price in prices),
        expected="two prices for a million tokens, in and out, as in 0.15,0.60",
    )
    currency: str = apart("USD", "What prices are in.")
    max_cost: float = apart(
        0.0, "Begin no more pairs when so much is spent in the folder.", low=0, zero="no limit"
    )
    max_total_tokens: int = apart(
        0,
        "Begin no more pairs when so many tokens, in and out, are spent, as in 100k or 2M.",
        low=0,
        zero="no limit",
        counts=True,
    )
    rate: float = apart(
        0.0, "Output tokens per second, to foresee the time.", low=0, expected="output tokens per second"
    )
    stop_after: int = apart(20, "Stop when so many pairs in a row were rejected alike.", low=1, zero="never")


@dataclass(frozen=True, slots=True)
class DatasetSettings:
    """The dataset folder. An empty ``name`` is made from the engine and model."""

    name: str = apart(
        "",
        "Base name of the dataset's configs.",
        default="the model's, else the engine's",
        valid=lambda name: not name or NAME.fullmatch(name) is not None,
        expected="lower-case letters, digits, '.', '_' and '-'",
    )
    language: tuple[str, ...] = apart(
        ("en",), "Languages named in the card, as in en,fr.", flag="--dataset-language"
    )
    license: str = apart("", "Licence named in the card, as in cc-by-4.0.")
    rejected: bool = apart(
        True, "Publish what was rejected, as a config of its own.", flag="--rejected/--no-rejected"
    )


@dataclass(frozen=True, slots=True)
class RunConfig:
    """Everything that determines a run."""

    out: str = apart("", "The run's folder.", default="runs/<name>")
    seed: int = apart(0, "Seed of every random choice.", default="0")
    method: str = apart(
        "context",
        "What is written: context (for pairs), or instruction (questions and answers for long texts).",
        choices=METHODS,
    )
    pairs: PairsConfig = table(PairsConfig, "Pairs")
    questions: QuestionsConfig = table(QuestionsConfig, "Questions (--method instruction)")
    generation: GenerationConfig = table(GenerationConfig, "Contexts")
    samples: SamplesConfig = table(SamplesConfig, "Samples")
    filters: FiltersConfig = table(
        FiltersConfig, "Filters: what they drop becomes a row of the rejected config"
    )
    require: RequireConfig = table(
        RequireConfig, "Filters: what they drop becomes a row of the rejected config"
    )
    contamination: ContaminationConfig = table(
        ContaminationConfig, "Filters: what they drop becomes a row of the rejected config"
    )
    cost: CostConfig = table(CostConfig, "Cost")
    dataset: DatasetSettings = table(DatasetSettings, "Output")

    def __post_init__(self) -> None:
        check(self, "")
        for one in fields(self):
            if is_dataclass(getattr(self, one.name)):
                check(getattr(self, one.name), one.name)
        _check_method(self)
        _check_words(self.generation)
        if self.samples.all_candidates and not self.generation.keep_candidates:
            raise ConfigError(
                "'samples.all_candidates' (--all-candidates) makes samples of every context of a pair, and "
                "one is kept; add --candidates 2 or more with --keep-candidates, or leave it out"
            )
        _check_shares(self.filters, self.generation.words)
        check_saveable(
            {
                one.name: {each.name: getattr(held, each.name) for each in fields(held)}
                if is_dataclass(held := getattr(self, one.name))
                else held
                for one in fields(self)
            }
        )
        if self.cost.max_cost and not self.cost.price:
            raise ConfigError(
                "'cost.max_cost' (--max-cost) needs to know the prices; give --price IN,OUT, for a million "
                "tokens in and out, or bound the tokens with --max-total-tokens"
            )

    @property
    def name(self) -> str:
        """The base name of the dataset's configs."""
        made = self.generation
        models = [model.rsplit("/", 1)[-1] for model in ([made.model] if made.model else made.mix)]
        given = self.dataset.name or "-".join(models) or made.engine
        if self.asks and not self.dataset.name:
            given += "-instruction"
        return re.sub(r"[^a-z0-9._-]+", "-", given.casefold()).strip("-.") or "contexts"

    @property
    def asks(self) -> bool:
        """Whether questions and answers are written, for contexts that are there."""
        return self.method == "instruction"

    @property
    def out_dir(self) -> Path:
        """The run's folder; ``runs/<name>`` unless one was given."""
        return Path(self.out or f"runs/{self.name}")

    def to_dict(self) -> dict[str, Any]:
        """Plain nested values, ready for TOML."""
        return asdict(self)


def _check_method(config: RunConfig) -> None:
    """Each method has a source of its own."""
    if config.asks and not config.questions.contexts:
        raise ConfigError(
            "'method' (--method) is instruction, and no texts are given to ask about; name them with "
            "'questions.contexts' (--contexts)"
        )
    if config.asks and config.pairs.source:
        raise ConfigError(
            "'pairs.source' (--pairs) is not read where questions are written (--method instruction); leave "
            "it out, or leave out --method to have contexts written for the pairs"
        )
    if config.asks and config.pairs.columns:
        raise ConfigError(
            "'pairs.columns' (--column) names columns of pairs; for --method instruction name that of the "
            "texts behind their source, as in --contexts 'books.jsonl?columns=body'"
        )
    if config.questions.contexts and not config.asks:
        raise ConfigError(
            "'questions.contexts' (--contexts) gives texts to ask about, which takes 'method' (--method) "
            "instruction; add it, or leave the texts out"
        )
    unused = [
        f"'questions.{one.name}' (--{one.name.replace('_', '-')})"
        for one in fields(config.questions)
        if one.name != "contexts" and getattr(config.questions, one.name) != one.default
    ]
    if unused and not config.asks:
        raise ConfigError(
            f"{', '.join(unused)} goes with questions for texts, and 'method' (--method) is {config.method}; "
            "give --method instruction --contexts SRC, or leave it out"
        )
    if config.asks and config.generation.template == "by-task":
        raise ConfigError(
            "'generation.template' (--template) is by-task, which writes contexts; for --method instruction "
            "give short or a text file, or leave it out"
        )


def _check_words(made: GenerationConfig) -> None:
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


def _check_shares(filters: FiltersConfig, asked: int) -> None:
    """No context can have fewer words than the most and more than the least, if these are crossed."""
    least, most = (_number_of(text, asked) for text in (filters.min_words, filters.max_words))
    if filters.min_words and filters.max_words and least > most:
        raise ConfigError(
            f"'filters.min_words' (--min-words) is {filters.min_words}, more than 'filters.max_words' "
            f"(--max-words), {filters.max_words}: every context would be dropped"
        )


def _number_of(words: str, asked: int) -> float:
    return float(words.rstrip("%") or 0) * (asked / 100 if words.endswith("%") else 1)


def run_settings() -> tuple[Setting, ...]:
    """All options of a run."""
    return settings(RunConfig, panel="Output")


def load_config(path: str | Path) -> RunConfig:
    """Read a TOML file.

    Raises:
        ConfigError: the file is missing, is not TOML, or has an unknown key or bad value.
    """
    path = Path(path)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"there is no configuration file {path}; check the path") from None
    except RecursionError:
        raise ConfigError(f"{path} cannot be read as TOML: it is nested too deeply") from None
    except (OSError, ValueError) as error:  # not UTF-8, not TOML, a number of thousands of digits
        raise ConfigError(f"{path} cannot be read as TOML: {error}") from None
    try:
        return from_dict(table)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def dump_config(config: RunConfig) -> str:
    """The configuration as TOML text that ``load_config`` reads back to an equal object."""
    import tomli_w

    return tomli_w.dumps(config.to_dict())


def from_dict(table: Mapping[str, Any]) -> RunConfig:
    """A configuration from nested plain values."""
    return build(RunConfig, table)


def override(config: RunConfig, changes: Mapping[str, Any]) -> RunConfig:
    """A copy with dotted keys replaced, as ``{"generation.words": 500}``; ``None`` means keep."""
    nested: dict[str, dict[str, Any]] = {}
    for dotted, value in changes.items():
        if value is None:
            continue
        section, _, key = dotted.rpartition(".")
        nested.setdefault(section, {})[key] = value
    top = nested.pop("", {})
    for section, values in nested.items():
        top[section] = replace(getattr(config, section), **values)
    return replace(config, **top)
