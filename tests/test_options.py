"""The configuration: round trips, and every wrong value named."""

import tomllib

import pytest

from synthesis.errors import ConfigError
from synthesis.options import RunConfig, dump_config, from_dict, load_config, override


def test_the_default_configuration_survives_toml() -> None:
    assert from_dict(tomllib.loads(dump_config(RunConfig()))) == RunConfig()


def test_a_full_configuration_survives_toml(tmp_path) -> None:
    table = {
        "out": "somewhere",
        "seed": 7,
        "pairs": {"source": "a.jsonl", "columns": {"instruction": "q"}, "limit": 5},
        "generation": {"words": 300, "temperature": 1, "options": {"max_num_seqs": 4, "deep": {"er": True}}},
        "samples": {"lengths": ["4k", "8k"], "depth": "start"},
        "dataset": {"name": "mine", "language": ["en", "fr"]},
    }
    path = tmp_path / "run.toml"
    path.write_text(dump_config(from_dict(table)))
    loaded = load_config(path)
    assert loaded == from_dict(table)
    assert loaded.generation.temperature == 1.0
    assert loaded.samples.lengths == ("4k", "8k")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"sed": 1}, "unknown key 'sed'; did you mean 'seed'"),
        ({"depth": "end"}, "unknown key 'depth'; did you mean 'samples.depth'"),
        ({"generation": {"wrods": 1}}, "unknown key 'generation.wrods'; did you mean 'generation.words'"),
        ({"generation": {"xyzzy": 1}}, "known keys: candidates, engine"),
        ({"generation": {"words": "many"}}, "'generation.words' must be of type int"),
        ({"generation": {"words": True}}, "'generation.words' must be of type int"),
        ({"generation": {"words": 49}}, "give 50 to 20,000"),
        ({"generation": {"temperature": 3}}, "give 0 to 2"),
        ({"generation": {"top_p": 0}}, "top_p"),
        ({"generation": {"max_tokens": -1}}, "max_tokens"),
        ({"generation": 3}, "'generation' must be a table"),
        ({"pairs": {"limit": -1}}, "--limit"),
        ({"pairs": {"columns": "q"}}, "'pairs.columns' must be a table"),
        ({"dataset": {"name": "Not OK"}}, "lower-case letters"),
    ],
)
def test_a_wrong_value_is_named(table, message) -> None:
    with pytest.raises(ConfigError, match=message.replace("(", r"\(").replace(".", r"\.")):
        from_dict(table)


def test_a_file_that_cannot_be_used_is_named(tmp_path) -> None:
    with pytest.raises(ConfigError, match="no configuration file .*absent.toml"):
        load_config(tmp_path / "absent.toml")
    with pytest.raises(ConfigError, match="is a folder, and a configuration is a file; give a TOML file"):
        load_config(tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.toml").touch()
    with pytest.raises(ConfigError, match="is a folder.*; give .*run/run.toml"):
        load_config(tmp_path / "run")
    broken = tmp_path / "broken.toml"
    broken.write_text("seed = = 1")
    with pytest.raises(ConfigError, match=r"broken\.toml cannot be read as TOML.*line 1"):
        load_config(broken)
    broken.write_text("seeds = 1")
    with pytest.raises(ConfigError, match=r"broken\.toml: unknown key 'seeds'"):
        load_config(broken)


def test_overriding_keeps_what_is_not_given() -> None:
    base = from_dict({"generation": {"words": 300, "template": "t"}})
    changed = override(base, {"generation.words": 400, "generation.template": None, "seed": 3})
    assert (changed.generation.words, changed.generation.template, changed.seed) == (400, "t", 3)


@pytest.mark.parametrize(
    ("generation", "name"),
    [
        ({}, "composer"),
        ({"engine": "vllm", "model": "Qwen/Qwen2.5-72B-Instruct"}, "qwen2.5-72b-instruct"),
        ({"model": "/models/My Model!"}, "my-model"),
    ],
)
def test_the_name_comes_from_the_model(generation, name) -> None:
    config = from_dict({"generation": generation})
    assert config.name == name
    assert str(config.out_dir) == f"runs/{name}"
