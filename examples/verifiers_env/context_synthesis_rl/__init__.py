"""Rows of ``export --format rl`` as an environment for verifiers: tasks and rewards."""

from context_synthesis_rl.environment import LongContextEnv, load_environment
from context_synthesis_rl.harness import SingleReplyHarness
from context_synthesis_rl.taskset import LongContextTaskset

__all__ = ["LongContextEnv", "LongContextTaskset", "SingleReplyHarness", "load_environment"]
