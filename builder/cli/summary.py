"""What a job says at its end: what was made, how good it is, why not more, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from builder.folder.codes import tell_codes
from builder.folder.facts import IMPORTED
from builder.job.quality import LOW
from synthesis.options import KINDS
from synthesis.sources.splits import tell_files
from synthesis.storage import in_shell
from synthesis.wording import counted

if TYPE_CHECKING:
    from builder.job.execute import Summary
    from synthesis.assembly.options import Choice
    from synthesis.options import RunConfig

_MOST_REASONS = 6
_FILTERING = {"filter", "require", "contamination"}
# By the name of a filter, and by the stage of everything else: what keeps less from being rejected.
_FILTERS = {
    "words": "the bound of --min-words or --max-words, or --words",
    "language": "--language, or the language that is written",
    "repetition": "raise --max-repetition",
    "near-duplicate": "raise --near-duplicates",
    "repeated": "ask for fewer questions of each text (--per-document)",
    **{part: f"lower --min {part}=..." for part in ("overall", "support", "relevance", "uniqueness")},
}
_STAGES = {
    "require": "lower what --require asks for, or have another model asked (--require-model)",
    "contamination": "leave --drop-contaminated out: such rows are marked then, and stay",
    "pairs": "correct the rows, or name their columns (--column instruction=NAME --column answer=NAME)",
    **dict.fromkeys(("parse", "check"), "try another model, --template or --temperature on a few (--limit)"),
}
_NOT_OF_A_MODEL = ("pairs: ", "assembly: ", "contamination: ")


def tell_summary(summary: Summary, config: RunConfig) -> list[str]:
    """The last lines of a job."""
    return [_made(summary, _what(config)), *_details(summary, config)]


def failure(summary: Summary, config: RunConfig) -> str:
    """What went wrong, and what to do; empty if the job was done to its end and made something."""
    again = f"context-synthesis run {in_shell(config.out_dir / 'run.toml')}"
    left = f"{counted(summary.counts.left, 'pair')} of {summary.counts.total:,} left; what is done is kept"
    if summary.counts.failed:
        many = config.cost.stop_after
        return (
            f"stopped: {counted(many, 'pair')} in a row came to the same, {summary.counts.failed}\n{left}. "
            "Try another model, --template or --temperature on a few pairs (--limit), or go on regardless: "
            f"{again} --stop-after 0"
        )
    if summary.counts.left:
        more = "--max-cost" if config.cost.max_cost else "--max-total-tokens"
        return f"the budget does not reach further: {left}. Go on with a higher one: {again} {more} ..."
    return "" if summary.contexts else _nothing(summary, config)


def _nothing(summary: Summary, config: RunConfig) -> str:
    """Why there is no context at all: how many for which reason, one of the commonest, and what to change."""
    found, what = summary.quality, _what(config)
    if not found.reasons:
        return f"no {what} was made; the source has no pairs"
    kind, number = next(iter(found.reasons.items()))
    stages = {one.partition(":")[0] for one in found.reasons}
    filtered = stages <= _FILTERING
    outcome = f"the filters dropped every {what}" if filtered else f"no {what} was made"
    all_told = sum(found.reasons.values())
    lines = [f"{outcome}: {_by_kind(found.reasons)}"]
    if example := found.examples.get(kind):
        where, reason = example
        lines.append(f"of the commonest, {number:,} of {all_told:,}, the first is {where}: {reason}")
    lines.append(_advice(kind))
    if config.dataset.rejected:
        folder, name = in_shell(config.out_dir), f"{config.name}-rejected"
        lines.append(f"each can be looked at: context-synthesis show {folder} 0 --config {name}")
    elif not filtered:
        lines.append(f"the texts are in {config.out_dir / 'journal' / 'rejected.jsonl'}")
    return "\n".join(lines)


def _by_kind(reasons: Mapping[str, int]) -> str:
    """``filter: words (3), filter: leak (2)``; no more than a few kinds."""
    told = [f"{reason} ({count:,})" for reason, count in list(reasons.items())[:_MOST_REASONS]]
    others = sum(list(reasons.values())[_MOST_REASONS:])
    return ", ".join(told) + (f", others ({others:,})" if others else "")


def _advice(kind: str) -> str:
    """What to change where most is rejected for this."""
    stage, _, name = kind.partition(": ")
    if stage == "filter":
        flag = _FILTERS.get(name) or "leave --drop-leaks out"
        return f"what to change: {flag}"
    return f"what to change: {_STAGES.get(stage, 'as the reason says')}"


def _made(summary: Summary, what: str) -> str:
    filled = [result for result in summary.dataset.configs if result.rows]
    written = sum(result.built for result in filled)
    parts = [
        counted(summary.contexts, what),
        f"{summary.rejected:,} rejected",
        f"{counted(len(filled), 'config')} ({f'{written} written' if written else 'nothing changed'})",
        f"{summary.seconds:.1f} s",
        str(summary.dataset.path),
    ]
    return ", ".join(parts)


def _details(summary: Summary, config: RunConfig) -> Iterator[str]:
    made = [result for result in summary.dataset.configs if result.kind in KINDS]
    empty = [result.name for result in made if not result.rows]
    if summary.contexts and empty:
        yield (
            f"without a single sample: {', '.join(empty)}. No context fits the length; ask for a greater "
            "one with --lengths, or add --oversize trim"
        )
    if summary.damaged:
        yield f"{counted(summary.damaged, 'damaged record')} redone"
    found = summary.quality
    if found.scored:
        share = f"{found.low / found.scored:.0%} of them" if found.low else "none of them"
        yield f"coherence: {found.mean:.2f} on average; {share} under {LOW:.2f}"
    if found.reasons:
        yield f"rejected for: {_by_kind(found.reasons)}"
    if found.no_twins:
        yield f"{counted(found.no_twins, 'twin')} not made; the rejected config says why of each"
    if config.reasons.wanted:
        yield f"reasons: {counted(found.reasoned, 'context')} of {summary.contexts:,} with some"
    if found.no_reasons:
        yield f"{counted(found.no_reasons, 'context')} without reasons; the rejected config says why of each"
    if summary.usage.output_tokens:
        from builder.job.amounts import tell_usage, tell_usages

        yield f"so far in this folder: {tell_usages(summary.parts or {'': summary.usage}, config)}"
        for name, usage in sorted(summary.parts.items()):
            yield f"of which {name or 'others'}: {tell_usage(usage, config, name)}"
    if summary.realised and summary.realised.off:
        yield (
            f"over 20 % longer or shorter than asked: {counted(summary.realised.off, 'context')} of "
            f"{summary.realised.contexts:,}; on average {summary.realised.mean:.0%} of the words"
        )
    if summary.short:
        yield f"shorter than asked: {counted(summary.short, 'sample')}, {_why_short(summary, config)}"
    if files := tell_files(summary.source or {}):
        yield files
    yield from tell_codes(config.dataset.language, config.dataset.license)
    if summary.contexts and not summary.counts.left:
        again = any(not reason.startswith(_NOT_OF_A_MODEL) for reason in found.reasons)
        if again and summary.realised:  # a model was asked
            yield (
                "next: ask the rejected again, with "
                f"context-synthesis run {in_shell(config.out_dir / 'run.toml')} --retry-rejected"
            )
        else:
            yield f"next: context-synthesis report {in_shell(config.out_dir)}"


def _why_short(summary: Summary, config: RunConfig) -> str:
    """What keeps samples from their length, and what would help here."""
    from synthesis.assembly.options import parse_distractors

    made = config.samples
    chosen = parse_distractors(made.distractors)
    longer = config.generation.engine != IMPORTED and not config.asks  # else the words are not ours to choose
    if chosen.uses("none"):
        words = "Raise --words, or leave" if longer else "Leave"
        return f"as no distractors were asked for. {words} --distractors none out"
    outside = chosen.uses("corpus")
    ways = ["raise --words"] if longer else []
    if made.max_reuse:
        ways.append("raise --max-reuse")
    if outside:
        ways.append("give a larger --corpus")
    # Both of the others may take what is of another task already.
    alone = chosen.uses("same-task") and not (chosen.uses("random") or chosen.uses("lexical"))
    if alone and _has_several_tasks(summary):
        ways.append("use --distractors random")
    if not outside:
        ways.append(f"take texts of yours as well (--distractors {_with_corpus(chosen)} --corpus SRC)")
    first = "Add texts" if config.asks else "Add pairs"
    *others, last = [first, *ways]
    return f"for lack of other contexts. {', '.join(others)}{',' if len(others) > 1 else ''} or {last}"


def _has_several_tasks(summary: Summary) -> bool:
    from builder.folder.versions import read_manifests

    newest = [versions[-1] for versions in read_manifests(summary.dataset.path).values()]
    return len({task for one in newest if one.kind == "raw" for task in one.statistics.get("tasks", ())}) > 1


def _with_corpus(chosen: Choice) -> str:
    """The same distractors, half of them from a corpus."""
    return ",".join([*(f"{name}:{share / 2:g}" for name, share in chosen.parts), "corpus:0.5"])


def _what(config: RunConfig) -> str:
    """What a job makes."""
    return "pair" if config.asks else "context"
