"""The business date: never back, and not far off unless somebody named it."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from pipeline.cases import Event, check_date, open_ledger
from pipeline.contracts.problem import ReconcileError

LAST = date(2026, 10, 31)


@pytest.mark.parametrize(
    ("as_of", "named", "code"),
    [
        (LAST, False, None),
        (LAST - timedelta(days=1), True, "E716"),
        (LAST + timedelta(days=31), False, None),
        (LAST + timedelta(days=365), False, "E718"),
        (LAST + timedelta(days=365), True, None),
    ],
)
def test_dates_follow_on_each_other(tmp_path: Path, as_of: date, named: bool, code: str | None) -> None:
    with open_ledger(tmp_path) as ledger:
        with ledger.transaction():
            ledger.append([Event(LAST, "night", None, {"new": {}, "floods": []})])
        if code is None:
            check_date(ledger, as_of, named=named)
            return
        with pytest.raises(ReconcileError) as refused:
            check_date(ledger, as_of, named=named)
    assert refused.value.problem.code == code


def test_the_first_night_may_have_any_date(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        check_date(ledger, date(2020, 1, 1), named=False)
