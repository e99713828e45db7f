"""`reconcile person correct`: somebody says that what a department delivers about him is wrong (PIPL art. 46).

Only the department can put its list right; the ledger notes the request, and the department's quality mail tells it.
"""

from __future__ import annotations

from collections.abc import Collection

from pipeline.cases import open_ledger
from pipeline.cases.person_rights import note_correction
from pipeline.contracts.dataset import load_datasets
from pipeline.desk.person_asked import refused
from pipeline.desk.person_export import Holdings, PersonFolders
from pipeline.desk.person_section import hidden

_LONGEST = 200  # characters


def checked_note(note: str, names: Collection[str]) -> str:
    """The note on one line, every long number and the person's own name masked. Raises ReconcileError E879."""
    said = hidden(" ".join(note.split()))
    for name in names:
        said = said.replace(name, name[:1] + "*" * (len(name) - 1)) if len(name) > 1 else said
    if not said or len(said) > _LONGEST:
        why = f"要写明哪里错了、应是什么，不超过{_LONGEST}个字"
        raise refused("E879", "更正说明不能这样写", why, "改写 --note；不要写姓名和号码")
    return said


def checked_department(folders: PersonFolders, key: str) -> str:
    """The department's folder name. Raises ReconcileError E878."""
    known = sorted({dataset.partition("/")[0] for dataset in load_datasets(folders.schemas)})
    if key not in known:
        raise refused("E878", "没有这个部门", f"部门写文件夹名：{'、'.join(known)}", "改 --department")
    return key


def correct(folders: PersonFolders, held: Holdings, department: str, note: str) -> str:
    """Writes the request into the ledger; call it under the run's lock. Raises as the ledger."""
    with open_ledger(folders.state) as ledger:
        note_correction(ledger, held.one.somebody, held.people, department, note)
    return "已记入台账，将写进该部门的下一封数据质量邮件。数据要由该部门改正后重报，本程序不改名单。"
