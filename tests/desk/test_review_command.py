"""`reconcile review` as it is typed: the page, the workbook out and in, and what is refused."""

from __future__ import annotations

import json
import queue
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest
import review_table as table
from review_table import DIBAO, key, one
from typer.testing import CliRunner, Result

from pipeline import desk
from pipeline.cli import app
from pipeline.contracts.problem import ReconcileError
from pipeline.desk.review_workbook import ANSWER, SHEET, WHO
from pipeline.matching import judgements
from pipeline.matching.judgements import Judgement

AT = "2026-11-05T09:30:00+08:00"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return table.write(tmp_path / "out")


def reconcile(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["review", *map(str, arguments)])


def said(*arguments: str | Path) -> str:
    done = reconcile(*arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


def refused(*arguments: str | Path) -> str:
    error = reconcile(*arguments).exception
    assert isinstance(error, ReconcileError), error
    return error.problem.code


def test_out_filled_in_and_back_again(out: Path, tmp_path: Path) -> None:
    path = tmp_path / "review.xlsx"
    assert "已导出 6 对" in said("--out", out, "--export", path)
    assert path.stat().st_mode & 0o777 == 0o600
    book = openpyxl.load_workbook(path)
    columns = {cell.value: cell.column for cell in book[SHEET][1]}
    assert book[SHEET]["B2"].value == "最低生活保障对象花名册"
    for row, answer in ((2, "同一人"), (3, "不确定"), (4, "也许")):
        book[SHEET].cell(row, columns[ANSWER], answer)
    book[SHEET].cell(2, columns[WHO], "核查人乙")
    book.save(path)
    printed = said("--out", out, "--import", path, "--who", "核查人甲")
    assert "E525 review.xlsx [待核对] 第4行" in printed
    assert printed.endswith("收 3，采纳 2，退回 1。另有 3 行没有填判断。\n")
    stored = judgements.history(out / "state")
    assert stored["answer"].to_list() == ["same", "unsure"]
    assert stored["who"].to_list() == ["核查人乙", "核查人甲"]
    assert re.fullmatch(r"[0-9-]{10}T[0-9:]{8}[+-][0-9:]{5}", stored["at"][0])
    assert "收 3，采纳 0，退回 1。另有 2 行与已有判断" in said(
        "--out", out, "--import", path, "--who", "核查人甲"
    )
    assert "已导出 5 对" in said(
        "--out", out, "--export", tmp_path / "again.xlsx"
    )  # decided ones are left out


def test_state_and_one_list(out: Path, tmp_path: Path) -> None:
    state, path = tmp_path / "elsewhere", tmp_path / "review.xlsx"
    judgements.record(state, [Judgement(key(5), key(1), DIBAO, "same", "甲", AT)])
    printed = said("--out", out, "--state", state, "--dataset", DIBAO, "--export", path)
    assert "已导出 4 对" in printed
    assert "已判的 1 对不再列出" in printed


def test_refusals(out: Path, tmp_path: Path) -> None:
    path = tmp_path / "review.xlsx"
    path.write_bytes(b"filled in")
    assert refused("--out", tmp_path) == "E522"
    assert refused("--out", out, "--export", path) == "E523"
    assert refused("--out", out, "--export", tmp_path / "review.csv") == "E523"
    assert refused("--out", out, "--export", tmp_path / "nowhere" / "review.xlsx") == "E523"
    assert refused("--out", out, "--import", path) == "E524"
    assert refused("--out", out, "--import", path, "--export", path) == "E527"
    assert refused("--out", out, "--dataset", "x/y") == "E527"
    assert refused("--out", out, "--who", "甲\n") == "E527"
    assert path.read_bytes() == b"filled in"
    assert reconcile("--out", out, "--port", "65536").exit_code != 0


def test_nothing_to_review(tmp_path: Path) -> None:
    assert "没有需要人工核对" in said("--out", table.write(tmp_path, [one(1, 1, decision="linked")]))


def test_torn_lines_are_said_first(out: Path, tmp_path: Path) -> None:
    judgements.record(out / "state", [Judgement(key(5), key(1), DIBAO, "same", "甲", AT)])
    journal = out / "state" / "review" / "judgements.jsonl"
    journal.write_bytes(journal.read_bytes()[:-9])
    assert said("--out", out, "--export", tmp_path / "x.xlsx").startswith(
        "E521 review/judgements.jsonl 第1行"
    )


def test_the_page_from_start_to_ctrl_c(out: Path) -> None:
    # A process that a shell started in the background ignores Ctrl-C, and so would its children.
    start = "import signal, pipeline.cli; signal.signal(signal.SIGINT, signal.default_int_handler); pipeline.cli.main()"
    command = [sys.executable, "-c", start, "review", "--out", str(out), "--who", "核查人甲"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stdout
        first, address = run.stdout.readline(), run.stdout.readline().strip()
        assert "6 对待核，已核 0 对" in first
        assert re.fullmatch(r"http://127\.0\.0\.1:[0-9]+/[\w-]{32,}/", address)
        with urllib.request.urlopen(f"{address}api/index") as reply:
            assert json.load(reply)["lists"][0] == [DIBAO, "最低生活保障对象花名册"]
        post(address, "answer", {"pair": 1, "answer": "same", "who": "核查人甲", "before": None})
        run.send_signal(signal.SIGINT)
        rest, errors = run.communicate(timeout=60)
    assert run.returncode == 0, errors
    assert "已结束：已核 1 对，还有 5 对未核" in rest
    assert errors == ""
    assert judgements.current(out / "state").height == 1


def test_the_end_button_ends_the_command(out: Path) -> None:
    request = desk.ReviewRequest(out=out, state=out / "state", schemas=Path("nowhere"))
    lines: queue.Queue[str] = queue.Queue()
    going = threading.Thread(
        target=desk.review, args=(request, lines.put, lambda: datetime.now().astimezone())
    )
    going.start()
    address = next(line.strip() for line in iter(lambda: lines.get(timeout=30), None) if "http" in line)
    post(address, "end", {})
    going.join(30)
    assert not going.is_alive()
    assert "已结束：已核 0 对" in list(lines.queue)[-1]


def post(address: str, what: str, body: dict[str, object]) -> None:
    request = urllib.request.Request(
        f"{address}api/{what}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as reply:
        assert reply.status == 200


def test_the_wheel_brings_the_page() -> None:
    """Hatch packs what is under pipeline/ and not ignored by git."""
    folder = Path(table.__file__).parents[2] / "pipeline" / "desk" / "review"
    assert {path.name for path in folder.iterdir()} == {
        "index.html",
        "review.css",
        "review.js",
        "draw.js",
        "icon.svg",
    }
    ignored = (folder.parents[2] / ".gitignore").read_text("utf-8").split()
    assert not any(word in ignored for word in ("review/", "*.js", "*.css", "*.html", "*.svg"))
