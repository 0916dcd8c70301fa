"""``run``, ``plan``, ``assemble``: jobs on a run's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from builder.cli.base import command, do
from builder.cli.options import (
    Abstain,
    BenchmarkSource,
    Column,
    ConfigFile,
    Corpus,
    Depth,
    Distractors,
    DropContaminated,
    DropLeaks,
    EngineName,
    EngineOption,
    Header,
    HubConfig,
    Language,
    Lengths,
    License,
    Limit,
    MaxReuse,
    MaxTokens,
    MaxWords,
    Min,
    MinWords,
    Model,
    Name,
    NearDuplicates,
    Ngram,
    Out,
    Oversize,
    Pairs,
    Price,
    Quiet,
    Rate,
    Repairs,
    RepeatQuestions,
    SectionWords,
    Seed,
    Split,
    TaskName,
    Temperature,
    TemplateName,
    TokenizerName,
    TopP,
    Words,
)


@command()
def run(
    run_file: ConfigFile = None,
    pairs: Pairs = None,
    column: Column = None,
    task: TaskName = None,
    config: HubConfig = None,
    split: Split = None,
    limit: Limit = None,
    engine: EngineName = None,
    model: Model = None,
    words: Words = None,
    template: TemplateName = None,
    temperature: Temperature = None,
    top_p: TopP = None,
    max_tokens: MaxTokens = None,
    repairs: Repairs = None,
    section_words: SectionWords = None,
    option: EngineOption = None,
    lengths: Lengths = None,
    tokenizer: TokenizerName = None,
    depth: Depth = None,
    distractors: Distractors = None,
    corpus: Corpus = None,
    max_reuse: MaxReuse = None,
    header: Header = None,
    abstain: Abstain = None,
    oversize: Oversize = None,
    repeat_questions: RepeatQuestions = None,
    min: Min = None,
    drop_leaks: DropLeaks = None,
    near_duplicates: NearDuplicates = None,
    min_words: MinWords = None,
    max_words: MaxWords = None,
    language: Language = None,
    benchmark: BenchmarkSource = None,
    ngram: Ngram = None,
    drop_contaminated: DropContaminated = None,
    price: Price = None,
    rate: Rate = None,
    seed: Seed = None,
    out: Out = None,
    name: Name = None,
    license: License = None,
    quiet: Quiet = False,
) -> None:
    """Write contexts, score them, assemble samples and build the dataset folder.

    Run the same command again to go on after an interruption.
    """
    given = dict(locals())
    from builder.cli.settings import configured

    resolved = configured(given)
    from builder.job.execute import execute

    do(execute, resolved, quiet)


@command(like=run)
def plan(**given: Any) -> None:
    """Say what a run would do: pairs done, stale and new, tokens, time, money, disk. Writes nothing."""
    from builder.cli.settings import configured

    resolved = configured(given)
    from builder.job.estimate import tell_estimate
    from builder.job.execute import plan as survey

    typer.echo("\n".join(tell_estimate(survey(resolved), resolved)))


_SAMPLES = (
    "lengths",
    "tokenizer",
    "depth",
    "distractors",
    "corpus",
    "max_reuse",
    "header",
    "abstain",
    "oversize",
    "repeat_questions",
)
_FILTERS = ("min", "drop_leaks", "near_duplicates", "min_words", "max_words", "language")
_CHECKS = ("benchmark", "ngram", "drop_contaminated")


@command(like=run, only=(*_SAMPLES, *_FILTERS, *_CHECKS, "seed", "quiet"))
def assemble(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a finished run.")],
    **given: Any,
) -> None:
    """Make samples of other lengths from contexts that exist."""
    from builder.cli.settings import overridden
    from synthesis.run.folder import RunFolder

    resolved = overridden(RunFolder(folder).read_config(), {**given, "out": str(folder)})
    from builder.job.execute import reassemble

    do(reassemble, resolved, given["quiet"])
