"""A file whose ID columns became numbers: in a workbook 15 digits and zeros, in text 5.39901E+17."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl
import pytest
from python_calamine import CalamineWorkbook

from pipeline.sample import Trouble, make_sample
from pipeline.sample.lists import EXPORTS
from pipeline.sample.troubled import as_numbers

SCHOOL = "education/enrolment"
BY_KEY = {export.key: export for export in EXPORTS}


def cells(path: Path, headers: tuple[str, ...]) -> list[object]:
    """The cells of one column, by physical row from 1."""
    if path.suffix in (".xlsx", ".xls"):
        rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python(skip_empty_area=False)
    else:
        raw = path.read_bytes()
        text = raw.decode("utf-16") if raw[:2] == b"\xff\xfe" else None
        if text is None:
            try:
                text = raw.decode("utf-8-sig")
            except UnicodeDecodeError:
                text = raw.decode("gb18030")
        rows = list(csv.reader(text.splitlines()))
    place = next(place for row in rows[:5] for place, cell in enumerate(row) if cell in headers)
    return [None, *(row[place] if place < len(row) else None for row in rows)]


@pytest.mark.parametrize(("county", "damage"), [("539901", "sci"), ("539923", "sci_text")])
def test_a_file_of_numbers_has_numbers_in_every_id_column(tmp_path: Path, county: str, damage: str) -> None:
    """Seed 5 delivers the schools of 539901 as a workbook and those of 539923 as CSV."""
    trouble = Trouble(numeric={SCHOOL: county})
    make_sample(1200, tmp_path / "inbox", seed=5, truth=tmp_path / "truth", trouble=trouble, dirt=0.0)
    rows = pl.read_csv(tmp_path / "truth" / "rows.csv", infer_schema=False)
    ids = pl.read_csv(tmp_path / "truth" / "people.csv", infer_schema=False).select("person", "id_number")
    rows = rows.filter(pl.col("dataset") == SCHOOL).join(ids, on="person")
    here = rows.filter(pl.col("source_file").str.contains(f"/{county}_"))
    with_x = pl.col("id_number").str.ends_with("X")
    assert here.filter(~with_x)["damage"].unique().to_list() == [damage]
    assert here.filter(with_x)["damage"].null_count() == here.filter(with_x).height
    assert rows.filter(~pl.col("source_file").str.contains(f"/{county}_"))["damage"].is_null().all()
    file = tmp_path / "inbox" / here["source_file"][0]
    columns = {c.key: c.headers for c in BY_KEY[SCHOOL].columns}
    own, guardians = cells(file, columns["id"]), cells(file, columns["gid"])
    for row, number in here.select("source_row", "id_number").iter_rows():
        cell = own[int(row)]
        if number.endswith("X"):
            assert cell == number
        elif damage == "sci":
            assert isinstance(cell, float)
            assert f"{cell:.14e}".replace(".", "")[:15] == number[:15]  # 15 digits, as the spreadsheet shows
        else:
            assert cell == f"{number[0]}.{number[1:6]}E+17"
    lost = [cell for cell in guardians if str(cell)[:1] == "5" and not str(cell).endswith("X")]
    assert len(lost) > 10
    assert all(isinstance(cell, float) if damage == "sci" else "E+17" in str(cell) for cell in lost)


def test_only_eighteen_digits_become_a_number() -> None:
    numbers = pl.Series(["539901198503171234", "53990119850317123X", "无", None, "539901850317123"])
    here = pl.Series([True] * 5)
    assert as_numbers(numbers, here, False).to_list() == [
        "539901198503171000",
        *numbers.to_list()[1:],
    ]
    assert as_numbers(numbers, here, True)[0] == "5.39901E+17"
    assert as_numbers(numbers, ~here, True).to_list() == numbers.to_list()
