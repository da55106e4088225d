"""What `tools/benchmark.py` measures: each function is a part of docs/benchmarks.md, and takes whether to be quick."""
