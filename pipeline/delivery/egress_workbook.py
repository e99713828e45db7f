"""Opens a workbook for the check: its XML for what must not be in it, its cells with another reader than wrote them."""

from __future__ import annotations

import html
import io
import re
import zipfile
from dataclasses import dataclass
from datetime import date

from python_calamine import CalamineWorkbook, SheetVisibleEnum

from pipeline.identity.number_net import has_number

# The parts that this house's writer makes. Comments, drawings, links, macros, custom XML are none of them.
_PARTS = re.compile(
    r"\[Content_Types\]\.xml|_rels/\.rels|xl/_rels/workbook\.xml\.rels"
    r"|(?:docProps/(?:app|core)|xl/(?:workbook|styles|theme/theme1|worksheets/sheet[0-9]+))\.xml"
)
_LARGEST = 1 << 30  # bytes unpacked
_XML = re.compile(rb'<\?xml version="1\.0" encoding="UTF-8" standalone="yes"\?>\s')
_PREFIX = re.compile(rb"xmlns:(\w+)=")
_FORMULA = (b"<f>", b"<f ", b"<f/", b"<f\t", b"<f\r", b"<f\n")
_HIDDEN_PART = re.compile(rb"<(?:row|col)\s[^>]*\bhidden=\"(?:1|true)\"")
_HIDDEN_SHEET = re.compile(rb"<sheet\s[^>]*\bstate=")
_LINK = re.compile(
    rb"TargetMode=|<(?:hyperlink|externalReference|oleObject|legacyDrawing|drawing|control)\b|vbaProject|macroEnabled"
)
_NAME = re.compile(rb"<definedName\s[^>]*name=\"(?!_xlnm\.)")
_TEXTS = re.compile(rb">([^<>]+)<|=\"([^\"]*)\"")
_MEASURE = re.compile(r"-?[0-9]{1,6}\.[0-9]+(?:[eE][+-]?[0-9]+)?")  # a width or height may have many places
_CREATED = re.compile(rb"<dcterms:created[^>]*>([0-9]{4})-([0-9]{2})-[0-9]{2}T")


@dataclass(frozen=True)
class Book:
    """Sheets in their order: name -> rows of cells. A cell is a text; what is none is marked by `numbers`."""

    sheets: dict[str, list[list[str]]]
    numbers: frozenset[str]  # sheets with cells that are no text
    month: tuple[int, int]  # of its making
    reasons: tuple[str, ...]  # what must not be in it


def open_workbook(data: bytes) -> Book:
    """Raises whatever the readers raise where it is no workbook."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        entries = file.infolist()
        names = [entry.filename for entry in entries]
        if sum(entry.file_size for entry in entries) > _LARGEST:
            raise ValueError("too large")
        parts = {name: file.read(name) for name in names if _PARTS.fullmatch(name)}
    reasons = ["工作簿里有不认识的部分（宏、链接、批注等）"] if len(parts) != len(names) else []
    reasons += [reason for name, xml in parts.items() for reason in _forbidden(name, xml)]
    created = _CREATED.search(parts.get("docProps/core.xml", b""))
    month = (int(created[1]), int(created[2])) if created else (0, 0)
    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    if any(sheet.visible != SheetVisibleEnum.Visible for sheet in book.sheets_metadata):
        reasons.append("工作簿有隐藏的工作表")
    sheets, numbers = {}, set()
    for name in book.sheet_names:
        rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        sheets[name] = [[cell if isinstance(cell, str) else _text(cell) for cell in row] for row in rows]
        if rows != sheets[name]:
            numbers.add(name)
    return Book(sheets, frozenset(numbers), month, tuple(dict.fromkeys(reasons)))


def _forbidden(name: str, xml: bytes) -> list[str]:
    reasons = []
    outside = _without_cells(xml)
    # no second name for the elements that are looked for below
    renamed = name.startswith("xl/") and set(_PREFIX.findall(xml)) - {b"r", b"a"}
    if not _XML.match(xml) or b"<!" in xml or renamed:
        reasons.append("工作簿里有不认识的部分（XML 写法不同）")
    if any(begin in xml for begin in _FORMULA):
        reasons.append("工作簿里有公式")
    if _HIDDEN_SHEET.search(outside):
        reasons.append("工作簿有隐藏的工作表")
    if b"hidden=" in xml and _HIDDEN_PART.search(xml):
        reasons.append("工作表有隐藏的行或列")
    if _LINK.search(outside) or _NAME.search(outside):
        reasons.append("工作簿里有链接、宏或自定义名称")
    # titles, headers, hints: everything that is no cell
    for text, value in _TEXTS.findall(outside):
        words = html.unescape((text or value).decode("utf-8"))
        if not _MEASURE.fullmatch(words) and has_number(words):
            reasons.append("工作簿的标题、页眉或提示里有未掩码的号码")
    return reasons


def _without_cells(xml: bytes) -> bytes:
    begin, end = xml.find(b"<sheetData>"), xml.rfind(b"</sheetData>")
    return xml if begin < 0 else xml[:begin] + xml[end:]


def _text(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell.isoformat() if isinstance(cell, date) else str(cell)
