"""`reconcile rules show`: one rule as a page that a lawyer can read, on the screen or as a file for the browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path

from pipeline.contracts.dataset import load_datasets
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.rule import Condition, Rule, load_rules
from pipeline.desk.complaints import nearest
from pipeline.desk.explain_text import columns, wrapped
from pipeline.desk.rule_needs import Need
from pipeline.desk.rule_page import ParameterPage, RulePage, rule_page
from pipeline.desk.rule_templates import rendered, written
from pipeline.entitlement import declared_facts

_INDENT = 10


def show_rule(rules: Path, schemas: Path, code: str, day: date, html: Path | None = None) -> str:
    """The page as text, or what was written to `html`. `code` may be the Chinese title.

    Raises ReconcileError E314 where there is no such rule, E315 where the file cannot be written.
    """
    facts = declared_facts(load_datasets(schemas))
    page = rule_page(find_rule(load_rules(rules), code), facts, day)
    if html is None:
        return page_text(page)
    written(html, rendered("rule.html.j2", {"page": page, "title": page.rule.title}))
    return f"已写出 {html}：{page.rule.title}，参数取 {page.day} 的值。"


def find_rule(rules: dict[str, Rule], asked: str) -> Rule:
    """The rule of the code or the title. Raises ReconcileError E314 naming the nearest."""
    titles = {rule.title: rule for rule in rules.values()}
    found = rules.get(asked) or titles.get(asked)
    if found is None:
        near = nearest(asked, [*rules, *titles])
        why = f"共有 {len(rules)} 条规则，按代码或名称查找"
        raise ReconcileError(Problem("E314", "error", f"没有规则“{asked}”", why, f"相近的有：{near}"))
    return found


def page_text(page: RulePage) -> str:
    """The whole page for the terminal."""
    sections: list[tuple[str, Callable[[RulePage], Iterator[str]]]] = [
        ("条件：下列各项都要符合", _who),
        ("不包括：有下列情形之一的，不享受" if page.rule.benefit else "不提示：有下列情形之一的", _except),
        ("怎样算已经享受", _received),
        (f"金额（{page.day}）", _amount),
        ("参数的历次规定（* 为该日有效）", _parameters),
        ("名单查不出来、需要人核实的", _not_checked),
        ("需要哪些部门的名单", _needs),
        ("举例", _cases),
    ]
    parts = ["\n".join(_head(page))]
    for title, lines_of in sections:
        lines = list(lines_of(page))
        if lines:
            parts.append("\n".join([title, *lines]))
    return "\n\n".join(parts)


def _head(page: RulePage) -> list[str]:
    rule = page.rule
    kind = "规则" if rule.benefit else "提示"
    lines = [
        f"{rule.title}（{rule.code}）",
        *wrapped("  主管    ", rule.owner, _INDENT),
        *wrapped("  性质    ", f"{page.kind}：{page.kind_said}", _INDENT),
        *wrapped("  依据    ", rule.law, _INDENT),
        *wrapped("  期间    ", page.period, _INDENT),
    ]
    if rule.finding:
        lines += wrapped("  对象    ", page.subject, _INDENT)
    if page.pairs:
        lines += wrapped("  比对    ", page.pairs, _INDENT)
    if rule.only_confirmed:
        lines += wrapped("  参数    ", "只用已对照正式文件核实的值；没有核实的地区不判断", _INDENT)
    if page.unconfirmed:
        lines += wrapped("  待核    ", f"本{kind}有 {page.unconfirmed} 处写明“待核”，以正式文件为准", _INDENT)
    lines += wrapped("  版本    ", page.version, _INDENT)
    return lines


def _numbered(conditions: Sequence[Condition]) -> Iterator[str]:
    for n, condition in enumerate(conditions, 1):
        lead = f"  {n}. "
        law = f"（依据：{condition.law}）" if condition.law else ""
        yield from wrapped(lead, f"{condition.say}。{law}〔{condition.id}〕", len(lead))


def _who(page: RulePage) -> Iterator[str]:
    if page.rule.benefit:
        yield "  0. 持有有效的残疾人证，且不在死亡名单上。（各项待遇都有这一条）"
    yield from _numbered(page.who)


def _except(page: RulePage) -> Iterator[str]:
    yield from _numbered(page.excluded)


def _received(page: RulePage) -> Iterator[str]:
    if page.received:
        yield from wrapped("  ", f"看到“{page.received}”就算已经享受。", 2)
        if page.rule.question_if_not_due:
            yield from wrapped(
                "  ", "看到已经享受而确定不符合条件的，列为“在领待核”，请人核实，不作停发。", 2
            )


def _amount(page: RulePage) -> Iterator[str]:
    if not page.amount:
        return
    yield f"  {page.amount}"
    for standard in page.standards:
        tiers = "；".join(f"{tier}：{value}" if tier else value for tier, value in standard.tiers)
        yield from wrapped(f"  {standard.region}  ", tiers, 4)
    if not page.standards:
        yield "  该日各地都没有写明标准，金额不明"
    elif not any(standard.region == "全国" for standard in page.standards):
        yield "  没有列出的地区：金额不明"


def _parameters(page: RulePage) -> Iterator[str]:
    for parameter in page.parameters:
        yield f"  {parameter.name}（{parameter.unit}）" + (f"  {parameter.law}" if parameter.law else "")
        if not parameter.values:
            yield "    没有写明任何值"
        else:
            yield from _history(parameter)


def _history(parameter: ParameterPage) -> Iterator[str]:
    rows = [(("* " if v.in_force else "  ") + v.region, v.since, v.value) for v in parameter.values]
    regions = [v.region for v in parameter.values]
    for n, (line, value) in enumerate(zip(columns(rows, numbers_from=2), parameter.values, strict=True)):
        yield f"    {line}"
        last_of_region = n + 1 == len(regions) or regions[n + 1] != regions[n]
        if last_of_region and value.law:
            yield from wrapped("        依据：", value.law, 14)


def _not_checked(page: RulePage) -> Iterator[str]:
    for words in page.rule.not_checked:
        yield from wrapped("  · ", words, 4)


def _needs(page: RulePage) -> Iterator[str]:
    parts: dict[str, list[Need]] = {}
    for need in page.needs:
        parts.setdefault(need.part, []).append(need)
    for part, some in parts.items():
        yield f"  {part}"
        for need in some:
            lead = f"    {need.fact}  ←  {need.department}《{need.title}》  "
            yield from wrapped(lead, need.unknown, 6)


def _cases(page: RulePage) -> Iterator[str]:
    for n, case in enumerate(page.cases, 1):
        lead = f"  {n}. "
        given = f"已知：{case.given}；其余未知。" if case.given else "什么都不知道。"
        yield from wrapped(lead, f"{case.name}。〔{case.place}〕{given}", len(lead))
        yield from wrapped("     → ", case.answer, 7)
