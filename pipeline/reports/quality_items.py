"""What a department can repair in its exports: lists that were not accepted, what stopped them, cells that cannot be used.

Counts, reasons and places only. File names are masked, values of cells never stand here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import polars as pl

from pipeline.contracts.dataset import FieldSpec
from pipeline.contracts.delivered import BLANK, UNREAD, WRITTEN, FieldQuality, Place
from pipeline.identity.mask import mask_text
from pipeline.reports.methods import denial_words
from pipeline.reports.next_steps import SEVERITY_WORDS
from pipeline.reports.night import STATUS_WORDS, NightForReports
from pipeline.reports.quality_page import KIND_WORDS
from pipeline.reports.row_words import shown_places
from pipeline.reports.wanting import waiting_people

NOT_ACCEPTED, STOPPED, CELLS, ROWS = "未采用", "读取问题", "填写", "号码与本人不符"
_LONG = re.compile("[0-9]{9,}")  # what the mask of people's numbers leaves; a date has eight digits
_EXPORT_AS_TEXT = "从业务系统重新导出，号码列设为文本；不要用表格软件打开后另存"
_CURES = {
    "missing": "补填证件号码",
    "placeholder": "补填真实号码；确实没有的留空",
    "masked": "导出时不要隐藏号码",
    "numeric_cell": _EXPORT_AS_TEXT,
    "scientific": _EXPORT_AS_TEXT,
    "excel_zeros": _EXPORT_AS_TEXT,
    "several": "一格只填一个号码，其余的另起一行",
}
_BY_STATUS = {
    "missing": "按月导出并送到收件夹；没有发生业务的，也请送一份只有表头的名册",
    "stale": "请送最近一期的名册",
    "quarantined": "请核对后重新导出",
}


@dataclass(frozen=True)
class Item:
    """One line. `county` is a code or "" for the prefecture; `rows` are rows concerned, `waiting` people who wait for the list.

    `row` is the one row that it is about, `places` the first of several (each sheet as it may be shown).
    """

    kind: str
    dataset: str
    county: str
    what: str
    why: str
    cure: str
    file: str = ""
    sheet: str = ""
    row: int = 0
    column: str = ""
    rows: int = 0
    waiting: int = 0
    places: tuple[Place, ...] = ()

    @property
    def known_places(self) -> tuple[Place, ...]:
        """Where the rows concerned stand, as far as it is known."""
        return self.places or (((self.sheet, self.row),) if self.row else ())

    @property
    def order(self) -> tuple[object, ...]:
        """Most people waiting first, then by kind, most rows, and everything else: total."""
        kind = (NOT_ACCEPTED, STOPPED, CELLS, ROWS).index(self.kind)
        place = (self.dataset, self.county, self.file, self.sheet, self.row, self.column)
        return (-self.waiting, kind, -self.rows, *place, self.what, self.why, self.cure, self.places)


def quality_items(night: NightForReports) -> dict[str, list[Item]]:
    """Department's folder (civil_affairs …) → what it can repair, what most people wait for first. Every department of a list is
    there, also with nothing."""
    items: dict[str, list[Item]] = {key.split("/")[0]: [] for key in night.datasets}
    waiting = waiting_people(night)
    found = {*_not_accepted(night, waiting), *_stopped(night, waiting), *_cells(night), *_denied(night)}
    for item in found:
        items.setdefault(item.dataset.split("/")[0], []).append(item)
    return {department: sorted(own, key=lambda item: item.order) for department, own in items.items()}


def _not_accepted(night: NightForReports, waiting: Mapping[tuple[str, str], int]) -> Iterator[Item]:
    """Lists by county, but those of which a problem says better what stopped them."""
    stopped = {(p.dataset, p.county) for p in night.problems if p.severity == "error"}
    refused = night.coverage.filter(pl.col("status") != "accepted")
    for dataset, county, status, on, why in refused.select(
        "dataset", "county_code", "status", "snapshot_date", "why"
    ).iter_rows():
        if status == "quarantined" and stopped & {(dataset, county or ""), (dataset, "")}:
            continue
        word = STATUS_WORDS.get(status, status)
        dated = f"{word}（名册日期{on:%Y-%m-%d}）" if on and status != "missing" else word
        people = waiting.get((dataset, county), 0)
        cure = _BY_STATUS.get(status, _BY_STATUS["quarantined"])
        yield Item(NOT_ACCEPTED, dataset, county or "", dated, masked_place(why or ""), cure, waiting=people)


def _stopped(night: NightForReports, waiting: Mapping[tuple[str, str], int]) -> Iterator[Item]:
    """Errors and warnings of a list; notes need nothing done."""
    for problem in night.problems:
        dataset = problem.dataset or _of_folder(night, problem.file)
        if problem.severity == "note" or not dataset:
            continue
        own = [
            people
            for (key, county), people in waiting.items()
            if key == dataset and problem.county in ("", county)
        ]
        place = (masked_place(problem.file), masked_place(problem.sheet), problem.row)
        yield Item(
            STOPPED,
            dataset,
            problem.county,
            f"{SEVERITY_WORDS.get(problem.severity, problem.severity)} {problem.code} {masked_place(problem.what)}",
            masked_place(problem.why),
            masked_place(problem.cure),
            *place,
            masked_place(problem.column),
            1 if problem.row else 0,
            sum(own) if problem.severity == "error" else 0,
        )


def _of_folder(night: NightForReports, file: str) -> str:
    """The list in whose folder the file lies; the department's folder alone where the file is in none of a list; "" elsewhere."""
    department, _, rest = file.partition("/")
    key = f"{department}/{rest.partition('/')[0]}"
    if key in night.datasets:
        return key
    return f"{department}/" if any(known.startswith(f"{department}/") for known in night.datasets) else ""


def _cells(night: NightForReports) -> Iterator[Item]:
    """Cells that cannot be used, by file, column and reason; a code that no list knows is counted, not shown."""
    for q in night.quality:
        dataset = night.datasets.get(q.dataset)
        spec = dataset.fields.get(q.field) if dataset else None
        if spec is None:
            continue
        counts: dict[tuple[str, str], int] = {}
        places: dict[tuple[str, str], tuple[Place, ...]] = {}
        for kind, count in _counted(q, spec):
            reason = _reason(kind, spec)
            counts[reason] = counts.get(reason, 0) + count
        for kind, where in q.places:
            reason = _reason(kind, spec)
            places[reason] = (*places.get(reason, ()), *where)
        for (said, cure), count in counts.items():
            why = f"{q.rows}行中有{count}行"
            file = masked_place(q.source_file)
            where = shown_places((masked_place(sheet), row) for sheet, row in places.get((said, cure), ()))
            sheet = "、".join(dict.fromkeys(sheet for sheet, _ in where))
            item = Item(CELLS, q.dataset, q.county, said, why, cure, file, sheet, 0, spec.title, count)
            yield replace(item, places=where)


def _counted(q: FieldQuality, spec: FieldSpec) -> Iterator[tuple[str, int]]:
    """By reason how many cells. What identifiers suffer from is told by kind, whatever else cannot be read is one reason."""
    of_number = spec.type in ("id", "certificate")
    if of_number:
        yield from q.by_kind
    elif q.damaged:
        yield UNREAD, q.damaged
    if spec.required and q.blank:
        yield BLANK, q.blank


def _reason(kind: str, spec: FieldSpec) -> tuple[str, str]:
    """What is said of such a cell, and the cure."""
    if kind == BLANK:
        return "空白", "补填；确实没有的请说明"
    if kind == UNREAD and spec.type == "code":
        return "不认识的写法", "改用规定的写法；确有新写法的，请告知它的含义"
    if kind == UNREAD:
        return "读不出来", f"改成 {WRITTEN[spec.type]} 的写法" if spec.type in WRITTEN else "改成数字"
    return KIND_WORDS.get(kind, "不能用"), _CURES.get(kind, "对照证件或原件改正")


def _denied(night: NightForReports) -> Iterator[Item]:
    """Rows whose number is somebody's of the register, while the row itself says that it is another person."""
    rows = night.unlinked.lazy().select("dataset", "source_file", "source_row", "reason").unique().collect()
    for dataset, file, row, reason in rows.iter_rows():
        why = f"与名册中该号码的人不是同一人（{denial_words(reason)}）"
        cure = "对照证件核对本行的号码与姓名、出生日期、性别"
        what = "号码可能填成了别人的"
        yield Item(ROWS, dataset, "", what, why, cure, file=masked_place(file), row=row, rows=1)


def masked_place(text: str) -> str:
    """A file's, sheet's or column's name, or a reason, without a number of a person in it; dates stay."""
    if not any(map(str.isdecimal, text)):
        return text
    folded = "".join(
        str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text
    )  # full-width digits, too
    return _LONG.sub(lambda found: "*" * len(found[0]), mask_text(folded))
