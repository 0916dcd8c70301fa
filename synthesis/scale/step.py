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
from synthesis.options import PairsConfig, RunConfig
from synthesis.run.folder import RunFolder
from synthesis.run.job import make_job
from synthesis.run.journal import Journal
from synthesis.run.loop import chosen_pairs, generate
from synthesis.scale.documents import metadata_of, read_documents
from synthesis.tokens import load_tokenizer

_TELL = 60.0  # seconds between two lines of progress in the task's log


class ContextStep(PipelineStep):  # type: ignore[misc]
    """Writes contexts and yields them as documents, in the order of their pairs.

    At the head of a pipeline it reads the pairs of the configuration itself; each task takes those
    whose id falls to it, wherever they stand in the source. Behind a reader it takes the pairs that
    come (see ``read_documents``).

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
        rows = _share(chosen, rank, world_size) if data is None else read_documents(data, chosen)
        with (
            closing(make_job(self.config)) as job,
            folder.task(self.config, f"{rank:05d}-of-{world_size:05d}") as own,
            Journal(own, beside=_others(own, apart=data is None)) as journal,
        ):
            before = journal.usage
            counts = generate(job, rows, journal, self._count())
            logger.info(
                f"{counts.todo:,} pairs were worked on, {counts.settled:,} were done, {counts.bad:,} rows bad"
            )
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
                logger.info(f"{done:,} pairs done, {done * 60 / (now - began):.1f} a minute")

        return count


def _share(chosen: PairsConfig, rank: int, world_size: int) -> Iterator[Pair | Rejected]:
    """The rows of the source that fall to a task, by their identity: the rest of their hash."""
    if not chosen.source:
        raise ConfigError(
            "there are no pairs: name their source in the configuration ('pairs.source'), "
            "or put a datatrove reader before the step"
        )
    return (row for row in chosen_pairs(chosen, chosen.source) if _place(row) % world_size == rank)


def _place(row: Pair | Rejected) -> int:
    return int(content_hash(row.id if isinstance(row, Pair) else row.pair_id), 16)


def _others(own: Path, *, apart: bool) -> list[Path]:
    """The journals whose pairs a task may meet: of the run, and of tasks of all launches.

    Where shares are ``apart``, other tasks of the same number have none of them, and need not be read.
    """
    number = own.name.partition("-")[2]
    tasks = (task for task in own.parent.glob("*/") if not apart or not task.name.endswith(f"-{number}"))
    return [own.parents[1], *(task for task in tasks if task != own)]
