"""A synthetic prefecture's exports of any size, for first runs, tests and benchmarks."""

from pipeline.sample.make import SampleSummary, make_sample

__all__ = ["SampleSummary", "make_sample"]
