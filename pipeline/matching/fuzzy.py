"""The fuzzy fallback: open rows of every list, compared with the register people they may be about.

Per list: block (equality joins), compare (one level a field), weigh (Fellegi–Sunter, frozen weights), assign (one row to
one person, best overall), decide (linked, review, none). It adds to `linked_<list>` and `doubtful_<list>` and never
touches an exact link. Nothing in it depends on how many rows or people there are besides the compared pair's rivals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa

from pipeline.contracts.dataset import Dataset
from pipeline.identity.name_compare import NOTHING
from pipeline.identity.person_name import compare_pairs, fold
from pipeline.matching import blocking, pair_table
from pipeline.matching.assignment import assign
from pipeline.matching.compare import levels
from pipeline.matching.fellegi_sunter import match_weights
from pipeline.matching.model_file import Models, load_models
from pipeline.matching.open_rows import all_open_sql, open_rows_sql, slot_group_sql
from pipeline.matching.people import run_sql
from pipeline.matching.person_features import learn, person_features
from pipeline.matching.row_features import FEATURES, carried_fields
from pipeline.matching.store import keep

_BATCH = 200_000  # open rows whose keys are made at once
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


def link_fuzzily(
    con: duckdb.DuckDBPyConnection,
    datasets: Mapping[str, Dataset],
    matcher: Matcher,
    successor: Callable[[str], str],
) -> None:
    """Creates `open_<list>`, `pairs` (contracts.tables.PAIRS) and `blocks` (BLOCKING); adds to linked_ and doubtful_."""
    register = next(d for d in datasets.values() if d.role == "register")
    lists = [d for d in datasets.values() if d.role != "register"]
    people = _prepare(con, datasets, register)
    for place, dataset in enumerate(lists):
        run_sql(con, open_rows_sql(dataset, place))
    run_sql(con, all_open_sql(lists, "open_rows"))
    run_sql(con, _taken_sql(lists))
    blocks, decided = matched(con, "open_rows", people, "people_keys", matcher, successor)
    keep(con, "decided", decided.select("row", "person", "method", "match_probability", "decision"))
    for dataset in lists:
        run_sql(con, _take_over_sql(dataset))
    run_sql(con, _NOW_KNOWN)
    keep(con, "pairs", pair_table.told(places(con, lists, decided), people))
    keep(con, "blocks", pair_table.key_report([d.dataset for d in lists], blocks, decided))


def _prepare(
    con: duckdb.DuckDBPyConnection, datasets: Mapping[str, Dataset], register: Dataset
) -> pl.DataFrame:
    """The people's features; in the database their keys, what exact links taught, and what to ask lists about."""
    run_sql(con, _SEVERAL)
    learn(con, datasets)
    people = person_features(con, register)
    repaired: pl.DataFrame = con.sql("select person, number from repaired_numbers").pl()
    learned = {
        "accounts": con.sql("select person, number from learned_accounts").pl(),
        "heads": con.sql("select person, number from learned_heads").pl(),
    }
    keep(con, "people_keys", blocking.person_keys(people, repaired, learned))
    return people


_SEVERAL = """
create or replace table several_places as
select dataset, source_file, sheet, source_row from unlinked where reason = 'several_people'
group by dataset, source_file, sheet, source_row"""


def _taken_sql(lists: list[Dataset]) -> str:
    """`taken`: which one row of a list a person has already (dataset, person, slot_group)."""
    parts = [
        f"select distinct '{d.dataset}' as dataset, l.person, {slot_group_sql(d, 'l')} as slot_group from linked_{d.table} as l"
        for d in lists
        if d.unique_by is not None
    ]
    return "create or replace table taken as\n" + "\nunion all\n".join([_NONE_TAKEN, *parts])


_NONE_TAKEN = "select cast(null as varchar) as dataset, cast(null as bigint) as person, cast(null as varchar) as slot_group where false"

# The number that a list holds of a register person whose own is damaged is on the register, though damaged.
_NOW_KNOWN = """
insert into known_numbers
select distinct o.r_number
from open_rows as o
join decided as d on d."row" = o."row"
join people as p on p.person = d.person
where d.decision <> 'none' and p.id_number is null and o.r_number is not null"""


def matched(
    con: duckdb.DuckDBPyConnection,
    rows: str,
    people: pl.DataFrame,
    keys: str,
    matcher: Matcher,
    successor: Callable[[str], str],
) -> tuple[blocking.Blocks, pl.DataFrame]:
    """Block, compare, weigh, assign and decide the rows of a view of open rows against people with these features.

    `keys`: the table of the people's keys. Also used for people who are on no register (heads of families).
    """
    blocks = _block(con, rows, people, keys, successor)
    compared = [
        _compared(con, rows, blocks.pairs.slice(start, _PAIRS), people, matcher, successor)
        for start in range(0, max(blocks.pairs.height, 1), _PAIRS)
    ]
    return blocks, decide(pl.concat(compared), matcher)


def _block(
    con: duckdb.DuckDBPyConnection,
    rows: str,
    people: pl.DataFrame,
    keys: str,
    successor: Callable[[str], str],
) -> blocking.Blocks:
    """Candidate pairs, batch by batch of rows: what is kept of a batch are the keys that some person has."""
    theirs: pl.DataFrame = con.sql(f"select person, key from {keys}").pl()
    known = theirs.select("key").unique()
    mine: list[pl.DataFrame] = []
    masked: list[pl.DataFrame] = []
    for batch in _batches(con, f'select "row", county, {", ".join(FEATURES)} from {rows}'):
        prepared = blocking.prepared_rows(batch, successor)
        mine.append(blocking.row_keys(prepared).join(known, on="key", how="semi"))
        masked.append(prepared.select("row", "r_pattern").drop_nulls())
    if masked:
        rows_masked, people_masked = blocking.mask_keys(pl.concat(masked), people)
        mine.append(rows_masked)
        theirs = pl.concat([theirs, people_masked])
    keep(con, "row_keys", pl.concat([blocking.NO_ROW_KEYS, *mine]))
    keep(con, "person_keys", theirs)
    return blocking.candidate_pairs(con)


def _batches(con: duckdb.DuckDBPyConnection, query: str) -> Iterator[pl.DataFrame]:
    """A query's rows in frames of about _BATCH rows: many small lists make one."""
    waiting: list[pa.RecordBatch] = []
    for batch in con.cursor().sql(query).to_arrow_reader(_BATCH):
        waiting.append(batch)
        if sum(part.num_rows for part in waiting) >= _BATCH:
            yield _frame(waiting)
            waiting = []
    if any(part.num_rows for part in waiting):
        yield _frame(waiting)


def _frame(batches: list[pa.RecordBatch]) -> pl.DataFrame:
    frame = pl.from_arrow(pa.Table.from_batches(batches))
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
    both = (
        pairs.join(blocking.prepared_rows(wanted, successor), on="row", how="left", maintain_order="left")
        .join(con.sql("select * from taken").pl(), on=["dataset", "person", "slot_group"], how="anti")
        .join(people, on="person", how="left")
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


def places(con: duckdb.DuckDBPyConnection, lists: list[Dataset], decided: pl.DataFrame) -> pl.DataFrame:
    """The decided pairs worth telling of, with the place and the words of their rows."""
    likely = pl.col("match_probability") >= pair_table.TOLD
    some = decided.filter(likely | (pl.col("decision") != "none") | pl.col("answer").is_not_null())
    keep(con, "told_rows", some.select("row").unique())
    parts = [
        f'select o."row", o.source_file, o.sheet, o.source_row, o.county, {", ".join(FEATURES)}'
        f' from open_{d.table} as o join told_rows as t on t."row" = o."row"'
        for d in lists
    ]
    rows: pl.DataFrame = con.sql("\nunion all\n".join(parts)).pl()
    return some.join(rows, on="row", how="left", maintain_order="left")


def _take_over_sql(dataset: Dataset) -> str:
    """The decided rows join `linked_<list>` and `doubtful_<list>`; of a row denied but linked in the end nothing is told."""
    table = dataset.table
    carried = "".join(f'o."{name}", ' for name in carried_fields(dataset))
    return f"""
insert into linked_{table}
select o.source_file, o.sheet, o.source_row, {carried}d.person, d.method, d.match_probability, 'linked' as decision
from open_{table} as o join decided as d on d."row" = o."row" where d.decision = 'linked';

insert into doubtful_{table}
select o.source_file, o.sheet, o.source_row, {carried}d.person, 'review' as decision
from open_{table} as o join decided as d on d."row" = o."row" where d.decision = 'review';

insert into review_links
select '{dataset.dataset}' as dataset, b.source_file, b.sheet, b.source_row, b.person, b.method, b.match_probability, 'review' as decision
from (
  select o.source_file, o.sheet, o.source_row, d.person, d.method, d.match_probability,
    row_number() over (partition by d."row" order by d.match_probability desc, d.person) as place
  from open_{table} as o join decided as d on d."row" = o."row"
  left join (select distinct "row" from decided where decision = 'linked') as k on k."row" = d."row"
  where d.decision = 'review' and k."row" is null
) as b where b.place = 1;
"""
