"""Changes a finished workbook the way a mix-up or a bad template would: on its XML, so that nothing else changes."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable

_ROW = re.compile(r'<row r="([0-9]+)".*?</row>', re.DOTALL)


def parts_of(book: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(book)) as file:
        return {name: file.read(name).decode() for name in file.namelist()}


def packed(parts: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in parts.items():
            file.writestr(name, text)
    return out.getvalue()


def sheet_part(parts: dict[str, str], sheet: str) -> str:
    names = re.findall(r'<sheet name="([^"]*)"', parts["xl/workbook.xml"])
    return f"xl/worksheets/sheet{names.index(sheet) + 1}.xml"


def sheets_of(book: bytes) -> list[str]:
    return re.findall(r'<sheet name="([^"]*)"', parts_of(book)["xl/workbook.xml"])


def changed(book: bytes, part: str, how: Callable[[str], str]) -> bytes:
    parts = parts_of(book)
    before = parts[part]
    parts[part] = how(before)
    assert parts[part] != before
    return packed(parts)


def with_sheet(book: bytes, sheet: str, how: Callable[[str], str]) -> bytes:
    return changed(book, sheet_part(parts_of(book), sheet), how)


def rows(book: bytes, sheet: str) -> list[str]:
    """The rows' XML, header and notes among them."""
    parts = parts_of(book)
    return [found[0] for found in _ROW.finditer(parts[sheet_part(parts, sheet)])]


def numbered(row: str, number: int) -> str:
    """The row at another place."""
    row = re.sub(r'<row r="[0-9]+"', f'<row r="{number}"', row)
    return re.sub(r'<c r="([A-Z]+)[0-9]+"', rf'<c r="\g<1>{number}"', row)


def with_last_row(book: bytes, sheet: str, row: str) -> bytes:
    """The last row is another."""
    last = rows(book, sheet)[-1]
    number = int(re.findall(r'<row r="([0-9]+)"', last)[0])
    return with_sheet(book, sheet, lambda xml: xml.replace(last, numbered(row, number)))


def with_row_added(book: bytes, sheet: str, row: str) -> bytes:
    last = rows(book, sheet)[-1]
    number = int(re.findall(r'<row r="([0-9]+)"', last)[0]) + 1
    return with_sheet(book, sheet, lambda xml: xml.replace(last, last + numbered(row, number)))


def without_last_row(book: bytes, sheet: str) -> bytes:
    last = rows(book, sheet)[-1]
    return with_sheet(book, sheet, lambda xml: xml.replace(last, ""))


def cell_texts(row: str) -> list[str]:
    return re.findall(r"<t[^>]*>([^<]*)</t>", row)
