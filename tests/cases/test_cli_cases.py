"""The commands about cases: what they print and write, and whom they name."""

from __future__ import annotations

import dataclasses
import json
import stat
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import made_nights
import openpyxl
import polars as pl
import pytest
from made_nights import Made
from typer.testing import CliRunner, Result

from pipeline import access_log
from pipeline.cases import Event, open_ledger, read_book, record_night
from pipeline.cases.case_number import make
from pipeline.cases.people import Somebody
from pipeline.cases.tonight import Flag, Tonight
from pipeline.cli_cases import cases_app, diff_app
from pipeline.contracts.problem import ReconcileError
from pipeline.contracts.tables import CASES, FINDINGS, OUTCOMES

RULES = Path(__file__).resolve().parents[2] / "rules"
OCTOBER, NOVEMBER = date(2026, 10, 31), date(2026, 11, 30)
A, B = made_nights.COUNTIES
LIVING, NURSING = made_nights.BENEFITS
ONE, TWO, OUTSIDER = "539901196503170011", "539902197001010022", "539901199001010044"
PEOPLE = [
    Made(ONE, f"{ONE}41", "=卓玛", A, said={LIVING: "missing", NURSING: "missing"}),
    Made(TWO, f"{TWO}42", "次仁旺堆", B, said={LIVING: "missing"}),
]
ADDRESSES = {1: "香格里拉市建塘镇红旗村3号", 2: None}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cases_app, [*map(str, arguments), "--rules", str(RULES)])


def code_of(done: Result) -> str:
    assert isinstance(done.exception, ReconcileError), done.output
    return done.exception.problem.code


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Two nights: in October three cases and one off the register; sent; one answered; in November one settled."""
    state = tmp_path / "state"
    first = made_nights.tonight(OCTOBER, PEOPLE)
    outside = {-1: Somebody(-1, "", OUTSIDER, "扎西", A)}
    first = with_outsider(first, outside)
    with open_ledger(state) as ledger:
        book = record_night(ledger, first).book
        due = {"due_on": "2026-11-14"}
        sent = [Event(OCTOBER, "sent", number, due) for number in sorted(book.cases)]
        with ledger.transaction():
            ledger.append(sent)
        numbers = by_subject(state)
        answer = Event(
            date(2026, 11, 10),
            "answered",
            numbers[A, NURSING],
            {
                "result": "不属实",
                "reason": "服刑",
                "measure": None,
                "note": "=看守所来函",
                "checked_by": "和某",
            },
        )
        later = [PEOPLE[0], dataclasses.replace(PEOPLE[1], said={LIVING: "receiving"})]
        record_night(ledger, with_outsider(made_nights.tonight(NOVEMBER, later), outside), [answer])
    keep(state)
    return state


def with_outsider(tonight: Tonight, outside: Mapping[int, Somebody]) -> Tonight:
    return dataclasses.replace(
        tonight,
        people={**tonight.people, **outside},
        flags={**tonight.flags, (-1, "certificate_not_issued"): Flag("found", "")},
        subjects=tonight.subjects | {"certificate_not_issued"},
    )


def by_subject(state: Path) -> dict[tuple[str, str], str]:
    with open_ledger(state) as ledger:
        return {(c.county, c.subject): n for n, c in read_book(ledger.events()).cases.items()}


def keep(state: Path, **left_out: bool) -> None:
    """The kept night as far as people are concerned."""
    folder = state / "night"
    folder.mkdir(exist_ok=True)
    rows = [
        (n, one.certificate_number, one.id_number, one.name, one.county, True, ADDRESSES[n], one.birth_date)
        for n, one in enumerate(PEOPLE, start=1)
    ]
    names = (
        "person",
        "certificate_number",
        "id_number",
        "name",
        "county_code",
        "matchable",
        "address",
        "birth_date",
    )
    people = pl.DataFrame(rows, schema=names, orient="row")
    people.select(name for name in names if name not in left_out).write_parquet(folder / "people.parquet")
    pl.DataFrame({"person": [1, 2]}).write_parquet(folder / "facts.parquet")
    (folder / "night.json").write_text(json.dumps({"format": 1, "as_of": str(NOVEMBER), "facts": {}}))


def results(state: Path, folder: Path) -> Path:
    """The tables of the November night."""
    folder.mkdir()
    numbers = by_subject(state)
    outside = dict.fromkeys(CASES) | {
        "case_number": numbers[A, "certificate_not_issued"], "id_number": OUTSIDER, "county_code": A,
    }  # fmt: skip
    pl.DataFrame([outside], schema=CASES).write_parquet(folder / "cases.parquet")
    one = (f"{ONE}41", ONE, "=卓玛", A, LIVING, "missing", "entitlement", f"名册中未见{ONE}在领。", "1")
    pl.DataFrame([one], schema=OUTCOMES, orient="row").write_parquet(folder / "outcomes.parquet")
    two = (None, OUTSIDER, "扎西", A, "certificate_not_issued", "已评定。")
    pl.DataFrame([two], schema=FINDINGS, orient="row").write_parquet(folder / "findings.parquet")
    return folder


def test_list_shows_every_case_masked(state: Path) -> None:
    done = run("list", "--state", state)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0] == "2026-11-30　4 件"
    assert len(lines) == 2 + 4
    assert not any(secret in done.stdout for secret in (ONE, TWO, OUTSIDER, "卓玛", "旺堆"))
    mine = next(line for line in lines if by_subject(state)[A, LIVING] in line)
    assert "困难残疾人生活补贴" in mine
    assert "539901********0011" in mine
    assert "已下发，超期未反馈" in mine
    assert "2026-11-14" in mine
    assert " 30 " in mine
    assert access_log.read(state)[-1].command == "cases list"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--county", B), {(B, LIVING)}),
        (("--status", "settled"), {(B, LIVING)}),
        (("--status", "answered"), {(A, NURSING)}),
        (("--overdue",), {(A, LIVING), (A, "certificate_not_issued")}),
        (("--county", A, "--status", "sent"), {(A, LIVING), (A, "certificate_not_issued")}),
        (("--county", B, "--overdue"), set()),
    ],
)
def test_list_by_county_state_and_overdue(
    state: Path, options: tuple[str, ...], expected: set[tuple[str, str]]
) -> None:
    done = run("list", "--state", state, *options)
    assert done.exit_code == 0
    assert {place for place, number in by_subject(state).items() if number in done.stdout} == expected
    assert ("没有这样的疑点" in done.stdout) is (not expected)


def test_show_tells_the_life_of_a_case_however_its_number_is_typed(state: Path) -> None:
    number = by_subject(state)[A, NURSING]
    done = run("show", number.lower().replace("-", " "), "--state", state)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[0].startswith(number)
    assert "已反馈：不属实，情况不变则不再下发；未结 30 天" in done.stdout
    events = done.stdout.splitlines()[4:]
    assert [line.split("　")[0] for line in events] == ["2026-10-31", "2026-10-31", "2026-11-10"]
    assert "发现：应享未享" in events[0]
    assert "下发，反馈截止 2026-11-14" in events[1]
    assert "反馈：不属实；服刑；=看守所来函；核查人：和某" in events[2]
    assert ONE not in done.stdout
    settled = run("show", by_subject(state)[B, LIVING], "--state", state).stdout
    assert "2026-11-30　落实：名册显示已享受" in settled
    assert "未结" not in settled


def test_show_refuses_a_slip_of_the_pen_and_an_unknown_number(state: Path) -> None:
    number = by_subject(state)[A, LIVING]
    slip = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert code_of(run("show", slip, "--state", state)) == "E745"
    assert code_of(run("show", make("XGLL", date(2020, 1, 31), 1), "--state", state)) == "E746"


def test_export_is_a_county_s_book_to_file_and_print(state: Path, tmp_path: Path) -> None:
    out = tmp_path / "book.xlsx"
    done = run(
        "export", "--state", state, "--results", results(state, tmp_path / "r"), "--county", A, "--out", out
    )
    assert done.exit_code == 0, done.output
    assert "3 件" in done.stdout
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["book.xlsx", "r", "state"]
    sheet = openpyxl.load_workbook(out)["工作台账"]
    head, *rows = sheet.iter_rows(values_only=True)
    told = {
        row["事项"]: row for row in (dict(zip(head, map(lambda c: c or "", r), strict=True)) for r in rows)
    }
    assert len(told) == 3
    living = told["困难残疾人生活补贴"]
    assert (living["乡镇"], living["村(社区)"], living["姓名"]) == ("建塘镇", "红旗村", "'=卓玛")
    assert living["身份证号"] == "539901********0011"
    assert living["疑点描述"] == "名册中未见539901********0011在领。"
    assert (living["首次发现"], living["下发次数"], living["最近下发"]) == ("2026-10-31", "1", "2026-10-31")
    assert (living["状态"], living["未结天数"]) == ("已下发，超期未反馈", "30")
    nursing = told["重度残疾人护理补贴"]
    assert (nursing["核查结果"], nursing["情况说明"], nursing["反馈日期"]) == ("不属实", "服刑", "2026-11-10")
    outside = told["已评定残疾等级但未办残疾人证"]
    assert (outside["姓名"], outside["乡镇"], outside["身份证号"]) == ("扎西", "未注明", "539901********0044")
    assert [r[head.index("乡镇")] for r in rows] == ["建塘镇", "建塘镇", "未注明"]
    assert (sheet.page_setup.paperSize, sheet.page_setup.orientation) == (9, "landscape")
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert sheet.freeze_panes == "E2"
    assert sheet.auto_filter.ref == "A1:W4"
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value} == {"s"}
    text = str([row for page in openpyxl.load_workbook(out) for row in page.values])
    assert not any(secret in text for secret in (ONE, TWO, OUTSIDER, "次仁旺堆"))


def test_export_never_overwrites_and_says_what_is_missing(state: Path, tmp_path: Path) -> None:
    tables = results(state, tmp_path / "r")
    out = tmp_path / "book.xlsx"
    out.write_text("mine")
    asked = ("export", "--state", state, "--county", A)
    assert code_of(run(*asked, "--results", tables, "--out", out)) == "E748"
    assert out.read_text() == "mine"
    assert code_of(run(*asked, "--results", tables, "--out", tmp_path / "none/book.xlsx")) == "E748"
    assert code_of(run(*asked, "--results", tmp_path, "--out", tmp_path / "b.xlsx")) == "E747"
    other = run(
        "export", "--state", state, "--county", "539999", "--results", tables, "--out", tmp_path / "b.xlsx"
    )
    assert code_of(other) == "E744"
    assert not (tmp_path / "b.xlsx").exists()


def test_a_night_kept_without_addresses_is_enough(state: Path, tmp_path: Path) -> None:
    keep(state, address=True, birth_date=True)
    out = tmp_path / "book.xlsx"
    done = run(
        "export", "--state", state, "--results", results(state, tmp_path / "r"), "--county", A, "--out", out
    )
    assert done.exit_code == 0, done.output
    rows = list(openpyxl.load_workbook(out)["工作台账"].values)[1:]
    assert {row[1] for row in rows} == {"未注明"}
    assert "'=卓玛" in {row[3] for row in rows}


def test_wrong_folders_states_and_dates(state: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert code_of(run("list", "--state", empty)) == "E715"
    assert list(empty.iterdir()) == []
    assert code_of(run("list", "--state", state, "--status", "lost")) == "E743"
    assert code_of(run("list", "--state", state, "--county", "539999")) == "E744"
    bad = CliRunner().invoke(diff_app, ["2026-10-31", "gestern", "--state", str(state)])
    assert (bad.exit_code, "E749" in bad.stderr) == (1, True)
    none = CliRunner().invoke(diff_app, ["2026-10-31", "2026-11-30", "--state", str(state)])
    assert code_of(none) == "E740"


@pytest.mark.parametrize("command", ["list", "show", "export"])
def test_every_command_shows_two_examples(command: str) -> None:
    help_text = CliRunner().invoke(cases_app, [command, "--help"]).stdout
    assert help_text.count(f"reconcile cases {command}") >= 2
