"""A register person of whom no number can be read stays on the register and stops nothing."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from pipeline.contracts.columns import snapshot_columns
from pipeline.contracts.dataset import load_datasets
from pipeline.matching import load_people, open_lists

REGISTER = load_datasets(Path(__file__).parents[2] / "schemas")["federation/register"]


@pytest.mark.parametrize("stated", [None, date(1960, 2, 29)])
def test_a_person_without_any_number_is_kept_and_not_matchable(stated: date | None) -> None:
    con = duckdb.connect()
    columns = ", ".join(f'"{name}" {kind}' for name, kind in snapshot_columns(REGISTER).items())
    con.execute(f"create table list_federation__register ({columns})").fetchall()
    con.execute(
        "insert into list_federation__register (source_file, sheet, source_row, area, cert_typed, dob)"
        " values ('f', '', 2, '539901', '无', ?)",
        [stated],
    ).fetchall()
    open_lists(con, {}, ())
    load_people(con, REGISTER, lambda code: code)
    assert con.execute("select id_number, birth_date, county_code from people").fetchall() == [
        (None, stated, "539901")
    ]
    assert con.execute("select * from matchable").fetchall() == []
