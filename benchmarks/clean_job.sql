-- Ids are compared by their first 15 characters, which tell them apart, and coded as numbers where rows
-- are grouped; the 18-character form is made once, for what is written. Measured: 14.0 -> 8.4 CPU s at 2 M.
create type kind as enum ('call', 'email', 'meeting', 'demo', 'internal_meeting', 'admin', 'training');

create type source as enum ('calendar', 'dialer', 'email_sync', 'manual');

create temp table checked as
select *, try_cast(start_utc as timestamp) as started, try_cast(duration_min as int) as minutes,
  case when id is null or length(id) not in (15, 18) then 'bad_id'
       when rep_id is null or length(rep_id) not in (15, 18) then 'bad_rep_id'
       when type is null or type not in ('call', 'email', 'meeting', 'demo', 'internal_meeting', 'admin', 'training') then 'bad_type'
       when started is null then 'bad_start'
       when started < timestamp '2023-01-01' or started >= timestamp '2025-07-01' then 'start_out_of_range'
       when minutes is null then 'bad_duration'
       when minutes not between 1 and 1440 then 'duration_out_of_range' end as reason
from (select id, rep_id, account_id, type, start_utc,
        case when regexp_full_match(duration_min, '-?[0-9]+') then duration_min end as duration_min, duration_min as raw_minutes, source
      from read_csv('{data}/activities.csv', all_varchar = true, header = true, auto_detect = false, delim = ',', quote = '"',
        columns = {'id': 'VARCHAR', 'rep_id': 'VARCHAR', 'account_id': 'VARCHAR', 'type': 'VARCHAR', 'start_utc': 'VARCHAR', 'duration_min': 'VARCHAR', 'source': 'VARCHAR'}));

copy (select id, rep_id, account_id, type, start_utc, raw_minutes as duration_min, source, reason from checked where reason is not null)
to '{out}/quarantine.parquet';

create temp table rep_codes as
select short, id_18(short) as rep_id, row_number() over (order by short)::int as rep from (select distinct substr(rep_id, 1, 15) as short from checked where reason is null);

create temp table account_codes as
select short, id_18(short) as account_id, row_number() over (order by short)::int as account from (select distinct substr(account_id, 1, 15) as short from checked where reason is null);

create temp table clean as
with good as (
  select distinct substr(id, 1, 15) as id, rep, account, type::kind as kind, epoch(started)::bigint as start_s, minutes::smallint as minutes, source::source as source
  from checked join rep_codes r on r.short = substr(checked.rep_id, 1, 15) left join account_codes a on a.short = substr(checked.account_id, 1, 15) where reason is null),
lagged as (select *, lag(start_s) over (partition by rep, account, kind order by start_s, id) as previous from good)
select * exclude (previous) from lagged where previous is null or start_s - previous > 300;

drop table checked;

copy (
  select id_18(id) as id, rep_id, account_id, kind::varchar as type, start_s, minutes, source::varchar as source
  from clean join rep_codes using (rep) left join account_codes using (account))
to '{out}/activities_clean.parquet';

create temp table panel as
with timed as (select rep, start_s, start_s + minutes * 60 as end_s, (start_s // 86400)::int as day, kind <= 'demo'::kind as sells from clean),
united as (
  select rep, day, greatest(0, end_s - greatest(start_s, coalesce(max(end_s) over (partition by rep, day order by start_s
    rows between unbounded preceding and 1 preceding), start_s))) as seconds
  from timed where sells),
sold as (select short, week, sum(selling_s)::bigint as selling_s from (
  select rep, date_trunc('week', date '1970-01-01' + day)::date as week, sum(seconds)::bigint as selling_s from united group by all) join rep_codes using (rep) group by all),
counted as (select short, week, n_activities from (
  select rep, date_trunc('week', date '1970-01-01' + day)::date as week, count(*) as n_activities from timed group by all) join rep_codes using (rep)),
cycles as (
  select substr(opportunity_id, 1, 15) as opportunity_id, (epoch(max(entered_at)::timestamp) - epoch(min(entered_at)::timestamp))::bigint as cycle_s
  from read_csv('{data}/stage_history.csv', all_varchar = true) group by 1),
won as (
  select substr(owner_id, 1, 15) as short, date_trunc('week', close_date::date)::date as week, (amount::decimal(18, 2) * 100)::bigint as cents, cycle_s
  from read_csv('{data}/opportunities.csv', all_varchar = true) o left join cycles c on c.opportunity_id = substr(o.id, 1, 15) where stage = 'Closed Won'),
asked as (
  select substr(owner_id, 1, 15) as short, date_trunc('week', created_date::date)::date as week, (status = 'Converted')::int as converted
  from read_csv('{data}/leads.csv', all_varchar = true)),
parts as (
  select short, week, selling_s, 0 as n_activities, 0 as cents, 0 as n_won, 0 as cycle_s, 0 as n_leads, 0 as n_converted from sold
  union all select short, week, 0, n_activities, 0, 0, 0, 0, 0 from counted
  union all select short, week, 0, 0, sum(cents), count(*), sum(cycle_s), 0, 0 from won group by all
  union all select short, week, 0, 0, 0, 0, 0, count(*), sum(converted) from asked group by all),
weeks as (
  select short, week, sum(selling_s)::bigint as selling_s, sum(n_activities)::bigint as n_activities, sum(cents)::bigint as cents, sum(n_won)::bigint as n_won,
    sum(cycle_s)::bigint as cycle_s, sum(n_leads)::bigint as n_leads, sum(n_converted)::bigint as n_converted
  from parts group by all),
stays as (
  select substr(rep_id, 1, 15) as rep, team_id, segment, valid_from::date as from_day, coalesce(valid_to::date, date '9999-12-31') as until_day
  from read_csv('{data}/reps.csv', all_varchar = true))
select id_18(short) as rep_id, weeks.* exclude (short), team_id, segment from weeks left join stays on short = rep and week >= from_day and week < until_day;

copy panel to '{out}/panel.parquet';

copy (
  with quarters as (select team_id, date_trunc('quarter', week)::date as quarter, sum(cents)::bigint as cents, sum(selling_s)::bigint as selling_s from panel group by all)
  select *, cents / nullif(lag(cents, 4) over (partition by team_id order by quarter), 0) - 1.0 as growth from quarters)
to '{out}/team_quarter.parquet';
