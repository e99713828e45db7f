"""What the policy staff see: the answer first, Chinese words, nobody's name or number; the CSV; the command line."""

from __future__ import annotations

import csv
import io
import stat
from pathlib import Path

import plan_world
import pytest
from plan_world import World, edited, extended
from typer.testing import CliRunner

from pipeline.cli_plan import plan_app
from pipeline.contracts.problem import ReconcileError
from pipeline.desk.plan import plan
from pipeline.desk.plan_command import plan_rules

RUN = CliRunner()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return plan_world.make_world(tmp_path_factory.getbasetemp() / "plan-world")


def asked(world: World, rules: Path, *more: str) -> list[str]:
    folders = ["--against", str(world.rules), "--state", str(world.state), "--schemas", str(world.schemas)]
    return ["--rules", str(rules), *folders, *more]


def test_the_answer_stands_first(world: World, tmp_path: Path) -> None:
    request = world.request(extended(world, tmp_path))
    (made,) = plan(request).differences
    missing = sum(g.people for g in made.groups if (g.was, g.becomes) == ("not_due", "missing"))
    yuan = f"{missing * 77.5:+,.2f}".removesuffix(".00")
    page = plan_rules(request)
    assert f"  重度残疾人护理补贴：应享 +{missing} 人，每月 {yuan} 元" in page.splitlines()
    for words in (
        "2026-10-31 比对时保存的",
        "参数 智力精神扩大到 地区 5399 2026-10-01：（无） → 3",
        "2026-10-31 的参数 智力精神扩大到：2 → 3（级）：示例市",
        f"不应享 → 应享未享：{missing} 人",
        "条件“重度” 不成立 → 成立：",
        "文字相同的规则 6 条",
        "以后才起用的数值（2027-01-01）",
    ):
        assert words in page, words


def test_nobody_can_be_recognised(world: World, tmp_path: Path) -> None:
    page = plan_rules(world.request(extended(world, tmp_path), samples=100))
    people = world.con.execute("select name, certificate_number, id_number from people").fetchall()
    shown = [line for line in page.splitlines() if "：不应享 → " in line and "*" in line]
    assert len(shown) > 5
    assert all(line.split()[0][1:] == "**" for line in shown)
    for line in shown:
        assert line.split()[1][6:14] == "*" * 8
    for name, certificate, number in people:
        assert certificate not in page
        assert number is None or number not in page
        assert name not in page


def test_another_day_is_said(world: World, tmp_path: Path) -> None:
    found = RUN.invoke(plan_app, asked(world, extended(world, tmp_path), "--as-of", "2027-01-01"))
    assert found.exit_code == 0
    assert "两边都按 2027-01-01 的参数和生效规则计算" in found.output
    assert "2027-01-01 的参数 扩大对象护理补贴标准：（无） → 90" in found.output


def test_nothing_changed_is_an_answer(world: World) -> None:
    found = RUN.invoke(plan_app, asked(world, world.rules))
    assert found.exit_code == 0
    assert "\n没有变化：没有一个人的结论或金额不同。" in found.output
    assert "文字相同的规则 7 条" in found.output


def test_words_alone_are_listed_apart(world: World, tmp_path: Path) -> None:
    new = plan_world.copied(world, tmp_path)
    edited(new / "nursing_subsidy.yaml", ("urgency: 2", "urgency: 3"))
    edited(new / "findings" / "certificate_not_issued.yaml", ("urgency: 4", "urgency: 3"))
    page = plan_rules(world.request(new))
    assert "\n名册上的人没有变化：" in page
    assert "另有 1 条关于名册以外的人的规则有改动，没有比较" in page
    quiet = page[page.index("结论和金额都不变") : page.index("关于名册以外的人的规则没有比较")]
    assert "缓急：2 → 3" in quiet
    left_out = page[page.index("关于名册以外的人的规则没有比较") :]
    assert "certificate_not_issued" in left_out
    assert "名册以外的人没有保存" in left_out.replace("\n", "").replace(" ", "")


def test_the_csv_adds_up(world: World, tmp_path: Path) -> None:
    target = tmp_path / "change.csv"
    found = RUN.invoke(
        plan_app, asked(world, extended(world, tmp_path), "--out", str(target), "--samples", "0")
    )
    assert found.exit_code == 0
    assert "例（已遮盖）" not in found.output
    assert str(target) in found.output
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    content = target.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    (made,) = plan(world.request(extended(world, tmp_path / "again"))).differences
    moved = [g for g in made.groups if g.was != g.becomes]
    assert [(r["县代码"], r["变化"], int(r["人数"])) for r in rows] == [
        (g.county, g.kind, g.people) for g in moved
    ]
    assert {r["规则代码"] for r in rows} == {"nursing_subsidy"}
    assert sum(float(r["新每月元"]) - float(r["原每月元"]) for r in rows) == float(
        sum(g.yuan[1] - g.yuan[0] for g in made.groups)
    )


def test_the_csv_says_what_was_not_compared(world: World, tmp_path: Path) -> None:
    new = plan_world.copied(world, tmp_path)
    edited(new / "findings" / "certificate_not_issued.yaml", ("when: 有评定等级", "when: not 有评定等级"))
    plan_rules(world.request(new), tmp_path / "change.csv")
    text = (tmp_path / "change.csv").read_text(encoding="utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["规则代码"], row["变化"]) == ("certificate_not_issued", "没有比较")
    assert {row[name] for name in ("县", "原结论", "人数", "新每月元")} == {""}


@pytest.mark.parametrize(
    ("name", "why"), [("there.csv", "已经存在"), ("folder", "文件夹"), ("no/x.csv", "文件夹不存在")]
)
def test_a_csv_that_cannot_be_written_is_refused(world: World, tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "there.csv").write_text("mine")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ReconcileError, match=f"E555.*{why}"):
        plan_rules(world.request(world.rules), tmp_path / name)
    assert (tmp_path / "there.csv").read_text() == "mine"


def test_wrong_options(world: World, tmp_path: Path) -> None:
    bad_day = RUN.invoke(plan_app, asked(world, world.rules, "--as-of", "2027-1-32"))
    assert (bad_day.exit_code, "E403" in bad_day.output) == (1, True)
    assert RUN.invoke(plan_app, asked(world, world.rules, "--samples", "-1")).exit_code == 2
    no_night = RUN.invoke(plan_app, asked(world, world.rules, "--state", str(tmp_path)))
    assert isinstance(no_night.exception, ReconcileError)
    assert "E550" in str(no_night.exception)
    no_rules = RUN.invoke(plan_app, asked(world, tmp_path / "none"))
    assert "E108" in str(no_rules.exception)


def test_nothing_is_left_in_the_state_folder(world: World, tmp_path: Path) -> None:
    before = sorted(path.name for path in world.state.iterdir())
    plan_rules(world.request(extended(world, tmp_path)))
    assert sorted(path.name for path in world.state.iterdir()) == before
