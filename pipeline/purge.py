"""The purge's hands: finding what is ours by its name, removing it, counting it. No link is followed, no other name touched."""

from __future__ import annotations

import re
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.contracts.problem import Problem


@dataclass(frozen=True)
class Purged:
    """How much of a class went."""

    files: int = 0
    bytes: int = 0

    def __add__(self, other: Purged) -> Purged:
        return Purged(self.files + other.files, self.bytes + other.bytes)


@dataclass(frozen=True)
class PurgeReport:
    """What went, by class (a field of Retention, or `temporary`), and whether the disk refused some of it (E860)."""

    classes: Mapping[str, Purged] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    @property
    def files(self) -> int:
        return sum(one.files for one in self.classes.values())

    def counts(self) -> dict[str, int]:
        """For the run log."""
        return {name: one.files for name, one in self.classes.items() if one.files}

    def lines(self) -> list[str]:
        """For the screen."""
        told = [
            f"{_TITLES[name]}：删除 {one.files} 个文件，{one.bytes / 1e6:.1f} MB"
            for name, one in self.classes.items()
            if one.files
        ]
        return told or ["没有到期的内容，什么也没有删除"]


_TITLES = {
    "snapshots": "名单快照",
    "quarantine": "隔离记录和回执",
    "nights": "各夜存档",
    "mail": "已办结的邮件",
    "backups": "台账备份",
    "log": "运行日志",
    "access": "查阅日志",
    "temporary": "中断的运行留下的临时文件",
}


def own_folders(folder: Path, form: re.Pattern[str]) -> Iterator[Path]:
    yield from (path for path in _named(folder, form) if is_folder(path))


def own_files(folder: Path, form: re.Pattern[str]) -> Iterator[Path]:
    yield from (path for path in _named(folder, form) if stat.S_ISREG(path.lstat().st_mode))


def _named(folder: Path, form: re.Pattern[str]) -> list[Path]:
    """What lies in a folder under names of our form, sorted; nothing where it is a link or not there."""
    if not is_folder(folder):
        return []
    return [path for path in sorted(folder.iterdir()) if form.fullmatch(path.name)]


def is_folder(path: Path) -> bool:
    """A folder itself, not a link to one. What cannot be looked at is none."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def removed(over: Mapping[str, Iterable[Path]]) -> PurgeReport:
    """Removes the paths of each class. What the disk refuses stays and is told (E860)."""
    classes, refused = {}, 0
    for name, paths in over.items():
        gone = Purged()
        for path in list(paths):
            size = _size(path)
            try:
                shutil.rmtree(path) if is_folder(path) else path.unlink()
            except OSError:
                refused += 1
            else:
                gone += size
        classes[name] = gone
    return PurgeReport(classes, (_refused(refused),) if refused else ())


def _size(path: Path) -> Purged:
    """Files and bytes of a file or of all in a folder; links count as what they are."""
    paths = [path, *path.rglob("*")] if is_folder(path) else [path]
    total = Purged()
    for one in paths:
        try:
            told = one.lstat()
        except OSError:
            continue
        if not stat.S_ISDIR(told.st_mode):
            total += Purged(1, told.st_size)
    return total


def _refused(count: int) -> Problem:
    why, cure = "没有写权限，或磁盘有故障", "检查 state 和 out 文件夹的权限；下次运行会再清理"
    return Problem("E860", "warning", f"有 {count} 项到期的内容删不掉", why, cure)
