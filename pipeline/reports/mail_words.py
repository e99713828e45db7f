"""Subject and body of the mail to a county: fit for a list of mails and a locked screen. Pure functions of `MailFacts`.

No name, number, address or word of disability stands here; of cases their numbers only.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.reports.letter_text import wrapped
from pipeline.reports.mail_facts import Lock, MailFacts

MOST_LINES = 40
_LISTS, _NUMBERS, _FILES = 4, 8, 3  # told in the body; what is beyond is counted
_OPENING: dict[Lock, str] = {
    "": "请用 Excel 或 WPS 打开工作簿，先看第一张表“填写说明”。",
    "zip": "附件是加密的 ZIP（AES-256），请用 7-Zip、WinRAR、360压缩或 Bandizip 解开；Windows 自带的解压打不开。密码已另行告知，不在任何邮件里。",
    "xlsx": "工作簿加了打开密码，用 Excel 或 WPS 打开时输入。密码已另行告知，不在任何邮件里。",
}


def subject(facts: MailFacts) -> str:
    """[核对]维西县 2026-11 第3期 新增12 待办40; of a notice [核对]维西县 2026-11 催办3 更正1 急件2."""
    begin = f"[核对]{facts.county} {facts.month}"
    if facts.kind == "report":
        new = facts.counts.new
        number = f" 第{facts.number}期" if facts.number else ""
        return f"{begin}{number} {f'新增{new}' if new else '无新增'} 待办{facts.counts.open}"
    parts = (("催办", facts.reminded), ("更正", len(facts.corrected)), ("急件", facts.urgent))
    told = [f"{word}{count}" for word, count in parts if count]
    return " ".join([begin, *(told or ["通知"])])


def stem(facts: MailFacts) -> str:
    """What the attachments are called: 维西县_2026-11_第3期."""
    if facts.kind == "report":
        return f"{facts.county}_{facts.month}" + (f"_第{facts.number}期" if facts.number else "")
    return f"{facts.county}_{facts.month}_通知"


def body(facts: MailFacts) -> str:
    """Plain text of at most MOST_LINES lines of 38 Chinese characters."""
    told = _report(facts) if facts.kind == "report" else _notice(facts)
    return wrapped([f"{facts.county}：", "", *told, *_attached(facts), *_answer(facts), *_closing(facts)])


def _report(facts: MailFacts) -> list[str]:
    counts = facts.counts
    number = f"第{facts.number}期" if facts.number else ""
    if not counts.sheets:
        lines = [f"惠民政策核对 {facts.month} {number}：没有需要核查的。没有也发一份，以示核对已经做过。"]
    else:
        lines = [f"惠民政策核对 {facts.month} {number}的清单已做好，见附件。", "", "【数量】"]
        named = (
            ("新增", counts.new),
            ("再次出现", counts.reopened),
            ("复核", counts.again),
            ("超期", counts.overdue),
        )
        words = [f"{word}{count}" for word, count in named if count]
        lines.append(f"待办{counts.open}件{'，其中' if words else ''}{'、'.join(words)}。")
        lines.append(f"各表：{'，'.join(f'{sheet}{rows}' for sheet, rows in counts.sheets)}。")
        if counts.escalated:
            lines.append(f"换证提醒中有{counts.escalated}人需要当面告知。")
    return [*lines, *_not_judged(facts)]


def _not_judged(facts: MailFacts) -> list[str]:
    if not facts.wanting and not facts.undecided:
        return []
    lines = ["", "【没有判断的】"]
    for one in facts.wanting[:_LISTS]:
        people = f"，{one.people}人等它才能判断" if one.people else ""
        lines.append(f"{one.department}《{one.title}》{one.status}{people}。")
    more = len(facts.wanting) - _LISTS
    if more > 0:
        lines.append(f"另有{more}份名册没有采用，见“填写说明”。")
    if facts.undecided:
        lines.append(f"共{facts.undecided}人次因名册或信息不全没有判断，没有列入清单；补齐后再核对。")
    return lines


def _notice(facts: MailFacts) -> list[str]:
    lines = ["惠民政策核对，两期之间的通知："]
    if facts.urgent:
        due_on = facts.due_on
        by = f"，请在{due_on.year}年{due_on.month}月{due_on.day}日前（含当日）反馈" if due_on else ""
        lines.append(f"【急件】{facts.urgent}件不等下一期，请先办{by}。清单见附件。")
    if facts.reminded:
        lines.append(f"【催办】{facts.reminded}件还没有反馈，快到或已过反馈截止日。编号和日期见附件。")
    if facts.corrected:
        shown = _some(facts.corrected, _NUMBERS, "件")
        rest = "编号都在附件里。" if len(facts.corrected) > _NUMBERS else ""
        lines.append(f"【更正】{len(facts.corrected)}件已有新数据，不必再核查：{shown}。{rest}")
    return lines


def _attached(facts: MailFacts) -> list[str]:
    if not facts.attachments:
        return []
    numbers_only = facts.kind == "notice" and not facts.urgent
    opening = (
        "附件只有编号，可用 Excel 或 WPS 打开。" if numbers_only and not facts.lock else _OPENING[facts.lock]
    )
    return ["", "【附件】", _some(facts.attachments, _FILES, "个文件"), opening]


def _answer(facts: MailFacts) -> list[str]:
    if facts.kind == "report" and not facts.counts.open:
        return ["", "【反馈】", "没有待办，不必反馈。"]
    if facts.kind == "notice" and not (facts.urgent or facts.reminded):
        return []
    due_on = facts.due_on
    if facts.kind == "notice":
        until = "请按各件的反馈截止日"
    elif due_on:
        until = f"请在{due_on.year}年{due_on.month}月{due_on.day}日前（含当日）"
    else:
        until = f"请在收到之日起{facts.workdays}个工作日内"
    locked = "填好后请仍用原密码加密。" if facts.lock else ""
    return [
        "",
        "【反馈】",
        f"{until}，把填好的工作簿作为本邮件的回复发回，或放入反馈文件夹。{locked}",
        "只凭疑点编号认行，请勿改动编号；行的先后、文件的名称可以不同。",
    ]


def _closing(facts: MailFacts) -> list[str]:
    whom = f"，并告知：{facts.contact}" if facts.contact else "，并告知发件单位"
    return [
        "",
        *([f"有疑问请联系：{facts.contact}"] if facts.contact else []),
        "本邮件由程序自动生成。",
        f"如果不是贵单位应收的，请不要打开附件，不要转发，立即删除{whom}。",
    ]


def _some(names: Sequence[str], most: int, unit: str) -> str:
    shown = "、".join(names[:most])
    return shown if len(names) <= most else f"{shown}等{len(names)}{unit}"
