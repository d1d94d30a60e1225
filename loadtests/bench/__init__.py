"""Benchmark scenarios: each starts an instance of its own, measures over real HTTP, and checks its sums."""
