"""Benchmarks, run by `make bench`: figures with their conditions, compared with the bars of docs/performance.md."""
