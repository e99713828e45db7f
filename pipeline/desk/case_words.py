"""Cases and their events in the words of the office."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipeline.cases.case_state import Case
from pipeline.cases.event import Event
from pipeline.contracts.register_findings import REGISTER_FINDINGS
from pipeline.contracts.rule import Rule
from pipeline.identity import region
from pipeline.reports.rows import NATURES
from pipeline.reports.tally import OUTCOME_WORDS

KINDS = {**OUTCOME_WORDS, "found": "核查事项"}
WHY = {
    "receiving": "名册显示已享受",
    "not_found": "名册中已不再出现",
    "not_due": "不再符合条件",
    "absent": "名册中已没有此人",
    "no_rule": "规则不再适用",
    "undetermined": "缺名册或信息，暂不能判断",
    "erased": "本人信息已删除",
}
_ANSWER = (
    ("result", ""),
    ("reason", ""),
    ("measure", "措施："),
    ("note", ""),
    ("done_on", "办结："),
    ("checked_by", "核查人："),
    ("checked_on", "核查日期："),
)


@dataclass(frozen=True)
class Titles:
    """Rules by code, for the names of subjects."""

    rules: Mapping[str, Rule]

    def subject(self, code: str) -> str:
        known = self.rules.get(code) or REGISTER_FINDINGS.get(code)
        return known.title if known else code

    def nature(self, code: str) -> str:
        """权益, 项目类, 线索 or, of findings and what no rule knows any more, 核查."""
        rule = self.rules.get(code)
        return NATURES.get(rule.strength, "核查") if rule and rule.benefit else "核查"


def county_words(code: str) -> str:
    return region.county_name(code) or code


def state_words(case: Case, on: date) -> str:
    """Where the case stands on that day."""
    if case.state == "settled":
        return f"已落实：{WHY.get(case.why, case.why)}"
    if case.state == "closed":
        return f"已关闭：{WHY.get(case.why, case.why)}"
    if case.suppressed:
        return "已反馈：不属实，情况不变则不再下发"
    told = {"sent": "已下发，待反馈", "answered": f"已反馈：{result_of(case)}"}.get(case.state, _unsent(case))
    if case.is_overdue(on):
        told = "已下发，超期未反馈"
    return told if case.seen_since else f"{told}（{WHY['undetermined']}）"


def _unsent(case: Case) -> str:
    if case.held:
        return "待批准下发"
    return "待复核：情况有变" if case.again else "待下发"


def result_of(case: Case) -> str:
    return str((case.answer or {}).get("result") or "")


def notes_of(case: Case) -> str:
    """What a reader of the list should know besides the state."""
    notes = [f"第{case.times_opened}次出现" if case.times_opened > 1 else ""]
    notes += ["由批量新增暂缓下发" if case.held else "", "答复后情况有变，复核" if case.again else ""]
    notes += [f"其他说明：{note}" if (note := (case.answer or {}).get("note")) else ""]
    return "；".join(note for note in notes if note)


def event_words(event: Event) -> str:
    """One event of a case as a sentence, without its date. Nothing in an event identifies a person."""
    body: Mapping[str, Any] = event.body
    made = _SENTENCES.get(event.kind)
    return made(body) if made else event.kind


def _found(body: Mapping[str, Any]) -> str:
    return f"发现：{KINDS.get(body['kind'], body['kind'])}（{county_words(body['county'])}）"


def _reopened(body: Mapping[str, Any]) -> str:
    return f"重新出现，沿用原编号：{KINDS.get(body['kind'], body['kind'])}（{county_words(body['county'])}）"


def _changed(body: Mapping[str, Any]) -> str:
    parts = [f"结论改为{KINDS.get(body['kind'], body['kind'])}" if "kind" in body else ""]
    parts += [f"转到{county_words(body['county'])}" if "county" in body else ""]
    parts += ["所依据的情况有变" if "facts" in body else ""]
    return "；".join(part for part in parts if part)


def _answered(body: Mapping[str, Any]) -> str:
    told = "；".join(f"{lead}{body[name]}" for name, lead in _ANSWER if body.get(name))
    return f"反馈：{told}"


_SENTENCES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "found": _found,
    "reopened": _reopened,
    "changed": _changed,
    "unseen": lambda body: f"{WHY.get(body['why'], body['why'])}，天数停算",
    "seen": lambda body: "又能判断，继续计天数",
    "settled": lambda body: f"落实：{WHY.get(body['why'], body['why'])}",
    "closed": lambda body: f"关闭：{WHY.get(body['why'], body['why'])}",
    "sent": lambda body: f"下发，反馈截止 {body['due_on']}",
    "answered": _answered,
    "again": lambda body: "答复为不属实，而情况有变：转为复核",
    "held": lambda body: "批量新增，待批准后下发",
    "released": lambda body: "批准下发",
}
