"""The page of `reconcile explain`: who it is, every row, the facts; the rules stand in explain_answers.py."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

from pipeline.contracts.dataset import Dataset
from pipeline.desk import explain_again as found
from pipeline.desk.explain_night import LastNight
from pipeline.desk.explain_person import Person
from pipeline.desk.explain_rows import FoundRow
from pipeline.desk.explain_text import Voice, wrapped
from pipeline.entitlement.facts import Fact
from pipeline.identity.region import county_name
from pipeline.matching.fellegi_sunter import UNKNOWN
from pipeline.reports.methods import FIELDS, denial_words, level_words, method_words
from pipeline.reports.quality_page import KIND_WORDS

_LEVELS = {1: "一级", 2: "二级", 3: "三级", 4: "四级"}
_STATUS = {"missing": "没有收到", "quarantined": "未通过检查", "stale": "已过期"}
_KINDS = {
    found.LINKED: "已连接",
    found.FAMILY: "家庭连接",
    found.DOUBTFUL: "存疑待复核",
    found.SEVERAL: "存疑",
    found.UNREADABLE: "存疑",
    found.DENIED: "号码相同，未连接",
    found.SIMILAR: "相似，不认为是此人",
    found.OWN: "本人的记录",
}


def head(night: LastNight, person: Person, voice: Voice) -> list[str]:
    """Who it is, as the register says, and whether lists can name him."""
    level = _LEVELS.get(person.level or 0, "等级不明")
    county = county_name(person.county_code) or ""
    register = next(d for d in night.datasets.values() if d.role == "register")
    lines = [
        f"{voice.text(person.name or '（无姓名）')}    {night.region} {county} {person.county_code}    比对日期 {night.as_of}",
        f"  身份证号    {voice.number(person.id_number)}",
        f"  残疾人证号  {voice.number(person.certificate_number)}",
        f"  残疾人证    {person.category or '类别不明'} {level}，状态 {person.state or '不明'}，"
        f"有效期至 {voice.value(person.valid_until) if person.valid_until else '不明'}",
        *wrapped(
            "  名册        ",
            f"《{register.title}》{place_words(person.source_file, person.sheet, person.source_row, voice)}",
            14,
        ),
    ]
    return lines + wrapped("  能否比对    ", _comparable(person, voice), 14)


def _comparable(person: Person, voice: Voice) -> str:
    others = "、".join(voice.number(number) for number in person.others)
    if person.superseded:
        return f"此证不单独比对：同一人另有证 {'、'.join(map(voice.number, person.replaced_by))}，以那张为准，请查那一张"
    if not person.matchable:
        return "不能：名册上的身份证号和残疾人证号都不能使用，任何名单都无法按号码找到此人，请先更正名册"
    damaged = "身份证号不合规，以残疾人证号的前18位比对" if person.id_problem else "号码有效"
    return f"能：{damaged}" + (f"；名册上另有证用同一号码：{others}" if others else "")


def place_words(file: str, sheet: str | None, row: int, voice: Voice) -> str:
    """Where a record stands: file, sheet, physical row."""
    return f"{voice.text(file)}{f' [{voice.text(sheet)}]' if sheet else ''} 第 {row} 行"


def rows_section(night: LastNight, rows: list[FoundRow], voice: Voice) -> list[str]:
    """Every row found, list by list."""
    lines = []
    for key in dict.fromkeys(row.dataset for row in rows):
        dataset = night.datasets.get(key)
        lines.append(f"《{dataset.title}》" if dataset else key)
        for row in rows:
            if row.dataset == key:
                lines += _row(night, dataset, row, voice)
    return lines or ["没有一份名单里有此人的记录"]


def _row(night: LastNight, dataset: Dataset | None, row: FoundRow, voice: Voice) -> list[str]:
    lines = wrapped("  ", place_words(row.source_file, row.sheet, row.source_row, voice), 4)
    lines += wrapped(f"    {_KINDS[row.kind]}  ", _how(night, row), 6)
    if row.weights:
        lines += wrapped("    权重（位）  ", _weights(row), 16)
    if row.others:
        rivals = "、".join(f"{voice.number(number)}（{_probability(p)}）" for number, p in row.others[:3])
        lines += wrapped("    也可能是  ", rivals, 14)
    if dataset and row.contents:
        lines += wrapped("    写的是  ", _contents(dataset, row, voice), 12)
    return lines


def _how(night: LastNight, row: FoundRow) -> str:
    if row.kind == found.FAMILY:
        through = night.datasets.get(row.why or "")
        doubt = "" if row.decision == "linked" else "，存疑"
        return f"通过{f'《{through.title}》' if through else row.why}的同一家庭{doubt}"
    if row.why:
        return denial_words(row.why)
    return method_words(row.method or "") + (
        f"，概率 {_probability(row.probability)}" if row.probability else ""
    )


def _probability(probability: float) -> str:
    """Four decimals, and never 1 where it is less."""
    return ">0.9999" if 0.99995 <= probability < 1 else f"{probability:.4f}"


def _weights(row: FoundRow) -> str:
    """The waterfall in one line: the prior, then what each field adds; what could not be compared adds nothing."""
    told = [w for w in row.weights if w.level != UNKNOWN]
    parts = [
        f"{FIELDS.get(w.field, '比对之前')} {w.bits:+.1f}{f'（{level_words(w.field, w.level)}）' if w.level else ''}"
        for w in told
    ]
    return f"{'，'.join(parts)}；合计 {sum(w.bits for w in row.weights):+.1f}"


def _contents(dataset: Dataset, row: FoundRow, voice: Voice) -> str:
    said = []
    for name, value in row.contents:
        field = dataset.fields.get(name)
        if value is None:
            continue
        if field is None:
            said.append(f"号码不能用：{KIND_WORDS.get(str(value), value)}")
        elif field.type == "amount" and isinstance(value, int):
            said.append(f"{field.title} {_yuan(value)}")
        elif field.type == "month" and isinstance(value, date):
            said.append(f"{field.title} {value:%Y-%m}")
        elif field.type in ("id", "certificate"):
            said.append(f"{field.title} {voice.number(str(value))}")
        else:
            said.append(f"{field.title} {voice.value(value)}")
    return " · ".join(said)


def _yuan(fen: int) -> str:
    return f"{fen / 100:,.2f}元"


def fact_words(fact: Fact, value: object, voice: Voice) -> str:
    """A fact and its value, e.g. 低保=是; sums of money are kept in fen."""
    money = fact.kind == "sum" and fact.dataset.fields[fact.field].type == "amount" and isinstance(value, int)
    return f"{fact.name}={_yuan(int(str(value))) if money else voice.value(value)}"


def silent_lists(night: LastNight, person: Person, rows: list[FoundRow]) -> list[str]:
    """Lists without a row of the person, and whether their silence says anything: only where they were accepted."""
    with_rows = {row.dataset for row in rows if row.kind not in (found.DENIED, found.SIMILAR)}
    said: dict[str, list[str]] = {}
    for key, dataset in night.datasets.items():
        if key not in with_rows and dataset.role != "register":
            words = coverage_words(night, key, person.county_code)
            said.setdefault(words, []).append(f"《{dataset.title}》")
    lines = []
    for words, titles in said.items():
        lines += wrapped("  ", f"{words}：{''.join(titles)}", 4)
    return lines


def coverage_words(night: LastNight, dataset: str, county: str) -> str:
    """Whether the list was accepted for the county, and if not why."""
    here = night.coverage.filter((pl.col("dataset") == dataset) & (pl.col("county_code") == county))
    if here.is_empty():
        return "没有收到"
    row = here.row(0, named=True)
    if row["status"] == "accepted":
        return f"已采用（{row['snapshot_date']}），其中没有此人"
    return f"未采用：{row['why'] or _STATUS.get(row['status'], row['status'])}"


def facts_section(night: LastNight, person: Person, facts: Mapping[str, object], voice: Voice) -> list[str]:
    """The facts as computed, by list; of the unknown ones why."""
    by_list: dict[str, list[str]] = {}
    for name in facts:
        if name in night.facts:
            by_list.setdefault(night.facts[name].dataset.dataset, []).append(name)
    lines = []
    for key in sorted(by_list, key=lambda k: (night.datasets[k].role != "register", k)):
        said = "，".join(fact_words(night.facts[name], facts[name], voice) for name in by_list[key])
        lines += wrapped("  ", f"《{night.datasets[key].title}》{said}", 4)
        reasons: dict[str, list[str]] = {}
        for name in by_list[key]:
            if facts[name] is None:
                reasons.setdefault(why_unknown(night, person, night.facts[name]), []).append(name)
        for why, names in reasons.items():
            lines += wrapped("      ", f"{'、'.join(names)} 未知：{why}", 8)
    return lines


def why_unknown(night: LastNight, person: Person, fact: Fact) -> str:
    """Where the unknown comes from (docs/architecture.md, "Facts, rules, outcomes")."""
    if fact.dataset.role == "register":
        return "名册上没有写明或写法不认识"
    rosters = [
        d for d in night.datasets.values() if d.household is not None and d.household.family is not None
    ]
    for dataset in [fact.dataset, *(rosters if fact.spec.of_household else [])]:
        here = (pl.col("dataset") == dataset.dataset) & (pl.col("county_code") == person.county_code)
        if night.coverage.filter(here & (pl.col("status") == "accepted")).is_empty():
            return f"本县没有可用的《{dataset.title}》"
    if not person.matchable:
        return "本人号码有误，无法比对"
    doubtful = (
        "select 1 from places where person = $person and dataset = $dataset and decision = 'review' limit 1"
    )
    asked = {"person": person.number, "dataset": fact.dataset.dataset}
    if night.con.execute(doubtful, asked).fetchall():
        return "有记录存疑"
    return "名单上没有写明或写法不认识"
