"""`reconcile alias add`: teaches a dataset another spelling of a header, in the file's own text."""

from __future__ import annotations

import os
import re
from pathlib import Path

from pipeline.contracts.dataset import Dataset, load_dataset
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.desk.complaints import name_of, nearest
from pipeline.desk.show_schema import find_dataset
from pipeline.desk.yaml_text import Elsewhere, with_header
from pipeline.identity.region import county_name, is_county, successor
from pipeline.intake.header_text import plain


def add_alias(folder: Path, dataset: str, field: str, header: str, county: str = "") -> str:
    """Adds the header; returns what was done. The file is replaced in one step, or left as it was.

    Raises ReconcileError E112 (no such dataset, field or county), E114 (the header cannot be added).
    """
    before = find_dataset(folder, dataset)
    path = folder / f"{dataset}.yaml"
    header = header.strip()
    _check_field(before, field)
    county = _county(county)
    _check_header(before, field, header)
    where = f"{county}{county_name(county) or ''}的" if county else ""
    title = before.fields[field].title
    if _has(before, field, header, county):
        return f"{name_of(path)} 里 {field}（{title}）{where}表头已有“{header}”，没有改动。"
    try:
        text = with_header(path, field, header, county)
    except Elsewhere:
        raise _by_hand(path, field, header) from None
    _replace(path, text, _expected(before, field, header, county))
    return f"已在 {name_of(path)} 的 {field}（{title}）{where}表头中加入“{header}”。可用 `reconcile schemas show {dataset}` 查看。"


def _check_field(dataset: Dataset, field: str) -> None:
    if field not in dataset.fields:
        titles = {spec.title: name for name, spec in dataset.fields.items()}
        near = titles.get(field) or nearest(field, dataset.fields)
        fields = "、".join(f"{name}（{spec.title}）" for name, spec in dataset.fields.items())
        problem = Problem(
            "E112",
            "error",
            f"{dataset.dataset} 没有字段“{field}”",
            f"它的字段有：{fields}",
            f"相近的有：{near}",
        )
        raise ReconcileError(problem)


def _county(county: str) -> str:
    """Today's code: files are read under it."""
    if county and not is_county(county):
        raise ReconcileError(
            Problem(
                "E112",
                "error",
                f"没有区划代码为“{county}”的县",
                "--county 应为六位县级代码",
                "查对区划代码，例如 533423",
            )
        )
    return successor(county)


def _check_header(dataset: Dataset, field: str, header: str) -> None:
    if not plain(header) or re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", header):
        raise ReconcileError(
            Problem(
                "E114",
                "error",
                "表头不能为空，也不能含换行等控制字符",
                "它应是表格里那一格的文字",
                "照表格抄写一行文字",
            )
        )
    if re.search("[0-9]{6}", header):
        raise ReconcileError(
            Problem("E114", "error", "这不像表头：有六位以上的数字", "号码不能写进数据说明", "照表格抄写列名")
        )
    for name, spec in dataset.fields.items():
        mine = [*spec.headers, *(h for many in spec.county_headers.values() for h in many)]
        if name != field and plain(header) in {plain(known) for known in mine}:
            why = f"它已经是 {name}（{spec.title}）的表头"
            cure = f"核对这一列究竟是哪一项；确要改归 {field}，请先从 {name} 里删去"
            raise ReconcileError(Problem("E114", "error", f"表头“{header}”不能加到 {field}", why, cure))


def _has(dataset: Dataset, field: str, header: str, county: str) -> bool:
    spec = dataset.fields[field]
    known = [*spec.headers, *(spec.county_headers.get(county, ()) if county else ())]
    return plain(header) in {plain(one) for one in known}


def _expected(dataset: Dataset, field: str, header: str, county: str) -> Dataset:
    """The dataset as it must read after the edit: nothing else may have changed."""
    spec = dataset.fields[field]
    if county:
        own = {**spec.county_headers, county: (*spec.county_headers.get(county, ()), header)}
        changed = spec.model_copy(update={"county_headers": own})
    else:
        changed = spec.model_copy(update={"headers": (*spec.headers, header)})
    return dataset.model_copy(update={"fields": {**dataset.fields, field: changed}})


def _replace(path: Path, text: str, expected: Dataset) -> None:
    """Writes beside the file, reads back, then takes the file's place."""
    draft = path.with_name(f".{path.name}.new")
    try:
        with draft.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if load_dataset(draft) != expected:
            raise _by_hand(path, "", "")
        draft.chmod(path.stat().st_mode & 0o777)
        draft.replace(path)
    except OSError as error:
        why = error.strerror or type(error).__name__
        problem = Problem("E113", "error", "数据说明写不进去", why, "检查文件夹和权限", file=name_of(path))
        raise ReconcileError(problem) from None
    finally:
        draft.unlink(missing_ok=True)


def _by_hand(path: Path, field: str, header: str) -> ReconcileError:
    what = f"“{header}”没有加进 {field} 的 headers" if field else "改后的文件与预期不符，没有改动"
    return ReconcileError(
        Problem(
            "E114", "error", what, "这份文件的写法特殊，不能自动改", "请手工加入该表头", file=name_of(path)
        )
    )
