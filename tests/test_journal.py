"""The journal: nothing finished is lost, whatever happens to the process or the disk."""

import errno
import json
import os
from dataclasses import replace

import pytest

from synthesis.data import Completion, Context, Evidence, Pair, Prompt, Rejected, content_hash
from synthesis.errors import FolderError, StorageError
from synthesis.run.journal import Journal
from synthesis.storage import storage_error


def entry(n, text="some text"):
    pair = Pair(instruction=f"question {n}", answer=f"answer {n}", metadata={"n": n})
    context = Context(pair.id, text, (Evidence(0, 4, "answer"),), 2, fingerprint=content_hash(n))
    return pair, context


def fill(folder, count):
    with Journal(folder) as journal, journal.new_current() as order:
        for n in range(count):
            pair, context = entry(n)
            journal.add(context, pair)
            order(context.fingerprint)


def test_what_was_added_is_there_the_next_time(tmp_path) -> None:
    fill(tmp_path, 5)
    with Journal(tmp_path) as journal:
        rows = journal.current_contexts()
        assert list(rows) == [entry(n) for n in range(5)]
        assert rows[1:3] == [entry(1), entry(2)]
        assert journal.is_settled(content_hash(3))
        assert not journal.is_settled(content_hash(9))
        assert journal.knows_pair(entry(3)[0].id)
        assert not journal.knows_pair(entry(9)[0].id)


def test_what_an_engine_says_of_its_evidence_is_there_the_next_time(tmp_path) -> None:
    fill(tmp_path / "before", 1)
    pair, context = entry(0)
    told = replace(context, form="steps", hops=2)
    with Journal(tmp_path / "told") as journal, journal.new_current() as order:
        journal.add(told, pair)
        order(told.fingerprint)
    with Journal(tmp_path / "told") as journal:
        assert list(journal.current_contexts()) == [(pair, told)]
    # Where nothing is said, earlier versions read it.
    plain, more = ((tmp_path / name / "contexts.jsonl").read_text("utf-8") for name in ("before", "told"))
    assert "hops" not in plain and '"form":"steps","hops":2' in more


def test_a_torn_tail_is_cut_off_and_the_rest_stands(tmp_path) -> None:
    fill(tmp_path, 3)
    path = tmp_path / "contexts.jsonl"
    whole = path.read_bytes()
    last = whole.rindex(b"\n", 0, -1) + 1
    for cut in range(last + 1, len(whole), 17):
        path.write_bytes(whole[:cut])
        with Journal(tmp_path) as journal:
            assert [journal.is_settled(content_hash(n)) for n in range(3)] == [True, True, False]
            pair, context = entry(2)
            journal.add(context, pair)
        assert path.read_bytes() == whole


def test_a_damaged_line_is_done_again(tmp_path) -> None:
    fill(tmp_path, 3)
    path = tmp_path / "contexts.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"\0" * 50 + b"\n" + lines[2])
    with Journal(tmp_path) as journal:
        assert [journal.is_settled(content_hash(n)) for n in range(3)] == [True, False, True]


def test_a_full_disk_leaves_whole_lines_and_says_what_to_do(tmp_path) -> None:
    import resource

    fill(tmp_path, 2)
    size = (tmp_path / "contexts.jsonl").stat().st_size
    pid = os.fork()
    if pid == 0:  # the limit must not bind the process that runs the tests
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 300, size + 300))
        code = 1
        try:
            with Journal(tmp_path) as journal:
                pair, context = entry(7, "long " * 1000)
                journal.add(context, pair)
        except StorageError as error:
            code = 0 if "run the same command again" in str(error) else 2
        os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert (tmp_path / "contexts.jsonl").stat().st_size == size
    with Journal(tmp_path) as journal:
        assert journal.is_settled(content_hash(1))


@pytest.mark.parametrize(
    ("number", "kind", "advice"),
    [
        (errno.ENOSPC, StorageError, "Free some space"),
        (errno.EACCES, FolderError, "--out"),
        (errno.EIO, StorageError, "again"),
    ],
)
def test_the_systems_errors_come_with_advice(tmp_path, number, kind, advice) -> None:
    error = storage_error(tmp_path, OSError(number, os.strerror(number)))
    assert type(error) is kind
    assert advice in str(error)
    assert str(tmp_path) in str(error)


def test_failures_of_the_engine_are_asked_again_rejections_are_not(tmp_path) -> None:
    with Journal(tmp_path) as journal:
        journal.add(Rejected("a" * 16, "generate", "error: server down", "", content_hash("a")))
        journal.add(Rejected("b" * 16, "parse", "marker", "text", content_hash("b")))
        assert not journal.is_settled(content_hash("a"))
        assert journal.is_settled(content_hash("b"))


def test_current_keeps_the_last_good_list(tmp_path) -> None:
    fill(tmp_path, 3)
    with Journal(tmp_path) as journal, pytest.raises(RuntimeError), journal.new_current() as order:
        order(content_hash(0))
        raise RuntimeError
    with Journal(tmp_path) as journal:
        assert len(journal.current_contexts()) == 3


def test_an_unfinished_run_says_so(tmp_path) -> None:
    with Journal(tmp_path / "journal") as journal, pytest.raises(FolderError, match="no finished run"):
        journal.current_contexts()


def test_reading_only_writes_nothing(tmp_path) -> None:
    journal = Journal(tmp_path / "absent", writable=False)
    assert not journal.is_settled(content_hash(1))
    assert not (tmp_path / "absent").exists()


def test_odd_text_survives(tmp_path) -> None:
    text = "lone \ud800 surrogate, \u2028 line separator, \x00 nul, 漢字"
    with Journal(tmp_path) as journal, journal.new_current() as order:
        pair, context = entry(1, text)
        journal.add(context, pair)
        order(context.fingerprint)
    with Journal(tmp_path) as journal:
        assert journal.current_contexts()[0][1].text == text
    for line in (tmp_path / "contexts.jsonl").read_bytes().splitlines():
        json.loads(line)


def test_what_one_task_was_told_another_need_not_ask(tmp_path) -> None:
    prompt = Prompt("p" * 32, "b" * 16, "outline", {}, (), "f" * 32)
    told = Completion(prompt.id, "an outline", "stop", 30, 20)
    with Journal(tmp_path / "tasks" / "00001-of-00002") as journal:
        journal.keep(prompt, told)
    beside = [tmp_path, tmp_path / "tasks" / "00001-of-00002"]
    with Journal(tmp_path / "tasks" / "00000-of-00003", beside=beside) as journal:
        assert journal.find(prompt) == told
        journal.keep(replace(prompt, fingerprint="e" * 32), told)
    with Journal(tmp_path) as journal:
        assert journal.find(prompt) == told
        assert (journal.usage.replies, journal.usage.output_tokens) == (2, 40)


def test_of_two_records_in_the_journals_of_tasks_the_newer_counts(tmp_path) -> None:
    fingerprint = "a" * 32
    for age, (name, reason) in enumerate([("00001-of-00002", "error: down"), ("00000-of-00001", "marker")]):
        task = tmp_path / "tasks" / name
        with Journal(task) as journal:
            journal.add(Rejected("b" * 16, "generate", reason, fingerprint=fingerprint))
        os.utime(task / "rejected.jsonl", (1000 + age, 1000 + age))
    with Journal(tmp_path) as journal:
        assert journal.is_settled(fingerprint)
        assert journal.find_rejected(fingerprint).reason == "marker"
        journal.add(Rejected("b" * 16, "parse", "its own", fingerprint=fingerprint))
    assert Journal(tmp_path, writable=False).find_rejected(fingerprint).reason == "its own"
