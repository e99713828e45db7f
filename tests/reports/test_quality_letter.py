"""What a department hears of its exports: counts, reasons, places and cures, nobody's data."""

from __future__ import annotations

import csv
import dataclasses
import io
import random
import re
from typing import Any

import polars as pl
import pytest
import report_nights as nights

from pipeline.cases.person_rights import Correction, ListPlace
from pipeline.contracts.dataset import FieldSpec
from pipeline.contracts.delivered import UNREAD, FieldQuality
from pipeline.contracts.problem import Problem
from pipeline.contracts.settings import Settings
from pipeline.contracts.tables import COVERAGE, UNLINKED
from pipeline.delivery.egress import check
from pipeline.delivery.envelope import build
from pipeline.delivery.expected import nothing_of_people
from pipeline.delivery.letter import CSV, Attachment, Letter
from pipeline.reports.letter_text import WIDE, columns
from pipeline.reports.night import NightForReports
from pipeline.reports.quality_letter import COLUMNS, MOST_ROWS, QualityLetter, quality_letters

DIBAO, SUBSIDIES, REGISTER = "civil_affairs/dibao", "civil_affairs/two_subsidies", "federation/register"


def lines(letter: QualityLetter | None) -> list[dict[str, str]]:
    assert letter is not None
    text = letter.csv_bytes.decode("utf-8-sig")
    assert letter.csv_bytes.startswith(b"\xef\xbb\xbf")
    assert text.count("\n") == text.count("\r\n")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == letter.rows
    return rows


def a_night(**other: Any) -> NightForReports:
    """The list of minimum livelihood is missing in one county and stopped in another."""
    stopped = Problem(
        "E245", "error", "大部分证件号码不能用", "94 行中只有 10 行有可用的证件号码", "设为文本后重新导出",
        file=f"{DIBAO}/539901_低保_20261031.xls", dataset=DIBAO, county="539901",
    )  # fmt: skip
    whole: dict[str, Any] = {
        "coverage": nights.coverage({(DIBAO, "539902"): "missing", (DIBAO, "539901"): "quarantined"}),
        "problems": (stopped, Problem("N001", "note", "多一列", "没有声明", "可以不管", dataset=DIBAO)),
    }
    return nights.full_night(**(whole | other))


def test_a_department_with_nothing_to_repair_gets_no_letter() -> None:
    letters = quality_letters(a_night())
    assert set(letters) == {"civil_affairs", "federation"}
    assert letters["federation"] is None
    assert letters["civil_affairs"] is not None
    only_notes = nights.night(problems=(Problem("N001", "note", "多一列", "", "", dataset=REGISTER),))
    assert set(quality_letters(only_notes).values()) == {None}


def test_what_most_people_wait_for_comes_first() -> None:
    letter = quality_letters(a_night())["civil_affairs"]
    assert letter is not None
    rows = lines(letter)
    waiting = [int(row["等待判断人数"] or 0) for row in rows]
    assert waiting == sorted(waiting, reverse=True)
    first = rows[0]
    assert (first["类别"], first["县(市、区)"], first["等待判断人数"]) == ("未采用", "东川示例县", "10")
    assert first["办法"]
    stopped = [row for row in rows if "E245" in row["问题"]]
    assert len(stopped) == 1  # told by the problem, not by the coverage once more
    assert stopped[0]["文件"] == f"{DIBAO}/539901_低保_20261031.xls"
    assert letter.subject == "[核对]民政 名册质量 2026-10-31 未采用2 待修正5"
    assert letter.stem == "名册质量_民政_2026-10-31"
    assert "《最低生活保障对象花名册》：东川示例县未到，等待判断10人。" in letter.body.replace("\n", "")


def test_the_federation_is_called_by_its_name_where_only_it_reads() -> None:
    """Not in the subject and the file's name, which are seen on locked screens and which the egress check reads."""
    letter = quality_letters(nights.night(), [asked("federation", "残联窗口登记有误")])["federation"]
    assert letter is not None
    assert letter.body.startswith("残联：\n")
    assert "残联窗口登记有误" in letter.body
    assert "本系统" not in letter.subject + letter.stem + letter.body
    assert letter.subject == "[核对]名册质量 2026-10-31 未采用0 待修正0 更正1"
    assert letter.stem == "名册质量_2026-10-31"
    assert "残疾" not in letter.body


def test_cells_are_counted_by_reason_and_no_value_is_shown() -> None:
    letter = quality_letters(a_night())["civil_affairs"]
    assert letter is not None
    rows = [row for row in lines(letter) if row["类别"] == "填写"]
    assert {(row["列"], row["问题"], row["涉及行数"]) for row in rows} == {
        ("身份证号", "校验位不符", "3"),
        ("身份证号", "带星号", "2"),
        ("身份证号", "空白", "2"),
        ("状态", "不认识的写法", "4"),
    }
    assert "在报" not in letter.body + letter.csv_bytes.decode()  # what stood in the cell


def test_rows_that_are_another_person_s_are_told_with_their_place() -> None:
    who = nights.person(1)
    row = (SUBSIDIES, f"{SUBSIDIES}/539901_补贴_20261031.csv", 17, who["certificate_number"], "birth_date")
    night = nights.night([who], unlinked=pl.DataFrame([row], schema=UNLINKED, orient="row").lazy())
    (line,) = lines(quality_letters(night)["civil_affairs"])
    assert (line["行"], line["文件"]) == ("17", f"{SUBSIDIES}/539901_补贴_20261031.csv")
    assert "出生日期" in line["原因"]


def cells(file: str, county: str, places: dict[str, list[int]], count: int) -> FieldQuality:
    """A file whose numbers have a wrong check digit, by sheet in these rows."""
    where = tuple((sheet, row) for sheet, rows in places.items() for row in rows)
    by_kind = (("checksum", count),)
    return FieldQuality(DIBAO, county, file, "id", 900, 0, count, by_kind, (("checksum", where),))


def told(*quality: FieldQuality) -> tuple[str, list[dict[str, str]]]:
    """The body on one line, the attachment's lines."""
    letter = quality_letters(nights.night(quality=quality))["civil_affairs"]
    assert letter is not None
    return letter.body.replace("\n", ""), lines(letter)


def test_the_rows_of_damaged_cells_are_named_in_the_letter_and_its_attachment() -> None:
    body, (row,) = told(cells("a.csv", "539901", {"": [3, 5, 8, 9, 10, 17]}, 6))
    assert "校验位不符：1份文件，示例市第3、5、8至10、17行，共6行。" in body
    assert (row["文件"], row["工作表"], row["行"], row["涉及行数"]) == ("a.csv", "", "3、5、8至10、17", "6")
    assert not re.search("[0-9]-[0-9]", row["行"])  # a spreadsheet makes a date of 8-10


def test_a_letter_names_ten_rows_and_the_attachment_all_that_are_kept() -> None:
    first = cells("a.csv", "539901", {"": list(range(2, 100, 2))[:40]}, 40)
    other = cells("b.csv", "539902", {"": [7, 8]}, 900)
    body, rows = told(first, other)
    shown = "、".join(str(row) for row in range(2, 22, 2))
    assert f"校验位不符：2份文件，示例市第{shown}行等940行。" in body
    by_file = {row["文件"]: row["行"] for row in rows}
    assert by_file["a.csv"].count("、") == 39
    assert by_file["b.csv"] == "7、8 等900行"


def test_sheets_are_named_in_the_attachment_where_there_are_several() -> None:
    number = nights.id_number(7)
    body, (row,) = told(cells("a.xlsx", "539901", {"下坡乡": [4], f"={number}": [9]}, 2))
    assert row["工作表"].startswith("下坡乡、=")
    assert re.fullmatch(r"下坡乡：4；=5399\d{2}\*{8}\d{3}.：9", row["行"])
    assert "1份文件、2行。" in body  # the rows of which sheet the letter could not say
    body, (row,) = told(cells("a.xlsx", "539901", {"下坡乡": [4]}, 1))
    assert (row["工作表"], row["行"]) == ("下坡乡", "4")
    assert "1份文件，示例市第4行。" in body


def test_rows_of_one_file_are_not_taken_for_another_s() -> None:
    """Two files of no county, or of the same: the letter says how many rows, the attachment which."""
    for county in ("", "539901"):
        body, rows = told(cells("a.csv", county, {"": [4]}, 1), cells("b.csv", county, {"": [6]}, 1))
        assert "2份文件、2行。" in body
        assert {(row["文件"], row["行"]) for row in rows} == {("a.csv", "4"), ("b.csv", "6")}


def test_a_file_of_several_sheets_hides_no_other_county_s_rows() -> None:
    clear = cells("a.csv", "539901", {"": [4, 6]}, 2)
    several = cells("b.xlsx", "539902", {"一": [5], "二": [7]}, 2)
    body, _ = told(clear, several)
    assert "2份文件，示例市第4、6行等4行。" in body


def test_a_row_beyond_every_sheet_is_counted_and_not_shown() -> None:
    """Eight digits may be a part of somebody's number; a spreadsheet has no such row anyhow."""
    body, (row,) = told(cells("a.csv", "", {"": [9_999_999, 10_000_000]}, 2))
    assert row["行"] == "9999999 等2行"
    assert "第9999999行等2行" in body
    assert not re.search("[0-9]{8}", body.replace("20261031", "") + row["行"])


def test_dates_and_amounts_that_cannot_be_read_are_told_like_other_cells() -> None:
    known = nights.datasets()
    spec = FieldSpec.model_validate({"title": "起始月", "type": "month", "headers": ["起始月"]})
    fields = known[DIBAO].fields | {"start": spec}
    known[DIBAO] = known[DIBAO].model_copy(update={"fields": fields})
    unread = FieldQuality(DIBAO, "539901", "a.csv", "start", 9, 3, 1, (), ((UNREAD, (("", 5),)),))
    letter = quality_letters(nights.night(quality=(unread,), datasets=known))["civil_affairs"]
    (row,) = lines(letter)
    assert (row["列"], row["问题"], row["办法"]) == ("起始月", "读不出来", "改成 202601 的写法")
    assert (row["行"], row["涉及行数"]) == ("5", "1")


def test_no_number_of_a_person_and_no_formula_stands_in_any_part() -> None:
    number = nights.id_number(7)
    full_width = number.translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    names = [number, f"{number}41", "13900001234", f"张三{full_width}", "6222020200112233445"]
    problems = [
        Problem("E245", "error", f"=坏{n}", n, f"@{n}", f"{DIBAO}/=x{n}.csv", f"+{n}", 3, f"-{n}", DIBAO)
        for n in names
    ]
    quality = (FieldQuality(DIBAO, "", f"{DIBAO}/{number}.csv", "state", 9, 0, 9, ((number, 9),)),)
    night = a_night(problems=tuple(problems), quality=quality)
    place = ListPlace(DIBAO, "539901", f"{DIBAO}/=低保_{number}.csv", f"+{number}", 12345678, "=出生")
    notes = [
        asked("civil_affairs", f"=生日有误，号码{number}，电话13900001234", place),
        asked("federation", "姓名有误\n\n请改"),
    ]
    for letter in quality_letters(night, notes).values():
        assert letter is not None
        everything = letter.subject + letter.body + letter.stem + letter.csv_bytes.decode("utf-8-sig")
        assert not re.search("[0-9]{9}", everything)
        assert not re.search(
            r"\*{3}", letter.subject + letter.body + letter.stem
        )  # a masked one is somebody's, too
        cells = [
            cell for row in csv.reader(io.StringIO(letter.csv_bytes.decode("utf-8-sig"))) for cell in row
        ]
        assert not [cell for cell in cells if re.match("[=+@＝＋－＠\t\r-]", cell)]
        assert "残疾" not in letter.subject + letter.body + letter.stem
        assert max(map(columns, letter.body.splitlines())) <= WIDE


def asked(department: str, note: str, *places: ListPlace, waiting: tuple[str, ...] = ()) -> Correction:
    return Correction(1, nights.AS_OF, department, note, 1, waiting, waiting, places)


def test_what_people_asked_to_be_corrected_makes_a_letter_of_its_own() -> None:
    notes = [asked("federation", "某人的出生日期有误，请核对")]
    letter = quality_letters(nights.night(), notes)["federation"]
    assert letter is not None
    (row,) = lines(letter)
    assert (row["类别"], row["问题"], row["行"]) == ("请求更正", "某人的出生日期有误，请核对", "")
    assert letter.subject.endswith("未采用0 待修正0 更正1")
    assert "某人的出生日期有误，请核对" in letter.body


def test_a_correction_says_in_which_row_of_which_file_and_whose_cases_wait() -> None:
    where = ListPlace(DIBAO, "539902", f"{DIBAO}/539902_低保_20261031.xlsx", "下坡乡", 12, "状态")
    note = asked("civil_affairs", "已停保", where, waiting=("DC-2610-0001-6",))
    letter = quality_letters(nights.night(), [note])["civil_affairs"]
    assert letter is not None
    said = "1. 《最低生活保障对象花名册》东川示例县第12行“状态”列（文件 539902_低保_20261031.xlsx，工作表 下坡乡）；已停保；疑点 DC-2610-0001-6"
    assert said in letter.body.replace("\n", "")
    (row,) = lines(letter)
    at = ("名册", "县(市、区)", "文件", "工作表", "行", "列", "问题", "原因")
    assert tuple(row[name] for name in at) == (
        "最低生活保障对象花名册", "东川示例县", where.file, "下坡乡", "12", "状态", "已停保", "有人请求更正（疑点 DC-2610-0001-6）",
    )  # fmt: skip


def test_the_name_of_a_file_that_may_hold_a_number_stands_in_the_attachment_only() -> None:
    for name in ("低保_19800512.csv", "低保_1380013.csv", "残疾人补贴_20261031.csv"):
        where = ListPlace(DIBAO, "539902", f"{DIBAO}/{name}", "", 12)
        letter = quality_letters(nights.night(), [asked("civil_affairs", "已停保", where)])["civil_affairs"]
        assert letter is not None
        assert "东川示例县第12行；已停保" in letter.body.replace("\n", "")
        assert lines(letter)[0]["文件"] == where.file


def refusals(letter: QualityLetter | None, waiting: tuple[str, ...] = ()) -> tuple[str, ...]:
    """What the egress check says of the finished mail to the department."""
    assert letter is not None
    to = "office@example.gov.cn"
    config = Settings.model_validate(
        {
            "departments": {"civil_affairs": (to,)},
            "mail": {"sender": to, "allowed_domains": ("example.gov.cn",)},
        }
    )
    table = Attachment(f"{letter.stem}.csv", "quality.csv", CSV, letter.csv_bytes)
    mail = Letter("q1", "quality", nights.AS_OF, "civil_affairs", to, letter.subject, letter.body, (table,))
    expected = nothing_of_people("civil_affairs", to, letter.rows, COLUMNS, cases=frozenset(waiting))
    return check(build(mail, config.mail), to, expected, config, None)


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ("应为1961-02-03，请改", "应为1961-02-03，请改"),
        ("出生日期应为19610203，请改", "出生日期应为（号码略），请改"),
        ("应为１９６１０２０３，请改", "应为（号码略），请改"),
        ("见疑点SLSX-2610-0001-6", "见疑点（号码略）"),
        ("疑点DC-2610-0001-6有误", "疑点DC-2610-0001-6有误"),  # his own
        ("1234残疾人5678", "（号码略）"),  # one number where the word is left out
        ("20261031的名册里", "20261031的名册里"),
    ],
)
def test_what_the_egress_check_refuses_is_left_out_of_a_note(note: str, said: str) -> None:
    """Notes of earlier programs lie in the ledger: one of them must not stop all mail."""
    own = ("DC-2610-0001-6",)
    letter = quality_letters(nights.night(), [asked("civil_affairs", note, waiting=own)])["civil_affairs"]
    assert letter is not None
    assert refusals(letter, own) == ()
    assert f"1. {said}；疑点 DC-2610-0001-6" in letter.body.replace("\n", "")
    (row,) = lines(letter)
    assert row["问题"] == (note if "残疾" in note else said)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("低保_１２３４５６７８", "低保_12345678"),
        ("SLSX-2610-0001-6", "（号码略）"),
        ("低保ＳＬＳＸ－２６１０－０００１－６（改）", "低保（号码略）（改）"),
        ("①③⑨①②③④⑤⑥⑦⑧", "（号码略）"),
    ],
)
def test_no_name_of_a_file_or_sheet_stops_the_mail(name: str, told: str) -> None:
    for file, sheet in ((f"{name}.xlsx", "一"), ("a.xlsx", name)):
        place = ListPlace(DIBAO, "539902", f"{DIBAO}/{file}", sheet, 12)
        quality = cells(file, "539901", {sheet: [4], "二": [5]}, 2)
        night = nights.night(quality=(quality,))
        letter = quality_letters(night, [asked("civil_affairs", "已停保", place)])["civil_affairs"]
        assert refusals(letter) == ()
        assert letter is not None
        assert "第12行；已停保" in letter.body  # neither is named where both cannot be
        for row in lines(letter):
            assert told in row["文件"] + row["工作表"]


def test_a_list_too_long_says_how_many_more() -> None:
    problems = tuple(
        Problem("E214", "error", "坏行", "读不出来", "改正", f"{DIBAO}/a.csv", "", row, "", DIBAO)
        for row in range(1, MOST_ROWS + 8)
    )
    night = nights.night(problems=problems)
    rows = lines(quality_letters(night)["civil_affairs"])
    assert len(rows) == MOST_ROWS + 1
    assert rows[-1]["问题"] == "另有7条没有列出，先修正以上各条"


def test_a_problem_without_a_list_is_told_to_the_department_of_its_folder() -> None:
    stray = Problem("E222", "warning", "文件名前没有县级代码", "", "加上", file="civil_affairs/别处/x.csv")
    nobody = Problem("E222", "warning", "不知道是谁的", "", "", file="x.csv")
    letters = quality_letters(nights.night(problems=(stray, nobody)))
    assert [row["文件"] for row in lines(letters["civil_affairs"])] == ["civil_affairs/别处/x.csv"]
    assert letters["federation"] is None


def test_a_list_of_the_whole_prefecture_is_told_once_in_the_body() -> None:
    rows = [(REGISTER, county, "stale", nights.AS_OF, 10, "") for county in nights.COUNTIES]
    night = nights.night(coverage=pl.DataFrame(rows, schema=COVERAGE, orient="row"))
    letter = quality_letters(night)["federation"]
    assert letter is not None
    assert "各县（市、区）过期" in letter.body
    assert letter.rows == 3


def test_the_same_night_gives_the_same_letter_whatever_the_order() -> None:
    night = a_night()
    turned = list(night.quality), list(night.problems)
    for one in turned:
        random.Random(3).shuffle(one)
    again = dataclasses.replace(
        night, quality=tuple(turned[0]), problems=tuple(turned[1]), coverage=night.coverage.reverse()
    )
    assert quality_letters(again) == quality_letters(night)
