-- Deals as events of the team of their day.

-- name: shares
create or replace temp table shares as
with kinds as (
  select
    opportunity_id,
    split_type,
    contains(lower(split_type), 'revenue') as is_revenue
  from opportunity_splits
  where split_rate is not null
  group by all
  having abs(sum(split_rate) - 1) <= 0.001
),

taken as (
  select
    opportunity_id,
    split_type
  from kinds
  qualify
    is_revenue
    and row_number() over (partition by opportunity_id order by is_revenue desc, split_type) = 1
    or count(*) over (partition by opportunity_id) = 1
),

ordered as (
  select
    opportunity_id,
    rep_id,
    round(o.deal_amount * 100)::bigint as cents,
    sum(split_rate) over upto as upto,
    sum(split_rate) over (upto rows between unbounded preceding and 1 preceding) as before,
    lead(rep_id) over upto is null as is_last
  from opportunity_splits
  inner join taken using (opportunity_id, split_type)
  inner join opportunities as o using (opportunity_id)
  where o.status = 'won'
  window upto as (partition by opportunity_id order by rep_id)
)

select
  opportunity_id,
  rep_id,
  case when is_last then cents else round(cents * upto)::bigint end
  - round(cents * coalesce(before, 0))::bigint as cents
from ordered;

-- name: creators
create or replace temp table creators as
select
  opportunity_id,
  arg_min(changed_by_rep_id, entered_at) as rep_id
from stage_history
where changed_by_rep_id in (select rep_id from reps where role = 'rep')
group by opportunity_id;

-- name: deal_events
create or replace temp table deal_events as
with sold as (
  select
    o.opportunity_id,
    o.status,
    o.opportunity_type,
    round(o.deal_amount * 100)::bigint as cents,
    o.close_date,
    coalesce(o.owner_at_close_rep_id, o.owner_rep_id) as closer,
    coalesce(c.rep_id, o.owner_rep_id) as creator,
    timezone(getvariable('time_zone'), o.created_at)::date as created_on
  from opportunities as o left join creators as c using (opportunity_id)
),

events as (
  select
    opportunity_id,
    status,
    opportunity_type,
    case when opportunity_id not in (select opportunity_id from shares) then cents else 0 end
      as cents,
    cents as whole_cents,
    'closed' as kind,
    closer as rep_id,
    close_date as day
  from sold where status <> 'open' and close_date is not null
  union all
  select
    opportunity_id,
    status,
    opportunity_type,
    h.cents,
    0,
    'share',
    h.rep_id,
    close_date
  from sold
  inner join shares as h using (opportunity_id)
  union all
  select
    opportunity_id,
    status,
    opportunity_type,
    cents,
    0,
    'created',
    creator,
    created_on
  from sold
  where created_on is not null
  union all
  select
    s.opportunity_id,
    s.status,
    s.opportunity_type,
    s.cents,
    0,
    'pending',
    s.closer,
    q.last_day
  from sold as s
  inner join (select least(until_day - 1, getvariable('as_of')) as last_day from quarters) as q
    on s.created_on <= q.last_day and (s.status = 'open' or s.close_date > q.last_day)
)

select
  e.*,
  case when e.day < s.until_day then s.team_id else $unassigned end as team_id
from events as e asof left join stays_ever as s on e.rep_id = s.rep_id and e.day >= s.from_day;

-- name: deals
create or replace temp table deals as
select
  e.*,
  q.quarter,
  date_trunc('week', e.day)::date as week_start,
  e.kind = 'closed' and e.status = 'won' as is_won,
  e.kind in ('closed', 'share') and e.status = 'won' as is_booked
from deal_events as e
inner join quarters as q on e.day >= q.from_day and e.day < q.until_day
where e.day between getvariable('first_day') and getvariable('as_of');

-- name: rerouted
create or replace temp table rerouted as
select
  c.team_id,
  c.quarter,
  avg((b.team_id <> c.team_id)::int) as rerouted_share
from deals as c
inner join deal_events as b on b.opportunity_id = c.opportunity_id and b.kind = 'created'
where c.kind = 'closed' and b.team_id <> $unassigned and c.team_id <> $unassigned
group by all;

-- name: won_deals
create or replace table won_deals as
select
  opportunity_id,
  quarter,
  day as close_date,
  whole_cents / 100.0 as deal_amount,
  team_id
from deals
where is_won;
