"""`rules check` and `rules test`: the shipped rules are sound; every fault is told with file, line and cure."""

from __future__ import annotations

from pathlib import Path

import pytest
from desk_files import ROOT, folders, replaced, rule_lines, the_line

from pipeline import desk
from pipeline.contracts.problem import ReconcileError
from pipeline.desk.check_rules import rule_files

NURSING = "nursing_subsidy.yaml"
WHO = "when: 残疾等级 <= 2 or"


def test_the_shipped_rules_are_sound() -> None:
    lines, failed = desk.check_rules(ROOT / "rules", ROOT / "schemas")
    assert not failed
    assert lines[-1].startswith(f"{len(rule_files(ROOT / 'rules'))} 条规则，0 个问题")
    assert all(line.startswith("提醒 ") for line in lines[:-1])


def test_the_cases_of_the_shipped_rules_pass() -> None:
    lines, failed = desk.test_rules(ROOT / "rules", ROOT / "schemas")
    assert not failed
    assert len(lines) == 1
    assert lines[0].endswith(" 个用例，0 个不符")


def test_the_faults_of_all_files_are_told_together(tmp_path: Path) -> None:
    rules, schemas = folders(tmp_path)
    first = replaced(rules / NURSING, WHO, "when: 残疾等极 <= 2 or")
    second = replaced(rules / "living_subsidy.yaml", "owner:", "ower:")
    third = replaced(rules / "findings/payment_failed.yaml", "who:", "who")
    lines = rule_lines(rules, schemas)
    the_line(lines, "E305", f"rules/{NURSING} 第{first}行", "残疾等极", "相近的有：残疾等级")
    the_line(lines, "E301", f"rules/living_subsidy.yaml 第{second}行")
    the_line(lines, "E101", "findings/payment_failed.yaml", f"第{third + 1}行")
    assert desk.check_rules(rules, schemas)[0][-1].startswith(f"{len(rule_files(rules))} 条规则，")


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        (WHO, "when: 残疾等级 = '一级' or", ["E310", "“残疾等级”是数，“'一级'”是文字"]),
        (WHO, "when: 残疾类别 = 2 or", ["E310", "“残疾类别”是文字，“2”是数"]),
        (WHO, "when: 残疾类别 >= '视力' or", ["E310", "“残疾类别”是文字，分不出大小"]),
        (WHO, "when: 残疾等级 or", ["E310", "and / or 的两边应为是非"]),
        (WHO, "when: 低保 = 1 or", ["E310", "“低保”是是非，“1”是数"]),
        (WHO, "when: 低保 = '是' or", ["E310", "“低保”是是非"]),
        (WHO, "when: 证件有效期至 >= 本年 or", ["E310", "日期"]),
        (WHO, "when: 残疾类别 = '智障' or", ["E310", "“智障”不是“残疾类别”的代码", "智力"]),
        (WHO, "when: 残疾等级 = 5 or", ["E310", "“5”不是“残疾等级”的代码"]),
        (WHO, "when: 残疾等级 is null or", ["E304", "IS"]),
        (WHO, "when: coalesce(低保, true) or", ["E304", "COALESCE"]),
        ("received: 在领护理补贴", "received: 在领护理", ["E305", "在领护理补贴"]),
        ("received: 在领护理补贴", "received: 残疾等级", ["E310", "整句的结果是数"]),
        ("1: 一级护理补贴标准", "1: 一级标准", ["E309", "amount 用到了没有的参数“一级标准”"]),
        ("{残疾等级: {1:", "{残疾等极: {1:", ["E309", "amount 用到了没有的事实“残疾等极”"]),
        ("{残疾等级: {1:", "{残疾等级: {一:", ["E309", "“一”不是“残疾等级”的代码"]),
        ('      "36":', '      "37777":', ["E301", "区划前缀"]),
        ('      "36":', '      "3699":', ["E309", "没有区划代码以“3699”开头的地方"]),
        ('      "36":', '      "361199":', ["E309", "没有区划代码以“361199”开头的地方"]),
        (
            "  智力精神扩大到:\n",
            "  低保:\n    unit: 级\n    values: {2016-01-01: 2}\n  智力精神扩大到:\n",
            ["E309", "同名"],
        ),
        ("expect: missing", "expect: mising", ["E309", "没有“mising”这种结论"]),
        ("because: [重度]", "because: [重]", ["E309", "没有条件“重”"]),
        ("残疾类别: 听力", "残疾类型: 听力", ["E308", "残疾类型", "残疾类别"]),
        ("benefit: nursing_subsidy", "benefit: nursing", ["E302"]),
    ],
)
def test_a_fault_is_told_with_its_line(old: str, new: str, parts: list[str], tmp_path: Path) -> None:
    rules, schemas = folders(tmp_path)
    row = replaced(rules / NURSING, old, new)
    line = the_line(rule_lines(rules, schemas), *parts)
    assert line.split("：")[0].split(" ", 1)[1].startswith(f"rules/{NURSING} 第")
    told = int(line.split("第")[1].split("行")[0])
    assert abs(told - row) <= 1, line


def test_an_unused_parameter_is_only_a_reminder(tmp_path: Path) -> None:
    rules, schemas = folders(tmp_path)
    before = desk.check_rules(rules, schemas)[0][:-1]
    new = "  没用的:\n    unit: 级\n    values: {2016-01-01: 2}\n  智力精神扩大到:\n"
    replaced(rules / NURSING, "  智力精神扩大到:\n", new)
    lines, failed = desk.check_rules(rules, schemas)
    assert not failed
    assert the_line(lines, "没用的").startswith("提醒 E311")
    assert lines[-1].endswith(f"0 个问题，{len(before) + 1} 个提醒")


def test_a_condition_that_most_regions_cannot_work_out_is_a_reminder(tmp_path: Path) -> None:
    rules, schemas = folders(tmp_path)
    replaced(rules / NURSING, "    values: {2016-01-01: 2}\n", "    values: {}\n")
    lines, failed = desk.check_rules(rules, schemas)
    assert not failed
    the_line(lines, "提醒 E311", "智力精神扩大到", "没有全国通用的值")


def test_a_code_used_twice_is_refused(tmp_path: Path) -> None:
    rules, schemas = folders(tmp_path)
    text = (rules / NURSING).read_text(encoding="utf-8")
    (rules / "findings" / NURSING).write_text(text, encoding="utf-8")
    the_line(rule_lines(rules, schemas), "E309", "代码 nursing_subsidy 用了两次", f"findings/{NURSING}")


def test_a_finding_about_people_outside_needs_a_list_of_people(tmp_path: Path) -> None:
    rules, schemas = folders(tmp_path)
    path = rules / "findings/certificate_not_issued.yaml"
    row = replaced(path, "list: health/assessments", "list: health/assesments")
    the_line(rule_lines(rules, schemas), "E309", f"第{row}行", "相近的有：health/assessments")
    replaced(path, "list: health/assesments", "list: housing/dangerous_housing")
    the_line(rule_lines(rules, schemas), "E309", "没有写明姓名和身份证号")


def test_broken_schemas_stop_the_check(tmp_path: Path) -> None:
    rules, schemas = folders(tmp_path)
    replaced(schemas / "civil_affairs/dibao.yaml", "title: ", "titel: ")
    with pytest.raises(ReconcileError):
        desk.check_rules(rules, schemas)


def test_no_rules_is_a_fault(tmp_path: Path) -> None:
    lines, failed = desk.check_rules(tmp_path, ROOT / "schemas")
    assert failed
    assert lines[0].startswith("E303")


# ---- cases ----


def test_a_failing_case_is_one_line_with_both_answers(tmp_path: Path) -> None:
    rules, schemas = folders(tmp_path)
    replaced(rules / NURSING, "残疾等级 <= 2 or", "残疾等级 <= 1 or")
    lines, failed = desk.test_rules(rules, schemas)
    assert failed
    assert all(line.startswith(f"E312 rules/{NURSING} 第") for line in lines[:-1])
    the_line(lines, "9岁肢体二级儿童", "应为 missing", "得到 not_due（重度）")
    assert lines[-1].endswith(f"{len(lines) - 1} 个不符")


def test_a_wrong_reason_fails_though_the_outcome_is_right(tmp_path: Path) -> None:
    rules, schemas = folders(tmp_path)
    replaced(rules / NURSING, "because: [重度]", "because: [特困]")
    lines, failed = desk.test_rules(rules, schemas)
    assert failed
    the_line(lines, "应为 not_due（特困），得到 not_due（重度）")


def test_a_case_that_cannot_be_run_does_not_hide_the_others(tmp_path: Path) -> None:
    rules, schemas = folders(tmp_path)
    row = replaced(rules / NURSING, "残疾等级: 1, 年龄: 30", "残疾等级: 一级, 年龄: 30")
    replaced(rules / NURSING, "because: [特困]", "because: [工伤]")
    lines, failed = desk.test_rules(rules, schemas)
    assert failed
    the_line(lines, "E307", "残疾等级", "整数", f"第{row - 3}行")
    the_line(lines, "E312", "得到 not_due（特困）")


@pytest.mark.parametrize("word", ["unknown", "未知"])
def test_a_fact_given_as_unknown_is_as_if_not_given(word: str, tmp_path: Path) -> None:
    rules, schemas = folders(tmp_path)
    replaced(
        rules / NURSING,
        "given: {残疾等级: 2, 工伤护理费: no,",
        f"given: {{死亡: {word}, 残疾等级: 2, 特困供养: {word}, 工伤护理费: no,",
    )
    assert not desk.test_rules(rules, schemas)[1]
