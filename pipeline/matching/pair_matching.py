"""From open rows and people to decided pairs: block, compare, weigh, assign, decide. Knows no list and no register."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa

from pipeline.identity import id_repair
from pipeline.identity.name_compare import NOTHING
from pipeline.identity.person_name import compare_pairs, fold
from pipeline.matching import blocking, pair_table
from pipeline.matching.assignment import assign
from pipeline.matching.compare import levels
from pipeline.matching.fellegi_sunter import match_weights
from pipeline.matching.model_file import Models, load_models
from pipeline.matching.people import run_sql
from pipeline.matching.person_features import with_comparison_fields
from pipeline.matching.row_features import FEATURES
from pipeline.matching.store import add, keep
from pipeline.matching.threads import in_threads

_BATCH = 150_000  # open rows whose keys are made at once, at most
_LEAST = 10_000  # fewer cost more than they gain
_PAIRS = 500_000  # pairs that are compared at once
_CERTAIN = 60.0  # bits: the weight of a pair that a clerk has judged to be one person
_HOPELESS = -10.0  # bits: such pairs change no probability that is told
PRIORS = Path(__file__).parent / "weights.yaml"  # documented, used until a prefecture has fitted its own


@cache
def _priors() -> Models:
    return load_models(PRIORS)


def _nothing_judged() -> pl.DataFrame:
    return pl.DataFrame(schema=dict.fromkeys(("row_key", "person_key", "answer"), pl.String))


@dataclass(frozen=True)
class Matcher:
    """What the fallback goes by: frozen weights, which probabilities link and which are for a clerk to look at, and what
    clerks have answered (row_key, person_key, answer)."""

    models: Models = field(default_factory=_priors)
    link: float = 0.98
    review: float = 0.05
    answers: pl.DataFrame = field(default_factory=_nothing_judged)


def matched(
    con: duckdb.DuckDBPyConnection,
    rows: str,
    people: Callable[[], pl.DataFrame],
    numbers: pl.Series,
    keys: str,
    matcher: Matcher,
    successor: Callable[[str], str],
) -> tuple[blocking.Blocks, pl.DataFrame]:
    """Block, compare, weigh, assign and decide the rows of a view of open rows against people with these features.

    `people` is called when the rows' keys are made: until then they may still be prepared. `numbers`: their sound numbers.
    `keys`: the table of their keys. Also used for people who are on no register (heads of families).
    """
    masked = _key_rows(con, rows, id_repair.first_digits(numbers), successor)
    ready = people()
    blocks = _block(con, masked, ready, keys)
    compared = [
        _compared(con, rows, blocks.pairs.slice(start, _PAIRS), ready, matcher, successor)
        for start in range(0, max(blocks.pairs.height, 1), _PAIRS)
    ]
    return blocks, decide(pl.concat(compared), matcher)


def _key_rows(
    con: duckdb.DuckDBPyConnection, rows: str, known: pl.Series, successor: Callable[[str], str]
) -> pl.DataFrame:
    """`all_row_keys` in the database: the rows are taken in batches, several at a time. Returns the masked numbers."""
    keep(con, "all_row_keys", blocking.NO_ROW_KEYS)
    masked = [pl.DataFrame(schema={"row": pl.Int64, "r_pattern": pl.String})]

    def keyed(batch: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        prepared = blocking.prepared_rows(batch, successor)
        return blocking.row_keys(prepared, known), prepared.select("row", "r_pattern").drop_nulls()

    query = f'select "row", county, {", ".join(FEATURES)} from {rows}'
    count: int = con.execute(f"select count(*) from {rows}").fetchall()[0][0]
    threads = pl.thread_pool_size()
    for own, patterns in in_threads(keyed, _batches(con, query, _batch_size(count, threads)), threads):
        add(con, "all_row_keys", own)
        masked.append(patterns)
    return pl.concat(masked)


def _block(
    con: duckdb.DuckDBPyConnection, masked: pl.DataFrame, people: pl.DataFrame, keys: str
) -> blocking.Blocks:
    """Candidate pairs of the keys in the database, which joins, and of masked numbers."""
    run_sql(con, f"create or replace table all_person_keys as select person, key from {keys}")
    rows_masked, people_masked = blocking.mask_keys(masked, people)
    add(con, "all_row_keys", rows_masked)
    add(con, "all_person_keys", people_masked)
    return blocking.candidate_pairs(con)


def _batch_size(rows: int, threads: int) -> int:
    """Rows of a batch: all threads have as many batches, so that none waits for the last."""
    rounds = max(1, math.ceil(rows / (_BATCH * threads)))
    return max(_LEAST, math.ceil(rows / (rounds * threads)))


def _batches(con: duckdb.DuckDBPyConnection, query: str, size: int) -> Iterator[pl.DataFrame]:
    """A query's rows in frames of `size` rows: many small lists make one."""
    waiting: list[pa.RecordBatch] = []
    for batch in con.cursor().sql(query).to_arrow_reader(size):
        waiting.append(batch)
        if sum(part.num_rows for part in waiting) >= size:
            table = pa.Table.from_batches(waiting)
            yield _frame(table.slice(0, size))
            waiting = table.slice(size).to_batches()
    if any(part.num_rows for part in waiting):
        yield _frame(pa.Table.from_batches(waiting))


def _frame(table: pa.Table) -> pl.DataFrame:
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)  # noqa: S101 a table is a frame
    return frame


def _compared(
    con: duckdb.DuckDBPyConnection,
    rows: str,
    pairs: pl.DataFrame,
    people: pl.DataFrame,
    matcher: Matcher,
    successor: Callable[[str], str],
) -> pl.DataFrame:
    """Pairs whose slot is open, with comparison levels, weights, keys and clerks' answers; hopeless ones left out."""
    pairs = _without_strangers(con, rows, pairs, people)
    keep(con, "candidate_pairs", pairs)
    wanted: pl.DataFrame = con.sql(
        f"select o.* from {rows} as o"
        ' join (select distinct "row" from candidate_pairs) as c on c."row" = o."row"'
    ).pl()
    with ThreadPoolExecutor(1) as beside:
        paired = people.join(pairs, on="person", how="semi", maintain_order="left")
        theirs = beside.submit(with_comparison_fields, paired)
        both = (
            pairs.join(blocking.prepared_rows(wanted, successor), on="row", how="left", maintain_order="left")
            .join(con.sql("select * from taken").pl(), on=["dataset", "person", "slot_group"], how="anti")
            .join(theirs.result(), on="person", how="left")
            .sort("row", "person")
        )
    found = levels(_with_learned(con, both))
    joined = pl.concat([both, found], how="horizontal")
    weighed = pl.concat([joined, _weights(found, both["dataset"], matcher.models)], how="horizontal")
    keyed = pair_table.with_keys(weighed)
    judged = _as_judged(keyed, matcher.answers)
    return judged.select(pair_table.KEPT)


def _without_strangers(
    con: duckdb.DuckDBPyConnection, rows: str, pairs: pl.DataFrame, people: pl.DataFrame
) -> pl.DataFrame:
    """Without the pairs that only a birth date or a part of a number brought together and whose names have nothing in
    common: nothing else could make them one person, and they are most of all pairs."""
    nameless = (pl.col("keys") & blocking.NAMELESS) == pl.col("keys")
    keep(con, "candidate_pairs", pairs.filter(nameless).select("row", "person"))
    names: pl.DataFrame = con.sql(
        f'select o."row", o.r_name from {rows} as o'
        ' join (select distinct "row" from candidate_pairs) as c on c."row" = o."row"'
    ).pl()
    names = names.select("row", fold(names["r_name"]).alias("r_folded"))
    facing = pairs.join(names, on="row", how="left", maintain_order="left").join(
        people.select("person", "p_folded"), on="person", how="left", maintain_order="left"
    )
    asked = facing.select(pl.when(nameless).then("r_folded")).to_series()
    score = compare_pairs(asked, facing["p_folded"])["score"]
    return pairs.filter((score >= NOTHING).fill_null(True))


def _weights(found: pl.DataFrame, lists: pl.Series, models: Models) -> pl.DataFrame:
    """The match weights, each list by its own model, in the order of the pairs."""
    numbered = found.with_columns(lists.alias("dataset")).with_row_index("at")
    parts = [
        match_weights(part, models.of(str(name))).with_columns(part["at"])
        for (name,), part in numbered.group_by("dataset", maintain_order=True)
    ]
    if not parts:
        return match_weights(found, models.base)
    return pl.concat(parts).sort("at").drop("at")


def _with_learned(con: duckdb.DuckDBPyConnection, both: pl.DataFrame) -> pl.DataFrame:
    """`same_account`, `has_account`, `same_head`: what exact links taught of the person, against the row."""
    accounts: pl.DataFrame = con.sql(
        "select person, number as r_account, true as same_account from learned_accounts"
    ).pl()
    heads: pl.DataFrame = con.sql(
        "select person, number as r_head_id, true as same_head from learned_heads"
    ).pl()
    owners = accounts.select("person", has_account=pl.lit(True)).unique()
    return (
        both.join(accounts, on=["person", "r_account"], how="left", maintain_order="left")
        .join(owners, on="person", how="left", maintain_order="left")
        .join(heads, on=["person", "r_head_id"], how="left", maintain_order="left")
        .with_columns(pl.col("same_account", "has_account", "same_head").fill_null(False))
    )


def _as_judged(pairs: pl.DataFrame, answers: pl.DataFrame) -> pl.DataFrame:
    """A pair that a clerk judged is certain, impossible, or left for him; the others keep their weight."""
    judged = pairs.join(answers, on=["row_key", "person_key"], how="left", maintain_order="left")
    answer = pl.col("answer").fill_null("")
    weight = pl.when(answer == "same").then(_CERTAIN).when(answer == "different").then(-_CERTAIN)
    return judged.with_columns(match_weight=weight.otherwise("match_weight")).filter(
        (pl.col("match_weight") > _HOPELESS) | (answer != "")
    )


def decide(pairs: pl.DataFrame, matcher: Matcher) -> pl.DataFrame:
    """Adds `match_probability`, `decision` (linked, review, none) and `method` to weighed pairs.

    Where a person may have any number of rows, and where a clerk has judged, every pair is a slot of its own and only
    the row's candidates compete.
    """
    free = pl.col("slot_group").is_null() | (pl.col("answer") == "same").fill_null(False)
    one_row = pl.struct("dataset", "person", "slot_group", row=pl.when(free).then("row"))
    slots = pairs.select("row", one_row.rank("dense").cast(pl.Int64).alias("slot"), "match_weight")
    found = assign(slots, one_to_one=True)
    p, unsure = pl.col("match_probability"), (pl.col("answer") == "unsure").fill_null(False)
    decision = (
        pl.when(pl.col("assigned") & (p >= matcher.link) & ~unsure)
        .then(pl.lit("linked"))
        .when((p >= matcher.review) | unsure)
        .then(pl.lit("review"))
        .otherwise(pl.lit("none"))
    )
    return pairs.with_columns(found["match_probability"].round(6), found["assigned"]).with_columns(
        decision=decision, method=pair_table.method()
    )
