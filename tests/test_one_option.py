"""An option of samples is one field: everything else is derived from it. Seen in a copy with one more."""

from __future__ import annotations

import inspect
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from builder import ContextSynthesis, load
from builder.cli.options import page
from synthesis import assemble, synthesize
from synthesis.assembly.options import SampleOptions, from_keywords
from synthesis.options import GenerationConfig, PairsConfig, RunConfig, SamplesConfig, run_settings
from synthesis.settings import settings
from tests.programs import run_python

ROOT = Path(__file__).parent.parent
BEFORE = "    repeat_questions: bool = hashed("
FIELD = '    shout: bool = option(False, "Answers in capitals, one of two.")\n'
BOUND = '    louder: int = option(0, "How loud.", low=0, high=3)\n'


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source with two more options of samples, and one of contexts."""
    folder = tmp_path_factory.mktemp("copy")
    for package in ("synthesis", "builder"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "examples", folder / "examples")
    for name in ("dataset_card.md", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    made = '    engine: str = apart("composer"'
    for table, before, more in (
        ("samples", BEFORE, FIELD + BOUND),
        ("contexts", made, '    mood: str = option("", "Mood of contexts.")\n'),
    ):
        module = folder / "synthesis" / "options" / f"{table}.py"
        text = module.read_text(encoding="utf-8").replace("import apart\n", "import apart, option\n")
        assert text.count(before) == 1
        module.write_text(text.replace(before, more + before), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def there(copy: Path) -> Callable[..., str]:
    """Runs Python in the copy and gives what it printed, or what it said was wrong."""

    def run(*args: object, code: int = 0) -> str:
        done = run_python(*args, folder=copy, PYTHONPATH=str(copy), COLUMNS="160", HF_HUB_OFFLINE="1")
        assert done.returncode == code, done.stdout + done.stderr
        return done.stderr if code else done.stdout

    return run


def test_flag_help_key_check_and_row_follow_from_the_field(copy: Path, there: Callable[..., str]) -> None:
    for command in ("run", "plan", "assemble", "import", ("batch", "submit")):
        names = (command,) if isinstance(command, str) else command
        text = there("-m", "builder.cli", *names, "--help")
        assert "--shout" in text and "--no-shout" in text and "Answers in capitals" in text
    row = "| `shout` | `--shout / --no-shout` | Answers in capitals, one of two. |  |"
    assert row in there("-m", "builder.cli.options")
    (copy / "bad.toml").write_text("[samples]\nshuot = true\n")
    assert "did you mean 'samples.shout'" in there("-m", "builder.cli", "plan", "bad.toml", code=2)
    (copy / "bad.toml").write_text("[samples]\nshout = 3\n")
    assert "'samples.shout' must be of type bool" in there("-m", "builder.cli", "plan", "bad.toml", code=2)
    said = there("-m", "builder.cli", "plan", "--louder", "4", code=2)
    assert "'samples.louder' (--louder) is 4; give 0 to 3" in said


def test_only_an_option_that_is_used_makes_anything_new(
    copy: Path, there: Callable[..., str], command, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    pairs = ROOT / "tests/data/earlier/pairs10.jsonl"
    options = ("--pairs", pairs, "--out", out, "--words", "120", "--lengths", "1k")
    first = command("run", *options)
    assert first.returncode == 0, first.stderr

    def versions() -> dict[str, str]:
        found: dict[str, str] = json.loads((out / "manifest.json").read_text())["configs"]
        return found

    before = versions()
    assert "nothing changed" in there("-m", "builder.cli", "run", *options)
    assert "10 done, 0 stale, 0 new" in there("-m", "builder.cli", "plan", *options)
    there("-m", "builder.cli", "run", *options, "--shout")
    changed = {name for name, one in versions().items() if one != before[name]}
    assert changed == {"composer-chat-1k", "composer-rejected"}  # the latter goes with the samples
    assert "shout = true" in (out / "run.toml").read_text()
    assert "0 done, 10 stale, 0 new" in there("-m", "builder.cli", "plan", *options, "--mood", "glad")


def test_python_takes_it(there: Callable[..., str]) -> None:
    said = there(
        "-c",
        "from synthesis import Context, Pair, assemble\n"
        "pair = Pair(instruction='Who?', answer='Ada')\n"
        "items = [(pair, Context(pair.id, 'Ada it was.'))]\n"
        "def name(**more): return next(assemble(items, '500', distractors='none', **more)).id\n"
        "print(name() == name(shout=False), name() == name(shout=True))",
    )
    assert said.split() == ["True", "False"]


# --- the surfaces agree -------------------------------------------------------------------


def test_the_page_is_that_of_the_fields() -> None:
    assert (ROOT / "docs" / "options.md").read_text(encoding="utf-8") == page()


def test_keywords_and_their_defaults_are_those_of_the_tables() -> None:
    offered = {
        "synthesize": ({one.name: one.default for one in settings(GenerationConfig)}, synthesize),
        "assemble": ({one.name: one.default for one in settings(SamplesConfig)}, assemble),
    }
    # Of the engine or a folder, by their names; and the length.
    own = {"options", "lengths", "kinds", "all_candidates"}
    free = {"tokenizer": None, "corpus": None, "max_reuse": None, "mix": None}  # what is empty in a file
    gathered = {"assemble": SampleOptions.__annotations__.keys()}  # have no default of their own
    for name, (table, function) in offered.items():
        taken = {one: p.default for one, p in inspect.signature(function).parameters.items()}
        assert gathered.get(name, set()) <= table.keys() - taken.keys(), name
        taken |= {one: free.get(one, table[one]) for one in gathered.get(name, ())}
        assert table.keys() - own <= taken.keys(), name
        for key in table.keys() - own:
            assert taken[key] == free.get(key, table[key]), f"{name}({key}=)"
        assert taken["seed"] == RunConfig().seed
    assert from_keywords({}) == SamplesConfig()
    samples = offered["assemble"][0] | {"seed": 0, "tokenizer": None}
    for function in (load, ContextSynthesis.__init__):
        for key, one in inspect.signature(function).parameters.items():
            assert key not in samples or one.default == samples[key]


def test_every_flag_is_one_options_and_every_table_is_whole() -> None:
    flags = [one.parameter for one in run_settings() if not one.option.part]
    assert len(flags) == len(set(flags))
    for one in run_settings():
        assert one.option.help.endswith("."), one.key
        assert one.option.admits(one.default), f"the default of {one.key} is not allowed"
    assert {one.name for one in settings(PairsConfig)} == set(PairsConfig.__slots__)
