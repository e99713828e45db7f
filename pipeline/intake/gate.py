"""Whether a file is accepted, by what was counted in it. The thresholds are settings; the words name no person."""

from __future__ import annotations

import re

from pipeline.contracts.dataset import Dataset
from pipeline.contracts.delivered import WRITTEN, FieldQuality
from pipeline.contracts.problem import Problem
from pipeline.contracts.settings import Thresholds
from pipeline.intake.counts import Counts, Delivery, FieldCounts
from pipeline.intake.normalise import Source

_GARBLED = 0.001  # dropped because they were spoilt: a file may hold so many
_MENDED = 0.05  # spoilt at all, also where only a name or an address is: more is a file in a wrong encoding
_ID_COLUMN, _OTHER_COLUMN = 0.2, 0.6  # shares of ID-like cells that show two columns to be swapped
_FEW_ROWS = 5  # below this a share says nothing
_SPELLINGS_SHOWN = 5
_DIGITS = 7  # so many in one spelling may be a telephone or a card
_LIKE_NAME = re.compile("^[\u3400-\u9fff\U00020000-\U000323af]{2,4}$|[·•・‧∙⋅.．]")
_NAME_TIMES, _NAME_SHARE = 5, 0.05  # no name stands so often in a column
_UNREAD = 0.5  # of the rows of a required column


def judge(delivery: Delivery, source: Source, thresholds: Thresholds) -> list[Problem]:
    """Why the file is not accepted; empty if it is."""
    counts = delivery.total
    if not counts.delivered:
        return [] if 0 in counts.totals and not any(counts.totals) else [_no_rows(source)]
    if not counts.rows:
        return [_nothing_left(counts, source)]
    found = [_total(sheet, source) for sheet in delivery.counts]
    found += [_broken(counts, source, thresholds), _garbled(counts, source)]
    swapped = _swapped(counts, source, delivery.headers)
    found.append(swapped or _unusable(counts, source, thresholds))
    found += [
        _unknown(name, c, counts, source, thresholds, delivery.headers) for name, c in counts.fields.items()
    ]
    found += [_unread(name, c, counts, source, delivery.headers) for name, c in counts.fields.items()]
    return [problem for problem in found if problem]


def remarks(delivery: Delivery, source: Source, thresholds: Thresholds) -> list[Problem]:
    """What must be seen although it does not refuse the file: many register people in no known county."""
    counts = delivery.total
    if not counts.rows or _share(counts.outside, counts) <= thresholds.broken_rows:
        return []
    why = f"{counts.delivered} 行中有 {counts.outside} 行的区划代码不认识或空白，这些人没有核对"
    what = "名册中许多人归不到县"
    cure = "请报送单位改正区划代码；若确有此县，在 reconcile.toml 的 counties 中登记"
    return [_problem("E241", source, what, why, cure)]


def quality(delivery: Delivery, source: Source) -> tuple[FieldQuality, ...]:
    """Counts of every field for the quality page. Unknown codes are named only where they cannot be a person's."""
    counts = delivery.total
    place = (source.dataset.dataset, source.county, source.file)
    return tuple(
        FieldQuality(
            *(*place, name, counts.rows, c.blank, c.damaged, _kinds(c, counts.rows, source.dataset, name)),
            places=tuple(sorted(c.places.items())),
        )
        for name, c in sorted(counts.fields.items())
    )


def speakable(field: FieldCounts, rows: int) -> tuple[tuple[str, int], ...]:
    """Unknown spellings of a column of `rows` rows that identify nobody.

    At most 12 characters, fewer than five digits in a row and seven in all, seen at least twice, not in a name column
    of the file. What is written like a name (2 to 4 Han, or parts with a dot) must be as frequent as no name is. A
    column of very many different spellings is not a coded one (names, say): nothing of it is told.
    """
    if len(field.kinds) > 30:
        return ()
    often = max(_NAME_TIMES, _NAME_SHARE * rows)
    told = [
        (text, times)
        for text, times in field.kinds.items()
        if times >= (often if _LIKE_NAME.search(text) else 2)
        and len(text) <= 12
        and text not in field.names
        and not re.search("[0-9]{5}", text)
        and len(re.findall("[0-9]", text)) < _DIGITS
    ]
    return tuple(sorted(told, key=lambda pair: (-pair[1], pair[0])))


def _kinds(counts: FieldCounts, rows: int, dataset: Dataset, name: str) -> tuple[tuple[str, int], ...]:
    if dataset.fields[name].type != "code":
        return tuple(sorted(counts.kinds.items()))
    told = speakable(counts, rows)
    rest = counts.damaged - sum(times for _, times in told)
    return (*told, ("其他", rest)) if rest else told


def _no_rows(source: Source) -> Problem:
    why = "只有表头；真没有人时，表尾应写“合计 0人”"
    return _problem("E242", source, "名单是空的", why, "请报送单位重新导出；确实为空的，补上合计行")


def _nothing_left(counts: Counts, source: Source) -> Problem:
    if counts.outside:
        why = f"{counts.delivered} 行中有 {counts.outside} 行的区划代码不认识或空白，没有一行可用"
        cure = "请报送单位填写六位（或九位、十二位）区划代码后重新导出"
        return _problem("E241", source, "没有一行能归到县", why, cure)
    why = f"{counts.delivered} 行都是格数不符或乱码"
    cure = "请报送单位检查分隔符、引号和编码后重新导出"
    return _problem("E234", source, "没有一行读得出来", why, cure)


def _total(sheet: Counts, source: Source) -> Problem | None:
    """A stated total must be the number of rows; of several (sub-totals) one, or their sum."""
    stated = sheet.totals
    if not stated or sheet.delivered in stated or sheet.delivered == sum(stated):
        return None
    why = f"合计写的是 {max(stated)} 人，表中有 {sheet.delivered} 行"
    return _problem("E243", source, "合计与行数不符", why, "请报送单位核对后重新导出")


def _broken(counts: Counts, source: Source, thresholds: Thresholds) -> Problem | None:
    unread = counts.broken - counts.outside
    if _share(unread, counts) <= thresholds.broken_rows:
        return None
    why = f"{counts.delivered} 行中有 {unread} 行格数不符或是乱码"
    return _problem("E234", source, "读不出来的行太多", why, "请报送单位检查分隔符、引号和编码后重新导出")


def _garbled(counts: Counts, source: Source) -> Problem | None:
    dropped = counts.garbled - counts.mended
    few = dropped < 2 or _share(dropped, counts) <= _GARBLED
    if few and _share(counts.garbled, counts) <= _MENDED:
        return None
    why = f"{counts.delivered} 行中有 {counts.garbled} 行是乱码"
    return _problem("E236", source, "文字是乱码", why, "请报送单位用 UTF-8 或 GB18030 编码重新导出")


def _swapped(counts: Counts, source: Source, headers: dict[str, str]) -> Problem | None:
    """A required identifier column without identifiers, while another column is full of them."""
    fields = source.dataset.fields
    identifiers = [n for n in counts.fields if fields[n].type in ("id", "certificate")]
    for name in identifiers:
        own = counts.fields[name]
        if not fields[name].required or own.looked < _FEW_ROWS or own.alike >= _ID_COLUMN * own.looked:
            continue
        for other, c in counts.fields.items():
            if other not in identifiers and c.looked and c.alike >= _OTHER_COLUMN * c.looked:
                why = f"“{headers[name]}”列中不是证件号码，“{headers[other]}”列中才是"
                cure = "请报送单位核对表头与各列内容后重新导出"
                return _problem("E246", source, "列的内容放错了", why, cure, headers[name])
    return None


def _unusable(counts: Counts, source: Source, thresholds: Thresholds) -> Problem | None:
    names = (source.dataset.person.id, source.dataset.person.certificate)
    head = source.dataset.household.head_id if source.dataset.household else None
    if not any((*names, head)):
        return None
    if counts.usable >= thresholds.usable_ids * counts.rows:
        return None
    why = f"{counts.rows} 行中只有 {counts.usable} 行有可用的证件号码"
    cure = "多半是表格软件把号码变成了数字；请报送单位把该列设为文本后重新导出"
    return _problem("E245", source, "大部分证件号码不能用", why, cure)


def _unknown(
    name: str,
    field: FieldCounts,
    counts: Counts,
    source: Source,
    thresholds: Thresholds,
    headers: dict[str, str],
) -> Problem | None:
    """Too many values of a required coded column that no list knows, blanks without a meaning among them."""
    spec = source.dataset.fields[name]
    unknown = field.blank + field.damaged
    if spec.type != "code" or not spec.required or _share(unknown, counts) <= thresholds.unknown_codes:
        return None
    told = speakable(field, counts.rows)[:_SPELLINGS_SHOWN]
    shown = "、".join(f"“{text}”{times}行" for text, times in told)
    blanks = f"空白{field.blank}行" if field.blank else ""
    parts = "，其中" + "、".join(p for p in (shown, blanks) if p) if shown or blanks else ""
    line = f'如 {next(iter(spec.codes))}: ["{told[0][0]}"]' if told else "写法加引号"
    cure = f"若写法无误，在 schemas/{source.dataset.dataset}.yaml 的 {name} 的 codes 中归入相应代码（{line}）；否则请报送单位改正"
    why = f"{counts.rows} 行中有 {unknown} 行不在代码表中{parts}"
    return _problem("E244", source, "不认识的写法太多", why, cure, headers[name])


def _unread(
    name: str, field: FieldCounts, counts: Counts, source: Source, headers: dict[str, str]
) -> Problem | None:
    """A required column of dates, money or divisions in which most rows hold something else."""
    spec = source.dataset.fields[name]
    if spec.type not in WRITTEN or not spec.required or field.damaged <= _UNREAD * counts.rows:
        return None
    why = f"{counts.rows} 行中有 {field.damaged} 行的“{headers[name]}”读不出来"
    cure = f"请报送单位改成 {WRITTEN[spec.type]} 的写法后重新导出"
    return _problem("E247", source, "列读不出来", why, cure, headers[name])


def _share(part: int, counts: Counts) -> float:
    return part / counts.delivered if counts.delivered else 0.0


def _problem(code: str, source: Source, what: str, why: str, cure: str, column: str = "") -> Problem:
    return Problem(
        *(code, "error", what, why, cure, source.file, source.sheet),
        column=column,
        dataset=source.dataset.dataset,
        county=source.county,
    )
