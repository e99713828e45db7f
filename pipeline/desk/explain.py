"""`reconcile explain`: everything the last night knew of one person, and why each rule answered as it did.

Of people on no register there is a page where the night found something of them (explain_outside.py).
"""

from __future__ import annotations

import polars as pl

from pipeline.contracts.register_findings import REGISTER_FINDINGS
from pipeline.contracts.rule import load_rules
from pipeline.contracts.tables import CASES
from pipeline.desk.case_words import Titles
from pipeline.desk.explain_again import recompute
from pipeline.desk.explain_answers import outcome_words, rules_section, why_not
from pipeline.desk.explain_ask import find_people, named, read_number
from pipeline.desk.explain_night import LastNight, NightFolders, last_night
from pipeline.desk.explain_outside import outside_page, outside_why_not, read_outsider
from pipeline.desk.explain_page import facts_section, head, rows_section, silent_lists
from pipeline.desk.explain_person import Person, read_person
from pipeline.desk.explain_rows import rows_of
from pipeline.desk.explain_rules import Answer, answers, findings_of, person_facts
from pipeline.desk.explain_text import Voice, padded, plain, wrapped

_NOT_WHOLE = "注意：那次比对有读不了的行，重算时不知其内容，个别“存疑”可能少算；以 results/ 中的结论为准。"
_RUN_AGAIN = (
    "注意：规则、数据说明或程序在那次比对之后有改动，下列结论与当时写出的不同（重新运行后以新结果为准）："
)


def explain(
    who: str,
    folders: NightFolders,
    *,
    benefit: str = "",
    full_ids: bool = False,
) -> str:
    """The page. `who`: identity, certificate or case number; `benefit`: only this rule, by code or title (why not).

    Raises ReconcileError E530-E532 (whom), E533/E534 (no night to explain), E535 (no such rule).
    """
    cases, voice = _cases(folders), Voice(full_ids)
    asked = read_number(who, cases)
    with last_night(folders) as night:
        outsider = read_outsider(night.con, asked)
        if outsider:
            titles = Titles(load_rules(folders.rules))
            if benefit:
                return "\n".join(outside_why_not(night, outsider, benefit, voice, titles))
            return "\n".join(outside_page(night, outsider, cases, folders.state, voice, titles))
        numbers = find_people(night.con, asked)
        people = sorted((read_person(night.con, n) for n in numbers), key=lambda p: (p.superseded, p.number))
        recompute(night, numbers)
        pages = [_page(night, person, voice, benefit) for person in people]
        notes = [] if night.whole else wrapped("", _NOT_WHOLE, 0)
        return "\n".join([*notes, f"\n\n{'─' * 60}\n\n".join(pages)])


def _cases(folders: NightFolders) -> pl.DataFrame:
    """The case ledger, empty where there is none yet."""
    path = folders.results / "cases.parquet"
    return pl.read_parquet(path) if path.is_file() else pl.DataFrame(schema=CASES)


def _page(night: LastNight, person: Person, voice: Voice, benefit: str) -> str:
    lines = head(night, person, voice)
    facts = person_facts(night, person)
    said = answers(night, person) if facts is not None else []
    lines += [*_summary(night, person, said), *_changed(night, person, said)]
    if benefit and facts is not None:
        answer = named(benefit, {name: one for one in said for name in (one.rule.rule.code, one.title)})
        lines += ["", *why_not(night, person, answer, voice), *_evidence(night, person, answer, voice)]
        return "\n".join(lines)
    rows = rows_of(night, person)
    lines += ["", "一、名单中的记录", *rows_section(night, rows, voice)]
    lines += ["没有此人的名单", *silent_lists(night, person, rows)]
    if facts is None:
        return "\n".join(lines)
    lines += ["", "二、事实", *facts_section(night, person, facts, voice)]
    lines += ["", "三、规则（✓ 成立  ✗ 不成立  ? 未知）", *rules_section(night, said, voice)]
    return "\n".join(lines)


def _summary(night: LastNight, person: Person, said: list[Answer]) -> list[str]:
    """What came out, in a few lines: benefits by outcome, then what is wrong in the register itself."""
    by_outcome: dict[str, list[str]] = {}
    for answer in said:
        if answer.outcome not in ("not_due", "not_found"):
            by_outcome.setdefault(outcome_words(answer.outcome), []).append(answer.title)
    lines = []
    for words, titles in by_outcome.items():
        lines += wrapped(f"  {padded(words, 12)}", "、".join(titles), 14)
    for code, reason in findings_of(night, person).items():
        if code in REGISTER_FINDINGS:
            lines += wrapped(f"  {padded('名册核查', 12)}", plain(reason), 14)
    return lines


def _evidence(night: LastNight, person: Person, answer: Answer, voice: Voice) -> list[str]:
    """The rows of the lists that the rule's facts come from."""
    lists = {night.facts[name].dataset.dataset for name in answer.rule.facts}
    rows = [row for row in rows_of(night, person) if row.dataset in lists]
    return ["", "有关名单中的记录", *rows_section(night, rows, voice)]


_WROTE = """
select benefit, outcome from night_outcomes
where certificate_number = $certificate and id_number is not distinct from $id and name is not distinct from $name"""


def _changed(night: LastNight, person: Person, said: list[Answer]) -> list[str]:
    """A warning where the answers of today's rules are not those that the night wrote."""
    asked = {"certificate": person.certificate_number, "id": person.id_number, "name": person.name}
    wrote = dict(night.con.execute(_WROTE, asked).fetchall())
    told = [
        f"{answer.title} 当时“{outcome_words(then)}”"
        for answer in said
        for then in [wrote.get(answer.rule.rule.benefit, "not_due")]
        if answer.rule.rule.benefit and then != answer.outcome
    ]
    return wrapped("", _RUN_AGAIN + "；".join(told), 0) if told else []
