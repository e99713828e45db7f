"""The counts of a comparison as a CSV for a spreadsheet: counties and numbers, nobody's name or number."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl

from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.rule import Rule
from pipeline.desk.explain_answers import outcome_words
from pipeline.desk.plan import Plan
from pipeline.reports.safe_text import no_formula

_COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "规则代码": pl.String, "规则": pl.String, "类别": pl.String, "性质": pl.String, "县代码": pl.String, "县": pl.String,
    "变化": pl.String, "原结论": pl.String, "新结论": pl.String, "人数": pl.Int64,
    "原每月元": pl.Decimal(38, 2), "新每月元": pl.Decimal(38, 2), "原一次性元": pl.Decimal(38, 2),
    "新一次性元": pl.Decimal(38, 2), "原金额不明人数": pl.Int64, "新金额不明人数": pl.Int64,
}  # fmt: skip


def write_csv(plan: Plan, path: Path) -> None:
    """One line a rule, county and pair of outcomes in which people or money differ, and a line without numbers for every
    rule that was not compared; in UTF-8 with BOM, 0600.

    Raises ReconcileError E555 where the file is there already or cannot be written.
    """
    text = frame(plan).write_csv(include_bom=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
    except OSError as error:
        there = "文件已经存在，不会覆盖" if path.is_file() else "这是文件夹，--out 要写 CSV 文件名"
        why = there if isinstance(error, FileExistsError) else "文件夹不存在，或没有写权限"
        cure = "换一个 --out 文件名；上次比对的位置用 --state 指明"
        problem = Problem("E555", "error", "比较结果写不出来", why, cure, file=path.name)
        raise ReconcileError(problem) from None


def frame(plan: Plan) -> pl.DataFrame:
    """The table that `write_csv` writes."""
    rows: list[tuple[object, ...]] = []
    for difference in plan.differences:
        rule = difference.change.rule
        kind, strength = ("疑点", "") if rule.finding else ("结论", rule.strength)
        for g in difference.groups:
            if not g.differs:
                continue
            outcomes = (outcome_words(g.was), outcome_words(g.becomes))
            place = (g.county, plan.counties.get(g.county, g.county))
            money = (*(round(y, 2) for y in g.yuan), *(round(y, 2) for y in g.once))
            rows.append(
                (
                    rule.code,
                    rule.title,
                    kind,
                    strength,
                    *place,
                    g.kind,
                    *outcomes,
                    g.people,
                    *money,
                    *g.unknown,
                )
            )
    rows += [_not_compared(change.rule) for change in plan.outside]
    return pl.DataFrame(rows, schema=_COLUMNS, orient="row").with_columns(
        **{name: no_formula(pl.col(name)) for name in ("规则", "县")}
    )


def _not_compared(rule: Rule) -> tuple[object, ...]:
    """A rule about people off the register: the kept facts hold none of them."""
    told = (rule.code, rule.title, "疑点", "", "", "", "没有比较")
    return (*told, *[None] * (len(_COLUMNS) - len(told)))
