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
    for name in (name for name in values if name not in plain and name != "counties"):
        table = values[name]
        lines += [
            f"\n# {SAID[name]}",
            f"[{name}]",
            *(_key(f"{name}.{key}", key, table[key]) for key in table),
        ]
    return "\n".join([*lines, _counties_example()])


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
