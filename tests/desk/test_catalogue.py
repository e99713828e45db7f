"""The catalogue: every rule once in its group, the matrix of lists right, charts true to the values, nothing loaded."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import date
from pathlib import Path

import pytest
from desk_files import ROOT

from pipeline.contracts.dataset import load_datasets
from pipeline.contracts.rule import Parameter, load_rules
from pipeline.desk.catalogue import catalogue_page, write_catalogue
from pipeline.desk.catalogue_charts import parameter_chart
from pipeline.desk.rule_needs import CERTIFICATE, RECEIVED, lists_needed, needs
from pipeline.entitlement import declared_facts

DAY = date(2026, 10, 31)
RULES = load_rules(ROOT / "rules")
DATASETS = load_datasets(ROOT / "schemas")
FACTS = declared_facts(DATASETS)
PAGE = catalogue_page(RULES, DATASETS, DAY)


def test_every_rule_stands_once_with_its_law_and_sentences() -> None:
    plain = re.sub("</?mark>", "", PAGE)
    for rule in RULES.values():
        assert PAGE.count(f'<article class="rule" id="{rule.code}">') == 1
        assert rule.law in plain
        for condition in (*rule.who, *rule.excluded):
            assert condition.say in plain


def test_findings_stand_apart_from_benefits() -> None:
    at = {code: PAGE.index(f'id="{code}"') for code in RULES}
    last_benefit = max(at[code] for code, rule in RULES.items() if rule.benefit)
    assert all(at[code] > last_benefit for code, rule in RULES.items() if rule.finding)
    quota = {at[code] for code, rule in RULES.items() if rule.benefit and rule.strength == "quota"}
    due = {at[code] for code, rule in RULES.items() if rule.benefit and rule.strength == "entitlement"}
    assert max(due) < min(quota)


def test_within_a_group_rules_stand_by_owner() -> None:
    for kind in ("应享", "核查提示"):
        section = re.search(rf"<h2>{kind}</h2>(.*?)(?=<h2>)", PAGE + "<h2>", re.DOTALL)
        assert section
        owner, seen = "", []
        for heading, code in re.findall(r'<h3>(.*?)</h3>|<article class="rule" id="(.*?)">', section[1]):
            owner = heading or owner
            if heading:
                seen.append(owner)
            else:
                assert RULES[code].owner == owner
        assert seen == sorted(set(seen))


def test_the_matrix_says_which_list_each_rule_needs() -> None:
    body = PAGE[PAGE.index('<table class="matrix">') :]
    row = re.search(r'<a href="#nursing_subsidy">.*?</tr>', body, re.DOTALL)
    assert row
    cells = re.findall(r"<td(?: class=\"(.*?)\" title=\"(.*?)\")?>", row[0])
    columns = [d.dataset for group in _by_department() for d in group]
    assert len(cells) == len(columns) == len(DATASETS)
    used = {key: cell for key, cell in zip(columns, cells, strict=True) if cell[0]}
    assert used == {
        "civil_affairs/deaths": ("always", CERTIFICATE),
        "civil_affairs/tekun": ("need", "特困"),
        "civil_affairs/two_subsidies": ("receipt", RECEIVED),
        "federation/register": ("need", f"重度、金额、{CERTIFICATE}"),
        "hr_social_security/injury_care": ("need", "工伤"),
    }


def _by_department() -> list[list]:  # type: ignore[type-arg]
    groups: dict[str, list] = {}  # type: ignore[type-arg]
    for dataset in DATASETS.values():
        groups.setdefault(dataset.department, []).append(dataset)
    return list(groups.values())


@pytest.mark.parametrize("code", sorted(RULES))
def test_every_name_in_a_condition_that_is_a_fact_is_needed(code: str) -> None:
    rule = RULES[code]
    found = {need.fact for need in needs(rule, FACTS)}
    text = " ".join(re.sub("'[^']*'", "", c.when) for c in (*rule.who, *rule.excluded))
    words = set(re.findall(r"[\w]+", f"{text} {rule.received}"))
    assert {word for word in words if word in FACTS} <= found
    assert all(need.unknown for need in needs(rule, FACTS))


def test_a_findings_own_list_is_needed() -> None:
    rule = RULES["certificate_not_issued"]
    assert rule.list in lists_needed(rule, FACTS)


def test_the_page_loads_nothing_and_is_the_same_every_time(tmp_path: Path) -> None:
    assert not re.search(r"<script|<link|https?://|\bsrc=|@import|url\(http", PAGE)
    assert catalogue_page(RULES, DATASETS, DAY) == PAGE
    said = write_catalogue(ROOT / "rules", ROOT / "schemas", tmp_path / "a" / "catalogue.html", DAY)
    assert (tmp_path / "a" / "catalogue.html").read_text(encoding="utf-8") == PAGE
    assert f"{sum(bool(rule.benefit) for rule in RULES.values())} 条规则" in said


# ---- charts ----


def chart(values: dict[str, str], regions: dict[str, dict[str, str]], unit: str = "元/月") -> str:
    spec = {"unit": unit, "values": values, "regions": {p: {"values": v} for p, v in regions.items()}}
    return parameter_chart("标准", Parameter.model_validate(spec), DAY)


def points(svg: str) -> list[list[tuple[float, float]]]:
    found = re.findall('<polyline.*?points="(.*?)"', svg)
    return [[(float(p.split(",")[0]), float(p.split(",")[1])) for p in line.split()] for line in found]


def test_a_higher_value_stands_higher_and_a_later_one_further_right() -> None:
    svg = chart({}, {"53": {"2025-01-01": "90", "2026-01-01": "100"}, "36": {"2016-01-01": "50"}})
    jiangxi, yunnan = points(svg)
    assert [x for x, _ in yunnan] == sorted(x for x, _ in yunnan)
    assert yunnan[0][1] > yunnan[2][1]  # 90 below 100: y grows downwards
    assert jiangxi[0][0] < yunnan[0][0]
    assert jiangxi[0][1] > yunnan[0][1]
    assert jiangxi[-1][0] == yunnan[-1][0]
    assert "云南省（53） 100元/月" in svg


def test_labels_never_stand_on_each_other() -> None:
    codes = ["11", "12", "13", "14", "15", "21", "22", "23", "31", "32"]
    svg = chart({"2020-01-01": "1"}, {code: {"2020-01-01": "1"} for code in codes})
    labels = re.findall('<text x="[^"]*" y="([^"]*)">[^<]*1元/月<', svg)
    heights = [float(y) for y in labels]
    height = float(re.search('viewBox="0 0 [0-9]+ ([0-9.]+)"', svg)[1])  # type: ignore[index]
    assert len(heights) == 11
    assert all(b - a >= 14.9 for a, b in zip(sorted(heights), sorted(heights)[1:], strict=False))
    assert all(10 < y < height for y in heights)


def test_yes_and_no_are_drawn_and_words_are_not() -> None:
    svg = chart({"2016-01-01": "no"}, {"36": {"2018-01-01": "yes"}}, "是否")
    assert "江西省（36） 是" in svg
    assert chart({"2016-01-01": "甲"}, {}, "类") == ""
    assert chart({}, {}) == ""


@pytest.mark.parametrize("svg", re.findall(r"<svg.*?</svg>", PAGE, re.DOTALL))
def test_every_chart_is_sound_xml_within_its_frame(svg: str) -> None:
    root = ET.fromstring(svg)
    _, _, width, height = (float(n) for n in root.attrib["viewBox"].split())
    assert all(0 <= x <= width and 0 <= y <= height for line in points(svg) for x, y in line)
