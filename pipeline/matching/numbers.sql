-- Every number by which a row of another list may name a register person: the sound ID, the ID inside the
-- certificate number, and the certificate number itself where its ID part is not sound.
create or replace table every_key as
select person, own_id as number, 'id' as kind from people where own_id is not null
union
select person, certificate_id as number, 'id' as kind from people where certificate_id is not null
union
select person, substr(certificate_number, 1, 20) as number, 'certificate' as kind
from people where certificate_id is null and length(certificate_number) >= 20;

-- Numbers that stand at several register rows: one person with several certificates, or somebody else's number.
create or replace table shared_numbers as
select number, kind from every_key group by number, kind having count(*) > 1;
