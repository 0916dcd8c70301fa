"""A benchmark's files: which table of a source holds which task.

Benchmarks name their tasks by files, folders or configs of the Hub. Knows nothing of what rows hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from synthesis.errors import SourceError
from synthesis.evaluation.benchmarks.rows import Row
from synthesis.evaluation.questions import QuestionSource
from synthesis.sources import resolve
from synthesis.sources.address import Address, address_of
from synthesis.sources.files import local_tables, suffix_of
from synthesis.sources.rows import SourceTable
from synthesis.sources.splits import splits_of
from synthesis.tasks import task_key

# Folders of predictions are named by tasks, too.
_PREDICTED = {"pred", "pred_e", "results", "predictions"}
_HUB = "hf://datasets/"


@dataclass(frozen=True, slots=True)
class TaskTable:
    """The rows of one task. ``folder`` is where it lies below the source, "" for the source itself."""

    table: SourceTable
    task: str
    folder: str = ""


@dataclass(frozen=True, slots=True)
class TaskFiles:
    """How a benchmark lays its files out.

    Attributes:
        hub: what its dataset on the Hub is called, without the organisation.
        task_of: the task that a part of a path stands for (a file's name without its suffix, a
            folder's, a config's), else "".
        split: the split that is asked where none is chosen.
        configs: the configs of its dataset on the Hub, each a task.
        archive: the file of its dataset on the Hub that holds all tasks, if ``datasets`` cannot read it.
    """

    hub: str
    task_of: Callable[[str], str]
    split: str = "test"
    configs: tuple[str, ...] = ()
    archive: str = ""

    def tables(self, source: QuestionSource) -> list[TaskTable]:
        """The tables of the tasks wanted, in reading order.

        Raises:
            SourceError: there is none, or none of a task that is wanted.
        """
        at = self._address(source)
        found = self._found(at, source)
        wanted = set(source.tasks)
        missing = ", ".join(sorted(wanted - {one.task for one in found}))
        if missing or not found:
            there = ", ".join(sorted({one.task for one in found})) or "none that is known"
            what = f"no file of the task {missing}" if missing else "no file that is named by a task"
            raise SourceError(f"{at.place} holds {what}. Tasks there: {there}. Give the folder of the data.")
        return [one for one in found if not wanted or one.task in wanted]

    def fits(self, source: QuestionSource, alike: Callable[[Row], bool]) -> bool:
        """Whether a source is of this benchmark: by its name on the Hub, else by a first row."""
        try:
            hub = resolve.hub_of(address_of(source.place).place)
            if hub is not None:
                return task_key(hub.repo.split("/")[1]) == task_key(self.hub)
            found = self._found(self._address(source), source)
            row = next(iter(found[0].table.rows()), None) if found else None
        except SourceError:
            return False
        return alike(row.value if row is not None and isinstance(row.value, dict) else {})

    def _address(self, source: QuestionSource) -> Address:
        at = address_of(source.place, source.config, source.split or "train")
        if Path(at.place).is_file():
            return replace(at, split="train")  # a file has no splits
        chosen = source.split or at.split != "train"
        return at if chosen else replace(at, split="")

    def _found(self, at: Address, source: QuestionSource) -> list[TaskTable]:
        folder = Path(at.place).is_dir()
        if folder and at.config is None:
            return self._in_folder(Path(at.place), at.split)
        at = replace(at, split=at.split or self.split)
        hub = resolve.hub_of(at.place)
        if at.config is not None:
            return [self._of_config(at)]
        if hub is not None and not hub.path and self.archive:
            place = f"{_HUB}{at.place.removeprefix(_HUB).rstrip('/')}/{self.archive}"
            return self._named(resolve.tables(place, None, "train", None))
        if hub is not None and not hub.path and self.configs:
            return [self._of_config(replace(at, config=name)) for name in source.tasks or self.configs]
        return self._named(at.tables(), Path(at.place).resolve().parent.name if hub is None else "")

    def _of_config(self, at: Address) -> TaskTable:
        name = at.config or ""
        table = at.tables()[0]
        return TaskTable(replace(table, name=f"{table.name}/{name}"), self.task_of(name) or name)

    def _named(self, tables: Iterable[SourceTable], folder: str = "") -> list[TaskTable]:
        """Tables by their names; a single one is also named by its folder, and else by what rows say."""
        found = [self._of_path(table) for table in tables]
        if len(found) == 1:
            return [one if one.task else replace(one, task=self.task_of(folder)) for one in found]
        return [one for one in found if one.task]

    def _in_folder(self, root: Path, split: str) -> list[TaskTable]:
        found: list[TaskTable] = []
        for path in sorted(root.rglob("*")):
            inside = path.relative_to(root)
            known = suffix_of(path.name) and not any(part[0] in "._" for part in inside.parts)
            if not known or _PREDICTED & set(inside.parts[:-1]) or not path.is_file():
                continue
            # What an archive holds is told by the names in it.
            if suffix_of(path.name) != ".zip" and not self._task_and_folder(inside.as_posix())[0]:
                continue
            before = "" if inside.parent == Path() else f"{inside.parent.as_posix()}/"
            tables = (replace(one, name=before + one.name) for one in local_tables(str(path)))
            found += [one for one in map(self._of_path, tables) if one.task]
        return self._of_split(_once(found), split)

    def _of_split(self, found: list[TaskTable], split: str) -> list[TaskTable]:
        """Of the tables of one task in one folder those of the split, else of the first there is."""
        groups: dict[tuple[str, str], dict[str, TaskTable]] = {}
        for one in found:
            name = one.table.name.removeprefix(f"{one.folder}/")
            groups.setdefault((one.task, one.folder), {})[name] = one
        kept: list[TaskTable] = []
        for group in groups.values():
            splits = splits_of(list(group))
            for wanted in [split] if split else [self.split, "test", "validation", "train"]:
                fitting = [group[name] for name, of in splits.items() if wanted in of]
                kept += fitting
                if fitting:
                    break
        return kept

    def _of_path(self, table: SourceTable) -> TaskTable:
        return TaskTable(table, *self._task_and_folder(table.name))

    def _task_and_folder(self, path: str) -> tuple[str, str]:
        """By the file's name, else by the innermost folder that names a task."""
        *parts, name = PurePosixPath(path).parts
        parts.append(name[: len(name) - len(suffix_of(name))])
        for place in range(len(parts) - 1, -1, -1):
            if task := self.task_of(parts[place]):
                return task, "/".join(parts[:place])
        return "", ""


def _once(found: list[TaskTable]) -> list[TaskTable]:
    """Without the tasks of an archive that lie unpacked beside it."""
    plain = {one.task for one in found if not _is_packed(one)}
    return [one for one in found if one.task not in plain or not _is_packed(one)]


def _is_packed(one: TaskTable) -> bool:
    return any(part.lower().endswith(".zip") for part in PurePosixPath(one.table.name).parts[:-1])
