"""Two months of a small place by hand: who is to be visited, why, what was lost since last month, and the same once more."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import nights
import plain
import polars as pl

from pipeline import intake, matching
from pipeline.contracts.dataset import load_datasets
from pipeline.contracts.rule import load_rules
from pipeline.contracts.settings import Settings
from pipeline.contracts.tables import CASES, VISITS
from pipeline.contracts.visit_signs import load_visit_signs
from pipeline.entitlement.kept_night import keep_night
from pipeline.entitlement.visit_signs import note_visits
from pipeline.results import write_results
from pipeline.run import decide, match

LAST_MONTH = date(2026, 9, 30)
IDS = [plain.number("19800301", n) for n in range(1, 7)]
DIBAO = {"fam": "D1", "urban": "农村", "state": "在保", "start": "202501", "n": "2", "amount": "600"}


def register() -> list[dict[str, str]]:
    """Six people: the first two live together, the fourth is of level three, the sixth has died since."""
    names = ("张大山", "李小河", "王远方", "赵石头", "孙青松", "周明月")
    return [
        plain.holder(name, id_, level=3 if n == 3 else 1)
        for n, (name, id_) in enumerate(zip(names, IDS, strict=True))
    ]


def in_dibao(n: int, family: str, **other: str) -> dict[str, str]:
    person = register()[n]
    relation = {
        "name": person["name"],
        "id": person["id"],
        "hname": person["name"],
        "hid": person["id"],
        "rel": "户主",
    }
    return {**DIBAO, **relation, "fam": family, **other}


def inbox(folder: Path, day: date, **lists: list[dict[str, str]]) -> Path:
    """The 23 lists of a month."""
    made = plain.write(folder, register(), **lists)
    for path in nights.deliveries(made):
        path.rename(path.with_name(path.name.replace("20261031", f"{day:%Y%m%d}")))
    return made


def judged(inbox: Path, out: Path, state: Path, day: date) -> pl.DataFrame:
    """A night as far as the visits need it; its table of visits."""
    datasets, rules = load_datasets(nights.ROOT / "schemas"), load_rules(nights.ROOT / "rules")
    delivered = intake.take_in(inbox, state, datasets, day, Settings())
    con = matching.connect(2.0, 0, str(state / "spill"))
    try:
        delivered = match(con, datasets, delivered)
        facts = decide(con, datasets, rules, delivered, day)
        note_visits(con, load_visit_signs(nights.ROOT / "rules"), facts, state, day)
        keep_night(con, state, facts, day)
        write_results(con, delivered.coverage, pl.DataFrame(schema=CASES), out / "results")
    finally:
        con.close()
    return nights.table(out, "visits")


def signs(table: pl.DataFrame) -> dict[int, tuple[str, int, bool | None]]:
    """Signs, weight and whether monitored, by the person's place in the register."""
    place = {f"{row['id']}{row['cert'][-2:]}": n for n, row in enumerate(register())}
    return {place[certificate]: tuple(rest) for certificate, _, *rest in table.iter_rows()}  # type: ignore[misc]


def september(folder: Path) -> Path:
    """All six are on dibao, the first two as one family."""
    dibao = [in_dibao(n, f"D{max(n, 1)}") for n in range(6)]
    return inbox(folder, LAST_MONTH, civil_affairs__dibao=dibao)


def october(folder: Path) -> Path:
    """The first two stay; the others' dibao is over: one gets tekun, one is monitored, one has died."""
    third, fifth, last = (register()[n] for n in (2, 4, 5))
    return inbox(
        folder,
        plain.AS_OF,
        civil_affairs__dibao=[in_dibao(0, "D1"), in_dibao(1, "D1"), in_dibao(3, "D3", state="停保", stop="202610")],
        civil_affairs__tekun=[{"name": third["name"], "id": third["id"], "way": "分散供养", "state": "在供", "start": "202610"}],
        civil_affairs__deaths=[{"name": last["name"], "id": last["id"], "died": "20261005"}],
        rural_revitalization__monitored=[
            {
                "fam": "J1", "name": fifth["name"], "id": fifth["id"], "hname": fifth["name"], "hid": fifth["id"],
                "kind": "突发严重困难户", "clear": "否", "found": "20261001",
            }
        ],
    )  # fmt: skip


def test_what_was_lost_since_last_month_sends_somebody_to_look(tmp_path: Path) -> None:
    state = tmp_path / "state"
    first = signs(judged(september(tmp_path / "sep"), tmp_path / "out-sep", state, LAST_MONTH))
    assert first == {
        0: ("以老养残+一户多残", 7, False),
        1: ("以老养残+一户多残", 7, False),
    }  # nothing to compare with: nothing lost

    table = judged(october(tmp_path / "oct"), tmp_path / "out", state, plain.AS_OF)
    assert dict(table.schema) == VISITS
    assert signs(table) == {
        0: ("以老养残+一户多残", 7, False),
        1: ("以老养残+一户多残", 7, False),
        3: ("失去保障", 6, False),
        4: ("失去保障+重度无救助", 11, True),
    }


def test_the_same_day_once_more_says_the_same(tmp_path: Path) -> None:
    state = tmp_path / "state"
    judged(september(tmp_path / "sep"), tmp_path / "out-sep", state, LAST_MONTH)
    delivered = october(tmp_path / "oct")
    for out in ("one", "two", "three"):
        judged(delivered, tmp_path / out, state, plain.AS_OF)
    written = [
        (tmp_path / out / "results" / "visits.parquet").read_bytes() for out in ("one", "two", "three")
    ]
    assert written[0] == written[1] == written[2]


def test_without_this_month_s_dibao_list_nobody_has_lost_dibao(tmp_path: Path) -> None:
    state = tmp_path / "state"
    judged(september(tmp_path / "sep"), tmp_path / "out-sep", state, LAST_MONTH)
    delivered = october(tmp_path / "oct")
    nights.one(delivered, "civil_affairs/dibao").unlink()
    assert signs(judged(delivered, tmp_path / "out", state, plain.AS_OF)) == {}


def test_without_the_list_of_the_monitored_nobody_is_said_not_to_be_on_it(tmp_path: Path) -> None:
    state = tmp_path / "state"
    judged(september(tmp_path / "sep"), tmp_path / "out-sep", state, LAST_MONTH)
    delivered = october(tmp_path / "oct")
    nights.one(delivered, "rural_revitalization/monitored").unlink()
    found = signs(judged(delivered, tmp_path / "out", state, plain.AS_OF))
    assert {n: monitored for n, (_, _, monitored) in found.items()} == {0: None, 1: None, 3: None, 4: None}
