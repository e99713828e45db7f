"""What `reconcile tune` says: tables by threshold, calibration, blocking keys, and what another threshold would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from pipeline.desk.explain_text import columns
from pipeline.desk.tune_labels import Labelled
from pipeline.desk.tune_scores import ALL, Bin, Line, wilson
from pipeline.reports.methods import key_words

SOURCES = {
    "judgements": "按复核结论（多取自存疑的对，不是随机样本；括号内为 Wilson 95% 区间）",
    "truth": "按给定的答案文件",
    "none": "没有复核结论，也没有答案文件：只按概率估计",
}


@dataclass(frozen=True)
class InForce:
    """The thresholds of the settings."""

    link: float
    review: float


def threshold_tables(
    labelled: Labelled, lines: Sequence[Line], titles: Mapping[str, str], in_force: InForce
) -> list[str]:
    """One table a list, all lists first. `*` marks the threshold in force."""
    told, quiet = [], []
    for key in dict.fromkeys(line.dataset for line in lines):
        mine = [line for line in lines if line.dataset == key]
        if key != ALL and not any(line.linked or line.matches for line in mine):
            quiet.append(_quiet(titles.get(key, key), mine[0]))
            continue
        told += ["", "全部名单" if key == ALL else f"《{titles.get(key, key)}》"]
        if mine[0].due is not None:
            told.append(_due_words(mine[0]))
        rows = [_heads(labelled), *(_cells(labelled, line, in_force) for line in mine)]
        told += ["  " + line for line in columns(rows)]
    return [*told, *(["", "没有模糊连接的名单", *quiet] if quiet else [])]


def _quiet(title: str, line: Line) -> str:
    due = "" if line.due is None else f"：应连 {line.due:,} 行，按号码一致已连对 {line.exact_right:,} 行"
    return f"  《{title}》{due}"


def _due_words(line: Line) -> str:
    return (
        f"  应连 {line.due:,} 行；按号码一致已连 {(line.exact_right or 0) + (line.exact_wrong or 0):,} 行，"
        f"其中连错 {line.exact_wrong:,} 行"
    )


def _heads(labelled: Labelled) -> list[str]:
    known = {
        "judgements": ["判为同一人", "判为不同", "精确率", "召回率"],
        "truth": ["连对", "连错", "精确率", "召回率（含号码一致）", "精确率（含号码一致）"],
        "none": [],
    }
    return ["阈值", "连接行", *known[labelled.source], "估计错连", "估计精确率", "估计召回率"]


def _cells(labelled: Labelled, line: Line, in_force: InForce) -> list[str]:
    mark = "*" if line.threshold == in_force.link else " "
    expected = [f"{line.expected_wrong:.2f}", percent(line.expected_precision), percent(line.expected_recall)]
    known: list[str] = []
    if labelled.source == "truth":
        rates = (line.precision, line.recall, line.precision_of_all)
        known = [f"{line.right:,}", f"{line.wrong:,}", *map(percent, rates)]
    elif labelled.source == "judgements":
        precision = _with_interval(line.right, line.right + line.wrong)
        known = [f"{line.right:,}", f"{line.wrong:,}", precision, _with_interval(line.right, line.matches)]
    return [f"{mark}{line.threshold:g}", f"{line.linked:,}", *known, *expected]


def _with_interval(part: int, whole: int) -> str:
    interval = wilson(part, whole)
    if interval is None:
        return "–"
    return f"{percent(part / whole)}（{percent(interval[0])}–{percent(interval[1])}）"


def percent(share: float | None) -> str:
    """Two decimals, and never 100 % or 0 % where it is not."""
    if share is None:
        return "–"
    return f"{min(max(share, 0.0001), 0.9999) if 0 < share < 1 else share:.2%}"


def calibration_table(bins: Sequence[Bin]) -> list[str]:
    """Whether a probability keeps what it promises."""
    rows = [["概率", "对数", "平均概率", "已知", "其中同一人", "所占比例"]]
    for one in bins:
        label = f"{one.low:g}–{one.high:g}"
        share = _with_interval(one.right, one.known)
        rows.append([label, f"{one.pairs:,}", percent(one.mean), f"{one.known:,}", f"{one.right:,}", share])
    return ["  " + line for line in columns(rows)]


def keys_words(table: pl.DataFrame, titles: Mapping[str, str], *, known: bool) -> list[str]:
    """The report of blocking keys, list by list."""
    told = []
    heads = ["找法", "带来的对", "只靠它", "连接", "只靠它连接", "待复核", "因太常见未用"]
    for (key,), some in table.group_by(["dataset"], maintain_order=True):
        rows = [[*heads, *(["连错"] if known else [])]]
        for line in some.iter_rows(named=True):
            counts = ("pairs", "alone", "linked", "linked_alone", "review", "pairs_left_out")
            cells = [f"{line[name]:,}" for name in (*counts, *(["wrong"] if known else []))]
            rows.append([key_words(line["kind"]), *cells])
        told += [f"《{titles.get(str(key), str(key))}》", *("  " + line for line in columns(rows))]
    return told


def suggestions(
    labelled: Labelled, lines: Sequence[Line], titles: Mapping[str, str], in_force: InForce
) -> list[str]:
    """What the thresholds next to the one in force would change, in words; for all lists, then where it matters."""
    thresholds = sorted({line.threshold for line in lines})
    at = thresholds.index(in_force.link)
    near = [t for t in (*thresholds[max(at - 1, 0) : at], *thresholds[at + 1 : at + 2]) if t != in_force.link]
    told = []
    for other in near:
        for key in dict.fromkeys(line.dataset for line in lines):
            now, then = (
                next(x for x in lines if (x.dataset, x.threshold) == (key, t)) for t in (in_force.link, other)
            )
            if now.linked != then.linked or key == ALL:
                told.append(
                    ("" if key == ALL else f"  《{titles.get(key, key)}》") + _change(labelled, now, then)
                )
    return told


def _change(labelled: Labelled, now: Line, then: Line) -> str:
    more = then.linked - now.linked
    lead = f"阈值 {now.threshold:g} → {then.threshold:g}"
    if not more:
        return f"{lead} 不改变任何连接"
    right, wrong = abs(then.right - now.right), abs(then.wrong - now.wrong)
    unknown = abs(more) - right - wrong
    words = {
        "truth": [f"连对 {right:,}", f"连错 {wrong:,}"],
        "judgements": [f"判为同一人 {right:,}", f"判为不同 {wrong:,}"],
        "none": [],
    }[labelled.source]
    words += [f"无人判过 {unknown:,}"] if unknown and labelled.source != "none" else []
    words.append(f"按概率估计有 {abs(then.expected_wrong - now.expected_wrong):.1f} 行是错的")
    return f"{lead} 会{'多' if more > 0 else '少'}连 {abs(more):,} 行，其中{'，'.join(words)}"


def review_words(labelled: Labelled, in_force: InForce) -> str:
    """What waits for clerks, and what it is worth."""
    waiting = labelled.pairs.filter(pl.col("decision") == "review")
    rows = waiting.filter(pl.col("best")).height
    return (
        f"待复核 {waiting.height:,} 对（{rows:,} 行），概率在 {in_force.review:g} 到 {in_force.link:g} 之间，"
        f"按概率估计其中 {sum(waiting['score']):.1f} 对是同一人"
    )
