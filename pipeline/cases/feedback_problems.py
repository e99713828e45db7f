"""Why an answer or a file comes back to the county (E720-E728): what, why, cure, in Chinese, never a cell's text."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.cases.feedback_columns import NUMBER, RESULT
from pipeline.contracts.answer_lists import RESULTS
from pipeline.contracts.problem import Problem

_WORDS = "、".join(RESULTS)


@dataclass(frozen=True)
class Refusal:
    """A problem without its place. `severity` is `note` where nothing needs to be done."""

    code: str
    column: str
    what: str
    why: str
    cure: str
    severity: str = "error"

    def at(self, file: str, sheet: str = "", row: int = 0, county: str = "") -> Problem:
        return Problem(
            *(self.code, self.severity, self.what, self.why, self.cure),
            *(file, sheet, row, self.column),
            county=county,
        )


_COPY_NUMBER = "从下发的原表把疑点编号抄回来后再报"
_ONE_ROW = "每个疑点只留一行，答案写准后再报"

NO_FEEDBACK = Refusal(
    *("E720", "", "不是反馈表，或反馈列被删去", "各工作表都找不到“核查结果”等列的表头"),
    "在下发的原表上填写后报回；表头不要改动",
)
NO_NUMBER = Refusal("E721", NUMBER, "没有认得出的疑点编号", "不知道这一行答的是哪一个疑点", _COPY_NUMBER)
WRONG_NUMBER = Refusal("E721", NUMBER, "疑点编号有误", "校验位对不上，多半抄错或改动了字符", _COPY_NUMBER)
TWO_NUMBERS = Refusal("E721", NUMBER, "这一行有两个疑点编号", "不知道答的是哪一个", _COPY_NUMBER)
NO_RESULT = Refusal(
    "E722", RESULT, "没有填核查结果", "只有说明或措施，不知道疑点是否属实", f"从 {_WORDS} 中选一项填上"
)
UNCLEAR_RESULT = Refusal(
    "E722",
    RESULT,
    "看不懂核查结果",
    "不是认得的写法，或可以有两种意思",
    f"从 {_WORDS} 中选一项；其他的话写在情况说明",
)
CONTRARY = Refusal(
    "E723", RESULT, "同一行的答案互相矛盾", "核查结果与情况说明、处理措施说法不一", "改成一致后再报"
)
SPOILT = Refusal(
    "E235", "", "反馈的文字已损坏", "另存时编码弄错，字已变成别的字", "在原表上重新填写，存为 xlsx 后再报"
)
MORE_CELLS = Refusal(
    "E234", "", "这一行的格数比表头多", "多半是文字中的逗号把格子错开了", "用 Excel 或 WPS 另存为 xlsx 后再报"
)
TWICE = Refusal("E725", NUMBER, "同一疑点在文件里有不同的答案", "不知道以哪一行为准", _ONE_ROW)
SAME_NUMBER = Refusal(
    "E725",
    NUMBER,
    "疑点编号与另一行相同，内容却是另一件事",
    "像是合并单元格或下拉填充，原来的编号丢了",
    _COPY_NUMBER,
)
TWO_FILES = Refusal(
    *("E726", RESULT, "同一疑点在两份文件里答案不同", "分不出先后：没有核查日期，文件名也没有日期"),
    "填上核查日期，或只报最后的一份",
)
NEWER = Refusal("E726", RESULT, "已有更新的答案，这一行不记", "核查日期或文件日期较早", "无须处理", "note")
WAITS = Refusal(
    *("E726", RESULT, "复核还没有答，这一行没有记", "与复核以前的答案一样，看不出是复核以后填的"),
    "在标有【复核】的新表上核查填写，不删“进展”“比对月份”两列，填上核查日期",
)
UNKNOWN = Refusal("E727", NUMBER, "台账里没有这个疑点编号", "编号抄错，或不是本系统下发的", _COPY_NUMBER)
OTHER_COUNTY = Refusal(
    "E728", NUMBER, "是别的县的疑点", "文件放在一个县的文件夹里，疑点却是另一个县的", "由疑点所在的县反馈"
)


def bad_date(column: str) -> Refusal:
    why = "不是认得的日期，或离核对日期太远"
    return Refusal("E724", column, "日期看不懂", why, "写成 2026-11-05 的样子")
