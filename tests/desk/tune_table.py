"""A pairs table written by hand, for the tests of `reconcile tune`."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.contracts import tables
from pipeline.desk.tune_pairs import FIELD_NAMES

INSURED, PENSION = "medical_insurance/insured", "hr_social_security/pension"
TITLES = {INSURED: "医保", PENSION: "养老"}
FILES = {
    INSURED: "medical_insurance/insured/a_20261031.csv",
    PENSION: "hr_social_security/pension/b_20261031.csv",
}


def pair(row: int, certificate: str, probability: float, decision: str = "", **other: Any) -> dict[str, Any]:
    """One line of the pairs table: weights that add up to the probability, keys by row and certificate."""
    dataset = other.get("dataset", INSURED)
    chance = min(max(probability, 1e-9), 1 - 1e-9)
    weight = round(math.log2(chance / (1 - chance)), 4)
    line: dict[str, Any] = {
        "dataset": dataset,
        "source_file": FILES[dataset],
        "sheet": "",
        "source_row": row,
        "certificate_number": certificate,
        "id_number": None,
        "county_code": "539901",
        "method": "name_birth",
        "decision": decision
        or ("linked" if probability >= 0.98 else "review" if probability >= 0.1 else "none"),
        "match_probability": probability,
        "match_weight": weight,
        "keys": "name_birth",
        **dict.fromkeys(FIELD_NAMES, "unknown"),
        **{f"{name}_weight": 0.0 for name in FIELD_NAMES},
        "name": "exact",
        "name_weight": weight + 15.0,
        "prior_weight": -15.0,
        "row_key": f"{dataset[0]}{row:031d}",
        "person_key": f"{certificate:>032}",
        "shown": "[]",
    }
    return {**line, **other}


def frame(*lines: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(lines), schema=tables.PAIRS)


def answers(*judged: tuple[dict[str, Any], str]) -> pl.DataFrame:
    """What clerks answered, as `judgements.current` gives it."""
    rows = [(p["row_key"], p["person_key"], answer) for p, answer in judged]
    return pl.DataFrame(
        rows, schema=dict.fromkeys(("row_key", "person_key", "answer"), pl.String), orient="row"
    )


def links(*lines: tuple[str, int, str]) -> pl.DataFrame:
    """Links by number: dataset, row, certificate."""
    rows = [(d, FILES[d], row, c, None, "id", 1.0, "linked") for d, row, c in lines]
    return pl.DataFrame(rows, schema=tables.LINKS, orient="row")


def written(out: Path, pairs: pl.DataFrame, exact: pl.DataFrame | None = None) -> Path:
    """An output folder of a night that compared these pairs."""
    results = out / "results"
    results.mkdir(parents=True)
    empty = {
        "unlinked": tables.UNLINKED,
        "family_links": tables.FAMILY_LINKS,
        "outcomes": tables.OUTCOMES,
        "findings": tables.FINDINGS,
        "coverage": tables.COVERAGE,
    }
    for name, columns in empty.items():
        pl.DataFrame(schema=columns).write_parquet(results / f"{name}.parquet")
    fuzzy = pairs.filter(pl.col("decision") == "linked").select(list(tables.LINKS))
    pl.concat([links() if exact is None else exact, fuzzy]).write_parquet(results / "links.parquet")
    pairs.write_parquet(results / "pairs.parquet")
    inputs = [{"dataset": d, "file": file, "rows": 9} for d, file in FILES.items()]
    told = {"format": 1, "as_of": "2026-10-31", "inputs": inputs, "read": {"rows_quarantined": 0}}
    (out / "run.json").write_text(json.dumps(told), encoding="utf-8")
    return out
