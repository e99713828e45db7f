"""Where `schemas/` and `rules/` are: given by option, in the working folder, beside the source, or installed with the package."""

from __future__ import annotations

from pathlib import Path

from pipeline.contracts.problem import Problem, ReconcileError

_HERE = Path(__file__).resolve().parent


def schemas_folder(given: Path | None) -> Path:
    """The folder of dataset files. Raises ReconcileError E108 where there is none."""
    return _folder("schemas", given)


def rules_folder(given: Path | None) -> Path:
    """The folder of rules. Raises ReconcileError E108 where there is none."""
    return _folder("rules", given)


def _folder(name: str, given: Path | None) -> Path:
    places = [given] if given else [Path(name), _HERE.parent / name, _HERE / "installed" / name]
    for place in places:
        if place.is_dir():
            return place
    raise ReconcileError(
        Problem(
            "E108",
            "error",
            f"找不到 {name}/ 文件夹",
            "当前文件夹、安装位置都没有",
            f"用 --{name} 指明",
            file=name,
        )
    )
