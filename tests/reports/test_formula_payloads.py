"""A thousand payloads in every text that comes from outside, through every writer of tables, opened again by the clerk's programs."""

from __future__ import annotations

import dataclasses
import itertools
import shutil
import subprocess
from pathlib import Path

import openpyxl
import polars as pl
import pytest
import report_nights as nights
from test_case_words import a_case

from pipeline.cases.feedback_file import Returned
from pipeline.cases.feedback_receipt import Receipt, write_receipts
from pipeline.cases.flow import FLOW
from pipeline.contracts.problem import Problem
from pipeline.contracts.settings import Settings
from pipeline.contracts.tables import CASES, CASES_TOLD
from pipeline.desk.case_export import WIDTHS, _with_places, _write
from pipeline.reports.county import write_county_reports
from pipeline.reports.follow_up import write_follow_up
from pipeline.reports.needs import write_needs
from pipeline.reports.night import NightForReports
from pipeline.reports.quality_letter import quality_letters

_BEGIN = (
    "", " ", "\u3000", "\u00a0", "\t", "\r", "\n", "\r\n", "\u200b", "\ufeff", "\u2060", "'", "\u2018", '"', " '", "\u200b'",
    "a\n", "a\r\n", "王;", "王,", "王\t", "王|", '王";', "a; ",
)  # fmt: skip
_SIGNS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_BODIES = (
    "1+1", "cmd|'/C calc'!A0", 'HYPERLINK("http://x/?"&A1,"y")', "SUM(A1:A9)", "DDE(\"cmd\";\"/C calc\";\"!A0\")", "", "\r\n=1+1",
)  # fmt: skip
_WHOLE = (
    "{=1+1}",
    "<r>=1+1</r>",
    "<r><t>x</t></r>",
    "_x003D_1+1",
    "of:=1+1",
    "=1+1\x00",
    "=1+1\x1b",
    "%3D1+1",
    "&=1+1",
    "'=1+1",
)


def payloads() -> list[str]:
    """1,000 and a few: every begin × sign × body, and what is a form of its own."""
    made = [begin + sign + body for begin, sign, body in itertools.product(_BEGIN, _SIGNS, _BODIES)]
    return [*made[:1000], *_WHOLE, *made[1000:]]


def a_night(texts: list[str]) -> NightForReports:
    """Names, guardians, addresses (townships and villages), reasons, rule titles, counties: a payload each."""
    people = [
        nights.person(
            n % 1000,
            certificate_number=f"P{n:05d}",
            name=text,
            guardian_name=text,
            address=f"示例市{texts[n % 25 * 40]}乡{text}村",
        )
        for n, text in enumerate(texts)
    ]
    codes = (
        ("nursing_subsidy", "missing"),
        ("accessibility_renovation", "missing"),
        ("living_subsidy", "verify"),
    )
    outcomes = [nights.outcome(p, *codes[n % 3], reason=p["name"]) for n, p in enumerate(people)]
    findings = [nights.finding(p, "certificate_expired", reason=p["name"]) for p in people[:50]]
    bad = texts[0]
    rules = {
        code: rule.model_copy(update={"title": bad, "owner": bad, "law": bad, "not_checked": (bad,)})
        for code, rule in nights.rules().items()
    }
    wish = {"539901": {"by_township": True, "full_ids": True, "full_ids_reason": "测试"}}
    night = nights.night(
        people, outcomes, findings, rules=rules, settings=Settings.model_validate({"counties": wish}),
        counties={**nights.COUNTIES, "539902": bad},
        problems=tuple(
            Problem("E214", "error", text, text, text, f"civil_affairs/dibao/{text}.csv", text, 1, text) for text in texts
        ),
    )  # fmt: skip
    cases = [a_case(night, row, f"XX-2610-{n:04d}-0") for n, row in enumerate(outcomes[:40])]
    return dataclasses.replace(night, cases=pl.DataFrame(cases, schema=CASES | CASES_TOLD))


def receipt(texts: list[str]) -> Receipt:
    back = tuple(
        Returned(Problem("E731", "error", text, text, text, text, text, 3, text), text) for text in texts
    )
    return Receipt("539901", 1, texts[0], 0, back, (), 0, 0, ())


def ledger_export(texts: list[str], out: Path) -> Path:
    """工作台账, as `reconcile cases export` writes it."""
    rows = [{**dict.fromkeys(WIDTHS, text), "address": f"示例市{text}乡{text}村"} for text in texts]
    _write(out, _with_places(pl.DataFrame(rows).drop("乡镇", "村(社区)"), "539901"), "539901", nights.AS_OF)
    return out


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every table a night writes, under names that differ, so that one folder takes what is made of them."""
    out = tmp_path_factory.mktemp("written")
    texts = payloads()
    assert len(texts) >= 1000
    night = a_night(texts)
    letters = quality_letters(night)
    files = [
        *write_county_reports(night, out),
        write_follow_up(night, pl.DataFrame(schema=FLOW), out),
        write_needs(night, out),
        *write_receipts([receipt(texts)], out, night.as_of),
        ledger_export(texts, out / "export.xlsx"),
    ]
    letter = letters["civil_affairs"]
    assert letter is not None
    files.append(out / "quality.csv")
    files[-1].write_bytes(letter.csv_bytes)
    flat = out / "flat"
    flat.mkdir()
    named = {f"{number:03d}-{path.name}": path for number, path in enumerate(files)}
    return {name: shutil.copy(path, flat / name) for name, path in named.items()}


def test_openpyxl_finds_no_formula(written: dict[str, Path]) -> None:
    books = {name: path for name, path in written.items() if path.suffix == ".xlsx"}
    assert len(books) > 10  # the townships among them
    texts = 0
    for name, path in books.items():
        book = openpyxl.load_workbook(path, read_only=True)
        cells = [
            cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None
        ]
        assert not [cell.coordinate for cell in cells if cell.data_type == "f"], name
        texts += len(cells)
    assert texts > 30_000


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_finds_no_formula(written: dict[str, Path], tmp_path: Path) -> None:
    """Each kind of file in one conversion; a CSV is read once at commas and once at semicolons, both with formulas evaluated."""
    control = tmp_path / "control.csv"
    control.write_text("\ufeffa,b\r\n=1+1,王;=1+1\r\n", encoding="utf-8")
    books = [path for path in written.values() if path.suffix == ".xlsx" and _is_worth_it(path)]
    tables = [path for path in written.values() if path.suffix == ".csv"]
    own = [path for path in tables if "回执" not in path.name]
    assert formulas(convert(books, tmp_path / "books", tmp_path)) == {path.stem: 0 for path in books}
    found = formulas(
        convert([*tables, control], tmp_path / "commas", tmp_path, "CSV:44,34,76,1,,0,false,true,false")
    )
    assert found == {path.stem: 0 for path in tables} | {"control": 1}
    found = formulas(
        convert([*own, control], tmp_path / "semicolons", tmp_path, "CSV:59,34,76,1,,0,false,true,false")
    )
    assert found == {path.stem: 0 for path in own} | {"control": 2}


def _is_worth_it(path: Path) -> bool:
    """The county's workbooks and the export, and a few of the many townships' (LibreOffice takes a second for each)."""
    return not path.name[4:-5].isdigit() or path.name.startswith(("003", "004"))


def convert(files: list[Path], into: Path, home: Path, filter_words: str = "") -> list[Path]:
    """Flat ODF, in which every formula is an attribute of its cell."""
    command = ["soffice", "--headless", f"-env:UserInstallation=file://{home}/profile"]
    command += [f"--infilter={filter_words}"] if filter_words else []
    command += ["--convert-to", "fods", "--outdir", str(into), *map(str, files)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return sorted(into.glob("*.fods"))


def formulas(documents: list[Path]) -> dict[str, int]:
    return {path.stem: path.read_bytes().count(b"table:formula=") for path in documents}
