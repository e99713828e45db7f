"""How names are written differently on the way (handbook B5), at the rates seen in counties' lists, times `dirt`."""

from __future__ import annotations

import polars as pl

from pipeline.sample import words
from pipeline.sample.lists import Export
from pipeline.sample.names_further import written_further
from pipeline.sample.world import World

_NAME_RATES = {"pad": 0.033, "note": 0.003, "lost": 0.0012}
_SLIP_HAN, _SLIP_TIBETAN = 0.012, 0.06


def delivered_names(world: World, export: Export, frame: pl.DataFrame, column: str) -> pl.Series:
    """Names with padding, notes, lost characters and other spellings here and there."""
    roll = world.rolls(frame, "_key")
    u = roll.uniform(f"name {export.key}") / max(world.dirt, 1e-9)
    names = frame[column]
    tibetan = names.str.slice(0, 2).is_in(list(words.WORD_SLIPS))
    edge = sum(_NAME_RATES.values())
    slip = (
        pl.DataFrame({"t": tibetan})
        .select(pl.when("t").then(edge + _SLIP_TIBETAN).otherwise(edge + _SLIP_HAN))
        .to_series()
    )
    hit = (u < slip).arg_true()
    if len(hit):
        dice = roll.below("name way", 10**6).gather(hit)
        cells = [_renamed(n, x, r) for n, x, r in zip(names.gather(hit), u.gather(hit), dice, strict=True)]
        names = names.clone().scatter(hit, pl.Series(cells, dtype=pl.String))
    return written_further(world, export, frame, frame[column], names)


def _renamed(name: str, u: float, r: int) -> str:
    if u < _NAME_RATES["pad"]:
        ways = (f" {name}", f"{name} ", f"{name}\u200b", f"{name}\u3000", f"{name[0]}\u3000{name[1:]}")
        return ways[r % (5 if len(name) == 2 else 4)]
    if u < _NAME_RATES["pad"] + _NAME_RATES["note"]:
        return name + words.NAME_NOTES[r % len(words.NAME_NOTES)]
    if u < sum(_NAME_RATES.values()):
        return name[:-1] + "?□*"[r % 3] if len(name) > 2 else name
    first, second = name[:2], name[2:]
    if first in words.WORD_SLIPS:
        return (
            words.WORD_SLIPS[first] + second
            if r % 2 or second not in words.WORD_SLIPS
            else first + words.WORD_SLIPS[second]
        )
    last = name[-1]
    return name[:-1] + words.CHARACTER_SLIPS.get(last, last)
