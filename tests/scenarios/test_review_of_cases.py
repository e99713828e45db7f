"""不属实 with a reason rests until the facts change, whole nights on real files: another level, another damaged number, another name."""

from __future__ import annotations

import csv
import shutil
from datetime import date
from pathlib import Path

import nights
import plain
import polars as pl

from pipeline.cases import Case, open_ledger, read_book

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 31), date(2026, 11, 30), date(2026, 12, 31)
LEVEL, DAMAGED, NAMED = (plain.number("19650317", n) for n in (1, 3, 5))
SUBJECTS = {"nursing_subsidy": LEVEL, "register_id_damaged": DAMAGED, "id_name_conflict": NAMED}


def lists(folder: Path, on: date, *, level: int = 1, slip: str = "9", name: str = "王建国") -> Path:
    """Of three people one has this level, one this last digit in a damaged number, one's number stands beside this name."""
    paying = {"kind": "居民", "state": "正常缴费", "aid": "否"}
    others = {"name": "周海燕", "id": plain.number("19900101", 7)}
    named = [others | paying, {"name": name, "id": NAMED} | paying]
    damaged = plain.holder("扎西", DAMAGED, level=4)
    inbox = plain.write(
        folder,
        [
            plain.holder("卓玛", LEVEL, level=level),
            damaged | {"id": DAMAGED[:16] + slip},
            plain.holder("李秀英", NAMED, level=4),
        ],
        hr_social_security__pension=named if on == NOVEMBER else named[::-1],
    )
    for path in sorted(inbox.rglob("*_20261031.csv")):
        path.rename(path.with_name(path.name.replace("20261031", f"{on:%Y%m%d}")))
    return inbox


def answer(out: Path, inbox: Path, state: Path) -> None:
    """The county's own table with a reasoned no to each of the three, as it goes back to the inbox."""
    with (out / "reports/539901/discrepancies.csv").open(encoding="utf-8-sig", newline="") as file:
        head, *rows = csv.reader(file)
    numbers = {case.number for subject, case in cases(state).items() if subject in SUBJECTS}
    at, result = head.index("疑点编号"), head.index("核查结果")
    for row in rows:
        if row[at] in numbers:
            row[result : result + 2] = ["不属实", "等级变更未同步"]
    folder = inbox / "feedback/539901"
    folder.mkdir(parents=True)
    with (folder / "反馈.csv").open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([head, *rows])


def cases(state: Path) -> dict[str, Case]:
    with open_ledger(state) as ledger:
        return {case.subject: case for case in read_book(ledger.events()).cases.values()}


def test_other_facts_bring_a_case_back_and_another_month_does_not(tmp_path: Path) -> None:
    out, state = tmp_path / "out", tmp_path / "state"
    nights.night(lists(tmp_path / "10", OCTOBER), out, as_of=OCTOBER, state=state)
    assert set(SUBJECTS) <= set(cases(state))
    same = lists(tmp_path / "11", NOVEMBER)
    answer(out, same, state)
    told = nights.night(same, out, as_of=NOVEMBER, state=state)
    assert "收 3，采纳 3，退回 0" in told.screen
    assert {subject: cases(state)[subject].suppressed for subject in SUBJECTS} == dict.fromkeys(
        SUBJECTS, True
    )
    later = lists(tmp_path / "12", DECEMBER, level=2, slip="8", name="张志强")
    shutil.copytree(same / "feedback", later / "feedback")
    told = nights.night(later, out, as_of=DECEMBER, state=state)
    assert "反馈 " not in told.screen  # the old file was told of in November
    assert {subject: cases(state)[subject].again for subject in SUBJECTS} == dict.fromkeys(SUBJECTS, True)
    table = pl.read_parquet(out / "results/cases.parquet").filter(pl.col("subject").is_in(list(SUBJECTS)))
    assert set(table["state"]) == {"open"}
