"""Delimited text: cutting into blocks, physical lines, uneven records; against Python's csv module."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from deliveries import DATASETS, identity, insured_rows, table
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.intake.header_problems import HeaderProblem
from pipeline.intake.sniff import Unreadable
from pipeline.intake.text_decode import detect
from pipeline.intake.text_table import Layout, blocks, last_record, layout, read_block

DATASET = DATASETS["medical/insured"]
HEAD = "姓名,身份证号,年度,资助,地址\r\n"


def _plan(folder: Path, text: str, encoding: str = "gb18030") -> Layout:
    path = folder / "名单.csv"
    path.write_bytes(text.encode(encoding))
    return layout(path, detect(path), DATASET, "")


def _read(plan: Layout, size: int) -> tuple[list[list[str]], list[int], list[int]]:
    """All records, their physical lines, and the lines of uneven records."""
    rows: list[list[str]] = []
    lines: list[int] = []
    uneven: list[int] = []
    for block in blocks(plan, size):
        records = read_block(plan, block)
        rows += records.cells(list(range(records.table.num_rows)))
        lines += records.source_row.to_list()
        uneven += [row for row, _ in records.uneven]
    return rows, lines, uneven


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize("encoding", ["gb18030", "utf-8-sig"])
def test_the_delimiter_is_the_one_under_which_the_header_is_found(
    tmp_path: Path, delimiter: str, encoding: str
) -> None:
    text = table(("名单",), *insured_rows(3)).replace(",", delimiter)
    plan = _plan(tmp_path, text, encoding)
    assert (plan.delimiter, plan.row, plan.width) == (delimiter, 3, 5)
    rows, lines, _ = _read(plan, 1 << 20)
    assert lines == [3, 4, 5]
    assert [row[0] for row in rows] == ["丙0", "丙1", "丙2"]


def test_a_file_without_the_header_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HeaderProblem):
        _plan(tmp_path, "甲,乙\r\n1,2\r\n")


def test_big5_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unreadable) as refusal:
        _plan(tmp_path, "姓名,身份證號,年度\r\n" + "王大明,539901,臺東縣某鄉\r\n" * 9, "big5")
    assert refusal.value.problem.code == "E232"


@pytest.mark.parametrize("size", [64, 300, 1 << 20])
def test_line_breaks_in_cells_keep_the_physical_line(tmp_path: Path, size: int) -> None:
    body = '甲,1,2026,,"某乡\r\n某村"\r\n乙,2,2026,,"他说""好"""\r\n\r\n丙,3,2026,,某村,,\r\n丁,4,2026\r\n戊,5,2026,,某村\r\n'
    rows, lines, uneven = _read(_plan(tmp_path, HEAD + body), size)
    assert [(row[0], line) for row, line in zip(rows, lines, strict=True)] == [
        ("甲", 2),
        ("乙", 4),
        ("丙", 6),
        ("戊", 8),
    ]
    assert (rows[0][4], rows[1][4]) == ("某乡\r\n某村", '他说"好"')
    assert uneven == [7]


def test_a_quote_never_closed_is_named_with_its_line(tmp_path: Path) -> None:
    body = "".join(f"甲{n},1,2026,,某村\r\n" for n in range(200)).replace("甲20,1", '甲20,"1')
    with pytest.raises(Unreadable) as refusal:
        _read(_plan(tmp_path, HEAD + body), 1 << 20)
    assert (refusal.value.problem.code, refusal.value.problem.row) == ("E234", 22)


def test_a_stray_quote_inside_a_cell_hides_no_record(tmp_path: Path) -> None:
    body = "".join(f"甲{n},1,2026,,某村\r\n" for n in range(200)).replace(
        "甲20,1,2026,,某村", '甲20,1,2026,,5"楼'
    )
    rows, lines, uneven = _read(_plan(tmp_path, HEAD + body), 512)
    assert (len(rows), lines, uneven) == (200, list(range(2, 202)), [])


A, B = identity(1), identity(2)


@pytest.mark.parametrize(
    "body",
    [
        f'"甲,{A},2026,,村\r\n"乙,{B},2026,,村\r\n',
        f'甲,{A},2026,"无,村\r\n乙,{B},2026,"无,村\r\n',
        f'甲,"{A},2026,,村\r\n乙,"{B},2026,,村\r\n',
        f'甲,1,2026,,"村\r\n乙,{A[:17]}*,2026,,村\r\n丙,3,2026,,"村\r\n',
        '甲,1,2026,,"村\r\n乙,,2026,,村\r\n丙,3,2026,,"村\r\n',
    ],
)
def test_two_stray_quotes_swallow_no_record(tmp_path: Path, body: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        _read(_plan(tmp_path, HEAD + "丁,1,2026,,村\r\n" + body + "戊,1,2026,,村\r\n"), 1 << 20)
    assert (refusal.value.problem.code, refusal.value.problem.row) == ("E234", 3)


def test_a_line_break_in_an_id_or_an_address_is_no_stray_quote(tmp_path: Path) -> None:
    body = f'甲,"{A}\n",2026,,"某乡,某村\n3组"\r\n乙,"{A[:17]}\n{A[17:]}",2026,,村\r\n'
    rows, _, uneven = _read(_plan(tmp_path, HEAD + body), 1 << 20)
    assert ([row[0] for row in rows], uneven) == (["甲", "乙"], [])


def test_a_nul_byte_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(Unreadable) as refusal:
        _read(_plan(tmp_path, HEAD + "甲,1,2026,,\r\n" * 400 + "乙\0,2,2026,,\r\n"), 128)
    assert (refusal.value.problem.code, refusal.value.problem.row) == ("E233", 402)


def test_the_last_record(tmp_path: Path) -> None:
    assert last_record(_plan(tmp_path, HEAD + "甲,1,2026,,村\r\n\r\n")) == (
        ["甲", "1", "2026", "", "村"],
        True,
    )
    assert last_record(_plan(tmp_path, HEAD + '甲,1,2026,,"某\n村"')) == (
        ["甲", "1", "2026", "", "某\n村"],
        False,
    )
    assert last_record(_plan(tmp_path, HEAD))[0] == []


CELLS = st.text(st.sampled_from('甲乡村a1",\n\r |;\t　'), max_size=6)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(st.lists(CELLS, min_size=5, max_size=5), max_size=12), st.sampled_from((40, 97, 4096)))
def test_blocks_of_any_size_hold_what_the_csv_module_reads(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], size: int
) -> None:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([HEAD.strip().split(","), *rows])
    read, lines, uneven = _read(_plan(tmp_path_factory.mktemp("t"), text.getvalue()), size)
    kept = [row for row in rows if any(row)]
    assert [list(map(_plain, row)) for row in read if any(row)] == [list(map(_plain, row)) for row in kept]
    assert uneven == []
    assert lines == sorted(lines)


def _plain(cell: str) -> str:
    """A lone carriage return in a cell is as good as a blank."""
    return re.sub("\r(?!\n)", " ", cell)
