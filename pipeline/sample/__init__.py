"""A synthetic prefecture's exports of any size, for first runs, tests and benchmarks."""

from pipeline.sample.make import SampleSummary, make_sample
from pipeline.sample.trouble import Trouble, trouble_of

__all__ = ["SampleSummary", "Trouble", "make_sample", "trouble_of"]
