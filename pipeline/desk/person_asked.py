"""Whose data are meant: from one identity or certificate number to the numbers and names that are this person's own.

Nothing is guessed: numbers come together only where the last night's register says that they are one person's, or where the
certificate number itself begins with the identity number. What was typed never stands in a message.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipeline.cases import PersonKey
from pipeline.cases.case_state import Book
from pipeline.cases.people import Somebody
from pipeline.contracts.problem import Problem, ReconcileError
from pipeline.entitlement.kept_night import BEFORE, FOLDER
from pipeline.identity import id_number

NIGHTS = (FOLDER, BEFORE)
_BODY = 18  # of a certificate number: the identity number in it


@dataclass(frozen=True)
class Whom:
    """A person by what is certainly his own. No `ids` where his number is somebody else's, too."""

    ids: frozenset[str]
    certificates: frozenset[str]
    somebody: Somebody  # as the last night knew him, for the ledger
    names: frozenset[str] = frozenset()

    @property
    def numbers(self) -> frozenset[str]:
        return self.ids | self.certificates

    def is_own(self, number: object) -> bool:
        """Whether a number is his; a certificate that was graded anew begins with his identity number."""
        text = str(number or "")
        return text in self.numbers or (len(text) > _BODY and text[:_BODY] in self.ids)

    def own(self, number: pl.Expr) -> pl.Expr:
        """`is_own` over a column; never null."""
        again = (number.str.len_chars() > _BODY) & number.str.slice(0, _BODY).is_in(list(self.ids))
        return (number.is_in(list(self.numbers)) | again).fill_null(False)

    def own_row(self) -> pl.Expr:
        """Whether a line of a result table (certificate_number, and id_number if it has one) is about him."""
        own = pl.col("id_number").is_in(list(self.ids)).fill_null(False)
        unsaid = pl.col("id_number").is_null() if self.ids else pl.lit(True)
        return own | (self.own(pl.col("certificate_number")) & unsaid)


def whom(state: Path, typed: str) -> Whom:
    """Whom the number means. Raises ReconcileError E875 (no number of a person), E877 (it names several people)."""
    found = id_number.normalise(pl.Series([typed])).row(0, named=True)
    number, certificate = found["id"], found["certificate"]
    if number is None and certificate is None:
        why = "应为身份证号（15或18位）或残疾人证号（20或22位），校验位要对"
        raise refused("E875", "认不出这个号码", why, "核对后重新输入")
    people = _known(state)
    if certificate:
        mine = people.filter(pl.col("certificate_number") == certificate)
        ids = set(mine["id_number"].drop_nulls()) or ({number} if number else set())
        if _shared(people, ids):
            ids = set()  # the number is another's, too: the certificate alone says who is meant
    else:
        ids = {str(number)}
        if _shared(people, ids):
            why = "名册上有不同姓名的人登记了同一个身份证号，分不清是谁"
            raise refused("E877", "这个身份证号不止一个人在用", why, "改用此人的残疾人证号")
    mine = people.filter(
        pl.col("id_number").is_in(list(ids)) | (pl.col("certificate_number") == (certificate or "?"))
    )
    certificates = {c for c in mine["certificate_number"].drop_nulls() if c} | (
        {certificate} if certificate else set()
    )
    return _whom(mine, ids, certificates)


def people_of(book: Book, key: PersonKey, one: Whom) -> list[int]:
    """The ledger's people who are this person: by identity number, else by certificate number."""
    for kind, numbers in (("id", one.ids), ("certificate", one.certificates)):
        found = {p for number in numbers for p in book.people.get((kind, key.of(kind, number)), ())}
        if found:
            return sorted(found)
    return []


def refused(code: str, what: str, why: str, cure: str) -> ReconcileError:
    return ReconcileError(Problem(code, "error", what, why, cure))


_PEOPLE = {
    "certificate_number": pl.String,
    "id_number": pl.String,
    "name": pl.String,
    "county_code": pl.String,
    "birth_date": pl.Date,
    "night": pl.String,
}


def _known(state: Path) -> pl.DataFrame:
    """Everybody of the kept nights, the last one first; nobody where none is kept or it cannot be read."""
    found = [pl.DataFrame(schema=_PEOPLE)]
    for night in NIGHTS:
        try:
            people = pl.read_parquet(state / night / "people.parquet")
            said = people.select(pl.col(name).cast(kind) for name, kind in _PEOPLE.items() if name != "night")
            found.append(said.with_columns(night=pl.lit(night)))
        except (OSError, pl.exceptions.PolarsError):
            continue
    return pl.concat(found)


def _shared(people: pl.DataFrame, ids: set[str]) -> bool:
    """Whether one of the numbers stands with several names in one register."""
    named = people.filter(pl.col("id_number").is_in(list(ids)), pl.col("name").is_not_null())
    return any(night["name"].n_unique() > 1 for _, night in named.group_by("night"))


def _whom(mine: pl.DataFrame, ids: set[str], certificates: set[str]) -> Whom:
    number = min(ids, default="")
    if not mine.height:
        nobody = Somebody(0, min(certificates, default=""), number, "", "")
        return Whom(frozenset(ids), frozenset(certificates), nobody)
    certificate, known, name, county, born = mine.drop("night").row(0)
    one = Somebody(0, certificate or "", known or number, name or "", county or "", born)
    return Whom(frozenset(ids), frozenset(certificates), one, frozenset(mine["name"].drop_nulls()))
