"""Which rows of a snapshot are settled, and that matching finds nothing open among them."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from pipeline.contracts.columns import snapshot_columns
from pipeline.contracts.dataset import load_datasets
from pipeline.contracts.own_number import settled
from pipeline.intake.store import write_part
from pipeline.matching.open_rows import denied_by_itself_sql
from pipeline.matching.row_features import number_sql

DATASETS = load_datasets(Path(__file__).parents[2] / "schemas")
HIS, OTHER, CUT = "110101196503174017", "110101198001012011", "110101196503170000"
TYPES = {
    "VARCHAR": pl.String,
    "DATE": pl.Date,
    "BIGINT": pl.Int64,
    "DOUBLE": pl.Float64,
    "BOOLEAN": pl.Boolean,
}


def rows(key: str, *said: dict[str, Any]) -> pl.DataFrame:
    types = {name: TYPES[kind] for name, kind in snapshot_columns(DATASETS[key]).items()}
    place = {"source_file": "f.csv", "sheet": ""}
    whole = [dict.fromkeys(types) | place | {"source_row": at} | one for at, one in enumerate(said, 2)]
    return pl.DataFrame(whole, schema=types)


@pytest.mark.parametrize(
    ("key", "said", "expected"),
    [
        ("medical_insurance/insured", {"id": HIS}, True),
        ("medical_insurance/insured", {"id": HIS, "dob": date(1965, 3, 17)}, True),
        ("medical_insurance/insured", {"id": HIS, "dob": date(1965, 3, 18)}, False),
        ("medical_insurance/insured", {"id": None, "id_typed": HIS[:15]}, False),
        ("medical_insurance/insured", {"id": CUT}, False),
        ("federation/register", {"id": HIS, "cert": f"{HIS}41", "cert_id": HIS}, True),
        ("federation/register", {"id": HIS}, True),
        ("federation/register", {"id": HIS, "cert": f"{OTHER}41", "cert_id": OTHER}, False),
        ("federation/register", {"id": HIS, "cert": "1101011965031740174", "cert_id": None}, False),
    ],
)
def test_a_row_is_settled_by_its_own_number_alone(key: str, said: dict[str, Any], expected: bool) -> None:
    assert rows(key, said).select(settled(DATASETS[key])).to_series().to_list() == [expected]


def test_the_heads_number_on_a_member_settles_nothing() -> None:
    key = next(k for k, d in DATASETS.items() if d.person.id and d.household and d.household.relation)
    dataset, house = DATASETS[key], DATASETS[key].household
    assert house
    assert house.head_id
    assert house.relation
    assert dataset.person.id
    own, head, relation = dataset.person.id, house.head_id, house.relation
    frame = rows(
        key,
        {own: HIS, head: HIS, relation: "户主"},
        {own: HIS, head: HIS, relation: "子女"},
        {own: HIS, head: HIS, relation: None},
        {own: HIS, head: OTHER, relation: "子女"},
    )
    assert frame.select(settled(dataset)).to_series().to_list() == [True, False, False, True]


@pytest.mark.parametrize("key", DATASETS)
def test_no_settled_row_is_one_that_matching_would_look_behind(key: str) -> None:
    """The promise of the files against the conditions of `open_rows.open_rows_sql`, over every mixture of values."""
    dataset = DATASETS[key]
    columns = snapshot_columns(dataset)
    some: list[dict[str, Any]] = [{}]
    choices: dict[str, list[Any]] = {}
    for name in columns:
        base = name.removesuffix("_id")
        if (name in dataset.fields and dataset.fields[name].type == "id") or f"{base}_problem" in columns:
            choices[name] = [None, HIS, OTHER, CUT]
    roles, house = dataset.person, dataset.household
    if roles.birth_date:
        choices[roles.birth_date] = [None, date(1965, 3, 17), date(2001, 2, 3)]
    if house and house.relation:
        choices[house.relation] = [None, "户主", "子女"]
    for name, values in choices.items():
        some = [one | {name: value} for one in some for value in values][:4096]
    frame = rows(key, *some)
    kept = frame.filter(settled(dataset))
    assert 0 < kept.height < frame.height
    con = duckdb.connect()
    con.register("l", kept.to_arrow())
    number, denied = number_sql(dataset), denied_by_itself_sql(dataset)
    found = con.execute(
        f"select count(*) from l where {number} is null or substr({number}, 16, 3) = '000'"
        + (f" or {denied}" if denied else "")
    ).fetchall()
    assert found == [(0,)]


def test_a_part_is_written_as_settled_and_open_rows_and_an_empty_one_as_open(tmp_path: Path) -> None:
    key = "medical_insurance/insured"
    frame = rows(key, {"id": HIS}, {"id": None}, {"id": OTHER})
    files = write_part(frame, DATASETS[key], tmp_path, 3)
    assert [file.name for file in files] == ["settled-00003.parquet", "open-00003.parquet"]
    assert pl.concat([pl.read_parquet(file) for file in files]).sort("source_row").equals(frame)
    assert [f.name for f in write_part(frame.head(1), DATASETS[key], tmp_path, 4)] == [
        "settled-00004.parquet"
    ]
    assert [f.name for f in write_part(frame.clear(), DATASETS[key], tmp_path, 5)] == ["open-00005.parquet"]
