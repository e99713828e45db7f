"""Cases over two whole nights on one state: numbers, settlement by data, a list that is missing or cut, answers that come back."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import killed_nights
import nights
import openpyxl
import plain
import polars as pl
import pytest
from killed_nights import NOVEMBER, OCTOBER
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.run import Night, Request, run

INSURED = "medical_insurance/insured"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return killed_nights.make_world(tmp_path_factory.mktemp("cases"))


@pytest.fixture
def place(world: Path, tmp_path: Path) -> Path:
    """A copy of the state after October, with both inboxes."""
    for name in ("state", "out", "inbox-10", "inbox-11"):
        shutil.copytree(world / name, tmp_path / name)
    return tmp_path


def night(world: Path, place: Path, month: int = 11) -> tuple[Night, pl.DataFrame]:
    on = NOVEMBER if month == 11 else OCTOBER
    request = Request(
        inbox=place / f"inbox-{month}", out=place / "out", state=place / "state",
        schemas=world / "schemas", rules=world / "rules", as_of=on,
    )  # fmt: skip
    done = run(request)
    return done, cases(place)


def cases(place: Path) -> pl.DataFrame:
    return pl.read_parquet(place / "out/results/cases.parquet")


def by_person(table: pl.DataFrame, subject: str = "medical_insurance") -> dict[str, dict[str, object]]:
    mine = table.filter(pl.col("subject") == subject)
    return {row["id_number"]: row for row in mine.iter_rows(named=True)}


def renewing(place: Path) -> set[str]:
    """Whose certificate ran out in November."""
    outcomes = pl.read_parquet(place / "out/results/outcomes.parquet")
    return set(outcomes.filter(pl.col("outcome") == "renew_first")["id_number"])


def reconcile(*words: object) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return done.output


def test_numbers_stay_and_data_settle(world: Path, place: Path) -> None:
    before = by_person(cases(place))
    assert {case["state"] for case in before.values()} == {"open"}
    done, table = night(world, place)
    after = by_person(table)
    assert done.exit_code == 0
    settled = {who for who, case in after.items() if case["state"] == "settled"}
    found = {who for who, case in after.items() if case["first_seen"] == NOVEMBER}
    assert min(len(settled), len(found)) > 10  # a third each
    for who, case in before.items():
        assert after[who]["case_number"] == case["case_number"]
        assert after[who]["settled_on"] == (NOVEMBER if who in settled else None)
    receiving = pl.read_parquet(place / "out/results/outcomes.parquet").filter(
        pl.col("benefit") == "medical_insurance", pl.col("outcome") == "receiving"
    )
    assert settled <= set(receiving["id_number"])


@pytest.mark.parametrize("damage", ["withheld", "cut", "last month's"])
def test_a_bad_list_opens_closes_and_ages_nothing(world: Path, place: Path, damage: str) -> None:
    before = by_person(cases(place))
    (path,) = (place / "inbox-11" / INSURED).iterdir()
    lines = path.read_bytes().splitlines(keepends=True)
    if damage == "withheld":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(b"".join(lines[: len(lines) * 3 // 10]))
    else:
        (old,) = (place / "inbox-10" / INSURED).iterdir()
        path.write_bytes(old.read_bytes())
    done, table = night(world, place)
    expired = renewing(place)  # theirs is another matter, which needs no list
    after = {who: case for who, case in by_person(table).items() if who not in expired}
    assert {who: (case["case_number"], case["state"]) for who, case in after.items()} == {
        who: (case["case_number"], "open") for who, case in before.items() if who not in expired
    }
    if damage != "last month's":  # the same file again is the same answer as last month, and says so
        assert done.exit_code == 3
        assert {case["last_seen"] for case in after.values()} == {OCTOBER}
        assert night(world, place)[1].equals(table)


def test_a_list_accepted_after_a_look_counts(world: Path, place: Path) -> None:
    (path,) = (place / "inbox-11" / INSURED).iterdir()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[: len(lines) * 3 // 10]))
    assert night(world, place)[0].exit_code == 3
    reconcile("accept", INSURED, "all", "--reason", "已电话核实", "--state", place / "state")
    done, table = night(world, place)
    assert done.exit_code == 0
    assert len([c for c in by_person(table).values() if c["first_seen"] == NOVEMBER]) > 10


def answered(place: Path, answers: list[tuple[str, str]]) -> list[str]:
    """The county's own workbook filled in, first rows first, and put into the inbox; the case numbers answered."""
    book = openpyxl.load_workbook(place / "out/reports/539901/discrepancies.xlsx")
    sheet = book["疑点清单"]
    head = [cell.value for cell in sheet[1]]
    number, result = head.index("疑点编号") + 1, head.index("核查结果") + 1
    for row, (said, why) in enumerate(answers, 2):
        sheet.cell(row, result).value, sheet.cell(row, result + 1).value = said, why
    folder = place / "inbox-11/feedback/539901"
    folder.mkdir(parents=True)
    book.save(folder / "反馈.xlsx")
    return [sheet.cell(row, number).value for row in range(2, len(answers) + 2)]


def test_answers_come_back(world: Path, place: Path) -> None:
    said = [("属实", ""), ("不属实", "特困供养"), ("已办理", ""), ("说不清楚的话", "")]
    numbers = answered(place, said)
    done, table = night(world, place)
    assert "收 4，采纳 3，退回 1" in done.screen
    state = dict(table.select("case_number", "state").iter_rows())
    assert [state[number] in ("answered", "settled", "closed") for number in numbers] == [
        True,
        True,
        True,
        state[numbers[3]] != "open",
    ]
    listed = (place / "out/reports/539901/discrepancies.csv").read_text("utf-8-sig")
    assert numbers[1] not in listed  # rests until its facts change
    (receipt,) = (place / "out/receipts/539901").iterdir()
    assert "E722" in receipt.read_text("utf-8-sig")
    assert night(world, place)[1].equals(table)  # the same file again changes nothing


def test_the_commands_about_cases(world: Path, place: Path) -> None:
    night(world, place)
    number = cases(place)["case_number"][0]
    options = ("--state", place / "state", "--rules", world / "rules")
    assert number in reconcile("cases", "list", *options)
    assert number in reconcile("cases", "show", number.replace("-", " ").lower(), *options)
    out = place / "book.xlsx"
    reconcile(
        "cases", "export", "--county", "539901", "--results", place / "out/results", "--out", out, *options
    )
    assert len(openpyxl.load_workbook(out).sheetnames) >= 1
    assert "台账完好" in reconcile("ledger", "check", "--state", place / "state")
    assert INSURED in reconcile("lists", "--state", place / "state")
    assert "medical_insurance" in reconcile(
        "diff", OCTOBER, NOVEMBER, "--state", place / "state"
    ) or "医" in reconcile("diff", OCTOBER, NOVEMBER, "--state", place / "state")


def test_who_receives_without_being_due_waits_for_the_list_that_said_so(tmp_path: Path) -> None:
    """That nothing is due is certain without the list of those who receive it; that nothing is received is not."""
    number = plain.number("19800512", 1)
    inbox = plain.write(
        tmp_path,
        [plain.holder("次仁", number, state="冻结")],
        hr_social_security__pension=[
            {"name": "次仁", "id": number, "kind": "居民", "state": "正常缴费", "aid": "是"}
        ],
    )
    out = tmp_path / "out"
    for on, there, state in (
        (OCTOBER, True, "open"),
        (NOVEMBER, False, "open"),
        (date(2026, 12, 20), True, "closed"),
    ):
        if not there:
            (inbox / "hr_social_security/pension").rename(tmp_path / "withheld")
        elif on != OCTOBER:  # it comes again, and he is no more in it
            plain.write_list(
                inbox / "hr_social_security/pension/名单_20261130.csv", "hr_social_security/pension", []
            )
        nights.night(inbox, out, as_of=on)
        case = by_person(pl.read_parquet(out / "results/cases.parquet"), "pension_premium_aid")[number]
        assert (case["state"], case["last_seen"]) == (state, OCTOBER), on
