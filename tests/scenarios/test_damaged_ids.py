"""Whole nights over lists with damaged numbers: their people are found, or left open, and never told to be missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nights
import plain
import polars as pl
import pytest
import python_calamine
import xlsxwriter

DIBAO = "civil_affairs/dibao"
AS_CELLS, AS_TEXT, CSV_MIXED, BOOK_MIXED = "539901", "539902", "539923", "539924"


def names(many: int) -> list[str]:
    return [
        f"{'王李张刘陈杨赵黄周吴'[at % 10]}{'秀桂志金玉'[at // 10]}{'梅芳军强英花荣福贵成'[at % 7]}"
        for at in range(many)
    ]


def wrong(text: str, at: int) -> str:
    return text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :]


def is_sound(text: str) -> bool:
    return text == plain.number(text[6:14], int(text[14:17]), region=text[:6])


# --- a county's list whose numbers went through a spreadsheet -------------------------------------------------------


def people(county: str, birth_year: int, many: int, *, sound_as_000: bool = False) -> list[dict[str, str]]:
    """Register people of a county whose numbers can be numbers (no X), and whose 000 form is (not) sound by chance."""
    found = []
    for at in range(500):
        id_ = plain.number(
            f"{birth_year + at % 40}{1 + at % 12:02d}{1 + at % 28:02d}", 101 + at, region=county
        )
        if id_[17] != "X" and is_sound(f"{id_[:15]}000") == sound_as_000:
            found.append(id_)
    area = f"{county}101201"
    return [plain.holder(name, id_, area=area) for name, id_ in zip(names(many), found[:many], strict=True)]


def in_dibao(person: dict[str, str], typed: str = "") -> dict[str, str]:
    number = person["id"]
    return {
        "fam": f"户{number}",
        "name": person["name"],
        "id": typed or number,
        "rel": "户主",
        "state": "在保",
    }


def in_margin(person: dict[str, str]) -> dict[str, str]:
    return {**in_dibao(person), "state": "有效"}


def zeros(person: dict[str, str]) -> str:
    return f"{person['id'][:15]}000"


def write_workbook(path: Path, rows: list[dict[str, str]], numeric: int) -> None:
    """The list as a workbook; the first `numeric` numbers are cells of numbers, as a spreadsheet makes them."""
    fields = plain.DATASETS[DIBAO].fields
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, [spec.headers[0] for spec in fields.values()])
        for at, row in enumerate(rows, 1):
            sheet.write_row(at, 0, [row.get(name, "") for name in fields])
            if at <= numeric:
                sheet.write_number(at, list(fields).index("id"), float(row["id"]))


def deliver(inbox: Path, county: str, some: list[dict[str, str]]) -> None:
    """Every list of the county: all its people in the margin list, none elsewhere; 低保 in the county's own way."""
    for key, dataset in plain.DATASETS.items():
        if dataset.delivery.by == "county":
            rows = [in_margin(person) for person in some] if key == "civil_affairs/dibao_margin" else []
            plain.write_list(inbox / key / f"{county}_示例市名单_20261031.csv", key, rows)
    csv = inbox / DIBAO / f"{county}_示例市名单_20261031.csv"
    if county in (AS_CELLS, BOOK_MIXED):
        csv.unlink()
        rows = [in_dibao(person) for person in some]
        write_workbook(csv.with_suffix(".xlsx"), rows, len(rows) if county == AS_CELLS else 4)
    elif county == AS_TEXT:
        plain.write_list(csv, DIBAO, [in_dibao(person, f"{float(person['id']):.5E}") for person in some])
    else:
        lost = [zeros(person) if at in (0, 1, 2, 3, 10) else "" for at, person in enumerate(some)]
        plain.write_list(csv, DIBAO, [in_dibao(*both) for both in zip(some, lost, strict=True)])


@pytest.fixture(scope="module")
def spreadsheet(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[dict[str, str]]]]:
    """Four counties: all numbers as cells, all as 5.39E+17, and four of ten as …000 (CSV) or as cells. One night."""
    folder = tmp_path_factory.mktemp("spreadsheet")
    by_county = {
        AS_CELLS: people(AS_CELLS, 1941, 10),
        AS_TEXT: people(AS_TEXT, 1942, 10),
        CSV_MIXED: [*people(CSV_MIXED, 1943, 10), *people(CSV_MIXED, 1944, 1, sound_as_000=True)],
        BOOK_MIXED: people(BOOK_MIXED, 1945, 10),
    }
    inbox = plain.write(folder, [person for some in by_county.values() for person in some])
    for county, some in by_county.items():
        deliver(inbox, county, some)
    nights.night(inbox, folder / "out", as_of=plain.AS_OF)
    return folder / "out", by_county


def answers_of(out: Path, some: list[dict[str, str]], benefit: str) -> list[str]:
    outcomes = nights.table(out, "outcomes")
    return [
        outcome
        for person in some
        for outcome in plain.outcome(outcomes, person["id"], benefit) or ["not_due"]
    ]


@pytest.mark.parametrize("county", [AS_CELLS, AS_TEXT])
def test_a_county_whose_numbers_are_all_lost_is_found_or_undetermined_never_missing(
    county: str, spreadsheet: Any
) -> None:
    out, by_county = spreadsheet
    some = by_county[county]
    found = set(answers_of(out, some, "single_person_dibao"))
    assert found <= {"receiving", "verify", "undetermined"}
    open_still = {"receiving": "missing"}  # who is on the list is due the subsidy that nobody here has
    assert set(answers_of(out, some, "living_subsidy")) == {
        open_still.get(answer, answer) for answer in found
    }
    assert (nights.status(out, DIBAO)[county] == "accepted") == (found != {"undetermined"})


@pytest.mark.parametrize("county", [CSV_MIXED, BOOK_MIXED])
def test_in_a_list_that_lost_some_numbers_everybody_is_found(county: str, spreadsheet: Any) -> None:
    out, by_county = spreadsheet
    some = by_county[county][:10]
    assert nights.status(out, DIBAO)[county] == "accepted"
    assert answers_of(out, some, "single_person_dibao") == ["receiving"] * 10
    assert answers_of(out, some, "living_subsidy") == ["missing"] * 10
    links = nights.table(out, "links").filter(pl.col("dataset") == DIBAO)
    methods = dict(links.select("certificate_number", "method").iter_rows())
    assert [methods[person["cert"]] for person in some] == ["id_prefix"] * 4 + ["id"] * 6


def test_a_number_ending_in_000_that_passes_the_check_by_chance_makes_nobody_missing(
    spreadsheet: Any,
) -> None:
    out, by_county = spreadsheet
    """One in eleven such numbers is sound; it is no stranger's."""
    assert answers_of(out, by_county[CSV_MIXED][10:], "single_person_dibao") == ["receiving"]


# --- one county, one night: doubt, houses, conflicts ----------------------------------------------------------------

ONE, NAMESAKE = plain.number("19650317", 213), plain.number("19650317", 117)
HEAD, HEAD_2 = plain.number("19500101", 213), plain.number("19510202", 215)
CHILD, CHILD_2, CHILD_3 = (
    plain.number("19800303", 219),
    plain.number("19810404", 221),
    plain.number("19820505", 223),
)
HEAD_3 = plain.number("19520606", 225)
BORROWED, MISNUMBERED, OUTSIDER = (
    plain.number("19700707", 227),
    plain.number("19720808", 229),
    plain.number("19740909", 231),
)
TYPED = wrong(MISNUMBERED, 15)

REGISTER = [
    plain.holder("王小明", ONE),
    plain.holder("王小明", NAMESAKE),
    plain.holder("李秋菊", CHILD),
    plain.holder("张志国", CHILD_2),
    plain.holder("和丽珍", CHILD_3),
    plain.holder("杨四妹", BORROWED),
    {**plain.holder("陈桂芳", MISNUMBERED), "id": TYPED, "cert": f"{TYPED}41"},
]


def family(key: str, head: str, head_id: str, child: str, child_id: str) -> list[dict[str, str]]:
    both = {"fam": key, "hname": head, "hid": head_id, "state": "在保"}
    return [
        {**both, "name": head, "id": head_id, "rel": "户主"},
        {**both, "name": child, "id": child_id, "rel": "子女"},
    ]


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    insured = {"kind": "居民", "state": "正常参保", "year": "2026", "aid": "无", "area": plain.COUNTY}
    houses = [
        {"hname": "李大山", "hid": wrong(HEAD, 15), "grade": "D", "state": "已竣工"},
        {"hname": "张大海", "hid": "", "grade": "D", "state": "已竣工"},
    ]
    return plain.write(
        tmp_path_factory.mktemp("one"),
        REGISTER,
        medical_insurance__insured=[
            {"name": "王小明", "id": "", "dob": "19650317", "sex": "男", **insured},
            {"name": "陈桂芳", "id": MISNUMBERED, "dob": "19720808", "sex": "男", **insured},
        ],
        civil_affairs__dibao=[
            *family("户一", "李大山", HEAD, "李秋菊", CHILD),
            *family("户二", "张大海", HEAD_2, "张志国", CHILD_2),
            *family("户三", "张大海", HEAD_3, "和丽珍", CHILD_3),
        ],
        housing__dangerous_housing=houses,
        hr_social_security__pension=[
            {"name": "杨四妹", "id": BORROWED, "kind": "居民", "state": "正常缴费", "aid": "否"},
            {"name": "赵铁柱", "id": BORROWED, "kind": "居民", "state": "正常缴费", "aid": "否"},
        ],
        health__assessments=[
            {"name": "陈桂芳", "id": MISNUMBERED, "cat": "肢体", "level": "一级"},
            {"name": "马福贵", "id": OUTSIDER, "cat": "肢体", "level": "一级"},
        ],
    )


def run(inbox: Path, out: Path, threads: int) -> Path:
    """The night, with the key of the reviews kept beside the inbox as an office keeps it."""
    out.mkdir(exist_ok=True)
    config = out / "reconcile.toml"
    config.write_text(f"[limits]\nthreads = {threads}\n", encoding="utf-8")
    nights.night(inbox, out, as_of=plain.AS_OF, config=config, state=inbox.parent / "state")
    return out


@pytest.fixture(scope="module")
def out(inbox: Path) -> Path:
    return run(inbox, inbox.parent / "out", threads=1)


def outcome(out: Path, id_: str, benefit: str) -> list[str]:
    return plain.outcome(nights.table(out, "outcomes"), id_, benefit)


def finding(out: Path, code: str) -> pl.DataFrame:
    return nights.table(out, "findings").filter(pl.col("finding") == code)


def test_a_doubtful_row_is_verify_and_the_countys_sheet_names_it(out: Path) -> None:
    for id_ in (ONE, NAMESAKE):
        assert outcome(out, id_, "medical_insurance") == ["verify"]
    book = python_calamine.CalamineWorkbook.from_path(out / "reports" / plain.COUNTY / "discrepancies.xlsx")
    header, *rows = book.get_sheet_by_name("待核实").to_python(skip_empty_area=True)
    while "匹配方式与置信度" not in header:
        header, *rows = rows
    told = [dict(zip(header, row, strict=True)) for row in rows]
    mine = [row for row in told if row["姓名"] == "王小明" and row["涉及政策"] == "基本医疗保险参保"]
    assert len(mine) == 2
    assert all("《基本医疗保险参保人员信息》第2行或为本人" in str(row["匹配方式与置信度"]) for row in mine)


def test_a_house_reaches_the_family_through_its_heads_damaged_number(out: Path) -> None:
    links = nights.table(out, "family_links").filter(pl.col("certificate_number") == f"{CHILD}41")
    assert links.select("through", "decision").rows() == [(DIBAO, "linked")]
    assert outcome(out, CHILD, "housing_renovation") == ["receiving"]


def test_a_house_that_may_be_either_familys_is_verify(out: Path) -> None:
    for id_ in (CHILD_2, CHILD_3):
        assert outcome(out, id_, "housing_renovation") == ["verify"]


def test_a_number_under_two_names_is_told_with_both_rows(out: Path) -> None:
    [told] = finding(out, "id_name_conflict").iter_rows(named=True)
    assert told["id_number"] == BORROWED
    assert "第3行" in told["reason"]  # of the pension list
    assert "《持证残疾人名册》第7行" in told["reason"]
    assert outcome(out, BORROWED, "pension_enrolment") == ["receiving"]


def test_who_is_on_the_register_under_a_damaged_number_is_not_told_to_have_no_certificate(out: Path) -> None:
    assert finding(out, "certificate_not_issued")["id_number"].to_list() == [OUTSIDER]
    mine = nights.table(out, "outcomes").filter(pl.col("certificate_number") == f"{TYPED}41")
    assert dict(mine.select("benefit", "outcome").iter_rows())["medical_insurance"] == "receiving"


def test_the_same_night_twice_gives_the_same_bytes_with_one_thread_and_two(inbox: Path, out: Path) -> None:
    again = run(inbox, inbox.parent / "again", threads=2)
    files = sorted(path.name for path in (out / "results").glob("*.parquet"))
    assert "pairs.parquet" in files
    assert set(nights.table(out, "pairs")["decision"]) >= {"linked", "review"}
    for name in files:
        assert (again / "results" / name).read_bytes() == (out / "results" / name).read_bytes(), name
