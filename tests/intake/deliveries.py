"""Small deliveries for the tests of intake: four datasets of a fictional prefecture (5399xx), files as offices write them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pipeline.contracts.dataset import Dataset
from pipeline.contracts.delivered import Intake
from pipeline.contracts.settings import Settings
from pipeline.intake.take_in import take_in

AS_OF = date(2026, 10, 31)
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def identity(number: int, county: str = "539901") -> str:
    """The number-th sound ID of the fictional county."""
    body = f"{county}19{60 + number % 40}0{number % 9 + 1}1{number % 10}{number % 1000:03}"
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, WEIGHTS, strict=True)) % 11]


def _field(kind: str, *headers: str, **more: object) -> dict[str, object]:
    return {"title": headers[0], "type": kind, "headers": list(headers), **more}


NAME = _field("name", "姓名", required=True)
ID = _field("id", "身份证号", "公民身份号码", required=True)
_WHO = {"name": "name", "id": "id"}
_RAW = {
    "federation/register": {
        "role": "register",
        "person": {**_WHO, "certificate": "cert"},
        "fields": {
            "name": NAME,
            "id": ID,
            "cert": _field("certificate", "残疾人证号", required=True),
            "level": _field(
                "code",
                "残疾等级",
                required=True,
                whole_number=True,
                codes={"1": ["一级", "1级"], "2": ["二级"], "3": ["三级"], "4": ["四级"]},
            ),
            "area": _field("region", "行政区划代码", required=True),
            "until": _field("date", "有效期至"),
        },
    },
    "civil_affairs/dibao": {
        "by": "county",
        "person": _WHO,
        "fields": {
            "name": NAME,
            "id": ID,
            "amount": _field("amount", "月保障金额"),
            "state": _field(
                "code", "状态", required=True, codes={"在保": ["在保", "正常"], "停保": ["停保"]}
            ),
        },
    },
    "civil_affairs/deaths": {
        "role": "deaths",
        "person": _WHO,
        "fields": {"name": NAME, "id": ID, "died": _field("date", "死亡日期")},
    },
    "medical/insured": {
        "person": _WHO,
        "fields": {
            "name": NAME,
            "id": ID,
            "year": _field("year", "年度", required=True),
            "aid": _field("code", "资助", required=True, codes={"无": ["", "无"], "低保": ["低保对象"]}),
            "addr": _field("text", "地址"),
        },
    },
}


def _dataset(key: str, raw: dict[str, object]) -> Dataset:
    more = {k: v for k, v in raw.items() if k != "by"}
    delivery = {"by": raw.get("by", "prefecture"), "stale_after_days": 62}
    about = {"dataset": key, "title": key, "department": "某局", "grain": "一行一人", "delivery": delivery}
    return Dataset.model_validate(about | more)


DATASETS = {key: _dataset(key, raw) for key, raw in _RAW.items()}

REGISTER = "federation/register/名册_20261031.csv"
DIBAO_1 = "civil_affairs/dibao/539901_示例市低保_20261031.csv"
DIBAO_2 = "civil_affairs/dibao/539902_东川低保_20261031.csv"
DEATHS = "civil_affairs/deaths/死亡_20261031.csv"
INSURED = "medical/insured/参保_20261031.csv"


def table(*rows: tuple[object, ...]) -> str:
    """The rows as CSV text with CRLF."""
    return "".join(",".join(map(str, row)) + "\r\n" for row in rows)


def register_rows(count: int = 20) -> list[tuple[object, ...]]:
    """The register: every second person lives in 539902."""
    return [
        ("姓名", "身份证号", "残疾人证号", "残疾等级", "行政区划代码", "有效期至"),
        *(
            (f"甲{n}", identity(n), f"{identity(n)}41", "一级", f"53990{n % 2 + 1}001001", "2030年1月2日")
            for n in range(count)
        ),
    ]


def dibao_rows(first: int, count: int = 10) -> list[tuple[object, ...]]:
    people = range(first, first + count)
    return [
        ("姓名", "身份证号", "月保障金额", "状态"),
        *((f"乙{n}", identity(n), "450.50", "在保") for n in people),
    ]


def insured_rows(count: int = 30) -> list[tuple[object, ...]]:
    head = ("姓名", "身份证号", "年度", "资助", "地址")
    return [
        head,
        *((f"丙{n}", identity(n), 2026, "低保对象" if n % 3 else "", "某乡某村") for n in range(count)),
    ]


def put(inbox: Path, file: str, content: str | bytes, encoding: str = "gb18030") -> None:
    """Writes one file of the inbox."""
    (inbox / file).parent.mkdir(parents=True, exist_ok=True)
    (inbox / file).write_bytes(content if isinstance(content, bytes) else content.encode(encoding))


def whole_inbox(inbox: Path) -> None:
    """Every list, sound."""
    put(inbox, REGISTER, table(*register_rows()))
    put(inbox, DIBAO_1, table(*dibao_rows(0)))
    put(inbox, DIBAO_2, table(*dibao_rows(10)))
    put(
        inbox,
        DEATHS,
        table(("姓名", "身份证号", "死亡日期"), *((f"丁{n}", identity(n), "20260901") for n in (3, 4))),
    )
    put(inbox, INSURED, table(*insured_rows()))


def take(inbox: Path, state: Path, as_of: date = AS_OF, settings: Settings | None = None) -> Intake:
    return take_in(inbox, state, DATASETS, as_of, settings or Settings())


def status(intake: Intake, dataset: str, county: str = "539901") -> str:
    """The coverage of one list in one county."""
    rows = {(r["dataset"], r["county_code"]): r["status"] for r in intake.coverage.iter_rows(named=True)}
    return rows[dataset, county]


def codes(intake: Intake, file: str, *severities: str) -> set[str]:
    """The codes of the problems with a file."""
    wanted = severities or ("error", "warning")
    return {p.code for p in intake.problems if p.file == file and p.severity in wanted}
