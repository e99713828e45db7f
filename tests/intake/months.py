"""Months of small deliveries one after the other, as a ledger would remember them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import deliveries as d

from pipeline.contracts.dataset import Dataset
from pipeline.contracts.delivered import Intake
from pipeline.contracts.list_history import AcceptedByHand, ListHistory
from pipeline.contracts.settings import Settings
from pipeline.intake.take_in import take_in

OCTOBER, NOVEMBER, DECEMBER = date(2026, 10, 31), date(2026, 11, 30), date(2026, 12, 31)
DIBAO, INSURED, REGISTER = "civil_affairs/dibao", "medical/insured", "federation/register"


class Months:
    """An inbox and a state, and what was accepted night by night."""

    def __init__(self, root: Path, datasets: dict[str, Dataset] = d.DATASETS) -> None:
        self.inbox, self.state, self._datasets = root / "inbox", root / "state", datasets
        self.history = ListHistory()

    def put(self, day: date, dataset: str, rows: list[tuple[object, ...]], county: str = "") -> str:
        """Writes one list of a date; its name in the inbox."""
        file = f"{dataset}/{county + '_' if county else ''}名单_{day:%Y%m%d}.csv"
        d.put(self.inbox, file, d.table(*rows))
        return file

    def night(self, day: date, *by_hand: AcceptedByHand) -> Intake:
        """Takes the inbox in by what was accepted before; does not yet remember it."""
        history = ListHistory(self.history.accepted, by_hand)
        return take_in(self.inbox, self.state, self._datasets, day, Settings(), history)

    def remember(self, intake: Intake) -> None:
        accepted = dict(self.history.accepted)
        for one in intake.accepted:
            accepted[one.key] = (*accepted.get(one.key, ()), one)
        self.history = ListHistory(accepted)


def first_month(root: Path) -> Months:
    """October: 400 people on the register in two counties, 300 of them insured, 250 with dibao in each county."""
    months = Months(root)
    months.put(OCTOBER, REGISTER, d.register_rows(400))
    months.put(OCTOBER, DIBAO, d.dibao_rows(0, 250), "539901")
    months.put(OCTOBER, DIBAO, d.dibao_rows(500, 250), "539902")
    months.put(OCTOBER, INSURED, d.insured_rows(300))
    months.put(
        OCTOBER,
        "civil_affairs/deaths",
        [("姓名", "身份证号", "死亡日期"), ("丁3", d.identity(3), "20260901")],
    )
    months.remember(months.night(OCTOBER))
    return months


def statuses(intake: Intake, dataset: str) -> dict[str, str]:
    """Status by county."""
    return {
        r["county_code"]: r["status"] for r in intake.coverage.filter(dataset=dataset).iter_rows(named=True)
    }


def codes(intake: Intake, dataset: str) -> set[str]:
    """The codes of the history's problems with a list."""
    return {p.code for p in intake.problems if p.dataset == dataset and p.code >= "E250"}
