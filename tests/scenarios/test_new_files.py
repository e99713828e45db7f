"""Adding a department is one file in schemas/; adding a benefit is one file in rules/. Neither needs Python."""

from __future__ import annotations

import shutil
from pathlib import Path

import nights
import plain
import polars as pl

from pipeline.run import Request, run

SCHEMA = """
dataset: transport/wheelchairs
title: 机动轮椅车登记册
department: 交通
grain: 一车一行
delivery: {by: prefecture, stale_after_days: 62}
person: {name: name, id: id}
live: state = '在册'
fields:
  name: {title: 姓名, type: name, required: true, headers: [姓名, 车主姓名]}
  id: {title: 身份证号, type: id, required: true, headers: [身份证号, 车主身份证号]}
  state: {title: 状态, type: code, required: true, headers: [状态], codes: {在册: [在册], 注销: [注销]}}
  paid: {title: 燃油补贴, type: code, headers: [燃油补贴], codes: {是: [是], 否: [否, ""]}}
facts:
  机动轮椅车: {of: any(live), say: 在册的机动轮椅车}
  燃油补贴: {of: any(live and paid = '是'), say: 本年燃油补贴}
"""

RULE = """
benefit: fuel_subsidy
title: 机动轮椅车燃油补贴
owner: 残联
law: 财社〔2010〕256号
since: 2010-01-01
who:
  - id: 下肢
    say: 残疾类别为肢体
    when: 残疾类别 = '肢体'
  - id: 车主
    say: 是机动轮椅车车主
    when: 机动轮椅车
received: 燃油补贴
cases:
  - name: 车主没有领到燃油补贴
    given: {残疾类别: 肢体, 机动轮椅车: yes, 燃油补贴: no}
    expect: missing
"""


def test_a_new_department_and_a_new_benefit_are_two_files(tmp_path: Path) -> None:
    schemas = Path(shutil.copytree(nights.ROOT / "schemas", tmp_path / "schemas"))
    rules = Path(shutil.copytree(nights.ROOT / "rules", tmp_path / "rules"))
    (schemas / "transport").mkdir()
    (schemas / "transport/wheelchairs.yaml").write_text(SCHEMA, encoding="utf-8")
    (rules / "fuel_subsidy.yaml").write_text(RULE, encoding="utf-8")
    owner, other = plain.number("19700101", 1), plain.number("19700101", 3)
    inbox = plain.write(tmp_path, [plain.holder("次仁", owner), plain.holder("扎西", other)])
    cars = f"车主姓名,车主身份证号,状态,燃油补贴\r\n次仁,{owner},在册,\r\n"
    path = inbox / "transport/wheelchairs/登记册_20261031.csv"
    path.parent.mkdir(parents=True)
    path.write_bytes(cars.encode("gb18030"))
    out = tmp_path / "out"
    night = run(Request(inbox, out, out / "state", schemas, rules, as_of=plain.AS_OF))
    assert night.exit_code == 0
    mine = nights.table(out, "outcomes").filter(pl.col("benefit") == "fuel_subsidy")
    assert mine.select("id_number", "outcome").rows() == [(owner, "missing")]
    assert "《机动轮椅车登记册》（2026-10-31）中未见本年燃油补贴" in mine["reason"][0]
    assert nights.status(out, "transport/wheelchairs") == {"539901": "accepted"}
