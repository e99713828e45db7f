"""The review's own words, beside those of `reports/methods.py`. A code without its word is shown as it is."""

from __future__ import annotations

from pipeline.identity.region import county_name
from pipeline.matching.judgements import DIFFERENT, SAME, UNSURE
from pipeline.reports import methods

ANSWER_WORDS = {SAME: "同一人", DIFFERENT: "不是", UNSURE: "不确定"}
PRIOR = ("比对之前", "任取一对，多半不是")  # what is known before any comparison, as a field and its level


def field_words(field: str) -> str:
    """The name of a comparison field."""
    return methods.FIELDS.get(field, field)


def county_words(code: str | None) -> str:
    """A county's name, else its code."""
    return county_name(code or "") or code or "县不明"


def probability_words(probability: float) -> str:
    """As per cent; never 100 or 0, which no comparison reaches."""
    if probability > 0.999:
        return "99.9%以上"
    return f"{probability:.1%}" if probability >= 0.001 else "不到0.1%"
