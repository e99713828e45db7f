"""A department's letter as it arrives, made from a real night over a real file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import plain
from courier_server import SmtpServer
from killed_nights import OCTOBER
from test_mail_nights import FIRST, night, place, read, server, settings, world

_ = (place, server, settings, world)  # fixtures
OFFICE = "m@example.gov.cn"
LIST = "medical_insurance/insured"


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
    (content,) = [content for to, content in server.messages if to == OFFICE]
    message = read(content)
    text = message.get_body().get_content().replace("\r\n", "").replace("\n", "")  # type: ignore[union-attr]
    assert "校验位不符：1份文件，第3、5、20行，共3行" in text
    (table,) = message.iter_attachments()
    content = table.get_payload(decode=True)  # type: ignore[assignment]
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    (mine,) = [row for row in rows if row["问题"] == "校验位不符"]
    assert (mine["文件"], mine["行"]) == (file, "3、5、20")
    assert not [number for number in damaged if number[:8] in text or number in str(rows)]
