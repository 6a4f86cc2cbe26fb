-- Ids are compared by their first 15 characters, which tell them apart, and coded as numbers where rows are grouped. The
-- 18-character form is made once for each. What is wrong keeps its texts, what is right only its values.
create type kind as enum ('call', 'email', 'meeting', 'demo', 'internal_meeting', 'admin', 'training');

create type source as enum ('calendar', 'dialer', 'email_sync', 'manual');

create temp table checked as
with cells as (
  select *, try_cast(start_utc as timestamp) as started, try_cast(type as kind) as kind,
    case when regexp_full_match(duration_min, '-?[0-9]+') then try_cast(duration_min as int) end as minutes,
  from read_csv('{data}/activities.csv', header = true, auto_detect = false, delim = ',', quote = '"',
    columns = {'id': 'VARCHAR', 'rep_id': 'VARCHAR', 'account_id': 'VARCHAR', 'type': 'VARCHAR', 'start_utc': 'VARCHAR', 'duration_min': 'VARCHAR', 'source': 'VARCHAR'})),
judged as (
  select *, case when id is null or length(id) not in (15, 18) then 'bad_id'
       when rep_id is null or length(rep_id) not in (15, 18) then 'bad_rep_id'
       when kind is null then 'bad_type'
       when started is null then 'bad_start'
       when started < timestamp '2023-01-01' or started >= timestamp '2025-07-01' then 'start_out_of_range'
       when minutes is null then 'bad_duration'
       when minutes not between 1 and 1440 then 'duration_out_of_range' end as reason
  from cells)
select case when reason is not null then [id, rep_id, account_id, type, start_utc, duration_min, source, reason] end as wrong,
  case when reason is null then substr(id, 1, 15) end as id, case when reason is null then substr(rep_id, 1, 15) end as rep,
  case when reason is null then substr(account_id, 1, 15) end as account, kind,
  case when reason is null then epoch(started)::int end as start_s, case when reason is null then minutes::smallint end as minutes,
  case when reason is null then source::source end as source
from judged;

copy (
  select wrong[1] as id, wrong[2] as rep_id, wrong[3] as account_id, wrong[4] as type, wrong[5] as start_utc,
    wrong[6] as duration_min, wrong[7] as source, wrong[8] as reason
  from checked where wrong is not null)
to '{out}/quarantine.parquet';

create temp table won as
with cycles as (
  select substr(opportunity_id, 1, 15) as id, (epoch(max(entered_at)::timestamp) - epoch(min(entered_at)::timestamp))::bigint as cycle_s
  from read_csv('{data}/stage_history.csv', all_varchar = true) group by 1)
select substr(owner_id, 1, 15) as rep, date_trunc('week', close_date::date)::date as week, sum((amount::decimal(18, 2) * 100)::bigint) as cents,
  count(*) as n_won, sum(cycle_s) as cycle_s
from read_csv('{data}/opportunities.csv', all_varchar = true) o left join cycles c on c.id = substr(o.id, 1, 15) where stage = 'Closed Won' group by all;

create temp table asked as
select substr(owner_id, 1, 15) as rep, date_trunc('week', created_date::date)::date as week, count(*) as n_leads, sum((status = 'Converted')::int) as n_converted
from read_csv('{data}/leads.csv', all_varchar = true) group by all;

create temp table reps as
select short, id_18(short) as rep_id, (row_number() over ())::int as rep
from (select distinct rep as short from checked where wrong is null union select rep from won union select rep from asked);

create temp table accounts as
select short, id_18(short) as account_id, (row_number() over ())::int as account from (select distinct account as short from checked where wrong is null);

create temp table coded as
select c.id, r.rep, a.account, c.kind, c.start_s, c.minutes, c.source
from checked c join reps r on r.short = c.rep left join accounts a on a.short = c.account where wrong is null;

drop table checked;

create temp table clean as
with lagged as (
  select *, lag(start_s) over (partition by rep, account, kind order by start_s, id) as previous from (select distinct * from coded))
select * exclude (previous) from lagged where previous is null or start_s - previous > 300;

drop table coded;

copy (
  select id_18(id) as id, rep_id, account_id, kind::varchar as type, start_s::bigint as start_s, minutes, source::varchar as source
  from clean join reps using (rep) left join accounts using (account))
to '{out}/activities_clean.parquet';

create temp table panel as
with spans as (select rep, start_s, start_s + minutes * 60 as end_s, start_s // 86400 as day, kind <= 'demo'::kind as sells from clean),
united as (
  select rep, day, case when sells then greatest(0, end_s - greatest(start_s, coalesce(max(case when sells then end_s end) over (
    partition by rep, day order by start_s rows between unbounded preceding and 1 preceding), start_s))) else 0 end as seconds
  from spans),
weekly as (
  select rep, date '1970-01-05' + (day - 4) // 7 * 7 as week, sum(seconds)::bigint as selling_s, count(*) as n_activities,
    0 as cents, 0 as n_won, 0 as cycle_s, 0 as n_leads, 0 as n_converted from united group by all
  union all select r.rep, week, 0, 0, cents, n_won, coalesce(cycle_s, 0), 0, 0 from won join reps r on r.short = won.rep
  union all select r.rep, week, 0, 0, 0, 0, 0, n_leads, n_converted from asked join reps r on r.short = asked.rep),
weeks as (
  select rep, week, sum(selling_s)::bigint as selling_s, sum(n_activities)::bigint as n_activities, sum(cents)::bigint as cents, sum(n_won)::bigint as n_won,
    sum(cycle_s)::bigint as cycle_s, sum(n_leads)::bigint as n_leads, sum(n_converted)::bigint as n_converted
  from weekly group by all),
stays as (
  select r.rep, team_id, segment, valid_from::date as from_day, coalesce(valid_to::date, date '9999-12-31') as until_day
  from read_csv('{data}/reps.csv', all_varchar = true) s join reps r on r.short = substr(s.rep_id, 1, 15))
select r.rep_id, w.* exclude (rep), team_id, segment
from weeks w join reps r using (rep) left join stays s on s.rep = w.rep and week >= from_day and week < until_day;

copy panel to '{out}/panel.parquet';

copy (
  with quarters as (select team_id, date_trunc('quarter', week)::date as quarter, sum(cents)::bigint as cents, sum(selling_s)::bigint as selling_s from panel group by all)
  select *, cents / nullif(lag(cents, 4) over (partition by team_id order by quarter), 0) - 1.0 as growth from quarters)
to '{out}/team_quarter.parquet';
