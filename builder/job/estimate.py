"""What a run would take: tokens, time, money, disk. Estimates, and what they rest on.

Prompts are made as a run makes them and counted with their chat template; what replies take is read
from the folder's records, or estimated from the words asked for as long as there are none. Asks no
engine and writes nothing. What cannot be known stays None.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

from builder.job.amounts import budget_of
from builder.job.fitting import TOKENS_PER_WORD, pool_of
from synthesis.assembly import parse_lengths
from synthesis.data import Context, Message, Pair, Usage
from synthesis.errors import TokenizerError
from synthesis.options import RunConfig
from synthesis.run.budget import Budget
from synthesis.run.job import Job
from synthesis.run.journal import Journal
from synthesis.run.loop import Counts, Row
from synthesis.run.reasoning import WORDS as REASON_WORDS
from synthesis.run.reasoning import Reasoner
from synthesis.run.reasons import Reasons, lacking
from synthesis.run.requirements import BY_REPLY, Requirements, wanted_kinds
from synthesis.tokens import Tokenizer, load_tokenizer

# Bytes of English per word and per token of a sample, and the share of them that zstd leaves.
_BYTES_PER_WORD, _BYTES_PER_TOKEN, _PACKED = 6.2, 4.4, 0.35
_COUNTED = 200  # prompts that are counted; the others are taken to be like them
LOOKED = 2000
"""Pairs that are looked at one by one: reading one takes some milliseconds."""

_ASKED_AGAIN = 0.25  # of replies, until some have told
# What --require asks: tokens of a question with its wording, of a short reply.
_QUESTION, _SHORT_REPLY = 60, 30


@dataclass(frozen=True, slots=True)
class RunPace:
    """How an earlier run of the folder went: what it wrote, and how long that took."""

    contexts: int = 0
    words: int = 0
    output_tokens: int = 0
    seconds: float = 0.0


class Prompts:
    """The first prompts of pairs that are still to be asked for, and of pairs that are done, in tokens."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.open: list[tuple[Message, ...]] = []
        self._settled: list[tuple[Message, ...]] = []

    def add(self, row: Row) -> None:
        """Take a row's prompt, unless there are enough."""
        sort = self.open if row.is_open else self._settled
        if row.prompts and len(sort) < _COUNTED:
            sort.append(row.prompts[0].messages)

    @cached_property
    def tokens(self) -> float:
        """Of a prompt that is still to be asked."""
        return mean(map(self.tokenizer.count_chat, self.open))

    @cached_property
    def ratio(self) -> float:
        """How much longer these are than those that were asked."""
        return self.tokens / mean(map(self.tokenizer.count_chat, self._settled)) if self._settled else 1.0

    @cached_property
    def tokens_per_word(self) -> float:
        """Of the texts that they are made of."""
        texts = [message.content for messages in self.open for message in messages]
        return sum(map(self.tokenizer.count, texts)) / max(1, sum(len(text.split()) for text in texts))


class OpenQuestions(NamedTuple):
    """What is still to be asked about contexts, and what it would take."""

    times: int = 0
    usage: Usage = Usage()


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is left to do and what it would take; ``contexts`` counts all candidates.

    ``usage`` is zero for an engine that takes no tokens. ``seconds`` and ``money`` are None
    where nothing tells the rate or the price. ``bytes`` is disk for new contexts and samples.
    ``rests_on`` says where the tokens come from, ``by`` where the time does. ``spent`` is what the
    folder took so far; ``reach`` contexts the rest of the budget is enough for, None without one.
    ``damaged`` counts records of the journal that are, and whose work is done again. ``quoted`` of the
    first ``looked`` pairs to do are of a kind that takes a model, which the engine is not; the answers of
    ``crowded`` are too long for the words asked for, ``roomy`` would do for all of them. ``required`` are
    the questions that ``--require`` has yet to ask, ``reasons`` those of ``--reasons``. ``parts`` divides
    ``usage`` among the models of a mix.
    """

    counts: Counts
    contexts: int
    words: int
    usage: Usage
    seconds: float | None
    money: float | None
    bytes: int
    rests_on: str
    by: str
    spent: Mapping[str, Usage] = field(default_factory=dict)
    reach: int | None = None
    damaged: int = 0
    quoted: int = 0
    looked: int = 0
    crowded: int = 0
    roomy: int = 0
    required: OpenQuestions = OpenQuestions()
    reasons: OpenQuestions = OpenQuestions()
    parts: Mapping[str, Usage] = field(default_factory=dict)


def read_pace(manifest: Mapping[str, Any]) -> RunPace:
    """The pace that a run's manifest recorded; zero if none did."""
    told = manifest.get("pace")
    known = told if isinstance(told, Mapping) else {}
    numbers: dict[str, Any] = {one.name: known.get(one.name) for one in fields(RunPace)}
    usable: dict[str, Any] = {name: n for name, n in numbers.items() if isinstance(n, int | float)}
    return RunPace(**usable)


def estimate(
    config: RunConfig,
    job: Job,
    rows: Iterable[Row],
    journal: Journal,
    tokenizer: Tokenizer,
    pace: RunPace,
    words_before: int = 0,
) -> Estimate:
    """Survey the pairs and add up what those that are not settled would take.

    Once pairs were asked for in the folder, the others are taken to be like them, with prompts as much
    longer as theirs are, and replies as ``words_before`` tells, the words that were asked for then.
    """
    states: dict[str, int] = {}
    prompts = Prompts(tokenizer)
    todo: Counter[str] = Counter()  # by writer; candidates count, each of them
    looked = quoted = crowded = roomy = 0
    for row in rows:
        states[row.state] = states.get(row.state, 0) + 1
        todo.update(prompt.writer for _, prompt in row.missing(job, journal))
        prompts.add(row)
        if row.is_open and job.engine.free and looked < LOOKED:
            looked += 1
            quoted += job.engine.needs_model(row.prompts[0])
            if needed := job.engine.words_needed(row.prompts[0]):
                crowded, roomy = crowded + 1, max(roomy, needed)
    counts = Counts(**states, failed="")
    contexts, budget = todo.total(), budget_of(config)
    parts, rests_on = _usages(job, todo, prompts, journal, words_before)
    usage = sum(parts.values(), Usage())
    required = _required(config, counts.todo, journal)
    reasons = _reasons(config, contexts if job.keeps else counts.todo, journal, tokenizer)
    beside = required.usage + reasons.usage
    seconds, by = _time(config.cost.rate, contexts, usage, pace)
    return Estimate(
        counts=counts,
        contexts=contexts,
        words=contexts * job.words,
        usage=usage,
        seconds=seconds,
        money=budget.money({**parts, "": parts.get("", Usage()) + beside})
        if (usage + beside).prompt_tokens
        else 0.0,
        bytes=_disk(config, counts.todo, counts.total - counts.bad),
        rests_on=rests_on,
        by=by,
        spent=journal.usage_by,
        reach=_reach(budget, journal.usage_by, parts, counts.todo),
        damaged=journal.damaged,
        quoted=quoted,
        looked=looked,
        crowded=crowded,
        roomy=roomy,
        required=required,
        reasons=reasons,
        parts={writer: part for writer, part in parts.items() if writer},
    )


def _required(config: RunConfig, todo: int, journal: Journal) -> OpenQuestions:
    """What ``--require`` has yet to ask: of the contexts that are there, and of those to be written."""
    kinds = wanted_kinds(config.require)
    if not kinds:
        return OpenQuestions()
    open_kinds = Counter(dict.fromkeys(kinds, todo))
    if journal.holds_current:
        wanted = Requirements(config, journal)
        open_kinds.update(one.kind for one in wanted.lacking(journal.current_contexts()))
    reading = round(_words(config) * TOKENS_PER_WORD) + _QUESTION
    replies = sum(open_kinds[kind] for kind in BY_REPLY)
    # A gain reads the question alone as well; what is lost without the evidence, the text twice.
    each = {
        "gain": reading + _QUESTION,
        "evidence": 2 * reading,
        "closed-book": _QUESTION,
        "open-book": reading,
    }
    tokens_in = sum(count * each[kind] for kind, count in open_kinds.items())
    return OpenQuestions(sum(open_kinds.values()), Usage(replies, tokens_in, replies * _SHORT_REPLY))


def _reasons(config: RunConfig, todo: int, journal: Journal, tokenizer: Tokenizer) -> OpenQuestions:
    """What ``--reasons`` has yet to ask: about the contexts that are there, and about those to be written."""
    if not config.reasons.wanted:
        return OpenQuestions()
    reasoner = Reasoner.of(config)
    there, counted = 0, list[int]()
    if journal.holds_current:
        for _, _, prompt in lacking(reasoner, journal.current_contexts(), Reasons(journal)):
            there += 1
            if len(counted) < _COUNTED:
                counted.append(tokenizer.count_chat(prompt.messages))
    frame = reasoner.prompt(Pair(instruction="?", answer="?"), Context("", ""))
    expected = tokenizer.count_chat(frame.messages) + _words(config) * TOKENS_PER_WORD + _QUESTION
    reading = there * (mean(counted) if counted else 0) + todo * expected
    output = (there + todo) * REASON_WORDS * TOKENS_PER_WORD
    again = _ASKED_AGAIN if reasoner.repairs else 0.0
    reading += again * (reading + output)
    replies, output = round((there + todo) * (1 + again)), output * (1 + again)
    return OpenQuestions(there + todo, Usage(replies, round(reading), round(output)))


def _reach(budget: Budget, spent: Mapping[str, Usage], usage: Mapping[str, Usage], todo: int) -> int | None:
    """How many of the contexts to be written a budget is enough for."""
    if not budget:
        return None
    needed = budget.share(usage)
    return todo if needed <= 0 else min(todo, max(0, int(todo * (1 - budget.share(spent)) / needed)))


def _usages(
    job: Job, todo: Mapping[str, int], prompts: Prompts, journal: Journal, words_before: int
) -> tuple[dict[str, Usage], str]:
    """What so many contexts of each writer would take, and what that rests on."""
    if job.engine.free or not prompts.open:
        return {}, ""
    found = {
        writer: _usage(job, count, prompts, _taken(journal, writer), words_before)
        for writer, count in todo.items()
    }
    told = dict.fromkeys(rests_on for _, rests_on in found.values())
    return {writer: usage for writer, (usage, _) in found.items()}, "; ".join(told)


def _taken(journal: Journal, writer: str) -> tuple[Usage, int]:
    """What the replies of a writer took, and how many contexts they ended; of all where it has none."""
    logs = (journal.contexts, journal.rejected, journal.steps)
    own = [log.usages.get(writer, Usage()) for log in logs]
    taken = own if any(one.replies for one in own) else [log.usage for log in logs]
    # The reply that ended a pair is recorded with its outcome, those before it apart.
    return sum(taken, Usage()), sum(one.replies for one in taken[:2])


def _usage(
    job: Job, todo: int, prompts: Prompts, before: tuple[Usage, int], words_before: int
) -> tuple[Usage, str]:
    """What ``todo`` contexts would take, and what that rests on; ``before`` is as ``_taken`` has it."""
    taken, ended = before
    if ended and taken.output_tokens:
        longer = job.words / words_before if words_before else 1.0
        share = todo / ended
        return (
            Usage(
                round(taken.replies * share),
                round(taken.prompt_tokens * share * prompts.ratio),
                round(taken.output_tokens * share * longer),
            ),
            f"as the {ended:,} before took",
        )
    output = job.words * prompts.tokens_per_word
    replies = job.replies_per_pair
    # Each reply after the first is shown some of what went before it.
    shown = (replies - 1) * min(output / 2, 2 * output / replies)
    # What is asked again is mostly shown what it was, with a note.
    again = _ASKED_AGAIN if job.repairs else 0.0
    inputs = (replies * prompts.tokens + shown) * (1 + again) + again * output
    how = f"counted by {prompts.tokenizer.name}"
    if again:
        how += f"; taking {again:.0%} of the replies to be asked for again"
    replies_in_all, output = todo * replies * (1 + again), output * (1 + again)
    return Usage(round(replies_in_all), round(todo * inputs), round(todo * output)), how


def tokenizer_of(config: RunConfig, counting: Tokenizer) -> Tokenizer:
    """What the engine's model counts by, if that is on this machine; else what counts the samples."""
    model = config.generation.model
    if config.samples.tokenizer or not model:
        return counting
    folder = Path(model)
    if not folder.is_dir():
        from huggingface_hub import try_to_load_from_cache
        from huggingface_hub.errors import HFValidationError

        try:
            cached = try_to_load_from_cache(model, "tokenizer.json")
        except HFValidationError:  # a server's own name for it
            return counting
        if not isinstance(cached, str):
            return counting
        folder = Path(cached).parent
    try:
        own = load_tokenizer(str(folder))
        own.count_chat([Message("user", ".")])
    except TokenizerError:  # of a kind that we cannot count by
        return counting
    return own


def _time(rate: float, todo: int, usage: Usage, pace: RunPace) -> tuple[float | None, str]:
    if not todo:
        return 0.0, "nothing is left to do"
    if rate and usage.output_tokens:
        return usage.output_tokens / rate, f"at {rate:,.0f} output tokens per second"
    if pace.seconds and pace.output_tokens and usage.output_tokens:
        measured = pace.output_tokens / pace.seconds
        return usage.output_tokens / measured, f"at the {measured:,.0f} tokens per second of the run before"
    if pace.seconds and pace.contexts:
        measured = pace.contexts / pace.seconds
        return todo / measured, f"at the {measured:,.1f} contexts per second of the run before"
    return None, "give --rate, or run a few with --limit first"


def _disk(config: RunConfig, todo: int, pairs: int) -> int:
    contexts = _words(config) * _BYTES_PER_WORD * (1 + _PACKED)
    lengths = parse_lengths(",".join(config.samples.lengths))
    pool = pool_of(config, pairs)
    tokens = sum(min(length, pool) * (1.0 if share is None else share) for length, share in lengths)
    samples = len(config.samples.kinds) * tokens * _BYTES_PER_TOKEN * _PACKED
    return round(todo * (contexts + samples))


def _words(config: RunConfig) -> int:
    """Of a context; of a text that is asked about, whose length nobody knows yet, those of a window."""
    return config.questions.window if config.asks else config.generation.words
