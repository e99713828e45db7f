"""A person's lines in the last night's result tables (`OUT/results`)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.desk.person_asked import Whom
from pipeline.desk.person_section import Section, own_name, own_words, words

TITLES = {
    "links": "名单与名册的对应", "unlinked": "号码相同而未对应的记录", "family_links": "家庭关系的对应",
    "pairs": "比对过的记录（只列位置）", "outcomes": "各项待遇的结论", "money": "少领金额", "findings": "核查事项",
    "visits": "走访迹象", "reminders": "换证提醒", "comparisons": "部门比对", "cases": "疑点台账", "unreadable": "读不了的行",
}  # fmt: skip
_HEADINGS = {
    "dataset": "名单", "source_file": "文件", "sheet": "工作表", "source_row": "行", "certificate_number": "残疾人证号",
    "id_number": "身份证号", "number": "身份证号", "name": "姓名", "county_code": "县", "method": "对应方法",
    "match_probability": "可能性", "decision": "判定", "benefit": "待遇", "outcome": "结论", "strength": "性质", "reason": "说明",
    "rule_version": "规则版本", "finding": "事项", "yuan_a_month": "每月元", "yuan_once": "一次性元", "signs": "迹象",
    "weight": "分量", "monitored": "监测对象", "valid_until": "证件有效期至", "stage": "阶段", "times_reminded": "提醒次数",
    "last_reminded": "上次提醒", "escalated": "升级", "benefits": "涉及待遇", "pair": "比对项", "subject": "事项",
    "case_number": "疑点编号", "state": "状态", "first_seen": "首次发现", "last_seen": "最近发现", "settled_on": "销号日期",
    "times_sent": "下发次数", "due_on": "反馈截止", "through": "经由", "family": "家庭编号",
}  # fmt: skip
# Of compared pairs only the place: the rest tells of a row that may be somebody else's.
_OF_PAIRS = ("dataset", "source_file", "sheet", "source_row", "method", "decision", "match_probability")
_QUOTED = re.compile("“([^”]*)”")
_RERUN = "下一次 `reconcile run` 整表重写"


def his_lines(path: Path, one: Whom) -> pl.Series:
    """Which lines of a result table are about him. Raises OSError, polars errors."""
    scan = pl.scan_parquet(path)
    there = scan.collect_schema().names()
    if "number" in there:
        return scan.select(one.own(pl.col("number")).alias("his")).collect().to_series()
    if "certificate_number" not in there:
        return pl.Series("his", [], dtype=pl.Boolean)
    if "id_number" not in there:
        return scan.select(one.own(pl.col("certificate_number")).alias("his")).collect().to_series()
    return scan.select(one.own_row().alias("his")).collect().to_series()


def tables_of(results: Path, one: Whom) -> Iterator[tuple[Path, pl.Series]]:
    """Every result table in which he stands, with his lines marked. Raises OSError, polars errors."""
    for path in sorted(results.glob("*.parquet")):
        his = his_lines(path, one)
        if his.any():
            yield path, his


def _cell(column: str, line: Mapping[str, Any], one: Whom) -> str:
    """A value of a line. Whose name stands beside his own in a contradiction of names is somebody else."""
    if column == "name":
        return own_name(line[column], one)
    said = own_words(line[column], one)
    if column == "reason" and line.get("finding") == "id_name_conflict":
        return _QUOTED.sub(lambda found: f"“{own_name(found[1], one)}”", said)
    return said


def table_sections(results: Path, one: Whom) -> list[Section]:
    """A section a table, the known ones in a reader's order."""
    found = dict(tables_of(results, one))
    order = [*TITLES, *sorted(path.stem for path in found)]
    by_name = {path.stem: (path, his) for path, his in found.items()}
    sections = []
    for name in dict.fromkeys(order):
        if name not in by_name:
            continue
        path, his = by_name[name]
        lines = pl.read_parquet(path).filter(his)
        shown = [c for c in lines.columns if name != "pairs" or c in _OF_PAIRS]
        rows = tuple(
            tuple(_cell(column, line, one) for column in shown) for line in lines.iter_rows(named=True)
        )
        heads = tuple(_HEADINGS.get(column, column) for column in shown)
        sections.append(Section(TITLES.get(name, name), words(f"results/{path.name}"), _RERUN, heads, rows))
    return sections
