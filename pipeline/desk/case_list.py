"""`reconcile cases list` and `show`: cases on the screen, with masked names and numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipeline.cases.case_number import read
from pipeline.cases.case_state import OVER, Book, Case, read_book
from pipeline.cases.ledger import Ledger, open_ledger
from pipeline.cases.places import Places
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.desk.case_people import Named, named_people
from pipeline.desk.case_words import Titles, county_words, event_words, notes_of, state_words
from pipeline.desk.explain_text import columns

STATUSES = ("open", "sent", "answered", "settled", "closed")


@dataclass(frozen=True)
class Asked:
    """Which cases: of a county (code; "" all), in a state ("" all; see STATUSES), only overdue ones."""

    county: str = ""
    status: str = ""
    overdue: bool = False


def list_cases(state: Path, titles: Titles, asked: Asked) -> str:
    """A line a case, by number; as of the ledger's last night. Raises ReconcileError E715, E743, E744, as the ledger and
    the kept night."""
    if asked.status and asked.status not in STATUSES:
        why = f"状态只有 {'、'.join(STATUSES)}"
        raise refused("E743", "没有这种状态", why, "换一个 --status，或不写")
    must_exist(state)
    with open_ledger(state) as ledger:
        book = read_book(ledger.events())
        people = named_people(book, ledger.key, state)
    on = night_of(book)
    check_county(book, asked.county)
    found = [case for number, case in sorted(book.cases.items()) if _fits(case, asked, on)]
    if not found:
        return f"{on}　没有这样的疑点。"
    head = ["疑点编号", "县(市、区)", "事项", "姓名", "身份证号", "未结天数", "反馈截止", "状态"]
    rows = [_row(case, people.get(case.person, Named()), titles, on) for case in found]
    return "\n".join([f"{on}　{len(found):,} 件", *columns([head, *rows], numbers_from=len(head))])


def show_case(state: Path, titles: Titles, number: str) -> str:
    """The case and its events in order. Raises ReconcileError E715, E745 (no case number), E746 (no such case), as `list_cases`."""
    known = read(number)
    if known is None:
        why = "编号的写法或末位校验码不对，多半是抄错或听错了一位"
        raise refused("E745", "这不是疑点编号", why, "对照清单上的编号再输一次，例如 XGLL-2611-0382-7")
    must_exist(state)
    with open_ledger(state) as ledger:
        book = read_book(ledger.events())
        people = named_people(book, ledger.key, state)
        case = book.cases.get(known)
        told = case_lines(ledger, book, titles, case) if case else []
    if case is None:
        raise refused(
            "E746",
            "台账里没有这个疑点编号",
            "编号是对的，这本台账没有发过它",
            "看看 --state 指的是不是那个地方",
        )
    who = people.get(case.person, Named())
    title, state_now, *happened = told
    place = (
        f"{county_words(case.county)}　{who.masked_name or '（不在持证名册上）'}　{who.masked_id}".rstrip()
    )
    return "\n".join([title, place, state_now, "", *happened])


def case_lines(ledger: Ledger, book: Book, titles: Titles, case: Case) -> list[str]:
    """Number and subject, how it stands on the ledger's last night, then a line an event. Raises ReconcileError E744, as the ledger."""
    on = night_of(book)
    return [
        f"{case.number}　{titles.subject(case.subject)}（{titles.nature(case.subject)}）",
        "；".join(part for part in (state_words(case, on), _open_for(case, on), notes_of(case)) if part),
        *(f"{stored.event.on}　{event_words(stored.event)}" for stored in ledger.events(case=case.number)),
    ]


def must_exist(state: Path) -> None:
    """Raises ReconcileError E715: a look never makes a ledger."""
    if not Places(state).was_there():
        cure = "用 --state 指到运行时用的文件夹；第一次运行后才有台账"
        raise refused("E715", "这个 state 文件夹里没有台账", "没有运行过，或指错了地方", cure)


def check_county(book: Book, county: str) -> None:
    """Raises ReconcileError E744 where the ledger has no case of the county."""
    known = sorted({case.county for case in book.cases.values()})
    if county and county not in known:
        why = f"台账里有 {'、'.join(known)}" if known else "台账里还没有疑点"
        raise refused("E744", "台账里没有这个县的疑点", why, "用六位县码，例如 --county 533401")


def night_of(book: Book) -> date:
    """The last night. Raises ReconcileError E744 where there was none."""
    if book.last_night is None:
        raise refused("E744", "台账里还没有疑点", "还没有完成过一次比对", "先运行 `reconcile run`")
    return book.last_night


def refused(code: str, what: str, why: str, cure: str) -> ReconcileError:
    return ReconcileError(Problem(code, "error", what, why, cure))


def _fits(case: Case, asked: Asked, on: date) -> bool:
    return (
        asked.county in ("", case.county)
        and asked.status in ("", case.state)
        and (not asked.overdue or case.is_overdue(on))
    )


def _open_for(case: Case, on: date) -> str:
    return "" if case.state in OVER else f"未结 {case.days_open(on)} 天"


def _row(case: Case, who: Named, titles: Titles, on: date) -> list[str]:
    return [
        case.number,
        county_words(case.county),
        titles.subject(case.subject),
        who.masked_name,
        who.masked_id,
        "" if case.state in OVER else str(case.days_open(on)),
        str(case.due_on or ""),
        state_words(case, on),
    ]
