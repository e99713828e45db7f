"""A person in the ledger (cases, events, letters, corrections) and in the clerks' judgements."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from pipeline.cases import Ledger
from pipeline.cases.case_state import Book
from pipeline.cases.person_rights import ListPlace, cases_of, corrections
from pipeline.desk.case_words import Titles, county_words, event_words, state_words
from pipeline.desk.person_asked import Whom
from pipeline.desk.person_section import FOREVER, Section, own_words
from pipeline.matching import judgements

_LEDGER = "state/ledger（姓名、号码只以密钥杂凑存）"
_SAID = {"same": "同一人", "different": "不是同一人", "unsure": "不能确定", "undone": "撤回"}
_FATES = {
    "queued": "待发", "held": "暂缓", "claimed": "发送中", "sent": "已发", "later": "待重发", "refused": "被拒", "doubtful": "不能确定",
    "given_up": "未发成", "withdrawn": "已撤回",
}  # fmt: skip
_MAIL = "SELECT on_date, kind, body FROM events WHERE kind = 'mail' OR kind LIKE 'mail!_%' ESCAPE '!' ORDER BY sequence"
_FATE_OF = {
    "mail_sent": "sent",
    "mail_claimed": "claimed",
    "mail_withdrawn": "withdrawn",
    "mail_held": "held",
}


@dataclass(frozen=True)
class Mailed:
    """A letter in which cases of his stood. `fate` is its last word."""

    letter: str
    on: str
    kind: str
    place: str
    cases: tuple[str, ...]
    fate: str

    @property
    def file(self) -> str:
        return f"mail/{self.letter}.eml"


def letters_with(ledger: Ledger, numbers: Collection[str]) -> list[Mailed]:
    """The letters, in order, that brought one of these cases. Raises as `Ledger.query`."""
    found: dict[str, Mailed] = {}
    for on, kind, text in ledger.query(_MAIL):
        body: Mapping[str, Any] = json.loads(text)
        letter = str(body.get("letter", ""))
        if kind == "mail":
            said = (str(n).split(":")[0] for part in body.get("cargo", {}).values() for n in _listed(part))
            mine = tuple(sorted({n for n in said if n in numbers}))
            if mine:
                fate = "held" if body.get("held") else "queued"
                found[letter] = Mailed(letter, on, str(body["kind"]), str(body["place"]), mine, fate)
        elif letter in found:
            fate = str(body.get("fate") or _FATE_OF.get(kind, found[letter].fate))
            before = found[letter]
            found[letter] = Mailed(before.letter, before.on, before.kind, before.place, before.cases, fate)
    return list(found.values())


def ledger_sections(
    ledger: Ledger, book: Book, people: Sequence[int], one: Whom, titles: Titles, mail_days: int
) -> list[Section]:
    """Cases with all their events, letters, corrections. `mail_days`: [retention] mail."""
    numbers = [number for person in people for number in cases_of(book, person)]
    on = book.last_night
    cases = tuple(
        (
            n,
            titles.subject(case.subject),
            county_words(case.county),
            state_words(case, on) if on else case.state,
        )
        for n in numbers
        for case in [book.cases[n]]
    )
    events = tuple(
        (n, stored.event.on.isoformat(), own_words(event_words(stored.event), one))
        for n in numbers
        for stored in ledger.events(case=n)
    )
    letters = letters_with(ledger, set(numbers))
    mails = tuple(
        (m.on, county_words(m.place), "、".join(m.cases), _FATES.get(m.fate, m.fate), m.file) for m in letters
    )
    asked = tuple(
        (str(c.on), c.department, c.note, "；".join(map(_place_words, c.places)))
        for c in corrections(ledger)
        if c.person in people
    )
    heads = ("疑点编号", "事项", "县", "状态")
    mail_heads = ("日期", "收件县", "所涉疑点", "结果", "邮件文件")
    return [
        Section("疑点", _LEDGER, FOREVER, heads, cases),
        Section("疑点的经过", _LEDGER, FOREVER, ("疑点编号", "日期", "经过"), events),
        Section(
            "涉及的邮件", "state/mail", f"寄出后{mail_days}天" if mail_days else FOREVER, mail_heads, mails
        ),
        Section("更正请求", _LEDGER, FOREVER, ("日期", "部门", "说明", "名册中的位置"), asked),
    ]


def _place_words(place: ListPlace) -> str:
    return " ".join(
        filter(None, (place.file or place.dataset, place.sheet, f"第{place.row}行" if place.row else ""))
    )


def person_keys(one: Whom) -> frozenset[str]:
    """The keys under which clerks' judgements know him (`matching.pair_table.with_keys`)."""
    return frozenset(blake2b(number.encode(), digest_size=16).hexdigest() for number in one.numbers)


def review_section(state: Path, one: Whom) -> Section:
    """What clerks said about rows that might be his. Who said it is no matter of his. Raises ReconcileError E520."""
    keys = person_keys(one)
    rows = tuple(
        (said.at, said.dataset, _SAID.get(said.answer, said.answer))
        for said in judgements.read(state).judgements
        if said.person_key in keys
    )
    return Section("人工核对的判断", "state/review", FOREVER, ("时间", "名单", "判断"), rows)


def _listed(part: object) -> list[object]:
    return list(part) if isinstance(part, list) else []
