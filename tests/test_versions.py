"""What two nights ran on can be told apart: another reading of a list counts, another comment in its schema does not."""

from __future__ import annotations

from pathlib import Path

from pipeline.contracts.dataset import load_datasets
from pipeline.versions import versions

SCHEMAS = Path(__file__).parents[1] / "schemas"


def test_another_reading_of_a_list_is_another_version() -> None:
    datasets = load_datasets(SCHEMAS)
    as_they_are = versions(datasets.values())
    assert as_they_are == versions(reversed(datasets.values()))
    assert set(as_they_are) == {"reconcile", "duckdb", "polars", "schemas"}
    one = datasets["medical_insurance/insured"]
    other = one.model_copy(update={"delivery": one.delivery.model_copy(update={"stale_after_days": 7})})
    changed = versions({**datasets, one.dataset: other}.values())
    assert changed["schemas"] != as_they_are["schemas"]
    assert changed["reconcile"] == as_they_are["reconcile"]
