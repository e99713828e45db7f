"""`reconcile rules new`: the file of a new rule or finding, commented, readable as it stands, to be finished by a person.

Its placeholders are names that no list declares: `rules check` tells each one with its line, and no night runs with them.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from pipeline.contracts.dataset import load_datasets
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.contracts.rule import load_rule
from pipeline.desk.complaints import nearest
from pipeline.desk.yaml_text import scalar

_CODE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_SCHEMA = Path("editor") / "rule.schema.json"  # where `schemas json-schema` is told to write in docs/rules.md
_HEAD = """# {title}。这是 `reconcile rules new` 写的草稿：带“请”字的都要改，改完运行 `reconcile rules check` 和 `reconcile rules test`。
{kind}: {code}
title: {title}
owner: {owner}
law: 请写文号、日期和条款；没有对照过正式文件的，写明（待核）
since: {since}  # 从哪一天起施行；已废止的再写 until
"""
_BENEFIT = """strength: entitlement  # entitlement 依法应享；quota 有名额，缺口是排队；lead 只是上门了解的线索
urgency: 5  # 1 排在县报告最前，9 最后
# question_if_not_due: yes  # 在领而确定不符合的，列为“在领待核”（只用于少数补贴）

# 有效的残疾人证、不在死亡名单上：程序自己判断，不要写。
who:  # 都要符合
  - id: 请写条件名  # 两三个字，用例的 because 里要用
    say: 请写整句话，干部在报告里看到的就是它
    when: 请写条件  # 例如 残疾等级 <= 2 and (低保 or 低保边缘)；事实名见 reconcile schemas show
    # law: 与总的依据不同时才写
# except:  # 有一项就不享受
#   - id: 特困
#     say: 已纳入特困人员供养
#     when: 特困供养
received: 请写事实名  # 名单上看到哪个事实就算已享受
# amount: {per: month, value: 补贴标准}  # month 每月、year 每年、once 一次性；标准写在 parameters 里

# parameters:
#   补贴标准:
#     unit: 元/月
#     values: {}  # 全国的值，按起始日期；没有就空着
#     regions:
#       "53":  # 省两位、州（市）四位、县六位，要加引号；最长的先算
#         values: {2026-01-01: 100}
#         law: 请写地方文件（待核）

not_checked:
  - 请写名单查不出来、需要人核实的事。

# 用例：没有给的事实都是未知。每个条件要有一个只由它决定的、一个只有它未知的。
cases:
  - name: 请用一句话写这是什么人、应当怎样
    region: "530000"
    as_of: {since}
    given: {请写事实名: no}
    expect: missing  # missing receiving not_due undetermined renew_first
  # - name: 名单没有送来，无法判断
  #   given: {}
  #   expect: undetermined
  #   because: [请写条件名]
"""
_FINDING = """urgency: 5  # 1 排在县报告最前，9 最后

# 条件确定成立才提示；提示只请人核实，从不据此停发。
who:  # 都要成立
  - id: 请写条件名  # 两三个字，用例的 because 里要用
    say: 请写整句话，干部在报告里看到的就是它
    when: 请写条件  # 例如 在领护理补贴 and 特困供养；事实名见 reconcile schemas show
# except:  # 有一项就不提示
#   - id: 死亡
#     say: 死亡名单中有此人
#     when: 死亡

not_checked:
  - 请写名单查不出来、需要人核实的事。

# 用例：没有给的事实都是未知。每个条件要有一个只由它决定的、一个只有它未知的。
cases:
  - name: 请用一句话写这是什么人、为什么要提示
    region: "530000"
    as_of: {since}
    given: {请写事实名: yes}
    expect: found  # found not_found undetermined
  # - name: 名单没有送来，无法判断
  #   given: {}
  #   expect: undetermined
  #   because: [请写条件名]
"""


def new_rule(
    rules: Path, schemas: Path, code: str, title: str, owner: str, since: date, *, finding: bool = False
) -> str:
    """Writes the file; returns what to do next. `owner` is a department of the dataset files.

    Raises ReconcileError E315 (there is such a rule, cannot be written), E316 (a wrong option).
    """
    owners = {dataset.department for dataset in load_datasets(schemas).values()}
    _check_options(code, title, owner, owners)
    path = rules / "findings" / f"{code}.yaml" if finding else rules / f"{code}.yaml"
    for taken in (rules / f"{code}.yaml", rules / "findings" / f"{code}.yaml"):
        if taken.exists():
            raise _not_written(taken, "已有这条规则，不会被覆盖", "直接修改它，或换一个代码")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(_hint(rules, finding) + rule_text(code, title, owner, since, finding=finding))
    except OSError as error:
        raise _not_written(path, error.strerror or type(error).__name__, "检查文件夹和权限") from None
    try:
        load_rule(path)
    except ReconcileError:
        path.unlink()
        raise
    return _next_steps(path, code)


def rule_text(code: str, title: str, owner: str, since: date, *, finding: bool) -> str:
    """The whole file."""
    day = since.isoformat()
    kind = "finding" if finding else "benefit"
    head = _HEAD.format(kind=kind, code=code, title=scalar(title), owner=scalar(owner), since=day)
    return head + (_FINDING if finding else _BENEFIT).replace("{since}", day)


def _hint(rules: Path, finding: bool) -> str:
    """The editor's first line, where the JSON Schema has been written beside the rules."""
    if not (rules.parent / _SCHEMA).is_file():
        return ""
    up = "../../" if finding else "../"
    return f"# yaml-language-server: $schema={up}{_SCHEMA.as_posix()}\n"


def _check_options(code: str, title: str, owner: str, owners: set[str]) -> None:
    near = nearest(owner, owners)
    faults = {
        "CODE": (_CODE.fullmatch(code), "只用小写英文字母、数字，词间用下划线，如 transport_subsidy"),
        "--title": (title.strip() and title.isprintable(), "写中文名称，一行"),
        "--owner": (
            owner in owners,
            f"写主管部门：{'、'.join(sorted(owners))}" if near == "无" else f"相近的有：{near}",
        ),
    }
    for option, (fits, cure) in faults.items():
        if not fits:
            raise ReconcileError(Problem("E316", "error", f"{option} 不合规", "不能用它写规则", cure))


def _not_written(path: Path, why: str, cure: str) -> ReconcileError:
    return ReconcileError(
        Problem("E315", "error", "规则没有写出", why, cure, file=f"{path.parent.name}/{path.name}")
    )


def _next_steps(path: Path, code: str) -> str:
    return "\n".join(
        [
            f"已写出 {path}（草稿）。",
            "下一步：",
            "  1. 打开文件，把带“请”字的都改掉；事实名用 `reconcile schemas show 部门/名单` 查；",
            "  2. 写用例，直到每个条件都有一个只由它决定的、一个只有它未知的；",
            "  3. 运行 `reconcile rules check`，它逐行说明还缺什么；再运行 `reconcile rules test`；",
            f"  4. 用 `reconcile rules show {code}` 打印出来，请懂政策的人看一遍。",
        ]
    )
