"""What the nights did to the cases, as counts from the ledger's events."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import made_nights
import polars as pl
from made_nights import Made

from pipeline.cases import Event, Ledger, open_ledger, read_book, record_night
from pipeline.cases.flow import FLOW, case_flow

OCTOBER, NOVEMBER, DECEMBER, JANUARY = (
    date(2026, 10, 31),
    date(2026, 11, 30),
    date(2026, 12, 31),
    date(2027, 1, 31),
)
LIVING = "living_subsidy"


def people(**said: str) -> list[Made]:
    """Three people: two of the first county, one of the second; `said` of the living subsidy, in order a, b, c."""
    numbers = ("539901196503170011", "539901197001010022", "539902198001010033")
    return [
        Made(
            number,
            f"{number}41",
            f"示例{n}",
            county=number[:6],
            said={LIVING: said[n]} if said.get(n) else {},
        )
        for n, number in zip("abc", numbers, strict=True)
    ]


def counted(ledger: Ledger) -> dict[tuple[date, str], dict[str, int]]:
    flow = case_flow(ledger.events())
    assert dict(flow.schema) == {name: kind() for name, kind in FLOW.items()}
    assert flow["subject"].unique().to_list() in ([], [LIVING])
    return {
        (row["night"], row["county_code"]): {name: row[name] for name in list(FLOW)[3:] if row[name]}
        for row in flow.iter_rows(named=True)
    }


def test_found_settled_closed_and_come_back(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        record_night(ledger, made_nights.tonight(OCTOBER, people(a="missing", b="missing", c="missing")))
        record_night(ledger, made_nights.tonight(NOVEMBER, people(a="receiving", b="missing")))
        record_night(ledger, made_nights.tonight(DECEMBER, people(a="missing", b="missing")))
        assert counted(ledger) == {
            (OCTOBER, "539901"): {"new": 2, "open": 2},
            (OCTOBER, "539902"): {"new": 1, "open": 1},
            (NOVEMBER, "539901"): {"settled": 1, "open": -1},
            (NOVEMBER, "539902"): {"closed": 1, "open": -1},
            (DECEMBER, "539901"): {"reopened": 1, "open": 1},
        }


def test_the_same_night_again_adds_what_came_late_and_nothing_else(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        record_night(ledger, made_nights.tonight(OCTOBER, people(a="missing")))
        record_night(ledger, made_nights.tonight(OCTOBER, people(a="missing")))
        assert counted(ledger) == {(OCTOBER, "539901"): {"new": 1, "open": 1}}
        record_night(ledger, made_nights.tonight(OCTOBER, people(a="missing", b="missing")))
        assert counted(ledger) == {(OCTOBER, "539901"): {"new": 2, "open": 2}}


def test_a_county_s_reason_lays_a_case_to_rest_and_other_facts_bring_it_back(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        record_night(ledger, made_nights.tonight(OCTOBER, people(a="missing")))
        (number,) = read_book(ledger.events()).cases
        none = Event(NOVEMBER, "answered", number, {"result": "不属实", "reason": "服刑"})
        record_night(ledger, made_nights.tonight(NOVEMBER, people(a="missing")), [none])
        other = people(a="missing")
        other[0].facts = "b"
        record_night(ledger, made_nights.tonight(DECEMBER, other))
        assert counted(ledger) == {
            (OCTOBER, "539901"): {"new": 1, "open": 1},
            (NOVEMBER, "539901"): {"open": -1},
            (DECEMBER, "539901"): {"again": 1, "open": 1},
        }


def test_a_move_takes_the_open_case_along(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        record_night(ledger, made_nights.tonight(OCTOBER, people(a="missing")))
        moved = people(a="missing")
        moved[0].county = "539902"
        record_night(ledger, made_nights.tonight(NOVEMBER, moved))
        assert counted(ledger) == {
            (OCTOBER, "539901"): {"new": 1, "open": 1},
            (NOVEMBER, "539901"): {"open": -1},
            (NOVEMBER, "539902"): {"open": 1},
        }


def test_the_running_sum_is_what_is_open_in_the_book(tmp_path: Path) -> None:
    told = [
        ("missing", "missing", "missing"),
        ("receiving", "missing", ""),
        ("missing", "", "undetermined"),
        ("", "missing", "missing"),
    ]
    with open_ledger(tmp_path) as ledger:
        for on, said in zip((OCTOBER, NOVEMBER, DECEMBER, JANUARY), told, strict=True):
            record_night(ledger, made_nights.tonight(on, people(**dict(zip("abc", said, strict=True)))))
            book = read_book(ledger.events())
            standing = case_flow(ledger.events()).group_by("county_code").agg(pl.col("open").sum())
            for county, count in standing.iter_rows():
                mine = [c for c in book.cases.values() if c.county == county]
                assert count == sum(c.state not in ("settled", "closed") for c in mine)


def test_an_empty_ledger_has_an_empty_flow(tmp_path: Path) -> None:
    with open_ledger(tmp_path) as ledger:
        assert case_flow(ledger.events()).height == 0
