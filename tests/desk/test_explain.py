"""`reconcile explain`: the rows, the facts, the rules and what stands in the way, of people of whom every row is known."""

from __future__ import annotations

import io
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import explain_world
import polars as pl
import pytest
from explain_world import EXPIRED, MISSES, OLD, OTHER, SLIP, TWICE, World, part

from pipeline.cli import main
from pipeline.contracts.problem import ReconcileError
from pipeline.contracts.tables import CASES
from pipeline.desk.explain_again import recompute
from pipeline.desk.explain_ask import find_people, read_number
from pipeline.desk.explain_night import last_night
from pipeline.desk.explain_person import read_person

WHOLE = re.compile("[0-9]{17}[0-9Xx]")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return explain_world.make_world(tmp_path_factory.mktemp("explained"))


@pytest.fixture(scope="module")
def page(world: World) -> str:
    return world.page(MISSES)


# ---- rows ----


def test_a_row_is_told_with_list_file_line_and_how_it_was_matched(page: str) -> None:
    row = part(page, "《基本医疗保险参保人员信息》", "没有此人的名单")
    assert "medical_insurance/insured/名单_20261031.csv 第 2 行" in row
    assert "已连接  身份证一致，概率 1.0000" in row
    assert "缴费年度 2026" in row


def test_a_repaired_number_is_told_with_the_weight_of_every_field(page: str) -> None:
    row = part(page, "《养老保险参保人员信息》", "《基本")
    assert "身份证一字之差，概率" in row
    assert "号码不能用：校验位不符" in row
    text = row.split("权重（位）")[1].split("写的是")[0].replace("\n", "").replace(" ", "")
    bits = [float(number) for number in re.findall(r"[+-][0-9.]+", text)]
    *parts, total = bits
    assert len(parts) >= 3
    assert sum(parts) == pytest.approx(total, abs=0.2)


def test_a_house_is_told_through_the_roster_that_knows_the_family(page: str) -> None:
    row = part(page, "《农村危房改造台账》", "《养老")
    assert "家庭连接  通过《最低生活保障对象花名册》的同一家庭" in row


def test_a_row_that_denies_the_number_is_told_with_its_reason(world: World) -> None:
    row = part(world.page(OTHER), "《基本医疗保险参保人员信息》", "没有此人的名单")
    assert "号码相同，未连接  该行写的出生日期与号码不符" in row
    assert "姓名 王麻子" in row


@pytest.mark.parametrize("who", [OLD, OTHER])
def test_a_row_with_two_peoples_numbers_is_told_to_both(world: World, who: str) -> None:
    row = part(world.page(who), "《残疾人两项补贴发放花名册》", "没有此人的名单")
    assert "存疑  该行的号码指向名册上两个人" in row


def test_lists_without_the_person_say_whether_they_were_accepted(page: str) -> None:
    silent = part(page, "没有此人的名单").replace("\n", "").replace(" ", "")
    accepted, refused = silent.split("未采用：")
    assert "《残疾人服务台账》" in accepted
    assert "《工伤生活护理费发放名册》" in refused
    assert "没有收到" in refused
    assert "《最低生活保障对象花名册》" not in silent


# ---- facts and rules ----


def test_facts_are_told_by_list_and_the_unknown_with_the_reason(page: str) -> None:
    facts = part(page, "二、事实")
    assert "《最低生活保障对象花名册》低保=是" in facts
    assert "工伤护理费 未知：本县没有可用的《工伤生活护理费发放名册》" in facts


def test_every_condition_has_its_sign_and_the_values_behind_it(page: str) -> None:
    rule = part(page, "困难残疾人生活补贴（living_subsidy）")
    assert "→ 不能判断" in rule
    assert "✓ 残疾人证有效" in rule
    assert "✓ 条件  本人在低保保障中" in rule
    assert "低保=是，低保边缘=否，边缘家庭纳入=否（标准）" in rule
    assert "✗ 排除  已纳入特困人员供养" in rule
    assert "? 排除  已领取工伤保险生活护理费" in rule
    assert "✗ 领取" in rule


def test_every_rule_about_register_people_is_there(world: World, page: str) -> None:
    with last_night(world.folders) as night:
        codes = [compiled.rule.code for compiled in night.rules]
    assert [code for code in codes if f"（{code}）  → " not in page] == []
    assert len(codes) > 15


def test_an_expired_certificate_is_the_first_obstacle(world: World) -> None:
    page = world.page(EXPIRED, "pension_enrolment")
    obstacles = part(page, "挡在前面的")
    assert obstacles.splitlines()[1].strip() == "✗ 残疾人证有效：已过期"
    assert "若换证后证件有效" in obstacles


def test_why_not_tells_single_facts_that_would_turn_a_condition(world: World) -> None:
    obstacles = part(world.page(OLD, "托养照护"), "挡在前面的")
    assert "✗ 条件  年龄在16至59周岁之间" in obstacles
    assert "若 年龄 为 16至59" in obstacles
    assert "若 低保 为 是" in obstacles
    assert "以上都改变之后，结论：应享未享" in obstacles
    assert "残疾类别" not in obstacles


def test_why_not_says_what_is_received_and_that_nothing_else_stands_in_the_way(world: World) -> None:
    page = world.page(MISSES, "medical_insurance")
    assert "已在享受，所以不列为应享未享" in page
    assert "没有挡在前面的条件" in page
    assert "有关名单中的记录\n《基本医疗保险参保人员信息》" in page


def test_an_unknown_benefit_is_answered_by_the_nearest(world: World) -> None:
    with pytest.raises(ReconcileError) as caught:
        world.page(MISSES, "living_subsidi")
    assert caught.value.problem.code == "E535"
    assert "living_subsidy" in caught.value.problem.cure


def test_the_answers_are_the_nights_own_for_everybody(world: World) -> None:
    wrote = pl.read_parquet(world.out / "results" / "outcomes.parquet")
    query = """select p.certificate_number, p.id_number, p.name, o.county_code, o.benefit, o.outcome, o.strength, o.reason,
  o.rule_version from outcomes as o join people as p on p.person = o.person order by o.person, o.benefit"""
    with last_night(world.folders) as night:
        everybody = [number for (number,) in night.con.execute("select person from people").fetchall()]
        recompute(night, everybody)
        again = night.con.sql(query).pl()
    assert again.equals(wrote)
    assert set(wrote["outcome"]) >= {"missing", "receiving", "undetermined", "renew_first"}


def test_a_changed_rule_is_said(world: World, tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    shutil.copytree(world.folders.rules, rules)
    path = rules / "family_doctor.yaml"
    path.write_text(path.read_text("utf-8").replace("when: 农业户口", "when: not 农业户口"), encoding="utf-8")
    page = explain_world.explain(MISSES, replace(world.folders, rules=rules)).replace("\n", "")
    assert "家庭医生签约 当时“应享未享”" in page
    assert "当时" not in world.page(MISSES)


# ---- who ----


def test_numbers_are_masked_unless_asked_for(world: World, page: str) -> None:
    assert not WHOLE.search(page)
    assert MISSES[:6] + "********" + MISSES[14:] in page
    assert MISSES in world.page(MISSES, full_ids=True)


def test_a_number_is_known_in_any_dress(world: World) -> None:
    full_width = MISSES.translate({48 + n: 0xFF10 + n for n in range(10)})
    spaced = f" {MISSES[:6]} {MISSES[6:14]} {MISSES[14:]}"
    nobody = pl.DataFrame(schema=CASES)
    with last_night(world.folders) as night:
        found = [
            find_people(night.con, read_number(text, nobody))
            for text in (MISSES, full_width, spaced, f"{MISSES}41")
        ]
        named = [read_person(night.con, number).certificate_number for number in found[0]]
    assert found == [found[0]] * 4
    assert named == [f"{MISSES}41"]


def test_of_two_certificates_the_one_that_counts_is_explained_and_the_other_says_so(world: World) -> None:
    both = world.page(TWICE)
    new, old = both.split("─" * 60)
    assert "此证不单独比对" in old
    assert "三、规则" not in old
    assert "三、规则" in new
    assert "此证不单独比对" not in new


def test_an_unknown_person_is_an_error_that_repeats_no_number(world: World) -> None:
    for number in (explain_world.HEAD, SLIP):
        with pytest.raises(ReconcileError) as caught:
            world.page(number)
        assert caught.value.problem.code == "E530"
        assert number[-6:] not in str(caught.value)


def test_what_is_no_number_is_refused_without_repeating_it(world: World) -> None:
    with pytest.raises(ReconcileError) as caught:
        world.page("欧阳建国")
    assert caught.value.problem.code == "E532"
    assert "欧阳" not in str(caught.value)


def test_a_case_number_waits_for_the_ledger_and_then_finds_its_person(world: World, tmp_path: Path) -> None:
    with pytest.raises(ReconcileError) as caught:
        world.page("XGLL-2611-0382-7")
    assert caught.value.problem.code == "E531"
    out = Path(shutil.copytree(world.out, tmp_path / "out"))
    ledger = out / "results" / "cases.parquet"
    case = {"case_number": "XGLL-2611-0382-7", "certificate_number": f"{MISSES}41", "id_number": MISSES}
    pl.concat([pl.read_parquet(ledger), pl.DataFrame([case])], how="diagonal").write_parquet(ledger)
    assert "欧阳建国" in World(out).page("xgll-2611-0382-7")
    with pytest.raises(ReconcileError) as caught:
        World(out).page("XGLL-2611-0383-7")
    assert caught.value.problem.code == "E531"


# ---- the night ----


def test_without_a_night_there_is_nothing_to_explain(world: World, tmp_path: Path) -> None:
    with pytest.raises(ReconcileError) as caught:
        explain_world.explain(MISSES, replace(world.folders, out=tmp_path))
    assert caught.value.problem.code == "E533"


def test_a_store_without_the_nights_snapshots_is_refused(world: World, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    with pytest.raises(ReconcileError) as caught:
        explain_world.explain(MISSES, replace(world.folders, state=tmp_path / "state"))
    assert caught.value.problem.code == "E534"


def test_a_snapshot_that_was_replaced_is_noticed(world: World, tmp_path: Path) -> None:
    state = Path(shutil.copytree(world.out / "state", tmp_path / "state"))
    manifest = next((state / "store/civil_affairs/dibao").rglob("manifest.json"))
    told = json.loads(manifest.read_text("utf-8"))
    manifest.write_text(json.dumps({**told, "rows": told["rows"] + 1}), encoding="utf-8")
    with pytest.raises(ReconcileError) as caught:
        explain_world.explain(MISSES, replace(world.folders, state=state))
    assert caught.value.problem.code == "E534"
    assert "dibao" in caught.value.problem.why


def test_nothing_is_left_behind(world: World, page: str) -> None:
    assert "欧阳建国" in page
    assert not list((world.out / "state").glob("explain-*"))


# ---- the command ----


def test_the_command_reads_the_number_from_standard_input(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(explain_world.nights.ROOT)
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{MISSES}\n"))
    monkeypatch.setattr(
        "sys.argv", ["reconcile", "explain", "-", "--out", str(world.out), "--why-not", "day_care"]
    )
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 0
    assert "托养照护（day_care）  → 应享未享" in capsys.readouterr().out


def test_the_command_tells_an_unknown_person_on_standard_error(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(explain_world.nights.ROOT)
    monkeypatch.setattr("sys.argv", ["reconcile", "explain", explain_world.HEAD, "--out", str(world.out)])
    with pytest.raises(SystemExit) as left:
        main()
    told = capsys.readouterr()
    assert (left.value.code, told.out) == (1, "")
    assert told.err.startswith("E530 ")
    assert explain_world.HEAD not in told.err
