"""Samples of any length from a published dataset: equal to what a run publishes, never stale."""

from __future__ import annotations

import json
import logging
import os
import pickle
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from builder.folder.build import ConfigData, build_folder
from builder.folder.schema import chat_row, raw_row
from builder.loading import assembling, dataset
from builder.loading.dataset import ContextSynthesis
from builder.loading.load import load, load_builder
from builder.resources import example_pairs
from synthesis import Context, Pair, Sample, assemble, load_tokenizer, read_pairs, score, synthesize
from synthesis.assembly import documents
from synthesis.data import Coherence, content_hash
from synthesis.errors import (
    ContextSynthesisError,
    FolderError,
    SourceError,
    StorageError,
    TokenizerError,
    UsageError,
)
from tests.hub import LocalHub

pytest_plugins = ["tests.hub.fixtures"]
ROOT = Path(__file__).parent.parent
PAIRS = 20
Item = tuple[Pair, Context, Coherence | None]
Load = Callable[..., Any]


@pytest.fixture(scope="module")
def items() -> list[Item]:
    """Contexts of the composer, some 350 tokens each, with their scores."""
    pairs = [pair for pair in read_pairs(example_pairs()) if isinstance(pair, Pair)][:PAIRS]
    contexts = [made for made in synthesize(pairs, words=220) if isinstance(made, Context)]
    assert len(contexts) == PAIRS
    return [
        (pair, made, score(made.text, pair.instruction, pair.answer))
        for pair, made in zip(pairs, contexts, strict=True)
    ]


def raw(name: str, items: Sequence[Item]) -> ConfigData:
    rows = [raw_row(*item) for item in items]
    return ConfigData(name, "raw", lambda: rows, content_hash(rows))


def chat(name: str, items: Sequence[Item], length: str) -> ConfigData:
    plain = [(pair, context) for pair, context, _ in items]

    def overall(index: int) -> float | None:
        found = items[index][2]
        return found.overall if found else None

    samples = [made for made in assemble(plain, length, coherence=overall) if isinstance(made, Sample)]
    rows = [chat_row(made) for made in samples]
    return ConfigData(f"{name}-chat-{length}", "chat", lambda: rows, content_hash(rows))


def build(folder: Path, *configs: ConfigData, tokenizer: str = "embedded") -> Path:
    identity = load_tokenizer().identity
    facts = {"engine": "composer", "tokenizer": {"name": tokenizer, "identity": identity}}
    build_folder(folder, configs, facts=facts)
    return folder


@pytest.fixture(scope="module")
def published(items: list[Item], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a raw config and a chat config of a run; not to be changed."""
    return build(tmp_path_factory.mktemp("published") / "dataset", raw("m", items), chat("m", items, "2k"))


@pytest.fixture
def folder(published: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    return shutil.copytree(published, tmp_path / "dataset")


@pytest.fixture
def get(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """``load`` with a cache of its own."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "elsewhere")
    datasets.disable_progress_bars()

    def get(place: Path, config: str | None = "m", length: int | str | None = "2k", **options: Any) -> Any:
        return load(place, config, length=length, **{"cache_dir": tmp_path / "cache", **options})

    yield get
    assembling.forget()  # it holds a file open


def identity(rows: Any) -> list[tuple[str, int, int]]:
    """The files behind a dataset, and that they were not written again."""
    paths = [Path(file["filename"]) for file in rows.cache_files]
    return [(str(path), path.stat().st_ino, path.stat().st_mtime_ns) for path in paths]


# --- the rows ------------------------------------------------------------------------------


def test_the_rows_are_those_that_a_run_publishes(published: Path, get: Load) -> None:
    made, there = get(published), get(published, "m-chat-2k", None)
    assert len(made) == PAIRS
    assert made.features == there.features
    assert made.to_list() == there.to_list()
    assert made.split == "train"


def test_a_stream_has_the_same_rows(published: Path, get: Load) -> None:
    made, stream = get(published), get(published, streaming=True)
    assert stream.features == made.features
    assert list(stream) == made.to_list()
    assert list(stream) == made.to_list()  # and again


def test_any_length_tokenizer_depth_and_choice(published: Path, get: Load) -> None:
    counter = load_tokenizer()
    rows = get(published, length=3000, depth="end", distractors="random", seed=5).to_list()
    assert {row["budget"] for row in rows} == {3000}
    assert {row["distractors"] for row in rows} == {"random"}
    assert all(row["depth"] == 1.0 and row["documents"][-1] == row["pair_id"] for row in rows)
    for row in rows[:3]:
        messages = [tuple(turn.values()) for turn in row["messages"]]
        from synthesis import Message

        assert counter.count_chat([Message(*turn) for turn in messages]) == row["tokens"] <= 3000
        assert row["tokens"] >= 0.995 * 3000
        text = messages[0][1][row["evidence_start"] : row["evidence_end"]]
        assert text and row["evidence_end"] <= len(messages[0][1])
    assert all(row["documents"] == [row["pair_id"]] for row in get(published, distractors="none"))


@pytest.mark.parametrize(
    "options",
    [
        {"length": "1k:0.5,2k:0.5"},
        {"length": {"1k": 1, 2048: 3}, "max_reuse": 2},
        {"length": "1k", "header": "[{n}] ", "separator": "\n---\n"},
        {"length": "2k", "abstain": 0.3, "refusal": "Not told."},
        {"length": "400", "oversize": "trim", "repeat_questions": True},
    ],
)
def test_every_option_of_an_assembly(
    published: Path, get: Load, items: list[Item], options: dict[str, Any]
) -> None:
    rows = [(pair, made) for pair, made, _ in items]
    scores = [score.overall if score else None for _, _, score in items]
    expected = assemble(rows, **options, coherence=lambda place: scores[place])
    assert get(published, **options).to_list() == [
        chat_row(one) for one in expected if isinstance(one, Sample)
    ]


def test_an_option_that_load_does_not_have(published: Path, get: Load) -> None:
    with pytest.raises(UsageError, match="no option 'headers'; did you mean 'header'"):
        get(published, headers="x")
    with pytest.raises(UsageError, match="no option 'colour'; give any of max_reuse"):
        get(published, colour="x")
    with pytest.raises(UsageError, match="would change nothing"):
        load(published, "m", header="x")


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_two_processes_give_the_rows_of_one(published: Path, get: Load, tmp_path: Path) -> None:
    one = get(published)
    stream = iter(get(published, streaming=True))
    next(stream)  # an assembly of this process is under way when the workers are started
    two = get(published, num_proc=2, cache_dir=tmp_path / "other")
    assert len(two.cache_files) == 2
    assert two.to_list() == one.to_list()
    assert [*stream] == one.to_list()[1:]


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_more_processes_than_rows(tmp_path: Path, get: Load, items: list[Item]) -> None:
    folder = build(tmp_path / "dataset", raw("m", items[:3]))
    many = get(folder, num_proc=5)
    assert len(many.cache_files) == 3
    assert many.to_list() == get(folder, cache_dir=tmp_path / "other").to_list()


@pytest.mark.parametrize("seen", [1, 7, PAIRS - 1])
def test_a_stream_is_resumed_where_it_stopped(published: Path, get: Load, seen: int) -> None:
    whole = list(get(published, streaming=True))
    stream = get(published, streaming=True)
    reader = iter(stream)
    first = [next(reader) for _ in range(seen)]
    state = json.loads(json.dumps(stream.state_dict()))
    resumed = get(published, streaming=True)
    resumed.load_state_dict(state)
    assert first + list(resumed) == whole


def test_a_stream_is_shared_out_and_shuffled_without_loss(published: Path, get: Load) -> None:
    whole = list(get(published, streaming=True))
    stream = pickle.loads(pickle.dumps(get(published, streaming=True)))
    shares = [list(stream.shard(num_shards=3, index=index)) for index in range(3)]
    assert sum(shares, []) == whole
    assert all(shares)
    mixed = list(stream.shuffle(seed=1, buffer_size=5))
    assert [row["id"] for row in mixed] != [row["id"] for row in whole]
    assert sorted(row["id"] for row in mixed) == sorted(row["id"] for row in whole)


@pytest.fixture
def indexed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[int]]:
    """The processes that read and indexed the documents, in forked ones as well."""
    log, real = tmp_path / "indexed", documents.build_index

    def logged(*given: Any) -> Any:
        with log.open("a") as file:
            file.write(f"{os.getpid()}\n")
        return real(*given)

    monkeypatch.setattr(documents, "build_index", logged)
    assembling.forget()
    return lambda: [int(line) for line in log.read_text().split()]


def test_documents_are_indexed_once_for_all_spans_and_epochs(
    published: Path, get: Load, indexed: Callable[[], list[int]]
) -> None:
    stream = get(published, streaming=True)
    assert stream.num_shards > 10
    assert len(list(stream)) == len(list(stream)) == PAIRS
    assert indexed() == [os.getpid()]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="workers of other systems inherit nothing")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_documents_are_indexed_once_for_all_processes(
    published: Path, get: Load, indexed: Callable[[], list[int]], capfd: pytest.CaptureFixture[str]
) -> None:
    assert len(get(published, num_proc=2)) == PAIRS
    assert indexed() == [os.getpid()]
    assert "TOKENIZERS_PARALLELISM" not in capfd.readouterr().err


def test_any_span_can_be_read_after_any_other(published: Path, get: Load) -> None:
    lengths = ("1k", "2k")
    streams = {length: get(published, length=length, streaming=True) for length in lengths}
    expected = {
        length: [list(streams[length].shard(streams[length].num_shards, index)) for index in range(16)]
        for length in lengths
    }
    assert {length: sum(spans, []) for length, spans in expected.items()} == {
        length: get(published, length=length).to_list() for length in lengths
    }
    for length, index in (("1k", 3), ("2k", 9), ("2k", 10), ("2k", 1), ("2k", 1), ("1k", 1), ("2k", 15)):
        assert list(streams[length].shard(16, index)) == expected[length][index]


def test_two_streams_at_once_do_not_disturb_each_other(published: Path, get: Load) -> None:
    whole = list(get(published, streaming=True))
    pairs = zip(get(published, streaming=True), get(published, streaming=True), strict=True)
    assert [row for both in pairs for row in both] == [row for row in whole for _ in range(2)]


def test_the_builder_is_one_of_datasets(published: Path, tmp_path: Path) -> None:
    import datasets

    builder = ContextSynthesis(str(published), "m", length="1k", max_reuse=2, cache_dir=str(tmp_path))
    assert isinstance(builder, datasets.GeneratorBasedBuilder)
    assert (builder.config.name, str(builder.info.version)) == ("m-chat-1k", "1.0.0")
    assert builder.config.options.lengths == ((1024, 1.0),) and builder.config.options.max_reuse == 2
    assert builder.info.features is not None and builder.info.splits is None
    builder.download_and_prepare(num_proc=1)
    assert builder.info.splits["train"].num_examples == PAIRS
    rows = builder.as_dataset("train")
    uses = [name for row in rows for name in row["documents"] if name != row["pair_id"]]
    assert max(map(uses.count, uses)) <= 2
    assert list(builder.as_streaming_dataset("train")) == rows.to_list()
    assert list(builder.as_dataset()) == ["train"]


def test_long_samples_are_written_a_few_at_a_time(published: Path, tmp_path: Path) -> None:
    def batch(length: str) -> int | None:
        return ContextSynthesis(str(published), length=length, cache_dir=str(tmp_path))._writer_batch_size

    assert (batch("2k"), batch("128k"), batch("8M")) == (1000, 32, 1)


# --- the cache -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "same",
    [
        {},
        {"length": 2048},
        {"depth": "uniform", "distractors": "same-task", "seed": 0, "min_coherence": None},
        {"tokenizer": "embedded"},
        {"config": "m-v1.0.0"},
        {"config": None},
        {"num_proc": 1},
    ],
)
def test_equal_options_find_the_rows_again(published: Path, get: Load, same: dict[str, Any]) -> None:
    first = identity(get(published))
    assert identity(get(published, **same)) == first


@pytest.mark.parametrize(
    "other",
    [
        {"length": 2000},
        {"depth": "start"},
        {"depth": [0.0, 1.0]},
        {"distractors": "random"},
        {"seed": 1},
        {"min_coherence": 0.01},
    ],
)
def test_other_options_never_find_them(published: Path, get: Load, other: dict[str, Any]) -> None:
    first = get(published)
    second = get(published, **other)
    assert not set(identity(first)) & set(identity(second))
    assert identity(get(published)) == identity(first)


def test_spellings_of_depth_and_score_are_one(published: Path, get: Load) -> None:
    first = identity(get(published, depth=0, min_coherence=0))
    assert identity(get(published, depth="0.0", min_coherence=0.0)) == first
    assert identity(get(published, depth="start", min_coherence=0.0)) == first


def test_another_copy_of_the_same_data_is_the_same(published: Path, folder: Path, get: Load) -> None:
    assert identity(get(published)) == identity(get(folder)) == identity(get(str(folder)))


def test_a_new_version_gives_new_rows(folder: Path, get: Load, items: list[Item]) -> None:
    before = get(folder)
    edited = [(pair, replace(context, text=f"Now. {context.text}"), found) for pair, context, found in items]
    build(folder, raw("m", edited))
    after = get(folder)
    assert all("Now. " in row["messages"][0]["content"] for row in after)
    assert not any("Now. " in row["messages"][0]["content"] for row in before)


def test_data_changed_in_place_gives_new_rows(folder: Path, get: Load, items: list[Item]) -> None:
    import pyarrow.parquet as pq

    path = next((folder / "data/m/1.0.0").glob("*.parquet"))
    before = get(folder)
    table = pq.read_table(path)
    pq.write_table(table.slice(0, 10), path)  # behind the manifest's back
    assert [row["pair_id"] for row in get(folder)] == [pair.id for pair, _, _ in items[:10]]
    assert len(list(get(folder, streaming=True))) == 10
    assert len(before) == PAIRS


@pytest.mark.parametrize("constant", ["BUILDER_VERSION", "ROWS_VERSION"])
def test_changed_code_gives_new_rows(
    published: Path, get: Load, monkeypatch: pytest.MonkeyPatch, constant: str
) -> None:
    first = get(published)
    monkeypatch.setattr(dataset, constant, getattr(dataset, constant) + 1)
    real = chat_row
    monkeypatch.setattr(dataset, "chat_row", lambda sample, rank: real(replace(sample, task="new"), rank))
    assert {row["task"] for row in get(published)} == {"new"}
    monkeypatch.undo()
    assert {row["task"] for row in first} != {"new"}


def test_a_changed_tokenizer_gives_new_rows(published: Path, get: Load, tmp_path: Path) -> None:
    own = tmp_path / "tokenizer"
    own.mkdir()
    for path in (ROOT / "synthesis/tokens").glob("*.j*"):
        shutil.copy(path, own)
    first = get(published, tokenizer=str(own))
    assert identity(get(published)) == identity(first)  # the same definition under another name
    template = own / "chat_template.jinja"
    template.write_text("{{ 'In the beginning of it all. ' * 9 }}" + template.read_text())
    second = get(published, tokenizer=str(own))
    assert len(second[0]["messages"][0]["content"]) < len(first[0]["messages"][0]["content"])
    assert list(get(published, tokenizer=str(own), streaming=True)) == second.to_list()


# --- what is left out ----------------------------------------------------------------------


def test_contexts_below_a_score_are_left_out_altogether(tmp_path: Path, get: Load, items: list[Item]) -> None:
    scored = [
        (pair, context, replace(found, overall=place / PAIRS) if place % 5 else None)
        for place, (pair, context, found) in enumerate(items)
        if found
    ]
    folder = build(tmp_path / "dataset", raw("m", scored))
    kept = [pair.id for pair, _, found in scored if found and found.overall >= 0.5]
    rows = get(folder, length="1k", min_coherence=0.5)
    assert [row["pair_id"] for row in rows] == kept
    assert all(row["coherence"] >= 0.5 for row in rows)
    assert {name for row in rows for name in row["documents"]} <= set(kept)
    assert list(get(folder, length="1k", min_coherence=0.5, streaming=True)) == rows.to_list()
    assert [row["coherence"] for row in get(folder)][:6:5] == [None, None]
    with pytest.raises(UsageError, match=r"'m' reaches a coherence of 1.0: the highest is 0.950"):
        get(folder, min_coherence=1)


def test_a_score_is_asked_of_contexts_that_have_none(tmp_path: Path, get: Load, items: list[Item]) -> None:
    folder = build(tmp_path / "dataset", raw("m", [(pair, context, None) for pair, context, _ in items]))
    assert {row["coherence"] for row in get(folder)} == {None}
    with pytest.raises(UsageError, match="none is scored"):
        get(folder, min_coherence=0)


def test_contexts_that_do_not_fit_are_left_out_and_counted(
    tmp_path: Path, get: Load, items: list[Item], caplog: pytest.LogCaptureFixture
) -> None:
    pair, context, found = items[3]
    longer = [*items[:3], (pair, replace(context, text=context.text * 5), found), *items[4:]]
    folder = build(tmp_path / "dataset", raw("m", longer))
    caplog.set_level(logging.WARNING, "builder.loading.dataset")
    rows = get(folder, length="1k")
    assert [row["pair_id"] for row in rows] == [item[0].id for item in items if item[0] != pair]
    assert f"make no sample and are left out; first {pair.id}" in caplog.text
    with pytest.raises(UsageError, match=r"none of the contexts of 'm' 1.0.0 fits into 64 tokens"):
        get(folder, length=64)
    assert list(get(folder, length=64, streaming=True)) == []


# --- what is refused -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"length": "8 thousand"}, "length '8 thousand'"),
        ({"length": 0}, "length 0"),
        ({"depth": 1.5}, "depth 1.5"),
        ({"depth": []}, "depth"),
        ({"distractors": "nearest"}, "nearest"),
        ({"seed": 1.5}, "seed 1.5"),
        ({"seed": True}, "seed True"),
        ({"min_coherence": 2}, "min_coherence 2"),
        ({"min_coherence": "high"}, "min_coherence 'high'"),
        ({"split": "test"}, "no split 'test'"),
        ({"split": "train[:3]", "streaming": True}, "skip and take"),
        ({"split": "train[a:]"}, "'train\\[a:\\]' cannot be used"),
        ({"streaming": True, "num_proc": 2}, "num_proc"),
        ({"revision": "v1.0.0"}, "has no revision"),
        ({"length": None, "seed": 3, "depth": "end"}, "depth, seed would change nothing"),
    ],
)
def test_options_that_cannot_be_used(
    published: Path, get: Load, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        get(published, **options)


def test_options_are_refused_before_anything_is_written(published: Path, get: Load, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        get(published, distractors="nearest")
    with pytest.raises(UsageError):
        load_builder(published, "m", length="2k", max_reuse=0, cache_dir=tmp_path / "cache")
    with pytest.raises(TokenizerError, match="no tokenizer folder './none'"):
        get(published, tokenizer="./none")
    assert not (tmp_path / "cache").exists()


def test_a_tokenizer_that_changes_under_a_stream(published: Path, get: Load, tmp_path: Path) -> None:
    own = tmp_path / "tokenizer"
    own.mkdir()
    for path in (ROOT / "synthesis/tokens").glob("*.j*"):
        shutil.copy(path, own)
    (own / "chat_template.jinja").write_text("{% for m in messages %}<{{ m.content }}>{% endfor %}")
    stream = get(published, tokenizer=str(own), streaming=True)
    (own / "chat_template.jinja").write_text("{% for m in messages %}({{ m.content }}){% endfor %}")
    assert next(iter(stream))  # it is in memory here
    assembling._LOADED.clear()  # but not in another process
    assembling.forget()
    with pytest.raises(TokenizerError, match="has changed since the dataset was loaded"):
        next(iter(stream))


def test_a_recorded_tokenizer_that_is_not_here(tmp_path: Path, get: Load, items: list[Item]) -> None:
    folder = build(tmp_path / "dataset", raw("m", items[:5]), tokenizer="/somewhere/else")
    with pytest.raises(TokenizerError, match=r"measured with; you may give another"):
        get(folder)
    assert len(get(folder, tokenizer="embedded")) == 5


def test_parts_of_the_split(published: Path, get: Load) -> None:
    whole = get(published)
    part = get(published, split="train[5:8]")
    assert part.to_list() == whole.to_list()[5:8]


@pytest.mark.parametrize(
    ("config", "length", "message"),
    [
        ("n", "2k", r"no config 'n'\. Name one of these: m, m-v1\.0\.0\."),
        ("m-v1.0.1", "2k", r"Did you mean 'm-v1\.0\.0'"),
        ("m-chat-2k", "2k", r"'m-chat-2k' holds chat rows, and samples are made from raw ones\."),
        ("m-chat-3k", None, r"Did you mean 'm-chat-2k'\? Name one of these: m, m-chat-2k, m-v1"),
    ],
)
def test_names_that_are_not_there(
    published: Path, get: Load, config: str, length: str | None, message: str
) -> None:
    with pytest.raises(SourceError, match=message):
        get(published, config, length)


def test_more_than_one_raw_config_has_to_be_chosen_from(tmp_path: Path, get: Load, items: list[Item]) -> None:
    folder = build(tmp_path / "dataset", raw("one", items[:4]), raw("two", items[4:9]), raw("none", []))
    with pytest.raises(SourceError, match=r"has 2 raw configs with rows to choose from: one, two\."):
        get(folder, None)
    assert len(get(folder, "two")) == 5
    with pytest.raises(SourceError, match="'none' has no rows"):
        get(folder, "none")


def test_a_run_is_known_by_its_folder(published: Path, get: Load) -> None:
    assert identity(get(published.parent)) == identity(get(published))


def test_places_that_hold_no_dataset(tmp_path: Path, get: Load) -> None:
    with pytest.raises(SourceError, match="not a folder that is here"):
        get(tmp_path / "nothing")
    with pytest.raises(SourceError, match="not a folder that is here"):
        load("./nothing", length="2k")
    with pytest.raises(SourceError, match="no dataset that this tool built"):
        get(tmp_path)


def test_files_that_are_missing_damaged_or_elsewhere(folder: Path, get: Load) -> None:
    path = next((folder / "data/m/1.0.0").glob("*.parquet"))
    content = path.read_bytes()
    path.write_bytes(content[:5000])
    with pytest.raises(SourceError, match=f"{path.name} of 'm' 1.0.0 cannot be read"):
        get(folder)
    path.unlink()
    with pytest.raises(SourceError, match=f"data/m/1.0.0/{path.name} of 'm' 1.0.0 is missing"):
        get(folder)
    path.write_bytes(content)
    assert len(get(folder)) == PAIRS
    # A manifest made by somebody else leads nowhere outside.
    (folder.parent / "secret.parquet").write_bytes(content)
    (folder / "manifests/.checks").unlink()
    manifest = folder / "manifests/m/1.0.0.json"
    manifest.write_text(manifest.read_text().replace(f"data/m/1.0.0/{path.name}", "../secret.parquet"))
    with pytest.raises(SourceError, match="missing"):
        get(folder)


def test_columns_that_are_missing(folder: Path, get: Load) -> None:
    import pyarrow.parquet as pq

    path = next((folder / "data/m/1.0.0").glob("*.parquet"))
    whole = pq.read_table(path)
    pq.write_table(whole.drop_columns(["seed", "attempts"]), path)
    assert get(folder).num_rows
    pq.write_table(whole.drop_columns(["context", "seed", "tokens"]), path)
    with pytest.raises(SourceError, match="has no column 'context', 'tokens'"):
        get(folder)


def test_columns_that_are_not_used_may_be_missing(folder: Path, get: Load) -> None:
    import pyarrow.parquet as pq

    path = next((folder / "data/m/1.0.0").glob("*.parquet"))
    rows = list(get(folder))
    pq.write_table(
        pq.read_table(path).drop_columns(["contamination", "attempts", "answer_kind", "form", "hops"]), path
    )
    # What is not known of a context's evidence is told as not known; everything else is as it was.
    assert any(row["form"] or row["hops"] for row in rows)
    assert list(get(folder)) == [row | {"form": "", "hops": 0} for row in rows]


def test_a_cache_that_cannot_be_used(published: Path, get: Load, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises((FolderError, StorageError), match="file"):
        get(published, cache_dir=tmp_path / "file")


def test_rows_that_are_removed_while_they_are_in_use(published: Path, get: Load, tmp_path: Path) -> None:
    stream = get(published, streaming=True)
    shutil.rmtree(tmp_path / "cache")
    with pytest.raises(StorageError, match="was removed while it was in use"):
        next(iter(stream))


def test_errors_of_ours_are_not_wrapped(published: Path, get: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(error: Exception) -> Load:
        def failing(*_: object, **__: object) -> Iterator[Any]:
            raise error
            yield

        return failing

    monkeypatch.setattr(dataset, "outcomes", fail(TokenizerError("broken")))
    with pytest.raises(TokenizerError, match="^broken$"):
        get(published)
    monkeypatch.setattr(dataset, "outcomes", fail(OSError(28, "No space left on device")))
    with pytest.raises(StorageError, match="no room left"):
        get(published)
    monkeypatch.undo()
    assert len(get(published)) == PAIRS  # what failed is not taken for done


# --- as they are, and from the Hub ---------------------------------------------------------


def test_without_a_length_it_is_plain_datasets(published: Path, get: Load, tmp_path: Path) -> None:
    import datasets

    for name in (None, "m", "m-v1.0.0", "m-chat-2k", "m-chat-2k-v1.0.0"):
        plain = datasets.load_dataset(str(published), name, split="train", cache_dir=str(tmp_path / "cache"))
        assert get(published, name, None).to_list() == plain.to_list()
        assert list(get(published, name, None, streaming=True)) == plain.to_list()
    builder = load_builder(published, "m-chat-2k", cache_dir=tmp_path / "cache")
    assert builder.info.features == plain.features
    assert not isinstance(builder, ContextSynthesis)
    made = load_builder(published, "m", length="2k", cache_dir=tmp_path / "cache")
    assert isinstance(made, ContextSynthesis) and made.info.features == plain.features
    with pytest.raises(SourceError, match="Did you mean 'm-chat-2k'"):
        load_builder(published, "m-chat-2", cache_dir=tmp_path / "cache")


# What a machine without this tool does; and then, beside it, one with it.
PLAIN = """
import datasets, json, os, sys
datasets.disable_progress_bars()
repo, revision, names = json.load(sys.stdin)
for name in names:
    for streaming in (False, True):
        rows = datasets.load_dataset(repo, name, revision=revision, split="train", streaming=streaming)
        print(json.dumps([row["id"] for row in rows]), flush=True)
assert not {"builder", "synthesis"} & set(sys.modules)
os._exit(0)  # threads left by streaming can bring an orderly exit down
"""
OURS = """
import datasets, json, os, sys
from builder.loading.load import load
from synthesis.errors import ContextSynthesisError
datasets.disable_progress_bars()
for place, config, options in json.load(sys.stdin):
    try:
        answer = [*load(place, config, **options)]
    except ContextSynthesisError as error:
        answer = f"{type(error).__name__}: {error}"
    print(json.dumps(answer), flush=True)
os._exit(0)
"""


def upload(hub: LocalHub, folder: Path, tag: str, private: bool = True) -> None:
    from huggingface_hub import HfApi

    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".building" not in path.parts
    }
    hub.seed("ada/long", files, private=private, by="ada")
    HfApi(endpoint=hub.endpoint, token=hub.token).create_tag("ada/long", tag=tag, repo_type="dataset")


def test_from_the_hub_at_any_revision(
    hub: LocalHub, folder: Path, tmp_path: Path, get: Load, items: list[Item]
) -> None:
    first = get(folder).to_list()
    upload(hub, folder, "v1.0.0")
    commit = hub.head("ada/long").oid
    edited = [(pair, replace(context, text=f"Now. {context.text}"), found) for pair, context, found in items]
    build(folder, raw("m", edited))
    second = get(folder).to_list()
    upload(hub, folder, "v2.0.0")
    repo, k2 = "ada/long", {"length": "2k"}
    cases = [
        ((repo, "m", k2), second),
        ((repo, None, {**k2, "streaming": True}), second),
        ((f"{repo}@v1.0.0", "m", k2), first),
        ((repo, "m-v1.0.0", {**k2, "revision": "v1.0.0", "streaming": True}), first),
        ((repo, "m-v1.0.0", k2), first),
        ((repo, "m", {**k2, "revision": commit, "num_proc": 2}), first),
        ((repo, "m-chat-2k", {"revision": "v1.0.0"}), first),
    ]
    assert hub.ask(OURS, [case for case, _ in cases], tmp_path / "home") == [rows for _, rows in cases]
    # Each of the two raw files came once, however often it was needed.
    raw_files = [path for path in hub.files(repo) if path.startswith("data/m/")]
    fetched = [one.path for one in hub.seen("GET", r"/data/m/") if one.status in (200, 206)]
    assert sorted(path.partition("/data/")[2] for path in fetched) == sorted(
        path.removeprefix("data/") for path in raw_files
    )
    assert len(raw_files) == 2
    # Once here, it needs no network.
    hub.fail_next("GET", ".*", 503, times=1000)
    hub.fail_next("HEAD", ".*", 503, times=1000)
    offline = hub.ask(OURS, [(repo, "m", {**k2, "seed": 4})], tmp_path / "home", HF_HUB_OFFLINE="1")
    assert [row["pair_id"] for row in offline[0]] == [row["pair_id"] for row in second]


def test_what_the_hub_does_not_have(hub: LocalHub, folder: Path, tmp_path: Path) -> None:
    upload(hub, folder, "v1.0.0")
    hub.seed("ada/other", {"rows.csv": "a,b\n1,2\n"})
    repo, k2 = "ada/long", {"length": "2k"}
    expected = {
        (
            repo,
            "n",
            "2k",
            None,
        ): "SourceError: ada/long: there is no config 'n'. Name one of these: m, m-v1.0.0.",
        (repo, "m-chat-2k", "2k", None): "holds chat rows, and samples are made from raw ones.",
        (repo, "m", "2k", "v1.0.1"): "there is no revision 'v1.0.1'. Did you mean 'v1.0.0'?",
        (repo, "m", None, "v1.0.1"): "there is no revision 'v1.0.1'. Did you mean 'v1.0.0'?",
        (repo, "m-chat-3k", None, None): "Did you mean 'm-chat-2k'?",
        ("ada/nothing", "m", "2k", None): "Check the spelling of ORG/NAME",
        ("ada/other", None, "2k", None): "no dataset that this tool built",
    }
    questions = [
        (place, config, {"length": length, "revision": revision})
        for place, config, length, revision in expected
    ]
    answers = hub.ask(OURS, questions, tmp_path / "home")
    for answer, message in zip(answers, expected.values(), strict=True):
        assert isinstance(answer, str) and answer.startswith("SourceError: ") and message in answer
        assert hub.token not in answer
    logged_out = hub.ask(OURS, [(repo, "m", k2)], tmp_path / "fresh", HF_TOKEN="")
    assert "SourceError: ada/long:" in logged_out[0]
    given = hub.ask(OURS, [(repo, "m", {**k2, "token": hub.token})], tmp_path / "fresh", HF_TOKEN="")
    assert len(given[0]) == PAIRS


def test_plain_datasets_needs_nothing_of_ours(
    hub: LocalHub, folder: Path, tmp_path: Path, items: list[Item]
) -> None:
    upload(hub, folder, "v1.0.0", private=False)
    names = ["m", "m-v1.0.0", "m-chat-2k", "m-chat-2k-v1.0.0"]
    answers = hub.ask(PLAIN, ("ada/long", "v1.0.0", names), tmp_path / "home")
    assert [len(answer) for answer in answers] == [PAIRS] * 8
    assert answers[0] == [pair.id for pair, _, _ in items]
    assert issubclass(SourceError, ContextSynthesisError)
