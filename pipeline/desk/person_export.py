"""`reconcile person export`: everything that is held on one person, for the person to read (PIPL art. 45)."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import xlsxwriter

from pipeline.cases import Ledger, open_ledger, read_book
from pipeline.cases.case_state import Book
from pipeline.cases.person_rights import cases_of
from pipeline.contracts.dataset import load_datasets
from pipeline.contracts.mail_settings import Retention
from pipeline.contracts.rule import load_rules
from pipeline.contracts.settings import load_settings
from pipeline.desk.case_list import must_exist
from pipeline.desk.case_words import Titles
from pipeline.desk.person_asked import Whom, people_of, refused, whom
from pipeline.desk.person_ledger import ledger_sections, review_section
from pipeline.desk.person_lists import list_sections
from pipeline.desk.person_nights import night_sections
from pipeline.desk.person_rows import links_of
from pipeline.desk.person_section import Section
from pipeline.desk.person_tables import table_sections
from pipeline.system_files import publish

_WIDE, _SHEET_NAME = 24, 31
_BAD = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))
_LAW = "依《个人信息保护法》第四十五条提供。只含本人信息；同一记录中其他人的姓名、号码已遮盖。"
_ELSEWHERE = (
    "本程序不保存而不在此列的：收件夹里各部门送来的原始文件（按各单位档案规定处理）；"
    "已发给县的清单（out/reports，每次运行重写）；台账备份（state/backup，只有密钥杂凑）。"
)


@dataclass(frozen=True)
class PersonFolders:
    """Where everything lies: the run's state, its OUT/results, dataset files, rules, the settings file if any."""

    state: Path
    results: Path
    schemas: Path
    rules: Path
    config: Path | None = None


@dataclass(frozen=True)
class Holdings:
    """All sections about a person, and the person's cases."""

    one: Whom
    people: tuple[int, ...]
    cases: tuple[str, ...]
    sections: tuple[Section, ...]


def holdings(folders: PersonFolders, typed: str) -> Holdings:
    """Everything held. Raises ReconcileError E715 (no ledger), E875, E877 (whom), E876 (nothing is held), E882 (damaged, no results)."""
    must_exist(folders.state)
    one = whom(folders.state, typed)
    # the links say which rows without a sound number are his
    if not (folders.results / "links.parquet").is_file():
        why, cure = (
            "没有上一夜的结果表，不能说“全部”",
            "用 --results 指到那一夜的 OUT/results；没有了就重新运行 `reconcile run`",
        )
        raise refused("E882", "找不到比对结果", why, cure)
    with open_ledger(folders.state) as ledger:
        book = read_book(ledger.events())
        people = people_of(book, ledger.key, one)
        try:
            sections = _sections(folders, one, ledger, book, people)
        except (OSError, ValueError, KeyError, pl.exceptions.PolarsError):
            why, cure = (
                "有一个文件缺损，或正被新的一次比对替换",
                "等比对结束后再试；仍不行就重新运行 `reconcile run`",
            )
            raise refused("E882", "保存的资料读不全，不能说“全部”", why, cure) from None
    if not sections and not people:
        why = "名单、比对结果、台账里都没有这个号码"
        raise refused("E876", "没有保存此人的信息", why, "核对号码；也可换用残疾人证号再查")
    numbers = tuple(number for person in people for number in cases_of(book, person))
    return Holdings(one, tuple(people), numbers, tuple(sections))


def _sections(
    folders: PersonFolders, one: Whom, ledger: Ledger, book: Book, people: list[int]
) -> list[Section]:
    kept: Retention = load_settings(folders.config).retention
    datasets = load_datasets(folders.schemas)
    links = links_of(folders.results, one)
    found = [
        *list_sections(folders.state, datasets, one, links, kept.snapshots),
        *table_sections(folders.results, one),
        *ledger_sections(ledger, book, people, one, Titles(load_rules(folders.rules)), kept.mail),
        *night_sections(folders.state, ledger.key, one, people, kept.nights),
        review_section(folders.state, one),
    ]
    return [section for section in found if section.rows]


def check_target(out: Path) -> None:
    """Raises ReconcileError E880 where the file exists or is of neither kind."""
    if out.suffix not in (".json", ".xlsx"):
        raise _unwritten("文件名应以 .json 或 .xlsx 结尾")
    if out.exists():
        raise _unwritten("文件已经存在，不会覆盖")


def write_export(held: Holdings, out: Path) -> str:
    """Writes the file, 0600, never over another; says what it holds. Raises ReconcileError E880."""
    check_target(out)
    write: Callable[[Sequence[Section], Path], None] = _write_json if out.suffix == ".json" else _write_xlsx
    try:
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=".tmp-") as scratch:
            beside = Path(scratch) / "export"
            write(held.sections, beside)
            publish(beside, out)
    except OSError:
        raise _unwritten("文件夹不存在，或没有写权限") from None
    rows = sum(len(section.rows) for section in held.sections)
    return f"已写入 {out}：{len(held.sections)}类，{rows}条。交给本人后请从本机删除。"


def _unwritten(why: str) -> Exception:
    return refused("E880", "导出文件写不出来", why, "换一个 --out 文件名")


def _about(sections: Sequence[Section]) -> list[tuple[str, str, str, str]]:
    return [(s.title, f"{len(s.rows)}", s.kept_in, s.until) for s in sections]


def _write_json(sections: Sequence[Section], path: Path) -> None:
    told = {
        "说明": [_LAW, _ELSEWHERE],
        "内容": [
            {
                "名称": s.title,
                "存放处": s.kept_in,
                "保存到": s.until,
                "记录": [dict(zip(s.headings, row, strict=True)) for row in s.rows],
            }
            for s in sections
        ],
    }
    path.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _write_xlsx(sections: Sequence[Section], path: Path) -> None:
    book = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False})
    bold = book.add_format({"bold": True, "bottom": 1, "text_wrap": True})
    wrap = book.add_format({"text_wrap": True, "valign": "top", "num_format": "@"})

    def sheet(name: str, above: Sequence[str], heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        page = book.add_worksheet(name)
        page.set_landscape()
        page.set_paper(9)
        page.fit_to_pages(1, 0)
        page.set_column(0, max(len(heads) - 1, 0), _WIDE)
        for at, line in enumerate(above):
            page.write_string(at, 0, line)
        for column, head in enumerate(heads):
            page.write_string(len(above), column, head, bold)
        for at, row in enumerate(rows, start=len(above) + 1):
            for column, cell in enumerate(row):
                page.write_string(at, column, cell, wrap)

    sheet("说明", (_LAW, _ELSEWHERE), ("内容", "条数", "存放处", "保存到"), _about(sections))
    for number, s in enumerate(sections, start=1):
        name = f"{number} {s.title.translate(_BAD)}"[:_SHEET_NAME]
        sheet(name, (f"存放处：{s.kept_in}　保存到：{s.until}",), s.headings, s.rows)
    book.close()
