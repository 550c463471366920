"""Benchmarks: each prints figures and the ratio that matters, side by side in one run."""
