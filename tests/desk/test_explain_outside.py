"""`reconcile explain` of people on no register: the finding, the rows it rests on, the case; of nobody else."""

from __future__ import annotations

import json
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from pipeline import access_log
from pipeline.cli import app
from pipeline.contracts.problem import ReconcileError
from pipeline.desk import NightFolders, explain

sys.path.append(str(Path(__file__).parents[1] / "scenarios"))

import nights
import plain

ASSESSED = plain.number("19740909", 231)  # assessed, and on no register
INSURED = plain.number("19850101", 233)  # on a list of the whole prefecture, in no finding
HOLDER = plain.number("19650317", 213)
WHOLE = re.compile("[0-9]{17}[0-9Xx]")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> NightFolders:
    folder = tmp_path_factory.mktemp("outside")
    assessed = [
        {"name": "马福贵", "id": ASSESSED, "cat": "肢体", "level": "一级", "date": "20250607"},
        {"name": "王小明", "id": HOLDER, "cat": "肢体", "level": "一级", "date": "20250607"},
    ]
    people = [
        {"name": name, "id": id_, "dob": id_[6:14], "kind": "居民", "state": "正常参保", "year": "2026"}
        for name, id_ in (("马福贵", ASSESSED), ("牛得草", INSURED))
    ]
    inbox = plain.write(
        folder,
        [plain.holder("王小明", HOLDER)],
        health__assessments=assessed,
        medical_insurance__insured=people,
    )
    nights.night(inbox, folder / "out", as_of=plain.AS_OF)
    return NightFolders(
        folder / "out", folder / "out" / "state", nights.ROOT / "schemas", nights.ROOT / "rules"
    )


def case_of(folders: NightFolders) -> str:
    cases = pl.read_parquet(folders.results / "cases.parquet")
    [number] = cases.filter(pl.col("id_number") == ASSESSED)["case_number"]
    return str(number)


def flat(page: str) -> str:
    return re.sub(r"\n *", "", page)


def test_the_finding_its_rows_and_the_case_with_its_history_are_told(folders: NightFolders) -> None:
    page = explain(ASSESSED, folders)
    assert page.startswith("马福贵    示例州 示例市 539901    比对日期 2026-10-31")
    assert "《持证残疾人名册》已采用（2026-10-31），其中没有此人" in page
    assert "已评定残疾等级但未办残疾人证（certificate_not_issued）  → 有此情况" in page
    [reason] = pl.read_parquet(folders.results / "findings.parquet").filter(pl.col("id_number") == ASSESSED)[
        "reason"
    ]
    assert reason in flat(page)
    assert "《残疾评定结果》\n  health/assessments/539901_示例市名单_20261031.csv 第 2 行" in page
    assert f"姓名 马福贵 · 身份证号 539901********{ASSESSED[14:]}" in page
    assert "评定等级 1" in flat(page)
    assert "已采用（2026-10-31），其中没有此人：《死亡人员信息》" in page
    assert f"{case_of(folders)}　已评定残疾等级但未办残疾人证（核查）" in page
    assert page.endswith("2026-10-31　发现：核查事项（示例市）")


def test_lists_that_the_finding_does_not_ask_are_not_shown(folders: NightFolders) -> None:
    assert "医疗保险" not in explain(ASSESSED, folders)


@pytest.mark.parametrize("who", [f" {ASSESSED[:6]} {ASSESSED[6:]}", f"{ASSESSED}41", "case"])
def test_a_case_number_and_other_writings_show_the_same(folders: NightFolders, who: str) -> None:
    asked = case_of(folders).lower() if who == "case" else who
    assert explain(asked, folders) == explain(ASSESSED, folders)


def test_numbers_are_masked_unless_asked_for(folders: NightFolders) -> None:
    assert not WHOLE.search(explain(ASSESSED, folders))
    assert explain(ASSESSED, folders, full_ids=True).count(ASSESSED) == 2


def test_why_not_of_a_benefit_says_that_only_register_people_are_judged(folders: NightFolders) -> None:
    page = flat(explain(ASSESSED, folders, benefit="living_subsidy"))
    assert "困难残疾人生活补贴（living_subsidy）  此项只对持证残疾人名册上的人判断" in page
    assert "一、" not in page
    found = explain(ASSESSED, folders, benefit="已评定残疾等级但未办残疾人证")
    assert "→ 有此情况" in found
    assert "第 2 行" in found
    assert "→ 没有此情况" in explain(ASSESSED, folders, benefit="subsidy_not_on_register")
    with pytest.raises(ReconcileError) as caught:
        explain(ASSESSED, folders, benefit="living_subsidi")
    assert caught.value.problem.code == "E535"


@pytest.mark.parametrize("number", [INSURED, plain.number("19991231", 99)])
def test_who_is_in_no_finding_stays_unknown(folders: NightFolders, number: str) -> None:
    with pytest.raises(ReconcileError) as caught:
        explain(number, folders)
    assert caught.value.problem.code == "E530"
    assert number[-6:] not in str(caught.value)


def test_who_is_on_the_register_has_the_page_of_register_people(folders: NightFolders) -> None:
    assert "三、规则" in explain(HOLDER, folders)


def test_without_a_ledger_the_rest_is_told(folders: NightFolders, tmp_path: Path) -> None:
    state = Path(shutil.copytree(folders.state, tmp_path / "state"))
    for name in ("ledger", "key", "witness", "backup"):
        path = state / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    page = explain(ASSESSED, replace(folders, state=state))
    assert "→ 有此情况" in page
    assert "三、疑点" not in page


def test_the_look_is_noted_and_in_production_needs_a_reason(
    folders: NightFolders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "other.toml"
    config.write_text("", encoding="utf-8")
    number = case_of(folders)
    asked = ["explain", number, "--out", str(folders.out), "--config", str(config)]
    asked += ["--schemas", str(folders.schemas), "--rules", str(folders.rules)]
    refused = CliRunner().invoke(app, asked)
    assert isinstance(refused.exception, ReconcileError)
    assert (refused.exception.problem.code, refused.output) == ("E870", "")
    done = CliRunner().invoke(app, [*asked, "--reason", "乡镇来电核对"])
    assert done.exit_code == 0, done.output
    assert "马福贵" in done.output
    [line] = access_log.read(folders.state)
    assert (line.command, line.cases, line.reason) == ("explain", (number,), "乡镇来电核对")
    assert ASSESSED not in json.dumps(line.line().decode())
