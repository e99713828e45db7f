"""Every invariant of the ledger, proven from its file: what `reconcile ledger check` says."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing

from pipeline.cases.chain import StoredEvent
from pipeline.cases.ledger import Ledger
from pipeline.cases.migrate import migrate
from pipeline.cases.person_key import same_key
from pipeline.cases.refusals import damaged, torn
from pipeline.cases.witness import read_witness
from pipeline.contracts.problem import Problem, ReconcileError

Rows = Sequence[tuple[object, ...]]
Replay = Callable[[Iterable[StoredEvent]], Mapping[str, Rows]]
_FILE = "ledger/ledger.sqlite"
_SCHEMA = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"


def check(ledger: Ledger, replay: Replay) -> list[Problem]:
    """The problems found, none if all is well: the file and its schema, the chain without gaps, canonical bodies, dates
    that never go back, witness, key, and each derived table against what `replay` makes of the events.

    `replay` gets the events and says table name → rows, each a tuple of the table's columns in their order.
    """
    problems: list[Problem] = []
    for prove in (_file, _schema, _key, _events, _witnessed):
        try:
            problems += prove(ledger)
        except ReconcileError as error:
            problems.append(error.problem)
    if not problems:  # what is made of broken events proves nothing
        problems += _derived(ledger, replay)
    return problems


def _file(ledger: Ledger) -> Iterator[Problem]:
    ledger.integrity()
    yield from ()


def _schema(ledger: Ledger) -> Iterator[Problem]:
    """Tables, indexes and triggers are those of the migrations: events may be changed where a trigger is gone."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as fresh:
        migrate(fresh)
        meant = dict(fresh.execute(_SCHEMA).fetchall())
    found = dict(ledger.query(_SCHEMA))
    if any(found.get(name) != sql for name, sql in meant.items()):
        yield damaged("台账的表结构或防改动的触发器被动过").problem


def _key(ledger: Ledger) -> Iterator[Problem]:
    same_key(ledger.key, ledger.remembered("key_id"))
    yield from ()


def _events(ledger: Ledger) -> Iterator[Problem]:
    """The whole chain (E706, E702 raised), and of each event its form and date."""
    last = None
    for stored in ledger.events():
        if not _canonical(stored):
            yield _out_of_form(stored.sequence, "内容不是规范写法")
        if last is not None and stored.event.on < last:
            yield _out_of_form(stored.sequence, "日期早于前一条")
        last = stored.event.on


def _canonical(stored: StoredEvent) -> bool:
    try:
        return stored.event.text() == stored.text
    except ValueError:
        return False


def _out_of_form(sequence: int, why: str) -> Problem:
    cure = "这不是本程序写入的；保留整个 state 文件夹并联系开发者"
    return Problem("E713", "error", f"台账第{sequence}条记录不合规则", why, cure, file=_FILE)


def _witnessed(ledger: Ledger) -> Iterator[Problem]:
    witness = read_witness(ledger.places)
    head = ledger.head()
    if witness is None or witness.sequence > head.sequence:
        yield torn("台账的末尾没有见证").problem
    elif witness.sequence == head.sequence and witness.hash != head.hash:
        yield torn(f"第{witness.sequence}条记录与见证的不是同一条").problem


def _derived(ledger: Ledger, replay: Replay) -> Iterator[Problem]:
    try:
        made = replay(ledger.events())
    except (ValueError, KeyError, TypeError):  # an event that cannot follow on those before it
        cure = "这不是本程序写入的；保留整个 state 文件夹并联系开发者"
        yield Problem("E713", "error", "台账的记录前后接不上", "有一条记录与此前的状态矛盾", cure, file=_FILE)
        return
    for table, rows in made.items():
        meant, kept = Counter(rows), Counter(ledger.query(f'SELECT * FROM "{table}"'))
        if meant != kept:
            missing, surplus = (meant - kept).total(), (kept - meant).total()
            why = f"少{missing}行，多{surplus}行，与由记录推算的不符"
            cure = "保留整个 state 文件夹并联系开发者；记录本身完好"
            yield Problem("E714", "error", f"台账的汇总表 {table} 与记录不一致", why, cure, file=_FILE)
