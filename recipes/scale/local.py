"""A run in several tasks on this machine.

    python recipes/scale/local.py recipes/first-run.toml --tasks 4 --workers 2
    context-synthesis run runs/first/run.toml

The tasks write the contexts (`workers` of them at a time), the second command builds the dataset. Give the
first one again after a crash: what is done stays done, and a task that died is done alone.
"""

import argparse

from datatrove.executor import LocalPipelineExecutor

from synthesis.errors import ConfigError
from synthesis.options import load_config
from synthesis.scale import context_step

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("config")
    parser.add_argument("--tasks", type=int, default=8)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--logs", help="who completed; another one after a change of pairs or settings")
    given = parser.parse_args()
    try:
        out = load_config(given.config).out_dir
    except ConfigError as error:
        parser.error(str(error))
    logs = given.logs or f"{out}-logs"
    steps = [context_step(given.config)]
    LocalPipelineExecutor(steps, tasks=given.tasks, workers=given.workers, logging_dir=logs).run()
