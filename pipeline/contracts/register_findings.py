"""What may be wrong inside the register itself, as 残联 is told. No policy stands behind it, so it is no rule file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RegisterFinding:
    """Title and urgency as a rule has them."""

    title: str
    urgency: int
    owner: str = "残联"
    law: str = "残疾人证管理办法"


REGISTER_FINDINGS = {
    "register_id_damaged": RegisterFinding("持证名册中身份证号有误", 3),
    "register_id_conflict": RegisterFinding("持证名册中身份证号与残疾人证号不一致", 3),
    "register_id_duplicate": RegisterFinding("持证名册中同一身份证号有多个残疾人证", 4),
    # a list's row bears a register person's sound number under plainly another name
    "id_name_conflict": RegisterFinding("同一身份证号，两处姓名明显不同", 4),
}
