"""Finds what was delivered: inbox/<department>/<dataset>/<files>, their county and snapshot date by their names.

Names never build paths and are never expanded: the folder is listed as it is, links are not followed. The words in
a name are free; the six-digit code in front (lists delivered per county) and the date at the end are not.
"""

from __future__ import annotations

import difflib
import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from pipeline.contracts.dataset import Dataset
from pipeline.contracts.problem import Problem
from pipeline.contracts.settings import Settings
from pipeline.identity import region
from pipeline.intake.sniff import Kind, kind_by_name

FEEDBACK = "feedback"  # inbox/feedback/: the counties' answers, read by another room
_A_YEAR = timedelta(days=366)
_JUNK = frozenset({"thumbs.db", "desktop.ini", ".ds_store", ".gitkeep", "__macosx"})
# What browsers, chat clients and file managers append to a name that exists already.
_COPY = re.compile(
    r"(?:[-_]?副本(?:\([0-9]+\))?|\([0-9]+\)|\[[0-9]+\]|-?copy(?:\([0-9]+\))?)$", re.IGNORECASE
)
_DATE_AT_END = re.compile(r"(?<![0-9])([0-9]{4})[-.年]?([0-9]{2})[-.月]?([0-9]{2})日?$")
_CODE_IN_FRONT = re.compile(r"([0-9]{6})(?![0-9])")
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,12}$")
# Files that are no deliveries by their names: code, severity, what, why, cure.
_ASIDE = {
    Kind.LOCK: (
        *("E208", "note", "是表格软件的锁文件，略过", "原文件正在 Excel、WPS 或 LibreOffice 中打开"),
        "关闭后确认原文件已保存",
    ),
    Kind.UNFINISHED: (
        *("E209", "warning", "是没有传完的文件，略过", "文件名是下载或传送中的样子"),
        "传完后再运行",
    ),
}


@dataclass(frozen=True, order=True)
class Candidate:
    """A delivered file whose name says what it is. `county` is today's code, "" for a prefecture-wide list."""

    dataset: str
    county: str
    snapshot_date: date
    file: str  # relative to the inbox, with "/"
    path: Path


def find(
    inbox: Path, datasets: dict[str, Dataset], settings: Settings
) -> tuple[list[Candidate], list[Problem]]:
    """Every file of the inbox that can be a delivery, in a fixed order, and what lies there that cannot."""
    candidates: list[Candidate] = []
    problems: list[Problem] = []
    for key, folder in _dataset_folders(inbox, datasets, problems):
        for entry in _listing(folder, f"{key}/", problems):
            found = _candidate(entry, datasets[key], settings)
            if isinstance(found, Candidate):
                candidates.append(found)
            else:
                problems.append(found)
    return sorted(candidates), sorted(problems)


def _dataset_folders(
    inbox: Path, datasets: dict[str, Dataset], problems: list[Problem]
) -> Iterator[tuple[str, Path]]:
    """Key and folder of every known dataset in the inbox; what else lies on the way becomes problems."""
    departments = {key.split("/")[0] for key in datasets}
    for department in _listing(inbox, "", problems):
        if department.name == FEEDBACK:
            continue
        if not _is_folder(department):
            problems.append(_stray(department.name))
        elif department.name not in departments:
            problems.append(_unknown_folder(department.name, departments))
        else:
            for folder in _listing(Path(department.path), f"{department.name}/", problems):
                key = f"{department.name}/{folder.name}"
                if not _is_folder(folder):
                    problems.append(_stray(key))
                elif key not in datasets:
                    problems.append(_unknown_folder(key, set(datasets)))
                else:
                    yield key, Path(folder.path)


def newest(
    candidates: list[Candidate], as_of: date
) -> tuple[dict[tuple[str, str], list[list[Candidate]]], list[Problem]]:
    """By dataset and county: the files of each date not after `as_of`, newest date first; notes on those set aside."""
    by_list: dict[tuple[str, str], dict[date, list[Candidate]]] = defaultdict(lambda: defaultdict(list))
    notes: list[Problem] = []
    for candidate in candidates:
        if candidate.snapshot_date > as_of:
            notes.append(_aside(candidate, "名单日期晚于核对日期，本次不用", f"核对日期为 {as_of}"))
        else:
            by_list[candidate.dataset, candidate.county][candidate.snapshot_date].append(candidate)
    chosen: dict[tuple[str, str], list[list[Candidate]]] = {}
    for key in sorted(by_list):
        dates = sorted(by_list[key], reverse=True)
        chosen[key] = [by_list[key][day] for day in dates]
        notes += [
            _aside(old, "有更新的一份，本次不用", f"采用 {dates[0]} 的一份")
            for day in dates[1:]
            for old in by_list[key][day]
        ]
    return chosen, notes


def newest_date(inbox: Path, datasets: dict[str, Dataset], settings: Settings) -> date | None:
    """The default of `--as-of`: the newest snapshot date in the inbox.

    A date more than a year after the newest register's is a misspelt year and moves nothing.
    """
    candidates = [c for c in find(inbox, datasets, settings)[0] if not c.path.is_dir()]
    registers = [c.snapshot_date for c in candidates if datasets[c.dataset].role == "register"]
    latest = max(registers, default=date.max - _A_YEAR) + _A_YEAR
    return max((c.snapshot_date for c in candidates if c.snapshot_date <= latest), default=None)


def snapshot_date(name: str) -> date | None:
    """The date at the end of a file name, before the extension and before what a browser appended to a copy."""
    stem = unicodedata.normalize("NFKC", name).replace(" ", "")
    previous = ""
    while stem != previous:  # 名册_20261031.xlsx.csv, 名册_20261031(1).csv, 名册_20261031-副本(2).csv
        previous, stem = stem, _COPY.sub("", _EXTENSION.sub("", stem))
    found = _DATE_AT_END.search(stem)
    try:
        return date(*(int(part) for part in found.groups())) if found else None
    except ValueError:
        return None


def county_code(name: str) -> str:
    """The six digits in front of a file name, "" if there are none."""
    found = _CODE_IN_FRONT.match(unicodedata.normalize("NFKC", name).strip())
    return found[1] if found else ""


def is_known_county(code: str, own: Collection[str]) -> bool:
    """A county of the built-in list of divisions, abolished ones included, or one of the settings' own."""
    return code in own or region.is_county(code) or region.is_county(region.successor(code))


def _listing(folder: Path, prefix: str, problems: list[Problem]) -> list[os.DirEntry[str]]:
    """The entries of a folder by name, without junk; links and names that are no text become problems."""
    entries: list[os.DirEntry[str]] = []
    with os.scandir(folder) as found:
        for entry in sorted(found, key=lambda e: e.name):
            shown = prefix + entry.name.encode("utf-8", "replace").decode("utf-8")
            if entry.name.casefold() in _JUNK:
                continue
            if shown != prefix + entry.name:
                problems.append(
                    _refused("E230", shown, "文件名不是合法文字", "文件名的编码不是 UTF-8", "改名后重放")
                )
            elif entry.is_symlink():
                problems.append(
                    _refused("E230", shown, "是链接，不是文件", "收件夹中不跟随链接", "放入文件本身")
                )
            else:
                entries.append(entry)
    return entries


def _is_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False)


def _candidate(entry: os.DirEntry[str], dataset: Dataset, settings: Settings) -> Candidate | Problem:
    """The candidate that a file name describes, or why it describes none."""
    file = f"{dataset.dataset}/{entry.name}"
    told = _ASIDE.get(kind_by_name(entry.name) or Kind.TEXT)
    if told is not None and not _is_folder(entry):
        return Problem(*told, file, dataset=dataset.dataset)
    day = snapshot_date(entry.name)
    if day is None and _is_folder(entry):
        why = "收件夹只有 部门/名单/ 两层"
        return _refused("E220", file, "是文件夹，不是文件", why, "把其中的文件移到上一层", dataset.dataset)
    if day is None:
        why = "应为“名称_年月日.扩展名”，如 名册_20261031.xlsx"
        return _refused("E226", file, "文件名末尾没有日期", why, "按此改名后重放", dataset.dataset)
    code = county_code(entry.name)
    county = region.successor(code) if code else ""
    if dataset.delivery.by == "county":
        if not code:
            why = "这份名单分县报送，文件名应以六位县级代码开头"
            return _refused(
                "E222", file, "文件名前没有县级代码", why, "在文件名前加上县级代码", dataset.dataset
            )
        if not is_known_county(code, settings.counties):
            why = f"行政区划表和设置中都没有 {code}"
            cure = f"核对代码；若确有此县（区、管委会），在 reconcile.toml 加 [counties.{code}]"
            return _refused("E223", file, f"不认识的县级代码 {code}", why, cure, dataset.dataset)
    elif code and not code.endswith("00") and is_known_county(code, settings.counties):
        why = "这份名单应全州（市）一份，文件名却写明只是一个县的"
        return _refused("E225", file, f"名单只有 {code} 一个县", why, "报送全州（市）的一份", dataset.dataset)
    else:
        county = ""
    return Candidate(dataset.dataset, county, day, file, Path(entry.path))


def _refused(code: str, file: str, what: str, why: str, cure: str, dataset: str = "") -> Problem:
    return Problem(code, "error", what, why, cure, file=file, dataset=dataset)


def _stray(file: str) -> Problem:
    return Problem(
        *("E221", "warning", "文件没有放在名单的文件夹里，未读取", "只读 部门/名单/ 下的文件"),
        *("移到对应的文件夹", file),
    )


def _unknown_folder(name: str, known: set[str]) -> Problem:
    near = difflib.get_close_matches(name, sorted(known), 1, 0)
    return _refused(
        *("E221", name, "不认识的文件夹，其中的文件未读取", f"最接近的是 {near[0] if near else '（无）'}"),
        "改名，或为新名单在 schemas/ 中加一份说明",
    )


def _aside(candidate: Candidate, what: str, why: str) -> Problem:
    return Problem(
        *("E227", "note", what, why, "无须处理"),
        file=candidate.file,
        dataset=candidate.dataset,
        county=candidate.county,
    )
