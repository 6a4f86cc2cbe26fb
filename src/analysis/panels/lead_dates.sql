-- A lead and the day it first reached each stage, as the CRM says: nothing is inferred here.
-- Needs stays_ever, and the variables time_zone and as_of.

-- name: lead_dates
create or replace macro local_day(moment) as timezone(getvariable('time_zone'), moment)::date;

create or replace temp table first_responses as
select
  t.person_key,
  arg_min(c.campaign_type, (t.touched_at, t.campaign_id)) as activity,
  arg_min(coalesce(c.campaign_type is null, true), (t.touched_at, t.campaign_id)) as is_untyped
from touches as t
left join campaigns as c using (campaign_id)
left join (
  select
    person_key,
    max(converted_on) as converted_on
  from leads
  where person_key in (select person_key from touches) and converted_on is not null
  group by person_key
) as l
  using (person_key)
where t.is_response and (l.converted_on is null or local_day(t.touched_at) <= l.converted_on)
group by t.person_key;

create or replace temp table disqualified_on as
select
  lead_id,
  local_day(max(entered_at)) as day
from lead_status_history
where lead_stage = 'disqualified' and exited_at is null
group by lead_id;

create or replace temp table leads_of_deals as
select
  l.opportunity_id,
  l.deal_share,
  o.created_at,
  o.close_date,
  coalesce(o.status, 'not exported') as outcome,
  o.deal_amount * l.deal_share as deal_amount
from (
  select
    opportunity_id,
    1.0 / count(*) as deal_share
  from leads
  where opportunity_id is not null
  group by opportunity_id
) as l
left join opportunities as o using (opportunity_id);

create or replace temp table hours_on_leads as
select
  lead_id,
  sum(hours) as rep_hours
from (
  select
    a.lead_id,
    a.minutes / 60 as hours
  from activities as a
  where a.lead_id is not null and not coalesce(a.is_all_day, false)
  union all
  select
    l.lead_id,
    a.minutes / 60 * d.deal_share
  from activities as a
  inner join leads as l using (opportunity_id)
  inner join leads_of_deals as d using (opportunity_id)
  where a.lead_id is null and not coalesce(a.is_all_day, false)
) as a
group by lead_id;

create or replace table lead_dates as
select
  l.lead_id,
  l.created_on,
  case
    when not exists (from touches) then null
    when r.person_key is not null then r.activity
    else l.lead_source
  end as activity,
  case
    when not exists (from touches) then null
    when r.is_untyped then 'response to a campaign without type'
    when r.person_key is not null then 'first response'
    when l.lead_source is not null then 'lead source'
  end as activity_basis,
  l.lead_source,
  l.owner_rep_id as rep_id,
  s.team_id,
  s.segment,
  local_day(l.mql_at) as mql_on,
  local_day(l.sal_at) as sal_on,
  local_day(l.sql_at) as sql_on,
  case
    when l.opportunity_id is not null or not exists (from leads_of_deals)
      then coalesce(l.converted_on, local_day(d.created_at))
  end as opportunity_on,
  case when d.outcome = 'won' then d.close_date end as won_on,
  case when d.outcome = 'lost' then d.close_date end as lost_on,
  q.day as disqualified_on,
  local_day(l.recycled_at) as recycled_on,
  l.opportunity_id,
  d.outcome,
  d.deal_amount,
  case
    when exists (from activities where lead_id is not null)
      then round(coalesce(h.rep_hours, 0), 4)
  end as rep_hours
from (select
  *,
  local_day(created_at) as created_on
from leads) as l
left join first_responses as r using (person_key)
left join disqualified_on as q using (lead_id)
left join leads_of_deals as d using (opportunity_id)
left join hours_on_leads as h using (lead_id)
left join stays_ever as s
  on l.owner_rep_id = s.rep_id and l.created_on >= s.from_day and l.created_on < s.until_day;
