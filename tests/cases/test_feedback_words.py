"""What clerks write: wide synonyms, and nothing understood that could mean something else."""

from __future__ import annotations

import time
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.cases.feedback_answer import Said, said
from pipeline.cases.feedback_columns import ANSWERS
from pipeline.cases.feedback_dates import answered_day
from pipeline.cases.feedback_problems import Refusal
from pipeline.cases.feedback_words import is_blank, words_of
from pipeline.contracts.answer_lists import (
    CLAIM_SPELLINGS,
    CLAIMED,
    MEASURE_SPELLINGS,
    MEASURES,
    OTHER_REASON,
    REASON_SPELLINGS,
    REASONS,
    RESULT_SPELLINGS,
    RESULTS,
)

AS_OF = date(2026, 11, 30)
TABLES = (
    ("results", RESULTS, RESULT_SPELLINGS),
    ("reasons", REASONS, REASON_SPELLINGS),
    ("measures", MEASURES, MEASURE_SPELLINGS),
)
SPELLED = [
    (kind, name, spelling)
    for kind, names, spellings in TABLES
    for name in names
    for spelling in (name, *spellings[name].split())
]
RESULT_WORDS = [(name, spelling) for kind, name, spelling in SPELLED if kind == "results"]


def answer(result: str = "", reason: str = "", measure: str = "", **more: str) -> Said | Refusal | None:
    texts = {"核查结果": result, "情况说明": reason, "处理措施": measure} | more
    return said({field: (texts[field],) if texts.get(field) else () for field in ANSWERS}, AS_OF)


def taken(result: str = "", reason: str = "", measure: str = "", **more: str) -> Said:
    found = answer(result, reason, measure, **more)
    assert isinstance(found, Said), found
    return found


def refused(result: str = "", reason: str = "", measure: str = "", **more: str) -> str:
    found = answer(result, reason, measure, **more)
    assert isinstance(found, Refusal), found
    return found.code


def test_every_word_of_the_lists_has_spellings_and_none_means_two_words_of_one_list() -> None:
    for _, names, spellings in TABLES:
        assert set(names) == set(spellings)
    for kind, name, spelling in SPELLED:
        found = words_of(spelling)
        assert getattr(found, kind) == {name}, spelling
        assert not found.more
        if kind != "results":
            assert not found.results, spelling
    for spelling in CLAIM_SPELLINGS.split():
        assert words_of(spelling).claims
        assert not words_of(spelling).results


@st.composite
def typed(draw: st.DrawFn, text: str) -> str:
    """The text with spaces, full-width signs and stops as hands put them."""
    spaced = "".join(c + draw(st.sampled_from(["", "", "", " ", "　", "\u200b"])) for c in text)
    before, after = (
        draw(st.sampled_from(["", " ", "“", "\t"])),
        draw(st.sampled_from(["", "。", "！", "；", " ”", "."])),
    )
    return before + spaced.replace(",", draw(st.sampled_from(["，", ",", "、"]))) + after


@settings(deadline=None)
@given(st.sampled_from(SPELLED), st.data())
def test_spaces_and_punctuation_change_nothing(spelled: tuple[str, str, str], data: st.DataObject) -> None:
    kind, name, spelling = spelled
    assert getattr(words_of(data.draw(typed(spelling))), kind) == {name}


@settings(deadline=None)
@given(
    st.sampled_from(RESULT_WORDS),
    st.sampled_from(["不是", "并非", "未必", "不一定", "难说", "好像", "可能", "据说", "不太"]),
)
def test_a_word_of_doubt_or_denial_in_front_never_gives_the_same_answer(
    word: tuple[str, str], doubt: str
) -> None:
    name, spelling = word
    assert name not in words_of(doubt + spelling).results or words_of(doubt + spelling).more


@settings(deadline=None)
@given(
    st.sampled_from(RESULT_WORDS),
    st.sampled_from(RESULT_WORDS),
    st.sampled_from(["，", "、", "/", "；", "。"]),
)
def test_two_different_results_are_no_answer(
    one: tuple[str, str], two: tuple[str, str], between: str
) -> None:
    found = answer(one[1] + between + two[1])
    if one[0] == two[0]:
        assert isinstance(found, Said)
        assert found.result == one[0]
    else:
        assert isinstance(found, Refusal)


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_any_text_is_an_answer_or_comes_back(result: str, reason: str, measure: str) -> None:
    found = answer(result, reason, measure)
    assert found is None or isinstance(found, Refusal) or found.result in (*RESULTS, CLAIMED)


@settings(deadline=None)
@given(st.text("不是属实对否有误部分无法核查基本未已", min_size=1, max_size=6))
def test_only_whole_known_spellings_are_results(text: str) -> None:
    known = {spelling: name for name, spelling in RESULT_WORDS}
    found = words_of(text)
    if (
        found.results and text not in known and len(found.results) == 1
    ):  # 经核实为… and the like only add checking
        (name,) = found.results
        assert found.more or any(text.endswith(s) for s, n in known.items() if n == name and len(s) > 1)
        rest = next(text.removesuffix(s) for s in sorted(known, key=len, reverse=True) if text.endswith(s))
        assert found.more or not set(rest) & set("不否误部分未")


@pytest.mark.parametrize(
    ("text", "result", "reason"),
    [
        ("是", "属实", None),
        ("对", "属实", None),
        ("情况属实", "属实", None),
        ("属 实", "属实", None),
        ("√", "属实", None),
        ("✔", "属实", None),
        ("不属", "不属实", None),
        ("不是", "不属实", None),
        ("否", "不属实", None),
        ("有误", "不属实", None),
        ("×", "不属实", None),
        ("经入户核实属实。", "属实", None),
        ("核查结果：不属实", "不属实", None),
        ("不属实（已死亡）", "不属实", "死亡"),
        ("不属实已死亡", "不属实", "死亡"),
        ("经核实，不属实，该人于2025年3月去世", "不属实", "死亡"),
        ("部 分", "部分属实", None),
        ("暂时无法核实", "无法核实", None),
    ],
)
def test_free_words_of_results(text: str, result: str, reason: str | None) -> None:
    found = taken(text)
    assert (found.result, found.reason) == (result, reason)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "基本属实",
            "是/否",
            "□是□否",
            "不，属实",
            "属实？",
            "部分不属实",
            "已核实",
            "待核实",
            "没有",
            "无",
            "符合",
            "1",
        ),
        *(
            "不是死亡",
            "但是",
            "属实，家里很困难",
            "已申请",
            "失联",
            "待换证",
            "死亡待核实",
            "未死亡",
            "？？",
            "不是不属实",
            "属实才怪",
            "√×",
            "不太属实",
            "查无此人",
        ),
    ],
)
def test_a_result_that_could_mean_something_else_comes_back(text: str) -> None:
    assert refused(text) == "E722"


@pytest.mark.parametrize(
    "text", ["死了", "已去世", "已故", "人已死亡。", "该人已去世", "本人2025年3月病故", "2026.3.5死亡"]
)
def test_death_in_other_words(text: str) -> None:
    assert taken("不属实", text).reason == "死亡"


@pytest.mark.parametrize(
    "text",
    [
        "外出务工",
        "外出",
        "搬走了",
        "父亲死亡",
        "父亲，死亡",
        "易地搬迁",
        "经查家中有两套商品房",
        "并非重度残疾",
    ],
)
def test_a_sentence_is_a_reason_of_its_own_and_never_one_of_the_list(text: str) -> None:
    """外出务工 is not 迁出, a father's death not the person's: but it is why the county says that there is nothing."""
    found = taken("不属实", text)
    assert (found.result, found.reason, found.note) == ("不属实", OTHER_REASON, text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "未死亡",
            "不是死亡",
            "并非死亡",
            "该人没有死亡",
            "尚未迁出",
            "户口未迁出，长期在家",
            "死亡原因不明",
            "可能已死亡",
            "疑似迁出",
        ),
        *(
            "待核实",
            "需进一步核实",
            "不清楚",
            "见附件",
            "同上",
            "其他",
            "无",
            "已核实",
            "经入户核实",
            "家庭困难，应纳入",
            "符合条件",
        ),
        *(
            "在外县领取护理补贴",
            "迁到昆明，在当地领取补贴",
            "该人在德钦县享受",
            "从未领取过补贴",
            "已由社区落实",
            "拟下月发放",
        ),
    ],
)
def test_what_gives_no_reason_or_speaks_against_one_stays_a_note(text: str) -> None:
    found = taken("不属实", text)
    assert (found.result, found.reason, found.note) == ("不属实", None, text)


@pytest.mark.parametrize(
    "text",
    [
        "家庭收入高，不能享受低保",
        "本人不愿领取",
        "家属拒绝参保",
        "已享受更高的工伤护理费",
        "不再发放",
        "单位已参加职工医保",
        "经落实该户有三辆车",
        "派出所已发函说明此人在押",
        "残疾特征不明显",
    ],
)
def test_why_nothing_may_be_received_is_a_reason(text: str) -> None:
    found = taken("不属实", text)
    assert (found.result, found.reason) == ("不属实", OTHER_REASON)


@pytest.mark.parametrize(
    ("reason", "measure", "named"),
    [
        ("", "不符合条件", "不符合条件"),
        ("不符合条件", "", "不符合条件"),
        ("不符合低保条件", "", "不符合条件"),
        ("经核实，不符合特困供养认定条件", "", "不符合条件"),
        ("家庭人均收入不符合低保标准", "", OTHER_REASON),
        ("不符合家庭收入标准", "", "不符合经济条件"),
        ("有退休工资，家里有车", "不符合条件", "不符合条件"),
        ("", "本人放弃", "本人或监护人放弃"),
        ("特困人员，集中供养", "", "特困供养"),
        ("死亡；迁出", "", "死亡"),
        ("迁出、死亡", "", "迁出或户籍在外县"),
        ("死亡", "不符合条件", "死亡"),
        ("家里有两台车", "已申请", None),
        ("家里有两台车", "补发", None),
        ("死亡", "在外县领取", None),
    ],
)
def test_why_it_is_none_however_it_is_said(reason: str, measure: str, named: str | None) -> None:
    found = taken("不属实", reason, measure)
    assert (found.result, found.reason) == ("不属实", named)


def test_of_two_reasons_the_first_counts_and_both_are_kept() -> None:
    found = taken("不属实", "特困人员，集中供养")
    assert (found.reason, found.note) == ("特困供养", "特困人员，集中供养")


def test_a_reason_counts_beside_a_sentence_in_another_column() -> None:
    cells = {"核查结果": ("不属实",), "情况说明": ("死亡", "入户时家属出示了注销证明")}
    found = said({field: cells.get(field, ()) for field in ANSWERS}, AS_OF)
    assert isinstance(found, Said)
    assert found.reason == "死亡"
    assert "家属" in (found.note or "")
    cells = {"核查结果": ("不属实",), "情况说明": ("死亡", "经查未死亡")}
    found = said({field: cells.get(field, ()) for field in ANSWERS}, AS_OF)
    assert isinstance(found, Said)
    assert found.reason is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("不符合", "不符合条件"),
        ("不符合条件", "不符合条件"),
        ("不符合低保条件", "不符合条件"),
        ("死亡", "死亡"),
        ("已死亡", "死亡"),
        ("死亡；迁出", "死亡"),
        ("集中供养/机构", "集中供养或在机构"),
        ("本人放弃", "本人或监护人放弃"),
        ("职工参保", "职工参保"),
    ],
)
def test_a_reason_in_the_place_of_the_result_is_a_no(text: str, reason: str) -> None:
    found = taken(text)
    assert (found.result, found.reason, found.implied) == ("不属实", reason, True)
    assert taken(text, "有退休工资").reason == reason
    assert taken(text, "已享受").result == CLAIMED
    assert refused(text, "情况属实") == "E723"


def test_handed_on_is_an_answer_that_lays_nothing_to_rest() -> None:
    for text in ("转其他救助", "已转其他部门"):
        found = taken(text)
        assert (found.result, found.reason, found.measure, found.implied) == (
            "部分属实",
            None,
            "转其他部门",
            False,
        )


HANDBOOK = """死亡; 迁出/户籍在外县; 异地参保/就读/就业; 职工参保; 已享受同类更高待遇; 特困供养; 工伤护理费; 服刑; 失联; 本人或监护人放弃 (书面);
正在申请/公示; 待换证; 等级变更未同步; 不符合经济条件; 集中供养/机构; 身份证错误; 重名; 已毕业/延缓入学; 项目名额排队"""


@pytest.mark.parametrize("text", [one.strip() for one in HANDBOOK.split(";")])
@pytest.mark.parametrize("form", ["{}", "{}。", "（{}）", "系{}"])
def test_the_handbooks_reasons_as_they_stand_there(text: str, form: str) -> None:
    """Slashes and brackets in both widths. (数据滞后 is the one that claims: it lays nothing to rest.)"""
    for spelling in (
        text,
        text.replace("/", "／"),
        text.replace("(", "（").replace(")", "）").replace(" ", ""),
    ):
        assert taken("不属实", form.format(spelling)).reason in REASONS, spelling
    assert taken("不属实", "数据滞后（已享受，未更新）").result == CLAIMED
    assert taken("不属实", "数据滞后 (已享受, 未更新)").result == CLAIMED


@pytest.mark.parametrize("beside", [*REASONS, "家里有两台车", "不符合低保条件", "并非死亡"])
@pytest.mark.parametrize("claim", ["已享受", "已办理"])
def test_a_claim_is_only_a_claim_whatever_stands_beside_it(beside: str, claim: str) -> None:
    for cells in (
        ("不属实", f"{beside}，{claim}"),
        (claim, beside),
        ("不属实", beside, claim),
        ("否", claim, beside),
    ):
        assert taken(*cells).result == CLAIMED


@pytest.mark.parametrize(
    "text", ["已享受", "已办理", "已领", "已办", "已经享受", "正在享受待遇"[:4], "已纳入"]
)
def test_a_claim_is_an_answer_of_its_own_and_never_says_no_gap(text: str) -> None:
    assert taken(text).result == CLAIMED
    assert taken("", text).result == CLAIMED
    assert taken("不属实", text).result == CLAIMED
    assert taken("否", "", text).result == CLAIMED
    assert taken("属实", text).result == "属实"
    assert refused("无法核实", text) == "E723"


@pytest.mark.parametrize(
    "text", ["已享受，名册未更新", "数据滞后", "该人2024年起已享受护理补贴", "正在领取护理补贴"]
)
def test_a_sentence_that_claims_lays_no_case_to_rest(text: str) -> None:
    assert taken("不属实", text).result == CLAIMED


def test_a_higher_benefit_is_a_reason_and_no_claim() -> None:
    found = taken("不属实", "已享受同类更高待遇")
    assert (found.result, found.reason, found.note) == ("不属实", "已享受同类更高待遇", None)


def test_measures_are_of_the_list_or_stay_in_the_note() -> None:
    assert taken("属实", "", "已经补发").measure == "补发"
    assert taken("属实", "", "拟下月办理").measure is None
    assert taken("属实", "家庭困难", "拟下月办理").note == "家庭困难；处理措施：拟下月办理"
    assert taken("属实", "", "已纳入") == Said("属实", None, "已纳入", None, None, None, None)
    both = taken("属实", "", "已申请、已更正信息")
    assert (both.measure, both.note) == (None, "处理措施：已申请、已更正信息")


def test_contradictions_and_missing_results_come_back() -> None:
    assert refused("属实", "经核实，不属实") == "E723"
    assert refused("不属实", "", "情况属实") == "E723"
    assert refused("", "死亡") == "E722"
    assert refused("", "", "已申请") == "E722"
    assert refused("", 办结日期="2026-11-05") == "E722"
    assert taken("", "经核实，情况不属实").result == "不属实"


def test_a_row_without_an_answer_is_none() -> None:
    assert answer() is None
    assert answer("-", "／", "——") is None
    assert answer(核查人="李四", 核查日期="2026-11-05") is None
    assert is_blank(" — ")
    assert not is_blank("无")


def test_a_result_merged_over_its_neighbours_is_read_once() -> None:
    found = taken("无法核实", "无法核实", "无法核实", 办结日期="无法核实", 核查人="无法核实")
    assert found == Said("无法核实", None, None, None, None, None, None)


def test_numbers_of_people_are_masked_in_notes_and_names() -> None:
    number = "533421196503170013"
    spaced = "533421 1965 0317 0013"
    found = taken("不属实", f"应为{number}或{spaced}，\n电话 138 1234 5678", 核查人="李四13812345678")
    assert found.note is not None
    assert found.checked_by == "李四***********"
    for hidden in (number, spaced, "19650317", "1965", "5678", "\n"):
        assert hidden not in found.note
    assert len(taken("属实", "长" * 5000).note or "") <= 301


@pytest.mark.parametrize("word", ["走访", "核查情况", "原因", "经核实", "于2025年", "本人", "已"])
def test_a_long_cell_of_harmless_words_is_read_at_once(word: str) -> None:
    start = time.process_time()
    words_of(word * 5000 + "某")
    assert time.process_time() - start < 1


def test_spoilt_text_comes_back() -> None:
    assert refused("属实", "寮犱笁宸叉浜�") == "E235"


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-11-05", date(2026, 11, 5)),
        ("2026.11.5", date(2026, 11, 5)),
        ("2026/11/5 0:00:00", date(2026, 11, 5)),
        ("２０２６年１１月５日", date(2026, 11, 5)),
        ("20261105", date(2026, 11, 5)),
        ("46331", date(2026, 11, 5)),
        ("11月5日", date(2026, 11, 5)),
        ("11 月 5 号", date(2026, 11, 5)),
        ("3月31日", date(2026, 3, 31)),
        ("2月3日", date(2027, 2, 3)),  # the as-of date is the newest list's, not today's
        ("12月20日", date(2026, 12, 20)),
        *(
            (text, None)
            for text in (
                "11.5",
                "11.10",
                "5/11/2026",
                "2026-02-30",
                "2月30日",
                "2062-11-05",
                "1926-11-05",
                "月底",
                "长期",
                "",
            )
        ),
    ],
)
def test_days_as_they_are_written(text: str, day: date | None) -> None:
    assert answered_day(text, AS_OF) == day


@settings(deadline=None)
@given(st.dates(date(2024, 6, 1), date(2029, 12, 31)), st.integers(-272, 92))
def test_a_day_without_its_year_is_the_one_near_the_as_of_date(as_of: date, away: int) -> None:
    day = date.fromordinal(as_of.toordinal() + away)
    assert answered_day(f"{day.month}月{day.day}日", as_of) == day


def test_a_day_that_cannot_be_read_names_its_column() -> None:
    found = answer("属实", 核查日期="月底")
    assert isinstance(found, Refusal)
    assert (found.code, found.column) == ("E724", "核查日期")
