"""``evaluate``: questions to a model under matched conditions, predictions and scores."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from builder.cli.base import command
from builder.cli.options import Quiet, assigned, overridden
from synthesis.options import RunConfig
from synthesis.wording import counted

if TYPE_CHECKING:
    from builder.job.evaluating import EvaluationConfig, EvaluationPlan, EvaluationSummary
    from synthesis.evaluation.questions import QuestionSource

_MANY = 0.1  # of the replies; a few always are, and a benchmark may mean it so
_SHARED = ("model", "option", "limit", "seed", "tokenizer", "pairs_config", "split", "task")
_COST = ("price", "currency", "rate", "max_cost", "max_total_tokens", "stop_after")
# Of a run they speak of pairs.
_TOLD = {
    "limit": "Ask only the first N questions.",
    "task": "Task of all questions.",
    "max_cost": "Ask no more when so much is spent in the folder.",
    "max_total_tokens": "Ask no more when so many tokens, in and out, are spent, as in 100k or 2M.",
    "stop_after": "Stop when so many questions in a row failed alike.",
}


@command(options=(*_SHARED, *_COST), told=_TOLD)
def evaluate(
    questions: Annotated[
        str,
        typer.Option(
            "--questions",
            metavar="SRC",
            help="A benchmark's files, a dataset of this tool, or any file or dataset with context, "
            "question and answers.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for predictions and scores.")],
    engine: Annotated[str, typer.Option(help="Who answers: openai, vllm, transformers or batch.")],
    condition: Annotated[
        str, typer.Option(help="What is shown: full, closed (nothing), oracle (the evidence), none-evidence.")
    ] = "full",
    lengths: Annotated[
        str, typer.Option(help="Tokens of the prompt, as in own,4k,8k; own is the context as it is.")
    ] = "own",
    depth: Annotated[
        str, typer.Option(help="Where the own context stands there: uniform, or each of 0,0.5,1.")
    ] = "uniform",
    distractors: Annotated[
        str,
        typer.Option(
            help="Whose documents stand around it there: same-task, random, lexical (nearest by BM25), none, "
            "or lexical:0.5,random:0.5."
        ),
    ] = "same-task",
    window: Annotated[
        str, typer.Option(metavar="TOKENS", help="Cut longer prompts in the middle, as LongBench does.")
    ] = "",
    form: Annotated[str, typer.Option(help="Form of the source, if it cannot be told.")] = "",
    tasks: Annotated[
        str, typer.Option(metavar="NAMES", help="Of a benchmark's tasks only these: hotpotqa,trec.")
    ] = "",
    prompts: Annotated[
        str,
        typer.Option(metavar="PATH", help="A benchmark's own prompts, if they are not beside its data."),
    ] = "",
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="OURS=THEIRS", help="Map a column: context, instruction, answer, evidence ..."),
    ] = None,
    metric: Annotated[
        str, typer.Option(metavar="NAMES", help="Further scores, as in rouge-l,contains.")
    ] = "",
    temperature: Annotated[float, typer.Option(min=0, max=2, help="0 takes the likeliest token.")] = 0.0,
    max_tokens: Annotated[
        int, typer.Option(min=0, help="Longest reply. Default: what the question says, else 512.")
    ] = 0,
    likelihood: Annotated[
        bool, typer.Option("--likelihood", help="Add the answer's log-likelihood, where the engine has it.")
    ] = False,
    replies: Annotated[
        bool, typer.Option("--replies/--no-replies", help="Ask for replies, or for likelihoods only.")
    ] = True,
    plan: Annotated[
        bool, typer.Option("--plan", help="Say what would be asked, and what it would take; do nothing.")
    ] = False,
    *,
    quiet: Quiet = False,
    **given: Any,
) -> None:
    """Ask a model questions over their contexts, and score its answers.

    Run the same command again to go on after an interruption: nothing is asked twice.
    """
    from builder.job.evaluating import EvaluationConfig, evaluate_folder, plan_evaluation
    from synthesis.evaluation.asking import conditions_of
    from synthesis.evaluation.scoring import check_metrics
    from synthesis.tokens import parse_length

    run = overridden(RunConfig(), {**given, "engine": engine})
    config = EvaluationConfig(
        out=out,
        source=replace(
            _source(questions, given, assigned("--column", "context=document", column or [])),
            tasks=_names(tasks),
            prompts=prompts,
        ),
        conditions=conditions_of(
            condition,
            lengths,
            depth,
            distractors,
            parse_length(window) if window else 0,
            run.seed,
        ),
        run=run,
        form=form,
        temperature=temperature,
        max_tokens=max_tokens,
        metrics=check_metrics(_names(metric)),
        likelihood=likelihood,
        replies=replies,
    )
    if plan:
        typer.echo("\n".join(_tell_plan(plan_evaluation(config), config)))
        return
    from rich.console import Console

    from builder.cli.progress import TerminalReporter

    with TerminalReporter(Console(stderr=True, quiet=quiet)) as reporter:
        summary = evaluate_folder(config, reporter)
    table = _write_table(summary, config)
    if not quiet:
        typer.echo("\n".join([table, *_tell(summary, config)]))
    if summary.left:
        typer.echo(
            f"error: {_unasked(summary)}; what there is stays. Go on with a higher --max-cost or "
            "--max-total-tokens",
            err=True,
        )
        raise typer.Exit(1)
    if failed := _failed(summary):
        typer.echo(f"error: {_unanswered(summary, failed)}\nrun the same command to ask again", err=True)
        raise typer.Exit(1)


def _names(given: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in given.split(",") if name.strip())


def _source(questions: str, given: dict[str, Any], columns: dict[str, str]) -> QuestionSource:
    """Where the questions are; of a dataset of this tool the config is found out, as an export does."""
    from builder.export.source import choose_config
    from builder.folder.place import find_place
    from synthesis.evaluation.questions import QuestionSource
    from synthesis.run.folder import kind_of

    config, split = given["pairs_config"], given["split"]
    place = questions
    if Path(questions).expanduser().is_dir() and kind_of(Path(questions).expanduser()) in ("run", "dataset"):
        found = find_place(questions)
        place, config = found.at, choose_config(found, config, "--pairs-config")
    return QuestionSource(place, config, split, columns, given["task"] or "")


def _write_table(summary: EvaluationSummary, config: EvaluationConfig) -> str:
    """The scores as tables and figures in the evaluation's folder; the tables."""
    from builder.job.evaluating import FIGURES, TABLE
    from builder.report.evaluation import tables, write_figures
    from synthesis.storage import replace_file

    told = tables(summary.tally)
    model = summary.facts["model"] or summary.facts["engine"]
    lines = _notes(summary)
    if summary.left:
        lines.append(_unasked(summary))
    if failed := _failed(summary):
        lines.append(_unanswered(summary, failed))
    parts = [f"# {model}, {summary.facts['source']}\n\n{told}", "".join(f"- {line}\n" for line in lines)]
    replace_file(config.out / TABLE, "\n".join(filter(None, parts)))
    write_figures(summary.tally, config.out / FIGURES, str(model).rstrip("/").rsplit("/", 1)[-1])
    return told


def _notes(summary: EvaluationSummary) -> list[str]:
    """What is to be known of the scores: the same whenever the same is there."""
    from synthesis.evaluation.conditions import ORACLE

    lines = [f"wording of {counted(n, 'question')}: {name}" for name, n in summary.facts["wordings"].items()]
    if hidden := summary.facts["answers_hidden"]:
        lines.append(f"without a score, as the answer is kept hidden: {counted(hidden, 'question')}")
    for name, count in summary.lacking.items():
        lines.append(f"{name}: {counted(count, 'question')} left out, evidence not known")
    if whole := summary.tally.shown_whole():
        lines.append(
            f"{ORACLE}: {counted(whole, 'question')} asked over the whole context, as where its evidence "
            "stands is not recorded; no share is told of these where the context is as it is. Name what "
            "holds the evidence with --column evidence=NAME"
        )
    cut, replies = summary.tally.cut()
    if cut > _MANY * replies:
        lines.append(
            f"cut off at their longest: {cut:,} of {counted(replies, 'reply', 'replies')}, which lowers "
            "scores; --max-tokens gives more room"
        )
    if summary.bad:
        first, rest = summary.bad[0], counted(len(summary.bad), "row")
        lines.append(f"no questions: {rest}, the first: {first.pair_id}: {first.reason}")
    return lines


def _unasked(summary: EvaluationSummary) -> str:
    return f"the budget does not reach further: {counted(summary.left, 'answer')} missing"


def _unanswered(summary: EvaluationSummary, failed: int) -> str:
    return f"{failed:,} got no reply, the first: {summary.tally.failure}"


def _failed(summary: EvaluationSummary) -> int:
    return sum(one["failed"] for one in summary.facts["conditions"])


def _tell(summary: EvaluationSummary, config: EvaluationConfig) -> list[str]:
    from builder.job.evaluating import SCORES
    from builder.job.pacing import tell_time

    lines = _notes(summary)
    if summary.damaged:
        lines.append(f"{counted(summary.damaged, 'damaged record')} asked again")
    if summary.files:
        files = counted(len(summary.files), "file")
        lines.append(f"for the benchmark's own scorer: {config.out / 'predictions'} ({files})")
    lines.append(f"{summary.asked:,} asked in {tell_time(summary.seconds)}; scores: {config.out / SCORES}")
    return lines


def _tell_plan(found: EvaluationPlan, config: EvaluationConfig) -> list[str]:
    from builder.job.amounts import tell_money, tell_number
    from builder.job.pacing import tell_time

    cost = config.run.cost
    asked, bad = counted(found.questions, "question"), counted(found.bad, "unusable row")
    lines = [f"{asked} in the form '{found.form}', {bad}"]
    lines += [
        f"{name}: {counted(count, 'question')} left out, evidence not known"
        for name, count in found.lacking.items()
    ]
    lines.append(f"prompts: {found.known:,} answered, {found.new:,} to ask")
    lines.append(
        f"tokens: about {tell_number(found.usage.prompt_tokens)} in, at most "
        f"{tell_number(found.usage.output_tokens)} out"
    )
    if found.money is not None:
        lines.append(f"cost: at most {tell_money(found.money, cost)}")
    if found.seconds is not None:
        lines.append(f"time: at most {tell_time(found.seconds)} at {cost.rate:g} tokens out per second")
    return lines
