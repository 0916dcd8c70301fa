"""What the vLLM engine does before and beside vLLM; ``tests/vllm`` runs the real one."""

from __future__ import annotations

import importlib.util
import itertools
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from synthesis.data import Message
from synthesis.engines import make_engine
from synthesis.engines.base import Items, request_seed
from synthesis.engines.vllm import VLLMEngine, trouble
from synthesis.engines.vllm.asking import Chat
from synthesis.engines.vllm.core import Core, Inbox, TokenRequest, Window, refill
from synthesis.engines.vllm.loading import RunningModel
from synthesis.engines.vllm.trouble import VLLMLog, explain_death, explain_load
from synthesis.errors import ConfigError, EngineError, MissingExtraError
from tests.letters import Letters

NO_LOG = VLLMLog(None)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Making an engine only looks whether vLLM is there."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())


def test_a_missing_package_names_the_extra(monkeypatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r'pip install "context-synthesis\[vllm\]"'):
        make_engine("vllm", "some/model")


def test_making_an_engine_imports_nothing(installed) -> None:
    make_engine("vllm", "some/model")
    assert "vllm" not in sys.modules


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"model": ""}, "--model"),
        ({"max_num_seqs": 0}, "max_num_seqs"),
        ({"max_num_seqs": 2.5}, "max_num_seqs"),
        ({"tensor_parallel_size": True}, "tensor_parallel_size"),
        ({"pipeline_parallel_size": -1}, "pipeline_parallel_size"),
        ({"data_parallel_size": 0}, "data_parallel_size"),
        ({"gpu_memory_utilization": 90}, "gpu_memory_utilization"),
        ({"max_model_len": 0}, "max_model_len"),
        ({"max_model_len": "4k"}, "max_model_len"),
        ({"lora_rank": 0}, "lora_rank"),
        ({"hf_token": "hf_secret"}, "HF_TOKEN"),
        ({"sampling_params": {"seed": 3}}, "seed"),
        ({"chat_template": "no/such/file.jinja"}, "chat_template"),
    ],
)
def test_settings_that_cannot_be_meant_are_named(installed, options, named) -> None:
    with pytest.raises(ConfigError, match=named) as caught:
        VLLMEngine(**{"model": "some/model", **options})
    assert "hf_secret" not in str(caught.value)


def test_what_is_not_set_is_left_to_vllm(installed) -> None:
    ours = VLLMEngine("some/model")._arguments
    theirs = ("max_num_seqs", "max_num_batched_tokens", "enable_prefix_caching", "async_scheduling")
    assert not {*theirs, "enable_chunked_prefill", "gpu_memory_utilization"} & ours.keys()


def test_as_much_is_asked_ahead_as_vllm_writes_at_once() -> None:
    config = SimpleNamespace(
        scheduler_config=SimpleNamespace(max_num_seqs=1024),
        parallel_config=SimpleNamespace(data_parallel_size=2),
    )
    backend = SimpleNamespace(config=config)
    assert Core(RunningModel(backend, "some/model", None, NO_LOG, None)).ahead == 2 * 1024 * 2


def test_only_what_shapes_a_reply_is_part_of_its_identity(installed, tmp_path) -> None:
    plain = VLLMEngine("some/model").settings
    placed = VLLMEngine(
        "some/model", tensor_parallel_size=2, max_num_seqs=4, enforce_eager=True, swap_space=1
    )
    assert placed.settings == plain
    template = tmp_path / "own.jinja"
    template.write_text("{{ messages }}")
    for shaping in (
        {"lora": "some/adapter"},
        {"quantization": "fp8"},
        {"revision": "v2"},
        {"begin_with_marker": False},
        {"sampling_params": {"top_k": 20}},
        {"chat_template": str(template)},
        {"chat_template_kwargs": {"enable_thinking": False}},
        {"hf_overrides": {"rope_scaling": {"factor": 4}}},
    ):
        assert VLLMEngine("some/model", **shaping).settings != plain, shaping


def test_seeds_follow_from_content() -> None:
    assert all(0 <= request_seed(seed, "a") < 2**31 for seed in range(100))
    assert len({request_seed(seed, name) for seed in (1, 2) for name in "ab"}) == 4


def test_a_template_that_refuses_a_role_is_named() -> None:
    chat = Chat(Letters(refuses="user"), "m", opens=True)
    with pytest.raises(EngineError, match=r"'m'.*no user turns.*roles \(here: system, user\)"):
        chat.ids([Message("system", "Be brief."), Message("user", "Write.")])


@pytest.mark.parametrize(
    ("reason", "settings"),
    [
        ("torch.OutOfMemoryError: CUDA out of memory. Tried", ["gpu_memory_utilization", "max_num_seqs"]),
        (
            "ValueError: Free memory on device cuda:0 (2/80 GiB) on startup is less",
            ["gpu_memory_utilization"],
        ),
        (
            "ValueError: (3.5 GiB KV cache is needed, which is larger",
            ["max_model_len", "tensor_parallel_size"],
        ),
        ("ValueError: Total number of attention heads (28) must be divisible by tensor", ["tensor_parallel"]),
        ("RuntimeError: something never seen", ["--model", "generation.options"]),
    ],
)
def test_reasons_in_the_log_become_advice(tmp_path, reason, settings) -> None:
    path = tmp_path / "vllm.log"
    path.write_text(
        "2026-01-01 10:00:00,000 ERROR 7 [vllm.v1.core] EngineCore failed to start.\n"
        f"Traceback (most recent call last):\n  File ...\n{reason}\n"
        "2026-01-01 10:00:01,000 ERROR 5 [vllm.v1.core] Traceback\nRuntimeError: Worker failed, see above\n"
    )
    said = str(explain_load("some/model", RuntimeError("See root cause above."), VLLMLog(path)))
    assert reason.partition(":")[0] in said and "see above" not in said
    assert "some/model" in said and str(path) in said
    for setting in settings:
        assert setting in said
    trouble._kept.discard(path)


# The messages are vLLM's and torch's own, word for word.
@pytest.mark.parametrize(
    ("said", "sizes", "advice"),
    [
        (
            "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.32 GiB. GPU 0 has a total "
            "capacity of 79.11 GiB of which 1.02 GiB is free.",
            {"max_num_seqs": 1024, "gpu_memory_utilization": 0.92, "max_num_batched_tokens": 16384},
            ["gpu_memory_utilization to 0.87", "max_num_seqs to 512", "max_num_batched_tokens to 8192"],
        ),
        (
            "RuntimeError: CUDA out of memory occurred when warming up sampler with 256 dummy requests. "
            "Please try lowering `max_num_seqs` or `gpu_memory_utilization` when initializing the engine.",
            {},
            ["gpu_memory_utilization to 0.85", "max_num_seqs to 128"],
        ),
        (
            "ValueError: Free memory on device cuda:0 (40.5/79.11 GiB) on startup is less than desired "
            "GPU memory utilization (0.92, 72.78 GiB). Decrease GPU memory utilization.",
            {},
            ["gpu_memory_utilization to 0.46"],
        ),
        (
            "ValueError: To serve at least one request with the model's max seq len (131072), (7.0 GiB KV "
            "cache is needed, which is larger than the available KV cache memory (2.1 GiB). Based on the "
            "available memory, the estimated maximum model length is 39312. Try more",
            {"gpu_memory_utilization": 0.8},
            ["max_model_len to 39312", "gpu_memory_utilization to 0.85"],
        ),
    ],
)
def test_full_memory_gives_the_setting_and_its_value(said, sizes, advice) -> None:
    for told in (
        explain_load("some/model", RuntimeError(said), NO_LOG, sizes),
        explain_death("some/model", RuntimeError(said), NO_LOG, sizes),
    ):
        for one in advice:
            assert one in str(told), str(told)
        assert "run again" in str(told)


def test_without_a_log_the_exception_speaks() -> None:
    said = str(explain_death("some/model", MemoryError("CUDA out of memory"), NO_LOG))
    assert "CUDA out of memory" in said and "gpu_memory_utilization" in said and "run again" in said


def test_a_log_of_ones_own_is_respected(monkeypatch) -> None:
    monkeypatch.setenv("VLLM_LOGGING_LEVEL", "DEBUG")
    assert trouble._path.__wrapped__() is None


@dataclass
class Machine:
    """Stands for a core: ``places`` requests at once, each taking as many steps as its ids."""

    places: int
    ahead: int
    steps: int = 0

    def __post_init__(self) -> None:
        self.left: dict[str, int] = {}
        self.most = 0
        self.names = itertools.count()
        self.aborted: list[str] = []

    def add(self, inbox: Inbox, ids: list[int], params: object) -> str:
        name = str(next(self.names))
        self.left[name] = len(ids)
        self.most = max(self.most, len(self.left))
        return name

    def step(self, inbox: Inbox) -> list[SimpleNamespace]:
        self.steps += 1
        running = list(self.left)[: self.places]
        for name in running:
            self.left[name] -= 1
        done = [name for name in running if not self.left[name]]
        for name in done:
            del self.left[name]
        return [SimpleNamespace(request_id=name, finished=True) for name in done]

    def abort(self, names: list[str]) -> None:
        self.aborted += names


def requests(lengths: list[int]) -> list[TokenRequest]:
    return [TokenRequest(number, [0] * length, None) for number, length in enumerate(lengths)]


def test_places_are_never_empty_while_there_is_work() -> None:
    lengths = [32, 4, 4, 4] * 8
    machine = Machine(places=4, ahead=8)
    done = list(refill(lambda: machine, Items(requests(lengths)).pull))
    assert sorted(request.key for request, _ in done) == list(range(32))
    assert machine.steps < 1.2 * sum(lengths) / 4 < 0.5 * 8 * 32
    assert machine.most == 8


def test_what_is_settled_is_handed_on_without_asking() -> None:
    def never() -> Machine:
        raise AssertionError("nothing was to be asked")

    assert list(refill(never, Items(["too long", "too long"]).pull)) == ["too long"] * 2


def test_leaving_early_aborts_what_is_under_way() -> None:
    machine = Machine(places=2, ahead=4)
    found = refill(lambda: machine, Items(requests([1, 5, 5, 5, 5])).pull)
    next(found)
    found.close()
    assert machine.aborted == ["1", "2", "3"]


def test_a_source_that_was_dry_is_asked_again() -> None:
    machine, waiting = Machine(places=2, ahead=1), requests([1, 3])
    source = Window(lambda: machine, iter(waiting))
    seen = []
    for request, _ in refill(lambda: machine, source.pull):
        seen.append(request.key)
        source.give_back()
    assert seen == [0, 1]


def test_a_window_is_no_wider_than_it_is_given_back() -> None:
    pulled: list[int] = []

    def count() -> Iterator[int]:
        for number in range(5):
            pulled.append(number)
            yield number

    window = Window(lambda: Machine(places=1, ahead=2), count())
    assert [window.pull() for _ in range(3)] == [0, 1, None] and pulled == [0, 1]
    window.give_back()
    assert [window.pull() for _ in range(2)] == [2, None]


def test_a_process_that_one_of_ours_began_has_a_log_of_its_own(tmp_path, monkeypatch) -> None:
    """As trials of ``tune`` have: what the parent's settings name is not theirs to read."""
    monkeypatch.setattr(trouble.atexit, "register", lambda *_: None)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for name in trouble._THEIRS:
        monkeypatch.setenv(name, "")  # so that all is as before afterwards
        monkeypatch.delenv(name)
    first = trouble._path.__wrapped__()
    inherited = os.environ["VLLM_LOGGING_CONFIG_PATH"]
    second = trouble._path.__wrapped__()
    assert first and second and first != second and os.environ["VLLM_LOGGING_CONFIG_PATH"] != inherited
    monkeypatch.setenv("VLLM_LOGGING_CONFIG_PATH", str(tmp_path / "own.json"))
    assert trouble._path.__wrapped__() is None  # the user's own wins
