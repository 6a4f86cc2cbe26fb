-- Rows that hold from one day to another: how their ends are meant, and where those left open end.

-- name: macros
-- a later end says that there is none
create or replace macro is_open_end(day) as day is null or year(day) >= 2900;

create or replace macro day_after(day) as case when is_open_end(day) then day else day + 1 end;

create or replace macro day_begun(day) as coalesce(day, date '0001-01-01');

-- how the ends of one file lie beside the next start of their key
create or replace macro end_counts(parsed, row_key, start_day, end_day, is_counted, file) as table
with intervals as (
  select distinct
    row_key as record_key,
    start_day as begun,
    end_day as until
  from query_table(parsed)
  where source_file = file
    and is_counted is not false
),

followed as (
  select
    begun,
    until,
    lead(begun) over (partition by record_key order by begun) as next_begun
  from intervals
)

select
  count(*) as n_ends,
  count(next_begun) as n_pairs,
  count(*) filter (next_begun = until) as n_meet,
  count(*) filter (next_begun = until + 1) as n_day_before,
  count(*) filter (until = last_day(until)) as n_month_ends,
  count(*) filter (until = begun) as n_one_day
from followed
where not is_open_end(until);

-- of one representative, the start that follows each
create or replace macro next_starts(parsed, is_counted) as table
select
  *,
  lead(begun) over (partition by rep_id order by begun) as next_begun
from (
  select distinct
    rep_id,
    day_begun(valid_from) as begun
  from query_table(parsed)
  where is_counted is not false
);

-- name: end_counts
select * from end_counts(
  $parsed, row(*columns($key)), columns([$begins]), columns([$ends]), null, $file
);

-- name: end_counts_of_rep_team_history
select * from end_counts(
  'parsed_rep_team_history', rep_id, valid_from, valid_to, is_primary, $file
);

-- name: end_counts_of_quotas
select * from end_counts(
  'parsed_quotas', rep_id, period_start, period_end, is_amount, $file
);

-- name: open_stays
-- of the stays that another follows, how many are left open
select
  count(*) filter (is_open) as n_open,
  count(*) as n_followed
from (
  select
    is_open_end(valid_to) as is_open,
    day_begun(valid_from) < max(day_begun(valid_from)) over (partition by rep_id) as is_followed
  from parsed_rep_team_history
  where is_primary is not false
)
where is_followed;

-- name: close_rep_team_history
update parsed_rep_team_history as t
set
  valid_to = n.next_begun,
  was_left_open = true
from next_starts('parsed_rep_team_history', is_primary) as n
where t.rep_id = n.rep_id
  and day_begun(t.valid_from) = n.begun
  and n.next_begun is not null
  and is_open_end(t.valid_to)
  and is_primary is not false;

-- name: close_compensation
update parsed_compensation as t
set
  valid_to = n.next_begun,
  was_left_open = true
from next_starts('parsed_compensation', null) as n
where t.rep_id = n.rep_id
  and day_begun(t.valid_from) = n.begun
  and n.next_begun is not null
  and is_open_end(t.valid_to);
