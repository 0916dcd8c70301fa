"""The environment in examples/verifiers_env under verifiers itself: rollouts against a server on loopback."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import verifiers.v1 as vf
from context_synthesis_rl import load_environment
from verifiers.v1.cli.eval.main import main as evaluate

from tests.openai_server import Asked, Reply, failure, serve
from tests.trainers.rows import write_rl_rows

# What verifiers and its own libraries warn of is theirs to settle.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rl_rows(tmp_path_factory.mktemp("rl"), **{"samples.kinds": ("chat", "rl")})


def rollouts(rows: Path, url: str, count: int = 2) -> list[vf.Trace]:
    """The traces of ``count`` rollouts of each of the first three rows."""
    env = load_environment(str(rows))
    client = vf.EvalClientConfig(base_url=url, api_key_var="NO_SUCH_KEY")
    context = vf.ModelContext(client=client, model="tiny", sampling=vf.SamplingConfig(temperature=0.7))

    async def play() -> list[vf.Trace]:
        async with env.serving():
            slots = [slot for task in env.taskset.take(3) for slot in env.slots(task, count)]
            episodes = await asyncio.gather(*(env.run_slot(slot, context) for slot in slots))
        return [trace for episode in episodes for trace in episode.traces]

    return asyncio.run(play())


def test_a_rollout_is_scored_by_answer_and_citation(rows: Path) -> None:
    told = {row["prompt"][-1]["content"]: row for row in pq.read_table(rows).to_pylist()}

    def answers(asked: Asked) -> Reply:
        row = told[asked.text]
        right = row["answer"] if asked.number % 2 else "I do not know."
        numbers = ", ".join(map(str, row["gold_numbers"]))
        return Reply(f"As document {numbers} says.\nAnswer: {right}")

    with serve(answers) as server:
        traces = rollouts(rows, server.url)
        asked = [one.body for one in server.asked]
    assert len(traces) == len(asked) == 6
    for trace in traces:
        assert not trace.errors and trace.num_turns == 1
        wrong = "I do not know" in trace.last_reply
        assert trace.rewards["answer"].score == pytest.approx(0.0 if wrong else 1.0, abs=0.1)
        assert trace.rewards["citation"].score == 1.0
        assert trace.metrics["quotation"] == 0.0  # it quotes nothing
        assert trace.reward == pytest.approx(trace.rewards["answer"].score + 0.2)
    # The prompt goes out as it stands in the row, and the run's sampling with it.
    assert all(body["temperature"] == 0.7 and body["model"] == "tiny" for body in asked)
    assert {json.dumps(body["messages"]) for body in asked} <= {
        json.dumps(row["prompt"]) for row in told.values()
    }


def test_a_provider_that_fails_is_an_error_and_no_wrong_answer(rows: Path) -> None:
    with serve(lambda asked: failure(400, "the window is too short")) as server:
        traces = rollouts(rows, server.url, 1)
    assert len(traces) == 3
    assert all("the window is too short" in str(trace.last_error) for trace in traces)
    assert not any(trace.ok for trace in traces)


def test_its_command_line_finds_and_runs_it(rows: Path, tmp_path: Path, capsys: Any) -> None:
    with serve(lambda asked: Reply("Answer: nobody knows")) as server:
        evaluate(
            ["context-synthesis-rl", "--env.taskset.rows", str(rows), "-m", "tiny", "-n", "2"]
            + ["--env.taskset.task.rewards.citation.weight", "0", "--client.base-url", server.url]
            + ["--client.api-key-var", "NO_SUCH_KEY", "--no-push", "--no-rich", "-o", str(tmp_path)]
        )
    capsys.readouterr()
    (file,) = tmp_path.rglob("traces.jsonl")
    episodes = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert len(episodes) == 2
    assert '"weight": 0.0' in json.dumps(episodes)


def test_a_config_of_a_dataset_folder_gives_the_same_tasks(rows: Path) -> None:
    def tasks(*given: str) -> list[dict[str, Any]]:
        found = [task.data.model_dump() | {"idx": 0} for task in load_environment(*given).taskset]
        return sorted(found, key=lambda data: data["id"])

    folder = str(rows.parent / "run" / "dataset")
    assert tasks(folder, "composer-rl-512") == tasks(str(rows))
    with pytest.raises(ValueError, match=r"row 1 has no prompt\. .*or name a config of --kind rl"):
        tasks(folder, "composer-chat-512")


def test_every_row_is_right_by_its_own_checker(rows: Path) -> None:
    tasks = list(load_environment(str(rows)).taskset)
    assert len(tasks) == 6 and len({task.data.id for task in tasks}) == 6
    assert all(asyncio.run(task.validate(None)) for task in tasks)


def test_jsonl_gives_the_same_tasks_and_other_files_are_named(rows: Path, tmp_path: Path) -> None:
    def tasks(path: Path) -> list[dict[str, Any]]:
        return [task.data.model_dump() for task in load_environment(str(path)).taskset]

    lines = tmp_path / "rl.jsonl"
    lines.write_text("".join(json.dumps(row) + "\n" for row in pq.read_table(rows).to_pylist()))
    assert tasks(lines) == tasks(rows)
    lines.write_text('{"id": "a", "prompt": [{"role": "user", "content": "Who?"}], "answer": "Ada"}\n')
    with pytest.raises(ValueError, match=r"rl\.jsonl, row 1 has no info\. Write it with"):
        tasks(lines)
    with pytest.raises(ValueError, match=r"There is no file .*gone\.parquet"):
        tasks(tmp_path / "gone.parquet")
    with pytest.raises(ValueError, match="rows is missing"):
        list(vf.load_taskset(vf.taskset_config_type("context-synthesis-rl")(id="context-synthesis-rl")))
