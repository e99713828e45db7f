"""How a person was found in the lists, and how sure that is: the column 匹配方式与置信度 of a county's table."""

from __future__ import annotations

import polars as pl

from pipeline.reports.methods import method_words
from pipeline.reports.night import NightForReports

SURE = 0.9995  # from here on a percentage says nothing
_EXACT = ("id", "certificate_in_id_column", "certificate_id", "certificate_number", "head_id")
_SHOWN = 3  # doubtful rows told of a person


def matched_words(night: NightForReports) -> pl.DataFrame:
    """`certificate_number`, `matched` (linked rows) and `doubtful` (rows that may be his), as sentences of a cell."""
    return _linked(night).join(_doubtful(night), on="certificate_number", how="full", coalesce=True)


def _linked(night: NightForReports) -> pl.DataFrame:
    """身份证一致（9份名册）；身份证一字之差（1份，把握99.8%）"""
    methods = night.matched.with_columns(
        pl.col("method")
        .replace_strict(_words(night.matched["method"]), return_dtype=pl.String)
        .alias("words"),
        rank=pl.col("method").replace_strict(dict(zip(_EXACT, range(5), strict=True)), default=9),
    ).sort("certificate_number", "rank", "method")
    sure = (pl.col("least") >= SURE) | pl.col("method").is_in(_EXACT)
    said = pl.format("{}（{}份名册", "words", "lists") + pl.when(sure).then(pl.lit("）")).otherwise(
        pl.format("，把握{}）", percent(pl.col("least")))
    )
    return methods.group_by("certificate_number", maintain_order=True).agg(
        said.str.join("；").alias("matched")
    )


def _doubtful(night: NightForReports) -> pl.DataFrame:
    """《城乡居民基本养老保险》第123行或为本人（姓名+出生日期，把握83%）"""
    titles = {name: night.list_title(name) for name in night.doubtful["dataset"].unique()}
    rows = night.doubtful.with_columns(
        pl.col("method")
        .replace_strict(_words(night.doubtful["method"]), return_dtype=pl.String)
        .alias("words"),
        pl.col("dataset").replace_strict(titles, return_dtype=pl.String).alias("title"),
    ).sort(
        "certificate_number",
        "match_probability",
        "dataset",
        "source_row",
        descending=[False, True, False, False],
    )
    said = pl.format(
        "《{}》第{}行或为本人（{}，把握{}）",
        "title",
        "source_row",
        "words",
        percent(pl.col("match_probability")),
    )
    return rows.group_by("certificate_number", maintain_order=True).agg(
        said.head(_SHOWN).str.join("；").alias("doubtful")
    )


def _words(codes: pl.Series) -> dict[str, str]:
    return {code: method_words(code) for code in codes.unique()}


def percent(share: pl.Expr) -> pl.Expr:
    """99.8%, never rounded up to 100."""
    tenths = (
        (share * 1000).floor().cast(pl.Int64)
    )  # whole numbers: a tenth of a float prints as 99.60000000000001
    return pl.format("{}.{}%", tenths // 10, tenths % 10).str.replace(".0%", "%", literal=True)
