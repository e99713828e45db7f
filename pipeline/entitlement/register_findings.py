"""Findings about the register itself: numbers that are damaged, contradict each other, stand twice or carry another name."""

from __future__ import annotations

# What is wrong inside the register itself is told to 残联; these come from no policy, so they are no rule files.
REGISTER_FINDINGS = """
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
select p.person, p.certificate_number, p.id_number, p.name, p.county_code, 'id_name_conflict' as finding,
  concat('《', c.title, '》第', cast(c.source_row as varchar), '行用的是此人的身份证号，姓名却明显不同（《持证残疾人名册》第',
    cast(p.source_row as varchar), '行）', case when c.others > 0 then concat('，另有', cast(c.others as varchar), '行') else '' end,
    '；可能是号码借用、录错，或已改名，请核对两边。') as reason
from (
  select u.person, f.title, u.source_row,
    count(*) over (partition by u.person) - 1 as others,
    row_number() over (partition by u.person order by u.dataset, u.source_file, u.sheet, u.source_row) as place
  from unlinked as u
  join list_files as f on f.dataset = u.dataset and f.source_file = u.source_file
  left join links as l
    on l.dataset = u.dataset and l.source_file = u.source_file and l.sheet = u.sheet and l.source_row = u.source_row
    and l.decision = 'linked'
  where u.reason = 'name' and l.source_row is null
) as c
join people as p on p.person = c.person
where c.place = 1
"""
