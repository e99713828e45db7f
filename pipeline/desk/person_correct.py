"""`reconcile person correct`: somebody says that what a department delivers about him is wrong (PIPL art. 46).

Only the department can put its list right; the ledger notes the request, and the department's quality mail tells it. Where no
mail goes to the department the command says so, and what is to be told.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from pipeline.cases import open_ledger
from pipeline.cases.person_rights import Correction, corrections, note_correction
from pipeline.contracts.dataset import Dataset, load_datasets
from pipeline.contracts.settings import Settings, load_settings
from pipeline.delivery.places import stopped
from pipeline.desk.person_asked import refused
from pipeline.desk.person_export import Holdings, PersonFolders
from pipeline.desk.person_places import Meant, list_places, meant
from pipeline.desk.person_rows import links_of
from pipeline.desk.person_section import hidden
from pipeline.identity import region
from pipeline.identity.number_net import text_refused, without_masks
from pipeline.reports.correction_words import correction_words

_LONGEST = 200  # characters


@dataclass(frozen=True)
class Wanted:
    """A correction as it was asked for and checked: whose lists, which of them, what is wrong."""

    department: str
    about: Meant
    note: str


def checked_note(note: str, names: Collection[str]) -> str:
    """The note on one line, every long number and the person's own name masked. Raises ReconcileError E879.

    Nothing is noted that the egress check would refuse: one such note stops all mail, night after night. Eight digits are too many
    whatever day they name, for nobody knows on which day the letter goes (`date.min`).
    """
    said = hidden(" ".join(note.split()))
    for name in names:
        said = said.replace(name, name[:1] + "*" * (len(name) - 1)) if len(name) > 1 else said
    if not said or len(said) > _LONGEST:
        why = f"要写明哪里错了、应是什么，不超过{_LONGEST}个字"
        raise refused("E879", "更正说明不能这样写", why, "改写 --note；不要写姓名和号码")
    if text_refused(without_masks(said), date.min, ()):
        why = "里面有八位以上的数字或疑点编号，带着它的邮件过不了出门检查"
        cure = "日期写成 1961-02-03 这样；不要写号码；疑点编号不用写，信里会列出此人未了的疑点"
        raise refused("E879", "更正说明不能这样写", why, cure)
    return said


def checked_about(folders: PersonFolders, department: str, listed: str, column: str) -> Meant:
    """Which lists are meant. Raises ReconcileError E878 (no such department), E883 (list, column)."""
    datasets = load_datasets(folders.schemas)
    known = sorted({key.partition("/")[0] for key in datasets})
    if department not in known:
        raise refused("E878", "没有这个部门", f"部门写文件夹名：{'、'.join(known)}", "改 --department")
    return meant(datasets, department, listed, column)


def correct(folders: PersonFolders, held: Holdings, wanted: Wanted) -> list[str]:
    """Writes the request into the ledger; call it under the run's lock. What is said of it. Raises as the ledger, `kept_files`."""
    datasets = load_datasets(folders.schemas)
    settings = load_settings(folders.config)
    links = links_of(folders.results, held.one)
    places = list_places(folders.state, held.one, links, datasets, wanted.about)
    with open_ledger(folders.state) as ledger:
        person = note_correction(
            ledger, held.one.somebody, held.people, wanted.department, wanted.note, places
        )
        noted = [one for one in corrections(ledger) if one.person == person][-1]
    return [
        "已记入台账。数据要由该部门改正后重报，本程序不改名单。",
        *_way(folders, settings, wanted.department),
        *_told(noted, datasets, settings),
    ]


def _way(folders: PersonFolders, settings: Settings, department: str) -> list[str]:
    """How the department hears: by mail only where its address and a server are set."""
    addresses = settings.departments.get(department, ())
    wanting = [
        *([] if addresses else [f"[departments] 里没有 {department} 的收件人"]),
        *([] if settings.mail.host else ["[mail] 里没有发信的服务器"]),
    ]
    if wanting:
        return [
            f"不会有邮件发给该部门（{'，'.join(wanting)}）：请把下面的内容另行转交。台账里一直留着，",
            _AGAIN,
        ]
    stop = "；现在有 STOP_MAIL，拿掉以后才发" if stopped(folders.state) else ""
    return [
        f"将写进该部门的下一封数据质量邮件（收件人{len(addresses)}个），由以后带 --send 的夜间运行发出{stop}。内容："
    ]


_AGAIN = "`reconcile person export` 的“更正请求”里可再查；以后设了收件人，第一封数据质量邮件会补上。内容："


def _told(noted: Correction, datasets: dict[str, Dataset], settings: Settings) -> list[str]:
    def title(key: str) -> str:
        return datasets[key].title if key in datasets else key

    def county(code: str) -> str:
        setting = settings.counties.get(code)
        return (setting.name if setting else "") or region.county_name(code) or code

    return [f"  {line}" for line in correction_words(noted, title, county)]
