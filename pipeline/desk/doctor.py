"""`reconcile doctor`: looks at everything a night needs, changes nothing, says what is wrong and the cure, in some seconds (6 CPU s on a prefecture)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline import clock
from pipeline.contracts.problem import ReconcileError
from pipeline.contracts.settings import Settings, load_settings
from pipeline.desk import doctor_files, doctor_machine, doctor_work
from pipeline.desk.doctor_finding import Finding, Patient, good, of_problem, wrong
from pipeline.heartbeat import Heartbeat, read_heartbeat

Check = Callable[[Patient], Finding | Iterable[Finding]]
CHECKS: tuple[tuple[str, Check], ...] = (
    ("磁盘空间", doctor_machine.disk_space),
    ("磁盘加密", doctor_machine.volume),
    ("文件夹", doctor_files.folders),
    ("文件权限", doctor_files.contents),
    ("新建文件权限", doctor_files.umask),
    ("收件夹", doctor_files.inbox),
    ("台账密钥", doctor_files.person_key),
    ("密码文件", doctor_files.secrets),
    ("内存", doctor_machine.memory),
    ("交换区", doctor_machine.swap),
    ("内存转储", doctor_machine.core_dumps),
    ("时钟", doctor_machine.clock_right),
    ("节假日", doctor_machine.holidays),
    ("字符编码", doctor_machine.encoding),
    ("数据说明", doctor_work.schemas_load),
    ("规则", doctor_work.rules_load),
    ("收件人", doctor_work.recipients),
    ("邮件服务器", doctor_work.mail_server),
    ("停发开关", doctor_work.stop_mail),
    ("台账", doctor_work.ledger),
    ("台账备份", doctor_work.backup_age),
    ("上一夜", doctor_work.last_night),
)


@dataclass(frozen=True)
class DoctorRequest:
    """Where to look."""

    state: Path
    out: Path
    schemas: Path
    rules: Path
    inbox: Path | None = None
    config: Path | None = None
    offline: bool = False


def doctor(request: DoctorRequest) -> list[Finding]:
    """All findings in a fixed order. Never raises for what it finds: a check that breaks is a finding itself."""
    settings, about_settings = _settings(request.config)
    beat, about_beat = _beat(request.state)
    patient = Patient(
        request.state,
        request.out,
        request.inbox,
        request.config,
        settings,
        request.schemas,
        request.rules,
        clock.now(),
        beat,
        request.offline,
    )
    found = [about_settings, *about_beat]
    for name, check in CHECKS:
        found += _checked(name, check, patient)
    return found


def lines(findings: Sequence[Finding]) -> list[str]:
    """One a finding, and the count last."""
    counts = {level: sum(one.level == level for one in findings) for level in ("good", "warning", "wrong")}
    last = f"{len(findings)} 项检查：{counts['good']} 项正常，{counts['warning']} 项注意，{counts['wrong']} 项有误"
    return [*(finding.line() for finding in findings), last]


def as_json(findings: Sequence[Finding]) -> str:
    """For machines: a list of name, level, words, cure."""
    return json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=1)


def is_ill(findings: Sequence[Finding]) -> bool:
    """Whether anything is wrong; what is only to be noted is not."""
    return any(finding.level == "wrong" for finding in findings)


def _settings(config: Path | None) -> tuple[Settings, Finding]:
    name = "设置"
    try:
        settings = load_settings(config)
    except ReconcileError as error:
        return Settings(), of_problem(name, error.problem)
    return settings, good(name, f"{config.name} 合规" if config else "没有 reconcile.toml，全部用默认值")


def _beat(state: Path) -> tuple[Heartbeat | None, list[Finding]]:
    try:
        return read_heartbeat(state), []
    except ReconcileError as error:
        return None, [of_problem("心跳", error.problem)]


def _checked(name: str, check: Check, patient: Patient) -> list[Finding]:
    try:
        found = check(patient)
        return [found] if isinstance(found, Finding) else list(found)
    except ReconcileError as error:
        return [of_problem(name, error.problem)]
    except Exception as error:  # its text may hold anything: only the class is said
        cure = "多半是权限或磁盘的问题；仍不行就把这一行交给开发者"
        return [wrong(name, f"没能检查（{type(error).__name__}）", cure)]
