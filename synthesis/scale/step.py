"""The step itself: one task's share of the pairs, written and handed on as documents.

Each task has a journal of its own and reads those of the others, so that no two processes
write to one file and nothing is written twice. Knows nothing of executors.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

from datatrove.data import Document
from datatrove.pipeline.base import PipelineStep
from datatrove.utils.logging import logger

from synthesis.data import Context, Pair, Rejected, content_hash
from synthesis.errors import ConfigError
from synthesis.options import RunConfig
from synthesis.run.folder import RunFolder
from synthesis.run.job import make_job
from synthesis.run.journal import Journal
from synthesis.run.loop import chosen_pairs, chosen_part, generate, rows_of
from synthesis.run.reasoning import Reasoner
from synthesis.run.reasons import reasons_engine, reasons_to_write, write_reasons
from synthesis.scale.documents import metadata_of, read_documents
from synthesis.storage import replace_file
from synthesis.tokens import load_tokenizer
from synthesis.wording import counted

_DIVISION = "division.txt"  # in a task's journal: how the source was divided when it was written
_TELL = 60.0  # seconds between two lines of progress in the task's log


class ContextStep(PipelineStep):  # type: ignore[misc]
    """Writes contexts and yields them as documents, in the order of their pairs.

    At the head of a pipeline it reads the pairs of the configuration itself; each task reads its part
    of the source, row groups of Parquet, lines of JSON Lines or else whole files (see
    ``synthesis.sources.parts``); with ``pairs.limit``, all as far as that goes. Behind a reader it takes
    the pairs that come (see ``read_documents``).

    A task first writes all its contexts, then closes the engine, then yields: a GPU is free again
    for the steps that follow, and a task that was killed yields everything when it is started
    again, though it writes only what it lacks. With another number of tasks nothing is written
    again either. Give such a launch another ``logging_dir``, and one after a change of pairs or
    settings, too: datatrove notes there which ranks are complete, and leaves them out.

    A document's text is the context, its id that of the pair; rejected pairs stay in the journal.
    Statistics: ``contexts``, ``rejected``, ``written`` (in this launch), ``prompt_tokens`` and
    ``output_tokens`` (what the engine took for them), ``doc_len_tokens`` (of the contexts, counted
    by the tokenizer of the samples).

    Args:
        config: what to run; a relative ``out`` is meant from where the step is made.
    """

    type = "Synthesis"
    name = "Contexts"

    def __init__(self, config: RunConfig) -> None:
        super().__init__()
        self.config = config
        self.folder = config.out_dir.absolute()

    def run(
        self, data: Iterable[Document] | None = None, rank: int = 0, world_size: int = 1
    ) -> Iterator[Document]:
        """Write the contexts of task ``rank`` of ``world_size``, then yield them.

        Raises:
            ContextSynthesisError: as for a run. What is finished is kept; start the task again.
        """
        tokenizer = load_tokenizer(self.config.samples.tokenizer or None)
        with self.track_time("task"):
            journal = self._write(data, rank, world_size)
        for _ in journal.current_rejected():
            self.stat_update("rejected")
        for pair, context in journal.current_contexts():
            tokens = tokenizer.count(context.text)
            document = Document(context.text, pair.id, metadata=metadata_of(pair, context, tokens))
            self.stat_update("contexts")
            self.update_doc_stats(document)
            yield document

    def _write(self, data: Iterable[Document] | None, rank: int, world_size: int) -> Journal:
        """The task's journal, with everything written, closed again."""
        folder = RunFolder(self.folder)
        chosen = self.config.pairs
        if data is not None and self.config.asks:
            raise ConfigError(
                "'method' is instruction, which reads its texts itself ('questions.contexts'); leave out the "
                "reader before the step"
            )
        division, rows = "", read_documents(data, chosen) if data is not None else iter(())
        if data is None:
            division, rows = _share(self.config, rank, world_size)
        with (
            closing(make_job(self.config)) as job,
            folder.task(self.config, f"{rank:05d}-of-{world_size:05d}") as own,
            Journal(own, beside=_others(own, division)) as journal,
        ):
            _note_division(own, division)
            before = journal.usage
            counts = generate(job, rows, journal, self._count())
            if reasons_to_write(self.config, journal):
                with reasons_engine(self.config, job.engine) as engine:
                    write_reasons(Reasoner.of(self.config), engine, journal)
            pairs = counted(counts.todo, "pair")
            logger.info(f"worked on: {pairs}; done before: {counts.settled:,}; bad rows: {counts.bad:,}")
            for part in ("prompt_tokens", "output_tokens"):
                self.stat_update(
                    part, value=getattr(journal.usage, part) - getattr(before, part), unit="task"
                )
        return journal

    def _count(self) -> Callable[[Context | Rejected], None]:
        began = told = time.monotonic()
        done = 0

        def count(outcome: Context | Rejected) -> None:
            nonlocal told, done
            done += 1
            if isinstance(outcome, Context):
                self.stat_update("written")
            now = time.monotonic()
            if now - told >= _TELL:
                told = now
                logger.info(f"{counted(done, 'pair')} done, {done * 60 / (now - began):.1f} a minute")

        return count


def _share(config: RunConfig, rank: int, world_size: int) -> tuple[str, Iterator[Pair | Rejected]]:
    """How the rows of the source are divided, and those of a task."""
    chosen = config.pairs
    if config.asks:
        asked = rows_of(config, config.questions.contexts)
        return f"{world_size} by id", (row for row in asked if _place(row) % world_size == rank)
    if not chosen.source:
        raise ConfigError(
            "there are no pairs: name their source in the configuration ('pairs.source'), "
            "or put a datatrove reader before the step"
        )
    if not chosen.limit:
        return chosen_part(chosen, chosen.source, rank, world_size)
    # Nobody knows where in the source a limit falls without reading up to it.
    rows = (row for row in chosen_pairs(chosen, chosen.source) if _place(row) % world_size == rank)
    return f"{world_size} by id", rows


def _place(row: Pair | Rejected) -> int:
    return int(content_hash(row.id if isinstance(row, Pair) else row.pair_id), 16)


def _others(own: Path, division: str) -> list[Path]:
    """The journals whose pairs a task may meet: of the run, and of tasks of all launches.

    Those who never worked but under the same ``division`` of the source have none of them.
    """
    tasks = (task for task in own.parent.glob("*/") if task != own)
    return [own.parents[1], *(task for task in tasks if not division or _divisions(task) != [division])]


def _divisions(task: Path) -> list[str]:
    """Every division of the source under which a task's journal was written."""
    note = task / _DIVISION
    if note.is_file():
        return note.read_text().splitlines()
    held = task / "contexts.jsonl"
    return ["unknown"] if held.is_file() and held.stat().st_size else []


def _note_division(task: Path, division: str) -> None:
    known = _divisions(task)
    replace_file(task / _DIVISION, "\n".join(dict.fromkeys((*known, division or "a reader's"))) + "\n")
