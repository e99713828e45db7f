"""`reconcile doctor`: the work. Settings, schemas, rules, mail server, ledger, backups, the last night."""

from __future__ import annotations

from datetime import date

from pipeline.cases import Places, backups, open_ledger
from pipeline.contracts.problem import ReconcileError
from pipeline.desk.check_rules import check_rules
from pipeline.desk.check_schemas import check_schemas
from pipeline.desk.doctor_files import secrets_path
from pipeline.desk.doctor_finding import Finding, Patient, good, of_problem, warning, wrong
from pipeline.desk.doctor_machine import today
from pipeline.desk.watch import unsent_mail
from pipeline.reports.run_json import last_night_of

_OLDEST_BACKUP = 3  # days
_LONGEST_SILENCE = 3  # days; `reconcile watch` hears it sooner


def schemas_load(patient: Patient) -> Finding:
    lines, failed = check_schemas(patient.schemas)
    return _checked("数据说明", lines, failed, "reconcile schemas check")


def rules_load(patient: Patient) -> Finding:
    lines, failed = check_rules(patient.rules, patient.schemas)
    return _checked("规则", lines, failed, "reconcile rules check")


def recipients(patient: Patient) -> Finding:
    """Every county of the last night should have somebody who hears of it."""
    name = "收件人"
    _, counties = last_night_of(patient.out)
    if not patient.sends:
        return good(name, "没有设置邮件服务器（mail.host），报告只写到 out 文件夹")
    without = [title for code, title in counties.items() if not patient.settings.recipients.get(code)]
    if without:
        shown = "、".join(without[:6]) + ("等" if len(without) > 6 else "")
        return warning(
            name, f"{len(without)} 个县没有收件人：{shown}", "在 reconcile.toml 的 [recipients] 里补上"
        )
    if not patient.settings.mail.operator:
        cure = "在 [mail] operator 写上值守人员的邮箱，运行失败时能收到通知"
        return warning(name, "没有设置值守人员（mail.operator）", cure)
    return good(name, f"上一夜的 {len(counties)} 个县都有收件人" if counties else "已设置")


def mail_server(patient: Patient) -> Finding:
    """A handshake with the mail server: name, certificate, login. Nothing is sent."""
    name, mail = "邮件服务器", patient.settings.mail
    if not patient.sends:
        return good(name, "没有设置")
    if patient.offline:
        return good(name, "按 --offline 没有试连")
    from pipeline.delivery.handshake import handshake  # only here: looking at files needs no network
    from pipeline.delivery.secrets import load_secrets

    try:
        password = load_secrets(secrets_path(patient)).smtp_password
    except ReconcileError:
        return warning(name, "密码文件读不出来，没有试连", "先解决“密码文件”一项")
    problem = handshake(
        mail, password, patient.config.parent if patient.config else secrets_path(patient).parent
    )
    return of_problem(name, problem) if problem else good(name, "连接、证书、登录都正常")


def stop_mail(patient: Patient) -> Finding:
    from pipeline.delivery.places import STOP, stopped

    if stopped(patient.state):
        return warning("停发开关", f"state 里有 {STOP}，一封邮件也不会发", f"查清原因后删除 {STOP}")
    return good("停发开关", "没有启用")


def ledger(patient: Patient) -> Finding:
    """What opening it proves: file, schema, key, witness, the end of the chain. The whole chain is `reconcile ledger check`."""
    name = "台账"
    if not Places(patient.state).was_there():
        return good(name, "还没有，第一次运行时建立")
    try:
        with open_ledger(patient.state) as opened:
            events = opened.head().sequence
    except ReconcileError as error:
        if error.exit_code == 5:
            return warning(name, "正在被别的进程使用，没有查看", "等它结束后再查")
        return of_problem(name, error.problem)
    return good(name, f"{events} 条记录，与见证一致（逐条核对：reconcile ledger check）")


def backup_age(patient: Patient) -> Finding:
    """The newest backup's date against the ledger's last night."""
    name, places = "台账备份", Places(patient.state)
    if not places.was_there():
        return good(name, "还没有台账")
    kept = backups(places.backups)
    cure = "在每夜运行之后加一行 reconcile ledger backup，并把 state/backup 复制到另一台机器"
    if not kept:
        return warning(name, "一份也没有", cure)
    newest = _date_of(kept[0].name)
    night = patient.beat.as_of if patient.beat else last_night_of(patient.out)[0]
    days = ((night or today(patient)) - newest).days if newest else 0
    if days > _OLDEST_BACKUP:
        return warning(name, f"最新的一份比上一夜早 {days} 天", cure)
    return good(name, f"{len(kept)} 份，最新 {newest or '没有日期'}")


def last_night(patient: Patient) -> Finding:
    """What the heartbeat says."""
    name, beat = "上一夜", patient.beat
    if beat is None:
        if not Places(patient.state).was_there():
            return good(name, "还没有运行过")
        return warning(
            name, "有台账而没有可用的心跳，说不出上一夜怎样", "看 state/log/ 的最后几行；再运行一次会重写心跳"
        )
    said = (
        f"{beat.as_of or '业务日期未知'}，退出码 {beat.exit_code}，采用名单 {beat.accepted}/{beat.expected}"
    )
    if beat.failed:
        return wrong(name, said, "看 state/log/ 的最后几行和 summary.html，解决后再运行一次")
    for problem in unsent_mail(beat):
        return warning(name, f"{said}；没有发出的邮件：{problem.why}", problem.cure)
    days = (patient.now - beat.finished).days
    if days >= _LONGEST_SILENCE:
        return warning(
            name, f"{said}；已经 {days} 天没有运行", "看定时任务是否启动（systemctl status reconcile.timer）"
        )
    return good(name, said)


def _checked(name: str, lines: list[str], failed: bool, command: str) -> Finding:
    if failed:
        return wrong(name, lines[0], f"运行 {command}，逐条改正")
    return good(name, lines[-1])


def _date_of(backup: str) -> date | None:
    """`ledger-<date>-<sequence>.sqlite`; that of a ledger without events has no date."""
    try:
        return date.fromisoformat(backup[len("ledger-") :][:10])
    except ValueError:
        return None
