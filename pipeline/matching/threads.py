"""Work on batches in several threads, in order, with few batches in memory: polars leaves the interpreter free."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Given = TypeVar("Given")
Found = TypeVar("Found")


def in_threads(work: Callable[[Given], Found], batches: Iterable[Given], threads: int) -> Iterator[Found]:
    """`work` of every batch, in the order of the batches; never more than `threads` + 1 of them at once."""
    with ThreadPoolExecutor(max(1, threads)) as pool:
        going: deque[Future[Found]] = deque()
        for batch in batches:
            going.append(pool.submit(work, batch))
            if len(going) > threads:
                yield going.popleft().result()
        while going:
            yield going.popleft().result()
