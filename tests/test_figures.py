"""Figures: their numbers against the Parquet files, their inks on both backgrounds, their bytes and files."""

from __future__ import annotations

import random
import re
import struct
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from builder.folder.build import ConfigData, build_folder
from builder.folder.figures import families, family_figures, refresh_figures
from builder.folder.figures.family import FIGURES, MOST_CHATS
from builder.folder.figures.style import ACCENT, QUIET, key_of
from builder.folder.schema import chat_row, raw_row
from builder.folder.statistics import PARTS, measure_chat, measure_raw
from builder.folder.uniformity import uniformity
from builder.folder.versions import Manifest, read_manifests
from synthesis.data import Coherence, Context, Evidence, Message, Pair, Sample, content_hash
from synthesis.errors import FolderError, StorageError
from tests.contrast import contrast
from tests.programs import run_python

pytest_plugins = ["tests.hub.fixtures"]

ROOT = Path(__file__).parent.parent
REPO = "ada/contexts"
FACTS = {"engine": "composer", "template": "story", "words": 100, "seed": 3}
Rows = list[dict[str, Any]]


def raw_rows(count: int, seed: str = "rows") -> Rows:
    rng, rows = random.Random(seed), []
    for number in range(count):
        words = rng.randint(60, 140)
        pair = Pair(instruction=f"Who mended clock {number}?", answer=f"Ada {number}", task=f"t{number % 3}")
        context = Context(pair.id, "word " * words, (Evidence(0, 4, "x"),), words, words + 7, "composer")
        score = Coherence(*(round(rng.random(), 4) for _ in range(4)), "span", rng.random() < 0.5)
        # Where nothing was scored, nothing may be counted.
        rows.append(raw_row(pair, context, None if number % 10 == 9 else score))
    return rows


def chat_rows(count: int, budget: int = 128, seed: str = "chats") -> Rows:
    rng, rows = random.Random(f"{seed} {budget}"), []
    for number in range(count):
        alone, abstains = number % 7 == 3, number % 7 == 5
        sample = Sample(
            id=f"s{number}",
            pair_id=f"p{number}",
            messages=(Message("user", "text"), Message("assistant", "a")),
            tokens=budget - rng.choice([0, 0, 0, budget // 10]),
            budget=budget,
            depth=0.0 if alone or abstains else round(rng.random(), 6),
            evidence_span=(0, 0) if abstains else (3, 9),
            documents=("p",) if alone else ("p", "q"),
            distractors="random",
            task="t",
        )
        rows.append(chat_row(sample))
    return rows


def config(name: str, rows: Rows, kind: Any) -> ConfigData:
    return ConfigData(name, kind, lambda: iter(rows), content_hash(rows))


def build(folder: Path, count: int = 60, *, figures: bool = True, extra: Rows | None = None) -> Path:
    configs = [
        config("m", raw_rows(count), "raw"),
        config("m-chat-mix", chat_rows(count, 128) + chat_rows(count, 4096), "chat"),
        config("m-chat-64", extra if extra is not None else chat_rows(count, 64), "chat"),
    ]
    build_folder(folder, configs, facts=FACTS, figures=figures)
    return folder


def newest(folder: Path, name: str) -> Manifest:
    return read_manifests(folder)[name][-1]


def column(folder: Path, manifest: Manifest, name: str) -> list[Any]:
    import pyarrow.parquet as pq

    return [
        v
        for file in manifest.files
        for v in pq.read_table(folder / file.path, columns=[name])[name].to_pylist()
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("figures") / "dataset")


# --- the numbers --------------------------------------------------------------------------


def counted(values: list[float], edges: tuple[float, ...]) -> list[int]:
    """Counts between edges by plain comparison; the last cell takes its upper edge, too."""
    pairs = list(zip(edges, edges[1:], strict=False))
    last = len(pairs) - 1
    return [
        sum(low <= v < high or (place == last and v == high) for v in values)
        for place, (low, high) in enumerate(pairs)
    ]


def test_the_numbers_of_a_raw_config_are_those_of_its_file(folder: Path) -> None:
    manifest = newest(folder, "m")
    numbers = measure_raw(folder, manifest)
    spreads = {"words": numbers.words, "tokens": numbers.tokens, **numbers.parts}
    assert set(spreads) == {"words", "tokens", *PARTS}
    for name, spread in spreads.items():
        values = [value for value in column(folder, manifest, name) if value is not None]
        assert list(spread.counts) == counted(values, spread.edges), name
        assert (spread.count, spread.least, spread.most) == (len(values), min(values), max(values)), name
        assert spread.mean == pytest.approx(sum(values) / len(values))
    assert spreads["coherence"].count == 54 and spreads["words"].count == 60
    assert numbers.verified == column(folder, manifest, "verified").count(True)


def test_the_numbers_of_a_chat_config_are_those_of_its_file(folder: Path) -> None:
    manifest = newest(folder, "m-chat-mix")
    numbers = measure_chat(folder, manifest)
    tokens, budgets = column(folder, manifest, "tokens"), column(folder, manifest, "budget")
    shares = [t / b for t, b in zip(tokens, budgets, strict=True)]
    assert list(numbers.tokens.counts) == counted(tokens, numbers.tokens.edges)
    assert list(numbers.fill.counts) == counted(shares, numbers.fill.edges)
    assert numbers.full == sum(share >= 0.995 for share in shares) < len(shares)
    assert numbers.budgets == {128: 60, 4096: 60}


def test_rows_without_a_depth_are_left_out_of_it(folder: Path) -> None:
    manifest = newest(folder, "m-chat-mix")
    ends, documents = column(folder, manifest, "evidence_end"), column(folder, manifest, "documents")
    rows = zip(column(folder, manifest, "depth"), ends, documents, strict=True)
    depths = [depth for depth, end, names in rows if end > 0 and len(names) > 1]
    depth = measure_chat(folder, manifest).depth
    assert depth.count == len(depths) == 120 - 2 * 9 - 2 * 8
    assert depth.mean == pytest.approx(sum(depths) / len(depths))
    assert depth.merged(10).counts == tuple(counted(depths, depth.merged(10).edges))


def test_several_files_are_counted_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from builder.folder import parquet

    one = build(tmp_path / "one", figures=False)
    monkeypatch.setattr(
        parquet.ShardWriter.__init__,
        "__kwdefaults__",
        {"group_bytes": 2_000, "group_rows": 9, "shard_bytes": 9_000},
    )
    many = build(tmp_path / "many", figures=False)
    assert len(newest(one, "m").files) == 1 and len(newest(many, "m").files) > 1
    for name, measure in (("m", measure_raw), ("m-chat-mix", measure_chat)):
        numbers = [measure(where, newest(where, name)) for where in (one, many)]
        (a_tokens, a_fill), (b_tokens, b_fill) = [(n.tokens, getattr(n, "fill", None)) for n in numbers]
        assert (a_tokens, a_fill and a_fill.counts) == (b_tokens, b_fill and b_fill.counts)


def test_texts_are_never_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow.parquet as pq

    asked: set[str] = set()
    original = pq.ParquetFile.iter_batches

    def spying(self: Any, *args: Any, columns: list[str], **how: Any) -> Iterator[Any]:
        asked.update(columns)
        return original(self, *args, columns=columns, **how)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", spying)
    monkeypatch.delattr(pq.ParquetFile, "read")
    for family in families(versions[-1] for versions in read_manifests(folder).values()):
        family_figures(folder, family)
    assert "tokens" in asked
    assert not asked & {"context", "instruction", "answer", "messages", "metadata", "evidence"}


# --- the test of evenness -----------------------------------------------------------------


def grid(values: list[float], cells: int = 10_000) -> list[int]:
    counts = [0] * cells
    for value in values:
        counts[min(cells - 1, int(value * cells))] += 1
    return counts


def distance(values: list[float]) -> float:
    """The Kolmogorov-Smirnov distance from its definition."""
    ordered, n = sorted(values), len(values)
    return max(max((i + 1) / n - v, v - i / n) for i, v in enumerate(ordered))


@pytest.mark.parametrize("rows", [20, 72, 1_000])
def test_the_distance_is_that_of_the_definition(rows: int) -> None:
    rng = random.Random(rows)
    for power in (1, 2):
        values = [rng.random() ** power for _ in range(rows)]
        found = uniformity(grid(values))
        assert found is not None
        assert abs(found.distance - distance(values)) <= 1e-4 and found.rows == rows


def test_p_is_the_share_of_even_draws_that_stray_as_far() -> None:
    rng = random.Random("draws")
    distances = sorted(distance([rng.random() for _ in range(50)]) for _ in range(4_000))
    for share in (0.5, 0.2, 0.05, 0.01):
        at = distances[round(len(distances) * (1 - share))]
        counts = [0] * 10_000
        below = round((0.5 + at) * 50)  # so many at one place, the rest at the end
        counts[4_999], counts[9_999] = below, 50 - below
        found = uniformity(counts)
        assert found is not None
        assert found.p == pytest.approx(share, abs=max(0.012, share / 5 + abs(found.distance - at) * 8))


def test_even_uneven_and_too_few() -> None:
    stratified = uniformity(grid([(n + 0.5) / 500 for n in range(500)]))
    assert stratified is not None and stratified.even and stratified.p == 1.0
    start = uniformity(grid([0.0] * 500))
    assert start is not None and not start.even and str(start) == "D = 1.000, p < 0.001"
    assert uniformity(grid([0.5] * 19)) is None


# --- what is drawn ------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["#ffffff", "#0d1117"])
def test_every_ink_stands_out_from_light_and_dark_pages(page: str) -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    for ink in (ACCENT, QUIET):
        assert contrast(ink, page) >= 3, ink


def test_pictures_have_no_background_and_no_other_ink(folder: Path) -> None:
    from PIL import Image

    allowed = [tuple(int(ink[i : i + 2], 16) for i in (1, 3, 5)) for ink in (ACCENT, QUIET)]
    for path in (folder / "figures").glob("*.png"):
        picture = Image.open(path).convert("RGBA")
        assert picture.getpixel((0, 0))[3] == 0
        solid = {colour[:3] for _, colour in picture.getcolors(1 << 24) if colour[3] == 255}
        # Where two inks meet there are mixtures of the two, and nothing else.
        for colour in solid:
            assert any(_between(colour, a, b) for a in allowed for b in allowed), (path.name, colour)


def _between(colour: Any, a: Any, b: Any) -> bool:
    return all(min(x, y) - 3 <= c <= max(x, y) + 3 for c, x, y in zip(colour, a, b, strict=True))


def chunks(content: bytes) -> list[bytes]:
    kinds, at = [], 8
    while at < len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        body = content[at + 4 : at + 8 + length]
        assert struct.unpack(">I", content[at + 8 + length : at + 12 + length]) == (zlib.crc32(body),)
        kinds.append(body[:4])
        at += length + 12
    return kinds


def test_files_are_small_wide_enough_and_say_nothing_of_time_or_program(folder: Path) -> None:
    files = sorted((folder / "figures").iterdir())
    assert [file.name for file in files] == sorted(f"m-{figure}.png" for figure in FIGURES)
    for file in files:
        content = file.read_bytes()
        assert len(content) < 60_000
        assert struct.unpack(">I", content[16:20])[0] >= 1_400
        assert set(chunks(content)) <= {b"IHDR", b"PLTE", b"tRNS", b"tEXt", b"pHYs", b"IDAT", b"IEND"}
        assert b"atplotlib" not in content and chunks(content).count(b"tEXt") == 1


def test_bytes_are_the_same_in_any_process_whatever_the_users_settings(folder: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from builder.folder.figures import *;"
        "[p.unlink() for p in Path(sys.argv[1], 'figures').glob('*')]; refresh_figures(Path(sys.argv[1]))"
    )
    before = {path.name: path.read_bytes() for path in (folder / "figures").iterdir()}
    settings = tmp_path / "matplotlibrc"
    settings.write_text("font.size: 31\naxes.facecolor: red\nsavefig.dpi: 31\nsavefig.facecolor: blue\n")
    for seed in ("0", "77"):
        where = build(tmp_path / seed, figures=False)
        odd = {"PYTHONHASHSEED": seed, "MATPLOTLIBRC": str(settings), "MPLBACKEND": "svg"}
        done = run_python("-W", "error", "-c", code, where, **odd)
        assert done.returncode == 0, done.stderr
        assert {path.name: path.read_bytes() for path in (where / "figures").iterdir()} == before


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(chat_rows(1), id="one row"),
        pytest.param(chat_rows(30, 1_000_000), id="a million tokens"),
        pytest.param([{**row, "tokens": 3} for row in chat_rows(30)], id="nearly empty"),
        pytest.param([{**row, "depth": 1.0} for row in chat_rows(30)], id="all at the end"),
        pytest.param([{**row, "documents": []} for row in chat_rows(30)], id="none has a depth"),
    ],
)
def test_odd_data_can_be_drawn(tmp_path: Path, rows: Rows) -> None:
    build(tmp_path, 1, extra=rows)
    assert len(list((tmp_path / "figures").iterdir())) == len(FIGURES)


def test_unscored_contexts_and_chats_alone(tmp_path: Path) -> None:
    unscored = [{**row, **dict.fromkeys((*PARTS, "verified"))} for row in raw_rows(5)]
    build_folder(tmp_path / "a", [config("m", unscored, "raw")], facts={}, figures=True)
    assert {path.name for path in (tmp_path / "a" / "figures").iterdir()} == {"m-lengths.png"}
    build_folder(tmp_path / "b", [config("x-chat-8k", chat_rows(5), "chat")], facts={}, figures=True)
    assert {path.name for path in (tmp_path / "b" / "figures").iterdir()} == {
        "x-lengths.png",
        "x-asked.png",
        "x-depth.png",
    }


# --- which configs belong together ---------------------------------------------------------


def test_chats_go_with_the_contexts_they_were_made_from() -> None:
    def manifest(name: str, kind: Any, rows: int = 1, budget: int = 1) -> Manifest:
        statistics = {"budget": {"mean": budget, "max": budget}}
        return Manifest(name, "1.0.0", kind, "c", rows, 1, (), {}, statistics, {})

    given = [
        manifest("a", "raw"),
        manifest("a-chat-8k", "chat", budget=8),
        manifest("a-chat-4k", "chat", budget=4),
        manifest("a-chat-x", "raw"),
        manifest("a-chat-x-chat-4k", "chat"),
        manifest("a-rejected", "rejected"),
        manifest("gone", "raw", rows=0),
        manifest("other-chat-2k", "chat"),
        *(manifest(f"many-chat-{n}", "chat", budget=n) for n in range(MOST_CHATS + 3)),
    ]
    found = {family.name: [chat.config for chat in family.chats] for family in families(given)}
    assert found.pop("many") == [f"many-chat-{n}" for n in range(MOST_CHATS)]
    assert found == {
        "a": ["a-chat-4k", "a-chat-8k"],
        "a-chat-x": ["a-chat-x-chat-4k"],
        "other": ["other-chat-2k"],
    }


# --- files in a dataset folder --------------------------------------------------------------


def stamps(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (folder / "figures").iterdir()}


def test_unchanged_configs_are_not_redrawn_nor_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build(tmp_path)
    before = stamps(tmp_path)
    monkeypatch.setitem(sys.modules, "matplotlib", None)  # importing it would fail
    build(tmp_path)
    assert stamps(tmp_path) == before


def test_a_change_redraws_only_its_family(tmp_path: Path) -> None:
    build(tmp_path)
    build_folder(tmp_path, [config("other", raw_rows(4), "raw")], facts=FACTS, figures=True)
    before = stamps(tmp_path)
    build_folder(tmp_path, [config("other", raw_rows(7), "raw")], facts=FACTS, figures=True)
    changed = {name for name, stamp in stamps(tmp_path).items() if before.get(name) != stamp}
    assert changed == {"other-lengths.png", "other-asked.png", "other-coherence.png"}


def test_stale_figures_go_even_without_drawing_and_others_stay(tmp_path: Path) -> None:
    build(tmp_path)
    (tmp_path / "figures" / "mine.png").write_bytes(b"\x89PNG\r\n\x1a\nmine")
    (tmp_path / "figures" / "notes.txt").write_text("mine")
    build(tmp_path, 61, figures=False)
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {"mine.png", "notes.txt"}
    assert "m-lengths.png" not in (tmp_path / "README.md").read_text()
    build(tmp_path, 61)
    assert len(stamps(tmp_path)) == 2 + len(FIGURES)


def test_a_damaged_figure_is_drawn_again(tmp_path: Path) -> None:
    build(tmp_path)
    path = tmp_path / "figures" / "m-depth.png"
    whole = path.read_bytes()
    for damage in (b"", whole[:20], b"GIF89a", whole.replace(b"context-synthesis", b"context-synthesiz")):
        path.write_bytes(damage)
        build(tmp_path)
        assert path.read_bytes() == whole


def test_a_crash_while_drawing_leaves_a_folder_that_the_next_build_completes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import builder.folder.figures as figures

    whole = build(tmp_path / "whole")
    done = 0

    def failing(path: Path, text: Any, staging: Path) -> bool:
        nonlocal done
        done += 1
        if done > 2:
            raise StorageError("made to fail")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text)
        return True

    with monkeypatch.context() as patch:
        patch.setattr(figures, "replace_file", failing)
        with pytest.raises(StorageError, match="made to fail"):
            build(tmp_path / "crashed")
    assert not (tmp_path / "crashed" / "README.md").exists()
    build(tmp_path / "crashed")

    def files(folder: Path) -> dict[str, bytes]:
        return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    assert files(tmp_path / "crashed") == files(whole)


def test_a_file_in_the_place_of_the_folder_is_an_error_with_advice(tmp_path: Path) -> None:
    build(tmp_path, figures=False)
    (tmp_path / "figures").write_text("a file")
    with pytest.raises(FolderError, match=r"figures/m-lengths\.png"):
        build(tmp_path)


# --- in the card ------------------------------------------------------------------------------


def test_the_card_shows_them_with_what_they_say_in_words(folder: Path) -> None:
    card = (folder / "README.md").read_text(encoding="utf-8")
    manifest = newest(folder, "m")
    least, most = min(column(folder, manifest, "words")), max(column(folder, manifest, "words"))
    (asked,) = [line for line in card.splitlines() if line.endswith("(figures/m-asked.png)")]
    assert f"m: {least} to {most} words, asked for 100" in asked
    shown = [line.rpartition("/")[2] for line in card.splitlines() if line.startswith("![")]
    assert shown == [f"m-{figure}.png)" for figure in FIGURES]
    assert all(len(line.split("](")[0]) > 40 for line in card.splitlines() if line.startswith("!["))


def test_keys_are_only_found_in_pictures_of_ours(folder: Path, tmp_path: Path) -> None:
    assert (
        key_of(folder / "figures" / "m-depth.png")
        == families(versions[-1] for versions in read_manifests(folder).values())[0].key
    )
    for content in (b"", b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\n" + b"\xff" * 40, b"text"):
        (tmp_path / "x.png").write_bytes(content)
        assert key_of(tmp_path / "x.png") is None


def test_nothing_is_left_in_the_libraries_global_state(folder: Path) -> None:
    import matplotlib

    def parameters() -> dict[str, Any]:
        # Looking at the backend would choose one.
        return {name: matplotlib.rcParams[name] for name in matplotlib.rcParams if "backend" not in name}

    before = parameters()
    for path in (folder / "figures").iterdir():
        path.unlink()
    assert len(refresh_figures(folder)) == len(FIGURES)
    assert parameters() == before
    assert "matplotlib.pyplot" not in sys.modules


# --- the reliability diagram --------------------------------------------------------------------


def test_the_cells_of_the_reliability_diagram() -> None:
    import importlib.util

    from benchmarks.metrics import Judged, calibration_error

    spec = importlib.util.spec_from_file_location(
        "make_reliability", ROOT / "scripts" / "make_reliability.py"
    )
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    rng = random.Random("judged")
    verdicts = [Judged(n, n % 4 == 0, round(rng.random(), 3)) for n in range(400)]
    found = script.cells(verdicts)
    assert sum(cell.weight for cell in found) == pytest.approx(1)
    error = sum(cell.weight * abs(cell.promised - cell.found) for cell in found)
    assert error == pytest.approx(calibration_error(verdicts))
    # A quarter is true, but both sides weigh the same: about one half everywhere.
    assert all(cell.low < 0.5 < cell.high and cell.low < cell.found < cell.high for cell in found)
    assert script._wilson(0, 10) == pytest.approx((0, 0.2775), abs=1e-3)
    assert script._wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-3)


# --- on the Hub -------------------------------------------------------------------------------


# The client's own upload of large files uses a deprecated spelling of its HTTP library.
uploads = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


@pytest.fixture
def send(hub: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Publishes to the local Hub, without loading anything back."""
    import builder.hub.publish as publication
    from builder.hub.publish import publish

    monkeypatch.setattr(publication, "problems_with", lambda *job: [])
    return lambda folder: publish(folder, REPO, token=hub.token, endpoint=hub.endpoint)


@uploads
def test_they_are_published_with_the_card_and_families_stay_apart(
    hub: Any, tmp_path: Path, send: Any
) -> None:
    first = build(tmp_path / "first")
    send(first)
    pictures = {f"figures/{path.name}": path.read_bytes() for path in (first / "figures").iterdir()}
    there = hub.files(REPO)
    assert {path: there[path] for path in there if path.startswith("figures/")} == pictures
    line = next(x for x in (first / "README.md").read_text().splitlines() if "m-depth.png" in x)
    assert line in there["README.md"].decode().splitlines()

    build_folder(tmp_path / "other", [config("zeta", raw_rows(5), "raw")], facts=FACTS, figures=True)
    send(tmp_path / "other")
    there = hub.files(REPO)
    assert {path: there[path] for path in pictures} == pictures
    card = there["README.md"].decode()
    assert line in card.splitlines() and "(figures/zeta-lengths.png)" in card
    for path in re.findall(r"\((figures/[^)]+)\)", card):
        assert path in there
    # Nothing changed: nothing to send.
    assert send(first).uploaded_bytes == 0


@uploads
def test_a_redrawn_figure_is_published_as_it_is_now(hub: Any, tmp_path: Path, send: Any) -> None:
    folder = build(tmp_path / "first")
    send(folder)
    build(folder, 66)
    result = send(folder)
    assert "update figures/m-coherence.png" in "\n".join(result.plan)
    assert hub.files(REPO)["figures/m-coherence.png"] == (folder / "figures" / "m-coherence.png").read_bytes()
