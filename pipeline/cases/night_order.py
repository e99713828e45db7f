"""Nights follow on each other: an earlier date, or one far off that nobody named, is refused before anything is read."""

from __future__ import annotations

from datetime import date, timedelta

from pipeline.cases.ledger import Ledger
from pipeline.contracts.problem import Problem, ReconcileError

# Nights without --as-of take the newest date in the inbox. One wrong digit in a file's name must not move the business date by a
# year; lists come monthly, and a month may be missed.
_FARTHEST = timedelta(days=62)
_LAST_NIGHT = "SELECT max(on_date) FROM events WHERE kind = 'night'"


def check_date(ledger: Ledger, as_of: date, *, named: bool) -> None:
    """`named`: somebody gave the date (--as-of). Raises ReconcileError E716, E718; as Ledger.query."""
    ((found,),) = ledger.query(_LAST_NIGHT)
    last = date.fromisoformat(found) if found else None
    if last is not None and as_of < last:
        raise too_early(as_of, last)
    if last is not None and not named and as_of > last + _FARTHEST:
        what = "业务日期离上一夜太远"
        why = f"上一夜是 {last}，收件夹里最新的名册日期是 {as_of}；可能是文件名写错了年月"
        cure = "改正文件名；日期没有错就写明 --as-of"
        raise ReconcileError(Problem("E718", "error", what, why, cure))


def too_early(as_of: date, last: date) -> ReconcileError:
    what = "业务日期早于已记录的最后一夜"
    why = f"最后一夜是 {last}，这次是 {as_of}；往回跑会让疑点的先后失真"
    cure = "检查 --as-of 和收件夹里名册的日期；只想看看旧数据，请用另一个 --state 文件夹"
    return ReconcileError(Problem("E716", "error", what, why, cure))
