"""What may be put into a synthetic prefecture besides the usual dirt, to measure matching elsewhere than on one world.

Everything is off unless it is asked for, and then drawn by salts of its own: the usual world keeps its bytes. What was
done to a row's number stands in the truth (`damage`: masked, sci, sci_text, guardian, birth_date, typo, …).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields

from pipeline.sample.lists import EXPORTS
from pipeline.sample.words import COUNTIES

EVERY_COUNTY = "all"
_WITH_ID = frozenset(e.key for e in EXPORTS if any(c.type == "id" and c.key == e.damaged for c in e.columns))


@dataclass(frozen=True)
class Trouble:
    """All shares are 0–1. `transliterated` None leaves the usual mix (half of the families Han).

    masked:          share of a list's IDs that are masked, by dataset; the way of masking differs by county
    numeric:         the county (or `all`) whose file of a dataset has its ID columns written as numbers
    names:           share of rows (times dirt) whose name is written in a further way: another transliteration, a
                     sound-alike or look-alike character, another interpunct, a character missing, a note in brackets
    transliterated:  share of families with Tibetan or Yi names
    homonyms:        share of people with one of the commonest names (张伟, 王芳, 扎西, 此里)
    twins:           share of families with two children or more whose first two are twins: born on one day, one sex,
                     neighbouring sequence numbers, names that differ by one character
    siblings:        share of families whose children share all of the name but its last part
    same_day:        share of families in which couples, and children among themselves, were born on one day
    guardians:       share of children under 16 who stand under the household head's ID in six lists, two of which have
                     a birth-date column
    births:          share of rows of the insured, pension and school lists with a wrong birth-date column
    register_ids:    share of register rows whose ID is damaged (the certificate number is sound)
    register_births: share of register rows with a wrong birth-date column
    """

    masked: Mapping[str, float] = field(default_factory=dict)
    numeric: Mapping[str, str] = field(default_factory=dict)
    names: float = 0.0
    transliterated: float | None = None
    homonyms: float = 0.0
    twins: float = 0.0
    siblings: float = 0.0
    same_day: float = 0.0
    guardians: float = 0.0
    births: float = 0.0
    register_ids: float = 0.0
    register_births: float = 0.0

    def __post_init__(self) -> None:
        """Raises ValueError on a share that is none, a list without an ID column of its own and an unknown county."""
        own = {name: getattr(self, name) for name in SHARES}
        for name, share in (own | dict(self.masked)).items():
            if share is not None and not 0 <= share <= 1:
                raise ValueError(f"{name}: a share from 0 to 1 is possible")
        for dataset in (*self.masked, *self.numeric):
            if dataset not in _WITH_ID:
                raise ValueError(f"{dataset}: possible are {', '.join(sorted(_WITH_ID))}")
        for county in self.numeric.values():
            if county not in (EVERY_COUNTY, *(code for code, _, _ in COUNTIES)):
                raise ValueError(f"{county}: a county of the sample or {EVERY_COUNTY} is possible")

    def is_numeric(self, dataset: str, county: str) -> bool:
        """Are the IDs of this county's rows in this list numbers?"""
        return self.numeric.get(dataset) in (EVERY_COUNTY, county)


SHARES = tuple(f.name for f in fields(Trouble) if f.name not in ("masked", "numeric"))


def trouble_of(masked: Iterable[str], numeric: Iterable[str], shares: Iterable[str]) -> Trouble:
    """The command line's `dataset=share`, `dataset=county` and `name=share`. Raises ValueError on what is none of them."""
    own = {name: _share(value) for name, value in _pairs(shares)}
    unknown = own.keys() - set(SHARES)
    if unknown:
        raise ValueError(f"{', '.join(sorted(unknown))}: possible are {', '.join(SHARES)}")
    return Trouble(
        masked={name: _share(value) for name, value in _pairs(masked)}, numeric=dict(_pairs(numeric)), **own
    )


def _pairs(texts: Iterable[str]) -> Iterable[tuple[str, str]]:
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"{text}: name=value is expected")
        yield name.strip(), value.strip()


def _share(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{text}: a share from 0 to 1 is possible") from None
