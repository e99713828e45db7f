"""The sheet 部门比对: what each comparison of two departments brought to light in a county, person by person.

The rows are those of the county's other sheets, put by comparison, and besides who receives something that seems not to
be due (在领待核). Whom a missing list keeps undecided is no result of a comparison: the first sheet counts them.
"""

from __future__ import annotations

import polars as pl

from pipeline.reports.comparisons import PAIRS
from pipeline.reports.listing import Listing
from pipeline.reports.night import NightForReports
from pipeline.reports.rows import UNKNOWN_PLACE, safe_column
from pipeline.reports.tally import OUTCOME_WORDS

SHEET = "部门比对"
# Columns and their widths in characters.
WIDTHS = {
    "序号": 6.5, "比对": 22, "类别": 7, "疑点/待遇": 22, "结论": 11, "乡镇": 11, "村(社区)": 11, "姓名": 10,
    "身份证号": 19.5, "疑点描述": 90,
}  # fmt: skip
_CENTRED = ("序号", "类别", "结论")


def comparison_sheet(night: NightForReports, rows: pl.DataFrame, *, full_ids: bool) -> Listing | None:
    """One row a pair, person and subject of `rows` (a county's `sorted_county`), by pair, township, village, urgency, name.

    None where no comparison found anything.
    """
    table = (
        rows.join(_pairs(night), on="code", how="inner", maintain_order="left")
        .sort(
            ["pair", "township", "village", "urgency", "name", "certificate_number", "code", "id_number"],
            nulls_last=True,
            maintain_order=True,
        )
        .select(safe_column(words, name, full_ids=full_ids).alias(name) for name, words in _words().items())
    )
    return Listing(SHEET, WIDTHS, _CENTRED, table) if table.height else None


def _pairs(night: NightForReports) -> pl.DataFrame:
    """(code, pair) of every rule; the register's own findings belong to none."""
    named = [(code, pair) for code, rule in night.rules.items() for pair in rule.pairs]
    return pl.DataFrame(named, schema={"code": pl.String, "pair": pl.String}, orient="row")


def _words() -> dict[str, pl.Expr]:
    """The printed columns in their order, before masking."""
    return {
        "序号": pl.int_range(1, pl.len() + 1).cast(pl.String),
        "比对": pl.concat_str("pair", pl.lit(" "), pl.col("pair").replace_strict(PAIRS)),
        "类别": pl.col("nature"),
        "疑点/待遇": pl.col("title"),
        "结论": pl.col("outcome").replace_strict(OUTCOME_WORDS, default=pl.col("kind")),
        "乡镇": pl.col("township").fill_null(UNKNOWN_PLACE),
        "村(社区)": pl.col("village").fill_null(UNKNOWN_PLACE),
        "姓名": pl.col("name"),
        "身份证号": pl.col("id_number"),
        "疑点描述": pl.col("reason"),
    }
