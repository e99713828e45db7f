"""Where the cells lie that a department is to repair: rows as the department's own spreadsheet counts them, and a bounded number."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from deliveries import DIBAO_1, REGISTER, dibao_rows, put, register_rows, table, take, whole_inbox

from pipeline.contracts.delivered import BLANK, KEPT_PLACES, UNREAD, FieldQuality, Intake
from pipeline.contracts.settings import Settings
from pipeline.intake.text_table import blocks

Row = tuple[object, ...]


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    whole_inbox(tmp_path / "inbox")
    return tmp_path / "inbox"


def of(intake: Intake, file: str, field: str) -> FieldQuality:
    (found,) = [q for q in intake.quality if (q.source_file, q.field) == (file, field)]
    return found


def changed(rows: list[Row], at: dict[int, dict[int, object]]) -> list[Row]:
    """The rows with cells replaced: by sheet row (the header is 1), by column."""
    return [
        tuple(at.get(row, {}).get(column, cell) for column, cell in enumerate(cells))
        for row, cells in enumerate(rows, start=1)
    ]


def wrong(number: object) -> str:
    """The number with another check digit."""
    text = str(number)
    return text[:-1] + ("1" if text[-1] != "1" else "2")


def test_every_reason_has_its_rows(inbox: Path, tmp_path: Path) -> None:
    rows = dibao_rows(0, 30)
    damage: dict[int, dict[int, object]] = {
        3: {1: wrong(rows[2][1])},
        7: {1: wrong(rows[6][1]), 2: "面议"},
        9: {1: "", 3: "在册"},
        12: {1: "530***********1234"},
        13: {2: ""},  # not required
    }
    put(inbox, DIBAO_1, table(*changed(rows, damage)))
    intake = take(inbox, tmp_path / "state")
    number = of(intake, DIBAO_1, "id")
    assert dict(number.places) == {
        "checksum": (("", 3), ("", 7)),
        BLANK: (("", 9),),
        "masked": (("", 12),),
    }
    assert (number.blank, dict(number.by_kind)) == (1, {"checksum": 2, "masked": 1})
    assert of(intake, DIBAO_1, "amount").places == ((UNREAD, (("", 7),)),)
    assert of(intake, DIBAO_1, "state").places == ((UNREAD, (("", 9),)),)
    assert of(intake, DIBAO_1, "name").places == ()


def test_a_row_of_a_workbook_is_counted_as_the_sheet_shows_it(inbox: Path, tmp_path: Path) -> None:
    """A title above the header, an empty row between, two sheets."""
    (inbox / DIBAO_1).unlink()
    book = openpyxl.Workbook()
    for first, name in ((0, "城关镇"), (20, "下坡乡")):
        sheet = book.create_sheet(name)
        head, *people = dibao_rows(first)
        sheet.append(["示例市低保名单"])
        sheet.append(list(head))
        sheet.append([])
        for cells in changed(people, {2: {1: wrong(people[1][1])}}):
            sheet.append(list(cells))
    del book["Sheet"]
    file = "civil_affairs/dibao/539901_示例市_20261031.xlsx"
    book.save(inbox / file)
    told = of(take(inbox, tmp_path / "state"), file, "id")
    ((reason, places),) = told.places
    assert (reason, places) == ("checksum", (("城关镇", 5), ("下坡乡", 5)))
    read = openpyxl.load_workbook(inbox / file)
    for sheet, row in places:
        assert read[sheet].cell(row, 2).value == wrong(dibao_rows(0 if sheet == "城关镇" else 20)[2][1])


def test_the_first_ones_are_kept_whatever_the_blocks_and_workers(
    inbox: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = register_rows(3 * KEPT_PLACES)
    bad = range(30, 130 + KEPT_PLACES)
    damage: dict[int, dict[int, object]] = {row: {5: "不详"} for row in bad}
    put(inbox, REGISTER, table(*changed(rows, damage)))
    few = take(inbox, tmp_path / "one", settings=Settings.model_validate({"limits": {"threads": 1}}))
    told = of(few, REGISTER, "until")
    assert told.damaged == len(bad)
    assert told.places == ((UNREAD, tuple(("", row) for row in bad[:KEPT_PLACES])),)
    monkeypatch.setattr("pipeline.intake.text_file.LARGE_FILE", 1000)
    monkeypatch.setattr("pipeline.intake.text_file.blocks", lambda plan: blocks(plan, 1 << 18))
    many = take(inbox, tmp_path / "two", settings=Settings.model_validate({"limits": {"threads": 2}}))
    assert many.quality == few.quality
