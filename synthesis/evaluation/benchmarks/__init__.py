"""The forms in which benchmarks write their questions, and what their own scorers read."""
