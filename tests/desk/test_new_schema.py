"""`schemas new` writes a file that is valid as it stands, from a template or from a delivered file's headers."""

from __future__ import annotations

from pathlib import Path

import pytest
import xlsxwriter
from desk_files import folders
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import desk
from pipeline.contracts.dataset import load_dataset
from pipeline.contracts.problem import ReconcileError
from pipeline.desk.draft_fields import header_row, type_of

HEADER = [
    "序号",
    "姓名",
    "身份证号",
    "户主姓名",
    "残疾人证号",
    "入监日期",
    "起始年月",
    "补助金额（元）",
    "年度",
    "备注",
    "备注",
]
TITLE = ["服刑人员名册"]
OFFICE = ["填报单位：某局", "填报人：某某", "填报时间：2026年10月"]
DATA = ["1", "某甲", "539901199001010000", "某乙", "", "2026-01-02", "2026-01", "100", "2026", "x", "y"]
TYPES = {"name": "name", "id": "id", "cert": "certificate"}


def csv_file(folder: Path, encoding: str = "gb18030", separator: str = ",") -> Path:
    path = folder / "样本.csv"
    path.write_bytes(
        "\r\n".join(separator.join(row) for row in (TITLE, OFFICE, HEADER, DATA)).encode(encoding)
    )
    return path


def xlsx_file(folder: Path) -> Path:
    path = folder / "样本.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("说明").write_string(0, 0, "本表按月报送")
        sheet = book.add_worksheet("名册")
        for n, row in enumerate((TITLE, OFFICE, HEADER, DATA)):
            for m, cell in enumerate(row):
                sheet.write_string(n, m, cell)
    return path


def html_file(folder: Path) -> Path:
    path = folder / "样本.xls"
    rows = "".join(
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>"
        for row in (TITLE, OFFICE, HEADER, DATA)
    )
    path.write_text(f"<html><body><table>{rows}</table></body></html>", encoding="utf-8")
    return path


def make(
    tmp_path: Path, source: Path | None, key: str = "justice/prisoners", by: str = "county"
) -> tuple[Path, str]:
    _, schemas = folders(tmp_path)
    said = desk.new_schema(schemas, key, "服刑人员：名册 #1", "司法", by, source)
    return schemas, said


def test_the_template_is_valid_commented_and_says_what_to_do_next(tmp_path: Path) -> None:
    schemas, said = make(tmp_path, None)
    path = schemas / "justice/prisoners.yaml"
    dataset = load_dataset(path)
    assert (dataset.title, dataset.department, dataset.delivery.by) == ("服刑人员：名册 #1", "司法", "county")
    assert {name: spec.type for name, spec in dataset.fields.items()} == TYPES
    assert path.read_text(encoding="utf-8").count("# ") > 10
    assert "reconcile schemas check" in said
    assert not desk.check_schemas(schemas)[1]


@pytest.mark.parametrize("kind", ["gb18030", "utf-8-sig", "utf-16", "tab", "xlsx", "html"])
def test_a_delivered_files_headers_become_fields(kind: str, tmp_path: Path) -> None:
    makers = {"xlsx": xlsx_file, "html": html_file}
    if kind in makers:
        source = makers[kind](tmp_path)
    else:
        source = csv_file(tmp_path, "gb18030", "\t") if kind == "tab" else csv_file(tmp_path, kind)
    schemas, said = make(tmp_path, source)
    dataset = load_dataset(schemas / "justice/prisoners.yaml")
    found = {spec.headers[0]: (name, spec.type) for name, spec in dataset.fields.items()}
    assert found["姓名"] == ("name", "name")
    assert found["身份证号"] == ("id", "id")
    assert found["残疾人证号"] == ("cert", "certificate")
    assert [kind for _, kind in found.values()] == [
        *("name", "id", "name", "certificate", "date", "month", "amount", "year", "text")
    ]
    assert "序号" not in found
    assert "第3行" in said
    assert "猜" in said
    text = (schemas / "justice/prisoners.yaml").read_text(encoding="utf-8") + said
    assert not any(cell in text for cell in ("539901", "某甲", "某乙", "某局", "某某"))
    assert not desk.check_schemas(schemas)[1]


def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    _, schemas = folders(tmp_path)
    path = schemas / "civil_affairs/dibao.yaml"
    before = path.read_bytes()
    with pytest.raises(ReconcileError) as caught:
        desk.new_schema(schemas, "civil_affairs/dibao", "甲", "乙", "county", None)
    assert caught.value.problem.code == "E113"
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("key", "title", "department", "by"),
    [
        ("Justice/x", "甲", "乙", "county"),
        ("../x/y", "甲", "乙", "county"),
        ("justice", "甲", "乙", "county"),
        ("justice/x2", "甲", "乙", "county"),
        ("justice/x", " ", "乙", "county"),
        ("justice/x", "甲\n乙", "乙", "county"),
        ("justice/x", "甲", "", "county"),
        ("justice/x", "甲", "乙", "village"),
    ],
)
def test_wrong_options_are_refused_and_leave_nothing(
    key: str, title: str, department: str, by: str, tmp_path: Path
) -> None:
    _, schemas = folders(tmp_path)
    before = sorted(schemas.rglob("*"))
    with pytest.raises(ReconcileError) as caught:
        desk.new_schema(schemas, key, title, department, by, None)
    assert caught.value.problem.code == "E115"
    assert sorted(schemas.rglob("*")) == before


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("空.csv", b"", "E2"),
        ("没有.csv", None, "E115"),
        ("数据.csv", "539901199001010000,某甲,东川\r\n539901199001010001,某乙,东川\r\n".encode(), "E115"),
        ("姓名.csv", "某甲,某乙,某丙\r\n一,二,三\r\n".encode(), "E115"),
        ("坏.xlsx", b"PK\x03\x04 broken", "E2"),
        ("坏.csv", "姓名,身份证号,备注\r\n甲,乙,".encode("gb18030") + b"\xff\xff\r\n", "E2"),
    ],
)
def test_a_file_without_a_header_or_unreadable_leaves_nothing(
    name: str, content: bytes | None, code: str, tmp_path: Path
) -> None:
    _, schemas = folders(tmp_path)
    source = tmp_path / name
    if content is not None:
        source.write_bytes(content)
    with pytest.raises(ReconcileError) as caught:
        desk.new_schema(schemas, "justice/prisoners", "甲", "乙", "county", source)
    assert caught.value.problem.code.startswith(code)
    assert name in caught.value.problem.line()
    assert not (schemas / "justice").exists()


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        *[("身份证号", "id"), ("公民身份号码", "id"), ("户主身份证号", "id"), ("残疾人证号", "certificate")],
        *[("残疾证号", "certificate"), ("出生日期", "date"), ("出生年月日", "date"), ("办理时间", "date")],
        *[("享受年月", "month"), ("发放月份", "month"), ("补贴金额", "amount"), ("月标准（元）", "amount")],
        *[("标准(元/月)", "amount"), ("参保年度", "year"), ("户主姓名", "name"), ("所在单元", "text")],
        *[("备注", "text"), ("残疾人证状态", "text"), ("残疾等级", "text")],
    ],
)
def test_types_by_the_words_of_the_header(header: str, kind: str) -> None:
    assert type_of(header) == kind


@given(st.lists(st.lists(st.text("姓名证号日期0123456789： a", max_size=6), max_size=6), max_size=8))
@settings(derandomize=True, deadline=None)
def test_a_guessed_header_has_three_texts_and_data_below(rows: list[list[str]]) -> None:
    at = header_row(rows)
    if at is not None:
        assert len({cell.strip() for cell in rows[at] if cell.strip()}) >= 3
        assert any(any(cell.strip() for cell in row) for row in rows[at + 1 :])
