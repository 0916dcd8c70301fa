r"""Does it teach? Tune a small model on samples made in several ways, and ask it what people asked.

    python -m examples.study OUT --plan examples/study/cpu.toml --model FOLDER \
        --questions hotpotqa=PAIRS.jsonl,CONTEXTS.jsonl --questions 2wikimqa=PAIRS.jsonl,CONTEXTS.jsonl
    python -m examples.study OUT --table          # what is there so far, as Markdown
    python -m examples.study OUT --figure NAME    # and as a picture
    python -m examples.study OUT --plan P --questions Q --traits    # what contexts are like; no model

Every arm, seed and fold is one job. A job that is done has its file in OUT/jobs, so the same command
goes on where it was stopped, and the table can be made at any time. It needs PyTorch and transformers.
"""

from __future__ import annotations

import argparse
import re
import sys
from importlib.util import find_spec
from pathlib import Path

from examples.study.jobs import jobs_of, run_jobs
from examples.study.plan import read_plan
from examples.study.questions import read_questions
from examples.study.results import remember
from examples.study.table import markdown, traits_table


def main() -> int:
    """Run what is not done, then print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.study",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--plan", type=Path, help="a TOML file")
    parser.add_argument("--model", type=Path, help="a transformers folder with a chat template")
    parser.add_argument("--questions", action="append", default=[], metavar="TASK=PAIRS[,CONTEXTS]")
    parser.add_argument("--jobs", type=int, default=1, help="at a time (default: 1)")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="keep no job after so long")
    parser.add_argument("--only", default="", metavar="PATTERN", help="jobs whose ARM.SEED.FOLD has it")
    parser.add_argument("--table", action="store_true", help="run nothing")
    parser.add_argument(
        "--traits", action="store_true", help="what the contexts of the arms are like; no model"
    )
    parser.add_argument("--figure", type=Path, metavar="NAME", help="draw NAME-light.svg and NAME-dark.svg")
    given = parser.parse_args()
    if given.jobs < 1:
        parser.error("--jobs: give 1 or more")
    try:
        only = re.compile(given.only)
    except re.error as error:
        parser.error(f"--only {given.only!r} is no pattern: {error}")
    if given.traits:
        if given.plan is None or not given.questions:
            parser.error("give --plan and --questions")
        print(traits_table(read_plan(given.plan), given.questions))
        return 0
    complete = True
    if not given.table and not given.figure:
        if given.plan is None or given.model is None or not given.questions:
            parser.error("give --plan, --model and --questions; or --table or --figure")
        plan = read_plan(given.plan)
        if not (given.model / "config.json").is_file():
            parser.error(f"--model {given.model} is no folder of a transformers model")
        if find_spec("torch") is None or find_spec("transformers") is None:
            parser.error('a study tunes models with PyTorch: pip install ".[local]" beside this folder')
        for source in given.questions:  # said once, before there are jobs that fail by it
            read_questions(source, plan.limit)
        remember(given.out, plan)
        jobs = jobs_of(plan, given.out, given.model, given.questions)
        jobs = [job for job in jobs if only.search(job.file.stem)]
        complete = run_jobs(jobs, given.jobs, given.seconds, lambda line: print(line, flush=True))
    if given.figure:
        from examples.study.figure import draw

        for path in draw(given.out, given.figure):
            print(path)
        return 0
    print(markdown(given.out))
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
