"""The disk that takes no more, or no longer answers: said as such, never as a fault of a department's file or of the program.

A night that meets it ends; what it has not entered in the ledger by then is not entered. The same night run again, once there is
room, is the undisturbed one.
"""

from __future__ import annotations

import errno
import os

from pipeline.contracts.problem import Problem, ReconcileError

_ERRORS = {
    errno.ENOSPC: "磁盘已满",
    errno.EDQUOT: "磁盘配额已用完",
    errno.EROFS: "磁盘是只读的",
    errno.EIO: "磁盘读写出错",
}


def disk_trouble(error: BaseException) -> ReconcileError | None:
    """E290 (exit 1) where the disk was the cause; None: it was something else."""
    number = error.errno if isinstance(error, OSError) else None
    if number is None:  # polars and DuckDB keep the system's words only
        number = next((known for known in _ERRORS if os.strerror(known) in str(error)), 0)
    why = _ERRORS.get(number)
    if why is None:
        return None
    cure = "检查 --state、--out 和收件夹所在磁盘的空间和状态（`reconcile doctor`），然后重新运行；已入账的内容没有丢"
    return ReconcileError(Problem("E290", "error", "磁盘读写失败", why, cure))
