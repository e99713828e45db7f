"""Batches in threads: in order, few at once, and a failure is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from pipeline.matching.threads import in_threads


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_answers_come_in_the_order_of_the_batches(threads: int) -> None:
    def slow(batch: int) -> int:
        time.sleep(0.002 * (batch % 3))
        return batch * 10

    assert list(in_threads(slow, iter(range(20)), threads)) == [batch * 10 for batch in range(20)]


def test_no_more_batches_are_taken_than_the_threads_can_hold() -> None:
    taken, done = 0, 0

    def batches() -> Iterator[int]:
        nonlocal taken
        for batch in range(30):
            taken += 1
            yield batch

    for _ in in_threads(lambda batch: batch, batches(), 2):
        assert taken - done <= 4
        done += 1
    assert (taken, done) == (30, 30)


def test_a_failure_ends_the_work() -> None:
    def fails(batch: int) -> int:
        if batch == 3:
            raise ValueError("3")
        return batch

    with pytest.raises(ValueError, match="3"):
        list(in_threads(fails, range(10), 2))
    assert threading.active_count() < 20
