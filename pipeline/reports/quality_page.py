"""Data quality by department: counts and reasons that a department can act on, never a person's value."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from pipeline.contracts.dataset import FieldSpec
from pipeline.reports.night import NightForReports

# What the identity room calls the ways an ID number can be unusable.
KIND_WORDS = {
    "missing": "空白",
    "placeholder": "占位写法（无、0 等）",
    "masked": "带星号",
    "numeric_cell": "存成数字，末几位丢失",
    "scientific": "科学计数法",
    "excel_zeros": "末几位成了 0",
    "length": "位数不对",
    "characters": "有不该有的字符",
    "date": "日期不存在",
    "checksum": "校验位不符",
    "several": "一格多个号码",
}
_MOST_KINDS = 6
_LONG_NUMBER = re.compile("[0-9]{7,}[0-9Xx]?")


@dataclass(frozen=True)
class QualityLine:
    """One column of one list, all its files together. `reasons` is said most frequent first."""

    title: str
    column: str
    files: int
    rows: int
    blank: int
    damaged: int
    reasons: str


def quality_by_department(night: NightForReports) -> dict[str, list[QualityLine]]:
    """Department -> the columns worth a word: something unusable, or blanks where the list cannot do without."""
    pages: dict[str, list[QualityLine]] = {}
    for key, dataset in night.datasets.items():
        for field, spec in dataset.fields.items():
            line = _line(night, key, dataset.title, field, spec)
            if line is not None:
                pages.setdefault(dataset.department, []).append(line)
    return pages


def unknown_spellings(night: NightForReports) -> int:
    """How many different code values no list knows."""
    coded = {
        (key, field)
        for key, dataset in night.datasets.items()
        for field, spec in dataset.fields.items()
        if spec.type == "code"
    }
    return len(
        {
            (q.dataset, q.field, kind)
            for q in night.quality
            if (q.dataset, q.field) in coded
            for kind, _ in q.by_kind
            if kind not in KIND_WORDS
        }
    )


def _line(night: NightForReports, key: str, title: str, field: str, spec: FieldSpec) -> QualityLine | None:
    counts = [q for q in night.quality if q.dataset == key and q.field == field]
    damaged = sum(q.damaged for q in counts)
    blank = sum(q.blank for q in counts)
    if not damaged and not (blank and spec.required):
        return None
    kinds: Counter[str] = Counter()
    for q in counts:
        kinds.update(dict(q.by_kind))
    return QualityLine(
        title,
        spec.title,
        len({(q.county, q.source_file) for q in counts}),
        sum(q.rows for q in counts),
        blank,
        damaged,
        _reasons(kinds, spec),
    )


def _reasons(kinds: Counter[str], spec: FieldSpec) -> str:
    ordered = sorted(kinds.items(), key=lambda kind: (-kind[1], kind[0]))
    words = [f"{_word(kind, spec)} {count:,}" for kind, count in ordered[:_MOST_KINDS]]
    more = len(ordered) - _MOST_KINDS
    return "；".join(words) + (f"；另 {more} 种" if more > 0 else "")


def _word(kind: str, spec: FieldSpec) -> str:
    known = KIND_WORDS.get(kind)
    if known:
        return known
    shown = _LONG_NUMBER.sub("********", kind)[:20]
    return f"未知写法“{shown}”" if spec.type == "code" else shown
