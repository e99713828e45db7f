"""Findings in `reconcile plan`: date words move those who lie between, and only what is certain is counted."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import plan_world
import pytest
from plan_world import World, edited

from pipeline.desk.plan import Difference, plan

_RULE = """finding: {code}
title: 试验
owner: 残联
law: 试发〔2020〕1号
since: 2018-01-01
who:
{who}
{excluded}
cases:
  - name: 甲
    expect: undetermined
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return plan_world.make_world(tmp_path_factory.getbasetemp() / "plan-world")


def with_finding(world: World, folder: Path, who: str, excluded: str = "") -> Path:
    """The rules in force and one more finding, `tried`."""
    rules = plan_world.copied(world, folder)
    conditions = "\n".join(
        f"  - {{id: 甲{n}, say: 甲, when: {when}}}" for n, when in enumerate(who.split(";"))
    )
    no = f"except:\n  - {{id: 乙, say: 乙, when: {excluded}}}" if excluded else ""
    text = _RULE.format(code="tried", who=conditions, excluded=no)
    (rules / "findings" / "tried.yaml").write_text(text, encoding="utf-8")
    return rules


def found(made: Difference, side: int) -> Counter[str]:
    """People by county of whom the finding is counted: before (0) or after (1)."""
    counts: Counter[str] = Counter()
    for g in made.groups:
        if (g.was, g.becomes)[side] == "found":
            counts[g.county] += g.people
    return counts


def kept(world: World, where: str) -> Counter[str]:
    """People by county in the kept facts, asked without any of the rules' own SQL."""
    path = world.state / "night" / "facts.parquet"
    query = f"select county_code, count(*) from read_parquet('{path}') where {where} group by 1"
    return Counter(dict(world.con.execute(query).fetchall()))


@pytest.mark.parametrize(
    ("fact", "word", "day", "other", "other_day"),
    [
        ("发证日期", "三个月前", "2026-07-01", "六个月前", "2026-04-30"),
        ("发证日期", "本日", "2026-10-31", "三个月前", "2026-07-01"),
        ("证件有效期至", "一个月后", "2026-11-30", "六个月后", "2027-04-30"),
    ],
)
def test_another_date_word_moves_those_who_lie_between(
    world: World, tmp_path: Path, fact: str, word: str, day: str, other: str, other_day: str
) -> None:
    when = f"{fact} < {{}}"
    old = with_finding(world, tmp_path / "old", when.format(word))
    new = with_finding(world, tmp_path / "new", when.format(other))
    request = plan_world.PlanRequest(world.state, world.schemas, new, old)
    (made,) = plan(request).differences
    first, last = sorted((day, other_day))
    between = kept(world, f""" "{fact}" >= date '{first}' and "{fact}" < date '{last}' """)
    assert between.total() > 0
    assert made.matters
    moved = Counter({g.county: g.people for g in made.groups if g.was != g.becomes})
    assert moved == between
    assert made.change.texts == (f"条件 甲0 判断：{when.format(word)} → {when.format(other)}",)
    assert {(s.was, s.becomes) for s in made.shifts} == {(day > other_day, day < other_day)}


def test_an_expired_certificate_counts_where_the_finding_asks_for_it(world: World, tmp_path: Path) -> None:
    """The frame of benefits (a valid certificate, no death) is not put on findings by the comparison."""
    new = plan_world.copied(world, tmp_path)
    edited(
        new / "findings" / "certificate_expired.yaml",
        ("when: 证件有效期至 < 本日", "when: 证件有效期至 < 一年前"),
    )
    (made,) = plan(world.request(new)).differences
    asked = """ "证件状态" in ('正常', '过期') and "证件有效期至" < date '{}' and not "死亡" """
    expected = [kept(world, asked.format(day)) for day in ("2026-10-31", "2025-10-31")]
    assert [found(made, 0), found(made, 1)] == expected
    assert expected[0].total() > expected[1].total() > 0
    (_, before), (_, after) = world.judge(world.rules), world.judge(new)
    for side, night in enumerate((before, after)):
        raised = Counter(line[1] for line in night.elements() if line[0] == "certificate_expired")
        assert raised == expected[side]


def test_who_may_be_excepted_is_not_counted(world: World, tmp_path: Path) -> None:
    new = with_finding(world, tmp_path, "残疾等级 <= 4", excluded="低保边缘")
    (made,) = plan(world.request(new)).differences
    certain = kept(world, """ "低保边缘" = false """)
    assert found(made, 1) == certain
    assert found(made, 0) == Counter()
    for also in ("= true", "is null", """= false and "证件有效期至" < date '2026-10-31'"""):
        assert kept(world, f""" "低保边缘" {also} """).total() > 0  # else nothing would be shown
    _, night = world.judge(new)
    assert Counter(line[1] for line in night.elements() if line[0] == "tried") == certain


def test_a_condition_that_is_unknown_raises_nothing(world: World, tmp_path: Path) -> None:
    new = with_finding(world, tmp_path, "残疾等级 <= 4;not 有评定等级")
    (made,) = plan(world.request(new)).differences
    certain = kept(world, """ "有评定等级" = false """)
    assert found(made, 1) == certain
    assert kept(world, """ "有评定等级" is null """).total() > 0
    assert sum(g.people for g in made.groups) == kept(world, "true").total()
