-- Where one person (one number, one name) holds several certificates, rows are linked to the one in force, then to
-- the one that lasts longest. The others are told to 残联 and their own answers stay unknown. Where the names differ,
-- every holder keeps the number and a row's own name decides.
create or replace table keys as
select
  k.number,
  k.kind,
  k.person,
  case when k.kind = 'id' then
    cast(concat(substr(k.number, 7, 4), '-', substr(k.number, 11, 2), '-', substr(k.number, 13, 2)) as date)
  end as birth_date,
  case when k.kind = 'id' then case when cast(substr(k.number, 17, 1) as integer) % 2 = 1 then '男' else '女' end end as sex
from every_key as k
left join (
  select
    s.number,
    s.kind,
    e.person,
    row_number() over (
      partition by s.number, s.kind, n.folded
      order by
        case when p.state = '正常' then 0 else 1 end,
        coalesce(p.valid_until, cast('1900-01-01' as date)) desc,
        p.person
    ) as place
  from shared_numbers as s
  join every_key as e on e.number = s.number and e.kind = s.kind
  join people as p on p.person = e.person
  left join folded_names as n on n.name = p.name
) as ranked on ranked.number = k.number and ranked.kind = k.kind and ranked.person = k.person
where coalesce(ranked.place, 1) = 1
union all
select distinct a.number, 'asked' as kind, cast(null as bigint) as person, cast(null as date) as birth_date,
  cast(null as varchar) as sex
from asked_numbers as a;

-- The keys for joins with whole lists. While DuckDB reads a list it passes over numbers that are no keys: by a bitmap of the first
-- characters where the keys' range is small (a prefecture's numbers all begin alike: nothing is passed over), else by a
-- Bloom filter of whole numbers. Two ends that are nobody's numbers make the range large.
create or replace view keys_to_probe as
select * from keys
union all
select number, 'asked', null, null, null from (values ('0'), ('9')) as e(number);

create or replace table matchable as
select distinct person from keys where kind <> 'asked';

-- Further certificates of a person who has one that counts: told to 残联 as duplicates, answered for nothing.
create or replace table superseded as
select distinct e.person
from every_key as e
left join matchable as m on m.person = e.person
where m.person is null;

-- Whom they are, after all: the holder of the certificate that counts. What is found about the old one is his case.
create or replace table counts_as as
select s.person, min(k.person) as counting
from superseded as s
join every_key as e on e.person = s.person
join keys as k on k.number = e.number and k.kind = e.kind
group by s.person;

-- Numbers that certainly stand on the register, also in rows of it that could not be read.
create or replace table known_numbers as
select number from every_key where kind = 'id'
union
select u.number from unreadable as u join register_name as r on r.dataset = u.dataset;
