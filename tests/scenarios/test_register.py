"""What is wrong inside the register itself: findings for 残联, never a silent choice and never a wrong flag."""

from __future__ import annotations

from pathlib import Path

import nights
import plain
import polars as pl

ONE = plain.number("19800512", 1)
TWO = plain.number("19790203", 12)
CHILD = plain.number("20190620", 3)
SUBSIDY = {"kind": "重度残疾人护理补贴", "state": "正常", "start": "202401"}


def findings(out: Path, code: str) -> pl.DataFrame:
    return nights.table(out, "findings").filter(pl.col("finding") == code)


def test_a_repeated_row_is_one_person(tmp_path: Path) -> None:
    row = plain.holder("次仁", ONE)
    inbox = plain.write(
        tmp_path, [row, row], civil_affairs__two_subsidies=[{"name": "次仁", "id": ONE, **SUBSIDY}]
    )
    answers = plain.outcomes(inbox, tmp_path / "out")
    assert plain.outcome(answers, ONE, "nursing_subsidy") == ["receiving"]


def test_of_two_certificates_of_one_person_the_one_in_force_counts(tmp_path: Path) -> None:
    old = plain.holder("次仁", ONE, level=2, state="过期", until="20250101")
    new = plain.holder("次仁", ONE, level=1, cert=f"{ONE}41B1")
    inbox = plain.write(
        tmp_path, [old, new], civil_affairs__two_subsidies=[{"name": "次仁", "id": ONE, **SUBSIDY}]
    )
    answers = plain.outcomes(inbox, tmp_path / "out")
    assert plain.outcome(answers, ONE, "nursing_subsidy") == ["receiving"]
    assert answers["certificate_number"].unique().to_list() == [f"{ONE}41B1"]
    assert findings(tmp_path / "out", "certificate_expired").is_empty()
    assert findings(tmp_path / "out", "register_id_duplicate").height == 2


def listed(out: Path, words: str) -> list[tuple[str, ...]]:
    """疑点编号 and 残疾人证号 of the county's rows about a finding."""
    rows = pl.read_csv(out / "reports" / plain.COUNTY / "discrepancies.csv", infer_schema=False)
    return rows.filter(pl.col("涉及政策").str.contains(words)).select("疑点编号", "残疾人证号").rows()


def test_what_is_found_about_an_old_certificate_is_a_case_of_the_person(tmp_path: Path) -> None:
    """It stands in the county's list under a number, so that it can be answered; one of the person, not of the certificate."""
    slip = f"{ONE[:-2]}0{ONE[-1]}"
    old = plain.holder("次仁", ONE, id=slip, state="过期", until="20250101")
    inbox = plain.write(tmp_path, [old, plain.holder("次仁", ONE, cert=f"{ONE}41B1")])
    plain.outcomes(inbox, tmp_path / "out")
    assert findings(tmp_path / "out", "register_id_damaged")["certificate_number"].to_list() == [f"{ONE}41"]
    cases = nights.table(tmp_path / "out", "cases").filter(pl.col("subject") == "register_id_damaged")
    assert cases["certificate_number"].to_list() == [f"{ONE}41B1"]
    ((number, _),) = listed(tmp_path / "out", "身份证号有误")
    assert number == cases["case_number"].item()


def test_a_person_with_two_certificates_is_asked_about_once(tmp_path: Path) -> None:
    """Two rows of one number could not be answered: which answer is the case's own cannot be told."""
    new = plain.holder("次仁", ONE, cert=f"{ONE}41B1")
    inbox = plain.write(tmp_path, [plain.holder("次仁", ONE, state="过期", until="20250101"), new])
    plain.outcomes(inbox, tmp_path / "out")
    cases = nights.table(tmp_path / "out", "cases").filter(pl.col("subject") == "register_id_duplicate")
    ((number, certificate),) = listed(tmp_path / "out", "多个残疾人证")
    assert number == cases["case_number"].item()
    assert certificate.endswith("B1")


def test_one_number_at_two_names_makes_both_doubtful_not_missing(tmp_path: Path) -> None:
    register = [plain.holder("次仁卓玛", ONE), plain.holder("泽仁卓玛", ONE, cert=f"{ONE}42")]
    inbox = plain.write(
        tmp_path, register, civil_affairs__two_subsidies=[{"name": "次仁卓玛", "id": ONE, **SUBSIDY}]
    )
    answers = plain.outcomes(inbox, tmp_path / "out").filter(pl.col("benefit") == "nursing_subsidy")
    assert set(answers["outcome"]) == {"verify"}
    assert (
        nights.table(tmp_path / "out", "links")
        .filter(pl.col("dataset") == "civil_affairs/two_subsidies")
        .is_empty()
    )


def test_a_row_with_two_peoples_numbers_links_neither(tmp_path: Path) -> None:
    register = [plain.holder("次仁", ONE), plain.holder("泽仁", TWO)]
    row = {"name": "次仁", "id": ONE, "cert": f"{TWO}41", **SUBSIDY}
    inbox = plain.write(tmp_path, register, civil_affairs__two_subsidies=[row])
    answers = plain.outcomes(inbox, tmp_path / "out")
    for id_ in (ONE, TWO):
        assert plain.outcome(answers, id_, "nursing_subsidy") == ["verify"]
    unlinked = nights.table(tmp_path / "out", "unlinked")
    assert unlinked["reason"].unique().to_list() == ["several_people"]


def test_a_guardians_number_on_a_child_is_not_the_childs(tmp_path: Path) -> None:
    row = plain.holder("卓玛", CHILD, id=TWO)
    inbox = plain.write(tmp_path, [row])
    answers = plain.outcomes(inbox, tmp_path / "out")
    assert plain.outcome(answers, CHILD, "compulsory_education") == ["missing"]
    assert "pension_enrolment" not in answers["benefit"].to_list()
    assert findings(tmp_path / "out", "register_id_conflict").height == 1


def test_two_numbers_and_no_birth_date_leave_the_age_unknown(tmp_path: Path) -> None:
    inbox = plain.write(tmp_path, [plain.holder("卓玛", CHILD, id=TWO, dob="")])
    answers = plain.outcomes(inbox, tmp_path / "out").filter(pl.col("benefit") == "compulsory_education")
    assert answers["outcome"].to_list() == ["undetermined"]


def test_a_person_without_a_usable_number_is_told_and_not_flagged(tmp_path: Path) -> None:
    inbox = plain.write(
        tmp_path, [plain.holder("次仁", ONE), plain.holder("扎西", TWO, id="无", cert="遗失")]
    )
    answers = plain.outcomes(inbox, tmp_path / "out").filter(pl.col("name") == "扎西")
    assert set(answers["outcome"]) == {"undetermined"}
    assert findings(tmp_path / "out", "register_id_damaged").height == 1


def test_a_certificate_number_links_in_whichever_column_it_stands(tmp_path: Path) -> None:
    register = [plain.holder("次仁", ONE), plain.holder("泽仁", TWO, cert=f"{TWO}41B2")]
    rows = [
        {"name": "次仁", "id": f"{ONE}41", **SUBSIDY},
        {"name": "泽仁", "id": "", "cert": f"{TWO}42", **SUBSIDY},
    ]
    inbox = plain.write(tmp_path, register, civil_affairs__two_subsidies=rows)
    answers = plain.outcomes(inbox, tmp_path / "out")
    assert plain.outcome(answers, ONE, "nursing_subsidy") == ["receiving"]
    assert plain.outcome(answers, TWO, "nursing_subsidy") == ["receiving"]


def test_a_guardians_number_on_a_childs_row_is_not_linked(tmp_path: Path) -> None:
    register = [plain.holder("和光勇", ONE)]
    pupil = {
        "name": "和淑梅",
        "sex": "女",
        "dob": "20150511",
        "id": ONE,
        "stage": "小学",
        "state": "在读",
        "aid": "否",
    }
    inbox = plain.write(tmp_path, register, education__enrolment=[pupil])
    plain.outcomes(inbox, tmp_path / "out")
    assert nights.table(tmp_path / "out", "links").is_empty()
    assert nights.table(tmp_path / "out", "unlinked")["reason"].to_list() == ["birth_date"]


def test_a_list_named_with_another_countys_code_is_believed_for_none(tmp_path: Path) -> None:
    here = [plain.holder(f"甲{n}", plain.number("19700101", n)) for n in range(1, 8)]
    there = [plain.holder(f"乙{n}", plain.number("19710101", n), area="539902101201") for n in range(1, 8)]
    inbox = plain.write(tmp_path, [*here, *there])
    rows = [{"name": row["name"], "id": row["id"], **SUBSIDY} for row in there]
    path = inbox / "civil_affairs/two_subsidies" / "539901_示例市名单_20261031.csv"
    plain.write_list(path, "civil_affairs/two_subsidies", rows)
    answers = plain.outcomes(inbox, tmp_path / "out").filter(pl.col("benefit") == "nursing_subsidy")
    assert nights.status(tmp_path / "out", "civil_affairs/two_subsidies")["539901"] == "quarantined"
    assert "missing" not in answers["outcome"].to_list()
    assert set(answers.filter(pl.col("county_code") == "539902")["outcome"]) <= {"receiving", "undetermined"}


def test_the_report_names_register_findings_in_chinese(tmp_path: Path) -> None:
    inbox = plain.write(tmp_path, [plain.holder("次仁", ONE), plain.holder("扎西", TWO, id="无")])
    plain.outcomes(inbox, tmp_path / "out")
    report = pl.read_csv(tmp_path / "out/reports/539901/discrepancies.csv", infer_schema=False)
    mine = report.filter(pl.col("涉及政策") == "持证名册中身份证号有误")
    assert mine.height == 1
    assert mine["责任部门"].to_list() == ["残联"]
    assert "register_id" not in (tmp_path / "out/summary.html").read_text(encoding="utf-8")
