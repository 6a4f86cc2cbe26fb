-- What only a typed row still says, and the clean tables do not keep.

-- name: tables
create temp table if not exists teams_of_users (
  rep_id varchar,
  team_id varchar
);

create or replace temp table same_deals (
  opportunity_id varchar,
  status varchar,
  money double
);

create or replace temp table record_stamps (
  table_name varchar,
  day date,
  n bigint
);

create or replace temp table repeats_across (
  table_name varchar,
  n bigint
);

-- name: record_stamps
insert into record_stamps
select
  $table,
  columns([$name])::date,
  count(*)
from query_table($source)
where columns([$name]) is not null
group by all;

-- name: was_judged
select 1
from set_aside
where table_name = $table
  and record_key is not null
limit 1;

-- name: no_deal_names
create or replace temp table deal_names (
  source_file varchar,
  source_row bigint,
  name_of_deal varchar
);

-- name: deal_names
insert into deal_names
select
  source_file,
  source_row,
  any_value(nullif(name_key(record_name), ''))
from query_table($source)
group by all;

-- name: same_deals
with closed as (
  select
    o.*,
    n.name_of_deal,
    coalesce(nullif(name_key(a.account_name), ''), o.account_id) as account
  from opportunities as o
  left join deal_names as n using (source_file, source_row)
  left join accounts as a on a.account_id = o.account_id
  where status in ('won', 'lost')
    and raw_amount <> 0
    and close_date is not null
    and (n.name_of_deal is not null or o.account_id is not null)
)

insert into same_deals
select
  opportunity_id,
  status,
  coalesce(deal_amount, 0)
from closed
qualify
  row_number() over (
    partition by name_of_deal, account, raw_amount, currency, close_date, status
    order by created_at, opportunity_id
  ) > 1
  or (
    name_of_deal is not null
    and created_at is not null
    and row_number() over (
      partition by
        name_of_deal, owner_rep_id, raw_amount, currency, close_date, status, created_at
      order by opportunity_id
    ) > 1
  );

-- name: repeats_across
insert into repeats_across
with events as (
  select
    *,
    hash(rep_id, kind, subject, started_at, minutes) as same_entry
  from candidates
  left join verdicts using (rid)
  where kind = 'event'
),

-- Most entries are the only one of their kind: what is ordered are those beside a repeat.
repeated as (
  select
    rule,
    row(source_file, origin, logged_at) as entry,
    first_value(row(source_file, origin, logged_at)) over (
      partition by rep_id, kind, subject, started_at, minutes
      order by rule is not null, logged_at, activity_id
    ) as first_entry
  from events
  where same_entry in (select same_entry from events where rule = 'double_logged')
)

select
  'activities',
  (select count(*) from events where rule = 'near_duplicate')
  + count(*) filter (rule = 'double_logged' and first_entry is distinct from entry)
from repeated;
