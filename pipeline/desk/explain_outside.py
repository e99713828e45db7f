"""`reconcile explain` of somebody on no register of whom the last night found something: the finding, the rows it rests on, its cases.

Only such people: of who is on no register and in no finding nothing is shown, though lists of the whole prefecture hold him.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from pipeline.cases.case_state import read_book
from pipeline.cases.ledger import open_ledger
from pipeline.cases.places import Places
from pipeline.desk.case_list import case_lines
from pipeline.desk.case_words import Titles
from pipeline.desk.explain_again import OWN
from pipeline.desk.explain_answers import outcome_words
from pipeline.desk.explain_ask import Asked, named
from pipeline.desk.explain_night import LastNight
from pipeline.desk.explain_page import coverage_words, rows_section
from pipeline.desk.explain_rows import FoundRow, with_contents
from pipeline.desk.explain_text import Voice, plain, wrapped
from pipeline.entitlement.compile import CompiledRule
from pipeline.identity.region import county_name
from pipeline.matching.store import keep

_ONLY_REGISTERED = (
    "此项只对持证残疾人名册上的人判断，而名册上没有此人；办证后名册重新报送，再比对一次才有结论"
)

_BODY = 18  # of a certificate number: the identity number in it


@dataclass(frozen=True)
class Outsider:
    """Somebody who is on no register. `findings`: code and sentence of what the night found, in the codes' order."""

    id_number: str
    name: str
    county_code: str
    findings: Mapping[str, str]


_FOUND = """
select coalesce(f.name, ''), coalesce(f.county_code, ''), f.finding, f.reason
from night_findings as f
left join (select distinct number from every_key) as k on k.number = f.id_number
where f.certificate_number is null and f.id_number = $id and k.number is null
order by f.finding, f.county_code, f.name, f.reason"""


def read_outsider(con: duckdb.DuckDBPyConnection, asked: Asked) -> Outsider | None:
    """Whom the number means outside the register; None where the night found nothing of such a person."""
    number = asked.id_number or (asked.certificate_number or "")[:_BODY]
    found = con.execute(_FOUND, {"id": number}).fetchall()
    if not found:
        return None
    name, county, *_ = found[0]
    return Outsider(number, name, county, {code: reason for *_, code, reason in reversed(found)})


def outside_page(
    night: LastNight, outsider: Outsider, cases: pl.DataFrame, state: Path, voice: Voice, titles: Titles
) -> list[str]:
    """Everything about the person: findings with their rows, then the cases and what happened to them."""
    found = _found(night, outsider)
    lines = [*_head(night, outsider, voice), "", "一、核查事项"]
    for code in sorted(outsider.findings):
        lines += _finding(code, outsider, found.get(code), titles)
    lines += ["", "二、所依据的名单中的记录", *_evidence(night, outsider, list(found.values()), voice)]
    history = list(_history(outsider, cases, state, titles))
    return [*lines, "", "三、疑点和经过", *history] if history else lines


def outside_why_not(
    night: LastNight, outsider: Outsider, benefit: str, voice: Voice, titles: Titles
) -> list[str]:
    """One rule only, by code or title. Raises ReconcileError E535 where there is none."""
    rules = [*night.rules, *night.outside]
    compiled = named(benefit, {name: c for c in rules for name in (c.rule.code, c.rule.title)})
    code, lines = compiled.rule.code, _head(night, outsider, voice)
    if compiled.rule.subject == "register":
        return [*lines, "", *wrapped(f"{compiled.rule.title}（{code}）  ", _ONLY_REGISTERED, 4)]
    told = _finding(code, outsider, compiled, titles)
    return [*lines, "", *told, "", "有关名单中的记录", *_evidence(night, outsider, [compiled], voice)]


def _found(night: LastNight, outsider: Outsider) -> dict[str, CompiledRule]:
    """The rules of what was found, by code; one that is not there any more is left out."""
    return {c.rule.code: c for c in night.outside if c.rule.code in outsider.findings}


def _head(night: LastNight, outsider: Outsider, voice: Voice) -> list[str]:
    code = outsider.county_code
    register = next(d for d in night.datasets.values() if d.role == "register")
    silent = f"《{register.title}》{coverage_words(night, register.dataset, code)}"
    return [
        f"{voice.text(outsider.name or '（无姓名）')}    {night.region} {county_name(code) or ''} {code}    比对日期 {night.as_of}",
        f"  身份证号    {voice.number(outsider.id_number)}",
        *wrapped("  名册        ", silent, 14),
        *wrapped("  能否比对    ", "没有残疾人证，不判断各项待遇；只有下列核查事项是关于名册以外的人的", 14),
    ]


def _finding(code: str, outsider: Outsider, compiled: CompiledRule | None, titles: Titles) -> list[str]:
    """Title, the night's sentence, and what the rule leaves to a look at the person."""
    outcome = outcome_words("found" if code in outsider.findings else "not_found")
    lines = wrapped(f"{titles.subject(code)}（{code}）  → ", outcome, 4)
    if code in outsider.findings:
        lines += wrapped("    ", plain(outsider.findings[code]), 4)
    for note in compiled.rule.not_checked if compiled else ():
        lines += wrapped("    未核对  ", note, 12)
    return lines


def _evidence(night: LastNight, outsider: Outsider, rules: list[CompiledRule], voice: Voice) -> list[str]:
    """The person's rows in the lists that the rules ask, and which of these lists are silent."""
    lists = sorted({key for c in rules for key in _lists(night, c)})
    rows = _rows(night, outsider, lists)
    there = {row.dataset for row in rows}
    lines = rows_section(night, rows, voice)
    silent = [key for key in lists if key not in there]
    if silent:
        lines.append("没有此人的名单")
    for key in silent:
        words = coverage_words(night, key, outsider.county_code)
        lines += wrapped("  ", f"{words}：《{night.datasets[key].title}》", 4)
    return lines


def _lists(night: LastNight, compiled: CompiledRule) -> set[str]:
    """The list whose people the rule is about, and those that its facts come from."""
    return {compiled.rule.list, *(night.facts[name].dataset.dataset for name in compiled.facts)}


def _rows(night: LastNight, outsider: Outsider, lists: list[str]) -> list[FoundRow]:
    """The rows that bear the number in the column by which the finding knows its people."""
    with_number = [night.datasets[key] for key in lists if night.datasets[key].person.id]
    found: list[FoundRow] = []
    for dataset in with_number:
        query = f"""select l.source_file, l.sheet, l.source_row from list_{dataset.table} as l
where l.{dataset.person.id} = $id order by l.source_file, l.sheet, l.source_row"""
        places = night.con.execute(query, {"id": outsider.id_number}).fetchall()
        found += [
            FoundRow(OWN, dataset.dataset, file, sheet, row, "id", None, None, "none")
            for file, sheet, row in places
        ]
    columns = {"dataset": pl.String, "source_file": pl.String, "sheet": pl.String, "source_row": pl.Int64}
    keep(night.con, "places", pl.DataFrame([row.place for row in found], schema=columns, orient="row"))
    return [row for dataset in with_number for row in with_contents(night, dataset.dataset, found)]


def _history(outsider: Outsider, cases: pl.DataFrame, state: Path, titles: Titles) -> Iterator[str]:
    """The person's cases by number, each with its state and its events; nothing where there is no ledger yet."""
    mine = cases.filter(pl.col("certificate_number").is_null(), pl.col("id_number") == outsider.id_number)
    if mine.is_empty() or not Places(state).was_there():
        return
    with open_ledger(state) as ledger:
        book = read_book(ledger.events())
        for number in sorted(mine["case_number"]):
            if number in book.cases:
                yield from case_lines(ledger, book, titles, book.cases[number])
