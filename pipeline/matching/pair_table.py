"""What is told of compared pairs: the table of pairs (for review, explanation and tuning) and the report of the keys."""

from __future__ import annotations

from hashlib import blake2b

import polars as pl

from pipeline.contracts.tables import BLOCKING, PAIRS
from pipeline.identity import region
from pipeline.matching import blocking
from pipeline.matching.open_rows import LIST_ROWS

TOLD = 0.001  # pairs less probable than this are told of in no table
# What a row is recognised by next month, in this order; none of it is the month's own.
_ROW_CONTENT = (
    *("r_county", "r_folded", "r_number", "r_typed", "r_typed_certificate", "r_birth_date", "r_sex"),
    *("r_account", "r_phone", "r_head_id", "r_guardian_id"),
)
_LABELS = (
    ("姓名", "r_name", "p_name"),
    ("身份证号", "r_shown_number", "p_shown_number"),
    ("残疾人证号", "r_typed_certificate", "certificate_number"),
    ("出生日期", "r_birth_date", "p_birth_date"),
    ("性别", "r_sex", "p_sex"),
    ("县", "r_where", "p_county"),
    ("地址", "r_address", "p_address"),
    ("监护人或户主", "r_relative", "p_guardian_name"),
    ("监护人或户主证件号", "r_relative_id", "p_guardian_id"),
    ("残疾类别", "r_category", "p_category"),
    ("残疾等级", "r_level", "p_level"),
)
_ALWAYS = ("姓名", "身份证号", "出生日期", "性别", "县")  # also where only the register says it


# What is kept of a compared pair until all are decided.
KEPT = (
    *("row", "person", "dataset", "slot_group", "keys", "row_key", "person_key", "answer"),
    *("identity", "name", "place", "relation", "disability"),
    *("identity_weight", "name_weight", "place_weight", "relation_weight", "disability_weight"),
    *("prior_weight", "match_weight"),
)


def method() -> pl.Expr:
    """How a pair was found to be one person, by its strongest evidence."""
    identity, relation = pl.col("identity"), pl.col("relation")
    return (
        pl.when(pl.col("answer").is_in(["same", "different"]).fill_null(False))
        .then(pl.lit("reviewed"))
        .when(identity.is_in(["number", "number_sex_differs", "number_birth_near", "number_birth_differs"]))
        .then(pl.lit("id_denied"))
        .when(identity.is_in(["slip", "slip_birth_differs"]))
        .then(pl.lit("id_repaired"))
        .when(identity == "digits_15")
        .then(pl.lit("id_prefix"))
        .when(identity == "digits_14")
        .then(pl.lit("id_prefix_14"))
        .when(identity.is_in(["masked_birth", "masked"]))
        .then(pl.lit("id_masked"))
        .when(relation.is_in(["account", "phone"]))
        .then(relation)
        .when(relation.is_in(["guardian_number", "guardian", "guardian_name"]))
        .then(pl.lit("guardian"))
        .when(identity.str.starts_with("birth"))
        .then(pl.lit("name_birth"))
        .when(pl.col("place").is_in(["township", "county"]))
        .then(pl.lit("name_place"))
        .otherwise(pl.lit("name"))
    )


def with_keys(pairs: pl.DataFrame) -> pl.DataFrame:
    """Adds `row_key` and `person_key`: 32 hexadecimal characters, hashes of what a row and a person are known by.

    They keep judgements readable by nobody at a glance and equal from month to month; they are no protection against
    who tries all numbers: the state folder is as sensitive as the snapshots in it.
    """
    content = pl.concat_str(
        ["dataset", *(pl.col(name).cast(pl.String).fill_null("") for name in _ROW_CONTENT)],
        separator="|",
    )
    person = pl.coalesce("p_number", "certificate_number")
    return pairs.with_columns(
        row_key=_hashed(pairs.select(content).to_series()),
        person_key=_hashed(pairs.select(person).to_series()),
    )


def _hashed(texts: pl.Series) -> pl.Series:
    distinct = texts.unique(maintain_order=True)
    hashes = [blake2b((text or "").encode(), digest_size=16).hexdigest() for text in distinct]
    return texts.replace_strict(distinct, pl.Series(hashes, dtype=pl.String), return_dtype=pl.String)


def told(placed: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """The pairs in the contract's columns, with the clerk's view of those that were linked or are for review.

    `placed`: decided pairs with the place and the features of their rows.
    """
    some = placed.join(people, on="person", how="left", maintain_order="left").with_columns(
        r_shown_number=pl.coalesce("r_number", "r_typed"),
        p_shown_number=pl.coalesce("p_number", "p_typed"),
        r_relative=pl.coalesce("r_guardian_name", "r_head_name"),
        r_relative_id=pl.coalesce("r_guardian_id", "r_head_id"),
        r_where=pl.coalesce("r_area", "county"),
    )
    return some.with_columns(
        id_number=pl.col("p_number"),
        county_code=pl.col("p_county"),
        keys=blocking.keys_words(pl.col("keys")),
        shown=pl.when(pl.col("decision") != "none").then(_shown(_codes(some))).otherwise(pl.lit("[]")),
    ).select(pl.col(name).cast(kind) for name, kind in PAIRS.items())


def _codes(some: pl.DataFrame) -> set[str]:
    return {*some["r_where"].drop_nulls().str.slice(0, 6), *some["p_county"].drop_nulls()}


def _shown(codes: set[str]) -> pl.Expr:
    """The fields that either side holds, as JSON (label, row, register); the counties of `codes` by their names."""
    counties = {code: region.county_name(code) or code for code in codes}
    fields = []
    for label, mine, theirs in _LABELS:
        row, register = (pl.col(name).cast(pl.String) for name in (mine, theirs))
        if label == "县":
            row, register = (
                code.str.slice(0, 6).replace_strict(counties, default=code, return_dtype=pl.String)
                for code in (row, register)
            )
        held = row.is_not_null() | (register.is_not_null() & (label in _ALWAYS))
        field = pl.struct(label=pl.lit(label), row=row, register=register).struct.json_encode()
        fields.append(pl.when(held).then(field))
    return pl.format("[{}]", pl.concat_str(fields, separator=",", ignore_nulls=True))


def key_report(lists: list[str], blocks: blocking.Blocks, decided: pl.DataFrame) -> pl.DataFrame:
    """One line a list and kind of key: what it brought, and what only it brought. `lists`: datasets in their order."""
    decisions = decided.select("row", "person", "decision")
    found = blocks.pairs.join(decisions, on=["row", "person"], how="left", maintain_order="left")
    left_out = {(place, kind): (keys, int(pairs)) for place, kind, keys, pairs in blocks.left_out.iter_rows()}
    linked = pl.col("decision") == "linked"
    lines = []
    for (place,), part in found.group_by(pl.col("row") // LIST_ROWS, maintain_order=True):
        for number, kind in enumerate(blocking.KINDS):
            bit = 1 << number
            mine = part.filter(pl.col("keys").and_(bit) > 0)
            keys, pairs = left_out.pop((place, number), (0, 0))
            if mine.height or keys:
                alone = pl.col("keys") == bit
                counts = mine.select(
                    pl.len(),
                    alone.sum().alias("alone"),
                    linked.sum().alias("linked"),
                    (linked & alone).sum().alias("linked_alone"),
                    (pl.col("decision") == "review").sum().alias("review"),
                ).row(0)
                lines.append((lists[int(str(place))], kind, *counts, keys, pairs))
    lines += [(lists[p], blocking.KINDS[k], 0, 0, 0, 0, 0, *n) for (p, k), n in sorted(left_out.items())]
    return pl.DataFrame(lines, schema=BLOCKING, orient="row")
