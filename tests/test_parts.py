"""Parts of a source: what many tasks read is what one reads, and no task reads much of the others'."""

from __future__ import annotations

import gzip
import io
import json
import random
from collections import Counter
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthesis.data import Pair, Rejected
from synthesis.errors import SourceError
from synthesis.sources import files
from synthesis.sources.files import local_tables
from synthesis.sources.pairs import read_pairs, read_part
from synthesis.sources.parts import cut_lines, divide
from tests.hub.cards import EASY_AND_HARD
from tests.programs import run_python

pytest_plugins = ["tests.hub.fixtures"]
ROOT = Path(__file__).parent.parent

TASKS = (1, 2, 3, 7, 100)


def rows(count: int, first: int = 0) -> list[dict[str, object]]:
    """Pairs; every eleventh row has no answer."""
    numbers = range(first, first + count)
    return [
        {
            "instruction": f"Who keeps light {n}?",
            "answer": "" if n % 11 == 5 else f"Keeper {n} " + "é" * (n % 9),
        }
        for n in numbers
    ]


def jsonl(path: Path, made: list[dict[str, object]], end: str = "\n", mark: bytes = b"") -> None:
    """Lines; after every fourth a blank one, and here and there one that is broken."""
    lines = [json.dumps(row, ensure_ascii=False) for row in made]
    lines[len(lines) // 2 : len(lines) // 2] = ['{"instruction": "Who', "", "[1]"]
    spaced = [part for n, line in enumerate(lines) for part in ((line, "") if n % 4 == 3 else (line,))]
    path.write_bytes(mark + end.join(spaced).encode())


def parquet(path: Path, made: list[dict[str, object]], group: int) -> None:
    """Row groups of so many rows."""
    pq.write_table(pa.Table.from_pylist(made), path, row_group_size=group)


def csv(path: Path, made: list[dict[str, object]], opened=open) -> None:
    """With line breaks inside quotes, so that no line tells where a row begins."""
    body = "".join(f'"{row["instruction"]}\n","{row["answer"]}"\n' for row in made)
    with opened(path, "wt", encoding="utf-8") as file:
        file.write("instruction,answer\n" + body)


def parts(source: Path, tasks: int, **given) -> list[list[Pair | Rejected]]:
    """What each task reads."""
    divided = [read_part(source, rank, tasks, **given) for rank in range(tasks)]
    assert len({name for name, _ in divided}) == 1
    return [list(read) for _, read in divided]


def joined(read: list[list[Pair | Rejected]]) -> list[Pair | Rejected]:
    return [one for part in read for one in part]


@pytest.mark.parametrize("tasks", TASKS)
@pytest.mark.parametrize(
    "write",
    [
        jsonl,
        partial(jsonl, end="\r\n", mark=b"\xef\xbb\xbf"),
        lambda path, made: parquet(path, made, 7),
        lambda path, made: parquet(path, made, 1000),
    ],
    ids=["lines", "marked", "groups", "group"],
)
def test_rows_that_can_be_found_are_read_in_order_and_evenly(write, tasks, tmp_path) -> None:
    path = tmp_path / ("story_qa.jsonl" if "jsonl" in str(write) else "story_qa.parquet")
    write(path, rows(60))
    whole, read = list(read_pairs(path)), parts(path, tasks)
    assert joined(read) == whole  # the numbers of bad rows, too
    if tasks <= 7:
        assert max(map(len, read)) <= 2 * len(whole) / tasks + 2


@pytest.mark.parametrize("tasks", TASKS)
def test_many_files_of_many_formats(tasks, tmp_path) -> None:
    jsonl(tmp_path / "a_qa.jsonl", rows(40))
    parquet(tmp_path / "b_qa.parquet", rows(50, 40), 16)
    csv(tmp_path / "c_qa.csv", rows(30, 90))
    csv(tmp_path / "d_qa.csv.gz", rows(30, 120), gzip.open)
    (tmp_path / "e_qa.json").write_text(json.dumps(rows(20, 150)))
    (tmp_path / "f_qa.jsonl").write_text(json.dumps(rows(9, 170)))  # an array after all
    (tmp_path / "g_qa.jsonl").write_bytes(gzip.compress(b'{"instruction": "Who?", "answer": "Me."}'))
    (tmp_path / "h_qa.jsonl").write_text("")
    whole, read = list(read_pairs(tmp_path)), parts(tmp_path, tasks)
    assert Counter(joined(read)) == Counter(whole)
    place = {one: number for number, one in enumerate(whole)}
    assert all(part == sorted(part, key=place.__getitem__) for part in read)
    if tasks == 7:
        assert max(map(len, read)) < len(whole) / 2


def test_a_task_reads_little_of_what_is_not_its(tmp_path, monkeypatch) -> None:
    draw = random.Random(4)
    fat = [row | {"notes": draw.randbytes(300).hex()} for row in rows(3000) if row["answer"]]
    parquet(tmp_path / "a.parquet", fat, 100)
    (tmp_path / "b.jsonl").write_text("\n".join(map(json.dumps, [*rows(5, 3000), *fat])))
    read: Counter[str] = Counter()

    class Counting(io.FileIO):
        def readinto(self, buffer) -> int:  # every read of a buffered reader comes to this
            got = super().readinto(buffer)
            read[Path(self.name).name] += got
            return got

        def readall(self) -> bytes:
            raise AssertionError("the whole file is asked for")

    monkeypatch.setattr(files, "_opener", lambda path: lambda: io.BufferedReader(Counting(path), 4096))
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    for rank in range(12):
        read.clear()
        assert list(read_part(tmp_path, rank, 12)[1])
        # Its stretch, less than a row group at either end, and the footer twice.
        assert sum(read.values()) < sum(sizes.values()) / 12 * 2, rank


def test_a_part_without_usable_rows_is_told_apart_from_such_a_source(tmp_path) -> None:
    other = [{"question_text": f"Who {n}?", "kept_by": "Ann"} for n in range(40)]
    path = tmp_path / "story_qa.jsonl"
    path.write_text("\n".join(map(json.dumps, [*other, *rows(4)])))
    assert joined(parts(path, 4)) == list(read_pairs(path))
    path.write_text("\n".join(map(json.dumps, other)))
    for rank in range(4):
        with pytest.raises(SourceError, match="question_text"):
            list(read_part(path, rank, 4)[1])
    path.write_text("")
    with pytest.raises(SourceError, match="is empty"):
        list(read_part(path, 3, 4)[1])


def test_bytes_that_are_no_text_are_told_by_their_place_in_the_file(tmp_path) -> None:
    path = tmp_path / "story_qa.jsonl"
    path.write_bytes(b"\n".join([*(json.dumps(row).encode() for row in rows(40)), b'{"answer": "\xe9"}']))
    with pytest.raises(SourceError) as alone:
        list(read_pairs(path))
    with pytest.raises(SourceError) as last:
        list(read_part(path, 4, 5)[1])
    assert str(last.value) == str(alone.value) and "line 41" in str(alone.value)
    assert list(read_part(path, 0, 5)[1])


def test_a_repeated_pair_is_told_by_the_number_of_its_row(tmp_path) -> None:
    path = tmp_path / "story_qa.jsonl"
    made = rows(40)
    path.write_text("\n".join(map(json.dumps, [*made, made[37], made[0]])))
    *_, near, far = joined(parts(path, 3))
    assert near.pair_id == "story_qa.jsonl:41" and "duplicate of story_qa.jsonl:38" in near.reason
    assert far == list(read_pairs(path))[0]  # its other stands in a part that the task does not read


def test_any_division_of_lines_gives_each_line_once(tmp_path) -> None:
    path = tmp_path / "lines.jsonl"
    jsonl(path, rows(6), end="\r\n")
    cut = cut_lines(lambda: path.open("rb"), "lines.jsonl")
    size, whole = cut.units(), list(cut.rows(0, cut.units()))
    for at in range(size + 1):
        first, last = list(cut.rows(0, at)), list(cut.rows(at, size))
        moved = [row._replace(line=row.line + cut.before(at)) for row in last]
        assert first + moved == whole


def test_how_a_source_is_divided_has_a_name(tmp_path) -> None:
    path = tmp_path / "lines.jsonl"
    jsonl(path, rows(20))
    names = [divide(local_tables(str(path)), rank, tasks).name for rank, tasks in ((0, 3), (1, 3), (0, 4))]
    assert names[0] == names[1] != names[2]
    path.write_text(path.read_text() + "\n{}")
    assert divide(local_tables(str(path)), 0, 3).name != names[0]


APART = """
import json, sys
from synthesis.data import Pair
from synthesis.sources.pairs import read_pairs, read_part
source, tasks, config = json.loads(sys.argv[1])
def told(read):
    return [one.id if isinstance(one, Pair) else [one.pair_id, one.reason] for one in read]
parts = [told(read_part(source, rank, tasks, config=config)[1]) for rank in range(tasks)]
print(json.dumps([told(read_pairs(source, config=config)), parts]))
"""


@pytest.mark.parametrize("tasks", [3, 6])
def test_a_dataset_on_the_hub_is_read_by_row_groups(tasks, hub, tmp_path) -> None:
    content = {}
    for number in range(2):
        parquet(tmp_path / "part.parquet", rows(40, 40 * number), 16)
        content[f"data/train-0000{number}-of-00002.parquet"] = (tmp_path / "part.parquet").read_bytes()
    hub.seed("ada/keepers", content, by="ada")
    for source in ("ada/keepers", "hf://datasets/ada/keepers/data"):
        given, home = json.dumps([source, tasks, None]), hub.environment(tmp_path / "home")
        done = run_python("-W", "error", "-c", APART, given, alone=home)
        assert done.returncode == 0, done.stderr
        whole, read = json.loads(done.stdout)
        assert len(whole) == 80 and [one for part in read for one in part] == whole
        assert min(map(len, read)) >= 8


def test_a_dataset_folder_of_fewer_files_than_tasks(tmp_path) -> None:
    (tmp_path / "README.md").write_text(EASY_AND_HARD)
    (tmp_path / "easy").mkdir()
    for split in ("train", "test"):
        (tmp_path / "easy" / f"{split}.jsonl").write_text("{}")
    (tmp_path / "hard.jsonl").write_text("\n".join(map(json.dumps, rows(30))))
    whole, read = list(read_pairs(tmp_path, config="hard")), parts(tmp_path, 4, config="hard")
    assert Counter(joined(read)) == Counter(whole) and min(map(len, read)) > 0
