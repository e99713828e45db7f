"""跟踪落实: what has become of the cases, county by county (handbook G, "Reporting up").

Everything counts since the ledger began, as of the night, and stands in the ledger's own states:

- 发现: every case. It is exactly one of 已落实, 关闭, 不属实 and 未结.
- 下发: sent at least once, or answered (then it has reached the county, on whatever way).
- 反馈: answered. 属实: answered 属实 or 部分属实.
- 已落实: settled by data, not by word. 关闭: the person is no longer concerned (not due any more, gone, no such rule).
- 不属实: the county gave a reason why it is none, and nothing has changed since; it is not asked again.
- 未结: all other. 超期: sent, due, and no answer. 不能判断: of the open ones those that want a list tonight.
- 落实率 = 已落实 ÷ 应落实, both of what was 下发. 应落实 leaves out 关闭, 不属实 and what nobody can judge tonight: a county
  is not ranked by another office's missing list. Who does not answer gains nothing: unanswered cases stay in it.

Leads and programmes with limited places are lines of their own: a lead is no gap, and a place is a queue.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

import polars as pl

from pipeline.reports.night import NightForReports
from pipeline.reports.safe_text import csv_cell

MAIN, QUOTA, LEAD = "权益和核查", "项目类", "线索"
NATURES = (MAIN, QUOTA, LEAD)
_OF_STRENGTH = {"quota": QUOTA, "lead": LEAD}
AGES = (("0至30天", 0, 30), ("31至60天", 31, 60), ("61至90天", 61, 90), ("90天以上", 91, 10**6))
_CONFIRMED = ("属实", "部分属实")


@dataclass(frozen=True)
class Counts:
    """Cases; the fields are the columns of the report, see above. `ages` follow AGES."""

    found: int = 0
    sent: int = 0
    answered: int = 0
    confirmed: int = 0
    settled: int = 0
    closed: int = 0
    refuted: int = 0
    open: int = 0
    unjudged: int = 0
    held: int = 0
    overdue: int = 0
    again: int = 0
    due: int = 0  # 应落实
    done: int = 0  # of these settled
    age_30: int = 0
    age_60: int = 0
    age_90: int = 0
    age_more: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    @property
    def rate(self) -> float | None:
        """落实率; None where nothing had to be done."""
        return self.done / self.due if self.due else None

    @property
    def ages(self) -> tuple[int, ...]:
        return self.age_30, self.age_60, self.age_90, self.age_more


@dataclass(frozen=True)
class CountyFollowUp:
    """One county (or all: code "") and nature. `yuan`: a month, missed tonight; None where nobody has said how much.

    `new`, `reopened`: of this night."""

    code: str
    name: str
    nature: str
    counts: Counts
    yuan: float | None = None
    new: int = 0
    reopened: int = 0


_HEADS = (
    "名次", "县代码", "县(市、区)", "性质", "发现", "下发", "反馈", "属实", "已落实", "关闭", "不属实", "未结", "不能判断", "待批准下发",
    "超期", "复核", "应落实", "其中已落实", "落实率",
    *(f"未结{words}" for words, _, _ in AGES), "涉及金额（元/月）", "本期新增", "本期重开",
)  # fmt: skip


def follow_up(night: NightForReports, flow: pl.DataFrame) -> list[CountyFollowUp]:
    """Every county × nature, counties in the order of their codes. `flow`: what the nights did (`cases.case_flow`)."""
    counts = _counted(night)
    yuan, moved = _yuan(night), _moved(night, flow)
    codes = sorted({*night.reported_counties(), *(county for county, _ in counts)})
    return [
        CountyFollowUp(
            code,
            night.county_name(code),
            nature,
            counts.get((code, nature), Counts()),
            yuan.get((code, nature)),
            *moved.get((code, nature), (0, 0)),
        )
        for code in codes
        for nature in NATURES
    ]


def ranking(lines: Iterable[CountyFollowUp]) -> list[tuple[int | None, CountyFollowUp]]:
    """通报: the counties' main lines by 落实率, the highest first, then by fewer 超期; equals share a place, who had
    nothing to do has none and stands last."""
    main = [line for line in lines if line.nature == MAIN]
    ordered = sorted(main, key=lambda line: (*_standing(line), line.code))
    places: list[tuple[int | None, CountyFollowUp]] = []
    for number, line in enumerate(ordered, start=1):
        same = bool(places) and _standing(places[-1][1]) == _standing(line)
        place = places[-1][0] if same else number
        places.append((place if line.counts.rate is not None else None, line))
    return places


def total(lines: Iterable[CountyFollowUp], nature: str) -> CountyFollowUp:
    """All counties' lines of one nature as one."""
    own = [line for line in lines if line.nature == nature]
    known = [line.yuan for line in own if line.yuan is not None]
    return CountyFollowUp(
        "",
        "合计",
        nature,
        sum((line.counts for line in own), Counts()),
        sum(known) if known else None,
        sum(line.new for line in own),
        sum(line.reopened for line in own),
    )


def write_follow_up(night: NightForReports, flow: pl.DataFrame, out: Path) -> Path:
    """Writes `out/follow_up.csv` (UTF-8 with BOM, CRLF): the ranked counties, their total, then programmes and leads.

    Counts only, nobody's name or number. Small counts are not hidden, as they are in needs.csv: this goes to the offices
    that hold the cases themselves, and may not leave them.
    """
    lines = follow_up(night, flow)
    told = [(str(place or ""), line) for place, line in ranking(lines)] + [("", total(lines, MAIN))]
    for nature in (QUOTA, LEAD):
        told += [("", line) for line in lines if line.nature == nature] + [("", total(lines, nature))]
    table = pl.DataFrame(
        [_cells(*one) for one in told], schema=dict.fromkeys(_HEADS, pl.String), orient="row"
    )
    path = out / "follow_up.csv"
    out.mkdir(parents=True, exist_ok=True)
    table.with_columns(csv_cell(pl.col("县(市、区)")).alias("县(市、区)")).write_csv(
        path, include_bom=True, line_terminator="\r\n"
    )
    return path


def nature_of(night: NightForReports, subject: str) -> str:
    """Findings, and subjects that no rule knows any more, count with what is due by right."""
    rule = night.rules.get(subject)
    return _OF_STRENGTH.get(rule.strength, MAIN) if rule else MAIN


def _standing(line: CountyFollowUp) -> tuple[bool, float, int]:
    rate = line.counts.rate
    return rate is None, -(rate or 0.0), line.counts.overdue


def _natures(night: NightForReports, subject: pl.Expr) -> pl.Expr:
    known = {code: nature_of(night, code) for code in night.rules}
    return subject.replace_strict(known, default=MAIN, return_dtype=pl.String)


def _counted(night: NightForReports) -> dict[tuple[str, str], Counts]:
    """(county, nature) → Counts, in the order of the fields."""
    state, result = pl.col("state"), pl.col("result").fill_null("")
    answered = pl.col("answered_on").is_not_null()
    sent = (pl.col("times_sent") > 0) | answered
    settled, closed = state == "settled", state == "closed"
    refuted = pl.col("suppressed") & ~(settled | closed)
    is_open = ~(settled | closed | refuted)
    due = sent & (settled | (is_open & pl.col("judged")))
    ages = [is_open & pl.col("days_open").is_between(least, most) for _, least, most in AGES]
    masks = (
        pl.lit(True), sent, answered, answered & result.is_in(_CONFIRMED), settled, closed, refuted, is_open,
        is_open & ~pl.col("judged"), is_open & pl.col("held"), pl.col("overdue"), is_open & pl.col("again"),
        due, sent & settled, *ages,
    )  # fmt: skip
    marked = night.cases.select(
        "county_code",
        _natures(night, pl.col("subject")).alias("nature"),
        *(mask.alias(field.name) for field, mask in zip(fields(Counts), masks, strict=True)),
    )
    summed = marked.group_by("county_code", "nature").agg(pl.col(f.name).sum() for f in fields(Counts))
    return {(county, nature): Counts(*numbers) for county, nature, *numbers in summed.iter_rows()}


def _yuan(night: NightForReports) -> dict[tuple[str, str], float]:
    """Yuan a month that tonight's people miss for certain, by county and nature."""
    if "yuan_a_month" not in night.outcomes.columns:
        return {}
    missed = night.outcomes.filter(
        (pl.col("outcome") == "missing")
        & pl.col("yuan_a_month").is_not_null()
        & pl.col("county_code").is_not_null()
    ).with_columns(_natures(night, pl.col("benefit")).alias("nature"))
    summed = missed.group_by("county_code", "nature").agg(pl.col("yuan_a_month").sum())
    return {(county, nature): yuan for county, nature, yuan in summed.iter_rows()}


def _moved(night: NightForReports, flow: pl.DataFrame) -> dict[tuple[str, str], tuple[int, int]]:
    """(county, nature) → cases new and come back tonight."""
    tonight = flow.filter(pl.col("night") == night.as_of)
    natures = tonight.with_columns(_natures(night, pl.col("subject")).alias("nature"))
    summed = natures.group_by("county_code", "nature").agg(pl.col("new", "reopened").sum())
    return {(county, nature): (new, again) for county, nature, new, again in summed.iter_rows()}


def _cells(place: str, line: CountyFollowUp) -> tuple[str, ...]:
    c = line.counts
    numbers = (
        c.found, c.sent, c.answered, c.confirmed, c.settled, c.closed, c.refuted, c.open, c.unjudged, c.held,
        c.overdue, c.again, c.due, c.done,
    )  # fmt: skip
    return (
        place,
        line.code,
        line.name,
        line.nature,
        *map(str, numbers),
        f"{c.rate:.1%}" if c.rate is not None else "",
        *map(str, c.ages),
        f"{line.yuan:.0f}" if line.yuan is not None else "",
        str(line.new),
        str(line.reopened),
    )
