"""`reconcile person export`: everything of one's own, nothing of anybody else's."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import openpyxl
import person_world as world
import polars as pl
import pytest
from person_world import nights, person
from typer.testing import CliRunner

from pipeline import access_log
from pipeline.cases import open_ledger, read_book
from pipeline.cases.people import Somebody
from pipeline.cli import app
from pipeline.contracts.dataset import load_datasets
from pipeline.contracts.problem import ReconcileError
from pipeline.desk.person_asked import Whom
from pipeline.desk.person_tables import table_sections


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return world.make_world(tmp_path_factory.mktemp("person"))


@pytest.fixture(scope="module")
def told(out: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("export") / "me.json"
    done = person(out, "export", world.MISSES, "--out", path, "--reason", "本人书面申请")
    assert done.exit_code == 0, done.output
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return {one["名称"]: one for one in json.loads(path.read_text("utf-8"))["内容"]}


def code(done: object) -> str:
    error = getattr(done, "exception", None)
    assert isinstance(error, ReconcileError), getattr(done, "output", "")
    return error.problem.code


def rows(told: dict[str, Any], title: str, role: str = "本人") -> list[dict[str, str]]:
    return [row for row in told[title]["记录"] if row.get("身份", role) == role]


def test_every_own_row_is_there(told: dict[str, Any]) -> None:
    (register,) = rows(told, "持证残疾人名册")
    assert (register["姓名"], register["身份证号"], register["残疾人证号"]) == (
        "欧阳建国",
        world.MISSES,
        f"{world.MISSES}41",
    )
    assert (register["联系电话"], register["户籍地址"]) == (world.PHONE, world.ADDRESS)
    assert register["行政区划代码"] == f"{world.plain.COUNTY}101201"
    (paid,) = rows(
        told, "惠民惠农补贴资金发放明细" if "惠民惠农补贴资金发放明细" in told else _payments(told)
    )
    assert paid["银行账号"] == world.ACCOUNT
    (subsidy,) = [r for title in told for r in told[title]["记录"] if world.OLD in r.values()]
    assert subsidy["身份"] == "本人"  # known by the identity number inside an older certificate number too
    assert "D级" in str(told)  # a house list names its head only


def _payments(told: dict[str, Any]) -> str:
    return next(title for title, one in told.items() if "finance/payments" in one["存放处"])


def test_a_damaged_row_that_the_night_linked_is_there_as_it_was_typed(told: dict[str, Any]) -> None:
    (row,) = next(one["记录"] for one in told.values() if "hr_social_security/pension" in one["存放处"])
    assert row["身份证号"] == world.SLIP


def test_results_nights_and_cases_are_there_with_where_and_until(told: dict[str, Any], out: Path) -> None:
    outcomes = {row["待遇"]: row["结论"] for row in told["各项待遇的结论"]["记录"]}
    assert outcomes["living_subsidy"] == "missing"
    assert {row["残疾人证号"] for row in told["名单与名册的对应"]["记录"]} == {f"{world.MISSES}41"}
    facts = {row["事实"]: row["值"] for row in told["2026-10-31 比对所用的事实"]["记录"]}
    assert facts["低保"] == "是"
    assert any(row["事项"] == "living_subsidy" for row in told["历次比对的结论"]["记录"])
    with open_ledger(out / "state") as ledger:
        numbers = {n for n, c in read_book(ledger.events()).cases.items()}
    mine = {row["疑点编号"] for row in told["疑点"]["记录"]}
    assert mine
    assert mine < numbers
    assert {row["疑点编号"] for row in told["疑点的经过"]["记录"]} == mine
    assert all(one["存放处"] and one["保存到"] for one in told.values())


def test_nothing_of_anybody_else(told: dict[str, Any]) -> None:
    text = json.dumps(told, ensure_ascii=False)
    others = (
        world.CHILD,
        world.HEAD,
        world.SHARED,
        "欧阳老大",
        "欧阳小宝",
        "司马监护",
        world.TWIN_A,
        world.TWIN_B,
    )
    assert not [other for other in others if other in text]
    (register,) = rows(told, "持证残疾人名册")
    assert register["监护人姓名"] == "司***"
    (guardian,) = rows(told, "持证残疾人名册", "他人记录中的监护人")
    assert {k for k, v in guardian.items() if v and k in register} - {
        "名单日期", "报送县", "文件", "工作表", "行", "身份",
    } == {"监护人姓名", "监护人身份证号"}  # fmt: skip
    dibao = next(one["记录"] for one in told.values() if "civil_affairs/dibao" in one["存放处"])
    head = [row for row in dibao if row["身份"] == "他人记录中的户主"]
    assert [(row["户主姓名"], row["姓名"]) for row in head] == [("欧阳建国", "")]


def test_the_workbook_says_the_same(told: dict[str, Any], out: Path, tmp_path: Path) -> None:
    path = tmp_path / "me.xlsx"
    done = person(out, "export", f"{world.MISSES}41", "--out", path)
    assert done.exit_code == 0, done.output
    book = openpyxl.load_workbook(path)
    about = [row[:4] for row in list(book["说明"].values)[3:]]
    assert [(row[0], row[1]) for row in about] == [(n, str(len(one["记录"]))) for n, one in told.items()]
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    values = {cell.value for cell in cells}
    assert {v for one in told.values() for row in one["记录"] for v in row.values() if v} <= values


def test_it_is_noted_without_the_number(told: dict[str, Any], out: Path) -> None:
    (first, *_) = access_log.read(out / "state")
    assert (first.command, first.reason) == ("person export", "本人书面申请")
    assert first.what == access_log.person_mark(out / "state", world.MISSES)
    assert set(first.cases) == {row["疑点编号"] for row in told["疑点"]["记录"]}
    assert access_log.check(out / "state") == []
    assert world.MISSES not in (out / "state/access").glob("*.jsonl").__next__().read_text("utf-8")


def test_unknown_and_unclear_numbers(out: Path, tmp_path: Path) -> None:
    noted = len(access_log.read(out / "state"))
    path = tmp_path / "me.json"
    for number, expected in (
        (world.STRANGER, "E876"),
        (world.SHARED, "E877"),
        ("12345", "E875"),
        (world.SLIP, "E875"),
    ):
        done = person(out, "export", number, "--out", path)
        assert code(done) == expected
        assert number not in str(done.exception)
    assert list(tmp_path.iterdir()) == []
    assert len(access_log.read(out / "state")) == noted
    assert code(person(tmp_path, "export", world.MISSES, "--out", path)) == "E715"


def test_who_shares_a_number_is_asked_for_by_certificate(out: Path, tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    done = person(out, "export", f"{world.SHARED}42", "--out", path)
    assert done.exit_code == 0, done.output
    text = path.read_text("utf-8")
    assert world.TWIN_B in text
    assert world.TWIN_A not in text


def test_no_file_is_overwritten(out: Path, tmp_path: Path) -> None:
    path = tmp_path / "me.json"
    path.write_text("mine")
    assert code(person(out, "export", world.MISSES, "--out", path)) == "E880"
    assert code(person(out, "export", world.MISSES, "--out", tmp_path / "me.csv")) == "E880"
    assert code(person(out, "export", world.MISSES, "--out", tmp_path / "no/me.json")) == "E880"
    assert path.read_text() == "mine"


@pytest.mark.parametrize("command", ["export", "correct", "erase"])
def test_every_command_shows_two_examples(command: str, out: Path) -> None:
    assert person(out, command, "--help").stdout.count(f"reconcile person {command}") >= 2


@pytest.mark.shows_numbers  # explain --full-ids
def test_every_command_that_shows_people_leaves_its_line(out: Path, tmp_path: Path) -> None:
    """`explain`, `cases show`, `cases export`, `plan`, `review`: after each the log has one line more, of that command."""
    state = ("--state", out / "state")
    rules = ("--rules", nights.ROOT / "rules")
    schemas = ("--schemas", nights.ROOT / "schemas")
    with open_ledger(out / "state") as ledger:
        number = min(read_book(ledger.events()).cases)
    mark = access_log.person_mark(out / "state", world.CHILD)
    book = ("--results", out / "results", "--out", tmp_path / "b.xlsx")
    asked: dict[str, tuple[tuple[object, ...], str, tuple[str, ...]]] = {
        "explain": (("explain", world.CHILD, "--out", out, *schemas, *rules), mark, ()),
        "explain --full-ids": (
            ("explain", number, "--full-ids", "--out", out, *schemas, *rules),
            "",
            (number,),
        ),
        "cases show": (("cases", "show", number.lower(), *state, *rules), "", (number,)),
        "cases export": (("cases", "export", "--county", "539901", *book, *state, *rules), "539901", ()),
        "plan": (("plan", *rules, "--against", nights.ROOT / "rules", *state, *schemas), "", ()),
        "review export": (("review", "--out", out, "--export", tmp_path / "r.xlsx", *schemas), "", ()),
    }
    for command, (words, what, cases) in asked.items():
        before = len(access_log.read(out / "state"))
        done = CliRunner().invoke(app, [*map(str, words), "--reason", f"试{command}"])
        assert done.exit_code == 0, (command, done.output, done.exception)
        (*_, last) = lines = access_log.read(out / "state")
        assert len(lines) == before + 1, command
        assert (last.command, last.what, last.cases, last.reason) == (command, what, cases, f"试{command}")
    unknown = CliRunner().invoke(
        app, ["explain", world.STRANGER, "--out", str(out), *map(str, (*schemas, *rules))]
    )
    assert code(unknown) == "E530"
    assert access_log.read(out / "state")[-1].what == access_log.person_mark(out / "state", world.STRANGER)
    assert access_log.check(out / "state") == []


def test_titles_of_a_list_are_different() -> None:
    """A record in JSON has one value a title."""
    for dataset in load_datasets(nights.ROOT / "schemas").values():
        titles = [spec.title for spec in dataset.fields.values()]
        assert len(titles) == len(set(titles)), dataset.dataset


def test_of_a_contradiction_of_names_the_other_name_is_masked(tmp_path: Path) -> None:
    line = {
        "certificate_number": f"{world.MISSES}41",
        "id_number": world.MISSES,
        "name": "欧阳建国",
        "county_code": "539901",
        "finding": "id_name_conflict",
        "reason": "在《名单》第2行（名单.csv）写的是“诸葛小花”，与第3行的“欧阳建国”明显不同",
    }
    other = {**line, "finding": "payment_failed", "reason": "状态为“失败”"}
    pl.DataFrame([line, other]).write_parquet(tmp_path / "findings.parquet")
    whom = Whom(
        frozenset({world.MISSES}), frozenset(), Somebody(0, "", world.MISSES, "", ""), frozenset({"欧阳建国"})
    )
    [section] = table_sections(tmp_path, whom)
    assert [row[-1] for row in section.rows] == [
        "在《名单》第2行（名单.csv）写的是“诸***”，与第3行的“欧阳建国”明显不同",
        "状态为“失败”",
    ]
