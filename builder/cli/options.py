"""The options of a run on the command line: made of the fields of its tables, and read back into them.

``python -m builder.cli.options > docs/options.md`` writes the page that lists them.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Container, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, get_args, get_origin

import typer

from synthesis.errors import UsageError
from synthesis.options import RunConfig, load_config, override, run_settings
from synthesis.settings import Setting, parse_count

RunFile = Annotated[Path | None, typer.Argument(metavar="[RUN.toml]", help="A run's configuration.")]
AsConfig = Annotated[
    Path | None, typer.Option("--config", metavar="RUN.toml", help="The same, as an option.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.", rich_help_panel="Output")]


def lent(
    tables: Container[str], options: Container[str], told: Mapping[str, str] = MappingProxyType({})
) -> dict[str, inspect.Parameter]:
    """The parameters of all options of some ``tables``, and of further ``options``, by name.

    ``told`` is what some of them are in a command that is about something else than pairs.
    """
    found: dict[str, inspect.Parameter] = {}
    # Panels are shown in the order of their first options: what becomes of it all is the last.
    for one in sorted(run_settings(), key=lambda each: not each.table):
        if one.table in tables or one.parameter in options:
            about = replace(one.option, help=told.get(one.parameter, one.option.help))
            found.setdefault(
                one.parameter, _parameter(replace(one, option=about), one.panel if tables else None)
            )
    return found


def _parameter(one: Setting, panel: str | None) -> inspect.Parameter:
    kind: Any = one.kind
    if get_origin(kind) is dict:
        kind = list[str]
    elif get_origin(kind) is tuple or one.option.part or one.option.counts:
        kind = str
    told = typer.Option(one.flag, help=one.help, metavar=one.option.metavar or None, rich_help_panel=panel)
    return inspect.Parameter(
        one.parameter, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, told]
    )


def configured(file: Path | None, given: Mapping[str, Any]) -> RunConfig:
    """The configuration of a run: its file, if one is named, with the options given on top."""
    if file is None:
        return overridden(RunConfig(), given)
    from synthesis.run.folder import is_saved, load_saved

    if is_saved(file):
        saved = load_saved(file)
        if saved.out_dir.resolve() != file.parent.resolve():
            # Named from another folder, moved or copied: it is the run of the folder that it lies in.
            saved = override(saved, {"out": str(file.parent)})
        return overridden(saved, given)
    read = load_config(file)
    made = overridden(read, given)
    if read.require.engine or read.require.model or read.require.options:
        _check_require(made, f"[require] in {file}")
    return made


def named_file(run_file: Path | None, config: Path | None) -> Path | None:
    """The file of a run that was named, by its place or by ``--config``.

    Raises:
        UsageError: both are, or one names something else.
    """
    if run_file is not None and run_file.suffix != ".toml" and not run_file.is_dir():
        raise UsageError(
            f"what stands here is the TOML file of a run, and {run_file} is none; pairs are given as "
            f"--pairs {run_file}"
        )
    if config is None:
        return run_file
    if config.suffix != ".toml" or config.is_dir():
        raise UsageError(
            f"--config takes the TOML file of a run, and {config} is none; the config of a Hub dataset is "
            f"given as --pairs-config {config}, or behind its name: ORG/NAME?config={config}"
        )
    if run_file is not None and run_file != config:
        raise UsageError(f"{run_file} and --config {config} are two configurations; name one of them")
    return config


def overridden(base: RunConfig, given: Mapping[str, Any]) -> RunConfig:
    """A configuration with the options that were given in place of its values, or on top of its tables."""
    changes: dict[str, Any] = {}
    for one in run_settings():
        value = given.get(one.parameter)
        if value is not None and value != []:
            changes[one.key] = _read(one, value)
            if get_origin(one.kind) is dict:
                changes[one.key] = getattr(getattr(base, one.table), one.name) | changes[one.key]
    made = override(base, changes)
    if given.get("corpus"):
        _check_corpus(made)
    if idle := next((name for name in _OF_REQUIRE if given.get(name) not in (None, "", [])), ""):
        _check_require(made, f"--{idle.replace('_', '-')}")
    if idle := next((name for name in _OF_REASONS if given.get(name) not in (None, "", [])), ""):
        _check_reasons(made, f"--{idle.replace('_', '-')}")
    for name, (needed, is_asked) in _ABOUT.items():
        if given.get(name) not in (None, "", False) and not is_asked(made):
            flag = f"--{name.replace('_', '-')}"
            raise UsageError(f"{flag} does nothing without {needed}; add it, or leave {flag} out")
    _tell_idle(made, given)
    return made


def _surrounds(made: RunConfig) -> bool:
    from synthesis.assembly.options import parse_distractors

    return not parse_distractors(made.samples.distractors).uses("none")


# Options that say more of another: what that is, and whether it is asked for.
_ABOUT: Mapping[str, tuple[str, Callable[[RunConfig], object]]] = {
    "keychain_links": ("--keychain N", lambda made: made.samples.keychain),
    "refusal": ("--abstain SHARE or --twins", lambda made: made.samples.abstain or made.samples.twins),
    "ngram": ("--benchmark NAME=SOURCE", lambda made: made.contamination.benchmarks),
    "drop_contaminated": ("--benchmark NAME=SOURCE", lambda made: made.contamination.benchmarks),
    "mix_by": ("--mix MODEL=SHARE", lambda made: made.generation.mix),
    "currency": ("--price IN,OUT", lambda made: made.cost.price or made.generation.prices),
    "max_reuse": ("--distractors other than none", _surrounds),
    "separator": ("--distractors other than none", _surrounds),
}

# What is said to a model alone, and what bounds or foresees what is asked of one.
_OF_MODELS = ("temperature", "top_p", "max_tokens", "repairs")
_OF_COST = ("price", "rate", "max_cost", "max_total_tokens", "stop_after")

# What says who is asked for --require, and how.
_OF_REQUIRE = ("require_engine", "require_model", "require_option", "require_tokens")

# The same for --reasons.
_OF_REASONS = ("reasons_engine", "reasons_model", "reasons_template", "reasons_option")


def _tell_idle(made: RunConfig, given: Mapping[str, Any]) -> None:
    """Tell of options that are for a model where none is asked; an engine that is none leaves them alone.

    They are no error: the same options are given with one engine after another.
    """
    from builder.folder.facts import IMPORTED
    from synthesis.engines import engine_class

    writes = made.generation
    if writes.mix or writes.engine == IMPORTED or not engine_class(writes.engine).free:
        return
    idle = [*_OF_MODELS, *(_OF_COST if not (made.require.engine or made.reasons.engine) else ())]
    named = [f"--{name.replace('_', '-')}" for name in idle if given.get(name) not in (None, "")]
    if named:
        typer.echo(f"note: {writes.engine} is no model, and leaves alone {', '.join(named)}", err=True)


def _check_reasons(made: RunConfig, named: str) -> None:
    if not made.reasons.wanted:
        raise UsageError(
            f"{named} is about --reasons, and none are asked for; add --reasons model, or leave it out"
        )


def _check_require(made: RunConfig, named: str) -> None:
    from synthesis.run.requirements import wanted_kinds

    if not wanted_kinds(made.require):
        raise UsageError(
            f"{named} is about --require, and nothing is required; say what, as in "
            "--require gain=0.5,closed-book=fail, or leave it out"
        )


def _check_corpus(made: RunConfig) -> None:
    from synthesis.assembly.options import parse_distractors

    if not parse_distractors(made.samples.distractors).uses("corpus"):
        raise UsageError(
            f"--corpus gives texts and --distractors {made.samples.distractors} takes nothing from them; add "
            "--distractors corpus, or a mix such as corpus:0.5,same-task:0.5"
        )


def _read(one: Setting, given: Any) -> Any:
    """What was given as a value of the field; None where it is about another part of the flag."""
    about = one.option
    if get_origin(one.kind) is dict:
        values = assigned(one.flag, about.example, given)
        return values if get_args(one.kind)[1] is str else {k: _value(v) for k, v in values.items()}
    if about.part:
        return _part(one, given)
    if about.counts:
        return parse_count(given, one.flag)
    if get_origin(one.kind) is tuple:
        texts = [part.strip() for part in given.split(",") if part.strip()]
        return tuple(_number(one, text) if get_args(one.kind)[0] is float else text for text in texts)
    return given.replace("\\n", "\n") if about.breaks else given


def _part(one: Setting, text: str) -> float | str | None:
    """The value of a part in ``overall=0.5,support=0.3``."""
    parts = [other.option.part for other in run_settings() if other.parameter == one.parameter]
    given = assigned(one.flag, one.option.example, [each.strip() for each in text.split(",")])
    for part, value in given.items():
        if part not in parts:
            raise UsageError(
                f"{one.flag} takes {one.option.allowed} for any of {', '.join(parts)}; got {part}={value}"
            )
    wanted = given.get(one.option.part)
    return wanted if wanted is None or one.kind is str else _number(one, wanted)


def _number(one: Setting, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        part = f" {one.option.part}=" if one.option.part else ""
        raise UsageError(f"{one.flag}{part} takes {one.option.allowed}; got {text!r}") from None


def assigned(option: str, example: str, texts: list[str]) -> dict[str, str]:
    """The two sides of each ``KEY=VALUE``.

    Raises:
        UsageError: one has no two sides.
    """
    pairs = [text.partition("=") for text in texts]
    for text, (key, _, value) in zip(texts, pairs, strict=True):
        if not key or not value:
            raise UsageError(f"{option} takes two sides, as in {example}; got {text!r}")
    return {key: value for key, _, value in pairs}


def _value(text: str) -> Any:
    """A number, true, false, or JSON as what it is; anything else as text."""
    try:
        return json.loads(text)
    except RecursionError:
        raise UsageError("--option takes a value that is nested less deeply") from None
    except ValueError:  # no JSON, or a number of thousands of digits
        return text


_HEAD = """# Options

Every option of a run: its key in `run.toml`, its flag, what it is, and what it may be. `context-synthesis
run RUN.toml` reads a file with these tables; a flag stands above the file. In Python the options of samples
are keywords of `assemble` and `load`, those of contexts keywords of `synthesize`. An option that is not used
changes nothing that was made before it existed, and no version.

Made from the fields of `synthesis/options`, by `python -m builder.cli.options > docs/options.md`."""


def page() -> str:
    """The page of all options, as Markdown."""
    lines, table = [_HEAD], None
    for one in sorted(run_settings(), key=lambda each: bool(each.table)):
        if one.table != table:
            table = one.table
            lines.append(f"\n## {f'[{table}]' if table else 'The run itself'}\n")
            lines += ["| key | flag | what it is | may be |", "|---|---|---|---|"]
        flag = f"{one.flag} {one.option.part}=..." if one.option.part else one.flag.replace("/", " / ")
        cells = (f"`{one.name}`", f"`{flag}`", one.help, one.option.allowed)
        lines.append(
            "| " + " | ".join(cell.replace("|", "\\|").replace("<", "&lt;") for cell in cells) + " |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    typer.echo(page(), nl=False)
