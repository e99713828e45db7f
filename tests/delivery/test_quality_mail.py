"""A department's letter as it arrives, made from a real night over a real file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import plain
import polars as pl
from courier_server import SmtpServer
from killed_nights import OCTOBER
from test_mail_nights import FIRST, night, place, read, server, settings, world
from typer.testing import CliRunner

from pipeline.cases import open_ledger
from pipeline.cases.people import Somebody
from pipeline.cases.person_rights import note_correction
from pipeline.cli import app

_ = (place, server, settings, world)  # fixtures
OFFICE = "m@example.gov.cn"
LIST, REGISTER = "medical_insurance/insured", "federation/register"


def damage(place: Path, *rows: int) -> tuple[str, list[str]]:
    """Gives the numbers in these lines another check digit: the file as the department knows it, and the numbers there now."""
    (path,) = (place / "inbox-10" / LIST).iterdir()
    with path.open(encoding="gb18030", newline="") as file:
        lines = list(csv.reader(file))
    column = lines[0].index(plain.DATASETS[LIST].fields["id"].headers[0])
    for row in rows:
        number = lines[row - 1][column]
        lines[row - 1][column] = number[:-1] + ("1" if number[-1] != "1" else "2")
    with path.open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows(lines)
    return f"{LIST}/{path.name}", [lines[row - 1][column] for row in rows]


def test_the_department_hears_the_rows_that_it_is_to_repair(
    place: Path, server: SmtpServer, settings: Callable[..., None]
) -> None:
    settings(FIRST, more=f'[departments]\nmedical_insurance = ["{OFFICE}"]\n')
    file, damaged = damage(place, 3, 5, 20)
    night(place, OCTOBER)
    text, rows = heard(server)
    assert "校验位不符：1份文件，第3、5、20行，共3行" in text
    (mine,) = [row for row in rows if row["问题"] == "校验位不符"]
    assert (mine["文件"], mine["行"]) == (file, "3、5、20")
    assert not [number for number in damaged if number[:8] in text or number in str(rows)]


def heard(server: SmtpServer) -> tuple[str, list[dict[str, str]]]:
    """The last letter to the office: its body on one line, its attachment's lines."""
    message = read([content for to, content in server.messages if to == OFFICE][-1])
    text = message.get_body().get_content()  # type: ignore[union-attr]
    (table,) = message.iter_attachments()
    data = table.get_payload(decode=True)
    assert isinstance(data, bytes)
    rows = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    return text.replace("\r\n", "").replace("\n", ""), list(rows)


def test_a_correction_arrives_with_file_row_column_county_and_cases(
    place: Path, server: SmtpServer, settings: Callable[..., None]
) -> None:
    settings(FIRST, more=f'[departments]\nfederation = ["{OFFICE}"]\n')
    night(place, OCTOBER)
    cases = pl.read_parquet(place / "out/results/cases.parquet")
    (path,) = (place / "inbox-10" / REGISTER).iterdir()
    lines = path.read_text(encoding="gb18030").splitlines()
    listed = [number for number in cases["id_number"].unique() if any(number in line for line in lines)]
    who = min(listed)
    row = next(at for at, line in enumerate(lines, start=1) if who in line)
    where = {
        "--state": "state", "--results": "out/results", "--schemas": "schemas", "--rules": "rules", "--config": "reconcile.toml",
    }  # fmt: skip
    said = [
        "--department",
        "federation",
        "--list",
        "register",
        "--column",
        "出生日期",
        "--note",
        "应为1961-02-03",
    ]
    folders = [word for option, name in where.items() for word in (option, str(place / name))]
    done = CliRunner().invoke(app, ["person", "correct", who, *said, "--reason", "本人来电", *folders])
    assert (done.exit_code, "收件人1个" in done.output) == (0, True)
    older = Somebody(0, "", plain.number("19700101", 999), "", plain.COUNTY)
    with open_ledger(place / "state") as ledger:  # which a program noted that let such a note pass
        note_correction(ledger, older, (), "federation", "应为19610203，见疑点SLSX-2610-0001-6")
    assert (
        night(place, OCTOBER + timedelta(days=8), month=10).exit_code == 0
    )  # and it passes the check on its final bytes
    text, (mine, *_others) = heard(server)
    assert text.startswith("残联：")
    own = cases.filter(pl.col("id_number") == who)["case_number"].sort().to_list()
    assert f"示例市第{row}行“出生日期”列（文件 {path.name}）；应为1961-02-03；疑点 {'、'.join(own)}" in text
    assert "应为（号码略），见疑点（号码略）" in text
    assert (mine["文件"], mine["行"], mine["列"]) == (f"{REGISTER}/{path.name}", str(row), "出生日期")
    assert who[:8] not in text + str(mine)


def test_the_same_is_not_said_again_a_week_later(
    place: Path, server: SmtpServer, settings: Callable[..., None]
) -> None:
    """Though subject and body name another day."""
    settings(FIRST, more=f'[departments]\nmedical_insurance = ["{OFFICE}"]\n')
    damage(place, 3)
    night(place, OCTOBER)
    night(place, OCTOBER + timedelta(days=8), month=10)
    assert [to for to, _ in server.messages].count(OFFICE) == 1
    damage(place, 5)
    night(place, OCTOBER + timedelta(days=16), month=10)
    assert [to for to, _ in server.messages].count(OFFICE) == 2
