"""The check of a run's rows against benchmarks that the user names, by shared n-grams of words."""

from synthesis.contamination.checking import (
    Benchmarks,
    Overlap,
    digest_of,
    named_benchmarks,
    read_benchmarks,
    reason_to_drop,
)
from synthesis.contamination.index import probe
from synthesis.contamination.naming import Benchmark, parse_benchmark

__all__ = [
    "Benchmark",
    "Benchmarks",
    "Overlap",
    "digest_of",
    "named_benchmarks",
    "parse_benchmark",
    "probe",
    "read_benchmarks",
    "reason_to_drop",
]
