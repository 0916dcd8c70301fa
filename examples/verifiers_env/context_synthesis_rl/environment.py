"""The environment: the rows, and one agent that replies once, on this machine."""

from __future__ import annotations

from typing import Any

import verifiers.v1 as vf


class LongContextEnvConfig(vf.EnvConfig):
    """One agent; its model, sampling and limits are set under ``--env.agent``."""

    agent: vf.AgentConfig = vf.AgentConfig(runtime=vf.SubprocessConfig(), max_turns=1)


class LongContextEnv(vf.Env[LongContextEnvConfig]):
    """Each rollout is one question and one reply."""

    async def run(self, task: vf.Task, agents: vf.Agents) -> None:
        """Have the agent reply."""
        await agents.agent.run(task)


def load_environment(rows: str, config: str | None = None, **agent: Any) -> LongContextEnv:
    """The environment over some rows.

    Args:
        rows: a file of ``export --format rl``, a dataset folder, or OWNER/NAME on the Hub.
        config: the dataset's config, such as ``composer-rl-32k``.
        agent: fields of ``vf.AgentConfig``, such as ``sampling`` or ``model``.
    """
    taskset = {"id": "context-synthesis-rl", "rows": rows, "config": config}
    return vf.load_environment(vf.resolve_env_config({"taskset": taskset, "agent": agent}))
