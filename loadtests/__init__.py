"""Load tests and benchmark scenarios."""
