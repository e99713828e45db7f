"""`certain: yes` as the analyst meets it: on the page, in the catalogue, among the lists that are needed, in the editor."""

from __future__ import annotations

import re
from datetime import date

import pytest
from desk_files import ROOT
from test_json_schema import RULE, faults, keys_as_text, read

from pipeline.contracts.dataset import load_datasets
from pipeline.contracts.rule import load_rules
from pipeline.desk.catalogue import catalogue_page
from pipeline.desk.rule_needs import lists_needed, needs
from pipeline.desk.show_rule import show_rule
from pipeline.entitlement import declared_facts

DAY = date(2026, 10, 31)
RULES = load_rules(ROOT / "rules")
DATASETS = load_datasets(ROOT / "schemas")
FACTS = declared_facts(DATASETS)
NURSING = RULES["nursing_subsidy"]
PAYMENTS = "finance/payments"


def test_the_page_and_the_catalogue_say_where_only_what_is_certain_counts() -> None:
    (condition,) = [c for c in NURSING.excluded if c.certain]
    page = re.sub(r"\s", "", show_rule(ROOT / "rules", ROOT / "schemas", "nursing_subsidy", DAY))
    assert f"{condition.say}（只在确定时）。" in page
    assert page.count("只在确定时") == 1
    catalogue = catalogue_page(RULES, DATASETS, DAY)
    certain = sum(c.certain for rule in RULES.values() for c in rule.excluded)
    assert catalogue.count("（只在确定时）") == certain
    assert f"{condition.say}（只在确定时）" in catalogue


def test_its_facts_are_shown_but_no_answer_waits_for_their_list() -> None:
    own = [need for need in needs(NURSING, FACTS) if need.dataset == PAYMENTS]
    assert [need.fact for need in own] == ["在领同类护理补贴", "同类护理补贴月额"]
    assert {need.unknown for need in own} == {"未知按不成立，不影响结论"}
    assert PAYMENTS not in lists_needed(NURSING, FACTS)
    plain = tuple(c.model_copy(update={"certain": False}) for c in NURSING.excluded)
    assert lists_needed(NURSING.model_copy(update={"excluded": plain}), FACTS)[PAYMENTS] == ("择高",)


@pytest.mark.parametrize(
    ("file", "old", "new", "sound"),
    [
        ("nursing_subsidy", "certain: yes", "certain: true", True),
        ("nursing_subsidy", "certain: yes", "certain: 有时", False),
        ("nursing_subsidy", "    when: 残疾等级 <=", "    certain: yes\n    when: 残疾等级 <=", False),
        ("nursing_subsidy", "    when: 残疾等级 <=", "    certain: no\n    when: 残疾等级 <=", True),
        ("findings/subsidy_amount_differs", "    when: 死亡\n", "    when: 死亡\n    certain: yes\n", False),
        ("findings/subsidy_amount_differs", "    when: 死亡\n", "    when: 死亡\n    certain: no\n", True),
    ],
)
def test_the_editor_takes_it_in_an_exclusion_of_a_benefit_only(
    file: str, old: str, new: str, sound: bool
) -> None:
    text = (ROOT / f"rules/{file}.yaml").read_text(encoding="utf-8")
    assert old in text
    value = keys_as_text(read(text.replace(old, new, 1)))
    assert (faults(value, RULE, RULE) == []) is sound
