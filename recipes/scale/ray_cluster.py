"""A run as tasks on a Ray cluster (`pip install ray`).

    ray start --head
    python recipes/scale/ray_cluster.py runs/big.toml --tasks 64 --workers 8 --gpus 1
    context-synthesis run runs/big/run.toml

The second command waits for the tasks, the last builds the dataset. A task whose machine goes away is begun
again by itself; give the command again for tasks that failed. The run's folder and the logs must lie on a
disk that all nodes see.
"""

import argparse
from pathlib import Path

import ray
from datatrove.executor import RayPipelineExecutor

from synthesis.errors import ConfigError
from synthesis.options import load_config
from synthesis.scale import context_step

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("config")
    parser.add_argument("--tasks", type=int, default=8)
    parser.add_argument("--workers", type=int, default=-1, help="so many at a time; -1: as many as fit")
    parser.add_argument("--logs", help="who completed; another one after a change of pairs or settings")
    parser.add_argument("--cpus", type=int, default=1, help="for each task")
    parser.add_argument("--memory", type=int, default=2, help="GB for each of them")
    parser.add_argument("--gpus", type=int, default=0, help="for each task")
    given = parser.parse_args()
    try:
        out = load_config(given.config).out_dir
    except ConfigError as error:
        parser.error(str(error))
    ray.init(address="auto")
    RayPipelineExecutor(
        [context_step(given.config)],
        tasks=given.tasks,
        workers=given.workers,
        logging_dir=str(Path(given.logs or f"{out}-logs").absolute()),
        cpus_per_task=given.cpus,
        mem_per_cpu_gb=given.memory,
        gpus_per_task=given.gpus,
    ).run()
