"""Exports: the shapes trainers take, exact loss masks, packs, weights, bytes and errors."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, pre_tokenizers, trainers

from builder.export.files import write_rows
from builder.export.packing import IGNORED, Encoded, Span, _Rendered, encode_chats, pack, pack_row
from builder.export.source import Conversation, shuffled
from builder.export.write import FORMATS, ExportResult, export
from builder.folder.build import ConfigData, build_folder
from builder.folder.schema import chat_row, raw_row
from synthesis.data import Context, Message, Pair, Sample, WrongAnswer
from synthesis.errors import ContextSynthesisError, FolderError, SourceError, TokenizerError, UsageError
from synthesis.tokens import Tokenizer, build_tokenizer, load_tokenizer
from tests.hub import LocalHub
from tests.programs import run_python, under_hash_seeds

Rows = list[dict[str, Any]]
ROOT = Path(__file__).resolve().parents[1]
FACTS = {"engine": "composer", "tokenizer": {"name": "embedded"}}
SUFFIXES = (".jsonl", ".parquet")


def chat_rows(count: int, budget: int = 512) -> Rows:
    """Samples of very different lengths; answers differ in length and in script."""
    rows = []
    for number in range(count):
        document = f"The ferry of Skarholm left pier {number} in the rain. " * (1 + number * 7 % 23)
        question, answer = (
            f"When did ferry {number} leave?",
            f"At {number} o'clock, \N{SNOWFLAKE} 雨." * (1 + number % 3),
        )
        messages = (Message("user", f"{document}\n\n{question}"), Message("assistant", answer))
        tokens = load_tokenizer().count_chat(messages)
        span = (0, len(document))
        rows.append(
            chat_row(
                Sample(
                    f"s{number}",
                    f"p{number}",
                    messages,
                    tokens,
                    budget,
                    0.0,
                    span,
                    (f"p{number}",),
                    "none",
                    "qa",
                    answer=answer,
                    wrong=(WrongAnswer("Never.", "decoy"),),
                )
            )
        )
    return rows


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset folder with a raw config and two chat configs."""
    path = tmp_path_factory.mktemp("export") / "dataset"
    pair = Pair(instruction="q", answer="a")
    raw = ConfigData("m", "raw", lambda: [raw_row(pair, Context(pair.id, "text"), None)], "raw")
    chats = [
        ConfigData(f"m-chat-{name}", "chat", lambda count=count: chat_rows(count), name)  # type: ignore[misc]
        for name, count in (("512", 30), ("16k", 2))
    ]
    build_folder(path, [raw, *chats], facts=FACTS)
    return path


def read(path: Path) -> Rows:
    """The rows of an export, as any reader sees them."""
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_bytes().decode().split("\n")[:-1]]
    import pyarrow.parquet as pq

    rows: Rows = pq.ParquetFile(path).read().to_pylist()
    return rows


def write(folder: Path, target: Path, format: str, **options: Any) -> ExportResult:
    if format == "packed":
        options = {"length": 700, **options}
    return export(folder, target, config="m-chat-512", format=format, **options)


# --- shapes -------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("format", ["messages", "prompt-completion", "sharegpt"])
def test_formats_of_turns(folder: Path, tmp_path: Path, format: str, suffix: str) -> None:
    target = tmp_path / "new" / f"train{suffix}"
    result = write(folder, target, format)
    source, found = chat_rows(30), read(target)
    assert result == ExportResult(30, (target,), target.stat().st_size, 30, "m-chat-512")
    assert [row["id"] for row in found] == [row["id"] for row in source]
    for given_row, row in zip(source, found, strict=True):
        user, assistant = given_row["messages"]
        expected = {
            "messages": {"messages": [user, assistant]},
            "prompt-completion": {"prompt": [user], "completion": [assistant]},
            "sharegpt": {
                "conversations": [
                    {"from": "human", "value": user["content"]},
                    {"from": "gpt", "value": assistant["content"]},
                ]
            },
        }[format]
        assert row == {"id": given_row["id"], **expected}


def test_longalign_reads_two_turns_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "long.jsonl"
    write(folder, target, "longalign")
    assert read(target) == [{"messages": row["messages"]} for row in chat_rows(30)]


@pytest.mark.parametrize("format", FORMATS)
def test_what_is_written_loads_with_datasets(folder: Path, tmp_path: Path, format: str) -> None:
    from datasets import load_dataset

    target = tmp_path / ("train.jsonl" if format == "longalign" else "train.parquet")
    result = write(folder, target, format)
    kind = "json" if format == "longalign" else "parquet"
    loaded = load_dataset(kind, data_files=str(target), split="train", cache_dir=str(tmp_path / "cache"))
    assert loaded.to_list() == read(target)
    assert len(loaded) == result.rows


def test_the_first_samples_only(folder: Path, tmp_path: Path) -> None:
    result = write(folder, tmp_path / "a.jsonl", "messages", limit=4)
    assert (result.rows, result.samples) == (4, 4)
    assert [row["id"] for row in read(tmp_path / "a.jsonl")] == ["s0", "s1", "s2", "s3"]


def test_a_run_and_its_dataset_are_the_same(folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "run.toml").write_text("")
    with pytest.raises(SourceError, match="no dataset yet"):
        write(run, tmp_path / "a.jsonl", "messages")
    (run / "dataset").symlink_to(folder)
    write(run, tmp_path / "a.jsonl", "messages")
    write(folder, tmp_path / "b.jsonl", "messages")
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()


def test_shuffled_by_seed_and_complete(folder: Path, tmp_path: Path) -> None:
    orders = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write(folder, tmp_path / f"{name}.jsonl", "messages", shuffle=True, seed=seed)
        orders.append([row["id"] for row in read(tmp_path / f"{name}.jsonl")])
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == sorted(orders[2]) == sorted(row["id"] for row in chat_rows(30))
    assert orders[0] != [row["id"] for row in chat_rows(30)]


def test_shuffling_holds_no_more_than_its_window() -> None:
    taken = 0

    def samples() -> Iterator[Conversation]:
        nonlocal taken
        for number in range(1000):
            taken += 1
            yield Conversation(str(number), (Message("user", "x" * 10),))

    order = []
    for given_out, sample in enumerate(shuffled(samples(), 0, window=200)):
        order.append(sample.id)
        assert taken - given_out <= 21
    assert sorted(order, key=int) == [str(number) for number in range(1000)]


# --- masks --------------------------------------------------------------------------------

IM = "<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n"
PROMPT = "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
TEMPLATES = {
    "plain": "{% for m in messages %}" + IM + "{% endfor %}" + PROMPT,
    "no generation prompt": "{% for m in messages %}" + IM + "{% endfor %}",
    "trims": "{% for m in messages %}"
    + IM.replace("m.content", "m.content | trim")
    + "{% endfor %}"
    + PROMPT,
    # As reasoning models do: an empty thought, in the last turn only.
    "thinks": "{% for m in messages %}{% if loop.last and m.role == 'assistant' %}"
    "<|im_start|>assistant\n<think>\n\n</think>\n\n{{ m.content }}<|im_end|>\n"
    "{% else %}" + IM + "{% endif %}{% endfor %}" + PROMPT,
    "closes with nothing": "{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant] {% endif %}",
}
CLOSINGS = dict.fromkeys(TEMPLATES, "<|im_end|>") | {"closes with nothing": ""}


def byte_level(template: str, *, teach: str = "") -> Tokenizer:
    """A tokenizer whose tokens decode to exactly the bytes they were made of."""
    made = Backend(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=420,
        special_tokens=["<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator([f"{teach} the ferry left the pier at noon [assistant]"] * 9, trainer)
    return build_tokenizer("made", made.to_str(), template, {"eos_token": "<|im_end|>"})


MADE = {name: byte_level(template) for name, template in TEMPLATES.items()}


def encode_chat(name: str, messages: list[Message], tokenizer: Tokenizer) -> Encoded:
    (encoded,) = encode_chats([(name, messages)], tokenizer)
    return encoded


def learnt(encoded: Encoded, tokenizer: Tokenizer) -> list[str]:
    return [
        tokenizer.backend.decode(list(encoded.ids[start:end]), skip_special_tokens=False)
        for start, end in encoded.targets
    ]


@pytest.mark.parametrize("name", TEMPLATES)
@given(
    document=st.text(st.characters(codec="utf-8", exclude_categories=["Co"]), max_size=40),
    answer=st.text(st.characters(codec="utf-8", exclude_categories=["Co"]), min_size=1, max_size=20),
)
@settings(deadline=None, max_examples=40)
def test_the_mask_is_the_answer_and_what_closes_it(name: str, document: str, answer: str) -> None:
    answer = answer.strip() or "a"
    # The answer occurs in the prompt too, and in the header of the turn.
    for said in (answer, "a", "assistant"):
        messages = [Message("user", f"{document} {said} {document}"), Message("assistant", said)]
        tokenizer = MADE[name]
        encoded = encode_chat("s", messages, tokenizer)
        assert list(encoded.ids) == tokenizer.encode(tokenizer.render(messages))
        thought = "<think>\n\n</think>\n\n" if name == "thinks" else ""
        # Bytes of a merged token may be shared with the blank before a bare answer.
        (text,) = learnt(encoded, tokenizer)
        assert text.lstrip(" ") == (thought + said + CLOSINGS[name]).lstrip(" ")


def test_every_answer_of_a_longer_talk_is_learnt() -> None:
    messages = [
        Message("system", "Be brief."),
        Message("user", "Which pier?"),
        Message("assistant", "The first."),
        Message("user", "The first?"),
        Message("assistant", "Yes."),
    ]
    for name in ("plain", "trims", "no generation prompt"):
        encoded = encode_chat("s", messages, MADE[name])
        assert learnt(encoded, MADE[name]) == ["The first.<|im_end|>", "Yes.<|im_end|>"]
    encoded = encode_chat("s", messages, MADE["thinks"])
    assert learnt(encoded, MADE["thinks"]) == [
        "The first.<|im_end|>",
        "<think>\n\n</think>\n\nYes.<|im_end|>",
    ]


@pytest.mark.parametrize("answer", ["noon", "n"])
def test_a_token_across_the_boundary_belongs_to_the_answer(answer: str) -> None:
    template = (
        "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
        "{% if add_generation_prompt %}assistant: {% endif %}"
    )
    tokenizer = byte_level(template, teach=f" {answer}")
    messages = [Message("user", "When?"), Message("assistant", answer)]
    prompt = tokenizer.encode(tokenizer.render(messages[:1], add_generation_prompt=True))
    encoded = encode_chat("s", messages, tokenizer)
    assert list(encoded.ids[: len(prompt)]) != prompt, "the case is meant to merge"
    assert learnt(encoded, tokenizer) == [f" {answer}"]


def test_a_tokenizer_that_begins_texts_with_a_blank() -> None:
    """What follows an edge does not encode alone as it does in the whole."""
    pieces = [("<unk>", 0.0), *((letter, -1.0) for letter in "▁[]useraitny")]
    made = Backend(models.Unigram(pieces, 0))
    made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer = build_tokenizer(
        "blank", made.to_str(), TEMPLATES["closes with nothing"].replace("] ", "]"), {}
    )
    messages = [Message("user", "Is it rusty?"), Message("assistant", "yes")]
    prompt = tokenizer.encode(tokenizer.render(messages[:1], add_generation_prompt=True))
    encoded = encode_chat("s", messages, tokenizer)
    assert tokenizer.encode("yes")[0] != encoded.ids[len(prompt)], "the case is meant to differ"
    assert encoded.targets == (Span(len(prompt), len(prompt) + 3),)
    # Nor are offsets asked where what precedes is clear: some published tokenizers give wrong ones.
    text = tokenizer.render(messages)
    wrong: Any = SimpleNamespace(offsets=[(0, 0) for _ in encoded.ids])
    assert _Rendered(text, list(encoded.ids), wrong).first(text.index("yes"), tokenizer) == len(prompt)


def test_many_conversations_are_encoded_as_each_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = load_tokenizer()
    named = [(row["id"], [Message(**turn) for turn in row["messages"]]) for row in chat_rows(20)]
    alone = [encode_chat(*one, tokenizer) for one in named]
    for size in (1, 3000, 10**9):
        monkeypatch.setattr("builder.export.packing._BATCH_CHARACTERS", size)
        assert list(encode_chats(named, tokenizer)) == alone


def test_the_embedded_tokenizer_learns_answer_and_end_of_turn() -> None:
    tokenizer = load_tokenizer()
    for row in chat_rows(30):
        messages = [Message(**turn) for turn in row["messages"]]
        encoded = encode_chat("s", messages, tokenizer)
        assert len(encoded.ids) == row["tokens"]
        assert learnt(encoded, tokenizer) == [messages[-1].content + "<|over|>"]


def test_a_template_that_rewrites_answers_is_refused() -> None:
    tokenizer = byte_level(
        "{% for m in messages %}{{ m.role }}: {{ m.content | upper }}\n{% endfor %}",
    )
    with pytest.raises(TokenizerError, match=r"turn 2 of sample s7 .*Choose another tokenizer"):
        encode_chat("s7", [Message("user", "When?"), Message("assistant", "noon")], tokenizer)


def test_an_answer_that_leaves_nothing_to_learn() -> None:
    with pytest.raises(TokenizerError, match="sample s7 has no token to learn"):
        encode_chat("s7", [Message("user", "When?")], load_tokenizer())


# --- packs --------------------------------------------------------------------------------


def sequence(name: str, size: int, answers: int = 1) -> Encoded:
    from array import array

    return Encoded(name, array("i", range(size)), (Span(size - answers, size),))


@given(
    sizes=st.lists(st.integers(2, 100), max_size=120),
    length=st.integers(100, 300),
    open_packs=st.integers(1, 9),
)
@settings(deadline=None)
def test_packs_hold_every_sample_once_and_never_too_much(
    sizes: list[int], length: int, open_packs: int
) -> None:
    sequences = [sequence(f"s{number}", size) for number, size in enumerate(sizes)]
    packs = list(pack(iter(sequences), length, open_packs))
    assert sorted(one.id for group in packs for one in group) == sorted(one.id for one in sequences)
    assert all(0 < sum(len(one.ids) for one in group) <= length for group in packs)
    assert packs == list(pack(iter(sequences), length, open_packs))
    # Any two packs open at once could not be one, so at most one pack in the window is under half full.
    if open_packs > len(packs):
        assert sum(2 * sum(len(one.ids) for one in group) <= length for group in packs) <= 1


def test_packing_reads_no_further_than_it_must() -> None:
    taken = 0

    def stream() -> Iterator[Encoded]:
        nonlocal taken
        for number in range(10_000):
            taken += 1
            yield sequence(f"s{number}", 60)

    given_out = 0
    for group in pack(stream(), 100, open_packs=4):
        given_out += len(group)
        assert taken - given_out <= 4


def test_a_pack_that_is_full_goes_out_at_once() -> None:
    stream = iter([sequence("a", 60), sequence("b", 90), sequence("c", 40), sequence("d", 10)])
    packs = pack(stream, 100)
    assert [one.id for one in next(packs)] == ["a", "c"]
    assert next(stream).id == "d", "nothing more was read than the pack needed"
    assert [[one.id for one in group] for group in packs] == [["b"]]


def test_packs_are_well_filled() -> None:
    chance = random.Random(5)
    sizes = [chance.randint(200, 8000) for _ in range(2000)]
    packs = list(pack((sequence(str(n), size) for n, size in enumerate(sizes)), 16_384))
    assert sum(sizes) / (len(packs) * 16_384) > 0.96


def test_a_sample_longer_than_a_pack_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"sample s\d+ has \d+ tokens, more than the 100 of a pack"):
        write(folder, tmp_path / "p.parquet", "packed", length=100)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_packed_rows(folder: Path, tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"p{suffix}"
    result = write(folder, target, "packed")
    rows, source, tokenizer = read(target), {row["id"]: row for row in chat_rows(30)}, load_tokenizer()
    assert (result.rows, result.samples) == (len(rows), 30)
    assert len(rows) < 30
    assert sorted(name for row in rows for name in row["ids"]) == sorted(source)
    for row in rows:
        size = len(row["input_ids"])
        assert size <= 700
        assert {len(row[name]) for name in ("labels", "position_ids", "weights")} == {size}
        bounds = row["cu_seqlens"]
        assert (bounds[0], bounds[-1], len(bounds)) == (0, size, len(row["ids"]) + 1)
        assert sum(row["weights"]) == pytest.approx(len(row["ids"]), abs=1e-5)
        for name, start, end in zip(row["ids"], bounds, bounds[1:], strict=False):
            messages = [Message(**turn) for turn in source[name]["messages"]]
            assert row["input_ids"][start:end] == tokenizer.encode(tokenizer.render(messages))
            assert row["position_ids"][start:end] == list(range(end - start))
            places = [n for n in range(start, end) if row["labels"][n] != IGNORED]
            assert [row["labels"][n] for n in places] == [row["input_ids"][n] for n in places]
            said = tokenizer.backend.decode([row["labels"][n] for n in places], skip_special_tokens=False)
            assert said == messages[-1].content + "<|over|>"
            assert all((row["weights"][n] > 0) == (n in places) for n in range(start, end))


@given(st.integers(0, 10_000), st.integers(1, 4))
@settings(deadline=None, max_examples=50)
def test_weights_give_the_mean_of_the_samples_means(seed: int, packs_per_step: int) -> None:
    """LongAlign's equation 2 from equation 4, for any losses and any number of packs in a step."""
    chance = random.Random(seed)
    sequences = []
    for n in range(40):
        size = chance.randint(3, 90)
        sequences.append(sequence(f"s{n}", size, chance.randint(1, size - 1)))
    losses = {one.id: [chance.expovariate(0.5) for _ in one.ids] for one in sequences}
    means = {
        one.id: sum(losses[one.id][n] for start, end in one.targets for n in range(start, end)) / one.learnt
        for one in sequences
    }
    rows = [pack_row(group) for group in pack(sequences, 128)]
    for first in range(0, len(rows), packs_per_step):
        step = rows[first : first + packs_per_step]
        flat = [
            (w, loss) for row in step for w, loss in zip(row["weights"], _losses(row, losses), strict=True)
        ]
        weighted = sum(w * loss for w, loss in flat) / sum(w for w, _ in flat)
        names = [name for row in step for name in row["ids"]]
        assert weighted == pytest.approx(sum(means[name] for name in names) / len(names), rel=1e-9)
        # The paper's own form: K / (N M) summed in each pack, then averaged over the K packs.
        k, m = len(step), len(names)
        scaled = [
            sum(w * k / m * loss for w, loss in zip(row["weights"], _losses(row, losses), strict=True))
            for row in step
        ]
        assert sum(scaled) / k == pytest.approx(weighted, rel=1e-9)


def _losses(row: dict[str, Any], losses: dict[str, list[float]]) -> list[float]:
    return [loss for name in row["ids"] for loss in losses[name]]


# --- bytes --------------------------------------------------------------------------------


def test_bytes_are_the_same_in_any_process(folder: Path, tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from builder.export.write import FORMATS, export\n"
        "out = Path(sys.argv[2], os.environ['PYTHONHASHSEED'])\n"
        "for format in FORMATS:\n"
        "    for suffix in ('.jsonl',) if format == 'longalign' else ('.jsonl', '.parquet'):\n"
        "        export(sys.argv[1], out / f'{format}{suffix}', config='m-chat-512',\n"
        "               format=format, length=900 if format == 'packed' else None, shuffle=True, seed=3)\n"
    )
    under_hash_seeds(code, folder, tmp_path, seeds=("0", "4321"))
    first, second = (
        {path.name: path.read_bytes() for path in (tmp_path / seed).iterdir()} for seed in ("0", "4321")
    )
    assert first == second
    assert len(first) == 2 * len(FORMATS) - 1 == 13


def test_many_row_groups_hold_the_same_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow.parquet as pq

    monkeypatch.setattr("builder.export.files.GROUP_BYTES", 2000)
    rows = [{"id": str(n), "messages": [{"role": "user", "content": "é" * 300}]} for n in range(50)]
    assert write_rows(tmp_path / "a.parquet", rows, {"id": "text", "messages": "turns"})[0] == 50
    assert pq.ParquetFile(tmp_path / "a.parquet").num_row_groups > 5
    assert read(tmp_path / "a.parquet") == rows


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_failure_leaves_what_was_there(tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"a{suffix}"
    target.write_bytes(b"old")

    def failing() -> Iterator[dict[str, Any]]:
        yield {"id": "1"}
        assert len(list(tmp_path.iterdir())) == 2, "the rows go to a file beside the target"
        raise RuntimeError("made to fail")

    with pytest.raises(RuntimeError, match="made to fail"):
        write_rows(target, failing(), {"id": "text"})
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {target.name: b"old"}
    write_rows(target, [{"id": "1"}], {"id": "text"})
    assert [path.name for path in tmp_path.iterdir()] == [target.name]
    assert read(target) == [{"id": "1"}]


def test_a_disk_that_fills_up(folder: Path, tmp_path: Path) -> None:
    code = (
        "import resource, signal, sys; from builder.export.write import export\n"
        "from synthesis.errors import StorageError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))\n"
        "try: export(sys.argv[1], sys.argv[2], config='m-chat-512', format='messages')\n"
        "except StorageError as error: print(error)\n"
    )
    target = tmp_path / "out" / "a.jsonl"
    done = run_python("-c", code, folder, target)
    assert "no room left" in done.stdout, done.stderr
    assert list(target.parent.iterdir()) == []


# --- the Hub ------------------------------------------------------------------------------

pytest_plugins = ["tests.hub.fixtures"]


def test_a_dataset_on_the_hub_is_the_folder_it_came_from(hub: LocalHub, folder: Path, tmp_path: Path) -> None:
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    hub.seed("ada/long", files)
    code = (
        "import os, sys; from builder.export.write import export; from synthesis.errors import SourceError\n"
        "done = export('ada/long', sys.argv[1], config='m-chat-512', format='messages')\n"
        "try: export('ada/long', sys.argv[2], config='m-chat-9k', format='messages')\n"
        "except SourceError as error: print(done.rows, error, flush=True)\n"
        # Threads left by streaming can bring an orderly exit down.
        "os._exit(0)\n"
    )
    home = hub.environment(tmp_path / "home", PYTHONPATH=str(ROOT))
    files = (tmp_path / "hub.jsonl", tmp_path / "none.jsonl")
    done = run_python("-c", code, *files, folder=tmp_path, alone=home)
    assert done.stdout.startswith("30 ada/long has no config 'm-chat-9k'. Name one"), done.stderr
    write(folder, tmp_path / "folder.jsonl", "messages")
    assert (tmp_path / "hub.jsonl").read_bytes() == (tmp_path / "folder.jsonl").read_bytes()
    assert not (tmp_path / "none.jsonl").exists()


# --- errors -------------------------------------------------------------------------------


def test_chat_configs_are_listed_shortest_first(folder: Path, tmp_path: Path) -> None:
    known = "m-chat-512, m-chat-16k, m-chat-512-v1.0.0, m-chat-16k-v1.0.0"
    with pytest.raises(SourceError, match=rf"--config: {re.escape(known)}\.$"):
        export(folder, tmp_path / "none.jsonl", config="other", format="messages")


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        (
            {"config": "m-chat-9k"},
            SourceError,
            r"no config 'm-chat-9k'\. Name one .*: m-chat-512, m-chat-16k,",
        ),
        ({"config": None}, SourceError, "2 configs to choose from.*m-chat-512, m-chat-16k"),
        ({"config": "m"}, SourceError, r"'m' of .* holds no conversations \(its columns: id,.*m-chat-512"),
        ({"split": "test"}, SourceError, "--split"),
        ({"format": "alpaca"}, UsageError, "no format 'alpaca'.*messages, prompt-completion"),
        ({"format": "packed"}, UsageError, "needs the length of a pack"),
        ({"format": "packed", "length": "much"}, UsageError, "'much' is not a number of tokens"),
        ({"length": 4096}, UsageError, "are for the format 'packed'"),
        ({"tokenizer": "embedded"}, UsageError, "are for the format 'packed'"),
        ({"format": "packed", "length": 700, "tokenizer": "./none"}, TokenizerError, "no tokenizer folder"),
        ({"limit": 0}, UsageError, "limit of 0"),
        ({"target": "a.csv"}, UsageError, r"must end in \.jsonl or \.parquet"),
        ({"target": "a.parquet", "format": "longalign"}, UsageError, r"must end in \.jsonl for"),
        ({"target": "."}, FolderError, "is a folder"),
        ({"target": "there.jsonl"}, FolderError, "exists already"),
        ({"source": "not/there/at/all"}, SourceError, "not a folder that is here"),
        ({"source": "./nothing"}, SourceError, "not a folder that is here"),
        ({"source": ""}, SourceError, "not a folder that is here"),
    ],
)
def test_errors_say_what_to_do(
    folder: Path, tmp_path: Path, change: dict[str, Any], kind: type[ContextSynthesisError], message: str
) -> None:
    (tmp_path / "there.jsonl").write_text("mine")
    call: dict[str, Any] = {
        "source": folder,
        "target": "a.jsonl",
        "config": "m-chat-512",
        "format": "messages",
    }
    call |= change
    with pytest.raises(kind, match=message):
        export(call.pop("source"), tmp_path / call.pop("target"), **call)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"there.jsonl": "mine"}


def test_overwriting_on_request(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("old")
    assert write(folder, tmp_path / "a.jsonl", "messages", overwrite=True).rows == 30
    assert len(read(tmp_path / "a.jsonl")) == 30


def plain_folder(path: Path, rows: Rows) -> Path:
    path.mkdir()
    (path / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_folder_that_is_not_ours_needs_only_messages(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    source = plain_folder(tmp_path / "source", [{"messages": turns}])
    result = export(source, tmp_path / "a.jsonl", format="messages")
    (row,) = read(tmp_path / "a.jsonl")
    assert (row["messages"], len(row["id"]), result.config) == (turns, 32, "default")
    with pytest.raises(UsageError, match="tokenizer of 'default'.*is not recorded"):
        export(source, tmp_path / "a.parquet", format="packed", length=99)
    assert export(source, tmp_path / "a.parquet", format="packed", length=99, tokenizer="embedded").rows == 1


@pytest.mark.parametrize(
    ("roles", "format", "kind", "message"),
    [
        (["user"], "messages", SourceError, r"Row 2 of 'default' in .* does not end with an answer"),
        (["assistant", "user"], "messages", SourceError, "Row 2 .*does not end with an answer"),
        (["user", "tool"], "messages", SourceError, "Row 2 .*not turns with a role"),
        (["system", "user", "assistant"], "longalign", UsageError, r"turns \[system, user, assistant\]"),
    ],
)
def test_rows_that_cannot_be_exported(
    tmp_path: Path, roles: list[str], format: str, kind: type[ContextSynthesisError], message: str
) -> None:
    good = {"messages": [{"role": role, "content": "x"} for role in ("user", "assistant")]}
    bad = {"messages": [{"role": role, "content": "x"} for role in roles]}
    source = plain_folder(tmp_path / "source", [good, bad])
    with pytest.raises(kind, match=message):
        export(source, tmp_path / "a.jsonl", format=format)
    assert not (tmp_path / "a.jsonl").exists()
