"""Lines with a checksum: whatever happens to a journal, what is damaged is seen, counted and done again."""

from __future__ import annotations

import json
import random
from pathlib import Path
from zlib import crc32

import pytest

from synthesis.data import Context, Evidence, Pair, Rejected, content_hash
from synthesis.engines.openai.batch import BatchJob
from synthesis.errors import FolderError
from synthesis.run.batches import BatchLog
from synthesis.run.journal import Journal
from synthesis.run.records import FORMAT, is_sealed, read_record, sealed

RECORD = {"fingerprint": "a" * 32, "text": "Two words, \u2028 and \ud800 a lone surrogate: 漢字"}
MEMBERS = {"fingerprint", "text"}
HERE = Path("journal.jsonl")


def newer_line(record: dict[str, object]) -> bytes:
    """As a version would write it whose format comes after ours."""
    body, number = json.dumps(record).encode()[:-1], b"%d" % (FORMAT + 1)
    return b'%s,"check":"%s-%08x"}\n' % (body, number, crc32(number, crc32(body)))


def bare(line: bytes) -> bytes:
    """As it was written before there were checksums."""
    record = json.loads(line)
    del record["check"]
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def entry(n: int) -> tuple[Pair, Context]:
    pair = Pair(instruction=f"question {n}", answer=f"answer {n}", metadata={"n": n})
    return pair, Context(pair.id, "some text", (Evidence(0, 4, "answer"),), 2, fingerprint=content_hash(n))


def fill(folder: Path, count: int = 3) -> list[str]:
    with Journal(folder) as journal, journal.new_current() as order:
        for n in range(count):
            pair, context = entry(n)
            journal.add(context, pair)
            order(context.fingerprint)
    return [content_hash(n) for n in range(count)]


def test_a_record_comes_back() -> None:
    line = sealed(RECORD)
    assert json.loads(line).items() > RECORD.items()
    assert is_sealed(line, HERE)
    assert read_record(line, HERE, MEMBERS) == RECORD


@pytest.mark.parametrize("line", [sealed({"fingerprint": "a" * 32, "text": "short"})])
def test_no_flipped_bit_goes_unseen(line: bytes) -> None:
    for place in range(len(line)):
        for bit in range(8):
            damaged = bytearray(line)
            damaged[place] ^= 1 << bit
            assert read_record(bytes(damaged), HERE, MEMBERS) is None, (place, bit)


def test_no_cut_nor_merged_line_goes_unseen() -> None:
    line = sealed(RECORD)
    for place in range(len(line)):
        assert read_record(line[:place], HERE, MEMBERS) is None
        assert read_record(line[:place] + line, HERE, MEMBERS) == (RECORD if place == 0 else None)
    assert read_record(line[:-1] + line, HERE, MEMBERS) is None
    assert read_record(b"[" * 100_000 + b"\n", HERE, MEMBERS) is None


def test_a_line_of_before_is_read_unless_it_says_what_it_could_not() -> None:
    plain = {"fingerprint": "a" * 32, "text": "x"}
    assert read_record(bare(sealed(plain)), HERE, MEMBERS) == plain
    assert read_record(b'{"fingerprint":"a","tixt":"x"}\n', HERE, MEMBERS) is None


@pytest.mark.parametrize("line", [newer_line(RECORD), sealed({**RECORD, "novel": 1})])
def test_a_newer_version_is_told(line: bytes) -> None:
    with pytest.raises(FolderError, match=r"journal\.jsonl was written by a newer version"):
        read_record(line, HERE, MEMBERS)


def test_a_newer_journal_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    fill(tmp_path)
    path = tmp_path / "contexts.jsonl"
    path.write_bytes(path.read_bytes() + newer_line({"fingerprint": "b" * 32, "pair_id": "c" * 16}) + b"torn")
    before = {one: one.read_bytes() for one in tmp_path.iterdir()}
    with pytest.raises(FolderError, match="newer version"):
        Journal(tmp_path)
    assert {one: one.read_bytes() for one in tmp_path.iterdir()} == before


@pytest.mark.parametrize("old", [False, True])
def test_damaged_records_are_counted_and_moved_out_once_their_work_is_done(tmp_path: Path, old: bool) -> None:
    names = fill(tmp_path, 5)
    path = tmp_path / "contexts.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines = [bare(line) for line in lines] if old else lines
    whole = b"".join(lines)
    lines[1] = lines[1].replace(b'"text":"', b'"te\xfft":"')
    lines[2] = lines[2][:-1]
    path.write_bytes(b"".join(lines))
    for _ in range(2):  # looking alone changes nothing
        with Journal(tmp_path) as journal:
            assert journal.damaged == 2
            assert [name in journal.contexts for name in names] == [True, False, False, False, True]
            with pytest.raises(FolderError, match="lacks 3 of its outcomes"):
                journal.current_contexts()
    with Journal(tmp_path) as journal, journal.new_current() as order:
        for n, name in enumerate(names):
            order(name)
            if name not in journal.contexts:
                journal.add(*reversed(entry(n)))
    with Journal(tmp_path) as journal:
        assert journal.damaged == 0
        assert [context.fingerprint for _, context in journal.current_contexts()] == names
    assert len(path.read_bytes()) >= len(whole)
    assert (tmp_path / "damaged.jsonl").read_bytes() == lines[1] + lines[2] + lines[3]


def test_rejections_that_are_gone_are_missed(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal, journal.new_current() as order:
        journal.add(Rejected("b" * 16, "parse", "no marker", "text", "f" * 32))
        order("f" * 32)
    (tmp_path / "rejected.jsonl").write_bytes(b"")
    with Journal(tmp_path) as journal, pytest.raises(FolderError, match="lacks 1 of its outcomes"):
        list(journal.current_rejected())


def test_damage_of_the_current_list_is_seen_and_a_list_of_before_is_read(tmp_path: Path) -> None:
    names = fill(tmp_path, 4)
    path = tmp_path / "current.txt"
    whole = path.read_bytes()
    chance = random.Random(1)
    broken = [b"", whole[:-1], whole + whole, whole.replace(b"\n", b"", 1), b"\0" * len(whole)]
    broken += [whole[:cut] for cut in range(1, len(whole), 7)]
    for _ in range(100):
        place = chance.randrange(len(whole))
        broken.append(whole[:place] + bytes([whole[place] ^ 1 << chance.randrange(8)]) + whole[place + 1 :])
    lines = whole.splitlines(keepends=True)
    broken += [b"".join(lines[:n] + lines[n + 1 :]) for n in range(len(lines))]
    with Journal(tmp_path) as journal:
        for content in broken:
            path.write_bytes(content)
            with pytest.raises(FolderError, match=r"damaged|newer version"):
                list(journal.current())
        path.write_bytes(b"".join(lines[1:-1]))
        assert [name for name, _ in journal.current()] == names


def note_batches(folder: Path, state: str) -> BatchJob:
    job = BatchJob("a" * 32, ("1" * 32, "2" * 32), "host", 5, "file-1")
    with BatchLog(folder) as log:
        log.record(job)
        if state != "sending":
            log.record(BatchJob(job.key, job.prompt_ids, job.host, job.made, job.input_file, "batch_1"))
    return job


@pytest.mark.parametrize("left", [b"", None, b"\0\0\0\n", b'{"key":"a"}\n', b'{"dialect":3'])
def test_a_batch_is_known_of_when_the_notes_are_lost(tmp_path: Path, left: bytes | None) -> None:
    job = note_batches(tmp_path, "sent")
    path = tmp_path / "batches.jsonl"
    path.unlink() if left is None else path.write_bytes(left)
    with BatchLog(tmp_path) as log:
        assert log.unheard() == [job]  # whether it was sent, the provider knows
        assert log.damaged == (left or b"").count(b"\n")
    assert BatchLog(tmp_path, writable=False).damaged == 0


@pytest.mark.parametrize("damaged", range(2))
def test_a_lost_note_loses_no_batch(tmp_path: Path, damaged: int) -> None:
    job = note_batches(tmp_path, "sent")
    path = tmp_path / "batches.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[damaged] = lines[damaged].replace(b"state", b"stite")
    path.write_bytes(b"".join(lines))
    with BatchLog(tmp_path) as log:
        assert [one.id for one in log.in_flight()] == (["batch_1"] if damaged == 0 else [])
        assert log.unheard() == ([job] if damaged == 1 else [])
    (tmp_path / "batches" / f"{job.key}.json").unlink()
    path.write_bytes(lines[1])  # what it was about is lost for good
    with BatchLog(tmp_path) as log:
        assert log.jobs == []


def test_what_was_replaced_does_not_stand_in_for_what_replaced_it(tmp_path: Path) -> None:
    first, second, third = fill(tmp_path)
    with Journal(tmp_path) as journal:
        journal.stand_in_for(first, second)
        journal.stand_in_for(second, third)
        journal.stand_in_for(third, second)
        journal.stand_in_for(third, first)
        assert {journal.stand_in(name) for name in (first, second, third)} == {third}


def test_a_lost_stand_in_is_missed(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal, journal.new_current() as order:
        journal.add(Rejected("b" * 16, "parse", "no marker", "text", "f" * 32))
        journal.add(*reversed(entry(1)))
        journal.stand_in_for("f" * 32, content_hash(1))
        order(content_hash(1))
    path = tmp_path / "retried.jsonl"
    path.write_bytes(path.read_bytes().replace(b"by", b"bx"))
    with Journal(tmp_path) as journal:
        with pytest.raises(FolderError, match="lacks 1 of its outcomes"):
            list(journal.current())
        with journal.new_current() as order:
            order(content_hash(1))
        assert [name for name, _ in journal.current()] == [content_hash(1)]
