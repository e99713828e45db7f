"""The rows of a county's 疑点 table: one person × benefit or finding, as the clerk reads them.

`case_rows` joins a night once for all counties; `county_table` turns one county's rows into the printed columns.
"""

from __future__ import annotations

import polars as pl

from pipeline.contracts.register_findings import REGISTER_FINDINGS
from pipeline.contracts.rule import Rule
from pipeline.identity.mask import mask_id
from pipeline.identity.place import township_and_village
from pipeline.reports.case_words import with_cases
from pipeline.reports.matched_words import matched_words
from pipeline.reports.night import NightForReports
from pipeline.reports.safe_text import masked_text, no_formula
from pipeline.reports.source_words import source_words

ANSWERS = ("核查结果", "情况说明", "处理措施", "办结日期", "核查人", "核查日期")
COLUMNS = (
    "序号",
    "疑点编号",
    "进展",
    "比对月份",
    "县(市、区)",
    "乡镇",
    "村(社区)",
    "姓名",
    "身份证号",
    "残疾人证号",
    "残疾类别",
    "残疾等级",
    "证件有效期至",
    "证件状态",
    "年龄",
    "监护人",
    "疑点类型",
    "涉及政策",
    "疑点描述",
    "依据文号",
    "预计金额",
    "数据来源",
    "匹配方式与置信度",
    "责任部门",
    "性质",
    "反馈截止日",
    "首次发现",
    "首次下发日",
    "下发次数",
    *ANSWERS,
)
IDENTIFIERS = ("身份证号", "残疾人证号")
_FREE_TEXT = (
    "乡镇",
    "村(社区)",
    "姓名",
    "监护人",
    "疑点描述",
    "数据来源",
)  # may hold a number by somebody's mistake

# The sheet a row belongs on. COMPARED: on none but 部门比对.
MAIN, QUOTA, VERIFY, LEAD, COMPARED = "main", "quota", "verify", "lead", "compared"

_OUTCOME_KINDS = {
    "missing": "漏享",
    "renew_first": "先换证",
    "verify": "待核实",
    "receiving_not_due": "错享待核",
}
NATURES = {"entitlement": "权益", "quota": "项目类", "lead": "线索"}
_LEVELS = {1: "一级", 2: "二级", 3: "三级", 4: "四级"}
# The kind of a finding is told by the first word of its code, so that a new finding needs no Python.
_FINDING_KINDS = {"certificate": "证件到期", "payment": "发放异常", "subsidy": "错享待核"}
UNKNOWN_PLACE = "未注明"


def finding_kind(code: str, subject: str) -> str:
    """疑点类型 of a finding. What is neither of a certificate, a payment nor a subsidy is 信息不一致."""
    if subject == "outside_register":
        return "未办证"
    return _FINDING_KINDS.get(code.split("_")[0], "信息不一致")


def case_rows(night: NightForReports) -> pl.DataFrame:
    """Every reportable row of the night with the person's and the rule's columns; `sheet` says where it belongs.

    Rows without a county code are left out (the summary counts them): there is nobody to send them to.
    """
    keys = [
        "certificate_number",
        "id_number",
        "name",
        "county_code",
        "code",
        "outcome",
        "strength",
        "reason",
        "money",
    ]
    outcomes = night.outcomes.filter(pl.col("outcome").is_in(list(_OUTCOME_KINDS))).rename(
        {"benefit": "code"}
    )
    findings = night.findings.rename({"finding": "code"}).with_columns(
        pl.lit("finding").alias("outcome"), pl.lit("").alias("strength"), _NO_MONEY.alias("money")
    )
    outcomes = outcomes.with_columns(_money(outcomes).alias("money"))
    people = night.people.select(
        "certificate_number",
        "address",
        "category",
        "level",
        "valid_until",
        "state",
        "birth_date",
        "guardian_name",
    ).unique("certificate_number", keep="first", maintain_order=True)
    flagged = pl.concat([outcomes.select(keys), findings.select(keys)])
    return (
        with_cases(flagged.filter(pl.col("county_code").is_not_null()), night)
        .join(people, on="certificate_number", how="left", maintain_order="left")
        .join(_rule_words(night), on="code", how="left", maintain_order="left")
        .join(matched_words(night), on="certificate_number", how="left", maintain_order="left")
        .join(source_words(night, flagged), on=["code", "county_code"], how="left", maintain_order="left")
        .with_columns(
            pl.col("outcome").replace_strict(_OUTCOME_KINDS, default=pl.col("finding_kind")).alias("kind"),
            pl.col("strength").replace_strict(NATURES, default="核查").alias("nature"),
            _sheet().alias("sheet"),
        )
    )


_NO_MONEY = pl.lit(None, dtype=pl.String)


def _money(outcomes: pl.DataFrame) -> pl.Expr:
    """预计金额: yuan a month or once from now on; null where nobody has said how much. Never for past months: all are
    paid from the application on (handbook D3), and what is doubtful is worth nothing yet."""
    if "yuan_a_month" not in outcomes.columns:
        return _NO_MONEY
    month, once = pl.col("yuan_a_month"), pl.col("yuan_once")
    return (
        pl.when(pl.col("outcome") == "verify")
        .then(_NO_MONEY)
        .when(month.is_not_null())
        .then(pl.concat_str([_yuan(month), pl.lit("元/月")]))
        .when(once.is_not_null())
        .then(pl.concat_str([_yuan(once), pl.lit("元（一次性）")]))
    )


def _yuan(amount: pl.Expr) -> pl.Expr:
    """Without a fraction where there is none: 110, 8.33."""
    return amount.round(2).cast(pl.String).str.replace(r"\.0$", "")


def _sheet() -> pl.Expr:
    return (
        pl.when(pl.col("outcome") == "receiving_not_due")
        .then(pl.lit(COMPARED))
        .when(pl.col("strength") == "lead")
        .then(pl.lit(LEAD))
        .when(pl.col("outcome") == "verify")
        .then(pl.lit(VERIFY))
        .when(pl.col("strength") == "quota")
        .then(pl.lit(QUOTA))
        .otherwise(pl.lit(MAIN))
    )


def _rule_words(night: NightForReports) -> pl.DataFrame:
    """What the rules say of each code that occurs; a code no rule knows stands for itself."""
    codes = sorted({*night.outcomes["benefit"].unique(), *night.findings["finding"].unique()})
    rules = [(code, night.rules.get(code) or REGISTER_FINDINGS.get(code)) for code in codes]
    rows = [
        (
            code,
            rule.title if rule else code,
            rule.law if rule else "",
            rule.owner if rule else "",
            rule.urgency if rule else 9,
            finding_kind(code, rule.subject if isinstance(rule, Rule) else ""),
        )
        for code, rule in rules
    ]
    return pl.DataFrame(
        rows,
        schema={
            "code": pl.String,
            "title": pl.String,
            "law": pl.String,
            "owner": pl.String,
            "urgency": pl.Int64,
            "finding_kind": pl.String,
        },
        orient="row",
    )


def sorted_county(rows: pl.DataFrame, region: str, county: str) -> pl.DataFrame:
    """One county's rows with township and village, by township, village, urgency, certificate and code.

    The order is total: unknown places come last, ties are settled by every remaining key.
    """
    township, village = township_and_village(pl.col("address"), region, county)
    return rows.with_columns(township.alias("township"), village.alias("village")).sort(
        "township",
        "village",
        "urgency",
        "certificate_number",
        "code",
        "id_number",
        "name",
        "outcome",
        "reason",
        nulls_last=True,
        maintain_order=True,
    )


def county_table(rows: pl.DataFrame, night: NightForReports, county: str, *, full_ids: bool) -> pl.DataFrame:
    """The printed table (COLUMNS, all String, no null) of sorted rows: numbers masked unless `full_ids`, no formula."""
    digits = len(str(rows.height))
    as_of = night.as_of
    words: dict[str, pl.Expr] = {
        "序号": pl.int_range(1, pl.len() + 1).cast(pl.String).str.zfill(digits),
        "疑点编号": pl.col("case_number"),
        "进展": pl.col("progress"),
        "比对月份": pl.lit(f"{as_of.year}年{as_of.month:02d}月"),
        "县(市、区)": pl.lit(county),
        "乡镇": pl.col("township").fill_null(UNKNOWN_PLACE),
        "村(社区)": pl.col("village").fill_null(UNKNOWN_PLACE),
        "姓名": pl.col("name"),
        "身份证号": pl.col("id_number"),
        "残疾人证号": pl.col("certificate_number"),
        "残疾类别": pl.col("category"),
        "残疾等级": pl.col("level").replace_strict(_LEVELS, default=None, return_dtype=pl.String),
        "证件有效期至": _day(pl.col("valid_until")),
        "证件状态": pl.col("state"),
        "年龄": _age(pl.col("birth_date"), as_of.year, as_of.month * 100 + as_of.day).cast(pl.String),
        "监护人": pl.col("guardian_name"),
        "疑点类型": pl.col("kind"),
        "涉及政策": pl.col("title"),
        "疑点描述": pl.col("reason"),
        "依据文号": pl.col("law"),
        "预计金额": pl.col("money"),
        "数据来源": pl.col("sources"),
        "匹配方式与置信度": _how_matched(),
        "责任部门": pl.col("owner"),
        "性质": pl.col("nature"),
        "反馈截止日": _day(pl.col("due_on")),
        "首次发现": _day(pl.col("first_seen")),
        "首次下发日": _day(pl.col("first_sent")),
        "下发次数": pl.col("times_sent"),
    }
    shown = [
        safe_column(words.get(name, pl.lit("")), name, full_ids=full_ids).alias(name) for name in COLUMNS
    ]
    return rows.select(shown)


def _how_matched() -> pl.Expr:
    """What is doubtful first where it keeps the answer open, else how the rows were found."""
    doubtful = pl.when(pl.col("outcome") == "verify").then("doubtful")
    return pl.concat_str([doubtful, "matched"], separator="；", ignore_nulls=True)


def safe_column(text: pl.Expr, column: str, *, full_ids: bool) -> pl.Expr:
    """The column as it may be printed: numbers masked unless `full_ids`, no null, no formula."""
    if column in IDENTIFIERS and not full_ids:
        text = mask_id(text)
    elif column in _FREE_TEXT and not full_ids:
        text = masked_text(text)
    return no_formula(text.fill_null(""))


def _day(on: pl.Expr) -> pl.Expr:
    return pl.when(on.dt.year() == 9999).then(pl.lit("长期")).otherwise(on.dt.strftime("%Y-%m-%d"))


def _age(born: pl.Expr, year: int, month_day: int) -> pl.Expr:
    """Full years at the as-of date; `month_day` is month × 100 + day."""
    birthday = born.dt.month().cast(pl.Int64) * 100 + born.dt.day().cast(pl.Int64)
    return year - born.dt.year().cast(pl.Int64) - (birthday > month_day).cast(pl.Int64)
