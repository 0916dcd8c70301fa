"""The options that several commands share, each with its help text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_INPUT, _WRITING, _SAMPLES, _OUTPUT = "Pairs", "Contexts", "Samples", "Output"
_COST = "Cost"
_FILTERS = "Filters: what they drop becomes a row of the rejected config"

ConfigFile = Annotated[Path | None, typer.Argument(metavar="[RUN.toml]", help="A run's configuration.")]
Pairs = Annotated[
    str | None,
    typer.Option(
        help="File, folder, glob, hf:// path or Hub dataset. Default: the bundled examples.",
        rich_help_panel=_INPUT,
    ),
]
Column = Annotated[
    list[str] | None,
    typer.Option(
        metavar="OURS=THEIRS", help="Map a column, as in instruction=question.", rich_help_panel=_INPUT
    ),
]
TaskName = Annotated[str | None, typer.Option(help="Task of all pairs.", rich_help_panel=_INPUT)]
HubConfig = Annotated[
    str | None, typer.Option("--config", help="Config of a Hub dataset.", rich_help_panel=_INPUT)
]
Split = Annotated[str | None, typer.Option(help="Split of a Hub dataset.", rich_help_panel=_INPUT)]
Limit = Annotated[int | None, typer.Option(help="Use only the first N rows.", rich_help_panel=_INPUT)]
EngineName = Annotated[
    str | None, typer.Option("--engine", help="Who writes. Default: composer.", rich_help_panel=_WRITING)
]
Model = Annotated[str | None, typer.Option(help="Model of the engine.", rich_help_panel=_WRITING)]
Words = Annotated[
    int | None, typer.Option(help="Words per context. Default: 2000.", rich_help_panel=_WRITING)
]
TemplateName = Annotated[
    str | None, typer.Option("--template", help="Built-in name or text file.", rich_help_panel=_WRITING)
]
Temperature = Annotated[
    float | None, typer.Option(help="Sampling temperature. Default: 0.7.", rich_help_panel=_WRITING)
]
TopP = Annotated[
    float | None, typer.Option("--top-p", help="Nucleus sampling. Default: 0.95.", rich_help_panel=_WRITING)
]
MaxTokens = Annotated[
    int | None, typer.Option("--max-tokens", help="Longest reply. Default: 8192.", rich_help_panel=_WRITING)
]
Repairs = Annotated[
    int | None,
    typer.Option(
        help="How often a reply that cannot be used is asked for again. Default: 2.",
        rich_help_panel=_WRITING,
    ),
]
SectionWords = Annotated[
    int | None,
    typer.Option(
        help="Words per reply; contexts over twice as long are written in sections. Default: 1500, never: 0.",
        rich_help_panel=_WRITING,
    ),
]
EngineOption = Annotated[
    list[str] | None,
    typer.Option(
        "--option",
        metavar="KEY=VALUE",
        help="Setting of the engine, as in base_url=http://localhost:8000/v1.",
        rich_help_panel=_WRITING,
    ),
]
Lengths = Annotated[
    str | None,
    typer.Option(
        help="Tokens, as in 8k,32k; or shares, as in 4k:0.2,32k:0.8. Default: 8k.",
        rich_help_panel=_SAMPLES,
    ),
]
TokenizerName = Annotated[
    str | None,
    typer.Option(
        "--tokenizer", help="Folder or Hub id. Default: the engine's, else ours.", rich_help_panel=_SAMPLES
    ),
]
Depth = Annotated[
    str | None,
    typer.Option(
        help="Where the evidence stands: uniform, start, middle, end, or 0..1.", rich_help_panel=_SAMPLES
    ),
]
Distractors = Annotated[
    str | None,
    typer.Option(
        help="same-task, random, lexical (nearest by BM25), corpus, none, or lexical:0.5,random:0.5.",
        rich_help_panel=_SAMPLES,
    ),
]
Corpus = Annotated[
    str | None,
    typer.Option(
        help="Texts for distractors: file, folder, glob, hf:// path or Hub dataset, as in "
        "ORG/NAME?split=test&columns=body.",
        rich_help_panel=_SAMPLES,
    ),
]
MaxReuse = Annotated[
    int | None, typer.Option(help="Most uses of one context as a distractor.", rich_help_panel=_SAMPLES)
]
Header = Annotated[
    str | None, typer.Option(help="Before each document, as in 'Document {n}:'.", rich_help_panel=_SAMPLES)
]
Abstain = Annotated[
    float | None, typer.Option(help="Share of samples without their evidence.", rich_help_panel=_SAMPLES)
]
Oversize = Annotated[
    str | None, typer.Option(help="A context over the length: reject or trim.", rich_help_panel=_SAMPLES)
]
RepeatQuestions = Annotated[
    bool | None,
    typer.Option(
        "--repeat-questions/--distinct-questions",
        help="Let contexts of pairs with the very same instruction stand side by side.",
        rich_help_panel=_SAMPLES,
    ),
]
Min = Annotated[
    str | None,
    typer.Option(
        "--min",
        metavar="PART=SHARE",
        help="Lowest scores, as in overall=0.5,support=0.3; also relevance and uniqueness.",
        rich_help_panel=_FILTERS,
    ),
]
DropLeaks = Annotated[
    bool | None,
    typer.Option(
        "--drop-leaks/--keep-leaks",
        help="Drop contexts that echo the question, give the answer away, refuse, or hold residue.",
        rich_help_panel=_FILTERS,
    ),
]
NearDuplicates = Annotated[
    float | None,
    typer.Option(
        help="Of contexts with this share of trigrams in common keep the best, as in 0.8. 0 is off.",
        rich_help_panel=_FILTERS,
    ),
]
MinWords = Annotated[
    str | None, typer.Option(help="Fewest words, or a share of --words, as in 80%.", rich_help_panel=_FILTERS)
]
MaxWords = Annotated[
    str | None, typer.Option(help="Most words, or a share of --words, as in 150%.", rich_help_panel=_FILTERS)
]
Language = Annotated[
    str | None,
    typer.Option(
        help="Languages to keep, as in en,de; same: that of the instruction.", rich_help_panel=_FILTERS
    ),
]
BenchmarkSource = Annotated[
    list[str] | None,
    typer.Option(
        "--benchmark",
        metavar="NAME=SOURCE",
        help="Check all rows against a benchmark: a file, folder or Hub dataset, as in longbench=FILE or "
        "helmet=ORG/NAME?split=test&columns=input.",
        rich_help_panel=_FILTERS,
    ),
]
Ngram = Annotated[
    int | None,
    typer.Option(help="Words in a row that count as shared. Default: 13.", rich_help_panel=_FILTERS),
]
DropContaminated = Annotated[
    bool | None,
    typer.Option(
        "--drop-contaminated/--keep-contaminated",
        help="Drop rows that a benchmark shares, instead of marking them.",
        rich_help_panel=_FILTERS,
    ),
]
Price = Annotated[
    str | None,
    typer.Option(
        metavar="IN,OUT",
        help="What a million tokens cost, in and out, as in 0.15,0.60.",
        rich_help_panel=_COST,
    ),
]
Rate = Annotated[
    float | None,
    typer.Option(help="Output tokens per second, to foresee the time.", rich_help_panel=_COST),
]
Seed = Annotated[
    int | None, typer.Option(help="Seed of every random choice. Default: 0.", rich_help_panel=_OUTPUT)
]
Out = Annotated[
    str | None, typer.Option(help="The run's folder. Default: runs/<name>.", rich_help_panel=_OUTPUT)
]
Name = Annotated[
    str | None, typer.Option(help="Base name of the dataset's configs.", rich_help_panel=_OUTPUT)
]
License = Annotated[str | None, typer.Option(help="Licence named in the card.", rich_help_panel=_OUTPUT)]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.", rich_help_panel=_OUTPUT)]
