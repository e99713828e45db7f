"""A department's quality letter: what of its exports could not be used and why, where, and what to do, without personal data."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from pipeline.cases.person_rights import Correction
from pipeline.identity.number_net import cell_without, plain, text_refused, text_without, without_masks
from pipeline.reports.correction_words import correction_words
from pipeline.reports.letter_text import discreet, said_outside, wrapped
from pipeline.reports.night import NightForReports
from pipeline.reports.quality_items import (
    CELLS,
    NOT_ACCEPTED,
    ROWS,
    STOPPED,
    Item,
    masked_place,
    quality_items,
)
from pipeline.reports.row_words import place_words, row_number, row_words
from pipeline.reports.safe_text import safe_cell

COLUMNS = (
    "类别", "名册", "县(市、区)", "文件", "工作表", "行", "列", "问题", "原因", "办法", "涉及行数", "等待判断人数",
)  # fmt: skip
MOST_ROWS = 5_000
_SHOWN = 6  # of a kind, in the body
_SHOWN_NOTES = 10
_SHOWN_ROWS = 10
_LONGEST_NOTE = 60
_YEARS = 5  # around the letter's: what else looks like a date may be a part of somebody's number
_DAY = re.compile(r"(?<![0-9])(20[0-9]{2})(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?![0-9])")
ASKED = "请求更正"
_FEDERATION = "残联"


@dataclass(frozen=True)
class QualityLetter:
    """`stem` is the attachment's name without ending; `csv_bytes` has `rows` lines under COLUMNS (UTF-8 with BOM, CRLF)."""

    subject: str
    body: str
    stem: str
    csv_bytes: bytes = field(repr=False)
    rows: int


def quality_letters(
    night: NightForReports, corrections: Sequence[Correction] = ()
) -> dict[str, QualityLetter | None]:
    """Department's folder name (civil_affairs …) → its letter, None where there is nothing to repair.

    `corrections`: what somebody asked to be corrected in its data, in words without his name or number. The order of the lines is total, so that the same night gives the same bytes.
    """
    letters: dict[str, QualityLetter | None] = {}
    for department, items in quality_items(night).items():
        notes = [one for one in corrections if one.department == department]
        letters[department] = _letter(night, department, items, notes) if items or notes else None
    return letters


def _letter(
    night: NightForReports, department: str, items: Sequence[Item], notes: Sequence[Correction]
) -> QualityLetter:
    name = next((d.department for key, d in night.datasets.items() if key.startswith(f"{department}/")), "")
    others = sum(item.kind != NOT_ACCEPTED for item in items)
    counts = f"未采用{_refused_lists(night, department)} 待修正{others}" + (
        f" 更正{len(notes)}" if notes else ""
    )
    data, rows = _csv(night, items, notes)
    outside = said_outside(name)
    return QualityLetter(
        subject=f"[核对]{outside} 名册质量 {night.as_of:%Y-%m-%d} {counts}".replace("] ", "]"),
        body=_body(night, _plain(name), items, notes),
        stem="_".join(filter(None, ("名册质量", outside, f"{night.as_of:%Y-%m-%d}"))),
        csv_bytes=data,
        rows=rows,
    )


def _plain(text: str) -> str:
    """As the body says it: no word of what kind of people it is about but in the name of the department that is written to."""
    return discreet(text, _FEDERATION)


def _refused_lists(night: NightForReports, department: str) -> int:
    """How many deliveries are wanting: one of the prefecture is one, however many counties wait for it."""
    refused = night.coverage.filter(pl.col("status") != "accepted").select("dataset", "county_code").rows()
    known = {key: d for key, d in night.datasets.items() if key.startswith(f"{department}/")}
    return len(
        {(key, known[key].delivery.by == "county" and county) for key, county in refused if key in known}
    )


def _csv(night: NightForReports, items: Sequence[Item], notes: Sequence[Correction]) -> tuple[bytes, int]:
    """The lines and their number, what people asked for first, the closing one of a list that is too long among them.

    A department may name a file or sheet as it likes: what the egress check would catch in a cell is left out of it.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    asked = [line for note in notes for line in _asked_cells(night, note)]
    named = {number for note in notes for number in note.waiting}
    for line in (*asked, *(_cells(night, item) for item in items[:MOST_ROWS])):
        writer.writerow([safe_cell(cell_without(cell, named)) for cell in line])
    more = len(items) - MOST_ROWS
    if more > 0:
        closing = f"另有{more}条没有列出，先修正以上各条"
        writer.writerow(["", "", "", "", "", "", "", closing, "", "", "", ""])
    return text.getvalue().encode("utf-8-sig"), len(asked) + min(len(items), MOST_ROWS) + (more > 0)


def _asked_cells(night: NightForReports, note: Correction) -> Iterator[list[str]]:
    """A line a place in which the person stands, one without a place where none is known."""
    cases = "、".join(note.waiting)
    why = f"有人请求更正{f'（疑点 {cases}）' if cases else ''}"
    cure = "对照原件核对本行，有误的改正后重新报送"
    for place in note.places or (None,):
        where = ("", "", "", "", "", "")
        if place:
            county = night.county_name(place.county) if place.county else ""
            file = (place.file, place.sheet, row_number(place.row), place.column)
            where = (night.list_title(place.dataset), county, *file)
        said = text_without(masked_place(note.note), night.as_of, note.waiting)
        yield [ASKED, *map(masked_place, where), said, why, cure, "1", ""]


def _cells(night: NightForReports, item: Item) -> list[str]:
    return [
        item.kind,
        _title(night, item),
        night.county_name(item.county) if item.county else "",
        item.file,
        item.sheet,
        place_words(item.known_places, item.rows),
        item.column,
        item.what,
        item.why,
        item.cure,
        str(item.rows) if item.rows else "",
        str(item.waiting) if item.waiting else "",
    ]


def _title(night: NightForReports, item: Item) -> str:
    return "" if item.dataset.endswith("/") else night.list_title(item.dataset)


def _body(night: NightForReports, name: str, items: Sequence[Item], notes: Sequence[Correction]) -> str:
    contact = night.settings.mail.contact
    people = max((item.waiting for item in items), default=0)
    waiting = {number for note in notes for number in note.waiting}
    told = [
        *_section("没有采用的名册", _refused_lines(night, items)),
        *_section("读取中的问题", _lines(night, items, STOPPED)),
        *_section("填写中的问题", _lines(night, items, CELLS)),
        *_section("号码与本人不符的行", _lines(night, items, ROWS)),
        *_section("有人请求更正的", _note_lines(night, notes)),
    ]
    lines = [
        f"{name}：",
        "",
        f"{night.as_of.year}年{night.as_of.month}月{night.as_of.day}日名册核对中，贵单位报送的名册有以下情况，请核对后重新导出。"
        + (f"因名册没有采用而不能判断的，一个县最多有{people}人。" if people else ""),
        *(text_without(line, night.as_of, waiting) for line in told),
        "",
        "附件逐条写明文件、工作表、行、列和改正办法，不含个人信息，可直接用表格软件打开。",
        "改好后按原来的文件名格式重新报送，下次核对即采用，不必回复本邮件。",
        *([f"有疑问请联系：{contact}"] if contact else []),
        "本邮件由程序自动生成。",
    ]
    return wrapped(lines)


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return ["", f"【{title}】", *lines] if lines else []


def _refused_lines(night: NightForReports, items: Sequence[Item]) -> list[str]:
    """《临时救助台账》：德钦县、维西县未到，等待判断120人。办法：…"""
    groups: dict[tuple[str, str, str], list[Item]] = {}
    for item in items:
        if item.kind == NOT_ACCEPTED:
            groups.setdefault((item.dataset, item.what, item.cure), []).append(item)
    lines = []
    for (_, what, cure), own in groups.items():
        counties = [night.county_name(item.county) for item in own if item.county]
        everywhere = len(counties) >= len(night.counties) > 1
        where = "各县（市、区）" if everywhere else "、".join(counties)
        waiting = sum(item.waiting for item in own)
        wait = f"，等待判断{waiting}人" if waiting else ""
        lines.append(f"《{_plain(_title(night, own[0]))}》：{where}{what}{wait}。办法：{cure}。")
    return _short(lines)


def _lines(night: NightForReports, items: Sequence[Item], kind: str) -> list[str]:
    """《…》“身份证号”列校验位不符：3份文件、12行。办法：…"""
    groups: dict[tuple[str, str, str, str], list[Item]] = {}
    for item in items:
        if item.kind == kind:
            groups.setdefault((item.dataset, item.column, item.what, item.cure), []).append(item)
    lines = []
    for (_, column, what, cure), own in groups.items():
        files, rows = len({item.file for item in own}), sum(item.rows for item in own)
        waiting = sum(item.waiting for item in own)
        title = _title(night, own[0])
        lines.append(
            f"{f'《{_plain(title)}》' if title else ''}{f'“{column}”列' if column else ''}{_plain(what)}：{files}份文件"
            f"{_rows_words(night, own, rows)}{f'，等待判断{waiting}人' if waiting else ''}。办法：{_plain(cure)}。"
        )
    return _short(lines)


def _rows_words(night: NightForReports, items: Sequence[Item], rows: int) -> str:
    """，示例市第3、5行，东川县第8至10行等12行: whose, never the name of a file or sheet, which may hold digits. Where that would not
    say which file or sheet is meant they are only counted: the attachment has each place."""
    if not rows:
        return ""
    whose: dict[str, set[tuple[str, str]]] = {}
    for item in items:
        for sheet, _ in item.known_places:
            whose.setdefault(item.county, set()).add((item.file, sheet))
    clear = {county for county, files in whose.items() if len(files) == 1 and (county or len(whose) == 1)}
    places = [(item.county, row) for item in items for _, row in item.known_places if item.county in clear]
    if not places:
        return f"、{rows}行"
    shown: dict[str, list[int]] = {}
    for county, row in sorted(set(places))[:_SHOWN_ROWS]:
        shown.setdefault(county, []).append(row)
    parts = [
        f"{night.county_name(county) if county else ''}第{row_words(own)}行" for county, own in shown.items()
    ]
    told = sum(map(len, shown.values()))
    return f"，{'，'.join(parts)}" + (f"等{rows}行" if told < rows else f"，共{rows}行" if rows > 1 else "")


def _note_lines(night: NightForReports, notes: Sequence[Correction]) -> list[str]:
    """What is wrong and where; the name of a file only where it holds no number but a date of these years."""

    def shown(file: str) -> bool:
        folded = plain(file)  # as the egress check reads it
        years = range(night.as_of.year - _YEARS, night.as_of.year + _YEARS + 1)
        bare = _DAY.sub(lambda day: "" if int(day[1]) in years else day[0], folded)
        return (
            _plain(folded) == folded
            and not re.search("[0-9]{7}|[*]", bare)
            and not text_refused(folded, night.as_of, ())
        )

    told = []
    for note in notes:
        short = replace(note, note=masked_place(" ".join(note.note.split()))[:_LONGEST_NOTE])
        told.append(_plain("；".join(correction_words(short, night.list_title, night.county_name, shown))))
    return _short(told, _SHOWN_NOTES)


def _short(lines: Iterable[str], most: int = _SHOWN) -> list[str]:
    """Numbered; what is beyond stands in the attachment."""
    told = [f"{number}. {without_masks(line)}" for number, line in enumerate(lines, start=1)]
    return told if len(told) <= most else [*told[:most], f"另有{len(told) - most}项。"]
