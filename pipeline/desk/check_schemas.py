"""`reconcile schemas check`: every dataset file by itself, then what they say together; all complaints at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline.contracts.dataset import Dataset, check_place, load_dataset
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.desk.complaints import all_of, at, told
from pipeline.desk.dataset_facts import fact_problems
from pipeline.desk.dataset_fields import field_problems
from pipeline.locked_database import in_memory


def check_schemas(folder: Path) -> tuple[list[str], bool]:
    """The lines to print, the count last, and whether anything is wrong."""
    datasets, problems = read_all(folder)
    with in_memory() as con:
        for path, dataset in datasets.items():
            problems += [*field_problems(path, dataset), *fact_problems(path, dataset, con)]
    problems += [*_twice(datasets), *_register(folder, datasets)]
    return told(problems, f"{len(list(folder.glob('*/*.yaml')))} 个数据说明")


def read_all(folder: Path) -> tuple[dict[Path, Dataset], list[Problem]]:
    """The files that can be read, by path in sorted order, and the problems of those that cannot."""
    datasets: dict[Path, Dataset] = {}
    problems: list[Problem] = []
    for path in sorted(folder.glob("*/*.yaml")):
        try:
            dataset = load_dataset(path)
            check_place(dataset, path)
        except ReconcileError as error:
            problems += all_of(error)
        else:
            datasets[path] = dataset
    return datasets, problems


def _twice(datasets: dict[Path, Dataset]) -> Iterator[Problem]:
    """A fact's name belongs to one list."""
    first: dict[str, Dataset] = {}
    for path, dataset in datasets.items():
        for name in dataset.facts:
            if name in first:
                what = f"事实“{name}”声明了两次"
                why = f"{first[name].dataset} 已经声明了它"
                yield at(path, Problem("E107", "error", what, why, "改一个名称"), "facts", name)
            first.setdefault(name, dataset)


def _register(folder: Path, datasets: dict[Path, Dataset]) -> Iterator[Problem]:
    """There is one register, and at most one death list."""
    for role, title, needed in (("register", "持证残疾人名册", True), ("deaths", "死亡名单", False)):
        of_role = [path for path, dataset in datasets.items() if dataset.role == role]
        if needed and not of_role:
            what = f"没有找到{title}的数据说明"
            why = f"{folder.name}/ 中没有可用的 role: {role}"
            yield Problem(
                "E104", "error", what, why, "在名册的数据说明里写 role: register，或用 --schemas 指明文件夹"
            )
        for path in of_role[1:]:
            why = f"{datasets[of_role[0]].dataset} 已经是{title}"
            yield at(path, Problem("E109", "error", f"不能有两个{title}", why, "只留一个 role"), "role")
