"""`reconcile schemas show`: a dataset on one plain page, for people who do not read YAML."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pipeline.contracts.dataset import Dataset, FieldSpec, load_datasets
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.desk.complaints import nearest
from pipeline.desk.yaml_text import screen_width
from pipeline.identity.region import county_name

_WIDTH = 100
_TYPES = {
    "text": "文字",
    "name": "姓名",
    "id": "身份证号",
    "certificate": "残疾人证号",
    "date": "日期",
    "month": "年月",
    "year": "年度",
    "amount": "金额（元）",
    "integer": "整数",
    "code": "代码",
    "region": "行政区划",
}
_BY = {"county": "每县一份", "prefecture": "全州（市）一份"}
_ROLES = {"register": "持证残疾人名册", "deaths": "死亡名单", "list": ""}


def show_schema(folder: Path, key: str, county: str = "") -> str:
    """The page. `county`: also the headers that only this county writes. Raises ReconcileError E112 for no such dataset."""
    dataset = find_dataset(folder, key)
    parts = [_head(dataset)]
    if county:
        parts.append(f"表头中标“本县”的，只有 {county}{county_name(county) or '（未知的区划代码）'} 这样写。")
    parts += [_field(name, spec, county) for name, spec in dataset.fields.items()]
    parts.append(_facts(dataset))
    return "\n\n".join(parts)


def find_dataset(folder: Path, key: str) -> Dataset:
    """The dataset of the key. Raises ReconcileError E112 naming the nearest keys, or what is wrong with the folder."""
    datasets = load_datasets(folder)
    if key in datasets:
        return datasets[key]
    titles = {dataset.title: dataset.dataset for dataset in datasets.values()}
    near = nearest(titles.get(key, key), datasets)
    why = f"{folder.name}/ 里有 {len(datasets)} 个数据说明"
    raise ReconcileError(Problem("E112", "error", f"没有数据说明“{key}”", why, f"相近的有：{near}"))


def _head(dataset: Dataset) -> str:
    lines = [
        f"{dataset.title}（{dataset.dataset}）",
        f"  部门    {dataset.department}",
        f"  内容    {dataset.grain}",
        f"  报送    {_BY[dataset.delivery.by]}，放在 收件箱/{dataset.dataset}/；"
        f"超过 {dataset.delivery.stale_after_days} 天算过期",
        f"  有效行  {dataset.live or '每一行都算'}",
    ]
    if _ROLES[dataset.role]:
        lines.insert(2, f"  用作    {_ROLES[dataset.role]}")
    person = {name: role for role, name in dataset.person.model_dump().items() if name}
    if person:
        lines.append(f"  本人    {'、'.join(dataset.fields[name].title for name in person)}")
    return "\n".join(lines)


def _field(name: str, spec: FieldSpec, county: str) -> str:
    must = "必有" if spec.required else "可无"
    lines = [f"列 {name}  {spec.title}  {_TYPES[spec.type]}  {must}"]
    lines += _wrapped("    表头  ", spec.headers)
    if county and spec.county_headers.get(county):
        lines += _wrapped("    本县  ", spec.county_headers[county])
    for code, spellings in spec.codes.items():
        lines += _wrapped(f"    {code}：", (spelling or "（空白）" for spelling in spellings))
    return "\n".join(lines)


def _facts(dataset: Dataset) -> str:
    if not dataset.facts:
        return "事实：无"
    lines = ["事实（规则里用的名称）"]
    for name, spec in dataset.facts.items():
        absent = "不在名单上就是“否”" if spec.absent == "no" else "没有写明就是“未知”"
        house = "，按户" if spec.of_household else ""
        lines.append(f"  {name}  =  {spec.of}  （{absent}{house}）")
    return "\n".join(lines)


def _wrapped(label: str, words: Iterable[str]) -> list[str]:
    """The words after the label, broken into lines of about a screen's width."""
    lines, indent = [label], " " * screen_width(label)
    for word in words:
        if screen_width(lines[-1]) + screen_width(word) > _WIDTH and lines[-1] not in (label, indent):
            lines.append(indent)
        lines[-1] += word + "  "
    return [line.rstrip() for line in lines]
