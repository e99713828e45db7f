"""The night on one screen: at most 24 lines of at most 100 columns, a Chinese character counted as two."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from pathlib import Path, PurePosixPath

from pipeline.contracts.problem import Problem
from pipeline.reports import tally
from pipeline.reports.next_steps import by_severity, refused_by_list, refused_words
from pipeline.reports.night import NightForReports

LINES, COLUMNS = 24, 100
_SHOWN = ("missing", "verify", "renew_first", "undetermined")
_COUNTIES, _LISTS, _PROBLEMS = 6, 2, 5


def screen_summary(night: NightForReports, out: Path) -> str:
    """The text, without a line break at its end. Paths are under `out`, named as the caller named it."""
    top = [
        f"{night.region}  {night.as_of.isoformat()}  {_state(night)}",
        f"读入 {night.files_read:,} 个文件、{night.rows_read:,} 行；隔离 {night.rows_quarantined:,} 行",
        *_lists(night),
        *_floods(night),
        "",
        *_counts(night),
    ]
    end = [
        "",
        f"看这里（{_near_end(str(out), 70)} 下）：",
        "  summary.html  全部数字、名册到位情况、数据质量、问题与办法",
        "  reports/<县码>/discrepancies.xlsx  各县清单    results/*.parquet  结果表",
    ]
    lines = [*top, *_problems(night, LINES - len(top) - len(end)), *end]
    return "\n".join(clip(line, COLUMNS).rstrip() for line in lines)


def width(text: str) -> int:
    """Terminal columns: East Asian wide and full-width characters take two, combining ones none."""
    return sum(_columns(character) for character in text)


def clip(text: str, columns: int) -> str:
    """The text, or as much of it as fits with … at the end."""
    if width(text) <= columns:
        return text
    kept, used = "", 0
    for character in text:
        used += _columns(character)
        if used > columns - 2:
            break
        kept += character
    return f"{kept}…"


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    # A (ambiguous: … “ ” ·) is two columns wide in a Chinese terminal.
    return 2 if unicodedata.east_asian_width(character) in "WFA" else 1


def _state(night: NightForReports) -> str:
    if not night.degraded:
        return "正常：名册都已采用"
    held = night.coverage.filter(night.coverage["status"] != "accepted").height
    return f"降级：{held:,} 份（名册×县）未采用，相关的人不作判断"


def _floods(night: NightForReports) -> list[str]:
    """New cases beyond what is usual: they are not sent before somebody has looked."""
    lines = []
    for flood in night.floods[:_LISTS]:
        code = flood.what.removeprefix("rule:")
        name = night.counties.get(code) or night.rule_title(code)
        lines.append(
            f"暂缓  {name}：新增 {flood.new:,}（平常 {flood.usual:,}），核对后放行：reconcile cases release {flood.what} --reason …"
        )
    return lines


def _lists(night: NightForReports) -> list[str]:
    accepted = night.coverage.filter(night.coverage["status"] == "accepted").height
    refused = refused_by_list(night)
    lines = [f"名册 {len(night.datasets)} 种 × {len(night.counties)} 县：{accepted:,} 份已采用"]
    shown = list(refused.items())[:_LISTS]
    lines += [f"  未采用  {night.list_title(key)}：{refused_words(night, where)}" for key, where in shown]
    if len(refused) > _LISTS:
        lines.append(f"  未采用  另有 {len(refused) - _LISTS} 种名册")
    return lines


def _counts(night: NightForReports) -> list[str]:
    """A small table: counties by most missing, the rest summed, then all."""
    findings = tally.findings_by_county(night)
    rows: list[tuple[str, list[int]]] = []
    for county, by_benefit in tally.by_county_and_benefit(night).items():
        whole = tally.added(list(by_benefit.values()), county, "")
        numbers = [*(whole.counts[o] for o in _SHOWN), sum(findings[county].values())]
        rows.append((night.county_name(county), numbers))
    total = _sum(rows)
    if len(rows) > _COUNTIES:
        rows.sort(key=lambda row: (-row[1][0], row[0]))
        kept, rest = rows[: _COUNTIES - 1], rows[_COUNTIES - 1 :]
        rows = [*kept, (f"其余 {len(rest)} 县", _sum(rest))]
    heads = [*(tally.OUTCOME_WORDS[o] for o in _SHOWN), "核查事项"]
    lines = [_row("", heads), *(_row(name, [f"{n:,}" for n in numbers]) for name, numbers in rows)]
    return [*lines, _row("合计", [f"{n:,}" for n in total])] if len(rows) > 1 else lines


def _sum(rows: list[tuple[str, list[int]]]) -> list[int]:
    return [sum(column) for column in zip(*(numbers for _, numbers in rows), strict=True)] or [0] * 5


def _row(name: str, cells: list[str]) -> str:
    first = clip(name, 30)
    return first + " " * (30 - width(first)) + "".join(" " * (12 - width(cell)) + cell for cell in cells)


def _problems(night: NightForReports, room: int) -> list[str]:
    """The worst problems, one of each code, each on as many lines as it needs while there is `room`."""
    if not night.problems:
        return []
    kinds: dict[str, list[Problem]] = {}
    for problem in by_severity(night.problems):
        kinds.setdefault(problem.code, []).append(problem)
    lines = [f"问题 {len(night.problems):,} 个（全部见 summary.html）"]
    for same in list(kinds.values())[:_PROBLEMS]:
        shortest = replace(same[0], file=PurePosixPath(same[0].file).name).line()
        more = f"（同类共 {len(same):,} 处）" if len(same) > 1 else ""
        wrapped = _wrap(shortest + more, COLUMNS - 4)
        if len(lines) + len(wrapped) > room:
            wrapped = [clip(shortest, COLUMNS - 4)]
        lines += [f"  {wrapped[0]}", *(f"    {line}" for line in wrapped[1:])]
    return lines[:room]


def _wrap(text: str, columns: int) -> list[str]:
    """The text in lines of at most `columns` terminal columns."""
    lines, used = [""], 0
    for character in text:
        used += _columns(character)
        if used > columns:
            lines.append("")
            used = _columns(character)
        lines[-1] += character
    return lines


def _near_end(text: str, columns: int) -> str:
    """The end of a long path: its end tells more than its beginning."""
    if width(text) <= columns:
        return text
    while width(text) > columns - 2:
        text = text[1:]
    return f"…{text}"
