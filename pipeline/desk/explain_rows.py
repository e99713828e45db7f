"""Every row about a person in every list, as the last night saw it: linked, doubtful, denied, or only similar."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipeline.contracts.dataset import Dataset
from pipeline.desk.explain_again import DENIED, DOUBTFUL, FAMILY, LINKED, SEVERAL, SIMILAR, UNREADABLE
from pipeline.desk.explain_night import LastNight
from pipeline.desk.explain_person import Person
from pipeline.desk.tune_pairs import FIELD_NAMES
from pipeline.matching.exact import RowPerson, carried_fields

KINDS = (LINKED, DOUBTFUL, SEVERAL, UNREADABLE, FAMILY, DENIED, SIMILAR)


@dataclass(frozen=True)
class Weight:
    """One field's part in a match weight: its comparison level and its bits (level "" for the prior)."""

    field: str
    level: str
    bits: float


@dataclass(frozen=True)
class FoundRow:
    """A row of a list and what it has to do with the person. `method` and `why` are codes of reports/methods.py."""

    kind: str  # one of KINDS, or OWN of people on no register
    dataset: str
    source_file: str
    sheet: str
    source_row: int
    method: str | None
    probability: float | None
    why: str | None  # DENIED: the reason; FAMILY: the roster that knows the family
    decision: str  # linked, review or none
    weights: tuple[Weight, ...] = ()
    others: tuple[tuple[str, float], ...] = ()  # certificates it might belong to instead, with probability
    contents: tuple[tuple[str, object], ...] = ()  # field -> normalised value

    @property
    def place(self) -> tuple[str, str, str, int]:
        return self.dataset, self.source_file, self.sheet, self.source_row


_PLACES = """
select distinct kind, dataset, source_file, sheet, source_row, method, match_probability, why, decision
from places where person = $person and not (kind = 'family' and why = 'self')
order by dataset, source_file, sheet, source_row, kind, method, why, decision"""


def rows_of(night: LastNight, person: Person) -> list[FoundRow]:
    """All rows about the person by list and place; each place once, by the strongest of its kinds."""
    rows = [FoundRow(*row) for row in night.con.execute(_PLACES, {"person": person.number}).fetchall()]
    rows.sort(key=lambda row: (row.place, KINDS.index(row.kind)))
    strongest: dict[tuple[str, str, str, int], FoundRow] = {}
    for row in rows:
        strongest.setdefault(row.place, row)
    weighed = [_weighed(night, person, row) for row in strongest.values()]
    return [
        row for key in dict.fromkeys(r.dataset for r in weighed) for row in with_contents(night, key, weighed)
    ]


_PAIR = f"""
select prior_weight, {", ".join(f"{name}, {name}_weight" for name in FIELD_NAMES)}
from night_pairs
where dataset = $dataset and source_file = $file and sheet = $sheet and source_row = $row
  and certificate_number = $certificate and id_number is not distinct from $id"""

_RIVALS = """
select certificate_number, match_probability from night_pairs
where dataset = $dataset and source_file = $file and sheet = $sheet and source_row = $row
  and (certificate_number <> $certificate or id_number is distinct from $id)
order by match_probability desc, certificate_number"""


def _weighed(night: LastNight, person: Person, row: FoundRow) -> FoundRow:
    """The row with the weights of its comparison and the people it might belong to instead, if it was compared."""
    asked = {
        "dataset": row.dataset,
        "file": row.source_file,
        "sheet": row.sheet,
        "row": row.source_row,
        "certificate": person.certificate_number,
        "id": person.id_number,
    }
    found = night.con.execute(_PAIR, asked).fetchall()
    if not found:
        return row
    prior, *rest = found[0]
    fields = zip(FIELD_NAMES, rest[::2], rest[1::2], strict=True)
    weights = (Weight("prior", "", prior), *(Weight(f, level or "", bits) for f, level, bits in fields))
    return replace(row, weights=weights, others=tuple(night.con.execute(_RIVALS, asked).fetchall()))


def with_contents(night: LastNight, key: str, rows: list[FoundRow]) -> list[FoundRow]:
    """The rows of one list with what stands in them: one query. Reads `places`."""
    dataset, mine = night.datasets[key], [row for row in rows if row.dataset == key]
    fields = shown_fields(dataset)
    query = f"""select l.source_file, l.sheet, l.source_row, {", ".join(f'l."{name}"' for name in fields)}
from list_{dataset.table} as l
join (select distinct source_file, sheet, source_row from places where dataset = $dataset) as p
  on p.source_file = l.source_file and p.sheet = l.sheet and p.source_row = l.source_row"""
    standing = {
        (key, *line[:3]): tuple(zip(fields, line[3:], strict=True))
        for line in night.con.execute(query, {"dataset": key}).fetchall()
    }
    return [replace(row, contents=standing.get(row.place, ())) for row in mine]


def shown_fields(dataset: Dataset) -> list[str]:
    """What is shown of a row: its own person's name and number, then what the facts are made of."""
    who = RowPerson.of(dataset)
    own = [
        name for name in (who.name, who.id, f"{who.id}_problem" if who.id else None, who.birth_date) if name
    ]
    return list(dict.fromkeys([*own, *carried_fields(dataset)]))
