"""Planted mix-ups, every kind in three prefectures of five counties: all stopped, and each for its own reason."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import partial
from random import Random

import pytest
import workbook_tricks as tricks
from egress_mixing import (
    Case,
    Try,
    a_case_of,
    attached,
    bytes_of,
    cell,
    csv_row,
    elsewhere,
    in_part,
    in_sheet,
    letter,
    names_twice,
    not_split,
    recipient,
    sealed_with,
    sheet_row,
    with_part,
)
from egress_world import COUNTIES, ON, World, make_world

from pipeline.delivery.expected import CASE_SHEETS
from pipeline.delivery.letter import CSV, XLSX, ZIP, Attachment
from pipeline.reports import comparison_sheet, reminders, visits

SEEDS = range(3)
SHEETS = (*CASE_SHEETS.values(), visits.SHEET, comparison_sheet.SHEET, reminders.SHEET)
MAIN = "疑点清单"
NUMBER, MOBILE = "539999196503170010", "13800138000"


class Worlds:
    """Made when asked for: with rows on every sheet of every county, this month's and last month's."""

    def __init__(self, factory: pytest.TempPathFactory) -> None:
        self._factory = factory
        self._made: dict[tuple[int, bool, date], World] = {}

    def __call__(self, seed: int, full: bool, as_of: date = ON) -> World:
        key = (seed, full, as_of)
        if key not in self._made:
            self._made[key] = make_world(seed, self._factory.mktemp("w"), rich=True, full=full, as_of=as_of)
        return self._made[key]


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    return Worlds(tmp_path_factory)


# name -> (mixes up, a word of the reason, with whole numbers or not or either)
EITHER, MASKED_ONLY, FULL_ONLY = (False, True), (False,), (True,)
KINDS: dict[str, tuple[Callable[[Case], Try], str, tuple[bool, ...]]] = {
    "attachments of another county": (attached(lambda c, _: c.world.files(c.other)), "不是该县", EITHER),
    "csv of another county": (attached(lambda c, f: (c.world.files(c.other)[0], *f[1:])), "CSV", EITHER),
    "workbook of another county": (attached(lambda c, f: (f[0], c.world.files(c.other)[1])), "不是该县", EITHER),
    "letter of another county": (lambda c: c.sent(c.world.letter(c.other)), "收件", EITHER),
    "letter of another county, readdressed": (
        lambda c: c.sent(c.world.letter(c.other, to=c.world.settings.recipients[c.code][0])),
        "",
        EITHER,
    ),
    "row of another county in the csv": (lambda c: csv_row(c, forged=False, added=False), "不是该县的", EITHER),
    "row forged in the csv": (lambda c: csv_row(c, forged=True, added=False), "的人不是该县的", EITHER),
    "row added to the csv": (lambda c: csv_row(c, forged=True, added=True), "应有", EITHER),
    **{
        f"row of another county on {sheet}": (sheet_row(sheet, forged=False, added=False), "不是该县的", EITHER)
        for sheet in SHEETS
    },
    **{
        f"row forged on {sheet}": (sheet_row(sheet, forged=True, added=False), "的人不是该县的", EITHER)
        for sheet in SHEETS
    },
    "row added to a sheet": (sheet_row(MAIN, forged=False, added=True), "应有", EITHER),
    "recipients exchanged": (letter(to=recipient), "收件", EITHER),
    "the server is given another address": (lambda c: c.sent(to=recipient(c)), "收件人", EITHER),
    "expected of another county": (lambda c: c.sent(expected=c.world.expected(c.other)), "收件", EITHER),
    "not in the settings": (letter(to="stranger@gov.example.cn"), "不是设置里", EITHER),
    "outside the allowed domains": (elsewhere, "域名", EITHER),
    "a second recipient": (lambda c: c.edited(lambda m: m.replace(b"\r\nTo: ", b"\r\nTo: x@gov.example.cn, ", 1)), "收件人不是恰好一个", EITHER),
    "a second To": (lambda c: c.edited(lambda m: m.replace(b"\r\nTo: ", b"\r\nTo: x@gov.example.cn\r\nTo: ", 1)), "收件人", EITHER),
    "Cc": (bytes_of(b"\r\nMIME", b"\r\nCc: x@gov.example.cn\r\nMIME"), "抄送", EITHER),
    "Bcc": (bytes_of(b"\r\nMIME", b"\r\nBcc: x@gov.example.cn\r\nMIME"), "密送", EITHER),
    "an unknown header": (bytes_of(b"\r\nMIME", b"\r\nX-Note: 1\r\nMIME"), "信头", EITHER),
    "another sender": (lambda c: c.edited(lambda m: m.replace(b"reconcile@", b"recon@")), "", EITHER),
    "words before the first part": (bytes_of(b"\r\n\r\n--=_", b"\r\n\r\nhidden\r\n--=_"), "不认识", EITHER),
    "words behind the end": (lambda c: c.edited(lambda m: m + b"hidden\r\n"), "不认识", EITHER),
    "an html part": (bytes_of(b"text/plain", b"text/html"), "不认识", EITHER),
    "cut off": (lambda c: c.edited(lambda m: m[: c.dice.randrange(len(m) // 2, len(m) - 100)]), "", EITHER),
    "sealed with another's password": (lambda c: sealed_with(c, c.other, "zip"), "打不开", EITHER),
    "workbook sealed with another's password": (lambda c: sealed_with(c, c.other, "xlsx"), "打不开", EITHER),
    "sealed and no password": (lambda c: replace(sealed_with(c, c.code, "zip"), password=None), "没有密码", EITHER),
    "whole numbers not sealed": (
        lambda c: c.sent(replace(c.world.letter(c.code), attachments=c.world.files(c.code))),
        "没有加密",
        FULL_ONLY,
    ),
    "a zip that is not encrypted": (
        lambda c: c.sent(replace(c.world.letter(c.code), attachments=(Attachment("a.zip", "a.zip", ZIP, tricks.packed({"a.csv": "x"})),))),
        "打不开",
        FULL_ONLY,
    ),
    "whole numbers where masked ones are due": (
        lambda c: c.sent(expected=replace(c.world.expected(c.code), full_ids=False)),
        "没有掩码",
        FULL_ONLY,
    ),
    **{f"number on {sheet}": (cell(sheet, NUMBER), "号码", MASKED_ONLY) for sheet in SHEETS},
    "mobile number in a cell": (cell(MAIN, f" {MOBILE}"), "号码", MASKED_ONLY),
    "full-width number in a cell": (cell(MAIN, "５３９９９９１９６５０３１７００１０"), "号码", MASKED_ONLY),
    "number in the csv": (lambda c: c.with_csv(lambda t: t.replace(COUNTIES[c.code], f"{COUNTIES[c.code]}{NUMBER}", 1)), "号码", MASKED_ONLY),
    "mask gone in the csv": (lambda c: c.with_csv(lambda t: t.replace("********", "19650317", 1)), "号码", MASKED_ONLY),
    "number on the first sheet": (in_sheet("填写说明", "</t>", f"{NUMBER}</t>"), "号码", EITHER),
    "masked number on the first sheet": (in_sheet("填写说明", "</t>", "539999********0010</t>"), "号码", EITHER),
    "number in the page header": (in_sheet(MAIN, "<oddHeader>", f"<oddHeader>{NUMBER}"), "页眉", EITHER),
    "number in the properties": (in_part("docProps/core.xml", "<dc:creator>", f"<dc:creator>{NUMBER}"), "标题", EITHER),
    "number in the subject": (letter(subject=lambda c, made: made.subject + NUMBER[:-1] + "X"), "主题", EITHER),
    "birth date in the subject": (letter(subject=lambda c, made: made.subject + "19650317"), "主题", EITHER),
    "number in the body": (letter(body=lambda c, made: made.body + f"与{NUMBER}同户"), "正文", EITHER),
    "masked number in the body": (letter(body=lambda c, made: made.body + "539999********0010"), "正文", EITHER),
    "mobile number in the body": (letter(body=lambda c, made: made.body + MOBILE), "正文", EITHER),
    "case of another county in the body": (letter(body=lambda c, made: made.body + a_case_of(c)), "疑点编号", EITHER),
    "password in the body": (letter(body=lambda c, made: made.body + c.world.passwords[c.code]), "密码", EITHER),
    "number in a file name": (
        letter(attachments=lambda c, made: (replace(made.attachments[0], name=f"{NUMBER}{made.attachments[0].name}"), *made.attachments[1:])),
        "附件名",
        EITHER,
    ),
    "disability in the subject": (letter(subject=lambda c, made: made.subject + c.dice.choice(["残疾", "残 联", "智力", "精神", "低保"])), "字词", EITHER),
    "disability in a file name": (
        letter(attachments=lambda c, made: (replace(made.attachments[0], name=f"残疾人{made.attachments[0].name}"), *made.attachments[1:])),
        "附件名",
        EITHER,
    ),
    "subject of another county": (letter(subject=lambda c, made: c.world.letter(c.other).subject), "主题不是", EITHER),
    "a column too many in the csv": (lambda c: c.with_csv(lambda t: t.replace("\r\n", ",住址\r\n", 1)), "列", EITHER),
    "a cell too many in the csv": (lambda c: c.with_csv(lambda t: t[:-2] + ",x\r\n"), "比表头长", EITHER),
    "columns exchanged in the csv": (lambda c: c.with_csv(lambda t: t.replace("姓名,身份证号", "身份证号,姓名", 1)), "列", EITHER),
    "a column less in a sheet": (in_sheet(visits.SHEET, "监护人", "住址"), "列", EITHER),
    "a cell too many in a sheet": (
        in_sheet(MAIN, "(?s)(.*)</row>", r'\1<c r="BZ2" t="inlineStr"><is><t>x</t></is></c></row>'),
        "比表头长",
        EITHER,
    ),
    "a row less in the csv": (lambda c: c.with_csv(lambda t: t[: t[:-2].rindex("\r\n") + 2]), "应有", EITHER),
    "a row less on a sheet": (lambda c: c.with_book(lambda b: tricks.without_last_row(b, c.dice.choice(SHEETS))), "应有", EITHER),
    "csv without BOM": (lambda c: c.with_csv(lambda t: t.removeprefix("\ufeff")), "BOM", EITHER),
    "csv with LF": (lambda c: c.with_csv(lambda t: t.replace("\r\n", "\n")), "CRLF", EITHER),
    "formula in the csv": (lambda c: c.with_csv(lambda t: t.replace(COUNTIES[c.code], "=1+1", 1)), "公式", EITHER),
    "formula": (in_sheet(MAIN, 't="inlineStr"><is><t>[^<]*</t></is>', "><f>1+1</f><v>2</v>"), "公式", EITHER),
    "hidden sheet": (in_part("xl/workbook.xml", '(name="待核实")', r'\1 state="hidden"'), "隐藏的工作表", EITHER),
    "very hidden sheet": (in_part("xl/workbook.xml", '(name="乡镇汇总")', r'\1 state="veryHidden"'), "隐藏的工作表", EITHER),
    "hidden row": (in_sheet(MAIN, '<row r="2"', '<row r="2" hidden="1"'), "隐藏的行", EITHER),
    "hidden column": (in_sheet(MAIN, '<col min="2"', '<col hidden="1" min="2"'), "隐藏的行", EITHER),
    "number as a number": (
        in_sheet(MAIN, 't="inlineStr"><is><t>[^<]*</t></is>', "><v>539999196503170010</v>"),
        "不是文本",
        EITHER,
    ),
    "an unknown sheet": (in_part("xl/workbook.xml", 'name="待核实"', 'name="备注"'), "不认识的工作表", EITHER),
    "macro": (with_part("xl/vbaProject.bin"), "不认识的部分", EITHER),
    "comments": (with_part("xl/comments1.xml", f"<t>{NUMBER}</t>"), "不认识的部分", EITHER),
    "external link": (with_part("xl/externalLinks/externalLink1.xml"), "不认识的部分", EITHER),
    "attachments of last month": (attached(lambda c, _: c.older().files(c.code)), "本月", EITHER),
    "workbook of last month": (attached(lambda c, f: (f[0], c.older().files(c.code)[1])), "本月", EITHER),
    "csv of last month": (attached(lambda c, f: (c.older().files(c.code)[0], *f[1:])), "本月", EITHER),
    "no csv": (attached(lambda c, f: f[1:2]), "缺少", MASKED_ONLY),
    "no workbook": (attached(lambda c, f: f[:1]), "缺少", MASKED_ONLY),
    "no attachment": (letter(attachments=()), "缺少", EITHER),
    "workbook twice": (attached(names_twice), "应有", EITHER),
    "a township's file that is none": (attached(lambda c, f: (*f, not_split(f[1]))), "乡镇", EITHER),
    "a file of another kind": (
        letter(attachments=lambda c, made: (*made.attachments, Attachment("说明.pdf", "a.pdf", "application/pdf", b"%PDF"))),
        "名称或类型",
        EITHER,
    ),
    "a kind that is a lie": (
        letter(attachments=lambda c, made: (*made.attachments, Attachment("说明.csv", "a.csv", CSV, c.files()[1].data))),
        "名称或类型",
        EITHER,
    ),
    "an ending that is a lie": (
        letter(attachments=lambda c, made: (*made.attachments, Attachment("说明.exe", "a.exe", XLSX, c.files()[1].data))),
        "名称或类型",
        EITHER,
    ),
}  # fmt: skip


def cases_of(worlds: Worlds, whole: tuple[bool, ...]) -> list[Case]:
    found = []
    for seed in SEEDS:
        dice, full = Random(seed), whole[seed % len(whole)]
        older = partial(worlds, seed, full, date(2026, 10, 20))
        found.append(Case(worlds(seed, full), older, dice, *dice.sample(sorted(COUNTIES), 2)))
    return found


def test_there_are_more_than_two_hundred() -> None:
    assert len(KINDS) * len(SEEDS) >= 200


def test_the_letters_that_are_mixed_up_are_sound(worlds: Worlds) -> None:
    for case in cases_of(worlds, EITHER):
        assert case.sent().reasons() == ()


@pytest.mark.parametrize("kind", KINDS)
def test_a_mix_up_is_stopped(kind: str, worlds: Worlds) -> None:
    how, word, whole = KINDS[kind]
    for case in cases_of(worlds, whole):
        reasons = how(case).reasons()
        assert any(word in reason for reason in reasons), f"{case.code}: {reasons}"
        told = "".join(reasons)
        assert not re.search(r"[0-9]{8}|@|\*{4}", told)
        assert not [
            name for names in case.world.names.values() for name in names if len(name) > 2 and name in told
        ]
