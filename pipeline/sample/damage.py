"""How numbers break on the way (handbook B4), at the rates seen in counties' lists, times `dirt`."""

from __future__ import annotations

import polars as pl

from pipeline.sample import words
from pipeline.sample.lists import Export
from pipeline.sample.troubled import masked, troubled_kinds
from pipeline.sample.world import World

# Rates a thousand rows. `lower` is the rate among numbers that end in X, `guardian` among children under 16.
_USUAL = {"space": 12.0, "missing": 8.0, "typo": 7.0, "wide": 4.0, "swap": 3.5, "cut": 2.0, "lower": 12.0}
_RATES: dict[str, dict[str, float]] = {
    "federation/register": {"space": 6.5, "wide": 1.4, "lower": 10.0},
    "civil_affairs/dibao": {**_USUAL, "missing": 14.0, "typo": 10.0, "sci": 9.0, "old15": 7.5, "cut": 0.0},
    "civil_affairs/dibao_margin": {
        **_USUAL,
        "typo": 13.0,
        "missing": 12.0,
        "sci_text": 8.0,
        "swap": 6.0,
        "cut": 0.0,
    },
    "civil_affairs/two_subsidies": {**_USUAL, "cert": 29.0, "missing": 6.0, "cut": 0.0},
    "civil_affairs/deaths": {"space": 8.0, "typo": 8.0, "swap": 4.0, "lower": 12.0},
    "education/enrolment": {**_USUAL, "missing": 75.0, "guardian": 45.0, "typo": 11.0, "cut": 0.0},
    "medical_insurance/insured": {**_USUAL, "old15": 10.0, "missing": 4.2, "guardian": 8.0, "cut": 0.0},
    "hr_social_security/pension": {**_USUAL, "old15": 19.0, "typo": 12.0, "swap": 5.3, "cut": 4.2},
    "finance/payments": {**_USUAL, "missing": 15.0, "typo": 9.0, "swap": 5.0},
    "health/family_doctor": {**_USUAL, "cut": 0.0, "swap": 0.0},
}
# Damage that careful reading undoes, or that is not the number's; the number itself is still there.
READABLE = ("space", "wide", "lower", "old15", "cert", "birth_date")
_WIDE = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")


def damage_kinds(world: World, export: Export, frame: pl.DataFrame) -> pl.Series:
    """What happened to the number of each row: a kind, or null. Depends on seed and row only."""
    number = pl.col(export.damaged)
    possible = {
        # In the old numbers the sequences 996-999 meant people born before 1900.
        "old15": (number.str.slice(6, 2) == "19") & (number.str.slice(14, 3) < "996"),
        "lower": number.str.contains("X"),
        "sci": ~number.str.contains("X"),
        "guardian": pl.col("_child") & (pl.col("_head_id") != number),
        "cert": pl.col("_cert").is_not_null(),
    }
    roll = world.rolls(frame, "_key")
    draws = frame.with_columns(u=roll.uniform(f"damage {export.key}"))
    kind, edge = pl.lit(None, dtype=pl.String), 0.0
    for name, rate in _RATES.get(export.key, _USUAL).items():
        begin, edge = edge, edge + rate * world.dirt / 1000
        here = pl.col("u").is_between(begin, edge, closed="left") & possible.get(name, pl.lit(True))
        kind = pl.when(here).then(pl.lit(name)).otherwise(kind)
    return troubled_kinds(world, export, frame, draws.select(kind.alias("damage")).to_series())


def damaged_numbers(world: World, export: Export, frame: pl.DataFrame, kinds: pl.Series) -> pl.Series:
    """The number column as it is delivered: the damaged cells' texts in place of the sound numbers."""
    numbers = frame[export.damaged]
    hit = kinds.is_not_null().arg_true()
    if len(hit) == 0:
        return numbers
    few = frame.gather(hit) if hasattr(frame, "gather") else frame[hit]
    dice = world.rolls(few, "_key").below("which way", 10**6).to_list()
    # A county's system masks in one way.
    dice = [
        int(county) if kind == "masked" else r
        for r, kind, county in zip(dice, kinds.gather(hit), few["_county"], strict=True)
    ]
    cells = [
        broken(number, kind, r, head, cert)
        for number, kind, r, head, cert in zip(
            few[export.damaged], kinds.gather(hit), dice, few["_head_id"], few["_cert"], strict=True
        )
    ]
    return numbers.clone().scatter(hit, pl.Series(cells, dtype=pl.String))


def broken(number: str, kind: str, r: int, head: str | None, cert: str | None) -> str:
    """One damaged number. `r` chooses among the ways a kind can look."""
    match kind:
        case "space":
            return _spaced(number, r)
        case "missing":
            return words.PLACEHOLDERS[r % len(words.PLACEHOLDERS)]
        case "typo":
            place = r % 17
            other = (int(number[place]) + 1 + r // 17 % 9) % 10
            return f"{number[:place]}{other}{number[place + 1 :]}"
        case "swap":
            return _swapped(number, r % 16)
        case "wide":
            return number.translate(_WIDE)
        case "lower":
            return number.lower()
        case "old15":
            return number[:6] + number[8:17]
        case "cut":
            place = len(number) - 1 if r % 4 else r % 17
            return number[:place] + number[place + 1 :]
        case "sci":
            return number[:15] + "000"
        case "sci_text":
            return f"{number[0]}.{number[1:6]}E+17"
        case "guardian":
            return head or number
        case "masked":
            return masked(number, r)
        case "birth_date":
            return number
        case _:
            return cert or number


def _spaced(number: str, r: int) -> str:
    parted = f"{number[:6]} {number[6:14]} {number[14:]}"
    ways = (
        f" {number}",
        f"{number} ",
        f"{number}\u200b",
        parted,
        f"'{number}",
        f"{number}\u3000",
        f'="{number}"',
    )
    return ways[r % len(ways)]


def _swapped(number: str, place: int) -> str:
    """Two unequal neighbours among the first 17 exchanged."""
    for step in range(16):
        at = (place + step) % 16
        if number[at] != number[at + 1]:
            return number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    return number
