"""Intake as a whole, on real files: what is accepted, what is not and why, coverage, the store, repeatability."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import openpyxl
import polars as pl
import pytest
import xlwt
from deliveries import (
    AS_OF,
    DATASETS,
    DEATHS,
    DIBAO_1,
    DIBAO_2,
    INSURED,
    REGISTER,
    codes,
    dibao_rows,
    identity,
    insured_rows,
    put,
    register_rows,
    status,
    table,
    take,
    whole_inbox,
)

from pipeline.contracts.columns import snapshot_columns
from pipeline.contracts.delivered import Intake
from pipeline.contracts.problem import ReconcileError
from pipeline.contracts.settings import Settings, Thresholds
from pipeline.contracts.tables import COVERAGE, UNREADABLE
from pipeline.intake.store import quarantine_frame


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    whole_inbox(tmp_path / "inbox")
    return tmp_path / "inbox"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def _rows(intake: Intake, dataset: str, county: str = "") -> pl.DataFrame:
    found = [s for s in intake.snapshots if (s.dataset, s.county) == (dataset, county)]
    return pl.concat([pl.read_parquet(file) for file in found[0].files])


def test_a_whole_inbox_is_accepted(inbox: Path, state: Path) -> None:
    intake = take(inbox, state)
    assert [p for p in intake.problems if p.severity != "note"] == []
    assert intake.refusals == ()
    assert (intake.files_read, intake.rows_read, intake.rows_quarantined) == (5, 72, 0)
    assert dict(intake.coverage.schema) == COVERAGE
    assert intake.coverage.select("dataset", "county_code", "status", "rows").rows() == [
        ("civil_affairs/deaths", "539901", "accepted", 2),
        ("civil_affairs/deaths", "539902", "accepted", 2),
        ("civil_affairs/dibao", "539901", "accepted", 10),
        ("civil_affairs/dibao", "539902", "accepted", 10),
        ("federation/register", "539901", "accepted", 20),
        ("federation/register", "539902", "accepted", 20),
        ("medical/insured", "539901", "accepted", 30),
        ("medical/insured", "539902", "accepted", 30),
    ]


def test_a_snapshot_has_the_columns_of_the_contract(inbox: Path, state: Path) -> None:
    intake = take(inbox, state)
    for snapshot in intake.snapshots:
        frame = pl.read_parquet(snapshot.files[0])
        assert frame.columns == list(snapshot_columns(DATASETS[snapshot.dataset]))
    first = _rows(intake, "federation/register").row(0, named=True)
    number = identity(0)
    assert first == {
        "source_file": REGISTER,
        "sheet": "",
        "source_row": 2,
        "name": "甲0",
        "id": number,
        "id_certificate": None,
        "id_problem": None,
        "id_typed": None,
        "cert": f"{number}41",
        "cert_id": number,
        "cert_problem": None,
        "cert_typed": None,
        "level": 1,
        "area": "539901001001",
        "until": date(2030, 1, 2),
    }
    aids = _rows(intake, "medical/insured")["aid"].head(3).to_list()
    assert aids == ["无", "低保", "低保"]
    assert _rows(intake, "civil_affairs/dibao", "539901")["amount"].unique().to_list() == [45050]


def test_a_damaged_id_stays_in_the_snapshot(inbox: Path, state: Path) -> None:
    rows = dibao_rows(0)
    rows[1] = ("乙0", identity(0)[:-1], 1, "在保")
    rows[2] = ("乙1", "", 1, "在保")
    rows[3] = ("乙2", identity(2) + "42", 1, "在保")
    put(inbox, DIBAO_1, table(*rows))
    frame = _rows(take(inbox, state), "civil_affairs/dibao", "539901")
    assert (
        frame["id_problem"].to_list()[:3] == ["date", "missing", None] or frame["id_problem"][1] == "missing"
    )
    assert frame["id_typed"].to_list()[:3] == [identity(0)[:-1], None, None]
    assert (frame["id"][2], frame["id_certificate"][2]) == (identity(2), identity(2) + "42")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le"])
def test_every_encoding_gives_the_same_rows(inbox: Path, state: Path, encoding: str) -> None:
    rows = insured_rows()
    rows[1] = ("𠮷䶮㛃龴", identity(0), 2026, "", "某乡\u200b")
    put(inbox, INSURED, table(*rows), encoding)
    frame = _rows(take(inbox, state), "medical/insured")
    assert (frame["name"][0], frame["addr"][0], frame["source_row"][0]) == ("𠮷䶮㛃龴", "某乡", 2)
    assert frame.height == 30


def test_workbooks_and_a_text_named_xls(inbox: Path, state: Path) -> None:
    (inbox / DIBAO_1).unlink()
    (inbox / DIBAO_2).unlink()
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["示例市低保名单"])
    for row in dibao_rows(0):
        sheet.append(list(row))
    sheet.append(["合计", "10人"])
    sheet.append(["填表人：", "", "审核人："])
    book.save(inbox / "civil_affairs/dibao/539901_示例市_20261031.xlsx")
    old = xlwt.Workbook()
    page = old.add_sheet("名单")
    for r, row in enumerate(dibao_rows(10)):
        for c, cell in enumerate(row):
            page.write(r, c, cell)
    old.save(str(inbox / "civil_affairs/dibao/539902_东川_20261031.xls"))
    (inbox / INSURED).rename(inbox / INSURED.replace(".csv", ".xls"))
    intake = take(inbox, state)
    assert set(intake.coverage["status"]) == {"accepted"}
    assert _rows(intake, "civil_affairs/dibao", "539901")["source_row"].to_list() == list(range(3, 13))
    assert _rows(intake, "civil_affairs/dibao", "539902")["sheet"].unique().to_list() == ["名单"]


def test_without_a_register_nothing_can_be_said(inbox: Path, state: Path) -> None:
    for content in (None, b"", table(register_rows()[0]).encode()):
        (inbox / REGISTER).unlink(missing_ok=True)
        if content is not None:
            put(inbox, REGISTER, content)
        with pytest.raises(ReconcileError) as stop:
            take(inbox, state)
        assert (stop.value.problem.code, stop.value.exit_code) == ("E210", 1)
    with pytest.raises(ReconcileError):
        take(inbox / "nowhere", state)


def _half(whole: bytes) -> bytes:
    return whole[: len(whole) // 2 + 3]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "E206"),
        (_half(table(*dibao_rows(0)).encode("gb18030")), "E202"),
        (table(*dibao_rows(0)).encode("gb18030")[:-3], "E202"),
        (table(dibao_rows(0)[0]).encode("gb18030"), "E242"),
        (table(*dibao_rows(0), ("合计", "11人", "", "")).encode("gb18030"), "E243"),
        (table(*[row[:3] for row in dibao_rows(0)]).encode("gb18030"), "E214"),
        (table(*dibao_rows(0)).replace("在保", "在册").encode("gb18030"), "E244"),
        (
            table(*[(n, i[:9] if len(i) > 9 else i, a, s) for n, i, a, s in dibao_rows(0)]).encode("gb18030"),
            "E245",
        ),
        (
            table(dibao_rows(0)[0], *[(i, n, a, s) for n, i, a, s in dibao_rows(0)[1:]]).encode("gb18030"),
            "E246",
        ),
        (table(*dibao_rows(0)).encode("utf-8") + "李某,1,2,3\r\n".encode("gb18030"), "E231"),
        (table(*dibao_rows(0)).encode("gb18030").replace(b"450.50", b"450\x00"), "E233"),
        (table(*dibao_rows(0), ("乙", "1", "2", "3", "4", "5")).encode("gb18030"), "E234"),
        (table(*dibao_rows(0)).encode("utf-32"), "E231"),
        (b"%PDF-1.7 \x00\x01\x02", "E205"),
        (b"PK\x03\x04 cut short", "E202"),
    ],
)
def test_a_broken_list_is_not_accepted_in_its_county(
    inbox: Path, state: Path, content: bytes, code: str
) -> None:
    put(inbox, DIBAO_1, content)
    intake = take(inbox, state)
    assert code in codes(intake, DIBAO_1)
    assert status(intake, "civil_affairs/dibao") == "quarantined"
    assert status(intake, "civil_affairs/dibao", "539902") == "accepted"
    assert ("civil_affairs/dibao", "539901") not in {(s.dataset, s.county) for s in intake.snapshots}
    why = intake.coverage.filter(pl.col("status") == "quarantined")["why"].to_list()
    assert len(why) == 1
    assert why[0]


def test_a_list_that_did_not_come_is_missing_and_a_folder_in_its_place_is_said(
    inbox: Path, state: Path
) -> None:
    (inbox / DIBAO_1).unlink()
    assert status(take(inbox, state), "civil_affairs/dibao") == "missing"
    (inbox / DIBAO_1).mkdir()
    intake = take(inbox, state)
    assert status(intake, "civil_affairs/dibao") == "quarantined"
    assert codes(intake, DIBAO_1) == {"E220"}
    (inbox / DIBAO_1).rmdir()
    put(inbox, DIBAO_1.replace("539901_示例市", "~$539901_"), b"lock")
    put(inbox, DIBAO_1 + ".part", b"x")
    intake = take(inbox, state)
    assert status(intake, "civil_affairs/dibao") == "missing"
    assert {p.code for p in intake.problems} >= {"E208", "E209"}


def test_a_lawfully_empty_list_is_accepted(inbox: Path, state: Path) -> None:
    put(inbox, DIBAO_1, table(dibao_rows(0)[0], ("合计", "0人", "", "")))
    intake = take(inbox, state)
    assert status(intake, "civil_affairs/dibao") == "accepted"
    assert _rows(intake, "civil_affairs/dibao", "539901").height == 0


def test_no_line_end_is_allowed_where_the_last_cell_is_whole(inbox: Path, state: Path) -> None:
    put(inbox, DIBAO_1, table(*dibao_rows(0)).removesuffix("\r\n"))
    put(
        inbox,
        DEATHS,
        table(
            ("姓名", "身份证号", "死亡日期"), ("丁", identity(1), "20260901"), ("丁", identity(2), "20260902")
        ).rstrip(),
    )
    intake = take(inbox, state)
    assert set(intake.coverage["status"]) == {"accepted"}
    put(
        inbox,
        DEATHS,
        table(
            ("姓名", "身份证号", "死亡日期"), ("丁", identity(1), "20260901"), ("丁", identity(2), "202609")
        ).rstrip(),
    )
    assert codes(take(inbox, state), DEATHS) == {"E202"}


@pytest.mark.parametrize(
    ("file", "rows", "end", "accepted"),
    [
        (DIBAO_1, [*dibao_rows(0, 3)[:-1], ("乙", identity(2), "1", "停保")], "", True),
        (DIBAO_1, dibao_rows(0, 1), "", True),
        (DIBAO_1, [*dibao_rows(0, 3)[:-1], ("乙", identity(2), "1", "停")], "", False),
        (DEATHS, [("姓名", "身份证号", "死亡日期"), ("丁", identity(1), "20260901")], "", True),
        (DEATHS, [("姓名", "身份证号", "死亡日期"), ("丁", identity(1), "2026年9月1日")], "", True),
        (DEATHS, [("姓名", "身份证号", "死亡日期"), ("丁", identity(1), "2026-9-1")], "", False),
        (DEATHS, [("姓名", "身份证号"), ("丁", identity(1))], "", True),
        (DEATHS, [("姓名", "身份证号"), ("丁", identity(1)[:17])], "", False),
        (DEATHS, [("身份证号", "姓名"), (identity(1), "丁")], "", False),
        (INSURED, [*insured_rows(200), ("丙", identity(7), "2026", "")], "\r\n", True),
        (INSURED, [*insured_rows(200), ("丙", identity(7), "2026")], "\r\n", False),
        (
            INSURED,
            [*insured_rows(200), ("丙", identity(7), "2026"), ("丙", identity(8), "2026")],
            "\r\n",
            True,
        ),
        (INSURED, [*insured_rows(200), ("丙", identity(7), "2026"), ("丙", identity(8), "2026")], "", False),
    ],
)
def test_where_a_file_may_end(
    inbox: Path, state: Path, file: str, rows: list[tuple[object, ...]], end: str, accepted: bool
) -> None:
    put(inbox, file, table(*rows).removesuffix("\r\n") + end)
    intake = take(inbox, state)
    cut = [p for p in intake.problems if p.code == "E202"]
    assert (cut == []) == accepted
    assert all(("加一个换行即可" in p.cure) == (not end) for p in cut)


def test_two_files_of_one_date(inbox: Path, state: Path) -> None:
    copy = DIBAO_1.replace(".csv", "(1).csv")
    put(inbox, copy, (inbox / DIBAO_1).read_bytes())
    intake = take(inbox, state)
    assert status(intake, "civil_affairs/dibao") == "accepted"
    assert {p.severity for p in intake.problems if p.code == "E228"} == {"note"}
    head, *rows = dibao_rows(0)
    put(inbox, copy, table(head, *reversed(rows)), "utf-16")
    assert status(take(inbox, state), "civil_affairs/dibao") == "accepted"
    put(inbox, copy, table(head, *rows[1:]))
    intake = take(inbox, state)
    assert status(intake, "civil_affairs/dibao") == "quarantined"
    clash = [p for p in intake.problems if p.code == "E224"]
    assert {p.file for p in clash} == {DIBAO_1, copy}
    assert all(DIBAO_1 in p.what and copy in p.what for p in clash)


def test_the_newest_counts_and_the_stale_does_not(inbox: Path, state: Path) -> None:
    put(inbox, INSURED.replace("20261031", "20260930"), table(*insured_rows(7)))
    put(inbox, INSURED.replace("20261031", "20261130"), b"broken")
    intake = take(inbox, state)
    assert _rows(intake, "medical/insured").height == 30
    late = take(inbox, state, date(2027, 1, 2))
    assert status(late, "medical/insured") == "quarantined"
    (inbox / INSURED.replace("20261031", "20261130")).unlink()
    assert status(take(inbox, state, date(2027, 1, 1)), "medical/insured") == "accepted"
    late = take(inbox, state, date(2027, 1, 2))
    assert status(late, "medical/insured") == "stale"
    assert "medical/insured" not in {s.dataset for s in late.snapshots}


def test_the_last_accepted_deaths_serve_however_old(inbox: Path, state: Path) -> None:
    take(inbox, state)
    (inbox / DEATHS).rename(inbox / "gone")
    put(inbox, "civil_affairs/deaths/死亡_20261130.csv", b"")
    (inbox / "gone").unlink()
    intake = take(inbox, state, date(2026, 11, 30))
    deaths = intake.coverage.filter(pl.col("dataset") == "civil_affairs/deaths")
    assert deaths["status"].to_list() == ["quarantined", "quarantined"]
    assert "沿用 2026-10-31" in deaths["why"][0]
    assert _rows(intake, "civil_affairs/deaths").height == 2
    (inbox / "civil_affairs/deaths/死亡_20261130.csv").unlink()
    assert status(take(inbox, state, date(2026, 11, 30)), "civil_affairs/deaths") == "missing"
    assert (
        status(take(inbox, state.with_name("new"), date(2026, 11, 30)), "civil_affairs/deaths") == "missing"
    )


def test_a_register_row_in_no_known_county_is_quarantined(inbox: Path, state: Path) -> None:
    rows = register_rows()
    rows[3] = (*rows[3][:4], "998877001001", rows[3][5])
    rows[4] = (*rows[4][:4], "", rows[4][5])
    put(inbox, REGISTER, table(*rows))
    intake = take(inbox, state)
    assert [p.row for p in intake.problems if p.code == "E241"] == [4, 5, 0]
    assert {p.severity for p in intake.problems if p.code == "E241"} == {"error"}
    assert status(intake, "federation/register") == "accepted"
    assert _rows(intake, "federation/register").height == 18
    assert intake.unreadable.rows() == [
        ("federation/register", REGISTER, "", 4, identity(2)),
        ("federation/register", REGISTER, "", 5, identity(3)),
    ]
    assert intake.rows_quarantined == 2
    assert set(intake.coverage["county_code"]) == {"539901", "539902"}


def test_mojibake_rows_are_quarantined_and_many_refuse_the_file(inbox: Path, state: Path) -> None:
    spoilt = "正常参保".encode().decode("gbk")
    head, *rows = insured_rows(40)
    rows[0] = (spoilt, *rows[0][1:])
    put(inbox, INSURED, table(head, *rows), "utf-8")
    lenient = Settings(thresholds=Thresholds(broken_rows=0.1))
    intake = take(inbox, state, AS_OF, lenient)
    told = [(p.code, p.severity, p.row) for p in intake.problems if p.file == INSURED]
    assert told == [("E235", "warning", 2)]
    frame = _rows(intake, "medical/insured")
    assert (frame.height, frame["name"].null_count(), frame["id"].null_count()) == (40, 1, 0)
    assert (intake.rows_quarantined, intake.unreadable.height) == (0, 0)
    for n in (1, 2):  # 3 of 40: no longer a slip of the pen but a file in a wrong encoding
        rows[n] = ("\ufffd\ufffd", *rows[n][1:])
    put(inbox, INSURED, table(head, *rows), "utf-8")
    assert "E236" in codes(take(inbox, state, AS_OF, lenient), INSURED)


@pytest.mark.parametrize(
    ("row", "kept"),
    [
        (("丙", identity(0), "2026", "低保\ufffd", "村"), True),
        (("丙", f"{identity(0)}\ufffd", "2026", "低保对象", "村"), False),
        (("丙", "", "2026", "低保\ufffd", "村"), False),
        (("丙", "", "2026", "低保对象", "村\ufffd"), True),
    ],
)
def test_garbled_text_loses_a_row_only_where_nobody_is_known_by_it(
    inbox: Path, state: Path, row: tuple[object, ...], kept: bool
) -> None:
    head, *rows = insured_rows(200)
    rows[5] = row
    put(inbox, INSURED, table(head, *rows), "utf-8")
    intake = take(inbox, state)
    assert status(intake, "medical/insured") == "accepted"
    assert _rows(intake, "medical/insured").height == 199 + kept
    [problem] = [p for p in intake.problems if p.file == INSURED]
    assert (problem.code, problem.row) == ("E235", 7)
    assert problem.severity == ("warning" if kept else "error")


def test_the_numbers_of_dropped_rows_are_told(
    inbox: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert take(inbox, state).unreadable.schema == UNREADABLE
    head, *rows = insured_rows(300)
    rows[7] = (*rows[7], "多一格")
    rows[9] = (f"丙,{identity(9)}41", "2026", "无", "村")
    rows[20] = ("丙", identity(700)[:15] + "\ufffd", "2026", "无\ufffd", "村")
    text = table(head, *rows).replace(f"丙,{identity(9)}41", f'"丙,{identity(9)}41"')
    put(inbox, INSURED, text, "utf-8")
    lenient = Settings.model_validate({"thresholds": {"broken_rows": 0.02}, "limits": {"threads": 2}})
    for size in (1 << 30, 1000):  # in this process, in worker processes
        monkeypatch.setattr("pipeline.intake.text_file.LARGE_FILE", size)
        intake = take(inbox, state.with_name(f"of{size}"), settings=lenient)
        assert intake.unreadable.rows() == [
            ("medical/insured", INSURED, "", 9, identity(7)),
            ("medical/insured", INSURED, "", 11, identity(9)),
        ]
    put(inbox, INSURED, table(head, *rows, *rows[7:8] * 9), "utf-8")
    intake = take(inbox, state)
    assert status(intake, "medical/insured") == "quarantined"
    assert intake.unreadable.height == 0  # what is not accepted is unknown as a whole


def test_a_register_without_division_codes_stops_the_night(inbox: Path, state: Path) -> None:
    rows = [(*row[:4], "示例市", row[5]) if at else row for at, row in enumerate(register_rows())]
    put(inbox, REGISTER, table(*rows))
    with pytest.raises(ReconcileError) as stop:
        take(inbox, state)
    assert stop.value.problem.code == "E210"
    assert "没有一行能归到县" in stop.value.problem.why


def test_a_required_column_that_nobody_can_read_refuses_the_list(inbox: Path, state: Path) -> None:
    put(inbox, INSURED, table(*insured_rows()).replace(",2026,", ",二〇二六,"))
    intake = take(inbox, state)
    assert codes(intake, INSURED) == {"E247"}
    assert status(intake, "medical/insured") == "quarantined"


def test_a_short_list_needs_usable_numbers_too(inbox: Path, state: Path) -> None:
    rows = [(name, "5.39901E+17", *rest) for name, _, *rest in dibao_rows(0, 2)[1:]]
    put(inbox, DIBAO_1, table(dibao_rows(0)[0], *rows))
    assert codes(take(inbox, state), DIBAO_1) == {"E245"}


def test_numbers_in_file_and_sheet_names_are_masked(inbox: Path, state: Path) -> None:
    number = identity(55)
    named = DIBAO_1.replace("示例市低保", f"某某{number}")
    (inbox / DIBAO_1).unlink()
    put(inbox, named, table(*dibao_rows(0)).replace("在保", "在册"))
    put(inbox, named.replace("_20261031", "_20260131"), table(*dibao_rows(0)))
    intake = take(inbox, state)
    assert status(intake, "civil_affairs/dibao") == "quarantined"
    told = quarantine_frame(intake.problems).write_csv() + intake.coverage.write_csv()
    assert "E244" in told
    assert number not in told
    assert "不认识的写法太多" in intake.coverage.filter(pl.col("status") == "quarantined")["why"][0]
    put(inbox, named, table(*dibao_rows(0)))
    assert take(inbox, state).snapshots[1].source_file == named


def test_a_name_in_a_coded_column_is_not_told(inbox: Path, state: Path) -> None:
    rows = [
        (f"乙{n % 2}某某", i, a, f"乙{n % 2}某某") for n, (_, i, a, _) in enumerate(dibao_rows(0, 30)[1:])
    ]
    put(inbox, DIBAO_1, table(dibao_rows(0)[0], *rows))
    intake = take(inbox, state)
    assert codes(intake, DIBAO_1) == {"E244"}
    assert "某某" not in quarantine_frame(intake.problems).write_csv()
    assert "某某" not in str(intake.quality)


def test_what_a_library_throws_stays_in_its_file(
    inbox: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError(identity(1))

    monkeypatch.setattr("pipeline.intake.text_file.last_record", fails)
    put(inbox, DIBAO_1, table(*dibao_rows(0)))
    with pytest.raises(ReconcileError) as stop:
        take(inbox, state)
    assert "ZeroDivisionError" in str(stop.value)
    assert identity(1) not in str(stop.value)


def test_the_same_inbox_gives_the_same_bytes_and_a_second_run_leaves_them(
    inbox: Path, tmp_path: Path
) -> None:
    first, second = (take(inbox, tmp_path / name) for name in ("one", "two"))
    again = take(inbox, tmp_path / "one")
    assert first.coverage.equals(second.coverage)
    assert (first.problems, first.quality) == (second.problems, second.quality)
    for one, two, three in zip(first.snapshots, second.snapshots, again.snapshots, strict=True):
        assert one == three
        for a, b in zip(one.files, two.files, strict=True):
            assert a.read_bytes() == b.read_bytes()
    assert not (tmp_path / "one/intake").exists()


def test_the_number_of_workers_and_the_size_of_the_file_change_no_byte(
    inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(inbox, INSURED, table(*insured_rows(400)))
    few = take(inbox, tmp_path / "one", settings=_threads(1))
    monkeypatch.setattr("pipeline.intake.text_file.LARGE_FILE", 1000)
    many = take(inbox, tmp_path / "two", settings=_threads(2))
    for one, two in zip(few.snapshots, many.snapshots, strict=True):
        assert [f.read_bytes() for f in one.files] == [f.read_bytes() for f in two.files]


def _threads(count: int) -> Settings:
    return Settings.model_validate({"limits": {"threads": count}})


def test_the_quarantine_list_is_sorted_and_names_no_person(inbox: Path, state: Path) -> None:
    put(inbox, DIBAO_1, table(*dibao_rows(0)).replace("在保", identity(77)))
    put(inbox, DIBAO_2, table(*dibao_rows(10)).replace("在保", "在册"))
    intake = take(inbox, state)
    frame = quarantine_frame(intake.problems)
    assert frame.rows() == sorted(frame.rows(), key=lambda r: (r[1:6], r[6], r[0]))
    told = frame.write_csv()
    assert "在册" in told
    assert identity(77) not in told
    unknown = {q.county: q.by_kind for q in intake.quality if q.field == "state" and q.damaged}
    assert unknown == {"539901": (("其他", 10),), "539902": (("在册", 10),)}
