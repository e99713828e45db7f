"""Blocking: which open rows are compared with which register people. A union of equality joins, one a kind of key.

Every key of a row and of a person is a 64-bit hash of its kind and its values (a collision only costs a comparison), so
that one hash join on it is the union of the equality joins of all kinds; DuckDB never sees an `or` or a distance. A
damaged number is joined by its sound neighbours, not compared by distance (GB 11643 has a check character).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import groupby

import duckdb
import polars as pl

from pipeline.identity import id_repair
from pipeline.identity.id_number import NUMERIC_CELL
from pipeline.identity.person_name import fold, sound_key
from pipeline.matching.former_names import former_names
from pipeline.matching.open_rows import LIST_ROWS
from pipeline.matching.people import run_sql

# In the order in which a pair's `keys` are told. name_place serves only rows that say no birth date.
KINDS = (
    "number",
    "id_repaired",
    "id_digits",
    "id_float",
    "id_masked",
    "certificate_digits",
    "name_birth",
    "sound_birth",
    "birth_sex_county",
    "head",
    "account",
    "phone",
    "name_place",
    "sound_place",
    "head_name",
)
# Kinds that say nothing of the name, as a bit mask: what only they bring is mostly a stranger of the same birthday.
NAMELESS = sum(
    1 << KINDS.index(kind)
    for kind in ("id_digits", "id_float", "id_masked", "certificate_digits", "birth_sex_county", "head_name")
)
NO_ROW_KEYS = pl.DataFrame(schema={"row": pl.Int64, "kind": pl.Int64, "key": pl.Int64})
LARGEST = 20_000  # pairs of one key value; a name that so many share proves nobody's identity
_ODD = 0x9E3779B97F4A7C15  # 2^64 divided by the golden ratio: spreads a hash over all bits (Knuth, TAOCP 6.4)
_SHAPES = 24  # ways of masking looked at in one list
_DIGITS = 14  # region and birth date: what survives most damage

PAIRS = f"""
select k.person, r."row", r.kind
from row_keys as r
join person_keys as k on k.key = r.key
left join large_keys as g on g.key = r.key and g.place = cast(floor(r."row" / {LIST_ROWS}) as bigint)
where g.key is null"""

_LARGE = f"""
create or replace table large_keys as
select r.place, r.key, r.kind, r.n * k.n as pairs
from (
  select cast(floor(c."row" / {LIST_ROWS}) as bigint) as place, c.key, min(c.kind) as kind, count(*) as n
  from row_keys as c group by cast(floor(c."row" / {LIST_ROWS}) as bigint), c.key
) as r
join (select key, count(*) as n from person_keys group by key) as k on k.key = r.key
where r.n * k.n > {LARGEST}"""


# Of millions of keys nearly none is shared: what is left follows the register, not the list.
_SHARED = """
create or replace table row_keys as
select distinct r."row", r.kind, r.key from all_row_keys as r where r.key in (select key from all_person_keys);
create or replace table person_keys as
select distinct p.person, p.key from all_person_keys as p where p.key in (select key from row_keys);
drop table all_row_keys;
drop table all_person_keys;
"""


@dataclass(frozen=True)
class Blocks:
    """Candidate pairs: `pairs` (row, person, keys as bit mask over KINDS) and keys too common to use."""

    pairs: pl.DataFrame
    left_out: pl.DataFrame  # place (of the list), kind, keys, pairs


def _key(kind: str, *columns: pl.Expr) -> pl.Expr:
    """The key of one kind; null where a value is. Of `kind` the word is hashed, not its place: both sides name it."""
    seed = int.from_bytes(blake2b(kind.encode(), digest_size=7).digest(), "big")
    parts = [column.hash(seed=seed + place) for place, column in enumerate(columns)]
    mixed = parts[0]
    for part in parts[1:]:
        mixed = (mixed ^ part) * pl.lit(_ODD, dtype=pl.UInt64)  # wraps around, as hashes may
    known = pl.all_horizontal(column.is_not_null() for column in columns)
    return pl.when(known).then(mixed.reinterpret(signed=True))


def as_float(number: pl.Expr) -> pl.Expr:
    """What a 64-bit float leaves of 18 digits: numbers that one float stands for are equal afterwards."""
    return number.cast(pl.Int64, strict=False).cast(pl.Float64).cast(pl.Int64, strict=False)


def _long(frame: pl.DataFrame, who: str, keys: dict[str, pl.Expr]) -> Iterator[pl.DataFrame]:
    for kind, key in keys.items():
        number = pl.lit(KINDS.index(kind), dtype=pl.Int64)
        yield frame.select(who, kind=number, key=key).drop_nulls()


def prepared_rows(rows: pl.DataFrame, successor: Callable[[str], str]) -> pl.DataFrame:
    """Open rows with what keys and comparisons are made of. A number that ends in 000 is taken for one cut by Excel.

    Adds r_folded, r_sound, r_former, r_county, r_body (damaged number as typed, the certificate's tail cut off), r_read
    (what it holds, `id_repair.read`), r_digits (its leading digits that can be believed), r_damage, r_float (what a numeric
    cell left), r_pattern (masked), r_typed_birth (the birth date in the digits), r_birth (the row's own birth date, else
    that in the digits), r_guardian_folded and r_head_folded.
    """
    cut = pl.col("r_number").str.ends_with("000")
    rows = rows.with_columns(
        r_typed=pl.when(cut).then("r_number").otherwise("r_typed"), r_number=pl.when(~cut).then("r_number")
    )
    folded = fold(rows["r_name"])
    certificate = pl.col("r_typed_certificate")
    numeric = pl.col("r_problem") == "numeric_cell"
    body = pl.coalesce(
        pl.when(numeric).then(pl.lit(NUMERIC_CELL) + pl.col("r_typed")).otherwise("r_typed"),
        pl.when(certificate.str.len_chars() >= 19).then(certificate.str.slice(0, 18)).otherwise(certificate),
    )
    frame = rows.with_columns(
        body.alias("r_body"),
        pl.when(numeric).then(as_float(pl.col("r_typed"))).alias("r_float"),
        folded.alias("r_folded"),
        sound_key(folded).alias("r_sound"),
        former_names(rows["r_name"]).alias("r_former"),
        fold(rows["r_guardian_name"]).alias("r_guardian_folded"),
        fold(rows["r_head_name"]).alias("r_head_folded"),
    )
    read = id_repair.read(frame["r_body"])
    left = id_repair.remains(read)
    area = pl.col("r_area").str.slice(0, 6)
    codes = frame.select(area.unique().drop_nulls()).to_series().to_list()
    known = {code: successor(code) for code in codes if len(code) == 6}
    frame = frame.with_columns(
        read.to_struct("r_read"),
        left["digits"].alias("r_digits"),
        left["damage"].alias("r_damage"),
        left["pattern"].alias("r_pattern"),
        pl.coalesce(area.replace_strict(known, default=None, return_dtype=pl.String), "county").alias(
            "r_county"
        ),
    )
    written = pl.coalesce(
        pl.col("r_digits").str.slice(6, 8),
        pl.col("r_pattern").str.slice(6, 8),
        pl.col("r_typed").str.slice(6, 8),
    )
    typed_birth = written.str.to_date("%Y%m%d", strict=False)
    return frame.with_columns(typed_birth.alias("r_typed_birth")).with_columns(
        pl.coalesce("r_birth_date", "r_typed_birth").alias("r_birth")
    )


def row_keys(rows: pl.DataFrame, known: pl.Series) -> pl.DataFrame:
    """`row`, `kind`, `key` of prepared rows; a key may stand twice. `known`: first digits of the people's numbers."""
    own = pl.col("r_number").is_null()
    no_birth = pl.col("r_birth").is_null()
    digits = pl.coalesce("r_digits", "r_body").str.extract(f"^([0-9]{{{_DIGITS}}})")
    certificate = pl.col("r_typed_certificate").str.extract(f"^([0-9]{{{_DIGITS}}})")
    single = {
        "number": _key("number", pl.col("r_number")),
        "id_digits": pl.when(own).then(_key("digits", digits)),
        "id_float": _key("float", pl.col("r_float")),
        "certificate_digits": _key("digits", certificate),
        "name_birth": _key("name_birth", pl.col("r_folded"), pl.col("r_birth")),
        "sound_birth": _key("sound_birth", pl.col("r_sound"), pl.col("r_birth")),
        "birth_sex_county": _key("birth", pl.col("r_birth_date"), pl.col("r_sex"), pl.col("r_county")),
        "account": _key("account", pl.col("r_account")),
        "phone": _key("phone", pl.col("r_phone")),
        "name_place": pl.when(no_birth).then(
            _key("name", pl.col("r_folded"), pl.col("r_county").fill_null(""))
        ),
        "sound_place": pl.when(no_birth).then(
            _key("sound", pl.col("r_sound"), pl.col("r_county").fill_null(""))
        ),
    }
    parts = [*_long(rows, "row", single)]
    for column in ("r_guardian_id", "r_head_id", "r_number"):
        parts += _long(rows, "row", {"head": _key("head", pl.col(column))})
    for column in ("r_guardian_folded", "r_head_folded"):
        parts += _long(rows, "row", {"head_name": _key("head_name", pl.col(column), pl.col("r_county"))})
    parts += _long(
        rows.filter(pl.col("r_former").is_not_null()), "row", _former("r_former", pl.col("r_birth"))
    )
    damaged = rows.filter(own, pl.col("r_body").is_not_null()).select("row", "r_read")
    near = id_repair.neighbours_of(damaged["r_read"].struct.unnest(), known)
    repaired = near.select(damaged["row"].gather(near["at"]).alias("row"), "number")
    parts += _long(repaired, "row", {"id_repaired": _key("id", pl.col("number"))})
    return pl.concat(parts)


def _former(name: str, born: pl.Expr) -> dict[str, pl.Expr]:
    """The name keys of a former name; few have one, so it needs a birth date or sound to be worth a comparison."""
    return {"name_birth": _key("name_birth", pl.col(name), born)}


def person_keys(
    people: pl.DataFrame, repaired: pl.DataFrame, learned: dict[str, pl.DataFrame]
) -> pl.DataFrame:
    """`person`, `key` of the register's people; a key may stand twice. `learned`: accounts and heads (person, number)."""
    number = pl.col("p_number")
    stated = people.filter(pl.col("p_stated_birth_date").ne_missing(pl.col("p_birth_date")))
    typed = people.filter(number.is_null())
    single = {
        "number": _key("number", number),
        "id_repaired": _key("id", number),
        "id_digits": _key("digits", pl.coalesce(number, "p_typed").str.extract(f"^([0-9]{{{_DIGITS}}})")),
        "id_float": _key("float", as_float(number)),
        "phone": _key("phone", pl.col("p_phone")),
        "head": _key("head", pl.col("p_guardian_id")),
        "head_name": _key("head_name", pl.col("p_guardian_folded"), pl.col("p_county")),
    }
    parts = [*_long(people, "person", single)]
    for frame, birth in ((people, "p_birth_date"), (stated, "p_stated_birth_date")):
        day = pl.col(birth)
        parts += _long(
            frame,
            "person",
            {
                "name_birth": _key("name_birth", pl.col("p_folded"), day),
                "sound_birth": _key("sound_birth", pl.col("p_sound"), day),
                "birth_sex_county": _key("birth", day, pl.col("p_sex"), pl.col("p_county")),
            },
        )
    former = people.filter(pl.col("p_former").is_not_null())
    parts += _long(former, "person", _former("p_former", pl.col("p_birth_date")))
    for place in (pl.col("p_county"), pl.lit("")):
        names = {
            "name_place": _key("name", pl.col("p_folded"), place),
            "sound_place": _key("sound", pl.col("p_sound"), place),
        }
        parts += _long(people, "person", names)
    parts += _long(learned["accounts"], "person", {"account": _key("account", pl.col("number"))})
    parts += _long(learned["heads"], "person", {"head": _key("head", pl.col("number"))})
    mended = repaired.join(typed.select("person"), on="person")
    parts += _long(mended, "person", {"number": _key("number", pl.col("number"))})
    return pl.concat(parts).select("person", "key")


def mask_keys(rows: pl.DataFrame, people: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Keys of masked numbers: for every way of masking in the list, the visible characters of rows and of people."""
    seen_as = pl.col("r_pattern").str.replace_all(r"[^?]", "x")
    patterns = rows.filter(pl.col("r_pattern").is_not_null()).select(
        "row", "r_pattern", shape=seen_as, place=pl.col("row") // LIST_ROWS
    )
    often = (
        patterns.group_by("place", "shape")
        .len()
        .sort("place", "len", "shape", descending=[False, True, False])
    )
    usual = often.group_by("place", maintain_order=True).head(_SHAPES)
    patterns = patterns.join(usual, on=["place", "shape"], how="semi", maintain_order="left")
    row_parts: list[pl.DataFrame] = [
        pl.DataFrame(schema={"row": pl.Int64, "kind": pl.Int64, "key": pl.Int64})
    ]
    person_parts: list[pl.DataFrame] = [pl.DataFrame(schema={"person": pl.Int64, "key": pl.Int64})]
    seen_of: dict[str, pl.Expr] = {}
    for seen in usual["shape"].unique().sort():
        runs = [list(run) for mark, run in groupby(enumerate(seen), lambda place: place[1]) if mark == "x"]

        def visible(column: str, runs: list[list[tuple[int, str]]] = runs) -> pl.Expr:
            return pl.concat_str([pl.col(column).str.slice(run[0][0], len(run)) for run in runs])

        mine = patterns.filter(pl.col("shape") == seen)
        row_parts += _long(mine, "row", {"id_masked": _key("masked", pl.lit(seen), visible("r_pattern"))})
        seen_of[seen] = _key("masked", pl.lit(seen), visible("p_number"))
    theirs = people.filter(pl.col("p_number").is_not_null()).select("person", **seen_of)  # side by side
    person_parts += [theirs.select("person", key=seen) for seen in seen_of]
    return pl.concat(row_parts), pl.concat(person_parts)


def candidate_pairs(con: duckdb.DuckDBPyConnection) -> Blocks:
    """The pairs that share a key. Takes `all_row_keys` (row, kind, key) and `all_person_keys` (person, key)."""
    run_sql(con, _SHARED)
    run_sql(con, _LARGE)
    long: pl.DataFrame = con.sql(PAIRS).pl()
    bit = pl.lit(1, dtype=pl.UInt32) * pl.lit(2, dtype=pl.UInt32).pow(pl.col("kind")).cast(pl.UInt32)
    pairs = (
        long.unique()
        .with_columns(bit.alias("keys"))
        .group_by("row", "person")
        .agg(pl.col("keys").sum())
        .sort("row", "person")
    )
    large: pl.DataFrame = con.sql(
        "select place, kind, count(*) as keys, sum(pairs) as pairs from large_keys group by place, kind order by place, kind"
    ).pl()
    return Blocks(pairs, large)


def keys_words(mask: pl.Expr) -> pl.Expr:
    """The kinds of a bit mask, joined by `+`."""
    said = [pl.when(mask.and_(1 << at) > 0).then(pl.lit(kind)) for at, kind in enumerate(KINDS)]
    return pl.concat_str(said, separator="+", ignore_nulls=True)
