"""The one loop: pairs -> prompts -> engine -> contexts, journaled as each finishes.

``synthesize`` is the loop in memory, for use from Python; ``generate`` is the same loop
over a run's journal, skipping what is done. Knows nothing of Parquet, cards or the Hub.
Memory holds the prompts an engine has pulled but not answered, and nothing per row
besides the journal's index and a few bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from synthesis.data import Completion, Context, Pair, Prompt, Rejected, content_hash
from synthesis.engines.base import Engine, Items, Sampling, adopted
from synthesis.errors import ConfigError
from synthesis.options import REASONS, GenerationConfig, PairsConfig, RunConfig
from synthesis.prompts.by_task import load_templates
from synthesis.run.alike import Alike
from synthesis.run.arrivals import tray_for
from synthesis.run.batches import journaled
from synthesis.run.budget import NO_BUDGET, Budget, Spending
from synthesis.run.candidates import Together, check_candidates
from synthesis.run.conversations import Conversations, converse
from synthesis.run.job import AS_BEFORE, Job
from synthesis.run.journal import Journal
from synthesis.run.mix import configured_engine
from synthesis.run.reasoning import Begin, Reasoner
from synthesis.run.windows import requests
from synthesis.sources.pairs import read_pairs, read_part
from synthesis.sources.texts import read_texts
from synthesis.tokens import load_tokenizer

_NAME = 16  # bytes of a fingerprint
_OPEN, _AS_IT_IS = 1, 2


@dataclass(frozen=True, slots=True)
class Counts:
    """How the pairs of a run stand. ``settled`` were done before; ``bad`` rows never became pairs.

    ``left`` are those of ``stale`` and ``new`` that were not asked for, for lack of a budget or because
    all before them ``failed`` alike, with the reason of the last.
    """

    settled: int = 0
    stale: int = 0
    new: int = 0
    bad: int = 0
    left: int = 0
    failed: str = ""

    @property
    def total(self) -> int:
        """All rows of the source."""
        return self.settled + self.stale + self.new + self.bad

    @property
    def todo(self) -> int:
        """Rows that a run would write."""
        return self.stale + self.new


def chosen_pairs(chosen: PairsConfig, source: str | Path) -> Iterator[Pair | Rejected]:
    """The pairs of a source as a configuration wants them read, and rows that are none."""
    return read_pairs(source, limit=chosen.limit or None, **_reading(chosen))


def chosen_part(
    chosen: PairsConfig, source: str | Path, rank: int, tasks: int
) -> tuple[str, Iterator[Pair | Rejected]]:
    """How they are divided among ``tasks``, as a hash, and those of task ``rank`` (see ``read_part``)."""
    return read_part(source, rank, tasks, **_reading(chosen))


def _reading(chosen: PairsConfig) -> dict[str, Any]:
    return {
        "columns": chosen.columns or None,
        "task": chosen.task or None,
        "config": chosen.config or None,
        "split": chosen.split,
        "turns": chosen.turns,
    }


def rows_of(config: RunConfig, source: str | Path) -> Iterator[Pair | Rejected]:
    """What a run works on: the pairs of a source, or what it asks of its texts; and rows that are neither."""
    if config.asks:
        texts = read_texts(source, task=config.pairs.task, limit=config.pairs.limit)
        return requests(texts, config.questions, config.seed)
    return chosen_pairs(config.pairs, source)


def survey(job: Job, pairs: Iterable[Pair | Rejected], journal: Journal) -> Counts:
    """How many rows are settled, stale, new and bad. Writes nothing, asks no engine."""
    return Counts(**Counter(row.state for row in standing(job, pairs, journal)), failed="")


def generate(
    job: Job,
    pairs: Iterable[Pair | Rejected],
    journal: Journal,
    on_outcome: Callable[[Context | Rejected], None] = lambda _: None,
    budget: Budget = NO_BUDGET,
    stop_after: int = 0,
    on_reply: Callable[[Completion], object] = lambda _: None,
) -> Counts:
    """Write the outcome of every pair that is not settled yet; see ``carry_out``."""
    return carry_out(job, standing(job, pairs, journal), journal, on_outcome, budget, stop_after, on_reply)


def carry_out(
    job: Job,
    rows: Iterable[Row],
    journal: Journal,
    on_outcome: Callable[[Context | Rejected], None] = lambda _: None,
    budget: Budget = NO_BUDGET,
    stop_after: int = 0,
    on_reply: Callable[[Completion], object] = lambda _: None,
) -> Counts:
    """Write the outcome of every row that is not settled yet, then mark the set as current.

    Returns how the rows stood before, and how many were left for lack of ``budget`` or because so
    many before them (``stop_after``; 0 for any) were rejected alike.
    """
    alike, failed = Alike(stop_after), ""
    states: Counter[str] = Counter()
    job = replace(job, engine=journaled(job.engine, journal.folder))

    def work() -> Iterator[tuple[Pair, Prompt]]:
        for row in rows:
            states[row.state] += 1
            flags = row.is_open * _OPEN + (not row.prompts) * _AS_IT_IS
            names.extend((flags, len(row.asked)))
            names.extend(bytes.fromhex("".join((row.fingerprint, *row.asked))))
            if isinstance(row.row, Rejected) and row.fingerprint not in journal.rejected:
                journal.add(replace(row.row, fingerprint=row.fingerprint))
            for pair, prompt in row.missing(job, journal):
                if row.asked[0] != row.fingerprint:
                    again[prompt.fingerprint] = row.fingerprint
                yield pair, prompt

    names = bytearray()  # of each row, in order, what ``_noted`` reads
    again: dict[str, str] = {}  # what is asked under another name, and what for
    todo = work()
    with tray_for(job.engine, journal.folder) as tray:
        works = job.works(todo, journal, Spending(budget, journal, job.guess()), tray)
        with closing(converse(job.engine, works, job.asking, on_reply)) as ended:
            for pair, outcome, usage, writer in job.ended(ended):
                journal.add(outcome, pair, usage, job.mark(outcome, pair), writer)
                before = again.pop(outcome.fingerprint, "")
                if before and isinstance(outcome, Context):
                    journal.stand_in_for(before, outcome.fingerprint)
                on_outcome(outcome)
                if not alike.goes_on(outcome):
                    failed = alike.reason
                    break
        # What is not begun any more is read all the same, so that what is done of it is listed.
        rest = works.waiting + sum(1 for _ in works.finished()) + sum(1 for _ in todo)
        if tray is not None and not rest:
            tray.remove()
    left = 0
    with journal.new_current() as order:
        for flags, name, asked in _noted(names):
            kept = name if flags & _AS_IT_IS else job.chosen(asked, journal)
            if asked[0] != name:
                if kept is not None and kept in journal.contexts:
                    journal.stand_in_for(name, kept)
                kept = name
            if kept:
                order(journal.stand_in(kept))
            if kept and asked[0] == name and not flags & _AS_IT_IS:
                for other in job.others(asked, kept, journal):
                    order(other)
            left += bool(flags & _OPEN) and not job.has_outcomes(asked, journal)
    # What failed alike to the very last has stopped nothing.
    return Counts(**states, left=left, failed=failed if left else "")


def _noted(rows: bytearray) -> Iterator[tuple[int, str, list[str]]]:
    """Of each row how it stands, the name of its outcome, and those of what is asked for it."""
    place = 0
    while place < len(rows):
        flags, count = rows[place : place + 2]
        end = place + 2 + (1 + count) * _NAME
        name, *asked = (rows[at : at + _NAME].hex() for at in range(place + 2, end, _NAME))
        yield flags, name, asked
        place = end


class Row(NamedTuple):
    """A row of the source: its ``state`` (a field of ``Counts``), and what is known of it.

    ``fingerprint`` names the outcome that it has or is to have; another than the prompt's where a
    rejected one is asked again (see ``synthesis.run.retry``), or was. ``prompts`` are one for each model
    that writes for it. ``row`` is None and there are no prompts where nothing needs them.
    """

    state: str
    row: Pair | Rejected | None
    prompts: tuple[Prompt, ...]
    fingerprint: str

    @property
    def is_open(self) -> bool:
        """Whether something is to be had for it."""
        return bool(self.prompts) and self.state != "settled"

    @property
    def asked(self) -> tuple[str, ...]:
        """The names of its prompts; where nothing is to be had by them, of what it has."""
        first = self.prompts[0].fingerprint if self.prompts else ""
        if self.is_open or first == self.fingerprint:
            return tuple(prompt.fingerprint for prompt in self.prompts)
        return (self.fingerprint,)

    def missing(self, job: Job, journal: Journal) -> Iterator[tuple[Pair, Prompt]]:
        """What a job has to ask for it: its pair with each prompt, one for each candidate."""
        if isinstance(self.row, Pair) and self.is_open:
            for prompt in job.missing(self.prompts, journal):
                yield self.row, prompt


def standing(job: Job, pairs: Iterable[Pair | Rejected], journal: Journal) -> Iterator[Row]:
    """Each row of the source and how it stands against what is done."""
    for row in pairs:
        if isinstance(row, Rejected):
            yield Row("bad", row, (), content_hash(row.pair_id, row.stage, row.reason, row.text))
            continue
        prompts = job.prompts(row)
        first = [prompt.fingerprint for prompt in prompts]
        name = next((by for own in first if (by := journal.stand_in(own)) != own), first[0])
        if name not in first or job.is_settled(first, journal):
            state = "settled"
        else:
            state = "stale" if journal.knows_pair(row.id) else "new"
        yield Row(state, row, prompts, name)


def synthesize(
    pairs: Iterable[Pair],
    engine: str | Engine = "composer",
    *,
    model: str = "",
    mix: Mapping[str, Any] | None = None,
    mix_by: str = "pair",
    words: int = 2000,
    template: str = "narrative",
    seed: int = 0,
    tokenizer: str | None = None,
    temperature: float = 0.7,
    top_p: float = 0.95,
    max_tokens: int = 0,
    repairs: int = 2,
    candidates: int = 1,
    keep_candidates: bool = False,
    section_words: int = 1500,
    reasons: str = "none",
    **options: Any,
) -> Iterator[Context | Rejected]:
    """Write a context for each pair, yielding each outcome as it finishes.

    Args:
        pairs: any iterable; pulled lazily.
        engine: a name (see ``synthesis.engines.engine_names``), or an object that has the methods of
            ``synthesis.engines.base.Engine``.
        model: which model the engine runs; empty for its default.
        mix: several models instead, each with its share, or a table (see ``GenerationConfig``).
        mix_by: whether each pair gets one of them (``pair``), or a candidate or more of each
            (``candidate``).
        words: about how many words a context should have.
        template: a built-in template's name, a text file's path, or a folder of text files by task.
        seed: with the pair's id, determines every random choice of ours.
        tokenizer: what counts ``Context.tokens``; the embedded one by default.
        temperature: for engines that sample.
        top_p: for engines that sample.
        max_tokens: bound on a reply, for engines that count; 0 goes by the words asked for.
        repairs: how often a reply that cannot be used is asked for again.
        candidates: how many contexts to write for each pair, by different seeds; the best is kept.
        keep_candidates: whether the others are yielded, too, behind the best of their pair.
        section_words: a context of over twice as many words is written in sections of about
            this length; 0 for never.
        reasons: ``model`` has the engine write the steps from each context to its answer, too (see
            ``with_reasons`` for those of another engine).
        options: further settings of the engine.

    Yields:
        A ``Context``, or a ``Rejected`` with stage and reason.
    """
    owned = isinstance(engine, str)
    if isinstance(engine, str):
        wanted = GenerationConfig(
            engine, model, dict(mix or {}), mix_by=mix_by, candidates=candidates, options=options
        )
        made = configured_engine(wanted)
    else:
        made = adopted(engine)
    try:
        sampling = Sampling(temperature, top_p, max_tokens or AS_BEFORE, seed)
        check_candidates(candidates, made, sampling, keep_candidates, len(made.writers("", seed)))
        job = Job(
            made,
            load_templates(template),
            sampling,
            words,
            load_tokenizer(tokenizer),
            repairs,
            section_words,
            candidates=candidates,
            by_words=not max_tokens,
        )
        together = Together(candidates, job.rate, keep_candidates)
        asked = ((pair, one) for pair in pairs for one in job.candidate_prompts(job.prompts(pair)))
        begin: Begin = job.begin
        if reasons not in REASONS:
            raise ConfigError(f"reasons is {reasons!r}; give {' or '.join(REASONS)}")
        if reasons == "model":
            begin = Reasoner.for_engine(made, "", repairs, sampling).after(begin, made)
        works = Conversations(Items(asked), begin)
        for done in job.ended(converse(made, works, job.asking)):
            yield from together.add(done.pair, done.outcome)
    finally:
        if owned:
            made.close()
