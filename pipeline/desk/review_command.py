"""`reconcile review`: the page, or a workbook out and in, on the doubtful pairs of the last run."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from pipeline.contracts.dataset import load_datasets
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.desk import review_import
from pipeline.desk.review_page import Review
from pipeline.desk.review_pairs import doubtful_pairs, known_pairs
from pipeline.desk.review_server import serving
from pipeline.desk.review_workbook import review_workbook
from pipeline.matching import judgements
from pipeline.matching.judgements import UNSURE, is_name


@dataclass(frozen=True)
class ReviewRequest:
    """What was asked for: `export_to` or `import_from` (not both) instead of the page. `dataset` "": all lists."""

    out: Path
    state: Path
    schemas: Path
    port: int = 0
    who: str = ""
    dataset: str = ""
    export_to: Path | None = None
    import_from: Path | None = None


def review(request: ReviewRequest, say: Callable[[str], None], clock: Callable[[], datetime]) -> None:
    """Does it, saying what happens; with the page, returns when it is ended. `clock` gives local time with its offset.

    Raises ReconcileError E520, E522-E524, E526, E527.
    """
    if request.export_to and request.import_from:
        raise _usage("--export 和 --import 不能同时用", "一个是导出，一个是收回")
    if request.who and not is_name(request.who):
        raise _usage("--who 不能这样写", f"姓名要在{judgements.LONGEST_NAME}个字以内，没有换行")
    for problem in judgements.complaints(request.state):
        say(problem.line())
    if request.import_from:
        _import(request, request.import_from, say, clock)
        return
    pairs = doubtful_pairs(request.out, request.dataset)
    if pairs.is_empty():
        say("没有需要人工核对的对。")
    elif request.export_to:
        _export(request, request.export_to, pairs, say, clock)
    else:
        _serve(request, pairs, say, clock)


def _serve(
    request: ReviewRequest, pairs: pl.DataFrame, say: Callable[[str], None], clock: Callable[[], datetime]
) -> None:
    session = Review(pairs, _titles(request.schemas), request.state, clock, request.who)
    say(f"{pairs.height} 对待核，已核 {_judged(request.state, pairs)} 对。请在本机的浏览器里打开：")
    try:
        with serving(session, request.port) as server:
            say(f"  {server.address}")
            say("地址含一次性口令，只在本机、这一次有效，请勿转发。结束：按页面上的“结束”或在这里按 Ctrl-C。")
            server.ended.wait()
    except KeyboardInterrupt:
        say("")
    done = _judged(request.state, pairs)
    say(f"已结束：已核 {done} 对，还有 {pairs.height - done} 对未核。判断已存下，下次 reconcile run 时采用。")


def _export(
    request: ReviewRequest,
    path: Path,
    pairs: pl.DataFrame,
    say: Callable[[str], None],
    clock: Callable[[], datetime],
) -> None:
    """Pairs that somebody has decided already are left out: an old answer in a file must not undo a newer one."""
    if path.suffix.lower() != ".xlsx":
        raise _unwritten(path, "只能导出为 xlsx", "文件名以 .xlsx 结尾")
    decided = judgements.current(request.state).filter(pl.col("answer") != UNSURE)
    left = pairs.join(decided, on=["row_key", "person_key"], how="anti", maintain_order="left")
    content = review_workbook(left, _titles(request.schemas), clock())
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
    except FileExistsError:
        raise _unwritten(path, "文件已经存在", "里面可能有填好的判断，不覆盖；换一个名字") from None
    except OSError as error:
        raise _unwritten(path, error.strerror or "", "检查文件夹和权限") from None
    judged = pairs.height - left.height
    say(f"已导出 {left.height} 对到 {path}" + (f"（已判的 {judged} 对不再列出）。" if judged else "。"))
    say(f"内有完整证件号码，注意保管。填好后：reconcile review --out {request.out} --import {path}")


def _import(
    request: ReviewRequest, path: Path, say: Callable[[str], None], clock: Callable[[], datetime]
) -> None:
    known = known_pairs(request.out, request.dataset)
    standing = judgements.read(request.state).in_force()
    taken = review_import.take(path, known, standing, request.who, clock().isoformat(timespec="seconds"))
    judgements.record(request.state, taken.judgements)
    for line in review_import.report(taken):
        say(line)


def _judged(state: Path, pairs: pl.DataFrame) -> int:
    """How many of the pairs have an answer in force."""
    return pairs.join(judgements.current(state), on=["row_key", "person_key"], how="semi").height


def _titles(schemas: Path) -> dict[str, str]:
    """Lists' titles by key; none where the dataset files have a fault, which is no reason not to review."""
    try:
        return {key: dataset.title for key, dataset in load_datasets(schemas).items()}
    except ReconcileError:
        return {}


def _usage(what: str, why: str) -> ReconcileError:
    return ReconcileError(Problem("E527", "error", what, why, "见 reconcile review --help"))


def _unwritten(path: Path, why: str, cure: str) -> ReconcileError:
    return ReconcileError(Problem("E523", "error", "核对表没有导出", why, cure, file=path.name))
