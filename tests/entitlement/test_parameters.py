"""A parameter's value: the longest region prefix that has a value at the date, the latest date that is not after it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts.problem import ReconcileError
from pipeline.contracts.rule import Parameter, RegionValues, load_rule
from pipeline.entitlement.parameters import build_parameters, column_of, literal, sql_type, value_at

P = Parameter(
    unit="元/月",
    values={date(2016, 1, 1): "50", date(2020, 1, 1): "60"},
    regions={
        "53": RegionValues(values={date(2019, 1, 1): "70", date(2026, 1, 1): "100"}),
        "5334": RegionValues(values={date(2026, 7, 1): "120"}),
        "533423": RegionValues(values={date(2026, 10, 1): "130"}),
    },
)


@pytest.mark.parametrize(
    ("region", "day", "value"),
    [
        ("110101", date(2015, 12, 31), None),
        ("110101", date(2016, 1, 1), "50"),
        ("110101", date(2019, 12, 31), "50"),
        ("110101", date(2026, 10, 31), "60"),
        ("533423", date(2018, 12, 31), "50"),  # the province has none yet: the country's holds
        ("533423", date(2019, 1, 1), "70"),
        ("533423", date(2026, 6, 30), "100"),
        ("533423", date(2026, 9, 30), "120"),
        ("533423", date(2026, 10, 31), "130"),
        ("533401", date(2026, 10, 31), "120"),
        ("530102", date(2026, 10, 31), "100"),
        ("53", date(2026, 10, 31), "100"),
        ("533", date(2026, 10, 31), "100"),
        ("533423102", date(2026, 10, 31), "130"),
    ],
)
def test_the_longest_prefix_with_a_value_wins(region: str, day: date, value: str | None) -> None:
    assert value_at(P, region, day) == value


@given(
    st.dictionaries(st.dates(date(2010, 1, 1), date(2030, 12, 31)), st.integers(1, 999).map(str), max_size=5),
    st.dictionaries(
        st.sampled_from(["53", "5334", "533401", "36", "3611"]),
        st.dictionaries(
            st.dates(date(2010, 1, 1), date(2030, 12, 31)), st.integers(1, 999).map(str), max_size=3
        ),
        max_size=4,
    ),
    st.sampled_from(["533401", "533423", "361102", "110101"]),
    st.dates(date(2010, 1, 1), date(2030, 12, 31)),
)
@settings(derandomize=True, deadline=None)
def test_value_by_search_from_the_longest_prefix(
    values: dict[date, str], regions: dict[str, dict[date, str]], region: str, day: date
) -> None:
    parameter = Parameter(
        unit="元",
        values=values,
        regions={prefix: RegionValues(values=table) for prefix, table in regions.items()},
    )
    worked = None
    for table in (*(regions.get(region[:n], {}) for n in (6, 4, 2)), values):
        started = sorted(start for start in table if start <= day)
        if started:
            worked = table[started[-1]]
            break
    assert value_at(parameter, region, day) == worked


@pytest.mark.parametrize(
    ("value", "sql"),
    [
        (None, "null"),
        ("yes", "true"),
        ("是", "true"),
        ("no", "false"),
        ("否", "false"),
        ("0", "0"),
        ("12.5", "12.5"),
        ("-3", "-3"),
        ("1e5", "'1e5'"),
        ("５", "'５'"),
        ("o'clock'; drop table t", "'o''clock''; drop table t'"),
    ],
)
def test_values_as_sql(value: str | None, sql: str) -> None:
    assert literal(value) == sql


@pytest.mark.parametrize(
    ("values", "kind"),
    [(("1", "2.5"), "DOUBLE"), (("yes", "否"), "BOOLEAN"), (("1", "甲"), "VARCHAR"), (("甲",), "VARCHAR")],
)
def test_a_parameter_has_one_type_in_all_regions(values: tuple[str, ...], kind: str) -> None:
    national, *others = values
    parameter = Parameter(
        unit="",
        values={date(2020, 1, 1): national},
        regions={f"5{n}": RegionValues(values={date(2021, 1, 1): v}) for n, v in enumerate(others)},
    )
    assert sql_type(parameter) == kind


def test_the_table_has_a_row_a_county_and_a_column_a_parameter() -> None:
    rule = load_rule(Path(__file__).parents[2] / "rules" / "nursing_subsidy.yaml")
    con = duckdb.connect()
    build_parameters(con, {rule.code: rule}, ["533401", "361102", "513322", "533401"], date(2026, 10, 31))
    column = column_of(rule, "智力精神扩大到")
    rows = con.execute(f'select county_code, "{column}" from parameters order by 1').fetchall()
    assert rows == [("361102", 4.0), ("513322", 3.0), ("533401", 2.0)]
    assert len(con.execute("describe parameters").fetchall()) == 1 + len(rule.parameters)


def test_no_counties_is_an_empty_table() -> None:
    con = duckdb.connect()
    build_parameters(con, {}, [], date(2026, 10, 31))
    assert con.execute("select * from parameters").fetchall() == []


@pytest.mark.parametrize("prefix", ["0512", "10", "1", "533", "53342", "５３", "云南", "", "5334011", "00"])
def test_a_prefix_that_is_no_region_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="区划前缀"):
        Parameter(unit="元", values={}, regions={prefix: RegionValues(values={})})


def test_no_message_of_a_rule_file_is_in_english(tmp_path: Path) -> None:
    path = tmp_path / "rules" / "x.yaml"
    path.parent.mkdir()
    path.write_text(
        "benefit: x\ntitle: [甲]\nsince: 去年\nurgency: 十\nremark: 乙\nwho: 丙\n", encoding="utf-8"
    )
    with pytest.raises(ReconcileError) as caught:
        load_rule(path)
    problems = (caught.value.problem, *caught.value.others)
    assert len(problems) >= 6
    for problem in problems:
        assert problem.row >= 1
        assert problem.file == "rules/x.yaml"
        assert any("\u4e00" <= character <= "\u9fff" for character in problem.why)
        assert "nput" not in problem.why
