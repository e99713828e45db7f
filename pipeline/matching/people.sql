-- The register's people, one row a certificate, numbered in the order of their certificate numbers.
-- The identity number is the ID column's where that is sound, else the one inside the certificate number;
-- the birth date is the identity number's (the law's source), the stated one only where there is none.
create or replace table people as
select
  row_number() over (order by r.certificate_number, r.source_file, r.sheet, r.source_row) as person,
  r.certificate_number,
  r.id_number,
  r.own_id,
  r.certificate_id,
  r.id_problem,
  r.name,
  c.county_code,
  case when r.id_number is null then r.stated_birth_date else
    cast(concat(substr(r.id_number, 7, 4), '-', substr(r.id_number, 11, 2), '-', substr(r.id_number, 13, 2)) as date)
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
from (
  select
    coalesce(l.cert, l.cert_typed, l.id_certificate, '') as certificate_number,
    coalesce(l.id, l.cert_id) as id_number,
    l.id as own_id,
    l.cert_id as certificate_id,
    l.id_problem,
    l.name,
    substr(l.area, 1, 6) as delivered_code,
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
) as r
join county_codes as c on c.delivered_code = r.delivered_code;
