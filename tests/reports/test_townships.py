"""The split by township: every row once, in its own township's file, nothing of it in a file's name."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import openpyxl
import report_nights as nights

from pipeline.contracts.settings import Settings
from pipeline.reports.county import write_county_reports
from pipeline.reports.rows import COLUMNS

ASKED = Settings.model_validate({"counties": {"539901": {"by_township": True}}})
PLACES = ("云岭乡下坡村", "升平镇中村", "=HYPERLINK(1)乡下村", "../../etc乡下村", "A/B:C*乡下村", "")


def rows_of(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    book = openpyxl.load_workbook(path)
    return {sheet.title: list(sheet.iter_rows(min_row=2, values_only=True)) for sheet in book}


def listed(folder: Path) -> list[dict[str, str]]:
    raw = (folder / "townships.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


def a_night(settings: Settings = ASKED) -> Any:
    people = [nights.person(n, address=f"示例州示例市{PLACES[n % len(PLACES)]}") for n in range(30)]
    kinds = ("missing", "verify", "renew_first")
    outcomes = [nights.outcome(p, "nursing_subsidy", kinds[n % 3]) for n, p in enumerate(people)]
    outcomes += [nights.outcome(p, "accessibility_renovation", "missing") for p in people[:9]]
    return nights.night(people, outcomes, settings=settings)


def test_every_row_of_the_county_is_in_its_own_township_s_file(tmp_path: Path) -> None:
    write_county_reports(a_night(), tmp_path)
    county = rows_of(tmp_path / "reports/539901/discrepancies.xlsx")
    folder = tmp_path / "reports/539901/townships"
    split: dict[str, list[tuple[Any, ...]]] = {}
    for entry in listed(folder):
        book = rows_of(folder / entry["文件"])
        tables = {
            name: rows for name, rows in book.items() if name in ("疑点清单", "项目类（排队）", "待核实")
        }
        assert sum(map(len, tables.values())) == int(entry["条数"])
        for name, rows in tables.items():
            assert {row[COLUMNS.index("乡镇")].lstrip("'") for row in rows} == {entry["乡镇"].lstrip("'")}
            split.setdefault(name, []).extend(row[1:] for row in rows)
    for name, found in split.items():
        assert sorted(map(str, found)) == sorted(str(row[1:]) for row in county[name])
    assert set(split) == {"疑点清单", "项目类（排队）", "待核实"}
    assert len(listed(folder)) == len(PLACES)
    assert listed(folder)[-1]["乡镇"] == "未注明"


def test_a_file_s_name_is_a_number_whatever_the_address_says(tmp_path: Path) -> None:
    write_county_reports(a_night(), tmp_path)
    names = sorted(path.name for path in (tmp_path / "reports/539901/townships").iterdir())
    assert names == [f"{n:02d}.xlsx" for n in range(1, len(PLACES) + 1)] + ["townships.csv"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["reports"]


def test_the_guide_is_the_township_s_own(tmp_path: Path) -> None:
    write_county_reports(a_night(), tmp_path)
    folder = tmp_path / "reports/539901/townships"
    entry = next(entry for entry in listed(folder) if entry["乡镇"] == "云岭乡")
    guide = openpyxl.load_workbook(folder / entry["文件"])["填写说明"]
    assert guide["A1"].value == "示例市　云岭乡　残疾人惠民政策疑点清单（2026年10月）"
    assert guide["A2"].value == "这是什么"
    assert "县（市、区）残联" in guide["B4"].value


def test_files_of_an_earlier_night_go_and_nobody_else_s(tmp_path: Path) -> None:
    write_county_reports(a_night(), tmp_path)
    folder = tmp_path / "reports/539901/townships"
    (folder / "99.xlsx").write_text("old")
    (folder / "note.txt").write_text("a clerk's own")
    write_county_reports(a_night(), tmp_path)
    assert not (folder / "99.xlsx").exists()
    write_county_reports(a_night(Settings()), tmp_path)
    assert [path.name for path in folder.iterdir()] == ["note.txt"]
    (folder / "note.txt").unlink()
    write_county_reports(a_night(Settings()), tmp_path)
    assert not folder.exists()


def test_only_where_the_settings_ask_for_it(tmp_path: Path) -> None:
    written = write_county_reports(a_night(), tmp_path)
    assert {path.parent.parent.name for path in written if path.parent.name == "townships"} == {"539901"}
    assert not (tmp_path / "reports/539924/townships").exists()


def test_the_same_night_gives_the_same_bytes(tmp_path: Path) -> None:
    once, again = (write_county_reports(a_night(), tmp_path / run) for run in "12")
    assert [path.read_bytes() for path in once] == [path.read_bytes() for path in again]
