"""What the outbox commands print: letters by state, one letter with what it holds, batches that wait for approval."""

from __future__ import annotations

from collections.abc import Sequence
from email import policy
from email.parser import BytesParser
from pathlib import Path

from pipeline.delivery.approval import SHOWN
from pipeline.delivery.holds import batch_hash, held_batches
from pipeline.delivery.outbox import Outbox, Posted
from pipeline.delivery.places import kept_letter
from pipeline.delivery.standing import place_words as place_name

STATES = {
    "queued": "待发", "held": "暂停", "claimed": "发送中", "sent": "已发", "later": "稍后再试", "refused": "被拒收",
    "doubtful": "不知是否发到", "given_up": "多次未成，不再试", "withdrawn": "已撤回",
}  # fmt: skip
KINDS = {"report": "报告", "notice": "补充通知", "quality": "数据质量", "operator": "值守"}


def outbox_lines(letters: Sequence[Posted]) -> str:
    """One letter a line: number, kind, place, state, since when, why."""
    if not letters:
        return "发件箱里没有符合条件的邮件。"
    lines = []
    for one in letters:
        day = one.done_on or one.on
        why = "；".join([*one.reasons, one.words]).strip("；")
        code = f" {one.code}" if one.code else ""
        next_on = f"，{one.next_on} 再试" if one.next_on else ""
        lines.append(
            f"{one.letter_id}  {KINDS[one.kind]}  {place_name(one.place)}  {STATES[one.state]}{code}  {day}{next_on}  {why}".rstrip()
        )
    return "\n".join(lines)


def letter_page(state: Path, one: Posted, extract: Path | None = None) -> str:
    """One letter: to whom, subject, body, attachments with their sizes. `extract`: a folder for the .eml itself.

    Raises ReconcileError E821 where it is not what was checked."""
    if one.state == "withdrawn" or not (state / "mail" / one.file).is_file():
        return "\n".join([*_head(one), "（邮件文件已按保存期限清除）"])
    data = kept_letter(state, one.file, one.sha256)
    message = BytesParser(policy=policy.default).parsebytes(data)
    body = message.get_body(("plain",))
    files = [
        f"  {part.get_filename()}  {len(part.get_content()):,} 字节" for part in message.iter_attachments()
    ]
    if extract is not None:
        extract.mkdir(mode=0o700, parents=True, exist_ok=True)
        (extract / one.file).touch(mode=0o600)
        (extract / one.file).chmod(0o600)  # it holds people's data, whatever the umask
        (extract / one.file).write_bytes(data)
    return "\n".join([*_head(one), "", body.get_content().rstrip() if body else "", "", "附件", *files])


def _head(one: Posted) -> list[str]:
    cargo = one.cargo
    return [
        f"{one.letter_id}  {STATES[one.state]}  {'；'.join([*one.reasons, one.words]).strip('；')}".rstrip(),
        f"收件人  {one.to}    {place_name(one.place)}",
        f"主题  {one.subject}",
        f"疑点  新下发 {len(cargo.asked)}，再次下发 {len(cargo.again)}，催办 {len(cargo.reminded)}，更正 {len(cargo.corrected)}",
    ]


def approval_page(box: Outbox) -> str:
    """What waits for approval: by batch, the reasons, every letter with its address and counts, and the number to type."""
    batches = held_batches(box)
    if not batches:
        return "没有待批准的邮件。"
    lines: list[str] = []
    for batch, letters in batches.items():
        number = batch_hash(letters)[:SHOWN]
        second = "    须由另一个人批准" if any(one.second_person for one in letters) else ""
        lines.append(f"批号 {number}    {batch}    {len(letters)} 封    由 {letters[0].by} 生成{second}")
        for one in letters:
            counts = f"新下发 {len(one.cargo.asked)}，再次下发 {len(one.cargo.again)}"
            lines.append(
                f"  {place_name(one.place)}  {one.to}  {counts}  【{'；'.join(one.reasons)}】  {one.subject}"
            )
        lines.append(f"  看信：reconcile outbox show {letters[0].letter_id}")
        lines.append(f"  批准：reconcile approve {number} --reason <为什么可以发>")
    return "\n".join(lines)
