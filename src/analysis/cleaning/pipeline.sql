-- What a pass over the exports stands on: its days, rates, mail domains, and what is set aside.

-- name: set_aside
create temp table set_aside (
  table_name varchar,
  rule varchar,
  source_file varchar,
  source_row bigint,
  record_key varchar,
  "column" varchar,
  "text" varchar,
  money double,
  minutes double
);

-- name: lead_days
create or replace temp table lead_days as
select created_at::date as day
from parsed_leads
where not exists (from deal_outcomes)
union all
select entered_at::date as day
from parsed_lead_status_history
where not exists (from deal_outcomes);

-- name: as_of
-- the last day that anything known by the export's own day is of
with export_day as (
  select least(
    $today::date,
    greatest(
      (select max(created_at)::date from deal_outcomes),
      (
        select max(close_date)
        from deal_outcomes
        where status <> 'open' and close_date <= $today::date
      ),
      (select max(logged_at)::date from parsed_activities where logged_at::date <= $today::date),
      (select max(day) from lead_days where day <= $today::date)
    )
  ) as last
)

select greatest(
  (select max(day) from lead_days where day <= last),
  (select max(close_date) from deal_outcomes where status <> 'open' and close_date <= last),
  (select max(started_at)::date from parsed_activities where started_at::date <= last)
) as as_of
from export_day;

-- name: first_record
select least(
  (select min(created_at)::date from deal_outcomes where year(created_at) >= 1990),
  (
    select min(close_date)
    from deal_outcomes
    where status <> 'open' and year(close_date) >= 1990
  ),
  (select min(started_at)::date from parsed_activities where year(started_at) >= 1990),
  (select min(day) from lead_days where year(day) >= 1990)
) as first_record;

-- name: first_day
select least(
  (select min(close_date) from opportunities where status <> 'open'),
  (select min(started_at)::date from activities),
  (select min(created_at)::date from leads where not exists (from opportunities))
) as first_day;

-- name: filled_cells
select
  count(*) as n,
  count(columns(*))
from query_table($table);

-- name: own_domains
create or replace temp table own_domains as
select distinct email_domain as domain
from parsed_reps
where email_domain <> ''
  and not list_contains($free_mail, email_domain);

-- name: reporting_rates
create or replace temp table reporting_rates as
select
  currency,
  valid_from,
  valid_to,
  rate_to_reporting as rate
from fx_rates
where rate_to_corporate is null
union all
select
  f.currency,
  greatest(f.valid_from, own.valid_from) as valid_from,
  least(f.valid_to, own.valid_to) as valid_to,
  f.rate_to_corporate / own.rate_to_corporate as rate
from fx_rates as f
inner join fx_rates as own
  on own.currency = getvariable('currency')
  and f.valid_from < coalesce(own.valid_to, date '9999-12-31')
  and own.valid_from < coalesce(f.valid_to, date '9999-12-31')
where f.rate_to_corporate is not null
  and own.rate_to_corporate is not null;

create macro rate_on(code, day) as case
  when code = getvariable('currency') then 1.0
  else (
    select case when min(f.rate) = max(f.rate) then max(f.rate) end
    from reporting_rates as f
    where f.currency = code
      and f.valid_from <= day
      and (f.valid_to is null or day < f.valid_to)
  )
end;

-- a currency is only taken for granted where no row of the table names one
create macro stated_currency(code) as
coalesce(code, case when count(code) over () = 0 then getvariable('currency') end);
