"""`reconcile doctor`: the machine. Space, encryption, memory, what could be written to the disk unasked, clock, encoding."""

from __future__ import annotations

import locale
import os
import shutil
import sys
from datetime import date, timedelta
from pathlib import Path

from pipeline import clock
from pipeline.contracts import workdays
from pipeline.desk.doctor_finding import Finding, Patient, good, warning, wrong
from pipeline.desk.doctor_volume import is_encrypted, swap_devices
from pipeline.system_files import core_limit, machine_memory

_GB = 1 << 30
_LEAST_FREE = 2 * _GB
_NIGHTS_FREE = 3  # free space, in sizes of the last night (failure modes, row 32)
_WORKERS = 2 * 0.7  # GB of the two processes that read large CSV files (docs/operations.md)
_FIRST_YEAR, _LAST_YEAR = 2025, 2100
_CORE_PATTERN = Path("/proc/sys/kernel/core_pattern")


def disk_space(patient: Patient) -> Finding:
    """Free space of the volumes of state and out against what a night writes."""
    night = _last_nights_size(patient)
    free = min(shutil.disk_usage(_nearest(folder)).free for folder in (patient.state, patient.out))
    said = f"可用 {free / _GB:.1f} GB" + (f"，最近一夜约 {night / _GB:.2f} GB" if night else "")
    cure = "清理磁盘或扩容；`reconcile purge` 清理到期内容"
    if free < _NIGHTS_FREE * night:
        return wrong("磁盘空间", f"{said}，不到 {_NIGHTS_FREE} 倍", cure)
    if free < _LEAST_FREE:
        return warning("磁盘空间", f"{said}，不到 2 GB", cure)
    return good("磁盘空间", said)


def volume(patient: Patient) -> Finding:
    """Whether the state folder lies on an encrypted volume (PIPL art. 51)."""
    name, there = "磁盘加密", is_encrypted(_nearest(patient.state))
    if there:
        return good(name, "state 所在的卷已加密")
    words = "看不出 state 所在的卷是否加密" if there is None else "state 所在的卷没有加密"
    cure = "把 state 和 out 放到 LUKS 加密卷上（docs/operations.md）；由存储或虚拟化平台加密的，记录在案即可"
    return warning(name, words, cure)


def memory(patient: Patient) -> Finding:
    """The database's limit and two reading processes must fit into what the machine, or the service, has."""
    name, limit, there = "内存", patient.settings.limits.memory_gb, machine_memory()
    if there is None:
        return warning(name, "看不出这台机器有多少内存", "确认它多于 [limits] memory_gb 再加 1.4 GB")
    said = f"[limits] memory_gb = {limit:g}，机器（或服务上限）有 {there / _GB:.1f} GB"
    cure = "在 reconcile.toml 的 [limits] 里调小 memory_gb，或加内存、调大 MemoryMax"
    if limit * _GB > there:
        return wrong(name, said, cure)
    if (limit + _WORKERS) * _GB > there:
        return warning(name, f"{said}；读大文件的两个进程另需 {_WORKERS:g} GB", cure)
    return good(name, said)


def swap(patient: Patient) -> Finding:
    """Memory that is written to a plain swap area is people's data on the disk."""
    name, devices = "交换区", swap_devices()
    if devices is None:
        return warning(name, "看不出有没有交换区", "关掉交换区，或确认它已加密")
    plain = [device for device, encrypted in devices.items() if not encrypted]
    if plain:
        return warning(
            name, f"{len(plain)} 个交换区没有加密", "运行 swapoff -a 并改 /etc/fstab，或改用加密的交换区"
        )
    return good(name, "没有未加密的交换区")


def core_dumps(patient: Patient) -> Finding:
    """A core dump holds the night's data in plain. The program sets its own limit to 0; a pipe may not ask for it."""
    name = "内存转储"
    if core_limit() is None:
        return warning(name, "看不出崩溃时会不会写出内存", "在系统里关闭内存转储")
    try:
        piped = _CORE_PATTERN.read_text(encoding="ascii", errors="replace").startswith("|")
    except OSError:
        piped = False
    if core_limit() != 0:
        return wrong(name, "本进程允许写出内存转储", "用 reconcile 命令运行；systemd 里写 LimitCORE=0")
    if piped:
        cure = "systemd-coredump 写 Storage=none；apport 一类请停用"
        return warning(name, "系统把崩溃时的内存交给另一个程序，它可能不看限制", cure)
    return good(name, "不会写出内存转储")


def clock_right(patient: Patient) -> Finding:
    """The clock decides nothing of a night but heartbeats and logs; a wrong one still misleads whoever reads them."""
    name, now = "时钟", patient.now
    cure = "校准时间（timedatectl set-ntp true，或指向内网时间服务器）"
    if not _FIRST_YEAR <= now.year <= _LAST_YEAR:
        return wrong(name, f"系统时间是 {now:%Y-%m-%d %H:%M}，年份不可能", cure)
    beat = patient.beat
    if beat is not None and beat.finished > now + timedelta(hours=1):
        return wrong(name, f"系统时间 {now:%Y-%m-%d %H:%M} 早于上一夜结束的时间", cure)
    if beat is not None and beat.as_of is not None and beat.as_of > now.date():
        return warning(
            name, f"上一夜的业务日期 {beat.as_of} 在将来", "检查 --as-of 和收件夹里文件名末尾的日期"
        )
    local = now.astimezone().replace(tzinfo=None) - now.replace(tzinfo=None)
    if local:
        hours = 8 + local.total_seconds() / 3600
        said = f"系统时区是 UTC{hours:+g}，不是北京时间；定时器会在别的钟点启动"
        return warning(name, said, "timedatectl set-timezone Asia/Shanghai")
    return good(name, f"{now:%Y-%m-%d %H:%M} 北京时间")


def holidays(patient: Patient) -> Finding:
    """Due dates count workdays; next year's holidays are told each November (国务院办公厅)."""
    name, year = "节假日", patient.now.year
    period = patient.settings.period
    own = {day.year for day in (*period.holidays, *period.workdays)}
    missing = [y for y in (year, year + 1) if not workdays.knows(y) and y not in own]
    if missing:
        said = f"没有 {'、'.join(map(str, missing))} 年的放假安排，只按固定节日算"
        cure = "国务院公布后写入 reconcile.toml 的 [period] holidays 和 workdays，或升级程序"
        return warning(name, said, cure)
    return good(name, f"有 {year} 和 {year + 1} 年的放假安排")


def encoding(patient: Patient) -> Finding:
    """Names of files are Chinese; elsewhere than in UTF-8 they could be neither found nor written."""
    name = "字符编码"
    files, texts = sys.getfilesystemencoding(), locale.getpreferredencoding(False)
    cure = "设置环境变量 LANG=zh_CN.UTF-8 或 C.UTF-8（systemd：Environment=LANG=C.UTF-8）"
    if files.lower().replace("-", "") != "utf8":
        return wrong(name, f"文件名按 {files} 读写", cure)
    if texts.lower().replace("-", "") != "utf8":
        return warning(name, f"屏幕和文本按 {texts} 读写", cure)
    return good(name, "UTF-8")


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    folder = folder.absolute()
    return next(one for one in (folder, *folder.parents) if one.exists())


def _last_nights_size(patient: Patient) -> int:
    """Bytes that the last night wrote: what lies in OUT and the kept night, and the snapshots of its date. 0: no night yet."""
    whole = [patient.out / "results", patient.out / "reports", patient.state / "night"]
    return sum(_bytes(folder) for folder in whole) + sum(map(_bytes, _snapshots(patient)))


def _snapshots(patient: Patient) -> list[Path]:
    """The newest snapshot of every list: about what a month delivers."""
    newest: dict[Path, Path] = {}
    for path in sorted((patient.state / "store").glob("*/*/*/[0-9]*")):
        newest[path.parent] = path
    return list(newest.values())


def _bytes(folder: Path) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(Path(place) / name).st_size
            except OSError:
                continue
    return total


def today(patient: Patient) -> date:
    """The day of the look, in Asia/Shanghai."""
    return patient.now.astimezone(clock.SHANGHAI).date()
