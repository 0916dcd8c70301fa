"""``score``: the coherence of rows in any file, what a model gains from their contexts or says of them."""

from __future__ import annotations

import json
from collections import Counter
from typing import Annotated, Any

import typer

from builder.cli.base import command
from builder.cli.options import assigned, overridden
from synthesis.errors import UsageError
from synthesis.wording import counted


@command(options=("column", "split", "model", "option", "repairs"))
def score(
    source: Annotated[str, typer.Argument(metavar="FILE", help="JSONL, CSV, Parquet or a dataset.")],
    explain: Annotated[bool, typer.Option("--explain", help="Add plain sentences that say why.")] = False,
    gain: Annotated[
        str | None,
        typer.Option(
            metavar="ENGINE", help="Add what a model gains: transformers, vllm, or openai where it scores."
        ),
    ] = None,
    gain_windows: Annotated[
        bool, typer.Option("--gain-windows", help="Leave out each window in turn as well (slow).")
    ] = False,
    judge: Annotated[
        str | None,
        typer.Option(metavar="ENGINE", help="Add a model's verdict: openai, vllm or transformers."),
    ] = None,
    max_tokens: Annotated[
        int | None,
        typer.Option("--max-tokens", min=1, help="Longest reply of the judge. Default: 2048."),
    ] = None,
    **given: Any,
) -> None:
    """Coherence of each row's context with its instruction and answer, as JSON lines."""
    from contextlib import ExitStack
    from dataclasses import replace

    from builder.job.scoring import Judge, gain_engine, score_source
    from synthesis.engines import engine_with
    from synthesis.options import RunConfig
    from synthesis.run.judge import JUDGING

    _check(
        gain,
        judge,
        gain_windows,
        bool(given["model"] or given["option"]),
        bool(max_tokens) or given["repairs"] is not None,
    )
    columns = assigned("--column", "context=document", given["column"] or [])
    generation = overridden(
        RunConfig(), {name: given[name] for name in ("model", "option", "repairs")}
    ).generation
    tally = _Tally()
    with ExitStack() as stack:
        engine = None
        if gain is not None:
            engine = gain_engine(gain, generation.model, generation.options)
        elif judge is not None:
            engine = engine_with(judge, generation.model, generation.options)
        if engine is not None:
            stack.callback(engine.close)
        judged_by = None
        if engine is not None and judge is not None:
            sampling = replace(JUDGING, max_tokens=max_tokens or JUDGING.max_tokens)
            judged_by = Judge(engine, sampling, generation.repairs)
        for line in score_source(
            source,
            columns=columns,
            split=given["split"] or "train",
            reasons=explain,
            engine=engine if gain is not None else None,
            windows=gain_windows,
            judge=judged_by,
        ):
            typer.echo(json.dumps(line, ensure_ascii=False))
            tally.add(line)
    typer.echo(tally.sentence(gain=gain is not None, judge=judge is not None), err=True)


def _check(gain: str | None, judge: str | None, windows: bool, which: bool, how: bool) -> None:
    """Options that would have no effect are refused, before anything is loaded."""
    if gain is not None and judge is not None:
        raise UsageError(
            "--gain and --judge each take an engine, and --model and --option are for one; "
            "score the file once with each and join the lines by their row"
        )
    if windows and gain is None:
        raise UsageError("--gain-windows is about --gain ENGINE; name the engine")
    if which and gain is None and judge is None:
        raise UsageError("--model and --option are about --gain ENGINE or --judge ENGINE; name the engine")
    if how and judge is None:
        raise UsageError("--max-tokens and --repairs are about --judge ENGINE; name the engine")


_MEANS = ("overall", "gain", "judge_overall")


class _Tally:
    """Counts and sums over the lines, for the closing sentence."""

    def __init__(self) -> None:
        self._rows = 0
        self._having: Counter[str] = Counter()
        self._sums: dict[str, float] = dict.fromkeys(_MEANS, 0.0)

    def add(self, line: dict[str, Any]) -> None:
        """Count one line."""
        self._rows += 1
        for name in _MEANS:
            if name in line:
                self._having[name] += 1
                self._sums[name] += line[name]

    def sentence(self, *, gain: bool, judge: bool) -> str:
        """What there was, and what a model said of how many."""
        scored = self._having["overall"]
        text = (
            f"{counted(scored, 'row')} scored, mean {self._mean('overall')}, {self._rows - scored:,} unusable"
        )
        if gain and self._having["gain"]:
            without = scored - self._having["gain"]
            text += f"; mean gain {self._mean('gain', '+.3f')} nats per token, {without:,} without"
        elif gain:
            text += "; no gain could be had of any"
        if judge and self._having["judge_overall"]:
            without = scored - self._having["judge_overall"]
            text += f"; the judge's mean {self._mean('judge_overall')}, {without:,} without a verdict"
        elif judge:
            text += "; the judge gave no verdict on any"
        return text

    def _mean(self, name: str, form: str = ".3f") -> str:
        having = self._having[name]
        return format(self._sums[name] / having, form) if having else "none"
