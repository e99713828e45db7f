"""`reconcile doctor`: who may read what. State, out, inbox, the person key, the secrets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pipeline import private_process
from pipeline.cases import Places
from pipeline.cases.person_key import read_key
from pipeline.contracts.problem import ReconcileError
from pipeline.desk.doctor_finding import Finding, Patient, good, of_problem, warning, wrong
from pipeline.private_process import is_own, rights
from pipeline.system_files import HAS_OWNERS

_OTHERS = 0o077
_READ_ONLY = (0o400, 0o600)


def folders(patient: Patient) -> Iterator[Finding]:
    """State and out must be there (or can be made), belong to the service's user, and be closed to others."""
    for name, folder in (("state 文件夹", patient.state), ("out 文件夹", patient.out)):
        yield _folder(name, folder)


def contents(patient: Patient) -> Finding:
    """Not one file of the state or the results may be readable by others, or belong to somebody else."""
    name, found = "文件权限", private_process.exposed(patient.state, patient.out)
    if found is None:
        return warning(
            name, "这个系统没有 POSIX 权限，看不出谁能读", "用系统的方式只允许运行用户访问 state 和 out"
        )
    if found.open:
        cure = "确认没有外泄后运行 chmod -R go= state文件夹 out文件夹"
        return wrong(name, f"{found.there} 个文件里有 {found.open} 个别的用户也能读", cure)
    if found.foreign:
        cure = "用同一个用户运行；用 chown -R 把 state 和 out 改回运行用户"
        return wrong(name, f"{found.there} 个文件里有 {found.foreign} 个不属于运行用户", cure)
    return good(name, f"{found.there} 个文件只有运行用户能读")


def umask(patient: Patient) -> Finding:
    """What this process makes is for its owner only."""
    name = "新建文件权限"
    if private_process.umask() & _OTHERS != _OTHERS and HAS_OWNERS:
        return wrong(
            name, f"umask 是 {private_process.umask():03o}", "用 reconcile 命令运行；systemd 里写 UMask=0077"
        )
    return good(name, "只有运行用户能读（umask 077）")


def inbox(patient: Patient) -> Iterator[Finding]:
    """The inbox must be readable; that the counties' answers have a place in it is only told."""
    if patient.inbox is None:
        return
    if not patient.inbox.is_dir() or not os.access(patient.inbox, os.R_OK | os.X_OK):
        yield wrong("收件夹", "不在，或不能读", "用 --inbox 指明；给运行用户读取权限")
        return
    yield good("收件夹", "可以读取")
    feedback = patient.inbox / "feedback"
    if feedback.is_dir() and os.access(feedback, os.R_OK | os.X_OK):
        yield good("反馈文件夹", "可以读取")
    else:
        cure = "建立 inbox/feedback/<县代码>/ 并给运行用户读取权限，各县反馈放在这里"
        yield warning("反馈文件夹", "没有 inbox/feedback，收不到各县的核查反馈", cure)


def person_key(patient: Patient) -> Finding:
    """Without the key nobody in the ledger can be recognised; open to others it names everybody."""
    name, places = "台账密钥", Places(patient.state)
    if not places.was_there():
        return good(name, "还没有台账，第一次运行时建立")
    try:
        read_key(places)
        mode, own = rights(places.key), is_own(places.key)
    except ReconcileError as error:
        return of_problem(name, error.problem)
    except OSError:
        return wrong(name, "密钥文件读不出来", "检查 state/key 的权限，或从单独保管的地方放回 person.key")
    if own is False:
        return wrong(name, "密钥文件不属于运行用户", "chown 改回运行用户，权限 400")
    if mode is not None and mode not in _READ_ONLY:
        return wrong(name, f"密钥文件的权限是 {mode:03o}", "chmod 400 state/key/person.key")
    return good(name, "完好；请确认另有一份单独保管")


def secrets(patient: Patient) -> Finding:
    """The file of passwords, as the delivery itself reads it."""
    from pipeline.delivery.secrets import load_secrets

    name, path = "密码文件", secrets_path(patient)
    if not os.path.lexists(path):
        if _locked(patient):
            cure = "建立它（权限 400），在 [county_passwords] 里写上各县的密码；或取消 full_ids"
            return wrong(name, f"没有 {path.name}，要完整号码的县的报告发不出去", cure)
        if patient.sends:
            cure = "建立它（权限 400），或确认邮件服务器不要密码、各县都不用加密附件"
            return warning(name, f"没有 {path.name}", cure)
        return good(name, "没有设置邮件，不需要")
    try:
        passwords = load_secrets(path).county_passwords
    except ReconcileError as error:
        return of_problem(name, error.problem)
    without = [code for code in _locked(patient) if code not in passwords]
    if without:
        cure = "在 [county_passwords] 里写上，另行告知该县；或取消 full_ids"
        return wrong(name, f"要完整号码的 {'、'.join(without)} 没有密码，报告发不出去", cure)
    return good(name, "只有运行用户能读，内容合规")


def _locked(patient: Patient) -> list[str]:
    """Counties whose letters are locked with a password of their own."""
    settings = patient.settings
    asking = (c for c, one in settings.counties.items() if one.full_ids and one.full_ids_reason.strip())
    return sorted(county for county in asking if settings.recipients.get(county)) if patient.sends else []


def secrets_path(patient: Patient) -> Path:
    """Beside reconcile.toml."""
    return (patient.config.parent if patient.config else Path()) / patient.settings.mail.secrets


def _folder(name: str, folder: Path) -> Finding:
    if not folder.exists():
        return good(name, "还没有，第一次运行时建立")
    if not folder.is_dir() or not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return wrong(name, "不是文件夹，或不能写", "换一个位置，或给运行用户权限")
    target = folder.resolve()
    mode = rights(target)
    if mode is None:
        return good(name, "可以读写")
    if is_own(target) is False:
        return wrong(name, "不属于运行用户", f"chown 改为运行用户的：{folder.name}")
    if mode & _OTHERS:
        return wrong(name, f"权限是 {mode:03o}，别的用户进得去", f"chmod 700 {folder.name}")
    return good(name, f"只有运行用户进得去（{mode:03o}）")
