"""Two nights compared, as the analyst reads it in the terminal; and the same counts as a CSV. Nobody's name or number."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import polars as pl

from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.desk.diff_nights import CAUSES, Movement, NightsDiff, diff_nights
from pipeline.desk.explain_text import columns, wrapped
from pipeline.reports.night import STATUS_WORDS
from pipeline.reports.safe_text import no_formula

WORDS = {
    "register": "持证人增减",
    "list": "名册缺失或恢复",
    "rule": "规则改动",
    "data": "名册更新（含到期满龄）",
    "code": "程序或名册格式更新",
    "time": "日期推移或人工判定",
}
_MOST = 40  # lines on the screen; the CSV has all


def diff_page(state: Path, first: date, second: date, csv: Path | None = None) -> str:
    """The page; also writes the CSV where asked for. Raises ReconcileError E740, E741, E742 (the CSV cannot be written)."""
    diff = diff_nights(state, first, second)
    if csv is None:
        return page(diff)
    _write_csv(diff, csv)
    return f"{page(diff)}\n全部增减已写入 {csv}"


def page(diff: NightsDiff) -> str:
    """What changed in the surroundings, then the movements with their causes, the biggest first."""
    before, after = (sum(getattr(m, side) for m in diff.movements) for side in ("before", "after"))
    lines = [f"{diff.before.as_of} → {diff.after.as_of}　应享未享和核查事项", "", *_surroundings(diff), ""]
    if not diff.movements:
        return "\n".join([*lines, "两次的数目和人都相同。"])
    used = [c for c in CAUSES if any(m.came[c] or m.went[c] for m in diff.movements)]
    head = ["事项", "县(市、区)", "前", "后", "增减", *(WORDS[cause] for cause in used)]
    shown = diff.movements[:_MOST]
    rows = [_row(diff, m, used) for m in shown]
    came, went = (_summed([getattr(m, way) for m in diff.movements]) for way in ("came", "went"))
    rows.append(
        ["有增减的合计", "", f"{before:,}", f"{after:,}", _signed(after - before), *_cells(came, went, used)]
    )
    lines += columns([head, *rows], numbers_from=2)
    if len(diff.movements) > _MOST:
        lines.append(f"另有 {len(diff.movements) - _MOST} 行，加 --csv 文件名 可全部写出。")
    return "\n".join(lines)


_PROGRAMS = {"schemas": "名册格式（schemas）"}


def _surroundings(diff: NightsDiff) -> list[str]:
    """One line each: lists, rules, programs."""
    names = {**diff.before.lists, **diff.after.lists}
    counties = {**diff.before.counties, **diff.after.counties}
    lists = [
        f"{names.get(c.dataset, c.dataset)}（{'、'.join(counties.get(one, one) for one in c.counties)}）"
        f"{_status(c.before)}→{_status(c.after)}"
        for c in diff.lists
    ]
    titles = [_title(diff, code) for code in diff.rules]
    programs = [f"{_PROGRAMS.get(name, name)} {was}→{now}" for name, was, now in diff.programs]
    news = "、".join(names.get(one, one) for one in diff.renewed)
    renewed = f"{len(diff.renewed)} 种名册的内容有更新（{news}）" if diff.renewed else "内容没有更新"
    lines = wrapped("名册：", "；".join([*lists, renewed]) + "。", 6)
    lines += wrapped("规则：", "、".join(titles) + " 有改动。" if titles else "没有改动。", 6)
    lines += wrapped("程序：", "；".join(programs) + "。" if programs else "没有更新。", 6)
    if programs and diff.renewed:
        lines.append("      名册内容也有更新，归入“名册更新”的也可能有程序更新的原因。")
    return lines


def _status(status: str) -> str:
    return STATUS_WORDS.get(status, "不需要")


def _title(diff: NightsDiff, code: str) -> str:
    known = diff.after.subjects.get(code) or diff.before.subjects.get(code)
    return known.title if known else code


def _county(diff: NightsDiff, code: str) -> str:
    return diff.after.counties.get(code) or diff.before.counties.get(code) or code


def _row(diff: NightsDiff, m: Movement, used: list[str]) -> list[str]:
    counts = [f"{m.before:,}", f"{m.after:,}", _signed(m.change)]
    return [
        _title(diff, m.subject),
        _county(diff, m.county),
        *counts,
        *_cells(m.came, m.went, used),
    ]


def _cells(came: Mapping[str, int], went: Mapping[str, int], used: list[str]) -> list[str]:
    """+12 −3: who came and who went."""
    told = ((f"+{came[c]:,}" if came[c] else "", f"−{went[c]:,}" if went[c] else "") for c in used)
    return [" ".join(part for part in both if part) or "·" for both in told]


def _signed(number: int) -> str:
    return f"{number:+,}".replace("-", "−")


def _summed(many: list[Mapping[str, int]]) -> dict[str, int]:
    return {cause: sum(one[cause] for one in many) for cause in CAUSES}


def _write_csv(diff: NightsDiff, path: Path) -> None:
    """One line a movement: counts, and both ways of every cause. UTF-8 with BOM, 0600; an existing file is not overwritten."""
    rows = [
        {
            "事项代码": m.subject,
            "事项": _title(diff, m.subject),
            "县代码": m.county,
            "县(市、区)": _county(diff, m.county),
            "前": m.before,
            "后": m.after,
            "增减": m.change,
            **{
                f"{WORDS[cause]}{sign}": counts[cause]
                for cause in CAUSES
                for sign, counts in (("+", m.came), ("−", m.went))
            },
        }
        for m in diff.movements
    ]
    table = pl.DataFrame(rows, infer_schema_length=None)
    if rows:
        table = table.with_columns(no_formula(pl.col(name)).alias(name) for name in ("事项", "县(市、区)"))
    text = table.write_csv(include_bom=True, line_terminator="\r\n")
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
    except OSError as error:
        why = "文件已经存在，不会覆盖" if isinstance(error, FileExistsError) else "文件夹不存在，或没有写权限"
        problem = Problem("E742", "error", "增减表写不出来", why, "换一个 --csv 文件名", file=path.name)
        raise ReconcileError(problem) from None
