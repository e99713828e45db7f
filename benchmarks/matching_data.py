"""The data of `matching.py`: one list of any size and a register, as accepted Parquet, and who each row is really about.

Layout: `STATE/store/<dataset>/all/<YYYYMMDD>/` as the night's store has it, and
`STATE/truth.parquet` (source_row, certificate_number, damage) of the rows that are about register people.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
from bench import ROOT

from pipeline.contracts.dataset import load_datasets
from pipeline.identity.person_name import fold, pinyin_key
from pipeline.intake.fields import clean
from pipeline.intake.store import write_part
from pipeline.sample.accepted import normalised
from pipeline.sample.certificates import with_certificates
from pipeline.sample.entitled import with_answers
from pipeline.sample.id_numbers import with_check
from pipeline.sample.lists import EXPORTS, Export
from pipeline.sample.names import delivered_names
from pipeline.sample.people import chunks
from pipeline.sample.rows import rows_of
from pipeline.sample.status import with_status
from pipeline.sample.trouble import Trouble
from pipeline.sample.world import World

AS_OF = date(2026, 10, 31)
LIST, REGISTER = "medical_insurance/insured", "federation/register"
_INSURED = 0.9875  # rows a person in the sample's world
_HOUSEHOLDS = 60_000
_PART_ROWS = 500_000
_PREFECTURE = 1_000_000
_UNASSIGNED = [f"{code}" for code in range(5399, 5334, -1)]  # prefecture codes that nobody has
_EXPORTS = {export.key: export for export in EXPORTS}
# What happened to two numbers in a hundred; a child also may stand under the head's number.
_DIRT = {
    "typo": 0.008,
    "missing": 0.004,
    "swap": 0.0035,
    "cut": 0.0015,
    "masked": 0.001,
    "sci": 0.001,
    "sci_text": 0.001,
}
_GUARDIANS = 0.01  # of the children
_DIGITS = pl.col("id_typed").str.count_matches("[0-9]") >= 10
# What Splink compares; a damaged number stands as it was typed where it holds digits enough.
_COMPARED = ("name", "sex", "dob", pl.coalesce("id", pl.when(_DIGITS).then("id_typed")).alias("number"))
# Further names beside the usual ones; few transliterated ones, as in a province of this size.
_TROUBLE = Trouble(names=0.01, births=0.002, transliterated=0.08, register_ids=0.003)


def make_state(rows: int, people: int, state: Path, seed: int = 31) -> None:
    """A list of `rows` rows and a register of about `people` people, nearly all of whom are on the list.

    A province: prefectures of about a million people and four counties each, one after the other.
    """
    lists, register, truth = _Parts(state, LIST), _Parts(state, REGISTER), []
    prefectures = min(len(_UNASSIGNED), max(1, rows // _PREFECTURE))
    for number in range(prefectures):
        upto = rows * (number + 1) // prefectures
        own = upto - lists.rows
        everybody = max(people // prefectures, int(own / _INSURED * 1.01) + 1)
        world = World(everybody, seed + number, AS_OF, 1.0, people / prefectures / everybody, 4, _TROUBLE)
        for members in chunks(world, _HOUSEHOLDS):
            chunk = with_certificates(world, _moved(members, _UNASSIGNED[number]))
            truth.append(
                _add_chunk(world, with_answers(world, with_status(world, chunk)), lists, register, upto)
            )
            if lists.rows >= upto:
                break
    lists.close()
    register.close()
    pl.concat(truth).write_parquet(state / "truth.parquet")


def _add_chunk(world: World, chunk: pl.DataFrame, lists: _Parts, register: _Parts, upto: int) -> pl.DataFrame:
    """Writes the chunk's rows, the list to `upto` rows at most; gives the truth of those about register people."""
    insured = rows_of(world, _EXPORTS[LIST], chunk).head(upto - lists.rows)
    kinds = _kinds(world, insured)
    first = lists.add(_normal(world, _EXPORTS[LIST], insured, kinds))
    holders = rows_of(world, _EXPORTS[REGISTER], chunk)
    register.add(_normal(world, _EXPORTS[REGISTER], holders, _register_kinds(world, holders)))
    return insured.select(
        pl.int_range(first, first + insured.height).alias("source_row"),
        pl.col("_cert").alias("certificate_number"),
        damage=kinds,
    ).filter(pl.col("certificate_number").is_not_null())


def _moved(members: pl.DataFrame, prefix: str) -> pl.DataFrame:
    """The sample's people in another prefecture: its code in front of counties, divisions and IDs (check made anew)."""
    rest = {name: pl.col(name).str.slice(4) for name in ("county", "area", "id", "head_id")}
    moved = members.with_columns((prefix + code).alias(name) for name, code in rest.items())
    return moved.with_columns(
        with_check(moved[name].str.head(17).cast(pl.Int64)).alias(name) for name in ("id", "head_id")
    )


class _Parts:
    """One snapshot, written part by part."""

    def __init__(self, state: Path, dataset: str) -> None:
        self._folder = state / "store" / dataset / "all" / f"{AS_OF:%Y%m%d}"
        self._folder.mkdir(parents=True)
        self._dataset = load_datasets(ROOT / "schemas")[dataset]
        self._file = f"{dataset}/list_{AS_OF:%Y%m%d}.csv"
        self._waiting: list[pl.DataFrame] = []
        self._parts = 0
        self.rows = 0

    def add(self, columns: dict[str, pl.Series]) -> int:
        """Takes a chunk's rows; gives the physical row of the first."""
        frame = pl.DataFrame(columns)
        first = self.rows + 2  # below the header
        self.write(
            frame.select(
                pl.lit(self._file).alias("source_file"),
                pl.lit("").alias("sheet"),
                pl.int_range(first, first + frame.height).alias("source_row"),
                pl.all(),
            )
        )
        return first

    def write(self, frame: pl.DataFrame) -> None:
        self._waiting.append(frame)
        self.rows += frame.height
        if sum(part.height for part in self._waiting) >= _PART_ROWS:
            self.close()

    def close(self) -> None:
        """Writes what waits; the snapshot is whole then."""
        if self._waiting:
            write_part(pl.concat(self._waiting), self._dataset, self._folder, self._parts)
            self._parts += 1
            self._waiting = []


def _normal(world: World, export: Export, rows: pl.DataFrame, kinds: pl.Series) -> dict[str, pl.Series]:
    """The columns as intake leaves them, with names as delivered."""
    columns = normalised(world, export, rows, kinds)
    return columns | {"name": clean(delivered_names(world, export, rows, "name"))}


def _kinds(world: World, rows: pl.DataFrame) -> pl.Series:
    roll = world.rolls(rows, "_key")
    drawn = roll.weighted("bench damage", {**_DIRT, "": 1 - sum(_DIRT.values())})
    under = roll.chance("bench guardian", _GUARDIANS)
    frame = rows.select("_child", "_head_id", "id", drawn.alias("kind"), under.alias("under"))
    kind = pl.col("kind")
    no_number = kind.is_in(["sci", "sci_text"]) & pl.col("id").str.ends_with("X")
    head = pl.col("under") & pl.col("_child") & (pl.col("_head_id") != pl.col("id"))
    return frame.select(
        pl.when(head).then(pl.lit("guardian")).when((kind != "") & ~no_number).then(kind).alias("damage")
    ).to_series()


def _register_kinds(world: World, rows: pl.DataFrame) -> pl.Series:
    broken = world.rolls(rows, "_key").chance("bench register", _TROUBLE.register_ids)
    return pl.repeat(None, rows.height, dtype=pl.String, eager=True).zip_with(
        ~broken, pl.repeat("typo", rows.height, eager=True)
    )


def cut_state(state: Path, part: Path, rows: int) -> None:
    """The first `rows` rows of the list, the whole register, and their truth, as a state of its own."""
    register = state / "store" / REGISTER
    (part / "store" / REGISTER).parent.mkdir(parents=True)
    (part / "store" / REGISTER).symlink_to(register.resolve(), target_is_directory=True)
    cut = _snapshot(state, LIST).filter(pl.col("source_row") <= rows + 1).collect()
    own = _Parts(part, LIST)
    own.write(cut)
    own.close()
    truth = pl.read_parquet(state / "truth.parquet")
    truth.filter(pl.col("source_row") <= rows + 1).write_parquet(part / "truth.parquet")


def write_splink_input(part: Path) -> None:
    """Both sides with the columns that Splink compares, cleaned as this project cleans them."""
    rows = _snapshot(part, LIST).select(
        pl.col("source_row").cast(pl.String).alias("unique_id"), *_COMPARED, county=pl.col("area").str.head(6)
    )
    people = _snapshot(part, REGISTER).select(
        pl.col("cert").alias("unique_id"), *_COMPARED, county=pl.col("area").str.head(6)
    )
    for side, frame in (("rows", rows.collect()), ("people", people.collect())):
        named = frame.with_columns(name=fold(frame["name"]), pinyin=pinyin_key(frame["name"]))
        named.write_parquet(part / f"splink_{side}.parquet")


def _snapshot(state: Path, dataset: str) -> pl.LazyFrame:
    folder = state / "store" / dataset / "all" / f"{AS_OF:%Y%m%d}"
    return pl.scan_parquet(sorted(folder.glob("*.parquet")))
