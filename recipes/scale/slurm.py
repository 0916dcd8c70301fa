"""A run as an array of Slurm jobs, one for each task.

    python recipes/scale/slurm.py runs/big.toml --tasks 64 --partition gpu --gpus 8 --time 24:00:00
    squeue --me
    context-synthesis run runs/big/run.toml

The first command returns when the jobs are queued, the last builds the dataset when they are done. Give the
first one again for tasks that failed: only these are queued. The run's folder and the logs must lie on a
disk that all nodes see, and the environment of the first command is taken along. Where a task failed, the job
that adds up the statistics waits for ever: end it with scancel.
"""

import argparse
import sys
from pathlib import Path

from datatrove.executor import SlurmPipelineExecutor

from synthesis.errors import ConfigError
from synthesis.options import load_config
from synthesis.scale import context_step

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("config")
    parser.add_argument("--tasks", type=int, default=8)
    parser.add_argument("--workers", type=int, default=-1, help="so many at a time; -1: as many as fit")
    parser.add_argument("--logs", help="who completed; another one after a change of pairs or settings")
    parser.add_argument("--partition", required=True)
    parser.add_argument("--time", default="24:00:00")
    parser.add_argument("--cpus", type=int, default=8, help="for each task")
    parser.add_argument("--memory", type=int, default=8, help="GB for each of them")
    parser.add_argument("--gpus", type=int, default=0, help="for each task, of one node")
    parser.add_argument("--qos", default="", help="where the cluster has them")
    given = parser.parse_args()
    try:
        out = load_config(given.config).out_dir
    except ConfigError as error:
        parser.error(str(error))
    logs = Path(given.logs or f"{out}-logs").absolute()
    SlurmPipelineExecutor(
        [context_step(given.config)],
        tasks=given.tasks,
        workers=given.workers,
        logging_dir=str(logs),
        slurm_logs_folder=str(logs / "slurm"),
        job_name="contexts",
        partition=given.partition,
        time=given.time,
        cpus_per_task=given.cpus,
        mem_per_cpu_gb=given.memory,
        gpus_per_task=given.gpus,
        qos=given.qos,
        env_command=f'export PATH="{Path(sys.executable).parent}:$PATH"',
    ).run()
