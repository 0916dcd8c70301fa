"""What cannot be loaded says why and what to do; what can is loaded silently."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel, T5Config, T5ForConditionalGeneration
from transformers.utils import logging

from synthesis.data import Message, Prompt
from synthesis.engines import make_engine
from synthesis.engines.base import Engine, Items, Sampling
from synthesis.engines.transformers import TransformersEngine
from synthesis.errors import ConfigError, EngineError, MissingExtraError
from tests.torch.models import save_random_model

ROOT = Path(__file__).parents[2]


def make(model: object, **options: object) -> Engine:
    return make_engine("transformers", str(model), **options)


@pytest.fixture
def copy(random_model, tmp_path) -> Path:
    """A copy of the model's folder, to be damaged."""
    return Path(shutil.copytree(random_model, tmp_path / "copy"))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("", "needs a model.*--model"),
        ("./no/such/folder", "no such folder.*check the path"),
        ("some-org/no-such-model-4711", "cannot be loaded.*--model"),
        ("not a name!", "cannot be loaded.*--model"),
        (__file__, "has no config.json; name the folder"),
    ],
)
def test_a_wrong_name(model, message) -> None:
    with pytest.raises(ConfigError, match=message):
        make(model)


def test_a_mistyped_folder_is_guessed(random_model) -> None:
    with pytest.raises(ConfigError, match=f"did you mean '{random_model}'"):
        make(f"{random_model}m")


def test_a_folder_without_a_model(tmp_path) -> None:
    with pytest.raises(ConfigError, match=r"has no config\.json"):
        make(tmp_path)


def test_damaged_weights(copy) -> None:
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ConfigError, match="cannot be loaded"):
        make(copy)


def test_damaged_configuration(copy) -> None:
    (copy / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be loaded"):
        make(copy)


def test_an_architecture_that_nobody_knows(copy) -> None:
    known = json.loads((copy / "config.json").read_text(encoding="utf-8"))
    known |= {"model_type": "neverheardof", "architectures": ["NeverHeardOf"]}
    (copy / "config.json").write_text(json.dumps(known), encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be loaded.*neverheardof"):
        make(copy)


def test_incomplete_weights_are_not_filled_with_noise(copy) -> None:
    """The library would make random numbers of what is missing, and only warn."""
    from safetensors.torch import load_file, save_file

    weights = load_file(copy / "model.safetensors")
    weights.pop("model.layers.1.mlp.up_proj.weight")
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ConfigError, match="lack 1 weights.*model.layers.1.mlp.up_proj.weight"):
        make(copy)


def test_models_that_do_not_write_text(random_model, tmp_path) -> None:
    tiny = {"vocab_size": 50, "num_hidden_layers": 1, "hidden_size": 8, "num_attention_heads": 2}
    BertModel(BertConfig(**tiny, intermediate_size=8)).save_pretrained(tmp_path / "bert")
    t5 = T5Config(vocab_size=50, d_model=8, d_ff=8, d_kv=4, num_layers=1, num_heads=2)
    T5ForConditionalGeneration(t5).save_pretrained(tmp_path / "t5")
    for kind in ("bert", "t5"):
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(random_model / name, tmp_path / kind)
        with pytest.raises(ConfigError, match="--model"):
            make(tmp_path / kind)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dtype": "int3"}, "dtype is 'int3'.*bfloat16"),
        ({"device": "gpu"}, "'gpu' is not a device; use auto or one of: cpu"),
        ({"device": "mps:1"}, "'mps:1' is not available here"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"batch_tokens": -1}, "batch_tokens is -1"),
        ({"batch_size": "many"}, "batch_size is 'many'"),
        ({"max_model_len": 1}, "max_model_len is 1"),
        ({"beams": 3}, "does not take these settings.*beams"),
        ({"adapter": "./no/lora"}, "adapter './no/lora'.*no such folder"),
    ],
)
def test_a_wrong_setting(random_model, options, message) -> None:
    with pytest.raises(ConfigError, match=message):
        make(random_model, **options)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_is_not_there(random_model) -> None:
    with pytest.raises(ConfigError, match="'cuda' is not available here; use auto or one of: cpu"):
        make(random_model, device="cuda")


def test_a_missing_package_names_the_extra(random_model, copy, monkeypatch) -> None:
    for package in ("torch", "transformers", "accelerate"):
        with monkeypatch.context() as patched:
            patched.setitem(sys.modules, package, None)
            with pytest.raises(MissingExtraError, match=rf"'{package}'.*context-synthesis\[local\]"):
                make(random_model)
    monkeypatch.setitem(sys.modules, "peft", None)
    (copy / "adapter_config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigError, match="pip install peft"):
        make(random_model, adapter=str(copy))


def test_no_chat_template_is_told_when_a_prompt_comes_not_before(tmp_path) -> None:
    """A base model can score."""
    engine = make(save_random_model(tmp_path / "base", chat=False))
    assert next(engine.loglikelihood([("a", " b")])).logprobs
    with pytest.raises(ConfigError, match="no chat template.*instruct"):
        next(engine.complete(Items([Prompt("1", "p", "t", {}, (Message("user", "Hm?"),), "f")]), Sampling()))
    engine.close()


def test_a_chat_template_that_refuses_a_role(copy) -> None:
    template = "{% for m in messages %}{% if m.role == 'user' %}{{ raise_exception('no user') }}{% endif %}"
    (copy / "chat_template.jinja").write_text(template + "{{ m.content }}{% endfor %}", encoding="utf-8")
    engine = make(copy)
    messages = (Message("system", "Be brief."), Message("user", "Hm?"))
    with pytest.raises(EngineError, match=r"refuses.*no user.*--template.*system, user"):
        next(engine.complete(Items([Prompt("1", "p", "t", {}, messages, "f")]), Sampling()))
    engine.close()


def test_variables_of_the_chat_template(copy) -> None:
    template = "{{ messages[0].content }}{% if deep %} Think long, think well, think twice.{% endif %}"
    (copy / "chat_template.jinja").write_text(template, encoding="utf-8")
    prompt = Prompt("1", "p", "t", {}, (Message("user", "Hm?"),), "f")
    counts = []
    for variables in ({}, {"deep": True}):
        engine = make(copy, chat_template_kwargs=variables)
        counts.append(next(engine.complete(Items([prompt]), Sampling(max_tokens=1))).prompt_tokens)
        engine.close()
    assert counts[1] > counts[0]


def test_settings_are_what_changes_replies(random_model) -> None:
    plain, changed = make(random_model, batch_size=2), make(random_model, dtype="float32", max_model_len=99)
    assert plain.settings == {}
    assert changed.settings == {"dtype": "float32", "max_model_len": 99}
    for engine in (plain, changed):
        json.dumps(engine.settings)
        engine.close()


def test_the_librarys_own_bars_are_as_before(random_model, capfd) -> None:
    assert logging.is_progress_bar_enabled()
    engine = TransformersEngine(str(random_model))
    list(
        engine.complete(
            Items([Prompt("1", "p", "t", {}, (Message("user", "Hm?"),), "f")]),
            Sampling(max_tokens=2),
        )
    )
    engine.close()
    assert logging.is_progress_bar_enabled()
    assert capfd.readouterr() == ("", "")


def test_making_the_class_known_imports_nothing_heavy() -> None:
    code = (
        "import synthesis.engines.transformers, sys; "
        "print(*{'torch', 'transformers', 'accelerate', 'tokenizers', 'jinja2'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == ""
