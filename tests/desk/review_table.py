"""A small table of doubtful pairs, as a night leaves it in results/pairs.parquet. All numbers and names are nobody's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

import polars as pl

from pipeline.desk.review_pairs import WEIGHED

AT = datetime(2026, 11, 5, 9, 30, 7, tzinfo=timezone(timedelta(hours=8)))  # when everything is judged
DIBAO, PENSION = "civil_affairs/dibao", "hr_social_security/pension"
Said = Sequence[tuple[str, str | None, str | None]]

ALIKE: Said = (
    ("姓名", "次仁卓玛", "泽仁卓玛"),
    ("证件号码", "539999196503170100", "539999196503170010"),
    ("出生日期", "1965-03-17", "1965-03-17"),
    ("性别", "女", "女"),
    ("县(市、区)", "示例县", "示例县"),
    ("乡镇", "建塘镇", None),
    ("住址", "建塘镇红坡村 3组12号", "建塘镇红坡村3组12号"),
    ("监护人", None, "扎西"),
    ("银行账号", "6228480039990012345", "6228480039990012345"),
    ("残疾类别等级", "肢体二级", "肢体二级"),
)


def key(number: int) -> str:
    return f"{number:032x}"


def one(row: int, person: int, **changes: object) -> dict[str, object]:
    """A doubtful pair of the row and the person with these numbers."""
    weights = {
        "prior": -11.2,
        "identity": 9.31,
        "name": 6.05,
        "place": 2.4,
        "relation": 0.0,
        "disability": -1.25,
    }
    weights |= changes.pop("weights", {})  # type: ignore[call-overload]
    levels = {
        "identity": "slip",
        "name": "near",
        "place": "new_level",
        "relation": "unknown",
        "disability": "differs",
    }
    return {
        "dataset": DIBAO,
        "source_file": "civil_affairs/dibao/533401_低保_20261031.xlsx",
        "sheet": "在保名单",
        "source_row": row,
        "certificate_number": f"5399991965031700{person:02d}41",
        "id_number": f"5399991965031700{person:02d}",
        "county_code": "533401",
        "method": "id_repaired",
        "decision": "review",
        "match_probability": 0.973,
        "match_weight": sum(weights.values()),
        "keys": "id_repaired+name_birth",
        **{field: levels[field] for field in WEIGHED},
        **{f"{field}_weight": weights[field] for field in WEIGHED},
        "prior_weight": weights["prior"],
        "row_key": key(row),
        "person_key": key(person),
        "shown": shown(ALIKE),
        **changes,
    }


def shown(said: Said) -> str:
    return json.dumps(
        [{"label": label, "row": row, "register": register} for label, row, register in said],
        ensure_ascii=False,
    )


def usual() -> list[dict[str, object]]:
    """Six doubtful pairs in this order: row 5 with 1; row 7 with 2, 3 and 4; row 9 of another county; row 2 of another list."""
    other = {"dataset": PENSION, "source_file": "hr_social_security/pension/待遇_20261031.csv", "sheet": ""}
    return [
        one(5, 1),
        one(7, 3, match_probability=0.31, match_weight=-1.1),
        one(7, 2, match_probability=0.62),
        one(7, 4, match_probability=0.05, match_weight=-4.2),
        one(8, 5, decision="linked"),
        one(9, 6, county_code="533423"),
        one(11, 7, decision="none"),
        one(2, 8, **other),
    ]


def write(out: Path, rows: Sequence[dict[str, object]] | None = None) -> Path:
    """Writes `out/results/pairs.parquet`; returns `out`."""
    frame = pl.DataFrame(usual() if rows is None else list(rows))
    (out / "results").mkdir(parents=True, exist_ok=True)
    frame.write_parquet(out / "results" / "pairs.parquet")
    return out
