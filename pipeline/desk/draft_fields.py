"""The columns of a delivered file as a first draft of a dataset's fields, for a person to correct.

Only headers are taken, never a value: a row that holds a number of a person, or no word a header usually has, is none.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.settings import Limits
from pipeline.intake.header_text import holds_number, plain
from pipeline.intake.html_table import read_html
from pipeline.intake.sniff import Kind, Unreadable, sniff
from pipeline.intake.text_decode import detect, fold
from pipeline.intake.text_table import DELIMITERS
from pipeline.intake.workbook import read_workbook

_SEARCHED_ROWS = 20
_HEAD_BYTES = 1 << 18
_COUNTERS = {"序号", "序", "行号", "编号"}
_USUAL = re.compile(
    "姓名|性别|证|号码|编号|日期|时间|年月|月份|年度|金额|元|标准|类别|类型|等级|状态|地址|住址|乡|村|区划|代码|电话|关系|名称|单位|备注|民族"
)
_OTHER_PERSON = re.compile(
    "户主|监护人|家长|代理人|代领人|联系人|经办人|领款人|收款人|开户人|申请人|配偶|父亲|母亲"
)
# The first that is found in the header says the type; what none says is text.
_TYPES = (
    (re.compile("残疾人?证(?!件?类|状态|日期|时间)"), "certificate"),
    (re.compile("身份证|公民身份"), "id"),
    (re.compile("年月日|日期|时间"), "date"),
    (re.compile("年月|月份"), "month"),
    (re.compile(r"金额|[（(/]元|元[)）]|元/"), "amount"),
    (re.compile("年度"), "year"),
    (re.compile("姓名"), "name"),
)
_OWN = {"name": "name", "id": "id", "certificate": "cert"}  # keys of the row's own person


@dataclass(frozen=True)
class DraftField:
    """A column to be: its key in the file, the header as delivered, the type the header suggests."""

    key: str
    header: str
    type: str
    own: bool  # the row's own name, ID or certificate number


@dataclass(frozen=True)
class Draft:
    """The columns, and the row and sheet they were read from."""

    fields: tuple[DraftField, ...]
    place: str


def draft_of(source: Path) -> Draft:
    """The draft. Raises ReconcileError: why the file cannot be read (E2xx), E115 where no row looks like a header."""
    try:
        tables = _tables(source)
    except Unreadable as error:
        raise ReconcileError(replace(error.problem, file=source.name)) from None
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise ReconcileError(
            Problem("E115", "error", "样本文件打不开", why, "核对路径", file=source.name)
        ) from None
    for sheet, rows in tables:
        at = header_row(rows)
        if at is not None:
            place = f"{source.name} {f'[{sheet}] ' if sheet else ''}第{at + 1}行"
            return Draft(tuple(_fields(rows[at])), place)
    why = f"前{_SEARCHED_ROWS}行中没有一行像表头：至少三格文字，下面有数据"
    raise ReconcileError(
        Problem(
            "E115",
            "error",
            "样本文件里没有找到表头",
            why,
            "不写 --from，在生成的文件里逐项填写",
            file=source.name,
        )
    )


def header_row(rows: Sequence[Sequence[str]]) -> int | None:
    """Index of the first row of three or more different texts that data follow: a guess, for a draft only."""
    for at, row in enumerate(rows[:_SEARCHED_ROWS]):
        cells = [
            plain(cell) for cell in row if ":" not in cell and "：" not in cell
        ]  # 填报单位：… is no header
        texts = {cell for cell in cells if cell and not re.fullmatch("[-0-9.,/年月日]+", cell)}
        usual = sum(bool(_USUAL.search(text)) for text in texts)
        below = next((other for other in rows[at + 1 :] if any(cell.strip() for cell in other)), [])
        filled = sum(bool(cell.strip()) for cell in below)
        if len(texts) >= 3 and usual >= 2 and not holds_number(row) and filled >= 3:
            return at
    return None


def type_of(header: str) -> str:
    """The field type that the header's words suggest."""
    return next((kind for words, kind in _TYPES if words.search(header)), "text")


def _fields(row: Iterable[str]) -> Iterable[DraftField]:
    seen: set[str] = set()
    keys: set[str] = set()
    for cell in row:
        header = re.sub(r"\s+", "", cell)
        if (
            not plain(header)
            or plain(header) in seen
            or plain(header) in _COUNTERS
            or re.search("[0-9]{6}", header)
        ):
            continue
        seen.add(plain(header))
        kind = type_of(header)
        own = kind in _OWN and _OWN[kind] not in keys and not _OTHER_PERSON.search(header)
        key = _OWN[kind] if own else _key(header, keys | set(_OWN.values()))
        keys.add(key)
        yield DraftField(key, header, kind, own)


def _key(header: str, taken: set[str]) -> str:
    """Small letters only: facts are written with them. Pinyin, so that it can be read and renamed."""
    from pypinyin import Style, lazy_pinyin  # its phrases take 0.4 s and 60 MB: no other command reads them

    words = re.findall("[a-z]+", " ".join(lazy_pinyin(header, style=Style.NORMAL, errors="default")).lower())
    base = "_".join(words) or "column"
    key, letter = base, "b"
    while key in taken:
        key, letter = f"{base}_{letter}", chr(ord(letter) + 1) if letter < "z" else "zb"
    return key


def _tables(source: Path) -> list[tuple[str, list[list[str]]]]:
    """Sheet name and rows of every table in the file."""
    kind = sniff(source)
    if kind is Kind.TEXT:
        return [("", _text_rows(source))]
    if kind is Kind.HTML:
        return [(sheet.name, sheet.rows) for sheet in read_html(source)]
    sheets = read_workbook(source, unpacked_limit_mb=Limits().workbook_mb)
    return [(sheet.name, sheet.rows) for sheet in sheets if sheet.visible]


def _text_rows(source: Path) -> list[list[str]]:
    """The first rows of a text file, by the delimiter that finds the widest header."""
    encoding = detect(source)
    with source.open("rb") as file:
        file.seek(encoding.mark)
        head = file.read(_HEAD_BYTES)
    try:
        text = fold(
            codecs.getincrementaldecoder(encoding.name)().decode(head)
        )  # a last character may be cut off
    except UnicodeDecodeError:
        problem = Problem("E231", "error", "文字编码有误", "读不成字", "请用 UTF-8 或 GB18030 编码重新导出")
        raise Unreadable(problem) from None
    readings = [_rows(text, delimiter) for delimiter in DELIMITERS]
    return max(readings, key=lambda rows: len(rows[at]) if (at := header_row(rows)) is not None else 0)


def _rows(text: str, delimiter: str) -> list[list[str]]:
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            rows.append(row)
            if len(rows) > 2 * _SEARCHED_ROWS:
                break
    except csv.Error:  # a quote that is never closed: what was read before may do
        pass
    return rows
