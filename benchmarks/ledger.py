"""The ledger of a province: how long a night with it takes, in how much memory.

Two nights of `--people` register people, of whom `--flagged` percent have a case (one in ten of those two): in the second a tenth is
settled and as many are new; then the second again, which adds nothing, and the check of the whole ledger. Made people; the register
keeps its order, as a real one does not.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

from pipeline.cases import check, open_ledger, read_book, record_night, replay
from pipeline.cases.people import Somebody
from pipeline.cases.tonight import Flag, Tonight

BENEFITS = ("nursing_subsidy", "medical_insurance")
COUNTIES = {f"53{n:04d}": f"县{n}" for n in range(1, 130)}
OCTOBER, NOVEMBER = date(2026, 10, 31), date(2026, 11, 30)


def people(count: int) -> dict[int, Somebody]:
    codes, first = list(COUNTIES), date(1940, 1, 1)
    made = {}
    for n in range(count):
        born = first + timedelta(days=n % 29_000)
        number = f"{codes[n % len(codes)]}{born:%Y%m%d}{n // 29_000:03d}X"
        made[n] = Somebody(n, f"{number}43", number, f"某{n % 5_000}", codes[n % len(codes)], born)
    return made


def night(on: date, everybody: dict[int, Somebody], flagged: range, settled: range) -> Tonight:
    def keys(rows: range) -> Iterator[tuple[int, str]]:
        for row in rows:
            yield row, BENEFITS[0]
            if row % 10 == 0:
                yield row, BENEFITS[1]

    register: dict[str, int] = {}
    for one in everybody.values():
        register[one.county] = register.get(one.county, 0) + 1
    return Tonight(
        on, everybody, {key: Flag("missing", "1|0") for key in keys(flagged)}, {key: "receiving" for key in keys(settled)},
        COUNTIES, frozenset(BENEFITS), lambda _: set(), lambda *_: False, register,
    )  # fmt: skip


@contextmanager
def told(what: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what:28} {time.perf_counter() - began:7.1f} s, peak so far {peak:,.0f} MB", flush=True)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--people", type=int, default=3_000_000)
    asked.add_argument("--flagged", type=float, default=7.0, help="percent of the people")
    options = asked.parse_args()
    with tempfile.TemporaryDirectory() as temp, told("all"):
        with told("people made"):
            everybody = people(options.people)
        count = round(options.people * options.flagged / 100)
        for name, on, first in (
            ("first night", OCTOBER, 0),
            ("second", NOVEMBER, count // 10),
            ("again", NOVEMBER, count // 10),
        ):
            tonight = night(on, everybody, range(first, first + count), range(first))
            with open_ledger(Path(temp)) as ledger:
                with told(f"{name}: read"):
                    book = read_book(ledger.events())
                with told(f"{name}: recorded"):
                    record_night(ledger, tonight, book=book)
        with open_ledger(Path(temp)) as ledger, told("checked"):
            assert check(ledger, replay) == []
            print(f"{sum(1 for _ in ledger.events()):,} events, {len(book.cases):,} cases")


if __name__ == "__main__":
    main()
