"""`rules check`: each slip of the hand is answered with the line and the nearest right thing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline import desk
from pipeline.desk.check_rules import check_rules

ROOT = Path(__file__).parents[2]
RULE = """benefit: made_up
title: 试验补贴
owner: 民政
law: 试发〔2020〕1号
since: 2020-01-01
who:
  - id: 重度
    say: 残疾等级在规定的级别以内
    when: 残疾等级 <= 级别上限 and 残疾类别 in ('肢体', '智力') and not 特困供养
except:
  - id: 孤儿
    say: 已享受孤儿保障
    when: 孤儿保障
received: 在领护理补贴
amount: {per: month, value: 标准}
parameters:
  级别上限: {unit: 级, values: {2020-01-01: 2}}
  标准: {unit: 元/月, values: {2020-01-01: 70}, regions: {"53": {values: {2021-01-01: 80}, law: 甲}}}
not_checked: [甲。]
cases:
  - name: 应享未享
    region: "533401"
    given: {残疾等级: 2, 残疾类别: 肢体, 特困供养: no, 孤儿保障: no, 在领护理补贴: no}
    expect: missing
  - name: 在领
    given: {残疾等级: 2, 残疾类别: 肢体, 特困供养: no, 孤儿保障: no, 在领护理补贴: yes}
    expect: receiving
  - name: 先换证
    given: {证件状态: 过期, 残疾等级: 2, 残疾类别: 肢体, 特困供养: no, 孤儿保障: no, 在领护理补贴: no}
    expect: renew_first
  - name: 三级不在范围内
    given: {残疾等级: 3, 残疾类别: 肢体, 特困供养: no, 孤儿保障: no, 在领护理补贴: no}
    expect: not_due
    because: [重度]
  - name: 等级未知
    given: {残疾类别: 肢体, 特困供养: no, 孤儿保障: no, 在领护理补贴: no}
    expect: undetermined
    because: [重度]
  - name: 孤儿不享受
    given: {残疾等级: 2, 残疾类别: 肢体, 特困供养: no, 孤儿保障: yes, 在领护理补贴: no}
    expect: not_due
    because: [孤儿]
  - name: 孤儿名单没有送来
    given: {残疾等级: 2, 残疾类别: 肢体, 特困供养: no, 在领护理补贴: no}
    expect: undetermined
    because: [孤儿]
  - name: 发放名单没有送来
    given: {残疾等级: 2, 残疾类别: 肢体, 特困供养: no, 孤儿保障: no}
    expect: undetermined
    because: [received]
"""


def checked(tmp_path: Path, old: str = "", new: str = "") -> tuple[list[str], bool]:
    assert old in RULE
    (tmp_path / "made_up.yaml").write_text(RULE.replace(old, new, 1) if old else RULE, encoding="utf-8")
    lines, failed = check_rules(tmp_path, ROOT / "schemas")
    return lines[:-1], failed


def test_the_sound_rule_has_neither_fault_nor_reminder(tmp_path: Path) -> None:
    assert checked(tmp_path) == ([], False)
    assert not desk.test_rules(tmp_path, ROOT / "schemas")[1]


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        # keys
        ("owner: 民政", "ower: 民政", ["E301", "相近的有：owner"]),
        ("    say: 已享", "    sya: 已享", ["E301", "相近的有：say"]),
        ("    say: 已享", "    unit: 已享", ["E301", "这里可以写：id、say、when、law"]),
        ("owner: 民政", "主管: 民政", ["E301", "相近的有：owner"]),
        ("per: month", "perr: month", ["E301", "相近的有：per"]),
        ("    expect: missing", "    expects: missing", ["E301", "相近的有：expect"]),
        ("{2021-01-01: 80}, law:", "{2021-01-01: 80}, low:", ["E301", "相近的有：law"]),
        ("级别上限: {unit:", "级别上限: {units:", ["E301", "相近的有：unit"]),
        ("owner: 民政", "owner: 民政\nowner: 民政", ["E101", "重复的键“owner”", "第4行"]),
        ("owner: 民政", "owner: 民政局", ["E309", "没有部门“民政局”", "相近的有：民政"]),
        # full-width punctuation
        ("owner: 民政", "owner：民政", ["E101", "第3行的“：”是全角，应为半角“:”"]),
        ("    say: 残疾", "    say：残疾", ["E101", "第8行的“：”是全角"]),
        ("残疾等级: 2, 残", "残疾等级: 2，残", ["E101", "的“，”是全角，应为半角“,”"]),
        ("残疾等级: 2, 残", "残疾等级：2, 残", ["E308", "“：”是全角", "相近的有：残疾等级"]),
        ("because: [重度]", "because: [重度，孤儿]", ["E309", "“，”是全角，应为半角“,”"]),
        ("残疾等级: 2, 残", "残疾等级: ２, 残", ["E307", "“２”是全角，应为半角“2”"]),
        ("2020-01-01: 70", "2020-01-01: ７0", ["E309", "“７”是全角，应为半角“7”"]),
        # expressions
        ("<= 级别上限", "≤ 级别上限", ["E304", "“≤”应写成 <="]),
        (" and 残疾类别", " 且 残疾类别", ["E304", "“且”应写成 and"]),
        (" and 残疾类别", " adn 残疾类别", ["E304", "“adn”应为 and"]),
        (" and 残疾类别", " && 残疾类别", ["E304", "“&&”应写成 and"]),
        ("('肢体', '智力')", "('肢体'、'智力')", ["E304", "“、”应写成 ,"]),
        ("('肢体', '智力')", "(肢体, '智力')", ["E305", "“肢体”是“残疾类别”的代码，要加引号写成 '肢体'"]),
        ("not 特困供养", "not 特因供养", ["E305", "相近的有：特困供养"]),
        # parameters
        ("2020-01-01: 70", "2020-01-01: 70元", ["E309", "应为数", "单位写在 unit 里"]),
        ("2020-01-01: 70", "2020-01-01: 0512", ["E309", "以 0 开头", "写成 512"]),
        ("2021-01-01: 80", "2021-01-01: yes", ["E309", "应为数"]),
        (
            "unit: 级, values: {2020-01-01: 2}",
            "unit: 是否, values: {2020-01-01: true}",
            ["E309", "应为是非", "写成 yes"],
        ),
        ('"53":', "0512:", ["E301", "0512"]),
        ('"53":', '"98":', ["E309", "没有区划代码以“98”开头的地方"]),
        ("since: 2020-01-01", "since: 0", ["E309", "1970-01-01 不合情理"]),
        ("since: 2020-01-01", "since: 2020-01-01\nuntil: 2019-01-01", ["E309", "早于 since"]),
        # cases
        ('region: "533401"', 'region: "533499"', ["E309", "没有区划代码“533499”"]),
        ('region: "533401"', 'region: "53340"', ["E309", "没有区划代码“53340”"]),
        ("特困供养: no", "特困供养: 没有", ["E307", "yes 或 no"]),
        ("残疾类别: 肢体", "残疾类别: 肢残", ["E307", "不是“残疾类别”的代码", "肢体"]),
        ("残疾等级: 2, 残", "残疾等级: 5, 残", ["E307", "不是“残疾等级”的代码"]),
    ],
)
def test_a_slip_is_answered_with_the_nearest_right_thing(
    old: str, new: str, parts: list[str], tmp_path: Path
) -> None:
    lines, failed = checked(tmp_path, old, new)
    assert failed
    found = [line for line in lines if all(part in line for part in parts)]
    assert found, lines
    row = RULE[: RULE.index(old)].count("\n") + 1
    told = int(found[0].split("第")[1].split("行")[0])
    assert abs(told - row) <= 1


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        (
            "    because: [孤儿]\n  - name: 孤儿名单",
            "  - name: 孤儿名单",
            ["E313", "条件“孤儿”没有单独起决定作用的用例"],
        ),
        (
            "    expect: undetermined\n    because: [孤儿]",
            "    expect: undetermined",
            ["E313", "条件“孤儿”没有单独未知的用例"],
        ),
        ("    because: [received]", "    because: []", ["E313", "没有是否已享受未知的用例"]),
        ("expect: renew_first", "expect: missing", ["E313", "没有结论为 renew_first 的用例"]),
        ("name: 在领", "name: 应享未享", ["E313", "有 2 个用例都叫“应享未享”"]),
        ('    region: "533401"', "    as_of: 2019-12-31", ["E313", "2019-12-31 不在有效期内"]),
        ("values: {2020-01-01: 2}", "values: {2021-01-01: 2}", ["E311", "参数“级别上限”起先没有值"]),
        (
            'values: {2020-01-01: 70}, regions: {"53": {values: {2021-01-01: 80}, law: 甲}}',
            "values: {}",
            ["E311", "参数“标准”没有任何值"],
        ),
    ],
)
def test_what_is_only_thin_is_a_reminder(old: str, new: str, parts: list[str], tmp_path: Path) -> None:
    lines, failed = checked(tmp_path, old, new)
    assert not failed
    assert len(lines) == 1, lines
    assert lines[0].startswith("提醒 ")
    assert all(part in lines[0] for part in parts)


CERTAIN = RULE.replace("    when: 孤儿保障\n", "    when: 孤儿保障\n    certain: yes\n").replace(
    "    expect: undetermined\n    because: [孤儿]", "    expect: missing"
)


def lines_of(tmp_path: Path, text: str, name: str = "made_up") -> tuple[list[str], bool]:
    (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    lines, failed = check_rules(tmp_path, ROOT / "schemas")
    return lines[:-1], failed


def test_a_certain_exclusion_needs_no_case_where_it_cannot_decide(tmp_path: Path) -> None:
    assert lines_of(tmp_path, CERTAIN) == ([], False)
    assert not desk.test_rules(tmp_path, ROOT / "schemas")[1]


def test_a_certain_exclusion_without_a_case_of_its_unknown_is_a_reminder(tmp_path: Path) -> None:
    known = CERTAIN.replace(
        "特困供养: no, 在领护理补贴: no}\n    expect: missing",
        "特困供养: no, 孤儿保障: no, 在领护理补贴: no}\n    expect: missing",
    )
    (line,), failed = lines_of(tmp_path, known)
    assert not failed
    assert all(part in line for part in ("E313", "条件“孤儿”没有未知而不影响结论的用例", "certain: yes"))


def test_the_case_of_the_unknown_fails_where_certainty_is_not_asked_for(tmp_path: Path) -> None:
    (tmp_path / "made_up.yaml").write_text(CERTAIN.replace("    certain: yes\n", ""), encoding="utf-8")
    assert desk.test_rules(tmp_path, ROOT / "schemas")[1]


@pytest.mark.parametrize("told", ["yes", "true"])
def test_certain_is_refused_where_all_must_hold(told: str, tmp_path: Path) -> None:
    text = CERTAIN.replace("not 特困供养\n", f"not 特困供养\n    certain: {told}\n")
    (line,), failed = lines_of(tmp_path, text)
    assert failed
    assert all(part in line for part in ("E301", "第10行", "只用于 except：条件“重度”", "删去 certain"))


def test_certain_is_refused_in_a_finding(tmp_path: Path) -> None:
    text = (ROOT / "rules/findings/subsidy_amount_differs.yaml").read_text(encoding="utf-8")
    text = text.replace("    when: 死亡\n", "    when: 死亡\n    certain: yes\n", 1)
    lines, failed = lines_of(tmp_path, text, "subsidy_amount_differs")
    assert failed
    row = text[: text.index("    certain: yes")].count("\n") + 1
    assert any("核查提示本来就只在确定时提示" in line and f"第{row}行" in line for line in lines)


def test_a_standard_that_only_a_certain_condition_compares_needs_no_value_everywhere() -> None:
    lines, failed = check_rules(ROOT / "rules", ROOT / "schemas")
    assert not failed
    assert not any("nursing_subsidy" in line for line in lines)


def test_a_condition_about_deaths_only_needs_no_unknown_case(tmp_path: Path) -> None:
    source = ROOT / "rules/findings/certificate_expired.yaml"
    shutil.copy(source, tmp_path / "certificate_expired.yaml")
    lines, failed = check_rules(tmp_path, ROOT / "schemas")
    assert not failed
    assert not any("死亡" in line for line in lines[:-1])
