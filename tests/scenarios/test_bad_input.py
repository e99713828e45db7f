"""Bad input, one test each: a clear error with code, place and cure; the list is not accepted; nothing else is lost."""

from __future__ import annotations

import csv
import io
import shutil
import zipfile
from pathlib import Path

import nights
import openpyxl
import plain
import polars as pl
import pytest
from header_only import header_only
from msoffcrypto.format.ooxml import OOXMLFile

from pipeline.contracts.problem import ReconcileError

ORPHANS = "civil_affairs/orphans"  # one file for the prefecture
TEKUN = "civil_affairs/tekun"  # one file a county
ORPHAN_HEADER = ["儿童姓名", "公民身份号码", "类别", "保障标准", "保障状态"]
CHILD = ["示例甲", plain.number("20140110", 211), "孤儿", "1200", "在保"]


@pytest.fixture
def inbox(world: Path, tmp_path: Path) -> Path:
    return nights.copy_of(world, tmp_path)


def deliver(inbox: Path, content: bytes, name: str = "孤儿名册_20261031.csv", dataset: str = ORPHANS) -> Path:
    """Replaces what was delivered of a list by one file."""
    shutil.rmtree(inbox / dataset)
    (inbox / dataset).mkdir()
    path = inbox / dataset / name
    path.write_bytes(content)
    return path


def as_csv(rows: list[list[str]], encoding: str = "gb18030") -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode(encoding)


def refused(inbox: Path, out: Path, dataset: str = ORPHANS, *, status: str = "quarantined") -> pl.DataFrame:
    """Runs the night; the list must not be accepted anywhere, flags may not grow; returns its problems."""
    night = nights.night(inbox, out)
    assert night.exit_code == 3
    assert set(nights.status(out, dataset).values()) == {status}
    problems = pl.read_csv(out / "quarantine.csv", infer_schema=False)
    mine = problems.filter((pl.col("dataset") == dataset) & (pl.col("severity") == "error"))
    assert mine.height >= 1
    for column in ("code", "what", "why", "cure", "file"):
        assert mine[column].is_not_null().all(), column
    return mine


def test_an_empty_file(inbox: Path, tmp_path: Path, clean: Path) -> None:
    deliver(inbox, b"")
    refused(inbox, tmp_path / "out")
    assert nights.flags(tmp_path / "out") <= nights.flags(clean)


def test_a_bare_header(inbox: Path, tmp_path: Path) -> None:
    deliver(inbox, as_csv([ORPHAN_HEADER]))
    refused(inbox, tmp_path / "out")


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8", "utf-8-sig", "utf-16"])
def test_half_a_csv(inbox: Path, tmp_path: Path, encoding: str) -> None:
    whole = as_csv([ORPHAN_HEADER, *[CHILD] * 9], encoding)
    number = CHILD[1].encode(encoding.removesuffix("-sig") if encoding != "utf-16" else "utf-16-le")
    deliver(inbox, whole[: whole.rfind(number) + 6])
    refused(inbox, tmp_path / "out")


def test_half_a_workbook(inbox: Path, tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    book = openpyxl.Workbook()
    for row in [ORPHAN_HEADER, *[CHILD] * 50]:
        book.active.append(row)
    book.save(path)
    content = path.read_bytes()
    deliver(inbox, content[: len(content) // 2], "孤儿名册_20261031.xlsx")
    refused(inbox, tmp_path / "out")


def test_a_wrong_encoding(inbox: Path, tmp_path: Path) -> None:
    deliver(inbox, as_csv([ORPHAN_HEADER, CHILD]) + "示例乙".encode() + b"\xff\xfe\r\n")
    refused(inbox, tmp_path / "out")


def test_a_missing_column_names_the_nearest_header_and_the_line_to_add(inbox: Path, tmp_path: Path) -> None:
    deliver(inbox, as_csv([["儿童姓名", "公民身份证号码吗", "类别", "保障标准", "保障状态"], CHILD]))
    mine = refused(inbox, tmp_path / "out")
    assert "公民身份证号码吗" in "".join(mine["what"]) + "".join(mine["cure"])
    assert f"reconcile alias add {ORPHANS} id 公民身份证号码吗" in "".join(mine["cure"])


def test_two_headers(inbox: Path, tmp_path: Path) -> None:
    other = ["身份证号", "姓名", "状态", "儿童类型", "月标准"]
    deliver(inbox, as_csv([ORPHAN_HEADER, CHILD, other, [CHILD[1], CHILD[0], *CHILD[2:]]]))
    refused(inbox, tmp_path / "out")


def test_a_password_protected_workbook(inbox: Path, tmp_path: Path) -> None:
    plain = io.BytesIO()
    book = openpyxl.Workbook()
    book.active.append(ORPHAN_HEADER)
    book.save(plain)
    plain.seek(0)
    locked = io.BytesIO()
    OOXMLFile(plain).encrypt("secret", locked)
    deliver(inbox, locked.getvalue(), "孤儿名册_20261031.xlsx")
    mine = refused(inbox, tmp_path / "out")
    assert "密码" in "".join(mine["what"]) + "".join(mine["why"])


def test_a_zip_bomb(inbox: Path, tmp_path: Path) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            for _ in range(300):
                sheet.write(b"0" * 1_000_000)
    deliver(inbox, bomb.getvalue(), "孤儿名册_20261031.xlsx")
    refused(inbox, tmp_path / "out")


def test_a_lock_file_is_ignored(inbox: Path, tmp_path: Path, clean: Path) -> None:
    (inbox / ORPHANS / "~$孤儿名册_20261031.xlsx").write_bytes(b"\x05user" + b"\0" * 160)
    night = nights.night(inbox, tmp_path / "out")
    assert night.exit_code == 0
    assert nights.flags(tmp_path / "out") == nights.flags(clean)


def test_a_directory_where_a_file_should_be(inbox: Path, tmp_path: Path) -> None:
    path = deliver(inbox, b"")
    path.unlink()
    path.mkdir()
    nights.night(inbox, tmp_path / "out")
    assert set(nights.status(tmp_path / "out", ORPHANS).values()) <= {"missing", "quarantined"}
    problems = pl.read_csv(tmp_path / "out" / "quarantine.csv", infer_schema=False)
    assert problems.filter(pl.col("file").str.contains("孤儿名册")).height >= 1


def test_no_register_says_nothing_and_exits_1(inbox: Path, tmp_path: Path) -> None:
    shutil.rmtree(inbox / "federation/register")
    with pytest.raises(ReconcileError) as error:
        nights.night(inbox, tmp_path / "out")
    assert error.value.exit_code == 1
    assert not (tmp_path / "out" / "results").exists()


def test_an_unknown_county_code_in_a_file_name(inbox: Path, tmp_path: Path) -> None:
    path = nights.one(inbox, TEKUN)
    code = path.name[:6]
    path.rename(path.with_name("999999" + path.name[6:]))
    night = nights.night(inbox, tmp_path / "out")
    assert night.exit_code == 3
    assert nights.status(tmp_path / "out", TEKUN)[code] == "missing"
    problems = pl.read_csv(tmp_path / "out" / "quarantine.csv", infer_schema=False)
    assert (
        problems.filter(pl.col("file").str.contains("999999") & (pl.col("severity") == "error")).height == 1
    )


def test_a_register_row_of_an_unknown_county_gets_no_default_county(
    inbox: Path, tmp_path: Path, clean: Path
) -> None:
    path = nights.one(inbox, "federation/register")
    assert path.suffix == ".csv", "the sample's register is a CSV"
    encoding = "utf-8-sig" if path.read_bytes().startswith(b"\xef\xbb\xbf") else "gb18030"
    lines = path.read_bytes().decode(encoding).split("\r\n")
    row = next(n for n, line in enumerate(lines) if "5399" in line)
    area = next(cell for cell in lines[row].split(",") if len(cell) == 12 and cell.startswith("5399"))
    lines[row] = lines[row].replace(area, "999999101201")
    path.write_bytes("\r\n".join(lines).encode(encoding))
    night = nights.night(inbox, tmp_path / "out")
    assert night.exit_code in (0, 3)
    codes = set(nights.table(tmp_path / "out", "outcomes")["county_code"])
    assert codes <= set(nights.table(clean, "outcomes")["county_code"])
    problems = pl.read_csv(tmp_path / "out" / "quarantine.csv", infer_schema=False)
    assert (
        problems.filter((pl.col("dataset") == "federation/register") & (pl.col("row") == str(row + 1))).height
        == 1
    )


def test_a_lawfully_empty_list_is_accepted(inbox: Path, tmp_path: Path) -> None:
    deliver(inbox, as_csv([ORPHAN_HEADER, ["合计", "0人", "", "", ""]]))
    night = nights.night(inbox, tmp_path / "out")
    assert night.exit_code == 0
    assert set(nights.status(tmp_path / "out", ORPHANS).values()) == {"accepted"}


def test_two_files_of_one_list_and_date_that_differ(inbox: Path, tmp_path: Path) -> None:
    deliver(inbox, as_csv([ORPHAN_HEADER, CHILD]))
    (inbox / ORPHANS / "孤儿名册（最终版2）_20261031.csv").write_bytes(
        as_csv([ORPHAN_HEADER, CHILD, [*CHILD[:-1], "停保"]])
    )
    mine = refused(inbox, tmp_path / "out")
    assert "孤儿名册_20261031.csv" in "".join(mine["why"]) + "".join(mine["what"]) + "".join(mine["file"])
    assert "最终版2" in "".join(mine["why"]) + "".join(mine["what"]) + "".join(mine["file"])


def test_the_same_file_twice_under_two_names_is_one(inbox: Path, tmp_path: Path, clean: Path) -> None:
    path = nights.one(inbox, ORPHANS)
    shutil.copy(path, path.with_name(f"{path.stem.removesuffix('_20261031')}另存_20261031{path.suffix}"))
    night = nights.night(inbox, tmp_path / "out")
    assert night.exit_code == 0
    assert nights.flags(tmp_path / "out") == nights.flags(clean)


def test_a_name_like_a_glob_reads_no_other_file(inbox: Path, tmp_path: Path) -> None:
    deliver(inbox, as_csv([ORPHAN_HEADER, CHILD]), "名册[1]_20261031.csv")
    (inbox / ORPHANS / "名册1_20250131.csv").write_bytes(header_only(inbox / ORPHANS / "x"))
    night = nights.night(inbox, tmp_path / "out")
    assert night.exit_code == 0
    assert set(nights.status(tmp_path / "out", ORPHANS).values()) == {"accepted"}


def test_the_newest_snapshot_counts_and_a_future_one_does_not(inbox: Path, tmp_path: Path) -> None:
    deliver(inbox, as_csv([ORPHAN_HEADER, CHILD]))
    (inbox / ORPHANS / "孤儿名册_20260930.csv").write_bytes(b"")
    (inbox / ORPHANS / "孤儿名册_20261130.csv").write_bytes(b"")
    night = nights.night(inbox, tmp_path / "out")
    assert night.exit_code == 0


def test_a_stale_list_is_not_accepted(inbox: Path, tmp_path: Path) -> None:
    deliver(inbox, as_csv([ORPHAN_HEADER, CHILD]), "孤儿名册_20251031.csv")
    night = nights.night(inbox, tmp_path / "out")
    assert night.exit_code == 3
    assert set(nights.status(tmp_path / "out", ORPHANS).values()) == {"stale"}
