"""A list that turns half a county into new flags overnight: the screen says so, the exit code is 4, and its letter stays."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import killed_nights
import plain
from typer.testing import CliRunner

from pipeline.cli import app

MONTHS = [date(2026, 7, 31), date(2026, 8, 31), date(2026, 9, 30), date(2026, 10, 31)]
PEOPLE = [(f"示例{n}", plain.number(f"19{60 + n % 30}0317", 100 + n)) for n in range(60)]
SETTINGS = """
[recipients]
"539901" = ["a@example.gov.cn"]
[mail]
host = "127.0.0.1"
port = 9
sender = "r@example.gov.cn"
allowed_domains = ["example.gov.cn"]
tries_a_night = 1
minutes_between_tries = 0
timeout_seconds = 2
"""


def month(inbox: Path, on: date, stopped: int) -> None:
    register = [
        plain.holder(name, id_, phone=f"139000{on:%m}{n:03d}") for n, (name, id_) in enumerate(PEOPLE)
    ]
    insured = [
        {"name": name, "id": id_, "kind": "城乡居民基本医疗保险", "year": "2026"}
        | {"state": "暂停参保" if n < stopped else "正常参保"}
        for n, (name, id_) in enumerate([*PEOPLE, (f"外人{on:%m}", plain.number("19700101", on.month))])
    ]
    for key in killed_nights.LISTS:
        by_county = plain.DATASETS[key].delivery.by == "county"
        start = f"{plain.COUNTY}_示例市名单" if by_county else "名单"
        rows = {"federation/register": register, "medical_insurance/insured": insured}.get(key, [])
        plain.write_list(inbox / key / f"{start}_{on:%Y%m%d}.csv", key, rows)


def test_a_flood_is_said_held_and_looked_at_before_it_goes(tmp_path: Path) -> None:
    killed_nights.make_rules(tmp_path, ("medical_insurance.yaml",))
    (tmp_path / "reconcile.toml").write_text(SETTINGS, encoding="utf-8")
    said, state = "", ["--state", str(tmp_path / "state")]
    for on in MONTHS:
        month(tmp_path / f"inbox-{on.month}", on, stopped=55 if on == MONTHS[-1] else 2)
        night = killed_nights.command(tmp_path, on, tmp_path / "state", tmp_path / "out")[3:]
        send = ["--send", "--config", str(tmp_path / "reconcile.toml")] if on == MONTHS[-1] else []
        done = CliRunner().invoke(app, [*night, *send])
        assert done.exit_code == (4 if send else 0), done.output
        said = done.output
    assert "暂缓  示例市：新增 53" in said
    assert "cases release 539901" in said
    listed = CliRunner().invoke(app, ["outbox", "list", *state]).output
    assert "新增疑点异常多，待批准" in listed
    released = CliRunner().invoke(app, ["cases", "release", "539901", "--reason", "核对过名册", *state])
    assert released.exit_code == 0, released.output
