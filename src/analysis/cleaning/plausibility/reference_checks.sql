-- Ids that name what is in no row.

-- name: unknown_ids
with ids as (
  select
    columns([$name]) as id,
    count(*) as n
  from query_table($table)
  where columns([$name]) is not null
  group by all
),

known_ids as (
  select columns([$key]) as id
  from query_table($parent)
  union
  select record_key as id
  from set_aside
  where table_name = $parent
  union
  select "text" as id
  from set_aside
  where table_name = $parent
    and "column" = $key
)

select
  sum(n) as n_rows,
  coalesce(sum(n) filter (t.id is null), 0) as n_lost,
  count(*) as n_ids,
  count(*) filter (t.id is null) as n_ids_lost
from ids
left join known_ids as t using (id);

-- name: strange_ids
select distinct columns([$name]) as id
from query_table($table)
where columns([$name]) is not null
  and columns([$name]) not in (select columns([$key]) from query_table($parent))
order by id;

-- name: own_ids
select distinct columns([$key]) as id
from query_table($parent)
order by id;

-- name: leavers
-- representatives who left: the deals they closed, and what their team's pace lets expect
create or replace temp view leavers as
with homes as (
  select
    rep_id,
    arg_max(team_id, valid_from) as team_id
  from rep_team_history
  group by rep_id
),

tenure as (
  select
    rep_id,
    count(distinct period_start) as n_quarters
  from quotas
  where period_end - period_start < 100
  group by rep_id
),

closes as (
  select
    coalesce(owner_at_close_rep_id, owner_rep_id) as rep_id,
    count(*) as n_closed,
    median(close_date - created_at::date) / 91 as cycle
  from opportunities
  where status <> 'open'
  group by all
),

pace as (
  select
    team_id,
    sum(coalesce(n_closed, 0)) / sum(n_quarters) as a_quarter,
    median(cycle) as cycle
  from tenure
  inner join homes using (rep_id)
  left join closes using (rep_id)
  group by team_id
)

select
  rep_id,
  coalesce(n_closed, 0) as n_closed,
  (n_quarters - coalesce(p.cycle, 0)) * a_quarter as expected
from tenure
inner join homes using (rep_id)
inner join pace as p using (team_id)
inner join reps using (rep_id)
left join closes using (rep_id)
where role = 'rep'
  and not is_active;

-- name: reps_with_meetings
create or replace temp view reps_with_meetings as
select
  *,
  count(*) filter (n_meetings > 0) over () as n_with,
  count(*) over () as n_reps
from (
  select
    a.rep_id,
    count(*) filter (a.kind = 'event') as n_meetings
  from activities as a
  inner join reps as r using (rep_id)
  where r.role = 'rep'
  group by a.rep_id
);
