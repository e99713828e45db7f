"""A comparison of rules as the policy staff read it: first what it comes to, then rule by rule why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal

from pipeline.desk.explain_answers import outcome_words
from pipeline.desk.explain_text import columns, plain, wrapped
from pipeline.desk.plan import Difference, Plan
from pipeline.desk.plan_compare import Group, Sample, Shift
from pipeline.desk.plan_rules import RuleChange
from pipeline.identity.mask import mask_text, mask_value

_STRENGTH = {"entitlement": "应享权利", "quota": "有名额", "lead": "走访线索"}
_SIGNS = {"who": "条件", "except": "排除", "received": "已享受"}
_KINDS = ("新增", "消失", "改变")
_ALL = "合计"
_OUTSIDE = (
    "关于名册以外的人的规则没有比较：上次比对只保存了名册上的人的事实，名册以外的人没有保存，不知道会多出或少掉谁；"
    "要看变化，请另存一个 --out、--state 用新规则运行一次"
)


def page(plan: Plan) -> str:
    """The whole comparison as text for the terminal."""
    lines = [*_head(plan), ""]
    told = [d for d in plan.differences if d.matters]
    lines += _summary(told, len(plan.outside))
    for difference in told:
        lines += ["", "─" * 60, *_difference(plan, difference)]
    quiet = [d for d in plan.differences if not d.matters]
    for heading, changes in (
        ("规则有改动，结论和金额都不变", [d.change for d in quiet]),
        (_OUTSIDE, plan.outside),
    ):
        lines += _texts_only(heading, changes)
    return "\n".join([*lines, *_foot(plan)])


def _head(plan: Plan) -> list[str]:
    lines = [
        f"规则比较：{plan.request.rules}（新） 对 {plan.request.against}（原）",
        f"事实：{plan.night.as_of} 比对时保存的，{plan.people:,} 人，{len(plan.counties)} 个县",
    ]
    if plan.day != plan.night.as_of:
        note = f"两边都按 {plan.day} 的参数和生效规则计算；事实、年龄、证件有效期和“本日”等日期词仍是 {plan.night.as_of} 的。"
        lines += wrapped("注意：", note, 6)
    return lines


def _summary(told: Sequence[Difference], outside: int) -> list[str]:
    """One line a rule: +n people, +y yuan a month. Never says that nothing changes of what was not compared."""
    left_out = [f"另有 {outside} 条关于名册以外的人的规则有改动，没有比较，见后。"] if outside else []
    if not told and outside:
        return ["名册上的人没有变化：没有一个人的结论或金额不同。", *left_out]
    if not told:
        return ["没有变化：没有一个人的结论或金额不同。"]
    lines = ["如改用新规则："]
    for difference in told:
        rule, groups = difference.change.rule, difference.groups
        if rule.finding:
            text = f"疑点 {_signed(_found(groups, 1) - _found(groups, 0))} 人"
        else:
            due = _due(groups, 1) - _due(groups, 0)
            text = f"应享 {_signed(due)} 人，每月 {_signed_money(_yuan(groups, 1) - _yuan(groups, 0))} 元"
            once = _once(groups, 1) - _once(groups, 0)
            text += f"，一次性 {_signed_money(once)} 元" if once else ""
            unknown = _unknown(groups, 1)
            text += f"（另有 {unknown:,} 人金额不明）" if unknown else ""
        lines += wrapped(f"  {rule.title}：", text, 4)
    note = "应享＝应享未享＋在享。金额按规则所写标准：按年的取十二分之一，一次性的另列，标准未知的不计。"
    return [*lines, *wrapped("  ", note, 2), *left_out]


def _difference(plan: Plan, difference: Difference) -> list[str]:
    rule = difference.change.rule
    kind = "疑点" if rule.finding else _STRENGTH.get(rule.strength, rule.strength)
    lines = [f"{rule.title}（{rule.code}，{kind}）", "", "改动"]
    lines += _lines(difference.change.texts)
    for name, unit, was, becomes, where in difference.values:
        places = "、".join(plan.counties[code] for code in where)
        lines += wrapped("  ", f"{plan.day} 的参数 {name}：{was} → {becomes}（{unit}）：{places}", 4)
    lines += ["", "按县", *_by_county(plan, difference), "", *_transitions(difference.groups)]
    lines += _conditions(difference)
    if difference.samples:
        lines += ["例（已遮盖）"]
    for sample, before, after in difference.samples:
        lines += _sample(plan, sample, before, after)
    return lines


def _lines(texts: Iterable[str]) -> list[str]:
    return [line for text in texts for line in wrapped("  ", plain(text), 4)]


def _by_county(plan: Plan, difference: Difference) -> list[str]:
    """People and yuan, one line a county in which something differs, and the total."""
    finding = bool(difference.change.rule.finding)
    once = any(any(g.once) for g in difference.groups)
    head = ["", *_KINDS]
    if not finding:
        head += ["应享", "其中未享", "每月元", "每月增减", "金额不明"]
        head += ["一次性增减"] if once else []
    rows = [head]
    for code in plan.counties:
        mine = [g for g in difference.groups if g.county == code]
        if any(group.differs for group in mine):
            rows.append([plan.counties[code], *_cells(mine, finding, once)])
    if len(rows) != 2:
        rows.append([_ALL, *_cells(difference.groups, finding, once)])
    return [f"  {line}" for line in columns(rows)]


def _cells(groups: Sequence[Group], finding: bool, once: bool) -> list[str]:
    kinds = Counter[str]()
    for group in groups:
        kinds[group.kind] += group.people
    cells = [f"{kinds[kind]:,}" for kind in _KINDS]
    if finding:
        return cells
    missing = [_people(groups, side, ("missing",)) for side in (0, 1)]
    cells += [
        _signed(_due(groups, 1) - _due(groups, 0)),
        _signed(missing[1] - missing[0]),
        f"{_money(_yuan(groups, 0))} → {_money(_yuan(groups, 1))}",
        _signed_money(_yuan(groups, 1) - _yuan(groups, 0)),
        f"{_unknown(groups, 0):,} → {_unknown(groups, 1):,}",
    ]
    return cells + ([_signed_money(_once(groups, 1) - _once(groups, 0))] if once else [])


def _transitions(groups: Sequence[Group]) -> list[str]:
    counts = Counter[tuple[str, str]]()
    for group in groups:
        if group.was != group.becomes:
            counts[group.was, group.becomes] += group.people
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    lines = [f"  {outcome_words(was)} → {outcome_words(now)}：{n:,} 人" for (was, now), n in ordered]
    return ["由何变何", *(lines or ["  没有人的结论改变，只是金额或条件不同"]), ""]


def _conditions(difference: Difference) -> list[str]:
    if not difference.shifts:
        return []
    lines = ["条件的变化"]
    for shift in difference.shifts:
        people = f"{shift.people:,} 人" + (
            f"，其中 {shift.decided:,} 人结论改变" if shift.decided else "，结论都不变"
        )
        text = f"{_verdict(shift, shift.was)} → {_verdict(shift, shift.becomes)}：{people}"
        lines += wrapped(f"  {_SIGNS[shift.kind]}“{shift.clause.id}” ", text, 4)
        if shift.clause.say and shift.kind != "received":
            lines += wrapped("    ", shift.clause.say, 4)
    return [*lines, ""]


def _verdict(shift: Shift, verdict: bool | str | None) -> str:
    if verdict == "":
        return "没有这一条"
    return "未知" if verdict is None else "成立" if verdict else "不成立"


def _sample(plan: Plan, sample: Sample, before: str, after: str) -> list[str]:
    name = plain(sample.name)[:1] + "**"
    number = mask_value(sample.certificate)
    change = f"{outcome_words(sample.was)} → {outcome_words(sample.becomes)}"
    lines = [f"  {name} {number} {plan.counties.get(sample.county, sample.county)}：{change}"]
    for word, reason in (("原：", before), ("新：", after)):
        lines += wrapped(f"    {word}", mask_text(plain(reason)) or "（没有理由）", 8)
    return lines


def _texts_only(heading: str, changes: Sequence[RuleChange]) -> list[str]:
    if not changes:
        return []
    lines = ["", *wrapped("", heading, 2)]
    for change in changes:
        lines += [f"  {change.rule.title}（{change.code}）", *(f"  {line}" for line in _lines(change.texts))]
    return lines


def _foot(plan: Plan) -> list[str]:
    lines = ["", f"文字相同的规则 {plan.same} 条，结论相同，不再列出。"]
    if plan.idle:
        lines += wrapped("", f"有改动、但 {plan.day} 两边都未生效的规则：{'、'.join(plan.idle)}", 2)
    if plan.later:
        days = "、".join(str(day) for day in plan.later)
        lines += wrapped("", f"新规则中有以后才起用的数值（{days}），这里没有计入；可加 --as-of 再看。", 2)
    return lines


def _people(groups: Iterable[Group], side: int, outcomes: Sequence[str]) -> int:
    return sum(g.people for g in groups if (g.was, g.becomes)[side] in outcomes)


def _due(groups: Iterable[Group], side: int) -> int:
    return _people(groups, side, ("missing", "receiving"))


def _found(groups: Iterable[Group], side: int) -> int:
    return _people(groups, side, ("found",))


def _yuan(groups: Iterable[Group], side: int) -> Decimal:
    return sum((g.yuan[side] for g in groups), Decimal())


def _once(groups: Iterable[Group], side: int) -> Decimal:
    return sum((g.once[side] for g in groups), Decimal())


def _unknown(groups: Iterable[Group], side: int) -> int:
    return sum(g.unknown[side] for g in groups)


def _money(yuan: Decimal) -> str:
    return f"{yuan:,.2f}".removesuffix(".00")


def _signed(number: int) -> str:
    return f"{number:+,}" if number else "0"


def _signed_money(yuan: Decimal) -> str:
    words = f"{yuan:+,.2f}".removesuffix(".00")
    return "0" if words in ("+0", "-0") else words
