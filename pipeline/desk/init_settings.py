"""`reconcile init`: a settings file with every key at its default and a word on each, made from the model itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.settings import Settings

# What each key means. A test holds that no key of the model is without its words.
SAID = {
    "region": "州（市）的名称，写在报告标题里；留空就用名册上的区划代码查出",
    "counties": "县的特别设置，按六位区划代码；一般不用写。去掉行首的 # 即可启用",
    "counties.name": "系统不认识的代码（开发区、农场等）在报告里的名称",
    "counties.full_ids": "true：该县报告里写完整证件号码；须有依据",
    "counties.full_ids_reason": "依据，如批准文件的名称和日期",
    "counties.seal": "完整号码怎样加密：zip（AES-256 压缩包）或 xlsx（带密码的表格）",
    "counties.by_township": "true：另按乡镇各出一份，便于转交",
    "thresholds": "名单在什么情况下不予采用（没有另外说明的都是占行数的比例，0 到 1）",
    "thresholds.unknown_codes": "必有的代码列里，认不出的写法超过这个比例就不采用",
    "thresholds.usable_ids": "有可用身份证号或残疾人证号的行少于这个比例就不采用",
    "thresholds.broken_rows": "读不出来的行（列数不对、乱码）超过这个比例就不采用",
    "thresholds.rows_fall": "行数不到上次采用的这个比例就不采用（分县计算）",
    "thresholds.rows_rise": "行数超过上次采用的这么多倍就不采用",
    "thresholds.people_vanished": "上次名单上的人这次不见了的超过这个比例就不采用",
    "thresholds.short_list": "不到这么多行的短名单，少了一半以上才算",
    "thresholds.cut_share": "末尾连续缺的行超过这个比例、",
    "thresholds.cut_rows": "且不少于这么多行，就当作被截断",
    "thresholds.damaged_ids": "没有完好号码的行超过这个比例、",
    "thresholds.damaged_rise": "且比上次多出这么多，就不采用",
    "thresholds.doubled_rows": "重复的行比上次多出这个比例就不采用",
    "matching": "号码残缺的行与持证人的比对（概率，0 到 1）",
    "matching.link_probability": "把握达到这么大才算是本人",
    "matching.review_probability": "把握在这以上、不到上一项的，算存疑，由人判断（reconcile review）；依赖它的结论写“待核实”",
    "matching.weights": "reconcile tune --fit 生成的比对模型文件（与本文件放在一起）；留空用自带的",
    "limits": "一台机器可用的资源",
    "limits.memory_gb": "内存（GB）",
    "limits.threads": "线程数；0 表示全部",
    "limits.workbook_mb": "一个表格文件解开后最大多少 MB",
    "mail": "发邮件。不写 host 就从不发送；加 --send 才发送，只走加密连接",
    "mail.host": "邮件服务器",
    "mail.port": "端口：tls 一般为 465，starttls 一般为 587",
    "mail.security": "tls 或 starttls；没有不加密的方式",
    "mail.ca_file": "本单位的根证书（PEM，与本文件放在一起）；留空用系统的",
    "mail.user": "登录名；留空不登录",
    "mail.sender": "发件地址",
    "mail.sender_name": "发件人名称：不要出现“残疾”等字样",
    "mail.reply_to": "回信地址；留空就是发件地址",
    "mail.contact": "邮件里写的联系方式",
    "mail.allowed_domains": '只向这些域名发送，如 ["dq.gov.cn"]',
    "mail.allowed_domains_reason": "用 163.com 等公众邮箱的依据",
    "mail.operator": "运行失败时通知谁",
    "mail.secrets": "密码文件（与本文件放在一起，权限 0400）：smtp_password，[county_passwords] 各县附件密码",
    "mail.timeout_seconds": "等服务器多少秒",
    "mail.tries_a_night": "一封信一夜试几次",
    "mail.minutes_between_tries": "两次之间等几分钟",
    "mail.nights": "试几夜不成就不再试",
    "mail.largest_mb": "一封信最大多少 MB",
    "recipients": "各县收件人：县区划代码 = 地址的列表",
    "departments": "数据质量通知发给哪个部门：部门文件夹名 = 地址的列表",
    "period": "第N期什么时候发、什么时候反馈",
    "period.latest_day": "每月最迟这一天发；名册提前到齐就提前发",
    "period.workdays_to_answer": "几个工作日内反馈",
    "period.urgent": "不等下一期、随时下发的政策代码或疑点代码",
    "period.holidays": "程序自带日历还不知道的放假日，如 [2027-02-08]",
    "period.workdays": "调休上班的周末",
    "approval": "发送前的批准（reconcile approve）",
    "approval.second_person": "true：不能由运行的人自己批准",
    "approval.always": "true：每期都要批准；false：只在新增异常多、收件人或规则有改动时",
    "retention": "各类文件保存多少天；0 表示不清除",
    "retention.snapshots": "采用过的名册（Parquet）",
    "retention.quarantine": "隔离的文件",
    "retention.nights": "各夜存档（reconcile diff 用）",
    "retention.mail": "已办结的邮件文件",
    "retention.backups": "台账备份",
    "retention.log": "运行日志（网络安全法要求不少于六个月）",
    "retention.access": "查看个人信息的记录（不少于三年）",
}
_HEAD = """# reconcile 的设置。每一项都有默认值，这里写的就是默认值；不写这个文件也能运行。
# 放在运行命令的文件夹里自动使用，或用 --config 指明。密码不写在这里。
"""


def init_settings(out: Path, region: str) -> str:
    """Writes the file; returns what to do next. Raises ReconcileError E113 where there already is one."""
    text = settings_text(region)
    try:
        with out.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        why = "已有的设置不会被覆盖"
        raise ReconcileError(
            Problem("E113", "error", "文件已经存在", why, "换一个 --out，或先把旧文件改名", file=out.name)
        ) from None
    except OSError as error:
        raise ReconcileError(
            Problem("E113", "error", "文件写不出来", error.strerror or "", "检查文件夹和权限", file=out.name)
        ) from None
    return f"已写出 {out}。按其中的说明修改后，用 `reconcile run --config {out} …` 运行。"


def settings_text(region: str) -> str:
    """The whole file, the region's name filled in."""
    values = {**Settings().model_dump(), "region": region}
    plain = [name for name, value in values.items() if not isinstance(value, dict)]
    lines = [_HEAD, *(_key(name, name, values[name]) for name in plain)]
    for name in (name for name in values if name not in plain and name not in _EXAMPLES):
        table = values[name]
        lines += [
            f"\n# {SAID[name]}",
            f"[{name}]",
            *(_key(f"{name}.{key}", key, table[key]) for key in table),
        ]
    return "\n".join([*lines, *(_example(name) for name in _EXAMPLES), _counties_example()])


# tables whose keys are codes: by default there is nobody to be named
_EXAMPLES = {
    "counties": "",
    "recipients": '"533499" = ["canlian@example.gov.cn"]',
    "departments": 'civil_affairs = ["minzheng@example.gov.cn"]',
}


def _example(name: str) -> str:
    line = _EXAMPLES[name]
    return f"\n# {SAID[name]}\n# [{name}]\n# {line}" if line else ""


def _key(path: str, key: str, value: Any) -> str:
    return f"# {SAID[path]}\n{key} = {_toml(value)}"


def _toml(value: Any) -> str:
    """A text, number or yes/no in TOML; JSON's form is TOML's for these."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _counties_example() -> str:
    """The table of a county, commented out: there is no county to be named by default."""
    field = Settings.model_fields["counties"].annotation
    model: type[BaseModel] = field.__args__[1]  # type: ignore[union-attr]
    keys = model().model_dump()
    lines = [f"# {SAID['counties']}", '# [counties."533499"]']
    for key, value in keys.items():
        lines += [f"# {key} = {_toml(value)}    # {SAID[f'counties.{key}']}"]
    return "\n" + "\n".join(lines) + "\n"
