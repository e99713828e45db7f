"""A county's township files as a letter brings them: each under a name of the letter's, and an index that calls them so.

On the disk the index has the names on the disk. Who gets it by mail sees other names (Chinese ones as attachments, plain ones inside
an encrypted zip), and could not find a township by it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pipeline.delivery.letter import CSV, XLSX, Attachment
from pipeline.reports.townships import FOLDER, LIST

_INDEX, _PLAIN_INDEX = "乡镇目录", "list"


def township_files(county_folder: Path, stem: str, plain: str) -> tuple[Attachment, ...]:
    """The workbooks that the index names, then the index; nothing where the county has none. `stem`, `plain`: how its letter's
    names begin. What else lies there is somebody's own and does not travel."""
    folder = county_folder / FOLDER
    index = folder / LIST
    if not index.is_file():
        return ()
    data = index.read_bytes()
    names = {file: f"{stem}_乡镇{file}" for file in sorted(indexed(data))}
    books = [
        Attachment(name, f"{plain}-{file}", XLSX, (folder / file).read_bytes())
        for file, name in names.items()
    ]
    told = _renamed(data, names)
    return (*books, Attachment(f"{stem}_{_INDEX}.csv", f"{plain}-{_PLAIN_INDEX}.csv", CSV, told))


def as_inside_a_zip(files: Sequence[Attachment]) -> tuple[Attachment, ...]:
    """The files with an index that has their plain names: those are what a zip shows."""
    names = {file.name: file.plain_name for file in files}
    return tuple(
        replace(file, data=_renamed(file.data, names)) if is_index(file.name) else file for file in files
    )


def is_index(name: str) -> bool:
    """Whether a file of this name, of a letter or inside a zip, is the index."""
    return name.endswith(f"_{_INDEX}.csv") or (
        name.startswith("township-") and name.endswith(f"-{_PLAIN_INDEX}.csv")
    )


def indexed(data: bytes) -> frozenset[str]:
    """The files that an index names."""
    return frozenset(row[0] for row in _rows(data)[1:])


def _renamed(data: bytes, names: Mapping[str, str]) -> bytes:
    """Raises KeyError for a file that is not there: the index is not this letter's."""
    head, *rows = _rows(data)
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows([head, *([names[row[0]], *row[1:]] for row in rows)])
    return text.getvalue().encode("utf-8-sig")


def _rows(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True))
