"""`reconcile plan` against the night run again with the other rules: the same people, the same money, the same reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

import plan_world
import pytest
from plan_world import World, edited, extended

from pipeline.contracts.problem import ReconcileError
from pipeline.contracts.rule import load_rule
from pipeline.desk.plan import Difference, Plan, plan
from pipeline.entitlement import build_facts, declared_facts
from pipeline.entitlement.kept_night import keep_night
from pipeline.entitlement.parameters import value_at

Moves = Counter[tuple[str, str, str, str]]  # people by rule, county, outcome before and after


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return plan_world.make_world(tmp_path_factory.getbasetemp() / "plan-world")


def everything_changed(world: World, folder: Path) -> Path:
    """Every kind of change at once: a parameter, an amount, a condition dropped, rules new and gone, findings."""
    rules = extended(world, folder)
    living = rules / "living_subsidy.yaml"
    text = living.read_text(encoding="utf-8")
    orphans = text[text.index("  - id: 孤儿") : text.index("received:")]
    edited(living, (orphans, ""), ("question_if_not_due: true", "question_if_not_due: false"))
    premium = (rules / "pension_premium_aid.yaml").read_text(encoding="utf-8")
    again = premium.replace("benefit: pension_premium_aid", "benefit: premium_again")
    (rules / "premium_again.yaml").write_text(again, encoding="utf-8")
    (rules / "medical_insurance.yaml").unlink()
    edited(rules / "findings" / "subsidy_with_tekun.yaml", ("when: 特困供养\n", "when: 特困供养 or 低保\n"))
    return rules


def moved_by_nights(world: World, new: Path) -> Moves:
    """Changed outcomes of benefits, by judging the night with both folders."""
    (before, _), (after, _) = world.judge(world.rules), world.judge(new)
    counties = world.county_of()
    moves: Moves = Counter()
    for key in {*before, *after}:
        was, becomes = (side.get(key, ("not_due", ""))[0] for side in (before, after))
        if was != becomes:
            moves[key[1], counties[key[0]], was, becomes] += 1
    return moves


def moved_by_plan(differences: Iterable[Difference]) -> Moves:
    moves: Moves = Counter()
    for difference in differences:
        for g in difference.groups:
            if g.was != g.becomes:
                moves[difference.change.code, g.county, g.was, g.becomes] += g.people
    return moves


def benefits(made: Plan) -> list[Difference]:
    return [d for d in made.differences if d.change.rule.benefit]


def nursing(made: Plan) -> Difference:
    return next(d for d in made.differences if d.change.code == "nursing_subsidy")


def test_the_extension_moves_the_people_that_another_night_moves(world: World, tmp_path: Path) -> None:
    new = extended(world, tmp_path)
    made = plan(world.request(new))
    moves = moved_by_plan(made.differences)
    assert moves == moved_by_nights(world, new)
    assert [d.change.code for d in made.differences] == ["nursing_subsidy"]
    assert made.same == len(plan_world.RULES) - 1
    assert {was for _, _, was, _ in moves} == {"not_due"}
    assert sum(n for (_, _, _, becomes), n in moves.items() if becomes == "missing") > 5
    assert len({county for _, county, _, _ in moves}) == 2


def test_every_kind_of_change_moves_the_people_that_another_night_moves(world: World, tmp_path: Path) -> None:
    new = everything_changed(world, tmp_path)
    made = plan(world.request(new))
    expected = moved_by_nights(world, new)
    assert moved_by_plan(benefits(made)) == expected
    assert {code for code, *_ in expected} == {
        "nursing_subsidy", "living_subsidy", "premium_again", "medical_insurance"
    }  # fmt: skip
    kinds = {(g.kind) for d in benefits(made) for g in d.groups}
    assert kinds == {"新增", "消失", "不变"} | ({"改变"} & kinds)


def test_findings_are_those_of_another_night(world: World, tmp_path: Path) -> None:
    new = everything_changed(world, tmp_path)
    made = plan(world.request(new))
    (_, before), (_, after) = world.judge(world.rules), world.judge(new)
    expected: Moves = Counter()
    for line, *sides in ((line, before[line] > 0, after[line] > 0) for line in {*before, *after}):
        was, becomes = ("found" if side else "not_found" for side in sides)
        if was != becomes:
            expected[line[0], line[1], was, becomes] += 1
    assert moved_by_plan(d for d in made.differences if d.change.rule.finding) == expected
    assert sum(expected.values()) > 0
    assert {code for code, *_ in expected} == {"subsidy_with_tekun"}


def test_money_is_the_standard_of_everybody_who_is_due(world: World, tmp_path: Path) -> None:
    new = extended(world, tmp_path)
    made = nursing(plan(world.request(new)))
    standards = ("一级护理补贴标准", "二级护理补贴标准", "扩大对象护理补贴标准", "扩大对象护理补贴标准")
    for side, folder in enumerate((world.rules, new)):
        rule = load_rule(folder / "nursing_subsidy.yaml")
        outcomes, _ = world.judge(folder)
        rows = world.con.execute('select person, county_code, "残疾等级" from facts').fetchall()
        expected: dict[str, Decimal] = {}
        for person, county, level in rows:
            if outcomes.get((person, "nursing_subsidy"), ("",))[0] in ("missing", "receiving"):
                value = value_at(rule.parameters[standards[level - 1]], county, plan_world.nights.AS_OF)
                assert value is not None
                expected[county] = expected.get(county, Decimal()) + Decimal(value)
        found: dict[str, Decimal] = {}
        for g in made.groups:
            found[g.county] = found.get(g.county, Decimal()) + g.yuan[side]
        assert found == expected
    assert sum(g.yuan[1] - g.yuan[0] for g in made.groups) > 0
    assert all(g.unknown == (0, 0) and g.once == (0, 0) for g in made.groups)


def test_money_without_a_standard_is_unknown(world: World, tmp_path: Path) -> None:
    new = extended(world, tmp_path)
    edited(new / "nursing_subsidy.yaml", ("2026-10-01: 77.5, ", ""))
    made = nursing(plan(world.request(new)))
    missing = sum(g.people for g in made.groups if (g.was, g.becomes) == ("not_due", "missing"))
    assert missing > 0
    assert sum(g.unknown[1] for g in made.groups) == missing
    assert sum(g.yuan[1] - g.yuan[0] for g in made.groups) == 0


def test_a_standard_alone_changes_money_and_nobody(world: World, tmp_path: Path) -> None:
    new = plan_world.copied(world, tmp_path)
    place = "    regions:\n"
    text = (new / "nursing_subsidy.yaml").read_text(encoding="utf-8")
    at = text.index(place, text.index("\n  二级护理补贴标准:")) + len(place)
    more = '      "5399": {values: {2026-10-31: 500}, law: 试算}\n'
    (new / "nursing_subsidy.yaml").write_text(text[:at] + more + text[at:], encoding="utf-8")
    made = nursing(plan(world.request(new)))
    assert moved_by_plan([made]) == Counter()
    assert made.shifts == []
    assert made.samples == []
    assert made.matters
    assert sum(g.yuan[1] - g.yuan[0] for g in made.groups) > 0


def test_the_condition_that_made_the_difference(world: World, tmp_path: Path) -> None:
    made = nursing(plan(world.request(extended(world, tmp_path))))
    query = """select count(*) from facts where "残疾等级" = 3 and "残疾类别" in ('智力', '精神')"""
    people = world.con.execute(query).fetchall()[0][0]
    assert [(s.kind, s.clause.id, s.was, s.becomes, s.people) for s in made.shifts] == [
        ("who", "重度", False, True, people)
    ]
    assert made.shifts[0].decided == sum(moved_by_plan([made]).values()) <= people


def test_a_dropped_condition_is_told_with_those_it_held_for(world: World, tmp_path: Path) -> None:
    new = everything_changed(world, tmp_path)
    made = next(d for d in plan(world.request(new)).differences if d.change.code == "living_subsidy")
    orphans = world.con.execute('select count(*) from facts where "孤儿保障"').fetchall()[0][0]
    shift = next(s for s in made.shifts if s.was is True)
    assert (shift.kind, shift.clause.id, shift.becomes, shift.people) == ("except", "孤儿", "", orphans)


def test_reasons_of_samples_are_those_of_the_two_nights(world: World, tmp_path: Path) -> None:
    new = everything_changed(world, tmp_path)
    made = plan(world.request(new, samples=40))
    (before, _), (after, _) = world.judge(world.rules), world.judge(new)
    compared = 0
    for difference in benefits(made):
        code = difference.change.code
        assert difference.samples
        for sample, *reasons in difference.samples:
            for side, outcome, reason in zip(
                (before, after), (sample.was, sample.becomes), reasons, strict=True
            ):
                said = side.get((sample.person, code))
                assert (said[0] if said else "not_due") == outcome
                if said:
                    assert said[1] == reason
                    compared += 1
                else:
                    assert any(
                        word in reason
                        for word in ("符合“", "属于“", "死亡名单", "无有效状态", "没有这条规则")
                    )
    assert compared > 40


def test_samples_show_every_kind_of_change_before_more_of_one(world: World, tmp_path: Path) -> None:
    made = nursing(plan(world.request(extended(world, tmp_path), samples=3)))
    kinds = {(was, becomes) for _, _, was, becomes in moved_by_plan([made])}
    assert len(made.samples) == 3
    assert {(s.was, s.becomes) for s, _, _ in made.samples} == kinds or len(kinds) > 3
    assert nursing(plan(world.request(extended(world, tmp_path / "none"), samples=0))).samples == []


def test_the_same_folder_twice_changes_nothing(world: World) -> None:
    made = plan(world.request(world.rules))
    assert (made.differences, made.outside, made.idle, made.later) == ([], [], [], [])
    assert made.same == len(plan_world.RULES)


def test_words_alone_change_nobody(world: World, tmp_path: Path) -> None:
    new = plan_world.copied(world, tmp_path)
    edited(new / "nursing_subsidy.yaml", ("title: 重度残疾人护理补贴", "title: 护理补贴"))
    (made,) = plan(world.request(new)).differences
    assert not made.matters
    assert made.change.texts == ("名称：重度残疾人护理补贴 → 护理补贴",)


def test_values_of_later_count_on_their_day(world: World, tmp_path: Path) -> None:
    new = extended(world, tmp_path)
    day = plan_world.nights.AS_OF.replace(
        year=2040
    )  # when nearly all certificates of that night will have run out
    now, later = (nursing(plan(world.request(new, as_of=d))) for d in (None, day))
    assert plan(world.request(new)).later == [day.replace(year=2027, month=1, day=1)]
    assert moved_by_plan([later]) == moved_by_plan([now])  # the same facts, the same days in the conditions
    missing = sum(g.people for g in now.groups if (g.was, g.becomes) == ("not_due", "missing"))
    assert sum(g.yuan[1] - g.yuan[0] for g in now.groups) == missing * Decimal("77.5")
    assert sum(g.yuan[1] - g.yuan[0] for g in later.groups) == missing * Decimal(90)


def test_what_only_doubtful_rows_keep_open_is_to_be_verified(world: World, tmp_path: Path) -> None:
    new = extended(world, tmp_path)
    outcomes, _ = world.judge(new)
    wide = """"残疾等级" = 3 and "残疾类别" in ('智力', '精神')"""
    rows = world.con.execute(f"select person from facts where {wide} order by person").fetchall()
    missing = [p for (p,) in rows if outcomes.get((p, "nursing_subsidy"), ("",))[0] == "missing"][:4]
    these = f"person in ({', '.join(str(person) for person in missing)})"
    world.con.execute(f"delete from facts_sure where {these}")
    world.con.execute(f"insert into facts_sure select * from facts where {these}")
    world.con.execute(f'update facts set "特困供养" = null where {these}')
    keep_night(world.con, tmp_path, declared_facts(world.datasets), plan_world.nights.AS_OF)
    made = nursing(plan(plan_world.PlanRequest(tmp_path, world.schemas, new, world.rules, samples=9)))
    moved = Counter[tuple[str, str]]()
    for g in made.groups:
        moved[g.was, g.becomes] += g.people
    assert moved["not_due", "verify"] == len(missing) == 4
    assert sum(g.yuan[1] for g in made.groups if g.becomes == "verify") == 0
    world.judge(world.rules)  # the other tests read its facts


def test_a_rule_that_begins_later_is_idle_until_then(world: World, tmp_path: Path) -> None:
    new = everything_changed(world, tmp_path)
    edited(new / "premium_again.yaml", ("since: ", "since: 2027-01-01 #"))
    day = plan_world.nights.AS_OF.replace(year=2027, month=1, day=1)
    assert plan(world.request(new)).idle == ["premium_again"]
    made = plan(world.request(new, as_of=day))
    assert made.idle == []
    assert sum(n for (code, *_), n in moved_by_plan(made.differences).items() if code == "premium_again") > 0


def test_only_the_rule_asked_for(world: World, tmp_path: Path) -> None:
    new = everything_changed(world, tmp_path)
    for name in ("nursing_subsidy", "重度残疾人护理补贴"):
        assert [d.change.code for d in plan(world.request(new, benefit=name)).differences] == [
            "nursing_subsidy"
        ]
    gone = plan(world.request(new, benefit="medical_insurance")).differences
    assert [d.change.new for d in gone] == [None]
    with pytest.raises(ReconcileError, match=r"E554.*nursing_subsidy"):
        plan(world.request(new, benefit="nursing_subsidi"))


def test_rules_about_outsiders_are_named_and_not_compared(world: World, tmp_path: Path) -> None:
    new = plan_world.copied(world, tmp_path)
    edited(new / "findings" / "certificate_not_issued.yaml", ("urgency: 4", "urgency: 3"))
    made = plan(world.request(new))
    assert [c.code for c in made.outside] == ["certificate_not_issued"]
    assert made.differences == []


def test_a_fact_that_the_night_did_not_build_is_refused(world: World, tmp_path: Path) -> None:
    facts = declared_facts(world.datasets)
    some = {name: facts[name] for name in ("证件状态", "证件有效期至", "死亡", "残疾类别", "残疾等级")}
    build_facts(world.con, world.datasets, some, plan_world.nights.AS_OF)
    keep_night(world.con, tmp_path, facts, plan_world.nights.AS_OF)
    new = extended(world, tmp_path)
    request = plan_world.PlanRequest(tmp_path, world.schemas, new, world.rules)
    with pytest.raises(ReconcileError, match=r"E552.*特困供养"):
        plan(request)
    world.judge(world.rules)  # the other tests read its facts


def test_a_condition_that_the_database_refuses_is_named(world: World, tmp_path: Path) -> None:
    new = plan_world.copied(world, tmp_path)
    edited(new / "nursing_subsidy.yaml", ("when: 特困供养", "when: 残疾类别 + 1 > 2"))
    with pytest.raises(ReconcileError, match=r"E310.*nursing_subsidy.*rules check"):
        plan(world.request(new))
