"""What must never be opened, and what must never be an unexpected error."""

from __future__ import annotations

import os
import struct
import zipfile
from datetime import date
from pathlib import Path

import pytest

from pipeline.contracts.dataset import load_datasets
from pipeline.contracts.settings import Settings
from pipeline.intake.find import Candidate
from pipeline.intake.one_file import read_file

DATASET = load_datasets(Path(__file__).parents[2] / "schemas")["civil_affairs/deaths"]


def codes(path: Path, tmp_path: Path) -> list[str]:
    candidate = Candidate(DATASET.dataset, "", date(2026, 10, 31), f"civil_affairs/deaths/{path.name}", path)
    return [
        problem.code for problem in read_file(candidate, DATASET, Settings(), tmp_path / "scratch").errors
    ]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_refused_without_waiting_for_somebody_to_write(tmp_path: Path) -> None:
    path = tmp_path / "死亡_20261031.csv"
    os.mkfifo(path)
    assert codes(path, tmp_path) == ["E205"]


def test_a_workbook_whose_directory_points_before_its_beginning_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "死亡_20261031.xlsx"
    with zipfile.ZipFile(path, "w") as book:
        for name in ("[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml"):
            book.writestr(name, "<a/>")
    raw = bytearray(path.read_bytes())
    end = raw.rindex(b"PK\x05\x06")
    struct.pack_into(
        "<I", raw, end + 16, struct.unpack_from("<I", raw, end + 16)[0] + 1000
    )  # where the directory begins
    path.write_bytes(raw)
    assert codes(path, tmp_path) == ["E202"]
