"""A township's file is found by the index that comes with it: as an attachment, inside an encrypted zip, on the disk."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import openpyxl
import plain
import pytest
from courier_server import SmtpServer
from egress_world import World, make_world
from test_notice_nights import (
    _KINDS,
    FIRST,
    PASSWORD,
    night,
    place,
    read,
    server,
    set_password,
    settings,
    world,
)

from pipeline.delivery.egress import check
from pipeline.delivery.letter import XLSX, Attachment
from pipeline.delivery.sealing import is_sealed, unseal
from pipeline.delivery.township_files import is_index, township_files

_ = (place, server, settings, world)  # fixtures
SPLIT = f'[counties.{plain.COUNTY}]\nname = "示例市"\nby_township = true\n'
LOCKED = f'{SPLIT}full_ids = true\nfull_ids_reason = "审批3号"\n'


def opened(content: bytes) -> dict[str, bytes]:
    """The letter's files by the names that its reader sees; a locked zip is opened."""
    found = {}
    for part in read(content).iter_attachments():
        data = part.get_payload(decode=True)
        assert isinstance(data, bytes)
        one = Attachment(part.get_filename() or "", "", _KINDS[part.get_content_type()], data)
        found |= {file.name: file.data for file in (unseal(one, PASSWORD) if is_sealed(one) else (one,))}
    return found


def index_of(found: dict[str, bytes]) -> tuple[str, list[dict[str, str]]]:
    (name,) = [name for name in found if is_index(name)]
    rows = csv.DictReader(io.StringIO(found[name].decode("utf-8-sig"), newline=""))
    return name, list(rows)


def titles(found: dict[str, bytes], name: str) -> str:
    return str(openpyxl.load_workbook(io.BytesIO(found[name]))["填写说明"]["A1"].value)


@pytest.mark.parametrize("locked", [False, True])
def test_the_index_names_what_lies_beside_it(
    place: Path, server: SmtpServer, settings: Callable[..., None], locked: bool
) -> None:
    settings(FIRST, more=LOCKED if locked else SPLIT)
    if locked:
        set_password(place)
    assert night(place).exit_code == 0
    found = opened(server.messages[-1][1])
    name, rows = index_of(found)
    start = "township-539901-2026-10-" if locked else "示例市"
    assert name.endswith("-list.csv" if locked else "_乡镇目录.csv")
    split = {
        one for one in found if one.endswith(".xlsx") and (one.startswith("township-") or "_乡镇" in one)
    }
    assert {row["文件"] for row in rows} == split
    assert split
    for row in rows:
        assert row["文件"].startswith(start)
        assert row["乡镇"] in titles(found, row["文件"])
    on_disk = place / "out/reports" / plain.COUNTY / "townships"
    there = (on_disk / "townships.csv").read_text(encoding="utf-8-sig")
    assert all((on_disk / line.split(",")[0]).is_file() for line in there.splitlines()[1:])


def test_a_file_of_somebody_s_own_beside_the_townships_does_not_travel(tmp_path: Path) -> None:
    (tmp_path / "townships").mkdir()
    (tmp_path / "townships/01.xlsx").write_bytes(b"PK")
    (tmp_path / "townships/mine.xlsx").write_bytes(b"PK")
    (tmp_path / "townships/townships.csv").write_bytes(
        "\ufeff文件,乡镇,条数\r\n01.xlsx,下坡乡,3\r\n".encode()
    )
    book, index = township_files(tmp_path, "示例市", "township-539901")
    assert (book.name, index.name) == ("示例市_乡镇01.xlsx", "示例市_乡镇目录.csv")
    assert index.data == "\ufeff文件,乡镇,条数\r\n示例市_乡镇01.xlsx,下坡乡,3\r\n".encode()


@pytest.fixture(scope="module")
def counties(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(3, tmp_path_factory.mktemp("townships"), full=False)


def test_an_index_that_names_other_files_stops_the_mail(counties: World) -> None:
    code = next(c for c, s in counties.settings.counties.items() if s.by_township and not s.full_ids)
    whole = counties.files(code)
    assert reasons(counties, code, whole) == ()
    renamed = tuple(
        replace(one, name=one.name.replace("_乡镇0", "_乡镇9")) if one.kind == XLSX else one for one in whole
    )
    wanting = tuple(one for one in whole if "_乡镇01" not in one.name)
    for wrong in (renamed, wanting):
        assert any("乡镇目录" in reason for reason in reasons(counties, code, wrong))


def reasons(counties: World, code: str, files: tuple[Attachment, ...]) -> tuple[str, ...]:
    message = counties.message(code, files=files)
    to = counties.settings.recipients[code][0]
    return check(message, to, counties.expected(code), counties.settings, counties.passwords.get(code))
