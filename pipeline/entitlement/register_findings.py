"""Findings about the register itself: numbers that are damaged, contradict each other, stand twice or carry another name."""

from __future__ import annotations

_SHOWN = 5  # rows told one by one; of the rest how many each list has


def _delivered(text: str, longest: int) -> str:
    """What a department wrote, within a sentence: no long number of anybody in it, no quotation mark, no end of it."""
    plain = rf"regexp_replace({text}, '[“”\p{{Cc}}\p{{Cf}}]', '', 'g')"
    return f"left(regexp_replace({plain}, '[0-9０-９]{{9,}}[XxＸｘ]?', '****', 'g'), {longest})"


def _place(title: str, row: str) -> str:
    """《list》第N行（file，工作表S） of a row (alias `row`)."""
    file = _delivered(f"regexp_extract({row}.source_file, '[^/]*$')", 120)
    sheet = (
        f"case when {row}.sheet <> '' then concat('，工作表', {_delivered(f'{row}.sheet', 40)}) else '' end"
    )
    return f"concat('《', {title}, '》第', cast({row}.source_row as varchar), '行（', {file}, {sheet}, '）')"


def _named(text: str) -> str:
    """“name”: the marks tell where a name that may be another person's begins and ends."""
    return f"concat('“', {_delivered(text, 30)}, '”')"


# A row with the person's number under plainly another name, whether or not its birth date or sex denies the number besides; not
# one that found its own person by other means (a guardian's number on the row of a child who is on the register).
_CONFLICTS = """
select u.person, u.dataset, f.title, u.source_file, u.sheet, u.source_row, u.row_name, u.reason,
  row_number() over (partition by u.person order by u.dataset, u.source_file, u.sheet, u.source_row) as place
from unlinked as u
join list_files as f on f.dataset = u.dataset and f.source_file = u.source_file
left join links as l
  on l.dataset = u.dataset and l.source_file = u.source_file and l.sheet = u.sheet and l.source_row = u.source_row
  and l.decision = 'linked'
where u.other_name and l.source_row is null"""

_TOLD = f"""
select c.person, string_agg(concat('在', {_place("c.title", "c")}, '写的是', {_named("c.row_name")},
    case c.reason when 'birth_date' then '（出生日期也与号码不符）' when 'sex' then '（性别也与号码不符）' else '' end),
  '，' order by c.place) as said
from conflicts as c where c.place <= {_SHOWN} group by c.person"""

_REST = f"""
select r.person, concat('，另有', cast(sum(r.many) as varchar), '行（',
  string_agg(concat('《', r.title, '》', cast(r.many as varchar), '行'), '、' order by r.dataset, r.title), '）') as said
from (
  select person, dataset, title, count(*) as many from conflicts where place > {_SHOWN} group by person, dataset, title
) as r group by r.person"""

_ID_NAME_CONFLICT = f"""
select p.person, p.certificate_number, p.id_number, p.name, p.county_code, 'id_name_conflict' as finding,
  concat('此人的身份证号，', t.said, coalesce(t.rest, ''), '，与', {_place("'持证残疾人名册'", "p")}, '的', {_named("p.name")},
    '明显不同；可能是号码借用（如填了监护人或户主的号码）、录错，或已改名，请核对两边。') as reason
from (
  with conflicts as materialized ({_CONFLICTS})
  select t.person, t.said, r.said as rest from ({_TOLD}) as t left join ({_REST}) as r on r.person = t.person
) as t
join people as p on p.person = t.person"""

# What is wrong inside the register itself is told to 残联; these come from no policy, so they are no rule files.
REGISTER_FINDINGS = f"""
select p.person, p.certificate_number, p.id_number, p.name, p.county_code, 'register_id_damaged' as finding,
  case when p.id_number is null
    then '《持证残疾人名册》中本人身份证号与残疾人证号都不能使用，无法与任何名册比对，请更正。'
    else '《持证残疾人名册》中身份证号不合规，暂以残疾人证号的前18位比对，请更正。' end as reason
from people as p where p.delivered_id is null
union all
select p.person, p.certificate_number, p.id_number, p.name, p.county_code, 'register_id_conflict' as finding,
  '《持证残疾人名册》中身份证号与残疾人证号的前18位不一致，请核实更正。' as reason
from people as p where p.delivered_id <> p.delivered_certificate_id
union all
select p.person, p.certificate_number, p.id_number, p.name, p.county_code, 'register_id_duplicate' as finding,
  '《持证残疾人名册》中同一身份证号有多个残疾人证，请核实注销旧证或更正号码。' as reason
from people as p
join (select id_number from people where id_number is not null group by id_number having count(*) > 1) as d
  on d.id_number = p.id_number
union all
{_ID_NAME_CONFLICT}"""
