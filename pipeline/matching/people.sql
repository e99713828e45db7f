-- The register's people, numbered in the order of their certificate numbers. Rows that repeat one person's certificate
-- are one person: the row in force, then the one that lasts longest.
--
-- The identity number is the ID column's where that is sound, else the one inside the certificate number. Where both are
-- sound and differ, the stated birth date says which is the person's own (a guardian's ID on a child); the other number
-- names somebody else and is not used. Where it cannot say, both are used and the age is unknown.
create or replace table delivered_people as
select
  d.*,
  case
    when d.own_id is null or d.certificate_id is null or d.own_id = d.certificate_id then 'agree'
    when d.stated_birth_date = d.certificate_birth and d.stated_birth_date <> d.own_birth then 'certificate'
    when d.stated_birth_date = d.own_birth and d.stated_birth_date <> d.certificate_birth then 'own'
    else 'unclear'
  end as fits
from (
  select
    coalesce(l.cert, l.cert_typed, l.id_certificate, '') as certificate_number,
    l.id as own_id,
    l.cert_id as certificate_id,
    case when l.id is not null then
      cast(concat(substr(l.id, 7, 4), '-', substr(l.id, 11, 2), '-', substr(l.id, 13, 2)) as date)
    end as own_birth,
    case when l.cert_id is not null then
      cast(concat(substr(l.cert_id, 7, 4), '-', substr(l.cert_id, 11, 2), '-', substr(l.cert_id, 13, 2)) as date)
    end as certificate_birth,
    l.name,
    c.county_code,
    l.dob as stated_birth_date,
    l.state,
    l.until as valid_until,
    l.cat as category,
    l.level,
    l.addr as address,
    l.gname as guardian_name,
    l.source_file,
    l.sheet,
    l.source_row
  from register as l
  join county_codes as c on c.delivered_code = substr(l.area, 1, 6)
) as d;

-- Nearly no certificate stands twice: only those that do are ranked.
create or replace table repeated_people as
select e.source_file, e.sheet, e.source_row
from (
  select
    d.source_file,
    d.sheet,
    d.source_row,
    row_number() over (
      partition by d.certificate_number, d.own_id, d.name
      order by
        case when d.state = '正常' then 0 else 1 end,
        coalesce(d.valid_until, cast('1900-01-01' as date)) desc,
        d.source_file, d.sheet, d.source_row
    ) as place
  from delivered_people as d
  join (
    select certificate_number from delivered_people where certificate_number <> ''
    group by certificate_number having count(*) > 1
  ) as s on s.certificate_number = d.certificate_number
) as e
where e.place > 1;

-- Numbered without their columns: sorting those costs more than joining them.
create or replace table numbered_people as
select
  row_number() over (order by d.certificate_number, d.source_file, d.sheet, d.source_row) as person,
  d.source_file,
  d.sheet,
  d.source_row
from delivered_people as d
left join repeated_people as e
  on e.source_file = d.source_file and e.sheet = d.sheet and e.source_row = d.source_row
where e.source_row is null;

create or replace table people as
select
  n.person,
  r.certificate_number,
  case when r.fits = 'certificate' then r.certificate_id else coalesce(r.own_id, r.certificate_id) end as id_number,
  case when r.fits = 'certificate' then null else r.own_id end as own_id,
  case when r.fits = 'own' then null else r.certificate_id end as certificate_id,
  r.own_id as delivered_id,
  r.certificate_id as delivered_certificate_id,
  r.name,
  r.county_code,
  case r.fits
    when 'certificate' then r.certificate_birth
    when 'own' then r.own_birth
    when 'unclear' then case when r.own_birth = r.certificate_birth then r.own_birth end
    else coalesce(r.own_birth, r.certificate_birth, r.stated_birth_date)
  end as birth_date,
  r.state,
  r.valid_until,
  r.category,
  r.level,
  r.address,
  r.guardian_name,
  r.source_file,
  r.sheet,
  r.source_row
from delivered_people as r
join numbered_people as n
  on n.source_file = r.source_file and n.sheet = r.sheet and n.source_row = r.source_row;

drop table delivered_people;
drop table repeated_people;
drop table numbered_people;
