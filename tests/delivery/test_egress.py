"""The egress check: every sound letter may leave, with nobody of another county in it; and what it says of single slips."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random

import openpyxl
import pytest
from egress_world import World, make_world

from pipeline.delivery.egress import check
from pipeline.delivery.envelope import build
from pipeline.delivery.expected import expected_of_notice, nothing_of_people, tables_of
from pipeline.delivery.letter import CSV, Attachment, Letter
from pipeline.delivery.sealing import is_sealed, unseal
from pipeline.identity.number_net import has_any_number, has_number

CONFIGS = int(os.environ.get("EGRESS_CONFIGS", "100"))


def names_in(letter: Letter, password: str) -> Iterator[str]:
    """Every name in every file, read with other programs than the check's."""
    for attachment in letter.attachments:
        for file in unseal(attachment, password) if is_sealed(attachment) else (attachment,):
            if file.kind == CSV:
                tables = [list(csv.reader(io.StringIO(file.data.decode("utf-8-sig"), newline="")))]
            else:
                book = openpyxl.load_workbook(io.BytesIO(file.data))
                tables = [[[str(c or "") for c in row] for row in sheet.values] for sheet in book]
            for table in tables:
                head = next((n for n, row in enumerate(table) if "姓名" in row), None)
                if head is not None:
                    at = table[head].index("姓名")
                    yield from (row[at] for row in table[head + 1 :])


def bare(name: str) -> str:
    return name.replace("'", "").replace("_x000D_", "").replace("\r", "").strip()


@pytest.mark.parametrize("part", range(4))
def test_sound_letters_may_leave_and_hold_nobody_else(part: int, tmp_path: Path) -> None:
    letters = rows = 0
    for seed in range(part, CONFIGS, 4):
        world = make_world(seed, tmp_path / str(seed), few=True)
        for code in world.night.counties:
            letter, password = world.letter(code), world.passwords[code]
            expected = world.expected(code)
            message = build(letter, world.settings.mail)
            assert check(message, letter.to, expected, world.settings, password) == (), f"{seed} {code}"
            names = [bare(name) for name in names_in(letter, password)]
            own = {bare(name) for name in world.names[code]}
            assert not [name for name in names if name not in own], f"{seed} {code}"
            letters, rows = letters + 1, rows + len(names)
    assert letters == 2 * len(range(part, CONFIGS, 4))
    assert rows > letters  # something was looked at


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(7, tmp_path_factory.mktemp("world"), few=True, full=False)


QUALITY = Letter(
    "q20261120-civil-affairs-0a1b2c3d4e",
    "quality",
    date(2026, 11, 20),
    "civil_affairs",
    "quality@gov.example.cn",
    "[核对]数据质量 2026-11 民政 需修复3",
    "本期名册有3处要修复，见附件。",
    (
        Attachment(
            "民政_数据质量_2026-11.csv",
            "quality.csv",
            CSV,
            "\ufeff文件,行,原因\r\n539901_x_20261031.csv,12,缺列\r\n".encode(),
        ),
    ),
)


def test_a_department_s_letter_without_people_may_leave(world: World) -> None:
    for columns in ((), ("文件", "行", "原因")):
        expected = nothing_of_people("civil_affairs", QUALITY.to, 1, columns)
        assert check(build(QUALITY, world.settings.mail), QUALITY.to, expected, world.settings, None) == ()


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ("539901196503170010,1,a", "号码"),
        ("13800138000,1,a", "号码"),
        ("a,1,SLSX-2611-0001-6", "疑点编号"),
        ("=1+1,1,a", "公式"),
        ("a,1,b\r\nc,2,d", "应有1行"),
        ("a,1,b,c", "比表头长"),
    ],
)
def test_a_department_s_letter_with_people_or_more_rows_stays(world: World, row: str, word: str) -> None:
    expected = nothing_of_people("civil_affairs", QUALITY.to, 1, ("文件", "行", "原因"))
    data = f"\ufeff文件,行,原因\r\n{row}\r\n".encode()
    letter = replace(QUALITY, attachments=(replace(QUALITY.attachments[0], data=data),))
    reasons = check(build(letter, world.settings.mail), QUALITY.to, expected, world.settings, None)
    assert any(word in reason for reason in reasons)


def test_words_alone_go_to_the_operator_and_to_nobody_else(world: World) -> None:
    letter = replace(QUALITY, place="", to="watch@gov.example.cn", attachments=())
    message = build(letter, world.settings.mail)
    assert check(message, letter.to, nothing_of_people("", letter.to), world.settings, None) == ()
    assert check(message, letter.to, nothing_of_people("539901", letter.to), world.settings, None)
    with_file = build(replace(letter, attachments=QUALITY.attachments), world.settings.mail)
    assert check(with_file, letter.to, nothing_of_people("", letter.to), world.settings, None)


def test_it_never_raises_and_lets_nothing_cut_or_foreign_out(world: World) -> None:
    """A changed letter of a free sentence passes: that these are the bytes that were made, the outbox's hash says."""
    dice, code = Random(3), next(iter(world.night.counties))
    message, to, expected = world.message(code), world.settings.recipients[code][0], world.expected(code)
    assert check(message, to, expected, world.settings, None) == ()
    for turn in range(200):
        at = dice.randrange(len(message) - 2)
        noise = dice.randbytes(dice.randrange(1, 200))
        swapped = bytes([(message[at] + dice.randrange(1, 256)) % 256])
        assert check(message[:at], to, expected, world.settings, None), turn
        assert check(noise, to, expected, world.settings, None), turn
        assert check(noise + message, to, expected, world.settings, None), turn
        assert check(message + noise, to, expected, world.settings, None), turn
        reasons = check(message[:at] + swapped + message[at + 1 :], to, expected, world.settings, None)
        assert all(isinstance(reason, str) for reason in reasons), turn


@pytest.mark.parametrize(
    "text",
    [
        "110105194912310021",
        "身份证11010519491231002X。",
        "１１０１０５１９４９１２３１００２１",
        "1101 0519 4912 3100 2X",
        "110105-19491231-002X",
        "1\u200b1010519491231002X",
        "110105491231002",  # of fifteen digits
        "6222020200112233445",
        "电话13800138000",
        "+8613800138000",
        "138 0013 8000",
        "138-0013-8000",
    ],
)
def test_a_person_s_number_is_seen_however_it_is_written(text: str) -> None:
    assert has_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "539901********0010",
        "《名册》（2026-10-31）第123456行",
        "2026-10-31：甲名册；2026-11-01：乙名册；2026-11-02：丙名册",
        "国发〔2015〕52号、民发〔2023〕41号",
        "SLSX-2611-0001-6、SLSX-2611-0012-3",
        "533423001002",  # a village's code
        "4.1E+17 12345678901234",
        "1101 0519 4912 3100 22",  # a wrong check digit
        "110105-19491331-002X",  # a thirteenth month
    ],
)
def test_what_is_no_person_s_number_is_let_through(text: str) -> None:
    assert not has_number(text)


@pytest.mark.parametrize(
    ("text", "stays"),
    [
        ("2026-11 第3期 新增12 待办40", False),
        ("539901_名册_20261031.csv", False),
        ("疑点 SLSX-2611-000123-6", False),
        ("疑点 NPSX-2611-00012345-6", True),  # of another county
        ("生于19650317", True),
        ("生于20150317", True),
        ("电话 0887-8888888", False),
        ("问 13900001111 或来电", False),
        ("539901********0010", True),
        ("********0010", True),
        ("12345678", True),
        ("1234567", False),
    ],
)
def test_numbers_in_subject_and_body(text: str, *, stays: bool) -> None:
    on = QUALITY.on
    assert has_any_number(text, on, {"SLSX-2611-000123-6"}, ("13900001111",)) is stays


def test_a_random_number_never_passes_as_text() -> None:
    dice = Random(5)
    for _ in range(500):
        digits = "".join(dice.choice("0123456789") for _ in range(dice.choice([15, 17, 18, 19, 20])))
        between = "".join(dice.choice("ab，。县") for _ in range(3))
        assert has_number(between + digits + between)


# ---- notices ----


def notice(world: World, *told: str, extra: str = "") -> tuple[Letter, tuple[str, ...]]:
    """A county's letter with the numbers of two of its cases, and which two; `told`: further lines of that CSV."""
    code = next(iter(world.night.counties))
    mine = sorted(tables_of(world.night).cases[code])[:2]
    lines = "".join(f"{number},某事项,2026-11-13,已有新数据\r\n" for number in (*mine, *told))
    data = f"\ufeff疑点编号,事项,日期,说明\r\n{lines}{extra}".encode()
    file = Attachment("示例_编号.csv", "numbers.csv", CSV, data)
    return world.letter(
        code, subject=f"[核对]{world.night.county_name(code)} 2026-11 更正2", attachments=(file,)
    ), tuple(mine)


def looked_at(world: World, letter: Letter, told: tuple[str, ...]) -> tuple[str, ...]:
    expected = expected_of_notice(world.night, letter.place, letter.to, tables_of(world.night), (), told)
    return check(build(letter, world.settings.mail), letter.to, expected, world.settings, None)


def test_the_numbers_of_a_notice_may_leave_without_a_lock(world: World) -> None:
    letter, told = notice(world)
    assert looked_at(world, letter, told) == ()


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("ZZSX-2611-0001-6,某事项,2026-11-13,x", "疑点编号不是该县的"),
        ("{0},某事项,2026-11-13,x", "重复"),
        (",某事项,2026-11-13,x", "疑点编号"),
        ("{0},539901196503170010,2026-11-13,x", "未掩码"),
        ("{0},5399**********0010,2026-11-13,x", "号码"),
        ("{0},某事项,2026-11-13,x,甲某", "比表头长"),
    ],
)
def test_a_notice_with_another_number_stays(world: World, line: str, word: str) -> None:
    _, told = notice(world)
    letter, _ = notice(world, extra=line.format(told[0]) + "\r\n")
    assert any(word in reason for reason in looked_at(world, letter, told))


def test_a_notice_without_its_numbers_or_with_a_report_stays(world: World) -> None:
    letter, told = notice(world)
    assert looked_at(world, replace(letter, attachments=()), told)
    whole = replace(letter, attachments=(*letter.attachments, *world.files(letter.place)))
    assert looked_at(world, whole, told)
