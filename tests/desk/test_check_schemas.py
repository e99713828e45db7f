"""`schemas check`: the shipped files are sound; every fault is told with file, line and cure, all of them at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from desk_files import ROOT, folders, replaced, schema_lines, the_line

from pipeline import desk

DIBAO = "civil_affairs/dibao.yaml"
REGISTER = "federation/register.yaml"


def test_the_shipped_schemas_are_sound() -> None:
    count = len(list((ROOT / "schemas").glob("*/*.yaml")))
    assert desk.check_schemas(ROOT / "schemas") == ([f"{count} 个数据说明，0 个问题"], False)


def test_an_empty_folder_has_no_register(tmp_path: Path) -> None:
    lines, failed = desk.check_schemas(tmp_path)
    assert failed
    assert lines[-1] == "0 个数据说明，1 个问题"
    assert lines[0].startswith("E104")


def test_the_faults_of_all_files_are_told_together(tmp_path: Path) -> None:
    _, schemas = folders(tmp_path)
    first = replaced(schemas / DIBAO, "type: integer", "type: number")
    second = replaced(schemas / "civil_affairs/deaths.yaml", "title: ", "titel: ")
    third = replaced(schemas / "health/assessments.yaml", "fields:", "fields")
    lines = schema_lines(schemas)
    the_line(lines, "E102", f"{DIBAO} 第{first}行", "只能写")
    the_line(lines, "E102", f"civil_affairs/deaths.yaml 第{second}行", "没有这样的项")
    the_line(lines, "E102", "civil_affairs/deaths.yaml", "缺少这一项")
    the_line(lines, "E101", f"health/assessments.yaml 第{third + 1}行")
    assert desk.check_schemas(schemas)[0][-1].endswith(f"{len(lines)} 个问题")
    assert all("办法：" in line for line in lines)


@pytest.mark.parametrize(
    ("file", "old", "new", "parts"),
    [
        (DIBAO, "state = '在保'", "stat = '在保'", ["E305", "stat", "相近的有：state"]),
        (DIBAO, "state = '在保'", "state = '在报'", ["E110", "在报", "相近的有：在保"]),
        (DIBAO, "state = '在保'", "amount = '在保'", ["E110", "不同种类的值不能比较"]),
        (DIBAO, "state = '在保'", "amount + 1", ["E110", "整句的结果是数"]),
        (DIBAO, "state = '在保'", "live", ["E106", "用到了它自己"]),
        (DIBAO, "state = '在保'", "lower(state) = 'x'", ["E304", "LOWER"]),
        (DIBAO, '"any(live)"', '"any(live and klass > 3)"', ["E110", "“klass”是文字，“3”是数"]),
        (DIBAO, '"any(live)"', '"any(live and start >= 三月前)"', ["E305", "三个月前"]),
        (DIBAO, '"any(live)"', '"any(live and start >= 本年)"', ["E110", "日期"]),
        (DIBAO, '"any(live)"', '"all(live)"', ["E106", "any(条件)"]),
        (DIBAO, '"any(live)"', '"first(nothing)"', ["E106", "字段名"]),
        (DIBAO, '"any(live)"', '"sum(state)"', ["E106", "不能相加"]),
        (DIBAO, '"any(live)"', '"age(本日)"', ["E106", "只用于名册"]),
        (DIBAO, '"any(live)"', '"any(n and live)"', ["E110", "and / or 的两边应为是非"]),
        (DIBAO, "  低保: {", "  低-保: {", ["E106", "事实名“低-保”不能用"]),
        (DIBAO, "  低保: {", "  本日: {", ["E106", "事实名“本日”不能用"]),
        (DIBAO, "  低保: {", "  死亡: {", ["E107", "死亡"]),
        (DIBAO, "  fam:\n", "  live:\n", ["E102", "fam"]),
        (DIBAO, "  urban:\n", "  source_row:\n", ["E109", "source_row 是系统自用的名称"]),
        (DIBAO, "  urban:\n", "  urban2:\n", ["E109", "只用小写字母和下划线"]),
        (DIBAO, "  urban:\n", "  hid_problem:\n", ["E109", "字段 hid 的列 hid_problem 同名"]),
        (DIBAO, "id: id}", "id: name}", ["E109", "person.id", "应为 id"]),
        (DIBAO, "person: {name: name, id: id}", "person: {name: nane, id: id}", ["E102", "nane"]),
        (DIBAO, "headers: [家庭编号,", "headers: [家庭 编号, 户主姓名,", ["E102", "户主姓名"]),
        (DIBAO, "headers: [家庭编号,", "headers: [户主　姓名,", ["E109", "表头"]),
        (
            DIBAO,
            "dataset: civil_affairs/dibao",
            "dataset: civil_affairs/dibo",
            ["E103", "civil_affairs/dibo"],
        ),
        (DIBAO, "在保: [在保, 正常,", "在保: [在保, 停保,", ["E102", "停保"]),
        (REGISTER, "  until:\n", "  valid:\n", ["E109", "名册缺少字段 until"]),
        (REGISTER, "    whole_number: true\n", "", ["E109", "level", "whole_number"]),
        (REGISTER, "age(本日)", "age(明天)", ["E106", "age 的括号里应是日期词"]),
        (REGISTER, "first(cat)", "first(cat where level = 1)", ["E106", "名册上一人一行"]),
        (REGISTER, "\nrole: register", "\nrole: list", ["E104"]),
    ],
)
def test_a_fault_is_told_with_its_place(
    file: str, old: str, new: str, parts: list[str], tmp_path: Path
) -> None:
    _, schemas = folders(tmp_path)
    replaced(schemas / file, old, new)
    lines = schema_lines(schemas)
    line = next((line for line in lines if all(part in line for part in parts)), None)
    assert line is not None, lines
    assert f"{file} 第" in line or "E104" in line


def test_county_headers_belong_to_one_field_and_a_real_county(tmp_path: Path) -> None:
    _, schemas = folders(tmp_path)
    path = schemas / DIBAO
    replaced(path, "    title: 户主姓名\n", '    title: 户主姓名\n    county_headers: {"533423": [某列]}\n')
    replaced(
        path,
        "    title: 家庭编号\n",
        '    title: 家庭编号\n    county_headers: {"533423": [某 列], "000000": [甲]}\n',
    )
    lines = schema_lines(schemas)
    the_line(lines, "E109", "同时属于 fam 和 hname")
    the_line(lines, "E109", "没有区划代码为“000000”的县")


def test_a_list_without_any_number_column_is_refused(tmp_path: Path) -> None:
    _, schemas = folders(tmp_path)
    replaced(schemas / "civil_affairs/deaths.yaml", "id: id", "birth_date: died")
    the_line(schema_lines(schemas), "E109", "没有说明哪一列是本人号码", "civil_affairs/deaths.yaml 第")


def test_two_registers_are_refused(tmp_path: Path) -> None:
    _, schemas = folders(tmp_path)
    replaced(schemas / "civil_affairs/deaths.yaml", "role: deaths", "role: register")
    the_line(schema_lines(schemas), "E109", "不能有两个持证残疾人名册")
