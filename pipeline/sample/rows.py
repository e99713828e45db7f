"""The rows of the departments' lists, as typed values under the field names of `lists.py`.

Every builder takes the chunk's people and gives a frame whose columns are the export's fields and, in front, what the
writer needs to know about a row: `_person`, `_key` (unique a row in its list), `_county`, `_head_id`, `_child`, `_cert`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from pipeline.sample import rows_families, rows_people, rows_register, rows_support
from pipeline.sample.lists import Export
from pipeline.sample.troubled import with_wrong_births
from pipeline.sample.world import World

Builder = Callable[[World, pl.DataFrame], pl.DataFrame]

BUILDERS: Mapping[str, Builder] = {
    "federation/register": rows_register.register,
    "federation/services": rows_register.services,
    "federation/needs_survey": rows_register.needs_survey,
    "civil_affairs/dibao": rows_families.dibao,
    "civil_affairs/dibao_margin": rows_families.dibao_margin,
    "civil_affairs/tekun": rows_support.tekun,
    "civil_affairs/two_subsidies": rows_register.two_subsidies,
    "civil_affairs/orphans": rows_support.orphans,
    "civil_affairs/deaths": rows_support.deaths,
    "civil_affairs/temporary_relief": rows_support.temporary_relief,
    "finance/payments": rows_register.payments,
    "medical_insurance/insured": rows_people.insured,
    "medical_insurance/expenses": rows_people.expenses,
    "hr_social_security/pension": rows_people.pension,
    "hr_social_security/injury_care": rows_support.injury_care,
    "hr_social_security/employment": rows_people.employment,
    "education/enrolment": rows_people.enrolment,
    "housing/dangerous_housing": rows_families.dangerous_housing,
    "housing/accessibility": rows_register.accessibility,
    "housing/rental": rows_support.rental,
    "rural_revitalization/monitored": rows_families.monitored,
    "health/assessments": rows_register.assessments,
    "health/family_doctor": rows_people.family_doctor,
}


def rows_of(world: World, export: Export, people: pl.DataFrame) -> pl.DataFrame:
    """The chunk's rows of one list: the meta columns, then the fields in the export's order."""
    frame = BUILDERS[export.key](world, people)
    if "_key" not in frame.columns:
        frame = frame.with_columns(_key="key")
    meta = [
        pl.col("person").alias("_person"),
        pl.col("_key").cast(pl.UInt64),
        pl.col("county").alias("_county"),
        pl.col("head_id").alias("_head_id"),
        (pl.col("age") < 16).alias("_child"),
        pl.col("cert").alias("_cert") if "_cert" not in frame.columns else pl.col("_cert"),
    ]
    rows = frame.select(*meta, *(column.key for column in export.columns))
    return with_wrong_births(world, export.key, rows)
