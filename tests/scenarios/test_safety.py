"""The safety property: a list that is missing, empty or cut to its header never makes a flag that was not there."""

from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import nights
import plain
import polars as pl
import pytest
from header_only import header_only

DEATHS = "civil_affairs/deaths"  # the one exception of the specification


def take_away(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut_to_header(path: Path) -> None:
    """Everything after the header row goes; for workbooks a text file under the same name does as well."""
    path.write_bytes(header_only(path))


DAMAGES: list[Callable[[Path], None]] = [take_away, empty, cut_to_header]


def damageable(world: Path) -> list[Path]:
    """Every delivery but the register (without it nothing is said) and the deaths (the exception)."""
    all_ = [path.relative_to(world) for path in nights.deliveries(world)]
    return [path for path in all_ if "/".join(path.parts[:2]) not in (DEATHS, "federation/register")]


def damaged_night(
    world: Path, relative: Path, damage: Callable[[Path], None], folder: Path
) -> tuple[set[tuple[str, str]], set[str]]:
    """The flags and the coverage of a night with one delivery damaged."""
    inbox = Path(shutil.copytree(world, folder / "inbox"))
    damage(inbox / relative)
    try:
        return nights.missing_flags(inbox, folder / "state", threads=1)
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("way", [0, 1], ids=["take_away", "empty_or_header"])
def test_a_damaged_list_adds_no_flag(world: Path, clean: Path, tmp_path: Path, way: int) -> None:
    """Every delivery is taken away, and every one emptied or cut to its header in turn (`make soak`: all of both)."""
    before = nights.flags(clean)
    nights_to_come = [
        (relative, take_away if way == 0 else DAMAGES[1 + number % 2])
        for number, relative in enumerate(damageable(world))
    ]
    wrong = []
    # two nights at a time: they are many, and each works on its own files
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        found = [
            pool.submit(damaged_night, world, *night, tmp_path / f"{number}")
            for number, night in enumerate(nights_to_come)
        ]
        for (relative, damage), answer in zip(nights_to_come, found, strict=True):
            flags, statuses = answer.result()
            wrong += [f"{relative} {damage.__name__}: {benefit}" for _, benefit in sorted(flags - before)]
            if statuses == {"accepted"}:
                wrong.append(f"{relative} {damage.__name__}: nothing noticed")
    assert len(nights_to_come) > 25
    assert not wrong


def test_without_a_death_list_the_outcomes_stand_and_say_so(world: Path, clean: Path, tmp_path: Path) -> None:
    inbox = nights.copy_of(world, tmp_path)
    shutil.rmtree(inbox / DEATHS)
    night = nights.night(inbox, tmp_path / "out")
    assert night.exit_code == 3
    assert nights.flags(clean) <= nights.flags(tmp_path / "out")
    assert nights.table(tmp_path / "out", "outcomes")["reason"].str.contains("死亡信息未比对").all()


def test_the_last_accepted_death_list_serves_however_old(world: Path, clean: Path, tmp_path: Path) -> None:
    inbox = nights.copy_of(world, tmp_path)
    nights.night(inbox, tmp_path / "out")
    shutil.rmtree(inbox / DEATHS)
    night = nights.night(inbox, tmp_path / "later", state=tmp_path / "out" / "state")
    assert night.exit_code == 3
    assert nights.flags(clean) == nights.flags(tmp_path / "later")
    assert not nights.table(tmp_path / "later", "outcomes")["reason"].str.contains("死亡信息未比对").any()


def test_a_row_that_cannot_be_read_leaves_its_person_in_doubt(tmp_path: Path) -> None:
    """One surplus cell in a row: the person it names is not said to be absent from the list."""
    people = [plain.holder(f"张{n}", plain.number("19700101", n)) for n in range(1, 200)]
    subsidy = {"kind": "重度残疾人护理补贴", "state": "正常", "start": "202401"}
    rows = [{"name": p["name"], "id": p["id"], **subsidy} for p in people]
    inbox = plain.write(tmp_path, people, civil_affairs__two_subsidies=rows)
    path = nights.one(inbox, "civil_affairs/two_subsidies")
    lines = path.read_bytes().split(b"\r\n")
    lines[7] += b",1"
    path.write_bytes(b"\r\n".join(lines))
    answers = plain.outcomes(inbox, tmp_path / "out").filter(pl.col("benefit") == "nursing_subsidy")
    counts = dict(answers["outcome"].value_counts().iter_rows())
    assert counts == {"receiving": 198, "verify": 1}
