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
select p.person, p.certificate_number, p.id_number, p.name, p.county_code, 'id_name_conflict' as finding, c.reason
from people as p
join name_conflicts as c on c.person = p.person
"""
