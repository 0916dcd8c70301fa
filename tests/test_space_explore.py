"""The tabs "Explore" and "About": whose data may be read, what is shown of it, and snippets that run."""

from __future__ import annotations

import json
import tempfile
from html.parser import HTMLParser
from pathlib import Path

import pytest

from space.datasets import browse, location  # noqa: E402
from space.datasets.browse import ListedRow  # noqa: E402
from space.tabs import about, explore  # noqa: E402
from space.view.histogram import BINS, histogram  # noqa: E402
from space.view.table import rows_table  # noqa: E402
from synthesis.errors import SourceError  # noqa: E402
from tests.hub import folders  # noqa: E402
from tests.programs import run_python
from tests.space_server import serving  # noqa: E402

pytest_plugins = ["tests.hub.fixtures"]
HOSTILE = "<script>alert(1)</script>{{x}}${y}"


@pytest.fixture(scope="module")
def example() -> location.Place:
    return location.find("")


def upload(hub, folder: Path, repo_id: str = "ada/short", **options: object) -> None:
    files = {
        one.relative_to(folder).as_posix(): one.read_bytes() for one in folder.rglob("*") if one.is_file()
    }
    hub.seed(repo_id, files, **options)


def clear() -> None:
    browse.configs.cache_clear()
    browse.table.cache_clear()


# ---- the example ----


def test_the_example_has_all_that_there_is_to_see(example) -> None:
    assert [one.config for one in browse.configs(example)] == ["composer", "composer-chat-4k"]
    table = browse.table(example, "composer-chat-4k")
    assert len(table.rows) == table.total == 24
    assert all(row.title and row.depth is not None and row.coherence for row in table.rows)
    assert len({row.task for row in table.rows}) >= 6


@pytest.mark.parametrize("config", ["composer", "composer-chat-4k"])
def test_a_row_opens_with_its_pair_and_its_evidence(example, config) -> None:
    from space.making.writing import bundled

    known = {pair.instruction: pair for pair in bundled()}
    table = browse.table(example, config)
    for number, row in enumerate(table.rows):
        entry = browse.entry(table, number)
        pair = known[entry.instruction]  # of a chat row it is found in the message
        assert (entry.answer, entry.task, row.title) == (pair.answer, pair.task, pair.instruction[:300])
        assert entry.evidence and all(
            entry.own[0] <= one.start < one.end <= entry.own[1] for one in entry.evidence
        )
        assert entry.own[1] <= entry.asked <= len(entry.text)


def test_filters_pages_and_rows(example) -> None:
    view = explore.opened("")[5]
    assert view.config == "composer-chat-4k"
    said, figures, rows, back, on, view = explore.turned(view, 1)
    assert "Page 2 of 2" in said and figures.count("<svg") == 3 and rows.count("cs-pick") == 12
    assert back["interactive"] and not on["interactive"]
    assert explore.turned(view, 5)[5].page == 1  # there is no third
    said, _, rows, *_, view = explore.filtered(view, "story_qa", 0.5)
    assert "pass the filter" in said and 0 < rows.count("cs-pick") < 12 and view.page == 0
    assert "No row passes the filter" in explore.filtered(view, "story_qa", 1.0)[2]
    *panel, carry, view = explore.picked(view, "3")
    assert "<mark" in panel[3] and carry["interactive"] and view.row == 3
    instruction, answer, task, loaded, tabs, said = explore.carried(view)
    entry = browse.entry(browse.table(example, view.config), 3)
    assert (instruction, answer, task) == (entry.instruction, entry.answer, entry.task)
    assert loaded == instruction
    assert tabs.selected == "synthesize" and "row 4" in said


@pytest.mark.parametrize("number", ["", "-1", "x", "٣", "9" * 9])
def test_a_number_that_is_none_changes_nothing(example, number) -> None:
    assert not any(
        isinstance(one, str) for one in explore.picked(explore.Selection(example, "composer"), number)
    )


def test_a_row_that_is_not_there_is_told(example) -> None:
    said = explore.picked(explore.Selection(example, "composer"), "999")[0]
    assert "cs-problem" in said and "no row 1000" in said
    assert "no config" in explore.chosen_config(explore.Selection(example, "composer"), "composer-9k")[0]


# ---- whose files may be read ----


@pytest.mark.parametrize("name", ["/etc", "../..", ".", "~/x", "a/b/c", "C:\\x", "nothing", "./a"])
def test_no_path_is_read_where_others_can_reach_the_page(name, monkeypatch) -> None:
    for variable, value in (("SPACE_ID", "ada/page"), ("GRADIO_SERVER_NAME", "0.0.0.0")):
        with monkeypatch.context() as patch:
            patch.setenv(variable, value)
            with pytest.raises(SourceError, match="OWNER/NAME"):
                location.find(name)
    monkeypatch.setenv("SPACE_ID", "ada/page")
    said, *rest = explore.opened(name)
    assert "cs-problem" in said and not any(one for one in rest if isinstance(one, str))


def test_a_folder_named_like_a_repository_is_no_way_around(tmp_path, monkeypatch) -> None:
    folders.usual(tmp_path / "ada" / "short")
    monkeypatch.chdir(tmp_path)
    assert location.find("ada/short").folder
    monkeypatch.setenv("SPACE_ID", "ada/page")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(SourceError):
        location.find("ada/short")


def test_a_folder_of_this_machine_opens_where_the_page_is_its_own(tmp_path) -> None:
    folders.usual(tmp_path / "d")
    place = location.find(str(tmp_path / "d"))
    assert [row.title for row in browse.table(place, "m").rows][:1] == ["Who mended it in town 0?"]
    assert browse.entry(browse.table(place, "m-chat-8k"), 0).answer == "Ada"


def test_a_manifest_cannot_lead_out_of_its_folder(tmp_path) -> None:
    folders.usual(tmp_path / "d")
    (tmp_path / "d/manifests/.checks").unlink()  # somebody else's
    manifest = tmp_path / "d/manifests/m/1.0.0.json"
    values = json.loads(manifest.read_text())
    values["files"][0]["path"] = "../../secret.parquet"
    manifest.write_text(json.dumps(values))
    place = location.find(str(tmp_path / "d"))
    with pytest.raises(SourceError, match="cannot be read"):
        browse.table(place, "m")
    with pytest.raises(SourceError, match="outside its folder"), location.opened(place, "../secret.parquet"):
        pass


def large(tmp_path, **columns: object) -> explore.Selection:
    """A folder of ours whose raw file was written anew with other values in some columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folders.build(tmp_path / "large", folders.config("m", folders.raw(3)))
    file = next((tmp_path / "large" / "data").rglob("*.parquet"))
    rows = [{**row, **columns} for row in pq.read_table(file).to_pylist()]
    pq.write_table(pa.Table.from_pylist(rows), file, compression="zstd", use_dictionary=False)
    return explore.Selection(location.find(str(tmp_path / "large")), "m")


def test_no_column_is_too_large_to_be_listed(tmp_path) -> None:
    wide = large(tmp_path, id="i" * 2_000_000, task="t" * 2_000_000, model="m" * 9_000_000)
    rows = browse.table(wide.place, "m").rows
    assert len(rows) == 3 and all((row.id, row.task) == ("", "") for row in rows)
    assert all(row.title.startswith("Who mended") for row in rows)
    # Columns that pass are cut to what is shown; what is no number is none.
    (tmp_path / "b").mkdir()
    long = large(tmp_path / "b", id="i" * 5_000, task="t" * 5_000, tokens="many", coherence=float("nan"))
    (row, *_) = browse.table(long.place, "m").rows
    assert (len(row.id), len(row.task), row.tokens, row.coherence) == (80, 80, 0, None)
    assert all(len(piece) < 100_000 for piece in explore._shown(long) if isinstance(piece, str))


def test_a_row_and_a_manifest_may_be_too_large(tmp_path) -> None:
    view = large(tmp_path, context="c" * (browse.MOST_TEXT + 1))
    assert "too many for this page" in explore.picked(view, "0")[0]
    path = tmp_path / "large" / "manifests" / "m" / "1.0.0.json"
    path.write_text(path.read_text() + " " * location._MOST_MANIFEST)
    said = explore.opened(str(tmp_path / "large" / ".." / "large"))[0]
    assert "manifests/m/1.0.0.json is too large" in said


def test_a_broken_manifest_is_told_without_the_place_of_its_copy(public, tmp_path) -> None:
    folders.usual(tmp_path / "bad")
    (tmp_path / "bad" / "manifests" / "m" / "1.0.0.json").write_text("[" * 100_000)
    upload(public, tmp_path / "bad", "ada/bad")
    said = explore.opened("ada/bad")[0]
    assert "manifests/m/1.0.0.json cannot be read" in said and "nested too deeply" in said
    assert tempfile.gettempdir() not in said


def test_a_name_without_end_is_refused() -> None:
    assert "this page takes 200" in explore.opened("x" * 201)[0]


def test_what_was_open_does_not_stay_beside_a_failure(example) -> None:
    view = explore.Selection(example, "composer", row=0)
    assert all(not isinstance(one, str) for one in explore.cleared(view))
    assert "Choose a row" in explore.cleared(None)[0] and not explore.cleared(None)[-1]["interactive"]
    said, figures, rows, *_, config, _, _ = explore.opened("nobody here")
    assert "cs-problem" in said and (figures, rows, config["choices"]) == ("", "", [])


def test_a_damaged_file_is_told_and_not_raised(tmp_path) -> None:
    folders.usual(tmp_path / "d")
    next((tmp_path / "d/data/m").rglob("*.parquet")).write_bytes(b"PAR1 nothing PAR1")
    seen = explore.Selection(location.find(str(tmp_path / "d")), "m-chat-8k")
    said, *_ = explore.chosen_config(seen, "m")
    assert "cs-problem" in said and "cannot be read" in said


# ---- the Hub ----


@pytest.fixture
def public(hub, tmp_path, monkeypatch):
    """A Hub on loopback with a public dataset; the owner of the page is logged in as its author."""
    from huggingface_hub import HfFileSystem, constants

    monkeypatch.setattr(constants, "ENDPOINT", hub.endpoint)
    address = f"{hub.endpoint}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address)
    monkeypatch.setenv("HF_TOKEN", hub.token)
    folders.usual(tmp_path / "built", rows=7)
    upload(hub, tmp_path / "built")
    clear()
    HfFileSystem.clear_instance_cache()
    yield hub
    clear()
    HfFileSystem.clear_instance_cache()


def test_a_public_dataset_is_read_without_the_owners_token(public, monkeypatch) -> None:
    monkeypatch.setenv("SPACE_ID", "ada/page")
    place = location.find("ada/short")
    assert place.revision == public.head("ada/short").oid
    table = browse.table(place, "m")
    assert (table.total, table.rows[6].title) == (7, "Who mended it in town 6?")
    assert browse.entry(table, 6).answer == "Ada 6"
    asked = public.seen("GET") + public.seen("HEAD") + public.seen("POST")
    assert asked and not any("authorization" in one.headers for one in asked)


def test_a_private_dataset_of_the_owner_stays_hidden(public, tmp_path) -> None:
    folders.usual(tmp_path / "hidden")
    upload(public, tmp_path / "hidden", "ada/hidden", private=True)
    said, *rest = explore.opened("ada/hidden")
    assert "no public dataset" in said and not any(one for one in rest if isinstance(one, str))
    assert public.token not in said


@pytest.mark.parametrize("name", ["ada/none", "ada/short@v9.9.9", "a b/c", "ada/<script>"])
def test_what_is_not_there_is_told_in_words(public, name) -> None:
    said = explore.opened(name)[0]
    assert "cs-problem" in said and "OWNER/NAME" in said and "<script" not in said and "HF_TOKEN" not in said


def test_a_dataset_of_somebody_elses_making_is_refused_in_words(public) -> None:
    public.seed("ada/other", {"README.md": "# x", "data.jsonl": "{}"})
    assert "no dataset that context-synthesis built" in explore.opened("ada/other")[0]


def test_a_failing_hub_is_told_in_words(public) -> None:
    public.fail_next("GET", "/api/datasets/ada/short", 500, times=9)
    said = explore.opened("ada/short")[0]
    assert "did not answer" in said and "Try again" in said


# ---- what is shown ----


class Tags(HTMLParser):
    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)


def test_what_a_dataset_says_is_escaped() -> None:
    row = ListedRow(0, 0, HOSTILE, HOSTILE, HOSTILE, 5, 0.5, None)
    table = rows_table([(0, row)], "x", titled=True)
    assert "script" not in Tags(table).tags and "{{" not in table and "${" not in table


def test_a_histogram_counts_every_row_and_says_so_in_words() -> None:
    shown = histogram("Coherence", [0.0, 0.5, 0.5, 1.0, None], [1.0], lambda v: f"{v:.1f}", bounds=(0.0, 1.0))
    assert shown.count('class="cs-all"') == 3 and shown.count('class="cs-part-of"') == 1
    assert "of 4 rows" in shown and "most rows, 2, from 0.5 to 0.6" in shown
    assert Tags(shown).tags[:6] == ["figure", "figcaption", "span", "svg", "title", "desc"]
    assert "nothing" in histogram("x", [None], [], str, without="nothing")
    assert histogram("x", [7], [7], str).count("cs-all") == 1 and BINS == 20


# ---- about ----


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_the_programs_on_the_page_run() -> None:
    with serving() as url:
        for name, program in about.snippets(url).items():
            done = run_python("-c", program)
            assert done.returncode == 0, f"{name}\n{done.stderr}"
            assert "Ilse Brandt" in done.stdout


def test_the_page_names_the_space_it_is(monkeypatch) -> None:
    monkeypatch.setenv("SPACE_ID", "ada/page")
    page = about.page(about.address())
    assert "Client(&#39;ada/page&#39;)" in page and "2502.15592" in page
    tags = Tags(page).tags
    assert tags.count("svg") == tags.count("title") == tags.count("desc") == 1
