"""The columns of a normalised snapshot: what each kind of field becomes, once for all stages.

`intake` writes them, `matching` and `entitlement` read them; both take the names and types from here.
"""

from __future__ import annotations

from pipeline.contracts.dataset import Dataset, FieldSpec

# Where a record stands in what was delivered.
PLACE: dict[str, str] = {"source_file": "VARCHAR", "sheet": "VARCHAR", "source_row": "BIGINT"}

_SIMPLE = {
    "text": "VARCHAR",
    "name": "VARCHAR",
    "date": "DATE",
    "month": "DATE",
    "year": "BIGINT",
    "amount": "BIGINT",
    "integer": "BIGINT",
    "region": "VARCHAR",
}


def field_columns(name: str, spec: FieldSpec) -> dict[str, str]:
    """SQL type by column for one field; identifiers have several columns."""
    if spec.type == "id":
        return {
            name: "VARCHAR",
            f"{name}_certificate": "VARCHAR",
            f"{name}_problem": "VARCHAR",
            f"{name}_typed": "VARCHAR",
        }
    if spec.type == "certificate":
        return {
            name: "VARCHAR",
            f"{name}_id": "VARCHAR",
            f"{name}_problem": "VARCHAR",
            f"{name}_typed": "VARCHAR",
        }
    if spec.type == "code":
        return {name: "BIGINT" if spec.whole_number else "VARCHAR"}
    return {name: _SIMPLE[spec.type]}


def snapshot_columns(dataset: Dataset) -> dict[str, str]:
    """SQL type by column for the whole snapshot, in the order in which it is written."""
    columns = dict(PLACE)
    for name, spec in dataset.fields.items():
        columns.update(field_columns(name, spec))
    return columns
