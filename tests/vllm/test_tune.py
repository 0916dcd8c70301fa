"""Settings of real vLLM, each in a process of its own: one that runs, and one that has too little memory."""

from __future__ import annotations

import json
from pathlib import Path

from builder.job.tuning import Sweep, table_of, try_setting
from synthesis.options import from_dict
from tests.vllm.small import SMALL, vllm_processes

SWEEP = Sweep(prompts=12, repeats=2, seconds=600)


def test_a_setting_that_runs_and_one_that_dies(model: Path, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.jsonl"
    rows = [{"instruction": f"Who kept light {n}?", "answer": f"Keeper {n}"} for n in range(12)]
    pairs.write_text("".join(json.dumps(row) + "\n" for row in rows))
    made = {"engine": "vllm", "model": str(model), "words": 50, "max_tokens": 24, "options": SMALL}
    config = from_dict({"pairs": {"source": str(pairs)}, "generation": made})
    # An engine of another test may live on in this process.
    before = set(vllm_processes())
    runs = try_setting(
        config, {"speculative_config": {"method": "ngram", "num_speculative_tokens": 2}}, SWEEP
    )
    dies = try_setting(config, {"kv_cache_memory_bytes": 1 << 12}, SWEEP)
    table = "\n".join(table_of([runs, dies]))
    assert len(runs.rates) == 2 and min(runs.rates) > 0 and not runs.reason, table
    # Worth trying are other numbers than those that vLLM has settled on.
    assert {"max_num_seqs": 4} in runs.tunings and {"max_num_seqs": 16} in runs.tunings
    assert all("speculative_config" not in one for one in runs.tunings)
    assert not dies.rates and "raise kv_cache_memory_bytes" in dies.reason, table
    assert set(vllm_processes()) <= before
