-- The people whom other tables name stand for the reps.

-- name: of_deals
create or replace temp table people_named as
select
  owner_rep_id as rep_id,
  source_file,
  source_row
from parsed_opportunities
union all
select
  rep_id,
  source_file,
  source_row
from parsed_rep_team_history
union all
select
  rep_id,
  source_file,
  source_row
from parsed_quotas
union all
select
  rep_id,
  source_file,
  source_row
from parsed_compensation;

-- name: of_leads
-- where the exports hold leads alone
insert into people_named
select
  owner_rep_id,
  source_file,
  source_row
from parsed_leads;

-- name: reps
insert into parsed_reps by name
select
  rep_id,
  source_file,
  source_row,
  hash(rep_id) as row_hash,
  [] as unreadable
from people_named
where rep_id is not null
qualify row_number() over (partition by rep_id order by source_file, source_row) = 1;
