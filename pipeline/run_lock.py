"""One run at a time on one state: an advisory lock that the kernel frees when the process ends, however it ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.system_files import give_back, lock, open_private


@contextmanager
def only_run(state: Path) -> Iterator[None]:
    """Holds `state/lock`; what root wrote meanwhile is the state's owner's in the end. Raises ReconcileError E401 (exit 5) where another run holds it."""
    state.mkdir(parents=True, exist_ok=True)
    handle = open_private(state / "lock", os.O_RDWR | os.O_CREAT)
    try:
        if not lock(handle, wait=False):
            raise ReconcileError(
                Problem(
                    "E401",
                    "error",
                    "另一次运行正在进行",
                    "同一状态目录一次只能有一个运行",
                    "等它结束后再运行，或用 --state 另指目录",
                ),
                exit_code=5,
            )
        try:
            yield
        finally:
            give_back(state)
    finally:
        os.close(handle)
