"""`reconcile person erase`: takes a person out of everything that is kept (PIPL art. 47).

Letters first that have not gone: they are withdrawn, so that nothing mails the person while the rest is done, and the next night makes
them anew. Then files, the ledger last: an erasure that was killed is finished by asking again. What is not touched is told: letters that
went or may have, reports that lie about, the departments' own files, which would bring the person back.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pyarrow as pa

from pipeline.access_log import acting_person
from pipeline.cases import Book, Ledger, PersonKey, open_ledger, read_book
from pipeline.cases.person_rights import last_date, note_erasure
from pipeline.contracts.dataset import Dataset, load_datasets
from pipeline.delivery.anew import MAY_BE_WITHDRAWN, withdraw
from pipeline.delivery.mail_night import DRY_RUN
from pipeline.delivery.outbox import read_outbox
from pipeline.delivery.places import mail_folder
from pipeline.desk.person_asked import NIGHTS, Whom, refused
from pipeline.desk.person_export import Holdings, PersonFolders
from pipeline.desk.person_ledger import letters_with, person_keys
from pipeline.desk.person_nights import FACTS, PEOPLE, archives_of, his_numbers
from pipeline.desk.person_rewrite import (
    blank_lines,
    count_in_manifest,
    is_one_of,
    keep_lines,
    rewrite_snapshot,
)
from pipeline.desk.person_rows import PLACE, Kept, Stands, kept_files, links_of, stands
from pipeline.desk.person_tables import tables_of

_AT = ("dataset", *PLACE)  # a row of a list


@dataclass
class Erased:
    """What was taken out: lines by place; `named`: other people's rows that named him; letters and reports that are left."""

    lines: Counter[str] = field(default_factory=Counter)
    named: int = 0
    closed: tuple[str, ...] = ()
    letters: tuple[str, ...] = ()
    withdrawn: int = 0  # letters to his counties that had not gone
    doubtful: tuple[str, ...] = ()  # of which nobody knows whether they went
    reports: tuple[str, ...] = ()


def erase(folders: PersonFolders, held: Holdings) -> Erased:
    """Does it; call it under the run's lock. Raises ReconcileError E882 (a file cannot be read or written), as the ledger."""
    done = Erased()
    datasets = load_datasets(folders.schemas)
    with open_ledger(folders.state) as ledger:
        book = read_book(ledger.events())
        _withdraw(folders.state, ledger, book, held, done)
        try:
            rows = _from_store(folders, datasets, held.one, done)
            pairs = _from_results(folders.results, held.one, rows, done)
            _from_nights(folders.state, ledger.key, held, done)
            keys = {*person_keys(held.one), *pairs}
            journal = folders.state / "review" / "judgements.jsonl"
            done.lines["review"] = blank_lines(journal, is_one_of(("person_key", "row_key"), keys))
        except (OSError, ValueError, KeyError, pa.ArrowException, pl.exceptions.PolarsError):
            why, cure = "有一个文件缺损，或磁盘写不进", "排除后再运行一次同一条命令，会接着做完"
            raise refused("E882", "没有删完", why, cure) from None
        done.letters = _letters(folders.state, ledger, held)
        done.reports = _reports(folders.results.parent, held)
        if held.people:
            done.closed = note_erasure(ledger, held.people)
    return done


def _from_store(
    folders: PersonFolders, datasets: dict[str, Dataset], one: Whom, done: Erased
) -> pl.DataFrame:
    """Takes his rows out of the snapshots and his number and name out of others' rows; the places of his rows."""
    links = links_of(folders.results, one)
    places = [
        pl.DataFrame(
            schema={
                "dataset": pl.String,
                "source_file": pl.String,
                "sheet": pl.String,
                "source_row": pl.Int64,
            }
        )
    ]
    for kept in kept_files(folders.state, datasets):
        where = stands(kept, one, links)
        if not where.anywhere:
            continue
        frame = pl.read_parquet(kept.path)
        own = frame.filter(where.own).select(pl.lit(kept.dataset.dataset).alias("dataset"), *PLACE)
        places.append(own)
        rewrite_snapshot(kept.path, _without(frame, kept, where).filter(~where.own))
        count_in_manifest(kept.path.parent, own.height)
        done.lines["store"] += own.height
        done.named += int(where.guardian.sum()) + int(where.head.sum())
    return pl.concat(places)


def _without(frame: pl.DataFrame, kept: Kept, where: Stands) -> pl.DataFrame:
    """Others' rows without his name and number as their guardian or house head."""
    roles, house = kept.dataset.person, kept.dataset.household
    named = [(where.guardian, (roles.guardian_name, roles.guardian_id))]
    named += [(where.head, (house.head_name, house.head_id))] if house else []
    for mask, fields in named:
        columns = [
            f"{name}{end}" for name in fields if name for end in ("", "_certificate", "_problem", "_typed")
        ]
        frame = frame.with_columns(
            pl.when(mask).then(None).otherwise(pl.col(name)).alias(name)
            for name in columns
            if name in frame.columns
        )
    return frame


def _from_results(results: Path, one: Whom, rows: pl.DataFrame, done: Erased) -> set[str]:
    """Takes his lines out of the result tables, of the compared pairs also those of his rows; these rows' keys."""
    keys: set[str] = set()
    pairs = results / "pairs.parquet"
    if pairs.is_file():
        frame = pl.read_parquet(pairs, columns=[*_AT, "row_key"]).with_row_index("at")
        his = frame.join(rows.unique(), on=_AT, how="semi")
        keys = set(his["row_key"].drop_nulls())
        done.lines["results"] += keep_lines(pairs, ~frame["at"].is_in(his["at"].implode()))
    for path, lines in list(tables_of(results, one)):
        done.lines["results"] += keep_lines(path, ~lines)
    return keys


def _from_nights(state: Path, key: PersonKey, held: Holdings, done: Erased) -> None:
    one = held.one
    for place, his in list(archives_of(state, key, one, held.people)):
        for name in ("answers.parquet", PEOPLE):  # the people last: they say who he is
            done.lines["nights"] += _leave(place / name, "who", his)
    for night in (state / name for name in NIGHTS):
        if (night / PEOPLE).is_file():
            his = his_numbers(night, one)
            for name in (*FACTS, PEOPLE):
                done.lines["night"] += _leave(night / name, "person", his)


def _leave(path: Path, column: str, numbers: list[int]) -> int:
    if not numbers or not path.is_file():
        return 0
    return keep_lines(path, ~pl.read_parquet(path, columns=[column])[column].is_in(numbers))


def _withdraw(state: Path, ledger: Ledger, book: Book, held: Holdings, done: Erased) -> None:
    """Letters to the counties concerned that have not gone: any of them may hold his rows, also without a case of his."""
    counties = {book.cases[number].county for number in held.cases if number in book.cases}
    counties.add(held.one.somebody.county)
    box = read_outbox(ledger)
    mine = [x for x in box.letters.values() if x.kind in ("report", "notice") and x.place in counties]
    waiting = [letter for letter in mine if letter.state in MAY_BE_WITHDRAWN]
    done.doubtful = tuple(x.letter_id for x in mine if x.state in ("doubtful", "claimed"))
    if waiting:
        on = last_date(ledger)
        done.withdrawn = len(withdraw(ledger, box, waiting, "按个人权利撤回重做", acting_person(), on))
    for (
        letter
    ) in mine:  # also of those that a killed erasure had withdrawn: nobody needs their bytes any more
        if box.letters[letter.letter_id].state == "withdrawn":
            (mail_folder(state) / letter.file).unlink(missing_ok=True)


def _letters(state: Path, ledger: Ledger, held: Holdings) -> tuple[str, ...]:
    there = (mailed.file for mailed in letters_with(ledger, set(held.cases)))
    return tuple(file for file in there if (state / file).is_file())


def _reports(out: Path, held: Holdings) -> tuple[str, ...]:
    """The last night's report files of the county he lives in, and the letters of a dry run."""
    county = held.one.somebody.county
    if not county:
        return ()
    folders = (out / kind / county for kind in ("reports", "receipts", DRY_RUN))
    files = (path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file())
    return tuple(str(path.relative_to(out)) for path in files)


def in_words(done: Erased) -> list[str]:
    """What was done and what is still to do, for the person at the desk."""
    places = {
        "store": "名单",
        "results": "比对结果",
        "night": "上次比对的事实",
        "nights": "历次比对的存档",
        "review": "人工判断",
    }
    counts = "，".join(f"{title}{done.lines[key]}条" for key, title in places.items())
    lines = [f"已删除：{counts}；他人记录中的姓名、号码{done.named}处。"]
    lines.append(f"台账：已记入；关闭疑点{len(done.closed)}件，此后不再认得此人。")
    if done.withdrawn:
        lines.append(
            f"发件箱里还没有发出的有关邮件{done.withdrawn}封已撤回并删除，下一次 `reconcile run --send` 重新生成（不再有此人）。"
        )
    if done.doubtful:
        lines.append(f"不知是否发到的邮件，请向收件县核实并请其删除：{'、'.join(done.doubtful)}")
    if done.letters:
        lines.append(f"已发出或可能已发出的邮件未动，到期自动清除：{'、'.join(done.letters)}")
    if done.reports:
        lines.append(
            f"清单文件里可能还有此人，重新运行一次 `reconcile run` 即重写：{'、'.join(done.reports)}"
        )
    lines.append(
        "注意：来源部门的名单里如果还有此人，下次报送（或收件夹里现有的文件）会再次带入。"
        "请先让来源部门删除，并换掉收件夹里的文件。"
    )
    return lines
