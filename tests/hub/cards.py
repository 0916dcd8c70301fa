"""Cards of datasets that several tests put on the local Hub."""

EASY_AND_HARD = """---
configs:
- config_name: easy
  data_files:
  - split: train
    path: easy/train.jsonl
  - split: test
    path: easy/test.jsonl
- config_name: hard
  data_files: hard.jsonl
---
"""
