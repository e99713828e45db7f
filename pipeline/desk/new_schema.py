"""`reconcile schemas new`: the file of a new dataset, commented, valid as it stands, to be finished by a person."""

from __future__ import annotations

import re
from pathlib import Path

from pipeline.contracts.dataset import check_place, load_dataset
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.desk.draft_fields import Draft, DraftField, draft_of
from pipeline.desk.yaml_text import scalar

_BLANK = Draft(
    (
        DraftField("name", "姓名", "name", True),
        DraftField("id", "身份证号", "id", True),
        DraftField("cert", "残疾人证号", "certificate", True),
    ),
    "",
)
_HEAD = """# {title}的数据说明。这是 `reconcile schemas new` 写的草稿，请逐项核对、补充，再运行 `reconcile schemas check`。
dataset: {key}
title: {title}
department: {department}
grain: 请写明一行是什么，例如：一行是一个人的一笔发放。
delivery:
  by: {by}  # county：每县一份；prefecture：全州（市）一份
  stale_after_days: 62  # 快照日期比核对日期早这么多天以上，就不再据以下结论
person: {{{person}}}  # 哪些列说的是这一行的本人：name、id、certificate、birth_date、sex；
# 号码残缺时还靠这些认人，有就写：area、address、phone、account、guardian_name、guardian_id、category、level
# unique_by: []  # 每人只有一行时写 []；每人每个险种一行写 [险种列]；可有多行就不写
# household: {{family: 户号列, head_name: 户主姓名列, head_id: 户主身份证列, relation: 与户主关系列}}  # 按户的名单才写
# live: "state = '正常'"  # 哪些行有效；不写就是每一行都算

# 每一列：title 名称；type 种类（text name id certificate date month year amount integer code region）；
# required 缺了这一列就不采用；headers 见过的表头写法。type: code 的列要写 codes（代码: [见过的写法]），例如：
#   state:
#     title: 状态
#     type: code
#     required: true
#     headers: [状态, 发放状态]
#     codes:
#       正常: [正常, 在享]
#       停发: [停发, 停止]
fields:
"""
_TAIL = """
# 规则里用的事实。any(条件)：有这样一行；first(列)：这一列的值；count(条件)、sum(列 where 条件)。
# absent: no 表示名单齐全，不在名单上就是“否”；unknown 表示没有写明就是“未知”。say 用在报告里：“名册中未见……”
# facts:
#   在享待遇: {of: "any(live)", say: 在享的待遇记录}
"""


def new_schema(folder: Path, key: str, title: str, department: str, by: str, source: Path | None) -> str:
    """Writes the file; returns what to do next. `by` is county or prefecture.

    Raises ReconcileError E113 (exists, cannot be written), E115 (a wrong option, no header in `source`) or whatever
    makes `source` unreadable. On failure nothing is left behind.
    """
    _check_options(key, title, department, by)
    path = folder / f"{key}.yaml"
    if path.exists():
        raise _not_written(path, "已有这个数据说明，不会被覆盖", "直接修改它，或换一个名称")
    draft = draft_of(source) if source else _BLANK
    text = draft_text(key, title, department, by, draft)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise _not_written(path, error.strerror or type(error).__name__, "检查文件夹和权限") from None
    try:
        check_place(load_dataset(path), path)
    except ReconcileError:
        path.unlink()
        raise
    return _next_steps(path, key, draft)


def draft_text(key: str, title: str, department: str, by: str, draft: Draft) -> str:
    """The whole file."""
    roles = [f"{'certificate' if f.key == 'cert' else f.key}: {f.key}" for f in draft.fields if f.own]
    head = _HEAD.format(
        key=key, title=scalar(title), department=scalar(department), by=by, person=", ".join(roles)
    )
    return head + "".join(_field_text(field) for field in draft.fields) + _TAIL


def _field_text(field: DraftField) -> str:
    required = "    required: true\n" if field.own and field.key != "cert" else ""
    return (
        f"  {field.key}:\n    title: {scalar(field.header)}\n    type: {field.type}\n{required}"
        f"    headers: [{scalar(field.header)}]\n"
    )


def _check_options(key: str, title: str, department: str, by: str) -> None:
    faults = {
        "DATASET": (
            re.fullmatch("[a-z_]+/[a-z_]+", key),
            "写成 部门/名单，只用小写字母和下划线，如 justice/prisoners",
        ),
        "--title": (title.strip() and title.isprintable(), "写名单的中文名称"),
        "--department": (department.strip() and department.isprintable(), "写部门的中文名称"),
        "--by": (by in ("county", "prefecture"), "写 county（每县一份）或 prefecture（全州一份）"),
    }
    for option, (fits, cure) in faults.items():
        if not fits:
            raise ReconcileError(Problem("E115", "error", f"{option} 不合规", "不能用它写数据说明", cure))


def _not_written(path: Path, why: str, cure: str) -> ReconcileError:
    return ReconcileError(
        Problem("E113", "error", "数据说明没有写出", why, cure, file=f"{path.parent.name}/{path.name}")
    )


def _next_steps(path: Path, key: str, draft: Draft) -> str:
    lines = [f"已写出 {path}（草稿，{len(draft.fields)} 列）。"]
    if draft.place:
        lines.append(f"表头取自 {draft.place}；是哪一行、各列的种类都只是猜的，必须由人核对：")
        lines += [f"  {field.key}  {field.header}  {field.type}" for field in draft.fields]
    if not any(field.own and field.key != "name" for field in draft.fields):
        lines.append("没有找到本人的身份证号或残疾人证号列：请在 person 或 household 里写明。")
    lines += [
        "下一步：",
        "  1. 打开文件，写明 grain，核对每一列的 type、required、headers，补上代码列的 codes；",
        "  2. 写 live 和 facts（文件里有例子）；",
        "  3. 运行 `reconcile schemas check`；",
        f"  4. 把报送的文件放进 收件箱/{key}/，再运行 `reconcile run`。",
    ]
    return "\n".join(lines)
