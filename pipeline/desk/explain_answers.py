"""The rules' part of `reconcile explain`: ✓ ✗ ? for every condition, the outcome, and what stands in the way."""

from __future__ import annotations

from pipeline.desk.explain_night import LastNight
from pipeline.desk.explain_page import fact_words, why_unknown
from pipeline.desk.explain_person import Person
from pipeline.desk.explain_rules import Answer, Condition
from pipeline.desk.explain_text import NO, UNKNOWN, YES, Voice, ranges, sign, wrapped
from pipeline.desk.explain_whatif import SMALL, changes, if_all_turned, if_turned, in_the_way, receives, wish
from pipeline.reports.tally import OUTCOME_WORDS

_STANDING = {
    "valid": (YES, "残疾人证有效"),
    "expired": (NO, "残疾人证有效：已过期"),
    "unknown": (UNKNOWN, "残疾人证有效：证件状态或有效期不明"),
    "none": (NO, "残疾人证有效：证件不是正常状态，或本人在死亡名单上"),
}
_STANDING_CHANGE = {
    "expired": "若换证后证件有效",
    "unknown": "若名册写明证件状态正常、有效期未满",
    "none": "若证件恢复正常且有效期未满（死亡名单有误的请先更正）",
}
_RECEIVED = "名单上看到已在享受"
_KINDS = {"who": "条件", "except": "排除", "received": "领取"}


def outcome_words(outcome: str) -> str:
    """The outcome's code in words."""
    others = {"not_due": "不应享", "found": "有此情况", "not_found": "没有此情况", "unknown": "不能判断"}
    return OUTCOME_WORDS.get(outcome, others.get(outcome, outcome))


def rules_section(night: LastNight, answers: list[Answer], voice: Voice) -> list[str]:
    """Every rule: benefits in the rules' order, then findings."""
    lines = []
    for answer in answers:
        lines += [*_title(answer), *_standing(answer)]
        for condition in answer.conditions:
            lines += _condition(night, condition, voice)
        lines += [*_said(answer), ""]
    return lines[:-1]


def _title(answer: Answer) -> list[str]:
    rule = answer.rule.rule
    return wrapped(f"{answer.title}（{rule.code}）  → ", outcome_words(answer.outcome), 4)


def _standing(answer: Answer) -> list[str]:
    """The certificate is a condition of every benefit; findings say for themselves which certificates they are about."""
    if answer.rule.rule.finding:
        return []
    mark, words = _STANDING[answer.standing]
    return wrapped(f"  {mark} ", words, 4)


def _condition(night: LastNight, condition: Condition, voice: Voice) -> list[str]:
    say = condition.clause.say if condition.kind != "received" else _RECEIVED
    lines = wrapped(f"  {sign(condition.verdict)} {_KINDS[condition.kind]}  ", say, 10)
    values = [fact_words(night.facts[name], value, voice) for name, value in condition.facts]
    values += [f"{name}={_parameter(value)}（标准）" for name, value in condition.parameters]
    return lines + (wrapped("            ", "，".join(values), 12) if values else [])


def _parameter(value: object) -> str:
    return "当地无标准" if value is None else Voice().value(value)


def _said(answer: Answer) -> list[str]:
    lines = wrapped("    ", answer.reason, 4) if answer.reason else []
    if answer.outcome == "verify" and answer.without_doubt:
        lines += wrapped("    ", f"不计存疑的记录时：{outcome_words(answer.without_doubt)}", 4)
    return lines


def why_not(night: LastNight, person: Person, answer: Answer, voice: Voice) -> list[str]:
    """One rule: first what stands in the way and what would have to change, then the rest."""
    lines = [*_title(answer), *_said(answer), ""]
    obstacles, received = in_the_way(answer), receives(answer)
    if received:
        lines += ["已在享受，所以不列为应享未享", *_condition(night, received, voice)]
    blocked = _standing_in_the_way(answer)
    for condition in obstacles:
        blocked += [*_condition(night, condition, voice), *_if(night, person, answer, condition)]
    lines += ["挡在前面的", *blocked] if blocked else ["没有挡在前面的条件"]
    if blocked and answer.rule.rule.benefit:
        lines += wrapped("  以上都改变之后，结论：", outcome_words(if_all_turned(night, answer)), 4)
    rest = [c for c in answer.conditions if c not in obstacles and c is not received]
    fine = _standing(answer) if answer.standing == "valid" else []
    for condition in rest:
        fine += _condition(night, condition, voice)
    return [*lines, "", "不挡的条件", *fine] if fine else lines


def _standing_in_the_way(answer: Answer) -> list[str]:
    if answer.standing == "valid" or answer.rule.rule.finding:
        return []
    return [*_standing(answer), *wrapped("      ", _STANDING_CHANGE[answer.standing], 6)]


def _if(night: LastNight, person: Person, answer: Answer, condition: Condition) -> list[str]:
    """What would turn the condition, and what the answer would be if only that changed."""
    parts = [
        f"若 {change.fact} 为 {ranges(change.values, SMALL)}" for change in changes(night, person, condition)
    ]
    lines = []
    for part in parts or [_whole(condition)]:
        lines += wrapped("      ", part, 8)
    for name, value in condition.facts:
        if value is None:
            lines += wrapped("      ", f"{name}未知：{why_unknown(night, person, night.facts[name])}", 8)
    if answer.rule.rule.benefit:
        lines += wrapped(
            "      ", f"只改这一条，结论：{outcome_words(if_turned(night, answer, condition))}", 8
        )
    return lines


def _whole(condition: Condition) -> str:
    say = condition.clause.say if condition.kind != "received" else _RECEIVED
    return f"若“{say}”成立" if wish(condition) else f"若“{say}”不成立"
