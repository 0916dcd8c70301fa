"""What ``plan`` says: how the pairs stand, and what a run would take."""

from __future__ import annotations

from builder.job.amounts import budget_of, tell_bytes, tell_money, tell_number, tell_usage
from builder.job.estimate import LOOKED, Estimate
from builder.job.fitting import tell_fit
from builder.job.pacing import tell_time
from synthesis.data import Usage
from synthesis.options import RunConfig
from synthesis.wording import counted


def tell_estimate(found: Estimate, config: RunConfig) -> list[str]:
    """An estimate as lines of plain text."""
    counts = found.counts
    lines = [
        f"{counted(counts.total, 'row')} for {config.out_dir}: {counts.settled:,} done, "
        f"{counts.stale:,} stale, {counts.new:,} new, {counts.bad:,} unusable",
        f"a run would {_tell_work(found, config)}",
    ]
    if found.damaged:
        lines.append(
            f"{counted(found.damaged, 'damaged record')} in the journal, whose work counts as not done"
        )
    times, taken = found.required
    if times:
        lines.append(
            f"then {counted(times, 'question')} of --require, reading about "
            f"{tell_number(taken.prompt_tokens)} tokens"
        )
    times, taken = found.reasons
    if times:
        lines.append(
            f"then reasons of {counted(times, 'context')}, about {tell_number(taken.prompt_tokens)} tokens "
            f"in and {tell_number(taken.output_tokens)} out in {counted(taken.replies, 'reply', 'replies')}"
        )
    if found.usage.replies:
        replies = counted(found.usage.replies, "reply", "replies")
        lines.append(
            f"about {tell_number(found.usage.prompt_tokens)} tokens in and "
            f"{tell_number(found.usage.output_tokens)} out in {replies} "
            f"({found.rests_on})"
        )
        cost = "unknown, give --price IN,OUT" if found.money is None else tell_money(found.money, config.cost)
        for writer, usage in sorted(found.parts.items() if len(found.parts) > 1 else ()):
            lines.append(f"of which {writer}: about {tell_usage(usage, config, writer)}")
        lines.append(f"cost: {cost}")
    elif (found.required.times or found.reasons.times) and found.money is not None:
        lines.append(f"cost: {tell_money(found.money, config.cost)}")
    among = f" of the first {found.looked:,}" if found.looked == LOOKED else ""
    if found.quoted:
        kind = "pair is" if found.quoted == 1 else "pairs are"
        lines.append(
            f"{found.quoted:,}{among} {kind} of a kind that needs a model: without one, question and answer "
            "are only quoted, and `form` of the row says so; have them written by another --engine"
        )
    if found.crowded:
        have = "pair has an answer" if found.crowded == 1 else "pairs have answers"
        lines.append(
            f"{found.crowded:,}{among} {have} too long for contexts of so few words: one may stand there "
            f"as one block, which scores low; about --words {found.roomy:,} leaves room for all of them"
        )
    lines += tell_fit(config, counts.total - counts.bad)
    if counts.todo:
        if found.reach is not None:
            lines.append(_tell_budget(found, config))
        time = "unknown" if found.seconds is None else f"about {tell_time(found.seconds)}"
        lines.append(f"time: {time} ({found.by})")
    return lines


def _tell_work(found: Estimate, config: RunConfig) -> str:
    if not found.contexts:
        return "ask no questions" if config.asks else "write no contexts"
    disk = f"{tell_bytes(found.bytes)} on disk"
    if config.asks:
        return f"ask {counted(found.contexts, 'question')}, which takes {disk}"
    return f"write {counted(found.contexts, 'context')}, about {found.words:,} words and {disk}"


def _tell_budget(found: Estimate, config: RunConfig) -> str:
    cost, spent = config.cost, found.spent
    told = []
    if cost.max_cost:
        money = budget_of(config).money(spent) or 0.0
        told.append(f"{tell_money(money, cost)} of {tell_money(cost.max_cost, cost)} spent")
    if cost.max_total_tokens:
        taken = sum(spent.values(), Usage())
        tokens = taken.prompt_tokens + taken.output_tokens
        told.append(f"{tell_number(tokens)} of {tell_number(cost.max_total_tokens)} tokens spent")
    return f"budget: {', '.join(told)}; the rest is enough for about {found.reach:,} of {found.counts.todo:,}"
