"""`reconcile watch`: listens for the heartbeat, from another machine or the same, and says so where there is silence or trouble.

The one who watches must not be the one who is watched: a machine that is off cannot say so. It needs nothing of the state but
`heartbeat.json`, which holds no person; with `--mail` it also needs the settings and the mail server's password.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.settings import Settings
from pipeline.delivery.letter import Letter
from pipeline.heartbeat import Heartbeat, read_heartbeat
from pipeline.identity import region

_AHEAD = timedelta(hours=1)  # clocks of two machines may differ by less
_EXIT_CODES = {
    1: "用法、设置、数据说明或规则有误，或没有可用的名册",
    2: "程序错误",
    3: "有名单没有采用",
    4: "有内容待批准",
    5: "另一次运行正在进行",
    6: "邮件没有发全",
    7: "台账检查没有通过",
    8: "外发检查没有通过，当夜邮件全部停发",
    130: "被中断",
}
_LEFT = {3: "有名单待补", 4: "有内容待批准"}  # exit codes of nights that did what they could
_FATES = {
    "later": "待重发",
    "refused": "被退回",
    "doubtful": "不知是否送达",
    "held": "待批准",
    "paused": "由人暂停",
    "given_up": "已放弃",
    "queued": "未发出",
    "unaddressed": "收件人已不在设置里",
    "unmade": "没有做成（缺密码或太大）",
    "stopped": "没有通过出门检查",
}
_CURES = {
    "refused": "被退回的：改正地址后 reconcile outbox withdraw <信> --reason …（下一夜重新生成），或另行交付后 reconcile outbox handed <县码> --reason …",
    "stopped": "没有通过检查的：看 run.json 和 state/log/，查明原因后 reconcile outbox withdraw <信> --reason …",
    "unmade": "没有做成的：看 summary.html 的问题清单（如 E811、E814）",
}


@dataclass(frozen=True)
class Heard:
    """What the heartbeat says: one line on the last night, and the problems, none if all is well."""

    said: str
    problems: tuple[Problem, ...]
    left: str = ""  # what is still to be done after a night that went well: 有名单待补 …


def watch(folder: Path, max_age_hours: float, now: datetime) -> Heard:
    """Reads `heartbeat.json` in a state folder or a folder to which it is copied. Never raises for what it finds."""
    try:
        beat = read_heartbeat(folder)
    except ReconcileError as error:
        return Heard("心跳读不出来", (error.problem,))
    if beat is None:
        why, cure = (
            "没有 heartbeat.json：一次也没有运行过，或文件夹不对、共享断开",
            "检查 --state 和夜间定时任务",
        )
        return Heard("没有心跳", (Problem("E852", "error", "听不到心跳", why, cure, file=folder.name),))
    return heard_of(beat, max_age_hours, now)


def heard_of(beat: Heartbeat, max_age_hours: float, now: datetime) -> Heard:
    """What a heartbeat says."""
    said = (
        f"上一夜 {beat.as_of or '业务日期未知'}，{beat.finished:%Y-%m-%d %H:%M} 结束，退出码 {beat.exit_code}，"
        f"采用名单 {beat.accepted}/{beat.expected}，{beat.counties} 个县"
    )
    found = (*_age(beat, max_age_hours, now), *_failed(beat), *unsent_mail(beat))
    return Heard(said, found, _LEFT.get(beat.exit_code, ""))


def letters(heard: Heard, settings: Settings, now: datetime) -> list[Letter]:
    """One letter to each of `mail.operator`. The same trouble on the same day has the same Message-ID; good nights have each
    their own, for what they say differs."""
    codes = "-".join(sorted({problem.code.lower() for problem in heard.problems}))
    codes = codes or f"ok-{hashlib.sha256(heard.said.encode()).hexdigest()[:10]}"
    told = [f"{n}. {problem.line()}" for n, problem in enumerate(heard.problems, 1)]
    body = "\n".join(
        (
            *(["夜间比对需要处理：", "", *told] if told else [f"{_well(heard)}。", *_to_do(heard)]),
            "",
            heard.said,
            "",
            "这封信由值守程序（reconcile watch）自动发出，不含个人信息。",
            "",
        )
    )
    subject = f"[值守]{'夜间比对失败' if heard.problems else _well(heard)} {now:%Y-%m-%d}"
    return [
        Letter(f"watch-{now:%Y-%m-%d}-{codes}-{n}", "operator", now.date(), "", address, subject, body)
        for n, address in enumerate(settings.mail.operator, 1)
    ]


def _well(heard: Heard) -> str:
    return f"夜间比对正常，{heard.left}" if heard.left else "夜间比对正常"


def _to_do(heard: Heard) -> list[str]:
    return (
        ["见 out 文件夹里的 summary.html：哪些名单没有采用、为什么、怎么办；哪些待批准。"]
        if heard.left
        else []
    )


def tell(heard: Heard, settings: Settings, config: Path | None, state: Path, now: datetime) -> list[Problem]:
    """Mails the operators; the problems that this met, none if every letter went (E856). Raises ReconcileError (secrets)."""
    # only here: listening needs no network
    from pipeline.delivery.courier import Courier
    from pipeline.delivery.egress import check
    from pipeline.delivery.envelope import build
    from pipeline.delivery.expected import nothing_of_people
    from pipeline.delivery.places import stopped
    from pipeline.delivery.secrets import load_secrets

    mail = settings.mail
    if not mail.host or not mail.operator:
        return [_unsent("没有设置邮件服务器或值守人员", "在 reconcile.toml 写 [mail] host、sender、operator")]
    if stopped(state):
        return [_unsent("state 里有 STOP_MAIL，一封也不发", "查清原因后删除 STOP_MAIL")]
    beside = config.parent if config else Path()
    password = load_secrets(beside / mail.secrets).smtp_password
    problems = []
    with Courier(mail, password, beside) as courier:
        for letter in letters(heard, settings, now):
            message = build(letter, mail)
            reasons = check(message, letter.to, nothing_of_people("", letter.to), settings, None)
            if reasons:
                problems.append(_unsent(f"外发检查没有通过：{'；'.join(reasons)}", "检查 [mail] 的设置"))
                continue
            delivery = courier.send(message, letter.to)
            if delivery.fate != "sent":
                problems.append(_unsent(delivery.words, "运行 reconcile doctor 试连邮件服务器"))
    return list(dict.fromkeys(problems))


def lines(heard: Heard, unsent: Sequence[Problem] = ()) -> list[str]:
    """What the screen shows."""
    if not heard.problems:
        return [
            f"✓ 正常  {heard.said}{f'；{heard.left}' if heard.left else ''}",
            *(problem.line() for problem in unsent),
        ]
    return [*(f"✗ 有误  {problem.line()}" for problem in (*heard.problems, *unsent)), heard.said]


def _age(beat: Heartbeat, max_age_hours: float, now: datetime) -> list[Problem]:
    age = now - beat.finished
    if age < -_AHEAD:
        why, cure = "心跳的时间在将来，两台机器的时钟不一致", "校准两台机器的时钟"
        return [Problem("E853", "error", "心跳的时间不对", why, cure)]
    if age <= timedelta(hours=max_age_hours):
        return []
    why = f"上一次运行结束于 {beat.finished:%Y-%m-%d %H:%M}，已过 {age.total_seconds() / 3600:.0f} 小时"
    cure = "看夜间机器是否开着、定时任务是否启动（systemctl status reconcile.timer）；补跑一次"
    return [Problem("E853", "error", "夜间比对没有按时运行", why, cure)]


def _failed(beat: Heartbeat) -> list[Problem]:
    if not beat.failed:
        return []
    cure = "看 state/log/ 的最后几行和 summary.html，解决后再运行一次"
    if beat.exit_code in (0, 3, 4, 6):  # it came to an end and had nothing to go by
        return [Problem("E854", "error", "上一夜没有采用任何名单", "收件夹是空的，或全部没有通过检查", cure)]
    why = f"退出码 {beat.exit_code}：{_EXIT_CODES.get(beat.exit_code, '没有说明')}"
    return [Problem("E854", "error", "上一夜的比对失败了", why, cure)]


def unsent_mail(beat: Heartbeat) -> list[Problem]:
    """One problem that names all mail that has not gone, none where all has."""
    stuck = {fate: count for fate, count in beat.mails_open.items() if fate != "withdrawn"}
    if not stuck and beat.exit_code != 6:
        return []
    told = "，".join(_stuck(beat, fate, count) for fate, count in stuck.items())
    told = told or "有县的邮件没有做成或没有发出，见 summary.html 的问题清单"
    cure = "；".join(
        [
            "运行 reconcile outbox list 查看；待批准的用 reconcile approve",
            *(_CURES[f] for f in stuck if f in _CURES),
        ]
    )
    return [Problem("E855", "error", "上一夜的邮件没有发全", told, cure)]


def _stuck(beat: Heartbeat, fate: str, count: int) -> str:
    """How many and whose: counties by name and code."""
    places = "、".join(_place(place) for place in beat.places.get(fate, ()))
    return f"{_FATES.get(fate, fate)} {count} 封{f'（{places}）' if places else ''}"


def _place(place: str) -> str:
    return f"{region.county_name(place) or ''}{place}" if place.isdigit() else place


def _unsent(why: str, cure: str) -> Problem:
    return Problem("E856", "error", "值守通知没有发出", why, cure)
