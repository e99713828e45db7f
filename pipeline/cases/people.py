"""Who of tonight's people is whom in the ledger: a case follows the person, not the certificate number.

A re-graded certificate keeps the identity number, a corrected identity number often keeps the certificate or, where it
is part of that too, the name and the birth date or the name and the rest of the number. The sure ways come first; the
weak ones only bring together one person who is found no more with one who was never seen, and only where both are the
only ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pipeline.cases.person_key import PersonKey

Keys = dict[str, str]  # kind -> keyed hash
_STRONG = ("id", "certificate")
_WEAK = ("name_birth", "name_rest")


@dataclass(frozen=True)
class Somebody:
    """A person of tonight: `row` numbers him tonight only. Texts are "" where nothing usable stands."""

    row: int
    certificate_number: str
    id_number: str
    name: str
    county: str
    birth_date: date | None = None


def strong_keys(key: PersonKey, one: Somebody) -> Keys:
    texts = {"id": one.id_number, "certificate": one.certificate_number}
    return {kind: key.of(kind, text) for kind, text in texts.items() if text.strip()}


def weak_keys(key: PersonKey, one: Somebody) -> Keys:
    """Name with birth date; name with what of the number is neither birth date nor check character."""
    name, number = one.name.strip(), one.id_number
    texts = {
        "name_birth": f"{name}|{one.birth_date}" if name and one.birth_date else "",
        "name_rest": f"{name}|{number[:6]}|{number[14:17]}" if name and len(number) == 18 else "",
    }
    return {kind: key.of(kind, text) for kind, text in texts.items() if text}


def recognise(
    known: Mapping[tuple[str, str], set[int]], tonight: Sequence[Somebody], key: PersonKey
) -> dict[int, int]:
    """Tonight's row → the ledger's person, for those whom the ledger knows. `known`: (kind, keyed hash) → people."""
    if not known:
        return {}
    # most of tonight's people have no case: of them nothing is kept
    strong = {one.row: people for one in tonight if (people := _known(known, strong_keys(key, one)))}
    found: dict[int, int] = {}
    both = {row: [p for p, kinds in people.items() if len(kinds) == 2] for row, people in strong.items()}
    _settle(found, both)
    for kind in ("certificate", "id"):
        _settle(
            found,
            {row: [p for p, kinds in people.items() if kind in kinds] for row, people in strong.items()},
        )
    everybody = {person for people in known.values() for person in people}
    if everybody - set(found.values()):
        rest = (one for one in tonight if one.row not in found)
        weak = {one.row: people for one in rest if (people := _known(known, weak_keys(key, one)))}
        for kind in _WEAK:
            _settle(
                found,
                {row: [p for p, kinds in people.items() if kind in kinds] for row, people in weak.items()},
            )
    return found


def _known(known: Mapping[tuple[str, str], set[int]], keys: Keys) -> dict[int, set[str]]:
    """The people who have one of the keys, with the kinds."""
    people: dict[int, set[str]] = {}
    for kind, key in keys.items():
        for person in known.get((kind, key), ()):
            people.setdefault(person, set()).add(kind)
    return people


def _settle(found: dict[int, int], candidates: Mapping[int, Iterable[int]]) -> None:
    """Adds the pairs of which neither side has another choice among those left."""
    taken = set(found.values())
    free = {
        row: left
        for row, people in candidates.items()
        if row not in found and (left := [person for person in people if person not in taken])
    }
    asked = Counter(person for people in free.values() for person in people)
    for row, people in free.items():
        if len(people) == 1 and asked[people[0]] == 1:
            found[row] = people[0]


def new_keys(
    known: Mapping[tuple[str, str], set[int]], person: int, one: Somebody, key: PersonKey
) -> list[list[str]]:
    """Keys of the person tonight that the ledger does not have yet, as [kind, keyed hash], in a fixed order."""
    of: Sequence[Callable[[PersonKey, Somebody], Keys]] = (strong_keys, weak_keys)
    keys = {kind: value for make in of for kind, value in make(key, one).items()}
    return [
        [kind, keys[kind]]
        for kind in (*_STRONG, *_WEAK)
        if kind in keys and person not in known.get((kind, keys[kind]), ())
    ]
