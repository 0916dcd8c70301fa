"""Jobs on a run's folder: run, plan, assemble, import, score, and the Batch API step by step."""
