"""What becomes of the numbers and birth dates of a list when trouble is asked for (`trouble.py`)."""

from __future__ import annotations

import polars as pl

from pipeline.sample.dice import Rolls
from pipeline.sample.lists import Export
from pipeline.sample.trouble import Trouble
from pipeline.sample.world import World

# Lists in which a child may stand under the head's number; the first two have a birth-date column.
_OF_CHILDREN = frozenset(
    {
        "medical_insurance/insured",
        "education/enrolment",
        "medical_insurance/expenses",
        "civil_affairs/dibao",
        "rural_revitalization/monitored",
        "health/family_doctor",
    }
)
_WITH_BIRTH = frozenset(
    {"medical_insurance/insured", "education/enrolment", "hr_social_security/pension", "federation/register"}
)
_REGISTER_DAMAGE = {"typo": 0.4, "swap": 0.2, "missing": 0.15, "cut": 0.1, "sci_text": 0.1, "sci": 0.05}
_STAY = ("missing", "guardian", "old15")  # in a column of numbers: nothing, another's number, an exact number


def troubled_kinds(world: World, export: Export, frame: pl.DataFrame, kinds: pl.Series) -> pl.Series:
    """The damage of each row's number when the trouble asked for is added to the usual damage."""
    trouble, roll = world.trouble, world.rolls(frame, "_key")
    if trouble == Trouble():
        return kinds
    rows = pl.DataFrame(
        {
            "kind": kinds,
            "number": frame[export.damaged],
            "county": frame["_county"],
            "stands_under_head": _under_head(world, export, frame),
            "wrong_birth": wrong_births(world, export.key, frame),
            "u": roll.uniform(f"masked {export.key}"),
        }
    )
    kind = pl.col("kind")
    if export.key == "federation/register":
        broken = roll.chance("register id", trouble.register_ids)
        rows = rows.with_columns(
            kind=roll.weighted("register damage", _REGISTER_DAMAGE).zip_with(broken, kinds)
        )
        # A number that ends in X is never taken for a number.
        no_number = kind.is_in(["sci", "sci_text"]) & pl.col("number").str.ends_with("X")
        rows = rows.with_columns(kind=pl.when(no_number).then(pl.lit("typo")).otherwise(kind))
    rows = rows.with_columns(
        kind=pl.when("wrong_birth")
        .then(pl.lit("birth_date"))
        .when("stands_under_head")
        .then(pl.lit("guardian"))
        .otherwise(kind)
    )
    others = kind.is_null() | ~kind.is_in(["missing", "guardian", "birth_date"])
    hidden = others & (pl.col("u") < trouble.masked.get(export.key, 0.0))
    rows = rows.with_columns(kind=pl.when(hidden).then(pl.lit("masked")).otherwise(kind))
    number = numeric_rows(world, export.key, frame) & ~frame[export.damaged].str.ends_with("X")
    numeric = pl.lit(number) & (kind.is_null() | ~kind.is_in(list(_STAY)))
    return rows.select(pl.when(numeric).then(pl.lit("sci")).otherwise(kind).alias("damage")).to_series()


def _under_head(world: World, export: Export, frame: pl.DataFrame) -> pl.Series:
    """Children who stand under the head's number, the same children in all six lists."""
    if export.key not in _OF_CHILDREN:
        return pl.repeat(False, frame.height, eager=True)
    asked = Rolls(world.seed, frame["_person"]).chance("under the head's number", world.trouble.guardians)
    own = frame.select(pl.col("_child") & (pl.col("_head_id") != pl.col(export.damaged))).to_series()
    return asked & own.fill_null(False)


def wrong_births(world: World, dataset: str, frame: pl.DataFrame) -> pl.Series:
    """Rows whose birth-date column is wrong."""
    trouble = world.trouble
    share = trouble.register_births if dataset == "federation/register" else trouble.births
    return world.rolls(frame, "_key").chance(
        f"wrong birth {dataset}", share if dataset in _WITH_BIRTH else 0.0
    )


def with_wrong_births(world: World, dataset: str, frame: pl.DataFrame) -> pl.DataFrame:
    """`dob` with a year, month or day mistyped, or day and month exchanged, where it is wrong; always a day of the
    calendar and never the true one."""
    wrong = wrong_births(world, dataset, frame)
    if not wrong.any():
        return frame
    way = pl.lit(world.rolls(frame, "_key").below("wrong way", 5))
    dob = pl.col("dob").cast(pl.Date)
    day, month = dob.dt.day(), dob.dt.month()
    # A day after the 12th cannot be a month: the day is mistyped instead.
    other_way = pl.date(dob.dt.year(), pl.min_horizontal(day, pl.lit(12)), month)
    exchanged = pl.when((day <= 12) & (day != month)).then(other_way)
    slipped = pl.when(day > 1).then(dob - pl.duration(days=1)).otherwise(dob + pl.duration(days=1))
    changed = (
        pl.when(way == 0)
        .then(exchanged.otherwise(slipped))
        .when(way == 1)
        .then(dob.dt.offset_by("-1y"))
        .when(way == 2)
        .then(dob.dt.offset_by("-10y"))
        .when(way == 3)
        .then(dob.dt.offset_by("-1mo"))
        .otherwise(slipped)
    )
    return frame.with_columns(dob=pl.when(pl.lit(wrong)).then(changed).otherwise(dob))


def numeric_rows(world: World, dataset: str, frame: pl.DataFrame) -> pl.Series:
    """Rows of a file whose ID columns are numbers."""
    counties = [code for code in world.county_codes if world.trouble.is_numeric(dataset, code)]
    return frame["_county"].is_in(counties)


def masked(number: str, way: int) -> str:
    """The three usual ways: the birth date hidden, all but four and four, month and day of birth hidden."""
    shown = (6, 4, 10)[way % 3]
    return f"{number[:shown]}{'*' * (len(number) - shown - 4)}{number[-4:]}"


def as_numbers(cells: pl.Series, rows: pl.Series, scientific: bool) -> pl.Series:
    """Eighteen-digit cells of these rows as a spreadsheet leaves them: 15 digits and 000, or 5.33423E+17."""
    cell = pl.col("cell")
    left = cell.str.head(1) + "." + cell.str.slice(1, 5) + "E+17" if scientific else cell.str.head(15) + "000"
    digits = cell.str.contains("^[0-9]{18}$") & pl.col("here")
    frame = pl.DataFrame({"cell": cells.cast(pl.String), "here": rows})
    return frame.select(pl.when(digits).then(left).otherwise(cell).alias(cells.name)).to_series()
