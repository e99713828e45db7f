"""Ways to mix up a letter: each takes a case (two counties of a prefecture and the dice) and returns what is about to leave."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

import workbook_tricks as tricks
from egress_world import COUNTIES, World

from pipeline.contracts.settings import Settings
from pipeline.delivery.egress import check
from pipeline.delivery.envelope import build
from pipeline.delivery.letter import Attachment, Expected, Letter
from pipeline.delivery.sealing import seal


@dataclass(frozen=True)
class Try:
    """A letter about to leave."""

    message: bytes
    to: str
    expected: Expected
    settings: Settings
    password: str

    def reasons(self) -> tuple[str, ...]:
        return check(self.message, self.to, self.expected, self.settings, self.password)


@dataclass(frozen=True)
class Case:
    """Two counties of a world, the dice, and the same world last month."""

    world: World
    older: Callable[[], World]
    dice: Random
    code: str
    other: str

    def sent(self, letter: Letter | None = None, **other: object) -> Try:
        world = self.world
        letter = letter or world.letter(self.code)
        known = world.expected(self.code)
        ready = Try(
            build(letter, world.settings.mail), letter.to, known, world.settings, world.passwords[self.code]
        )
        return replace(ready, **other)  # type: ignore[arg-type]

    def files(self) -> tuple[Attachment, Attachment]:
        """CSV and workbook, not sealed."""
        csv, book, *_ = self.world.files(self.code)
        return csv, book

    def with_csv(self, how: Callable[[str], str]) -> Try:
        csv, *rest = self.world.files(self.code)
        text = how(csv.data.decode("utf-8"))
        assert text != csv.data.decode("utf-8")
        return self.sent(self.world.letter(self.code, (replace(csv, data=text.encode("utf-8")), *rest)))

    def with_book(self, how: Callable[[bytes], bytes]) -> Try:
        csv, book, *rest = self.world.files(self.code)
        return self.sent(self.world.letter(self.code, (csv, replace(book, data=how(book.data)), *rest)))

    def edited(self, how: Callable[[bytes], bytes]) -> Try:
        """The finished bytes changed."""
        ready = self.sent()
        message = how(ready.message)
        assert message != ready.message
        return replace(ready, message=message)


def other_row(case: Case, sheet: str, *, forged: bool) -> str:
    """The last row of another county's sheet; `forged`: county and case number say it is this one's."""
    row = tricks.rows(case.world.files(case.other)[1].data, sheet)[-1]
    if forged:
        row = row.replace(COUNTIES[case.other], COUNTIES[case.code])
        mine = tricks.rows(case.files()[1].data, sheet)[-1]
        numbers = [re.findall(r"[A-Z]{4}-2611-[0-9]{4}-[0-9]", text) for text in (row, mine)]
        if numbers[0] and numbers[1]:
            row = row.replace(numbers[0][0], numbers[1][0])
    return row


def sheet_row(sheet: str, *, forged: bool, added: bool) -> Callable[[Case], Try]:
    change = tricks.with_row_added if added else tricks.with_last_row
    return lambda case: case.with_book(
        lambda book: change(book, sheet, other_row(case, sheet, forged=forged))
    )


def csv_row(case: Case, *, forged: bool, added: bool) -> Try:
    row = case.world.files(case.other)[0].data.decode("utf-8").split("\r\n")[1]
    if forged:
        row = row.replace(COUNTIES[case.other], COUNTIES[case.code])
        row = re.sub(r"[A-Z]{4}-2611-[0-9]{4}-[0-9]", sorted(case.world.expected(case.code).cases)[0], row)
    return case.with_csv(
        lambda text: text + row + "\r\n" if added else text[: text[:-2].rindex("\r\n") + 2] + row + "\r\n"
    )


def cell(sheet: str, text: str) -> Callable[[Case], Try]:
    """The text behind that of some cell of the last row."""

    def how(case: Case) -> Try:
        def change(book: bytes) -> bytes:
            last = tricks.rows(book, sheet)[-1]
            at = case.dice.choice([found.start() for found in re.finditer("</t>", last)])
            return tricks.with_sheet(book, sheet, lambda xml: xml.replace(last, last[:at] + text + last[at:]))

        return case.with_book(change)

    return how


def in_sheet(sheet: str, old: str, new: str) -> Callable[[Case], Try]:
    return lambda case: case.with_book(
        lambda book: tricks.with_sheet(
            book, sheet, lambda xml: re.sub(old, new, xml, count=1, flags=re.DOTALL)
        )
    )


def in_part(part: str, old: str, new: str) -> Callable[[Case], Try]:
    return lambda case: case.with_book(
        lambda book: tricks.changed(book, part, lambda xml: re.sub(old, new, xml, count=1, flags=re.DOTALL))
    )


def with_part(name: str, text: str = "<x/>") -> Callable[[Case], Try]:
    return lambda case: case.with_book(lambda book: tricks.packed({**tricks.parts_of(book), name: text}))


def letter(**fields: object) -> Callable[[Case], Try]:
    """The letter with fields that are texts, or made of the case."""

    def how(case: Case) -> Try:
        made = case.world.letter(case.code)
        filled = {name: value(case, made) if callable(value) else value for name, value in fields.items()}
        return case.sent(replace(made, **filled))

    return how


def attached(how: Callable[[Case, tuple[Attachment, ...]], tuple[Attachment, ...]]) -> Callable[[Case], Try]:
    return lambda case: case.sent(case.world.letter(case.code, how(case, case.world.files(case.code))))


def bytes_of(old: bytes, new: bytes) -> Callable[[Case], Try]:
    return lambda case: case.edited(lambda message: message.replace(old, new, 1))


def recipient(case: Case, _: object = None) -> str:
    return case.world.settings.recipients[case.other][0]


def a_case_of(case: Case) -> str:
    return sorted(case.world.expected(case.other).cases)[0]


def sealed_with(case: Case, whose: str, how: str) -> Try:
    files = seal(case.world.files(case.code), how, case.world.passwords[whose], "封", "sealed")  # type: ignore[arg-type]
    return case.sent(replace(case.world.letter(case.code), attachments=files))


def elsewhere(case: Case) -> Try:
    """Outside the allowed domains, whatever the list of recipients says."""
    settings, to = case.world.settings, "clerk@163.com"
    recipients = {**settings.recipients, case.code: (to,)}
    ready = case.sent(replace(case.world.letter(case.code), to=to))
    return replace(
        ready,
        settings=settings.model_copy(update={"recipients": recipients}),
        expected=replace(ready.expected, to=to),
    )


def names_twice(case: Case, files: tuple[Attachment, ...]) -> tuple[Attachment, ...]:
    return (*files, replace(files[1], name="又一份.xlsx", plain_name="again.xlsx"))


def not_split(book: Attachment) -> Attachment:
    return replace(book, name="清单_乡镇77.xlsx", plain_name="township-77.xlsx")
